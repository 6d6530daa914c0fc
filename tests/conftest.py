"""The real parts that tests run against, each started once per run and only when asked for.

Given: a control plane, a Temporal server, the Spacelift simulator, and an environment without any
setting of the person who runs the tests. Each test gets new names inside of them.
"""

import contextlib
import dataclasses
import logging
import sys
from collections.abc import (
    AsyncIterator,
    Awaitable,
    Callable,
    Generator,
    Iterator,
    Mapping,
    Sequence,
)
from pathlib import Path
from typing import Any

import hypothesis
import pytest
from temporalio.client import Client
from temporalio.worker._workflow import _WorkflowWorker

from controller.config import settings
from devenv import managed_process, processes, role_process, simulator_process
from devenv import settings as devenv_settings
from devenv import temporal_server as temporal_servers
from devenv.control_plane import binaries, credentials, definitions, server, sources
from devenv.simulator import simulator as simulators
from devenv.simulator.web import server as simulator_server
from tests.support import chains, fork_server, shared_parts
from tests.support import golden as golden_support
from tests.support import kube as kube_support
from tests.support import people as people_support
from tests.support import temporal as temporal_support

# A history that is deleted goes once the queues have noted the close of its workflow, which they do
# every 30 seconds by default.
QUICK_DELETION = (
    'history.transferProcessorUpdateAckInterval="500ms"',
    'history.visibilityProcessorUpdateAckInterval="500ms"',
)

StartSimulator = Callable[..., Awaitable[simulator_server.Server]]
StartRole = Callable[..., Awaitable[role_process.Role]]


# An example that takes long on a busy machine is not a failure: pytest's time-out bounds each test.
# The examples are the same in each run, so that a change is not held up by what it did not cause;
# `--hypothesis-profile=fresh` draws others.
hypothesis.settings.register_profile(
    "fresh", deadline=None, suppress_health_check=[hypothesis.HealthCheck.too_slow]
)
hypothesis.settings.register_profile(
    "fixed", hypothesis.settings.get_profile("fresh"), derandomize=True, database=None
)
hypothesis.settings.load_profile("fixed")


# What takes longest starts first, so that no worker is left alone with it at the end.
LONGEST_FIRST = ("faults", "chart", "e2e", "workflows", "contract")


