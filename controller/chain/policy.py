"""What the end of one stack means for the others. Pure.

`Succeeded`, and `Skipped` because no output changed, release the dependents. Any other end skips
all transitive dependents, each with the stack that caused it.
"""

from collections.abc import Mapping, Sequence

from controller.api import reasons, v1alpha1
from controller.chain import progress


def ended_well(stack: progress.StackProgress) -> bool:
    """Whether the dependents of this stack may start."""
    return stack.phase is v1alpha1.Phase.SUCCEEDED or (
        stack.phase is v1alpha1.Phase.SKIPPED
        and stack.reason == reasons.StackReason.OUTPUT_UNCHANGED
    )


def skip_dependents(chain: progress.ChainProgress, *, now: str) -> list[str]:
    """Skip what depends on a stack that did not end well; returns the ids skipped just now.

    Stacks are sorted by level, so one pass reaches the transitive dependents.
    """
    by_id = {stack.id: stack for stack in chain.stacks}
    skipped: list[str] = []
    for stack in chain.stacks:
        if stack.phase is not v1alpha1.Phase.PENDING:
            continue
        culprit = _culprit(stack, by_id)
        if culprit is None:
            continue
        stack.phase = v1alpha1.Phase.SKIPPED
        stack.reason = reasons.StackReason.UPSTREAM_NOT_SUCCEEDED
        stack.blocked_by = culprit.id
        stack.message = f"Not run, because {_what(culprit)}."
        stack.completed_at = now
        skipped.append(stack.id)
    return skipped


def _culprit(
    stack: progress.StackProgress, by_id: Mapping[str, progress.StackProgress]
) -> progress.StackProgress | None:
    for upstream_id in stack.depends_on:
        upstream = by_id[upstream_id]
        if upstream.phase.is_over and not ended_well(upstream):
            return by_id[upstream.blocked_by] if upstream.blocked_by else upstream
    return None


def _what(culprit: progress.StackProgress) -> str:
    ends: dict[str, str] = {
        reasons.StackReason.RUN_DISCARDED: "was discarded",
        reasons.StackReason.RUN_CANCELED: "was canceled",
        reasons.StackReason.RUN_STOPPED: "was stopped",
    }
    if culprit.reason in ends:
        return f"the run of '{culprit.id}' {ends[culprit.reason]}"
    if culprit.phase is v1alpha1.Phase.CANCELED:
        return f"'{culprit.id}' was canceled"
    return f"'{culprit.id}' failed"


def cancel_unreached(chain: progress.ChainProgress, *, now: str) -> list[str]:
    """End what the canceled chain never started; returns the ids."""
    canceled: list[str] = []
    for stack in chain.stacks:
        if not stack.phase.is_over and not stack.is_started:
            stack.phase = v1alpha1.Phase.CANCELED
            stack.reason = reasons.StackReason.CHAIN_CANCELED
            stack.message = "Not run, because the chain was canceled."
            stack.completed_at = now
            canceled.append(stack.id)
    return canceled


def native_reach(queued_by: Sequence[str], runs: Mapping[str, str | None]) -> list[str]:
    """Return the run ids from whose creation Spacelift may have queued a run, oldest first.

    Args:
        queued_by: the stacks that reach the stack natively.
        runs: the run of each stack, as far as known.
    """
    return sorted(run_id for stack in queued_by if (run_id := runs.get(stack)))
