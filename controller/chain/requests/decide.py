"""Which asks are unhandled and what follows from them: the deciding half of reconcile. Pure.

Level-triggered: it looks at what is asked and what was handled, never at what happened. All
unhandled asks fold into one request; a crash between start and write is healed by the memo that the
execution carries.
"""

import dataclasses
import enum
import hashlib
import json
from collections.abc import Sequence
from typing import Any

from controller.api import reasons, v1alpha1
from controller.chain.requests import automatic
from controller.chain.run import policy, progress

_LONGEST_KEY = 256


class ExecutionState(enum.StrEnum):
    """How the latest workflow execution of a resource stands."""

    RUNNING = "Running"
    CLOSED = "Closed"
    TERMINATED = "Terminated"
    FAILED = "Failed"


@dataclasses.dataclass(frozen=True, kw_only=True, slots=True)
class Execution:
    """The latest workflow execution of a resource, as its memo and description tell."""

    workflow_id: str
    workflow_run_id: str
    state: ExecutionState
    number: int
    attempt: int
    cause: str
    generation: int
    handled: v1alpha1.Handled
    started_at: str
    operation: str = v1alpha1.Operation.APPLY
    root_runs: tuple[v1alpha1.RootRun, ...] = ()
    closed_at: str | None = None
    failure: str = ""


@dataclasses.dataclass(frozen=True, kw_only=True, slots=True)
class Request:
    """One run to start; `key` makes it the same request however often it is decided.

    `kept` are the stacks that the run leaves as an earlier one has left them. With `root_runs` it
    runs only what is downstream of their stacks. `took_up` are the runs of roots that it answers.
    """

    key: str
    number: int
    attempt: int
    cause: v1alpha1.Cause
    handled: v1alpha1.Handled
    kept: tuple[progress.Kept, ...] = ()
    root_runs: tuple[v1alpha1.RootRun, ...] = ()
    took_up: tuple[v1alpha1.RootRun, ...] = ()


@dataclasses.dataclass(frozen=True, kw_only=True, slots=True)
class Decision:
    """What reconcile does: a start, or a cancel, or what a live run is to be told.

    `notes` say why a request does nothing. `is_not_requested`: the spec is to run only when asked,
    and nobody has asked for it as it is now.
    """

    handled: v1alpha1.Handled
    start: Request | None = None
    cancel: bool = False
    set_parallelism: int | None = None
    set_suspended: bool | None = None
    pending: v1alpha1.PendingRun | None = None
    is_not_requested: bool = False
    notes: tuple[str, ...] = ()


def spec_digest(spec: v1alpha1.StackChainSpec) -> str:
    """Return the digest of what is run: a change of it asks for a run.

    How it is run (parallelism, deadlines, policies, limits) is not part of it and starts nothing.
    A field at its default is left out, so that a new field does not make every chain run once.
    """
    graph = spec.graph
    relevant: dict[str, object] = {
        "connectionName": spec.connection_name,
        "roots": sorted(spec.roots.stack_ids),
        "sources": sorted(graph.sources),
    }
    optional: dict[str, object] = {
        "rootLabels": sorted(spec.roots.labels),
        "direction": "" if graph.direction is v1alpha1.Direction.DOWNSTREAM else graph.direction,
        "withoutRoots": not graph.include_roots,
        "maxDepth": graph.max_depth,
        "excludedStacks": sorted(graph.exclude.stack_ids),
        "excludedLabels": sorted(graph.exclude.labels),
        "operation": "" if spec.operation is v1alpha1.Operation.APPLY else spec.operation,
        "commitSHA": spec.commit_sha,
        "runtimeEnvironment": {item.name: item.value for item in spec.runtime_environment},
    }
    relevant |= {key: value for key, value in optional.items() if value}
    text = json.dumps(relevant, sort_keys=True, separators=(",", ":"))
    return hashlib.sha256(text.encode()).hexdigest()[:16]


def handled_asks(status: v1alpha1.Status, execution: Execution | None) -> v1alpha1.Handled:
    """Return what was handled, as the status and the latest execution together know it.

    The execution is ahead of the status after a crash between start and write. The status is ahead
    once the history is deleted, of an execution that it has superseded, and by requests that no
    run was started for.
    """
    latest, told = status.latest_run, status.last_handled
    if execution is None or (latest is not None and is_duplicate(execution, latest)):
        return told
    started = execution.handled
    schedule = automatic.later(told.schedule, started.schedule)
    if latest is not None and latest.workflow_run_id == execution.workflow_run_id:
        return v1alpha1.Handled(
            spec=_first(told.spec, started.spec),
            run=_first(told.run, started.run),
            retry=_first(told.retry, started.retry),
            cancel=told.cancel,
            schedule=schedule,
            root_runs=told.root_runs,
        )
    # A retry that did nothing has left no trace but in the status.
    retry = _first(started.retry, told.retry)
    root_runs = automatic.newest(told.root_runs, started.root_runs)
    return dataclasses.replace(
        started, retry=retry, cancel=told.cancel, schedule=schedule, root_runs=root_runs
    )


