"""What each stage of a run waits for before its stacks may start: since when, and until when. Pure.

A stage waits for one thing at a time: first for the stacks of all earlier stages to succeed, then
for its soak time since then, then for its approval, then for its window. A stage that has started
waits for its window again if the window closes. Only the approval is kept (ADR 0054), and what was
read of windows (ADR 0055); all else follows from the stacks. A plan changes nothing, so none of its
stages wait (ADR 0053).
"""

import datetime
from collections.abc import Iterable, Mapping, Sequence

from controller import times
from controller.api import v1alpha1, wording
from controller.api.v1alpha1 import Phase, StageWait
from controller.chain.graph import selection
from controller.chain.run import attention, policy, progress, stack_ends, windows
from controller.chain.run.progress import (
    ChainProgress,
    StackProgress,
    StageProgress,
    WindowProgress,
)


def stages_of(
    stages: Sequence[v1alpha1.Stage], operation: v1alpha1.Operation
) -> list[StageProgress]:
    """Return the stages in the order in which they run; to destroy, that is the reverse.

    The soak time of a stage comes between it and the one that the spec lists before it, whichever
    of the two runs first.
    """
    soaks = [stage.soak_seconds for stage in stages]
    ordered = list(stages)
    if operation is v1alpha1.Operation.DESTROY:
        ordered, soaks = ordered[::-1], [0, *soaks[:0:-1]][: len(soaks)]
    return [
        StageProgress(
            name=stage.name,
            soak_seconds=soak,
            needs_approval=stage.approval is v1alpha1.StageApproval.REQUIRED,
        )
        for stage, soak in zip(ordered, soaks, strict=True)
    ]


def add_windows(run: ChainProgress, scope: selection.Scope) -> None:
    """Give the stages, and the stacks without one, their windows, which are not read yet."""
    for stage in run.stages:
        if scope.windows_of(stage.name):
            stage.window = WindowProgress(until=run.start_time)
    if scope.windows_of(""):
        run.window = WindowProgress(until=run.start_time)


def take_windows(
    run: ChainProgress, states: Mapping[str, windows.WindowState], *, now: str
) -> None:
    """Take in the state of the windows, by stage; "" is for the stacks without one."""
    for name, window in _windows(run).items():
        state = states[name]
        window.is_open, window.until = state.is_open, state.until
        window.since = None if state.is_open else window.since or now


def take_refusal(run: ChainProgress, stack: StackProgress, opens_at: str, *, now: str) -> None:
    """Take in that a stack was given back because its window is closed until then.

    The worker that refused it is believed, whatever was read: zone data differs between workers,
    and the stack would be started and given back over and over.
    """
    window = _window_of(run, stack.stage)
    if window is not None:
        window.is_open, window.until = False, opens_at
        window.since = window.since or now


def must_read_windows(run: ChainProgress) -> bool:
    """Whether a stack could start now, except for a window whose state is not known."""
    return any(window.holds_back and window.is_stale for window in _windows(run).values())


def is_held_back(run: ChainProgress, stack: StackProgress) -> bool:
    """Whether the window of a stack keeps it from starting now."""
    window = _window_of(run, stack.stage)
    return window is not None and window.holds_back


def closed_window(run: ChainProgress) -> WindowProgress | None:
    """Return the window for which stacks without a stage wait now, if they do."""
    window = run.window
    return window if window is not None and _is_waited_for(window) else None


def _windows(run: ChainProgress) -> dict[str, WindowProgress]:
    of_stages = {stage.name: stage.window for stage in run.stages}
    found = of_stages | {"": run.window}
    return {name: window for name, window in found.items() if window is not None}


def _window_of(run: ChainProgress, stage: str) -> WindowProgress | None:
    return _windows(run).get(stage)


def _is_waited_for(window: WindowProgress) -> bool:
    return window.holds_back and not window.is_stale


def _look_at(window: WindowProgress, *, is_due: bool, now: datetime.datetime) -> None:
    """Say of a window whether it holds back stacks that could start now."""
    window.is_stale = now >= _instant(window.until)
    window.holds_back = is_due and (window.is_stale or not window.is_open)


