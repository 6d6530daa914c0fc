"""What a run does next, by type, state and script.

The tables follow Spacelift's documentation of tracked, proposed, task and destroy runs. A step
leaves a state whose time is up; the script of the run (`Outcome`) may let it fail or hang there
instead.
"""

from collections.abc import Callable

from devenv.simulator.model import native_runs, outputs, queueing, run_outcomes
from devenv.simulator.model.engine import Engine
from devenv.simulator.model.run_entities import Delta, PlannedDelta, Run
from devenv.simulator.model.states import AWAITS_WORKER, RunState, RunType

_MISSING_INPUTS = "job assignment failed: the following inputs are missing: "


def step(engine: Engine, run: Run) -> None:
    """Leave the state that a run is in, since its time there is up."""
    if run.is_stopping:
        engine.move(run, RunState.STOPPED, note=run.stop_note, username=run.stop_username)
    elif run.is_held:
        native_runs.decide(engine, run)
    elif not _script_interferes(engine, run):
        _LEAVE[run.state](engine, run)


def ended(engine: Engine, run: Run) -> None:
    """Pass on what a run held: its worker, its stack, and those who wait for it."""
    queueing.free_worker(engine, run)
    outputs.run_ended(engine, run)
    queueing.release_stack(engine, run)
    native_runs.upstream_ended(engine, run)
    native_runs.reconcile_drift(engine, run)


def enter(engine: Engine, run: Run, state: RunState, *, username: str | None = None) -> None:
    """Put a run into a state that lasts a while."""
    engine.move(run, state, username=username)
    if state in AWAITS_WORKER:
        if run.has_worker:
            engine.schedule(run, engine.duration(run, state.lower()))
        else:
            queueing.seek_worker(engine, run)
        return
    engine.schedule(run, engine.duration(run, state.lower()))


def await_person(
    engine: Engine, run: Run, state: RunState, *, needs_approval: bool = False
) -> None:
    """Leave a run to a person; it releases its worker meanwhile."""
    run.needs_approval = needs_approval
    engine.move(run, state)
    queueing.free_worker(engine, run)


def missing_inputs(engine: Engine, run: Run) -> list[str]:
    """Name the referenced outputs that an upstream stack has not published."""
    missing = []
    for edge in engine.account.upstream_edges(run.stack_id):
        upstream = engine.account.stacks[edge.depends_on_stack_id]
        missing += [
            f"{upstream.name}.{reference.output_name} => {reference.input_name}"
            for reference in edge.references
            if not upstream.outputs_usable or reference.output_name not in upstream.outputs
        ]
    return sorted(missing)


# -- leaving a state -----------------------------------------------------------------------------


def _script_interferes(engine: Engine, run: Run) -> bool:
    script = run_outcomes.script_of(run)
    if script.phase is not run.state:
        return False
    if script.result == "hang":
        # Nothing is scheduled, so only a person can move the run on.
        return True
    default = "worker lost" if script.result == "worker-lost" else f"{run.state.lower()} failed"
    engine.move(run, RunState.FAILED, note=script.note or default)
    return True


def _leave_queued(engine: Engine, run: Run) -> None:
    if not queueing.take_stack(engine, run):
        return
    run.outcome = run_outcomes.next_outcome(engine, run, take=True)
    enter(engine, run, RunState.READY)


def _leave_ready(engine: Engine, run: Run) -> None:
    missing = missing_inputs(engine, run)
    if missing:
        engine.move(run, RunState.FAILED, note=_MISSING_INPUTS + ", ".join(missing))
        return
    outputs.inputs_taken(engine, run)
    enter(engine, run, RunState.PREPARING)


def _leave_preparing(engine: Engine, run: Run) -> None:
    skips = run.type is RunType.TASK and run.skip_initialization
    enter(engine, run, RunState.PERFORMING if skips else RunState.INITIALIZING)


