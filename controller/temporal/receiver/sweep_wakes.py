"""Wakes the sweeps that read a root when there is a notification about a finished run.

A sweep reads Spacelift itself, so a wake that is lost, repeated or about an old run does no harm
(ADR 0023).
"""

import logging
from collections.abc import Callable, Collection

import temporalio.client
import temporalio.service

from controller import clock
from controller.temporal import client as temporal_client
from controller.temporal import schedule_list, start_messages

logger = logging.getLogger(__name__)

# A sweep that is newer than the list is not woken: its first pass has just looked.
_LIST_SECONDS = 10.0


class TemporalSweepWaker:
    """The sweeps of all installations that share the Temporal namespace."""

    def __init__(
        self,
        get_client: Callable[[], temporalio.client.Client],
        *,
        clock: Callable[[], float] = clock.monotonic,
    ) -> None:
        self._get_client = get_client
        self._clock = clock
        self._listed_at: float | None = None
        self._sweeps: tuple[schedule_list.ListedSchedule, ...] = ()

    async def find(self, account: str, stack_id: str, labels: Collection[str]) -> list[str]:
        """Return the ids of the sweeps that look at a stack.

        Args:
            account: the Spacelift account of the connection, as `endpoints.account_of` names it.
            stack_id: the stack whose run finished.
            labels: the stack's labels, as far as they are known; sweeps of roots by label need
                all of theirs among them.

        Raises:
            TemporalUnreachable: their interval makes it good.
        """
        return [
            item.schedule_id
            for item in await self._list()
            if item.memo.account == account and _is_root(item.memo, stack_id, labels)
        ]

    async def _list(self) -> tuple[schedule_list.ListedSchedule, ...]:
        now = self._clock()
        if self._listed_at is None or now - self._listed_at >= _LIST_SECONDS:
            listed = await schedule_list.list_all(self._get_client())
            # One that is paused looks again on its own once it is not.
            self._sweeps = tuple(item for item in listed.schedules if not item.is_paused)
            self._listed_at = now
        return self._sweeps

    async def wake(self, sweep_id: str) -> bool:
        """Make a sweep start now; returns whether it is there.

        Raises:
            TemporalUnreachable: try again.
        """
        handle = self._get_client().get_schedule_handle(sweep_id)
        with temporal_client.unreachable():
            try:
                await handle.trigger(overlap=schedule_list.SWEEP_OVERLAP)
            except temporalio.service.RPCError as error:
                # Gone since it was listed, with its resource or for another set-up of it.
                if not temporal_client.is_gone(error):
                    raise
                self._listed_at = None
                return False
        logger.info("Sweep woken", extra={"workflow_id": sweep_id})
        return True


def _is_root(memo: start_messages.ScheduleMemo, stack_id: str, labels: Collection[str]) -> bool:
    """Whether a sweep looks at a stack; a schedule that is not a sweep has no roots."""
    if memo.roots is None:
        return False
    if memo.roots.labels:
        return set(memo.roots.labels) <= set(labels)
    return stack_id in memo.roots.stack_ids
