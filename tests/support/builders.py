"""Objects for tests of deciding code: valid by default, and impossible ones are refused.

A decision about an object that cannot exist proves nothing, so each builder checks what the real
makers of the object guarantee.
"""

import dataclasses
import datetime
import itertools
from collections.abc import Iterable, Mapping
from typing import Any

from controller.api import reasons, v1alpha1
from controller.api.v1alpha1 import Phase
from controller.chain.graph import resolve
from controller.chain.news import notifications
from controller.chain.requests import executions, next_request
from controller.chain.requests import handled_asks as handling
from controller.chain.run import gates, outcome, progress, run_snapshots
from controller.chain.status import projection
from controller.config import connections, permissions

T0 = "2026-03-01T10:00:00Z"
T1 = "2026-03-01T10:01:00Z"
T2 = "2026-03-01T10:02:00Z"
T3 = "2026-03-01T10:03:00Z"

UID = "11111111-2222-3333-4444-555555555555"
WORKFLOW_ID = f"stackchain/team/chain/{UID}"
RUN_URL = "https://acme.app.spacelift.io/stack/{stack}/run/{run}"

_RUN_PHASES = frozenset(set(Phase) - {Phase.WAITING, Phase.SKIPPED})


class Impossible(ValueError):
    """No such object can come into being."""


def _refuse_if(impossible: bool, why: str) -> None:
    if impossible:
        raise Impossible(why)


_POLICIES = frozenset(field.name for field in dataclasses.fields(v1alpha1.Policies))


def with_policies(fields: Mapping[str, Any]) -> dict[str, Any]:
    """Return the fields with those of the policies gathered in one value."""
    policies = {name: value for name, value in fields.items() if name in _POLICIES}
    others = {name: value for name, value in fields.items() if name not in _POLICIES}
    return {**others, "policies": v1alpha1.Policies(**policies)}


# The resource


def make_use(operation: str = "Apply", **fields: Any) -> permissions.ConnectionUse:
    """Return what a chain of the namespace of `make_ref` wants of its connection."""
    return permissions.ConnectionUse(namespace="team", operation=operation, **fields)


def make_ref(*, name: str = "chain", generation: int = 1) -> v1alpha1.Ref:
    _refuse_if(not 0 < len(name) <= 63, "the CRD refuses the name")
    _refuse_if(generation < 1, "generations count from 1")
    return v1alpha1.Ref(namespace="team", name=name, uid=UID, generation=generation)


def make_spec(
    *roots: str,
    connection_name: str = "default",
    sources: Iterable[str] = ("Dependencies", "Labels"),
    parallelism: int = 10,
    graph: Mapping[str, Any] | None = None,
    **fields: Any,
) -> v1alpha1.StackChainSpec:
    roots = roots or ("a",)
    sources = tuple(sources)
    _refuse_if(len(set(roots)) < len(roots) or len(roots) > 64, "the CRD refuses the roots")
    _refuse_if(not sources or len(set(sources)) < len(sources), "the CRD refuses the sources")
    _refuse_if(not 1 <= parallelism <= 500, "the CRD refuses the parallelism")
    return v1alpha1.StackChainSpec(
        connection_name=connection_name,
        roots=v1alpha1.Roots(stack_ids=roots),
        graph=_graph(sources=sources, **(graph or {})),
        **with_policies({"parallelism": parallelism, **fields}),
    )


def _graph(
    direction: str = "Downstream", sources: Iterable[str] | None = None, **fields: Any
) -> v1alpha1.Graph:
    """Return a graph; words may be as in a manifest."""
    if sources is not None:
        fields["sources"] = tuple(v1alpha1.Source(source) for source in sources)
    return v1alpha1.Graph(direction=v1alpha1.Direction(direction), **fields)


def make_connection(name: str = "default", **allowed: Any) -> connections.Connection:
    """Return a connection that serves all namespaces."""
    return connections.Connection(
        name=name,
        endpoint="https://acme.app.spacelift.io",
        allowed=permissions.Permissions(**{"namespaces": ("*",), **allowed}),
    )


