"""New runs: from the API, the UI, a push, a schedule, a drift check or another run.

Two calls make two runs: Spacelift knows no idempotency key. Only a tracked run queues runs on the
dependents of its stack, and a retried one does not.
"""

from dataclasses import dataclass, field

from devenv.simulator.model import queueing, run_outcomes
from devenv.simulator.model.engine import Engine
from devenv.simulator.model.entities import Stack
from devenv.simulator.model.errors import Refusal
from devenv.simulator.model.run_entities import Commit, Run
from devenv.simulator.model.states import RunState, RunType


@dataclass(frozen=True, slots=True, kw_only=True)
class Order:
    """What a new run is to be."""

    stack: Stack
    type: RunType
    triggered_by: str | None
    commit: Commit | None = None
    branch: str | None = None
    command: str | None = None
    skip_initialization: bool = False
    force_apply: str | None = None
    metadata: tuple[str, ...] = ()
    environment: dict[str, str] = field(default_factory=dict)
    runtime_yaml: str | None = None
    drift_detection: bool = False
    reconcile: bool = False
    origin_id: str | None = None
    retry_of: str | None = None


def check_takes_runs(stack: Stack) -> None:
    """Refuse a new run on a stack that is disabled or being deleted."""
    if stack.is_disabled:
        raise Refusal("stack is disabled")
    if stack.deleting:
        raise Refusal("stack is being deleted")


def check_may_create(stack: Stack, login: str) -> None:
    """Refuse a new run on a stack that takes none, or that someone else has locked."""
    check_takes_runs(stack)
    if stack.locked_by is not None and stack.locked_by != login:
        raise Refusal(f"stack is locked by {stack.locked_by}")


def make(engine: Engine, order: Order) -> Run:
    """Create one run, and nothing on other stacks."""
    commit = order.commit or order.stack.tracked_commit
    run = Run(
        id=engine.ids.next(engine.now),
        stack_id=order.stack.id,
        type=order.type,
        commit=commit,
        created_at=engine.now,
        updated_at=engine.now,
        branch=order.branch or order.stack.branch,
        title=order.command or commit.message,
        triggered_by=order.triggered_by,
        command=order.command,
        skip_initialization=order.skip_initialization,
        drift_detection=order.drift_detection,
        reconcile=order.reconcile,
        force_apply=order.force_apply,
        metadata=list(order.metadata),
        environment=dict(order.environment),
        runtime_yaml=order.runtime_yaml,
        origin_id=order.origin_id,
        retry_of=order.retry_of,
    )
    engine.account.add_run(run)
    if run.type in (RunType.TRACKED, RunType.DESTROY, RunType.TASK):
        script = run_outcomes.next_outcome(engine, run, take=False)
        run.needs_approval = order.stack.requires_approval or script.approval
    engine.move(run, RunState.QUEUED, username=run.triggered_by)
    queueing.enqueue(engine, run)
    return run


def retry(engine: Engine, run: Run, *, username: str) -> Run:
    """Repeat what a finished run did; dependents are not queued again."""
    if engine.account.behavior.retry_run_id == "same":
        run.upstream_runs = []
        run.outcome = run.delta = run.planned = None
        run.stop_requested = run.is_stopping = False
        engine.move(run, RunState.QUEUED, username=username)
        queueing.enqueue(engine, run)
        return run
    return make(
        engine,
        Order(
            stack=engine.stack_of(run),
            type=run.type,
            triggered_by=username,
            commit=run.commit,
            branch=run.branch,
            command=run.command,
            skip_initialization=run.skip_initialization,
            environment=run.environment,
            runtime_yaml=run.runtime_yaml,
            retry_of=run.id,
        ),
    )
