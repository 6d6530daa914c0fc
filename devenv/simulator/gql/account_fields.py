"""Fields of everything that is neither a run nor a stack: pools, workers, usage, audit trail."""

from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from statistics import fmean, median
from typing import Any

from graphql import GraphQLResolveInfo

from devenv.simulator.gql import searching
from devenv.simulator.gql.context import Context
from devenv.simulator.model import queueing
from devenv.simulator.model.entities import AuditEntry, Space, Worker, WorkerPool
from devenv.simulator.model.run_entities import Run, Transition

_MONTH = 30 * 24 * 3600


@dataclass(frozen=True, slots=True, kw_only=True)
class PublicPool:
    """Marks the public worker pool as the object whose fields are asked for."""

    id: None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class SchedulableRun:
    """A place in the queue for a worker."""

    stack_id: str
    position: int
    run: Run


SCHEDULABLE = searching.Index(
    key=lambda entry: f"{entry.position:09}",
    text=lambda entry: [entry.stack_id, entry.run.title],
    predicates={
        "state": ("enumEquals", lambda entry: entry.run.state),
        "type": ("enumEquals", lambda entry: entry.run.type),
    },
    orders={"position": lambda entry: entry.position},
)


def schedulable_runs(
    pool: WorkerPool | PublicPool,
    info: GraphQLResolveInfo,
    *,
    input: dict[str, Any],  # noqa: A002 - GraphQL's name
) -> searching.Page:
    """What waits for a worker of the pool."""
    runs = queueing.schedulable(info.context.engine, pool.id)
    runs.sort(key=lambda run: queueing.rank(run, is_private=pool.id is not None))
    entries = [
        SchedulableRun(stack_id=run.stack_id, position=place, run=run)
        for place, run in enumerate(runs)
    ]
    return searching.search(entries, input, SCHEDULABLE)


def pending_runs(pool: WorkerPool | PublicPool, info: GraphQLResolveInfo) -> int:
    """How many runs wait for a worker of the pool."""
    return len(queueing.schedulable(info.context.engine, pool.id))


def busy_workers(pool: WorkerPool, _info: GraphQLResolveInfo) -> int:
    """How many workers of the pool are at work."""
    return sum(worker.run_id is not None for worker in pool.workers)


def pool_space(pool: WorkerPool, info: GraphQLResolveInfo) -> Space:
    """The record of the pool's space."""
    return info.context.account.spaces.get(pool.space) or Space(id=pool.space, name=pool.space)


def access_level(_space: Space, info: GraphQLResolveInfo) -> str | None:
    """What the caller may do in the space."""
    key = info.context.key
    return None if key is None else ("ADMIN" if key.role == "admin" else "READ")


def usage(context: Context) -> dict[str, int]:
    """Made-up figures of the billing period."""
    now = int(context.engine.now)
    return {
        "billing_period_start": now - now % _MONTH,
        "billing_period_end": now - now % _MONTH + _MONTH,
        "used_private_minutes": 0,
        "used_public_minutes": sum(_seconds(r) for r in context.account.runs.values()) // 60,
        "used_seats": len(context.account.keys),
    }


def metrics(context: Context) -> dict[str, list[dict[str, Any]]]:
    """Figures of the account's dashboard."""
    states = Counter(stack.state for stack in context.visible_stacks())
    durations = [_seconds(run) for run in context.account.runs.values() if run.finished] or [0]
    return {
        "stacks_count_by_state": [_point(count, state) for state, count in sorted(states.items())],
        "resources_count_by_drift": [_point(0, "drifted"), _point(0, "not drifted")],
        "avg_stack_size_by_resource_count": [_point(1)],
        "average_run_duration": [_point(fmean(durations))],
        "median_run_duration": [_point(median(durations))],
    }


def actor(entry: AuditEntry, _info: GraphQLResolveInfo) -> dict[str, Any]:
    """Who did it, and through which run."""
    via = None
    if entry.run_id is not None:
        via = {"id": entry.run_id, "stack_id": entry.stack_id}
    return {"username": entry.username, "run": via}


def affected(entry: AuditEntry, _info: GraphQLResolveInfo) -> dict[str, Any]:
    """What it was done to."""
    return {"resource_id": entry.resource_id, "resource_type": entry.resource_type}


def _point(value: float, *labels: str) -> dict[str, Any]:
    return {"value": float(value), "labels": list(labels)}


def _seconds(run: Run) -> int:
    ready = next((entry for entry in run.history if entry.state_version == 1), None)
    return int(_last(run).at - ready.at) if ready else 0


def _last(run: Run) -> Transition:
    return run.history[-1]


def _is_busy(worker: Worker, _info: GraphQLResolveInfo) -> bool:
    return worker.run_id is not None


FIELDS: dict[str, Callable[..., Any]] = {
    "Space.accessLevel": access_level,
    "Worker.busy": _is_busy,
    "Worker.availableAt": lambda worker, _info: int(worker.created_at),
    "WorkerPool.pendingRuns": pending_runs,
    "WorkerPool.busyWorkers": busy_workers,
    "WorkerPool.workersCount": lambda pool, _info: len(pool.workers),
    "WorkerPool.deleted": lambda _pool, _info: False,
    "WorkerPool.spaceDetails": pool_space,
    "WorkerPool.searchSchedulableRuns": schedulable_runs,
    "PublicWorkerPool.parallelism": lambda _p, info: info.context.account.public_parallelism,
    "PublicWorkerPool.busyWorkers": lambda _p, info: len(info.context.account.public_busy),
    "PublicWorkerPool.pendingRuns": pending_runs,
    "PublicWorkerPool.searchSchedulableRuns": schedulable_runs,
    "AuditTrailEntry.actor": actor,
    "AuditTrailEntry.affectedResource": affected,
    "AuditTrailEntry.relatedResource": lambda _entry, _info: None,
    "AuditTrailEntry.eventType": lambda _entry, _info: "MUTATION",
    "AuditTrailEntry.createdAt": lambda entry, _info: int(entry.at),
    "AuditTrailEntry.updatedAt": lambda entry, _info: int(entry.at),
}
