"""Whole installations of the product, Spacelift accounts and chains, for tests of the whole path.

An `Installation` is one operator and one worker. Accounts are simulated inside the test process.
Each account is a separate connection, so tests share the processes and nothing else: what one test
breaks in its account, no other test sees.
"""

import asyncio
import collections
import contextlib
import json
import ssl
import time
from collections.abc import AsyncIterator, Callable, Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Protocol

import httpx
import temporalio.client
import temporalio.service
import yaml

from controller.spacelift import endpoints
from controller.temporal.receiver import execution_wakes
from devenv import processes, role_process, simulator_process
from devenv.control_plane import server as control_planes
from devenv.simulator import scenario as scenarios
from devenv.simulator import simulator as simulators
from devenv.simulator.web import server as simulator_servers
from tests.support import kube as kube_support
from tests.support import temporal as temporal_support
from tests.support.waiting import eventually

Body = dict[str, Any]

# Generous: the tests of several people may share two cores.
SECONDS = 120.0

FAST: Mapping[str, str] = {
    "SPACELIFT_POLL_SECONDS": "0.2",
    # The default: a chain that a busy machine holds up for longer triggers what it should adopt.
    "SPACELIFT_ADOPT_SETTLE_SECONDS": "5",
    "SPACELIFT_TRIGGER_GRACE_SECONDS": "2",
    # More than a busy machine takes to answer: a late answer counts as lost, and is asked for
    # again.
    "SPACELIFT_REQUEST_TIMEOUT_SECONDS": "5",
    "STACKCHAIN_RESYNC_SECONDS": "1",
    "STACKCHAIN_RECHECK_SECONDS": "1",
    # An operator that cannot renew it for two thirds of that leaves, and nothing starts it again.
    "STACKCHAIN_LEASE_DURATION_SECONDS": "60",
    "WORKER_GRACEFUL_SHUTDOWN_SECONDS": "1",
}

# A run that passes at once: half of it plans, half applies.
QUICK = 0.2

_PERSON = "jane@example.com"


class Account:
    """A simulated Spacelift account, as people other than our programs see it."""

    def __init__(self, name: str, server: simulator_servers.Server) -> None:
        self.name = name
        self.server = server
        self._http = httpx.AsyncClient(base_url=server.admin_url, trust_env=False, timeout=SECONDS)

    @property
    def url(self) -> str:
        return self.server.url

    async def close(self) -> None:
        await self._http.aclose()
        await self.server.stop()

    async def admin(self, method: str, path: str, body: Any = None, **params: str) -> Any:
        """Send a request to the admin API; a refusal fails the test."""
        response = await self._http.request(method, path, json=body, params=params)
        assert response.is_success, f"{method} {path}: {response.status_code} {response.text}"
        return response.json()

    async def runs(self, stack_id: str | None = None, **filters: str) -> list[Body]:
        """Return the runs of a stack, or all of them, oldest first."""
        wanted = filters if stack_id is None else {"stack": stack_id, **filters}
        return list((await self.admin("GET", "/runs", **wanted))["runs"])

    async def only_run(self, stack_id: str) -> Body:
        """Return the one run of a stack; more or less than one fails the test."""
        runs = await self.runs(stack_id)
        assert len(runs) == 1, [(run["id"], run["state"], run["triggeredBy"]) for run in runs]
        return runs[0]

    async def run_in(self, stack_id: str, *states: str, seconds: float = SECONDS) -> Body:
        """Wait until a run of the stack is in one of the states, and return it."""

        async def found() -> Body | None:
            return next((run for run in await self.runs(stack_id) if run["state"] in states), None)

        run = await eventually(found, seconds, what=f"a run of {stack_id} is {'/'.join(states)}")
        assert run is not None
        return run

    async def act(self, run_id: str, act: str, **body: Any) -> Body:
        """Let a person confirm, discard, cancel, stop, approve, ... a run."""
        answer: Body = await self.admin("POST", f"/runs/{run_id}/{act}", {"user": _PERSON, **body})
        return answer

    async def trigger(self, stack_id: str) -> Body:
        """Let a person trigger a run, and return it."""
        answer = await self.admin("POST", f"/stacks/{stack_id}/trigger", {"user": _PERSON})
        run: Body = answer["runs"][0]
        return run

    async def script(self, stack_id: str, *outcomes: Any) -> None:
        """Decide what the next runs of a stack come to."""
        await self.admin("POST", f"/stacks/{stack_id}/outcomes", {"outcomes": list(outcomes)})

    async def add_stack(self, stack_id: str, **spec: Any) -> None:
        await self.admin("PUT", f"/stacks/{stack_id}", {"autodeploy": True, **spec})

    async def fault(self, **spec: Any) -> int:
        """Put a fault in force and return its number."""
        return int((await self.admin("POST", "/faults", spec))["id"])

    async def hits(self, fault: int) -> int:
        """Return how often a fault has struck."""
        faults = (await self.admin("GET", "/faults"))["faults"]
        return int(next(item["hits"] for item in faults if item["id"] == fault))

    async def hurry(self) -> None:
        """Let runs that take minutes continue at once: the test has seen what it wanted of them."""
        await self.admin("POST", "/clock", {"speed": 1000, "advance": 600})

    async def pass_time(self, seconds: float = 600) -> None:
        """Let this much time pass at once, then continue as before: runs under way by now end."""
        await self.admin("POST", "/clock", {"advance": seconds})

    async def heal(self) -> None:
        """End all faults and outages."""
        await self.admin("DELETE", "/faults")

    async def outage(self, mode: str) -> None:
        await self.admin("PUT", "/outage", {"mode": mode})

    async def requests(self, field_name: str) -> list[Body]:
        """Return the logged requests with a root field."""
        return list((await self.admin("GET", "/requests", field=field_name))["requests"])


