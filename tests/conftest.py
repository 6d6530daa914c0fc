"""The real parts that tests run against, each started once per session and only when asked for.

Given: a control plane, a Temporal server, the Spacelift simulator, and an environment without any
setting of the person who runs the tests. A test gets names of its own inside of them.
"""

import logging
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator, Mapping
from pathlib import Path

import pytest
from temporalio.client import Client

from controller import settings
from controller.dev import children
from controller.dev import temporal_server as temporal_servers
from controller.dev.control_plane import binaries, credentials, definitions, server, sources
from tests.support import kube as kube_support
from tests.support import temporal as temporal_support

StartRole = Callable[..., Awaitable[children.Role]]


@pytest.fixture(autouse=True)
def _restore_process_state(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Hide the settings of the shell, and undo what a test does to logging."""
    for name in children.cleared_environment():
        monkeypatch.delenv(name, raising=False)
    root = logging.getLogger()
    handlers, filters, level = list(root.handlers), list(root.filters), root.level
    yield
    root.handlers[:], root.filters[:], root.level = handlers, filters, level


@pytest.fixture(scope="session")
def shell_settings() -> settings.Settings:
    """The settings of the shell, which tests themselves do not see."""
    return settings.load_settings()


@pytest.fixture(scope="session")
async def control_plane_binaries(shell_settings: settings.Settings) -> binaries.Binaries:
    """Programs of a control plane; made by the first run on a machine, which takes minutes."""
    dev = shell_settings.dev
    return await sources.obtain(
        kubebuilder_assets=dev.kubebuilder_assets, cache_dir=dev.cache_dir, say=print
    )


@pytest.fixture(scope="session")
async def control_plane(
    control_plane_binaries: binaries.Binaries, tmp_path_factory: pytest.TempPathFactory
) -> AsyncIterator[server.ControlPlane]:
    """A real API server with our definitions, shared by all tests: do not stop it, see below."""
    directory = tmp_path_factory.mktemp("control-plane")
    async with server.ControlPlane(control_plane_binaries, directory) as plane:
        await apply_definitions(plane)
        yield plane


@pytest.fixture
async def own_control_plane(
    control_plane_binaries: binaries.Binaries, tmp_path: Path
) -> AsyncIterator[server.ControlPlane]:
    """A control plane for one test that stops, freezes or kills it."""
    async with server.ControlPlane(control_plane_binaries, tmp_path / "control-plane") as plane:
        await apply_definitions(plane)
        yield plane


async def apply_definitions(plane: server.ControlPlane) -> None:
    cluster = definitions.Cluster(kubeconfig=plane.kubeconfig, log_file=plane.logs / "kubectl.log")
    await definitions.apply(cluster)


@pytest.fixture(scope="session")
async def kube(control_plane: server.ControlPlane) -> AsyncIterator[kube_support.KubeApi]:
    """The API server as its administrator sees it."""
    api = kube_support.KubeApi(control_plane.url, control_plane.token, control_plane.ca_file)
    yield api
    await api.close()


@pytest.fixture(scope="session")
async def kube_as_operator(
    control_plane: server.ControlPlane,
) -> AsyncIterator[kube_support.KubeApi]:
    """The API server as a user sees it who may do only what a test grants."""
    token = control_plane.token_of(credentials.OPERATOR)
    api = kube_support.KubeApi(control_plane.url, token, control_plane.ca_file)
    yield api
    await api.close()


@pytest.fixture
async def namespace(kube: kube_support.KubeApi) -> AsyncIterator[str]:
    """A Kubernetes namespace of this test's own."""
    name = temporal_support.unique("test")
    await kube.create_namespace(name)
    yield name
    # The controller manager removes what is inside, while the next test runs.
    await kube.delete(f"/api/v1/namespaces/{name}")


@pytest.fixture
def stackchains(kube: kube_support.KubeApi, namespace: str) -> kube_support.StackChains:
    """The StackChains of the test's namespace."""
    return kube_support.StackChains(kube, namespace)


@pytest.fixture(scope="session")
async def temporal_server(
    tmp_path_factory: pytest.TempPathFactory,
) -> AsyncIterator[temporal_servers.TemporalServer]:
    """A Temporal dev server in memory, shared by all tests: do not stop it, see below."""
    log_file = tmp_path_factory.mktemp("temporal") / "temporal.log"
    options = temporal_servers.TemporalOptions(log_file=log_file, has_ui=False)
    async with temporal_servers.TemporalServer(options) as running:
        yield running


@pytest.fixture
async def own_temporal_server(tmp_path: Path) -> AsyncIterator[temporal_servers.TemporalServer]:
    """A Temporal server for one test that stops it; it knows everything when it starts again."""
    options = temporal_servers.TemporalOptions(
        log_file=tmp_path / "temporal.log", database=tmp_path / "temporal.db", has_ui=False
    )
    async with temporal_servers.TemporalServer(options) as running:
        yield running


@pytest.fixture(scope="session")
async def temporal_client(temporal_server: temporal_servers.TemporalServer) -> Client:
    """A client of the shared server's namespace `default`."""
    return await Client.connect(temporal_server.address)


@pytest.fixture
async def temporal_namespace(temporal_client: Client) -> str:
    """A Temporal namespace of this test's own, where it lists all that is there."""
    name = temporal_support.unique("test")
    await temporal_support.create_namespace(temporal_client, name)
    return name


@pytest.fixture
def task_queue() -> str:
    """A task queue of this test's own."""
    return temporal_support.unique("queue")


@pytest.fixture
async def start_role(tmp_path: Path) -> AsyncIterator[StartRole]:
    """Start roles of the product as processes: `await start_role("worker", endpoints)`.

    Further arguments: `instance` (0, 1, ...), `environment` (more variables), `wait` (False while
    what the role needs is down). A failed test shows the end of each log.
    """
    roles: list[children.Role] = []

    async def start(
        role: str,
        endpoints: children.Endpoints,
        *,
        instance: int = 0,
        environment: Mapping[str, str] | None = None,
        wait: bool = True,
    ) -> children.Role:
        variables = endpoints.variables(role) | dict(environment or {})
        options = children.RoleOptions(
            role=role, directory=tmp_path, environment=variables, instance=instance
        )
        roles.append(children.Role(options))
        await (roles[-1].start() if wait else _start_without_waiting(roles[-1]))
        return roles[-1]

    yield start
    for child in reversed(roles):
        await child.kill()
        print(f"--- {child.options.name}\n{child.log()}")


async def _start_without_waiting(child: children.Child) -> None:
    child.start_without_waiting()


@pytest.fixture
async def simulator(tmp_path: Path) -> AsyncIterator[children.Simulator]:
    """A simulated Spacelift account in its first state."""
    async with children.Simulator(tmp_path) as running:
        yield running
