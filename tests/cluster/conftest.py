"""An existing cluster, named by KUBECONFIG, with the images of hack/e2e loaded."""

from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest

from controller.config import settings
from devenv import settings as devenv_settings
from devenv import tools
from tests.support import helm as helms
from tests.support import relay, temporal_database
from tests.support import release as releases
from tests.support import temporal as temporal_support

_KUBECTL = "install kubectl, or the extra `dev` of this package"


# Its tests take the server and its database away, which a dev server does not survive.
_ON_POSTGRES_ONLY = "test_temporal_outages.py"


def pytest_addoption(parser: pytest.Parser) -> None:
    """Add the options that hack/e2e gives."""
    parser.addoption(
        "--temporal",
        choices=("dev-server", "postgres"),
        default="dev-server",
        help="what the release runs on: the dev server, or a server on PostgreSQL",
    )
    parser.addoption(
        "--temporal-address",
        default="",
        help="host and port of this machine that pods reach, for a server on PostgreSQL",
    )


def pytest_ignore_collect(collection_path: Path, config: pytest.Config) -> bool | None:
    """Leave out what only a server on PostgreSQL can show."""
    # Without an argument, pytest reads this file too late for the option to exist.
    kind = config.getoption("--temporal", "dev-server")
    return True if collection_path.name == _ON_POSTGRES_ONLY and kind != "postgres" else None


@pytest.fixture(scope="session")
async def database_temporal(
    pytestconfig: pytest.Config,
    dev_settings: devenv_settings.DevSettings,
    tmp_path_factory: pytest.TempPathFactory,
) -> AsyncIterator[temporal_database.DatabaseTemporal | None]:
    """The Temporal server on PostgreSQL, if one is wanted."""
    if pytestconfig.option.temporal != "postgres":
        yield None
        return
    programs = temporal_database.PROGRAM.find(dev_settings.cache_dir)
    if programs is None:
        pytest.fail("run `make e2e ARGS=--temporal=postgres`", pytrace=False)
    logs = tmp_path_factory.mktemp("temporal")
    async with temporal_database.DatabaseTemporal(programs, logs) as running:
        yield running


@pytest.fixture(scope="session")
def temporal_outside(
    pytestconfig: pytest.Config, database_temporal: temporal_database.DatabaseTemporal | None
) -> Iterator[releases.TemporalOutside | None]:
    """The same, as the cluster's pods reach it."""
    if database_temporal is None:
        yield None
        return
    address = pytestconfig.option.temporal_address
    if not address:
        pytest.fail("say with --temporal-address where pods reach this machine", pytrace=False)
    with relay.running_in_a_thread(relay.Relay(database_temporal.address, address)):
        yield releases.TemporalOutside(address=address, certificates=database_temporal.certificates)


@pytest.fixture(scope="session")
def cluster(shell_settings: settings.Settings) -> Iterator[releases.Cluster]:
    """The cluster. It has no StackChains at the start, and is left without their definition."""
    kubeconfig = shell_settings.kubernetes.kubeconfig
    if kubeconfig is None:
        pytest.fail("set KUBECONFIG to the cluster to test on, or run `make e2e`", pytrace=False)
    program = tools.find_program("kubectl", install=_KUBECTL)
    found = releases.Cluster(program=program, kubeconfig=kubeconfig)
    if found.kubectl("get", releases.CRD, "--ignore-not-found"):
        pytest.fail(
            f"this cluster has {releases.CRD} already: use one that has not, or remove it",
            pytrace=False,
        )
    yield found
    found.kubectl("delete", releases.CRD, "--ignore-not-found", "--timeout=60s")


@pytest.fixture(scope="session")
def helm(
    cluster: releases.Cluster,
    dev_settings: devenv_settings.DevSettings,
    tmp_path_factory: pytest.TempPathFactory,
) -> helms.Helm:
    """Helm, for this cluster."""
    program = helms.find(dev_settings.cache_dir)
    if program is None:
        pytest.fail("there is no Helm 4 on this machine: run `make e2e`", pytrace=False)
    home = tmp_path_factory.mktemp("helm")
    return helms.Helm(program=program, home=home, kubeconfig=cluster.kubeconfig)


@pytest.fixture(scope="session")
def account(
    cluster: releases.Cluster, temporal_outside: releases.TemporalOutside | None
) -> Iterator[releases.Account]:
    """The simulated account, in the namespace that the release comes into."""
    with cluster.namespace(temporal_support.unique("stackchain-e2e")) as namespace:
        started = releases.Account(cluster=cluster, namespace=namespace)
        started.start()
        if temporal_outside is not None:
            temporal_outside.let_in(cluster, namespace)
        yield started


@pytest.fixture(scope="module")
def release(
    cluster: releases.Cluster,
    helm: helms.Helm,
    account: releases.Account,
    temporal_outside: releases.TemporalOutside | None,
) -> Iterator[releases.Release]:
    """The release, installed for the tests of a module."""
    installed = releases.Release(
        cluster=cluster, helm=helm, account=account, temporal=temporal_outside
    )
    installed.install()
    yield installed
    for component in ("operator", "worker"):
        print(installed.log(component))
    installed.remove()


@pytest.fixture
def chains(cluster: releases.Cluster) -> Iterator[str]:
    """A namespace for the StackChains of one test."""
    with cluster.namespace(temporal_support.unique("chains"), wait=False) as namespace:
        yield namespace
        # While their operator is there, which removes the finalizers; with it, the definition may
        # have gone.
        if cluster.kubectl("get", releases.CRD, "--ignore-not-found"):
            cluster.kubectl(
                "delete", "schain", "--all", f"--namespace={namespace}", "--timeout=60s"
            )


@pytest.fixture
def apply(release: releases.Release, cluster: releases.Cluster, chains: str) -> releases.Apply:
    """Apply a chain over the stacks of `graph`, which are made for it: `apply("platform")`."""

    def act(name: str) -> releases.Applied:
        release.account.add(releases.graph(name))
        return releases.Applied.apply(cluster, chains, name)

    return act