def account_document(*edges: str, duration: float = QUICK, **document: Any) -> Body:
    """Return the scenario of an account: `account_document("a -> b -> c")`.

    Runs take `duration` seconds and apply without a person, unless the document says otherwise.
    """
    defaults = {"durations": duration, "stack": {"autodeploy": True}}
    merged = {**defaults, **document.pop("defaults", {})}
    return {"edges": list(edges), "defaults": merged, **document}


# We treat a call that a busy machine answers too late as an outage, and rightly report it.
_OWN_OUTAGES = frozenset({"TemporalUnreachable", "WorkerUnavailable"})
_OUTAGES = _OWN_OUTAGES | {"SpaceliftUnreachable"}
# Such an outage is waited out for this long; one that lasts longer belongs to the test.
_OUTAGE_SECONDS = 10.0


class Chain:
    """One StackChain, as a person sees it."""

    def __init__(self, name: str, api: kube_support.StackChains) -> None:
        self.name = name
        self.api = api

    async def body(self) -> Body:
        return await self.api.get(self.name)

    async def status(self) -> Body:
        return await self.api.status(self.name)

    async def until(
        self,
        condition: Callable[[Body], Any],
        seconds: float = SECONDS,
        *,
        what: str = "",
        is_of_outage: bool = False,
    ) -> Body:
        """Wait until the status fulfills a condition, and return it.

        A status in which an outage of a busy machine hides the rest does not count, so that the
        test may look at the rest of it.
        """
        held_since: float | None = None

        async def holds() -> Body | None:
            nonlocal held_since
            status = await self.status()
            try:
                is_fulfilled = condition(status)
            except LookupError as error:
                # What a busy operator has not written yet.
                raise AssertionError(f"{error!r} in:\n{explain(status)}") from error
            assert is_fulfilled, explain(status)
            held_since = held_since or time.monotonic()
            if ready(status).get("reason") in _OWN_OUTAGES and not is_of_outage:
                assert time.monotonic() - held_since > _OUTAGE_SECONDS, explain(status)
            return status

        status = await eventually(holds, seconds, what=what or f"{self.name} as expected")
        assert status is not None
        return status

    async def shows(self, reason: str, seconds: float = SECONDS) -> Body:
        """Wait until `Ready` has the reason, whatever else holds, and return the status."""
        return await self.until(
            lambda status: ready(status).get("reason") == reason,
            seconds,
            what=f"{self.name}: {reason}",
            is_of_outage=reason in _OUTAGES,
        )

    async def ends(self, reason: str, *, number: int = 1, seconds: float = SECONDS) -> Body:
        """Wait until the run of that number is over and nothing waits; check the reason."""

        def is_over(status: Body) -> bool:
            latest = status.get("latestRun") or {}
            return (
                latest.get("number", 0) >= number
                and bool(latest.get("completionTime"))
                and condition(status, "Reconciling").get("status") == "False"
            )

        status = await self.until(is_over, seconds, what=f"{self.name}: run {number} is over")
        assert ready(status)["reason"] == reason, explain(status)
        return status

    async def is_gone(self, seconds: float = SECONDS) -> None:
        async def gone() -> bool:
            return await self.api.find(self.name) is None

        await eventually(gone, seconds, what=f"{self.name} is gone")

    async def events(self, *expected: str, seconds: float = SECONDS) -> list[str]:
        """Return the reasons of its Events, oldest first, once the expected ones are there.

        An Event comes after the status that it is about, so there may be no Event yet when a status
        has appeared. A reason that is named twice has to appear twice. Outages that a busy machine
        causes are left out, unless they are expected.
        """
        wanted = collections.Counter(expected)

        async def are_there() -> bool:
            return wanted <= collections.Counter(await self._reasons())

        await eventually(are_there, seconds, what=f"{self.name} has the Events {expected}")
        return [
            reason
            for reason in await self._reasons()
            if reason in expected or reason not in _OUTAGES | {"Recovered"}
        ]

    async def _reasons(self) -> list[str]:
        events = await self.api.kube.events(self.api.namespace, self.name)
        return [event["reason"] for event in events]

    async def told(self, reason: str, count: int = 1) -> list[str]:
        """Return the texts of its Events with a reason, once there are that many."""
        await self.events(*[reason] * count)
        events = await self.api.kube.events(self.api.namespace, self.name)
        return [event["message"] for event in events if event["reason"] == reason]