def _first(one: str | None, other: str | None) -> str | None:
    return other if one is None else one


def is_duplicate(execution: Execution, latest: v1alpha1.RunStatus) -> bool:
    """Whether the resource's run of that number, or a later one, is another execution.

    Two operators that overlap for a moment can start one request twice, one after the other; the
    status says which of both has the resource, and the other must trigger nothing.
    """
    if execution.workflow_run_id == latest.workflow_run_id:
        return False
    return (execution.number, execution.attempt) <= (latest.number, latest.attempt)


@dataclasses.dataclass(frozen=True, kw_only=True, slots=True)
class Live:
    """How a live run stands to what the spec can change of it while it runs.

    None: not known, since no worker answers for it; it is told then, and hears it later.
    """

    parallelism: int | None = None
    is_suspended: bool | None = None


def decide(
    chain: v1alpha1.StackChain,
    execution: Execution | None,
    *,
    live: Live | None,
    is_recheck_due: bool,
    is_withheld: bool = False,
) -> Decision:
    """Decide what to do for a resource that may use its connection and is not being deleted.

    Args:
        chain: the resource; its status tells how the latest run stands now.
        execution: its latest execution, if Temporal still knows one.
        live: the live run's own settings; None if there is no such run.
        is_recheck_due: a run that triggered nothing may be tried again.
        is_withheld: the live run, of an earlier spec, is one that the connection does not serve.
    """
    handled = handled_asks(chain.status, execution)
    if not chain.spec.triggers:
        # Set up anew they begin with what is newest then.
        handled = dataclasses.replace(handled, root_runs=())
    is_live = execution is not None and execution.state is ExecutionState.RUNNING
    handled, is_cancel, notes = _take_up_cancel(chain, execution, handled, is_live=is_live)
    handled, kept, more = _take_up_retry(chain, execution, handled, is_live=is_live)
    asks = automatic.open_asks(chain, handled)
    asked = _asked(chain, handled, asks, is_retry=kept is not None)
    base = Decision(
        handled=handled,
        cancel=is_cancel,
        notes=(*notes, *more),
        is_not_requested=asked is None and not is_live and is_spec_new(chain, handled),
        **(_changes(chain, live, is_withheld) if is_live and not is_cancel else {}),
    )
    if asked is None:
        if not is_live and is_recheck_due and _is_told(chain.status.latest_run, execution):
            return dataclasses.replace(base, start=_again(chain, execution, handled))
        return base
    if is_live:
        return _wait(chain, execution, base, asked, asks)
    request = _request(chain, execution, handled, asked, asks)
    if asked is v1alpha1.Cause.RETRY:
        request = dataclasses.replace(request, kept=kept or ())
    base = dataclasses.replace(
        base, handled=dataclasses.replace(request.handled, cancel=handled.cancel), start=request
    )
    if asked is v1alpha1.Cause.RETRY and asks.root_runs:
        # Neither run does what the other does.
        return dataclasses.replace(
            base, pending=_pending(v1alpha1.Cause.ROOT_RUN_FINISHED, asks, request.number)
        )
    return base


def decide_unserved(
    chain: v1alpha1.StackChain,
    execution: Execution | None,
    *,
    live: Live | None,
    is_withheld: bool,
) -> Decision:
    """Decide for a resource that its connection does not serve: what it asks for stays asked.

    A live run goes on being steered, and begins nothing more while it is withheld.
    """
    handled = handled_asks(chain.status, execution)
    pending = automatic.only_asks(chain.status.pending_run)
    if execution is None or execution.state is not ExecutionState.RUNNING:
        return Decision(handled=handled, pending=pending)
    handled, is_cancel, notes = _take_up_cancel(chain, execution, handled, is_live=True)
    return Decision(
        handled=handled,
        cancel=is_cancel,
        notes=notes,
        pending=pending,
        **(_changes(chain, live, is_withheld) if not is_cancel else {}),
    )


def is_asking(chain: v1alpha1.StackChain, handled: v1alpha1.Handled) -> bool:
    """Whether anything is asked that is not handled, be it stale or not."""
    asks = automatic.open_asks(chain, handled)
    return (
        _asked(chain, handled, asks, is_retry=False) is not None
        or chain.retry_token not in (None, handled.retry)
        or chain.cancel_token not in (None, handled.cancel)
    )


