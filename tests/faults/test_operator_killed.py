"""The operator is killed at any point: nothing is lost or started twice, the status catches up."""

import asyncio
import random

import pytest

from tests.support import account_runs, chains
from tests.support.chains import account_document
from tests.support.waiting import stays

# From the moment that it says it is ready. It takes about a second, or several on a busy machine.
# An operator that waits for a Lease to expire would take a minute.
STATUS_RIGHT_SECONDS = 30.0

CHAIN_RUNS = "WorkflowType = 'StackDependencyChainWorkflow'"


@pytest.fixture(autouse=True)
async def _operator_is_there(release: chains.Installation) -> None:
    """A test that failed in the middle leaves the operator dead."""
    if not release.operator.is_running:
        await release.operator.start()


async def test_a_chain_that_was_applied_meanwhile_starts(release: chains.Installation) -> None:
    account = await release.add_account("meanwhile", account_document("a -> b"))
    await release.operator.kill()

    chain = await release.create("meanwhile", "a", account=account)
    await release.operator.start()
    await chain.until(lambda status: "latestRun" in status, STATUS_RIGHT_SECONDS)

    await chain.ends("RunSucceeded")


async def test_the_status_of_a_chain_that_ended_meanwhile_is_right_soon(
    release: chains.Installation,
) -> None:
    account = await release.add_account(
        "ended", account_document("a -> b", stacks={"b": {"durations": 600}})
    )
    await account.script("b", "fail:applying")
    chain = await release.create("ended", "a", account=account)
    # What is written when it dies may never get its Event.
    await chain.events("GraphResolved", "RunStarted", "StackSucceeded")
    await release.operator.kill()
    await account.pass_time()
    await account.run_in("b", "FAILED")

    await release.operator.start()

    status = await chain.ends("StackFailed", seconds=STATUS_RIGHT_SECONDS)
    assert chains.phases(status) == {"a": "Succeeded", "b": "Failed"}
    # The stack's failure and the end of the run, which has the same reason.
    told = await chain.events("GraphResolved", "RunStarted", "StackFailed", "StackFailed")
    # Whether the status saw a stack's run in progress depends on the moment.
    assert set(told) - {"StackStarted"} == {
        *("GraphResolved", "RunStarted", "StackSucceeded", "StackFailed"),
    }


async def test_the_status_of_a_chain_that_goes_on_is_right_soon(
    release: chains.Installation,
) -> None:
    document = account_document("a -> b", stacks={"b": {"autodeploy": False}})
    account = await release.add_account("goes-on", document)
    chain = await release.create("goes-on", "a", account=account)
    await account.run_in("a", "PLANNING", "APPLYING", "FINISHED")
    await release.operator.kill()
    run = await account.run_in("b", "UNCONFIRMED")

    await release.operator.start()

    status = await chain.shows("AwaitingConfirmation", STATUS_RIGHT_SECONDS)
    assert chains.phases(status) == {"a": "Succeeded", "b": "AwaitingConfirmation"}
    await account.act(run["id"], "confirm")
    await chain.ends("RunSucceeded")


async def test_an_edit_and_a_token_that_came_meanwhile_are_one_run(
    release: chains.Installation,
) -> None:
    account = await release.add_account("asks", account_document(stacks=["a", "b"]))
    chain = await release.create("asks", "a", account=account)
    await chain.ends("RunSucceeded")
    await release.operator.kill()

    await release.stackchains.annotate("asks", run="one")
    await release.stackchains.set_spec("asks", roots={"stackIds": ["b"]})
    await release.stackchains.annotate("asks", run="two")
    await release.operator.start()
    status = await chain.ends("RunSucceeded", number=2)

    async def ran_once() -> bool:
        return [len(await account.runs(stack_id)) for stack_id in "ab"] == [1, 1]

    assert await stays(ran_once, 2)
    assert status["lastHandled"]["run"] == "two"


