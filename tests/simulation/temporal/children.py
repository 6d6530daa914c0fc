"""What passes between executions: starts of children and their ends, signals and cancels."""

from typing import TYPE_CHECKING, Any

from temporalio.api.enums.v1 import WorkflowIdReusePolicy
from temporalio.bridge.proto.child_workflow import ParentClosePolicy

from tests.simulation.temporal.history import ChildEvent, ExternalEvent, Kind, Signal
from tests.simulation.temporal.records import Child, Execution, Parent, Start, Status
from tests.simulation.temporal.refusals import NotSimulated, only

if TYPE_CHECKING:
    from tests.simulation.temporal.server import TemporalServer

_KNOWN = (
    "seq",
    "namespace",
    "workflow_id",
    "workflow_type",
    "task_queue",
    "input",
    "parent_close_policy",
    "cancellation_type",
    "workflow_id_reuse_policy",
    "memo",
    "priority",
)

_ENDS = {
    Status.COMPLETED: Kind.CHILD_COMPLETED,
    Status.FAILED: Kind.CHILD_FAILED,
    Status.CANCELED: Kind.CHILD_CANCELED,
    Status.TERMINATED: Kind.CHILD_TERMINATED,
    Status.TIMED_OUT: Kind.CHILD_TIMED_OUT,
}
_ALREADY_EXISTS = 1
_NOT_FOUND = 1
_NO_RETRY = 5
_PARENT_CLOSED = "by parent close policy"


class Children:
    """The links between the executions of a server."""

    def __init__(self, server: "TemporalServer") -> None:
        self._server = server

    def start(self, parent: Execution, seq: int) -> None:
        """Start a child that its parent has asked for, or say that its id is taken."""
        child = parent.children.get(seq)
        if child is None or not parent.is_running:
            # One whose parent has closed meanwhile is never started.
            return
        body = child.body
        only(body, *_KNOWN)
        event = ChildEvent(
            seq, body.workflow_id, body.workflow_type, initiated_id=child.initiated_id
        )
        start = Start(
            workflow_id=body.workflow_id,
            workflow_type=body.workflow_type,
            task_queue=body.task_queue or parent.start.task_queue,
            input=list(body.input),
            memo=dict(body.memo),
            parent=Parent(parent.workflow_id, parent.run_id, seq, child.initiated_id),
        )
        if not self._server.is_free(body.workflow_id, body.workflow_id_reuse_policy):
            del parent.children[seq]
            event.cause = _ALREADY_EXISTS
            self._server.workflow_tasks.add_event(parent, Kind.CHILD_START_FAILED, event)
            return
        execution = self._server.start_execution(start)
        child.run_id = event.run_id = execution.run_id
        started = self._server.workflow_tasks.add_event(parent, Kind.CHILD_STARTED, event)
        child.started = event.started = started

    def ended(self, execution: Execution) -> None:
        """Let the parent of an execution know that it has closed."""
        link = execution.start.parent
        if link is None:
            return
        # Whoever is reset hears of its children in the new run, and its parent of the new run.
        parent = self._server.after_resets(self._server.find_run(link.workflow_id, link.run_id))
        child = parent.children.get(link.seq) if parent is not None else None
        ids = (execution.run_id, execution.start.first_run_id)
        if parent is None or child is None or child.run_id not in ids:
            return
        del parent.children[link.seq]
        last = execution.history.events[-1]
        event = ChildEvent(
            link.seq,
            execution.workflow_id,
            execution.start.workflow_type,
            execution.run_id,
            initiated_id=link.initiated_id,
            retry_state=_NO_RETRY,
        )
        event.started = child.started
        if execution.status is Status.COMPLETED:
            event.result = last.data
        elif execution.status is Status.FAILED:
            event.failure = last.data
        self._server.workflow_tasks.add_event(parent, _ENDS[execution.status], event)

    def parent_closed(self, parent: Execution) -> None:
        """Do with the children of a closed execution as they were started for."""
        for child in tuple(parent.children.values()):
            self._part(parent, child)
        parent.children.clear()

    def _part(self, parent: Execution, child: Child) -> None:
        found = self._server.find_run(child.body.workflow_id, child.run_id)
        execution = self._server.after_resets(found)
        if execution is None or not execution.is_running or not child.run_id:
            return
        if not _is_child(execution, parent):
            return
        match child.body.parent_close_policy:
            case ParentClosePolicy.PARENT_CLOSE_POLICY_REQUEST_CANCEL:
                self._server.request_cancel(execution, reason=_PARENT_CLOSED)
            case ParentClosePolicy.PARENT_CLOSE_POLICY_ABANDON:
                pass
            case _:
                self._server.terminate(execution, reason=_PARENT_CLOSED)

    def cancel(self, sender: Execution, sent: ExternalEvent) -> None:
        """Deliver a cancel of one execution to another one, unless the sender has closed."""
        if not sender.is_running:
            return
        target = self._target(sent)
        if target is not None and target.reset_run_id and _is_child(target, sender):
            # A cancel of a child is for one run of it: it is accepted, and reaches no one.
            self._answer(sender, Kind.EXTERNAL_CANCEL_REQUESTED, sent)
            return
        is_strange = target is not None and not sent.seq and not _is_child(target, sender)
        if target is None or not target.is_running or is_strange:
            sent.cause = _NOT_FOUND
            self._answer(sender, Kind.CANCEL_EXTERNAL_FAILED, sent)
            return
        self._server.request_cancel(target, reason="")
        self._answer(sender, Kind.EXTERNAL_CANCEL_REQUESTED, sent)

    def signal(self, sender: Execution, body: Any, sent: ExternalEvent) -> None:
        """Deliver a signal of one execution to another one, unless the sender has closed."""
        if not sender.is_running:
            return
        target = self._target(sent)
        is_strange = (
            body.HasField("child_workflow_id")
            and target is not None
            and not _is_child(target, sender)
        )
        if target is None or not target.is_running or is_strange:
            sent.cause = _NOT_FOUND
            self._answer(sender, Kind.SIGNAL_EXTERNAL_FAILED, sent)
            return
        signal = Signal(body.signal_name, list(body.args), header=dict(body.headers))
        self._server.workflow_tasks.add_event(target, Kind.SIGNALED, signal)
        self._answer(sender, Kind.EXTERNAL_SIGNALED, sent)

    def _target(self, sent: ExternalEvent) -> Execution | None:
        if sent.run_id:
            return self._server.find_run(sent.workflow_id, sent.run_id)
        return self._server.latest(sent.workflow_id)

    def _answer(self, sender: Execution, kind: Kind, sent: ExternalEvent) -> None:
        self._server.workflow_tasks.add_event(sender, kind, sent)


def _is_child(execution: Execution, parent: Execution) -> bool:
    """Whether a run has started an execution; one that a reset made of that run has not."""
    link = execution.start.parent
    return link is not None and link.run_id == parent.run_id


def refuse_policy(policy: int) -> None:
    """Refuse a policy that the product does not use.

    Raises:
        NotSimulated: naming it.
    """
    if policy == WorkflowIdReusePolicy.WORKFLOW_ID_REUSE_POLICY_TERMINATE_IF_RUNNING:
        raise NotSimulated("the reuse policy TERMINATE_IF_RUNNING")
