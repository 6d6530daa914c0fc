"""How long stacks take, measured in a run of the chain. Pure.

A stack's duration is the time in which its run works or is about to: triggered, queued, planned,
applied, as the chain notices it. Waits for people, for others and for Spacelift to answer do not
count, nor do runs before the one that succeeds (ADR 0057).
"""

import datetime

from controller import times
from controller.api import reasons
from controller.api.v1alpha1 import Phase
from controller.chain.run import attention, next_stacks
from controller.chain.run.progress import ChainProgress, StackProgress

_OUTAGES = frozenset(
    {
        reasons.StackReason.SPACELIFT_UNREACHABLE,
        reasons.StackReason.RATE_LIMITED,
        reasons.StackReason.WORKER_FAILING,
    }
)
LEAST_SECONDS = 1
"""What a stack takes at least: of shorter ones a path would have no length."""
MOST_SECONDS = 365 * 86_400
"""What a stack takes at most.

A larger number, as in an edited status, is not believed: sums of such numbers lead to years that no
calendar has.
"""


def update(run: ChainProgress, *, now: datetime.datetime) -> None:
    """Note of each stack since when it is at work, or what it took."""
    for stack in run.stacks:
        is_busy = is_known_to_work(stack)
        if is_busy and stack.busy_since is None:
            stack.busy_since = times.rfc3339(now)
        elif not is_busy and stack.busy_since is not None:
            stack.busy_seconds = max(LEAST_SECONDS, seconds_at_work(stack, now=now))
            stack.busy_since = None
        if stack.phase is Phase.SUCCEEDED and stack.busy_seconds and not stack.uses_ahead_run:
            # One that Spacelift carried out before the stack was started took no time since.
            stack.took_seconds = stack.busy_seconds


def is_believable(seconds: int) -> bool:
    """Whether a stack can have taken so long."""
    return LEAST_SECONDS <= seconds <= MOST_SECONDS


def is_known_to_work(stack: StackProgress) -> bool:
    """Whether its run works or is about to, as far as can be read."""
    return (
        next_stacks.is_at_work(stack)
        and stack.reason not in _OUTAGES
        and attention.need_of(stack) is None
    )


def seconds_at_work(stack: StackProgress, *, now: datetime.datetime) -> int:
    """Return what the present run of a stack has taken so far."""
    if stack.busy_since is None:
        return stack.busy_seconds
    since = datetime.datetime.fromisoformat(stack.busy_since)
    return stack.busy_seconds + max(0, int((now - since).total_seconds()))
