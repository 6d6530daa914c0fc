"""From news to what follows from it: how many tasks that takes, and which activities."""

import asyncio

import pytest

from controller.api.v1alpha1 import Phase
from controller.temporal import ids
from tests.simulation import chain_runs
from tests.simulation.temporal import chance
from tests.simulation.temporal.history import Event, Kind
from tests.workflows.harness import phases
from tests.workflows.world import World, failure

TASKS, ACTIVITIES = 5, ["find_stack_run", "trigger_stack_run"]


def execution_id(stack_id: str) -> str:
    return ids.execution_workflow_id(account="account", stack_id=stack_id)


def events(run: chain_runs.ChainRun, stack_id: str) -> list[Event]:
    (found,) = [one for one in run.server.executions() if one.workflow_id == execution_id(stack_id)]
    return list(found.history.events)


def asked(found: list[Event]) -> list[str]:
    return [event.data.activity_type for event in found if event.kind is Kind.ACTIVITY_SCHEDULED]


def test_a_dependent_is_triggered_five_tasks_and_two_activities_after_its_upstream_ended() -> None:
    async def scenario(run: chain_runs.ChainRun) -> None:
        world = run.harness.world
        world.held = {"a"}
        handle = await run.harness.start()
        await run.until(lambda: "a" in world.calls("follow_stack_run"))
        await asyncio.sleep(10)
        await world.move("a", "FINISHED")
        assert phases(await handle.result()) == {"a": "Succeeded", "b": "Succeeded"}

    run = chain_runs.simulate(World("a~b"), scenario, seed=1, decide=chance.Steady())

    upper, lower = events(run, "a"), events(run, "b")
    ended = max(event.time for event in upper if event.kind is Kind.ACTIVITY_COMPLETED)
    triggered = next(
        event.time
        for event in lower
        if event.kind is Kind.ACTIVITY_SCHEDULED and event.data.activity_type == ACTIVITIES[-1]
    )
    tasks = [
        event
        for one in run.server.executions()
        for event in one.history.events
        if event.kind is Kind.TASK_COMPLETED and ended <= event.time <= triggered
    ]
    assert len(tasks) <= TASKS
    assert asked([event for event in lower if event.time <= triggered]) == ACTIVITIES


@pytest.mark.parametrize(
    ("problem", "follows"), [("", 1), ("Unreachable", 4)], ids=["it can be read", "it cannot"]
)
def test_a_wake_keeps_the_wait_if_nothing_is_new(problem: str, follows: int) -> None:
    async def scenario(run: chain_runs.ChainRun) -> None:
        world = run.harness.world
        world.held = {"a"}
        if problem:
            world.broken["read_stack_run", "a"] = failure(problem)
        handle = await run.harness.start()
        await run.until(lambda: "a" in world.calls("follow_stack_run"))
        execution = run.harness.client.get_workflow_handle(execution_id("a"))
        await asyncio.sleep(10)
        known = await run.harness.known(handle)
        assert known.stacks[0].phase is Phase.RUNNING
        before = world.calls("follow_stack_run").count("a")
        for _ in range(3):
            await execution.signal(ids.WAKE_SIGNAL)
            await asyncio.sleep(10)
        found.append(world.calls("follow_stack_run").count("a") - before + 1)
        await world.move("a", "FINISHED")
        assert phases(await handle.result()) == {"a": "Succeeded"}

    found: list[int] = []
    chain_runs.simulate(World(), scenario, seed=1)

    assert found == [follows]
