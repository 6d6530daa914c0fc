"""A role ends within seconds of a SIGTERM, whatever is away, and however it is away.

Given: relays before Temporal and the API server, which refuse all connections, or take them and say
nothing; StackChains that wait for what is away. Each case is tried several times, at different
moments: what kept an operator alive did so in six of fourteen tries.
"""

import asyncio
import contextlib
import dataclasses
import signal
import time
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import yaml

from devenv import role_process, tools
from tests.conftest import StartRole
from tests.support import chains, kube, temporal

SECONDS = 10.0
TRIES = 3
CHAINS = 5


class Relay:
    """Passes bytes on until it is told not to."""

    def __init__(self, target: str) -> None:
        host, _, port = target.rpartition(":")
        self._host, self._port = host, int(port)
        self._server: asyncio.Server | None = None
        self._tasks: set[asyncio.Task[None]] = set()
        self._is_silent = False
        self.port = tools.free_port()

    async def start(self) -> None:
        self._is_silent = False
        if self._server is None:
            self._server = await asyncio.start_server(self._serve, "127.0.0.1", self.port)

    async def fail(self, how: str) -> None:
        """Refuse connections, or keep them and pass nothing on."""
        self._is_silent = True
        if how == "refuses":
            await self.close()

    async def close(self) -> None:
        if self._server is not None:
            self._server.close()
            self._server = None
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
        inner_writer: asyncio.StreamWriter | None = None
        with contextlib.suppress(OSError, asyncio.CancelledError):
            # A connection that was taken just before the server was closed comes after all others.
            if self._server is not None:
                inner_reader, inner_writer = await asyncio.open_connection(self._host, self._port)
                await asyncio.gather(
                    self._pipe(reader, inner_writer), self._pipe(inner_reader, writer)
                )
        writer.transport.abort()
        if inner_writer is not None:
            inner_writer.transport.abort()

    async def _pipe(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while data := await reader.read(65_536):
            if self._is_silent:
                # What was said meanwhile is lost with the connection.
                await asyncio.Event().wait()
            writer.write(data)
            await writer.drain()


@dataclasses.dataclass(frozen=True, kw_only=True)
class Away:
    """What stands between a role and the two that may be away."""

    temporal: Relay
    api: Relay
    endpoints: role_process.Endpoints

    def relays(self, names: tuple[str, ...]) -> list[Relay]:
        return [{"Temporal": self.temporal, "API server": self.api}[name] for name in names]


@pytest.fixture
async def away(parts: chains.Parts, tmp_path: Path) -> AsyncIterator[Away]:
    namespace = temporal.unique("stops")
    await parts.kube.create_namespace(namespace)
    await temporal.create_namespace(parts.temporal_client, namespace)
    document = yaml.safe_load(parts.control_plane.kubeconfig.read_text(encoding="utf-8"))
    cluster = document["clusters"][0]["cluster"]
    before_temporal = Relay(parts.temporal_server.address)
    before_api = Relay(cluster["server"].removeprefix("https://"))
    cluster["server"] = f"https://127.0.0.1:{before_api.port}"
    kubeconfig = tmp_path / "relayed.kubeconfig"
    kubeconfig.write_text(yaml.safe_dump(document), encoding="utf-8")
    people = kube.StackChains(parts.kube, namespace)
    for number in range(CHAINS):
        spec = {"connectionName": "default", "roots": {"stackIds": [f"s{number}"]}}
        await people.create(f"waits-{number}", spec)
    yield Away(
        temporal=before_temporal,
        api=before_api,
        endpoints=role_process.Endpoints(
            kubeconfig=kubeconfig,
            temporal_address=f"127.0.0.1:{before_temporal.port}",
            spacelift_url="https://acme.app.spacelift.io",
            temporal_namespace=namespace,
            release_namespace=namespace,
            watch_namespaces=(namespace,),
            installation=namespace,
            webhook_address=f"127.0.0.1:{tools.free_port()}",
        ),
    )
    await before_temporal.close()
    await before_api.close()


@pytest.mark.parametrize("how", ["refuses", "is silent"])
@pytest.mark.parametrize(
    ("role_name", "names"),
    [
        pytest.param("operator", ("Temporal",), id="operator without Temporal"),
        pytest.param("operator", ("API server",), id="operator without the API server"),
        pytest.param("operator", ("Temporal", "API server"), id="operator without both"),
        pytest.param("worker", ("Temporal",), id="worker without Temporal"),
        pytest.param("webhook", ("Temporal",), id="receiver without Temporal"),
    ],
)
async def test_a_role_ends_within_seconds(
    start_role: StartRole, away: Away, role_name: str, names: tuple[str, ...], how: str
) -> None:
    took = []
    for number in range(TRIES):
        for relay in (away.temporal, away.api):
            await relay.start()
        role = await start_role(role_name, away.endpoints, instance=number)

        for relay in away.relays(names):
            await relay.fail(how)
        await asyncio.sleep(0.7 * number)
        asked_at = time.monotonic()
        role.process.signal(signal.SIGTERM)
        async with asyncio.timeout(60):
            code = await role.process.wait()

        took.append(time.monotonic() - asked_at)
        assert code == 0, role.log()
        for relay in away.relays(names):
            await relay.close()
    print("from SIGTERM to the end:", " ".join(f"{seconds:.2f} s" for seconds in took))
    assert max(took) < SECONDS
