"""What the end of one stack means for the others. Pure.

`Succeeded`, and `Skipped` because no output changed or a person vouches for the stack, release the
dependents. Any other end skips all transitive dependents, and if the stack has a stage the stacks
of all later stages, each with the stack that caused it; `FailFast` keeps all others from starting
too. A plan changes nothing, so its stacks wait for no other (ADR 0038).
"""

import dataclasses
from collections.abc import Mapping, Sequence

from controller.api import reasons, v1alpha1
from controller.api.v1alpha1 import FailurePolicy
from controller.chain.run import progress, stack_ends


def awaited(chain: progress.ChainProgress, stack: progress.StackProgress) -> Sequence[str]:
    """Return the ids of the stacks that have to succeed before this one may start."""
    return () if chain.operation == v1alpha1.Operation.PLAN else stack.depends_on


def skip_unwanted(chain: progress.ChainProgress, *, now: str) -> list[str]:
    """Skip what can no longer run, since some stack did not succeed; returns the ids."""
    skipped: list[str] = []
    # What is skipped in a stage may be the first that is, and keep stacks of later ones from
    # running, whose levels may be lower.
    while found := _skip_unwanted(chain, now=now):
        skipped += found
    return skipped


def _skip_unwanted(chain: progress.ChainProgress, *, now: str) -> list[str]:
    """Stacks are sorted by level, so one pass reaches the transitive dependents."""
    by_id = {stack.id: stack for stack in chain.stacks}
    is_fail_fast = chain.policies.failure_policy == FailurePolicy.FAIL_FAST
    failed = first_failed(chain) if is_fail_fast else None
    culprits = _stage_culprits(chain, by_id)
    skipped: list[str] = []
    for stack in chain.stacks:
        if stack.is_started or stack.phase.is_over:
            continue
        culprit = _culprit(awaited(chain, stack), by_id)
        if culprit is not None:
            reason = reasons.StackReason.UPSTREAM_NOT_SUCCEEDED
            _skip(stack, culprit, reason, f"Not run because {_what(culprit)}.", now=now)
            skipped.append(stack.id)
            continue
        if stack.stage in culprits:
            culprit = culprits[stack.stage]
            text = f"Not run because {_what(culprit)}, which an earlier stage needs."
            _skip(stack, culprit, reasons.StackReason.STAGE_NOT_SUCCEEDED, text, now=now)
            skipped.append(stack.id)
            continue
        first = failed
        if failed is not None and stack.requested_at is not None:
            first = first_failed(chain, after=stack.requested_at)
        if first is not None:
            text = f"Not run because {_what(first)} and `failurePolicy` is FailFast."
            _skip(stack, first, reasons.StackReason.FAIL_FAST, text, now=now)
            skipped.append(stack.id)
    return skipped


def first_failed(
    chain: progress.ChainProgress, *, after: str | None = None
) -> progress.StackProgress | None:
    """Return the stack that was the first to end not well, if there is one.

    Who asked for a stack by its name knew what had failed by then; `after` is that time.
    """
    failed = [
        stack
        for stack in chain.stacks
        if stack.phase.is_over and stack.phase is not v1alpha1.Phase.SKIPPED
        if not stack_ends.ended_well(stack)
        and (after is None or (stack.completion_time or "") > after)
    ]
    return min(failed, key=lambda stack: (stack.completion_time or "", stack.id), default=None)


def _skip(
    stack: progress.StackProgress,
    culprit: progress.StackProgress,
    reason: reasons.StackReason,
    message: str,
    *,
    now: str,
) -> None:
    stack.phase, stack.reason = v1alpha1.Phase.SKIPPED, reason
    stack.blocked_by, stack.message = culprit.id, message
    stack.completion_time = now


