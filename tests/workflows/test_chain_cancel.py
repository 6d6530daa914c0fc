"""A canceled chain stops what runs, starts nothing more, and closes only after that."""

import asyncio

import pytest
from temporalio.client import WorkflowExecutionStatus, WorkflowFailureError

from controller.api.reasons import ChainReason, StackReason
from controller.api.v1alpha1 import Phase
from tests.support.waiting import eventually, stays
from tests.workflows.conftest import Serve
from tests.workflows.harness import phases, stack_of
from tests.workflows.world import World, failure


async def test_during_discovery(serve: Serve) -> None:
    world = World()
    world.gate("fetch_dependent_stacks", "")
    chain = await serve(world)
    handle = await chain.start()

    await chain.cancel_when(handle, "fetch_dependent_stacks")

    known = await handle.result()
    assert (known.phase, known.reason) == (Phase.CANCELED, ChainReason.RUN_CANCELED)
    assert known.stacks == []


async def test_before_the_first_publish_is_acknowledged(serve: Serve) -> None:
    world = World("a>b")
    gate = world.gate("publish_chain_status", "")
    chain = await serve(world)
    handle = await chain.start()
    await chain.stack_shows(handle, "a", Phase.PENDING)

    await handle.cancel()
    await eventually(lambda: len(world.calls("publish_chain_status")) == 2, what="last publish")
    gate.set()

    known = await handle.result()
    assert phases(known) == {"a": "Canceled", "b": "Canceled"}
    assert world.calls("trigger_stack_run") == []


async def test_while_a_run_is_looked_for(serve: Serve) -> None:
    world = World()
    world.gate("find_stack_run", "a")
    chain = await serve(world)
    handle = await chain.start()

    await chain.cancel_when(handle, "find_stack_run", "a")

    known = await handle.result()
    assert phases(known) == {"a": "Canceled"}
    assert world.calls("trigger_stack_run") == world.calls("stop_stack_run") == []


async def test_during_a_trigger_whose_outcome_nobody_knows(serve: Serve) -> None:
    world = World()
    world.held = {"a"}
    world.gate("trigger_stack_run", "a")
    chain = await serve(world)
    handle = await chain.start()
    await chain.called("trigger_stack_run", "a")
    world.create("a")

    await handle.cancel()

    known = await handle.result()
    assert phases(known) == {"a": "Canceled"}
    assert world.states("a") == ["STOPPED"]


@pytest.mark.parametrize("is_answered", [True, False], ids=["answered", "answer lost"])
async def test_a_deadline_that_passes_during_a_trigger_stops_its_run_and_what_that_queued(
    serve: Serve, is_answered: bool
) -> None:
    """The run is created before the deadline, and known only after it."""
    world = World("a>b", "b>c")
    world.held, world.holds_in = {"a", "b", "c"}, {"b": "QUEUED", "c": "QUEUED"}
    gate = world.gate("trigger_stack_run", "a")
    world.shields = {"trigger_stack_run"} if is_answered else set()
    chain = await serve(world)
    # More than the time to the trigger, on a busy machine too.
    handle = await chain.start(active_deadline_seconds=5)
    await chain.called("trigger_stack_run", "a")
    if not is_answered:
        world.create("a")

    async def has_passed() -> bool:
        return (await chain.known(handle)).is_timed_out

    await eventually(has_passed, what="the deadline passes")
    if is_answered:
        gate.set()
    known = await handle.result()

    assert (known.phase, known.reason) == (Phase.TIMED_OUT, ChainReason.DEADLINE_EXCEEDED)
    assert phases(known) == {"a": "TimedOut", "b": "Canceled", "c": "Canceled"}
    assert {stack.reason for stack in known.stacks} == {StackReason.CHAIN_DEADLINE_EXCEEDED}
    assert stack_of(known, "a").run_id == world.run_of("a").id
    assert (world.states("a"), world.states("b")) == (["STOPPED"], ["CANCELED"])
    assert world.states("c") == ["CANCELED"]
    assert world.calls("trigger_stack_run") == ["a"]


