"""What each stage of a run waits for before its stacks may start: since when, and until when. Pure.

A stage waits for one thing at a time: first for the stacks of all earlier stages to succeed, then
for its soak time since then, then for its approval. Only the approval is kept (ADR 0054), all
else follows from the stacks. A plan changes nothing, so no stage of one waits (ADR 0053).
"""

import datetime
from collections.abc import Iterable, Sequence

from controller import times
from controller.api import v1alpha1, wording
from controller.api.v1alpha1 import Phase, StageWait
from controller.chain.run import policy
from controller.chain.run.progress import ChainProgress, StackProgress, StageProgress


def stages_of(
    stages: Sequence[v1alpha1.Stage], operation: v1alpha1.Operation
) -> list[StageProgress]:
    """Return the stages in the order in which they run; to destroy, that is the reverse.

    The soak time of a stage lies between it and the one that the spec lists before it, whichever of
    the two comes first.
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


def update(run: ChainProgress, *, now: datetime.datetime) -> None:
    """Say of each stage how far it is, and what it waits for now."""
    earlier: list[StackProgress] = []
    by_stage = _by_stage(run)
    for stage in run.stages:
        stacks = by_stage[stage.name]
        stage.stacks, stage.succeeded = len(stacks), sum(map(policy.ended_well, stacks))
        stage.waits_for, stage.message, stage.since, stage.until = "", "", None, None
        if not stacks:
            stage.message = "No stack of the chain belongs to it."
        elif run.operation != v1alpha1.Operation.PLAN and not all(s.phase.is_over for s in stacks):
            _set_wait(stage, stacks, earlier, run, now=now)
        stage.phase = _phase(stage, stacks)
        earlier += stacks


def next_time(run: ChainProgress) -> str | None:
    """Return when a stage has waited long enough, if one waits for a time."""
    return min((stage.until for stage in run.stages if stage.until), default=None)


def waiting(run: ChainProgress) -> dict[str, StageProgress]:
    """Return the stages whose stacks may not start, by name."""
    return {stage.name: stage for stage in run.stages if stage.waits_for}


def empty(run: ChainProgress) -> list[str]:
    """Return the names of the stages to which no stack belongs."""
    return [stage.name for stage in run.stages if not stage.stacks]


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
    left = [stack for stack in earlier if not policy.ended_well(stack)]
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
    """Note that a person has approved stages; returns what is said of it."""
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
        return f"stage '{name}' has been approved already"
    if not stage.needs_approval:
        return f"stage '{name}' needs no approval"
    if stage.waits_for == StageWait.APPROVAL:
        return ""
    if stage.waits_for:
        waits = f"{stage.message[0].lower()}{stage.message[1:].rstrip('.')}"
        return f"stage '{name}' cannot be approved yet: it {waits}"
    return f"stage '{name}' is {stage.phase} and does not wait for approval"


def _phase(stage: StageProgress, stacks: Sequence[StackProgress]) -> Phase:
    if not all(stack.phase.is_over for stack in stacks):
        if stage.waits_for:
            return Phase.PENDING if stage.waits_for == StageWait.EARLIER_STAGES else Phase.WAITING
        awaits = any(stack.phase is Phase.AWAITING_CONFIRMATION for stack in stacks)
        return Phase.AWAITING_CONFIRMATION if awaits else Phase.RUNNING
    if all(map(policy.ended_well, stacks)):
        return Phase.SUCCEEDED if stacks else Phase.SKIPPED
    ends = {stack.phase for stack in stacks}
    for end in (Phase.FAILED, Phase.TIMED_OUT, Phase.CANCELED):
        if end in ends:
            return end
    return Phase.SKIPPED


def _instant(text: str) -> datetime.datetime:
    return datetime.datetime.fromisoformat(text)
