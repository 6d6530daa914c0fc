"""What an execution tells its chain while it goes on; the end travels as the result."""

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
        self._chain = (argument.chain_workflow_id, argument.chain_workflow_run_id)
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
        workflow_id, run_id = self._chain
        chain = workflow.get_external_workflow_handle(workflow_id, run_id=run_id)
        while True:
            await workflow.wait_condition(lambda: self._is_closing or self._newest != self._sent)
            if self._is_closing:
                return
            self._sent = self._newest
            try:
                await chain.signal(ids.REPORT_SIGNAL, self._sent)
            except ApplicationError:
                # The chain is over: it was terminated, and has asked this execution to stop.
                workflow.logger.info("The chain is gone, its report was dropped")
                self._on_chain_gone()
