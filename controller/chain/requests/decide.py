"""Which asks are unhandled and what follows from them: the deciding half of reconcile. Pure.

Level-triggered: it looks at what is asked and what was handled, never at what happened. All
unhandled asks are merged into one request. If the operator crashes between start and write, the
memo that the execution carries fixes the status. See ADR 0015.
"""

import dataclasses

from controller.api import v1alpha1
from controller.chain.requests import (
    automatic_asks,
    chain_waits,
    executions,
    next_request,
    request_tokens,
)
from controller.chain.requests.executions import Execution, LiveSettings
from controller.chain.requests.handled_asks import (
    all_handled,
    handled_asks,
    is_held,
    is_spec_new,
)
from controller.chain.run import progress


@dataclasses.dataclass(frozen=True, kw_only=True, slots=True)
class Decision:
    """What reconcile does: a start, or a cancel, or new settings for a live run.

    `settings` has those that change; the others are None. `requests` are for the live run, which
    says when it has handled them; `done` is what it did. `notes` say why a request does nothing.
    `is_not_requested`: the spec is to run only when asked, and no one has asked for it as it is
    now, or since it was restored. `waiting` is what keeps a requested run from starting, and a
    cycle that the chain is on.
    """

    handled: v1alpha1.Handled
    start: next_request.Request | None = None
    cancel: bool = False
    settings: LiveSettings = dataclasses.field(default_factory=LiveSettings)
    pending: v1alpha1.PendingRun | None = None
    is_not_requested: bool = False
    requests: tuple[progress.LiveRequest, ...] = ()
    done: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()
    waiting: chain_waits.Waiting = chain_waits.NOTHING


def decide(
    chain: v1alpha1.StackChain,
    execution: Execution | None,
    *,
    live: LiveSettings | None,
    is_recheck_due: bool,
    is_withheld: bool = False,
    waiting: chain_waits.Waiting = chain_waits.NOTHING,
    known: progress.ChainProgress | None = None,
) -> Decision:
    """Decide what to do for a resource that may use its connection and is not being deleted.

    Args:
        chain: the resource; its status tells how the latest run stands now.
        execution: its latest execution, if Temporal still knows one.
        live: the live run's own settings; None if there is no such run.
        is_recheck_due: a run that triggered nothing may be tried again.
        is_withheld: the live run, of an earlier spec, is one that the connection does not serve.
        waiting: what keeps a run from starting; it does not touch a live one.
        known: the facts of the latest execution; None if no one answers for it.
    """
    handled = handled_asks(chain.status, execution)
    if is_held(chain, execution):
        handled = all_handled(chain)
    if not chain.spec.triggers:
        # Once set up again, they start with what is newest then.
        handled = dataclasses.replace(handled, root_runs=())
    number, is_live = executions.run_number(chain, execution), executions.is_live(execution)
    run = request_tokens.take_run(chain, handled)
    cancel = request_tokens.take_cancel(chain, run.handled, number=number, is_live=is_live)
    latest = _latest_run(chain, execution, known)
    retry = request_tokens.take_retry(chain, cancel.handled, latest)
    bypass = request_tokens.take_bypass(chain, retry.handled, latest)
    approve = request_tokens.take_approve(chain, bypass.handled, latest)
    handled = approve.handled
    asks = automatic_asks.open_asks(chain, handled)
    is_retry = retry.is_effective or bypass.is_effective
    asked = _asked(chain, handled, asks, is_retry=is_retry)
    base = Decision(
        handled=handled,
        cancel=cancel.is_effective,
        requests=tuple(
            taken.request for taken in (retry, bypass, approve) if taken.request is not None
        ),
        done=tuple(taken.done for taken in (retry, bypass) if taken.done is not None),
        notes=tuple(
            taken.note for taken in (run, cancel, retry, bypass, approve) if taken.note is not None
        ),
        is_not_requested=asked is None
        and not is_live
        and (is_spec_new(chain, handled) or number == 0),
    )
    if is_live and not cancel.is_effective:
        base = dataclasses.replace(base, settings=_changed_settings(chain, live, is_withheld))
    if not is_live:
        base = dataclasses.replace(base, waiting=chain_waits.Waiting(cycle=waiting.cycle))
    if asked is None:
        is_over = not is_live and _is_published(chain.status.latest_run, execution)
        if is_over and is_recheck_due and not waiting.holds:
            again = next_request.request_again(chain, execution, handled)
            return dataclasses.replace(base, start=again)
        return _without_requests_to_canceled(base)
    if is_live:
        return _without_requests_to_canceled(_wait(chain, number, base, asked, asks))
    if waiting.holds:
        text = chain_waits.text_of(waiting.waits) if waiting.waits else "Its chains form a cycle."
        pending = _pending(asked, asks, text)
        return dataclasses.replace(base, pending=pending, waiting=waiting)
    request = next_request.request_for(
        chain,
        execution,
        handled,
        asked,
        asks,
        retried=retry if retry.is_effective else None,
        bypassed=bypass.names if bypass.is_effective else (),
    )
    if bypass.is_effective and asked is not v1alpha1.Cause.RETRY:
        base = dataclasses.replace(base, notes=(*base.notes, request_tokens.runs_anyway(chain)))
    base = dataclasses.replace(
        base,
        handled=dataclasses.replace(
            request.handled, cancel=handled.cancel, approve=handled.approve
        ),
        start=request,
    )
    if asked is v1alpha1.Cause.RETRY and asks.root_runs:
        # Neither run does what the other does.
        return dataclasses.replace(
            base, pending=_pending_behind(v1alpha1.Cause.ROOT_RUN_FINISHED, asks, request.number)
        )
    return base