# Whoever asks for one of these takes seconds before its first test.
REAL_PARTS = frozenset({"control_plane_binaries", "temporal_server", "own_temporal_server"})


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Order the tests by their folder, and leave those out that were not asked for."""

    def place(item: pytest.Item) -> int:
        folder = item.nodeid.split("/")[1]
        return LONGEST_FIRST.index(folder) if folder in LONGEST_FIRST else len(LONGEST_FIRST)

    items.sort(key=place)
    checked = config.stash[CHECKED]
    checked.modules |= {module_of(item.nodeid) for item in items}
    checked.incomplete |= {module_of(arg) for arg in config.args if "::" in arg}
    if config.getoption("--no-real-parts"):
        left_out = [i for i in items if REAL_PARTS & set(getattr(i, "fixturenames", ()))]
        config.hook.pytest_deselected(items=left_out)
        items[:] = [item for item in items if item not in left_out]


def pytest_addoption(parser: pytest.Parser) -> None:
    """Add our own options."""
    parser.addoption(
        "--update-golden", action="store_true", help="write the golden files instead of comparing"
    )
    parser.addoption(
        "--no-real-parts",
        action="store_true",
        help="leave out tests that start an API server or Temporal",
    )


WORKFLOW_TASK_SECONDS = 60


@pytest.fixture(scope="session", autouse=True)
def _workflow_tasks_have_time() -> Iterator[None]:
    """Let a workflow task of the tests' own workers take longer than the SDK's two seconds.

    On a busy machine it does. The SDK then throws into its thread, wherever that is: even where
    nothing can catch the exception, as in the callback of a weak reference. Roles are separate
    processes.
    """
    begin = _WorkflowWorker.__init__

    def begin_with_time(worker: _WorkflowWorker, *arguments: Any, **named: Any) -> None:
        begin(worker, *arguments, **named)
        worker._deadlock_timeout_seconds = WORKFLOW_TASK_SECONDS

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(_WorkflowWorker, "__init__", begin_with_time)
        yield


CHECKED = pytest.StashKey[golden_support.Checked]()
UNUSED = pytest.StashKey[list[tuple[str, str]]]()
HAS_FAILED = pytest.StashKey[bool]()


def pytest_configure(config: pytest.Config) -> None:
    """Keep what is compared with golden files until the end of the run."""
    config.stash[CHECKED] = golden_support.Checked()


def pytest_deselected(items: Sequence[pytest.Item]) -> None:
    """Note of which modules only some tests run."""
    for item in items:
        item.config.stash[CHECKED].incomplete.add(module_of(item.nodeid))


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item: pytest.Item) -> Generator[None, Any, Any]:
    """Note the same of a module with a test that is skipped, and which tests have failed."""
    report = yield
    if report.skipped:
        item.config.stash[CHECKED].incomplete.add(module_of(item.nodeid))
    if report.failed:
        item.stash[HAS_FAILED] = True
    return report


@pytest.hookimpl(optionalhook=True)
def pytest_testnodedown(node: Any) -> None:
    """Take over what a worker of pytest-xdist has checked."""
    if checked := getattr(node, "workeroutput", {}).get("golden"):
        node.config.stash[CHECKED].add(golden_support.Checked(**checked))


def pytest_sessionfinish(session: pytest.Session, exitstatus: int) -> None:
    """Write the golden files, or refuse what is in them that no test checks any longer."""
    checked = session.config.stash[CHECKED]
    has_passed = exitstatus == pytest.ExitCode.OK
    if hasattr(session.config, "workeroutput"):
        session.config.workeroutput["golden"] = dataclasses.asdict(checked)
    elif session.config.getoption("--update-golden"):
        golden_support.write(checked, has_passed=has_passed)
    elif has_passed and (unused := list(golden_support.find_unused(checked))):
        session.exitstatus = pytest.ExitCode.TESTS_FAILED
        session.config.stash[UNUSED] = unused


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Name the texts that no test checks."""
    for page, case in terminalreporter.config.stash.get(UNUSED, []):
        terminalreporter.write_line(
            f"FAILED tests/golden/{page}.txt: no test checks {case!r}; "
            "remove it with `pytest --update-golden`, and all tests of the modules that name it"
        )


def module_of(node_id: str) -> str:
    """Return the path of a test's module."""
    return node_id.partition("::")[0]


@pytest.fixture
def golden(request: pytest.FixtureRequest) -> Callable[[str], golden_support.Page]:
    """Golden files by name: `golden("graph_problems").check("a cycle", message)`."""
    is_updating = bool(request.config.getoption("--update-golden"))
    checked, module = request.config.stash[CHECKED], module_of(request.node.nodeid)

    def page(name: str) -> golden_support.Page:
        assert golden_support.names_page(module, name), f'say `PAGE = "{name}"` in {module}'
        return golden_support.Page(name, checked, is_updating=is_updating)

    return page


@pytest.fixture
def has_failed(request: pytest.FixtureRequest) -> Callable[[], bool]:
    """Whether the test has failed: it may not have come to what a fixture waits for at its end."""
    return lambda: request.node.stash.get(HAS_FAILED, False)


@pytest.fixture
def case(request: pytest.FixtureRequest) -> str:
    """The id of a parametrized test's case, which is the case's name in a golden file."""
    return str(request.node.callspec.id)


@pytest.fixture(scope="session")
def _setting_names() -> list[str]:
    """Read from the settings' own source, which is too slow to do for each test."""
    return list(role_process.cleared_environment())


@pytest.fixture(autouse=True)
def _restore_process_state(
    monkeypatch: pytest.MonkeyPatch, _setting_names: list[str]
) -> Iterator[None]:
    """Hide the settings of the shell, and undo what a test does to logging."""
    for name in _setting_names:
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
def dev_settings() -> devenv_settings.DevSettings:
    """Where the shell keeps its programs; what else it is set up for may be out of date."""
    return devenv_settings.load_dev_settings()


