"""The run that is to be started: its key, its number, and what it handles. Pure."""

import dataclasses
import hashlib

from controller.api import v1alpha1
from controller.chain.requests import automatic_asks, executions, request_tokens
from controller.chain.requests.executions import Execution
from controller.chain.requests.handled_asks import spec_digest
from controller.chain.run import progress

_LONGEST_KEY = 256


@dataclasses.dataclass(frozen=True, kw_only=True, slots=True)
class Request:
    """One run to start; `key` makes it the same request however often it is decided.

    `kept` are the stacks that the run leaves as an earlier run left them. `retried` are the others
    of that run: those that have succeeded since are left, too. With `named` stacks, only these are
    retried, and the others are `left` as they ended. `bypassed` are those of `kept` for which a
    person vouches. With `root_runs` it runs only what is downstream of their stacks. `took_up` are
    the runs of roots that it answers.
    """

    key: str
    number: int
    attempt: int
    cause: v1alpha1.Cause
    handled: v1alpha1.Handled
    kept: tuple[progress.Kept, ...] = ()
    retried: tuple[progress.Retried, ...] = ()
    left: tuple[progress.Left, ...] = ()
    named: tuple[str, ...] = ()
    bypassed: tuple[str, ...] = ()
    root_runs: tuple[v1alpha1.RootRun, ...] = ()
    took_up: tuple[v1alpha1.RootRun, ...] = ()


def request_for(
    chain: v1alpha1.StackChain,
    execution: Execution | None,
    handled: v1alpha1.Handled,
    asked: v1alpha1.Cause,
    asks: automatic_asks.AutomaticAsks,
    *,
    retried: request_tokens.TakenStacks | None = None,
    bypassed: tuple[str, ...] = (),
) -> Request:
    """Return the request that merges all asks; a retry leaves runs of roots to the next.

    Args:
        chain: the resource.
        execution: its latest execution.
        handled: what was handled before.
        asked: the ask that goes before the others.
        asks: what asks automatically.
        retried: the annotation `retry`, if it asks for a run.
        bypassed: the stacks for which a person vouches now.
    """
    latest, digest = chain.status.latest_run, spec_digest(chain.spec)
    number = executions.run_number(chain, execution)
    parts, named = request_tokens.RetryParts(), retried.names if retried is not None else ()
    root_runs: tuple[v1alpha1.RootRun, ...] = ()
    took_up = asks.root_runs
    if asked is v1alpha1.Cause.ROOT_RUN_FINISHED:
        root_runs = asks.root_runs
    elif asked is v1alpha1.Cause.RETRY:
        root_runs, took_up = latest.root_runs if latest else (), ()
        parts = request_tokens.retry_parts(
            chain.status.stacks, number=number, named=named, bypassed=bypassed
        )
    is_retry = asked is v1alpha1.Cause.RETRY
    key = _key(chain, asked, handled, digest, asks)
    if is_retry and bypassed:
        bypass = f"bypass:{(chain.bypass_token or '').strip()}"
        key = f"{key} {bypass}" if retried is not None else bypass
    return Request(
        key=key,
        number=number + 1,
        attempt=1,
        cause=asked,
        handled=v1alpha1.Handled(
            spec=digest,
            run=chain.run_token,
            run_token=chain.spec.run_token,
            retry=chain.retry_token,
            bypass=chain.bypass_token,
            schedule=automatic_asks.later(handled.schedule, asks.scheduled_time),
            root_runs=automatic_asks.newest(handled.root_runs, took_up),
        ),
        kept=parts.kept,
        retried=parts.retried,
        left=parts.left,
        named=named if is_retry else (),
        bypassed=bypassed if is_retry else (),
        root_runs=root_runs,
        took_up=took_up,
    )


def request_again(
    chain: v1alpha1.StackChain, execution: Execution | None, handled: v1alpha1.Handled
) -> Request:
    """Return the request that tries a run which triggered nothing once more."""
    latest = chain.status.latest_run
    attempt = max(execution.attempt if execution else 1, latest.attempt if latest else 1) + 1
    number = executions.run_number(chain, execution)
    asked_by = execution.cause if execution else latest.cause if latest else ""
    cause = next((item for item in v1alpha1.Cause if item == asked_by), v1alpha1.Cause.SPEC)
    # The status of a retry that triggered nothing lists what it keeps and leaves of the run before,
    # and nothing else.
    parts = request_tokens.RetryParts()
    if cause is v1alpha1.Cause.RETRY:
        none = ("",)
        parts = request_tokens.retry_parts(chain.status.stacks, number=number - 1, named=none)
    return Request(
        key=f"recheck:{number}:{attempt}",
        number=number,
        attempt=attempt,
        cause=cause,
        handled=handled,
        kept=parts.kept,
        left=parts.left,
        named=execution.named if execution else (),
        bypassed=execution.bypassed if execution else (),
        root_runs=(execution.root_runs if execution else ())
        or (latest.root_runs if latest else ()),
    )


def _key(
    chain: v1alpha1.StackChain,
    cause: v1alpha1.Cause,
    handled: v1alpha1.Handled,
    digest: str,
    asks: automatic_asks.AutomaticAsks,
) -> str:
    match cause:
        case v1alpha1.Cause.SPEC:
            return f"spec:{chain.ref.generation}:{digest}"
        case v1alpha1.Cause.RETRY:
            return f"retry:{(chain.retry_token or '').strip()}"
        case v1alpha1.Cause.SCHEDULE:
            return f"schedule:{asks.scheduled_time}"
        case v1alpha1.Cause.ROOT_RUN_FINISHED:
            return f"webhook:{_short(','.join(item.run_id for item in asks.root_runs))}"
        case v1alpha1.Cause.RUN_TOKEN if chain.spec.run_token not in (None, handled.run_token):
            return f"runToken:{chain.spec.run_token}"
        case v1alpha1.Cause.RUN_TOKEN:
            return f"run:{_short(chain.run_token or '')}"


def _short(text: str) -> str:
    # An annotation may hold 256 kB, and Temporal shows the key.
    return hashlib.sha256(text.encode()).hexdigest() if len(text) > _LONGEST_KEY else text
