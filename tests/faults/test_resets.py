"""Someone resets workflows in Temporal: the run continues, and nothing runs twice for a request."""

import asyncio
from typing import Any

import pytest

from tests.support import chains
from tests.support.chains import account_document
from tests.support.temporal import reset
from tests.support.waiting import eventually, stays

SLOW = {"planning": 300}


async def chain_in_progress(
    release: chains.Installation, name: str
) -> tuple[chains.Chain, chains.Account]:
    """Return a chain with a stack that has ended, one that runs, and one that waits for it."""
    account = await release.add_account(
        name, account_document("r -> a -> b", stacks={"a": {"durations": SLOW}})
    )
    chain = await release.create(name, "r", account=account)
    await chain.until(lambda status: chains.phases(status).get("a") == "Running")
    return chain, account


async def workflow_of(chain: chains.Chain) -> str:
    status = await chain.until(lambda status: (status.get("latestRun") or {}).get("workflowId"))
    return str(status["latestRun"]["workflowId"])


async def stack_workflow(
    release: chains.Installation, account: chains.Account, stack_id: str
) -> str:
    """Return the id of a stack's live workflow."""
    place = account.server.url.rpartition(":")[2]
    query = "WorkflowType = 'StackExecutionWorkflow' AND ExecutionStatus = 'Running'"

    async def found() -> str | None:
        items = await release.executions(query)
        return next((i.id for i in items if place in i.id and i.id.endswith(f"/{stack_id}")), None)

    workflow_id = await eventually(found, what=f"{stack_id} has a workflow")
    assert workflow_id is not None
    return workflow_id


async def shows_execution(chain: chains.Chain, run_id: str) -> dict[str, Any]:
    return await chain.until(
        lambda status: (
            status["latestRun"]["workflowRunId"] == run_id
            and chains.phases(status).get("a") == "Running"
        ),
        what="the status follows the new execution",
    )


async def runs_of(account: chains.Account) -> dict[str, int]:
    """Return how many runs each stack has."""
    return {stack: len(await account.runs(stack)) for stack in ("r", "a", "b")}


@pytest.mark.parametrize("to", ["first", "last"])
async def test_a_live_chain_that_is_reset_continues_with_the_runs_that_it_has(
    release: chains.Installation, to: str
) -> None:
    chain, account = await chain_in_progress(release, f"chain-{to}")

    run_id = await reset(await release.temporal(), await workflow_of(chain), to=to)

    status = await shows_execution(chain, run_id)
    assert status["latestRun"]["number"] == 1
    assert chains.ready(status)["reason"] == "Progressing"
    await account.hurry()
    await chain.ends("RunSucceeded")
    assert await runs_of(account) == {"r": 1, "a": 1, "b": 1}


async def test_a_chain_that_is_reset_twice_runs_nothing_twice(
    release: chains.Installation,
) -> None:
    chain, account = await chain_in_progress(release, "chain-twice")
    client, workflow_id = await release.temporal(), await workflow_of(chain)

    for to in ("first", "first", "last"):
        await shows_execution(chain, await reset(client, workflow_id, to=to))

    await account.hurry()
    await chain.ends("RunSucceeded")
    assert await runs_of(account) == {"r": 1, "a": 1, "b": 1}


async def test_a_second_reset_of_the_first_execution_ends_the_one_in_between(
    release: chains.Installation,
) -> None:
    """Temporal terminates it, and its stacks stop their runs: the chain finds them stopped."""
    chain, account = await chain_in_progress(release, "chain-again")
    client, workflow_id = await release.temporal(), await workflow_of(chain)
    first = (await client.get_workflow_handle(workflow_id).describe()).run_id
    await shows_execution(chain, await reset(client, workflow_id, to="first"))

    await reset(client, workflow_id, to="first", run_id=first)

    await account.hurry()
    status = await chain.until(lambda status: status["latestRun"].get("completionTime"))
    assert chains.ready(status)["reason"] in ("StackCanceled", "RunSucceeded")
    assert await runs_of(account) == {"r": 1, "a": 1, "b": 1}


