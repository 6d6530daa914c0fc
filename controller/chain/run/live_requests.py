"""What a person asks of the stacks of a run: that they run once more, or that they count as done.

Pure. While the run is live it is done to its progress at once; the same checks say of a run that is
over what a retry of it may name, and what the plugin writes. A request does all that it names, or
nothing. See ADR 0050.
"""

import dataclasses
from collections.abc import Callable, Collection, Mapping, Sequence

from controller.api import reasons, v1alpha1, wording
from controller.api.v1alpha1 import Phase
from controller.chain.run import gates, policy, progress, stack_ends

_Stack = progress.StackProgress | v1alpha1.StackStatus
_Reason = reasons.StackReason

# What a run keeps of the requests that it has handled, to recognize one that is sent again.
_MOST_HANDLED = 20
_MOST_NAMED = 5
_BEHIND = frozenset({_Reason.UPSTREAM_NOT_SUCCEEDED, _Reason.STAGE_NOT_SUCCEEDED})
_HELD_UP = _BEHIND | {_Reason.FAIL_FAST}
# Others have such a stack, or had it when the status was written.
_SET_ASIDE = frozenset({_Reason.STACK_BUSY, _Reason.STACK_LOCKED, _Reason.STACK_DISABLED})


@dataclasses.dataclass(frozen=True, kw_only=True, slots=True)
class ReopenedStacks:
    """What a request has changed: stacks that are pending again, and stacks that are bypassed."""

    reopened: tuple[str, ...] = ()
    bypassed: tuple[str, ...] = ()


def take(
    run: progress.ChainProgress, request: progress.LiveRequest, *, now: str
) -> ReopenedStacks | None:
    """Do what is asked of a live run, and note it; None if that was done before."""
    if find(run.requests, request.kind, request.token) is not None:
        return None
    is_approval = request.kind is progress.LiveRequestKind.APPROVE
    refused = (
        gates.why_not_approved(run, request.names)
        if is_approval
        else why_not(request.kind, request.names, run.stacks, number=run.number)
    )
    effect, message = ReopenedStacks(), refused
    if not refused and is_approval:
        message = gates.approve(run, request.names, now=now)
    elif not refused:
        named = request.names or failed_stacks(run.stacks)
        effect = _do(run, request.kind, named, now=now)
        message = _message(request.kind, effect, named)
    handled = progress.HandledRequest(
        kind=request.kind, token=request.token, message=message, is_refused=bool(refused)
    )
    run.requests = [*run.requests, handled][-_MOST_HANDLED:]
    return effect


def find(
    handled: Sequence[progress.HandledRequest], kind: str, token: str
) -> progress.HandledRequest | None:
    """Return what became of a token; None if it was not handled."""
    return next((item for item in handled if (item.kind, item.token) == (kind, token)), None)


def why_not(
    kind: progress.LiveRequestKind, names: Sequence[str], stacks: Sequence[_Stack], *, number: int
) -> str:
    """Return why a request can do nothing, as the end of a sentence; "" if it can.

    Args:
        kind: what is asked.
        names: the stacks that are named; none: all that did not succeed.
        stacks: those of the run.
        number: of the run.
    """
    by_id = {stack.id: stack for stack in stacks}
    if names and not stacks:
        return f"run {number} has not read its stacks"
    if unknown := wording.why_unknown(names, by_id, where=f"a stack of run {number}"):
        return unknown
    if kind is progress.LiveRequestKind.RETRY and not names:
        return "" if failed_stacks(stacks) else f"no stack of run {number} has failed"
    is_retry = kind is progress.LiveRequestKind.RETRY
    why: Callable[[_Stack], str] = (
        (lambda stack: _why_no_retry(stack, names, by_id)) if is_retry else _why_no_bypass
    )
    problems = [problem for name in names if (problem := why(by_id[name]))]
    return wording.listed(problems, most=_MOST_NAMED, separator="; ")


def that_may_be_named(kind: progress.LiveRequestKind, stacks: Sequence[_Stack]) -> frozenset[str]:
    """Return the stacks that a request of that kind may name alone."""
    by_id = {stack.id: stack for stack in stacks}
    if kind is progress.LiveRequestKind.RETRY:
        return frozenset(one for one in by_id if not _why_no_retry(by_id[one], (one,), by_id))
    return frozenset(one for one in by_id if not _why_no_bypass(by_id[one]))


def failed_stacks(stacks: Sequence[_Stack]) -> list[str]:
    """Return the stacks that a retry without names is about, but those that others held up."""
    return [
        stack.id
        for stack in stacks
        if stack.phase.is_over
        and not stack_ends.ended_well(stack)
        and stack.reason not in _HELD_UP
        and not _is_lost(stack)
    ]


def held_up_by(causes: Collection[str], stacks: Sequence[_Stack]) -> list[str]:
    """Return the other stacks that were skipped because of these.

    What was skipped because of a stack that the chain no longer has is asked for in its place.
    """
    by_id, asked = {stack.id: stack for stack in stacks}, set(causes)
    held_up = [stack for stack in stacks if _is_held_up(stack)]
    gone = {
        stack.blocked_by for stack in held_up if stack.id in asked and _cause(stack, by_id) is None
    }
    behind = asked | gone
    return [stack.id for stack in held_up if stack.id not in asked and stack.blocked_by in behind]


