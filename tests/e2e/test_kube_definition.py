"""Whether StackChains are served, on a real API server whose definition goes and comes back."""

import asyncio
import contextlib
from collections.abc import AsyncIterator

import pytest

from controller.kube import definition_check
from devenv.control_plane import definitions, server
from tests.support import kube as kube_support
from tests.support import product_client
from tests.support.waiting import eventually

CRD = "/apis/apiextensions.k8s.io/v1/customresourcedefinitions/stackchains.stackchain.dev"
HELD = "/apis/stackchain.dev/v1alpha1/namespaces/default/stackchains"
PUBLISHED = "/openapi/v3/apis/stackchain.dev/v1alpha1"


@pytest.fixture
async def served(
    own_control_plane: server.ControlPlane,
) -> AsyncIterator[definition_check.Definition]:
    async with product_client.connected(own_control_plane.kubeconfig) as asking:
        await asking.load_credentials()
        yield definition_check.Definition(asking)


@contextlib.asynccontextmanager
async def waiting_for(served: definition_check.Definition) -> AsyncIterator[asyncio.Task[None]]:
    """Wait, as an operator does that starts."""
    waiting = asyncio.create_task(served.wait())
    try:
        yield waiting
    finally:
        waiting.cancel()
        await asyncio.wait([waiting])


async def published(api: kube_support.KubeApi) -> str:
    """Return what the API server says of the definition, which follows it some time later."""
    answer = await api.request("GET", PUBLISHED)
    assert answer.status_code == 200
    return answer.text


async def test_an_operator_waits_for_a_definition_that_is_going_or_gone_and_says_which(
    own_control_plane: server.ControlPlane,
    own_kube: kube_support.KubeApi,
    served: definition_check.Definition,
) -> None:
    async def says(text: str) -> bool:
        return text in (await served.check() or "")

    held = {
        "apiVersion": "stackchain.dev/v1alpha1",
        "kind": "StackChain",
        "metadata": {"name": "held", "finalizers": ["stackchain.dev/stop-runs"]},
        "spec": {"roots": {"stackIds": ["vpc"]}},
    }
    await own_kube.create(HELD, held)
    await own_kube.delete(CRD)
    async with waiting_for(served) as waiting:
        await eventually(lambda: says("is being deleted"))
        await own_kube.patch(f"{HELD}/held", {"metadata": {"finalizers": None}})
        await eventually(lambda: says("is not in this cluster"))
        assert not waiting.done()
        kubeconfig = own_control_plane.kubeconfig
        log_file = own_control_plane.logs / "kubectl.log"

        await definitions.apply(definitions.Cluster(kubeconfig=kubeconfig, log_file=log_file))

        await asyncio.wait_for(waiting, 60)
    assert await served.check() is None

    # An older release's, and one that does not serve the version of this operator.
    async def lists_suspend() -> bool:
        return '"suspend"' in await published(own_kube)

    async def lacks_suspend() -> bool:
        return '"suspend"' not in await published(own_kube)

    await eventually(lists_suspend, 120)
    found = await own_kube.get(CRD)
    version = found["spec"]["versions"][0]
    del version["schema"]["openAPIV3Schema"]["properties"]["spec"]["properties"]["suspend"]
    await own_kube.patch(CRD, {"spec": {"versions": [version]}})
    # Until then all is well to whoever asks.
    await eventually(lacks_suspend, 120)

    async with waiting_for(served):
        await eventually(lambda: says("is older than this operator: it lacks spec.suspend"))
        other = {**version, "name": "v1", "storage": False}
        await own_kube.patch(CRD, {"spec": {"versions": [{**version, "served": False}, other]}})

        await eventually(lambda: says("does not serve v1alpha1"), 120)
