"""Resets: a new run that has the history of another one up to a workflow task.

What was under way at that task is under way again. Of what came in after it, signals count, and
news of children that the new run has.
"""

import copy
import dataclasses
from typing import TYPE_CHECKING, Any

from temporalio.api.enums.v1 import WorkflowTaskFailedCause
from temporalio.api.failure.v1 import Failure
from temporalio.api.workflowservice.v1 import ResetWorkflowExecutionRequest
from temporalio.service import RPCStatusCode

from tests.simulation.temporal.history import Event, Kind, TaskFailure
from tests.simulation.temporal.records import Child, Execution
from tests.simulation.temporal.refusals import NotSimulated, only, rpc_error

if TYPE_CHECKING:
    from tests.simulation.temporal.server import TemporalServer

_RESET = WorkflowTaskFailedCause.WORKFLOW_TASK_FAILED_CAUSE_RESET_WORKFLOW

_ACTIVITY_ENDS = frozenset(
    {
        Kind.ACTIVITY_COMPLETED,
        Kind.ACTIVITY_FAILED,
        Kind.ACTIVITY_TIMED_OUT,
        Kind.ACTIVITY_CANCELED,
    }
)
_CHILD_ENDS = frozenset(
    {
        Kind.CHILD_START_FAILED,
        Kind.CHILD_COMPLETED,
        Kind.CHILD_FAILED,
        Kind.CHILD_CANCELED,
        Kind.CHILD_TIMED_OUT,
        Kind.CHILD_TERMINATED,
    }
)
_ANSWERS = frozenset(
    {
        Kind.SIGNAL_EXTERNAL_FAILED,
        Kind.EXTERNAL_SIGNALED,
        Kind.CANCEL_EXTERNAL_FAILED,
        Kind.EXTERNAL_CANCEL_REQUESTED,
    }
)


def reset(
    server: "TemporalServer", execution: Execution, request: ResetWorkflowExecutionRequest
) -> Execution:
    """Terminate a run and start one that continues from an earlier workflow task.

    Raises:
        NotSimulated: the run is not the newest one.
        RPCError: there is no such task.
    """
    only(
        request,
        "namespace",
        "workflow_execution",
        "reason",
        "workflow_task_finish_event_id",
        "request_id",
        "identity",
    )
    at = request.workflow_task_finish_event_id
    if all(completed_id != at for _, completed_id in execution.history.tasks):
        raise rpc_error(RPCStatusCode.INVALID_ARGUMENT, "Unable to find the workflow task.")
    run_id = server.chance.token()
    execution.reset_run_id = run_id
    live = server.latest(execution.workflow_id)
    if live is not None:
        server.terminate(live, reason=request.reason)
    now = server.time()
    before = (*execution.start.before_resets, execution.run_id)
    made = Execution(
        dataclasses.replace(execution.start, run_id=run_id, reset_at=now, before_resets=before)
    )
    kept = execution.history.events[: at - 1]
    for event in kept:
        made.history.append(copy.copy(event))
    made.history.tasks = [ids for ids in execution.history.tasks if ids[1] < at]
    failure = TaskFailure(
        _RESET, Failure(message=request.reason), base_run_id=execution.run_id, new_run_id=run_id
    )
    made.history.add(Kind.TASK_FAILED, now, failure)
    _remember(made, kept)
    _let_in_again(made, execution.history.events[at:])
    server.add_run(made)
    server.workflow_tasks.schedule(made)
    _continue(server, made, kept)
    return made


def _remember(made: Execution, kept: list[Event]) -> None:
    """Set what an execution knows from the events that it keeps, but for what is under way."""
    for event in kept:
        match event.kind:
            case Kind.CANCEL_REQUESTED:
                made.is_cancel_requested = True
            case Kind.PROPERTIES_MODIFIED:
                made.memo.update(event.data.upserted_memo.fields)
            case Kind.CHILD_INITIATED:
                made.children[event.data.seq] = Child(event.data, event.id)
            case Kind.CHILD_STARTED:
                _start_child(made, event)
            case kind if kind in _CHILD_ENDS:
                del made.children[event.data.seq]


def _start_child(made: Execution, event: Event) -> None:
    child = made.children[event.data.seq]
    child.run_id, child.started = event.data.run_id, event


def _let_in_again(made: Execution, later: list[Event]) -> None:
    """Write once more what had come in after the workflow task, as far as it counts."""
    for event in later:
        if event.kind is Kind.SIGNALED:
            made.history.append(copy.copy(event))
            continue
        if event.kind is not Kind.CHILD_STARTED and event.kind not in _CHILD_ENDS:
            continue
        child = made.children.get(event.data.seq)
        # A child of a command after the task may have the number of one from before it.
        if child is None or child.initiated_id != event.data.initiated_id:
            continue
        data = dataclasses.replace(event.data, started=child.started)
        again = made.history.append(dataclasses.replace(event, data=data))
        if event.kind is Kind.CHILD_STARTED:
            data.started = again
            _start_child(made, again)
        else:
            del made.children[data.seq]


def _continue(server: "TemporalServer", made: Execution, kept: list[Event]) -> None:
    """Start again what had not ended: activities and signals anew, timers for what is left."""
    if made.start.execution_timeout:
        made.closing_timer = server.later(
            made.start.execution_timeout, server.close_if_open, made, Kind.TIMED_OUT, None
        )
    for event in _open(kept, Kind.ACTIVITY_SCHEDULED, _ACTIVITY_ENDS):
        server.activities.schedule(made, event.data, event.id)
    for event in kept:
        if event.kind is Kind.ACTIVITY_CANCEL_REQUESTED:
            activity = made.activities.get(event.data.seq)
            if activity is not None:
                activity.is_cancel_requested = True
    for event in _open(kept, Kind.TIMER_STARTED, {Kind.TIMER_FIRED, Kind.TIMER_CANCELED}):
        server.commands.run_timer(made, event.data, already=server.time() - event.time)
    for child in made.children.values():
        if not child.run_id:
            server.transfer(server.children.start, made, child.body.seq)
    answered = {event.data.initiated_id for event in kept if event.kind in _ANSWERS}
    for event in kept:
        if event.id in answered:
            continue
        if event.kind is Kind.SIGNAL_EXTERNAL_INITIATED:
            server.commands.send_signal(made, event)
        elif event.kind is Kind.CANCEL_EXTERNAL_INITIATED:
            raise NotSimulated("a reset to where a cancel of another execution is under way")


def _open(kept: list[Event], begin: Kind, ends: "frozenset[Kind] | set[Kind]") -> list[Event]:
    """Return the beginnings, by the SDK's numbers, without an end."""
    under_way: dict[int, Event] = {}
    for event in kept:
        if event.kind is begin:
            under_way[event.data.seq] = event
        elif event.kind in ends:
            under_way.pop(_seq_of(event.data), None)
    return list(under_way.values())


def _seq_of(data: Any) -> int:
    """Return the number in the record of an end; that of a timer is nothing else."""
    return data if isinstance(data, int) else int(data.seq)
