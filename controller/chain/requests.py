"""Which asks are unhandled and what follows from them: the deciding half of reconcile. Pure.

Level-triggered: it looks at what is asked and what was handled, never at what happened. All
unhandled asks fold into one request; a crash between start and write is healed by the memo that the
execution carries.
"""

import dataclasses
import enum
import hashlib
import json

from controller.api import reasons, v1alpha1

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
    trigger: str
    generation: int
    handled: v1alpha1.Handled
    started_at: str
    closed_at: str | None = None
    failure: str = ""


@dataclasses.dataclass(frozen=True, kw_only=True, slots=True)
class Request:
    """One run to start; `key` makes it the same request however often it is decided."""

    key: str
    number: int
    attempt: int
    trigger: v1alpha1.Trigger
    handled: v1alpha1.Handled


@dataclasses.dataclass(frozen=True, kw_only=True, slots=True)
class Decision:
    """What reconcile does: at most one of start, cancel and signal."""

    handled: v1alpha1.Handled
    start: Request | None = None
    cancel: bool = False
    set_parallelism: int | None = None
    pending: v1alpha1.PendingRun | None = None

    @property
    def has_unhandled(self) -> bool:
        """Whether something is asked that no run has taken up."""
        return self.start is not None or self.pending is not None


def spec_digest(spec: v1alpha1.StackChainSpec) -> str:
    """Return the digest of what a run depends on.

    `parallelism` is not part of it: it reaches the live run by signal and starts nothing.
    """
    relevant = {
        "connectionName": spec.connection_name,
        "roots": sorted(spec.roots.stack_ids),
        "sources": sorted(spec.graph.sources),
    }
    text = json.dumps(relevant, sort_keys=True, separators=(",", ":"))
    return hashlib.sha256(text.encode()).hexdigest()[:16]


def handled_asks(status: v1alpha1.Status, execution: Execution | None) -> v1alpha1.Handled:
    """Return what was handled, as the status and the latest execution together know it.

    The execution is ahead of the status after a crash between start and write; the status is ahead
    once the history is deleted, and of an execution that it has superseded.
    """
    latest = status.latest_run
    if execution is None or (latest is not None and is_duplicate(execution, latest)):
        return status.last_handled
    return execution.handled


def is_duplicate(execution: Execution, latest: v1alpha1.RunStatus) -> bool:
    """Whether the resource's run of that number, or a later one, is another execution.

    Two operators that overlap for a moment can start one request twice, one after the other; the
    status says which of both has the resource, and the other must trigger nothing.
    """
    if execution.workflow_run_id == latest.workflow_run_id:
        return False
    return (execution.number, execution.attempt) <= (latest.number, latest.attempt)


def decide(
    chain: v1alpha1.StackChain,
    execution: Execution | None,
    *,
    live_parallelism: int | None,
    is_recheck_due: bool,
) -> Decision:
    """Decide what to do for a resource that may use its connection and is not being deleted.

    Args:
        chain: the resource.
        execution: its latest execution, if Temporal still knows one.
        live_parallelism: the bound that the live run has, if it is known.
        is_recheck_due: a run that triggered nothing may be tried again.
    """
    digest = spec_digest(chain.spec)
    handled = handled_asks(chain.status, execution)
    wanted = v1alpha1.Handled(spec=digest, run=chain.run_token)
    is_live = execution is not None and execution.state is ExecutionState.RUNNING
    trigger = _trigger(handled, wanted)
    is_other_bound = is_live and live_parallelism not in (None, chain.spec.parallelism)
    set_parallelism = chain.spec.parallelism if is_other_bound else None
    if trigger is None:
        if not is_live and is_recheck_due and _is_told(chain.status.latest_run, execution):
            return Decision(handled=handled, start=_again(chain, execution, handled))
        return Decision(handled=handled, set_parallelism=set_parallelism)
    if is_live:
        return Decision(
            handled=handled,
            set_parallelism=set_parallelism,
            pending=v1alpha1.PendingRun(
                trigger=trigger,
                message=f"Waits for run {_number(chain, execution)} to end; the newest request "
                "is the one that runs.",
            ),
        )
    return Decision(
        handled=wanted,
        start=Request(
            key=_key(chain, trigger, digest),
            number=_number(chain, execution) + 1,
            attempt=1,
            trigger=trigger,
            handled=wanted,
        ),
    )


def _trigger(handled: v1alpha1.Handled, wanted: v1alpha1.Handled) -> v1alpha1.Trigger | None:
    if handled.spec != wanted.spec:
        return v1alpha1.Trigger.SPEC
    # A token that was removed asks for nothing.
    if wanted.run is not None and handled.run != wanted.run:
        return v1alpha1.Trigger.RUN_TOKEN
    return None


def _key(chain: v1alpha1.StackChain, trigger: v1alpha1.Trigger, digest: str) -> str:
    if trigger is v1alpha1.Trigger.SPEC:
        return f"spec:{chain.ref.generation}:{digest}"
    token = chain.run_token or ""
    if len(token) > _LONGEST_KEY:
        # An annotation may hold 256 kB, and Temporal shows the key.
        token = hashlib.sha256(token.encode()).hexdigest()
    return f"run:{token}"


def _number(chain: v1alpha1.StackChain, execution: Execution | None) -> int:
    latest = chain.status.latest_run
    return max(execution.number if execution else 0, latest.number if latest else 0)


def _again(
    chain: v1alpha1.StackChain, execution: Execution | None, handled: v1alpha1.Handled
) -> Request:
    latest = chain.status.latest_run
    attempt = max(execution.attempt if execution else 1, latest.attempt if latest else 1) + 1
    number = _number(chain, execution)
    asked_by = execution.trigger if execution else latest.trigger if latest else ""
    trigger = next((item for item in v1alpha1.Trigger if item == asked_by), v1alpha1.Trigger.SPEC)
    return Request(
        key=f"recheck:{number}:{attempt}",
        number=number,
        attempt=attempt,
        trigger=trigger,
        handled=handled,
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
