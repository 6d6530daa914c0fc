"""Runs one stack's execution alone, with a listener instead of its chain."""

import contextlib
import dataclasses
from collections.abc import AsyncIterator
from typing import Any

from temporalio.client import WorkflowHandle

from controller.api.v1alpha1 import Phase
from controller.chain.run import progress
from controller.temporal import ids, messages
from tests.support import temporal as temporal_support
from tests.support.builders import with_policies
from tests.support.waiting import eventually
from tests.workflows import listener
from tests.workflows.harness import Harness


@dataclasses.dataclass
class Execution:
    """One execution and the one that it reports to."""

    chain: WorkflowHandle[Any, None]
    handle: WorkflowHandle[Any, progress.StackReport | None]

    async def reports(self) -> list[progress.StackReport]:
        found: list[progress.StackReport] = await self.chain.query(
            listener.REPORTS_QUERY, result_type=list[progress.StackReport]
        )
        return found

    async def shows(self, reason: str, *, times: int = 1) -> progress.StackReport:
        """Wait until the newest report has a reason, for the so-many-th time."""

        async def shows() -> progress.StackReport | None:
            found = await self.reports()
            assert found
            assert found[-1].reason == reason, found[-1]
            is_so_often = sum(report.reason == reason for report in found) >= times
            return found[-1] if is_so_often else None

        found = await eventually(shows, what=f"it shows {reason}")
        assert found is not None
        return found

    async def ends(self, phase: Phase, reason: str) -> progress.StackReport:
        report = await self.handle.result()
        assert report is not None
        assert (report.phase, report.reason) == (phase, reason), report
        return report

    async def wants_slot(self) -> bool:
        found = await self.reports()
        return bool(found) and found[-1].wants_slot

    async def wake(self) -> None:
        await self.handle.signal(ids.WAKE_SIGNAL)

    async def cancel(self) -> None:
        await self.handle.cancel()


@contextlib.asynccontextmanager
async def execution(
    harness: Harness,
    stack_id: str = "a",
    *,
    lets_stop: bool = True,
    lets_trigger: bool = True,
    chain_run_id: str = "",
    **facts: Any,
) -> AsyncIterator[Execution]:
    """Start the execution of a stack; `facts` are fields of its input, and of its policies.

    Its chain lets it stop its run, and trigger the next one, as soon as it asks, unless the test
    does that itself. A `chain_run_id` is that of an execution that a reset has made of the chain.
    """
    workflow_id = ids.execution_workflow_id(account=harness.account, stack_id=stack_id)
    allowed = ((ids.MAY_STOP_SIGNAL, lets_stop), (ids.MAY_TRIGGER_SIGNAL, lets_trigger))
    chain = await harness.client.start_workflow(
        "ReportListener",
        args=[workflow_id, [signal for signal, is_allowed in allowed if is_allowed]],
        id=temporal_support.unique("listener"),
        task_queue=harness.operator_queue,
    )
    assert chain.first_execution_run_id is not None
    own = messages.StackRef(connection=harness.connection, stack_id=stack_id)
    argument = messages.StackExecutionInput(
        target=facts.pop("target", own),
        chain=messages.ChainExecutionRef(
            workflow_id=chain.id,
            workflow_run_id=chain_run_id or chain.first_execution_run_id,
            first_run_id=chain.first_execution_run_id,
        ),
        marker="stackchain team/demo run 1",
        **with_policies(facts),
    )
    handle: WorkflowHandle[Any, progress.StackReport | None] = await harness.client.start_workflow(
        ids.EXECUTION_WORKFLOW,
        argument,
        id=workflow_id,
        task_queue=harness.task_queue,
        result_type=progress.StackReport | None,  # type: ignore[arg-type]  # a type form
    )
    harness.executions.append(handle)
    try:
        yield Execution(chain, handle)
    finally:
        await chain.terminate("the test is over")
