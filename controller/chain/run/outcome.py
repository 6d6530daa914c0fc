"""What the stacks of a run amount to: the run's phase, its reason, and its words. Pure.

What a person can do about it is added where it is known what may be asked (`status.remedies`).
"""

import dataclasses
from collections.abc import Sequence

from controller.api import reasons, wording
from controller.api.v1alpha1 import Phase
from controller.chain.run import progress
from controller.chain.run.progress import ChainProgress, StackProgress

# A status keeps 1,024 characters of a run's message.
_LISTED_CHARACTERS = 560
_PART_CHARACTERS = 240
_PARTS = 5

_Reason = reasons.ChainReason


@dataclasses.dataclass(frozen=True, kw_only=True, slots=True)
class RunMeaning:
    """The phase of a chain run, and why, for alerts and for people."""

    phase: Phase
    reason: str
    message: str = ""


def set_outcome(run: ChainProgress) -> None:
    """Set the run's phase, reason and message from its stacks."""
    _set(run, _end(run) if progress.is_over(run) else _in_progress(run))


def set_unresolved_outcome(run: ChainProgress) -> None:
    """Set what a run ends in that was canceled before its graph was known."""
    meaning = _meaning(
        Phase.CANCELED,
        _Reason.RUN_CANCELED,
        f"{_why_canceled(run)} before it triggered anything.",
    )
    if run.is_timed_out:
        meaning = _meaning(
            Phase.TIMED_OUT,
            _Reason.DEADLINE_EXCEEDED,
            "`spec.activeDeadlineSeconds` passed before anything was triggered.",
        )
    _set(run, meaning)


def _set(run: ChainProgress, meaning: RunMeaning) -> None:
    run.phase, run.reason, run.message = meaning.phase, meaning.reason, meaning.message


def _meaning(phase: Phase, reason: str, message: str) -> RunMeaning:
    return RunMeaning(phase=phase, reason=reason, message=message)


def _end(run: ChainProgress) -> RunMeaning:
    failed = _in_phase(run, Phase.FAILED)
    timed_out = _in_phase(run, Phase.TIMED_OUT)
    canceled = _in_phase(run, Phase.CANCELED)
    if failed:
        return _meaning(Phase.FAILED, _Reason.STACK_FAILED, _failed_message(run, failed))
    if run.is_timed_out and (timed_out or canceled):
        return _meaning(Phase.TIMED_OUT, _Reason.DEADLINE_EXCEEDED, _deadline_message(run))
    if timed_out:
        return _meaning(
            Phase.TIMED_OUT, _Reason.STACK_TIMED_OUT, _timed_out_message(run, timed_out)
        )
    if canceled and run.is_canceling:
        return _meaning(Phase.CANCELED, _Reason.RUN_CANCELED, _run_canceled_message(run))
    if canceled:
        return _meaning(Phase.CANCELED, _Reason.STACK_CANCELED, _canceled_message(run, canceled))
    if any(stack.is_lost for stack in run.stacks):
        reason = _Reason.STACKS_NO_LONGER_IN_CHAIN
        return _meaning(Phase.FAILED, reason, _lost_message(run))
    return _meaning(Phase.SUCCEEDED, _Reason.RUN_SUCCEEDED, _succeeded_message(run))


def _in_progress(run: ChainProgress) -> RunMeaning:
    """A stack that waits for a person shows at once, whatever else still runs."""
    awaiting = _in_phase(run, Phase.AWAITING_CONFIRMATION)
    if run.is_canceling:
        # Nobody should confirm now what is about to be discarded.
        return _meaning(Phase.RUNNING, _Reason.PROGRESSING, _canceling_message(run))
    if awaiting:
        message = _awaiting_message(awaiting)
        return _meaning(Phase.AWAITING_CONFIRMATION, _Reason.AWAITING_CONFIRMATION, message)
    if run.is_suspended and has_unstarted_stacks(run):
        phase = Phase.PENDING if progress.is_idle(run) else Phase.RUNNING
        return _meaning(phase, _Reason.SUSPENDED, _suspended_message(run))
    return _meaning(Phase.RUNNING, _Reason.PROGRESSING, "")


def has_unstarted_stacks(run: ChainProgress) -> bool:
    """Whether there are stacks that a suspended run keeps from starting."""
    return any(not stack.is_started and not stack.phase.is_over for stack in run.stacks)


def _in_phase(run: ChainProgress, phase: Phase) -> list[StackProgress]:
    return [stack for stack in run.stacks if stack.phase is phase]


# Words


def _awaiting_message(awaiting: list[StackProgress]) -> str:
    first = awaiting[0]
    if len(awaiting) > 1:
        names = _listed([f"'{stack.id}'{_link(stack)}" for stack in awaiting], separator=", ")
        return f"The runs of {len(awaiting)} stacks wait for a person: {names}"
    act = "confirm or discard it"
    if first.reason == reasons.StackReason.NEEDS_APPROVAL:
        act = "approve or reject it"
    link = f": {first.run_url}" if first.run_url else ""
    return f"The run of '{first.id}' waits for a person to {act}{link}"


