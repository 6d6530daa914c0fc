"""Memory of the page's server, on a machine and in a cluster, while 20 viewers look at a chain."""

import asyncio
import contextlib
import dataclasses
import itertools
import tempfile
import time
from collections.abc import AsyncIterator, Sequence
from pathlib import Path
from typing import Any

import aiohttp

from controller.api import v1alpha1
from devenv import page_process, role_process, settings, tools
from devenv.control_plane import definitions, server, sources
from tests.benchmarks import figures, machine, rig
from tests.support import big_chains
from tests.support import kube as kube_support
from tests.ui import viewers

MEMORY_MIB = 80.0
STACKS, OTHER_CHAINS, OTHER_STACKS = 500, 50, 12
UPDATES_PER_SECOND = 2
_CHANGED_AT_ONCE = 5
_NAMESPACE, _LARGE = "default", "fleet"
_HOST = "chains.example.com"
_PHASES = itertools.cycle(("Pending", "Running", "Running", "Succeeded"))
_CLUSTER_RULES = (
    {"apiGroups": ["stackchain.dev"], "resources": ["stackchains"], "verbs": ["list", "watch"]},
)


async def run(*, quick: bool) -> figures.Report:
    count, seconds = (3, 3) if quick else (20, 60)
    async with _cluster() as (plane, chains):
        status = await _fill(chains, 100 if quick else STACKS, 3 if quick else OTHER_CHAINS)
        tokens = [await _token(chains.kube, place) for place in range(count)]
        found = []
        for serving in (_on_a_machine, _in_a_cluster):
            async with serving(plane, tokens) as page:
                found.append(await _looked_at(page, chains, status, seconds))
    return _report(found, count, seconds, quick=quick)


def _report(found: Sequence["_Use"], count: int, seconds: float, *, quick: bool) -> figures.Report:
    return figures.Report(
        title=f"The page's server, {count} viewers",
        figures=[
            figure
            for use in found
            for figure in (
                figures.Figure(what=f"{use.form}: nobody looks", measured=use.idle, unit="MiB"),
                figures.Figure(
                    what=f"{use.form}: {count} viewers, after {seconds:g} s of updates",
                    measured=use.after,
                    unit="MiB",
                ),
                figures.Figure(
                    what=f"{use.form}: peak",
                    measured=use.peak,
                    unit="MiB",
                    at_most=None if quick else MEMORY_MIB,
                ),
            )
        ],
        notes=[
            f"a chain of {STACKS} stacks that all look at, which changes {UPDATES_PER_SECOND} "
            f"times a second, and {OTHER_CHAINS} of {OTHER_STACKS} stacks, on the real API server",
            "in a cluster each viewer has a token, and thus a watch, of their own",
            *(f"{use.form}: {use.text()}" for use in found),
        ],
    )


@dataclasses.dataclass(frozen=True, kw_only=True, slots=True)
class _Page:
    """A server of the page, and the streams that its viewers open."""

    form: str
    pid: int
    address: str
    sessions: Sequence[aiohttp.ClientSession]
    """One for each viewer."""


@dataclasses.dataclass(frozen=True, kw_only=True, slots=True)
class _Use:
    """What a server took; memory in MiB."""

    form: str
    idle: float
    after: float
    peak: float
    cpu: float
    updates: int
    received: int

    def text(self) -> str:
        return (
            f"{self.cpu:.1f} s of processor time for {self.updates} updates, "
            f"{self.received / self.updates:,.0f} bytes of events for each viewer and update"
        )


@contextlib.asynccontextmanager
async def _cluster() -> AsyncIterator[tuple[server.ControlPlane, kube_support.StackChains]]:
    dev = settings.load_dev_settings()
    binaries = await sources.obtain(
        kubebuilder_assets=dev.kubebuilder_assets, cache_dir=dev.cache_dir, say=lambda _: None
    )
    with tempfile.TemporaryDirectory(prefix="stackchain-bench-") as name:
        async with server.ControlPlane(binaries, Path(name)) as plane:
            await definitions.apply(
                definitions.Cluster(
                    kubeconfig=plane.kubeconfig, log_file=plane.logs / "kubectl.log"
                )
            )
            async with kube_support.KubeApi(plane.url, plane.token, plane.ca_file) as kube:
                yield plane, kube_support.StackChains(kube, _NAMESPACE)


async def _fill(chains: kube_support.StackChains, stacks: int, others: int) -> dict[str, Any]:
    """Create all chains, and return the status of the large one."""
    small = v1alpha1.status_to_dict(big_chains.make_status(OTHER_STACKS))
    for place in range(others):
        await _create(chains, f"chain-{place:02}", small)
    large = v1alpha1.status_to_dict(big_chains.make_status(stacks))
    await _create(chains, _LARGE, large)
    return large


async def _create(chains: kube_support.StackChains, name: str, status: dict[str, Any]) -> None:
    await chains.create(name, {"roots": {"stackIds": ["prod-base"]}})
    await chains.kube.patch(f"{chains.path(name)}/status", {"status": status})


