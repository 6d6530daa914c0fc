"""What a workflow receives when something of it has ended: the jobs of the SDK's core."""

from collections.abc import Callable
from typing import Any

from temporalio.api.failure.v1 import Failure
from temporalio.bridge.proto.activity_result import ActivityResolution, Cancellation, Success
from temporalio.bridge.proto.activity_result import Failure as ActivityFailure
from temporalio.bridge.proto.child_workflow import Cancellation as ChildCancellation
from temporalio.bridge.proto.child_workflow import (
    ChildWorkflowResult,
    StartChildWorkflowExecutionFailedCause,
)
from temporalio.bridge.proto.child_workflow import Failure as ChildFailure
from temporalio.bridge.proto.child_workflow import Success as ChildSuccess
from temporalio.bridge.proto.workflow_activation import (
    ResolveActivity,
    ResolveChildWorkflowExecution,
    ResolveChildWorkflowExecutionStart,
    ResolveChildWorkflowExecutionStartCancelled,
    ResolveChildWorkflowExecutionStartFailure,
    ResolveChildWorkflowExecutionStartSuccess,
    ResolveRequestCancelExternalWorkflow,
    ResolveSignalExternalWorkflow,
    WorkflowActivationJob,
)

from tests.simulation.temporal import failures
from tests.simulation.temporal.history import ActivityEnd, ChildEvent, Event, Kind

Job = WorkflowActivationJob

_ALREADY_EXISTS = StartChildWorkflowExecutionFailedCause.START_CHILD_WORKFLOW_EXECUTION_FAILED_CAUSE_WORKFLOW_ALREADY_EXISTS  # noqa: E501
_NOT_FOUND = "ExternalWorkflowExecutionNotFound"


def activity(body: Any, event: Event) -> Job:
    """Return the end of an activity; `body` is the command that asked for it."""
    end: ActivityEnd = event.data
    match event.kind:
        case Kind.ACTIVITY_COMPLETED:
            result = ActivityResolution(completed=Success(result=end.result))
        case Kind.ACTIVITY_CANCELED:
            return activity_canceled(body, end)
        case Kind.ACTIVITY_FAILED:
            failure = failures.activity_failed(body.activity_type, body.activity_id, end)
            result = ActivityResolution(failed=ActivityFailure(failure=failure))
        case _:
            failure = failures.activity_timed_out(body.activity_type, body.activity_id, end)
            result = ActivityResolution(failed=ActivityFailure(failure=failure))
    return Job(resolve_activity=ResolveActivity(seq=end.seq, result=result))


def activity_canceled(body: Any, end: ActivityEnd) -> Job:
    """Return that an activity was canceled."""
    failure = failures.activity_canceled(body.activity_type, body.activity_id, end)
    result = ActivityResolution(cancelled=Cancellation(failure=failure))
    return Job(resolve_activity=ResolveActivity(seq=body.seq, result=result))


def child_started(event: ChildEvent) -> Job:
    """Return that a child has started."""
    succeeded = ResolveChildWorkflowExecutionStartSuccess(run_id=event.run_id)
    return _start(ResolveChildWorkflowExecutionStart(seq=event.seq, succeeded=succeeded))


def child_id_taken(event: ChildEvent) -> Job:
    """Return that a child could not start."""
    failed = ResolveChildWorkflowExecutionStartFailure(
        workflow_id=event.workflow_id, workflow_type=event.workflow_type, cause=_ALREADY_EXISTS
    )
    return _start(ResolveChildWorkflowExecutionStart(seq=event.seq, failed=failed))


def child_withdrawn(event: ChildEvent, namespace: str, reason: str) -> Job:
    """Return that a child was canceled in the task that asked for it."""
    failure = failures.child_never_started(event, namespace, reason)
    cancelled = ResolveChildWorkflowExecutionStartCancelled(failure=failure)
    return _start(ResolveChildWorkflowExecutionStart(seq=event.seq, cancelled=cancelled))


def child(event: Event, namespace: str) -> Job:
    """Return the end of a child."""
    ended: ChildEvent = event.data
    if event.kind is Kind.CHILD_CANCELED:
        return child_canceled(ended, namespace)
    if event.kind is Kind.CHILD_COMPLETED:
        return _end(ended.seq, ChildWorkflowResult(completed=ChildSuccess(result=ended.result)))
    failure = _CHILD_FAILURES[event.kind](ended, namespace)
    return _end(ended.seq, ChildWorkflowResult(failed=ChildFailure(failure=failure)))


def child_canceled(event: ChildEvent, namespace: str) -> Job:
    """Return that a child was canceled."""
    failure = failures.child_canceled(event, namespace)
    return _end(event.seq, ChildWorkflowResult(cancelled=ChildCancellation(failure=failure)))


def signal(event: Event) -> Job:
    """Return what became of a signal to another execution."""
    failure = None
    if event.kind is Kind.SIGNAL_EXTERNAL_FAILED:
        failure = failures.not_reached("signal", "it was not found", _NOT_FOUND)
    resolve = ResolveSignalExternalWorkflow(seq=event.data.seq, failure=failure)
    return Job(resolve_signal_external_workflow=resolve)


def signal_withdrawn(seq: int) -> Job:
    """Return that a signal was canceled in the task that sent it."""
    resolve = ResolveSignalExternalWorkflow(seq=seq, failure=failures.signal_canceled())
    return Job(resolve_signal_external_workflow=resolve)


def cancel(event: Event) -> Job:
    """Return what became of a cancel of another execution."""
    failure = None
    if event.kind is Kind.CANCEL_EXTERNAL_FAILED:
        failure = failures.not_reached("cancel", "not found", _NOT_FOUND)
    resolve = ResolveRequestCancelExternalWorkflow(seq=event.data.seq, failure=failure)
    return Job(resolve_request_cancel_external_workflow=resolve)


def _start(start: ResolveChildWorkflowExecutionStart) -> Job:
    return Job(resolve_child_workflow_execution_start=start)


def _end(seq: int, result: ChildWorkflowResult) -> Job:
    ended = ResolveChildWorkflowExecution(seq=seq, result=result)
    return Job(resolve_child_workflow_execution=ended)


_CHILD_FAILURES: dict[Kind, Callable[[ChildEvent, str], Failure]] = {
    Kind.CHILD_FAILED: failures.child_failed,
    Kind.CHILD_TIMED_OUT: failures.child_timed_out,
    Kind.CHILD_TERMINATED: failures.child_terminated,
}
