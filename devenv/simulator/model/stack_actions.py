"""What people do to a stack: trigger, lock, disable, set its commit, its edges, delete it.

The rules: a disabled stack gets no new runs. Under a user's lock only its owner may create runs,
and only the owner or an admin may unlock. Dependencies form a DAG. A stack that others depend on
cannot be deleted.
"""

import hashlib
from dataclasses import dataclass

from devenv.simulator.model import creation, native_runs, queueing
from devenv.simulator.model.engine import Engine
from devenv.simulator.model.entities import Edge, Reference, Stack
from devenv.simulator.model.errors import Refusal, unauthorized
from devenv.simulator.model.run_entities import Commit, Run
from devenv.simulator.model.states import TERMINAL, RunState, RunType

TRIGGERABLE = (RunType.TRACKED, RunType.PROPOSED, RunType.DESTROY)


@dataclass(frozen=True, slots=True, kw_only=True)
class User:
    """Whoever acts on the account: an API key, or a person in the web interface."""

    login: str
    is_admin: bool = True


def trigger(engine: Engine, orders: list[creation.Order], user: User) -> list[Run]:
    """Create the ordered runs, with those on dependents behind them."""
    for order in orders:
        creation.check_may_create(order.stack, user.login)
        if order.type not in TRIGGERABLE:
            raise Refusal(f"run type {order.type} cannot be triggered")
        if order.force_apply is not None and order.type is not RunType.TRACKED:
            raise Refusal("only tracked runs can be force-applied")
    return native_runs.make_with_dependents(engine, orders)


def find_commit(stack: Stack, sha: str | None) -> Commit | None:
    """Return a commit of a stack's repository; None when no commit is asked for."""
    if not sha:
        return None
    for commit in [*stack.commits, stack.tracked_commit, stack.branch_head]:
        if commit is not None and commit.hash == sha:
            return commit
    raise Refusal(f"could not find commit {sha}")


def set_current_commit(engine: Engine, stack: Stack, sha: str, user: User) -> Stack:
    """Make later tracked runs and tasks use a commit."""
    commit = find_commit(stack, sha)
    if commit is None:
        raise Refusal("no commit given")
    stack.tracked_commit = commit
    stack.tracked_commit_set_by = user.login
    engine.account.touch("stack", stack.id)
    return stack


def sync_commit(engine: Engine, stack: Stack, user: User) -> Stack:
    """Make a stack track the head of its branch."""
    stack.tracked_commit = stack.branch_head or stack.tracked_commit
    stack.tracked_commit_set_by = user.login
    engine.account.touch("stack", stack.id)
    return stack


def lock(engine: Engine, stack: Stack, user: User, note: str | None) -> Stack:
    """Reserve a stack for one user."""
    if stack.locked_by is not None:
        raise Refusal(f"stack is already locked by {stack.locked_by}")
    stack.locked_by, stack.locked_at, stack.lock_note = user.login, engine.now, note
    engine.account.touch("stack", stack.id)
    return stack


def unlock(engine: Engine, stack: Stack, user: User) -> Stack:
    """End a reservation."""
    if stack.locked_by is None:
        raise Refusal("stack is not locked")
    if stack.locked_by != user.login and not user.is_admin:
        raise unauthorized()
    stack.locked_by = stack.locked_at = stack.lock_note = None
    engine.account.touch("stack", stack.id)
    engine.later(lambda: queueing.consider(engine, stack.id))
    return stack


def set_disabled(engine: Engine, stack: Stack, *, is_disabled: bool) -> Stack:
    """Forbid or allow new runs."""
    stack.is_disabled = is_disabled
    engine.account.touch("stack", stack.id)
    return stack


def delete(engine: Engine, stack: Stack) -> Stack:
    """Start the deletion of a stack; others must not depend on it, and nothing may hold it."""
    if stack.protect_from_deletion:
        raise Refusal("stack is protected from deletion")
    if engine.account.dependent_edges(stack.id):
        raise Refusal("stack has dependents and cannot be deleted")
    if stack.active_run_id is not None:
        raise Refusal("stack is blocked by a run")
    stack.deleting = True
    _abandon_runs(engine, stack)
    seconds = engine.account.durations.get("deleting", 0.1) / engine.account.speed
    stack.delete_due = engine.now + seconds
    engine.schedule_stack(stack, stack.delete_due)
    return stack


