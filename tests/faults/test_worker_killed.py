"""The worker is killed, mid-trigger and mid-follow, or is missing: no second run, no standstill.

Missing heartbeats give a killed worker away: after ten seconds in a call, after thirty for a run
that works, after minutes for one that waits for a person. A wake-up waits for none of them, so a
webhook reports at once what a person does after such a death.
"""

import asyncio
from typing import Any

import pytest

from controller.temporal import ids
from tests.support import account_runs, chains
from tests.support.chains import account_document
from tests.support.waiting import eventually


@pytest.fixture(autouse=True)
async def _worker_is_there(release: chains.Installation) -> None:
    if not release.worker.is_running:
        await release.worker.start()


async def are_struck(account: chains.Account, *faults: int) -> None:
    async def all_hit() -> bool:
        return all([await account.hits(fault) for fault in faults])

    await eventually(all_hit, chains.SECONDS, what="the faults strike")


async def test_no_run_is_triggered_twice_or_lost_when_the_worker_dies_in_the_middle_of_it(
    release: chains.Installation,
) -> None:
    """One death, with each kind of call on its way.

    Triggers wait for an answer: that of `before` was lost before it took effect, that of `after`
    was carried out. One run is being followed, and one is being stopped.
    """
    held: dict[str, Any] = {"action": "timeout", "seconds": 120}
    triggers = await release.add_account("triggers", account_document("before -> x", "after -> y"))
    faults = [
        await triggers.fault(**held, field="runTrigger", stack=when, when=when)
        for when in ("before", "after")
    ]
    follows = await release.add_account(
        "follows", account_document("a -> b", stacks={"a": {"autodeploy": False}})
    )
    stops = await release.add_account(
        "stops", account_document("a -> b", stacks={"a": {"durations": {"planning": 600}}})
    )
    stop_fault = await stops.fault(**held, field="runStop")

    stopping = await release.create("stops", "a", account=stops)
    await stopping.until(lambda status: chains.phases(status).get("a") == "Running")
    following = await release.create("follows", "a", account=follows)
    triggering = await release.create("triggers", "before", "after", account=triggers)
    await release.stackchains.delete("stops")
    await are_struck(stops, stop_fault)
    await are_struck(triggers, *faults)
    await following.shows("AwaitingConfirmation")
    await release.worker.kill()
    await triggers.heal()
    await stops.heal()
    await release.worker.start()
    await follows.act((await follows.only_run("a"))["id"], "confirm")
    await release.wake(follows, "a")

    await asyncio.gather(
        triggering.ends("RunSucceeded"), following.ends("RunSucceeded"), stopping.is_gone()
    )
    for stack_id in ("before", "x", "after", "y"):
        await triggers.only_run(stack_id)
    for stack_id in "ab":
        await follows.only_run(stack_id)
    assert (await stops.only_run("a"))["state"] == "STOPPED"


async def test_without_a_worker_the_status_says_so_and_chains_go_on_with_one(
    release: chains.Installation,
) -> None:
    account = await release.add_account(
        "nobody", account_document("a -> b", "x -> y", stacks={"a": {"autodeploy": False}})
    )
    old = await release.create("nobody-old", "a", account=account)
    await old.shows("AwaitingConfirmation")

    await release.worker.kill()
    new = await release.create("nobody-new", "x", account=account)
    for status in await asyncio.gather(
        old.shows("WorkerUnavailable"), new.shows("WorkerUnavailable")
    ):
        assert chains.ready(status)["status"] == "False"
        assert chains.condition(status, "Reconciling")["status"] == "True"
        assert "stackchain check" in chains.ready(status)["message"]
    await account.act((await account.only_run("a"))["id"], "confirm")
    await account.run_in("a", "FINISHED")
    await release.wake(account, "a")
    await release.worker.start()

    for status in await asyncio.gather(old.ends("RunSucceeded"), new.ends("RunSucceeded")):
        assert status["latestRun"]["number"] == 1
    for stack_id in "abxy":
        await account.only_run(stack_id)


