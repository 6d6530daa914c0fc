"""A cancel that meets a trigger waits to hear what became of it, and looks for nothing in vain."""

import contextlib
import datetime

import pytest

from controller.api.v1alpha1 import Phase
from controller.temporal import messages
from controller.temporal.activities import errors
from tests.support.waiting import eventually, stays
from tests.workflows.conftest import Serve
from tests.workflows.executions import execution
from tests.workflows.world import World, failure


async def test_a_trigger_that_no_worker_had_is_not_looked_for(serve: Serve) -> None:
    """The one slot goes from the first stack's search to the second's, which was asked before."""
    world = World()
    search, other = world.gate("find_stack_run", "a"), world.gate("find_stack_run", "b")
    chain = await serve(world, max_concurrent_activities=1)

    async with contextlib.AsyncExitStack() as both:
        stack = await both.enter_async_context(execution(chain))
        await chain.called("find_stack_run", "a")
        beside = await both.enter_async_context(execution(chain, "b"))
        await eventually(lambda: chain.has_scheduled(beside.handle, "find_stack_run"))
        search.set()
        await chain.called("find_stack_run", "b")
        await eventually(lambda: chain.has_scheduled(stack.handle, "trigger_stack_run"))
        await stack.cancel()
        await stack.ends(Phase.CANCELED, "ChainCanceled")
        other.set()
        await beside.handle.result()

    assert "a" not in world.calls("trigger_stack_run")
    assert "a" not in world.calls("stop_stack_run")


@pytest.mark.parametrize("kind", ["Unreachable", "RateLimited"])
async def test_a_trigger_that_was_certainly_not_sent_is_not_looked_for(
    serve: Serve, kind: str
) -> None:
    world = World()
    gate = world.gate("trigger_stack_run", "a")
    world.shields.add("trigger_stack_run")
    world.failures["trigger_stack_run", "a"] = [failure(kind)]
    chain = await serve(world)

    async with execution(chain) as stack:
        await chain.called("trigger_stack_run", "a")
        await stack.cancel()
        gate.set()
        await stack.ends(Phase.CANCELED, "ChainCanceled")

    assert world.calls("trigger_stack_run") == ["a"]
    assert world.calls("stop_stack_run") == []


async def test_a_trigger_whose_answer_was_lost_is_looked_for(serve: Serve) -> None:
    world = World()
    world.held = {"a"}
    gate = world.gate("trigger_stack_run", "a")
    world.shields.add("trigger_stack_run")
    world.failures["trigger_stack_run", "a"] = [failure("AmbiguousOutcome")]
    chain = await serve(world)

    async with execution(chain) as stack:
        await chain.called("trigger_stack_run", "a")
        world.create("a")
        await stack.cancel()
        gate.set()
        await stack.ends(Phase.CANCELED, "ChainCanceled")

    assert world.calls("find_triggered_run") == ["a"]
    (stop,) = world.arguments_of(messages.StopStackRunInput)
    assert stop.run_id == world.run_of("a").id
    assert world.states("a") == ["STOPPED"]


async def test_a_trigger_that_a_worker_gave_up_is_looked_for(serve: Serve) -> None:
    world = World()
    world.held = {"a"}
    world.gate("trigger_stack_run", "a")
    chain = await serve(world)

    async with execution(chain) as stack:
        await chain.called("trigger_stack_run", "a")
        world.create("a")
        await stack.cancel()
        await stack.ends(Phase.CANCELED, "ChainCanceled")

    assert world.states("a") == ["STOPPED"]


async def test_a_run_that_was_created_at_the_last_moment_is_known_and_stopped(
    serve: Serve,
) -> None:
    world = World()
    world.held = {"a"}
    gate = world.gate("trigger_stack_run", "a")
    world.shields.add("trigger_stack_run")
    chain = await serve(world)

    async with execution(chain) as stack:
        await chain.called("trigger_stack_run", "a")
        await stack.cancel()
        gate.set()
        await stack.ends(Phase.CANCELED, "ChainCanceled")

    (stop,) = world.arguments_of(messages.StopStackRunInput)
    assert stop.run_id == world.run_of("a").id
    assert world.states("a") == ["STOPPED"]


@pytest.mark.parametrize(
    ("kinds", "was_attempted"),
    [
        (["AmbiguousOutcome"], [False, True]),
        (["Unreachable"], [False, False]),
        (["Unreachable", "AmbiguousOutcome", "Unreachable", "Unreachable"], [False] * 5),
        (["AmbiguousOutcome"] * 4, [False] + [True] * 4),
    ],
    ids=["lost", "not sent", "the last word counts", "lost for long"],
)
async def test_the_later_tries_know_what_the_first_one_left(
    serve: Serve, kinds: list[str], was_attempted: list[bool]
) -> None:
    world = World()
    world.failures["trigger_stack_run", "a"] = [failure(kind) for kind in kinds]
    chain = await serve(world)

    async with execution(chain) as stack:
        await stack.ends(Phase.SUCCEEDED, "RunFinished")

    triggers = world.arguments_of(messages.TriggerStackRunInput)
    assert [trigger.was_attempted for trigger in triggers] == was_attempted


async def test_a_refusal_at_the_first_try_fails_the_stack(serve: Serve) -> None:
    world = World()
    world.failures["trigger_stack_run", "a"] = [failure("SpaceliftRefused", final=True)]
    chain = await serve(world)

    async with execution(chain) as stack:
        await stack.ends(Phase.FAILED, "TriggerRefused")

    assert world.calls("trigger_stack_run") == ["a"]


@pytest.mark.parametrize("call", ["find_stack_run", "trigger_stack_run"])
async def test_a_long_pause_is_told_at_once_and_waited_for(serve: Serve, call: str) -> None:
    """The first failure decides: three tries with such pauses would take a quarter of an hour."""
    world = World()
    busy = failure(errors.LONG_PAUSE, delay=datetime.timedelta(seconds=3))
    world.failures[call, "a"] = [busy]
    chain = await serve(world)

    async with execution(chain) as stack:
        await stack.shows("RateLimited")
        assert world.calls(call) == ["a"]
        await stack.ends(Phase.SUCCEEDED, "RunFinished")

    assert world.calls("trigger_stack_run") == ["a"] * (2 if call == "trigger_stack_run" else 1)


async def test_the_next_try_waits_as_long_as_spacelift_asked_and_a_cancel_ends_that_at_once(
    serve: Serve,
) -> None:
    world = World()
    busy = failure("RateLimited", delay=datetime.timedelta(minutes=10))
    world.failures["trigger_stack_run", "a"] = [busy]
    chain = await serve(world)

    async with execution(chain) as stack:
        await chain.called("trigger_stack_run", "a")
        await stays(lambda: world.calls("trigger_stack_run") == ["a"], 1.5)
        await stack.cancel()
        await stack.ends(Phase.CANCELED, "ChainCanceled")

    assert world.calls("stop_stack_run") == []


async def test_a_run_is_looked_for_as_it_was_triggered(serve: Serve) -> None:
    world = World()
    world.held = {"a"}
    world.gate("trigger_stack_run", "a")
    chain = await serve(world)

    async with execution(chain, operation="Plan", commit_sha="4f0c2d9") as stack:
        await chain.called("trigger_stack_run", "a")
        await stack.cancel()
        await stack.ends(Phase.CANCELED, "ChainCanceled")

    (find,) = world.arguments_of(messages.FindTriggeredRunInput)
    assert (find.operation, find.commit_sha) == ("Plan", "4f0c2d9")
