"""A cluster, a Temporal server and an account, with the roles of a release and a person."""

import asyncio
import random
from collections.abc import Awaitable, Callable, Mapping
from typing import Any

from tests.simulation import receiver_process, role_processes, virtual_time
from tests.simulation.account import account_server, people
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

    def __init__(
        self,
        loop: virtual_time.VirtualLoop,
        decide: chance.Chance,
        scenario: Mapping[str, Any] = SCENARIO,
    ) -> None:
        self.loop = loop
        api = api_server.ApiServer(loop.unix)
        for name in ("team", RELEASE.name):
            api.create_namespace(name)
        account = account_server.AccountServer(loop, scenario)
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
        """How many unforeseen errors the roles met."""
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
    scenario: Mapping[str, Any] = SCENARIO,
    decide: chance.Chance | None = None,
) -> Bench:
    rng = random.Random(seed)
    loop = virtual_time.VirtualLoop(rng)
    drawn = chance.Seeded(seed, probabilities=wrong or {chance.REPLAY: 0.1})
    bench = Bench(loop, decide or drawn, scenario)

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
