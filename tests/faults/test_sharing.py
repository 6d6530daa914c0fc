"""Several of everything: chains at one stack, operators of a release, releases on one Temporal."""

import asyncio
import time
from pathlib import Path

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
            "shared": {"durations": 3, "labels": ["dependsOn:one", "dependsOn:two"]},
        }
    )
    account = await release.add_account("shared", document)
    first = await release.create("first", "one", account=account)
    await account.run_in("shared", "PLANNING", "APPLYING")

    second = await release.create("second", "two", account=account)
    status = await second.until(lambda status: chains.reasons(status).get("shared") == "StackBusy")
    ended = await asyncio.gather(first.ends("RunSucceeded"), second.ends("RunSucceeded"))

    assert chains.phases(status)["shared"] == "Waiting"
    assert "Another chain" in chains.stack(status, "shared")["message"]
    ids = [chains.stack(item, "shared")["runId"] for item in ended]
    assert len(set(ids)) == 2
    assert sorted(ids) == [run["id"] for run in await account.runs("shared")]


async def test_a_standby_does_nothing_and_takes_over_at_once_when_the_operator_is_stopped(
    release: chains.Installation,
) -> None:
    account = await release.add_account("standby", account_document("a -> b", duration=1))
    standby = release.role("operator", instance=1)
    await standby.start()
    chain = await release.create("standby", "a", account=account)
    await chain.until(lambda status: chains.phases(status).get("a") == "Running")

    stopped = time.monotonic()
    await release.operator.stop()
    await leads(standby)
    took = time.monotonic() - stopped
    await chain.ends("RunSucceeded")
    await release.operator.start()
    await standby.stop()
    await leads(release.operator)

    # A second for kopf to stop, and one at most until the standby looks at the Lease again.
    assert took < 5
    for stack_id in "ab":
        await account.only_run(stack_id)


async def leads(role: object) -> None:
    """Wait until the role says that it leads: the last thing that it said of the Lease."""

    async def is_leading() -> bool:
        lines = [line for line in role.log(400).splitlines() if "Lea" in line]  # type: ignore[attr-defined]
        return bool(lines) and "Leading" in lines[-1]

    await eventually(is_leading, chains.SECONDS, what="the operator leads")


async def test_a_standby_takes_over_from_an_operator_that_was_killed(
    release: chains.Installation,
) -> None:
    account = await release.add_account("killed", account_document("a -> b", duration=1))
    standby = release.role("operator", instance=2)
    await standby.start()

    await release.operator.kill()
    chain = await release.create("killed", "a", account=account)
    await chain.ends("RunSucceeded")
    await standby.stop()
    await release.operator.start()

    for stack_id in "ab":
        await account.only_run(stack_id)


async def test_two_releases_on_one_temporal_namespace_leave_each_other_alone(
    release: chains.Installation, parts: chains.Parts, tmp_path: Path
) -> None:
    """Even the names are the same: a chain's workflow belongs to its namespace and installation."""
    options = chains.Options(temporal_namespace=release.temporal_namespace)
    document = account_document("a -> b", duration=1)
    async with chains.installed(parts, tmp_path, options) as other:
        accounts = [await item.add_account("both", document) for item in (release, other)]
        mine, theirs = [
            await item.create("both", "a", account=account)
            for item, account in zip((release, other), accounts, strict=True)
        ]
        await asyncio.gather(*(account.run_in("a", "PLANNING") for account in accounts))
        # The other release stops writing; nobody does its work for it, or undoes it.
        await other.operator.kill()
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
