"""A chain whose stacks do not all succeed: what stops, what continues, what the status says."""

from typing import Any

import pytest

from tests.support import chains
from tests.support.chains import account_document
from tests.support.processes import kubectl

BOTH_ENDS_OF_DEPENDENTS = pytest.mark.parametrize("dependents_end", ["SKIPPED", "CANCELED"])


# Slow enough in planning that a run which has to be stopped can be stopped before it applies.
UNHURRIED = {"planning": 300, "applying": 0.1}
INSTANT = 0.0


def has_applied(run: dict[str, Any]) -> bool:
    return any(entry["state"] == "APPLYING" for entry in run["history"])


@BOTH_ENDS_OF_DEPENDENTS
async def test_nothing_behind_a_failed_stack_runs_and_each_names_the_culprit(
    release: chains.Installation, dependents_end: str
) -> None:
    """Spacelift itself lets `c` run after a skipped `b`; the chain must be faster than that."""
    name = f"fails-{dependents_end.lower()}"
    document = account_document(
        "a -> b -> c",
        "a -> d",
        behavior={"onUpstreamFailure": dependents_end},
        stacks={"c": {"durations": UNHURRIED}},
    )
    account = await release.add_account(name, document)
    await account.script("a", "fail:planning")

    chain = await release.create(name, "a", account=account)
    status = await chain.ends("StackFailed")

    assert chains.phases(status) == {"a": "Failed", "b": "Skipped", "c": "Skipped", "d": "Skipped"}
    for stack_id in "bcd":
        row = chains.stack(status, stack_id)
        assert (row["reason"], row["blockedBy"]) == ("UpstreamNotSucceeded", "a")
        assert not has_applied(await account.only_run(stack_id))
    assert chains.ready(status)["status"] == "False"
    assert chains.condition(status, "Stalled")["status"] == "True"


@BOTH_ENDS_OF_DEPENDENTS
async def test_a_failure_in_the_middle_stops_what_hangs_on_it_and_nothing_else(
    release: chains.Installation, dependents_end: str
) -> None:
    name = f"middle-{dependents_end.lower()}"
    document = account_document(
        "a -> b -> c -> d",
        "a -> x -> y",
        behavior={"onUpstreamFailure": dependents_end},
        stacks={"d": {"durations": UNHURRIED}},
    )
    account = await release.add_account(name, document)
    await account.script("b", "fail:applying")

    chain = await release.create(name, "a", account=account)
    status = await chain.ends("StackFailed")

    expected = {"a": "Succeeded", "b": "Failed", "c": "Skipped", "d": "Skipped"}
    assert chains.phases(status) == expected | {"x": "Succeeded", "y": "Succeeded"}
    assert chains.stack(status, "d")["blockedBy"] == "b"
    assert not has_applied(await account.only_run("c"))
    assert not has_applied(await account.only_run("d"))
    assert status["latestRun"]["progress"] == "3/6"


async def test_a_native_run_that_was_faster_than_the_chain_is_not_hidden(
    release: chains.Installation,
) -> None:
    """Spacelift releases `c` the moment `b` is skipped; here it is over before anyone can look."""
    document = account_document("a -> b -> c", stacks={"c": {"durations": INSTANT}})
    account = await release.add_account("faster", document)
    await account.script("a", "fail:planning")

    chain = await release.create("faster", "a", account=account)
    status = await chain.ends("StackFailed")

    run = await account.only_run("c")
    assert run["state"] == "FINISHED"
    row = chains.stack(status, "c")
    assert row["phase"] == "Skipped"
    assert [unused["runId"] for unused in row["unusedRuns"]] == [run["id"]]
    assert run["id"] in row["message"]
    assert "UnusedRun" in await chain.events("UnusedRun")


async def test_describe_explains_a_failure_without_any_other_tool(
    release: chains.Installation, parts: chains.Parts
) -> None:
    account = await release.add_account("explains", account_document("a -> b"))
    await account.script("a", {"result": "fail", "note": "no such module 'vpc'"})

    chain = await release.create("explains", "a", account=account)
    status = await chain.ends("StackFailed")
    _, text = await kubectl(
        parts.control_plane, "describe", "stackchain", "explains", "-n", release.namespace
    )

    run = await account.only_run("a")
    message = chains.ready(status)["message"]
    assert f"{account.url}/stack/a/run/{run['id']}" in message
    assert "1 of 2 stacks failed: 'a'" in message
    assert "no such module 'vpc'" in message
    assert "stackchain.dev/run" in message
    for part in (message, "StackFailed", "Blocked By:  ", "Not run because 'a' failed."):
        assert part in text, text
    expected = ["GraphResolved", "RunStarted", "StackFailed", "StackFailed", "StackSkipped"]
    # Whether the status sees a short run in progress depends on the moment.
    told = [reason for reason in await chain.events(*expected) if reason != "StackStarted"]
    assert sorted(told) == expected
    assert await chain.told("StackSkipped") == ["'b': Not run because 'a' failed."]


