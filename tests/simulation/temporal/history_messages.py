"""Events as messages, for those who ask for a history: the attributes that readers use."""

from collections.abc import Callable
from typing import Any

from google.protobuf.message import Message
from google.protobuf.timestamp_pb2 import Timestamp
from temporalio.api.common.v1 import ActivityType, Payloads, WorkflowExecution, WorkflowType
from temporalio.api.enums.v1 import EventType
from temporalio.api.history import v1 as api
from temporalio.api.taskqueue.v1 import TaskQueue

from tests.simulation import virtual_time
from tests.simulation.temporal.history import (
    ActivityEnd,
    ActivityStart,
    ChildEvent,
    Event,
    ExternalEvent,
    Kind,
    Signal,
    TaskFailure,
)
from tests.simulation.temporal.records import Start


def stamp(time: float) -> Timestamp:
    """Return the wall time of an instant of the simulation."""
    made = Timestamp()
    made.FromMicroseconds(round((virtual_time.EPOCH + time) * 1_000_000))
    return made


def message_of(event: Event) -> api.HistoryEvent:
    """Return an event as the server sends it."""
    message = api.HistoryEvent(
        event_id=event.id,
        event_type=EventType.ValueType(int(event.kind)),
        event_time=stamp(event.time),
    )
    name, make = _ATTRIBUTES[event.kind]
    getattr(message, f"{name}_event_attributes").CopyFrom(make(event.data))
    return message


def _execution(workflow_id: str, run_id: str) -> WorkflowExecution:
    return WorkflowExecution(workflow_id=workflow_id, run_id=run_id)


def _started(start: Start) -> Message:
    made = api.WorkflowExecutionStartedEventAttributes(
        workflow_type=WorkflowType(name=start.workflow_type),
        task_queue=TaskQueue(name=start.task_queue),
        input=Payloads(payloads=start.input),
        original_execution_run_id=start.original_run_id,
        first_execution_run_id=start.first_run_id,
        workflow_id=start.workflow_id,
        identity=start.identity,
        attempt=1,
    )
    for key, value in start.memo.items():
        made.memo.fields[key].CopyFrom(value)
    for key, value in start.search_attributes.items():
        made.search_attributes.indexed_fields[key].CopyFrom(value)
    made.workflow_task_timeout.FromSeconds(10)
    if start.execution_timeout:
        made.workflow_execution_timeout.FromMilliseconds(int(start.execution_timeout * 1000))
    if start.parent is not None:
        made.parent_workflow_execution.CopyFrom(
            _execution(start.parent.workflow_id, start.parent.run_id)
        )
        made.parent_initiated_event_id = start.parent.initiated_id
    return made


def _signaled(signal: Signal) -> Message:
    return api.WorkflowExecutionSignaledEventAttributes(
        signal_name=signal.name,
        input=Payloads(payloads=signal.input),
        identity=signal.identity,
    )


def _task_failed(failed: TaskFailure) -> Message:
    return api.WorkflowTaskFailedEventAttributes(
        cause=failed.cause,  # type: ignore[arg-type]
        failure=failed.failure,
        new_run_id=failed.new_run_id,
        identity=failed.identity,
    )


def _activity_scheduled(body: Any) -> Message:
    return api.ActivityTaskScheduledEventAttributes(
        activity_id=body.activity_id,
        activity_type=ActivityType(name=body.activity_type),
        task_queue=TaskQueue(name=body.task_queue),
        input=Payloads(payloads=body.arguments),
        schedule_to_close_timeout=body.schedule_to_close_timeout,
        schedule_to_start_timeout=body.schedule_to_start_timeout,
        start_to_close_timeout=body.start_to_close_timeout,
        heartbeat_timeout=body.heartbeat_timeout,
        retry_policy=body.retry_policy,
    )


def _activity_started(start: ActivityStart) -> Message:
    return api.ActivityTaskStartedEventAttributes(
        scheduled_event_id=start.scheduled_id,
        attempt=start.attempt,
        last_failure=start.last_failure,
        identity=start.identity,
    )


def _activity_end(kind: type[Any], **fields: str) -> Callable[[ActivityEnd], Message]:
    """Return what makes the attributes of an end, with more fields named by the record's."""

    def make(end: ActivityEnd) -> Message:
        made = kind(scheduled_event_id=end.scheduled_id, started_event_id=end.started_id)
        for name, source in fields.items():
            value = getattr(end, source)
            if name in ("result", "details"):
                payloads = value if isinstance(value, list) else [value] if value else []
                getattr(made, name).CopyFrom(Payloads(payloads=payloads))
            elif name == "failure":
                made.failure.CopyFrom(value)
            else:
                setattr(made, name, value)
        return made  # type: ignore[no-any-return]

    return make


