"""What the annotations ask for of the latest run, and why one of them does nothing. Pure."""

import dataclasses
from collections.abc import Collection, Sequence
from typing import Any

from controller.api import reasons, v1alpha1
from controller.chain.requests import token_grammar
from controller.chain.requests.handled_asks import is_spec_new
from controller.chain.run import live_requests, progress, stack_ends


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
    named, why = _read_current(token, token_grammar.Names.NONE, number)
    if named is not None and is_live:
        return TakenToken(handled=handled, is_effective=True)
    why = why or f"run {number} is over"
    return TakenToken(handled=handled, note=_does_nothing(v1alpha1.CANCEL_ANNOTATION, token, why))


@dataclasses.dataclass(frozen=True, kw_only=True, slots=True)
class LatestRun:
    """The newest run, as far as it matters to what is asked of it.

    `known` are its facts; None if no one answers for it, or it left none.
    """

    number: int
    is_live: bool
    known: progress.ChainProgress | None = None

    @property
    def takes_requests(self) -> bool:
        """Whether it may act on a request; one that ends leaves it to the next run."""
        is_ending = self.known is not None and (
            self.known.is_canceling or self.known.completion_time is not None
        )
        return self.is_live and not is_ending


@dataclasses.dataclass(frozen=True, kw_only=True, slots=True)
class TakenStacks:
    """What becomes of the annotation `retry`, `bypass` or `approve`, which may name parts of a run.

    `request` is for the live run, which says when it has handled it: until then it is asked. `done`
    is what the run did because of it. `is_effective`: a run is asked for, about the stacks `names`.
    """

    handled: v1alpha1.Handled
    request: progress.LiveRequest | None = None
    done: str | None = None
    note: str | None = None
    is_effective: bool = False
    names: tuple[str, ...] = ()


@dataclasses.dataclass(frozen=True, kw_only=True, slots=True)
class _Annotation:
    name: str
    field: str
    names: token_grammar.Names
    noun: str = "stack"


_ANNOTATIONS = {
    progress.LiveRequestKind.RETRY: _Annotation(
        name=v1alpha1.RETRY_ANNOTATION, field="retry", names=token_grammar.Names.ANY
    ),
    progress.LiveRequestKind.BYPASS: _Annotation(
        name=v1alpha1.BYPASS_ANNOTATION, field="bypass", names=token_grammar.Names.SOME
    ),
    progress.LiveRequestKind.APPROVE: _Annotation(
        name=v1alpha1.APPROVE_ANNOTATION,
        field="approve",
        names=token_grammar.Names.ONE,
        noun="stage",
    ),
}


def take_retry(
    chain: v1alpha1.StackChain, handled: v1alpha1.Handled, latest: LatestRun
) -> TakenStacks:
    """Return what the annotation `retry` does: in the live run, or as a new run."""
    return _take_part(progress.LiveRequestKind.RETRY, chain, handled, latest)


def take_bypass(
    chain: v1alpha1.StackChain, handled: v1alpha1.Handled, latest: LatestRun
) -> TakenStacks:
    """Return what the annotation `bypass` does: in the live run, or as a new retry."""
    return _take_part(progress.LiveRequestKind.BYPASS, chain, handled, latest)


def take_approve(
    chain: v1alpha1.StackChain, handled: v1alpha1.Handled, latest: LatestRun
) -> TakenStacks:
    """Return what the annotation `approve` does: in the live run, and in no other."""
    taken = _take_part(progress.LiveRequestKind.APPROVE, chain, handled, latest)
    # The stage itself shows that it is approved.
    return dataclasses.replace(taken, done=None)


def _take_part(
    kind: progress.LiveRequestKind,
    chain: v1alpha1.StackChain,
    handled: v1alpha1.Handled,
    latest: LatestRun,
) -> TakenStacks:
    of = _ANNOTATIONS[kind]
    token: str | None = getattr(chain, f"{of.field}_token")
    before: str | None = getattr(handled, of.field)
    if token is None or token == before:
        return TakenStacks(handled=handled)
    taken_up: dict[str, Any] = {of.field: token}
    taken = TakenStacks(handled=dataclasses.replace(handled, **taken_up))
    named, why = _read_current(token, of.names, latest.number, noun=of.noun)
    if named is None:
        return dataclasses.replace(taken, note=_does_nothing(of.name, token, why))
    found = live_requests.find(latest.known.requests if latest.known else (), kind, token)
    if found is not None and latest.known is not None:
        if _is_older(kind, token, before, latest.known.requests):
            why = "it was handled before; a space and `@` with any text make it a new request"
            return dataclasses.replace(taken, note=_does_nothing(of.name, token, why))
        if found.is_refused:
            return dataclasses.replace(taken, note=_does_nothing(of.name, token, found.message))
        text = f"`{of.name}: {token_grammar.shown(token)}`: {found.message}"
        return dataclasses.replace(taken, done=text)
    if latest.takes_requests:
        request = progress.LiveRequest(
            kind=kind, token=token, number=named.number, names=list(named.names)
        )
        return TakenStacks(handled=handled, request=request)
    if kind is progress.LiveRequestKind.APPROVE:
        why = f"run {latest.number} {'is ending' if latest.is_live else 'is over'}"
        return dataclasses.replace(taken, note=_does_nothing(of.name, token, why))
    if not latest.is_live:
        why = _why_no_retry(chain, handled, latest.number)
        if not why and named.names:
            # As a whole it can be retried whatever it has read.
            stacks = chain.status.stacks
            why = live_requests.why_not(kind, named.names, stacks, number=latest.number)
        if why:
            return dataclasses.replace(taken, note=_does_nothing(of.name, token, why))
    # Its run says that it was taken up.
    return TakenStacks(handled=handled, is_effective=True, names=named.names)


