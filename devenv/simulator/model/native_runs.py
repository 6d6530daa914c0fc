"""Native stack dependencies: a tracked run queues runs on all dependents, released in order.

From the documentation of stack dependencies, the support knowledge base and issue 565 of the
provider: the whole wave is queued when its first run is created. A dependent is released, or
skipped, when its direct upstream runs of that wave are over. Being skipped does not stop the stacks
behind.
"""

from collections import deque

from devenv.simulator.model import creation, queueing
from devenv.simulator.model.engine import Engine
from devenv.simulator.model.entities import Edge, Reference
from devenv.simulator.model.run_entities import Run
from devenv.simulator.model.states import BROKEN, RunState, RunType

_UNCHANGED = "This run has dependency references ({}) which have not changed since the last run"


def make_with_dependents(engine: Engine, orders: list[creation.Order]) -> list[Run]:
    """Create runs, then those on the dependents of the tracked ones among them."""
    runs = [creation.make(engine, order) for order in orders]
    origins = [run for run in runs if run.type is RunType.TRACKED and _fans_out(engine, run)]
    return [*runs, *(queue_dependents(engine, origins) if origins else [])]


def queue_dependents(engine: Engine, origins: list[Run]) -> list[Run]:
    """Queue runs on all transitive dependents of runs that have just been created.

    `triggeredBy` is the direct upstream stack through which a breadth-first search finds a
    dependent first. A disabled stack gets no run, and stacks that are only behind it are not
    reached.
    """
    account = engine.account
    wave = {run.stack_id: run for run in origins}
    origin_id = origins[0].id
    queued: list[Run] = []
    todo = deque(run.stack_id for run in origins)
    while todo:
        upstream_id = todo.popleft()
        for edge in account.dependent_edges(upstream_id):
            stack = account.stacks[edge.stack_id]
            if stack.id in wave or stack.is_disabled or stack.deleting:
                continue
            order = creation.Order(
                stack=stack, type=RunType.TRACKED, triggered_by=upstream_id, origin_id=origin_id
            )
            wave[stack.id] = creation.make(engine, order)
            queued.append(wave[stack.id])
            todo.append(stack.id)
    for run in wave.values():
        _hold(engine, run, wave)
    return queued


def upstream_ended(engine: Engine, run: Run) -> None:
    """Release the runs that waited for this one alone."""
    for follower_id in engine.waiting_runs.pop(run.id, ()):
        follower = engine.account.runs[follower_id]
        if follower.state is not RunState.QUEUED or not _all_over(engine, follower):
            continue
        delay = engine.account.behavior.release_delay
        if delay:
            engine.schedule(follower, delay)
        else:
            decide(engine, follower)


def decide(engine: Engine, run: Run) -> None:
    """Release a dependent's run, or end it, since its upstream runs are over."""
    runs = engine.account.runs
    broken = [u for u in run.upstream_runs if u in runs and runs[u].state in BROKEN]
    run.is_held = False
    engine.account.touch("run", run.id)
    if broken:
        upstream = runs[broken[0]]
        note = f"upstream run {upstream.id} of stack {upstream.stack_id} is {upstream.state}"
        engine.move(run, RunState(engine.account.behavior.on_upstream_failure), note=note)
        return
    unchanged = unchanged_references(engine, run)
    if unchanged:
        note = _UNCHANGED.format(", ".join(unchanged))
        engine.move(run, RunState.SKIPPED, note=note)
    else:
        queueing.consider(engine, run.stack_id)


def unchanged_references(engine: Engine, run: Run) -> list[str]:
    """Name the references that let a run be skipped; empty if there is a reason to run."""
    names = []
    for edge in _edges_of_wave(engine, run):
        if edge.trigger_always or not edge.references:
            return []
        for reference in edge.references:
            if reference.trigger_always or _has_changed(engine, edge, reference):
                return []
            names.append(f"{edge.depends_on_stack_id}.{reference.output_name}")
    return sorted(names)


def reconcile_drift(engine: Engine, run: Run) -> None:
    """Answer drift that a check found with a tracked run, if the stack is set up for that."""
    is_check = run.drift_detection and run.type is RunType.PROPOSED and run.reconcile
    stack = engine.account.stacks.get(run.stack_id)
    if not is_check or stack is None or run.state is not RunState.FINISHED:
        return
    if run.delta is not None and not run.delta.is_empty:
        order = creation.Order(
            stack=stack,
            type=RunType.TRACKED,
            triggered_by="reconciliation",
            drift_detection=True,
        )
        make_with_dependents(engine, [order])


def resume(engine: Engine, run: Run) -> None:
    """Take up the wait of a run after a restart."""
    if run.state is not RunState.QUEUED or not run.is_held:
        return
    for upstream_id in run.upstream_runs:
        engine.waiting_runs[upstream_id].append(run.id)
    if _all_over(engine, run) and run.due is None:
        engine.later(lambda: decide(engine, run))


def _fans_out(engine: Engine, run: Run) -> bool:
    behavior = engine.account.behavior
    suppressed = run.force_apply == "SINGLE" and behavior.force_apply_single_suppresses_fan_out
    return behavior.fan_out and not suppressed


def _hold(engine: Engine, run: Run, wave: dict[str, Run]) -> None:
    """Let a run of a wave wait for the runs of the same wave on its direct upstream stacks."""
    upstreams = [
        wave[edge.depends_on_stack_id].id
        for edge in engine.account.upstream_edges(run.stack_id)
        if edge.depends_on_stack_id in wave
    ]
    run.upstream_runs = sorted(upstreams)
    run.is_held = bool(upstreams)
    for upstream_id in upstreams:
        engine.waiting_runs[upstream_id].append(run.id)


def _all_over(engine: Engine, run: Run) -> bool:
    runs = engine.account.runs
    return all(u not in runs or runs[u].finished for u in run.upstream_runs)


def _edges_of_wave(engine: Engine, run: Run) -> list[Edge]:
    """Return the edges, as they are now, over which this run was queued."""
    runs = engine.account.runs
    stacks = {runs[u].stack_id for u in run.upstream_runs if u in runs}
    edges = engine.account.upstream_edges(run.stack_id)
    return [edge for edge in edges if edge.depends_on_stack_id in stacks]


def _has_changed(engine: Engine, edge: Edge, reference: Reference) -> bool:
    if reference.seen_version is None:
        return True
    output = engine.account.stacks[edge.depends_on_stack_id].outputs.get(reference.output_name)
    return output is not None and output.version != reference.seen_version
