"""The stand-in for the API server behaves as a real one: each scenario shows the same on both.

A difference is a fault of the stand-in.
"""

import asyncio

import pytest

from devenv.control_plane import server
from tests.simulation.kube import behaviors_around_objects, behaviors_of_objects, clusters
from tests.simulation.kube.scenes import Scenario, Scene, Shown
from tests.support import kube as kube_support

ROWS = {**behaviors_of_objects.ROWS, **behaviors_around_objects.ROWS}


@pytest.mark.parametrize("scenario", ROWS.values(), ids=ROWS.keys())
async def test_the_stand_in_behaves_as_the_real_api_server(
    scenario: Scenario,
    control_plane: server.ControlPlane,
    kube: kube_support.KubeApi,
    kube_as_operator: kube_support.KubeApi,
    namespace: str,
) -> None:
    users = {"admin": kube, "operator": kube_as_operator}
    real = clusters.RealCluster(users, namespace, stranger="stranger")

    def on_stand_in() -> Shown:
        return clusters.run_on_stand_in(lambda cluster: scenario(Scene(cluster)))

    expected = await scenario(Scene(real))
    found = await asyncio.to_thread(on_stand_in)

    assert found == expected
