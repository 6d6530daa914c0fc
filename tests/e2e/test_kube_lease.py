"""Leader election on the real API server, with short Leases."""

import asyncio
import contextlib
import gc
import warnings
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Protocol

import pytest

from controller.config import settings
from controller.kube import client, lease
from devenv.control_plane import server
from tests.support import faulty_api, product_client, waiting
from tests.support import kube as kube_support

# The holder of the Lease gives it up after two thirds: longer than a busy machine ever stalls.
DURATION_SECONDS = 15
# If the holder is gone, the whole duration has to pass.
SHORT_SECONDS = 6
TRIES = 15


class NewLease(Protocol):
    def __call__(
        self, identity: str, *, duration_seconds: int = DURATION_SECONDS
    ) -> lease.LeaderLease: ...


def connection(kubeconfig: Path) -> client.KubeClient:
    return client.KubeClient(settings.KubernetesSettings(kubeconfig=kubeconfig))


def lease_of(
    kube_client: client.KubeClient,
    kubeconfig: Path,
    namespace: str,
    identity: str,
    duration_seconds: int,
) -> lease.LeaderLease:
    return lease.LeaderLease(
        kube_client,
        namespace=namespace,
        identity=identity,
        new_client=lambda: connection(kubeconfig),
        duration_seconds=duration_seconds,
    )


@contextlib.asynccontextmanager
async def leading(
    kubeconfig: Path, namespace: str, duration_seconds: int
) -> AsyncIterator[lease.LeaderLease]:
    """A leader that sees the API server as this kubeconfig says."""
    async with product_client.connected(kubeconfig) as connected:
        leader = lease_of(connected, kubeconfig, namespace, "pod-a", duration_seconds)
        await leader.acquire()
        try:
            yield leader
        finally:
            await leader.release()


@pytest.fixture
async def kube_client(control_plane: server.ControlPlane) -> AsyncIterator[client.KubeClient]:
    async with product_client.connected(control_plane.kubeconfig) as connected:
        yield connected


@pytest.fixture
async def new_lease(
    kube_client: client.KubeClient, control_plane: server.ControlPlane, namespace: str
) -> AsyncIterator[NewLease]:
    made: list[lease.LeaderLease] = []

    def new(identity: str, *, duration_seconds: int = DURATION_SECONDS) -> lease.LeaderLease:
        kubeconfig = control_plane.kubeconfig
        made.append(lease_of(kube_client, kubeconfig, namespace, identity, duration_seconds))
        return made[-1]

    yield new
    for one in made:
        await one.release()


@pytest.fixture
def path(namespace: str) -> str:
    return f"/apis/coordination.k8s.io/v1/namespaces/{namespace}/leases/{lease.LEASE_NAME}"


async def test_the_first_one_makes_the_lease_and_renews_it(
    new_lease: NewLease, kube: kube_support.KubeApi, path: str
) -> None:
    leader = new_lease("pod-a")

    await leader.acquire()

    spec = (await kube.get(path))["spec"]
    assert leader.is_held
    assert (spec["holderIdentity"], spec["leaseTransitions"]) == ("pod-a", 0)

    async def is_renewed() -> bool:
        return bool((await kube.get(path))["spec"]["renewTime"] > spec["renewTime"])

    assert await waiting.eventually(is_renewed)
    assert not leader.lost.is_set()


async def test_a_standby_takes_over_from_one_that_releases(
    new_lease: NewLease, kube: kube_support.KubeApi, path: str
) -> None:
    """At once: not when it expires, which would take minutes."""
    leader, standby = (new_lease(name, duration_seconds=600) for name in ("pod-a", "pod-b"))
    await leader.acquire()
    waits = asyncio.create_task(standby.acquire())
    await waiting.stays(lambda: not waits.done(), 1, what="the standby waits")

    await leader.release()

    await asyncio.wait_for(waits, 60)
    assert (await kube.get(path))["spec"]["leaseTransitions"] >= 1


async def test_a_standby_takes_over_from_one_that_died(
    new_lease: NewLease, kube: kube_support.KubeApi, path: str
) -> None:
    await kube.create(
        path.rpartition("/")[0],
        {
            "metadata": {"name": lease.LEASE_NAME},
            "spec": {
                "holderIdentity": "dead",
                "leaseDurationSeconds": SHORT_SECONDS,
                # The clock of the dead one was an hour ahead; no one has to wait for it.
                "renewTime": "2099-01-01T00:00:00.000000Z",
                "leaseTransitions": 4,
            },
        },
    )
    standby = new_lease("pod-b")

    waits = asyncio.create_task(standby.acquire())
    await waiting.stays(lambda: not waits.done(), SHORT_SECONDS / 2, what="the standby waits")
    await asyncio.wait_for(waits, 60)

    spec = (await kube.get(path))["spec"]
    assert (spec["holderIdentity"], spec["leaseTransitions"]) == ("pod-b", 5)


