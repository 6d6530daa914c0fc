"""Events as messages, for those who ask for a history: the attributes that readers use."""

from collections.abc import Callable
from typing import Any

from google.protobuf.message import Message
from temporalio.api.common.v1 import Payloads
from temporalio.api.enums.v1 import EventType
from temporalio.api.history import v1 as api

from tests.simulation.temporal import history_attributes as make
from tests.simulation.temporal.history import Event, Kind
from tests.simulation.temporal.history_attributes import stamp


def message_of(event: Event) -> api.HistoryEvent:
    """Return an event as the server sends it."""
    message = api.HistoryEvent(
        event_id=event.id,
        event_type=EventType.ValueType(int(event.kind)),
        event_time=stamp(event.time),
    )
    name, attributes = _ATTRIBUTES[event.kind]
    getattr(message, f"{name}_event_attributes").CopyFrom(attributes(event.data))
    return message


_ATTRIBUTES: dict[Kind, tuple[str, Callable[[Any], Message]]] = {
    Kind.STARTED: ("workflow_execution_started", make.started),
    Kind.COMPLETED: (
        "workflow_execution_completed",
        make.payloads(api.WorkflowExecutionCompletedEventAttributes, "result"),
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
    Kind.SIGNALED: ("workflow_execution_signaled", make.signaled),
    Kind.CANCEL_REQUESTED: (
        "workflow_execution_cancel_requested",
        lambda reason: api.WorkflowExecutionCancelRequestedEventAttributes(cause=reason),
    ),
    Kind.PROPERTIES_MODIFIED: (
        "workflow_properties_modified",
        make.plain(api.WorkflowPropertiesModifiedEventAttributes, "upserted_memo"),
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
    Kind.TASK_FAILED: ("workflow_task_failed", make.task_failed),
    Kind.ACTIVITY_SCHEDULED: ("activity_task_scheduled", make.activity_scheduled),
    Kind.ACTIVITY_STARTED: ("activity_task_started", make.activity_started),
    Kind.ACTIVITY_COMPLETED: (
        "activity_task_completed",
        make.activity_end(api.ActivityTaskCompletedEventAttributes, result="result"),
    ),
    Kind.ACTIVITY_FAILED: (
        "activity_task_failed",
        make.activity_end(
            api.ActivityTaskFailedEventAttributes, failure="failure", retry_state="retry_state"
        ),
    ),
    Kind.ACTIVITY_TIMED_OUT: (
        "activity_task_timed_out",
        make.activity_end(
            api.ActivityTaskTimedOutEventAttributes, failure="failure", retry_state="retry_state"
        ),
    ),
    Kind.ACTIVITY_CANCELED: (
        "activity_task_canceled",
        make.activity_end(api.ActivityTaskCanceledEventAttributes, details="details"),
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
    Kind.CHILD_INITIATED: ("start_child_workflow_execution_initiated", make.child_initiated),
    Kind.CHILD_START_FAILED: (
        "start_child_workflow_execution_failed",
        make.child(api.StartChildWorkflowExecutionFailedEventAttributes),
    ),
    Kind.CHILD_STARTED: (
        "child_workflow_execution_started",
        make.child(api.ChildWorkflowExecutionStartedEventAttributes),
    ),
    Kind.CHILD_COMPLETED: (
        "child_workflow_execution_completed",
        make.child(api.ChildWorkflowExecutionCompletedEventAttributes, result="result"),
    ),
    Kind.CHILD_FAILED: (
        "child_workflow_execution_failed",
        make.child(api.ChildWorkflowExecutionFailedEventAttributes, failure="failure"),
    ),
    Kind.CHILD_CANCELED: (
        "child_workflow_execution_canceled",
        make.child(api.ChildWorkflowExecutionCanceledEventAttributes),
    ),
    Kind.CHILD_TIMED_OUT: (
        "child_workflow_execution_timed_out",
        make.child(api.ChildWorkflowExecutionTimedOutEventAttributes),
    ),
    Kind.CHILD_TERMINATED: (
        "child_workflow_execution_terminated",
        make.child(api.ChildWorkflowExecutionTerminatedEventAttributes),
    ),
    Kind.SIGNAL_EXTERNAL_INITIATED: (
        "signal_external_workflow_execution_initiated",
        lambda body: api.SignalExternalWorkflowExecutionInitiatedEventAttributes(
            signal_name=body.signal_name, input=Payloads(payloads=body.args)
        ),
    ),
    Kind.SIGNAL_EXTERNAL_FAILED: (
        "signal_external_workflow_execution_failed",
        make.external(api.SignalExternalWorkflowExecutionFailedEventAttributes, has_cause=True),
    ),
    Kind.EXTERNAL_SIGNALED: (
        "external_workflow_execution_signaled",
        make.external(api.ExternalWorkflowExecutionSignaledEventAttributes),
    ),
    Kind.CANCEL_EXTERNAL_INITIATED: (
        "request_cancel_external_workflow_execution_initiated",
        lambda _: api.RequestCancelExternalWorkflowExecutionInitiatedEventAttributes(),
    ),
    Kind.CANCEL_EXTERNAL_FAILED: (
        "request_cancel_external_workflow_execution_failed",
        make.external(
            api.RequestCancelExternalWorkflowExecutionFailedEventAttributes, has_cause=True
        ),
    ),
    Kind.EXTERNAL_CANCEL_REQUESTED: (
        "external_workflow_execution_cancel_requested",
        make.external(api.ExternalWorkflowExecutionCancelRequestedEventAttributes),
    ),
}