def _request(
    chain: v1alpha1.StackChain,
    execution: Execution | None,
    handled: v1alpha1.Handled,
    asked: v1alpha1.Cause,
    asks: automatic.AutomaticAsks,
) -> Request:
    """Return the request that all asks fold into; a retry leaves runs of roots to the next."""
    latest, digest = chain.status.latest_run, spec_digest(chain.spec)
    root_runs: tuple[v1alpha1.RootRun, ...] = ()
    took_up = asks.root_runs
    if asked is v1alpha1.Cause.ROOT_RUN_FINISHED:
        root_runs = asks.root_runs
    elif asked is v1alpha1.Cause.RETRY:
        root_runs, took_up = latest.root_runs if latest else (), ()
    return Request(
        key=_key(chain, asked, digest, asks),
        number=_number(chain, execution) + 1,
        attempt=1,
        cause=asked,
        handled=v1alpha1.Handled(
            spec=digest,
            run=chain.run_token,
            retry=chain.retry_token,
            schedule=automatic.later(handled.schedule, asks.scheduled_time),
            root_runs=automatic.newest(handled.root_runs, took_up),
        ),
        root_runs=root_runs,
        took_up=took_up,
    )


def is_spec_new(chain: v1alpha1.StackChain, handled: v1alpha1.Handled) -> bool:
    """Whether no run has taken up the spec as it is."""
    return handled.spec != spec_digest(chain.spec)


def _asked(
    chain: v1alpha1.StackChain,
    handled: v1alpha1.Handled,
    asks: automatic.AutomaticAsks,
    *,
    is_retry: bool,
) -> v1alpha1.Cause | None:
    """All unhandled asks fold into one; what runs more goes before what runs less."""
    is_on_change = chain.spec.start_policy is v1alpha1.StartPolicy.ON_CHANGE
    if is_on_change and is_spec_new(chain, handled):
        return v1alpha1.Cause.SPEC
    # A token that was removed asks for nothing.
    if chain.run_token is not None and handled.run != chain.run_token:
        return v1alpha1.Cause.RUN_TOKEN
    if asks.scheduled_time is not None:
        return v1alpha1.Cause.SCHEDULE
    if is_retry:
        return v1alpha1.Cause.RETRY
    return v1alpha1.Cause.ROOT_RUN_FINISHED if asks.root_runs else None


def _changes(chain: v1alpha1.StackChain, live: Live | None, is_withheld: bool) -> dict[str, Any]:
    """Return what a live run is to be told."""
    spec, changes = chain.spec, dict[str, Any]()
    is_suspended = spec.suspend or is_withheld
    if live is not None and live.parallelism != spec.parallelism:
        changes["set_parallelism"] = spec.parallelism
    if live is not None and live.is_suspended != is_suspended:
        changes["set_suspended"] = is_suspended
    return changes


def _wait(
    chain: v1alpha1.StackChain,
    execution: Execution | None,
    base: Decision,
    asked: v1alpha1.Cause,
    asks: automatic.AutomaticAsks,
) -> Decision:
    """A run is live: the request waits for its end, or ends it."""
    number = _number(chain, execution)
    is_replacing = (
        chain.spec.concurrency_policy is v1alpha1.ConcurrencyPolicy.REPLACE
        and asked not in _NEVER_REPLACING
    )
    return dataclasses.replace(
        base,
        cancel=base.cancel or is_replacing,
        pending=_pending(asked, asks, number, is_replacing=is_replacing),
    )


# A retry goes on with the live run, which must end first in its own way. What a root's run asks for
# is less than what a live run does, so that something of that would be left undone.
_NEVER_REPLACING = (v1alpha1.Cause.RETRY, v1alpha1.Cause.ROOT_RUN_FINISHED)


def _pending(
    asked: v1alpha1.Cause, asks: automatic.AutomaticAsks, number: int, *, is_replacing: bool = False
) -> v1alpha1.PendingRun:
    does = "Waits for run {} to end" if not is_replacing else "Run {} is being canceled for it"
    return v1alpha1.PendingRun(
        cause=asked,
        message=f"{does.format(number)}; the newest request is the one that runs.",
        scheduled_time=asks.scheduled_time,
        root_runs=asks.root_runs,
    )


def _take_up_cancel(
    chain: v1alpha1.StackChain,
    execution: Execution | None,
    handled: v1alpha1.Handled,
    *,
    is_live: bool,
) -> tuple[v1alpha1.Handled, bool, tuple[str, ...]]:
    token = chain.cancel_token
    if token is None or token == handled.cancel:
        return handled, False, ()
    handled = dataclasses.replace(handled, cancel=token)
    number = _number(chain, execution)
    if is_live and token.strip() == str(number):
        return handled, True, ()
    why = _why_stale(token, number)
    if not why:
        why = f"run {number} is over"
    return handled, False, (f"`{v1alpha1.CANCEL_ANNOTATION}: {token[:64]}` does nothing: {why}.",)


