"""What people do in an account, under its rules, in Spacelift's own web interface.

Each returns whether the account let them: a person who comes too late has done nothing.
"""

from collections.abc import Callable, Mapping
from typing import Any

from devenv.simulator import seeding, specs
from devenv.simulator.model import creation, run_actions, stack_actions
from devenv.simulator.model.engine import Engine
from devenv.simulator.model.errors import Refusal
from devenv.simulator.model.run_entities import Run
from devenv.simulator.model.states import RunType
from tests.simulation.account.account_server import AccountServer

LOGIN = "jdoe@example.com"


class People:
    """Those who work with one account."""

    def __init__(self, server: AccountServer, *, login: str = LOGIN) -> None:
        self._server = server
        self._user = stack_actions.User(login=login)

    def latest_run(self, stack_id: str) -> Run | None:
        """Return the newest run of a stack, which is the one that people look at."""
        self._server.advance()
        return next(iter(self._server.simulator.account.newest_runs_of(stack_id)), None)

    # Runs

    def confirm(self, run: Run) -> bool:
        """Let a run apply its plan."""
        return self._act(run_actions.confirm, run)

    def discard(self, run: Run) -> bool:
        """Drop the plan of a run."""
        return self._act(run_actions.discard, run)

    def replan(self, run: Run, delta: Mapping[str, int]) -> bool:
        """Have a waiting run planned once more, with the other changes that it would make now."""

        def plan_again(engine: Engine, run: Run, *, username: str) -> None:
            run_actions.targeted_replan(engine, run, ["all"], username=username)
            script = specs.OutcomeSpec(delta=specs.DeltaSpec(**delta))
            run.outcome = seeding.outcome(script)

        return self._act(plan_again, run)

    def cancel(self, run: Run) -> bool:
        """Take back a run that has not started."""
        return self._act(run_actions.cancel, run)

    def stop(self, run: Run) -> bool:
        """Ask the worker of a run to stop."""
        return self._act(run_actions.stop, run)

    def retry(self, run: Run) -> bool:
        """Run once more what did not succeed."""
        return self._act(run_actions.retry, run)

    def approve(self, run: Run) -> bool:
        """Approve a run that asks for it."""
        return self._act(run_actions.review, run, "APPROVE")

    def reject(self, run: Run) -> bool:
        """Reject a run that asks for approval."""
        return self._act(run_actions.review, run, "REJECT")

    def trigger(self, stack_id: str, *, run_type: RunType = RunType.TRACKED) -> bool:
        """Create a run."""

        def create() -> None:
            stack = self._server.simulator.account.stacks[stack_id]
            order = creation.Order(
                stack=stack, type=run_type, triggered_by=self._user.login, commit=None
            )
            stack_actions.trigger(self._server.simulator.engine, [order], self._user)

        return self._do(create)

    def push(self, stack_id: str) -> bool:
        """Push a commit to the repository of a stack."""

        def arrive() -> None:
            simulator = self._server.simulator
            engine = simulator.engine
            commit = stack_actions.made_up_commit(
                engine.ids.next(engine.now), message="Change something", timestamp=int(engine.now)
            )
            stack_actions.push(engine, [simulator.account.stacks[stack_id]], commit)

        return self._do(arrive)

    # Stacks

    def lock(self, stack_id: str) -> bool:
        """Reserve a stack."""
        return self._on_stack(stack_actions.lock, stack_id, self._user, None)

    def unlock(self, stack_id: str) -> bool:
        """End a reservation."""
        return self._on_stack(stack_actions.unlock, stack_id, self._user)

    def disable(self, stack_id: str) -> bool:
        """Forbid new runs of a stack."""
        return self._on_stack(stack_actions.set_disabled, stack_id, is_disabled=True)

    def enable(self, stack_id: str) -> bool:
        """Allow new runs of a stack again."""
        return self._on_stack(stack_actions.set_disabled, stack_id, is_disabled=False)

    def delete(self, stack_id: str) -> bool:
        """Delete a stack, on which no other may depend, and which no run may hold."""
        return self._on_stack(stack_actions.delete, stack_id)

    def remove(self, stack_id: str) -> bool:
        """Take a stack away at once, whatever hangs on it."""
        return self._on_stack(stack_actions.remove, stack_id)

    # The graph

    def add_stack(self, stack_id: str, **spec: Any) -> bool:
        """Add a stack, or change one, as a scenario describes it."""
        engine = self._server.simulator.engine
        parsed = specs.StackSpec.model_validate(spec)

        def put() -> None:
            seeding.put_stack(engine, stack_id, parsed)
            for edge in parsed.depends_on:
                if engine.account.edge_between(stack_id, edge.stack) is None:
                    seeding.put_edge(engine, stack_id, edge)

        return self._do(put)

    def add_edge(self, stack_id: str, upstream_id: str) -> bool:
        """Let a stack depend on another one."""
        upstream = self._server.simulator.account.stacks.get(upstream_id)
        if upstream is None:
            return False
        return self._on_stack(stack_actions.add_edge, stack_id, upstream, trigger_always=False)

    def remove_edge(self, stack_id: str, upstream_id: str) -> bool:
        """Let a stack no longer depend on another one."""
        account = self._server.simulator.account
        edge = account.edge_between(stack_id, upstream_id)
        if edge is None:
            return False
        return self._do(lambda: account.remove_edge(edge.id))

    def set_labels(self, stack_id: str, labels: list[str]) -> bool:
        """Label a stack, which may change the graph."""
        account = self._server.simulator.account
        stack = account.stacks.get(stack_id)
        if stack is None:
            return False
        stack.labels = labels
        account.touch("stack", stack_id)
        return True

    def _act(self, action: Callable[..., object], run: Run, *arguments: Any) -> bool:
        engine = self._server.simulator.engine
        return self._do(lambda: action(engine, run, *arguments, username=self._user.login))

    def _on_stack(
        self, action: Callable[..., object], stack_id: str, *arguments: Any, **options: Any
    ) -> bool:
        simulator = self._server.simulator
        stack = simulator.account.stacks.get(stack_id)
        if stack is None:
            return False
        return self._do(lambda: action(simulator.engine, stack, *arguments, **options))

    def _do(self, act: Callable[[], object]) -> bool:
        self._server.advance()
        try:
            act()
        except Refusal:
            return False
        self._server.advance()
        return True
