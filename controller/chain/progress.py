"""What a chain run knows of itself: plain facts, changed by the workflow, projected to status.

One serialisable object, so that it can be a query's answer, the workflow's result, and the
input of a later execution alike. Times are RFC 3339 texts in UTC.
"""

import dataclasses

from controller.api import reasons, v1alpha1
from controller.chain import graph

# A status keeps 1,024 characters of a run's message; what to do stands at its end.
_LISTED_CHARACTERS = 600
_PART_CHARACTERS = 240
_PARTS = 5


@dataclasses.dataclass(kw_only=True, slots=True)
class StackProgress:
    """One stack of the run. `is_started` says that an execution was started for it."""

    id: str
    name: str
    level: int
    depends_on: list[str]
    phase: v1alpha1.Phase = v1alpha1.Phase.PENDING
    reason: str = ""
    message: str = ""
    blocked_by: str | None = None
    is_started: bool = False
    adopts_from: str | None = None
    run_id: str | None = None
    run_state: str | None = None
    run_url: str | None = None
    started_at: str | None = None
    completed_at: str | None = None
    added: int | None = None
    changed: int | None = None
    deleted: int | None = None


@dataclasses.dataclass(kw_only=True, slots=True)
class ChainProgress:
    """One run of a chain. `sequence` grows with every change.

    `problem_reason` is set while something keeps the run from going on that may pass by itself.
    """

    number: int
    attempt: int
    trigger: str
    generation: int
    parallelism: int
    started_at: str
    sequence: int = 0
    phase: v1alpha1.Phase = v1alpha1.Phase.PENDING
    reason: str = ""
    message: str = ""
    problem_reason: str = ""
    problem_message: str = ""
    is_canceling: bool = False
    resolved_at: str | None = None
    completed_at: str | None = None
    edges: int = 0
    levels: int = 0
    stacks: list[StackProgress] = dataclasses.field(default_factory=list)


@dataclasses.dataclass(frozen=True, kw_only=True, slots=True)
class StackReport:
    """What is news of a stack's execution; the same report twice changes nothing."""

    stack_id: str
    phase: v1alpha1.Phase
    reason: str
    message: str = ""
    run_id: str | None = None
    run_state: str | None = None
    run_url: str | None = None
    added: int | None = None
    changed: int | None = None
    deleted: int | None = None


def adopt_graph(progress: ChainProgress, resolved: graph.ChainGraph, *, now: str) -> None:
    """Fill in the stacks of a resolved graph."""
    progress.stacks = [
        StackProgress(
            id=stack.id,
            name=stack.name,
            level=stack.level,
            depends_on=list(stack.depends_on),
            adopts_from=stack.adopts_from,
        )
        for stack in resolved.stacks
    ]
    progress.edges, progress.levels = resolved.edges, resolved.levels
    progress.resolved_at = now
    progress.phase = v1alpha1.Phase.RUNNING
    progress.reason = reasons.ChainReason.PROGRESSING


def apply_report(stack: StackProgress, report: StackReport, *, now: str) -> bool:
    """Take over a report; returns whether anything changed. What is over stays over."""
    if stack.phase.is_over:
        return False
    before = dataclasses.astuple(stack)
    stack.phase, stack.reason, stack.message = report.phase, report.reason, report.message
    stack.run_id = report.run_id or stack.run_id
    stack.run_url = report.run_url or stack.run_url
    stack.run_state = report.run_state
    if report.added is not None:
        stack.added, stack.changed, stack.deleted = report.added, report.changed, report.deleted
    if stack.run_id and stack.started_at is None:
        stack.started_at = now
    if stack.phase.is_over:
        stack.completed_at = now
    return dataclasses.astuple(stack) != before


def is_over(progress: ChainProgress) -> bool:
    """Whether every stack has ended."""
    return all(stack.phase.is_over for stack in progress.stacks)


def settle(progress: ChainProgress) -> None:
    """Set the chain's phase, reason and message from its stacks."""
    phase, reason = v1alpha1.Phase, reasons.ChainReason
    if not is_over(progress):
        _set_in_progress(progress)
        return
    failed = [s for s in progress.stacks if s.phase is phase.FAILED]
    canceled = [s for s in progress.stacks if s.phase is phase.CANCELED]
    if failed:
        _set(progress, phase.FAILED, reason.STACK_FAILED, _failed_message(progress, failed))
    elif canceled and progress.is_canceling:
        _set(progress, phase.CANCELED, reason.RUN_CANCELED, _run_canceled_message(progress))
    elif canceled:
        message = _canceled_message(progress, canceled)
        _set(progress, phase.CANCELED, reason.STACK_CANCELED, message)
    else:
        _set(progress, phase.SUCCEEDED, reason.RUN_SUCCEEDED, _succeeded_message(progress))


