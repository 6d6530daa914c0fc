"""Someone who can write to the Temporal namespace, but has no key of ours, gets nothing done."""

import contextlib
import dataclasses
import json
from datetime import timedelta
from typing import Any

import httpx
import pytest
import temporalio.client
import temporalio.common
import temporalio.exceptions
import temporalio.service
import temporalio.worker
from temporalio import workflow

from controller import clock
from controller.api import v1alpha1
from controller.chain.graph import selection
from controller.chain.run import native_stops, progress
from controller.config import permissions, settings
from controller.temporal import ids, messages
from tests.support import chains, temporal
from tests.support.chains import account_document
from tests.support.waiting import eventually


def queue_of(release: chains.Installation) -> str:
    return f"{settings.DEFAULT_TASK_QUEUE}-{release.namespace}"


async def forged(
    release: chains.Installation, account: chains.Account, operation: str
) -> messages.ChainInput:
    scope = selection.Scope(
        roots=v1alpha1.Roots(stack_ids=("a",)), operation=v1alpha1.Operation(operation)
    )
    return messages.ChainInput(
        ref=v1alpha1.Ref(namespace=release.namespace, name="forged", uid="uid", generation=1),
        number=1,
        attempt=1,
        cause="Spec",
        operator_queue="nobody",
        connection=messages.AccountRef(
            name=account.name,
            endpoint=account.url,
            account="forged",
            grant=messages.Grant(
                use=permissions.ConnectionUse(namespace=release.namespace, operation=operation)
            ),
        ),
        scope=scope,
    )


async def refused(
    release: chains.Installation, argument: messages.ChainInput
) -> progress.ChainProgress:
    """Start a chain and return what it says once it has failed; no one takes its reports."""
    client = await release.temporal()
    handle = await client.start_workflow(
        ids.CHAIN_WORKFLOW, argument, id=temporal.unique("forged"), task_queue=queue_of(release)
    )

    async def has_failed() -> progress.ChainProgress | None:
        known: progress.ChainProgress = await handle.query(
            ids.PROGRESS_QUERY, result_type=progress.ChainProgress
        )
        return known if known.phase is v1alpha1.Phase.FAILED else None

    try:
        found = await eventually(has_failed, what="the forged chain has failed")
        assert found is not None
        return found
    finally:
        with contextlib.suppress(temporalio.service.RPCError):
            await handle.terminate()


async def test_a_start_that_no_operator_signed_does_nothing_and_says_so(
    release: chains.Installation,
) -> None:
    account = await release.add_account("forged-start", account_document("a -> b"))

    for operation in ("Apply", "Plan"):
        argument = await forged(release, account, operation)
        ended = await refused(release, argument)
        assert ended.reason == "SignatureInvalid"
        assert "not signed" in ended.message

    assert await refusals(release) >= 2
    assert await account.runs() == []
    assert (await account.admin("GET", "/requests"))["requests"] == []


async def refusals(release: chains.Installation) -> float:
    """Return how often the worker refused what was not signed."""
    async with httpx.AsyncClient(trust_env=False) as http:
        text = (await http.get(f"{release.worker.health_url}/metrics")).text
    name = 'stackchain_work_refused_total{reason="SignatureInvalid"} '
    (line,) = [line for line in text.splitlines() if line.startswith(name)]
    return float(line.removeprefix(name))


async def test_a_child_that_no_operator_signed_does_nothing_and_says_so(
    release: chains.Installation,
) -> None:
    account = await release.add_account("forged-child", account_document("a -> b"))
    client = await release.temporal()
    argument = await forged(release, account, "Apply")

    report = await client.execute_workflow(
        ids.EXECUTION_WORKFLOW,
        messages.StackExecutionInput(
            target=messages.StackRef(connection=argument.connection, stack_id="a"),
            chain=messages.ChainExecutionRef(
                workflow_id="stackchain/forged", workflow_run_id="", first_run_id=""
            ),
            marker="",
        ),
        id=temporal.unique("forged"),
        task_queue=queue_of(release),
        result_type=progress.StackReport,
    )

    assert (report.phase, report.reason) == ("Failed", "SignatureInvalid")
    assert await account.runs() == []
    assert (await account.admin("GET", "/requests"))["requests"] == []


async def test_what_was_signed_for_one_thing_is_not_obeyed_for_another(
    release: chains.Installation,
) -> None:
    """Histories can be read, and what they hold sent again with changes."""
    account = await release.add_account(
        "forged-copy", account_document("a -> b"), allowedOperations=["Apply", "Plan", "Destroy"]
    )
    chain = await release.create("forged-copy", "a", account=account, operation="Plan")
    await chain.ends("RunSucceeded")
    before = await account.runs()
    client = await release.temporal()
    signed, _ = await start_of(release, client, "forged-copy")
    changed = dataclasses.replace(
        signed, scope=dataclasses.replace(signed.scope, operation=v1alpha1.Operation.DESTROY)
    )

    ended = await refused(release, changed)

    assert signed.connection.grant.signature
    assert ended.reason == "SignatureInvalid"
    assert await account.runs() == before


async def test_a_copy_of_a_chains_start_does_nothing_though_it_is_signed(
    release: chains.Installation,
) -> None:
    """The operator confirms one execution of a run, before that triggers anything."""
    account = await release.add_account("replayed", account_document("a -> b"))
    chain = await release.create("replayed", "a", account=account)
    await chain.ends("RunSucceeded")
    before = await account.runs()
    client = await release.temporal()
    signed, execution = await start_of(release, client, "replayed")
    memo = {ids.MEMO: await execution.memo_value(ids.MEMO, type_hint=messages.ChainMemo)}
    # It closes after its last publish.
    await client.get_workflow_handle(execution.id).result()

    for workflow_id in (execution.id, temporal.unique("replayed")):
        ended: progress.ChainProgress = await client.execute_workflow(
            ids.CHAIN_WORKFLOW,
            signed,
            id=workflow_id,
            task_queue=queue_of(release),
            memo=memo,
            result_type=progress.ChainProgress,
        )
        assert ended.phase is v1alpha1.Phase.CANCELED

    assert await account.runs() == before
    assert (await chain.status())["latestRun"]["workflowRunId"] == execution.run_id


