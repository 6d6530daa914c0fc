"""Snapshots and the state file: what was, is again, and continues."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from devenv.simulator.model import stack_actions
from devenv.simulator.simulator import Simulator

MakeLab = Callable[..., Any]

SCENARIO = {
    "keys": [{"id": "K", "secret": "s"}],
    "workerPools": {"p": {"workers": 1}},
    "edges": ["a -> b -> c"],
    "stacks": {"d": {"workerPool": "p"}, "e": {"workerPool": "p"}, "f": {"autodeploy": False}},
}


def all_states(simulator: Simulator) -> list[tuple[str, str, list[str]]]:
    return [
        (run.id, run.stack_id, [str(entry.state) for entry in run.history])
        for run in simulator.account.runs.values()
    ]


@pytest.mark.parametrize("seconds", [0, 1.5, 4.5, 9])
def test_a_restored_account_goes_on_as_the_original_does(lab: MakeLab, seconds: float) -> None:
    account = lab(**SCENARIO)
    for name in "adef":
        account.trigger(name)
    account.trigger("a")
    account.advance(seconds)
    copy = Simulator({"clock": "virtual", "start": account.engine.now})

    copy.restore(account.simulator.snapshot())
    account.advance(60)
    copy.advance(60)

    assert all_states(copy) == all_states(account.simulator)


def test_ids_of_a_restored_account_go_on_above_those_it_has(lab: MakeLab) -> None:
    account = lab(stacks=["a"])
    last = account.trigger("a")
    copy = Simulator({"clock": "virtual", "start": account.engine.now - 1000})

    copy.restore(account.simulator.snapshot())

    assert copy.engine.ids.next(copy.engine.now) > last.id


def make(path: Path, start: float = 1_700_000_000.0) -> Simulator:
    return Simulator({**SCENARIO, "clock": "virtual", "start": start}, state_file=path)


def test_a_state_file_survives_the_process(tmp_path: Path) -> None:
    path = tmp_path / "state"
    first = make(path)
    user = stack_actions.User(login="api::K")
    stack_actions.lock(first.engine, first.account.stacks["d"], user, "mine")
    stack_actions.remove(first.engine, first.account.stacks["f"])
    pushed = stack_actions.made_up_commit("new")
    stack_actions.push(first.engine, [first.account.stacks["a"]], pushed)
    first.advance(0.3)

    second = make(path, start=first.engine.now)

    assert second.snapshot() == first.snapshot()
    assert second.account.stacks["d"].locked_by == "api::K"
    assert "f" not in second.account.stacks


def test_tokens_survive_the_process(tmp_path: Path) -> None:
    path = tmp_path / "state"
    granted = make(path).tokens.exchange("K", "s", audience="x")
    assert granted is not None

    owner = make(path).tokens.owner(f"Bearer {granted[0]}")

    assert owner is not None
    assert owner.id == "K"


def test_a_line_cut_short_by_the_end_of_the_process_is_left_out(tmp_path: Path) -> None:
    path = tmp_path / "state"
    kept = make(path).snapshot()
    with path.open("a") as file:
        file.write('["stack", "a", {"id": "a", "na')

    assert make(path).snapshot() == kept
