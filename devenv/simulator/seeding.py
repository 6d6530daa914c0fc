"""From the scenario's document to the records of an account; also used by the admin API."""

import random

from devenv.simulator import specs, webhook_seeding
from devenv.simulator.model import queueing, stack_actions
from devenv.simulator.model.account import Account
from devenv.simulator.model.engine import Engine
from devenv.simulator.model.entities import (
    ApiKey,
    Edge,
    Output,
    Reference,
    Space,
    Stack,
    Worker,
    WorkerPool,
)
from devenv.simulator.model.run_entities import Outcome, PlannedDelta
from devenv.simulator.model.state_machine import StateMachine

_PLAIN = (
    "description",
    "space",
    "labels",
    "repository",
    "branch",
    "namespace",
    "provider",
    "project_root",
    "vendor",
    "administrative",
    "autodeploy",
    "is_disabled",
    "local_preview_enabled",
    "protect_from_deletion",
    "allow_promotion",
    "requires_approval",
    "drift_reconcile",
    "worker_pool_id",
    "state",
    "locked_by",
    "durations",
)


def build(document: specs.Scenario, *, now: float, rng: random.Random) -> Engine:
    """Return an engine with the account that a scenario describes."""
    account = Account(document.account)
    account.speed = document.speed
    account.behavior = document.behavior.model_copy(deep=True)
    account.delivery_behavior = document.deliveries.model_copy(deep=True)
    account.durations = dict(document.defaults.durations)
    account.outcome = outcome(document.defaults.outcome)
    account.public_parallelism = document.public_parallelism
    account.signing_key = f"{rng.getrandbits(256):064x}"
    account.touch("account")
    engine = StateMachine(account, now=now, rng=rng)
    for name, space_spec in document.spaces.items():
        put_space(engine, name, space_spec)
    for key_spec in document.keys:
        put_key(engine, key_spec)
    for name, pool_spec in document.worker_pools.items():
        put_pool(engine, name, pool_spec)
    for name, stack_spec in document.stacks.items():
        put_stack(engine, name, stack_spec)
    for name, stack_spec in document.stacks.items():
        for edge_spec in stack_spec.depends_on:
            put_edge(engine, name, edge_spec)
    for webhook_spec in document.webhooks:
        webhook_seeding.put_webhook(engine, webhook_spec)
    for policy_spec in document.policies:
        webhook_seeding.put_policy(engine, policy_spec)
    return engine


def put_stack(engine: Engine, stack_id: str, spec: specs.StackSpec) -> Stack:
    """Add a stack, or change an existing one; edges are not touched."""
    known = engine.account.stacks.get(stack_id)
    commits = [stack_actions.made_up_commit(sha) for sha in spec.commits]
    for commit, sha in zip(commits, spec.commits, strict=True):
        commit.hash = sha
    first = commits[-1] if commits else stack_actions.made_up_commit(stack_id)
    stack = known or Stack(
        id=stack_id, name=stack_id, created_at=engine.now, tracked_commit=first, branch_head=first
    )
    stack.name = spec.name or stack.name
    for name in _PLAIN:
        if known is None or name in spec.model_fields_set:
            setattr(stack, name, getattr(spec, name))
    if known is None or commits:
        stack.commits = commits or [first]
    if known is None or "outputs" in spec.model_fields_set:
        stack.outputs = {
            name: Output(id=name, value=o.value, sensitive=o.sensitive, description=o.description)
            for name, o in spec.outputs.items()
        }
    if known is None or "outcomes" in spec.model_fields_set:
        stack.script = [outcome(one) for one in spec.outcomes]
    engine.account.add_stack(stack)
    return stack


def put_edge(engine: Engine, stack_id: str, spec: specs.EdgeSpec) -> Edge:
    """Add an edge; where the output is published already, the dependent has run with it."""
    account = engine.account
    stack, upstream = account.stacks[stack_id], account.stacks[spec.stack]
    edge = stack_actions.add_edge(engine, stack, upstream, trigger_always=spec.trigger_always)
    for reference in spec.references:
        published = upstream.outputs.get(reference.output)
        record = Reference(
            id=engine.ids.next(engine.now),
            output_name=reference.output,
            input_name=reference.input,
            trigger_always=reference.trigger_always,
            seen_version=published.version if published else None,
        )
        stack_actions.add_reference(engine, edge, record)
    return edge


def put_key(engine: Engine, spec: specs.KeySpec) -> ApiKey:
    """Add or replace an API key."""
    key = ApiKey(
        id=spec.id,
        secret=spec.secret,
        name=spec.name or spec.id,
        role=spec.role,
        spaces=spec.spaces,
    )
    engine.account.keys[key.id] = key
    engine.account.touch("key", key.id)
    return key


def put_space(engine: Engine, space_id: str, spec: specs.SpaceSpec) -> Space:
    """Add or replace a space."""
    space = Space(
        id=space_id,
        name=spec.name or space_id,
        description=spec.description,
        parent_space=spec.parent,
        inherit_entities=spec.inherit_entities,
        labels=spec.labels,
    )
    engine.account.spaces[space.id] = space
    engine.account.touch("space", space.id)
    return space


def put_pool(engine: Engine, pool_id: str, spec: specs.PoolSpec) -> WorkerPool:
    """Add a worker pool, or give an existing one another number of workers."""
    account = engine.account
    pool = account.pools.get(pool_id) or WorkerPool(
        id=pool_id, name=pool_id, created_at=engine.now, updated_at=engine.now
    )
    pool.name = spec.name or pool_id
    pool.space, pool.labels, pool.updated_at = spec.space, spec.labels, engine.now
    while len(pool.workers) < spec.workers:
        pool.workers.append(Worker(id=engine.ids.next(engine.now), created_at=engine.now))
    idle = [worker for worker in pool.workers if worker.run_id is None]
    for worker in idle[: max(0, len(pool.workers) - spec.workers)]:
        pool.workers.remove(worker)
    account.pools[pool_id] = pool
    account.touch("pool", pool_id)
    # A worker that is new takes what waits.
    engine.later(lambda: queueing.assign_workers(engine, pool_id))
    return pool


def outcome(spec: specs.OutcomeSpec) -> Outcome:
    """Turn the document of a script into its record."""
    delta = None
    if spec.delta is not None:
        delta = PlannedDelta(
            add_count=spec.delta.add,
            change_count=spec.delta.change,
            delete_count=spec.delta.delete,
            replace_count=spec.delta.replace,
            resources=spec.delta.resources,
        )
    return Outcome(
        result=spec.result,
        phase=spec.phase,
        delta=delta,
        plan_policy=spec.plan_policy,
        approval=spec.approval,
        stop_ignored=spec.stop_ignored,
        outputs=spec.outputs,
        durations=dict(spec.durations),
        note=spec.note,
        types=spec.types,
    )
