"""What deleting the resource does to its live run, as `spec.deletionPolicy` has it."""

import temporalio.client
from temporalio.api.enums.v1 import EventType

from tests.support import account_runs, chains
from tests.support.chains import account_document
from tests.support.waiting import eventually, stays

# Several passes of the resync, which stops the runs of resources that are gone.
PASSES = 3.0

_Status = temporalio.client.WorkflowExecutionStatus


async def workflow_ends(release: chains.Installation, uid: str) -> _Status:
    """Wait until the one workflow of a resource is closed, and return how it ended."""

    async def closed() -> _Status | None:
        found = [item for item in await release.executions() if item.id.endswith(uid)]
        assert len(found) == 1, found
        return found[0].status if found[0].status is not _Status.RUNNING else None

    status = await eventually(closed, chains.SECONDS, what="the workflow is closed")
    assert status is not None
    return status


async def test_cancel_stops_the_runs_and_shows_what_the_resource_waits_for_meanwhile(
    release: chains.Installation, parts: chains.Parts
) -> None:
    """A run that applies is allowed to finish, so the resource stays as long."""
    document = account_document(
        "a -> c",
        stacks={"a": {"durations": {"applying": 600}}, "b": {"durations": {"planning": 600}}},
    )
    account = await release.add_account("cancel", document)
    chain = await release.create("cancel", "a", "b", account=account)
    await account.run_in("a", "APPLYING")
    await account.run_in("b", "PLANNING")

    async with chains.Story(parts, chain) as story:
        await release.stackchains.delete("cancel")
        await account.run_in("b", "STOPPED")
        await account.run_in("c", "CANCELED")
        await chain.until(lambda status: "'a'" in chains.ready(status)["message"])
        await account.hurry()
        await chain.is_gone()

    told = [chains.ready(status) for status in story.statuses]
    assert [
        ready["message"]
        for ready in told
        if ready["reason"] == "Deleting" and "'a'" in ready["message"]
    ]
    assert (await account.only_run("a"))["state"] == "FINISHED"
    assert (await account.only_run("b"))["state"] == "STOPPED"
    assert not account_runs.did_work(await account.only_run("c"))


async def test_orphan_lets_the_resource_go_at_once_and_the_run_goes_on_to_its_end(
    release: chains.Installation,
) -> None:
    """What the chain still has to trigger and to wait for is done after the resource is gone."""
    document = account_document(
        "a -> b",
        stacks={"a": {"autodeploy": False}, "labelled": {"labels": ["dependsOn:b"]}},
    )
    account = await release.add_account("orphan", document)
    chain = await release.create("orphan", "a", account=account, deletionPolicy="Orphan")
    await chain.shows("AwaitingConfirmation")
    uid = (await chain.body())["metadata"]["uid"]

    await release.stackchains.delete("orphan")
    await chain.is_gone()
    # Several passes of the resync.
    other = await release.create("orphan-2", "labelled", account=account)
    await other.ends("RunSucceeded")
    await account.act((await account.only_run("a"))["id"], "confirm")

    assert await workflow_ends(release, uid) is _Status.COMPLETED
    runs = [await account.only_run("a"), await account.only_run("b")]
    account_runs.assert_one_after_the_other(
        [*runs, (await account.runs("labelled"))[1]], *("a", "b", "labelled")
    )
    assert {run["state"] for run in await account.runs()} == {"FINISHED"}


async def test_a_suspended_orphan_ends_once_its_runs_have_ended_and_says_so_before(
    release: chains.Installation,
) -> None:
    """It is suspended and deleted at once, so the operator may never see it suspended."""
    account = await release.add_account(
        "left", account_document("a -> b", stacks={"a": {"autodeploy": False}})
    )
    chain = await release.create("left", "a", account=account, deletionPolicy="Orphan")
    await chain.shows("AwaitingConfirmation")
    uid = (await chain.body())["metadata"]["uid"]

    await release.stackchains.set_spec("left", suspend=True)
    await release.stackchains.delete("left")
    await chain.is_gone()
    (message,) = await chain.told("Orphaned")
    await account.act((await account.only_run("a"))["id"], "confirm")

    assert await workflow_ends(release, uid) is _Status.COMPLETED
    assert message.startswith("Run 1 was suspended")
    assert uid in message
    assert (await account.only_run("a"))["state"] == "FINISHED"
    assert not account_runs.did_work(await account.only_run("b"))


async def test_an_orphan_that_no_worker_could_tell_so_goes_on_once_there_is_one(
    release: chains.Installation,
) -> None:
    """Without a worker nothing shows that the run is an orphan, and its resource is gone."""
    account = await release.add_account(
        "untold", account_document("a -> b", stacks={"a": {"autodeploy": False}})
    )
    chain = await release.create("untold", "a", account=account, deletionPolicy="Orphan")
    await chain.shows("AwaitingConfirmation")
    uid = (await chain.body())["metadata"]["uid"]
    (execution,) = await release.listed(uid)

    await release.worker.kill()
    await release.stackchains.delete("untold")
    await chain.is_gone()

    async def is_left_alone() -> bool:
        handle = (await release.temporal()).get_workflow_handle(execution.id)
        events = (await handle.fetch_history()).events
        return EventType.EVENT_TYPE_WORKFLOW_EXECUTION_CANCEL_REQUESTED not in {
            event.event_type for event in events
        }

    assert await stays(is_left_alone, PASSES)
    await account.act((await account.only_run("a"))["id"], "confirm")
    await release.wake(account, "a")
    await release.worker.start()

    assert await workflow_ends(release, uid) is _Status.COMPLETED
    assert {(run["stackId"], run["state"]) for run in await account.runs()} == {
        ("a", "FINISHED"),
        ("b", "FINISHED"),
    }


async def test_a_resource_that_waits_for_its_runs_goes_once_it_is_switched_to_orphan(
    release: chains.Installation,
) -> None:
    account = await release.add_account(
        "switch", account_document(stacks={"a": {"durations": {"applying": 600}}})
    )
    chain = await release.create("switch", "a", account=account)
    await account.run_in("a", "APPLYING")
    uid = (await chain.body())["metadata"]["uid"]
    await release.stackchains.delete("switch")
    await chain.shows("Deleting")

    await release.stackchains.set_spec("switch", deletionPolicy="Orphan")
    await chain.is_gone()

    assert (await account.only_run("a"))["state"] == "APPLYING"
    await account.hurry()
    assert await workflow_ends(release, uid) is _Status.COMPLETED
    assert (await account.only_run("a"))["state"] == "FINISHED"