@pytest.mark.parametrize(
    ("state", "end"),
    [("QUEUED", "CANCELED"), ("PLANNING", "STOPPED"), ("UNCONFIRMED", "DISCARDED")],
)
async def test_while_a_run_goes_on(serve: Serve, state: str, end: str) -> None:
    world = World("a~b")
    world.held, world.holds_in["a"] = {"a"}, state
    chain = await serve(world)
    handle = await chain.start()
    await chain.called("follow_stack_run", "a")

    await handle.cancel()

    known = await handle.result()
    assert known.phase is Phase.CANCELED
    assert phases(known) == {"a": "Canceled", "b": "Canceled"}
    assert world.states("a") == [end]
    assert world.calls("trigger_stack_run") == ["a"]


async def test_an_applying_run_is_left_to_end_and_waited_for(serve: Serve) -> None:
    world = World("a~b")
    world.held, world.holds_in["a"] = {"a"}, "APPLYING"
    chain = await serve(world)
    handle = await chain.start()
    await chain.called("follow_stack_run", "a")

    await handle.cancel()
    await chain.called("stop_stack_run", "a")

    async def says_why() -> bool:
        return "allowed to finish" in stack_of(await chain.known(handle), "a").message

    await eventually(says_why)
    assert world.states("a") == ["APPLYING"]
    await world.move("a", "FINISHED")
    known = await handle.result()
    assert phases(known) == {"a": "Succeeded", "b": "Canceled"}


async def test_a_run_that_ignores_its_stop_and_wants_a_confirmation_is_discarded(
    serve: Serve,
) -> None:
    world = World()
    world.held, world.holds_in["a"] = {"a"}, "APPLYING"
    chain = await serve(world)
    handle = await chain.start()
    await chain.called("follow_stack_run", "a")
    await handle.cancel()
    await chain.called("follow_stack_run", "a", times=2)

    await world.move("a", "UNCONFIRMED")

    assert phases(await handle.result()) == {"a": "Canceled"}
    assert world.states("a") == ["DISCARDED"]


async def test_all_stops_are_done_before_the_chain_closes(serve: Serve) -> None:
    world = World(roots=("a", "b"))
    world.held = {"a", "b"}
    gates = [world.gate("stop_stack_run", stack_id) for stack_id in "ab"]
    chain = await serve(world)
    handle = await chain.start()
    for stack_id in "ab":
        await chain.stack_shows(handle, stack_id, Phase.RUNNING)

    await handle.cancel()
    await chain.called("stop_stack_run", "a")
    await chain.called("stop_stack_run", "b")
    gates[0].set()
    await eventually(lambda: world.states("a") == ["STOPPED"])

    async def is_open() -> bool:
        return (await handle.describe()).status is WorkflowExecutionStatus.RUNNING

    await stays(is_open, 0.5)
    gates[1].set()
    assert phases(await handle.result()) == {"a": "Canceled", "b": "Canceled"}
    assert (world.states("a"), world.states("b")) == (["STOPPED"], ["STOPPED"])


async def test_native_runs_of_stacks_not_reached_are_stopped_too(serve: Serve) -> None:
    world = World("a>b", "b>c")
    world.held = {"a", "b", "c"}
    world.holds_in |= {"b": "QUEUED", "c": "QUEUED"}
    chain = await serve(world)
    handle = await chain.start()
    await chain.stack_shows(handle, "a", Phase.RUNNING)

    await handle.cancel()

    assert phases(await handle.result()) == dict.fromkeys("abc", "Canceled")
    assert (world.states("b"), world.states("c")) == (["CANCELED"], ["CANCELED"])


async def test_while_a_native_run_is_still_looked_for(serve: Serve) -> None:
    world = World("a>b")
    world.held, world.holds_in["b"] = {"b"}, "QUEUED"
    world.gate("find_stack_run", "b")
    chain = await serve(world)
    handle = await chain.start()

    await chain.cancel_when(handle, "find_stack_run", "b")

    assert phases(await handle.result()) == {"a": "Succeeded", "b": "Canceled"}
    assert world.states("b") == ["CANCELED"]