async def test_a_run_that_a_person_discards_cancels_the_chain(release: chains.Installation) -> None:
    document = account_document("a -> b", stacks={"a": {"autodeploy": False}})
    account = await release.add_account("discarded", document)

    chain = await release.create("discarded", "a", account=account)
    await chain.shows("AwaitingConfirmation")
    await account.act((await account.only_run("a"))["id"], "discard", note="not today")
    status = await chain.ends("StackCanceled")

    assert chains.reasons(status) == {"a": "RunDiscarded", "b": "UpstreamNotSucceeded"}
    assert "not today" in chains.ready(status)["message"]
    assert chains.ready(status)["status"] == "False"
    assert not has_applied(await account.only_run("b"))


@pytest.mark.parametrize(
    ("act", "state", "reason", "durations"),
    [
        pytest.param(
            "cancel", "QUEUED", "RunCanceled", {"queued": 300}, id="canceled while queued"
        ),
        pytest.param(
            "stop", "PLANNING", "RunStopped", {"planning": 300}, id="stopped while planning"
        ),
    ],
)
async def test_a_run_that_a_person_ends_is_no_failure_and_releases_nothing(
    release: chains.Installation, act: str, state: str, reason: str, durations: dict[str, float]
) -> None:
    document = account_document("a -> b", stacks={"a": {"durations": durations}})
    account = await release.add_account(act, document)

    chain = await release.create(act, "a", account=account)
    run = await account.run_in("a", state)
    await account.act(run["id"], act)
    status = await chain.ends("StackCanceled")

    assert chains.reasons(status) == {"a": reason, "b": "UpstreamNotSucceeded"}
    assert not has_applied(await account.only_run("b"))


async def test_after_the_cause_is_mended_a_token_runs_the_chain_to_success(
    release: chains.Installation,
) -> None:
    account = await release.add_account("mended", account_document("a -> b"))
    await account.script("a", "fail:applying", "changes")
    chain = await release.create("mended", "a", account=account)
    await chain.ends("StackFailed")

    await release.stackchains.annotate("mended", run="again")
    status = await chain.ends("RunSucceeded", number=2)

    assert status["latestRun"]["cause"] == "RunToken"
    assert [run["state"] for run in await account.runs("a")] == ["FAILED", "FINISHED"]
    assert [run["state"] for run in await account.runs("b")][1:] == ["FINISHED"]


async def test_a_stack_that_the_key_may_not_run_fails_with_what_to_do(
    release: chains.Installation,
) -> None:
    account = await release.add_account("reader", account_document("a -> b"))
    secret = release.key_files("reader")[1].read_text()
    key_id = release.key_files("reader")[0].read_text()
    await account.admin("PUT", f"/keys/{key_id}", {"secret": secret, "role": "reader"})

    chain = await release.create("reader", "a", account=account)
    status = await chain.ends("StackFailed")

    assert chains.reasons(status) == {"a": "PermissionDenied", "b": "UpstreamNotSucceeded"}
    assert "give it a role" in chains.ready(status)["message"]
    assert await account.runs() == []


async def test_a_locked_stack_says_who_holds_it_and_goes_on_by_itself(
    release: chains.Installation,
) -> None:
    account = await release.add_account("locked", account_document(stacks=["a"]))
    await account.admin("POST", "/stacks/a/lock", {"user": "jane@example.com"})

    chain = await release.create("locked", "a", account=account)
    status = await chain.until(
        lambda status: chains.stack(status, "a").get("reason") == "StackLocked", what="it is locked"
    )
    await account.admin("POST", "/stacks/a/unlock", {"user": "jane@example.com"})
    await chain.ends("RunSucceeded")

    assert "locked by jane@example.com since" in chains.stack(status, "a")["message"]
    assert len(await account.runs("a")) == 1
