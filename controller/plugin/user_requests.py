"""What each command writes into a StackChain, decided from its spec and status. Pure.

A request is an annotation or a spec field that anyone could set with kubectl; what is decided here
is only whether it makes sense now, and what the user reads about it.
"""

import dataclasses
import enum
import json
from collections.abc import Mapping, Sequence
from typing import Any

from controller.api import reasons, v1alpha1, wording
from controller.api.v1alpha1 import Phase, RunStatus, StackChain
from controller.chain.requests import token_grammar
from controller.chain.run import attention, live_requests, progress, stack_ends
from controller.plugin import exit_codes
from controller.plugin.exit_codes import PROGRAM

_MAX_NAMED = 5


class RequestKind(enum.StrEnum):
    """What a command asks for."""

    RUN = "Run"
    RETRY = "Retry"
    BYPASS = "Bypass"
    APPROVE = "Approve"
    CANCEL = "Cancel"
    SUSPEND = "Suspend"
    RESUME = "Resume"
    PARALLELISM = "Parallelism"


@dataclasses.dataclass(frozen=True, kw_only=True, slots=True)
class UserRequest:
    """A request as it is written, and what the user reads about it.

    `latest`: the number of the latest run when it was decided, 0 for none; `is_live`: it acts in
    that run, which had not ended.
    """

    kind: RequestKind
    changes: Mapping[str, Any] = dataclasses.field(default_factory=dict)
    """The merge patch; empty if nothing needs to change."""
    messages: tuple[str, ...]
    listings: tuple[str, ...] = ()
    """Those of the messages that only name stacks, all of which `details` has."""
    token: str | None = None
    latest: int = 0
    is_live: bool = False
    details: Mapping[str, Any] = dataclasses.field(default_factory=dict)
    """What the document for programs holds besides the token."""


@dataclasses.dataclass(frozen=True, kw_only=True, slots=True)
class WantedRequest:
    """What a person wants, before it is known whether that makes sense now."""

    kind: RequestKind
    number: int | None = None
    """Of the run that is meant; None for the latest one."""
    stacks: tuple[str, ...] = ()
    stage: str = ""
    parallelism: int = 0


def decide(chain: StackChain, wanted: WantedRequest, *, now: str) -> UserRequest:
    """Return what to write for what a person wants.

    Args:
        chain: as it is now.
        wanted: what is wanted.
        now: makes a token a new one.

    Raises:
        CommandError: it makes no sense in the chain's present state.
    """
    match wanted.kind:
        case RequestKind.RUN:
            return request_run(chain, token=now)
        case RequestKind.RETRY:
            return request_retry(chain, wanted.number, stacks=wanted.stacks, note=now)
        case RequestKind.BYPASS:
            return request_bypass(chain, wanted.stacks, note=now)
        case RequestKind.APPROVE:
            return request_approve(chain, wanted.stage, note=now)
        case RequestKind.CANCEL:
            return request_cancel(chain, wanted.number)
        case RequestKind.SUSPEND:
            return request_suspend(chain)
        case RequestKind.RESUME:
            return request_resume(chain)
        case RequestKind.PARALLELISM:
            return request_parallelism(chain, wanted.parallelism)


def request_run(chain: StackChain, *, token: str) -> UserRequest:
    """Ask for a run of all stacks."""
    _refuse_deleted(chain)
    name, run = chain.ref.name, chain.status.latest_run
    messages = [f"Requested a run of {name}."]
    if run is not None and not run.phase.is_over:
        replaces = chain.spec.concurrency_policy is v1alpha1.ConcurrencyPolicy.REPLACE
        messages.append(
            f"Run {run.number} is canceled first (concurrencyPolicy: Replace)."
            if replaces
            else f"The new run starts when run {run.number} has ended."
        )
    return UserRequest(
        kind=RequestKind.RUN,
        changes=_annotation(v1alpha1.RUN_ANNOTATION, token),
        messages=(*messages, *_suspended(chain)),
        token=token,
        latest=_number(run),
    )


