"""All real parts for one benchmark: API server, Temporal, simulator, worker and operator.

Each part is a separate process, on loopback, and gone at the end.
"""

import asyncio
import contextlib
import dataclasses
import json
import ssl
import time
from collections import Counter
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator, Mapping
from typing import Any

import httpx
import temporalio.client

from controller.kube import lease
from devenv import environment, role_process, settings, tools
from tests.benchmarks import counts, machine, simulated_account, temporal_servers
from tests.support import kube as kube_support
from tests.support import temporal_database, waiting

Body = simulated_account.Body

NAMESPACE = TEMPORAL_NAMESPACE = "default"
_LEASE = f"/apis/coordination.k8s.io/v1/namespaces/{NAMESPACE}/leases/{lease.LEASE_NAME}"
# Others may be using the machine: a benchmark waits, and gives up when nothing can come of it.
PATIENCE_SECONDS = 600.0


Failed = simulated_account.Failed


class Rig(simulated_account.SimulatedAccount):
    """The running parts, and the questions that benchmarks have for them."""

    def __init__(
        self, parts: environment.LocalEnvironment, temporal: temporal_servers.Server
    ) -> None:
        super().__init__(parts.simulator.admin_url)
        plane = parts.control_plane
        if plane is None:
            raise AssertionError("a benchmark has a control plane of its own")
        self.parts = parts
        self.temporal_server = temporal
        self._plane = plane
        self.kube = kube_support.KubeApi(plane.url, plane.token, plane.ca_file)
        self.chains = kube_support.StackChains(self.kube, NAMESPACE)
        self._watch_http = httpx.AsyncClient(
            base_url=plane.url,
            headers={"Authorization": f"Bearer {plane.token}"},
            verify=ssl.create_default_context(cafile=str(plane.ca_file)),
            timeout=httpx.Timeout(15, read=None),
            trust_env=False,
        )
        self._temporal: temporalio.client.Client | None = None

    async def aclose(self) -> None:
        await self.kube.close()
        await self._watch_http.aclose()
        await super().aclose()

    async def temporal(self) -> temporalio.client.Client:
        if self._temporal is None:
            self._temporal = await self.temporal_server.connect()
        return self._temporal

    async def stored(self) -> temporal_database.Stored | None:
        """Return what is in Temporal's database, or None for the dev server, which has none."""
        server = self.temporal_server
        if isinstance(server, temporal_database.DatabaseTemporal):
            return await server.stored()
        return None

    # Processes

    def role(self, name: str) -> role_process.Role:
        return self.parts.roles[name]

    def pids(self) -> dict[str, int]:
        """Return the processes whose cost matters."""
        found = {name: role.process.pid for name, role in self.parts.roles.items()}
        found["simulator"] = self.parts.simulator.process.pid
        servers = {"API server": self._plane._api_server, "etcd": self._plane._etcd}
        found |= self.temporal_server.pids
        return found | {name: process.pid for name, process in servers.items() if process}

    async def counts(self) -> counts.Counts:
        """Return what Temporal and the API server have counted since they started."""
        temporal = await self._http.get(self.temporal_server.metrics_url)
        kubernetes = await self.kube.request("GET", "/metrics")
        return counts.read(
            temporal=temporal.text, kubernetes=kubernetes.text, namespace=TEMPORAL_NAMESPACE
        )

    async def lease_transitions(self) -> int:
        """Return how often the Lease has changed hands."""
        found = await self.kube.get(_LEASE)
        transitions: int = found["spec"]["leaseTransitions"]
        return transitions

    async def start_second_worker(self) -> None:
        first = self.role("worker").options
        second = role_process.Role(
            dataclasses.replace(first, instance=1, health_port=tools.free_port())
        )
        # With the others it is stopped at the end.
        self.parts.roles["second worker"] = second
        await second.start()

    def workers(self) -> list[role_process.Role]:
        return [role for role in self.parts.roles.values() if role.options.role == "worker"]

    async def metrics(self, role: str, name: str) -> dict[str, float]:
        """Return the samples of one metric of a role, by their labels."""
        answer = await self._http.get(f"{self.role(role).health_url}/metrics")
        samples = {}
        for line in answer.text.splitlines():
            if line.startswith((f"{name}{{", f"{name} ")):
                labels, _, value = line.removeprefix(name).rpartition(" ")
                samples[labels.strip("{} ")] = float(value)
        return samples

    # Chains

    async def apply(
        self, name: str, *, root: str, parallelism: int = 10, connection: str = "default"
    ) -> float:
        """Apply a StackChain as kubectl does; returns when the request left, in Unix seconds."""
        spec = {
            "connectionName": connection,
            "roots": {"stackIds": [root]},
            "parallelism": parallelism,
        }
        body = kube_support.stack_chain(name, spec)
        left_at = time.time()
        await self.kube.apply(self.chains.path(name), body)
        return left_at

    async def all_chains(self) -> Body:
        return await self.kube.get(self.chains.path("").rstrip("/"))

    async def changes(self, started: asyncio.Event) -> AsyncIterator[tuple[float, Body]]:
        """Yield each change of a StackChain, from `started` on, with the time it was seen.

        The API server ends the watch of a client that does not keep up, so it is started again.
        """
        version = (await self.all_chains())["metadata"]["resourceVersion"]
        path = self.chains.path("").rstrip("/")
        while True:
            params = {"watch": "1", "resourceVersion": version}
            async with self._watch_http.stream("GET", path, params=params) as response:
                started.set()
                async for text in response.aiter_lines():
                    if not text.strip():
                        continue
                    event = json.loads(text)
                    if event["type"] == "ERROR":
                        # It is too far behind to continue from where it was.
                        listed = await self.all_chains()
                        version = listed["metadata"]["resourceVersion"]
                        for item in listed["items"]:
                            yield time.time(), item
                        break
                    version = event["object"]["metadata"]["resourceVersion"]
                    yield time.time(), event["object"]


