"""What a reading of a run means for its stack: the report that goes to the chain. Pure."""

import dataclasses
import re

from controller.api.reasons import StackReason
from controller.api.v1alpha1 import Phase
from controller.chain.run import failures, holds, progress, windows
from controller.chain.run.progress import StackMeaning
from controller.chain.run.run_snapshots import RunSnapshot
from controller.chain.run.run_states import RunState
from controller.chain.run.stops import Stop

# Of "This run has dependency references (...) which have not changed since the last run": a long
# list of references is cut before its end.
_UNCHANGED = re.compile(r"(?i)\bdependency references\b|\b(have|has|did) not change|\bunchanged\b")


def summary(run: RunSnapshot) -> str:
    """Return what matters to the chain; a follow returns when this changes.

    It includes what a queued run waits for: people want to know who holds the run now.
    """
    report = classify("", run, is_adopted=True)
    brief = f"{report.phase}/{report.reason}"
    if run.needs_confirmation:
        # A new plan is news: the chain may confirm one and not the other.
        return f"{brief}/{run.delta}"
    is_detailed = report.reason in holds.DETAILED
    return f"{brief}/{report.message}" if is_detailed else brief


def waits_for_others(run: RunSnapshot) -> bool:
    """Whether the run waits for a person, or for whoever holds its stack."""
    return run.waits_for_person or classify("", run).reason in holds.DETAILED


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
        is_adopted: Spacelift queued the run on its own.
        stop: why the run is stopped; None if it is not.
        attempts: how many runs the execution has had, this one included.
    """
    if run.is_over:
        meaning = _with_attempts(_end(run, is_adopted=is_adopted, stop=stop), attempts)
    else:
        meaning = _in_progress(run, stop=stop)
    return report(stack_id, run, meaning, attempts=attempts)


def report(
    stack_id: str, run: RunSnapshot, meaning: StackMeaning, *, attempts: int = 1
) -> progress.StackReport:
    """Return the report on a run with a meaning that does not follow from its state alone."""
    return progress.StackReport(
        stack_id=stack_id,
        phase=meaning.phase,
        reason=meaning.reason,
        message=meaning.message,
        held_by=meaning.held_by,
        run_id=run.run_id,
        # While it runs the state changes without a report, so naming it would soon be untrue.
        run_state=None if meaning.phase is Phase.RUNNING else run.state,
        run_url=run.run_url or None,
        attempts=attempts,
        delta=run.delta,
    )


def is_skipped_for_another(run: RunSnapshot) -> bool:
    """Whether Spacelift skipped a native run for a reason that the chain does not know.

    The chain takes up a native run once all upstream stacks have succeeded. So the run did not wait
    for these alone, or had ended before one of them was repeated. Only the note distinguishes such
    a skip from one for unchanged outputs; if the note cannot be read, an extra run does no harm.
    """
    return run.state == RunState.SKIPPED and not _UNCHANGED.search(run.note)


def _in_progress(run: RunSnapshot, *, stop: Stop | None) -> StackMeaning:
    if run.problem_reason:
        problem = failures.stack_problem(run.problem_reason)
        return _meaning(Phase.RUNNING, problem, run.problem_message)
    if stop is not None and stop.is_deadline:
        ends = (
            "is being stopped" if run.stop_calls else "is already applying and is allowed to finish"
        )
        return _meaning(Phase.RUNNING, stop.reason, _sentence(f"{stop.why}; the run {ends}"))
    if run.needs_confirmation:
        return _meaning(
            Phase.AWAITING_CONFIRMATION,
            StackReason.NEEDS_CONFIRMATION,
            "The run has planned changes and waits for a person to confirm or discard it.",
        )
    if run.needs_review:
        return _meaning(
            Phase.AWAITING_CONFIRMATION,
            StackReason.NEEDS_APPROVAL,
            "An approval policy holds the run; a person has to approve or reject it.",
        )
    if run.is_queued:
        return holds.of_queued(run.state, run.hold)
    if stop is not None and not run.stop_calls:
        return _meaning(
            Phase.RUNNING,
            StackReason.RUN_IN_PROGRESS,
            "The chain was canceled; the run is already applying and is allowed to finish.",
        )
    return _meaning(Phase.RUNNING, StackReason.RUN_IN_PROGRESS)


def confirming(
    stack_id: str, run: RunSnapshot, *, is_limited: bool = False, attempts: int = 1
) -> progress.StackReport:
    """Return the report on a run that the chain confirms, if its plan is within the limits."""
    meaning = _meaning(
        Phase.RUNNING,
        StackReason.CONFIRMING,
        "The run has planned changes, and the chain compares them with `spec.confirmationLimits`."
        if is_limited
        else "The run has planned changes and the chain confirms it.",
    )
    return report(stack_id, run, meaning, attempts=attempts)


def confirmation_refused(
    stack_id: str, run: RunSnapshot, *, words: str, attempts: int = 1
) -> progress.StackReport:
    """Return the report on a run that the chain may not confirm, in Spacelift's words."""
    meaning = _meaning(
        Phase.AWAITING_CONFIRMATION,
        StackReason.NEEDS_CONFIRMATION,
        f"The chain could not confirm the run; a person has to confirm or discard it: {words}",
    )
    return report(stack_id, run, meaning, attempts=attempts)


