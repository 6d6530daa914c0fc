"""Two chains share a stack: they take turns, whatever happens to one of them."""

from controller.api.v1alpha1 import Phase
from tests.support.waiting import eventually
from tests.workflows.conftest import Serve
from tests.workflows.harness import phases
from tests.workflows.world import World


async def test_the_second_chain_waits_for_its_turn_and_has_a_run_of_its_own(
    serve: Serve,
) -> None:
    world = World()
    world.held = {"a"}
    chain = await serve(world)
    first = await chain.start("first")
    await chain.stack_shows(first, "a", Phase.RUNNING)
    second = await chain.start("second")
    await chain.stack_shows(second, "a", Phase.WAITING, "StackBusy")

    await world.move("a", "FINISHED")
    await chain.stack_shows(second, "a", Phase.RUNNING)
    await world.move("a", "FINISHED")

    assert (await first.result()).phase is Phase.SUCCEEDED
    assert (await second.result()).phase is Phase.SUCCEEDED
    assert world.states("a") == ["FINISHED", "FINISHED"]


async def test_a_chain_canceled_while_it_waits_leaves_the_others_run_alone(
    serve: Serve,
) -> None:
    world = World()
    world.held = {"a"}
    chain = await serve(world)
    first = await chain.start("first")
    await chain.stack_shows(first, "a", Phase.RUNNING)
    second = await chain.start("second")
    await chain.stack_shows(second, "a", Phase.WAITING, "StackBusy")

    await second.cancel()
    canceled = await second.result()
    await world.move("a", "FINISHED")

    assert phases(canceled) == {"a": "Canceled"}
    assert (await first.result()).phase is Phase.SUCCEEDED
    assert world.calls("stop_stack_run") == []


async def test_canceled_while_it_waits_it_stops_the_run_that_it_was_to_adopt(
    serve: Serve,
) -> None:
    world = World("a>b")
    chain = await serve(world)
    world.held = {"b"}
    world.holds_in["b"] = "QUEUED"
    first = await chain.start("first", roots=["b"])
    await chain.called("fetch_dependent_stacks")
    await chain.stack_shows(first, "b", Phase.WAITING, "RunQueued")
    other = world.run_of("b").id
    second = await chain.start("second")
    await chain.stack_shows(second, "b", Phase.WAITING, "StackBusy")

    await second.cancel()
    canceled = await second.result()

    assert phases(canceled) == {"a": "Succeeded", "b": "Canceled"}
    natives = {run.state for run in world.runs.values() if run.is_native}
    assert natives == {"CANCELED"}
    assert world.runs[other].state == "QUEUED"
    await first.cancel()
    assert phases(await first.result())["b"] == "Canceled"


async def test_a_terminated_execution_frees_the_stack(serve: Serve) -> None:
    world = World()
    world.held = {"a"}
    chain = await serve(world)
    first = await chain.start("first")
    await chain.stack_shows(first, "a", Phase.RUNNING)
    second = await chain.start("second")
    await chain.stack_shows(second, "a", Phase.WAITING, "StackBusy")

    await chain.execution("a").terminate("by hand")

    known = await first.result()
    assert (known.stacks[0].phase, known.stacks[0].reason) == (Phase.FAILED, "ExecutionEnded")
    await eventually(lambda: len(world.states("a")) == 2)
    await world.move("a", "FINISHED")
    assert (await second.result()).phase is Phase.SUCCEEDED