@pytest.fixture(scope="session")
def control_plane_binaries(dev_settings: devenv_settings.DevSettings) -> binaries.Binaries:
    """Programs of a control plane, as `make prepare` leaves them on a machine."""
    found = sources.find(
        kubebuilder_assets=dev_settings.kubebuilder_assets, cache_dir=dev_settings.cache_dir
    )
    if found is None:
        # Building takes longer than a test may.
        pytest.fail("there is no control plane on this machine: run `make prepare`", pytrace=False)
    return found


@pytest.fixture(scope="session")
async def control_plane(
    control_plane_binaries: binaries.Binaries,
    pytestconfig: pytest.Config,
    tmp_path_factory: pytest.TempPathFactory,
) -> server.ControlPlane:
    """A real API server with our definitions, shared by all tests: do not stop it, see below."""
    there = shared_parts.folder(tmp_path_factory, "control-plane")

    def make() -> server.ControlPlane:
        return server.ControlPlane(control_plane_binaries, there)

    async def start(plane: server.ControlPlane) -> None:
        await plane.start()
        await apply_definitions(plane)

    return await shared_parts.shared(pytestconfig, there, make, start)


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


def kube_of(plane: server.ControlPlane) -> kube_support.KubeApi:
    """Return what the administrator of a control plane speaks through."""
    return kube_support.KubeApi(plane.url, plane.token, plane.ca_file)


@pytest.fixture(scope="session")
async def kube(control_plane: server.ControlPlane) -> AsyncIterator[kube_support.KubeApi]:
    """The API server as its administrator sees it."""
    async with kube_of(control_plane) as api:
        yield api


@pytest.fixture
async def own_kube(own_control_plane: server.ControlPlane) -> AsyncIterator[kube_support.KubeApi]:
    """The same of this test's own control plane."""
    async with kube_of(own_control_plane) as api:
        yield api


@pytest.fixture(scope="session")
async def kube_as_operator(
    control_plane: server.ControlPlane,
) -> AsyncIterator[kube_support.KubeApi]:
    """The API server as a user sees it who may do only what a test grants."""
    token = control_plane.token_of(credentials.OPERATOR)
    async with kube_support.KubeApi(control_plane.url, token, control_plane.ca_file) as api:
        yield api


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
    pytestconfig: pytest.Config, tmp_path_factory: pytest.TempPathFactory
) -> temporal_servers.TemporalServer:
    """A Temporal dev server in memory, shared by all tests: do not stop it, see below."""
    there = shared_parts.folder(tmp_path_factory, "temporal")

    def make() -> temporal_servers.TemporalServer:
        options = temporal_servers.TemporalOptions(
            log_file=there / "temporal.log", has_ui=False, dynamic_config=QUICK_DELETION
        )
        return temporal_servers.TemporalServer(options)

    async def start(running: temporal_servers.TemporalServer) -> None:
        await running.start()

    return await shared_parts.shared(pytestconfig, there, make, start)


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
async def temporal_namespace(temporal_client: Client) -> AsyncIterator[str]:
    """A Temporal namespace of this test's own, where it lists all that is there."""
    name = temporal_support.unique("test")
    await temporal_support.create_namespace(temporal_client, name)
    yield name
    await temporal_support.delete_namespace(temporal_client, name)


@pytest.fixture
def task_queue() -> str:
    """A task queue of this test's own."""
    return temporal_support.unique("queue")


@pytest.fixture(scope="session")
def forks() -> Iterator[fork_server.ForkServer | None]:
    """What starts programs of the product without loading its modules for each; only on Linux."""
    if sys.platform != "linux":
        yield None
        return
    with fork_server.ForkServer() as running:
        yield running


@pytest.fixture(scope="session")
def start_process(forks: fork_server.ForkServer | None) -> processes.Start:
    """What starts roles."""
    return forks.start if forks is not None else processes.Process.start


