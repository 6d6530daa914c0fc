"""The chain's workflows on the stand-in for Temporal: to their ends, by seed, with replays."""

import asyncio
from typing import Any

import pytest
from temporalio.api.workflowservice.v1 import ResetWorkflowExecutionRequest
from temporalio.client import WorkflowHandle

from controller.api import v1alpha1
from controller.chain.run import progress
from controller.temporal import ids, messages
from controller.temporal.activities import execution_waits
from tests.simulation import chain_runs
from tests.simulation.temporal import chance, resets
from tests.workflows.harness import phases
from tests.workflows.world import World, failure

LINE = ("a>b", "b>c", "c>d", "d>e")
ALL_SUCCEEDED = dict.fromkeys("abcde", "Succeeded")
# At each turn, whoever waits learns who has the stack now, and writes it: two activities.
EVENTS_OF_A_CHAIN, EVENTS_OF_A_TURN = 80, 12


def run_line(seed: int, decide: chance.Chance | None = None) -> chain_runs.ChainRun:
    async def scenario(run: chain_runs.ChainRun) -> None:
        handle = await run.harness.start()
        known = await handle.result()

        assert phases(known) == ALL_SUCCEEDED

    return chain_runs.simulate(World(*LINE), scenario, seed=seed, decide=decide)


@pytest.mark.parametrize("seed", range(10))
def test_five_stacks_run_one_after_the_other(seed: int) -> None:
    run = run_line(seed)

    assert run.harness.world.calls("trigger_stack_run") == ["a"]
    assert {execution.status.name for execution in run.server.executions()} == {"COMPLETED"}


def test_a_seed_makes_one_course_and_another_seed_another() -> None:
    assert run_line(1).course() == run_line(1).course()
    assert run_line(1).course() != run_line(2).course()


def test_all_is_replayed_before_each_task() -> None:
    run_line(3, chance.Seeded(3, probabilities={chance.REPLAY: 1.0}))


@pytest.mark.parametrize("seed", range(10))
def test_a_killed_worker_is_replaced(seed: int) -> None:
    async def scenario(run: chain_runs.ChainRun) -> None:
        handle = await run.harness.start()
        for step in range(3):
            await asyncio.sleep(0.5 + 0.3 * step)
            run.worker.kill()
            await asyncio.sleep(1)
            run.start_worker()
        known = await handle.result()

        assert phases(known) == ALL_SUCCEEDED

    world = World(*LINE)
    run = chain_runs.simulate(world, scenario, seed=seed)

    assert {execution.status.name for execution in run.server.executions()} == {"COMPLETED"}


@pytest.mark.parametrize("seed", range(5))
def test_an_outage_of_temporal_is_waited_for(seed: int) -> None:
    async def scenario(run: chain_runs.ChainRun) -> None:
        handle = await run.harness.start()
        await asyncio.sleep(1)
        run.server.go_down()
        await asyncio.sleep(30)
        run.server.come_up()
        known = await handle.result()

        assert phases(known) == ALL_SUCCEEDED

    chain_runs.simulate(World(*LINE), scenario, seed=seed)


@pytest.mark.parametrize("seed", range(5))
def test_a_canceled_chain_stops_what_runs(seed: int) -> None:
    async def scenario(run: chain_runs.ChainRun) -> None:
        world = run.harness.world
        world.held = {"b"}
        handle = await run.harness.start()
        await run.until(lambda: "b" in world.calls("follow_stack_run"))
        await handle.cancel()
        known: progress.ChainProgress = await handle.result()

        assert known.phase == "Canceled"
        assert phases(known)["a"] == "Succeeded"
        assert phases(known)["b"] == "Canceled"

    chain_runs.simulate(World(*LINE), scenario, seed=seed)


@pytest.mark.parametrize("seed", range(3))
def test_a_chain_triggers_nothing_before_its_resource_has_answered(seed: int) -> None:
    async def scenario(run: chain_runs.ChainRun) -> None:
        world = run.harness.world
        answered = world.gate("publish_chain_status", "")
        handle = await run.harness.start()
        await run.until(lambda: world.calls("publish_chain_status"))
        await asyncio.sleep(30)
        before = world.calls("trigger_stack_run")
        world.publish_error = failure("ResourceGone", final=True)
        answered.set()
        known = await handle.result()

        assert before == world.calls("trigger_stack_run") == []
        assert known.phase == "Canceled"

    chain_runs.simulate(World(*LINE), scenario, seed=seed)