def make_request(**fields: Any) -> next_request.Request:
    """Return the request of a first run."""
    return next_request.Request(
        **{
            "key": "k",
            "number": 1,
            "attempt": 1,
            "cause": v1alpha1.Cause.SPEC,
            "handled": v1alpha1.Handled(),
            **fields,
        }
    )


def make_stack_chain(
    *,
    spec: v1alpha1.StackChainSpec | None = None,
    status: v1alpha1.Status | None = None,
    run_token: str | None = None,
    retry_token: str | None = None,
    cancel_token: str | None = None,
    bypass_token: str | None = None,
    approve_token: str | None = None,
    is_restored: bool = False,
    generation: int = 1,
    is_deleting: bool = False,
) -> v1alpha1.StackChain:
    status = status or v1alpha1.Status()
    _refuse_if(status.observed_generation > generation, "the status is ahead of the spec")
    latest = status.latest_run
    _refuse_if(latest is not None and latest.generation > generation, "a run of a later spec")
    return v1alpha1.StackChain(
        ref=make_ref(generation=generation),
        is_deleting=is_deleting,
        is_restored=is_restored,
        run_token=run_token,
        retry_token=retry_token,
        cancel_token=cancel_token,
        bypass_token=bypass_token,
        approve_token=approve_token,
        spec=spec or make_spec(),
        status=status,
    )


def make_body(spec: Mapping[str, Any], **metadata: Any) -> dict[str, Any]:
    """Return a StackChain as the API server hands it out."""
    return {
        "metadata": {
            "namespace": "team",
            "name": "chain",
            "uid": UID,
            "generation": 1,
            "resourceVersion": "7",
            **metadata,
        },
        "spec": spec,
    }


def handled(
    spec: v1alpha1.StackChainSpec | None = None, run: str | None = None, **tokens: str | None
) -> v1alpha1.Handled:
    """Return what is written once these asks became a run."""
    return v1alpha1.Handled(spec=handling.spec_digest(spec or make_spec()), run=run, **tokens)


def make_run(
    number: int = 1,
    *,
    phase: Phase = Phase.SUCCEEDED,
    reason: str = "",
    attempt: int = 1,
    workflow_run_id: str = "",
    **fields: Any,
) -> v1alpha1.RunStatus:
    """Return a run as the status has it; an ended one began at T0 and ended at T1."""
    _refuse_if(number < 1 or attempt < 1, "runs and attempts count from 1")
    _refuse_if(phase not in _RUN_PHASES, f"a run is never {phase}")
    _refuse_if(
        reason in reasons.RECHECKED and (phase is not Phase.FAILED or "summary" in fields),
        "a run that could not begin failed, without stacks",
    )
    defaults: dict[str, Any] = {
        "cause": v1alpha1.Cause.SPEC,
        "generation": 1,
        "start_time": T0,
        "completion_time": T1 if phase.is_over else None,
        "workflow_id": WORKFLOW_ID,
        "message": "It ended." if phase.is_over else "",
    }
    values = defaults | fields
    _refuse_if(
        (values["completion_time"] is not None) != phase.is_over, "ended means a completion time"
    )
    return v1alpha1.RunStatus(
        number=number,
        attempt=attempt,
        phase=phase,
        reason=reason or _usual_reason(phase),
        workflow_run_id=workflow_run_id or execution_run_id(number, attempt),
        **values,
    )


def _usual_reason(phase: Phase) -> str:
    return {
        Phase.SUCCEEDED: reasons.ChainReason.RUN_SUCCEEDED,
        Phase.FAILED: reasons.ChainReason.STACK_FAILED,
        Phase.CANCELED: reasons.ChainReason.STACK_CANCELED,
        Phase.TIMED_OUT: reasons.ChainReason.STACK_TIMED_OUT,
        Phase.AWAITING_CONFIRMATION: reasons.ChainReason.AWAITING_CONFIRMATION,
    }.get(phase, reasons.ChainReason.PROGRESSING)


def execution_run_id(number: int, attempt: int = 1) -> str:
    """Return the id that executions and runs of these builders have by default."""
    return f"execution-{number}-{attempt}"


