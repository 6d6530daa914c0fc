"""What the stacks of a run amount to: the run's phase, its reason, and its words. Pure.

The code that knows which requests are possible adds what a person can do (`status.remedies`).
"""

import dataclasses
from collections.abc import Sequence

from controller import outside_text
from controller.api import reasons, v1alpha1, wording
from controller.api.v1alpha1 import Phase, StageWait
from controller.chain.run import attention, changes, gates, progress, stack_ends, windows
from controller.chain.run.progress import ChainProgress, StackProgress

_PARTS = 5


@dataclasses.dataclass(frozen=True, kw_only=True, slots=True)
class _Room:
    """How many characters a list of stacks, and each stack in it, may take.

    A status keeps 1,024 characters of a run's message, and lists share them.
    """

    listed: int = 560
    part: int = 240

    @classmethod
    def shared_by(cls, lists: int) -> "_Room":
        """Return the room of one of several lists."""
        return cls() if lists < 2 else cls(listed=780 // lists, part=300 // lists)


_WHOLE = _Room()

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
        return _meaning(Phase.FAILED, _Reason.STACK_FAILED, _failed_message(run))
    if run.is_timed_out and (timed_out or canceled):
        return _meaning(Phase.TIMED_OUT, _Reason.DEADLINE_EXCEEDED, _deadline_message(run))
    if timed_out:
        return _meaning(Phase.TIMED_OUT, _Reason.STACK_TIMED_OUT, _failed_message(run))
    if canceled and run.is_canceling:
        return _meaning(Phase.CANCELED, _Reason.RUN_CANCELED, _run_canceled_message(run))
    if canceled:
        return _meaning(Phase.CANCELED, _Reason.STACK_CANCELED, _bad_ends_message(run))
    if any(stack.is_lost for stack in run.stacks):
        reason = _Reason.STACKS_NO_LONGER_IN_CHAIN
        return _meaning(Phase.FAILED, reason, _lost_message(run))
    return _meaning(Phase.SUCCEEDED, _Reason.RUN_SUCCEEDED, _succeeded_message(run))


def _in_progress(run: ChainProgress) -> RunMeaning:
    """What needs a person shows at once, whatever else still runs.

    The phase and the reason are those of what waits. The summary also counts the stacks that did
    not succeed, so that neither hides the other.
    """
    if run.is_canceling:
        # No one should confirm now what is about to be discarded.
        return _meaning(Phase.RUNNING, _Reason.PROGRESSING, _canceling_message(run))
    message = _needs_message(run)
    is_suspended = run.is_suspended and has_unstarted_stacks(run)
    if is_suspended:
        message = f"{message} {_suspended_message(run)}".strip()
    if _in_phase(run, Phase.AWAITING_CONFIRMATION):
        return _meaning(Phase.AWAITING_CONFIRMATION, _Reason.AWAITING_CONFIRMATION, message)
    if is_suspended:
        phase = Phase.PENDING if progress.is_idle(run) else Phase.RUNNING
        return _meaning(phase, _Reason.SUSPENDED, message)
    if attention.to_approve(run.stages):
        return _meaning(Phase.RUNNING, _Reason.AWAITING_APPROVAL, message)
    if attention.blocked(run.stacks):
        return _meaning(Phase.RUNNING, _Reason.BLOCKED, message)
    if closed := _window_message(run):
        message = f"{message} {closed}".strip()
        return _meaning(Phase.RUNNING, bad_end_reason(run) or _Reason.WINDOW_CLOSED, message)
    return _meaning(
        Phase.RUNNING, bad_end_reason(run) or _Reason.PROGRESSING, message or _stage_message(run)
    )


def bad_end_reason(run: ChainProgress) -> _Reason | None:
    """Return the reason of Ready for the stacks that someone has to fix, while the run is live."""
    ended = {stack.phase for stack in attention.with_need(run.stacks, attention.Need.FIX)}
    for phase, reason in (
        (Phase.FAILED, _Reason.STACK_FAILED),
        (Phase.TIMED_OUT, _Reason.STACK_TIMED_OUT),
        (Phase.CANCELED, _Reason.STACK_CANCELED),
    ):
        if phase in ended:
            return reason
    return None


def has_unstarted_stacks(run: ChainProgress) -> bool:
    """Whether there are stacks that a suspended run keeps from starting."""
    return any(not stack.is_started and not stack.phase.is_over for stack in run.stacks)


def _in_phase(run: ChainProgress, phase: Phase) -> list[StackProgress]:
    return [stack for stack in run.stacks if stack.phase is phase]


# Words


def _needs_message(run: ChainProgress) -> str:
    """Say what needs a person: what did not succeed, what waits, and what is blocked.

    A stage that waits for its approval is always named, whatever else waits.
    """
    awaiting = _in_phase(run, Phase.AWAITING_CONFIRMATION)
    held = attention.blocked(run.stacks)
    stages = attention.to_approve(run.stages)
    room = _Room.shared_by(len(_bad_ends(run)) + bool(awaiting) + bool(held) + bool(stages))
    parts = []
    if _bad_ends(run):
        parts.append(f"{_bad_ends_text(run, room)}{_skipped(run)}")
    if awaiting:
        parts.append(_awaiting_message(awaiting, room))
    # One at a time: the stages behind it wait for its stacks.
    parts += [f"Stage '{stage.name}': {stage.message}" for stage in stages[:1]]
    if held:
        parts.append(_blocked_message(held, room))
    return " ".join(parts)


def _awaiting_message(awaiting: list[StackProgress], room: _Room) -> str:
    first = awaiting[0]
    if len(awaiting) > 1:
        links = [f"'{stack.id}'{_link(stack)}" for stack in awaiting]
        names = _listed(links, room, separator=", ")
        return f"The runs of {len(awaiting)} stacks wait for a person: {names}."
    act = "confirm or discard it"
    if first.reason == reasons.StackReason.NEEDS_APPROVAL:
        act = "approve or reject it"
    if first.reason == reasons.StackReason.LIMITS_EXCEEDED:
        return f"'{first.id}': {first.message.removesuffix('.')}{_link(first)}."
    return f"The run of '{first.id}' waits for a person to {act}{_link(first)}."


def _blocked_message(held: list[StackProgress], room: _Room) -> str:
    parts = [f"'{stack.id}': {_why_blocked(stack, room)}" for stack in held]
    return (
        f"{_count(len(held))} can continue only once someone outside of the chain acts: "
        f"{_listed(parts, room, separator='; ')}."
    )


def _why_blocked(stack: StackProgress, room: _Room) -> str:
    """Return the stack's message with its link, which a cut must not lose."""
    url = attention.link_of(stack)
    return f"{_shown(attention.message_of(stack), room)}{f' ({url})' if url else ''}"


def _canceling_message(run: ChainProgress) -> str:
    live = [f"'{s.id}'" for s in run.stacks if s.is_started and not s.phase.is_over]
    stops = (
        f"stops the runs of {_listed(live, _WHOLE, separator=', ')}" if live else "is about to end"
    )
    why = "The chain's deadline has passed" if run.is_timed_out else "The chain is being canceled"
    return f"{why}; it {stops}."


def _window_message(run: ChainProgress) -> str:
    """Return which window is waited for, once nothing else is in progress."""
    # What others have counts too: it starts once these are done with it.
    begun = [s for s in run.stacks if not s.phase.is_over and s.phase is not Phase.PENDING]
    held = [stack for stack in begun if stack.reason == reasons.StackReason.WINDOW_CLOSED]
    is_soaking = any(stage.waits_for == StageWait.SOAK for stage in run.stages)
    if len(held) < len(begun) or is_soaking:
        return ""
    found = [
        f"Stage '{stage.name}': {stage.message}"
        for stage in run.stages
        if stage.waits_for == StageWait.WINDOW
    ]
    if (window := gates.closed_window(run)) is not None:
        found.append(windows.closed_message(window.until))
    found += [f"'{stack.id}': {stack.message}" for stack in held]
    return found[0] if found else ""


def _stage_message(run: ChainProgress) -> str:
    """Return what the next stage waits for, and the other stacks, once nothing is in progress."""
    if not progress.is_idle(run):
        return ""
    waiting = [stage for stage in run.stages if stage.phase is Phase.WAITING]
    found = [f"Stage '{stage.name}': {stage.message}" for stage in waiting[:1]]
    if found and (window := gates.closed_window(run)) is not None:
        closed = windows.closed_text(window.until)
        found.append(f"Stacks without a stage wait for the chain's window, {closed}.")
    return " ".join(found)


def _suspended_message(run: ChainProgress) -> str:
    left = sum(not stack.is_started and not stack.phase.is_over for stack in run.stacks)
    running = sum(stack.is_started and not stack.phase.is_over for stack in run.stacks)
    ends = f"; {_count(running)} in progress will finish" if running else ""
    then = "To continue, set `spec.suspend` to false."
    if run.is_abandoned:
        then = "The chain then ends, since its StackChain was deleted and no one can resume it."
    return (
        f"The chain is suspended: {_count(left)} {'does' if left == 1 else 'do'} not start"
        f"{ends}. {then}"
    )


def _failed_message(run: ChainProgress) -> str:
    canceled = " The chain was canceled." if run.is_canceling and not run.is_timed_out else ""
    passed = " Then the chain's deadline passed." if run.is_timed_out else ""
    found = changes.planned_text(run) if run.operation == v1alpha1.Operation.PLAN else ""
    return f"{_bad_ends_message(run)}{canceled}{passed}{f' {found}' if found else ''}"


def _bad_ends_message(run: ChainProgress) -> str:
    return f"{_bad_ends_text(run, _Room.shared_by(len(_bad_ends(run))))}{_skipped(run)}"


def _bad_ends(run: ChainProgress) -> list[tuple[str, list[StackProgress]]]:
    """Return the stacks that did not succeed on their own account, by how they ended."""
    ended = attention.with_need(run.stacks, attention.Need.FIX)
    words = {
        Phase.FAILED: ("failed", "failed"),
        Phase.TIMED_OUT: ("timed out", "timed out"),
        Phase.CANCELED: ("was canceled", "were canceled"),
    }
    found = []
    for phase, (one, many) in words.items():
        stacks = [stack for stack in ended if stack.phase is phase]
        if stacks:
            found.append((one if len(stacks) == 1 else many, stacks))
    return found


def _bad_ends_text(run: ChainProgress, room: _Room) -> str:
    total = _count(len(run.stacks))
    return " ".join(
        f"{len(stacks)} of {total} {ended}: {_ends(stacks, room)}."
        for ended, stacks in _bad_ends(run)
    )


def _deadline_message(run: ChainProgress) -> str:
    return (
        "`spec.activeDeadlineSeconds` passed when "
        f"{_well(run)} of {_count(len(run.stacks))} had succeeded; the other runs were stopped or "
        f"never triggered.{_ended_before(run)}"
    )


def _run_canceled_message(run: ChainProgress) -> str:
    return (
        f"{_why_canceled(run)} when {_well(run)} of {_count(len(run.stacks))} had succeeded; "
        f"the other runs were stopped or never triggered.{_ended_before(run)}"
    )


def _ended_before(run: ChainProgress) -> str:
    """Name the stacks that failed before the chain was ended: someone has to fix them."""
    text = _bad_ends_text(run, _Room.shared_by(len(_bad_ends(run))))
    return f" {text}" if text else ""


def _why_canceled(run: ChainProgress) -> str:
    if run.is_abandoned:
        return "The StackChain was deleted while it was suspended, which ended the chain"
    if run.unapproved_stage:
        return (
            f"The StackChain was deleted before stage '{run.unapproved_stage}' was approved, which "
            "ended the chain"
        )
    return "The chain was canceled"


def _lost_message(run: ChainProgress) -> str:
    lost = [stack for stack in run.stacks if stack.is_lost]
    had = "had not succeeded before, and is not in the chain anymore"
    if len(lost) > 1:
        had = "had not succeeded before, and are not in the chain anymore"
    names = _listed(wording.quoted(sorted(stack.id for stack in lost)), _WHOLE, separator=", ")
    rest, well = len(run.stacks) - len(lost), _well(run)
    others = "The other" if well == rest else f"{well} of the other"
    return f"{_count(len(lost))} {had}: {names}. {others} {_count(rest)} succeeded."


def _well(run: ChainProgress) -> int:
    return sum(stack_ends.ended_well(stack) for stack in run.stacks)


def _ends(stacks: list[StackProgress], room: _Room) -> str:
    parts = [f"'{stack.id}': {_shown(stack.message, room)}{_link(stack)}" for stack in stacks]
    return _listed(parts, room, separator="; ")


def _shown(message: str, room: _Room) -> str:
    return outside_text.shortened(message.rstrip("."), room.part)


def _link(stack: StackProgress) -> str:
    return f" ({stack.run_url})" if stack.run_url else ""


def _listed(parts: Sequence[str], room: _Room, *, separator: str) -> str:
    """Join as many as fit into a message, so that what comes after them is not cut off."""
    return wording.listed(parts, most=_PARTS, characters=room.listed, separator=separator)


def _skipped(run: ChainProgress) -> str:
    reason = reasons.StackReason
    dependent = sum(stack.reason == reason.UPSTREAM_NOT_SUCCEEDED for stack in run.stacks)
    later = sum(stack.reason == reason.STAGE_NOT_SUCCEEDED for stack in run.stacks)
    unstarted = sum(stack.reason == reason.FAIL_FAST for stack in run.stacks)
    lost = sum(stack.is_lost for stack in run.stacks)
    text = ""
    if lost:
        text = (
            f" {_count(lost)} that had not succeeded before {'is' if lost == 1 else 'are'} not "
            "in the chain anymore."
        )
    if dependent:
        text += (
            f" {dependent} dependent {'stack was' if dependent == 1 else 'stacks were'} skipped."
        )
    if later:
        text += f" {_count(later)} of later stages {'was' if later == 1 else 'were'} skipped."
    if unstarted:
        text += (
            f" {_count(unstarted)} {'was' if unstarted == 1 else 'were'} not started (FailFast)."
        )
    return text


def _succeeded_message(run: ChainProgress) -> str:
    reason = reasons.StackReason
    unchanged = sum(stack.reason == reason.OUTPUT_UNCHANGED for stack in run.stacks)
    bypassed = [stack.id for stack in run.stacks if stack.reason == reason.BYPASSED]
    kept = sum(stack.reason == reasons.StackReason.KEPT for stack in run.stacks)
    extra = f", {unchanged} skipped because no input changed" if unchanged else ""
    extra += f", {kept} of them in an earlier run" if kept else ""
    names = _listed(wording.quoted(bypassed), _WHOLE, separator=", ")
    vouched = f"bypassed since a person vouches for them: {names}"
    found = changes.planned_text(run) if run.operation == v1alpha1.Operation.PLAN else ""
    if found:
        found += f" {_count(kept)} had been planned in an earlier run." if kept else ""
        was = "was" if len(bypassed) == 1 else "were"
        return f"{found} {_count(len(bypassed))} {was} {vouched}." if bypassed else found
    extra += f", {len(bypassed)} {vouched}" if bypassed else ""
    return f"{_count(len(run.stacks) - unchanged - len(bypassed))} succeeded{extra}."


def _count(stacks: int) -> str:
    return wording.counted(stacks, "stack")