def _set_in_progress(progress: ChainProgress) -> None:
    """A stack that waits for a person shows at once, whatever else still runs."""
    phase, reason = v1alpha1.Phase, reasons.ChainReason
    awaiting = [s for s in progress.stacks if s.phase is phase.AWAITING_CONFIRMATION]
    if progress.is_canceling:
        # Nobody should confirm now what is about to be discarded.
        _set(progress, phase.RUNNING, reason.PROGRESSING, _canceling_message(progress))
    elif awaiting:
        message = _awaiting_message(awaiting)
        _set(progress, phase.AWAITING_CONFIRMATION, reason.AWAITING_CONFIRMATION, message)
    else:
        _set(progress, phase.RUNNING, reason.PROGRESSING, "")


def _set(
    progress: ChainProgress, phase: v1alpha1.Phase, reason: reasons.ChainReason, message: str
) -> None:
    progress.phase, progress.reason, progress.message = phase, reason, message


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


def _canceling_message(progress: ChainProgress) -> str:
    live = [f"'{s.id}'" for s in progress.stacks if s.is_started and not s.phase.is_over]
    stops = f"stops the runs of {_listed(live, separator=', ')}" if live else "is about to end"
    return f"The chain is being canceled; it {stops}."


def _failed_message(progress: ChainProgress, failed: list[StackProgress]) -> str:
    canceled = " The chain was canceled." if progress.is_canceling else ""
    return (
        f"{len(failed)} of {_count(len(progress.stacks))} failed: {_ends(failed)}."
        f"{_skipped(progress)}{canceled} Mend the cause, then set the annotation "
        f"`{v1alpha1.RUN_ANNOTATION}` to a new text to run again."
    )


def _canceled_message(progress: ChainProgress, canceled: list[StackProgress]) -> str:
    was = "was" if len(canceled) == 1 else "were"
    return (
        f"{len(canceled)} of {_count(len(progress.stacks))} {was} canceled: {_ends(canceled)}."
        f"{_skipped(progress)} If that was not meant, set the annotation "
        f"`{v1alpha1.RUN_ANNOTATION}` to a new text to run again."
    )


def _run_canceled_message(progress: ChainProgress) -> str:
    well = sum(
        stack.phase is v1alpha1.Phase.SUCCEEDED
        or stack.reason == reasons.StackReason.OUTPUT_UNCHANGED
        for stack in progress.stacks
    )
    return (
        f"The chain was canceled when {well} of {_count(len(progress.stacks))} had ended well; the "
        "other runs were stopped or never triggered. To run again set the annotation "
        f"`{v1alpha1.RUN_ANNOTATION}` to a new text."
    )


def _ends(stacks: list[StackProgress]) -> str:
    parts = [
        f"'{stack.id}': {stack.message[:_PART_CHARACTERS].rstrip('.')}{_link(stack)}"
        for stack in stacks
    ]
    return _listed(parts, separator="; ")


def _link(stack: StackProgress) -> str:
    return f" ({stack.run_url})" if stack.run_url else ""


def _listed(parts: list[str], *, separator: str) -> str:
    """Join as many as a message has room for, so that the remedy after them is not cut off."""
    shown = parts[:1]
    for part in parts[1:_PARTS]:
        if sum(map(len, shown)) + len(part) > _LISTED_CHARACTERS:
            break
        shown.append(part)
    left = len(parts) - len(shown)
    return separator.join(shown) + (f" and {left} more" if left else "")


def _skipped(progress: ChainProgress) -> str:
    skipped = sum(
        stack.reason == reasons.StackReason.UPSTREAM_NOT_SUCCEEDED for stack in progress.stacks
    )
    if not skipped:
        return ""
    return f" {skipped} dependent {'stack was' if skipped == 1 else 'stacks were'} skipped."


def _succeeded_message(progress: ChainProgress) -> str:
    unchanged = sum(stack.phase is v1alpha1.Phase.SKIPPED for stack in progress.stacks)
    extra = f", {unchanged} skipped because no input changed" if unchanged else ""
    return f"{_count(len(progress.stacks) - unchanged)} succeeded{extra}."


def _count(stacks: int) -> str:
    return f"{stacks} stack{'s' * (stacks != 1)}"