def make_status(
    latest: v1alpha1.RunStatus | None = None,
    *,
    last_handled: v1alpha1.Handled | None = None,
    stacks: Iterable[v1alpha1.StackStatus] = (),
    observed_generation: int = 1,
    **fields: Any,
) -> v1alpha1.Status:
    stacks = tuple(stacks)
    _refuse_if(bool(stacks) and latest is None, "stacks are those of a run")
    is_over = latest is not None and latest.phase.is_over
    _refuse_if(
        is_over and any(not stack.phase.is_over for stack in stacks), "a run ends with its stacks"
    )
    return v1alpha1.Status(
        observed_generation=observed_generation,
        latest_run=latest,
        last_handled=last_handled or (handled() if latest else v1alpha1.Handled()),
        stacks=stacks,
        **fields,
    )


# Temporal


def make_execution(
    number: int = 1,
    *,
    state: executions.ExecutionState = executions.ExecutionState.RUNNING,
    attempt: int = 1,
    handled_asks: v1alpha1.Handled | None = None,
    start_time: str = T0,
    workflow_run_id: str = "",
    cause: str = v1alpha1.Cause.SPEC,
    generation: int = 1,
    is_reset: bool = False,
) -> executions.Execution:
    _refuse_if(number < 1 or attempt < 1, "runs and attempts count from 1")
    is_running = state is executions.ExecutionState.RUNNING
    has_failed = state is executions.ExecutionState.FAILED
    return executions.Execution(
        workflow_id=WORKFLOW_ID,
        workflow_run_id=workflow_run_id or execution_run_id(number, attempt),
        state=state,
        number=number,
        attempt=attempt,
        cause=cause,
        generation=generation,
        handled=handled_asks or handled(),
        start_time=start_time,
        close_time=None if is_running else T3,
        failure="The workflow ended FAILED." if has_failed else "",
        is_reset=is_reset,
    )


# The run of a chain

_STACK_REASONS = {
    Phase.PENDING: "",
    Phase.WAITING: reasons.StackReason.RUN_QUEUED,
    Phase.RUNNING: reasons.StackReason.RUN_IN_PROGRESS,
    Phase.AWAITING_CONFIRMATION: reasons.StackReason.NEEDS_CONFIRMATION,
    Phase.SUCCEEDED: reasons.StackReason.RUN_FINISHED,
    Phase.FAILED: reasons.StackReason.RUN_FAILED,
    Phase.SKIPPED: reasons.StackReason.OUTPUT_UNCHANGED,
    Phase.CANCELED: reasons.StackReason.RUN_DISCARDED,
    Phase.TIMED_OUT: reasons.StackReason.STACK_DEADLINE_EXCEEDED,
}
_BLOCKED = (
    reasons.StackReason.UPSTREAM_NOT_SUCCEEDED,
    reasons.StackReason.STAGE_NOT_SUCCEEDED,
    reasons.StackReason.FAIL_FAST,
)
_STACK_MESSAGES = {
    Phase.FAILED: "The run failed.",
    Phase.CANCELED: "The run was discarded.",
    Phase.TIMED_OUT: "It took longer than 60 s.",
}


