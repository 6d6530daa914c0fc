"""Which stacks start next. Pure.

Event driven, not level by level: a stack is ready the moment its own upstreams have succeeded, if
it waits neither for its stage nor for its window. In a plan it is ready at once.
Among ready stacks, the one with the longest remaining path goes first, which keeps the total time
near the critical path when slots are few. A stack that was started and gave its slot back comes
before them (ADR 0040).
"""

from collections.abc import Collection, Mapping

from controller.api import reasons, v1alpha1
from controller.chain.run import gates, policy, progress, stack_ends

_Reason = reasons.StackReason

# Why a stack that was started waits for others, or for its next run.
_WAITS_WITHOUT_SLOT = frozenset(
    {
        _Reason.RETRY_PENDING,
        _Reason.RUN_BLOCKED,
        _Reason.STACK_LOCKED,
        _Reason.STACK_DISABLED,
        _Reason.WINDOW_CLOSED,
    }
)


def stacks_with_next_run(chain: progress.ChainProgress) -> list[progress.StackProgress]:
    """Return the stacks that may trigger their next run now, in the order in which they asked.

    Also while the chain is suspended: these were started.
    """
    asking = [stack for stack in chain.stacks if stack.wants_slot_since is not None]
    asking.sort(key=lambda stack: (stack.wants_slot_since or "", stack.id))
    return asking[: max(0, free_slots(chain))]


def ready_stacks(
    chain: progress.ChainProgress,
    *,
    remaining: Mapping[str, float],
    held_back: Collection[str] = frozenset(),
) -> list[progress.StackProgress]:
    """Return the stacks to start now, in order; none while the chain is suspended.

    The gates have to be up to date (`gates.update`).

    `parallelism` limits what the chain triggers. A run that Spacelift queued starts when Spacelift
    starts it, so following it takes no slot; waiting for a slot would only hide it.

    Args:
        chain: the facts.
        remaining: the longest path from each stack to an end (`estimates`).
        held_back: stacks on which an unwanted run may still continue. The chain triggers one there
            only once it knows what became of that run.
    """
    if chain.is_suspended:
        return []
    by_id = {stack.id: stack for stack in chain.stacks}
    waiting = gates.waiting(chain)
    ready = [
        stack
        for stack in chain.stacks
        if stack.phase is v1alpha1.Phase.PENDING
        and not stack.is_started
        and stack.stage not in waiting
        and not gates.is_held_back(chain, stack)
        and (stack.adopts_from is not None or stack.id not in held_back)
        and all(stack_ends.ended_well(by_id[upstream]) for upstream in policy.awaited(chain, stack))
    ]
    ready.sort(key=lambda stack: (-remaining[stack.id], stack.id))
    free = free_slots(chain)
    chosen: list[progress.StackProgress] = []
    for stack in ready:
        if stack.adopts_from is None:
            if free <= 0:
                continue
            free -= 1
        chosen.append(stack)
    return chosen


def takes_slot(stack: progress.StackProgress) -> bool:
    """Whether this stack counts against `parallelism`: its run works, or is about to.

    Not while it waits for a person, for others, or for its next run (ADR 0018 and 0040).
    """
    return stack.adopts_from is None and is_at_work(stack)


def is_at_work(stack: progress.StackProgress) -> bool:
    """Whether its run works or is about to, whatever queued the run."""
    if not stack.is_started or stack.phase.is_over:
        return False
    return (
        stack.phase is not v1alpha1.Phase.AWAITING_CONFIRMATION
        and stack.reason not in _WAITS_WITHOUT_SLOT
    )


def free_slots(chain: progress.ChainProgress) -> int:
    """Return how many more may run; below 0 after people or others let more runs continue."""
    return chain.policies.parallelism - sum(takes_slot(stack) for stack in chain.stacks)
