"""What the operator does at Temporal, against a real server."""

import asyncio
import dataclasses
import uuid
from datetime import timedelta

import pytest
import temporalio.client
import temporalio.worker
from temporalio import workflow
from temporalio.client import Client

from controller.api import v1alpha1
from controller.api.v1alpha1 import Phase
from controller.chain.requests import executions, next_request
from controller.chain.run import progress
from controller.temporal import ids, messages
from controller.temporal.operator import starter
from tests.support.builders import make_scope, make_use
from tests.support.waiting import eventually
from tests.workflows.conftest import Serve
from tests.workflows.harness import Harness
from tests.workflows.turns import turn_at
from tests.workflows.world import World

# More than a busy machine takes to say that no one is there.
IN_TIME_SECONDS = 30.0
HANDLED = v1alpha1.Handled(spec="digest", run="token")


@workflow.defn(name=ids.CHAIN_WORKFLOW, sandboxed=False)
class BrokenChain:
    """What a bad release would be: it fails at each workflow task."""

    @workflow.run
    async def run(self, argument: messages.ChainInput) -> progress.ChainProgress:
        raise KeyError(argument.ref.name)


def make_ref() -> v1alpha1.Ref:
    return v1alpha1.Ref(namespace="team", name="demo", uid=str(uuid.uuid4()), generation=3)


def make_request(number: int = 1) -> next_request.Request:
    return next_request.Request(
        key="spec:3:digest",
        number=number,
        attempt=1,
        cause=v1alpha1.Cause.SPEC,
        handled=HANDLED,
    )


def make_input(chain: Harness, ref: v1alpha1.Ref) -> messages.ChainInput:
    return messages.ChainInput(
        ref=ref,
        number=1,
        attempt=1,
        cause="Spec",
        operator_queue=chain.operator_queue,
        connection=messages.AccountRef(
            name="default",
            endpoint=chain.endpoint,
            account=chain.account,
            grant=messages.Grant(use=make_use()),
        ),
        scope=make_scope(*chain.world.roots),
    )


def make_workflows(
    chain: Harness, *, installation: str = "here", task_queue: str = ""
) -> starter.ChainWorkflows:
    return starter.ChainWorkflows(
        lambda: chain.client,
        installation=installation,
        task_queue=task_queue or chain.task_queue,
        query_timeout=timedelta(seconds=0.3 if task_queue else 5),
    )


async def start(
    chain: Harness, workflows: starter.ChainWorkflows, ref: v1alpha1.Ref, *, number: int = 1
) -> executions.Execution:
    execution = await workflows.start(ref, make_request(number), make_input(chain, ref))
    chain.handles.append(
        chain.client.get_workflow_handle(execution.workflow_id, run_id=execution.workflow_run_id)
    )
    return execution


async def test_a_run_is_started_once_and_known_by_its_memo(serve: Serve) -> None:
    world = World()
    world.held = {"a"}
    chain = await serve(world)
    workflows, ref = make_workflows(chain), make_ref()
    before = await workflows.latest(ref)

    started = await start(chain, workflows, ref)
    with pytest.raises(starter.AlreadyStarted):
        await workflows.start(ref, make_request(), make_input(chain, ref))
    running = await workflows.latest(ref)
    await chain.called("follow_stack_run", "a")
    known = await workflows.get_progress(started)

    assert before is None
    assert running is not None
    assert (running.workflow_run_id, running.state) == (
        started.workflow_run_id,
        executions.ExecutionState.RUNNING,
    )
    assert (running.handled, running.generation, running.number) == (HANDLED, 3, 1)
    assert known is not None
    assert known.stacks[0].run_id == world.run_of("a").id
    await world.move("a", "FINISHED")


async def test_temporals_web_ui_says_which_chain_and_which_stack_it_is(serve: Serve) -> None:
    world = World()
    world.held = {"a"}
    chain = await serve(world)
    workflows, ref = make_workflows(chain), make_ref()
    started = await start(chain, workflows, ref)
    await chain.called("follow_stack_run", "a")

    of_chain = await chain.client.get_workflow_handle(started.workflow_id).describe()
    of_stack = await chain.execution("a").describe()

    assert await of_chain.static_summary() == "team/demo run 1"
    assert await of_chain.static_details() == "Apply. Roots: a. Request: spec:3:digest."
    assert await of_stack.static_summary() == "a for team/demo run 1"
    await world.move("a", "FINISHED")


async def test_a_closed_run_is_read_from_its_result_and_may_be_followed_by_another(
    serve: Serve,
) -> None:
    chain = await serve(World())
    workflows, ref = make_workflows(chain), make_ref()
    started = await start(chain, workflows, ref)

    await workflows.await_close(started.workflow_id, started.workflow_run_id)
    closed = await workflows.latest(ref)
    await workflows.cancel(started.workflow_id, started.workflow_run_id)
    await workflows.set_parallelism(started, 3)

    assert closed is not None
    assert closed.state is executions.ExecutionState.CLOSED
    assert closed.close_time is not None
    known = await workflows.get_progress(closed)
    assert known is not None
    assert known.phase is Phase.SUCCEEDED
    second = await start(chain, workflows, ref, number=2)
    latest = await workflows.latest(ref)
    assert latest is not None
    assert (latest.workflow_run_id, latest.number) == (second.workflow_run_id, 2)


