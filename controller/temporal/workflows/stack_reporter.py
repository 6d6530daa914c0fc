"""What an execution reports to its chain while it runs; the end travels as the result."""

from collections.abc import Callable

from temporalio import workflow
from temporalio.exceptions import ApplicationError

from controller.chain.run import progress
from controller.temporal import ids, messages


class StackReporter:
    """Sends the newest report, one at a time, apart from the work.

    A cancel that meets a signal on its way is lost; here it cannot meet one.
    """

    def __init__(
        self, argument: messages.StackExecutionInput, *, on_chain_gone: Callable[[], None]
    ) -> None:
        self._chain = argument.chain
        self._newest: progress.StackReport | None = None
        self._sent: progress.StackReport | None = None
        self._on_chain_gone = on_chain_gone
        self._is_closing = False

    @property
    def newest(self) -> progress.StackReport | None:
        """What was reported last; None: nothing yet."""
        return self._newest

    def show(self, report: progress.StackReport) -> None:
        """Let the chain know; only the newest counts."""
        self._newest = report

    def close(self) -> None:
        """No report may come after the end."""
        self._is_closing = True

    async def send(self) -> None:
        """Send until closed."""
        is_there = True
        while True:
            await workflow.wait_condition(lambda: self._is_closing or self._newest != self._sent)
            if self._is_closing:
                return
            self._sent = self._newest
            is_there = is_there and await self._tell(self._sent, self._chain.workflow_run_id)
            if not is_there:
                # The chain's execution was ended, and has asked this execution to stop. Or it was
                # reset, and the execution that continues for it recognizes itself by the first
                # one's id.
                self._on_chain_gone()
                await self._tell(self._sent, None)

    async def _tell(self, report: progress.StackReport | None, run_id: str | None) -> bool:
        chain = workflow.get_external_workflow_handle(self._chain.workflow_id, run_id=run_id)
        try:
            await chain.signal(ids.REPORT_SIGNAL, args=[report, self._chain.first_run_id])
        except ApplicationError:
            workflow.logger.info("The chain is gone, its report was dropped")
            return False
        return True
