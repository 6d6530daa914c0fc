"""The whole path on a cluster that is already there, named by KUBECONFIG (`make e2e`).

The roles run on this machine and use the cluster as any user would: `stackchain dev --kubeconfig`.
"""

import json
import subprocess
import uuid
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import Any

import pytest
import yaml

from controller import settings
from controller.dev import environment, tools
from tests.support import waiting

SCENARIO = {
    "account": "acme",
    "defaults": {
        "durations": {
            "queued": 0,
            "ready": 0.05,
            "preparing": 0.05,
            "initializing": 0.1,
            "planning": 0.2,
            "applying": 0.2,
        }
    },
    "stacks": {
        "network": {"autodeploy": True},
        "database": {"autodeploy": True, "dependsOn": ["network"]},
        "service": {"autodeploy": True, "dependsOn": ["network", "database"]},
    },
}

Kubectl = Callable[..., str]


@pytest.fixture
def kubeconfig(shell_settings: settings.Settings) -> Path:
    path = shell_settings.kubernetes.kubeconfig
    if path is None:
        pytest.fail("set KUBECONFIG to the cluster to test on, or run `make e2e`", pytrace=False)
    return path


@pytest.fixture
def kubectl(kubeconfig: Path) -> Kubectl:
    program = tools.find_program("kubectl", install="install the extra `dev` of this package")

    def run(*arguments: str, given: str = "") -> str:
        done = subprocess.run(
            [program, f"--kubeconfig={kubeconfig}", *arguments],
            input=given,
            capture_output=True,
            check=False,
            text=True,
            timeout=120,
        )
        assert done.returncode == 0, done.stderr
        return done.stdout

    return run


@pytest.fixture
def cluster_namespace(kubectl: Kubectl) -> Any:
    """A namespace of the test's own, gone from the cluster at the end."""
    name = f"stackchain-{uuid.uuid4().hex[:8]}"
    kubectl("create", "namespace", name)
    yield name
    kubectl("delete", "namespace", name, "--timeout=60s")


@pytest.fixture
async def roles(
    kubeconfig: Path,
    cluster_namespace: str,
    tmp_path: Path,
    shell_settings: settings.Settings,
) -> AsyncIterator[environment.LocalEnvironment]:
    scenario = tmp_path / "scenario.yaml"
    scenario.write_text(yaml.safe_dump(SCENARIO))
    options = environment.DevOptions(
        dev=shell_settings.dev,
        say=print,
        kubeconfig=kubeconfig,
        scenario=scenario,
        poll_seconds=0.2,
        role_environment={
            "STACKCHAIN_NAMESPACE": cluster_namespace,
            "STACKCHAIN_WATCH_NAMESPACES": cluster_namespace,
        },
    )
    async with environment.LocalEnvironment(options) as running:
        yield running


async def test_a_chain_is_applied_succeeds_and_is_deleted_with_kubectl(
    roles: environment.LocalEnvironment, kubectl: Kubectl, cluster_namespace: str
) -> None:
    chain = {
        "apiVersion": "stackchain.dev/v1alpha1",
        "kind": "StackChain",
        "metadata": {"name": "platform", "namespace": cluster_namespace},
        "spec": {"roots": {"stackIds": ["network"]}},
    }
    in_namespace = f"--namespace={cluster_namespace}"

    kubectl("apply", "-f", "-", given=json.dumps(chain))
    kubectl("wait", in_namespace, "--for=condition=Ready", "schain/platform", "--timeout=90s")
    shown = kubectl("get", in_namespace, "schain", "platform", "--no-headers")
    described = kubectl("describe", in_namespace, "schain", "platform")
    kubectl("delete", in_namespace, "schain", "platform", "--timeout=60s")

    assert shown.split()[:5] == ["platform", "True", "RunSucceeded", "Apply", "3/3"]
    assert "3 stacks succeeded." in described
    assert "RunStarted" in described
    await waiting.eventually(
        lambda: "platform" not in kubectl("get", in_namespace, "schain", "--no-headers"), 30
    )