def _stage_culprits(
    chain: progress.ChainProgress, by_id: Mapping[str, progress.StackProgress]
) -> dict[str, progress.StackProgress]:
    """Return for each stage the stack that keeps it from starting for good, if any."""
    if chain.operation == v1alpha1.Operation.PLAN:
        return {}
    bad: dict[str, progress.StackProgress] = {}
    for stack in chain.stacks:
        if (
            stack.stage
            and stack.stage not in bad
            and stack.phase.is_over
            and not stack_ends.ended_well(stack)
        ):
            bad[stack.stage] = _cause(stack, by_id)
    found: dict[str, progress.StackProgress] = {}
    culprit: progress.StackProgress | None = None
    for stage in chain.stages:
        if culprit is not None:
            found[stage.name] = culprit
        culprit = culprit or bad.get(stage.name)
    return found


def _culprit(
    upstreams: Sequence[str], by_id: Mapping[str, progress.StackProgress]
) -> progress.StackProgress | None:
    for upstream_id in upstreams:
        upstream = by_id[upstream_id]
        if upstream.phase.is_over and not stack_ends.ended_well(upstream):
            return _cause(upstream, by_id)
    return None


def _cause(
    stack: progress.StackProgress, by_id: Mapping[str, progress.StackProgress]
) -> progress.StackProgress:
    """Return the stack that kept one from succeeding; a skipped one is not the cause.

    One that was skipped in an earlier run may name a stack that this run does not have.
    """
    return by_id.get(stack.blocked_by or "", stack)


def _what(culprit: progress.StackProgress) -> str:
    ends: dict[str, str] = {
        reasons.StackReason.RUN_DISCARDED: "was discarded",
        reasons.StackReason.RUN_CANCELED: "was canceled",
        reasons.StackReason.RUN_STOPPED: "was stopped",
    }
    if culprit.reason in ends:
        return f"the run of '{culprit.id}' {ends[culprit.reason]}"
    if culprit.is_lost:
        return f"'{culprit.id}' is no longer in the chain"
    if culprit.phase is v1alpha1.Phase.SKIPPED:
        return f"'{culprit.id}' was not run"
    if culprit.phase is v1alpha1.Phase.TIMED_OUT:
        return f"'{culprit.id}' timed out"
    if culprit.phase is v1alpha1.Phase.CANCELED:
        return f"'{culprit.id}' was canceled"
    return f"'{culprit.id}' failed"


def cancel_unreached(chain: progress.ChainProgress, *, now: str) -> list[str]:
    """End what the canceled chain never started; returns the ids."""
    canceled, why = list[str](), _why_not_run(chain)
    for stack in chain.stacks:
        if not stack.phase.is_over and not stack.is_started:
            stack.phase = why.phase
            stack.reason, stack.message = why.reason, why.message
            stack.completion_time = now
            canceled.append(stack.id)
    return canceled


def _why_not_run(chain: progress.ChainProgress) -> progress.StackMeaning:
    """Return the end of a stack that a canceled chain never started."""
    reason = reasons.StackReason.CHAIN_CANCELED
    message = "Not run because the chain was canceled."
    if chain.is_abandoned:
        message = "Not run because the StackChain was deleted while it was suspended."
    elif chain.unapproved_stage:
        message = (
            f"Not run because the StackChain was deleted before stage '{chain.unapproved_stage}' "
            "was approved."
        )
    if chain.is_timed_out:
        reason = reasons.StackReason.CHAIN_DEADLINE_EXCEEDED
        message = "Not run because the chain's deadline passed."
    return progress.StackMeaning(phase=v1alpha1.Phase.CANCELED, reason=reason, message=message)


def with_cause(chain: progress.ChainProgress, report: progress.StackReport) -> progress.StackReport:
    """Return what a stopped stack's end means: it does not know why the chain stopped it."""
    if not chain.is_timed_out or report.reason != reasons.StackReason.CHAIN_CANCELED:
        return report
    why = _why_not_run(chain)
    has_run = report.run_id is not None
    return dataclasses.replace(
        report,
        phase=v1alpha1.Phase.TIMED_OUT if has_run else why.phase,
        reason=why.reason,
        message="The run was stopped because the chain's deadline passed."
        if has_run
        else why.message,
    )
