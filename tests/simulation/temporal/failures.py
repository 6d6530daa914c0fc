"""The failures that the server and the SDK's core write, in their words."""

from temporalio.api.common.v1 import (
    ActivityType,
    Payload,
    Payloads,
    WorkflowExecution,
    WorkflowType,
)
from temporalio.api.enums.v1 import RetryState, TimeoutType
from temporalio.api.failure.v1 import (
    ActivityFailureInfo,
    ApplicationFailureInfo,
    CanceledFailureInfo,
    ChildWorkflowExecutionFailureInfo,
    Failure,
    TerminatedFailureInfo,
    TimeoutFailureInfo,
)

from tests.simulation.temporal.history import ActivityEnd, ChildEvent

CANCEL_REQUESTED = RetryState.RETRY_STATE_CANCEL_REQUESTED
NON_RETRYABLE = RetryState.RETRY_STATE_NON_RETRYABLE_FAILURE
NO_CAUSE = ActivityEnd(seq=0, scheduled_id=0)

_TIMEOUTS = {
    TimeoutType.TIMEOUT_TYPE_START_TO_CLOSE: "StartToClose",
    TimeoutType.TIMEOUT_TYPE_SCHEDULE_TO_START: "ScheduleToStart",
    TimeoutType.TIMEOUT_TYPE_SCHEDULE_TO_CLOSE: "ScheduleToClose",
    TimeoutType.TIMEOUT_TYPE_HEARTBEAT: "Heartbeat",
}


def timed_out(
    kind: TimeoutType.ValueType, *, details: list[Payload] | None, cause: Failure | None = None
) -> Failure:
    """Return why an activity has timed out, with its last heartbeat and its last failure."""
    last = Payloads(payloads=details) if details else None
    return Failure(
        message=f"activity {_TIMEOUTS[kind]} timeout",
        source="Server",
        cause=cause,
        timeout_failure_info=TimeoutFailureInfo(timeout_type=kind, last_heartbeat_details=last),
    )


def no_time_left(*, details: list[Payload] | None) -> Failure:
    """Return why an activity has no further attempt after one that has timed out."""
    failure = timed_out(TimeoutType.TIMEOUT_TYPE_SCHEDULE_TO_CLOSE, details=details)
    failure.message = (
        "Not enough time to schedule next retry before activity ScheduleToClose timeout, "
        "giving up retrying"
    )
    return failure


def activity_failed(activity_type: str, activity_id: str, end: ActivityEnd) -> Failure:
    """Return what a workflow sees of an activity that has failed."""
    return _activity("Activity task failed", activity_type, activity_id, end, end.failure)


def activity_timed_out(activity_type: str, activity_id: str, end: ActivityEnd) -> Failure:
    """Return what a workflow sees of an activity that has timed out."""
    return _activity("Activity task timed out", activity_type, activity_id, end, end.failure)


def activity_canceled(activity_type: str, activity_id: str, end: ActivityEnd) -> Failure:
    """Return what a workflow sees of an activity that was canceled; `NO_CAUSE`: by core alone."""
    details = Payloads(payloads=end.details) if end.details else None
    cause = Failure(canceled_failure_info=CanceledFailureInfo(details=details))
    failure = _activity("Activity cancelled", activity_type, activity_id, end, cause)
    failure.activity_failure_info.retry_state = CANCEL_REQUESTED
    return failure


def _activity(
    message: str, activity_type: str, activity_id: str, end: ActivityEnd, cause: Failure | None
) -> Failure:
    return Failure(
        message=message,
        cause=cause,
        activity_failure_info=ActivityFailureInfo(
            activity_type=ActivityType(name=activity_type),
            activity_id=activity_id,
            identity=end.identity,
            retry_state=end.retry_state,  # type: ignore[arg-type]
            scheduled_event_id=end.scheduled_id,
            started_event_id=end.started_id,
        ),
    )


def child_failed(event: ChildEvent, namespace: str) -> Failure:
    """Return what a workflow sees of a child that has failed."""
    return _child("failed", event, namespace, event.failure, event.retry_state)


def child_timed_out(event: ChildEvent, namespace: str) -> Failure:
    """Return what a workflow sees of a child that has timed out."""
    cause = Failure(
        message="Timed out",
        timeout_failure_info=TimeoutFailureInfo(
            timeout_type=TimeoutType.TIMEOUT_TYPE_START_TO_CLOSE
        ),
    )
    return _child("timed out", event, namespace, cause, event.retry_state)


def child_terminated(event: ChildEvent, namespace: str) -> Failure:
    """Return what a workflow sees of a child that was terminated."""
    cause = Failure(message="Terminated", terminated_failure_info=TerminatedFailureInfo())
    return _child("terminated", event, namespace, cause, NON_RETRYABLE)


def child_canceled(event: ChildEvent, namespace: str) -> Failure:
    """Return what a workflow sees of a child that was canceled."""
    cause = Failure(canceled_failure_info=CanceledFailureInfo())
    return _child("cancelled", event, namespace, cause, NON_RETRYABLE)


def child_never_started(event: ChildEvent, namespace: str, reason: str) -> Failure:
    """Return what a workflow sees of a child that it canceled in the task that asked for it."""
    failure = child_canceled(event, namespace)
    failure.message = f"Child Workflow Execution cancelled before scheduled: {reason}"
    return failure


def _child(
    how: str, event: ChildEvent, namespace: str, cause: Failure | None, retry_state: int
) -> Failure:
    return Failure(
        message=f"Child Workflow execution {how}",
        cause=cause,
        child_workflow_execution_failure_info=ChildWorkflowExecutionFailureInfo(
            namespace=namespace,
            workflow_type=WorkflowType(name=event.workflow_type),
            workflow_execution=WorkflowExecution(
                workflow_id=event.workflow_id, run_id=event.run_id
            ),
            initiated_event_id=event.initiated_id,
            started_event_id=event.started_id,
            retry_state=retry_state,  # type: ignore[arg-type]
        ),
    )


def not_reached(verb: str, why: str, kind: str) -> Failure:
    """Return what a workflow sees of a signal or a cancel that found no execution."""
    return Failure(
        message=f"Unable to {verb} external workflow because {why}",
        application_failure_info=ApplicationFailureInfo(type=kind),
    )


def signal_canceled() -> Failure:
    """Return what a workflow sees of a signal that it canceled in the task that sent it."""
    return Failure(
        message="Signal was cancelled before being sent",
        canceled_failure_info=CanceledFailureInfo(),
    )