async def test_while_native_runs_are_being_stopped(serve: Serve) -> None:
    world = World("a>b", "b>c", roots=("a", "d"))
    world.ends["b"] = "FAILED"
    world.held, world.holds_in["c"] = {"c", "d"}, "QUEUED"
    gate = world.gate("stop_native_runs", "c")
    chain = await serve(world)
    handle = await chain.start()
    await chain.stack_shows(handle, "d", Phase.RUNNING)
    await chain.called("stop_native_runs", "c")

    await handle.cancel()
    await eventually(lambda: world.states("d") == ["STOPPED"])
    gate.set()

    known = await handle.result()
    assert phases(known) == {"a": "Succeeded", "b": "Failed", "c": "Skipped", "d": "Canceled"}
    assert world.states("c") == ["CANCELED"]


async def test_at_the_same_moment_as_news_of_its_runs(serve: Serve) -> None:
    """A cancel that meets a report, a result or a child's start must not get lost."""
    names = tuple("abcdefgh")
    world = World(*(f"{name}~{name.upper()}" for name in names), roots=names)
    world.held = set(names)
    chain = await serve(world)
    handle = await chain.start(parallelism=20)
    for name in names:
        await chain.stack_shows(handle, name, Phase.RUNNING)

    await asyncio.gather(
        *(world.move(name, "UNCONFIRMED") for name in names[:4]),
        *(world.move(name, "FINISHED") for name in names[4:]),
        handle.cancel(),
    )

    known = await handle.result()
    assert all(stack.phase in (Phase.CANCELED, Phase.SUCCEEDED) for stack in known.stacks)
    assert {run.state for run in world.runs.values()} <= {"DISCARDED", "STOPPED", "FINISHED"}
    assert known.is_canceling


async def test_while_nobody_wants_it_any_more(serve: Serve) -> None:
    world = World()
    world.held, world.holds_in["a"] = {"a"}, "APPLYING"
    chain = await serve(world)
    handle = await chain.start()
    await chain.called("follow_stack_run", "a")
    world.publish_error = failure("ResourceGone", final=True)
    await world.move("a", "UNCONFIRMED")
    gate = world.gate("stop_stack_run", "a")
    await chain.called("stop_stack_run", "a")

    await handle.cancel()
    gate.set()

    assert phases(await handle.result()) == {"a": "Canceled"}
    assert world.states("a") == ["DISCARDED"]


async def test_during_the_last_publish_the_run_keeps_its_result(serve: Serve) -> None:
    world = World()
    chain = await serve(world)
    gate = world.gate("publish_chain_status", "")
    gate.set()
    handle = await chain.start()
    await chain.called("find_stack_run", "a")
    gate.clear()
    await eventually(lambda: any(a.is_final for a in world.arguments if hasattr(a, "is_final")))

    await handle.cancel()
    gate.set()

    known = await handle.result()
    assert (known.phase, known.is_canceling) == (Phase.SUCCEEDED, False)


async def test_a_failed_stop_is_tried_again_until_it_is_done(serve: Serve) -> None:
    world = World()
    world.held = {"a"}
    world.failures["stop_stack_run", "a"] = [failure("AmbiguousOutcome")]
    chain = await serve(world)
    handle = await chain.start()
    await chain.stack_shows(handle, "a", Phase.RUNNING)

    await handle.cancel()

    assert phases(await handle.result()) == {"a": "Canceled"}
    assert world.states("a") == ["STOPPED"]


async def test_a_terminated_chain_still_has_its_runs_stopped(serve: Serve) -> None:
    world = World()
    world.held = {"a"}
    chain = await serve(world)
    handle = await chain.start()
    await chain.stack_shows(handle, "a", Phase.RUNNING)

    await handle.terminate("by hand")

    with pytest.raises(WorkflowFailureError):
        await handle.result()
    report = await chain.execution("a").result()
    assert report["phase"] == "Canceled"
    assert world.states("a") == ["STOPPED"]
