"""What failed is run again, by a person's annotation or by `spec.retry`; what succeeded is kept."""

from typing import Any

import pytest

from tests.support import account_runs, chains, people
from tests.support import temporal as temporal_support
from tests.support.chains import account_document
from tests.support.waiting import eventually, stays

# Several passes of the resync, which is what would start a run too many.
PASSES = 2.0

STALE = "StaleRequest"


async def failed_chain(
    release: chains.Installation, people: people.People, name: str
) -> tuple[chains.Chain, chains.Account]:
    """Return a diamond with a stack behind it, whose run 1 failed in `b` and would not again."""
    account = await release.add_account(name, account_document("a -> b -> d -> e", "a -> c -> d"))
    await account.script("b", "fail:applying", "changes")
    chain = await people.apply(name, "a", account=account)
    await chain.ends("StackFailed")
    return chain, account


def carried_out(runs: list[dict[str, Any]]) -> list[str]:
    """Return the ids of the runs that changed something, or tried to."""
    return [run["id"] for run in account_runs.carried_out(runs)]


@pytest.mark.parametrize("history", ["there", "deleted"])
async def test_a_retry_runs_what_did_not_succeed_and_keeps_the_rest(
    release: chains.Installation, people: people.People, history: str
) -> None:
    name = f"retry-{history}"
    chain, account = await failed_chain(release, people, name)
    before = await chain.status()
    first = {stack_id: len(await account.runs(stack_id)) for stack_id in "abcde"}
    if history == "deleted":
        workflow_id = before["latestRun"]["workflowId"]
        await temporal_support.delete_history(await release.temporal(), workflow_id)

    await people.annotate(name, retry="1")
    status = await chain.ends("RunSucceeded", number=2)

    kept, run = "ac", "bde"
    expected = dict.fromkeys(kept, "Kept") | dict.fromkeys(run, "RunFinished")
    assert chains.reasons(status) == expected
    for stack_id in kept:
        assert len(await account.runs(stack_id)) == first[stack_id] == 1
        earlier = chains.stack(before, stack_id)
        assert chains.stack(status, stack_id)["runId"] == earlier["runId"]
        assert "run 1" in chains.stack(status, stack_id)["message"]
    for stack_id in run:
        new = (await account.runs(stack_id))[first[stack_id] :]
        assert carried_out(new) == [chains.stack(status, stack_id)["runId"]]
    assert status["latestRun"]["cause"] == "Retry"
    assert status["latestRun"]["progress"] == "5/5"
    assert status["lastHandled"]["retry"] == "1"
    assert [(item["number"], item["reason"]) for item in status["history"]] == [(1, "StackFailed")]


async def test_a_retry_keeps_what_a_person_has_run_again_with_success(
    release: chains.Installation, people: people.People
) -> None:
    """The person's run of `b` made Spacelift queue those of its dependents, in their order."""
    chain, account = await failed_chain(release, people, "meanwhile")
    person = await account.trigger("b")

    async def has_ended_well() -> bool:
        runs = [run for run in await account.runs() if person["id"] in (run["id"], run["originId"])]
        assert [run["stackId"] for run in runs] == ["b", "d", "e"]
        return all(run["state"] == "FINISHED" for run in runs)

    await eventually(has_ended_well)
    before = {run["id"] for run in await account.runs()}

    await people.annotate("meanwhile", retry="1")
    status = await chain.ends("RunSucceeded", number=2)

    assert {run["id"] for run in await account.runs()} == before
    assert chains.reasons(status) == dict.fromkeys("abcde", "Kept")
    assert "outside of the chain" in chains.stack(status, "b")["message"]
    assert chains.stack(status, "b")["runId"] == (await account.runs("b"))[-1]["id"]


async def test_a_retry_names_a_failed_stack_that_was_deleted_and_what_was_behind_it(
    release: chains.Installation, people: people.People
) -> None:
    account = await release.add_account("lost", account_document("a -> b -> c", "a -> d"))
    await account.script("b", "fail:applying", "changes")
    chain = await people.apply("lost", "a", account=account)
    await chain.ends("StackFailed")
    await account.admin("DELETE", "/stacks/b")

    await people.annotate("lost", retry="1")
    status = await chain.ends("StacksNoLongerInChain", number=2)

    lost = dict.fromkeys("bc", "NoLongerInChain")
    assert chains.reasons(status) == dict.fromkeys("ad", "Kept") | lost
    assert (status["graph"]["stacks"], status["latestRun"]["progress"]) == (2, "2/4")
    assert "no longer has it" in chains.stack(status, "b")["message"]
    assert "because of 'b', which no longer exists" in chains.stack(status, "c")["message"]
    assert chains.ready(status)["status"] == "False"

    await people.annotate("lost", run="as it is now")
    status = await chain.ends("RunSucceeded", number=3)

    assert chains.reasons(status) == dict.fromkeys("ad", "RunFinished")


