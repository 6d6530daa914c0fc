"""What the state of a Spacelift run means for its stack. Pure; states are in spacelift's terms.

Unknown states count as running, never as ended: Spacelift may add states, and taking one for an
end would let dependents start too early.
"""

import dataclasses

from controller.api import reasons, v1alpha1
from controller.chain import progress

_TERMINAL = frozenset({"FINISHED", "FAILED", "CANCELED", "DISCARDED", "STOPPED", "SKIPPED"})
_QUEUED = frozenset({"QUEUED", "READY"})
# What went wrong with reading a run, by the name of the Spacelift error.
_PROBLEMS = {
    "CredentialsRejected": reasons.StackReason.CREDENTIALS_REJECTED,
    "PermissionDenied": reasons.StackReason.PERMISSION_DENIED,
}
_STOPPABLE = frozenset(
    {
        "PREPARING",
        "INITIALIZING",
        "PLANNING",
        "PENDING_REVIEW",
        "REPLAN_REQUESTED",
        "PREPARING_REPLAN",
    }
)


@dataclasses.dataclass(frozen=True, kw_only=True, slots=True)
class RunSnapshot:
    """One reading of a run.

    `problem_reason` names the error when the run could not be read; the rest is then the last
    reading.
    """

    run_id: str
    state: str
    finished: bool = False
    needs_approval: bool = False
    note: str = ""
    url: str = ""
    added: int | None = None
    changed: int | None = None
    deleted: int | None = None
    problem_reason: str = ""
    problem_message: str = ""

    @property
    def is_over(self) -> bool:
        """Whether Spacelift does nothing more with the run."""
        return self.finished or self.state in _TERMINAL


def view(run: RunSnapshot) -> str:
    """Return what matters to the chain; a follow returns when this changes."""
    report = classify("", run, is_adopted=True, is_canceling=False)
    return f"{report.phase}/{report.reason}"


def classify(
    stack_id: str, run: RunSnapshot, *, is_adopted: bool, is_canceling: bool
) -> progress.StackReport:
    """Return the stack's phase for a reading of its run."""
    phase, reason, message = _meaning(run, is_adopted=is_adopted, is_canceling=is_canceling)
    return progress.StackReport(
        stack_id=stack_id,
        phase=phase,
        reason=reason,
        message=message,
        run_id=run.run_id,
        # While it runs the state changes without a report, so naming it would soon be untrue.
        run_state=None if phase is v1alpha1.Phase.RUNNING else run.state,
        run_url=run.url or None,
        added=run.added,
        changed=run.changed,
        deleted=run.deleted,
    )


def _meaning(
    run: RunSnapshot, *, is_adopted: bool, is_canceling: bool
) -> tuple[v1alpha1.Phase, str, str]:
    phase, reason = v1alpha1.Phase, reasons.StackReason
    if run.is_over:
        return _end(run, is_adopted=is_adopted, is_canceling=is_canceling)
    if run.problem_reason:
        problem = _PROBLEMS.get(run.problem_reason, reason.SPACELIFT_UNREACHABLE)
        return phase.RUNNING, problem, run.problem_message
    if run.state == "UNCONFIRMED" and not run.needs_approval:
        return (
            phase.AWAITING_CONFIRMATION,
            reason.NEEDS_CONFIRMATION,
            "The run has planned changes and waits for a person to confirm or discard it.",
        )
    if run.needs_approval or run.state == "PENDING_REVIEW":
        return (
            phase.AWAITING_CONFIRMATION,
            reason.NEEDS_APPROVAL,
            "An approval policy holds the run; a person has to approve or reject it.",
        )
    if run.state in _QUEUED:
        return (
            phase.WAITING,
            reason.RUN_QUEUED,
            "The run is queued in Spacelift, for a worker or behind another run of the stack.",
        )
    if is_canceling and stop_call(run) is None:
        return (
            phase.RUNNING,
            reason.RUN_IN_PROGRESS,
            "The chain was canceled; the run applies already and is left to end.",
        )
    return phase.RUNNING, reason.RUN_IN_PROGRESS, ""


def _end(
    run: RunSnapshot, *, is_adopted: bool, is_canceling: bool
) -> tuple[v1alpha1.Phase, str, str]:
    phase, reason = v1alpha1.Phase, reasons.StackReason
    note = f" ({run.note})" if run.note else ""
    if run.state == "FINISHED":
        return phase.SUCCEEDED, reason.RUN_FINISHED, ""
    if run.state == "SKIPPED" and is_adopted and not is_canceling:
        return (
            phase.SKIPPED,
            reason.OUTPUT_UNCHANGED,
            f"Spacelift skipped the run: no output that it refers to changed{note}.",
        )
    if run.state == "FAILED":
        return phase.FAILED, reason.RUN_FAILED, f"The run failed{note}."
    if is_canceling:
        return (
            phase.CANCELED,
            reason.CHAIN_CANCELED,
            f"The run ended {run.state} because the chain was canceled.",
        )
    ends = {
        "CANCELED": (phase.CANCELED, reason.RUN_CANCELED, f"The run was canceled{note}."),
        "DISCARDED": (phase.CANCELED, reason.RUN_DISCARDED, f"The run was discarded{note}."),
        "STOPPED": (phase.CANCELED, reason.RUN_STOPPED, f"The run was stopped{note}."),
        "SKIPPED": (phase.FAILED, reason.RUN_SKIPPED, f"Spacelift skipped the run{note}."),
    }
    # `finished` with a state that is not known: not a success that anybody can vouch for.
    unknown = (phase.FAILED, reason.RUN_FAILED, f"The run ended in the state {run.state}{note}.")
    return ends.get(run.state, unknown)


def stop_call(run: RunSnapshot) -> str | None:
    """Return which call stops the run: `cancel`, `discard`, `stop`, or None if none does."""
    if run.is_over:
        return None
    if run.state in _QUEUED:
        return "cancel"
    if run.state == "UNCONFIRMED":
        return "discard"
    return "stop" if run.state in _STOPPABLE else None


@dataclasses.dataclass(frozen=True, kw_only=True, slots=True)
class Candidate:
    """A run of a stack, as adoption looks at it. `has_finished`: it is over and was carried out."""

    run_id: str
    triggered_by: str | None
    is_over: bool
    has_finished: bool = False


def native_runs(
    candidates: list[Candidate], *, origin_run_ids: list[str], queuers: list[str]
) -> list[Candidate]:
    """Return the runs that Spacelift queued because of the origins, terminal ones included.

    Run ids are ULIDs, so a run caused by an origin has an id above it, and the oldest one is of
    the origin's own wave: later ones come from later runs. Waves that begin together interleave,
    so each origin takes a run of its own.
    """
    free = sorted(
        (item for item in candidates if item.triggered_by in queuers), key=lambda item: item.run_id
    )
    found: list[Candidate] = []
    for origin in sorted(origin_run_ids):
        native = next((item for item in free if item.run_id > origin), None)
        if native is not None:
            free.remove(native)
            found.append(native)
    return found
