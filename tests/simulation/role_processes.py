"""The product's roles as processes of a simulated world: the real ones, from their settings on.

They get their connections to the outside; nothing of the product is replaced.
"""

import asyncio
import dataclasses
import functools
from collections.abc import Callable, Coroutine, Mapping, Sequence
from typing import Any

import temporalio.client

from controller.config import connections, settings
from controller.notify import sinks
from controller.observability import metrics
from controller.operator import kopf_settings, watches
from controller.roles import operator, operator_parts, worker
from controller.roles import process as roles
from controller.spacelift import account_session
from tests.simulation import virtual_time
from tests.simulation.account import account_server, direct_client, transport
from tests.simulation.account.account_server import AccountServer
from tests.simulation.kube import kopf_operator, kube_connection, link
from tests.simulation.kube.api_server import ApiServer
from tests.simulation.processes import Process
from tests.simulation.temporal import connections as temporal_connections
from tests.simulation.temporal.chance import Chance
from tests.simulation.temporal.server import TemporalServer
from tests.simulation.temporal.workers import Worker

_SIGNING_KEY = "only-in-simulations-0123456789-0123456789"


@dataclasses.dataclass(frozen=True, kw_only=True, slots=True)
class Parties:
    """What the roles talk to."""

    loop: virtual_time.VirtualLoop
    chance: Chance
    api: ApiServer
    temporal: TemporalServer
    account: AccountServer


@dataclasses.dataclass(frozen=True, kw_only=True, slots=True)
class Release:
    """One installation: what its roles have in common."""

    name: str = "here"
    """Its id, and the namespace that it is installed in."""
    watch_namespaces: tuple[str, ...] = ()
    environment: Mapping[str, str] = dataclasses.field(default_factory=dict)
    """More settings of its roles."""


class NoServer:
    """Stands in for the probe server: nothing probes, but tests can ask for the checks here."""

    def __init__(self) -> None:
        self.checks: dict[str, Callable[[], Any]] = {}

    def add_ready_check(self, name: str, check: Callable[[], Any]) -> None:
        """Register what must hold for the process to do its work."""
        self.checks[name] = check


@dataclasses.dataclass(kw_only=True)
class RoleProcess:
    """One process of a role; `process` can be killed, frozen, and has its clock."""

    process: Process
    role: roles.Process
    kube: link.ApiLink | None = None
    """The operator's way to the API server."""
    spacelift: list[transport.AccountTransport] = dataclasses.field(default_factory=list)
    """The worker's ways to accounts."""
    temporal: list[temporal_connections.Connection]
    """Its ways to Temporal."""
    code: int | None = None
    """How it has ended on its own."""
    renewal: "RenewalProcess | None" = None
    """The operator's thread that renews the Lease."""

    @property
    def is_running(self) -> bool:
        """Whether it still runs."""
        return self.process.is_alive and self.code is None

    def run(self, work: Callable[[], Coroutine[Any, Any, int]]) -> None:
        """Start what the process is for; it is gone with its end."""

        async def until_its_end() -> None:
            self.code = await work()
            # What is left over has nothing to finish: see `roles.process.run_role`.
            self.process.kill()

        self.process.start(until_its_end())

    def freeze(self) -> None:
        """Let all of it hang, as a process does whose machine hangs."""
        self.process.freeze()
        if self.renewal is not None:
            self.renewal.freeze()

    def stop(self) -> None:
        """Ask it to end, as SIGTERM does."""
        self.process.call(self.role.stop.set)

    def kill(self) -> None:
        """End it at once, as SIGKILL does."""
        self.process.kill()


def start_operator(
    parties: Parties, release: Release, *, pod: str = "operator-0", skew_seconds: float = 0.0
) -> RoleProcess:
    """Start an operator, which leads once it has the Lease."""
    started = prepare(parties, release, pod=pod, skew_seconds=skew_seconds)
    way = link.ApiLink(
        parties.loop, parties.api, user=f"{release.name}/{pod}", chance=parties.chance
    )
    started.kube = way

    def new_renewal() -> RenewalProcess:
        started.renewal = RenewalProcess(parties.loop, started.process)
        return started.renewal

    replaced: dict[str, Any] = {
        "new_kube_client": lambda _: kube_connection.KubeConnection(way),
        "new_lease_thread": new_renewal,
        "new_worker": Worker,
        "leave": lambda _: started.kill(),
    }
    outside = operator_parts.Outside(watch=functools.partial(_watch, way), **replaced)
    started.run(lambda: operator.operate(started.role, outside))
    return started


