"""Temporal is away for three minutes, the whole time of which Spacelift sends deliveries."""

import asyncio
import dataclasses
from collections.abc import AsyncIterator

import pytest
from temporalio.client import Client

from devenv import temporal_server as temporal_servers
from tests.support import chains, webhooks
from tests.support.chains import account_document

OUTAGE_SECONDS = 180.0
DELIVERIES = 20


@pytest.fixture
async def release(
    parts: chains.Parts,
    own_temporal_server: temporal_servers.TemporalServer,
    tmp_path_factory: pytest.TempPathFactory,
) -> AsyncIterator[chains.Installation]:
    """An installation on a Temporal server of this test's own, that polls once a minute."""
    own = dataclasses.replace(
        parts,
        temporal_server=own_temporal_server,
        temporal_client=await Client.connect(own_temporal_server.address),
    )
    options = chains.Options(settings={"SPACELIFT_POLL_SECONDS": "60"})
    async with chains.installed(own, tmp_path_factory.mktemp("release"), options) as running:
        yield running


@pytest.mark.timeout(900)
async def test_three_minutes_without_temporal_cost_no_delivery_and_no_chain(
    release: chains.Installation, own_temporal_server: temporal_servers.TemporalServer
) -> None:
    receiver = webhooks.InstalledReceiver(release)
    await receiver.role.start()
    document = account_document("a -> b", stacks={"a": {"durations": 30}, "beside": None})
    account, hook = await receiver.add_account("long", document)
    chain = await release.create("long", "a", account=account)
    await account.run_in("a", "PLANNING")
    await hook.at_rest()
    before = len(await hook.deliveries())

    await own_temporal_server.stop()
    ends = asyncio.get_running_loop().time() + OUTAGE_SECONDS
    while asyncio.get_running_loop().time() < ends:
        await account.trigger("beside")
        await account.run_in("beside", "FINISHED")
        # The length of the outage is what is tried here.
        await asyncio.sleep(OUTAGE_SECONDS / DELIVERIES)
    await hook.at_rest()
    assert len(await hook.deliveries()) - before >= DELIVERIES
    assert set(await hook.answers()) == {202}
    assert (await hook.state())["enabled"]
    assert await receiver.role.is_ready()
    await own_temporal_server.start()

    await chain.ends("RunSucceeded")
    for stack_id in "ab":
        assert (await account.only_run(stack_id))["state"] == "FINISHED"
