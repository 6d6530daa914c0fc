"""The roles as they are, in virtual time: a chain from its manifest to its end."""

import asyncio
import dataclasses
import random
from collections.abc import Callable

import pytest

from tests.simulation import role_processes
from tests.simulation.account import transport
from tests.simulation.kube import link
from tests.simulation.role_bench import PATH, RELEASE, Bench, has_ended, is_in, run
from tests.simulation.temporal import chance


async def live(bench: Bench) -> None:
    bench.start_operator()
    bench.start_worker()
    await bench.create()
    status = await bench.until(has_ended(1))
    assert status["latestRun"]["phase"] == "Succeeded"
    await bench.person.request("DELETE", f"{PATH}/chain")
    await bench.until_gone()


def test_a_chain_runs_from_its_manifest_to_its_end() -> None:
    bench = run(live)

    assert bench.runs() == {name: ["FINISHED"] for name in ("vpc", "cluster", "app")}


def test_a_seed_is_one_course_and_another_seed_another_one() -> None:
    assert run(live, seed=3).course() == run(live, seed=3).course()
    assert run(live, seed=3).course() != run(live, seed=4).course()


WRONG = {
    chance.REPLAY: 0.2,
    chance.COMPLETION_LOST: 0.02,
    chance.ANSWER_LOST: 0.02,
    link.REQUEST_LOST: 0.02,
    link.ANSWER_LOST: 0.02,
    link.REQUEST_HANGS: 0.01,
    link.THROTTLED: 0.02,
    link.UNAVAILABLE: 0.02,
    link.WATCH_BROKEN: 0.02,
    transport.UNREACHABLE: 0.02,
    transport.REQUEST_LOST: 0.02,
    transport.ANSWER_LOST: 0.02,
    transport.ANSWER_HANGS: 0.01,
    transport.ANSWER_CUT_SHORT: 0.01,
    transport.THROTTLED: 0.02,
    transport.UNAVAILABLE: 0.02,
    transport.UNAVAILABLE_AFTERWARDS: 0.01,
    transport.TOKENS_REVOKED: 0.01,
}


@pytest.mark.parametrize("seed", range(8))
def test_a_chain_runs_once_whatever_is_lost_on_the_way(seed: int) -> None:
    bench = run(live, seed=seed, wrong=WRONG)

    assert bench.runs() == {name: ["FINISHED"] for name in ("vpc", "cluster", "app")}


@pytest.mark.parametrize("seed", range(8))
def test_a_chain_runs_once_although_both_roles_are_killed_now_and_then(seed: int) -> None:
    async def main(bench: Bench) -> None:
        roles = [bench.start_operator(), bench.start_worker()]
        rng = random.Random(seed)

        async def kill_now_and_then() -> None:
            for number in range(1, 5):
                await asyncio.sleep(rng.uniform(1, 25))
                which = rng.randrange(2)
                # At whichever await comes then.
                roles[which].process.dies_at_step = roles[which].process.steps + rng.randrange(9)
                await asyncio.sleep(rng.uniform(0, 5))
                roles[which].kill()
                start = (bench.start_operator, bench.start_worker)[which]
                roles[which] = start(number)

        killing = bench.loop.world.start(kill_now_and_then())
        await bench.create()
        status = await bench.until(has_ended(1))
        assert status["latestRun"]["phase"] == "Succeeded"
        await killing

    bench = run(main, seed=seed)

    assert bench.runs() == {name: ["FINISHED"] for name in ("vpc", "cluster", "app")}


def test_a_standby_takes_over_from_an_operator_that_is_killed() -> None:
    async def main(bench: Bench) -> None:
        first = bench.start_operator(0)
        await asyncio.sleep(5)
        second = bench.start_operator(1)
        bench.start_worker()
        await bench.create()
        await asyncio.sleep(10)
        assert second.role.counters.lease_held._value.get() == 0
        first.kill()
        await bench.until(has_ended(1))

        assert second.role.counters.lease_held._value.get() == 1

    run(main)


