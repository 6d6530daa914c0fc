"""Runs that the finished run of a root starts, on the whole path: each stack runs once.

Given: people who trigger runs in Spacelift, and chains that watch these roots. Sweeps run every ten
seconds at least, which stands for lost deliveries; `TemporalSweepWaker.wake` stands for one that
arrives.
"""

from collections.abc import AsyncIterator
from typing import Any

import pytest
import temporalio.client

from tests.support import account_runs, chains
from tests.support.chains import account_document
from tests.support.starts import deliver, finished_run, is_watched, root_runs
from tests.support.waiting import eventually, stays

TRIGGERS: dict[str, Any] = {
    "startPolicy": "OnRequest",
    "triggers": [{"type": "RootRunFinished"}],
}
# No sweep comes on its own within a test, unless the test wants one.
RARELY = {"STACKCHAIN_SWEEP_SECONDS": "3600"}
OFTEN = {"STACKCHAIN_SWEEP_SECONDS": "10"}


@pytest.fixture(scope="module")
async def release(
    parts: chains.Parts, tmp_path_factory: pytest.TempPathFactory
) -> AsyncIterator[chains.Installation]:
    options = chains.Options(settings=RARELY)
    async with chains.installed(parts, tmp_path_factory.mktemp("rarely"), options) as running:
        yield running


@pytest.fixture(scope="module")
async def sweeping(
    parts: chains.Parts, tmp_path_factory: pytest.TempPathFactory
) -> AsyncIterator[chains.Installation]:
    options = chains.Options(settings=OFTEN)
    async with chains.installed(parts, tmp_path_factory.mktemp("often"), options) as running:
        yield running


async def sweeps_are_over(release: chains.Installation) -> bool:
    """Whether every sweep that was started has come to its end, and there was one."""
    found = await release.executions("WorkflowType = 'RootSweepWorkflow'")
    running = temporalio.client.WorkflowExecutionStatus.RUNNING
    return bool(found) and all(item.status is not running for item in found)


async def test_a_persons_run_of_a_root_starts_what_depends_on_it_and_each_stack_runs_once(
    release: chains.Installation,
) -> None:
    """The root keeps its run; what Spacelift queued at that run's creation is used.

    A stack below a label is triggered by the chain: Spacelift does not know of it.
    """
    account = await release.add_account(
        "once",
        account_document("a -> b -> c", stacks={"l": {"labels": ["dependsOn:c"]}}, duration=1),
    )
    old = await account.trigger("a")
    await account.run_in("c", "FINISHED")
    chain = await release.create("once", "a", account=account, **TRIGGERS)
    before = await is_watched(chain, "a")
    assert before["lastHandled"]["rootRuns"] == [{"stackId": "a", "runId": old["id"]}]
    assert "latestRun" not in before

    run = await finished_run(account, "a")
    await deliver(release, account, "a")
    status = await chain.ends("RunSucceeded")

    assert status["latestRun"]["cause"] == "RootRunFinished"
    assert root_runs(status) == [("a", run)]
    assert chains.reasons(status) == {
        "a": "RootRunFinished",
        **dict.fromkeys("bcl", "RunFinished"),
    }
    assert chains.stack(status, "a")["runId"] == run
    runs = {stack_id: await account.runs(stack_id) for stack_id in "abcl"}
    assert [len(runs[stack_id]) for stack_id in "abcl"] == [2, 2, 2, 1]
    for stack_id in "bcl":
        assert chains.stack(status, stack_id)["runId"] == runs[stack_id][-1]["id"]
    assert {run["originId"] for run in (runs["b"][-1], runs["c"][-1])} == {run}
    account_runs.assert_one_after_the_other([runs[stack_id][-1] for stack_id in "abcl"], *"abcl")

    # Replayed hours later, it starts nothing; nor does the run of the chain itself.
    for _ in range(2):
        await deliver(release, account, "a")
        await eventually(lambda: sweeps_are_over(release), chains.SECONDS)
    assert (await chain.status())["latestRun"]["number"] == 1


async def test_what_a_chain_triggered_or_adopted_starts_no_other_chain(
    release: chains.Installation,
) -> None:
    """One chain triggers `a` and adopts `b`; two others watch these as roots."""
    account = await release.add_account("ours", account_document("a -> b -> c"))
    watching_a = await release.create("watch-a", "a", account=account, **TRIGGERS)
    watching_b = await release.create("watch-b", "b", account=account, **TRIGGERS)
    await is_watched(watching_a, "a")
    await is_watched(watching_b, "b")

    chain = await release.create("ours", "a", account=account)
    await chain.ends("RunSucceeded")
    for stack_id in "ab":
        await deliver(release, account, stack_id)

    newest = {stack_id: (await account.only_run(stack_id))["id"] for stack_id in "ab"}
    for watching, stack_id in ((watching_a, "a"), (watching_b, "b")):
        mark = {"stackId": stack_id, "runId": newest[stack_id]}
        status = await watching.until(
            lambda found, mark=mark: found["lastHandled"]["rootRuns"] == [mark]
        )
        assert "latestRun" not in status
        assert "pendingRun" not in status