def make_stack(
    stack_id: str,
    phase: Phase = Phase.PENDING,
    *,
    depends_on: Iterable[str] = (),
    reason: str = "",
    message: str | None = None,
    blocked_by: str | None = None,
    has_run: bool | None = None,
    level: int = 0,
    **fields: Any,
) -> progress.StackProgress:
    """Return a stack of a run; the stack has a run too unless its phase says otherwise."""
    reason = reason or _STACK_REASONS[phase]
    not_reached = reason in (
        reasons.StackReason.UPSTREAM_NOT_SUCCEEDED,
        reasons.StackReason.STAGE_NOT_SUCCEEDED,
        reasons.StackReason.FAIL_FAST,
        reasons.StackReason.CHAIN_CANCELED,
        reasons.StackReason.CHAIN_DEADLINE_EXCEEDED,
        reasons.StackReason.STACK_BUSY,
    )
    if has_run is None:
        has_run = phase is not Phase.PENDING and not not_reached
    _refuse_if(has_run and phase is Phase.PENDING, "a stack with a run is not pending")
    _refuse_if(not has_run and phase is Phase.SUCCEEDED, "only a run can succeed")
    _refuse_if(
        (blocked_by is not None) != (reason in _BLOCKED),
        "`blocked_by` belongs to UpstreamNotSucceeded, StageNotSucceeded and FailFast",
    )
    _refuse_if(
        reason == reasons.StackReason.OUTPUT_UNCHANGED and phase is not Phase.SKIPPED,
        "OutputUnchanged is a reason to skip",
    )
    run_id = f"01RUN{stack_id.upper()}"[:26] if has_run else None
    defaults = {
        "name": stack_id,
        "is_started": phase is not Phase.PENDING and not not_reached,
        "completion_time": T1 if phase.is_over else None,
    }
    return progress.StackProgress(
        id=stack_id,
        level=level,
        depends_on=sorted(depends_on),
        phase=phase,
        reason=reason,
        message=_STACK_MESSAGES.get(phase, "") if message is None else message,
        blocked_by=blocked_by,
        run_id=run_id,
        run_url=RUN_URL.format(stack=stack_id, run=run_id) if run_id else None,
        start_time=T0 if run_id else None,
        **(defaults | fields),
    )


def make_left(
    stack_id: str, *, run_number: int = 1, blocked_by: str | None = None, **fields: Any
) -> progress.Left:
    """Return a stack that a retry of others leaves: it failed, or was skipped behind another."""
    ended: dict[str, Any] = {
        "phase": Phase.FAILED,
        "reason": reasons.StackReason.RUN_FAILED,
        "message": _STACK_MESSAGES[Phase.FAILED],
    }
    if blocked_by is not None:
        ended = {
            "phase": Phase.SKIPPED,
            "reason": reasons.StackReason.UPSTREAM_NOT_SUCCEEDED,
            "message": f"Not run because '{blocked_by}' failed.",
        }
    return progress.Left(
        stack_id=stack_id, run_number=run_number, blocked_by=blocked_by, **(ended | fields)
    )


def make_progress(
    *stacks: progress.StackProgress,
    number: int = 1,
    attempt: int = 1,
    phase: Phase | None = None,
    reason: str = "",
    message: str = "",
    completion_time: str | None = None,
    is_stopping: bool = False,
    now: str = T3,
    **fields: Any,
) -> progress.ChainProgress:
    """Return a run's facts: of its stacks if there are some, settled and at their levels.

    Args:
        is_stopping: its stacks have ended, and it still stops runs that the chain does not use.
        now: the time by which its stages wait.
    """
    levels = _levels({stack.id: stack.depends_on for stack in stacks})
    _refuse_if(len(levels) < len(stacks), "two stacks have one id")
    for stack in stacks:
        stack.level = levels[stack.id]
    _refuse_if(bool(stacks) and phase is not None, "the stacks settle the phase")
    known = progress.ChainProgress(
        number=number,
        attempt=attempt,
        start_time=T0,
        resolved_time=T0 if stacks else None,
        edges=sum(len(stack.depends_on) for stack in stacks),
        levels=max(levels.values(), default=-1) + 1,
        stacks=sorted(stacks, key=lambda stack: (stack.level, stack.id)),
        **with_policies({"cause": v1alpha1.Cause.SPEC, "generation": 1, **fields}),
    )
    stages = {stage.name for stage in known.stages}
    _refuse_if(any(stack.stage not in {"", *stages} for stack in stacks), "an unknown stage")
    if stacks:
        gates.update(known, now=datetime.datetime.fromisoformat(now))
        outcome.set_outcome(known)
    else:
        known.phase, known.reason, known.message = phase or Phase.PENDING, reason, message
    is_over = known.phase.is_over
    _refuse_if(completion_time is not None and not is_over, "it has not ended")
    _refuse_if(
        is_stopping and (completion_time is not None or not is_over), "it stops after its end"
    )
    known.completion_time = completion_time or (T1 if is_over and not is_stopping else None)
    return known


