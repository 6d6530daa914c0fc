"""The world of a plan: all parties, an installation's roles, people and users."""

import asyncio
import random
from typing import Any

from tests.simulation import role_processes, virtual_time
from tests.simulation.account import account_server, people
from tests.simulation.kube import api_server, kube_connection, link
from tests.simulation.temporal import chance
from tests.simulation.temporal.server import TemporalServer
from tests.simulation.world import records
from tests.simulation.world.plans import NAMESPACE, ChainPlan, Plan, StackPlan

Json = dict[str, Any]

RELEASE = role_processes.Release()
MERGE_PATCH = "application/merge-patch+json"
_REPLAYS = 0.05
"""How often an execution is rebuilt from its history, also once all else is calm."""


class PlannedChance(chance.Seeded):
    """Goes wrong as the plan says, until the world is calm."""

    def __init__(self, plan: Plan) -> None:
        super().__init__(
            plan.seed,
            probabilities={chance.REPLAY: _REPLAYS, **plan.chances},
            longest=plan.slowest,
        )

    def calm(self) -> None:
        """Let nothing go wrong any more."""
        self._probabilities = {chance.REPLAY: _REPLAYS}


class World:
    """What a plan is carried out in."""

    def __init__(self, plan: Plan) -> None:
        self.plan = plan
        self.loop = virtual_time.VirtualLoop(random.Random(plan.seed))
        self.chance = PlannedChance(plan)
        api = api_server.ApiServer(self.loop.unix)
        for name in (NAMESPACE, RELEASE.name):
            api.create_namespace(name)
        self.parties = role_processes.Parties(
            loop=self.loop,
            chance=self.chance,
            api=api,
            temporal=TemporalServer(self.loop, self.chance),
            account=account_server.AccountServer(self.loop, _scenario(plan.stacks)),
        )
        self.record = records.Record(plan, self.parties)
        self.people = people.People(self.parties.account)
        way = link.ApiLink(self.loop, api, user="person", chance=chance.Steady())
        self._kubectl = kube_connection.KubeConnection(way)
        self._started = 0

    # Roles

    def start_operator(self) -> None:
        """Start one more operator."""
        self._started += 1
        self.record.roles.append(
            role_processes.start_operator(
                self.parties,
                RELEASE,
                pod=f"operator-{self._started}",
                skew_seconds=self.plan.skews[0],
            )
        )

    def start_worker(self) -> None:
        """Start one more worker."""
        self._started += 1
        self.record.roles.append(
            role_processes.start_worker(
                self.parties,
                RELEASE,
                pod=f"worker-{self._started}",
                skew_seconds=self.plan.skews[1],
            )
        )

    def running(self, kind: str) -> list[role_processes.RoleProcess]:
        """Return the processes of a role that run, the oldest first."""
        return [
            role
            for role in self.record.roles
            if role.is_running and role.process.name.split("/")[1].startswith(kind)
        ]

    # Users

    async def create(self, chain: ChainPlan) -> None:
        """Create a StackChain."""
        body = {
            "apiVersion": "stackchain.dev/v1alpha1",
            "kind": "StackChain",
            "metadata": {"name": chain.name},
            "spec": chain.spec,
        }
        await self.request("POST", _path(), body=body)

    async def change(self, name: str, patch: Json) -> None:
        """Patch a StackChain."""
        await self.request("PATCH", _path(name), body=patch, content_type=MERGE_PATCH)

    def get(self, name: str) -> Json | None:
        """Return a StackChain as it is."""
        for stored in self.parties.api.store.select("stackchains", NAMESPACE):
            if stored.body["metadata"]["name"] == name:
                return stored.body
        return None

    def chains(self) -> list[Json]:
        """Return all StackChains."""
        return [stored.body for stored in self.parties.api.store.select("stackchains", NAMESPACE)]

    async def delete(self, name: str) -> None:
        """Ask for the end of a StackChain."""
        await self.request("DELETE", _path(name))

    async def request(self, method: Any, path: str, **options: Any) -> None:
        """Send what a user wants; what is refused has not happened."""
        await self._kubectl.request(method, path, **options)

    async def sleep_until(self, at: float) -> None:
        """Let time pass."""
        await asyncio.sleep(max(0.0, at - self.loop.time()))


def _path(name: str = "") -> str:
    base = f"/apis/stackchain.dev/v1alpha1/namespaces/{NAMESPACE}/stackchains"
    return f"{base}/{name}" if name else base


def _scenario(stacks: tuple[StackPlan, ...]) -> Json:
    return {
        "behavior": {"exposeMetadata": False},
        "stacks": {
            stack.id: {
                "autodeploy": stack.is_autodeployed,
                "durations": stack.seconds,
                "outcomes": list(stack.outcomes),
                "dependsOn": list(stack.upstreams),
                "labels": [f"dependsOn:{label}" for label in stack.labels],
            }
            for stack in stacks
        },
    }