class Watch:
    """The StackChains as a watch shows them from now on, with the time of each change."""

    def __init__(self) -> None:
        self.bodies: dict[str, Body] = {}
        self.seen: list[tuple[float, Body]] = []
        self._news = asyncio.Event()

    def take(self, at: float, body: Body) -> None:
        self.bodies[body["metadata"]["name"]] = body
        self.seen.append((at, body))
        self._news.set()

    def changes_of(self, name: str) -> Iterator[tuple[float, Body]]:
        return ((at, body) for at, body in self.seen if body["metadata"]["name"] == name)

    async def succeeded(self, *names: str, seconds: float = PATIENCE_SECONDS) -> None:
        """Wait until the latest runs of these chains have succeeded.

        Raises:
            Failed: one ended otherwise, or not in time.
        """
        deadline = time.monotonic() + seconds
        while waiting := [name for name in names if not self._has_succeeded(name)]:
            if time.monotonic() > deadline:
                body = self.bodies.get(waiting[0], {})
                raise Failed(
                    f"{len(waiting)} of {len(names)} chains did not succeed in {seconds:g} s; "
                    f"the first is {waiting[0]}: {_summary(body)}"
                )
            self._news.clear()
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(self._news.wait(), 1)

    def shows(self, name: str) -> str:
        """Return the reason of `Ready`; "" while there is none."""
        status = self.bodies.get(name, {}).get("status") or {}
        return str(kube_support.condition(status, "Ready").get("reason", ""))

    def phases(self, name: str) -> dict[str, str]:
        """Return the phase of each stack, as the resource last said."""
        return phases(self.bodies.get(name, {}).get("status") or {})

    def awaiting(self, name: str) -> int:
        """Return how many stacks are shown to wait for a person."""
        return Counter(self.phases(name).values())["AwaitingConfirmation"]

    def seen_at(self, name: str, stack: str, phase: str, *, after: float = 0) -> float:
        """Return when a stack was first shown in a phase, from a moment on.

        Raises:
            Failed: it never was.
        """
        for at, body in self.changes_of(name):
            if at >= after and phases(body.get("status") or {}).get(stack) == phase:
                return at
        raise Failed(f"the status of {name} never showed '{stack}' to be {phase}")

    def _has_succeeded(self, name: str) -> bool:
        body = self.bodies.get(name, {})
        latest = (body.get("status") or {}).get("latestRun") or {}
        if latest.get("phase") in ("Failed", "Canceled"):
            raise Failed(f"chain {name} ended {latest['phase']}: {_summary(body)}")
        ready = kube_support.condition(body.get("status") or {}, "Ready")
        return ready.get("status") == "True"


@contextlib.asynccontextmanager
async def running(
    *,
    poll_seconds: float,
    role_environment: Mapping[str, str] | None = None,
    has_webhook: bool = False,
) -> AsyncIterator[Rig]:
    """Start all parts, and leave nothing of them behind.

    Webhooks are left out unless they are what is measured: without them, all news comes by polling.
    """
    options = environment.DevOptions(
        dev=settings.load_dev_settings(),
        say=lambda _: None,
        poll_seconds=poll_seconds,
        roles=("worker", "operator", *(["webhook"] if has_webhook else [])),
        log_format="json",
        role_environment={"LOG_LEVEL": "warning", **(role_environment or {})},
    )
    machine.allow_many_files()
    parts = environment.LocalEnvironment(options)
    async with temporal_servers.prepared(parts.logs) as temporal:
        parts.temporal = temporal
        async with parts:
            rig = Rig(parts, temporal)
            try:
                yield rig
            finally:
                await rig.aclose()


@contextlib.asynccontextmanager
async def watching(rig: Rig) -> AsyncIterator[Watch]:
    """Watch the StackChains while the block runs; a watch that breaks is reported."""
    watch, started = Watch(), asyncio.Event()

    async def follow() -> None:
        async for at, body in rig.changes(started):
            watch.take(at, body)

    task = asyncio.create_task(follow())
    try:
        starting = asyncio.create_task(started.wait())
        await asyncio.wait([task, starting], return_when=asyncio.FIRST_COMPLETED)
        yield watch
    finally:
        task.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await task


async def until(
    condition: Callable[[], bool | Awaitable[bool]],
    *,
    what: str,
    seconds: float = PATIENCE_SECONDS,
) -> None:
    """Wait for a condition.

    Raises:
        Failed: it never held.
    """
    try:
        await waiting.eventually(condition, seconds, what=what)
    except AssertionError as error:
        raise Failed(str(error)) from error


def phases(status: Mapping[str, Any]) -> dict[str, str]:
    """Return the phase of each stack in a status."""
    return {stack["id"]: stack["phase"] for stack in status.get("stacks") or []}


def state_times(run: Mapping[str, Any]) -> dict[str, float]:
    """Return when a run came into each state."""
    return {entry["state"]: entry["at"] for entry in run["history"]}


def ended_at(run: Mapping[str, Any]) -> float:
    """Return when a run came into its last state."""
    return float(run["history"][-1]["at"])


def _summary(body: Mapping[str, Any]) -> str:
    status = body.get("status") or {}
    ready = kube_support.condition(dict(status), "Ready")
    latest = status.get("latestRun") or {}
    return f"{ready.get('reason')} {latest.get('progress', '')} {ready.get('message', '')}"