def request_retry(
    chain: StackChain, number: int | None, *, stacks: Sequence[str] = (), note: str
) -> UserRequest:
    """Ask for the stacks of the latest run that did not succeed, or for some of them.

    Args:
        chain: the chain.
        number: of the run; None for the latest one.
        stacks: those that are asked for; none: all.
        note: what makes the token a new one, if the same was asked for before.

    Raises:
        CommandError: there is nothing to retry, or the number is stale.
    """
    _refuse_deleted(chain)
    name = chain.ref.name
    run = _latest(chain, number, "retry")
    is_live, kind = not run.phase.is_over, progress.LiveRequestKind.RETRY
    kept, again = split_for_retry(chain.status)
    if run.phase is Phase.SUCCEEDED or (kept and not again and run.summary.total > 0):
        raise exit_codes.nothing_to_do(
            f"every stack of run {run.number} succeeded, so there is nothing to retry; run all of "
            f"them again with `{PROGRAM} run {name}`."
        )
    if is_live or stacks:
        _refuse(live_requests.why_not(kind, stacks, chain.status.stacks, number=run.number))
        again = list(stacks) or live_requests.failed_stacks(chain.status.stacks)
        again = sorted({*again, *live_requests.held_up_by(again, chain.status.stacks)})
    before = (chain.retry_token, chain.status.last_handled.retry)
    token = _named_token(run.number, stacks, note, before)
    asked = f"Requested a retry of run {run.number} of {name}."
    unread, listings = _kept_and_again(kept, again)
    left: list[str] = []
    if is_live:
        asked = f"Asked run {run.number} of {name}, which is live, to run stacks again."
        unread, listings = (), (f"Pending again ({len(again)}): {first_names(again)}.",)
    elif stacks:
        left = sorted({one.id for one in chain.status.stacks} - {*again, *kept})
    return UserRequest(
        kind=RequestKind.RETRY,
        changes=_annotation(v1alpha1.RETRY_ANNOTATION, token),
        messages=(
            asked,
            *unread,
            *listings,
            *((f"Left unchanged ({len(left)}): {first_names(left)}.",) if left else ()),
            *_suspended(chain),
        ),
        listings=listings,
        token=token,
        latest=run.number,
        is_live=is_live,
        details={"kept": kept, "again": again},
    )


def stacks_to_retry(chain: StackChain) -> frozenset[str]:
    """Return the stacks that a retry may name alone in the live run; none once it is over."""
    run = chain.status.latest_run
    if run is None or run.phase.is_over or chain.is_deleting or has_request(chain):
        return frozenset()
    return live_requests.that_may_be_named(progress.LiveRequestKind.RETRY, chain.status.stacks)


def request_bypass(chain: StackChain, stacks: Sequence[str], *, note: str) -> UserRequest:
    """Ask that stacks count as done without a run: the user vouches for them.

    Raises:
        CommandError: there is no run, or one of the stacks cannot be bypassed.
    """
    _refuse_deleted(chain)
    name, kind = chain.ref.name, progress.LiveRequestKind.BYPASS
    run = _latest(chain, None, "bypass")
    _refuse(live_requests.why_not(kind, stacks, chain.status.stacks, number=run.number))
    is_live, vouched = not run.phase.is_over, sorted(set(stacks))
    held_up = live_requests.held_up_by(vouched, chain.status.stacks)
    if not is_live:
        held_up = [one for one in split_for_retry(chain.status)[1] if one not in vouched]
    before = (chain.bypass_token, chain.status.last_handled.bypass)
    token = _named_token(run.number, vouched, note, before)
    asked = f"Requested a retry of run {run.number} of {name} that counts"
    if is_live:
        asked = f"Asked run {run.number} of {name}, which is live, to count"
    listings = [f"Bypassed ({len(vouched)}): {first_names(vouched)}."]
    if held_up:
        listings.append(
            f"{'Pending again' if is_live else 'To run again'} ({len(held_up)}): "
            f"{first_names(sorted(held_up))}."
        )
    return UserRequest(
        kind=RequestKind.BYPASS,
        changes=_annotation(v1alpha1.BYPASS_ANNOTATION, token),
        messages=(
            f"{asked} these stacks as done; you vouch for them.",
            *listings,
            *_suspended(chain),
        ),
        listings=tuple(listings),
        token=token,
        latest=run.number,
        is_live=is_live,
        details={"bypassed": vouched, "again": sorted(held_up)},
    )


