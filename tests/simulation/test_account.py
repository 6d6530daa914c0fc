"""The account in virtual time, asked by the product's own client."""

import asyncio
import random
from collections.abc import Awaitable, Callable
from typing import Any

import pytest

from controller.config import connections
from controller.spacelift import account_session, client, errors, models
from devenv.simulator.model.states import RunState
from tests.simulation import virtual_time
from tests.simulation.account import account_server, people, transport
from tests.simulation.planned_chance import Planned, Wild
from tests.simulation.temporal import chance

SCENARIO = {
    "edges": ["vpc -> cluster -> app"],
    "defaults": {"stack": {"autodeploy": True}, "durations": 60},
}


class Bench:
    """An account, a client of it, and people."""

    def __init__(self, loop: virtual_time.VirtualLoop, decide: chance.Chance) -> None:
        self.loop = loop
        self.log: list[str] = []
        self.server = account_server.AccountServer(loop, SCENARIO)
        self.way = transport.AccountTransport(loop, self.server, chance=decide)
        self.people = people.People(self.server)
        self.client = client.SpaceliftClient(
            account_session.AccountSession(
                endpoint=self.server.url,
                read_api_key=lambda: connections.ApiKey(
                    key_id=account_server.API_KEY_ID, secret=account_server.API_KEY_SECRET
                ),
                transport=self.way,
            )
        )
        self.server.simulator.transition_listeners.append(
            lambda run, step: self.log.append(
                f"{loop.time():.3f} {run.stack_id} {run.id} {step.state}"
            )
        )

    def states(self, stack_id: str) -> list[RunState]:
        return [run.state for run in self.server.simulator.account.runs_of(stack_id)]


def run(
    main: Callable[[Bench, Any], Awaitable[object]],
    *,
    seed: int = 1,
    make_chance: Callable[[random.Random], chance.Chance] | None = None,
) -> Bench:
    rng = random.Random(seed)
    loop = virtual_time.VirtualLoop(rng)
    decide = make_chance(rng) if make_chance else Planned(seconds=0.05)
    bench = Bench(loop, decide)

    async def started() -> None:
        await main(bench, decide)

    try:
        loop.run(started())
    finally:
        loop.close()
    assert loop.unhandled == []
    return bench


def test_runs_take_their_time_although_nobody_asks_for_them() -> None:
    async def main(bench: Bench, _: Any) -> None:
        await bench.client.trigger_run("vpc", marker="test")
        await asyncio.sleep(59)
        assert bench.states("vpc") == [RunState.APPLYING]
        await asyncio.sleep(300)

        for stack_id in ("vpc", "cluster", "app"):
            assert bench.states(stack_id) == [RunState.FINISHED]
        assert len(bench.way._server.simulator.account.runs) == 3

    run(main)


def test_an_answer_that_is_lost_leaves_the_run() -> None:
    async def main(bench: Bench, plan: Planned) -> None:
        await bench.client.get_viewer()
        plan.next = [transport.ANSWER_LOST]
        with pytest.raises(errors.AmbiguousOutcome):
            await bench.client.trigger_run("vpc", marker="test")

        assert len(bench.states("vpc")) == 1

    run(main)


def test_a_request_that_is_lost_leaves_none() -> None:
    async def main(bench: Bench, plan: Planned) -> None:
        await bench.client.get_viewer()
        plan.next = [transport.REQUEST_LOST]
        with pytest.raises(errors.AmbiguousOutcome):
            await bench.client.trigger_run("vpc", marker="test")
        plan.next = [transport.UNREACHABLE]
        with pytest.raises(errors.Unreachable):
            await bench.client.trigger_run("vpc", marker="test")

        assert bench.states("vpc") == []

    run(main)


def test_an_answer_that_hangs_costs_the_whole_time_out() -> None:
    async def main(bench: Bench, plan: Planned) -> None:
        await bench.client.get_viewer()
        before = bench.loop.time()
        plan.next = [transport.ANSWER_HANGS]
        with pytest.raises(errors.AmbiguousOutcome):
            await bench.client.trigger_run("vpc", marker="test")

        assert bench.loop.time() - before == pytest.approx(30, abs=1)
        assert len(bench.states("vpc")) == 1

    run(main)


