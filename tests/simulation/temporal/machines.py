"""What the SDK's core keeps of one execution: from events to jobs, and from commands to commands.

Each thing that a workflow has under way is a small machine, keyed by the SDK's number of it. The
machines follow those of the core (`sdk-core/src/worker/workflow/machines`).
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from google.protobuf.message import Message
from temporalio.api.failure.v1 import Failure
from temporalio.bridge.proto.activity_result import (
    ActivityResolution,
    Cancellation,
    Success,
)
from temporalio.bridge.proto.activity_result import Failure as ActivityFailure
from temporalio.bridge.proto.child_workflow import (
    Cancellation as ChildCancellation,
)
from temporalio.bridge.proto.child_workflow import (
    ChildWorkflowCancellationType,
    ChildWorkflowResult,
    StartChildWorkflowExecutionFailedCause,
)
from temporalio.bridge.proto.child_workflow import Failure as ChildFailure
from temporalio.bridge.proto.child_workflow import Success as ChildSuccess
from temporalio.bridge.proto.workflow_activation import (
    FireTimer,
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
from temporalio.bridge.proto.workflow_commands import ActivityCancellationType

from tests.simulation.temporal import failures
from tests.simulation.temporal.history import (
    ActivityEnd,
    ChildEvent,
    Command,
    Event,
    ExternalEvent,
    Kind,
)
from tests.simulation.temporal.refusals import NotSimulated

Job = WorkflowActivationJob

_TRY = ActivityCancellationType.TRY_CANCEL
_ABANDON = ActivityCancellationType.ABANDON
_CHILD_WAITS = ChildWorkflowCancellationType.WAIT_CANCELLATION_COMPLETED
_CHILD_ABANDON = ChildWorkflowCancellationType.ABANDON
_CHILD_REQUESTED = ChildWorkflowCancellationType.WAIT_CANCELLATION_REQUESTED
_ALREADY_EXISTS = StartChildWorkflowExecutionFailedCause.START_CHILD_WORKFLOW_EXECUTION_FAILED_CAUSE_WORKFLOW_ALREADY_EXISTS  # noqa: E501


@dataclass(slots=True)
class _Machine:
    """Something under way: `is_sent` once its command is in the history."""

    body: Any
    is_sent: bool = False
    is_over: bool = False
    started: ChildEvent | None = None


class Machines:
    """All that one execution has under way."""

    def __init__(self, namespace: str) -> None:
        self._namespace = namespace
        self._activities: dict[int, _Machine] = {}
        self._timers: dict[int, _Machine] = {}
        self._children: dict[int, _Machine] = {}
        self._signals: dict[int, _Machine] = {}
        # Of the task that is under way: what goes to the server, and what was taken back.
        self._commands: list[Command] = []
        self._jobs: list[Job] = []
        self._taken_back: list[Message] = []

    # Commands of the workflow

    def take(self, variant: str, body: Any) -> None:
        """Take over one command of the SDK.

        Raises:
            NotSimulated: the product does not use it.
        """
        handler = _COMMANDS.get(variant)
        if handler is None:
            raise NotSimulated(f"the command {variant}")
        handler(self, variant, body)

    def local_jobs(self) -> list[Job]:
        """Return what core answers at once, within the same workflow task."""
        jobs, self._jobs = self._jobs, []
        return jobs

    def end_task(self) -> list[Command]:
        """Return what the server is to get."""
        back = {id(body) for body in self._taken_back}
        commands = [command for command in self._commands if id(command.body) not in back]
        self._commands, self._taken_back = [], []
        for machines in (self._activities, self._timers, self._children, self._signals):
            for machine in machines.values():
                machine.is_sent = True
        return commands

    def _send(self, variant: str, body: Message) -> None:
        self._commands.append(Command(variant, body))

    def _start_timer(self, variant: str, body: Any) -> None:
        self._timers[body.seq] = _Machine(body)
        self._send(variant, body)

    def _cancel_timer(self, variant: str, body: Any) -> None:
        machine = self._timers.pop(body.seq, None)
        if machine is None:
            return
        if machine.is_sent:
            self._send(variant, body)
        else:
            self._taken_back.append(machine.body)

    def _schedule_activity(self, variant: str, body: Any) -> None:
        self._activities[body.seq] = _Machine(body)
        self._send(variant, body)

    def _cancel_activity(self, variant: str, body: Any) -> None:
        machine = self._activities.get(body.seq)
        if machine is None or machine.is_over:
            return
        kind = machine.body.cancellation_type
        if not machine.is_sent:
            self._taken_back.append(machine.body)
        elif kind != _ABANDON:
            self._send(variant, body)
        if not machine.is_sent or kind in (_TRY, _ABANDON):
            machine.is_over = True
            self._jobs.append(self._activity_canceled(machine.body, failures.NO_CAUSE))

    def _start_child(self, variant: str, body: Any) -> None:
        self._children[body.seq] = _Machine(body)
        self._send(variant, body)

    def _cancel_child(self, variant: str, body: Any) -> None:
        machine = self._children.get(body.child_workflow_seq)
        if machine is None or machine.is_over:
            return
        kind = machine.body.cancellation_type
        if kind == _CHILD_REQUESTED:
            raise NotSimulated("children with WAIT_CANCELLATION_REQUESTED")
        event = machine.started or ChildEvent(
            seq=machine.body.seq,
            workflow_id=machine.body.workflow_id,
            workflow_type=machine.body.workflow_type,
        )
        if not machine.is_sent:
            machine.is_over = True
            self._taken_back.append(machine.body)
            failure = failures.child_never_started(event, self._namespace, body.reason)
            cancelled = ResolveChildWorkflowExecutionStartCancelled(failure=failure)
            start = ResolveChildWorkflowExecutionStart(seq=event.seq, cancelled=cancelled)
            self._jobs.append(Job(resolve_child_workflow_execution_start=start))
            return
        if kind != _CHILD_ABANDON:
            self._send(variant, body)
        if kind != _CHILD_WAITS:
            machine.is_over = True
            self._jobs.append(self._child_canceled(event))

    def _signal_external(self, variant: str, body: Any) -> None:
        self._signals[body.seq] = _Machine(body)
        self._send(variant, body)

    def _cancel_signal(self, variant: str, body: Any) -> None:
        machine = self._signals.get(body.seq)
        if machine is None or machine.is_sent or machine.is_over:
            return
        machine.is_over = True
        self._taken_back.append(machine.body)
        resolve = ResolveSignalExternalWorkflow(seq=body.seq, failure=failures.signal_canceled())
        self._jobs.append(Job(resolve_signal_external_workflow=resolve))

    # Events of the history

    def jobs_for(self, event: Event) -> Job | None:
        """Return what the workflow is to be told of an event; None: nothing."""
        handler = _EVENTS.get(event.kind)
        return handler(self, event) if handler is not None else None

    def _timer_fired(self, event: Event) -> Job | None:
        if self._timers.pop(event.data, None) is None:
            return None
        return Job(fire_timer=FireTimer(seq=event.data))

    def _activity_ended(self, event: Event) -> Job | None:
        end: ActivityEnd = event.data
        machine = self._activities.pop(end.seq)
        if machine.is_over:
            return None
        body = machine.body
        match event.kind:
            case Kind.ACTIVITY_COMPLETED:
                result = ActivityResolution(completed=Success(result=end.result))
            case Kind.ACTIVITY_CANCELED:
                return self._activity_canceled(body, end)
            case Kind.ACTIVITY_FAILED:
                failure = failures.activity_failed(body.activity_type, body.activity_id, end)
                result = ActivityResolution(failed=ActivityFailure(failure=failure))
            case _:
                failure = failures.activity_timed_out(body.activity_type, body.activity_id, end)
                result = ActivityResolution(failed=ActivityFailure(failure=failure))
        return Job(resolve_activity=ResolveActivity(seq=end.seq, result=result))

    def _activity_canceled(self, body: Any, end: ActivityEnd) -> Job:
        failure = failures.activity_canceled(body.activity_type, body.activity_id, end)
        result = ActivityResolution(cancelled=Cancellation(failure=failure))
        return Job(resolve_activity=ResolveActivity(seq=body.seq, result=result))

    def _child_started(self, event: Event) -> Job | None:
        child: ChildEvent = event.data
        machine = self._children[child.seq]
        machine.started = child
        if machine.is_over:
            return None
        succeeded = ResolveChildWorkflowExecutionStartSuccess(run_id=child.run_id)
        start = ResolveChildWorkflowExecutionStart(seq=child.seq, succeeded=succeeded)
        return Job(resolve_child_workflow_execution_start=start)

    def _child_start_failed(self, event: Event) -> Job | None:
        child: ChildEvent = event.data
        if self._children.pop(child.seq).is_over:
            return None
        failed = ResolveChildWorkflowExecutionStartFailure(
            workflow_id=child.workflow_id, workflow_type=child.workflow_type, cause=_ALREADY_EXISTS
        )
        start = ResolveChildWorkflowExecutionStart(seq=child.seq, failed=failed)
        return Job(resolve_child_workflow_execution_start=start)

    def _child_ended(self, event: Event) -> Job | None:
        child: ChildEvent = event.data
        if self._children.pop(child.seq).is_over:
            return None
        if event.kind is Kind.CHILD_CANCELED:
            return self._child_canceled(child)
        if event.kind is Kind.CHILD_COMPLETED:
            result = ChildWorkflowResult(completed=ChildSuccess(result=child.result))
        else:
            failure = _CHILD_FAILURES[event.kind](child, self._namespace)
            result = ChildWorkflowResult(failed=ChildFailure(failure=failure))
        ended = ResolveChildWorkflowExecution(seq=child.seq, result=result)
        return Job(resolve_child_workflow_execution=ended)

    def _child_canceled(self, child: ChildEvent) -> Job:
        failure = failures.child_canceled(child, self._namespace)
        result = ChildWorkflowResult(cancelled=ChildCancellation(failure=failure))
        ended = ResolveChildWorkflowExecution(seq=child.seq, result=result)
        return Job(resolve_child_workflow_execution=ended)

    def _signaled(self, event: Event) -> Job | None:
        sent: ExternalEvent = event.data
        self._signals.pop(sent.seq)
        failure = None
        if event.kind is Kind.SIGNAL_EXTERNAL_FAILED:
            failure = failures.not_reached(
                "signal", "it was not found", "ExternalWorkflowExecutionNotFound"
            )
        resolve = ResolveSignalExternalWorkflow(seq=sent.seq, failure=failure)
        return Job(resolve_signal_external_workflow=resolve)

    def _cancel_delivered(self, event: Event) -> Job | None:
        sent: ExternalEvent = event.data
        if not sent.seq:
            return None
        failure = None
        if event.kind is Kind.CANCEL_EXTERNAL_FAILED:
            failure = failures.not_reached(
                "cancel", "not found", "ExternalWorkflowExecutionNotFound"
            )
        resolve = ResolveRequestCancelExternalWorkflow(seq=sent.seq, failure=failure)
        return Job(resolve_request_cancel_external_workflow=resolve)


_CHILD_FAILURES: dict[Kind, Callable[[ChildEvent, str], Failure]] = {
    Kind.CHILD_FAILED: failures.child_failed,
    Kind.CHILD_TIMED_OUT: failures.child_timed_out,
    Kind.CHILD_TERMINATED: failures.child_terminated,
}

_COMMANDS: dict[str, Callable[[Machines, str, Any], None]] = {
    "start_timer": Machines._start_timer,
    "cancel_timer": Machines._cancel_timer,
    "schedule_activity": Machines._schedule_activity,
    "request_cancel_activity": Machines._cancel_activity,
    "start_child_workflow_execution": Machines._start_child,
    "cancel_child_workflow_execution": Machines._cancel_child,
    "signal_external_workflow_execution": Machines._signal_external,
    "cancel_signal_workflow": Machines._cancel_signal,
    "request_cancel_external_workflow_execution": Machines._send,
    "modify_workflow_properties": Machines._send,
    "complete_workflow_execution": Machines._send,
    "fail_workflow_execution": Machines._send,
    "cancel_workflow_execution": Machines._send,
}

_EVENTS: dict[Kind, Callable[[Machines, Event], Job | None]] = {
    Kind.TIMER_FIRED: Machines._timer_fired,
    Kind.ACTIVITY_COMPLETED: Machines._activity_ended,
    Kind.ACTIVITY_FAILED: Machines._activity_ended,
    Kind.ACTIVITY_TIMED_OUT: Machines._activity_ended,
    Kind.ACTIVITY_CANCELED: Machines._activity_ended,
    Kind.CHILD_STARTED: Machines._child_started,
    Kind.CHILD_START_FAILED: Machines._child_start_failed,
    Kind.CHILD_COMPLETED: Machines._child_ended,
    Kind.CHILD_FAILED: Machines._child_ended,
    Kind.CHILD_CANCELED: Machines._child_ended,
    Kind.CHILD_TIMED_OUT: Machines._child_ended,
    Kind.CHILD_TERMINATED: Machines._child_ended,
    Kind.EXTERNAL_SIGNALED: Machines._signaled,
    Kind.SIGNAL_EXTERNAL_FAILED: Machines._signaled,
    Kind.EXTERNAL_CANCEL_REQUESTED: Machines._cancel_delivered,
    Kind.CANCEL_EXTERNAL_FAILED: Machines._cancel_delivered,
}