def request_approve(chain: StackChain, stage: str, *, note: str) -> UserRequest:
    """Approve a stage of the live run that waits for it.

    Raises:
        CommandError: no run is live, or the stage does not wait for an approval.
    """
    _refuse_deleted(chain)
    name = chain.ref.name
    run = _latest(chain, None, "approve")
    if run.phase.is_over:
        raise exit_codes.nothing_to_do(
            f"run {run.number} of {name} is over ({run.phase}), so no stage of it can be approved."
        )
    stages = {item.name: item for item in run.stages}
    _refuse(wording.why_unknown([stage], stages, where=f"a stage of run {run.number}"))
    shown = stages[stage]
    if stage not in stages_to_approve(chain):
        why = f": {shown.message}" if shown.message else "."
        _refuse(
            f"stage '{stage}' is {shown.phase} and is not waiting for approval{why}".rstrip(".")
        )
    before = (chain.approve_token, chain.status.last_handled.approve)
    token = _named_token(run.number, [stage], note, before)
    return UserRequest(
        kind=RequestKind.APPROVE,
        changes=_annotation(v1alpha1.APPROVE_ANNOTATION, token),
        messages=(
            f"Approved stage '{stage}' of run {run.number} of {name} ({shown.progress} done).",
            *_suspended(chain),
        ),
        token=token,
        latest=run.number,
        is_live=True,
        details={"stage": stage},
    )


def stages_to_approve(chain: StackChain) -> list[str]:
    """Return the stages of the live run that wait for a person's approval."""
    run = chain.status.latest_run
    if run is None or run.phase.is_over:
        return []
    return [stage.name for stage in attention.to_approve(run.stages)]


def _named_token(
    number: int, stacks: Sequence[str], note: str, before: Sequence[str | None]
) -> str:
    """Return a token; if one for the run is known, a note makes it a different one."""
    named = token_grammar.NamedRun(number=number, names=tuple(dict.fromkeys(stacks)))
    is_known = any(token is not None and _is_of(token, number) for token in before)
    return token_grammar.write(named, note=note if is_known else "")


def _is_of(token: str, number: int) -> bool:
    try:
        return token_grammar.read(token, names=token_grammar.Names.ANY).number == number
    except token_grammar.InvalidToken:
        return False


def _refuse(why: str) -> None:
    if why:
        raise exit_codes.nothing_to_do(f"nothing was requested: {why}.")


def request_cancel(chain: StackChain, number: int | None) -> UserRequest:
    """Ask for the live run to be canceled.

    Raises:
        CommandError: no run is live, or the number is stale.
    """
    name = chain.ref.name
    run = _latest(chain, number, "cancel")
    if run.phase.is_over:
        raise exit_codes.nothing_to_do(
            f"run {run.number} of {name} is over ({run.phase}), so there is nothing to cancel."
        )
    messages = [
        f"Requested the cancellation of run {run.number} of {name}.",
        "Its Spacelift runs will be stopped; a run that is already applying is allowed to finish.",
    ]
    if chain.status.pending_run is not None:
        messages.append("A waiting request starts once it has ended.")
    return UserRequest(
        kind=RequestKind.CANCEL,
        changes=_annotation(v1alpha1.CANCEL_ANNOTATION, str(run.number)),
        messages=tuple(messages),
        token=str(run.number),
        latest=run.number,
    )


def request_suspend(chain: StackChain) -> UserRequest:
    """Ask that no further stack is started."""
    _refuse_deleted(chain)
    name = chain.ref.name
    if chain.spec.suspend:
        return UserRequest(kind=RequestKind.SUSPEND, messages=(f"{name} is already suspended.",))
    messages = (f"Suspended {name}: no more stacks start, and runs in progress finish.",)
    return UserRequest(
        kind=RequestKind.SUSPEND, changes={"spec": {"suspend": True}}, messages=messages
    )


def request_resume(chain: StackChain) -> UserRequest:
    """Ask that a suspended chain continues."""
    _refuse_deleted(chain)
    name = chain.ref.name
    if not chain.spec.suspend:
        return UserRequest(kind=RequestKind.RESUME, messages=(f"{name} is not suspended.",))
    messages = (f"Resumed {name}: its stacks start again, in order.",)
    return UserRequest(
        kind=RequestKind.RESUME, changes={"spec": {"suspend": False}}, messages=messages
    )


