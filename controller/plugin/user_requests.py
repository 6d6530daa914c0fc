"""What each command writes into a StackChain, decided from its spec and status. Pure.

A request is an annotation or a spec field that anyone could set with kubectl; what is decided here
is only whether it makes sense now, and what the user reads about it.
"""

import dataclasses
import enum
from collections.abc import Mapping
from typing import Any

from controller.api import reasons, v1alpha1, wording
from controller.api.v1alpha1 import Phase, RunStatus, StackChain
from controller.chain.run import policy
from controller.plugin import exit_codes
from controller.plugin.exit_codes import PROGRAM

_MAX_NAMED = 5


class RequestKind(enum.StrEnum):
    """What a command asks for."""

    RUN = "Run"
    RETRY = "Retry"
    CANCEL = "Cancel"
    SUSPEND = "Suspend"
    RESUME = "Resume"
    PARALLELISM = "Parallelism"


@dataclasses.dataclass(frozen=True, kw_only=True, slots=True)
class UserRequest:
    """A request as it is written, and what the user reads about it.

    `latest`: the number of the latest run when it was decided, 0 for none.
    """

    kind: RequestKind
    changes: Mapping[str, Any] = dataclasses.field(default_factory=dict)
    """The merge patch; empty if nothing needs to change."""
    messages: tuple[str, ...]
    token: str | None = None
    latest: int = 0
    details: Mapping[str, Any] = dataclasses.field(default_factory=dict)
    """What the document for programs holds besides the token."""


def request_run(chain: StackChain, *, token: str) -> UserRequest:
    """Ask for a run of all stacks."""
    _refuse_deleted(chain)
    name, run = chain.ref.name, chain.status.latest_run
    messages = [f"Asked for a run of {name}."]
    if run is not None and not run.phase.is_over:
        replaces = chain.spec.concurrency_policy is v1alpha1.ConcurrencyPolicy.REPLACE
        what = "is canceled first (concurrencyPolicy: Replace)" if replaces else "has to end first"
        messages.append(f"Run {run.number} is live and {what}.")
    return UserRequest(
        kind=RequestKind.RUN,
        changes=_annotation(v1alpha1.RUN_ANNOTATION, token),
        messages=(*messages, *_suspended(chain)),
        token=token,
        latest=_number(run),
    )


def request_retry(chain: StackChain, number: int | None) -> UserRequest:
    """Ask for the stacks of the latest run that did not succeed.

    Raises:
        CommandError: there is nothing to retry, or the number is stale.
    """
    _refuse_deleted(chain)
    name = chain.ref.name
    run = _latest(chain, number, "retry")
    if not run.phase.is_over:
        raise exit_codes.nothing_to_do(
            f"run {run.number} of {name} is still live ({run.phase}), so it cannot be retried; "
            f"follow it with `{PROGRAM} tree {name} -w`."
        )
    kept, again = split_for_retry(chain.status)
    has_read = run.summary.total > 0
    if run.phase is Phase.SUCCEEDED or (kept and not again and has_read):
        raise exit_codes.nothing_to_do(
            f"every stack of run {run.number} succeeded, so there is nothing to retry; run all of "
            f"them again with `{PROGRAM} run {name}`."
        )
    token = str(run.number)
    if chain.status.last_handled.retry == token:
        raise exit_codes.nothing_to_do(
            f"a retry of run {run.number} was asked for before and has been taken up; see "
            f"`kubectl events --for schain/{name}`, or run all with `{PROGRAM} run {name}`."
        )
    return UserRequest(
        kind=RequestKind.RETRY,
        changes=_annotation(v1alpha1.RETRY_ANNOTATION, token),
        messages=(
            f"Asked for a retry of run {run.number} of {name}.",
            *_kept_and_again(kept, again),
            *_suspended(chain),
        ),
        token=token,
        latest=run.number,
        details={"kept": kept, "again": again},
    )


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
        f"Asked to cancel run {run.number} of {name}.",
        "Its Spacelift runs are stopped; a run that is already applying is allowed to finish.",
    ]
    if chain.status.pending_run is not None:
        messages.append("A request waits for its end and starts then.")
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
        return UserRequest(kind=RequestKind.SUSPEND, messages=(f"{name} is suspended already.",))
    messages = (f"Suspended {name}: no further stack is started, and runs in progress end.",)
    return UserRequest(
        kind=RequestKind.SUSPEND, changes={"spec": {"suspend": True}}, messages=messages
    )


