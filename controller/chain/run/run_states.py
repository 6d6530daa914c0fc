"""What the state of a Spacelift run means for its stack. Pure; states are in spacelift's terms.

Unknown states count as running, never as ended: Spacelift may add states, and taking one for an
end would let dependents start too early.
"""

import dataclasses
import enum

from controller.api import reasons, v1alpha1
from controller.chain.run import holds, progress

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

Meaning = tuple[v1alpha1.Phase, str, str]


@dataclasses.dataclass(frozen=True, kw_only=True, slots=True)
class RunSnapshot:
    """One reading of a run.

    `problem_reason` names the error when the run could not be read; the rest is then the last
    reading. `hold` is what keeps a queued run from starting, if that is known.
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
    hold: holds.Hold | None = None

    @property
    def is_over(self) -> bool:
        """Whether Spacelift does nothing more with the run."""
        return self.finished or self.state in _TERMINAL

    @property
    def is_queued(self) -> bool:
        """Whether no worker has begun with the run."""
        return self.state in _QUEUED

    @property
    def is_failed(self) -> bool:
        """Whether the run came to the one end after which another run may be tried."""
        return self.state == "FAILED"

    @property
    def needs_confirmation(self) -> bool:
        """Whether the run waits for nothing but the confirmation of its plan."""
        return self.state == "UNCONFIRMED" and not self.needs_approval

    @property
    def needs_review(self) -> bool:
        """Whether an approval policy holds the run."""
        return not self.is_over and (self.needs_approval or self.state == "PENDING_REVIEW")

    @property
    def waits_for_person(self) -> bool:
        """Whether nothing goes on until a person acts, as far as is known."""
        return self.needs_confirmation or self.needs_review


class StopCause(enum.StrEnum):
    """What lets an execution stop its run."""

    CHAIN_CANCELED = "ChainCanceled"
    STACK_DEADLINE = "StackDeadline"
    CONFIRMATION_DEADLINE = "ConfirmationDeadline"


@dataclasses.dataclass(frozen=True, kw_only=True, slots=True)
class Stop:
    """Why a run is stopped; `seconds` is the deadline that passed."""

    cause: StopCause
    seconds: int = 0

    @property
    def why(self) -> str:
        """The cause as the second half of a sentence."""
        match self.cause:
            case StopCause.STACK_DEADLINE:
                return f"`stackDeadlineSeconds` ({self.seconds} s) passed"
            case StopCause.CONFIRMATION_DEADLINE:
                return (
                    "nobody confirmed or approved it within `confirmationDeadlineSeconds` "
                    f"({self.seconds} s)"
                )
            case _:
                return "the chain was canceled"

    @property
    def is_deadline(self) -> bool:
        """Whether it is the stack's own limit that ends the run."""
        return self.cause is not StopCause.CHAIN_CANCELED

    @property
    def end(self) -> tuple[v1alpha1.Phase, reasons.StackReason]:
        """What the stack ends in if the run did not come to an end of its own."""
        phase, reason = v1alpha1.Phase, reasons.StackReason
        return {
            StopCause.CHAIN_CANCELED: (phase.CANCELED, reason.CHAIN_CANCELED),
            StopCause.STACK_DEADLINE: (phase.TIMED_OUT, reason.STACK_DEADLINE_EXCEEDED),
            StopCause.CONFIRMATION_DEADLINE: (
                phase.TIMED_OUT,
                reason.CONFIRMATION_DEADLINE_EXCEEDED,
            ),
        }[self.cause]


def view(run: RunSnapshot) -> str:
    """Return what matters to the chain; a follow returns when this changes.

    What a queued run waits for is part of it: whoever looks wants to know who holds it now.
    """
    report = classify("", run, is_adopted=True)
    brief = f"{report.phase}/{report.reason}"
    is_detailed = report.reason in holds.DETAILED
    return f"{brief}/{report.message}" if is_detailed else brief


def classify(
    stack_id: str,
    run: RunSnapshot,
    *,
    is_adopted: bool = False,
    stop: Stop | None = None,
    attempts: int = 1,
) -> progress.StackReport:
    """Return the stack's phase for a reading of its run, which `stop` says to be stopped.

    Args:
        stack_id: the stack.
        run: the reading.
        is_adopted: Spacelift queued the run by itself.
        stop: why the run is stopped; None if it is not.
        attempts: how many runs the execution has had, this one included.
    """
    if run.is_over:
        phase, reason, message = _end(run, is_adopted=is_adopted, stop=stop)
        message = _with_attempts(message, attempts)
    else:
        phase, reason, message = _in_progress(run, stop=stop)
    return report(stack_id, run, (phase, reason, message), attempts=attempts)


def report(
    stack_id: str, run: RunSnapshot, meaning: Meaning, *, attempts: int = 1
) -> progress.StackReport:
    """Return the report on a run with a meaning that does not follow from its state alone."""
    phase, reason, message = meaning
    return progress.StackReport(
        stack_id=stack_id,
        phase=phase,
        reason=reason,
        message=message,
        run_id=run.run_id,
        # While it runs the state changes without a report, so naming it would soon be untrue.
        run_state=None if phase is v1alpha1.Phase.RUNNING else run.state,
        run_url=run.url or None,
        attempts=attempts,
        added=run.added,
        changed=run.changed,
        deleted=run.deleted,
    )


