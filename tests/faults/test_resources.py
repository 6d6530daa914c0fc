"""What people do to a resource or its workflow while it runs: nothing is mixed up or lost."""

import asyncio
from typing import Any

import temporalio.service
from temporalio.api.common.v1 import WorkflowExecution
from temporalio.api.workflowservice.v1 import DeleteWorkflowExecutionRequest

from devenv import simulator_process
from tests.support import chains
from tests.support.chains import account_document
from tests.support.waiting import eventually, stays

SLOW = {"planning": 600}
OWN = f"api::{simulator_process.API_KEY.id}"


def ended_at(run: dict[str, Any]) -> float:
    return float(run["history"][-1]["at"])


async def is_ended(account: chains.Account, stack_id: str, *states: str) -> None:
    await account.run_in(stack_id, *states)


async def test_deleting_a_chain_stops_each_run_by_its_state_and_then_the_object_goes(
    release: chains.Installation,
) -> None:
    account = await release.add_account(
        "delete",
        account_document(
            "planning -> below -> lower -> lowest",
            stacks={
                "queued": {"durations": {"queued": 600}},
                "planning": {"durations": SLOW},
                "unconfirmed": {"autodeploy": False},
                "applying": {"durations": {"planning": 0.1, "applying": 600}},
            },
        ),
    )
    chain = await release.create(
        "delete", "queued", "planning", "unconfirmed", "applying", account=account
    )
    await asyncio.gather(
        account.run_in("queued", "QUEUED"),
        account.run_in("planning", "PLANNING"),
        account.run_in("unconfirmed", "UNCONFIRMED"),
        account.run_in("applying", "APPLYING"),
    )

    await release.stackchains.delete("delete")
    await chain.until(
        lambda status: (
            chains.ready(status)["reason"] == "Deleting"
            and "'applying'" in chains.ready(status)["message"]
        )
    )
    for stack_id, state in (
        ("queued", "CANCELED"),
        ("planning", "STOPPED"),
        ("unconfirmed", "DISCARDED"),
    ):
        await account.run_in(stack_id, state)
    await account.hurry()
    await chain.is_gone()

    ended = {run["stackId"]: run["state"] for run in await account.runs()}
    # A skipped run would let those behind it start, so they end first, the lowest before all.
    below = {run["stackId"]: run for run in await account.runs() if run["triggeredBy"] != OWN}
    assert [ended.pop(name) for name in ("below", "lower", "lowest")] == ["CANCELED"] * 3
    ends = [ended_at(below[name]) for name in ("lowest", "lower", "below")]
    assert ends == sorted(ends)
    assert ended == {
        "queued": "CANCELED",
        "planning": "STOPPED",
        "unconfirmed": "DISCARDED",
        # A run that applies cannot be stopped: the object waited for its end.
        "applying": "FINISHED",
    }


async def test_a_chain_that_is_recreated_under_its_name_starts_anew(
    release: chains.Installation,
) -> None:
    account = await release.add_account(
        "again", account_document("a -> b", stacks={"a": {"durations": SLOW}})
    )
    chain = await release.create("again", "a", account=account)
    await account.run_in("a", "PLANNING")
    old = (await chain.body())["metadata"]["uid"]
    await release.stackchains.delete("again")
    await chain.is_gone()

    await account.admin("PATCH", "/stacks/a", {"durations": 0.2})
    await release.create("again", "a", account=account)
    status = await chain.ends("RunSucceeded")

    assert old not in status["latestRun"]["workflowId"]
    assert [run["state"] for run in await account.runs("a")] == ["STOPPED", "FINISHED"]


async def test_a_finalizer_that_is_removed_by_force_makes_the_chain_cancel_itself(
    release: chains.Installation,
) -> None:
    account = await release.add_account(
        "forced", account_document("a -> b", stacks={"a": {"durations": SLOW}})
    )
    chain = await release.create("forced", "a", account=account)
    await account.run_in("a", "PLANNING")
    await release.operator.kill()

    await release.stackchains.delete("forced")
    await release.parts.kube.patch(
        release.stackchains.path("forced"), {"metadata": {"finalizers": None}}
    )
    await chain.is_gone()
    await release.operator.start()

    await is_ended(account, "a", "STOPPED")
    await is_ended(account, "b", "CANCELED", "SKIPPED")