async def test_a_run_whose_history_is_gone_has_no_facts_and_is_no_outage(serve: Serve) -> None:
    """Retention may end it between the look at it and the look into it."""
    chain = await serve(World())
    workflows, ref = make_workflows(chain), make_ref()
    started = await start(chain, workflows, ref)
    gone = dataclasses.replace(started, workflow_run_id=str(uuid.uuid4()))

    assert await workflows.get_progress(gone) is None
    closed = dataclasses.replace(gone, state=executions.ExecutionState.CLOSED)
    assert await workflows.get_progress(closed) is None
    await workflows.await_close(gone.workflow_id, gone.workflow_run_id)


async def test_a_terminated_run_has_no_facts_of_its_own(serve: Serve) -> None:
    world = World()
    world.held = {"a"}
    chain = await serve(world)
    workflows, ref = make_workflows(chain), make_ref()
    started = await start(chain, workflows, ref)
    await chain.called("follow_stack_run", "a")
    await chain.handles[0].terminate(reason="by hand,\nfor a test")

    terminated = await workflows.latest(ref)

    assert terminated is not None
    assert terminated.state is executions.ExecutionState.TERMINATED
    assert await workflows.get_progress(terminated) is None
    assert await workflows.termination(terminated) == "by hand, for a test"
    await workflows.await_close(started.workflow_id, started.workflow_run_id)


async def test_a_live_run_takes_a_new_bound_and_a_cancel(serve: Serve) -> None:
    world = World()
    world.held = {"a"}
    chain = await serve(world)
    workflows, ref = make_workflows(chain), make_ref()
    started = await start(chain, workflows, ref)
    await chain.called("follow_stack_run", "a")

    await workflows.set_parallelism(started, 7)
    known = await workflows.get_progress(started)
    await workflows.cancel(started.workflow_id, started.workflow_run_id)
    await workflows.await_close(started.workflow_id, started.workflow_run_id)

    assert known is not None
    assert known.policies.parallelism == 7
    assert world.states("a") == ["STOPPED"]


async def test_without_a_worker_a_query_says_so_in_time(serve: Serve) -> None:
    chain = await serve(World())
    workflows, ref = make_workflows(chain, task_queue=f"{chain.task_queue}-none"), make_ref()
    started = await workflows.start(ref, make_request(), make_input(chain, ref))

    with pytest.raises(starter.NoWorker):
        await asyncio.wait_for(workflows.get_progress(started), IN_TIME_SECONDS)

    await chain.client.get_workflow_handle(started.workflow_id).terminate()


async def test_a_worker_that_went_away_counts_as_none(
    serve: Serve, temporal_client: Client
) -> None:
    chain = await serve(World())
    queue = f"{chain.task_queue}-short"
    workflows, ref = make_workflows(chain, task_queue=queue), make_ref()
    async with temporalio.worker.Worker(temporal_client, task_queue=queue, workflows=[BrokenChain]):
        started = await workflows.start(ref, make_request(), make_input(chain, ref))
        handle = chain.client.get_workflow_handle(started.workflow_id)

        async def has_failed() -> bool:
            history = await handle.fetch_history()
            return any(e.HasField("workflow_task_failed_event_attributes") for e in history.events)

        await eventually(has_failed)
        # The worker is there, and fails at the workflow: the server refuses the query or waits.
        with pytest.raises(starter.NoWorker):
            await asyncio.wait_for(workflows.get_progress(started), IN_TIME_SECONDS)

        async def is_told() -> str:
            found = await workflows.latest(ref)
            assert found is not None
            assert found.task_attempts > 1
            failure = await workflows.task_failure(found)
            assert failure is not None
            return failure

        # Only the first failure is in the history; the number of attempts shows that it continues.
        assert "demo" in await eventually(is_told)

    with pytest.raises(starter.NoWorker):
        await asyncio.wait_for(workflows.get_progress(started), IN_TIME_SECONDS)
    await handle.terminate()


async def test_only_live_runs_of_the_own_installation_are_listed(serve: Serve) -> None:
    world = World()
    world.held = {"a"}
    chain = await serve(world)
    here, there = f"here-{chain.account}", f"there-{chain.account}"
    ours, theirs = (make_workflows(chain, installation=name) for name in (here, there))
    first = await start(chain, ours, make_ref())
    await start(chain, theirs, make_ref())
    done = await start(chain, ours, make_ref())
    await ours.cancel(done.workflow_id, done.workflow_run_id)
    await ours.await_close(done.workflow_id, done.workflow_run_id)

    async def listed() -> bool:
        found = await ours.list_running()
        assert [item.workflow_run_id for item in found.executions] == [first.workflow_run_id]
        assert found.executions[0].memo.installation == here
        return True

    await eventually(listed)
    for handle in chain.handles:
        await handle.cancel()


async def test_an_end_is_waited_for_however_it_comes(serve: Serve) -> None:
    chain = await serve(World())
    handle = await chain.client.start_workflow(
        "Something", id=f"{chain.account}/x", task_queue=f"{chain.task_queue}-none"
    )
    waiting = asyncio.create_task(turn_at(chain.client, handle.id))

    await handle.terminate()

    await asyncio.wait_for(waiting, 60)
    await asyncio.wait_for(turn_at(chain.client, handle.id), 60)


async def test_an_id_that_never_was_has_ended(temporal_client: Client) -> None:
    await asyncio.wait_for(turn_at(temporal_client, "never-was"), 60)
