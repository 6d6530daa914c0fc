"""What the annotations `cancel` and `retry` ask for, and why one of them does nothing. Pure."""

import dataclasses
from collections.abc import Sequence

from controller.api import v1alpha1
from controller.chain.requests import token_grammar
from controller.chain.requests.handled_asks import is_spec_new
from controller.chain.run import policy, progress


@dataclasses.dataclass(frozen=True, kw_only=True, slots=True)
class TakenToken:
    """What becomes of an annotation; one that does nothing, or does it at once, is handled.

    `note` says why it does nothing.
    """

    handled: v1alpha1.Handled
    is_effective: bool = False
    note: str | None = None


def take_run(chain: v1alpha1.StackChain, handled: v1alpha1.Handled) -> TakenToken:
    """Return whether the annotation `run` asks for a run, which handles it."""
    token = chain.run_token
    # A token that was removed asks for nothing.
    if token is None or token == handled.run:
        return TakenToken(handled=handled)
    if not v1alpha1.is_too_long(token):
        return TakenToken(handled=handled, is_effective=True)
    handled = dataclasses.replace(handled, run=token)
    return TakenToken(handled=handled, note=_does_nothing(v1alpha1.RUN_ANNOTATION, token, ""))


def take_cancel(
    chain: v1alpha1.StackChain, handled: v1alpha1.Handled, *, number: int, is_live: bool
) -> TakenToken:
    """Return what the annotation `cancel` does to the newest run, which has the number."""
    token = chain.cancel_token
    if token is None or token == handled.cancel:
        return TakenToken(handled=handled)
    handled = dataclasses.replace(handled, cancel=token)
    why = _why_stale(token, number)
    if not why and is_live:
        return TakenToken(handled=handled, is_effective=True)
    why = why or f"run {number} is over"
    return TakenToken(handled=handled, note=_does_nothing(v1alpha1.CANCEL_ANNOTATION, token, why))


def take_retry(
    chain: v1alpha1.StackChain, handled: v1alpha1.Handled, *, number: int, is_live: bool
) -> TakenToken:
    """Return whether the annotation `retry` asks for a run, which handles it.

    A retry of the live run waits for its end, since only then it is known what did not succeed.
    """
    token = chain.retry_token
    if token is None or token == handled.retry:
        return TakenToken(handled=handled)
    why = _why_stale(token, number)
    if not why and not is_live:
        why = _why_no_retry(chain, handled, number)
    if not why:
        return TakenToken(handled=handled, is_effective=True)
    handled = dataclasses.replace(handled, retry=token)
    return TakenToken(handled=handled, note=_does_nothing(v1alpha1.RETRY_ANNOTATION, token, why))


def _why_no_retry(chain: v1alpha1.StackChain, handled: v1alpha1.Handled, number: int) -> str:
    latest = chain.status.latest_run
    if latest is not None and latest.phase is v1alpha1.Phase.SUCCEEDED:
        return f"every stack of run {number} succeeded"
    if is_spec_new(chain, handled):
        # What has succeeded under another spec says nothing about this one.
        return f"the spec has changed since run {number}"
    return ""


def _does_nothing(annotation: str, token: str, why: str) -> str:
    if v1alpha1.is_too_long(token):
        return (
            f"`{annotation}` does nothing: it is longer than {v1alpha1.LONGEST_TOKEN} characters."
        )
    return token_grammar.does_nothing(annotation, token, why)


def _why_stale(token: str, latest: int) -> str:
    try:
        named = token_grammar.read(token, names=token_grammar.Names.NONE)
    except token_grammar.InvalidToken as error:
        return str(error)
    return token_grammar.why_stale(named.number, latest=latest)


def retried_stacks(
    stacks: Sequence[v1alpha1.StackStatus], *, number: int
) -> tuple[progress.Retried, ...]:
    """Return the stacks that a retry runs, unless they have succeeded since."""
    return tuple(
        progress.Retried(
            stack_id=stack.id,
            run_number=number,
            run_id=stack.run_id,
            blocked_by=stack.blocked_by,
        )
        for stack in stacks
        if not policy.ended_well(stack)
    )


def kept_stacks(
    stacks: Sequence[v1alpha1.StackStatus], *, number: int
) -> tuple[progress.Kept, ...]:
    """Return the stacks that a retry of a run leaves as they are: those that ended well."""
    return tuple(
        progress.Kept(
            stack_id=stack.id, run_number=number, run_id=stack.run_id, run_url=stack.run_url
        )
        for stack in stacks
        if policy.ended_well(stack)
    )