def update(run: ChainProgress, *, now: datetime.datetime) -> None:
    """Say of each stage how far it is, and what it waits for now."""
    earlier: list[StackProgress] = []
    by_stage, due = _by_stage(run), _due(run)
    if run.window is not None:
        is_due = any(stack.stage not in by_stage for stack in due)
        _look_at(run.window, is_due=is_due, now=now)
    for stage in run.stages:
        stacks = by_stage[stage.name]
        stage.stacks, stage.succeeded = len(stacks), sum(map(stack_ends.ended_well, stacks))
        stage.waits_for, stage.message, stage.since, stage.until = "", "", None, None
        if not stacks:
            stage.message = "No stack of the chain belongs to it."
        elif run.operation != v1alpha1.Operation.PLAN and not all(s.phase.is_over for s in stacks):
            _set_wait(stage, stacks, earlier, run, now=now)
        if stage.window is not None:
            is_due = not stage.waits_for and any(stack.stage == stage.name for stack in due)
            _look_at(stage.window, is_due=is_due, now=now)
            if _is_waited_for(stage.window):
                stage.waits_for = StageWait.WINDOW
                stage.since, stage.until = stage.window.since, stage.window.until
                stage.message = windows.closed_message(stage.window.until)
        stage.phase = _phase(stage, stacks)
        earlier += stacks


def next_time(run: ChainProgress) -> str | None:
    """Return when a stage has waited long enough, or a window opens, if one waits for a time."""
    times_of_stages = [stage.until for stage in run.stages]
    window = closed_window(run)
    known = [*times_of_stages, window.until if window is not None else None]
    return min((until for until in known if until), default=None)


def waiting(run: ChainProgress) -> dict[str, StageProgress]:
    """Return the stages whose stacks may not start, by name."""
    return {stage.name: stage for stage in run.stages if stage.waits_for}


def empty(run: ChainProgress) -> list[str]:
    """Return the names of the stages to which no stack belongs."""
    return [stage.name for stage in run.stages if not stage.stacks]


def next_unapproved(run: ChainProgress) -> str:
    """Return the next stage that does not start before a person has approved it; empty: none."""
    if run.operation == v1alpha1.Operation.PLAN:
        return ""
    by_stage = _by_stage(run)
    unapproved = (stage for stage in run.stages if stage.needs_approval and not stage.approved_at)
    return next((one.name for one in unapproved if _is_to_begin(by_stage[one.name])), "")


def _is_to_begin(stacks: Sequence[StackProgress]) -> bool:
    is_begun = any(stack.is_started for stack in stacks)
    return not is_begun and any(not stack.phase.is_over for stack in stacks)


def unapprovable_stage(run: ChainProgress) -> str:
    """Return the stage whose approval is all that an orphan waits for; empty: there is none.

    Approvals are set on the resource, which is gone, so no one can approve (ADR 0044).
    """
    waiting = attention.to_approve(run.stages)
    if not (run.is_orphan and waiting and progress.is_idle(run)):
        return ""
    for_good = (StageWait.APPROVAL, StageWait.EARLIER_STAGES)
    held = {stage.name for stage in run.stages if stage.waits_for in for_good}
    # What others have starts once these are done with it (ADR 0018).
    set_aside = [stack for stack in run.stacks if stack.phase is Phase.WAITING]
    may_start = any(stack.stage not in held for stack in (*_due(run), *set_aside))
    return "" if may_start else waiting[0].name


def _due(run: ChainProgress) -> list[StackProgress]:
    """Return the stacks that only their stages and windows keep from starting now."""
    by_id = {stack.id: stack for stack in run.stacks}
    return [
        stack
        for stack in run.stacks
        if stack.phase is Phase.PENDING
        and not stack.is_started
        and all(stack_ends.ended_well(by_id[upstream]) for upstream in policy.awaited(run, stack))
    ]


def _by_stage(run: ChainProgress) -> dict[str, list[StackProgress]]:
    found: dict[str, list[StackProgress]] = {stage.name: [] for stage in run.stages}
    for stack in run.stacks:
        if stack.stage in found:
            found[stack.stage].append(stack)
    return found


