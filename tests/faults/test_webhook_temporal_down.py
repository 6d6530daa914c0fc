"""Temporal is down while Spacelift sends: the receiver answers as ever, and chains catch up."""

import dataclasses
from collections.abc import AsyncIterator

import pytest
from temporalio.client import Client

from devenv import temporal_server as temporal_servers
from tests.support import chains, webhooks
from tests.support.chains import account_document
from tests.support.waiting import eventually

DELIVERIES = 20


@pytest.fixture
async def release(
    parts: chains.Parts,
    own_temporal_server: temporal_servers.TemporalServer,
    tmp_path_factory: pytest.TempPathFactory,
) -> AsyncIterator[chains.Installation]:
    """An installation on a separate Temporal server, that polls once a minute."""
    own = dataclasses.replace(
        parts,
        temporal_server=own_temporal_server,
        temporal_client=await Client.connect(own_temporal_server.address),
    )
    options = chains.Options(settings={"SPACELIFT_POLL_SECONDS": "60"})
    async with chains.installed(own, tmp_path_factory.mktemp("release"), options) as running:
        yield running


async def test_deliveries_of_an_outage_are_answered_202_and_wake_their_chains_after_it(
    release: chains.Installation, own_temporal_server: temporal_servers.TemporalServer
) -> None:
    receiver = webhooks.InstalledReceiver(release)
    await receiver.role.start()
    others = [f"other-{number}" for number in range(4)]
    account, hook = await receiver.add_account(
        "outage",
        account_document("a -> b", stacks={"a": {"durations": 600}} | dict.fromkeys(others)),
    )
    chain = await release.create("outage", "a", account=account)
    await account.run_in("a", "PLANNING")
    await hook.at_rest()
    before = len(await hook.deliveries())

    await own_temporal_server.stop()
    for stack_id in others:
        await account.trigger(stack_id)
        await account.run_in(stack_id, "FINISHED")
    await account.hurry()
    await account.run_in("a", "FINISHED")
    await hook.at_rest()
    assert len(await hook.deliveries()) - before >= DELIVERIES
    assert set(await hook.answers()) == {202}
    state = await hook.state()
    assert (state["enabled"], state["failures"]) == (True, 0)
    await eventually(receiver.role.is_ready, chains.SECONDS, what="the receiver is ready")

    async def is_told() -> bool:
        return await receiver.metrics("stackchain_temporal_connected") == {"": 0}

    await eventually(is_told, chains.SECONDS)
    # Each stack once, however many deliveries named it.
    assert await pending(receiver) <= len(others) + 2
    woken = await wakes(receiver, "woken")
    await own_temporal_server.start()

    await chain.ends("RunSucceeded")
    for stack_id in "ab":
        assert (await account.only_run(stack_id))["state"] == "FINISHED"

    async def all_are_worked_off() -> bool:
        return await pending(receiver) == 0

    await eventually(all_are_worked_off, chains.SECONDS)
    assert await wakes(receiver, "woken") > woken
    assert await wakes(receiver, "nobody") > 0
    assert await wakes(receiver, "given_up") == 0


async def pending(receiver: webhooks.InstalledReceiver) -> float:
    return (await receiver.metrics("stackchain_webhook_queue_depth"))[""]


async def wakes(receiver: webhooks.InstalledReceiver, result: str) -> float:
    counted = await receiver.metrics("stackchain_webhook_wakes_total")
    return counted.get(f'kind="execution",result="{result}"', 0)