def request_resume(chain: StackChain) -> UserRequest:
    """Ask that a suspended chain continues."""
    _refuse_deleted(chain)
    name = chain.ref.name
    if not chain.spec.suspend:
        return UserRequest(kind=RequestKind.RESUME, messages=(f"{name} is not suspended.",))
    messages = (f"Resumed {name}: its stacks start again in their order.",)
    return UserRequest(
        kind=RequestKind.RESUME, changes={"spec": {"suspend": False}}, messages=messages
    )


def request_parallelism(chain: StackChain, bound: int) -> UserRequest:
    """Ask that so many stacks may run at once; a live run follows."""
    _refuse_deleted(chain)
    name, before = chain.ref.name, chain.spec.policies.parallelism
    details = {"parallelism": bound}
    if bound == before:
        messages = (f"The parallelism of {name} is {bound} already.",)
        return UserRequest(kind=RequestKind.PARALLELISM, messages=messages, details=details)
    return UserRequest(
        kind=RequestKind.PARALLELISM,
        changes={"spec": {"parallelism": bound}},
        messages=(f"Changed the parallelism of {name} from {before} to {bound}.",),
        details=details,
    )


def open_requests(chain: StackChain) -> list[tuple[str, str]]:
    """Return the tokens that the operator has not taken up yet, with where they are."""
    handled = chain.status.last_handled
    requests = (
        (v1alpha1.RUN_ANNOTATION, chain.run_token, handled.run),
        ("spec.runToken", chain.spec.run_token, handled.run_token),
        (v1alpha1.RETRY_ANNOTATION, chain.retry_token, handled.retry),
        (v1alpha1.BYPASS_ANNOTATION, chain.bypass_token, handled.bypass),
        (v1alpha1.CANCEL_ANNOTATION, chain.cancel_token, handled.cancel),
    )
    return [(name, token) for name, token, done in requests if token is not None and token != done]


def has_request(chain: StackChain) -> bool:
    """Whether another run is asked for."""
    return bool(open_requests(chain)) or chain.status.pending_run is not None


def would_take_retry(chain: StackChain) -> bool:
    """Whether the operator would start a retry of the latest run, as far as the status tells."""
    status, run = chain.status, chain.status.latest_run
    ready = status.condition("Ready")
    if run is None or has_request(chain):
        return False
    if ready is not None and ready.reason == reasons.ChainReason.NOT_REQUESTED:
        # The spec is not the one with which the run ran.
        return False
    return (status.last_handled.retry or "").strip() != str(run.number)


def split_for_retry(status: v1alpha1.Status) -> tuple[list[str], list[str]]:
    """Return which stacks of the latest run, which is over, a retry keeps, and which it runs again.

    A retry that could not read its stacks lists those that it keeps, and no others.
    """
    stacks = status.stacks
    kept = sorted(stack.id for stack in stacks if policy.ended_well(stack))
    return kept, sorted(stack.id for stack in stacks if not policy.ended_well(stack))


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
            f"({run.phase}); only that one can be named: `{PROGRAM} {verb} {name} {run.number}`."
        )
    return run


def _refuse_deleted(chain: StackChain) -> None:
    if chain.is_deleting:
        raise exit_codes.nothing_to_do(
            f"{chain.ref.name} is being deleted; nothing is started for it any more."
        )


def _suspended(chain: StackChain) -> tuple[str, ...]:
    if not chain.spec.suspend:
        return ()
    name = chain.ref.name
    return (f"The chain is suspended: nothing is started before `{PROGRAM} resume {name}`.",)


def _kept_and_again(kept: list[str], again: list[str]) -> tuple[str, ...]:
    if not again and not kept:
        return ("The run had read no stacks, so all of the chain's are run.",)
    messages = [
        "The run had read no stacks, so all of the chain's are run but those that are kept."
    ]
    if again:
        messages = [f"To run again ({len(again)}): {first_names(again)}."]
    if kept:
        messages.append(f"Kept as they are ({len(kept)}): {first_names(kept)}.")
    return tuple(messages)


def first_names(names: list[str]) -> str:
    """Return the first names, and how many more there are."""
    return wording.listed(names, most=_MAX_NAMED)


def _annotation(name: str, value: str) -> Mapping[str, Any]:
    return {"metadata": {"annotations": {name: value}}}


def _number(run: RunStatus | None) -> int:
    return run.number if run is not None else 0
