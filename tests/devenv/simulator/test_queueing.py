"""Who goes next: stacks, locks, worker pools."""

from collections.abc import Callable
from typing import Any

import pytest

from devenv.simulator import seeding, specs
from devenv.simulator.model import queueing, stack_actions
from devenv.simulator.model.errors import Refusal

MakeLab = Callable[..., Any]

ANN = stack_actions.User(login="ann")


def test_one_blocking_run_at_a_time_oldest_first(lab: MakeLab) -> None:
    account = lab(stacks=["a"])
    runs = [account.trigger("a") for _ in range(3)]
    account.advance(3.5)
    assert [run.state for run in runs] == ["INITIALIZING", "QUEUED", "QUEUED"]

    account.advance(60)

    ends = [run.history[-1].at for run in runs]
    starts = [run.history[1].at for run in runs]
    assert starts[1] >= ends[0]
    assert starts[2] >= ends[1]


def test_an_unconfirmed_run_holds_its_stack(lab: MakeLab) -> None:
    account = lab(stacks={"a": {"autodeploy": False}})
    first, second = account.trigger("a"), account.trigger("a")

    account.advance(3600)

    assert (first.state, second.state) == ("UNCONFIRMED", "QUEUED")
    assert queueing.blocker(account.engine, account.stack("a")) is first


def test_a_proposed_run_goes_beside_a_blocking_one(lab: MakeLab) -> None:
    account = lab(stacks={"a": {"autodeploy": False}})
    account.until(account.trigger("a"), "UNCONFIRMED")

    proposed = account.trigger("a", "PROPOSED")
    account.advance(60)

    assert proposed.state == "FINISHED"


def test_the_blocker_outlives_its_run(lab: MakeLab) -> None:
    account = lab(stacks=["a"], behavior={"blockerReleaseDelay": 5})
    run = account.until(account.trigger("a"), "FINISHED")
    assert queueing.blocker(account.engine, account.stack("a")) is run

    account.advance(6)

    assert queueing.blocker(account.engine, account.stack("a")) is None


@pytest.mark.parametrize("holds", [True, False])
def test_a_run_waiting_for_upstreams_holds_newer_ones_by_switch(lab: MakeLab, holds: bool) -> None:
    account = lab(
        edges=["a -> b"],
        stacks={"a": {"autodeploy": False}},
        behavior={"dependencyWaitHoldsStack": holds},
    )
    account.trigger("a")
    own = account.trigger("b")

    account.advance(60)

    assert own.state == ("QUEUED" if holds else "FINISHED")


def test_a_lock_keeps_others_out_and_autodeploy_off(lab: MakeLab) -> None:
    account = lab(edges=["a -> b"])
    stack = account.stack("b")
    stack_actions.lock(account.engine, stack, ANN, "mine")
    with pytest.raises(Refusal, match="locked by ann"):
        account.trigger("b")
    account.trigger("a")
    account.advance(60)
    assert account.run_of("b").state == "QUEUED"

    stack_actions.unlock(account.engine, stack, ANN)
    account.advance(60)

    assert account.run_of("b").state == "FINISHED"


def test_the_owner_of_a_lock_may_run_but_has_to_confirm(lab: MakeLab) -> None:
    account = lab(stacks=["a"])
    owner = stack_actions.User(login="api::K")
    stack_actions.lock(account.engine, account.stack("a"), owner, None)

    run = account.trigger("a")
    account.advance(60)

    assert run.state == "UNCONFIRMED"


def test_only_owner_or_admin_unlocks(lab: MakeLab) -> None:
    account = lab(stacks=["a"])
    stack_actions.lock(account.engine, account.stack("a"), ANN, None)
    plain = stack_actions.User(login="bob", is_admin=False)

    with pytest.raises(Refusal, match="unauthorized"):
        stack_actions.unlock(account.engine, account.stack("a"), plain)


def test_a_disabled_stack_takes_no_runs(lab: MakeLab) -> None:
    account = lab(stacks={"a": {"disabled": True}})

    with pytest.raises(Refusal, match="disabled"):
        account.trigger("a")


def test_a_pool_runs_as_many_as_it_has_workers(lab: MakeLab) -> None:
    names = [f"s{number}" for number in range(5)]
    account = lab(
        workerPools={"p": {"workers": 2}},
        stacks={name: {"workerPool": "p"} for name in names},
    )
    runs = [account.trigger(name) for name in names]

    account.advance(2.5)
    assert sorted(run.state for run in runs) == ["PREPARING"] * 2 + ["READY"] * 3
    account.advance(60)

    assert {run.state for run in runs} == {"FINISHED"}


def test_a_pool_without_workers_leaves_runs_ready(lab: MakeLab) -> None:
    account = lab(workerPools={"p": {"workers": 0}}, stacks={"a": {"workerPool": "p"}})
    run = account.trigger("a")

    account.advance(3600)

    assert run.state == "READY"


def test_a_worker_that_joins_the_pool_takes_a_run_that_waits(lab: MakeLab) -> None:
    account = lab(workerPools={"p": {"workers": 0}}, stacks={"a": {"workerPool": "p"}})
    run = account.trigger("a")
    account.advance(60)

    seeding.put_pool(account.engine, "p", specs.PoolSpec(workers=1))
    account.advance(60)

    assert run.state == "FINISHED"


def test_blocking_runs_get_workers_before_proposed_ones_and_priority_before_both(
    lab: MakeLab,
) -> None:
    account = lab(
        workerPools={"p": {"workers": 1}},
        stacks={name: {"workerPool": "p"} for name in ("busy", "a", "b", "c")},
    )
    account.trigger("busy")
    proposed = account.trigger("a", "PROPOSED")
    tracked, urgent = account.trigger("b"), account.trigger("c")
    account.act("prioritize", urgent, is_prioritized=True)

    account.advance(600)

    order = sorted((proposed, tracked, urgent), key=lambda run: run.history[2].at)
    assert order == [urgent, tracked, proposed]


def test_a_run_gives_its_worker_back_while_a_person_decides(lab: MakeLab) -> None:
    account = lab(
        workerPools={"p": {"workers": 1}},
        stacks={"a": {"workerPool": "p", "autodeploy": False}, "b": {"workerPool": "p"}},
    )
    account.until(account.trigger("a"), "UNCONFIRMED")

    other = account.trigger("b")
    account.advance(60)

    assert other.state == "FINISHED"


def test_public_parallelism_is_limited(lab: MakeLab) -> None:
    account = lab(stacks=["a", "b"], publicParallelism=1)
    runs = [account.trigger("a"), account.trigger("b")]

    account.advance(2.5)

    assert sorted(run.state for run in runs) == ["PREPARING", "READY"]


# states of the run -> what the stack shows; a stack has a different enum
@pytest.mark.parametrize(
    ("state", "shown"),
    [("QUEUED", "NONE"), ("READY", "READY"), ("PLANNING", "PLANNING"), ("FINISHED", "FINISHED")],
)
def test_a_stack_shows_the_state_of_its_run_at_work(lab: MakeLab, state: str, shown: str) -> None:
    account = lab(stacks=["a"])

    account.until(account.trigger("a"), state)

    assert account.stack("a").state == shown


def test_a_run_that_never_started_does_not_show_on_its_stack(lab: MakeLab) -> None:
    account = lab(stacks={"a": {"state": "FINISHED"}})
    run = account.trigger("a")

    account.act("cancel", run, username="x")

    assert account.stack("a").state == "FINISHED"
