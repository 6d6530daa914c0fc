"""The definition of StackChains goes away and comes back while the operator runs."""

import dataclasses

import pytest

from controller.dev.control_plane import definitions, server
from tests.support import chains
from tests.support import kube as kube_support
from tests.support.chains import account_document
from tests.support.waiting import eventually

CRD = "/apis/apiextensions.k8s.io/v1/customresourcedefinitions/stackchains.stackchain.dev"


async def test_an_operator_whose_definition_goes_ends_and_serves_the_next_one_after_its_restart(
    parts: chains.Parts,
    own_control_plane: server.ControlPlane,
    tmp_path_factory: pytest.TempPathFactory,
) -> None:
    plane = own_control_plane
    api = kube_support.KubeApi(plane.url, plane.token, plane.ca_file)
    own = dataclasses.replace(parts, control_plane=plane, kube=api)
    async with chains.installed(own, tmp_path_factory.mktemp("release")) as release:
        await api.delete(CRD)

        await eventually(lambda: not release.operator.is_running, chains.SECONDS)
        log_file = plane.logs / "kubectl.log"
        await definitions.apply(definitions.Cluster(kubeconfig=plane.kubeconfig, log_file=log_file))
        await release.operator.start()

        account = await release.add_account("again", account_document("a -> b"))
        chain = await release.create("again", "a", account=account)
        await chain.ends("RunSucceeded")
    await api.close()
