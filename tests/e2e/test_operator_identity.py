"""An operator that lacks a right or a namespace: it says so, and does no harm."""

import signal
from collections.abc import AsyncIterator
from pathlib import Path

import httpx
import pytest

from devenv import role_process
from devenv.control_plane import credentials
from tests.conftest import StartRole
from tests.support import chains
from tests.support import temporal as temporal_support
from tests.support.waiting import eventually


async def kubeconfig_of(parts: chains.Parts, namespace: str, directory: Path) -> Path:
    """Make an account that may only keep the Lease, and return how it reaches the API server."""
    rbac = f"/apis/rbac.authorization.k8s.io/v1/namespaces/{namespace}"
    core = f"/api/v1/namespaces/{namespace}/serviceaccounts"
    named = {"metadata": {"name": "poor"}}
    await parts.kube.create(core, named)
    rule = {"apiGroups": ["coordination.k8s.io"], "resources": ["leases"], "verbs": ["*"]}
    await parts.kube.create(f"{rbac}/roles", {**named, "rules": [rule]})
    role = {"apiGroup": "rbac.authorization.k8s.io", "kind": "Role", "name": "poor"}
    subject = {"kind": "ServiceAccount", "name": "poor", "namespace": namespace}
    await parts.kube.create(
        f"{rbac}/rolebindings", {**named, "roleRef": role, "subjects": [subject]}
    )
    answer = await parts.kube.create(f"{core}/poor/token", {"spec": {"expirationSeconds": 3600}})
    plane = parts.control_plane
    file = directory / "poor.kubeconfig"
    text = credentials.kubeconfig_text(
        server=plane.url, ca_file=plane.ca_file, user="poor", token=answer["status"]["token"]
    )
    credentials.write_private(file, text)
    return file


@pytest.fixture
async def poor(parts: chains.Parts, tmp_path: Path) -> AsyncIterator[chains.Installation]:
    """A release that has no name, and whose operator may only use its Lease."""
    namespace = temporal_support.unique("poor")
    await parts.kube.create_namespace(namespace)
    options = chains.Options(
        namespace=namespace,
        kubeconfig=await kubeconfig_of(parts, namespace, tmp_path),
        # An empty one counts as not set.
        settings={"STACKCHAIN_INSTALLATION": ""},
    )
    release = chains.Installation(parts, tmp_path, options)
    await release.prepare()
    yield release
    await release.close()


async def test_a_standby_that_never_reached_its_temporal_namespace_replaces_no_operator(
    start_role: StartRole, endpoints: role_process.Endpoints
) -> None:
    """As after an upgrade with a wrong value: the rollout waits for the new pod to be ready."""
    leader = await start_role("operator", endpoints)

    wrong = {"TEMPORAL_NAMESPACE": "not-made"}
    standby = await start_role("operator", endpoints, instance=1, environment=wrong, wait=False)

    async def said() -> bool:
        async with httpx.AsyncClient(base_url=standby.health_url, trust_env=False) as http:
            try:
                answer = await http.get("/readyz")
            except httpx.TransportError:
                return False
        return answer.status_code == 503 and "has no namespace not-made" in answer.text

    await eventually(said, what="the standby says what it cannot reach")
    await eventually(leader.is_ready, what="the leader is ready")
    right = await start_role("operator", endpoints, instance=2)
    await eventually(right.is_ready, what="a standby that reaches its namespace is ready")


async def test_an_operator_that_cannot_read_the_clusters_id_is_not_ready_and_ends_when_asked(
    poor: chains.Installation,
) -> None:
    operator = poor.role("operator")
    operator.start_without_waiting()

    async def said() -> str | None:
        async with httpx.AsyncClient(base_url=operator.health_url, trust_env=False) as http:
            try:
                text = (await http.get("/readyz")).text
            except httpx.TransportError:
                return None
        return text if "kube-system" in text else None

    assert await eventually(said, what="the operator says what it cannot read")
    operator.process.signal(signal.SIGTERM)

    assert await operator.process.wait() == 0
    path = f"/apis/coordination.k8s.io/v1/namespaces/{poor.namespace}/leases/stackchain-operator"
    assert not (await poor.parts.kube.get(path))["spec"]["holderIdentity"]