def _child(kind: type[Any], **fields: str) -> Callable[[ChildEvent], Message]:
    def make(event: ChildEvent) -> Message:
        made = kind(
            workflow_type=WorkflowType(name=event.workflow_type),
            initiated_event_id=event.initiated_id,
        )
        if kind is api.StartChildWorkflowExecutionFailedEventAttributes:
            made.workflow_id, made.cause = event.workflow_id, event.cause
            return made  # type: ignore[no-any-return]
        made.workflow_execution.CopyFrom(_execution(event.workflow_id, event.run_id))
        if kind is not api.ChildWorkflowExecutionStartedEventAttributes:
            made.started_event_id = event.started_id
        if "result" in fields and event.result is not None:
            made.result.CopyFrom(Payloads(payloads=[event.result]))
        if "failure" in fields and event.failure is not None:
            made.failure.CopyFrom(event.failure)
        return made  # type: ignore[no-any-return]

    return make


def _child_initiated(body: Any) -> Message:
    return api.StartChildWorkflowExecutionInitiatedEventAttributes(
        workflow_id=body.workflow_id,
        workflow_type=WorkflowType(name=body.workflow_type),
        task_queue=TaskQueue(name=body.task_queue),
        input=Payloads(payloads=body.input),
        parent_close_policy=int(body.parent_close_policy),  # type: ignore[arg-type]
    )


def _external(kind: type[Any], *, has_cause: bool = False) -> Callable[[ExternalEvent], Message]:
    def make(event: ExternalEvent) -> Message:
        made = kind(
            initiated_event_id=event.initiated_id,
            workflow_execution=_execution(event.workflow_id, event.run_id),
        )
        if has_cause:
            made.cause = event.cause
        return made  # type: ignore[no-any-return]

    return make


def _payloads(kind: type[Any], name: str) -> Callable[[Any], Message]:
    def make(data: Any) -> Message:
        made = kind()
        if data is not None:
            getattr(made, name).CopyFrom(Payloads(payloads=[data]))
        return made  # type: ignore[no-any-return]

    return make


def _plain(kind: type[Any], *names: str) -> Callable[[Any], Message]:
    """Return what makes attributes of the fields that the data has by the same names."""
    return lambda data: kind(**{name: getattr(data, name) for name in names})