async def test_what_ended_under_an_execution_in_between_is_heard_of_by_the_next_one(
    release: chains.Installation,
) -> None:
    """Temporal has told the end of the stack to the one in between, and tells it to no other."""
    document = account_document(
        "r -> a -> b", stacks={"a": {"durations": SLOW}, "b": {"autodeploy": False}}
    )
    account = await release.add_account("chain-between", document)
    chain = await release.create("chain-between", "r", account=account)
    await chain.until(lambda status: chains.phases(status).get("a") == "Running")
    client, workflow_id = await release.temporal(), await workflow_of(chain)
    first = (await client.get_workflow_handle(workflow_id).describe()).run_id
    await shows_execution(chain, await reset(client, workflow_id, to="last"))
    await account.hurry()
    await chain.until(lambda status: chains.phases(status).get("b") == "AwaitingConfirmation")

    await reset(client, workflow_id, to="last", run_id=first)

    status = await chain.until(lambda status: status["latestRun"].get("completionTime"))
    assert chains.phases(status)["a"] == "Succeeded"
    assert await runs_of(account) == {"r": 1, "a": 1, "b": 1}


@pytest.mark.parametrize("to", ["first", "last"])
async def test_a_live_stack_whose_workflow_is_reset_continues_with_its_run(
    release: chains.Installation, to: str
) -> None:
    chain, account = await chain_in_progress(release, f"stack-{to}")

    await reset(await release.temporal(), await stack_workflow(release, account, "a"), to=to)

    async def runs_once() -> bool:
        status = await chain.status()
        return chains.phases(status).get("a") in ("Running", "Waiting") and (
            len(await account.runs("a")) == 1
        )

    assert await stays(runs_once, 5)
    await account.hurry()
    await chain.ends("RunSucceeded")
    assert await runs_of(account) == {"r": 1, "a": 1, "b": 1}


@pytest.mark.parametrize("what", ["chain", "stack"])
async def test_a_reset_while_the_answer_to_a_trigger_is_lost_triggers_nothing_more(
    release: chains.Installation, what: str
) -> None:
    name = f"lost-{what}"
    account = await release.add_account(name, account_document("a -> b"))
    fault = {"when": "after", "action": "timeout", "count": 1}
    await account.fault(field="runTrigger", stack="a", **fault)
    chain = await release.create(name, "a", account=account)

    async def is_triggered() -> bool:
        return bool(await account.runs("a"))

    await eventually(is_triggered, what="a run is there, and its answer on its way")
    workflow_id = (
        await workflow_of(chain) if what == "chain" else await stack_workflow(release, account, "a")
    )

    await reset(await release.temporal(), workflow_id, to="first")

    await chain.ends("RunSucceeded")
    assert [len(await account.runs(stack)) for stack in ("a", "b")] == [1, 1]


@pytest.mark.parametrize(("what", "to"), [("chain", "first"), ("chain", "last"), ("stack", "last")])
async def test_a_cancel_after_a_reset_stops_the_run_that_was_there_before(
    release: chains.Installation, what: str, to: str
) -> None:
    """Temporal lets no parent cancel a child that an execution before a reset has started."""
    name = f"canceled-{what}-{to}"
    chain, account = await chain_in_progress(release, name)
    client = await release.temporal()
    if what == "chain":
        await shows_execution(chain, await reset(client, await workflow_of(chain), to=to))
    else:
        await reset(client, await stack_workflow(release, account, "a"), to=to)

    await release.stackchains.annotate(name, cancel="1")

    await chain.ends("RunCanceled")
    assert (await account.only_run("a"))["state"] == "STOPPED"
    assert (await account.only_run("b"))["state"] in ("CANCELED", "SKIPPED")


