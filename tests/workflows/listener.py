"""Stands in for a chain: it keeps what an execution reports, so that a test can look at it."""

import asyncio

from temporalio import workflow

with workflow.unsafe.imports_passed_through():
    from controller.chain.run import progress
    from controller.temporal import ids

REPORTS_QUERY = "reports"


@workflow.defn(name="ReportListener")
class ReportListener:
    """Listens until it is terminated."""

    def __init__(self) -> None:
        self._reports: list[progress.StackReport] = []

    @workflow.run
    async def run(self) -> None:
        """Wait for ever."""
        await asyncio.Event().wait()

    @workflow.signal(name=ids.REPORT_SIGNAL)
    def report(self, report: progress.StackReport) -> None:
        """Keep a report."""
        self._reports.append(report)

    @workflow.query(name=REPORTS_QUERY)
    def reports(self) -> list[progress.StackReport]:
        """Return all that came."""
        return self._reports
