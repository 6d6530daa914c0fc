"""Someone ends or deletes workflows in Temporal: nothing starts again, and the status says so."""

import asyncio
from typing import Any

import pytest

from tests.support import chains
from tests.support.chains import account_document
from tests.support.temporal import delete_history
from tests.support.waiting import eventually, stays

SLOW = {"planning": 300}
CHAIN_RUNS = "WorkflowType = 'StackDependencyChainWorkflow'"


async def running_chain(
    release: chains.Installation, name: str
) -> tuple[chains.Chain, chains.Account, str]:
    """Return a chain whose first stack runs, and its workflow's id."""
    account = await release.add_account(
        name, account_document("a -> b", stacks={"a": {"durations": SLOW}})
    )
    chain = await release.create(name, "a", account=account)
    status = await chain.until(lambda status: chains.phases(status).get("a") == "Running")
    return chain, account, status["latestRun"]["workflowId"]


async def assert_nothing_starts(
    release: chains.Installation, name: str, before: dict[str, Any]
) -> None:
    chain, account = release.chain(name), release.accounts[name]

    async def none_lives() -> bool:
        alive = await release.executions(f"{CHAIN_RUNS} AND ExecutionStatus = 'Running'")
        return not [item.id for item in alive if f"/{name}/" in item.id]

    async def is_as_before() -> bool:
        is_same = await chain.status() == before and len(await account.runs("a")) == 1
        return is_same and await none_lives()

    # A list lags behind what has ended.
    await eventually(none_lives, chains.SECONDS, what=f"no run of {name} is listed as live")
    # Several passes of the resync, which is what would start a run.
    assert await stays(is_as_before, 2)


def assert_ended_from_outside(status: dict[str, Any]) -> None:
    assert chains.ready(status)["status"] == "False"
    assert chains.condition(status, "Stalled")["status"] == "True"
    assert "stackchain.dev/run" in chains.ready(status)["message"]
    assert chains.phases(status) == {"a": "Failed", "b": "Skipped"}
    assert set(chains.reasons(status).values()) == {"ExecutionEnded"}


@pytest.mark.parametrize("operator", ["there", "away"])
async def test_a_live_workflow_that_is_ended_from_outside_is_told_and_not_started_again(
    release: chains.Installation, operator: str
) -> None:
    """One is terminated, one is deleted while it runs, whether or not an operator sees it."""
    names = [f"{how}-{operator}" for how in ("terminated", "deleted")]
    live = [await running_chain(release, name) for name in names]
    client = await release.temporal()

    if operator == "away":
        await release.operator.kill()
    await client.get_workflow_handle(live[0][2]).terminate("by hand")
    await delete_history(client, live[1][2])
    if operator == "away":
        await release.operator.start()
    for name, (chain, account, _) in zip(names, live, strict=True):
        status = await chain.ends("WorkflowTerminated")
        assert_ended_from_outside(status)
        # Its stacks' workflows were asked to stop when it ended.
        await account.run_in("a", "STOPPED")
        await assert_nothing_starts(release, name, status)

        # It is not lost: a person who asks gets a run.
        await account.admin("PATCH", "/stacks/a", {"durations": 0.2})
        await release.stackchains.annotate(name, run="again")
        ended = await chain.ends("RunSucceeded", number=2)
        assert ended["latestRun"]["cause"] == "RunToken"


async def test_all_histories_of_a_failed_chain_that_go_leave_its_status_as_it_was(
    release: chains.Installation,
) -> None:
    """As when the retention period has passed, for the chain and for its stacks."""
    account = await release.add_account("failed", account_document("a -> b -> c"))
    await account.script("b", "fail:applying")
    chain = await release.create("failed", "a", account=account)
    before = await chain.ends("StackFailed")
    client = await release.temporal()
    place = account.server.url.rpartition(":")[2]
    stacks = [
        item.id
        for item in await release.executions("WorkflowType = 'StackExecutionWorkflow'")
        if place in item.id
    ]

    await asyncio.gather(
        *(delete_history(client, item) for item in [before["latestRun"]["workflowId"], *stacks])
    )
    await release.operator.kill()
    await release.operator.start()

    await assert_nothing_starts(release, "failed", before)
    assert chains.phases(before) == {"a": "Succeeded", "b": "Failed", "c": "Skipped"}