def limits_exceeded(
    stack_id: str, run: RunSnapshot, *, excess: str, attempts: int = 1
) -> progress.StackReport:
    """Return the report on a run whose plan is left to a person, and why."""
    meaning = _meaning(
        Phase.AWAITING_CONFIRMATION,
        StackReason.LIMITS_EXCEEDED,
        f"The plan {excess} (`spec.confirmationLimits`); a person has to confirm or discard the "
        "run.",
    )
    return report(stack_id, run, meaning, attempts=attempts)


def plan_waits_for_window(
    stack_id: str, run: RunSnapshot, closed: windows.WindowState, *, attempts: int
) -> progress.StackReport:
    """Return the report on a run that the chain confirms once its window opens."""
    meaning = _meaning(
        Phase.WAITING,
        StackReason.WINDOW_CLOSED,
        "The run has planned changes, and the chain confirms it in its window (`window`), "
        f"{windows.closed_text(closed.until)}. A person may confirm it earlier.",
    )
    return report(stack_id, run, meaning, attempts=attempts)


def left_unstopped(
    stack_id: str, run: RunSnapshot, stop: Stop, *, attempts: int
) -> progress.StackReport:
    """Return the end of a stack whose run no call stops, and which changes nothing."""
    message = (
        f"{stop.why}; the run waits for a review, and Spacelift offers no way to stop it. It "
        "changes nothing and is left as it is."
    )
    meaning = _meaning(stop.phase, stop.reason, _sentence(message))
    return report(stack_id, run, meaning, attempts=attempts)


def _end(run: RunSnapshot, *, is_adopted: bool, stop: Stop | None) -> StackMeaning:
    note = note_of(run)
    if run.state == RunState.FINISHED:
        return _meaning(Phase.SUCCEEDED, StackReason.RUN_FINISHED)
    is_unchanged = run.state == RunState.SKIPPED and not is_skipped_for_another(run)
    if is_unchanged and is_adopted and stop is None:
        return _meaning(
            Phase.SKIPPED,
            StackReason.OUTPUT_UNCHANGED,
            f"Spacelift skipped the run: none of the outputs that it uses changed{note}.",
        )
    if run.is_failed:
        return _meaning(Phase.FAILED, StackReason.RUN_FAILED, f"The run failed{note}.")
    if stop is not None:
        because = f"The run ended {run.state} because {stop.why}."
        return _meaning(stop.phase, stop.reason, because)
    match run.state:
        case RunState.CANCELED:
            what = f"The run was canceled{note}."
            return _meaning(Phase.CANCELED, StackReason.RUN_CANCELED, what)
        case RunState.DISCARDED:
            what = f"The run was discarded{note}."
            return _meaning(Phase.CANCELED, StackReason.RUN_DISCARDED, what)
        case RunState.STOPPED:
            what = f"The run was stopped{note}."
            return _meaning(Phase.CANCELED, StackReason.RUN_STOPPED, what)
        case RunState.SKIPPED:
            what = f"Spacelift skipped the run{note}."
            return _meaning(Phase.FAILED, StackReason.RUN_SKIPPED, what)
        case _:
            # `finished` with a state that is not known: not a success that anybody can vouch for.
            what = f"The run ended in the state {run.state}{note}."
            return _meaning(Phase.FAILED, StackReason.RUN_FAILED, what)


def _meaning(phase: Phase, reason: StackReason, message: str = "") -> StackMeaning:
    return StackMeaning(phase=phase, reason=reason, message=message)


def note_of(run: RunSnapshot) -> str:
    """Return the note about a run's end, as the last part of a sentence."""
    return f" ({run.note})" if run.note else ""


def _with_attempts(meaning: StackMeaning, attempts: int) -> StackMeaning:
    if attempts == 1:
        return meaning
    message = f"{meaning.message} It was run {attempts} times.".strip()
    return dataclasses.replace(meaning, message=message)


def _sentence(text: str) -> str:
    """Return a sentence with a capital and a period; a quoted name keeps its spelling."""
    return text[:1].upper() + text[1:].rstrip(".") + "."