async def _token(kube: kube_support.KubeApi, place: int) -> str:
    """Return the token of a user who may look everywhere."""
    name, rbac = f"viewer-{place}", "/apis/rbac.authorization.k8s.io/v1"
    path = f"/api/v1/namespaces/{_NAMESPACE}/serviceaccounts"
    await kube.create(path, {"metadata": {"name": name}})
    metadata = {"metadata": {"name": name}}
    await kube.create(f"{rbac}/clusterroles", metadata | {"rules": list(_CLUSTER_RULES)})
    binding = {
        "roleRef": {"apiGroup": "rbac.authorization.k8s.io", "kind": "ClusterRole", "name": name},
        "subjects": [{"kind": "ServiceAccount", "name": name, "namespace": _NAMESPACE}],
    }
    await kube.create(f"{rbac}/clusterrolebindings", metadata | binding)
    answer = await kube.create(f"{path}/{name}/token", {"spec": {"expirationSeconds": 3600}})
    token: str = answer["status"]["token"]
    return token


@contextlib.asynccontextmanager
async def _on_a_machine(plane: server.ControlPlane, tokens: Sequence[str]) -> AsyncIterator[_Page]:
    process = page_process.PageProcess(plane.kubeconfig, plane.logs)
    async with process as page, viewers.viewer(page.address) as session:
        yield _Page(
            form="kubectl stackchain ui",
            pid=page.process.pid,
            address=viewers.origin(page.address),
            sessions=[session] * len(tokens),
        )


@contextlib.asynccontextmanager
async def _in_a_cluster(plane: server.ControlPlane, tokens: Sequence[str]) -> AsyncIterator[_Page]:
    port = tools.free_port()
    options = role_process.RoleOptions(
        role="ui",
        directory=plane.directory,
        environment={
            "KUBECONFIG": str(plane.kubeconfig),
            "UI_ADDRESS": f"127.0.0.1:{port}",
            "UI_URL": f"https://{_HOST}",
        },
    )
    async with role_process.Role(options) as role, contextlib.AsyncExitStack() as opened:
        yield _Page(
            form="stackchain ui",
            pid=role.process.pid,
            address=f"http://127.0.0.1:{port}",
            sessions=[
                await opened.enter_async_context(
                    aiohttp.ClientSession(
                        headers={"Host": _HOST, "Authorization": f"Bearer {token}"}
                    )
                )
                for token in tokens
            ],
        )


async def _looked_at(
    page: _Page, chains: kube_support.StackChains, status: dict[str, Any], seconds: float
) -> _Use:
    """Let all look while the chain changes."""
    idle, cpu = machine.rss(page.pid), machine.cpu_seconds(page.pid)
    async with contextlib.AsyncExitStack() as opened:
        looking = [
            await opened.enter_async_context(_looking(session, page.address))
            for session in page.sessions
        ]
        await rig.until(
            lambda: all("event: detail" in one.seen for one in looking),
            what="all viewers have the chain",
        )
        for one in looking:
            one.received = 0
        updates = await _change(chains, status, seconds)
        await rig.until(
            lambda: all(f"last {updates}" in one.seen for one in looking),
            what="all viewers have the last update",
        )
        after = machine.rss(page.pid)
    return _Use(
        form=page.form,
        idle=idle,
        after=after,
        peak=machine.peak_rss(page.pid),
        cpu=machine.cpu_seconds(page.pid) - cpu,
        updates=updates,
        received=sum(one.received for one in looking) // len(looking),
    )


async def _change(chains: kube_support.StackChains, status: dict[str, Any], seconds: float) -> int:
    """Change a few stacks of the large chain again and again; returns how often."""
    began, stacks = time.monotonic(), status["stacks"]
    places = itertools.cycle(range(len(stacks)))
    for number in itertools.count(1):
        for place in itertools.islice(places, _CHANGED_AT_ONCE):
            stacks[place] |= {"phase": next(_PHASES), "message": f"The run is at step {number}."}
        is_last = time.monotonic() - began >= seconds
        run = status["latestRun"] | {"message": f"last {number}" if is_last else f"At {number}."}
        body = {"status": {"stacks": stacks, "latestRun": run}}
        await chains.kube.patch(f"{chains.path(_LARGE)}/status", body)
        if is_last:
            return number
        due = began + number / UPDATES_PER_SECOND
        await asyncio.sleep(max(0.0, due - time.monotonic()))
    raise AssertionError


class _Looking:
    """What one viewer has been sent lately."""

    def __init__(self) -> None:
        self.seen = ""
        self.received = 0

    def take(self, data: bytes) -> None:
        self.received += len(data)
        self.seen = (self.seen + data.decode(errors="replace"))[-1_000_000:]


@contextlib.asynccontextmanager
async def _looking(session: aiohttp.ClientSession, address: str) -> AsyncIterator[_Looking]:
    found = _Looking()
    path = f"api/stream?namespace={_NAMESPACE}&name={_LARGE}"

    async def read(answer: aiohttp.ClientResponse) -> None:
        async for data in answer.content.iter_any():
            found.take(data)

    timeout = aiohttp.ClientTimeout(total=None)
    async with session.get(f"{address}/{path}", timeout=timeout) as answer:
        if answer.status != 200:
            raise rig.Failed(f"a viewer was refused: {answer.status} {await answer.text()}")
        reading = asyncio.create_task(read(answer))
        try:
            yield found
        finally:
            reading.cancel()
            await asyncio.gather(reading, return_exceptions=True)