async def test_a_run_that_ends_behind_a_live_run_is_not_forgotten(
    release: chains.Installation,
) -> None:
    """Nor does it end the live run, whatever the concurrencyPolicy says."""
    account = await release.add_account(
        "behind",
        account_document("a -> b", "x -> y", stacks={"b": {"autodeploy": False}}),
    )
    chain = await release.create(
        "behind", "a", "x", account=account, concurrencyPolicy="Replace", **TRIGGERS
    )
    await is_watched(chain, "a", "x")
    await finished_run(account, "a")
    await deliver(release, account, "a")
    await chain.shows("AwaitingConfirmation")

    second = await finished_run(account, "x")
    await deliver(release, account, "x")
    status = await chain.until(lambda found: "pendingRun" in found)
    assert status["pendingRun"]["rootRuns"] == [{"stackId": "x", "runId": second}]
    assert status["latestRun"]["number"] == 1
    await account.act((await account.only_run("b"))["id"], "confirm")
    status = await chain.ends("RunSucceeded", number=2)

    assert root_runs(status) == [("x", second)]
    assert [text.split(".")[0] for text in await chain.told("RunPending")] == [
        "A request waits; cause: RootRunFinished"
    ]
    assert chains.phases(status) == {"x": "Succeeded", "y": "Succeeded"}
    assert [len(await account.runs(stack_id)) for stack_id in "abxy"] == [1, 1, 1, 1]


async def test_a_retry_of_such_a_run_goes_on_below_the_same_root(
    release: chains.Installation,
) -> None:
    """What does not depend on the root that finished is not part of it."""
    account = await release.add_account("retried", account_document("a -> b -> c", "x -> y"))
    chain = await release.create("retried", "a", "x", account=account, **TRIGGERS)
    await is_watched(chain, "a", "x")
    await account.script("b", "fail:planning", "changes")
    await finished_run(account, "a")
    await deliver(release, account, "a")
    await chain.ends("StackFailed")

    await release.stackchains.annotate("retried", retry="1")
    status = await chain.ends("RunSucceeded", number=2)

    assert status["latestRun"]["cause"] == "Retry"
    assert chains.reasons(status) == {"a": "Kept", "b": "RunFinished", "c": "RunFinished"}
    assert await account.runs("x") == []
    assert len(await account.runs("a")) == 1


async def test_a_lost_delivery_is_made_good_by_the_sweep_also_for_roots_by_label(
    sweeping: chains.Installation,
) -> None:
    """Nothing reports the run. An old run of a stack that gets the label later starts nothing."""
    account = await sweeping.add_account(
        "lost",
        account_document(
            "a -> b", "x -> y", stacks={"a": {"labels": ["watched"]}, "x": {}}, duration=0.4
        ),
    )
    old = await account.trigger("x")
    chain = await sweeping.create(
        "lost", account=account, **{**TRIGGERS, "roots": {"labels": ["watched"]}}
    )
    await is_watched(chain, "a")
    await account.add_stack("x", labels=["watched"])
    status = await is_watched(chain, "a", "x")
    assert {"stackId": "x", "runId": old["id"]} in status["lastHandled"]["rootRuns"]

    run = await finished_run(account, "a")
    status = await chain.ends("RunSucceeded")

    assert root_runs(status) == [("a", run)]
    assert chains.phases(status) == {"a": "Succeeded", "b": "Succeeded"}
    assert len(await account.runs("b")) == 1


async def test_a_mark_from_a_clock_that_is_far_ahead_holds_up_no_start(
    sweeping: chains.Installation,
) -> None:
    account = await sweeping.add_account("ahead", account_document("a -> b"))
    await account.trigger("a")
    await account.run_in("b", "FINISHED")
    chain = await sweeping.create("ahead", "a", account=account, **TRIGGERS)
    await is_watched(chain, "a")
    ahead = {"stackId": "a", "runId": "7ZZZZZZZZZ0000000000000000"}

    await chain.api.kube.patch(
        f"{chain.api.path(chain.name)}/status", {"status": {"lastHandled": {"rootRuns": [ahead]}}}
    )
    await chain.until(
        lambda status: ahead not in status["lastHandled"]["rootRuns"],
        what="the mark is one of the root's runs again",
    )
    run = await finished_run(account, "a")
    status = await chain.ends("RunSucceeded")

    assert root_runs(status) == [("a", run)]
    assert status["latestRun"]["number"] == 1


async def test_while_suspended_nothing_is_looked_for_and_it_is_made_good_after(
    sweeping: chains.Installation,
) -> None:
    account = await sweeping.add_account("held", account_document("a -> b"))
    chain = await sweeping.create("held", "a", account=account, **TRIGGERS)
    await is_watched(chain, "a")
    await sweeping.stackchains.set_spec("held", suspend=True)
    await chain.until(lambda status: chains.condition(status, "Suspended").get("status") == "True")
    run = await finished_run(account, "a")

    async def is_at_rest() -> bool:
        return "latestRun" not in await chain.status()

    assert await stays(is_at_rest, 2)
    await sweeping.stackchains.set_spec("held", suspend=False)
    status = await chain.ends("RunSucceeded")

    assert root_runs(status) == [("a", run)]
    assert len(await account.runs("b")) == 1
