"""Keeps a flood out of the log: one line of a kind every ten seconds, and how many came between."""

from collections.abc import Callable, Hashable

from controller import clock

SECONDS = 10.0
"""Seconds between two log lines of one kind."""


class LogThrottle:
    """Says when a kind is logged; the number of kinds is for the caller to bound."""

    def __init__(self, *, clock: Callable[[], float] = clock.monotonic) -> None:
        self._clock = clock
        self._next_at: dict[Hashable, float] = {}
        self._unlogged: dict[Hashable, int] = {}

    def due(self, kind: Hashable) -> bool:
        """Return whether to log now; what is not logged is counted."""
        now = self._clock()
        if now < self._next_at.get(kind, now):
            self._unlogged[kind] = self._unlogged.get(kind, 0) + 1
            return False
        self._next_at[kind] = now + SECONDS
        return True

    def skipped(self, kind: Hashable) -> int | None:
        """Return how many of a kind were not logged since the last line; None for none."""
        return self._unlogged.pop(kind, None)
