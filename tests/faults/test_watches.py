"""Watches that fail, in one namespace or for a while: nothing ends, and nothing is missed forever.

The operator sees the API server through a proxy that answers some requests wrongly, and loses some
events of watches. It serves two namespaces; the chains are in the first.
"""

import asyncio
import dataclasses
from collections.abc import AsyncIterator

import httpx
import pytest

from controller.kube import lease
from tests.support import chains, faulty_api
from tests.support import kube as kube_support
from tests.support import temporal as temporal_support
from tests.support.chains import account_document
from tests.support.waiting import eventually


@dataclasses.dataclass(frozen=True, kw_only=True)
class Watched:
    """An installation behind the proxy, and the other namespace that it serves."""

    release: chains.Installation
    api: faulty_api.FaultyApi
    other: str

    def listing(self, namespace: str) -> str:
        return f"/namespaces/{namespace}/stackchains$"

    async def readyz(self) -> str:
        async with httpx.AsyncClient(trust_env=False) as http:
            return (await http.get(f"{self.release.operator.health_url}/readyz")).text

    async def is_watched(self, namespace: str) -> bool:
        async with httpx.AsyncClient(trust_env=False) as http:
            text = (await http.get(f"{self.release.operator.health_url}/metrics")).text
        return f'stackchain_watch_up{{served="{namespace}"}} 1.0' in text

    async def chains_in_metrics(self) -> float:
        async with httpx.AsyncClient(trust_env=False) as http:
            text = (await http.get(f"{self.release.operator.health_url}/metrics")).text
        lines = [line for line in text.splitlines() if line.startswith("stackchain_chains{")]
        return sum(float(line.rpartition(" ")[2]) for line in lines)


@pytest.fixture
async def watched(
    parts: chains.Parts, tmp_path_factory: pytest.TempPathFactory
) -> AsyncIterator[Watched]:
    namespace, other = temporal_support.unique("chains"), temporal_support.unique("other")
    await parts.kube.create_namespace(other)
    directory = tmp_path_factory.mktemp("watched")
    async with faulty_api.FaultyApi(parts.control_plane, directory) as api:
        options = chains.Options(
            namespace=namespace,
            kubeconfig=api.kubeconfig,
            settings={
                "STACKCHAIN_WATCH_NAMESPACES": f"{namespace},{other}",
                # Two thirds of that without a renewal make the operator leave: a busy machine must
                # not.
                "STACKCHAIN_LEASE_DURATION_SECONDS": "30",
            },
        )
        async with chains.installed(parts, directory, options) as release:
            yield Watched(release=release, api=api, other=other)
    await parts.kube.delete(f"/api/v1/namespaces/{other}")


async def test_listings_that_have_expired_end_nothing(watched: Watched) -> None:
    release = watched.release
    path = watched.listing(release.namespace)
    fault = watched.api.add(method="GET", path=path, status=410, count=4)
    watched.api.break_connections()
    await eventually(lambda: fault.hits == fault.count, chains.SECONDS, what="410 comes")

    account = await release.add_account("expired", account_document("a -> b"))
    chain = await release.create("expired", "a", account=account)

    await chain.ends("RunSucceeded")
    assert release.operator.is_running


async def test_a_namespace_that_may_not_be_read_costs_the_others_nothing(
    watched: Watched,
) -> None:
    release = watched.release
    fault = watched.api.add(path=f"/namespaces/{watched.other}/", status=403)
    await release.operator.stop()
    await release.operator.start()

    account = await release.add_account("well", account_document("a -> b"))
    chain = await release.create("well", "a", account=account)
    await chain.ends("RunSucceeded")

    assert fault.hits

    async def is_ready() -> bool:
        return await watched.readyz() == "ok\n"

    await eventually(is_ready, chains.SECONDS, what="ready without the other namespace")
    await eventually(lambda: watched.is_watched(release.namespace), chains.SECONDS)
    assert not await watched.is_watched(watched.other)
    watched.api.faults.remove(fault)
    stackchains = kube_support.StackChains(release.parts.kube, watched.other)
    spec = {"connectionName": "well", "roots": {"stackIds": ["b"]}}
    later = chains.Chain("later", stackchains)
    await stackchains.create("later", spec)
    await later.ends("RunSucceeded")
    await eventually(lambda: watched.is_watched(watched.other), chains.SECONDS)
    await stackchains.delete("later")
    await later.is_gone()


async def test_who_has_not_listed_is_not_ready_and_still_sees_that_its_lease_is_lost(
    watched: Watched,
) -> None:
    release, kube = watched.release, watched.release.parts.kube
    fault = watched.api.add(method="GET", path="/stackchains$", status=503)
    await release.operator.stop()
    release.operator.start_without_waiting()
    await eventually(lambda: fault.hits > 2, chains.SECONDS, what="it tries to list")

    async def says_so() -> bool:
        return "have not been listed yet" in await watched.readyz()

    # It says before that it has not read the Lease.
    await eventually(says_so, chains.SECONDS, what="it says that it has not listed")
    path = f"/apis/coordination.k8s.io/v1/namespaces/{release.namespace}/leases/{lease.LEASE_NAME}"
    await kube.patch(path, {"spec": {"holderIdentity": "another"}})
    await eventually(
        lambda: not release.operator.is_running, chains.SECONDS, what="it leaves without its Lease"
    )

    assert "Lease lost, leaving" in release.operator.log(200)


async def test_a_deletion_that_no_watch_has_shown_stops_the_run_and_frees_its_stack(
    watched: Watched,
) -> None:
    release = watched.release
    document = account_document("a -> b", stacks={"a": {"durations": {"planning": 600}}})
    account = await release.add_account("missed", document)
    chain = await release.create("missed", "a", account=account)
    await account.run_in("a", "PLANNING")
    await chain.until(lambda status: chains.phases(status).get("a") == "Running")

    async def is_quiet() -> bool:
        version = (await chain.body())["metadata"]["resourceVersion"]
        await asyncio.sleep(2)
        return bool((await chain.body())["metadata"]["resourceVersion"] == version)

    # A chain that has news would find out on its own that its resource is gone.
    await eventually(is_quiet, chains.SECONDS, what="the chain has no news")

    # Once the finalizer is removed, the lost event is the only sign.
    watched.api.lost |= {"MODIFIED", "DELETED"}
    await release.parts.kube.delete(chain.api.path("missed"))
    await release.parts.kube.patch(chain.api.path("missed"), {"metadata": {"finalizers": None}})
    await chain.is_gone()

    await account.run_in("a", "STOPPED")

    async def is_forgotten() -> bool:
        return await watched.chains_in_metrics() == 0

    await eventually(is_forgotten, chains.SECONDS, what="the gauges count it no longer")
