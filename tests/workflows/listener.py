"""Stands in for a chain: it keeps what an execution reports, so that a test can look at it."""

import contextlib

import temporalio.exceptions
from temporalio import workflow

with workflow.unsafe.imports_passed_through():
    from controller.chain.run import progress
    from controller.temporal import ids

REPORTS_QUERY = "reports"


@workflow.defn(name="ReportListener")
class ReportListener:
    """Listens until it is terminated."""

    @workflow.init
    def __init__(self, execution_id: str, allows: list[str]) -> None:
        self._execution_id = execution_id
        self._reports: list[progress.StackReport] = []
        self._answered = 0

    @workflow.run
    async def run(self, execution_id: str, allows: list[str]) -> None:
        """Let the execution do what it asks for, as far as it is one of the signals; forever."""
        execution = workflow.get_external_workflow_handle(execution_id)
        while True:
            await workflow.wait_condition(lambda: len(self._reports) > self._answered)
            report = self._reports[self._answered]
            self._answered += 1
            wishes = {
                ids.MAY_STOP_SIGNAL: report.is_stopping,
                ids.MAY_TRIGGER_SIGNAL: report.wants_slot,
            }
            for signal, is_asked in wishes.items():
                if is_asked and signal in allows:
                    # It may have ended meanwhile.
                    with contextlib.suppress(temporalio.exceptions.ApplicationError):
                        await execution.signal(signal, workflow.info().first_execution_run_id)

    @workflow.signal(name=ids.REPORT_SIGNAL)
    def report(self, report: progress.StackReport, _first_run_id: str) -> None:
        """Keep a report."""
        self._reports.append(report)

    @workflow.query(name=REPORTS_QUERY)
    def reports(self) -> list[progress.StackReport]:
        """Return all that came."""
        return self._reports
