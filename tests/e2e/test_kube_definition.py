"""Whether StackChains are served, on a real API server whose definition goes and comes back."""

import asyncio

from controller.config import settings
from controller.kube import client, definition_check
from devenv.control_plane import definitions, server
from tests.support import kube as kube_support
from tests.support.waiting import eventually

CRD = "/apis/apiextensions.k8s.io/v1/customresourcedefinitions/stackchains.stackchain.dev"
HELD = "/apis/stackchain.dev/v1alpha1/namespaces/default/stackchains"


async def test_an_operator_waits_for_a_definition_that_is_going_or_gone_and_says_which(
    own_control_plane: server.ControlPlane,
) -> None:
    plane = own_control_plane
    api = kube_support.KubeApi(plane.url, plane.token, plane.ca_file)
    asking = client.KubeClient(settings.KubernetesSettings(kubeconfig=plane.kubeconfig))
    await asking.load_credentials()
    held = {
        "apiVersion": "stackchain.dev/v1alpha1",
        "kind": "StackChain",
        "metadata": {"name": "held", "finalizers": ["stackchain.dev/stop-runs"]},
        "spec": {"roots": {"stackIds": ["vpc"]}},
    }
    await api.create(HELD, held)
    await api.delete(CRD)
    served = definition_check.Definition(asking)
    waiting = asyncio.create_task(served.wait())

    async def says(text: str) -> bool:
        return text in (await served.check() or "")

    await eventually(lambda: says("is being deleted"))
    await api.patch(f"{HELD}/held", {"metadata": {"finalizers": None}})
    await eventually(lambda: says("is not in this cluster"))
    assert not waiting.done()
    log_file = plane.logs / "kubectl.log"
    await definitions.apply(definitions.Cluster(kubeconfig=plane.kubeconfig, log_file=log_file))

    await asyncio.wait_for(waiting, 20)

    assert await served.check() is None
    # An older release's, and one that does not serve the version of this operator.
    found = await api.get(CRD)
    version = found["spec"]["versions"][0]
    del version["schema"]["openAPIV3Schema"]["properties"]["spec"]["properties"]["suspend"]
    await api.patch(CRD, {"spec": {"versions": [version]}})
    waiting = asyncio.create_task(served.wait())
    await eventually(lambda: says("is older than this operator: it lacks spec.suspend"), 120)
    other = {**version, "name": "v1", "storage": False}
    await api.patch(CRD, {"spec": {"versions": [{**version, "served": False}, other]}})
    await eventually(lambda: says("does not serve v1alpha1"), 120)
    waiting.cancel()
    await asking.close()
    await api.close()
