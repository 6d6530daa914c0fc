"""A stack that is locked or disabled when its turn comes keeps no other stack from starting."""

import pytest

from controller.api.v1alpha1 import Phase
from controller.chain.run import holds
from controller.temporal import ids, messages
from tests.support.waiting import eventually
from tests.workflows.conftest import Serve
from tests.workflows.harness import phases, stack_of
from tests.workflows.world import World

JANE = holds.Hold(locked_by="jane")
DISABLED = holds.Hold(is_disabled=True)


@pytest.mark.parametrize(("hold", "reason"), [(JANE, "StackLocked"), (DISABLED, "StackDisabled")])
async def test_a_stack_that_is_held_leaves_its_slot_to_the_others(
    serve: Serve, hold: holds.Hold, reason: str
) -> None:
    world = World("a~c", roots=("a", "b"))
    world.stack_holds["a"] = hold
    chain = await serve(world)

    handle = await chain.start(parallelism=1)
    await chain.stack_shows(handle, "b", Phase.SUCCEEDED)
    held = await chain.stack_shows(handle, "a", Phase.WAITING, reason)
    before = world.calls("trigger_stack_run")
    await world.hold_stack("a", None)
    ended = await handle.result()

    assert (before, held.run_id) == (["b"], None)
    assert set(phases(ended).values()) == {"Succeeded"}
    assert world.calls("trigger_stack_run") == ["b", "a", "c"]


async def test_a_stack_that_is_free_again_waits_for_a_slot(serve: Serve) -> None:
    world = World(roots=("a", "b"))
    world.stack_holds["a"], world.held = JANE, {"b"}
    chain = await serve(world)
    handle = await chain.start(parallelism=1)
    await chain.stack_shows(handle, "a", Phase.WAITING, "StackLocked")
    await chain.stack_shows(handle, "b", Phase.RUNNING)

    await world.hold_stack("a", None)
    await chain.stack_shows(handle, "a", Phase.PENDING)
    before = world.calls("trigger_stack_run")
    await world.move("b", "FINISHED")
    ended = await handle.result()

    assert before == ["b"]
    assert set(phases(ended).values()) == {"Succeeded"}


async def test_whoever_holds_the_stack_next_is_waited_for_too(serve: Serve) -> None:
    world = World()
    world.stack_holds["a"] = JANE
    chain = await serve(world)
    handle = await chain.start()
    await chain.stack_shows(handle, "a", Phase.WAITING, "StackLocked")

    await world.hold_stack("a", holds.Hold(locked_by="joe"))
    await eventually(lambda: world.calls("await_stack_release") == ["a", "a"])
    shown = await chain.stack_shows(handle, "a", Phase.WAITING, "StackLocked")
    await world.hold_stack("a", None)
    ended = await handle.result()

    assert "joe" in shown.message
    assert phases(ended) == {"a": "Succeeded"}
    assert world.calls("trigger_stack_run") == ["a"]


async def test_suspended_meanwhile_it_is_not_triggered_once_it_is_free(serve: Serve) -> None:
    world = World()
    world.stack_holds["a"] = JANE
    chain = await serve(world)
    handle = await chain.start()
    await chain.called("await_stack_release", "a")

    await handle.signal(ids.SUSPEND_SIGNAL)
    await world.hold_stack("a", None)
    await chain.stack_shows(handle, "a", Phase.PENDING)
    before = world.calls("trigger_stack_run")
    await handle.signal(ids.RESUME_SIGNAL)

    assert (await handle.result()).phase is Phase.SUCCEEDED
    assert before == []


async def test_with_fail_fast_a_stack_that_is_held_is_skipped_by_a_failure(serve: Serve) -> None:
    world = World(roots=("a", "b"))
    world.stack_holds["a"], world.held = JANE, {"b"}
    chain = await serve(world)
    handle = await chain.start(failure_policy="FailFast")
    await chain.called("await_stack_release", "a")
    await chain.stack_shows(handle, "b", Phase.RUNNING)

    await world.move("b", "FAILED")
    ended = await handle.result()

    assert phases(ended) == {"a": "Skipped", "b": "Failed"}
    assert (stack_of(ended, "a").reason, stack_of(ended, "a").blocked_by) == ("FailFast", "b")
    assert world.calls("trigger_stack_run") == ["b"]


@pytest.mark.parametrize("deadline", [None, 6], ids=["canceled", "its deadline passes"])
async def test_a_chain_that_ends_meanwhile_leaves_it_alone(
    serve: Serve, deadline: int | None
) -> None:
    world = World("a~b")
    world.stack_holds["a"] = JANE
    chain = await serve(world)
    handle = await chain.start(active_deadline_seconds=deadline)
    await chain.called("await_stack_release", "a")

    if deadline is None:
        await handle.cancel()
    ended = await handle.result()

    assert phases(ended) == {"a": "Canceled", "b": "Canceled"}
    assert world.calls("trigger_stack_run") == world.calls("stop_stack_run") == []


async def test_two_chains_at_one_locked_stack_take_turns_once_it_is_free(serve: Serve) -> None:
    world = World()
    world.stack_holds["a"] = JANE
    chain = await serve(world)
    first, second = await chain.start("first"), await chain.start("second")
    for handle in (first, second):
        await chain.stack_shows(handle, "a", Phase.WAITING, "StackLocked")
    await eventually(lambda: world.calls("await_stack_release") == ["a", "a"])

    await world.hold_stack("a", None)

    for handle in (first, second):
        assert (await handle.result()).phase is Phase.SUCCEEDED
    assert world.states("a") == ["FINISHED", "FINISHED"]


async def test_what_its_wave_queued_is_stopped_as_the_chain_triggers_it_itself(
    serve: Serve,
) -> None:
    """`c` is reached from two origins, so no native run of it is used."""
    world = World("a>c", "b>c", roots=("a", "b"))
    world.stack_holds["c"] = JANE
    world.held, world.holds_in["c"] = {"c"}, "QUEUED"
    chain = await serve(world)
    handle = await chain.start()
    await chain.stack_shows(handle, "c", Phase.WAITING, "StackLocked")
    await eventually(lambda: world.states("c") == ["CANCELED", "CANCELED"])

    await world.hold_stack("c", None)
    await chain.called("trigger_stack_run", "c")
    await world.move("c", "FINISHED")
    ended = await handle.result()

    assert set(phases(ended).values()) == {"Succeeded"}
    assert world.calls("trigger_stack_run").count("c") == 1


async def test_a_lock_that_comes_at_the_trigger_gives_the_slot_back_too(serve: Serve) -> None:
    world = World(roots=("a", "b"))
    gate = world.gate("trigger_stack_run", "a")
    chain = await serve(world)
    handle = await chain.start(parallelism=1)
    await chain.called("trigger_stack_run", "a")

    await world.hold_stack("a", JANE)
    gate.set()
    await chain.stack_shows(handle, "b", Phase.SUCCEEDED)
    await world.hold_stack("a", None)
    ended = await handle.result()

    assert set(phases(ended).values()) == {"Succeeded"}
    assert world.states("a") == ["FINISHED"]
    assert len(world.arguments_of(messages.TriggerStackRunInput)) == 3