def _canceling_message(run: ChainProgress) -> str:
    live = [f"'{s.id}'" for s in run.stacks if s.is_started and not s.phase.is_over]
    stops = f"stops the runs of {_listed(live, separator=', ')}" if live else "is about to end"
    why = "The chain's deadline has passed" if run.is_timed_out else "The chain is being canceled"
    return f"{why}; it {stops}."


def _suspended_message(run: ChainProgress) -> str:
    left = sum(not stack.is_started and not stack.phase.is_over for stack in run.stacks)
    running = sum(stack.is_started and not stack.phase.is_over for stack in run.stacks)
    ends = f"; {_count(running)} in progress {'ends' if running == 1 else 'end'}" if running else ""
    then = "To continue, set `spec.suspend` to false."
    if run.is_abandoned:
        then = "The chain ends then, since its StackChain was deleted and no one can resume it."
    return (
        f"The chain is suspended: {_count(left)} {'is' if left == 1 else 'are'} not started"
        f"{ends}. {then}"
    )


def _failed_message(run: ChainProgress, failed: list[StackProgress]) -> str:
    canceled = " The chain was canceled." if run.is_canceling and not run.is_timed_out else ""
    passed = " Then the chain's deadline passed." if run.is_timed_out else ""
    return (
        f"{len(failed)} of {_count(len(run.stacks))} failed: {_ends(failed)}."
        f"{_skipped(run)}{canceled}{passed}"
    )


def _timed_out_message(run: ChainProgress, timed_out: list[StackProgress]) -> str:
    return (
        f"{len(timed_out)} of {_count(len(run.stacks))} timed out: {_ends(timed_out)}."
        f"{_skipped(run)}"
    )


def _deadline_message(run: ChainProgress) -> str:
    return (
        "`spec.activeDeadlineSeconds` passed when "
        f"{_well(run)} of {_count(len(run.stacks))} had succeeded; the other runs were stopped or "
        "never triggered."
    )


def _canceled_message(run: ChainProgress, canceled: list[StackProgress]) -> str:
    was = "was" if len(canceled) == 1 else "were"
    return (
        f"{len(canceled)} of {_count(len(run.stacks))} {was} canceled: {_ends(canceled)}."
        f"{_skipped(run)}"
    )


def _run_canceled_message(run: ChainProgress) -> str:
    return (
        f"{_why_canceled(run)} when {_well(run)} of {_count(len(run.stacks))} had succeeded; "
        "the other runs were stopped or never triggered."
    )


def _why_canceled(run: ChainProgress) -> str:
    if run.is_abandoned:
        return "The StackChain was deleted while it was suspended, which ended the chain"
    return "The chain was canceled"


def _lost_message(run: ChainProgress) -> str:
    lost = [stack for stack in run.stacks if stack.is_lost]
    had = "had not succeeded before, and is not in the chain any more"
    if len(lost) > 1:
        had = "had not succeeded before, and are not in the chain any more"
    names = _listed(wording.quoted(sorted(stack.id for stack in lost)), separator=", ")
    rest = len(run.stacks) - len(lost)
    return f"{_count(len(lost))} {had}: {names}. The other {_count(rest)} succeeded."


def _well(run: ChainProgress) -> int:
    return sum(
        stack.phase is Phase.SUCCEEDED or stack.reason == reasons.StackReason.OUTPUT_UNCHANGED
        for stack in run.stacks
    )


def _ends(stacks: list[StackProgress]) -> str:
    parts = [
        f"'{stack.id}': {stack.message[:_PART_CHARACTERS].rstrip('.')}{_link(stack)}"
        for stack in stacks
    ]
    return _listed(parts, separator="; ")


def _link(stack: StackProgress) -> str:
    return f" ({stack.run_url})" if stack.run_url else ""


def _listed(parts: Sequence[str], *, separator: str) -> str:
    """Join as many as a message has room for, so that what comes after them is not cut off."""
    return wording.listed(parts, most=_PARTS, characters=_LISTED_CHARACTERS, separator=separator)


def _skipped(run: ChainProgress) -> str:
    reason = reasons.StackReason
    dependent = sum(stack.reason == reason.UPSTREAM_NOT_SUCCEEDED for stack in run.stacks)
    unstarted = sum(stack.reason == reason.FAIL_FAST for stack in run.stacks)
    lost = sum(stack.is_lost for stack in run.stacks)
    text = ""
    if lost:
        text = (
            f" {_count(lost)} that had not succeeded before {'is' if lost == 1 else 'are'} not in "
            "the chain any more."
        )
    if dependent:
        text += (
            f" {dependent} dependent {'stack was' if dependent == 1 else 'stacks were'} skipped."
        )
    if unstarted:
        text += (
            f" {_count(unstarted)} {'was' if unstarted == 1 else 'were'} not started (FailFast)."
        )
    return text


def _succeeded_message(run: ChainProgress) -> str:
    unchanged = sum(stack.phase is Phase.SKIPPED for stack in run.stacks)
    kept = sum(stack.reason == reasons.StackReason.KEPT for stack in run.stacks)
    extra = f", {unchanged} skipped because no input changed" if unchanged else ""
    extra += f", {kept} of them in an earlier run" if kept else ""
    return f"{_count(len(run.stacks) - unchanged)} succeeded{extra}."


def _count(stacks: int) -> str:
    return wording.counted(stacks, "stack")
