"""Runs that Spacelift queues automatically: used, replaced or stopped."""

import pytest

from controller.api.v1alpha1 import Phase
from controller.chain.run import progress, unwanted_runs
from controller.temporal import messages
from tests.support.waiting import eventually
from tests.workflows.conftest import Serve
from tests.workflows.harness import phases, stack_of
from tests.workflows.world import World, failure


def sources(known: progress.ChainProgress) -> dict[str, str | None]:
    return {stack.id: stack.run_source for stack in known.stacks}


async def test_a_stack_without_a_native_run_is_triggered_by_the_chain(serve: Serve) -> None:
    world = World("a>b")
    world.without_native = {"b"}
    chain = await serve(world)

    known = await chain.run()

    assert known.phase is Phase.SUCCEEDED
    assert world.calls("find_stack_run") == ["a", "b", "b"]
    assert world.calls("trigger_stack_run") == ["a", "b"]
    assert sources(known) == {"a": "Triggered", "b": "Triggered"}


async def test_what_the_chain_triggers_after_all_takes_a_slot(serve: Serve) -> None:
    world = World("a>b", roots=("a", "z"))
    world.without_native, world.held = {"b"}, {"z"}
    chain = await serve(world)
    handle = await chain.start(parallelism=1)
    await chain.stack_shows(handle, "z", Phase.RUNNING)
    await chain.stack_shows(handle, "b", Phase.PENDING)

    before = world.calls("trigger_stack_run")
    await world.move("z", "FINISHED")
    known = await handle.result()

    assert before == ["a", "z"]
    assert world.calls("trigger_stack_run") == ["a", "z", "b"]
    assert known.phase is Phase.SUCCEEDED


async def test_a_native_run_that_was_skipped_for_what_the_chain_does_not_know_is_not_used(
    serve: Serve,
) -> None:
    """What is behind the stack leaves the wave with it: Spacelift would start that too early."""
    world = World("a>b", "b>c")
    world.first_ends["b"] = ["SKIPPED"]
    world.skip_notes["b"] = "upstream run 01X of stack z is CANCELED"
    world.held, world.holds_in["c"] = {"c"}, "QUEUED"
    chain = await serve(world)
    handle = await chain.start()
    await chain.stack_shows(handle, "c", Phase.WAITING, "RunQueued")

    await world.move("c", "FINISHED")
    known = await handle.result()

    assert phases(known) == {"a": "Succeeded", "b": "Succeeded", "c": "Succeeded"}
    assert world.calls("trigger_stack_run") == ["a", "b", "c"]
    assert world.states("c") == ["CANCELED", "CANCELED", "FINISHED"]
    assert stack_of(known, "b").run_id == world.run_of("b").id
    assert stack_of(known, "b").run_source == "Triggered"


async def test_a_stack_below_two_roots_gets_one_run_and_both_native_ones_are_stopped(
    serve: Serve,
) -> None:
    world = World("a>c", "b>c", roots=("a", "b"))
    world.held, world.holds_in["c"] = {"a", "b", "c"}, "QUEUED"
    chain = await serve(world)
    handle = await chain.start()
    await chain.stack_shows(handle, "b", Phase.RUNNING)
    await eventually(lambda: world.states("c") == ["CANCELED", "CANCELED"])

    await world.move("a", "FINISHED")
    await world.move("b", "FINISHED")
    await chain.stack_shows(handle, "c", Phase.WAITING, "RunQueued")
    await world.move("c", "FINISHED")
    known = await handle.result()

    assert known.phase is Phase.SUCCEEDED
    assert sorted(world.calls("trigger_stack_run")) == ["a", "b", "c"]
    assert world.states("c") == ["CANCELED", "CANCELED", "FINISHED"]


