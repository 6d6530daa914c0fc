"""What the SDK's core keeps of one execution: from events to jobs, and from commands to commands.

Each thing that a workflow has under way is a small machine, under the number that the SDK gave it.
The machines follow those of the core (`sdk-core/src/worker/workflow/machines`).
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from google.protobuf.message import Message
from temporalio.bridge.proto.child_workflow import ChildWorkflowCancellationType
from temporalio.bridge.proto.workflow_activation import FireTimer
from temporalio.bridge.proto.workflow_commands import ActivityCancellationType

from tests.simulation.temporal import failures, resolutions
from tests.simulation.temporal.history import ChildEvent, Command, Event, Kind
from tests.simulation.temporal.refusals import NotSimulated
from tests.simulation.temporal.resolutions import Job

_TRY = ActivityCancellationType.TRY_CANCEL
_ABANDON = ActivityCancellationType.ABANDON
_CHILD_WAITS = ChildWorkflowCancellationType.WAIT_CANCELLATION_COMPLETED
_CHILD_ABANDON = ChildWorkflowCancellationType.ABANDON
_CHILD_REQUESTED = ChildWorkflowCancellationType.WAIT_CANCELLATION_REQUESTED


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
        # Of the task that is under way: what goes to the server, and what was withdrawn.
        self._commands: list[Command] = []
        self._jobs: list[Job] = []
        self._withdrawn: list[Message] = []

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

    def jobs_at_once(self) -> list[Job]:
        """Return what core answers at once, within the same workflow task."""
        jobs, self._jobs = self._jobs, []
        return jobs

    def end_task(self) -> list[Command]:
        """Return what the server is to get."""
        back = {id(body) for body in self._withdrawn}
        commands = [command for command in self._commands if id(command.body) not in back]
        self._commands, self._withdrawn = [], []
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
            self._withdrawn.append(machine.body)

    def _schedule_activity(self, variant: str, body: Any) -> None:
        self._activities[body.seq] = _Machine(body)
        self._send(variant, body)

    def _cancel_activity(self, variant: str, body: Any) -> None:
        machine = self._activities.get(body.seq)
        if machine is None or machine.is_over:
            return
        kind = machine.body.cancellation_type
        if not machine.is_sent:
            self._withdrawn.append(machine.body)
        elif kind != _ABANDON:
            self._send(variant, body)
        if not machine.is_sent or kind in (_TRY, _ABANDON):
            machine.is_over = True
            self._jobs.append(resolutions.activity_canceled(machine.body, failures.NO_CAUSE))

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
            self._withdrawn.append(machine.body)
            self._jobs.append(resolutions.child_withdrawn(event, self._namespace, body.reason))
            return
        if kind != _CHILD_ABANDON:
            self._send(variant, body)
        if kind != _CHILD_WAITS:
            machine.is_over = True
            self._jobs.append(resolutions.child_canceled(event, self._namespace))

    def _signal_external(self, variant: str, body: Any) -> None:
        self._signals[body.seq] = _Machine(body)
        self._send(variant, body)

    def _cancel_signal(self, variant: str, body: Any) -> None:
        machine = self._signals.get(body.seq)
        if machine is None or machine.is_sent or machine.is_over:
            return
        machine.is_over = True
        self._withdrawn.append(machine.body)
        self._jobs.append(resolutions.signal_withdrawn(body.seq))

    # Events of the history

    def jobs_for(self, event: Event) -> Job | None:
        """Return what the workflow is to hear of an event; None: nothing."""
        handler = _EVENTS.get(event.kind)
        return handler(self, event) if handler is not None else None

    def _timer_fired(self, event: Event) -> Job | None:
        if self._timers.pop(event.data, None) is None:
            return None
        return Job(fire_timer=FireTimer(seq=event.data))

    def _activity_ended(self, event: Event) -> Job | None:
        machine = self._activities.pop(event.data.seq)
        return None if machine.is_over else resolutions.activity(machine.body, event)

    def _child_started(self, event: Event) -> Job | None:
        machine = self._children[event.data.seq]
        machine.started = event.data
        return None if machine.is_over else resolutions.child_started(event.data)

    def _child_start_failed(self, event: Event) -> Job | None:
        machine = self._children.pop(event.data.seq)
        return None if machine.is_over else resolutions.child_id_taken(event.data)

    def _child_ended(self, event: Event) -> Job | None:
        machine = self._children.pop(event.data.seq)
        return None if machine.is_over else resolutions.child(event, self._namespace)

    def _signaled(self, event: Event) -> Job | None:
        self._signals.pop(event.data.seq)
        return resolutions.signal(event)

    def _cancel_delivered(self, event: Event) -> Job | None:
        return resolutions.cancel(event) if event.data.seq else None


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