def undisturbed(statuses: Iterable[Body]) -> list[Body]:
    """Return the statuses without those of an outage, which a busy machine may cause."""
    return [status for status in statuses if ready(status)["reason"] not in _OUTAGES]


def condition(status: Body, name: str) -> Body:
    return kube_support.condition(status, name)


def ready(status: Body) -> Body:
    return condition(status, "Ready")


def stack(status: Body, stack_id: str) -> Body:
    """Return a stack of a status, empty while it is not there."""
    return next((row for row in status.get("stacks") or [] if row["id"] == stack_id), {})


def phases(status: Body) -> dict[str, str]:
    """Return the phase of each stack."""
    return {row["id"]: row["phase"] for row in status.get("stacks") or []}


def reasons(status: Body) -> dict[str, str]:
    """Return the reason of each stack."""
    return {row["id"]: row.get("reason", "") for row in status.get("stacks") or []}


def ended_at(run: Body) -> float:
    """Return when a run that is over ended."""
    return float(run["history"][-1]["at"])


def went_through(run: Body, state: str) -> bool:
    """Whether a run has been in a state."""
    return any(entry["state"] == state for entry in run["history"])


def explain(status: Body) -> str:
    """Summarize a status in a few lines, for the failure of a test."""
    lines = [
        f"{item['type']}={item['status']} {item['reason']}: {item['message']}"
        for item in status.get("conditions") or []
    ]
    rows = [
        f"  {row['id']}: {row['phase']} {row.get('reason', '')} {row.get('message', '')}"
        for row in status.get("stacks") or []
    ]
    return "\n".join([*lines, f"latestRun: {json.dumps(status.get('latestRun'))}", *rows])


class AnyTemporal(Protocol):
    """What an installation has to know of a Temporal server."""

    @property
    def address(self) -> str: ...


@dataclass(frozen=True, kw_only=True)
class Parts:
    """The real parts that an installation runs on."""

    control_plane: control_planes.ControlPlane
    kube: kube_support.KubeApi
    temporal_server: AnyTemporal
    temporal_client: temporalio.client.Client
    start: processes.Start
    """Starts the roles."""


@dataclass(frozen=True, kw_only=True)
class Options:
    """How an installation is set up; names are its own by default."""

    settings: Mapping[str, str] = field(default_factory=dict)
    namespace: str = ""
    temporal_namespace: str = ""
    installation: str = ""
    kubeconfig: Path | None = None