async def test_a_restart_under_the_same_name_goes_on_at_once(
    new_lease: NewLease, kube: kube_support.KubeApi, path: str
) -> None:
    before, after = (new_lease("pod-a", duration_seconds=600) for _ in range(2))
    await before.acquire()

    await asyncio.wait_for(after.acquire(), 60)

    assert (await kube.get(path))["spec"]["leaseTransitions"] == 0


async def test_a_holder_that_somebody_replaced_has_lost_the_lease(
    new_lease: NewLease, kube: kube_support.KubeApi, path: str
) -> None:
    leader = new_lease("pod-a")
    await leader.acquire()

    await kube.patch(path, {"spec": {"holderIdentity": "usurper"}})

    await asyncio.wait_for(leader.lost.wait(), 60)
    assert not leader.is_held


async def test_a_change_by_others_that_keeps_the_holder_is_no_loss(
    new_lease: NewLease, kube: kube_support.KubeApi, path: str
) -> None:
    leader = new_lease("pod-a")
    await leader.acquire()

    labeled = await kube.patch(path, {"metadata": {"labels": {"seen": "yes"}}})

    async def is_renewed() -> bool:
        found = await kube.get(path)
        assert found["metadata"]["labels"] == {"seen": "yes"}
        return bool(found["spec"]["renewTime"] > labeled["spec"]["renewTime"])

    assert await waiting.eventually(is_renewed)
    assert leader.is_held


async def test_a_holder_cut_off_gives_up_before_anybody_else_may_begin(
    own_control_plane: server.ControlPlane,
) -> None:
    async with leading(own_control_plane.kubeconfig, "default", DURATION_SECONDS) as leader:
        await own_control_plane.pause_api_server()

        await asyncio.wait_for(leader.lost.wait(), DURATION_SECONDS)
        own_control_plane.resume_api_server()


@pytest.fixture
async def api(
    control_plane: server.ControlPlane, tmp_path: Path
) -> AsyncIterator[faulty_api.FaultyApi]:
    async with faulty_api.FaultyApi(control_plane, tmp_path) as proxy:
        yield proxy


async def renewals(kube: kube_support.KubeApi, path: str, count: int) -> None:
    """Wait until the Lease was renewed so often."""
    for _ in range(count):
        before = (await kube.get(path))["spec"]["renewTime"]

        async def is_renewed(before: str = before) -> bool:
            return bool((await kube.get(path))["spec"]["renewTime"] > before)

        await waiting.eventually(is_renewed)


async def test_a_stale_connection_does_not_lose_the_lease(
    api: faulty_api.FaultyApi, kube: kube_support.KubeApi, namespace: str, path: str
) -> None:
    async with leading(api.kubeconfig, namespace, DURATION_SECONDS) as leader:
        await renewals(kube, path, 1)
        api.stall()
        await renewals(kube, path, 2)

        assert leader.is_held


async def test_an_api_server_that_is_slow_for_a_while_does_not_lose_the_lease(
    api: faulty_api.FaultyApi, kube: kube_support.KubeApi, namespace: str, path: str
) -> None:
    """A third of the duration; a release has thirty seconds, so it would be ten."""
    async with leading(api.kubeconfig, namespace, DURATION_SECONDS) as leader:
        await renewals(kube, path, 1)
        api.freeze()
        await asyncio.sleep(DURATION_SECONDS / 3)
        api.thaw()
        await renewals(kube, path, 2)

        assert leader.is_held


async def test_of_many_exactly_one_leads(new_lease: NewLease) -> None:
    candidates = [new_lease(f"pod-{number}", duration_seconds=SHORT_SECONDS) for number in range(5)]
    tasks = [asyncio.create_task(candidate.acquire()) for candidate in candidates]

    def somebody_leads() -> bool:
        return any(candidate.is_held for candidate in candidates)

    def one_leads_at_most() -> bool:
        return sum(candidate.is_held for candidate in candidates) <= 1

    try:
        await waiting.eventually(somebody_leads)
        assert await waiting.stays(one_leads_at_most, SHORT_SECONDS + 1)
        assert await waiting.eventually(somebody_leads)
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)


async def test_renewals_that_were_interrupted_leave_no_open_connection(
    control_plane: server.ControlPlane,
) -> None:
    async def interrupt(seconds: float) -> None:
        connected = connection(control_plane.kubeconfig)
        asking = asyncio.create_task(connected.request("GET", "/version"))
        await asyncio.sleep(seconds)
        asking.cancel()
        await asyncio.wait([asking])
        await connected.close()

    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always", ResourceWarning)
        # At different moments: while it connects, while it waits for the answer, and after.
        for number in range(TRIES):
            thread = lease.RenewalThread()
            await asyncio.wrap_future(thread.run(interrupt(2 * number / 1000)))
            await thread.close()
        gc.collect()

    assert [str(one.message) for one in caught] == []
