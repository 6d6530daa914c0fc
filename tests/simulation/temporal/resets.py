"""Resets: a new run that has the history of another one up to a workflow task."""

import copy
import dataclasses
from typing import TYPE_CHECKING

from temporalio.api.enums.v1 import WorkflowTaskFailedCause
from temporalio.api.failure.v1 import Failure
from temporalio.api.workflowservice.v1 import ResetWorkflowExecutionRequest
from temporalio.service import RPCStatusCode

from tests.simulation.temporal.history import Kind, TaskFailure
from tests.simulation.temporal.records import Execution
from tests.simulation.temporal.refusals import NotSimulated, rpc_error

if TYPE_CHECKING:
    from tests.simulation.temporal.server import TemporalServer

_RESET = WorkflowTaskFailedCause.WORKFLOW_TASK_FAILED_CAUSE_RESET_WORKFLOW
_OPENS = frozenset(
    {Kind.TIMER_STARTED, Kind.ACTIVITY_SCHEDULED, Kind.CHILD_INITIATED, Kind.SIGNALED}
)


def reset(
    server: "TemporalServer", execution: Execution, request: ResetWorkflowExecutionRequest
) -> Execution:
    """Terminate a run and start one that continues from an earlier workflow task.

    It takes only a task at which nothing was under way: that would have to be started again.

    Raises:
        NotSimulated: something was under way.
        RPCError: there is no such task.
    """
    at = request.workflow_task_finish_event_id
    found = next((ids for ids in execution.history.tasks if ids[1] == at), None)
    if found is None:
        raise rpc_error(RPCStatusCode.INVALID_ARGUMENT, "Unable to find the workflow task.")
    kept = execution.history.events[: at - 1]
    if any(event.kind in _OPENS for event in kept):
        raise NotSimulated("a reset to where something is under way")
    server.terminate(execution, reason="reset")
    run_id = server.chance.token()
    made = Execution(dataclasses.replace(execution.start, run_id=run_id))
    for event in kept:
        made.history.append(copy.copy(event))
    made.history.tasks = [ids for ids in execution.history.tasks if ids[1] < at]
    failure = TaskFailure(_RESET, Failure(message=request.reason), new_run_id=run_id)
    made.history.add(Kind.TASK_FAILED, server.time(), failure)
    for event in execution.history.events[at:]:
        if event.kind is Kind.SIGNALED:
            made.history.append(copy.copy(event))
    server.add_run(made)
    server.workflow_tasks.schedule(made)
    return made