async def is_ready(operator: role_processes.RoleProcess) -> bool:
    checks = list(operator.role.server.checks.values())  # type: ignore[attr-defined]
    return bool(checks) and not [problem for check in checks if (problem := await check())]


def is_watching(operator: role_processes.RoleProcess) -> bool:
    counters = operator.role.counters
    for update in counters.before_reading:
        update()
    return counters.registry.get_sample_value("stackchain_watch_up", {"served": "*"}) == 1


@pytest.mark.parametrize("seed", range(5))
def test_who_can_lead_at_once_is_ready_when_it_watches_and_a_standby_without(seed: int) -> None:
    release = dataclasses.replace(RELEASE, environment={"STACKCHAIN_INSTALLATION": ""})

    async def ready(operator: role_processes.RoleProcess) -> None:
        while not await is_ready(operator):  # noqa: ASYNC110 - it is what probes do
            await asyncio.sleep(0.0005)

    async def main(bench: Bench) -> None:
        first = bench.start_operator(0, release)
        await first.process.start(ready(first))
        assert is_watching(first)
        second = bench.start_operator(1, release)
        await second.process.start(ready(second))
        assert not is_watching(second)
        first.kill()
        while not second.role.counters.lease_held._value.get():
            assert await is_ready(second)
            await asyncio.sleep(0.5)
        await second.process.start(ready(second))
        assert is_watching(second)

    run(main, seed=seed)


def test_an_operator_that_is_asked_to_end_hands_the_lease_over_at_once() -> None:
    async def main(bench: Bench) -> None:
        first = bench.start_operator(0)
        await asyncio.sleep(5)
        second = bench.start_operator(1)
        await asyncio.sleep(5)
        first.stop()
        await asyncio.sleep(5)

        assert first.code == 0
        assert second.role.counters.lease_held._value.get() == 1

    run(main)


def test_an_operator_that_cannot_renew_its_lease_leaves() -> None:
    async def main(bench: Bench) -> None:
        operator = bench.start_operator()
        await asyncio.sleep(5)
        assert operator.kube is not None
        operator.kube.cut()
        await asyncio.sleep(60)

        assert not operator.is_running

    run(main)


def test_a_clock_that_is_wrong_by_minutes_changes_no_outcome() -> None:
    async def main(bench: Bench) -> None:
        for start, skew in (
            (role_processes.start_operator, -200.0),
            (role_processes.start_worker, 200.0),
        ):
            start(bench.parties, RELEASE, skew_seconds=skew)
        await bench.create()
        status = await bench.until(has_ended(1))

        assert status["latestRun"]["phase"] == "Succeeded"

    run(main)


def test_a_run_waits_for_a_person() -> None:
    async def main(bench: Bench) -> None:
        bench.start_operator()
        bench.start_worker()
        stack = bench.parties.account.simulator.account.stacks["cluster"]
        stack.autodeploy = False
        await bench.create()
        await bench.until(is_in("AwaitingConfirmation"))
        waiting = bench.people.latest_run("cluster")
        assert waiting is not None
        assert bench.people.discard(waiting)
        await bench.until(is_in("Canceled"))

    bench = run(main)

    assert bench.runs()["cluster"] == ["DISCARDED"]


def test_a_delivery_wakes_what_waits_for_it() -> None:
    def run_with(*, has_receiver: bool) -> float:
        async def main(bench: Bench) -> None:
            if has_receiver:
                bench.start_receiver()
            release = role_processes.Release(environment={"SPACELIFT_POLL_SECONDS": "1500"})
            bench.start_operator(release=release)
            bench.start_worker(release=release)
            await bench.create()
            await bench.until(has_ended(1))

        return run(main).loop.time()

    assert run_with(has_receiver=True) < 100
    assert run_with(has_receiver=False) > 300


