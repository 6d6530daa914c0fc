"""An engine under Spacelift's rules: the lifecycle of runs, queues, and native dependencies."""

from devenv.simulator.model import lifecycle, native_runs, queueing
from devenv.simulator.model.engine import Engine
from devenv.simulator.model.entities import Stack
from devenv.simulator.model.run_entities import Run


class StateMachine(Engine):
    """The engine that accounts have."""

    def _leave_state(self, run: Run) -> None:
        lifecycle.step(self, run)

    def _ended(self, run: Run) -> None:
        lifecycle.ended(self, run)

    def _stack_due(self, stack: Stack, due: float) -> None:
        queueing.stack_due(self, stack, due)

    def _wait_again(self, run: Run) -> None:
        queueing.resume(self, run)
        native_runs.resume(self, run)
