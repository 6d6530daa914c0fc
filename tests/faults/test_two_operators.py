"""Two operators act at once, since a Lease cannot rule that out: each request is one run."""

import asyncio
from collections.abc import AsyncIterator

import pytest

from tests.support import chains
from tests.support import temporal as temporal_support
from tests.support.chains import account_document
from tests.support.waiting import eventually

LEADS = "Leading"
ALL_LINES = 100_000


@pytest.fixture(scope="module")
async def release(
    parts: chains.Parts, tmp_path_factory: pytest.TempPathFactory
) -> AsyncIterator[chains.Installation]:
    """An installation whose standby need not wait for long."""
    options = chains.Options(settings={"STACKCHAIN_LEASE_DURATION_SECONDS": "15"})
    async with chains.installed(parts, tmp_path_factory.mktemp("release"), options) as running:
        yield running


async def test_an_operator_that_was_frozen_past_its_lease_leaves_and_undoes_nothing(
    release: chains.Installation,
) -> None:
    """As when a node hangs, or a machine sleeps: it wakes up and believes that it leads."""
    document = account_document("a -> b", stacks={"b": {"autodeploy": False}})
    account = await release.add_account("frozen", document)
    chain = await release.create("frozen", "a", account=account)
    run = await account.run_in("b", "UNCONFIRMED")
    await chain.shows("AwaitingConfirmation")
    standby = release.role("operator", instance=1)
    await standby.start()

    await release.operator.process.freeze()
    other = await release.add_account("meanwhile", account_document("x -> y"))
    meanwhile = await release.create("meanwhile", "x", account=other)
    await meanwhile.ends("RunSucceeded")
    await account.act(run["id"], "confirm")
    await chain.ends("RunSucceeded")
    release.operator.process.thaw()

    async def has_left() -> bool:
        return not release.operator.is_running

    await eventually(has_left, chains.SECONDS, what="the operator without a Lease leaves")
    for item in (chain, meanwhile):
        status = await item.ends("RunSucceeded")
        assert status["latestRun"]["number"] == 1
    for of, stack_ids in ((account, "ab"), (other, "xy")):
        for stack_id in stack_ids:
            await of.only_run(stack_id)
    await standby.stop()
    await release.operator.start()


async def test_two_leaders_at_once_start_each_request_once(release: chains.Installation) -> None:
    """Worse than a Lease allows: the second one holds a Lease in another namespace."""
    elsewhere = temporal_support.unique("elsewhere")
    await release.parts.kube.create_namespace(elsewhere)
    second = release.role("operator", instance=2, STACKCHAIN_NAMESPACE=elsewhere)
    await second.start()
    await eventually(lambda: LEADS in second.log(ALL_LINES), chains.SECONDS, what="both lead")
    names = [f"both-{number}" for number in range(5)]
    edges = [f"{name}-a -> {name}-b" for name in names]
    account = await release.add_account("both", account_document(*edges))

    await asyncio.gather(*(release.create(name, f"{name}-a", account=account) for name in names))
    for name in names:
        await release.chain(name).ends("RunSucceeded")
    await asyncio.gather(*(release.stackchains.annotate(name, run="again") for name in names))
    for name in names:
        await release.chain(name).ends("RunSucceeded", number=2)
    await second.stop()
    await release.parts.kube.delete(f"/api/v1/namespaces/{elsewhere}")

    runs = await account.runs()
    expected = sorted(f"{name}-{letter}" for name in names for letter in "ab" for _ in range(2))
    assert sorted(run["stackId"] for run in runs) == expected
    for name in names:
        assert (await release.chain(name).status())["latestRun"]["number"] == 2