def test_a_receiver_that_dies_in_the_middle_costs_no_run() -> None:
    async def main(bench: Bench) -> None:
        bench.start_receiver()
        bench.start_operator()
        bench.start_worker()
        await bench.create()
        await asyncio.sleep(10)
        bench.roles[0].kill()
        await bench.until(has_ended(1))

    bench = run(main)

    assert bench.runs() == {name: ["FINISHED"] for name in ("vpc", "cluster", "app")}


def test_two_installations_take_turns_at_the_same_stacks() -> None:
    async def main(bench: Bench) -> None:
        for name in ("one", "two"):
            bench.parties.api.create_namespace(name)
            release = role_processes.Release(
                name=name,
                watch_namespaces=(name,),
                environment={"TEMPORAL_TASK_QUEUE": f"stackchain-{name}"},
            )
            bench.start_operator(release=release)
            bench.start_worker(release=release)
            await bench.create(path=PATH.replace("/team/", f"/{name}/"))
        for name in ("one", "two"):
            path = PATH.replace("/team/", f"/{name}/")
            async with asyncio.timeout(3600):
                while True:
                    body = await bench.person.request("GET", f"{path}/chain")
                    if has_ended(1)(body.get("status") or {}):
                        break
                    await asyncio.sleep(1)
            assert body["status"]["installation"] == name

    bench = run(main)

    assert bench.runs() == {name: ["FINISHED"] * 2 for name in ("vpc", "cluster", "app")}


def test_a_namespace_that_goes_takes_its_chain_along() -> None:
    async def main(bench: Bench) -> None:
        bench.start_operator()
        bench.start_worker()
        await bench.create()
        await asyncio.sleep(15)
        bench.parties.api.delete_namespace("team")
        await bench.until_gone()
        await asyncio.sleep(60)

        spaces = [stored.body for stored in bench.parties.api.store.select("namespaces", None)]
        assert "team" not in [space["metadata"]["name"] for space in spaces]

    run(main)


def test_an_operator_waits_for_the_definition() -> None:
    async def main(bench: Bench) -> None:
        bench.parties.api.is_definition_served = False
        bench.start_operator()
        bench.start_worker()
        await asyncio.sleep(30)
        bench.parties.api.is_definition_served = True
        await bench.create()
        await bench.until(has_ended(1))

    run(main)


def test_an_operator_that_hangs_leads_no_longer() -> None:
    async def main(bench: Bench) -> None:
        first = bench.start_operator(0)
        await asyncio.sleep(5)
        second = bench.start_operator(1)
        bench.start_worker()
        first.process.freeze()
        await asyncio.sleep(50)
        assert second.role.counters.lease_held._value.get() == 0
        await bench.create()
        await bench.until(has_ended(1))
        assert second.role.counters.lease_held._value.get() == 1
        assert first.process.is_alive
        first.process.thaw()
        await asyncio.sleep(1)

        assert not first.is_running

    run(main)


def test_calls_that_an_operator_takes_and_hangs_are_made_again_within_seconds() -> None:
    """Its polls are open until the server ends them, and are handed calls like those of others."""

    async def moment(has_come: Callable[[], bool]) -> None:
        while not has_come():  # noqa: ASYNC110 - nothing here announces it
            await asyncio.sleep(0.1)

    async def first_run_takes(bench: Bench, seconds: list[float]) -> None:
        first = bench.start_operator(0)
        await asyncio.sleep(5)
        second = bench.start_operator(1)
        bench.start_worker()
        first.freeze()
        await moment(lambda: bool(second.role.counters.lease_held._value.get()))
        created = bench.loop.time()
        await bench.create()
        await moment(lambda: any(bench.runs().values()))
        seconds.append(bench.loop.time() - created)

    took: list[float] = []
    for seed in range(8):
        run(lambda bench: first_run_takes(bench, took), seed=seed)

    # Some were handed to the one that hangs.
    assert max(took) > 5
    assert max(took) < 15, took
