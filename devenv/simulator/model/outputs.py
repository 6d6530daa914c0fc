"""Outputs: what an apply publishes, and what a dependent takes as its inputs.

Outputs change only in a successful apply phase; a run without changes publishes nothing new, and
after a failed run the outputs of its stack cannot be used until a run succeeds again.
"""

from devenv.simulator.model.engine import Engine
from devenv.simulator.model.entities import Output, Stack
from devenv.simulator.model.run_entities import Run
from devenv.simulator.model.states import RunState, RunType


def applied(engine: Engine, run: Run) -> None:
    """Record a successful apply phase."""
    stack = engine.stack_of(run)
    stack.last_apply_at = engine.now
    scripted = run.outcome.outputs if run.outcome else None
    for name, value in _new_values(engine, stack, scripted).items():
        _publish(stack, name, value)
    engine.account.touch("stack", stack.id)


def destroyed(engine: Engine, run: Run) -> None:
    """Forget the outputs of what is no more."""
    stack = engine.stack_of(run)
    stack.outputs.clear()
    engine.account.touch("stack", stack.id)


def inputs_taken(engine: Engine, run: Run) -> None:
    """Remember with which versions of its inputs a tracked run goes to work."""
    if run.type is not RunType.TRACKED:
        return
    for edge in engine.account.upstream_edges(run.stack_id):
        upstream = engine.account.stacks[edge.depends_on_stack_id]
        for reference in edge.references:
            reference.seen_version = upstream.outputs[reference.output_name].version
        engine.account.touch("edge", edge.id)


def run_ended(engine: Engine, run: Run) -> None:
    """Draw the consequences of a run's end for its stack."""
    stack = engine.account.stacks.get(run.stack_id)
    if stack is None:
        return
    if run.type is RunType.TRACKED and run.state in (RunState.FINISHED, RunState.FAILED):
        stack.outputs_usable = run.state is RunState.FINISHED
        engine.account.touch("stack", stack.id)


def _new_values(engine: Engine, stack: Stack, scripted: dict[str, str] | None) -> dict[str, str]:
    """Without a script every output that exists or is referenced gets a new value."""
    if scripted is not None:
        return scripted
    names = set(stack.outputs)
    for edge in engine.account.dependent_edges(stack.id):
        names.update(reference.output_name for reference in edge.references)
    versions = {name: out.version for name, out in stack.outputs.items()}
    return {name: f"{name}-{versions.get(name, 0) + 1}" for name in sorted(names)}


def _publish(stack: Stack, name: str, value: str) -> None:
    output = stack.outputs.get(name)
    if output is None:
        stack.outputs[name] = Output(id=name, value=value)
    elif output.value != value:
        output.value = value
        output.version += 1