def reset(
    run: chain_runs.ChainRun, chain: WorkflowHandle[Any, Any]
) -> WorkflowHandle[Any, progress.ChainProgress]:
    """Reset a chain's workflow to its last completed workflow task."""
    execution = run.server.latest(chain.id)
    assert execution is not None
    _, at = execution.history.tasks[-1]
    resets.reset(
        run.server,
        execution,
        ResetWorkflowExecutionRequest(
            reason="by an administrator", workflow_task_finish_event_id=at
        ),
    )
    return run.harness.client.get_workflow_handle(chain.id, result_type=progress.ChainProgress)


@pytest.mark.parametrize("started", [[], ["a"]], ids=["before a stack starts", "between stacks"])
@pytest.mark.parametrize("seed", range(3))
def test_a_chain_that_was_reset_starts_no_stack_before_its_resource_has_answered(
    seed: int, started: list[str]
) -> None:
    """Its run may have ended for the resource, which it does not know any more."""

    async def scenario(run: chain_runs.ChainRun) -> None:
        world = run.harness.world
        read = world.gate("fetch_dependent_stacks", "")
        world.held = {"a"}
        if started:
            read.set()
        handle = await run.harness.start(parallelism=1)
        await run.until(lambda: world.calls("publish_chain_status"))
        await asyncio.sleep(30)
        world.publish_error = failure("Superseded", final=True)
        again = reset(run, handle)
        read.set()
        if started:
            await world.move("a", "FINISHED")
        known = await again.result()

        assert world.calls("trigger_stack_run") == started
        assert known.phase == "Canceled"

    chain_runs.simulate(World(roots=("a", "b")), scenario, seed=seed)


def test_what_waits_for_a_stack_starts_once_its_execution_has_closed() -> None:
    """No report of the end is trusted: the execution may still have its run."""

    async def scenario(run: chain_runs.ChainRun) -> None:
        world = run.harness.world
        world.held = {"a"}
        handle = await run.harness.start()
        await run.until(lambda: "a" in world.calls("follow_stack_run"))
        ended = progress.StackReport(
            stack_id="a", phase=v1alpha1.Phase.SUCCEEDED, reason="RunFinished"
        )
        await handle.signal(ids.REPORT_SIGNAL, args=[ended, handle.first_execution_run_id])
        await asyncio.sleep(30)
        before = world.calls("trigger_stack_run")
        world.held = set()
        await world.move("a", "FINISHED")
        known = await handle.result()

        assert before == ["a"]
        assert phases(known) == {"a": "Succeeded", "b": "Succeeded"}

    chain_runs.simulate(World("a~b"), scenario, seed=1)


def test_fifty_chains_are_served_in_the_order_in_which_they_came() -> None:
    """All see each end; it costs them no more than saying who has the stack then."""
    world = World()
    world.pace, world.held = execution_waits.Pace(), {"a"}
    names = [f"{number:02}" for number in range(51)]

    async def scenario(run: chain_runs.ChainRun) -> None:
        handles = []
        for place, name in enumerate(names):
            handles.append(await run.harness.start(name))
            if place == 0:
                await run.until(lambda: "a" in world.calls("follow_stack_run"))
            await run.until(lambda place=place: len(waiting_chains(world)) == place)
        for place in range(len(names)):
            await run.until(lambda place=place: len(world.states("a")) == place + 1)
            await asyncio.sleep(5)
            await world.move("a", "FINISHED")
        for handle in handles:
            await handle.result()

    run = chain_runs.simulate(world, scenario, seed=1)

    triggers = world.arguments_of(messages.TriggerStackRunInput)
    assert [item.marker for item in triggers] == [f"stackchain team/{name} run 1" for name in names]
    events = {one.workflow_id: len(one.history.events) for one in run.server.executions()}
    for place, name in enumerate(names):
        assert events[f"account/{name}"] <= EVENTS_OF_A_CHAIN + EVENTS_OF_A_TURN * place


def waiting_chains(world: World) -> set[str]:
    """Return the chains that have begun to wait for a stack."""
    return {item.chain.workflow_id for item in world.arguments_of(messages.AwaitTurnInput)}