@pytest.mark.parametrize("how", ["canceled", "terminated", "invalid"])
async def test_the_end_of_a_chain_that_was_reset_stops_what_it_has_not_found_again_yet(
    release: chains.Installation, how: str
) -> None:
    """The end comes while the stacks are read again, and the run is from before the reset.

    A takeover that is cut short leaves a terminated workflow behind, and its run unattended.
    """
    chain, account = await chain_in_progress(release, f"ended-{how}")
    client = await release.temporal()
    await account.fault(field="stack", action="latency", seconds=1.5, count=4)
    if how == "invalid":
        await account.admin("DELETE", "/stacks/r")
    stack_workflow_id = await stack_workflow(release, account, "a")

    await reset(client, await workflow_of(chain), to="first")

    if how == "invalid":
        await chain.ends("UnknownStack")
    else:
        if how == "terminated":
            await client.get_workflow_handle(stack_workflow_id).terminate()
        await release.stackchains.annotate(f"ended-{how}", cancel="1")
        status = await chain.ends("RunCanceled")
        assert chains.phases(status) == {"r": "Succeeded", "a": "Canceled", "b": "Canceled"}
        assert chains.stack(status, "a")["runId"] == (await account.only_run("a"))["id"]
    assert (await account.only_run("a"))["state"] == "STOPPED"
    assert (await account.only_run("b"))["state"] in ("CANCELED", "SKIPPED")


async def test_a_reset_of_a_run_that_is_over_changes_and_runs_nothing(
    release: chains.Installation,
) -> None:
    account = await release.add_account("over", account_document("a -> b"))
    chain = await release.create("over", "a", account=account)
    before = await chain.ends("RunSucceeded")
    client = await release.temporal()

    await reset(client, await workflow_of(chain), to="first")

    async def is_as_before() -> bool:
        runs = [len(await account.runs(stack)) for stack in ("a", "b")]
        return await chain.status() == before and runs == [1, 1]

    assert await stays(is_as_before, 3)
    # It has ended, and is in no one's way.
    await release.stackchains.annotate("over", run="again")
    await chain.ends("RunSucceeded", number=2)


async def test_a_reset_of_an_execution_before_a_reset_is_in_no_ones_way(
    release: chains.Installation,
) -> None:
    """The run is over, and the stack that the new execution waits for has ended long ago."""
    chain, account = await chain_in_progress(release, "chain-late")
    client, workflow_id = await release.temporal(), await workflow_of(chain)
    first = (await client.get_workflow_handle(workflow_id).describe()).run_id
    await shows_execution(chain, await reset(client, workflow_id, to="last"))
    await account.hurry()
    await chain.ends("RunSucceeded")

    await reset(client, workflow_id, to="last", run_id=first)

    await release.stackchains.annotate("chain-late", run="again")
    await account.hurry()
    await chain.ends("RunSucceeded", number=2)
    assert await runs_of(account) == {"r": 2, "a": 2, "b": 2}


async def test_a_reset_of_an_earlier_run_ends_the_live_one_which_the_status_says(
    release: chains.Installation,
) -> None:
    """Temporal lets one execution of a workflow id live, and terminates the other one."""
    account = await release.add_account("earlier", account_document("a -> b"))
    chain = await release.create("earlier", "a", account=account)
    await chain.ends("RunSucceeded")
    client, workflow_id = await release.temporal(), await workflow_of(chain)
    first = (await client.get_workflow_handle(workflow_id).describe()).run_id
    await account.admin("PATCH", "/stacks/a", {"durations": SLOW})
    await release.stackchains.annotate("earlier", run="again")
    await chain.until(
        lambda status: (
            status["latestRun"]["number"] == 2 and chains.phases(status).get("a") == "Running"
        )
    )

    await reset(client, workflow_id, to="first", run_id=first)

    status = await chain.ends("WorkflowTerminated", number=2)
    assert chains.reasons(status) == {"a": "ExecutionEnded", "b": "ExecutionEnded"}
    await asyncio.sleep(1)
    assert len(await account.runs("a")) == 2