async def test_a_retry_of_anything_but_the_latest_run_does_nothing_and_says_so(
    release: chains.Installation, people: people.People
) -> None:
    chain, account = await failed_chain(release, people, "stale")
    before, runs = await chain.status(), await account.runs()

    async def is_handled(number: str) -> None:
        await chain.until(lambda status: status["lastHandled"].get("retry") == number)

    for number in ("7", "0", "last"):
        await people.annotate("stale", retry=number)
        await is_handled(number)

    async def is_as_it_was() -> bool:
        now = await chain.status()
        return now["latestRun"] == before["latestRun"] and await account.runs() == runs

    assert await stays(is_as_it_was, PASSES)
    assert (await chain.status())["stacks"] == before["stacks"]
    told = " ".join(await chain.told(STALE, 3))
    assert "`stackchain.dev/retry: 7` does nothing: the latest run is 1." in told
    assert "`stackchain.dev/retry: 0` does nothing: the latest run is 1." in told
    assert "`stackchain.dev/retry: last` does nothing: it must start with the number" in told


async def test_a_retry_of_a_run_that_succeeded_does_nothing_and_says_so(
    release: chains.Installation, people: people.People
) -> None:
    account = await release.add_account("fine", account_document("a -> b"))
    chain = await people.apply("fine", "a", account=account)
    await chain.ends("RunSucceeded")

    await people.annotate("fine", retry="1")
    await chain.until(lambda status: status["lastHandled"].get("retry") == "1")

    async def ran_once() -> bool:
        return len(await account.runs("a")) == len(await account.runs("b")) == 1

    assert await stays(ran_once, PASSES)
    status = await chain.status()
    assert (status["latestRun"]["number"], chains.ready(status)["status"]) == (1, "True")
    assert "every stack of run 1 succeeded" in " ".join(await chain.told(STALE))


async def test_one_is_retried_and_another_bypassed_while_a_third_waits_for_a_person(
    release: chains.Installation, people: people.People
) -> None:
    """Both continue at once, in the same run, even if a newer request replaces it."""
    account = await release.add_account(
        "steered", account_document("a -> d", "b -> e", stacks={"x": {"autodeploy": False}})
    )
    await account.script("a", "fail:planning", "changes")
    await account.script("b", "fail:applying")
    chain = await people.apply(
        "steered", "a", "b", "x", account=account, concurrencyPolicy="Replace"
    )
    ended = {"a": "Failed", "b": "Failed", "d": "Skipped", "e": "Skipped"}
    await chain.until(lambda status: chains.phases(status).items() >= ended.items())
    run = await account.run_in("x", "UNCONFIRMED")

    await people.annotate("steered", retry="1: a @fixed", bypass="1: b @restored by hand")
    done = {"a": "Succeeded", "b": "Skipped", "d": "Succeeded", "e": "Succeeded"}
    meanwhile = await chain.until(lambda status: chains.phases(status).items() >= done.items())
    await account.act(run["id"], "confirm")
    status = await chain.ends("RunSucceeded", number=1)

    assert chains.phases(meanwhile)["x"] == "AwaitingConfirmation"
    assert meanwhile["latestRun"]["number"] == 1
    assert status["lastHandled"]["retry"] == "1: a @fixed"
    assert status["lastHandled"]["bypass"] == "1: b @restored by hand"
    assert chains.stack(status, "a")["attempts"] == 2
    assert chains.stack(status, "b")["reason"] == "Bypassed"
    assert "pendingRun" not in status
    assert status.get("history", []) == []
    for stack_id, count in {"a": 1, "b": 1, "d": 1, "e": 1, "x": 1}.items():
        assert len(carried_out(await account.runs(stack_id))) == count


