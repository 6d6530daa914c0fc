"""The state machine alone, on a virtual clock: no server, no waiting.

Given: an account from a few lines of scenario, where every phase takes one second unless said
otherwise. Asserted: runs, their states and their history.
"""

from collections.abc import Callable
from typing import Any

import pytest

from devenv.simulator.model import creation, run_actions, stack_actions
from devenv.simulator.model.engine import DEFAULT_DURATIONS
from devenv.simulator.model.entities import Stack
from devenv.simulator.model.run_entities import Run
from devenv.simulator.model.states import RunType
from devenv.simulator.simulator import Simulator

START = 1_700_000_000.0
USER = stack_actions.User(login="api::K")


class Lab:
    """An account under a virtual clock."""

    def __init__(self, **scenario: Any) -> None:
        document = {
            "clock": "virtual",
            "start": START,
            "defaults": {"durations": dict.fromkeys(_PHASES, 1), "stack": {"autodeploy": True}},
            "behavior": {"blockerReleaseDelay": 0},
            **scenario,
        }
        self.simulator = Simulator(document, seed=1)
        self.advance(0)

    @property
    def engine(self) -> Any:
        return self.simulator.engine

    @property
    def account(self) -> Any:
        return self.simulator.account

    def stack(self, stack_id: str) -> Stack:
        return self.account.stacks[stack_id]

    def trigger(self, stack_id: str, run_type: str = "TRACKED", **order: Any) -> Run:
        wanted = creation.Order(
            stack=self.stack(stack_id), type=RunType(run_type), triggered_by=USER.login, **order
        )
        run = stack_actions.trigger(self.engine, [wanted], USER)[0]
        self.advance(0)
        return run

    def task(self, stack_id: str, **order: Any) -> Run:
        wanted = creation.Order(
            stack=self.stack(stack_id),
            type=RunType.TASK,
            triggered_by=USER.login,
            command="ls",
            **order,
        )
        run = creation.make(self.engine, wanted)
        self.advance(0)
        return run

    def act(self, name: str, run: Run, **arguments: Any) -> Any:
        result = getattr(run_actions, name)(self.engine, run, **arguments)
        self.advance(0)
        return result

    def advance(self, seconds: float) -> None:
        self.simulator.advance(seconds)

    def run_of(self, stack_id: str) -> Run:
        """The newest run of a stack."""
        return next(self.account.newest_runs_of(stack_id))

    def states(self) -> dict[str, str]:
        """The state of the newest run of each stack that has one."""
        return {
            stack_id: str(run.state)
            for stack_id in self.account.stacks
            for run in self.account.runs_of(stack_id)
        }

    def until(self, run: Run, state: str) -> Run:
        """Advance until a run is in a state."""
        for _ in range(200):
            if run.state == state:
                return run
            self.advance(0.25)
        raise AssertionError(f"{run.id} is {run.state}, not {state}: {path(run)}")


def path(run: Run) -> list[str]:
    return [str(entry.state) for entry in run.history]


_PHASES = [phase for phase in DEFAULT_DURATIONS if phase != "deleting"]


@pytest.fixture
def lab() -> Callable[..., Lab]:
    """Make an account: `lab(stacks=[...], edges=[...], behavior={...})`."""
    return Lab