def is_behind(stack: _Stack, causes: Collection[str]) -> bool:
    """Whether a stack was skipped since it, or its stage, comes after one of these."""
    return stack.reason in _BEHIND and stack.blocked_by in causes


def _do(
    run: progress.ChainProgress,
    kind: progress.LiveRequestKind,
    named: Sequence[str],
    *,
    now: str,
) -> ReopenedStacks:
    by_id = {stack.id: stack for stack in run.stacks}
    is_retry = kind is progress.LiveRequestKind.RETRY
    for stack_id in named:
        if is_retry:
            progress.reopen(by_id[stack_id], requested_at=now)
        else:
            ended = _how_it_ended(by_id[stack_id])
            message = progress.bypassed_message(run.number, ended)
            progress.set_bypassed(by_id[stack_id], message, now=now)
    freed = _reopen_held_up(run, named, requested_at=now if is_retry else None)
    # What others still hold up stays as it was.
    still = set(policy.skip_unwanted(run, now=now))
    freed = [stack_id for stack_id in freed if stack_id not in still]
    pending = {*freed, *(named if is_retry else ())}
    reopened = [stack.id for stack in run.stacks if stack.id in pending]
    return ReopenedStacks(reopened=tuple(reopened), bypassed=() if is_retry else tuple(named))


def _reopen_held_up(
    run: progress.ChainProgress, causes: Sequence[str], *, requested_at: str | None
) -> list[str]:
    """Make all that was skipped because of others pending, whatever else holds it up.

    What depends on the causes is requested with them. What FailFast kept from starting is not,
    since another stack may have failed.
    """
    found: list[str] = []
    for stack in run.stacks:
        if _is_held_up(stack):
            progress.reopen(stack, requested_at=requested_at if is_behind(stack, causes) else None)
            found.append(stack.id)
    return found


def _message(kind: progress.LiveRequestKind, effect: ReopenedStacks, named: Sequence[str]) -> str:
    if kind is progress.LiveRequestKind.RETRY:
        listed = wording.listed(wording.quoted(named), most=_MOST_NAMED)
        others = len(effect.reopened) - len(named)
        start = f"Pending again: {listed}"
    else:
        listed = wording.listed(wording.quoted(effect.bypassed), most=_MOST_NAMED)
        others = len(effect.reopened)
        start = f"Bypassed, since a person vouches for them: {listed}"
    if not others:
        return f"{start}."
    return f"{start}; and {wording.counted(others, 'stack')} that this had held up."


def _why_no_retry(stack: _Stack, names: Sequence[str], by_id: Mapping[str, _Stack]) -> str:
    if problem := _why_nothing(stack):
        return problem
    if not stack.phase.is_over:
        if _is_unstarted(stack):
            return f"'{stack.id}' has not run yet"
        return f"'{stack.id}' has not ended{_link(stack)}"
    cause = _cause(stack, by_id)
    if cause is not None and cause.id not in names:
        return f"'{stack.id}' was skipped because of '{cause.id}': name '{cause.id}' instead"
    return ""


def _why_no_bypass(stack: _Stack) -> str:
    if problem := _why_nothing(stack):
        return problem
    if stack.phase.is_over or _is_unstarted(stack):
        return ""
    if stack.reason == _Reason.RETRY_PENDING:
        return f"'{stack.id}' is about to run again (`spec.retry`): wait until it has ended"
    return (
        f"the run of '{stack.id}' is live{_link(stack)}: end it first, then request it again "
        "with another value"
    )


def _why_nothing(stack: _Stack) -> str:
    if stack.reason == _Reason.BYPASSED:
        return f"'{stack.id}' is already bypassed"
    if stack_ends.ended_well(stack):
        return f"'{stack.id}' has succeeded"
    return f"'{stack.id}' is no longer in the chain" if _is_lost(stack) else ""


def _is_lost(stack: _Stack) -> bool:
    return stack.reason == _Reason.NO_LONGER_IN_CHAIN


def _is_held_up(stack: _Stack) -> bool:
    return stack.phase is Phase.SKIPPED and stack.reason in _HELD_UP


def _cause(stack: _Stack, by_id: Mapping[str, _Stack]) -> _Stack | None:
    """Return the stack that caused a skip, if it can be named: the chain has it."""
    cause = by_id.get(stack.blocked_by or "") if _is_held_up(stack) else None
    return None if cause is None or _is_lost(cause) else cause


def _is_unstarted(stack: _Stack) -> bool:
    """Whether nothing has been started for a stack that has not ended."""
    if isinstance(stack, progress.StackProgress):
        return not stack.is_started
    is_aside = stack.phase is Phase.WAITING and stack.reason in _SET_ASIDE
    return stack.phase is Phase.PENDING or (is_aside and stack.run_id is None)


def _how_it_ended(stack: progress.StackProgress) -> str:
    if not stack.phase.is_over:
        return ""
    link = f" {stack.run_url}" if stack.run_url else ""
    return f"{stack.phase}: {stack.message}{link}".strip()


def _link(stack: _Stack) -> str:
    return f" ({stack.run_url})" if stack.run_url else ""
