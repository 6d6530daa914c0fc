"""What a chain run knows of itself: plain facts, changed by the workflow, projected to status.

One serialisable object, so that it can be a query's answer, the workflow's result, and the
input of a later execution alike. Times are RFC 3339 texts in UTC.
"""

import dataclasses

from controller.api import reasons, v1alpha1
from controller.chain import graph


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
    if not is_over(progress):
        awaiting = [s for s in progress.stacks if s.phase is v1alpha1.Phase.AWAITING_CONFIRMATION]
        if awaiting:
            _set(
                progress,
                v1alpha1.Phase.AWAITING_CONFIRMATION,
                reasons.ChainReason.AWAITING_CONFIRMATION,
                _awaiting_message(awaiting),
            )
        else:
            _set(progress, v1alpha1.Phase.RUNNING, reasons.ChainReason.PROGRESSING, "")
        return
    failed = [s for s in progress.stacks if s.phase is v1alpha1.Phase.FAILED]
    canceled = [s for s in progress.stacks if s.phase is v1alpha1.Phase.CANCELED]
    if failed:
        _set(
            progress,
            v1alpha1.Phase.FAILED,
            reasons.ChainReason.STACK_FAILED,
            _failed_message(progress, failed),
        )
    elif progress.is_canceling and canceled:
        _set(
            progress,
            v1alpha1.Phase.CANCELED,
            reasons.ChainReason.RUN_CANCELED,
            "The chain was canceled; its Spacelift runs were stopped. To run again set the "
            f"annotation `{v1alpha1.RUN_ANNOTATION}` to a new text.",
        )
    elif canceled:
        _set(
            progress,
            v1alpha1.Phase.CANCELED,
            reasons.ChainReason.STACK_CANCELED,
            _failed_message(progress, canceled),
        )
    else:
        _set(
            progress,
            v1alpha1.Phase.SUCCEEDED,
            reasons.ChainReason.RUN_SUCCEEDED,
            _succeeded_message(progress),
        )


def _set(
    progress: ChainProgress, phase: v1alpha1.Phase, reason: reasons.ChainReason, message: str
) -> None:
    progress.phase, progress.reason, progress.message = phase, reason, message


def _awaiting_message(awaiting: list[StackProgress]) -> str:
    first = awaiting[0]
    more = f" and {len(awaiting) - 1} more" if len(awaiting) > 1 else ""
    link = f": {first.run_url}" if first.run_url else ""
    act = (
        "needs approval"
        if first.reason == reasons.StackReason.NEEDS_APPROVAL
        else ("waits for a person to confirm or discard it")
    )
    return f"The run of '{first.id}'{more} {act}{link}"


def _failed_message(progress: ChainProgress, ended: list[StackProgress]) -> str:
    parts = [
        f"'{stack.id}': {stack.message}" + (f" {stack.run_url}" if stack.run_url else "")
        for stack in ended[:3]
    ]
    more = f" (and {len(ended) - 3} more)" if len(ended) > 3 else ""
    skipped = sum(
        stack.reason == reasons.StackReason.UPSTREAM_NOT_SUCCEEDED for stack in progress.stacks
    )
    tail = f" {skipped} dependent stack{'s' * (skipped != 1)} skipped." if skipped else ""
    verb = "failed" if ended[0].phase is v1alpha1.Phase.FAILED else "canceled"
    return (
        f"{len(ended)} of {len(progress.stacks)} stacks {verb}: "
        + "; ".join(parts)
        + more
        + "."
        + tail
        + f" Mend the cause, then set the annotation `{v1alpha1.RUN_ANNOTATION}` to a new "
        "text to run again."
    )


def _succeeded_message(progress: ChainProgress) -> str:
    unchanged = sum(stack.phase is v1alpha1.Phase.SKIPPED for stack in progress.stacks)
    done = len(progress.stacks) - unchanged
    extra = f", {unchanged} skipped because no input changed" if unchanged else ""
    return f"{done} stack{'s' * (done != 1)} succeeded{extra}."
