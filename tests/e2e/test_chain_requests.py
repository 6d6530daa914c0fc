"""What starts a run of a chain and what does not: edits, tokens, and both while a run is on."""

from tests.support import chains
from tests.support.chains import account_document
from tests.support.waiting import stays

# Several passes of the resync, which is what would start a run too many.
PASSES = 3.0


async def test_a_token_runs_the_chain_once_more_and_only_once(release: chains.Installation) -> None:
    account = await release.add_account("token", account_document("a -> b"))
    chain = await release.create("token", "a", account=account)
    await chain.ends("RunSucceeded")

    await release.stackchains.annotate("token", run="monday")
    status = await chain.ends("RunSucceeded", number=2)
    await release.stackchains.annotate("token", run="monday", other="changed")

    async def ran_twice() -> bool:
        return len(await account.runs("a")) == len(await account.runs("b")) == 2

    assert await stays(ran_twice, PASSES)
    assert status["latestRun"]["cause"] == "RunToken"
    assert status["lastHandled"]["run"] == "monday"
    assert (await chain.status())["latestRun"]["number"] == 2


async def test_an_edit_while_a_run_is_on_waits_and_only_the_newest_one_runs(
    release: chains.Installation,
) -> None:
    account = await release.add_account(
        "edits", account_document(stacks={"a": {"autodeploy": False}, "b": {}, "c": {}})
    )
    chain = await release.create("edits", "a", account=account)
    await account.run_in("a", "UNCONFIRMED")

    await release.stackchains.set_spec("edits", roots={"stackIds": ["b"]})
    waiting = await chain.until(lambda status: "pendingRun" in status)
    await release.stackchains.set_spec("edits", roots={"stackIds": ["c"]})
    await chain.until(lambda status: status["observedGeneration"] == 3)
    await account.act((await account.only_run("a"))["id"], "confirm")
    status = await chain.ends("RunSucceeded", number=2)

    assert waiting["pendingRun"]["cause"] == "Spec"
    assert chains.ready(waiting)["status"] == "Unknown"
    assert waiting["latestRun"]["number"] == 1
    assert (await account.only_run("a"))["state"] == "FINISHED"
    assert await account.runs("b") == []
    await account.only_run("c")
    assert status["latestRun"]["number"] == 2
    assert "pendingRun" not in status
    assert sorted(chains.phases(status)) == ["c"]


async def test_ready_is_never_true_while_an_edit_waits(
    release: chains.Installation, parts: chains.Parts
) -> None:
    """Between the end of one run and the start of the next the status must not show success."""
    account = await release.add_account(
        "between", account_document(stacks={"a": {"autodeploy": False}, "b": {"durations": 1}})
    )
    async with chains.Story(parts, release.chain("between")) as story:
        chain = await release.create("between", "a", account=account)
        await account.run_in("a", "UNCONFIRMED")
        await release.stackchains.set_spec("between", roots={"stackIds": ["b"]})
        await chain.until(lambda status: "pendingRun" in status)
        await account.act((await account.only_run("a"))["id"], "confirm")
        await chain.ends("RunSucceeded", number=2)

    readies = [
        (chains.ready(status)["status"], status["latestRun"]["number"]) for status in story.statuses
    ]
    assert {number for ready, number in readies if ready == "True"} == {2}