def _in_progress(run: RunSnapshot, *, stop: Stop | None) -> Meaning:
    phase, reason = v1alpha1.Phase, reasons.StackReason
    if run.problem_reason:
        problem = _PROBLEMS.get(run.problem_reason, reason.SPACELIFT_UNREACHABLE)
        return phase.RUNNING, problem, run.problem_message
    if stop is not None and stop.is_deadline:
        ends = "is being stopped" if stop_calls(run) else "applies already and is left to end"
        return phase.RUNNING, stop.end[1], _sentence(f"{stop.why}; the run {ends}")
    if run.needs_confirmation:
        return (
            phase.AWAITING_CONFIRMATION,
            reason.NEEDS_CONFIRMATION,
            "The run has planned changes and waits for a person to confirm or discard it.",
        )
    if run.needs_review:
        return (
            phase.AWAITING_CONFIRMATION,
            reason.NEEDS_APPROVAL,
            "An approval policy holds the run; a person has to approve or reject it.",
        )
    if run.is_queued:
        return phase.WAITING, *holds.of_queued(run.state, run.hold)
    if stop is not None and not stop_calls(run):
        return (
            phase.RUNNING,
            reason.RUN_IN_PROGRESS,
            "The chain was canceled; the run applies already and is left to end.",
        )
    return phase.RUNNING, reason.RUN_IN_PROGRESS, ""


def confirming(stack_id: str, run: RunSnapshot, *, attempts: int = 1) -> progress.StackReport:
    """Return the report on a run that the chain is confirming."""
    meaning = (
        v1alpha1.Phase.RUNNING,
        reasons.StackReason.CONFIRMING,
        "The run has planned changes and the chain confirms it.",
    )
    return report(stack_id, run, meaning, attempts=attempts)


def confirmation_refused(
    stack_id: str, run: RunSnapshot, *, words: str, attempts: int = 1
) -> progress.StackReport:
    """Return the report on a run that the chain may not confirm, in Spacelift's words."""
    meaning = (
        v1alpha1.Phase.AWAITING_CONFIRMATION,
        reasons.StackReason.NEEDS_CONFIRMATION,
        f"The chain could not confirm the run, a person has to confirm or discard it: {words}",
    )
    return report(stack_id, run, meaning, attempts=attempts)


def left(stack_id: str, run: RunSnapshot, stop: Stop, *, attempts: int) -> progress.StackReport:
    """Return the end of a stack whose run no call stops, and which changes nothing."""
    phase, reason = stop.end
    message = (
        f"{stop.why}; the run waits for a review and Spacelift does not let it be stopped. It "
        "changes nothing and is left as it is."
    )
    return report(stack_id, run, (phase, reason, _sentence(message)), attempts=attempts)


def _end(run: RunSnapshot, *, is_adopted: bool, stop: Stop | None) -> Meaning:
    phase, reason = v1alpha1.Phase, reasons.StackReason
    note = note_of(run)
    if run.state == "FINISHED":
        return phase.SUCCEEDED, reason.RUN_FINISHED, ""
    if run.state == "SKIPPED" and is_adopted and stop is None:
        return (
            phase.SKIPPED,
            reason.OUTPUT_UNCHANGED,
            f"Spacelift skipped the run: no output that it refers to changed{note}.",
        )
    if run.state == "FAILED":
        return phase.FAILED, reason.RUN_FAILED, f"The run failed{note}."
    if stop is not None:
        return *stop.end, f"The run ended {run.state} because {stop.why}."
    ends = {
        "CANCELED": (phase.CANCELED, reason.RUN_CANCELED, f"The run was canceled{note}."),
        "DISCARDED": (phase.CANCELED, reason.RUN_DISCARDED, f"The run was discarded{note}."),
        "STOPPED": (phase.CANCELED, reason.RUN_STOPPED, f"The run was stopped{note}."),
        "SKIPPED": (phase.FAILED, reason.RUN_SKIPPED, f"Spacelift skipped the run{note}."),
    }
    # `finished` with a state that is not known: not a success that anybody can vouch for.
    unknown = (phase.FAILED, reason.RUN_FAILED, f"The run ended in the state {run.state}{note}.")
    return ends.get(run.state, unknown)


def note_of(run: RunSnapshot) -> str:
    """Return the note that goes with a run's end, as the last part of a sentence."""
    return f" ({run.note})" if run.note else ""


def _with_attempts(message: str, attempts: int) -> str:
    if attempts == 1:
        return message
    return f"{message} It was run {attempts} times.".strip()


def _sentence(text: str) -> str:
    """Return a text with a capital and a full stop; a quoted name keeps its spelling."""
    return text[:1].upper() + text[1:].rstrip(".") + "."


def stop_calls(run: RunSnapshot) -> tuple[str, ...]:
    """Return which calls may stop the run, in the order to try them; none: it cannot be stopped.

    Which call a run in review takes is not documented, so there are two.
    """
    if run.is_over:
        return ()
    if run.is_queued:
        return ("cancel",)
    if run.state == "UNCONFIRMED":
        return ("discard",)
    if run.state == "PENDING_REVIEW":
        return ("stop", "discard")
    return ("stop",) if run.state in _STOPPABLE else ()


def may_be_left(run: RunSnapshot) -> bool:
    """Whether a run that no call has stopped does no harm: it has only planned."""
    return run.state == "PENDING_REVIEW"


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
