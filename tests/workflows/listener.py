"""Stands in for a chain: it keeps what an execution reports, so that a test can look at it."""

import asyncio
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
    def __init__(self, execution_id: str | None) -> None:
        self._execution_id = execution_id
        self._reports: list[progress.StackReport] = []

    @workflow.run
    async def run(self, execution_id: str | None) -> None:
        """Let the execution, if one is named, stop its run as soon as it asks; wait forever."""
        await workflow.wait_condition(lambda: any(item.is_stopping for item in self._reports))
        if self._execution_id is not None:
            execution = workflow.get_external_workflow_handle(self._execution_id)
            # It may have ended meanwhile.
            with contextlib.suppress(temporalio.exceptions.ApplicationError):
                await execution.signal(ids.MAY_STOP_SIGNAL)
        await asyncio.Event().wait()

    @workflow.signal(name=ids.REPORT_SIGNAL)
    def report(self, report: progress.StackReport) -> None:
        """Keep a report."""
        self._reports.append(report)

    @workflow.query(name=REPORTS_QUERY)
    def reports(self) -> list[progress.StackReport]:
        """Return all that came."""
        return self._reports