async def live_workflow(release: chains.Installation, chain: chains.Chain) -> Any:
    status = await chain.until(lambda status: "latestRun" in status)
    client = await release.temporal()
    return client.get_workflow_handle(status["latestRun"]["workflowId"])


async def test_a_workflow_that_is_terminated_is_told_and_its_runs_are_stopped(
    release: chains.Installation,
) -> None:
    account = await release.add_account(
        "terminated", account_document("a -> b", stacks={"a": {"durations": SLOW}})
    )
    chain = await release.create("terminated", "a", account=account)
    await chain.until(lambda status: chains.phases(status).get("a") == "Running")

    await (await live_workflow(release, chain)).terminate()

    status = await chain.ends("WorkflowTerminated")
    assert chains.condition(status, "Stalled")["status"] == "True"
    assert chains.phases(status) == {"a": "Failed", "b": "Skipped"}
    assert "Running" in chains.stack(status, "a")["message"]
    await is_ended(account, "a", "STOPPED")


async def test_a_workflow_that_is_canceled_stops_its_runs_and_says_so(
    release: chains.Installation,
) -> None:
    account = await release.add_account(
        "canceled", account_document("a -> b", stacks={"a": {"durations": SLOW}})
    )
    chain = await release.create("canceled", "a", account=account)
    await chain.until(lambda status: chains.phases(status).get("a") == "Running")

    await (await live_workflow(release, chain)).cancel()

    status = await chain.ends("RunCanceled")
    assert chains.phases(status) == {"a": "Canceled", "b": "Canceled"}
    assert (await account.only_run("a"))["state"] == "STOPPED"
    assert (await account.only_run("b"))["state"] in ("CANCELED", "SKIPPED")


async def test_a_stack_whose_workflow_is_terminated_fails_with_what_to_do(
    release: chains.Installation,
) -> None:
    account = await release.add_account(
        "child", account_document("a -> b", stacks={"a": {"durations": SLOW}})
    )
    chain = await release.create("child", "a", account=account)
    await chain.until(lambda status: chains.phases(status).get("a") == "Running")
    client = await release.temporal()
    (execution,) = await release.listed(
        f"{account.server.url.rpartition(':')[2]}/a", "WorkflowType = 'StackExecutionWorkflow'"
    )

    await client.get_workflow_handle(execution.id).terminate()

    status = await chain.ends("StackFailed")
    assert chains.reasons(status) == {"a": "ExecutionEnded", "b": "UpstreamNotSucceeded"}
    assert "Spacelift" in chains.stack(status, "a")["message"]


async def test_nothing_starts_again_when_histories_are_deleted(
    release: chains.Installation,
) -> None:
    account = await release.add_account("histories", account_document("a -> b"))
    chain = await release.create("histories", "a", account=account)
    before = await chain.ends("RunSucceeded")
    client = await release.temporal()
    workflow_id = before["latestRun"]["workflowId"]
    await client.workflow_service.delete_workflow_execution(
        DeleteWorkflowExecutionRequest(
            namespace=client.namespace,
            workflow_execution=WorkflowExecution(workflow_id=workflow_id),
        ),
        retry=True,
    )

    async def is_deleted() -> bool:
        try:
            await client.get_workflow_handle(workflow_id).describe()
        except temporalio.service.RPCError as error:
            return error.status is temporalio.service.RPCStatusCode.NOT_FOUND
        return False

    await eventually(is_deleted, chains.SECONDS)
    await release.operator.kill()
    await release.operator.start()

    async def is_as_before() -> bool:
        return await chain.status() == before and len(await account.runs()) == 2

    assert await stays(is_as_before, 3)
    # And it can run again: the number continues from what the status knows.
    await release.stackchains.annotate("histories", run="after")
    await chain.ends("RunSucceeded", number=2)


async def test_a_run_that_a_person_triggers_meanwhile_is_not_taken_for_the_chains(
    release: chains.Installation,
) -> None:
    account = await release.add_account(
        "person", account_document("a -> b", stacks={"a": {"durations": 600}})
    )
    chain = await release.create("person", "a", account=account)
    ours = await account.run_in("a", "PLANNING")

    theirs = await account.trigger("a")
    await account.hurry()
    status = await chain.ends("RunSucceeded")

    assert chains.stack(status, "a")["runId"] == ours["id"]
    assert theirs["id"] not in {row["runId"] for row in status["stacks"]}
    await is_ended(account, "a", "FINISHED")