async def test_a_canceled_run_is_gone_on_with_by_a_retry(
    release: chains.Installation, people: people.People
) -> None:
    account = await release.add_account(
        "goes-on", account_document("a -> b -> c", stacks={"b": {"autodeploy": False}})
    )
    chain = await people.apply("goes-on", "a", account=account)
    await account.run_in("b", "UNCONFIRMED")
    await chain.shows("AwaitingConfirmation")
    await people.annotate("goes-on", cancel="1")
    await chain.ends("RunCanceled")

    await people.annotate("goes-on", retry="1")
    await chain.shows("AwaitingConfirmation")
    await account.act((await account.run_in("b", "UNCONFIRMED"))["id"], "confirm")
    status = await chain.ends("RunSucceeded", number=2)

    assert chains.reasons(status) == {"a": "Kept", "b": "RunFinished", "c": "RunFinished"}
    await account.only_run("a")
    for stack_id in "bc":
        assert len(carried_out(await account.runs(stack_id))) == 1


async def test_a_stack_that_fails_twice_and_then_succeeds_is_run_three_times_and_the_rest_once(
    release: chains.Installation, people: people.People
) -> None:
    """Each failed run has queued runs on `b` and `c`, and Spacelift starts that on `c` at once."""
    stacks = {
        # Each state lasts until it is seen, on a busy machine too.
        "a": {"durations": {"planning": 6, "applying": 0.2}},
        # Until those that are not wanted are stopped, however busy the machine is.
        "b": {"durations": 600},
        "c": {"durations": 600},
    }
    account = await release.add_account("again", account_document("a -> b -> c", stacks=stacks))
    await account.script("a", "fail:planning", "fail:planning", "changes")
    policy = {"limit": 2, "backoffSeconds": 6, "maxBackoffSeconds": 6}

    chain = await people.apply("again", "a", account=account, retry=policy)
    pausing = await chain.until(lambda status: chains.reasons(status).get("a") == "RetryPending")
    running = await chain.until(
        lambda status: (
            chains.stack(status, "a").get("attempts") == 2
            and chains.phases(status)["a"] == "Running"
        )
    )
    await account.run_in("a", "FINISHED")

    async def only_the_last_are_open() -> bool:
        """One for each run of `a`, and one of the chain's own if it did not see the native one."""
        runs = {stack_id: await account.runs(stack_id) for stack_id in "bc"}
        for found in runs.values():
            assert len(found) >= 3, found
            assert all(run["finished"] for run in found[:-1]), found
        shown = chains.stack(await chain.status(), "b").get("runId")
        assert shown == runs["b"][-1]["id"], (shown, runs["b"])
        return True

    await eventually(only_the_last_are_open, chains.SECONDS)
    await account.hurry()
    status = await chain.ends("RunSucceeded")

    runs = {stack_id: await account.runs(stack_id) for stack_id in "abc"}
    failed = runs["a"][0]
    assert chains.phases(pausing) == {"a": "Waiting", "b": "Pending", "c": "Pending"}
    assert chains.stack(pausing, "a")["message"].startswith("Run 1 of at most 3 failed")
    assert chains.stack(pausing, "a")["runId"] == failed["id"]
    assert chains.stack(pausing, "a")["runUrl"].endswith(failed["id"])
    assert chains.stack(running, "a")["runId"] == runs["a"][1]["id"]
    assert [run["state"] for run in runs["a"]] == ["FAILED", "FAILED", "FINISHED"]
    assert chains.stack(status, "a")["attempts"] == 3
    for stack_id in "bc":
        # What the waves of all three runs queued ended before it changed anything.
        used = chains.stack(status, stack_id)["runId"]
        assert carried_out(runs[stack_id]) == [used]
        others = {run["state"] for run in runs[stack_id] if run["id"] != used}
        assert others <= {"CANCELED", "SKIPPED", "STOPPED"}
    assert len(await chain.told("StackRetrying", 2)) == 2
    assert status["latestRun"]["number"] == 1


async def test_a_stack_that_fails_more_often_than_it_may_ends_the_chain(
    release: chains.Installation, people: people.People
) -> None:
    account = await release.add_account("often", account_document("a -> b"))
    await account.script("a", "fail:planning")

    chain = await people.apply(
        "often", "a", account=account, retry={"limit": 1, "backoffSeconds": 1}
    )
    status = await chain.ends("StackFailed")

    assert chains.reasons(status) == {"a": "RunFailed", "b": "UpstreamNotSucceeded"}
    assert chains.stack(status, "a")["attempts"] == 2
    assert "It was run 2 times" in chains.stack(status, "a")["message"]
    assert [run["state"] for run in await account.runs("a")] == ["FAILED", "FAILED"]
    assert carried_out(await account.runs("b")) == []
