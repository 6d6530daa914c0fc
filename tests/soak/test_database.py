"""Temporal's database is away, while its frontend says that it serves: nothing may say so, too."""

import dataclasses
from collections.abc import AsyncIterator

import pytest

from devenv import role_process
from devenv import settings as devenv_settings
from tests.support import chains, temporal_database, webhooks
from tests.support.chains import account_document
from tests.support.waiting import eventually


@pytest.fixture
async def temporal(
    dev_settings: devenv_settings.DevSettings, tmp_path_factory: pytest.TempPathFactory
) -> AsyncIterator[temporal_database.DatabaseTemporal]:
    programs = temporal_database.PROGRAM.find(dev_settings.cache_dir)
    if programs is None:
        # Building takes longer than a test may.
        pytest.fail("Temporal's server is not compiled yet: run `make soak`", pytrace=False)
    logs = tmp_path_factory.mktemp("temporal")
    async with temporal_database.DatabaseTemporal(programs, logs) as running:
        yield running


@pytest.fixture
async def release(
    parts: chains.Parts,
    temporal: temporal_database.DatabaseTemporal,
    tmp_path_factory: pytest.TempPathFactory,
) -> AsyncIterator[chains.Installation]:
    own = dataclasses.replace(
        parts, temporal_server=temporal, temporal_client=await temporal.connect()
    )
    options = chains.Options(settings=temporal.role_environment)
    async with chains.installed(own, tmp_path_factory.mktemp("release"), options) as running:
        yield running


@pytest.mark.timeout(900)
async def test_without_temporals_database_nothing_says_that_all_is_well(
    release: chains.Installation, temporal: temporal_database.DatabaseTemporal
) -> None:
    receiver = webhooks.InstalledReceiver(release)
    await receiver.role.start()
    account = await release.add_account(
        "asks", account_document("a -> b", stacks={"a": {"autodeploy": False}})
    )
    chain = await release.create("asks", "a", account=account)
    await chain.shows("AwaitingConfirmation")

    await temporal.stop_database()
    status = await chain.shows("TemporalUnreachable")
    assert "database" in chains.ready(status)["message"]
    for role in (release.operator, release.worker):
        await eventually(lambda role=role: is_not_ready(role), what=f"{role.options.name} says so")
        assert await role.is_alive()
    await eventually(lambda: is_connected(receiver, 0), what="the metric says so")
    assert await receiver.role.is_ready()
    assert await temporal.is_healthy()
    await temporal.start_database()

    for role in (release.operator, release.worker, receiver.role):
        await role.wait_ready()
    await eventually(lambda: is_connected(receiver, 1), what="the metric says that it is there")
    await chain.shows("AwaitingConfirmation")
    await account.act((await account.only_run("a"))["id"], "confirm")
    await chain.ends("RunSucceeded")
    for stack_id in "ab":
        await account.only_run(stack_id)


async def is_not_ready(role: role_process.Role) -> bool:
    return not await role.is_ready()


async def is_connected(receiver: webhooks.InstalledReceiver, value: float) -> bool:
    return await receiver.metrics("stackchain_temporal_connected") == {"": value}