def _leave_initializing(engine: Engine, run: Run) -> None:
    if run.type is RunType.TASK:
        enter(engine, run, RunState.PERFORMING)
    elif run.type is RunType.DESTROY and not engine.account.behavior.destroy_plans:
        enter(engine, run, RunState.DESTROYING)
    else:
        enter(engine, run, RunState.PLANNING)


def _leave_planning(engine: Engine, run: Run) -> None:
    script = run_outcomes.script_of(run)
    has_changes = script.result != "no-op"
    planned = script.delta or PlannedDelta(add_count=1 if has_changes else 0)
    run.planned, run.delta = planned, _counted(engine, planned)
    if script.plan_policy == "deny":
        engine.move(run, RunState.FAILED, note=script.note or "plan policy: denied")
    elif run.type is RunType.PROPOSED:
        _proposed_planned(engine, run)
    elif run.type is RunType.TRACKED and run.delta.is_empty and run.force_apply is None:
        engine.move(run, RunState.FINISHED)
    elif _deploys_by_itself(engine, run):
        _work_on_plan(engine, run)
    else:
        await_person(engine, run, RunState.UNCONFIRMED)


def _counted(engine: Engine, planned: PlannedDelta) -> Delta:
    replaced, counts_as = planned.replace_count, engine.account.behavior.replaced_in_delta
    is_added, is_deleted = counts_as != "changed", counts_as == "both"
    return Delta(
        add_count=planned.add_count + replaced * is_added,
        change_count=planned.change_count + replaced * (not is_added),
        delete_count=planned.delete_count + replaced * is_deleted,
        resources=planned.resources or planned.add_count + planned.change_count + replaced,
    )


def _deploys_by_itself(engine: Engine, run: Run) -> bool:
    """Autodeploy stops at a warning of the plan policy, and under a user's lock."""
    stack = engine.stack_of(run)
    return (
        stack.autodeploy
        and run_outcomes.script_of(run).plan_policy is None
        and stack.locked_by is None
    )


def _proposed_planned(engine: Engine, run: Run) -> None:
    script = run_outcomes.script_of(run)
    if script.approval or (script.plan_policy == "warn" and engine.stack_of(run).requires_approval):
        await_person(engine, run, RunState.PENDING_REVIEW, needs_approval=True)
    else:
        engine.move(run, RunState.FINISHED)


def _leave_confirmed(engine: Engine, run: Run) -> None:
    enter(engine, run, RunState.PREPARING_APPLY)


def _work_on_plan(engine: Engine, run: Run) -> None:
    is_destroy = run.type is RunType.DESTROY
    enter(engine, run, RunState.DESTROYING if is_destroy else RunState.APPLYING)


def _leave_applying(engine: Engine, run: Run) -> None:
    outputs.applied(engine, run)
    engine.move(run, RunState.FINISHED)


def _leave_destroying(engine: Engine, run: Run) -> None:
    outputs.destroyed(engine, run)
    engine.move(run, RunState.FINISHED)


def _finish(engine: Engine, run: Run) -> None:
    engine.move(run, RunState.FINISHED)


def _leave_replan_requested(engine: Engine, run: Run) -> None:
    enter(engine, run, RunState.PREPARING_REPLAN)


def _leave_preparing_replan(engine: Engine, run: Run) -> None:
    enter(engine, run, RunState.PLANNING)


_LEAVE: dict[RunState, Callable[[Engine, Run], None]] = {
    RunState.QUEUED: _leave_queued,
    RunState.READY: _leave_ready,
    RunState.PREPARING: _leave_preparing,
    RunState.INITIALIZING: _leave_initializing,
    RunState.PLANNING: _leave_planning,
    RunState.CONFIRMED: _leave_confirmed,
    RunState.PREPARING_APPLY: _work_on_plan,
    RunState.APPLYING: _leave_applying,
    RunState.PERFORMING: _finish,
    RunState.DESTROYING: _leave_destroying,
    RunState.REPLAN_REQUESTED: _leave_replan_requested,
    RunState.PREPARING_REPLAN: _leave_preparing_replan,
}