_ATTRIBUTES: dict[Kind, tuple[str, Callable[[Any], Message]]] = {
    Kind.STARTED: ("workflow_execution_started", _started),
    Kind.COMPLETED: (
        "workflow_execution_completed",
        _payloads(api.WorkflowExecutionCompletedEventAttributes, "result"),
    ),
    Kind.FAILED: (
        "workflow_execution_failed",
        lambda failure: api.WorkflowExecutionFailedEventAttributes(failure=failure),
    ),
    Kind.TIMED_OUT: (
        "workflow_execution_timed_out",
        lambda _: api.WorkflowExecutionTimedOutEventAttributes(),
    ),
    Kind.CANCELED: (
        "workflow_execution_canceled",
        lambda _: api.WorkflowExecutionCanceledEventAttributes(),
    ),
    Kind.TERMINATED: (
        "workflow_execution_terminated",
        lambda reason: api.WorkflowExecutionTerminatedEventAttributes(reason=reason),
    ),
    Kind.SIGNALED: ("workflow_execution_signaled", _signaled),
    Kind.CANCEL_REQUESTED: (
        "workflow_execution_cancel_requested",
        lambda reason: api.WorkflowExecutionCancelRequestedEventAttributes(cause=reason),
    ),
    Kind.PROPERTIES_MODIFIED: (
        "workflow_properties_modified",
        _plain(api.WorkflowPropertiesModifiedEventAttributes, "upserted_memo"),
    ),
    Kind.TASK_SCHEDULED: (
        "workflow_task_scheduled",
        lambda _: api.WorkflowTaskScheduledEventAttributes(),
    ),
    Kind.TASK_STARTED: (
        "workflow_task_started",
        lambda identity: api.WorkflowTaskStartedEventAttributes(identity=identity),
    ),
    Kind.TASK_COMPLETED: (
        "workflow_task_completed",
        lambda end: api.WorkflowTaskCompletedEventAttributes(
            started_event_id=end.started_id, identity=end.identity
        ),
    ),
    Kind.TASK_TIMED_OUT: (
        "workflow_task_timed_out",
        lambda _: api.WorkflowTaskTimedOutEventAttributes(),
    ),
    Kind.TASK_FAILED: ("workflow_task_failed", _task_failed),
    Kind.ACTIVITY_SCHEDULED: ("activity_task_scheduled", _activity_scheduled),
    Kind.ACTIVITY_STARTED: ("activity_task_started", _activity_started),
    Kind.ACTIVITY_COMPLETED: (
        "activity_task_completed",
        _activity_end(api.ActivityTaskCompletedEventAttributes, result="result"),
    ),
    Kind.ACTIVITY_FAILED: (
        "activity_task_failed",
        _activity_end(
            api.ActivityTaskFailedEventAttributes, failure="failure", retry_state="retry_state"
        ),
    ),
    Kind.ACTIVITY_TIMED_OUT: (
        "activity_task_timed_out",
        _activity_end(
            api.ActivityTaskTimedOutEventAttributes, failure="failure", retry_state="retry_state"
        ),
    ),
    Kind.ACTIVITY_CANCELED: (
        "activity_task_canceled",
        _activity_end(api.ActivityTaskCanceledEventAttributes, details="details"),
    ),
    Kind.ACTIVITY_CANCEL_REQUESTED: (
        "activity_task_cancel_requested",
        lambda _: api.ActivityTaskCancelRequestedEventAttributes(),
    ),
    Kind.TIMER_STARTED: (
        "timer_started",
        lambda body: api.TimerStartedEventAttributes(
            timer_id=str(body.seq), start_to_fire_timeout=body.start_to_fire_timeout
        ),
    ),
    Kind.TIMER_FIRED: (
        "timer_fired",
        lambda seq: api.TimerFiredEventAttributes(timer_id=str(seq)),
    ),
    Kind.TIMER_CANCELED: (
        "timer_canceled",
        lambda seq: api.TimerCanceledEventAttributes(timer_id=str(seq)),
    ),
    Kind.CHILD_INITIATED: ("start_child_workflow_execution_initiated", _child_initiated),
    Kind.CHILD_START_FAILED: (
        "start_child_workflow_execution_failed",
        _child(api.StartChildWorkflowExecutionFailedEventAttributes),
    ),
    Kind.CHILD_STARTED: (
        "child_workflow_execution_started",
        _child(api.ChildWorkflowExecutionStartedEventAttributes),
    ),
    Kind.CHILD_COMPLETED: (
        "child_workflow_execution_completed",
        _child(api.ChildWorkflowExecutionCompletedEventAttributes, result="result"),
    ),
    Kind.CHILD_FAILED: (
        "child_workflow_execution_failed",
        _child(api.ChildWorkflowExecutionFailedEventAttributes, failure="failure"),
    ),
    Kind.CHILD_CANCELED: (
        "child_workflow_execution_canceled",
        _child(api.ChildWorkflowExecutionCanceledEventAttributes),
    ),
    Kind.CHILD_TIMED_OUT: (
        "child_workflow_execution_timed_out",
        _child(api.ChildWorkflowExecutionTimedOutEventAttributes),
    ),
    Kind.CHILD_TERMINATED: (
        "child_workflow_execution_terminated",
        _child(api.ChildWorkflowExecutionTerminatedEventAttributes),
    ),
    Kind.SIGNAL_EXTERNAL_INITIATED: (
        "signal_external_workflow_execution_initiated",
        lambda body: api.SignalExternalWorkflowExecutionInitiatedEventAttributes(
            signal_name=body.signal_name, input=Payloads(payloads=body.args)
        ),
    ),
    Kind.SIGNAL_EXTERNAL_FAILED: (
        "signal_external_workflow_execution_failed",
        _external(api.SignalExternalWorkflowExecutionFailedEventAttributes, has_cause=True),
    ),
    Kind.EXTERNAL_SIGNALED: (
        "external_workflow_execution_signaled",
        _external(api.ExternalWorkflowExecutionSignaledEventAttributes),
    ),
    Kind.CANCEL_EXTERNAL_INITIATED: (
        "request_cancel_external_workflow_execution_initiated",
        lambda _: api.RequestCancelExternalWorkflowExecutionInitiatedEventAttributes(),
    ),
    Kind.CANCEL_EXTERNAL_FAILED: (
        "request_cancel_external_workflow_execution_failed",
        _external(api.RequestCancelExternalWorkflowExecutionFailedEventAttributes, has_cause=True),
    ),
    Kind.EXTERNAL_CANCEL_REQUESTED: (
        "external_workflow_execution_cancel_requested",
        _external(api.ExternalWorkflowExecutionCancelRequestedEventAttributes),
    ),
}
