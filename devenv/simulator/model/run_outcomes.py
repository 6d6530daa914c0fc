"""Which script (`Outcome`) a run follows."""

from devenv.simulator.model.engine import Engine
from devenv.simulator.model.run_entities import Outcome, Run


def script_of(run: Run) -> Outcome:
    """Return the script of a run that has left the queue."""
    return run.outcome or Outcome()


def next_outcome(engine: Engine, run: Run, *, take: bool) -> Outcome:
    """Return the script for a stack's next run; the last one that fits serves all later runs."""
    stack = engine.stack_of(run)
    fitting = [o for o in stack.script if o.types is None or run.type in o.types]
    if not fitting:
        return engine.account.outcome
    if take and len(fitting) > 1:
        # By identity: the same script may be listed several times.
        stack.script = [outcome for outcome in stack.script if outcome is not fitting[0]]
        engine.account.touch("stack", stack.id)
    return fitting[0]