def _take_up_retry(
    chain: v1alpha1.StackChain,
    execution: Execution | None,
    handled: v1alpha1.Handled,
    *,
    is_live: bool,
) -> tuple[v1alpha1.Handled, tuple[progress.Kept, ...] | None, tuple[str, ...]]:
    """Return the stacks to keep for a retry that is to run; None if there is none.

    A retry of the live run waits for its end, since only then it is known what did not succeed.
    """
    token = chain.retry_token
    if token is None or token == handled.retry:
        return handled, None, ()
    number = _number(chain, execution)
    why = _why_stale(token, number)
    if not why and not is_live:
        latest, stacks = chain.status.latest_run, chain.status.stacks
        if latest is not None and latest.phase is v1alpha1.Phase.SUCCEEDED:
            why = f"every stack of run {number} succeeded"
        elif is_spec_new(chain, handled):
            # What has succeeded under another spec says nothing about this one.
            why = f"the spec has changed since run {number}"
        kept = kept_stacks(stacks, number=number)
    else:
        kept = ()
    if not why:
        return handled, kept, ()
    note = f"`{v1alpha1.RETRY_ANNOTATION}: {token[:64]}` does nothing: {why}."
    return dataclasses.replace(handled, retry=token), None, (note,)


def _why_stale(token: str, number: int) -> str:
    if token.strip() == str(number) and number:
        return ""
    if not token.strip().isdecimal():
        return "it must be the number of a run"
    return f"the latest run is {number}" if number else "there has been no run yet"


def kept_stacks(
    stacks: Sequence[v1alpha1.StackStatus], *, number: int
) -> tuple[progress.Kept, ...]:
    """Return the stacks that a retry of a run leaves as they are: those that ended well."""
    return tuple(
        progress.Kept(stack_id=stack.id, run_number=number, run_id=stack.run_id, url=stack.url)
        for stack in stacks
        if policy.ended_well(stack)
    )


def _key(
    chain: v1alpha1.StackChain, cause: v1alpha1.Cause, digest: str, asks: automatic.AutomaticAsks
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
        case v1alpha1.Cause.RUN_TOKEN:
            return f"run:{_short(chain.run_token or '')}"


def _short(text: str) -> str:
    # An annotation may hold 256 kB, and Temporal shows the key.
    return hashlib.sha256(text.encode()).hexdigest() if len(text) > _LONGEST_KEY else text


def _number(chain: v1alpha1.StackChain, execution: Execution | None) -> int:
    latest = chain.status.latest_run
    return max(execution.number if execution else 0, latest.number if latest else 0)


def _again(
    chain: v1alpha1.StackChain, execution: Execution | None, handled: v1alpha1.Handled
) -> Request:
    latest = chain.status.latest_run
    attempt = max(execution.attempt if execution else 1, latest.attempt if latest else 1) + 1
    number = _number(chain, execution)
    asked_by = execution.cause if execution else latest.cause if latest else ""
    cause = next((item for item in v1alpha1.Cause if item == asked_by), v1alpha1.Cause.SPEC)
    return Request(
        key=f"recheck:{number}:{attempt}",
        number=number,
        attempt=attempt,
        cause=cause,
        handled=handled,
        # The status of a retry that triggered nothing lists what it keeps, and nothing else.
        kept=kept_stacks(chain.status.stacks, number=number)
        if cause is v1alpha1.Cause.RETRY
        else (),
        root_runs=(execution.root_runs if execution else ())
        or (latest.root_runs if latest else ()),
    )


def _is_told(latest: v1alpha1.RunStatus | None, execution: Execution | None) -> bool:
    """Whether what the status says of the latest run is the last word on it.

    Not so after a crash: the execution may have gone on and ended well since, and starting it again
    would run every stack twice.
    """
    if latest is None or execution is None or is_duplicate(execution, latest):
        return True
    return has_end_of(latest, execution)


def has_end_of(latest: v1alpha1.RunStatus, execution: Execution) -> bool:
    """Whether the run's end in the status is this execution's own.

    While a run is tried again the status keeps the end of the attempt before.
    """
    if latest.workflow_run_id != execution.workflow_run_id:
        return False
    return latest.completion_time is None or latest.completion_time >= execution.started_at


def may_be_rechecked(latest: v1alpha1.RunStatus | None) -> bool:
    """Whether the latest run ended before it triggered anything, for a reason that may pass."""
    return (
        latest is not None
        and latest.phase == v1alpha1.Phase.FAILED
        and latest.reason in reasons.RECHECKED
    )