def runs_anyway(chain: v1alpha1.StackChain) -> str:
    """Return that a bypass does nothing, since a run of all stacks was asked for with it."""
    why = "a run of all stacks was asked for at the same time"
    return _does_nothing(v1alpha1.BYPASS_ANNOTATION, chain.bypass_token or "", why)


def _is_older(
    kind: progress.LiveRequestKind,
    token: str,
    before: str | None,
    requests: Sequence[progress.HandledRequest],
) -> bool:
    """Whether another token of the kind was handled after this one, and shown as handled."""
    tokens = [item.token for item in requests if item.kind == kind]
    return before in tokens and tokens.index(token) < tokens.index(before)


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
        longest = v1alpha1.longest_token(annotation)
        return f"`{annotation}` does nothing: it is longer than {longest} characters."
    return token_grammar.does_nothing(annotation, token, why)


def _read_current(
    token: str, names: token_grammar.Names, latest: int, *, noun: str = "stack"
) -> tuple[token_grammar.NamedRun | None, str]:
    """Return what a token names of the latest run, or why it does nothing."""
    try:
        named = token_grammar.read(token, names=names, noun=noun)
    except token_grammar.InvalidToken as error:
        return None, str(error)
    why = token_grammar.why_stale(named.number, latest=latest)
    return (None, why) if why else (named, "")


@dataclasses.dataclass(frozen=True, kw_only=True, slots=True)
class RetryParts:
    """What a retry does with each stack of a run that is over.

    `retried` run, unless they have succeeded since; `kept` are those that succeeded or are
    bypassed; `left` stay as they ended, since the retry names others.
    """

    kept: tuple[progress.Kept, ...] = ()
    retried: tuple[progress.Retried, ...] = ()
    left: tuple[progress.Left, ...] = ()


def retry_parts(
    stacks: Sequence[v1alpha1.StackStatus],
    *,
    number: int,
    named: Collection[str] = (),
    bypassed: Collection[str] = (),
) -> RetryParts:
    """Return what a retry of a run does with its stacks.

    Args:
        stacks: as the status has them.
        number: of the run.
        named: the stacks that are retried, with what they held up; none: all of them.
        bypassed: stacks for which a person vouches; what they held up runs, too.
    """
    freed = {*named, *live_requests.held_up_by([*named, *bypassed], stacks)}
    kept: list[progress.Kept] = []
    retried: list[progress.Retried] = []
    left: list[progress.Left] = []
    for stack in stacks:
        if stack.id in bypassed or stack_ends.ended_well(stack):
            kept.append(_kept(stack, number, is_bypassed=stack.id in bypassed))
        elif not named or stack.id in freed:
            retried.append(
                progress.Retried(
                    stack_id=stack.id,
                    run_number=number,
                    run_id=stack.run_id,
                    run_source=stack.run_source,
                    blocked_by=stack.blocked_by,
                    is_named=stack.id in named or live_requests.is_behind(stack, named),
                )
            )
        else:
            left.append(_left(stack, number))
    return RetryParts(kept=tuple(kept), retried=tuple(retried), left=tuple(left))


def _kept(stack: v1alpha1.StackStatus, number: int, *, is_bypassed: bool) -> progress.Kept:
    is_bypassed = is_bypassed or stack.reason == reasons.StackReason.BYPASSED
    return progress.Kept(
        stack_id=stack.id,
        run_number=number,
        run_id=None if is_bypassed else stack.run_id,
        run_source=None if is_bypassed else stack.run_source,
        run_url=None if is_bypassed else stack.run_url,
        is_bypassed=is_bypassed,
    )


def _left(stack: v1alpha1.StackStatus, number: int) -> progress.Left:
    return progress.Left(
        stack_id=stack.id,
        run_number=number,
        phase=stack.phase,
        reason=stack.reason or "",
        message=stack.message or "",
        blocked_by=stack.blocked_by,
        run_id=stack.run_id,
        run_source=stack.run_source,
        run_url=stack.run_url,
        completion_time=stack.completion_time,
    )
