"""Which kind of transition a stack has made between two statuses. Pure."""

from controller.api import v1alpha1
from controller.api.reasons import StackReason
from controller.api.transition_kinds import TransitionKind
from controller.api.v1alpha1 import Phase
from controller.chain.run import failures

# Succeeded in a run that has already reported it.
_TOLD_BEFORE = frozenset({StackReason.KEPT, StackReason.ROOT_RUN_FINISHED})
# Something or someone else uses the stack, or it waits for its window. Other kinds report what its
# own run does.
_HELD = frozenset(
    {
        StackReason.STACK_BUSY,
        StackReason.STACK_LOCKED,
        StackReason.STACK_DISABLED,
        StackReason.RUN_BLOCKED,
        StackReason.WINDOW_CLOSED,
    }
)
# The end of the run has an Event; its stacks need none each.
_ENDED_WITH_THE_CHAIN = frozenset(
    {
        StackReason.CHAIN_CANCELED,
        StackReason.CHAIN_DEADLINE_EXCEEDED,
    }
)


def kind_of(
    before: v1alpha1.StackStatus | None, stack: v1alpha1.StackStatus
) -> TransitionKind | None:
    """Return what happened to a stack since `before`; None if nothing that is news."""
    is_same_attempt = before is not None and before.attempts == stack.attempts
    was = before.phase if before is not None and is_same_attempt else None
    has_same_reason = was is not None and before is not None and before.reason == stack.reason
    if stack.phase is Phase.AWAITING_CONFIRMATION:
        # After the approval comes the confirmation: each needs its own person.
        is_same = was is stack.phase and has_same_reason
        return None if is_same else TransitionKind.AWAITING_CONFIRMATION
    if stack.phase is Phase.WAITING:
        return None if has_same_reason else _wait_kind(stack)
    if was is stack.phase and (has_same_reason or stack.reason != StackReason.BYPASSED):
        return None
    if stack.phase is Phase.RUNNING:
        is_confirmed = was is Phase.AWAITING_CONFIRMATION
        if is_confirmed and stack.reason in failures.STACK_PROBLEMS:
            # Its run cannot be read, and may still wait for a person.
            return None
        return TransitionKind.STACK_CONFIRMED if is_confirmed else TransitionKind.STACK_STARTED
    return _end_kind(stack) if stack.phase.is_over else None


def _wait_kind(stack: v1alpha1.StackStatus) -> TransitionKind | None:
    if stack.reason == StackReason.RETRY_PENDING:
        return TransitionKind.STACK_RETRYING
    return TransitionKind.STACK_WAITING if stack.reason in _HELD else None


def _end_kind(stack: v1alpha1.StackStatus) -> TransitionKind | None:
    if stack.phase is Phase.FAILED:
        return TransitionKind.STACK_FAILED
    if stack.phase is Phase.SUCCEEDED:
        return None if stack.reason in _TOLD_BEFORE else TransitionKind.STACK_SUCCEEDED
    if stack.reason == StackReason.BYPASSED:
        return TransitionKind.STACK_BYPASSED
    if stack.phase is Phase.SKIPPED:
        is_unchanged = stack.reason == StackReason.OUTPUT_UNCHANGED
        return TransitionKind.STACK_UNCHANGED if is_unchanged else TransitionKind.STACK_SKIPPED
    if stack.reason in _ENDED_WITH_THE_CHAIN:
        return None
    if stack.phase is Phase.TIMED_OUT:
        return TransitionKind.STACK_TIMED_OUT
    return TransitionKind.STACK_CANCELED if stack.run_id else None
