"""The latest workflow execution of a resource, compared with its status. Pure."""

import dataclasses
import enum

from controller.api import reasons, v1alpha1


class ExecutionState(enum.StrEnum):
    """The state of the latest workflow execution of a resource."""

    RUNNING = "Running"
    CLOSED = "Closed"
    TERMINATED = "Terminated"
    FAILED = "Failed"


@dataclasses.dataclass(frozen=True, kw_only=True, slots=True)
class Execution:
    """The latest workflow execution of a resource, as its memo and description say.

    `task_attempts`: how often workers were given its current task, if it has one. `termination` is
    the reason that whoever terminated it gave. `is_reset`: someone has reset another execution in
    Temporal, which made this one. As a retry it was asked for the stacks `named`, or for all, and
    without those `bypassed`.
    """

    workflow_id: str
    workflow_run_id: str
    state: ExecutionState
    number: int
    attempt: int
    cause: str
    generation: int
    handled: v1alpha1.Handled
    start_time: str
    operation: str = v1alpha1.Operation.APPLY
    root_runs: tuple[v1alpha1.RootRun, ...] = ()
    named: tuple[str, ...] = ()
    bypassed: tuple[str, ...] = ()
    close_time: str | None = None
    failure: str = ""
    task_attempts: int = 0
    termination: str = ""
    is_reset: bool = False


@dataclasses.dataclass(frozen=True, kw_only=True, slots=True)
class LiveSettings:
    """What the spec can change of a run while it runs.

    None: it is not known what the run goes by, since no worker answers for it; or, in a decision,
    it needs no change.
    """

    parallelism: int | None = None
    is_suspended: bool | None = None


def is_live(execution: Execution | None) -> bool:
    """Whether an execution is in progress."""
    return execution is not None and execution.state is ExecutionState.RUNNING


def run_number(chain: v1alpha1.StackChain, execution: Execution | None) -> int:
    """Return the number of the newest run, which the status may not know yet; 0: none."""
    latest = chain.status.latest_run
    return max(execution.number if execution else 0, latest.number if latest else 0)


def is_duplicate(execution: Execution, latest: v1alpha1.RunStatus) -> bool:
    """Whether the resource's run of that number, or a later one, is another execution.

    Two operators that overlap for a moment can start one request twice, one after the other. The
    status says which of the two has the resource, and the other must trigger nothing. The same goes
    for what a reset makes of a run that is over.
    """
    if is_execution_of(execution, latest):
        return False
    return (execution.number, execution.attempt) <= (latest.number, latest.attempt)


def is_reset_in_vain(execution: Execution | None, latest: v1alpha1.RunStatus | None) -> bool:
    """Whether a live execution is what a reset has made of a run that is over, or not the latest.

    It may wait for stacks that have ended long ago and never hear of them, and while it lives no
    other run can start.
    """
    if execution is None or latest is None or not is_live(execution):
        return False
    return execution.is_reset and is_duplicate(execution, latest)


def is_execution_of(execution: Execution, latest: v1alpha1.RunStatus) -> bool:
    """Whether an execution is the one that the status is about, or was made of it by a reset."""
    if execution.workflow_run_id == latest.workflow_run_id:
        return True
    is_same_run = (execution.number, execution.attempt) == (latest.number, latest.attempt)
    return execution.is_reset and is_same_run and not latest.phase.is_over


def has_end_of(latest: v1alpha1.RunStatus, execution: Execution) -> bool:
    """Whether the run's end in the status is this execution's own.

    While a run is tried again the status keeps the end of the attempt before.
    """
    if latest.workflow_run_id != execution.workflow_run_id:
        return False
    return latest.completion_time is None or latest.completion_time >= execution.start_time


def is_end_unknown(latest: v1alpha1.RunStatus | None, execution: Execution) -> bool:
    """Whether a workflow was ended from outside, and the status does not say so yet."""
    if execution.state is not ExecutionState.TERMINATED:
        return False
    return latest is None or not (latest.phase.is_over and has_end_of(latest, execution))


def may_be_rechecked(latest: v1alpha1.RunStatus | None) -> bool:
    """Whether the latest run ended before it triggered anything, for a reason that may pass.

    See ADR 0005.
    """
    return (
        latest is not None
        and latest.phase == v1alpha1.Phase.FAILED
        and latest.reason in reasons.RECHECKED
    )