def request_parallelism(chain: StackChain, bound: int) -> UserRequest:
    """Ask that this many stacks may run at once; a live run follows."""
    _refuse_deleted(chain)
    name, before = chain.ref.name, chain.spec.policies.parallelism
    details = {"parallelism": bound}
    if bound == before:
        messages = (f"The parallelism of {name} is already {bound}.",)
        return UserRequest(kind=RequestKind.PARALLELISM, messages=messages, details=details)
    return UserRequest(
        kind=RequestKind.PARALLELISM,
        changes={"spec": {"parallelism": bound}},
        messages=(f"Changed the parallelism of {name} from {before} to {bound}.",),
        details=details,
    )


def dry_run_lines(request: UserRequest) -> list[str]:
    """Return what a request would write, for people."""
    if not request.changes:
        return [
            "Nothing was written (--dry-run), and nothing would be written. The command would say:"
        ]
    annotations = request.changes.get("metadata", {}).get("annotations", {})
    written = [f"  {name}: {value}" for name, value in annotations.items()]
    fields = request.changes.get("spec", {})
    # As YAML has them.
    written += [f"  spec.{name}: {json.dumps(value)}" for name, value in fields.items()]
    return ["Nothing was written (--dry-run). The command would write:", *written, "It would say:"]


def open_requests(chain: StackChain) -> list[tuple[str, str]]:
    """Return the tokens that the operator has not taken up yet, with where they are."""
    handled = chain.status.last_handled
    requests = (
        (v1alpha1.RUN_ANNOTATION, chain.run_token, handled.run),
        ("spec.runToken", chain.spec.run_token, handled.run_token),
        (v1alpha1.RETRY_ANNOTATION, chain.retry_token, handled.retry),
        (v1alpha1.BYPASS_ANNOTATION, chain.bypass_token, handled.bypass),
        (v1alpha1.APPROVE_ANNOTATION, chain.approve_token, handled.approve),
        (v1alpha1.CANCEL_ANNOTATION, chain.cancel_token, handled.cancel),
    )
    return [(name, token) for name, token, done in requests if token is not None and token != done]


def request_notes(chain: StackChain) -> list[str]:
    """Return what there is to say of the annotations that name parts of a run, as why not."""
    handled = chain.status.last_handled
    kinds = progress.LiveRequestKind
    requests = (
        (kinds.RETRY, v1alpha1.RETRY_ANNOTATION, chain.retry_token, handled.retry),
        (kinds.BYPASS, v1alpha1.BYPASS_ANNOTATION, chain.bypass_token, handled.bypass),
    )
    notes = [
        _stack_request_note(chain, kind, annotation, token, is_done=token == done)
        for kind, annotation, token, done in requests
        if token is not None
    ]
    return [note for note in (*notes, _approve_note(chain)) if note]


def _approve_note(chain: StackChain) -> str:
    """Return why the annotation that approves a stage does nothing; "" if it does."""
    token, run = chain.approve_token, chain.status.latest_run
    if token is None:
        return ""
    try:
        named = token_grammar.read(token, names=token_grammar.Names.ONE, noun="stage")
    except token_grammar.InvalidToken as error:
        return token_grammar.does_nothing(v1alpha1.APPROVE_ANNOTATION, token, str(error))
    number = _number(run)
    if named.number < number and token == chain.status.last_handled.approve:
        # One of an earlier run has done what it could, and may stay.
        return ""
    why = token_grammar.why_stale(named.number, latest=number)
    if not why and run is not None:
        is_done = token == chain.status.last_handled.approve
        why = _why_not_approved(run, named.names[0], is_done=is_done)
    return token_grammar.does_nothing(v1alpha1.APPROVE_ANNOTATION, token, why) if why else ""


def _why_not_approved(run: RunStatus, name: str, *, is_done: bool) -> str:
    stages = {stage.name: stage for stage in run.stages}
    if why := wording.why_unknown([name], stages, where=f"a stage of run {run.number}"):
        return why
    stage = stages[name]
    if stage.approved_time is not None:
        return ""
    if run.phase.is_over:
        return f"run {run.number} is over"
    if stage.waits_for != v1alpha1.StageWait.APPROVAL:
        return f"stage '{name}' is {stage.phase} and is not waiting for approval"
    if is_done:
        return (
            f"stage '{name}' did not wait for approval when it was set; a space and `@` with any "
            "text make it a new request"
        )
    return ""