@workflow.defn(name="Forger", sandboxed=False)
class Forger:
    """An attacker's workflow, which puts work on the queue of our workers."""

    @workflow.run
    async def run(self, queue: str, name: str, argument: Any) -> None:
        await workflow.execute_activity(
            name,
            argument,
            task_queue=queue,
            start_to_close_timeout=timedelta(seconds=30),
            retry_policy=temporalio.common.RetryPolicy(maximum_attempts=1),
        )


async def test_what_a_history_holds_stops_no_run_outside_of_its_chain(
    release: chains.Installation,
) -> None:
    """`z` is a stack of others, whose run waits for a person."""
    account = await release.add_account(
        "forged-stop", account_document("a -> b", stacks={"z": {"autodeploy": False}})
    )
    chain = await release.create("forged-stop", "a", account=account)
    await chain.ends("RunSucceeded")
    run_id = (await account.trigger("z"))["id"]
    await account.run_in("z", "UNCONFIRMED")
    client = await release.temporal()
    signed, _ = await start_of(release, client, "forged-stop")
    forged_stop = messages.StopStackRunInput(
        target=messages.StackRef(connection=signed.connection, stack_id="z"),
        run_id=run_id,
        note="",
    )
    unwanted = native_stops.UnwantedRuns(
        stack_id="z", origin_run_ids=["0"], queuers=["jdoe@example.com"], note=""
    )
    forged_look = messages.StopNativeRunsInput(connection=signed.connection, targets=[unwanted])
    queue = temporal.unique("forger")

    async with temporalio.worker.Worker(client, task_queue=queue, workflows=[Forger]):
        for name, argument in (("stop_stack_run", forged_stop), ("stop_native_runs", forged_look)):
            with pytest.raises(temporalio.client.WorkflowFailureError) as caught:
                await client.execute_workflow(
                    Forger.run,
                    args=[queue_of(release), name, argument],
                    id=temporal.unique("forger"),
                    task_queue=queue,
                )
            cause = caught.value.cause.__cause__
            assert isinstance(cause, temporalio.exceptions.ApplicationError)
            assert cause.type == "SignatureInvalid"

    assert (await account.only_run("z"))["state"] == "UNCONFIRMED"


async def test_what_a_history_holds_triggers_nothing_outside_of_its_window(
    release: chains.Installation,
) -> None:
    """The permit is good, and says within which windows; without them it is not a permit."""
    account = await release.add_account("forged-window", account_document("a -> b"))
    window = v1alpha1.Window(cron=f"0 {(clock.now().hour + 12) % 24} * * *", duration_seconds=60)
    chain = await release.create(
        "forged-window",
        "a",
        account=account,
        window={"cron": window.cron, "durationSeconds": window.duration_seconds},
    )
    await chain.shows("WindowClosed")
    client = await release.temporal()
    signed, execution = await start_of(release, client, "forged-window")
    target = messages.StackRef(
        connection=signed.connection,
        stack_id="a",
        permit=await permit_of(client, execution, "a"),
        windows=(window,),
    )
    queue = temporal.unique("forger")

    async with temporalio.worker.Worker(client, task_queue=queue, workflows=[Forger]):
        for windows, expected in (((window,), "StackHeld"), ((), "SignatureInvalid")):
            forged_trigger = messages.TriggerStackRunInput(
                target=dataclasses.replace(target, windows=windows), newest_run_id="0", marker="m"
            )
            with pytest.raises(temporalio.client.WorkflowFailureError) as caught:
                await client.execute_workflow(
                    Forger.run,
                    args=[queue_of(release), ids.TRIGGER_ACTIVITY, forged_trigger],
                    id=temporal.unique("forger"),
                    task_queue=queue,
                )
            cause = caught.value.cause.__cause__
            assert isinstance(cause, temporalio.exceptions.ApplicationError)
            assert cause.type == expected

    assert await account.runs() == []


async def permit_of(
    client: temporalio.client.Client, execution: temporalio.client.WorkflowExecution, stack_id: str
) -> str:
    """Return the permit that a worker has handed out for a stack of a chain."""
    history = await client.get_workflow_handle(execution.id).fetch_history()
    for event in history.events:
        payloads = event.activity_task_completed_event_attributes.result.payloads
        for payload in payloads:
            read = json.loads(payload.data)
            for stack in read.get("stacks", ()) if isinstance(read, dict) else ():
                if stack["id"] == stack_id and stack.get("permit"):
                    return str(stack["permit"])
    raise AssertionError("no activity has handed out a permit")


async def start_of(
    release: chains.Installation, client: temporalio.client.Client, name: str
) -> tuple[messages.ChainInput, temporalio.client.WorkflowExecution]:
    """Return what a chain was started with, and its execution."""
    (execution,) = await release.listed(f"/{name}/", f"WorkflowType = '{ids.CHAIN_WORKFLOW}'")
    history = await client.get_workflow_handle(execution.id).fetch_history()
    payloads = history.events[0].workflow_execution_started_event_attributes.input.payloads
    (found,) = client.data_converter.payload_converter.from_payloads(
        payloads, [messages.ChainInput]
    )
    assert isinstance(found, messages.ChainInput)
    return found, execution