def rename(engine: Engine, stack: Stack, new_id: str) -> Stack:
    """Give a stack another id (Spacelift's `stackReslug`)."""
    if new_id in engine.account.stacks:
        raise Refusal(f"stack {new_id} exists")
    old_id = stack.id
    engine.account.rename_stack(stack, new_id)
    engine.queues[new_id] = engine.queues.pop(old_id, [])
    for due in (stack.active_until, stack.delete_due):
        if due is not None:
            engine.schedule_stack(stack, due)
    engine.later(lambda: queueing.consider(engine, new_id))
    return stack


def remove(engine: Engine, stack: Stack) -> None:
    """Remove a stack at once, whatever depends on it: something that happens to a client."""
    _abandon_runs(engine, stack)
    engine.later(lambda: engine.account.remove_stack(stack.id))


def push(
    engine: Engine, stacks: list[Stack], commit: Commit, *, is_proposed: bool = False
) -> list[Run]:
    """Let a push to a repository arrive; one commit makes one run of a kind per stack.

    A stack that was pushed to and also depends on one that was has one run, waiting for the other.
    """
    run_type = RunType.PROPOSED if is_proposed else RunType.TRACKED
    orders = []
    for stack in stacks:
        runs = engine.account.runs_of(stack.id)
        is_known = any(run.type is run_type and run.commit.hash == commit.hash for run in runs)
        _take_commit(engine, stack, commit, is_proposed=is_proposed)
        if not is_known and not stack.is_disabled and not stack.deleting:
            order = creation.Order(stack=stack, type=run_type, triggered_by=None, commit=commit)
            orders.append(order)
    orders = orders[: engine.account.behavior.fan_out_cap]
    return native_runs.make_with_dependents(engine, orders) if orders else []


def drift_check(engine: Engine, stack: Stack) -> Run:
    """Start a drift detection run: private workers only, and on a stack that has FINISHED."""
    creation.check_takes_runs(stack)
    if stack.worker_pool_id is None:
        raise Refusal("drift detection needs a private worker pool")
    if stack.state != RunState.FINISHED:
        raise Refusal(f"stack is {stack.state}, not FINISHED")
    order = creation.Order(
        stack=stack,
        type=RunType.PROPOSED,
        triggered_by="drift detection",
        drift_detection=True,
        reconcile=stack.drift_reconcile,
    )
    return creation.make(engine, order)


def add_edge(engine: Engine, stack: Stack, upstream: Stack, *, trigger_always: bool) -> Edge:
    """Let a stack depend on another one."""
    account = engine.account
    if account.edge_between(stack.id, upstream.id) is not None:
        raise Refusal(f"stack {stack.id} already depends on {upstream.id}")
    if account.is_reachable(stack.id, upstream.id):
        raise Refusal(f"dependency of {stack.id} on {upstream.id} would create a cycle")
    edge = Edge(
        id=engine.ids.next(engine.now),
        stack_id=stack.id,
        depends_on_stack_id=upstream.id,
        trigger_always=trigger_always,
    )
    account.add_edge(edge)
    return edge


def add_reference(engine: Engine, edge: Edge, reference: Reference) -> Reference:
    """Hand an output over an edge; one input of a stack has one source."""
    if reference.type != "ENVIRONMENT_VARIABLE":
        raise Refusal(f"unknown reference type {reference.type}")
    for other in engine.account.upstream_edges(edge.stack_id):
        if any(known.input_name == reference.input_name for known in other.references):
            raise Refusal(f"input {reference.input_name} is already set by a reference")
    edge.references.append(reference)
    engine.account.touch("edge", edge.id)
    return reference


def made_up_commit(seed: str, *, message: str = "Initial commit", timestamp: int = 0) -> Commit:
    """Return a commit whose hash follows from a string."""
    sha = hashlib.sha1(seed.encode(), usedforsecurity=False).hexdigest()
    return Commit(hash=sha, message=message, timestamp=timestamp)


def _take_commit(engine: Engine, stack: Stack, commit: Commit, *, is_proposed: bool) -> None:
    if all(commit.hash != known.hash for known in stack.commits):
        stack.commits.append(commit)
    if not is_proposed:
        stack.branch_head = stack.tracked_commit = commit
    engine.account.touch("stack", stack.id)


def _abandon_runs(engine: Engine, stack: Stack) -> None:
    for run in engine.account.runs_of(stack.id):
        if run.state not in TERMINAL:
            state = RunState.CANCELED if run.state is RunState.QUEUED else RunState.STOPPED
            engine.move(run, state, note="stack was deleted")