class Installation:
    """An operator, a worker and the accounts that they know, all of one release."""

    def __init__(self, parts: Parts, directory: Path, options: Options | None = None) -> None:
        self.options = options or Options()
        self.parts = parts
        self.namespace = self.options.namespace or temporal_support.unique("chains")
        self.temporal_namespace = self.options.temporal_namespace or self.namespace
        self.directory = directory / self.namespace
        self.directory.mkdir()
        self.accounts: dict[str, Account] = {}
        self.stackchains = kube_support.StackChains(parts.kube, self.namespace)
        self.roles: list[role_process.Role] = []
        self._connections: dict[str, Body] = {}
        self._chains: set[str] = set()
        self._file = self.directory / "connections.yaml"

    # -- the processes -----------------------------------------------------------------------

    @property
    def operator(self) -> role_process.Role:
        return next(role for role in self.roles if role.options.role == "operator")

    @property
    def worker(self) -> role_process.Role:
        return next(role for role in self.roles if role.options.role == "worker")

    def role(self, name: str, *, instance: int = 0, **settings: str) -> role_process.Role:
        """Return a role that is not started yet; it ends with the installation."""
        endpoints = role_process.Endpoints(
            kubeconfig=self.options.kubeconfig or self.parts.control_plane.kubeconfig,
            temporal_address=self.parts.temporal_server.address,
            temporal_namespace=self.temporal_namespace,
            temporal_ui_url="http://temporal.example.com",
            spacelift_url="",
            release_namespace=self.namespace,
            watch_namespaces=(self.namespace,),
            installation=self.options.installation or self.namespace,
        )
        ours = endpoints.variables(name)
        variables = {key: ours[key] for key in ours if not key.startswith("SPACELIFT_")}
        environment = {
            **variables,
            **FAST,
            "SPACELIFT_CONNECTIONS_FILE": str(self._file),
            **self.options.settings,
            **settings,
        }
        role = role_process.Role(
            role_process.RoleOptions(
                role=name, directory=self.directory, environment=environment, instance=instance
            ),
            self.parts.start,
        )
        self.roles.append(role)
        return role

    async def prepare(self) -> None:
        """Make what has to be there before a role starts."""
        if not await self.parts.kube.find(f"/api/v1/namespaces/{self.namespace}"):
            await self.parts.kube.create_namespace(self.namespace)
        if not self.options.temporal_namespace:
            await temporal_support.create_namespace(
                self.parts.temporal_client, self.temporal_namespace
            )
        # A release without any connection does not start.
        await self.add_account("default", {})

    async def start(self) -> None:
        """Start operator and worker and wait until both are ready."""
        await self.prepare()
        roles = [self.role("operator"), self.role("worker")]
        for role in roles:
            role.start_without_waiting()
        for role in roles:
            await role.wait_ready()

    async def close(self) -> None:
        """End all processes; nothing is left that waits for them."""
        for role in self.roles:
            await role.kill()
            print(f"--- {role.options.name} of {self.namespace}\n{role.log(80)}")
        for name in self._chains:
            # No operator is left to remove the finalizer.
            with contextlib.suppress(httpx.HTTPError):
                path = self.stackchains.path(name)
                await self.parts.kube.patch(path, {"metadata": {"finalizers": None}})
        with contextlib.suppress(httpx.HTTPError):
            await self.parts.kube.delete(f"/api/v1/namespaces/{self.namespace}")
        if not self.options.temporal_namespace:
            with contextlib.suppress(temporalio.service.RPCError):
                await temporal_support.delete_namespace(
                    self.parts.temporal_client, self.temporal_namespace
                )
        for account in self.accounts.values():
            await account.close()

    # -- accounts ----------------------------------------------------------------------------

    async def add_account(
        self, name: str, document: Body, *, connects: bool = True, **connection: Any
    ) -> Account:
        """Start a simulated account and make it known as a connection of its name."""
        account = simulators.Simulator(scenarios.parse(simulator_process.with_api_key(document)))
        server = simulator_servers.Server(
            account, host="127.0.0.1", port=0, tls_port=None, ca_file=None
        )
        await server.start()
        self.accounts[name] = Account(name, server)
        if connects:
            self.connect(name, **connection)
        return self.accounts[name]

    def connect(self, name: str, **connection: Any) -> None:
        """Make an account known as a connection, or change its entry."""
        key_id, secret = self.key_files(name)
        if not key_id.exists():
            key_id.write_text(simulator_process.API_KEY.id)
            secret.write_text(simulator_process.API_KEY.secret)
        self._connections[name] = {
            "endpoint": self.accounts[name].url,
            "allowedNamespaces": ["*"],
            "apiKeyIdFile": str(key_id),
            "apiKeySecretFile": str(secret),
            **connection,
        }
        changed = self._file.with_suffix(".new")
        changed.write_text(yaml.safe_dump({"connections": self._connections}))
        # Whole or not at all, as a mounted file changes.
        changed.rename(self._file)

    def key_files(self, name: str) -> tuple[Path, Path]:
        """Return the files with the id and the secret of an account's key."""
        return self.directory / f"{name}.id", self.directory / f"{name}.secret"

    # -- chains ------------------------------------------------------------------------------

    async def create(
        self,
        name: str,
        *roots: str,
        account: Account,
        annotations: Mapping[str, str] | None = None,
        **spec: Any,
    ) -> Chain:
        """Create a StackChain of an account's stacks."""
        document = {
            "connectionName": account.name,
            "roots": {"stackIds": list(roots)},
            **spec,
        }
        chain = self.chain(name)
        await self.stackchains.create(name, document, **(annotations or {}))
        return chain

    def chain(self, name: str) -> Chain:
        """Return a chain that exists or will exist; it is released when the installation closes."""
        self._chains.add(name)
        return Chain(name, self.stackchains)

    async def statuses(self) -> dict[str, Body]:
        """Return the status of every chain; one request, however many there are."""
        listed = await self.parts.kube.get(self.stackchains.path("").rstrip("/"))
        return {item["metadata"]["name"]: item.get("status") or {} for item in listed["items"]}

    # -- Temporal ----------------------------------------------------------------------------

    async def temporal(self) -> temporalio.client.Client:
        """Return a client of the installation's Temporal namespace."""
        return await temporalio.client.Client.connect(
            self.parts.temporal_server.address, namespace=self.temporal_namespace
        )

    async def wake(self, account: Account, stack_id: str) -> None:
        """Wake what runs at a stack, as a delivery of a webhook does."""
        client = await self.temporal()
        waker = execution_wakes.TemporalExecutionWaker(lambda: client)
        assert await waker.wake(endpoints.account_of(account.url), stack_id) == 1

    async def executions(self, query: str = "") -> list[temporalio.client.WorkflowExecution]:
        """Return all workflow executions that visibility knows."""
        client = await self.temporal()
        return [item async for item in client.list_workflows(query)]

    async def listed(
        self, part: str, query: str = "", *, count: int = 1
    ) -> list[temporalio.client.WorkflowExecution]:
        """Return the executions whose id has a part, once there are exactly so many.

        A list lags behind what has been started.
        """

        async def found() -> list[temporalio.client.WorkflowExecution]:
            items = [item for item in await self.executions(query) if part in item.id]
            assert len(items) == count, [item.id for item in items]
            return items

        return await eventually(found, SECONDS, what=f"{count} executions of {part!r} are listed")