async def test_a_resource_that_was_deleted_meanwhile_has_its_runs_stopped(
    release: chains.Installation,
) -> None:
    account = await release.add_account(
        "gone", account_document("a -> b", stacks={"a": {"durations": {"planning": 600}}})
    )
    chain = await release.create("gone", "a", account=account)
    await account.run_in("a", "PLANNING")
    await release.operator.kill()

    await release.stackchains.delete("gone")
    assert await chain.body()
    await release.operator.start()
    await chain.is_gone()

    assert (await account.only_run("a"))["state"] == "STOPPED"
    assert (await account.only_run("b"))["state"] in ("CANCELED", "SKIPPED")


async def test_a_chain_that_waits_for_another_starts_once_that_became_ready_meanwhile(
    release: chains.Installation,
) -> None:
    account = await release.add_account(
        "awaited", account_document("a -> b", "x -> y", stacks={"a": {"autodeploy": False}})
    )
    before = await release.create("awaited", "a", account=account)
    after = await release.create("waiting", "x", account=account, dependsOn=[{"name": "awaited"}])
    await before.shows("AwaitingConfirmation")
    await after.until(
        lambda status: "waits for a person" in chains.ready(status).get("message", "")
    )
    await release.operator.kill()
    await account.act((await account.only_run("a"))["id"], "confirm")
    await account.run_in("b", "FINISHED")
    early = await account.runs("x")

    await release.operator.start()
    await before.ends("RunSucceeded")
    await after.ends("RunSucceeded")

    assert early == []
    await account.only_run("x")


async def test_a_retry_in_the_live_run_is_taken_up_once_whenever_the_operator_dies(
    release: chains.Installation,
) -> None:
    """It dies before it has seen the annotation, and while the stack runs once more."""
    document = account_document("a -> b", stacks={"w": {"autodeploy": False}})
    account = await release.add_account("live-retry", document)
    await account.script("a", "fail:applying", "changes")
    chain = await release.create("live-retry", "a", "w", account=account)
    await chain.until(
        lambda status: (
            (chains.phases(status).get("a"), chains.phases(status).get("w"))
            == ("Failed", "AwaitingConfirmation")
        )
    )
    await release.operator.kill()

    await release.stackchains.annotate("live-retry", retry="1")
    await release.operator.start()
    await account.run_in("a", "QUEUED", "PLANNING", "APPLYING", "FINISHED")
    await release.operator.kill()
    await account.run_in("b", "FINISHED")
    await release.operator.start()
    await chain.until(lambda status: chains.phases(status).get("b") == "Succeeded")
    await account.act((await account.only_run("w"))["id"], "confirm")

    status = await chain.ends("RunSucceeded")
    assert status["latestRun"]["number"] == 1
    assert status["lastHandled"]["retry"] == "1"
    assert [run["state"] for run in await account.runs("a")] == ["FAILED", "FINISHED"]
    ran = account_runs.carried_out(await account.runs("b"))
    assert [run["state"] for run in ran] == ["FINISHED"]


async def test_kills_at_random_moments_start_nothing_twice(release: chains.Installation) -> None:
    seed = random.randrange(10**6)  # noqa: S311 - not a secret
    print(f"seed {seed}")
    moments = random.Random(seed)  # noqa: S311 - not a secret
    names = [f"random-{number}" for number in range(6)]
    document = account_document(*(f"{n}-a -> {n}-b" for n in names), duration=1)
    account = await release.add_account("random", document)

    for name in names:
        await release.create(name, f"{name}-a", account=account)
        await asyncio.sleep(moments.uniform(0, 0.3))
        if moments.random() < 0.5:
            await release.operator.kill()
            await release.operator.start()
    for name in names:
        await release.chain(name).ends("RunSucceeded")

    assert sorted(run["stackId"] for run in await account.runs()) == sorted(
        f"{name}-{letter}" for name in names for letter in "ab"
    )
    started = await release.listed("/random-", CHAIN_RUNS, count=len(names))
    assert len({item.id for item in started}) == len(names)
