"""Operator and worker as they are, in virtual time: a chain from its manifest to its end."""

import asyncio
import random
from collections.abc import Awaitable, Callable, Mapping
from typing import Any

import pytest

from tests.simulation import receiver_process, role_processes, virtual_time
from tests.simulation.account import account_server, people, transport
from tests.simulation.kube import api_server, kopf_operator, kube_connection, link
from tests.simulation.temporal import chance
from tests.simulation.temporal.server import TemporalServer

Json = dict[str, Any]
PATH = "/apis/stackchain.dev/v1alpha1/namespaces/team/stackchains"
MERGE_PATCH = "application/merge-patch+json"
RELEASE = role_processes.Release()
SCENARIO = {
    "edges": ["vpc -> cluster -> app"],
    "defaults": {"stack": {"autodeploy": True}, "durations": 20},
    "webhooks": [{"endpoint": receiver_process.ENDPOINT, "secret": receiver_process.SECRET}],
}


class Bench:
    """A cluster, a Temporal server and an account, with a release's roles, and a person."""

    def __init__(self, loop: virtual_time.VirtualLoop, decide: chance.Chance) -> None:
        self.loop = loop
        api = api_server.ApiServer(loop.unix)
        for name in ("team", RELEASE.name):
            api.create_namespace(name)
        account = account_server.AccountServer(loop, SCENARIO)
        temporal = TemporalServer(loop, decide)
        self.parties = role_processes.Parties(
            loop=loop, chance=decide, api=api, temporal=temporal, account=account
        )
        self.people = people.People(account)
        self.roles: list[role_processes.RoleProcess] = []
        way = link.ApiLink(loop, api, user="person", chance=chance.Steady())
        self.person = kube_connection.KubeConnection(way)

    def start_operator(
        self, number: int = 0, release: role_processes.Release = RELEASE
    ) -> role_processes.RoleProcess:
        pod = f"operator-{number}"
        self.roles.append(role_processes.start_operator(self.parties, release, pod=pod))
        return self.roles[-1]

    def start_worker(
        self, number: int = 0, release: role_processes.Release = RELEASE
    ) -> role_processes.RoleProcess:
        pod = f"worker-{number}"
        self.roles.append(role_processes.start_worker(self.parties, release, pod=pod))
        return self.roles[-1]

    def start_receiver(self, release: role_processes.Release = RELEASE) -> None:
        receiver = receiver_process.start_receiver(self.parties, release)
        self.parties.account.send = receiver.send
        self.roles.append(receiver.started)

    def unforeseen(self) -> float:
        """How many errors the roles met that nobody foresaw."""
        return sum(
            sample.value
            for role in self.roles
            for metric in role.role.counters.unforeseen_errors.collect()
            for sample in metric.samples
            if sample.name.endswith("_total")
        )

    async def create(self, *, path: str = PATH, **spec: Any) -> None:
        body = {"metadata": {"name": "chain"}, "spec": {"roots": {"stackIds": ["vpc"]}, **spec}}
        await self.person.request("POST", path, body=body)

    async def annotate(self, **tokens: str) -> None:
        names = {f"stackchain.dev/{name}": value for name, value in tokens.items()}
        body = {"metadata": {"annotations": names}}
        await self.person.request("PATCH", f"{PATH}/chain", body=body, content_type=MERGE_PATCH)

    async def get(self) -> Json:
        return await self.person.request("GET", f"{PATH}/chain")

    async def until(self, is_so: Callable[[Json], object], *, seconds: float = 3600) -> Json:
        """Wait until a status is as wanted."""
        async with asyncio.timeout(seconds):
            while not is_so(status := (await self.get()).get("status") or {}):  # noqa: ASYNC110
                await asyncio.sleep(1)
        return status

    async def until_gone(self) -> None:
        async with asyncio.timeout(3600):
            while self.parties.api.store.select("stackchains", "team"):  # noqa: ASYNC110
                await asyncio.sleep(1)

    def runs(self) -> dict[str, list[str]]:
        """The states of all runs of the account, by stack."""
        account = self.parties.account.simulator.account
        return {name: [str(run.state) for run in account.runs_of(name)] for name in account.stacks}

    def course(self) -> list[Any]:
        """All that shows what has happened, to compare two runs."""
        account = self.parties.account.simulator.account
        histories = [
            (execution.workflow_id, event.kind.name, event.time)
            for execution in self.parties.temporal.executions()
            for event in execution.history.events
        ]
        written = [stored.body for stored in self.parties.api.store.select("events", None)]
        return [histories, written, sorted(account.runs), self.loop.steps, self.loop.time()]


def run(
    main: Callable[[Bench], Awaitable[object]],
    *,
    seed: int = 1,
    wrong: Mapping[str, float] | None = None,
) -> Bench:
    rng = random.Random(seed)
    random.seed(seed)
    loop = virtual_time.VirtualLoop(rng)
    bench = Bench(loop, chance.Seeded(seed, probabilities=wrong or {chance.REPLAY: 0.1}))

    async def started() -> None:
        await main(bench)

    try:
        with kopf_operator.virtual_kopf():
            loop.run(started())
    finally:
        loop.close()
    assert loop.unhandled == []
    assert bench.parties.temporal.faults == []
    assert bench.unforeseen() == 0
    return bench


def has_ended(number: int) -> Callable[[Json], bool]:
    def is_so(status: Json) -> bool:
        latest = status.get("latestRun") or {}
        return latest.get("number") == number and latest.get("phase") in ("Succeeded", "Failed")

    return is_so


def is_in(phase: str) -> Callable[[Json], bool]:
    return lambda status: (status.get("latestRun") or {}).get("phase") == phase


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