@pytest.fixture
async def start_role(tmp_path: Path, start_process: processes.Start) -> AsyncIterator[StartRole]:
    """Start roles of the product as processes: `await start_role("worker", endpoints)`.

    Further arguments: `instance` (0, 1, ...), `environment` (more variables), `wait` (False while
    what the role needs is down). A failed test shows the end of each log.
    """
    roles: list[role_process.Role] = []

    async def start(
        role: str,
        endpoints: role_process.Endpoints,
        *,
        instance: int = 0,
        environment: Mapping[str, str] | None = None,
        wait: bool = True,
    ) -> role_process.Role:
        variables = endpoints.variables(role) | dict(environment or {})
        options = role_process.RoleOptions(
            role=role, directory=tmp_path, environment=variables, instance=instance
        )
        roles.append(role_process.Role(options, start_process))
        await (roles[-1].start() if wait else _start_without_waiting(roles[-1]))
        return roles[-1]

    yield start
    for child in reversed(roles):
        await child.kill()
        print(f"--- {child.options.name}\n{child.log()}")


async def _start_without_waiting(child: managed_process.ManagedProcess) -> None:
    child.start_without_waiting()


@pytest.fixture
async def start_simulator() -> AsyncIterator[StartSimulator]:
    """Start simulated accounts inside this process: `await start_simulator({"stacks": [...]})`.

    What it returns has `url`, `admin_url` and the model itself (`.simulator.account`).
    """
    async with contextlib.AsyncExitStack() as running:

        async def start(scenario: Mapping[str, Any] | None = None) -> simulator_server.Server:
            account = simulators.Simulator(simulator_process.with_api_key(scenario or {}))
            return await running.enter_async_context(simulator_server.serve(account))

        yield start


@pytest.fixture
async def simulator(start_simulator: StartSimulator) -> simulator_server.Server:
    """A simulated account with nothing in it but our API key (`simulator_process.API_KEY`)."""
    return await start_simulator()


@pytest.fixture
async def restartable_simulator(
    tmp_path: Path,
) -> AsyncIterator[simulator_process.SimulatorProcess]:
    """The simulator as a process that may be killed and started again with what it knew."""
    async with simulator_process.SimulatorProcess(tmp_path, keeps_state=True) as running:
        yield running


@pytest.fixture
def endpoints(
    control_plane: server.ControlPlane,
    temporal_server: temporal_servers.TemporalServer,
    temporal_namespace: str,
    namespace: str,
    simulator: simulator_server.Server,
) -> role_process.Endpoints:
    """What roles of this test talk to; nothing in it is shared with another test's roles.

    For another account: `dataclasses.replace(endpoints, spacelift_url=...)`.
    """
    return role_process.Endpoints(
        kubeconfig=control_plane.kubeconfig,
        temporal_address=temporal_server.address,
        temporal_namespace=temporal_namespace,
        spacelift_url=simulator.url,
        release_namespace=namespace,
        watch_namespaces=(namespace,),
        installation=namespace,
        poll_seconds=0.2,
    )


@pytest.fixture(scope="session")
def parts(
    control_plane: server.ControlPlane,
    kube: kube_support.KubeApi,
    temporal_server: temporal_servers.TemporalServer,
    temporal_client: Client,
    start_process: processes.Start,
) -> chains.Parts:
    """The shared real parts, as an installation takes them."""
    return chains.Parts(
        control_plane=control_plane,
        kube=kube,
        temporal_server=temporal_server,
        temporal_client=temporal_client,
        start=start_process,
    )


@pytest.fixture(scope="module")
async def release(
    parts: chains.Parts, tmp_path_factory: pytest.TempPathFactory
) -> AsyncIterator[chains.Installation]:
    """An operator and a worker shared by a module; a test that ends one starts it again."""
    async with chains.installed(parts, tmp_path_factory.mktemp("release")) as running:
        yield running


@pytest.fixture
def people(release: chains.Installation, parts: chains.Parts) -> people_support.People:
    """Those who steer the chains of the shared installation, with kubectl."""
    return people_support.People(release, parts.control_plane)