def decide_without_connection(
    chain: v1alpha1.StackChain,
    execution: Execution | None,
    *,
    live: LiveSettings | None,
    is_withheld: bool,
) -> Decision:
    """Decide for a resource that its connection does not serve: what it asks for stays asked.

    A live run is still steered, but starts nothing more while it is withheld. Requests for its
    stacks wait, too: they would run the stacks.
    """
    handled = handled_asks(chain.status, execution)
    pending = automatic_asks.only_asks(chain.status.pending_run)
    if not executions.is_live(execution):
        return Decision(handled=handled, pending=pending)
    number = executions.run_number(chain, execution)
    cancel = request_tokens.take_cancel(chain, handled, number=number, is_live=True)
    settings = LiveSettings()
    if not cancel.is_effective:
        settings = _changed_settings(chain, live, is_withheld)
    return Decision(
        handled=cancel.handled,
        cancel=cancel.is_effective,
        settings=settings,
        pending=pending,
        notes=(cancel.note,) if cancel.note is not None else (),
    )


def _latest_run(
    chain: v1alpha1.StackChain, execution: Execution | None, known: progress.ChainProgress | None
) -> request_tokens.LatestRun:
    latest = chain.status.latest_run
    if execution is not None and latest is not None and executions.is_duplicate(execution, latest):
        # What it knows is about another run than the resource's.
        known = None
    return request_tokens.LatestRun(
        number=executions.run_number(chain, execution),
        is_live=executions.is_live(execution),
        known=known,
    )


def _without_requests_to_canceled(decision: Decision) -> Decision:
    """A run that is canceled takes up no request; what follows it does."""
    return dataclasses.replace(decision, requests=()) if decision.cancel else decision


def is_asking(chain: v1alpha1.StackChain, handled: v1alpha1.Handled) -> bool:
    """Whether anything is asked that is not handled, be it stale or not."""
    asks = automatic_asks.open_asks(chain, handled)
    return (
        _asked(chain, handled, asks, is_retry=False) is not None
        or chain.run_token not in (None, handled.run)
        or chain.retry_token not in (None, handled.retry)
        or chain.bypass_token not in (None, handled.bypass)
        or chain.approve_token not in (None, handled.approve)
        or chain.cancel_token not in (None, handled.cancel)
    )


def _asked(
    chain: v1alpha1.StackChain,
    handled: v1alpha1.Handled,
    asks: automatic_asks.AutomaticAsks,
    *,
    is_retry: bool,
) -> v1alpha1.Cause | None:
    """All unhandled asks fold into one; what runs more goes before what runs less."""
    is_on_change = chain.spec.start_policy is v1alpha1.StartPolicy.ON_CHANGE
    if is_on_change and is_spec_new(chain, handled):
        return v1alpha1.Cause.SPEC
    token = chain.spec.run_token
    # A token that was removed asks for nothing.
    is_new_in_spec = token is not None and token != handled.run_token
    if is_new_in_spec or request_tokens.take_run(chain, handled).is_effective:
        return v1alpha1.Cause.RUN_TOKEN
    if asks.scheduled_time is not None:
        return v1alpha1.Cause.SCHEDULE
    if is_retry:
        return v1alpha1.Cause.RETRY
    return v1alpha1.Cause.ROOT_RUN_FINISHED if asks.root_runs else None


def _changed_settings(
    chain: v1alpha1.StackChain, live: LiveSettings | None, is_withheld: bool
) -> LiveSettings:
    """Return the settings that a live run does not go by yet."""
    if live is None:
        return LiveSettings()
    parallelism = chain.spec.policies.parallelism
    is_suspended = chain.spec.suspend or is_withheld
    return LiveSettings(
        parallelism=parallelism if live.parallelism != parallelism else None,
        is_suspended=is_suspended if live.is_suspended != is_suspended else None,
    )


def _wait(
    chain: v1alpha1.StackChain,
    number: int,
    base: Decision,
    asked: v1alpha1.Cause,
    asks: automatic_asks.AutomaticAsks,
) -> Decision:
    """A run is live: the request waits for its end, or ends it."""
    is_replacing = (
        chain.spec.concurrency_policy is v1alpha1.ConcurrencyPolicy.REPLACE
        and asked not in _NEVER_REPLACING
    )
    return dataclasses.replace(
        base,
        cancel=base.cancel or is_replacing,
        pending=_pending_behind(asked, asks, number, is_replacing=is_replacing),
    )


# A retry continues the live run, which must first end in its own way. A root's run asks for less
# than a live run does, so that replacing the live run would leave some of it undone.
_NEVER_REPLACING = (v1alpha1.Cause.RETRY, v1alpha1.Cause.ROOT_RUN_FINISHED)


def _pending_behind(
    asked: v1alpha1.Cause,
    asks: automatic_asks.AutomaticAsks,
    number: int,
    *,
    is_replacing: bool = False,
) -> v1alpha1.PendingRun:
    does = "Waits for run {} to end" if not is_replacing else "Run {} is being canceled for it"
    text = f"{does.format(number)}; the newest request is the one that runs."
    return _pending(asked, asks, text)


def _pending(
    asked: v1alpha1.Cause, asks: automatic_asks.AutomaticAsks, message: str
) -> v1alpha1.PendingRun:
    return v1alpha1.PendingRun(
        cause=asked,
        message=message,
        scheduled_time=asks.scheduled_time,
        root_runs=asks.root_runs,
    )


def _is_published(latest: v1alpha1.RunStatus | None, execution: Execution | None) -> bool:
    """Whether the status already has the end of the latest run.

    Not so after a crash: the execution may have succeeded since, and starting it again would run
    every stack twice.
    """
    if latest is None or execution is None or executions.is_duplicate(execution, latest):
        return True
    return executions.has_end_of(latest, execution)
