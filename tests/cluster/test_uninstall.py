"""What an uninstalled release leaves, and what the next one makes of it."""

from collections.abc import Iterator

import pytest

from tests.support import helm as helms
from tests.support import release as releases
from tests.support import waiting

# The definition, and what the API server makes of it.
DEFINITION = {
    "customresourcedefinition.apiextensions.k8s.io/stackchains.stackchain.dev",
    "apiservice.apiregistration.k8s.io/v1alpha1.stackchain.dev",
}


@pytest.fixture
def not_installed(
    cluster: releases.Cluster,
    helm: helms.Helm,
    account: releases.Account,
    temporal_outside: releases.TemporalOutside | None,
) -> Iterator[releases.Release]:
    """A release that the test installs, and that is gone afterwards."""
    made = releases.Release(cluster=cluster, helm=helm, account=account, temporal=temporal_outside)
    yield made
    made.remove()


def objects(cluster: releases.Cluster, namespace: str) -> set[str]:
    """All objects of a namespace, and those without one that have to do with us; Events aside."""
    found: set[str] = set()
    for is_namespaced in ("true", "false"):
        listed = ("--verbs=list", f"--namespaced={is_namespaced}", "--output=name")
        kinds = set(cluster.kubectl("api-resources", *listed).split())
        wanted = ",".join(sorted(kinds - {"events", "events.events.k8s.io", "namespaces"}))
        where = [f"--namespace={namespace}"] if is_namespaced == "true" else []
        names = cluster.kubectl("get", wanted, *where, "--output=name").split()
        found |= {name for name in names if is_namespaced == "true" or "stackchain" in name}
    return found


async def test_uninstalling_leaves_definition_and_stackchains_for_the_next_release(
    not_installed: releases.Release, cluster: releases.Cluster, chains: str
) -> None:
    release = not_installed
    before = objects(cluster, release.namespace) - DEFINITION
    release.install()
    release.account.add(releases.graph("kept"))
    kept = releases.Applied.apply(cluster, chains, "kept")
    kept.wait_until_ready()

    release.uninstall()
    await waiting.eventually(lambda: not release.pods_that_are_left())
    left = objects(cluster, release.namespace) - before
    release.install()
    kept.annotate("stackchain.dev/run=again")
    await waiting.eventually(lambda: kept.status()["latestRun"]["number"] == 2)
    kept.wait_until_ready()

    assert left == DEFINITION
    assert kept.row()[5] == "7/7"
    assert set(release.account.runs_per_stack(releases.graph("kept")).values()) == {2}
