"""The world of a plan: all parties, an installation's roles, people and users."""

import asyncio
import dataclasses
import random
from collections.abc import Callable
from typing import Any

from devenv.simulator.model.webhooks import Delivery
from tests.simulation import receiver_process, role_processes, virtual_time
from tests.simulation.account import account_server, people
from tests.simulation.kube import api_server, kube_connection, link
from tests.simulation.temporal import chance
from tests.simulation.temporal.server import TemporalServer
from tests.simulation.world import records
from tests.simulation.world.plans import HERE, NAMESPACES, THERE, ChainPlan, Plan, StackPlan

Json = dict[str, Any]

RELEASE = role_processes.Release()
OTHER = "other "
"""What the roles of the second installation are called by."""
MERGE_PATCH = "application/merge-patch+json"
SWEEP_SECONDS = 30
"""How often the roots of chains with triggers are looked at."""
STAGE_LABEL = "stage:"
"""What the label of a stage starts with."""
_REPLAYS = 0.015
"""How often an execution is rebuilt from its history, also once all else is calm.

Once in each schedule or two, that is; those whose worker was killed are all rebuilt besides.
"""


class PlannedChance(chance.Seeded):
    """Goes wrong as the plan says, until the world is calm."""

    def __init__(self, plan: Plan) -> None:
        super().__init__(
            plan.seed,
            probabilities={chance.REPLAY: _REPLAYS, **plan.chances},
            scales=plan.slow,
            longest=plan.slowest,
        )

    def calm(self) -> None:
        """Let nothing go wrong any more, and nothing be slower than usual."""
        self.change(probabilities={chance.REPLAY: _REPLAYS})


class World:
    """What a plan is carried out in."""

    def __init__(self, plan: Plan) -> None:
        self.plan = plan
        self.loop = virtual_time.VirtualLoop(random.Random(plan.seed))
        self.chance = PlannedChance(plan)
        api = api_server.ApiServer(self.loop.unix)
        for installation in plan.installations:
            api.create_namespace(NAMESPACES[installation])
            api.create_namespace(installation)
        self.parties = role_processes.Parties(
            loop=self.loop,
            chance=self.chance,
            api=api,
            temporal=TemporalServer(self.loop, self.chance),
            account=account_server.AccountServer(self.loop, _scenario(plan)),
        )
        self.record = records.Record(plan, self.parties)
        self.people = people.People(self.parties.account)
        way = link.ApiLink(self.loop, api, user="person", chance=chance.Steady())
        self._kubectl = kube_connection.KubeConnection(way)
        self._started = 0
        self._receivers: list[receiver_process.ReceiverProcess] = []
        if plan.has_receiver:
            self.parties.account.send = self._send

    @property
    def is_calm(self) -> bool:
        """Whether the time is over in which things go wrong."""
        return self.loop.time() > self.plan.calm_at

    # Roles

    def start(self, kind: str) -> None:
        """Start one more process of a role; a plan's other installation has its own names."""
        installation, role = installation_of(kind)
        if installation not in self.plan.installations:
            return
        self._started += 1
        release, pod = _release(self.plan, installation), f"{role}-{self._started}"
        match role:
            case "operator":
                started = role_processes.start_operator(
                    self.parties, release, pod=pod, skew_seconds=self.plan.skews[0]
                )
            case "worker":
                started = role_processes.start_worker(
                    self.parties, release, pod=pod, skew_seconds=self.plan.skews[1]
                )
            case _:
                receiver = receiver_process.start_receiver(self.parties, release, pod=pod)
                self._receivers.append(receiver)
                started = receiver.started
        self.record.roles.append(started)

    def kinds(self) -> list[str]:
        """Return the roles that have to run."""
        kinds = ["operator", "worker"]
        if len(self.plan.installations) > 1:
            kinds += [f"{OTHER}{kind}" for kind in kinds]
        return [*kinds, "receiver"] if self.plan.has_receiver else kinds

    def running(self, kind: str) -> list[role_processes.RoleProcess]:
        """Return the processes of a role that run, the oldest first."""
        begin = "/".join(installation_of(kind)) + "-"
        return [
            role
            for role in self.record.roles
            if role.is_running and role.process.name.startswith(begin)
        ]

    def _send(self, delivery: Delivery, answered: Callable[[int | None], None]) -> None:
        """Send a delivery to one of the receivers, as a Service does."""
        running = [item for item in self._receivers if item.started.is_running]
        if running:
            running[self.chance.pick(len(running))].send(delivery, answered)
        else:
            self.loop.call_soon(answered, None, context=self.loop.world.context)

    # Users

    async def create(self, chain: ChainPlan) -> None:
        """Create a StackChain."""
        body = {
            "apiVersion": "stackchain.dev/v1alpha1",
            "kind": "StackChain",
            "metadata": {"name": chain.name},
            "spec": chain.spec,
        }
        await self.request("POST", self._path(chain.name, is_new=True), body=body)

    async def change(self, name: str, patch: Json) -> None:
        """Patch a StackChain."""
        await self.request("PATCH", self._path(name), body=patch, content_type=MERGE_PATCH)

    def get(self, name: str) -> Json | None:
        """Return a StackChain as it is."""
        return next((body for body in self.chains() if body["metadata"]["name"] == name), None)

    def chains(self) -> list[Json]:
        """Return all StackChains."""
        return [stored.body for stored in self.parties.api.store.select("stackchains", None)]

    async def delete(self, name: str) -> None:
        """Ask for the end of a StackChain."""
        await self.request("DELETE", self._path(name))

    async def request(self, method: Any, path: str, **options: Any) -> None:
        """Send what a user wants; what is refused has not happened."""
        await self._kubectl.request(method, path, **options)

    def _path(self, name: str, *, is_new: bool = False) -> str:
        chain = next(chain for chain in self.plan.chains if chain.name == name)
        base = f"/apis/stackchain.dev/v1alpha1/namespaces/{chain.namespace}/stackchains"
        return base if is_new else f"{base}/{name}"

    async def sleep_until(self, at: float) -> None:
        """Let time pass."""
        await asyncio.sleep(max(0.0, at - self.loop.time()))


