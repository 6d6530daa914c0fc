"""Shares a worker's slots between connections: one that hangs leaves some to all others (ADR 0066).

A request that hangs holds the slot of its activity. Without a bound, the chains of one such account
took every slot, and a run of another account started minutes late.
"""

import contextlib
from collections import Counter
from collections.abc import Callable, Iterator

from controller.temporal.activities import errors

# What takes the slots of waits for other chains' stacks; no connection has this name.
_TURNS = ""


class ConnectionSlots:
    """The slots of one queue in this worker, of which no connection ever has all that are left.

    A connection gets another slot only while it has fewer than `per_free` times as many as are
    free. So each one that hangs leaves a part of what the others left, however many hang, and
    connections that come and go need no configuration.
    """

    def __init__(
        self,
        total: int,
        *,
        noun: str,
        is_shared: Callable[[], bool],
        on_refusal: Callable[[], None] = lambda: None,
        per_free: int = 1,
    ) -> None:
        """Take how many slots the queue has.

        Args:
            total: the number of slots.
            noun: what takes one, in the plural, for messages.
            is_shared: whether there is another connection now; alone, one may take all slots.
            on_refusal: called for each activity that gets no slot.
            per_free: how many slots a connection may have for each that is free.
        """
        self._total = total
        self._noun = noun
        self._is_shared = is_shared
        self._on_refusal = on_refusal
        self._per_free = per_free
        self._taken: Counter[str] = Counter()

    @contextlib.contextmanager
    def taken_by(self, connection: str) -> Iterator[None]:
        """Count a slot as taken while the context is open.

        Raises:
            ApplicationError: the connection has its share; nothing was done, and Temporal retries.
        """
        if self._is_shared() and not self._has_room(connection):
            self._on_refusal()
            raise errors.connection_busy(
                f"The connection '{connection}' has {self._taken[connection]} of this worker's "
                f"{self._total} slots for {self._noun}, and the rest is kept for other "
                "connections. This is tried again after a pause. If it lasts, Spacelift answers "
                "slowly, or the worker has too few slots."
            )
        with self._counted(connection):
            yield

    @contextlib.contextmanager
    def taken_by_turn(self) -> Iterator[None]:
        """Count a slot as taken by a wait for a stack that another chain has; raises as `taken_by`.

        These waits never have all slots, also with one connection: the run that they wait for
        needs one to be followed.
        """
        if not self._has_room(_TURNS):
            self._on_refusal()
            raise errors.connection_busy(
                f"{self._taken[_TURNS]} of this worker's {self._total} slots are taken by waits "
                "for stacks that other chains have. This is tried again after a pause."
            )
        with self._counted(_TURNS):
            yield

    @property
    def taken(self) -> int:
        """How many slots are taken."""
        return self._taken.total()

    def _has_room(self, name: str) -> bool:
        free, taken = self._total - self._taken.total(), self._taken[name]
        # The last slot is for one that has none.
        return taken < self._per_free * free and (free > 1 or not taken)

    @contextlib.contextmanager
    def _counted(self, name: str) -> Iterator[None]:
        self._taken[name] += 1
        try:
            yield
        finally:
            self._taken[name] -= 1
            if not self._taken[name]:
                # Names come and go with the connections file.
                del self._taken[name]
