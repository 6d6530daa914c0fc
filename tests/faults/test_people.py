"""People act in Spacelift's UI on stacks of a live chain: they are followed, not fought."""

from collections.abc import AsyncIterator
from typing import Any

import pytest

from tests.support import chains
from tests.support.chains import account_document
from tests.support.waiting import eventually

PERSON = "jane@example.com"

# Longer than a test takes, unless the person does something about it.
LONG = 300
# Until a person has acted on the stacks behind it.
HELD = {"durations": 600}


@pytest.fixture(autouse=True)
async def _no_person_is_overruled(release: chains.Installation) -> AsyncIterator[None]:
    """No one else touches the run of a person, in any of these tests."""
    known = set(release.accounts)
    yield
    for name in set(release.accounts) - known:
        for run in await release.accounts[name].runs():
            if run["triggeredBy"] == PERSON:
                assert {entry["username"] for entry in run["history"]} <= {PERSON, None}, run


async def test_a_dependents_queued_run_that_a_person_cancels_ends_its_part_of_the_chain(
    release: chains.Installation,
) -> None:
    """Before its turn comes: nothing is triggered instead, and its neighbor continues."""
    account = await release.add_account(
        "cancels", account_document("a -> b -> c", "a -> x", stacks={"a": HELD})
    )
    chain = await release.create("cancels", "a", account=account)
    run = await account.run_in("b", "QUEUED")

    await account.act(run["id"], "cancel", note="not this one")
    await account.pass_time()
    status = await chain.ends("StackCanceled")

    expected = {"a": "RunFinished", "b": "RunCanceled", "c": "UpstreamNotSucceeded"}
    assert chains.reasons(status) == expected | {"x": "RunFinished"}
    assert "not this one" in chains.ready(status)["message"]
    assert (await account.only_run("b"))["state"] == "CANCELED"
    assert (await account.only_run("c"))["state"] in ("CANCELED", "SKIPPED")


@pytest.mark.parametrize(
    ("act", "stacks", "state", "reason"),
    [
        pytest.param(
            "discard", {"autodeploy": False}, "UNCONFIRMED", "RunDiscarded", id="discards it"
        ),
        pytest.param(
            "stop", {"durations": {"planning": LONG}}, "PLANNING", "RunStopped", id="stops it"
        ),
    ],
)
async def test_a_dependents_run_that_a_person_ends_cancels_what_is_behind_it(
    release: chains.Installation, act: str, stacks: dict[str, Any], state: str, reason: str
) -> None:
    account = await release.add_account(act, account_document("a -> b -> c", stacks={"b": stacks}))
    chain = await release.create(act, "a", account=account)
    run = await account.run_in("b", state)

    await account.act(run["id"], act)
    status = await chain.ends("StackCanceled")

    expected = {"a": "RunFinished", "b": reason, "c": "UpstreamNotSucceeded"}
    assert chains.reasons(status) == expected
    assert (await account.only_run("b"))["id"] == run["id"]
    assert not any(
        entry["state"] == "APPLYING" for entry in (await account.only_run("c"))["history"]
    )


@pytest.mark.parametrize("run_id", ["new", "same"])
async def test_a_person_who_confirms_is_followed_and_one_who_retries_afterwards_is_left_alone(
    release: chains.Installation, run_id: str
) -> None:
    """Spacelift does not document whether a retried run gets a new id."""
    name = f"confirms-{run_id}"
    document = account_document(
        "a -> b", stacks={"b": {"autodeploy": False}}, behavior={"retryRunId": run_id}
    )
    account = await release.add_account(name, document)
    await account.script("b", "fail:applying", "changes")
    chain = await release.create(name, "a", account=account)
    await chain.shows("AwaitingConfirmation")
    run = await account.run_in("b", "UNCONFIRMED")

    await account.act(run["id"], "confirm")
    before = await chain.ends("StackFailed")
    retried = await account.act(run["id"], "retry")
    await account.run_in("b", "UNCONFIRMED")
    await account.act(retried["id"], "confirm")
    await account.run_in("b", "FINISHED")

    assert (retried["id"] == run["id"]) is (run_id == "same")
    assert await chain.status() == before
    assert len(await account.runs("a")) == 1
    assert len(await account.runs("b")) == (2 if run_id == "new" else 1)