def _levels(upstreams: Mapping[str, Iterable[str]]) -> dict[str, int]:
    levels: dict[str, int] = {}
    left = dict(upstreams)
    while left:
        known = {key for key, ups in left.items() if all(up in levels for up in ups)}
        _refuse_if(not known, f"cycle, or an upstream that is not in the chain: {sorted(left)}")
        for key in sorted(known):
            levels[key] = max((levels[up] + 1 for up in left.pop(key)), default=0)
    return levels


def make_facts(
    execution: executions.Execution | None = None,
    known: progress.ChainProgress | None = None,
    **fields: Any,
) -> projection.ChainFacts:
    if known is not None:
        _refuse_if(execution is None, "progress is that of an execution")
        assert execution is not None
        _refuse_if(
            (known.number, known.attempt) != (execution.number, execution.attempt),
            "progress of another execution",
        )
        closed = executions.ExecutionState.CLOSED
        running = executions.ExecutionState.RUNNING
        _refuse_if(execution.state not in (closed, running), "nobody can be asked for progress")
        _refuse_if(
            execution.state is closed and known.completion_time is None, "a result is an end"
        )
    pending = fields.get("pending")
    fields.setdefault("has_unhandled", pending is not None)
    _refuse_if(pending is not None and not fields["has_unhandled"], "pending is unhandled")
    asks = execution.handled if execution is not None else handled()
    return projection.ChainFacts(
        **({"handled": asks, "execution": execution, "known": known} | fields)
    )


# The graph


def make_discovery(
    *paths: str,
    labels: Iterable[str] = (),
    stacks: Iterable[str] = (),
    stage_of: Mapping[str, str] | None = None,
    **fields: Any,
) -> resolve.Discovery:
    """Return what was read: native edges as "a -> b -> c", edges by label likewise.

    `stage_of` has the stages of the stacks that have one.
    """
    native, labeled = _pairs(paths), _pairs(labels)
    ids = set(stacks) | {item for pair in native | labeled for item in pair}
    if not fields.get("is_cut_off"):
        unknown = set(fields.get("unknown_roots", ()))
        _refuse_if(bool(unknown & ids), "a root is known or it is not")
    return resolve.Discovery(
        stacks=tuple(
            resolve.StackFacts(id=item, name=f"Stack {item}", stage=(stage_of or {}).get(item, ""))
            for item in sorted(ids)
        ),
        edges=tuple(
            resolve.Edge(
                upstream=up,
                dependent=down,
                is_native=(up, down) in native,
                is_label=(up, down) in labeled,
            )
            for up, down in sorted(native | labeled)
        ),
        **fields,
    )


def make_scope(
    *roots: str,
    root_labels: Iterable[str] = (),
    exclude: Iterable[str] = (),
    exclude_labels: Iterable[str] = (),
    operation: str = "Apply",
    stages: Iterable[v1alpha1.Stage] = (),
    window: v1alpha1.Window | None = None,
    **graph: Any,
) -> resolve.Scope:
    """Return what a spec with these roots is about; `graph` are fields of `spec.graph`."""
    excluded = v1alpha1.Exclude(stack_ids=tuple(exclude), labels=tuple(exclude_labels))
    return resolve.Scope(
        roots=v1alpha1.Roots(stack_ids=roots, labels=tuple(root_labels)),
        graph=_graph(exclude=excluded, **graph),
        operation=v1alpha1.Operation(operation),
        stages=tuple(stages),
        window=window,
    )


def resolve_graph(discovery: resolve.Discovery, *roots: str, **wishes: Any) -> resolve.ChainGraph:
    """Resolve from roots; `wishes` are fields of the scope, and what resolving takes besides."""
    others = {
        name: wishes.pop(name) for name in ("native_runs", "kept", "finished") if name in wishes
    }
    return resolve.resolve(discovery, make_scope(*roots, **wishes), **others)


def _pairs(paths: Iterable[str]) -> set[tuple[str, str]]:
    pairs: set[tuple[str, str]] = set()
    for path in paths:
        names = [name.strip() for name in path.split("->")]
        pairs.update(itertools.pairwise(names))
    return pairs


# Spacelift


