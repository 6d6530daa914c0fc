"""Who may go next: the queue of each stack and the workers of each pool.

One blocking run (tracked, destroy, task) at a time per stack, oldest first; it holds the stack
until it is over, even while it waits for a person. Workers go to blocking runs first, then to
proposed ones, then to drift detection; a prioritized run of a private pool jumps the queue.
(Spacelift's documentation of runs, worker pools and locks.)
"""

from devenv.simulator.model.engine import Engine
from devenv.simulator.model.entities import Stack, Worker
from devenv.simulator.model.run_entities import Run
from devenv.simulator.model.states import AWAITS_WORKER, BLOCKING_TYPES, RunState

DEPENDENCY, APPROVAL, LOCK = "dependency", "approval", "lock"


# -- the queue of a stack ------------------------------------------------------------------------


def enqueue(engine: Engine, run: Run) -> None:
    """Put a run that has just become QUEUED where it waits."""
    if run.type in BLOCKING_TYPES:
        engine.queues[run.stack_id].append(run.id)
        engine.later(lambda: consider(engine, run.stack_id))
    else:
        engine.schedule(run, engine.duration(run, "queued"))


def hold_reason(engine: Engine, run: Run) -> str | None:
    """Say what keeps a queued run from being the next one of its stack."""
    if run.is_held:
        return DEPENDENCY
    if run.needs_approval:
        return APPROVAL
    stack = engine.stack_of(run)
    if (
        stack.locked_by is not None
        and stack.locked_by != run.triggered_by
        and engine.account.behavior.lock_holds_queued_runs
    ):
        return LOCK
    return None


def consider(engine: Engine, stack_id: str) -> None:
    """Let the next queued run of a stack go, if there is one that may."""
    stack = engine.account.stacks.get(stack_id)
    if stack is None or stack.active_run_id is not None:
        return
    queue = engine.queues[stack_id] = [
        run_id
        for run_id in engine.queues[stack_id]
        if engine.account.runs[run_id].state is RunState.QUEUED
    ]
    for run_id in queue:
        run = engine.account.runs[run_id]
        reason = hold_reason(engine, run)
        if reason is None:
            if run.due is None:
                engine.schedule(run, engine.duration(run, "queued"))
            return
        if reason != DEPENDENCY:
            run.due = None
            return
        if engine.account.behavior.dependency_wait_holds_stack:
            return


def take_stack(engine: Engine, run: Run) -> bool:
    """Make a run the one that holds its stack; False if it has to wait after all."""
    if run.type not in BLOCKING_TYPES:
        return True
    stack = engine.stack_of(run)
    if stack.active_run_id is not None or hold_reason(engine, run) is not None:
        engine.later(lambda: consider(engine, stack.id))
        return False
    stack.active_run_id = run.id
    engine.queues[stack.id].remove(run.id)
    engine.account.touch("stack", stack.id)
    return True


def release_stack(engine: Engine, run: Run) -> None:
    """Start the release of the stack of a run that is over."""
    stack = engine.account.stacks.get(run.stack_id)
    if stack is None:
        return
    if stack.active_run_id != run.id:
        consider(engine, stack.id)
        return
    delay = engine.account.behavior.blocker_release_delay / engine.account.speed
    stack.active_until = engine.now + delay
    engine.schedule_stack(stack, stack.active_until)


def stack_due(engine: Engine, stack: Stack, due: float) -> None:
    """Carry out a deadline of a stack: its release, or its deletion."""
    if stack.active_until == due:
        stack.active_until = None
        stack.active_run_id = None
        engine.account.touch("stack", stack.id)
        consider(engine, stack.id)
    if stack.delete_due == due:
        engine.account.remove_stack(stack.id)


