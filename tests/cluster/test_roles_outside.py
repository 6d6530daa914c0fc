"""Roles on this machine that use the cluster from outside: `python -m devenv --kubeconfig`."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import yaml

from devenv import environment, settings
from tests.support import release as releases

SCENARIO = {
    "account": "acme",
    "defaults": {"durations": {"queued": 0, "ready": 0.05, "planning": 0.2, "applying": 0.2}},
    "stacks": {
        stack: {"autodeploy": True, "labels": [f"dependsOn:{upstream}" for upstream in upstreams]}
        for stack, upstreams in releases.graph("outside").items()
    },
}


@pytest.fixture
async def roles(
    cluster: releases.Cluster,
    chains: str,
    tmp_path: Path,
    dev_settings: settings.DevSettings,
) -> AsyncIterator[environment.LocalEnvironment]:
    scenario = tmp_path / "scenario.yaml"
    scenario.write_text(yaml.safe_dump(SCENARIO))
    options = environment.DevOptions(
        dev=dev_settings,
        say=print,
        kubeconfig=cluster.kubeconfig,
        scenario=scenario,
        poll_seconds=0.2,
        role_environment={
            "STACKCHAIN_NAMESPACE": chains,
            "STACKCHAIN_WATCH_NAMESPACES": chains,
        },
    )
    async with environment.LocalEnvironment(options) as running:
        yield running
        cluster.kubectl("delete", "schain", "--all", f"--namespace={chains}", "--timeout=60s")
        # It belongs to no release: Helm would not take it over.
        cluster.kubectl("delete", releases.CRD, "--timeout=60s")


@pytest.mark.usefixtures("roles")
async def test_a_chain_is_applied_succeeds_and_is_deleted_with_kubectl(
    cluster: releases.Cluster, chains: str
) -> None:
    applied = releases.Applied.apply(cluster, chains, "outside")

    applied.wait_until_ready()
    described = cluster.kubectl("describe", f"--namespace={chains}", "schain/outside")

    assert applied.row()[:6] == ["outside", "True", "RunSucceeded", "1", "Apply", "7/7"]
    assert "7 stacks succeeded." in described
    assert "RunStarted" in described