def make_snapshot(state: str = "QUEUED", **fields: Any) -> run_snapshots.RunSnapshot:
    run_id = fields.pop("run_id", "01RUNA")
    terminal = {"FINISHED", "FAILED", "CANCELED", "DISCARDED", "STOPPED", "SKIPPED"}
    fields.setdefault("finished", state in terminal)
    return run_snapshots.RunSnapshot(
        run_id=run_id, state=state, **({"run_url": RUN_URL.format(stack="a", run=run_id)} | fields)
    )


# What people are shown

# Statuses as an operator of any version may have written them, for those who only read them:
# nothing is refused here, since a reader has to cope with whatever the API server has.


def make_stack_status(
    stack_id: str, level: int = 0, *upstreams: str, **fields: object
) -> v1alpha1.StackStatus:
    values: dict[str, Any] = {"phase": Phase.PENDING, **fields}
    return v1alpha1.StackStatus(id=stack_id, level=level, depends_on=upstreams, **values)


def make_condition(type_: str, status: str, reason: str, message: str) -> v1alpha1.Condition:
    return v1alpha1.Condition(
        type=type_,
        status=status,
        reason=reason,
        message=message,
        observed_generation=1,
        last_transition_time=T0,
    )


def make_shown_status(
    *stacks: v1alpha1.StackStatus,
    ready: tuple[str, str, str] = ("Unknown", "Progressing", ""),
    read_at: str = T0,
    **run: object,
) -> v1alpha1.Status:
    values: dict[str, Any] = {"number": 1, "start_time": T0, "phase": Phase.RUNNING, **run}
    return v1alpha1.Status(
        observed_generation=1,
        conditions=(make_condition("Ready", *ready),),
        graph=v1alpha1.GraphStatus(stacks=len(stacks), edges=0, levels=1, resolved_time=read_at),
        latest_run=v1alpha1.RunStatus(**values),
        stacks=stacks,
    )


def make_shown_chain(
    status: v1alpha1.Status | None = None,
    *,
    name: str = "prod",
    generation: int = 1,
    is_deleting: bool = False,
    run: str | None = None,
    retry: str | None = None,
    cancel: str | None = None,
    bypass: str | None = None,
    **spec: object,
) -> v1alpha1.StackChain:
    """Return a chain as read; `run`, `retry`, `cancel` and `bypass` are its annotations."""
    values: dict[str, Any] = {"roots": {"stackIds": ["a"]}, **spec}
    return v1alpha1.StackChain(
        ref=v1alpha1.Ref(namespace="team", name=name, uid="uid", generation=generation),
        is_deleting=is_deleting,
        is_restored=False,
        run_token=run,
        retry_token=retry,
        cancel_token=cancel,
        bypass_token=bypass,
        approve_token=None,
        spec=v1alpha1.read_spec(values),
        status=status or v1alpha1.Status(),
    )


NOTIFIED_RUN = v1alpha1.RunStatus(
    number=7,
    attempt=1,
    cause="Spec",
    operation="Apply",
    phase=Phase.RUNNING,
    reason="Progressing",
    message="",
    progress="2/5",
    start_time="2026-03-01T10:00:00Z",
    workflow_url="https://temporal.example.com/run",
)
NOTIFIED_STACK = v1alpha1.StackStatus(
    id="vpc",
    level=0,
    phase=Phase.FAILED,
    reason="RunFailed",
    run_url="https://acme.app.spacelift.io/stack/vpc/run/01",
)


def make_notification(**fields: Any) -> notifications.Notification:
    """Return a notification of a stack's failure."""
    told = notifications.Notification(
        id="uid-7-1-StackFailed-0123456789abcdef",
        source="/stackchain/prod/team/net",
        transition="StackFailed",
        is_warning=True,
        reason="StackFailed",
        message="The run failed.",
        installation="prod",
        namespace="team",
        chain="net",
        uid="uid",
        generation=3,
        time="2026-03-01T10:01:02Z",
        sequence=14,
        run=NOTIFIED_RUN,
        stack=NOTIFIED_STACK,
    )
    return dataclasses.replace(told, **fields)