def _set_wait(
    stage: StageProgress,
    stacks: Iterable[StackProgress],
    earlier: Sequence[StackProgress],
    run: ChainProgress,
    *,
    now: datetime.datetime,
) -> None:
    left = [stack for stack in earlier if not stack_ends.ended_well(stack)]
    if left:
        names = list(dict.fromkeys(stack.stage for stack in left))
        stage.waits_for, stage.since = StageWait.EARLIER_STAGES, run.resolved_time
        stage.message = (
            f"Waits for {wording.counted(len(left), 'stack')} of the earlier "
            f"{'stage' if len(names) == 1 else 'stages'} "
            f"{wording.listed(wording.quoted(names), most=5)} to succeed."
        )
        return
    if any(stack.is_started for stack in stacks):
        return
    since = max((stack.completion_time or "" for stack in earlier), default="")
    if stage.soak_seconds and since:
        until = _instant(since) + datetime.timedelta(seconds=stage.soak_seconds)
        if now < until:
            stage.waits_for, stage.since = StageWait.SOAK, since
            stage.until = times.rfc3339(until)
            stage.message = (
                f"Waits for its soak time of {wording.counted(stage.soak_seconds, 'second')} "
                f"(`soakSeconds`) until {stage.until}."
            )
            return
        since = times.rfc3339(until)
    if stage.needs_approval and stage.approved_at is None:
        stage.waits_for, stage.since = StageWait.APPROVAL, since or run.resolved_time
        stage.message = (
            f"Waits for a person to approve it: set the annotation `{v1alpha1.APPROVE_ANNOTATION}` "
            f'to "{run.number}: {stage.name}".'
        )


def approve(run: ChainProgress, names: Sequence[str], *, now: str) -> str:
    """Note that a person has approved stages; returns the message about it."""
    for stage in run.stages:
        if stage.name in names:
            stage.approved_at = now
    return f"Approved: {wording.listed(wording.quoted(names), most=len(names))}."


def why_not_approved(run: ChainProgress, names: Sequence[str]) -> str:
    """Return why stages cannot be approved now, as the end of a sentence; "" if they can."""
    stages = {stage.name: stage for stage in run.stages}
    if unknown := wording.why_unknown(names, stages, where=f"a stage of run {run.number}"):
        return unknown
    return "; ".join(filter(None, (_why_not_approved(stages[name]) for name in names)))


def _why_not_approved(stage: StageProgress) -> str:
    name = stage.name
    if stage.approved_at is not None:
        return f"stage '{name}' is already approved"
    if not stage.needs_approval:
        return f"stage '{name}' needs no approval"
    if stage.waits_for == StageWait.APPROVAL:
        return ""
    if stage.waits_for:
        waits = f"{stage.message[0].lower()}{stage.message[1:].rstrip('.')}"
        return f"stage '{name}' cannot be approved yet: it {waits}"
    return f"stage '{name}' is {stage.phase} and is not waiting for approval"


def _phase(stage: StageProgress, stacks: Sequence[StackProgress]) -> Phase:
    if not all(stack.phase.is_over for stack in stacks):
        is_idle = not any(stack.is_started and not stack.phase.is_over for stack in stacks)
        if stage.waits_for and is_idle:
            return Phase.PENDING if stage.waits_for == StageWait.EARLIER_STAGES else Phase.WAITING
        awaits = any(stack.phase is Phase.AWAITING_CONFIRMATION for stack in stacks)
        return Phase.AWAITING_CONFIRMATION if awaits else Phase.RUNNING
    if all(map(stack_ends.ended_well, stacks)):
        return Phase.SUCCEEDED if stacks else Phase.SKIPPED
    ends = {stack.phase for stack in stacks}
    for end in (Phase.FAILED, Phase.TIMED_OUT, Phase.CANCELED):
        if end in ends:
            return end
    return Phase.SKIPPED


def _instant(text: str) -> datetime.datetime:
    return datetime.datetime.fromisoformat(text)
