"""An existing cluster, named by KUBECONFIG, with the images of hack/e2e loaded."""

from collections.abc import Iterator

import pytest

from controller.config import settings
from devenv import settings as devenv_settings
from devenv import tools
from tests.support import helm as helms
from tests.support import release as releases
from tests.support import temporal as temporal_support

_KUBECTL = "install kubectl, or the extra `dev` of this package"


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
def account(cluster: releases.Cluster) -> Iterator[releases.Account]:
    """The simulated account, in the namespace that the release comes into."""
    with cluster.namespace(temporal_support.unique("stackchain-e2e")) as namespace:
        started = releases.Account(cluster=cluster, namespace=namespace)
        started.start()
        yield started


@pytest.fixture(scope="module")
def release(
    cluster: releases.Cluster, helm: helms.Helm, account: releases.Account
) -> Iterator[releases.Release]:
    """The release, installed for the tests of a module."""
    installed = releases.Release(cluster=cluster, helm=helm, account=account)
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