@contextlib.asynccontextmanager
async def installed(
    parts: Parts, directory: Path, options: Options | None = None
) -> AsyncIterator[Installation]:
    """Give a running installation."""
    installation = Installation(parts, directory, options)
    try:
        await installation.start()
        yield installation
    finally:
        await installation.close()


_WATCH_AGAIN_SECONDS = 0.1


class Story:
    """Every version of one StackChain that the API server had, as a watch reports it."""

    def __init__(self, parts: Parts, chain: Chain) -> None:
        self.versions: list[Body] = []
        self._parts = parts
        self._chain = chain
        self._task: asyncio.Task[None] | None = None

    async def __aenter__(self) -> "Story":
        started = asyncio.Event()
        self._task = asyncio.create_task(self._watch(started))
        await asyncio.wait_for(started.wait(), SECONDS)
        return self

    async def __aexit__(self, error: type[BaseException] | None, *_: object) -> None:
        if self._task is not None:
            if error is None:
                await eventually(self._is_whole, what="the watch tells the newest version")
            self._task.cancel()
            await asyncio.wait([self._task])

    async def _is_whole(self) -> bool:
        """Whether the watch, which may be behind, has reported what can be read now."""
        if self._task is not None and self._task.done():
            self._task.result()
        newest = await self._chain.api.find(self._chain.name)
        told = [version["metadata"]["resourceVersion"] for version in self.versions]
        return newest is None or newest["metadata"]["resourceVersion"] in told

    @property
    def statuses(self) -> list[Body]:
        """The statuses that the operator wrote: the defaults of a new object say nothing."""
        found = [version.get("status", {}) for version in self.versions]
        return [status for status in found if status.get("conditions")]

    async def _watch(self, started: asyncio.Event) -> None:
        plane = self._parts.control_plane
        path = self._chain.api.path("").rstrip("/")
        params = {"watch": "1", "fieldSelector": f"metadata.name={self._chain.name}"}
        async with httpx.AsyncClient(
            base_url=plane.url,
            headers={"Authorization": f"Bearer {plane.token}"},
            verify=ssl.create_default_context(cafile=str(plane.ca_file)),
            timeout=None,  # noqa: S113 - the test ends it
            trust_env=False,
        ) as http:
            while not started.is_set():
                async with http.stream("GET", path, params=params) as response:
                    # A definition that is new is not watched at once: the answer is a 429 then.
                    if response.is_success:
                        started.set()
                        async for line in response.aiter_lines():
                            self.versions.append(json.loads(line)["object"])
                await asyncio.sleep(_WATCH_AGAIN_SECONDS)


def distinct(items: Iterable[Any]) -> list[Any]:
    """Return the items without repetitions of the one before."""
    result: list[Any] = []
    for item in items:
        if not result or result[-1] != item:
            result.append(item)
    return result