@pytest.mark.parametrize("run_id", ["new", "same"])
async def test_a_run_that_a_person_retries_before_the_chain_does_is_not_taken_for_the_chains(
    release: chains.Installation, run_id: str
) -> None:
    """Between two attempts: the chain triggers its own all the same, and that one counts."""
    name = f"overtakes-{run_id}"
    account = await release.add_account(
        name, account_document("a -> b", behavior={"retryRunId": run_id})
    )
    await account.script("a", "fail:applying", "changes", "changes")
    chain = await release.create(
        # Time to retry it before the chain does, on a busy machine too.
        *(name, "a"),
        account=account,
        retry={"limit": 1, "backoffSeconds": 10},
    )
    status = await chain.until(lambda status: chains.reasons(status).get("a") == "RetryPending")
    failed = chains.stack(status, "a")["runId"]

    theirs = await account.act(failed, "retry")
    ended = await chain.ends("RunSucceeded")

    ours = chains.stack(ended, "a")
    assert ours["runId"] not in (failed, theirs["id"])
    assert ours["attempts"] == 2
    await is_finished(account, theirs["id"])
    # Of the first run's wave, and of the last one's; what a person retries queues none.
    assert [run["state"] for run in await account.runs("b")][-1:] == ["FINISHED"]
    assert chains.phases(ended) == {"a": "Succeeded", "b": "Succeeded"}


@pytest.mark.parametrize("edge", ["native", "label"])
async def test_a_run_that_a_person_triggers_before_the_stacks_turn_is_not_the_chains(
    release: chains.Installation, edge: str
) -> None:
    name = f"before-{edge}"
    document = account_document("a -> b") if edge == "native" else account_document()
    stacks: dict[str, Any] = {"a": HELD}
    if edge == "label":
        stacks |= {"b": {"labels": ["dependsOn:a"]}}
    account = await release.add_account(name, {**document, "stacks": stacks})
    chain = await release.create(name, "a", account=account)
    await account.run_in("a", "PLANNING", "APPLYING")

    theirs = await account.trigger("b")
    await account.pass_time()
    status = await chain.ends("RunSucceeded")

    ours = chains.stack(status, "b")["runId"]
    assert ours != theirs["id"]
    await is_finished(account, theirs["id"])
    assert sorted(run["id"] for run in await account.runs("b")) == sorted([ours, theirs["id"]])
    await account.only_run("a")


async def test_a_run_of_a_person_that_holds_the_root_is_waited_for(
    release: chains.Installation,
) -> None:
    """The chain's own run queues behind it in Spacelift, and the status says so."""
    account = await release.add_account(
        "holds", account_document("a -> b", stacks={"a": {"autodeploy": False}})
    )
    theirs = await account.trigger("a")
    await account.run_in("a", "UNCONFIRMED")

    chain = await release.create("holds", "a", account=account)
    await chain.until(lambda status: chains.reasons(status).get("a") == "RunBlocked")
    await account.act(theirs["id"], "confirm")
    ours = await account.run_in("a", "UNCONFIRMED")
    await account.act(ours["id"], "confirm")
    status = await chain.ends("RunSucceeded")

    assert ours["id"] != theirs["id"]
    assert chains.stack(status, "a")["runId"] == ours["id"]
    await is_finished(account, theirs["id"])
    # Spacelift queued one on `b` for each of the two; the chain uses the one of its wave.
    assert chains.stack(status, "b")["runId"] == (await account.runs("b"))[-1]["id"]


async def test_a_lock_that_a_person_takes_midway_holds_its_stack_until_it_is_given_back(
    release: chains.Installation,
) -> None:
    account = await release.add_account("locks", account_document("a -> b", stacks={"a": HELD}))
    chain = await release.create("locks", "a", account=account)
    await account.run_in("a", "PLANNING", "APPLYING")

    await account.admin("POST", "/stacks/b/lock", {"user": PERSON})
    await account.pass_time()
    await chain.until(
        lambda status: (
            (chains.phases(status).get("a"), chains.reasons(status).get("b"))
            == ("Succeeded", "StackLocked")
        )
    )
    await account.admin("POST", "/stacks/b/unlock", {"user": PERSON})

    await chain.ends("RunSucceeded")
    for stack_id in "ab":
        await account.only_run(stack_id)


async def is_finished(account: chains.Account, run_id: str) -> None:
    async def finished() -> bool:
        state = (await account.admin("GET", f"/runs/{run_id}"))["state"]
        return bool(state == "FINISHED")

    await eventually(finished, chains.SECONDS, what=f"the run {run_id} of a person finishes")