def blocker(engine: Engine, stack: Stack) -> Run | None:
    """Return the run that holds a stack; a run waiting for approval holds it too."""
    if stack.active_run_id is not None:
        run = engine.account.runs[stack.active_run_id]
        started = next((t.at for t in run.history if t.state is not RunState.QUEUED), engine.now)
        lags = engine.now - started < engine.account.behavior.blocker_lag
        return None if lags and not run.finished else run
    for run_id in engine.queues.get(stack.id, ()):
        run = engine.account.runs[run_id]
        if run.state is RunState.QUEUED:
            return run if hold_reason(engine, run) == APPROVAL else None
    return None


# -- workers -------------------------------------------------------------------------------------


def seek_worker(engine: Engine, run: Run) -> None:
    """Let a run wait for a worker of its stack's pool; it gets one at once if one is free."""
    pool_id = engine.stack_of(run).worker_pool_id
    engine.awaiting_worker[pool_id].append(run.id)
    engine.later(lambda: assign_workers(engine, pool_id))


def assign_workers(engine: Engine, pool_id: str | None) -> None:
    """Hand the free workers of a pool to those who wait longest in the best class."""
    account = engine.account
    waiting = [
        account.runs[run_id]
        for run_id in engine.awaiting_worker[pool_id]
        if account.runs[run_id].state in AWAITS_WORKER and not account.runs[run_id].has_worker
    ]
    waiting.sort(key=lambda run: rank(run, is_private=pool_id is not None))
    given = 0
    for run in waiting:
        if not _take_worker(engine, run, pool_id):
            break
        given += 1
        engine.schedule(run, engine.duration(run, run.state.lower()))
    engine.awaiting_worker[pool_id] = [run.id for run in waiting[given:]]


def rank(run: Run, *, is_private: bool) -> tuple[bool, int, float, str]:
    """Return the place of a run among those waiting for a worker; smaller goes first."""
    is_blocking = run.type in BLOCKING_TYPES
    priority = 2 if run.drift_detection else int(not is_blocking)
    return (not (is_private and run.prioritized), priority, run.updated_at, run.id)


def free_worker(engine: Engine, run: Run) -> None:
    """Give the worker of a run back."""
    if not run.has_worker:
        return
    run.has_worker = False
    account = engine.account
    account.touch("run", run.id)
    if run.id in account.public_busy:
        account.public_busy.discard(run.id)
        pools: list[str | None] = [None]
    else:
        pools = []
        for pool in account.pools.values():
            for worker in pool.workers:
                if worker.run_id == run.id:
                    worker.run_id = None
                    pools.append(pool.id)
                    account.touch("pool", pool.id)
    for pool_id in pools:
        if engine.awaiting_worker[pool_id]:
            assign_workers(engine, pool_id)


def schedulable(engine: Engine, pool_id: str | None) -> list[Run]:
    """Return what waits for a worker of a pool; runs held by others of their stack do not show."""
    runs = [engine.account.runs[run_id] for run_id in engine.awaiting_worker.get(pool_id, ())]
    return [run for run in runs if run.state in AWAITS_WORKER and not run.has_worker]


def resume(engine: Engine, run: Run) -> None:
    """Take an unfinished run back into the queues, after a restart."""
    if run.state is RunState.QUEUED and run.type in BLOCKING_TYPES:
        engine.queues[run.stack_id].append(run.id)
        engine.later(lambda: consider(engine, run.stack_id))
    elif run.state in AWAITS_WORKER and not run.has_worker:
        seek_worker(engine, run)
    elif run.has_worker and engine.stack_of(run).worker_pool_id is None:
        engine.account.public_busy.add(run.id)


def _take_worker(engine: Engine, run: Run, pool_id: str | None) -> bool:
    account = engine.account
    if pool_id is None:
        if len(account.public_busy) >= account.public_parallelism:
            return False
        account.public_busy.add(run.id)
    else:
        worker = _free_worker_of(engine, pool_id)
        if worker is None:
            return False
        worker.run_id = run.id
        account.touch("pool", pool_id)
    run.has_worker = True
    return True


def _free_worker_of(engine: Engine, pool_id: str) -> Worker | None:
    pool = engine.account.pools.get(pool_id)
    workers = pool.workers if pool else []
    return next((w for w in workers if w.run_id is None and not w.drained), None)
