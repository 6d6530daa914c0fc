"""The real parts themselves: started, lost and back again, with what they knew."""

from typing import Any

import httpx
import pytest
from temporalio.client import Client

from devenv import simulator_process
from devenv.control_plane import credentials
from devenv.control_plane.server import ControlPlane
from devenv.temporal_server import TemporalServer
from tests.support.kube import KubeApi
from tests.support.waiting import eventually

NAMESPACES = "/api/v1/namespaces"


async def test_what_the_api_server_stored_survives_its_crash(
    own_control_plane: ControlPlane, own_kube: KubeApi
) -> None:
    await own_kube.create_namespace("before-the-crash")

    await own_control_plane.kill_api_server()
    with pytest.raises(httpx.TransportError):
        await own_kube.get(NAMESPACES)
    await own_control_plane.start_api_server()

    assert await own_kube.find(f"{NAMESPACES}/before-the-crash")


async def test_a_frozen_api_server_answers_after_it_goes_on(
    own_control_plane: ControlPlane, own_kube: KubeApi
) -> None:
    await own_control_plane.pause_api_server()
    with pytest.raises(httpx.TimeoutException):
        await own_kube.request("GET", NAMESPACES, timeout=0.5)
    own_control_plane.resume_api_server()

    assert await own_kube.find(f"{NAMESPACES}/default")


async def test_the_server_is_stamped_as_a_release(kube: KubeApi) -> None:
    """Kubectl and Helm refuse a server that does not know its version."""
    version = await kube.get("/version")

    assert (version["major"], version["minor"]) == ("1", "36")


async def test_a_plain_user_may_do_nothing_until_it_is_granted(
    kube: KubeApi, kube_as_operator: KubeApi, namespace: str
) -> None:
    path = f"{NAMESPACES}/{namespace}/events"
    refused = await kube_as_operator.request("GET", path)
    binding = {
        "metadata": {"name": "view"},
        "roleRef": {"apiGroup": "rbac.authorization.k8s.io", "kind": "ClusterRole", "name": "view"},
        "subjects": [
            {
                "apiGroup": "rbac.authorization.k8s.io",
                "kind": "User",
                "name": credentials.OPERATOR,
            }
        ],
    }
    await kube.create(
        f"/apis/rbac.authorization.k8s.io/v1/namespaces/{namespace}/rolebindings", binding
    )

    async def is_granted() -> bool:
        return (await kube_as_operator.request("GET", path)).is_success

    assert refused.status_code == 403
    assert await eventually(is_granted)


async def test_a_deleted_namespace_goes_away(
    kube: KubeApi, control_plane: ControlPlane, namespace: str
) -> None:
    if not control_plane.has_controller_manager:
        pytest.skip("the envtest archive has no controller manager")
    await kube.create_namespace(f"{namespace}-2")

    await kube.delete(f"{NAMESPACES}/{namespace}-2")

    async def is_gone() -> bool:
        return await kube.find(f"{NAMESPACES}/{namespace}-2") is None

    assert await eventually(is_gone)


async def test_a_stopped_temporal_server_knows_its_workflows_when_it_is_back(
    own_temporal_server: TemporalServer,
) -> None:
    client = await Client.connect(own_temporal_server.address)
    await client.start_workflow("waits-for-a-worker", id="before-the-outage", task_queue="nobody")

    await own_temporal_server.stop()
    assert not own_temporal_server.is_running
    await own_temporal_server.start()

    async def is_known() -> bool:
        described = await client.get_workflow_handle("before-the-outage").describe()
        return described.workflow_type == "waits-for-a-worker"

    assert await eventually(is_known)


async def test_each_test_has_a_temporal_namespace_of_its_own(
    temporal_client: Client, temporal_server: TemporalServer, temporal_namespace: str
) -> None:
    client = await Client.connect(temporal_server.address, namespace=temporal_namespace)
    await client.start_workflow("any", id="alone", task_queue="nobody")

    async def listed() -> list[str]:
        return [execution.id async for execution in client.list_workflows()]

    assert await eventually(listed) == ["alone"]


async def test_a_simulated_account_survives_the_crash_of_its_process(
    restartable_simulator: simulator_process.SimulatorProcess,
) -> None:
    before = restartable_simulator.url
    await restartable_simulator.kill()

    await restartable_simulator.start()

    assert restartable_simulator.url == before


async def test_each_test_has_a_simulated_account_of_its_own(start_simulator: Any) -> None:
    first = await start_simulator({"stacks": ["vpc"]})
    second = await start_simulator()

    assert list(first.simulator.account.stacks) == ["vpc"]
    assert list(second.simulator.account.stacks) == []
