"""What the server does with the commands of a completed workflow task, in their order."""

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

from tests.simulation.temporal.history import Command, Event, ExternalEvent, Kind
from tests.simulation.temporal.records import Child, Execution
from tests.simulation.temporal.refusals import NotSimulated, only

if TYPE_CHECKING:
    from tests.simulation.temporal.server import TemporalServer


class Commands:
    """Writes the event of each command, and starts what it asks for."""

    def __init__(self, server: "TemporalServer") -> None:
        self._server = server

    def apply(self, execution: Execution, commands: Sequence[Command]) -> bool:
        """Do all commands; return whether one of them is news for the workflow itself."""
        is_due = False
        for command in commands:
            is_due |= bool(_APPLY[command.kind](self, execution, command.body))
        return is_due

    def _add(self, execution: Execution, kind: Kind, data: Any) -> Event:
        return execution.history.add(kind, self._server.time(), data)

    def _start_timer(self, execution: Execution, body: Any) -> None:
        self._add(execution, Kind.TIMER_STARTED, body)
        self.run_timer(execution, body, already=0.0)

    def run_timer(self, execution: Execution, body: Any, *, already: float) -> None:
        """Fire a timer after its time, of which some seconds have passed already."""
        seconds = body.start_to_fire_timeout.ToNanoseconds() / 1e9 - already
        execution.timers[body.seq] = self._server.on_time(
            max(0.0, seconds), self._fire, execution, body.seq
        )

    def _fire(self, execution: Execution, seq: int) -> None:
        if execution.timers.pop(seq, None) is not None:
            self._server.workflow_tasks.add_event(execution, Kind.TIMER_FIRED, seq)

    def _cancel_timer(self, execution: Execution, body: Any) -> None:
        self._add(execution, Kind.TIMER_CANCELED, body.seq)
        timer = execution.timers.pop(body.seq, None)
        if timer is not None:
            timer.cancel()
        execution.held_back = [
            event
            for event in execution.held_back
            if not (event.kind is Kind.TIMER_FIRED and event.data == body.seq)
        ]

    def _schedule_activity(self, execution: Execution, body: Any) -> None:
        event = self._add(execution, Kind.ACTIVITY_SCHEDULED, body)
        self._server.activities.schedule(execution, body, event.id)

    def _cancel_activity(self, execution: Execution, body: Any) -> bool:
        self._add(execution, Kind.ACTIVITY_CANCEL_REQUESTED, body)
        return self._server.activities.request_cancel(execution, body.seq)

    def _start_child(self, execution: Execution, body: Any) -> None:
        event = self._add(execution, Kind.CHILD_INITIATED, body)
        execution.children[body.seq] = Child(body, event.id)
        self._server.transfer(self._server.children.start, execution, body.seq)

    def _cancel_child(self, execution: Execution, body: Any) -> None:
        child = execution.children.get(body.child_workflow_seq)
        # One that has ended just now is found to be gone.
        workflow_id = child.body.workflow_id if child is not None else ""
        sent = ExternalEvent(0, workflow_id, child.run_id if child is not None else "", 0)
        self._cancel_sent(execution, body, sent)

    def _cancel_external(self, execution: Execution, body: Any) -> None:
        target = body.workflow_execution
        sent = ExternalEvent(body.seq, target.workflow_id, target.run_id, 0)
        self._cancel_sent(execution, body, sent)

    def _cancel_sent(self, execution: Execution, body: Any, sent: ExternalEvent) -> None:
        event = self._add(execution, Kind.CANCEL_EXTERNAL_INITIATED, body)
        sent.initiated_id = event.id
        self._server.transfer(self._server.children.cancel, execution, sent)

    def _signal_external(self, execution: Execution, body: Any) -> None:
        self.send_signal(execution, self._add(execution, Kind.SIGNAL_EXTERNAL_INITIATED, body))

    def send_signal(self, execution: Execution, event: Event) -> None:
        """Send a signal to another execution; the event is that of the command."""
        body = event.data
        if body.HasField("child_workflow_id"):
            workflow_id, run_id = body.child_workflow_id, ""
        else:
            target = body.workflow_execution
            workflow_id, run_id = target.workflow_id, target.run_id
        sent = ExternalEvent(body.seq, workflow_id, run_id, event.id)
        self._server.transfer(self._server.children.signal, execution, body, sent)

    def _modify(self, execution: Execution, body: Any) -> None:
        only(body, "upserted_memo")
        self._add(execution, Kind.PROPERTIES_MODIFIED, body)
        for key, value in body.upserted_memo.fields.items():
            if value.data:
                execution.memo[key] = value
            else:
                raise NotSimulated("taking a value out of the memo")
        self._server.visibility.update(execution)

    def _complete(self, execution: Execution, body: Any) -> None:
        self._server.close(execution, Kind.COMPLETED, body.result)

    def _fail(self, execution: Execution, body: Any) -> None:
        self._server.close(execution, Kind.FAILED, body.failure)

    def _canceled(self, execution: Execution, body: Any) -> None:
        self._server.close(execution, Kind.CANCELED, None)


_APPLY: dict[str, Callable[[Commands, Execution, Any], bool | None]] = {
    "start_timer": Commands._start_timer,
    "cancel_timer": Commands._cancel_timer,
    "schedule_activity": Commands._schedule_activity,
    "request_cancel_activity": Commands._cancel_activity,
    "start_child_workflow_execution": Commands._start_child,
    "cancel_child_workflow_execution": Commands._cancel_child,
    "request_cancel_external_workflow_execution": Commands._cancel_external,
    "signal_external_workflow_execution": Commands._signal_external,
    "modify_workflow_properties": Commands._modify,
    "complete_workflow_execution": Commands._complete,
    "fail_workflow_execution": Commands._fail,
    "cancel_workflow_execution": Commands._canceled,
}
