"""Tells the operator that there is news, one call at a time; the operator then asks for it.

ADR 0004 says why.
"""

import asyncio
from collections.abc import Callable
from datetime import timedelta

import temporalio.exceptions
from temporalio import workflow

with workflow.unsafe.imports_passed_through():
    from controller.chain.run import progress
    from controller.temporal import messages
    from controller.temporal.activities import chain_status
    from controller.temporal.workflows import activity_calls, resets

# Long enough for an operator that is being replaced; after that reconcile harvests the result.
_FINAL_PUBLISH_LIMIT = timedelta(minutes=10)
# A publish may wait for its turn and then for a slow API server.
_PUBLISH_TIMEOUT = timedelta(seconds=60)
# A killed operator should delay the status by seconds only.
_PUBLISH_HEARTBEAT = timedelta(seconds=4)


class Publishing:
    """The only publisher of a chain: at most one publish is on its way."""

    def __init__(
        self,
        argument: messages.ChainInput,
        run: progress.ChainProgress,
        reset: resets.ResetNotice,
    ) -> None:
        self._input = argument
        self._run = run
        self._reset = reset
        self._published = -1
        # How many resets there had been when the resource was last asked; -1: it never was.
        self._asked_after = -1
        # There is no one left to notify: the resource is gone and left the run running.
        self._is_orphan = False
        # Why the run is not wanted any more: its resource is gone, or has another execution.
        self._unwanted: str | None = None

    @property
    def is_wanted(self) -> bool:
        """Whether the resource is known to want this execution; before, nothing is triggered.

        What it said to the execution before a reset does not count: the run may have ended since.
        """
        return self._asked_after == self._reset.count or self._is_orphan

    def orphan(self) -> None:
        """Publish no more."""
        self._is_orphan = True

    async def run(self, cancel: Callable[[], None]) -> None:
        """Publish whatever is newest, again and again; call `cancel` once the run is not wanted."""
        while True:
            await workflow.wait_condition(
                lambda: not self.is_wanted or self._is_orphan or self._has_news
            )
            if self._is_orphan:
                return
            asked_after = self._reset.count
            try:
                self._published = await self._publish(is_final=False)
                self._asked_after = asked_after
            except temporalio.exceptions.ActivityError as error:
                if not temporalio.exceptions.is_cancelled_exception(error):
                    self._refused(activity_calls.cause_of(error)[1], cancel)
                return

    @property
    def _has_news(self) -> bool:
        return self._run.sequence > self._published

    def _refused(self, why: str, cancel: Callable[[], None]) -> None:
        # A run that was left to itself may have had a publish on its way.
        if not self._is_orphan:
            self._unwanted = why
            cancel()

    async def end(self, publishing: "asyncio.Task[None]") -> None:
        """Publish for the last time."""
        publishing.cancel()
        await asyncio.gather(publishing, return_exceptions=True)
        if self._unwanted is not None:
            workflow.logger.info("No one wants this run", extra={"why": self._unwanted})
        if self._unwanted is not None or self._is_orphan:
            return
        try:
            await self._publish(is_final=True)
        except temporalio.exceptions.ActivityError as error:
            # The result holds the same facts, and reconcile reads it.
            workflow.logger.warning(
                "Last publish failed", extra={"why": activity_calls.cause_of(error)[1]}
            )

    async def _publish(self, *, is_final: bool) -> int:
        info = workflow.info()
        size = len(self._run.stacks)
        attempt = workflow.start_activity_method(
            chain_status.ChainStatus.publish_chain_status,
            messages.PublishChainStatusInput(
                ref=self._input.ref,
                workflow_id=info.workflow_id,
                workflow_run_id=info.run_id,
                interval_milliseconds=max(1000, size * 20),
                is_final=is_final,
            ),
            task_queue=self._input.operator_queue,
            start_to_close_timeout=_PUBLISH_TIMEOUT,
            schedule_to_close_timeout=_FINAL_PUBLISH_LIMIT if is_final else None,
            heartbeat_timeout=_PUBLISH_HEARTBEAT,
            retry_policy=activity_calls.PUBLISH,
            cancellation_type=workflow.ActivityCancellationType.TRY_CANCEL,
            summary="publish the status",
        )
        result = await activity_calls.outcome_of(attempt)
        return result.sequence