async def test_native_runs_of_skipped_stacks_are_stopped(serve: Serve) -> None:
    world = World("a>b", "b>c")
    world.ends["b"] = "FAILED"
    world.held, world.holds_in["c"] = {"c"}, "QUEUED"
    chain = await serve(world)

    known = await chain.run()

    assert phases(known) == {"a": "Succeeded", "b": "Failed", "c": "Skipped"}
    assert world.states("c") == ["CANCELED"]


async def test_a_native_run_that_applies_already_is_left_and_told_of(serve: Serve) -> None:
    world = World("a>b", "b>c")
    world.ends["b"] = "FAILED"
    world.held, world.holds_in["c"] = {"c"}, "APPLYING"
    chain = await serve(world)

    known = await chain.run()

    (run,) = unwanted_runs.unused_runs(stack_of(known, "c"))
    assert (run.run_id, run.state) == (world.run_of("c").id, "APPLYING")


async def test_the_native_run_of_a_stack_that_fails_before_it_has_it_is_stopped(
    serve: Serve,
) -> None:
    world = World("a>b", "b>c")
    world.failures["find_stack_run", "b"] = [failure("CredentialsRejected", final=True)]
    world.held, world.holds_in = {"b", "c"}, {"b": "QUEUED", "c": "QUEUED"}
    chain = await serve(world)

    known = await chain.run()

    assert phases(known) == {"a": "Succeeded", "b": "Failed", "c": "Skipped"}
    assert (world.states("b"), world.states("c")) == (["CANCELED"], ["CANCELED"])
    assert stack_of(known, "b").ahead_runs == []


@pytest.mark.parametrize("state", ["APPLYING", "FINISHED"])
async def test_what_a_stack_that_fails_before_it_has_its_native_run_leaves_is_told_of(
    serve: Serve, state: str
) -> None:
    world = World("a>b")
    world.failures["find_stack_run", "b"] = [failure("CredentialsRejected", final=True)]
    world.held, world.holds_in["b"] = {"b"}, state
    chain = await serve(world)

    known = await chain.run()

    (run,) = unwanted_runs.unused_runs(stack_of(known, "b"))
    assert (run.run_id, run.state) == (world.run_of("b").id, state)


async def test_the_native_run_of_a_stack_whose_execution_is_ended_from_outside_is_stopped(
    serve: Serve,
) -> None:
    world = World("a>b")
    world.held, world.holds_in["b"] = {"b"}, "QUEUED"
    gate = world.gate("find_stack_run", "b")
    chain = await serve(world)
    handle = await chain.start()
    await chain.called("find_stack_run", "b")

    await chain.execution("b").terminate()
    known = await handle.result()
    gate.set()

    assert phases(known) == {"a": "Succeeded", "b": "Failed"}
    assert world.states("b") == ["CANCELED"]


@pytest.mark.parametrize("kind", ["SpaceliftRefused", "PermissionDenied"])
async def test_a_native_run_that_cannot_be_stopped_does_not_hold_the_chain(
    serve: Serve, kind: str
) -> None:
    world = World("a>b", "b>c")
    world.ends["b"] = "FAILED"
    world.failures["stop_native_runs", "c"] = [failure(kind, final=True)]
    chain = await serve(world)

    known = await chain.run()

    assert "could not be stopped" in stack_of(known, "c").message
    assert known.phase is Phase.FAILED


async def test_an_origin_tells_its_dependents_which_wave_to_adopt_from(serve: Serve) -> None:
    world = World("a>b", "b>c")
    chain = await serve(world)

    known = await chain.run()

    finds = {find.target.stack_id: find for find in world.arguments_of(messages.FindStackRunInput)}
    origin = next(run.id for run in world.runs.values() if run.stack_id == "a")
    assert finds["a"].adopt_origin is None
    assert (finds["b"].adopt_origin, finds["c"].adopt_origin) == (origin, origin)
    assert finds["c"].queuers == ["a", "b"]
    assert sources(known) == {"a": "Triggered", "b": "Adopted", "c": "Adopted"}
