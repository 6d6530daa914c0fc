"""Several of everything: chains at one stack, releases on one Temporal."""

import asyncio
import dataclasses
from pathlib import Path

from temporalio.client import Client

from devenv import temporal_server as temporal_servers
from tests.support import chains
from tests.support.chains import account_document
from tests.support.waiting import eventually, stays


async def test_two_chains_take_turns_at_a_stack_and_each_has_a_run_of_its_own(
    release: chains.Installation,
) -> None:
    document = account_document(
        stacks={
            "one": {"durations": 0.2},
            "two": {"durations": 0.2},
            "shared": {"autodeploy": False, "labels": ["dependsOn:one", "dependsOn:two"]},
        }
    )
    account = await release.add_account("shared", document)
    first = await release.create("first", "one", account=account)
    ours = await account.run_in("shared", "UNCONFIRMED")

    second = await release.create("second", "two", account=account)
    status = await second.until(lambda status: chains.reasons(status).get("shared") == "StackBusy")
    await account.act(ours["id"], "confirm")
    await first.ends("RunSucceeded")
    theirs = await account.run_in("shared", "UNCONFIRMED")
    await account.act(theirs["id"], "confirm")
    ended = await asyncio.gather(first.ends("RunSucceeded"), second.ends("RunSucceeded"))

    assert chains.phases(status)["shared"] == "Waiting"
    assert "Another chain" in chains.stack(status, "shared")["message"]
    ids = [chains.stack(item, "shared")["runId"] for item in ended]
    assert len(set(ids)) == 2
    assert sorted(ids) == [run["id"] for run in await account.runs("shared")]


async def test_two_releases_on_one_temporal_namespace_leave_each_other_alone(
    release: chains.Installation, parts: chains.Parts, tmp_path: Path
) -> None:
    """Even the names are the same: a chain's workflow belongs to its namespace and installation.

    Their workers have different connections, and each installation has its own task queue.
    """
    options = chains.Options(temporal_namespace=release.temporal_namespace)
    document = account_document("a -> b", stacks={"a": {"durations": 600}})
    async with chains.installed(parts, tmp_path, options) as other:
        accounts = [await item.add_account("both", document) for item in (release, other)]
        mine, theirs = [
            await item.create("both", "a", account=account)
            for item, account in zip((release, other), accounts, strict=True)
        ]
        await asyncio.gather(*(account.run_in("a", "PLANNING") for account in accounts))
        # The other release stops writing; no other operator does its work, or undoes it.
        await other.operator.kill()
        for account in accounts:
            await account.hurry()
        await mine.ends("RunSucceeded")
        before = await theirs.status()

        async def is_untouched() -> bool:
            return await theirs.status() == before

        assert await stays(is_untouched, 3)
        await other.operator.start()
        await theirs.ends("RunSucceeded")

        for account in accounts:
            for stack_id in "ab":
                await account.only_run(stack_id)


async def at_rest(chain: chains.Chain) -> chains.Body:
    """Return the status of a chain that waits for a person, once nothing more is written."""

    async def is_quiet() -> chains.Body | None:
        before = await chain.shows("AwaitingConfirmation")
        await asyncio.sleep(1)
        return before if await chain.status() == before else None

    found = await eventually(is_quiet, chains.SECONDS, what=f"{chain.name} is at rest")
    assert found is not None
    return found


async def test_a_release_with_another_temporal_leaves_alone_what_the_first_one_has(
    release: chains.Installation,
    parts: chains.Parts,
    own_temporal_server: temporal_servers.TemporalServer,
    tmp_path: Path,
) -> None:
    """It watches the same namespace, and does not know the runs there."""
    account = await release.add_account(
        "theirs", account_document("a -> b", stacks={"a": {"autodeploy": False}})
    )
    chain = await release.create("theirs", "a", account=account)
    before = await at_rest(chain)
    own = dataclasses.replace(
        parts,
        temporal_server=own_temporal_server,
        temporal_client=await Client.connect(own_temporal_server.address),
    )
    options = chains.Options(settings={"STACKCHAIN_WATCH_NAMESPACES": release.namespace})
    async with chains.installed(own, tmp_path, options) as other:
        (message,) = await chain.told("OtherInstallation")

        async def is_untouched() -> bool:
            return await chain.status() == before

        # Three passes of its resync.
        assert await stays(is_untouched, 3)
        await account.act((await account.only_run("a"))["id"], "confirm")
        await chain.ends("RunSucceeded")
        await release.stackchains.delete(chain.name)
        await chain.is_gone()

    assert f"'{release.namespace}'" in message
    assert f"'{other.namespace}'" in message
    for stack_id in "ab":
        await account.only_run(stack_id)