def _stack_request_note(
    chain: StackChain,
    kind: progress.LiveRequestKind,
    annotation: str,
    token: str,
    *,
    is_done: bool,
) -> str:
    run, names = chain.status.latest_run, token_grammar.Names.SOME
    if kind is progress.LiveRequestKind.RETRY:
        names = token_grammar.Names.ANY
    number = _number(run)
    try:
        named = token_grammar.read(token, names=names)
    except token_grammar.InvalidToken as error:
        return token_grammar.does_nothing(annotation, token, str(error))
    why = token_grammar.why_stale(named.number, latest=number)
    if is_done:
        # One of an earlier run has done what it could, and may stay.
        again = "a space and `@` with any text make it a new request"
        shown = token_grammar.shown(token)
        return "" if why else f"`{annotation}: {shown}` has been handled; {again}."
    if not why and (named.names or (run is not None and not run.phase.is_over)):
        why = live_requests.why_not(kind, named.names, chain.status.stacks, number=number)
    return token_grammar.does_nothing(annotation, token, why) if why else ""


def has_request(chain: StackChain) -> bool:
    """Whether another run is asked for."""
    return bool(open_requests(chain)) or chain.status.pending_run is not None


def would_take_retry(chain: StackChain) -> bool:
    """Whether the operator would start a retry of the latest run, as far as the status says."""
    status, run = chain.status, chain.status.latest_run
    ready = status.condition("Ready")
    if run is None or has_request(chain):
        return False
    # With that the spec is not the one with which the run ran.
    return ready is None or ready.reason != reasons.ChainReason.NOT_REQUESTED


def split_for_retry(status: v1alpha1.Status) -> tuple[list[str], list[str]]:
    """Return which stacks of the latest run, which is over, a retry keeps, and which it runs again.

    A retry that could not read its stacks lists those that it keeps, and no others.
    """
    stacks = status.stacks
    kept = sorted(stack.id for stack in stacks if stack_ends.ended_well(stack))
    return kept, sorted(stack.id for stack in stacks if not stack_ends.ended_well(stack))


def _latest(chain: StackChain, number: int | None, verb: str) -> RunStatus:
    name, run = chain.ref.name, chain.status.latest_run
    if run is None:
        raise exit_codes.nothing_to_do(
            f"{name} has not run yet, so there is nothing to {verb}; "
            f"see `{PROGRAM} explain {name}`."
        )
    if number is not None and number != run.number:
        raise exit_codes.nothing_to_do(
            f"run {number} is not the latest run of {name}, which is run {run.number} "
            f"({run.phase}){_instead(chain, run, verb)}."
        )
    return run


def _instead(chain: StackChain, run: RunStatus, verb: str) -> str:
    """Return what may be asked for instead, unless that would be refused, too."""
    command = f"`{PROGRAM} {verb} {chain.ref.name} {run.number}`"
    if verb == "cancel":
        return "; there is nothing to cancel" if run.phase.is_over else f"; cancel that: {command}"
    if run.phase is Phase.SUCCEEDED:
        return f"; run all stacks again with `{PROGRAM} run {chain.ref.name}`"
    return f"; only that one can be named: {command}"


def _refuse_deleted(chain: StackChain) -> None:
    if chain.is_deleting:
        raise exit_codes.nothing_to_do(
            f"{chain.ref.name} is being deleted; nothing more starts for it."
        )


def _suspended(chain: StackChain) -> tuple[str, ...]:
    if not chain.spec.suspend:
        return ()
    name = chain.ref.name
    return (f"The chain is suspended: nothing starts until you run `{PROGRAM} resume {name}`.",)


def _kept_and_again(kept: list[str], again: list[str]) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """Return the messages about a run that had read no stacks, and those that name stacks."""
    listings = (
        *((f"Will run again ({len(again)}): {first_names(again)}.",) if again else ()),
        *((f"Kept unchanged ({len(kept)}): {first_names(kept)}.",) if kept else ()),
    )
    if again:
        return (), listings
    but = " except those that are kept" if kept else ""
    return (f"The run had read no stacks, so all stacks of the chain run{but}.",), listings


def first_names(names: list[str]) -> str:
    """Return the first names, and how many more there are."""
    return wording.listed(names, most=_MAX_NAMED)


def _annotation(name: str, value: str) -> Mapping[str, Any]:
    return {"metadata": {"annotations": {name: value}}}


def _number(run: RunStatus | None) -> int:
    return run.number if run is not None else 0