def installation_of(kind: str) -> tuple[str, str]:
    """Return whose a role is, and which."""
    other = kind.removeprefix(OTHER)
    return (HERE, kind) if other == kind else (THERE, other)


def _release(plan: Plan, installation: str) -> role_processes.Release:
    environment = {
        "SPACELIFT_POLL_SECONDS": str(plan.poll_seconds),
        "STACKCHAIN_SWEEP_SECONDS": str(SWEEP_SECONDS),
        **RELEASE.environment,
    }
    if len(plan.installations) == 1:
        return dataclasses.replace(RELEASE, environment=environment)
    return role_processes.Release(
        name=installation,
        watch_namespaces=(NAMESPACES[installation],),
        environment={**environment, "TEMPORAL_TASK_QUEUE": f"stackchain-{installation}"},
    )


def _scenario(plan: Plan) -> Json:
    webhook = {
        "endpoint": receiver_process.ENDPOINT,
        "secret": receiver_process.SECRET,
        "policy": "documented",
    }
    return {
        "behavior": {"exposeMetadata": False, **plan.behavior},
        "webhooks": [webhook] if plan.has_receiver else [],
        "stacks": {stack.id: _stack(stack) for stack in plan.stacks},
    }


def _outcome(stack: StackPlan, word: str) -> Json | str:
    return {"result": word, "delta": stack.delta} if stack.delta and word == "changes" else word


def _stack(stack: StackPlan) -> Json:
    return {
        "outputs": {"id": "1"},
        "autodeploy": stack.is_autodeployed,
        "requiresApproval": stack.needs_approval,
        "durations": stack.seconds,
        "outcomes": [_outcome(stack, word) for word in stack.outcomes],
        "dependsOn": [
            {"stack": item, "references": _references(item) if stack.is_unchanged else []}
            for item in stack.upstreams
        ],
        "labels": [
            *(f"dependsOn:{label}" for label in stack.labels),
            *([f"{STAGE_LABEL}{stack.stage}"] if stack.stage else ()),
        ],
    }


def _references(upstream: str) -> list[Json]:
    return [{"output": "id", "input": f"TF_VAR_{upstream}"}]
