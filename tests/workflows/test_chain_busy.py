"""Two chains share a stack: they take turns, whatever happens to one of them."""

import dataclasses
from typing import Any

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


async def test_who_has_a_stack_is_told_and_what_its_run_waits_for(serve: Serve) -> None:
    world = World()
    world.held, world.holds_in["a"] = {"a"}, "UNCONFIRMED"
    chain = await serve(world)
    first = await chain.start("first")
    await chain.stack_shows(first, "a", Phase.AWAITING_CONFIRMATION)
    second = await chain.start("second")

    row = await message_of(chain, second, "waits for a person")
    await world.move("a", "APPLYING")
    later = await message_of(chain, second, "run 1. This chain")

    assert row.startswith(
        "Another chain is running 'a': team/first run 1, whose run waits for a person. This"
    )
    assert row.endswith(later.rpartition(": ")[2])
    assert "waits for a person" not in later
    await world.move("a", "FINISHED")
    await first.result()
    await chain.stack_shows(second, "a", Phase.AWAITING_CONFIRMATION)
    await world.move("a", "FINISHED")


async def message_of(chain: Any, handle: Any, part: str) -> str:
    found = ""

    async def is_told() -> bool:
        nonlocal found
        known = await chain.known(handle)
        found = known.stacks[0].message if known.stacks else ""
        return part in found and known.stacks[0].reason == "StackBusy"

    await eventually(is_told, what=f"a message with {part!r}")
    return found


async def test_chains_are_served_in_the_order_in_which_they_came(serve: Serve) -> None:
    world = World()
    world.held = {"a"}
    # None of them is passed over, however long a busy machine takes to start it.
    world.pace = dataclasses.replace(world.pace, grace=60.0)
    chain = await serve(world)
    first = await chain.start("0")
    await chain.stack_shows(first, "a", Phase.RUNNING)
    waiting = []
    for number in range(1, 8):
        waiting.append(await chain.start(str(number)))
        await message_of(chain, waiting[-1], "team/0 run 1")

    order: list[str] = []
    for _ in waiting:
        await world.move("a", "FINISHED")
        left = [handle for handle in waiting if handle.id.rpartition("/")[2] not in order]
        order.append(await who_runs(chain, left))
    await world.move("a", "FINISHED")

    assert order == [str(number) for number in range(1, 8)]
    for handle in waiting:
        assert (await handle.result()).phase is Phase.SUCCEEDED


async def test_one_that_does_not_come_does_not_hold_the_line_up(serve: Serve) -> None:
    world = World()
    world.held = {"a"}
    chain = await serve(world)
    first = await chain.start("0")
    await chain.stack_shows(first, "a", Phase.RUNNING)
    waiting = []
    for number in range(1, 4):
        waiting.append(await chain.start(str(number)))
        await message_of(chain, waiting[-1], "team/0 run 1")

    await waiting[0].cancel()
    await waiting[0].result()
    await world.move("a", "FINISHED")

    assert await who_runs(chain, waiting[1:]) == "2"
    await world.move("a", "FINISHED")
    assert await who_runs(chain, waiting[2:]) == "3"
    await world.move("a", "FINISHED")


async def who_runs(chain: Any, handles: list[Any]) -> str:
    """Return the name of the one chain whose stack runs now."""
    found: list[str] = []

    async def one_runs() -> bool:
        found[:] = [
            handle.id.rpartition("/")[2]
            for handle in handles
            for known in [await chain.known(handle)]
            if known.stacks and known.stacks[0].phase is Phase.RUNNING
        ]
        return bool(found)

    await eventually(one_runs, what="a chain whose turn has come")
    (name,) = found
    return name