def start_worker(
    parties: Parties, release: Release, *, pod: str = "worker-0", skew_seconds: float = 0.0
) -> RoleProcess:
    """Start a worker, which runs workflows and calls the account."""
    started = prepare(parties, release, pod=pod, skew_seconds=skew_seconds)

    def new_session(**arguments: Any) -> account_session.AccountSession:
        way = transport.AccountTransport(parties.loop, parties.account, chance=parties.chance)
        started.spacelift.append(way)
        return account_session.AccountSession(
            transport=way, new_http=direct_client.DirectClient, **arguments
        )

    started.run(lambda: worker.work(started.role, new_worker=Worker, new_session=new_session))
    return started


class RenewalProcess:
    """Stands in for the operator's thread that renews the Lease; it ends with the operator.

    It continues while the operator is frozen, as a thread does.
    """

    def __init__(self, loop: virtual_time.VirtualLoop, operator: Process) -> None:
        self._process = loop.process(f"{operator.name} lease")
        operator.on_kill.append(self._process.kill)

    def freeze(self) -> None:
        """Let it hang too, as the threads of a process do whose machine hangs."""
        self._process.freeze()

    def run(self, coroutine: Coroutine[Any, Any, None]) -> "asyncio.Task[None]":
        """Run something there."""
        return self._process.start(coroutine)

    async def close(self) -> None:
        """End it."""
        self._process.kill()


def prepare(
    parties: Parties,
    release: Release,
    *,
    pod: str,
    skew_seconds: float,
    environment: Mapping[str, str] | None = None,
) -> RoleProcess:
    """Return a process with everything that its role gets; nothing runs in it yet."""
    owner = parties.loop.process(f"{release.name}/{pod}", skew_seconds=skew_seconds)
    temporal: list[temporal_connections.Connection] = []

    async def connect(_: Any, __: Any) -> temporalio.client.Client:
        client = temporal_connections.connect(parties.temporal, identity=owner.name)
        temporal.append(temporal_connections.connection_of(client))
        return client

    variables = {**release.environment, **(environment or {}), "STACKCHAIN_POD_NAME": pod}
    role = owner.call(_role, parties, release, variables, connect)
    return RoleProcess(process=owner, role=role, temporal=temporal)


def _role(
    parties: Parties, release: Release, variables: Mapping[str, str], connect: roles.Connect
) -> roles.Process:
    all_settings = settings.load_settings(
        {
            "SPACELIFT_API_KEY_ENDPOINT": parties.account.url,
            "SPACELIFT_API_KEY_ID": account_server.API_KEY_ID,
            "SPACELIFT_API_KEY_SECRET": account_server.API_KEY_SECRET,
            "SPACELIFT_ALLOWED_NAMESPACES": "*",
            "SPACELIFT_ALLOWED_OPERATIONS": "Apply,Plan,Destroy",
            "STACKCHAIN_SIGNING_KEYS": _SIGNING_KEY,
            "STACKCHAIN_NAMESPACE": release.name,
            "STACKCHAIN_INSTALLATION": release.name,
            "STACKCHAIN_WATCH_NAMESPACES": ",".join(release.watch_namespaces),
            **variables,
        }
    )
    counters = metrics.Metrics()
    return roles.Process(
        settings=all_settings,
        stop=asyncio.Event(),
        counters=counters,
        server=NoServer(),
        catalog=connections.ConnectionCatalog(all_settings.spacelift),
        sink_catalog=sinks.SinkCatalog(None),
        link=roles.TemporalLink(all_settings.temporal, counters, connect=connect),
    )


async def _watch(
    way: link.ApiLink,
    role: roles.Process,
    build: operator_parts.BuildRegistry,
    ours: watches.Watches,
    is_ours: kopf_settings.IsOurs,
    stop: asyncio.Event,
) -> None:
    namespaces: Sequence[str] = role.settings.installation.watch_namespaces
    registry = build(kopf_operator.login(way))
    watching = asyncio.create_task(kopf_operator.watch(registry, ours, is_ours, namespaces))
    await roles.wait_for_first(watching, stop.wait())
    watching.cancel()
    await asyncio.wait([watching])