async def test_what_is_changed_of_a_live_run_while_no_worker_is_there_holds_once_one_is(
    release: chains.Installation,
) -> None:
    """A worker that is replaced is away for seconds only, and no status mentions that."""
    account = await release.add_account(
        "unheard", account_document("a -> b", stacks={"a": {"autodeploy": False}})
    )
    chain = await release.create("unheard", "a", account=account)
    status = await chain.shows("AwaitingConfirmation")
    client = await release.temporal()
    handle = client.get_workflow_handle(status["latestRun"]["workflowId"])

    async def signals() -> set[str]:
        history = await handle.fetch_history()
        return {
            event.workflow_execution_signaled_event_attributes.signal_name
            for event in history.events
            if event.HasField("workflow_execution_signaled_event_attributes")
        }

    async def is_told() -> bool:
        return {ids.SUSPEND_SIGNAL, ids.PARALLELISM_SIGNAL} <= await signals()

    await release.worker.kill()
    await release.stackchains.set_spec("unheard", suspend=True, parallelism=3)
    await eventually(is_told, chains.SECONDS, what="the run is told, though nobody reads it yet")
    await release.worker.start()
    await account.act((await account.only_run("a"))["id"], "confirm")
    await release.wake(account, "a")
    await chain.until(lambda status: chains.phases(status)["a"] == "Succeeded")
    before = chains.stack(await chain.status(), "b")

    await release.stackchains.set_spec("unheard", suspend=False)
    await chain.ends("RunSucceeded")

    assert (before["phase"], before["reason"]) == ("Pending", "Suspended")


async def test_a_resource_that_is_deleted_while_no_worker_is_there_says_so_and_goes_with_one(
    release: chains.Installation,
) -> None:
    account = await release.add_account(
        "leaves", account_document("a -> b", stacks={"a": {"durations": {"planning": 600}}})
    )
    chain = await release.create("leaves", "a", account=account)
    await chain.until(lambda status: chains.phases(status).get("a") == "Running")

    await release.worker.kill()
    await release.stackchains.delete("leaves")
    await chain.until(lambda status: "a worker" in chains.ready(status)["message"])
    await release.worker.start()
    await chain.is_gone()

    assert (await account.only_run("a"))["state"] == "STOPPED"


@pytest.mark.parametrize("when", ["before", "after"])
async def test_a_worker_that_dies_between_reading_a_plan_and_confirming_it_confirms_once(
    release: chains.Installation, when: str
) -> None:
    """The confirmation waits for an answer: it was swallowed, or carried out."""
    name = f"confirms-{when}"
    stacks = {"a": {"autodeploy": False, "outcomes": [{"delta": {"delete": 1}}]}}
    account = await release.add_account(name, account_document(stacks=stacks))
    fault = await account.fault(action="timeout", seconds=120, field="runConfirm", when=when)

    chain = await release.create(
        *(name, "a"),
        account=account,
        confirmationPolicy="Auto",
        confirmationLimits={"maxDeleted": 1},
    )
    await are_struck(account, fault)
    await release.worker.kill()
    await account.heal()
    await release.worker.start()
    await chain.ends("RunSucceeded")

    states = [entry["state"] for entry in (await account.only_run("a"))["history"]]
    assert states.count("CONFIRMED") == 1
    assert len(await account.requests("runConfirm")) == (2 if when == "before" else 1)


async def test_a_retry_in_the_live_run_triggers_once_if_the_worker_dies_in_that_trigger(
    release: chains.Installation,
) -> None:
    """The retry comes while no worker is there, and the answer to its trigger is lost."""
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
    await release.worker.kill()
    held: dict[str, Any] = {"action": "timeout", "seconds": 120}
    fault = await account.fault(**held, field="runTrigger", stack="a", when="after")

    await release.stackchains.annotate("live-retry", retry="1")
    await release.worker.start()
    await are_struck(account, fault)
    await release.worker.kill()
    await account.heal()
    await release.worker.start()
    await chain.until(lambda status: chains.phases(status).get("b") == "Succeeded")
    await account.act((await account.only_run("w"))["id"], "confirm")
    await release.wake(account, "w")

    status = await chain.ends("RunSucceeded")
    assert status["latestRun"]["number"] == 1
    assert status["lastHandled"]["retry"] == "1"
    assert [run["state"] for run in await account.runs("a")] == ["FAILED", "FINISHED"]
    ran = account_runs.carried_out(await account.runs("b"))
    assert [run["state"] for run in ran] == ["FINISHED"]
