"""One wish for a run, and what may have come of it when the wish is given up."""

import asyncio
import dataclasses
from collections.abc import Callable

import temporalio.exceptions

from controller.chain.run import run_snapshots
from controller.temporal import messages
from controller.temporal.activities import errors
from controller.temporal.workflows import activity_calls, stack_activities


class RunCreation:
    """Creates one run. `may_be_sent`: there may be an unknown one that has to be looked for.

    That search takes a grace period, so a cancel waits for the end of the first try: what was
    certainly not sent is not looked for.
    """

    def __init__(
        self,
        activities: stack_activities.StackActivities,
        found: messages.FindStackRunResult,
        *,
        is_stopped: Callable[[], bool],
    ) -> None:
        self._activities = activities
        self._argument = activities.trigger_input(found)
        self._is_stopped = is_stopped
        self.may_be_sent = self._argument.was_attempted

    async def create(self) -> run_snapshots.RunSnapshot | None:
        """Return the run; None if the stack was locked or disabled meanwhile.

        Raises:
            ActivityError: canceled, or refused for good.
            CancelledError: canceled before it was tried again.
        """
        try:
            return await self._try_once() or await self._try_on()
        except temporalio.exceptions.ActivityError as error:
            if activity_calls.cause_of(error)[0] != errors.STACK_HELD:
                raise
            self.may_be_sent = False
            return None

    async def _try_once(self) -> run_snapshots.RunSnapshot | None:
        self.may_be_sent = True
        try:
            return await self._activities.trigger_once(self._argument)
        except temporalio.exceptions.ActivityError as error:
            if temporalio.exceptions.is_cancelled_exception(error):
                was_sent = not activity_calls.was_never_started(error)
                self.may_be_sent = was_sent or self._argument.was_attempted
                raise
            if activity_calls.is_final(error):
                raise
            (kind, message), delay = activity_calls.cause_of(error), activity_calls.delay_of(error)
        self.may_be_sent = kind not in errors.NOTHING_SENT
        self._argument = dataclasses.replace(self._argument, was_attempted=self.may_be_sent)
        if self._is_stopped():
            # The cancel came during the try, which kept it to itself.
            raise asyncio.CancelledError
        if kind == errors.LONG_PAUSE:
            self._activities.on_problem((kind, message))
        await asyncio.sleep(delay.total_seconds())
        return None

    async def _try_on(self) -> run_snapshots.RunSnapshot:
        self.may_be_sent = True
        return await self._activities.trigger(self._argument)