@pytest.mark.parametrize(
    ("what", "error"),
    [
        pytest.param(transport.THROTTLED, errors.RateLimited, id="throttled"),
        pytest.param(transport.UNAVAILABLE, errors.AmbiguousOutcome, id="unavailable"),
        pytest.param(transport.UNAVAILABLE_AFTERWARDS, errors.AmbiguousOutcome, id="afterwards"),
        pytest.param(transport.ANSWER_CUT_SHORT, errors.AmbiguousOutcome, id="cut short"),
    ],
)
def test_what_an_account_may_answer_reaches_the_client_as_its_errors(
    what: str, error: type[errors.SpaceliftError]
) -> None:
    async def main(bench: Bench, plan: Planned) -> None:
        await bench.client.get_viewer()
        plan.next = [what]
        with pytest.raises(error):
            await bench.client.trigger_run("vpc", marker="test")

    run(main)


def test_a_token_that_has_gone_bad_is_renewed() -> None:
    async def main(bench: Bench, plan: Planned) -> None:
        await bench.client.get_viewer()
        plan.next = [transport.TOKENS_REVOKED]
        await bench.client.trigger_run("vpc", marker="test")
        await asyncio.sleep(2 * 3600)
        await bench.client.trigger_run("vpc", marker="test")

        assert len(bench.states("vpc")) == 2

    run(main)


def test_people_act_under_the_rules_of_the_account() -> None:
    async def main(bench: Bench, _: Any) -> None:
        person = bench.people
        assert person.add_stack("new", dependsOn=["app"])
        assert person.remove("new")
        assert person.trigger("vpc")
        assert person.lock("cluster")
        assert not person.lock("cluster")
        assert person.disable("app")
        await asyncio.sleep(300)
        newest = person.latest_run("vpc")
        assert newest is not None
        assert newest.state is RunState.FINISHED
        assert not person.confirm(newest)
        assert not person.delete("vpc")
        assert person.remove_edge("app", "cluster")
        assert not person.add_edge("vpc", "cluster")
        assert person.delete("app")
        await asyncio.sleep(60)

        stacks = await bench.client.get_stacks(["vpc", "app"])
        assert [stack_id for stack_id, stack in stacks.items() if stack is None] == ["app"]

    run(main)


async def live_wildly(bench: Bench, _: object) -> None:
    for number in range(40):
        await asyncio.sleep(5)
        stack_id = ("vpc", "cluster", "app")[number % 3]
        try:
            if number % 5 == 0:
                await bench.client.trigger_run(stack_id, marker="test")
            else:
                await bench.client.get_stacks([stack_id])
        except errors.SpaceliftError as error:
            bench.log.append(f"{bench.loop.time():.3f} {type(error).__name__}")
        if number % 7 == 0:
            newest = bench.people.latest_run(stack_id)
            if newest is not None:
                bench.people.cancel(newest)


def test_a_seed_is_one_course_with_all_that_goes_wrong_in_it() -> None:
    courses = [run(live_wildly, seed=seed, make_chance=Wild).log for seed in (1, 1, 2)]

    assert courses[0] == courses[1]
    assert courses[0] != courses[2]


def test_two_accounts_of_one_world_share_no_record() -> None:
    async def main(bench: Bench, _: Any) -> None:
        other = account_server.AccountServer(bench.loop, SCENARIO, name="other")
        await bench.client.trigger_run("vpc", marker="test")

        assert bench.states("vpc")
        assert other.simulator.account.runs == {}
        assert other.url != bench.server.url

    run(main)


def test_a_run_is_read_as_the_client_reads_it() -> None:
    async def main(bench: Bench, _: Any) -> None:
        made = await bench.client.trigger_run("vpc", marker="test")
        found = await bench.client.get_run(models.RunKey(stack_id="vpc", run_id=made.run_id))

        assert found is not None
        assert found.triggered_by == f"api::{account_server.API_KEY_ID}"

    run(main)
