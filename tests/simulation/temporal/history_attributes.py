"""The attributes of events, made of what the light objects have."""

from collections.abc import Callable
from typing import Any

from google.protobuf.message import Message
from google.protobuf.timestamp_pb2 import Timestamp
from temporalio.api.common.v1 import ActivityType, Payloads, WorkflowExecution, WorkflowType
from temporalio.api.history import v1 as api
from temporalio.api.taskqueue.v1 import TaskQueue

from tests.simulation import virtual_time
from tests.simulation.temporal.history import (
    ActivityEnd,
    ActivityStart,
    ChildEvent,
    ExternalEvent,
    Signal,
    TaskFailure,
)
from tests.simulation.temporal.records import Start


def stamp(time: float) -> Timestamp:
    """Return the wall time of an instant of the simulation."""
    made = Timestamp()
    made.FromMicroseconds(round((virtual_time.EPOCH + time) * 1_000_000))
    return made


def execution(workflow_id: str, run_id: str) -> WorkflowExecution:
    return WorkflowExecution(workflow_id=workflow_id, run_id=run_id)


def started(start: Start) -> Message:
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
            execution(start.parent.workflow_id, start.parent.run_id)
        )
        made.parent_initiated_event_id = start.parent.initiated_id
    return made


def signaled(signal: Signal) -> Message:
    return api.WorkflowExecutionSignaledEventAttributes(
        signal_name=signal.name,
        input=Payloads(payloads=signal.input),
        identity=signal.identity,
    )


def task_failed(failed: TaskFailure) -> Message:
    return api.WorkflowTaskFailedEventAttributes(
        cause=failed.cause,  # type: ignore[arg-type]
        failure=failed.failure,
        base_run_id=failed.base_run_id,
        new_run_id=failed.new_run_id,
        identity=failed.identity,
    )


def activity_scheduled(body: Any) -> Message:
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


def activity_started(start: ActivityStart) -> Message:
    return api.ActivityTaskStartedEventAttributes(
        scheduled_event_id=start.scheduled_id,
        attempt=start.attempt,
        last_failure=start.last_failure,
        identity=start.identity,
    )


def activity_end(kind: type[Any], **fields: str) -> Callable[[ActivityEnd], Message]:
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


def child(kind: type[Any], **fields: str) -> Callable[[ChildEvent], Message]:
    def make(event: ChildEvent) -> Message:
        made = kind(
            workflow_type=WorkflowType(name=event.workflow_type),
            initiated_event_id=event.initiated_id,
        )
        if kind is api.StartChildWorkflowExecutionFailedEventAttributes:
            made.workflow_id, made.cause = event.workflow_id, event.cause
            return made  # type: ignore[no-any-return]
        made.workflow_execution.CopyFrom(execution(event.workflow_id, event.run_id))
        if kind is not api.ChildWorkflowExecutionStartedEventAttributes:
            made.started_event_id = event.started_id
        if "result" in fields and event.result is not None:
            made.result.CopyFrom(Payloads(payloads=[event.result]))
        if "failure" in fields and event.failure is not None:
            made.failure.CopyFrom(event.failure)
        return made  # type: ignore[no-any-return]

    return make


def child_initiated(body: Any) -> Message:
    return api.StartChildWorkflowExecutionInitiatedEventAttributes(
        workflow_id=body.workflow_id,
        workflow_type=WorkflowType(name=body.workflow_type),
        task_queue=TaskQueue(name=body.task_queue),
        input=Payloads(payloads=body.input),
        parent_close_policy=int(body.parent_close_policy),  # type: ignore[arg-type]
    )


def external(kind: type[Any], *, has_cause: bool = False) -> Callable[[ExternalEvent], Message]:
    def make(event: ExternalEvent) -> Message:
        made = kind(
            initiated_event_id=event.initiated_id,
            workflow_execution=execution(event.workflow_id, event.run_id),
        )
        if has_cause:
            made.cause = event.cause
        return made  # type: ignore[no-any-return]

    return make


def payloads(kind: type[Any], name: str) -> Callable[[Any], Message]:
    def make(data: Any) -> Message:
        made = kind()
        if data is not None:
            getattr(made, name).CopyFrom(Payloads(payloads=[data]))
        return made  # type: ignore[no-any-return]

    return make


def plain(kind: type[Any], *names: str) -> Callable[[Any], Message]:
    """Return what makes attributes of the fields that the data has by the same names."""
    return lambda data: kind(**{name: getattr(data, name) for name in names})
