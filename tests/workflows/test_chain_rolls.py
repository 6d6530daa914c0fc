"""How a chain rolls: order, slots, failures and skips."""

from typing import Any

import pytest
from temporalio.client import WorkflowHandle

from controller.api import reasons, v1alpha1
from controller.api.v1alpha1 import Phase
from controller.chain.run import progress
from controller.temporal import ids, messages
from tests.support.waiting import eventually
from tests.workflows.conftest import Serve
from tests.workflows.harness import Harness, phases, stack_of
from tests.workflows.world import World


async def test_a_line_runs_in_order_and_adopts_what_spacelift_queued(serve: Serve) -> None:
    world = World("a>b", "b>c")
    chain = await serve(world)

    known = await chain.run()

    assert phases(known) == {"a": "Succeeded", "b": "Succeeded", "c": "Succeeded"}
    assert (known.phase, known.reason) == (Phase.SUCCEEDED, reasons.ChainReason.RUN_SUCCEEDED)
    assert world.calls("trigger_stack_run") == ["a"]
    assert world.calls("find_stack_run") == ["a", "b", "c"]


async def test_a_diamond_by_labels_is_triggered_stack_by_stack(serve: Serve) -> None:
    world = World("a~b", "a~c", "b~d", "c~d")
    chain = await serve(world)

    known = await chain.run()

    triggered = world.calls("trigger_stack_run")
    assert known.phase is Phase.SUCCEEDED
    assert (triggered[0], sorted(triggered[1:3]), triggered[3]) == ("a", ["b", "c"], "d")


async def test_one_slot_goes_to_the_longest_remaining_path(serve: Serve) -> None:
    world = World("z~y", "y~x", roots=("a", "z"))
    chain = await serve(world)

    known = await chain.run(parallelism=1)

    assert known.phase is Phase.SUCCEEDED
    assert world.calls("trigger_stack_run") == ["z", "y", "a", "x"]


async def test_stacks_that_start_together_do_not_make_a_task_that_is_too_large(
    serve: Serve,
) -> None:
    """Temporal terminates a workflow whose task has commands of more than 4 MiB."""
    roots = [f"s{number}" for number in range(60)]
    world = World(roots=roots)
    chain = await serve(world)

    known = await chain.run(parallelism=60, environment={"A": "x" * 100_000})

    assert known.phase is Phase.SUCCEEDED
    assert sorted(world.calls("trigger_stack_run")) == sorted(roots)


async def test_slots_bound_what_runs_and_can_be_changed_live(serve: Serve) -> None:
    world = World(roots=("a", "b", "c", "d"))
    world.held = {"a", "b", "c", "d"}
    chain = await serve(world)
    handle = await chain.start(parallelism=2)
    await chain.stack_shows(handle, "a", Phase.RUNNING)
    await chain.stack_shows(handle, "b", Phase.RUNNING)

    before = world.calls("trigger_stack_run")
    await handle.signal(ids.PARALLELISM_SIGNAL, messages.SetParallelism(parallelism=3))
    await chain.stack_shows(handle, "c", Phase.RUNNING)
    await world.move("a", "FINISHED")
    await chain.stack_shows(handle, "d", Phase.RUNNING)

    assert sorted(before) == ["a", "b"]
    assert (await chain.known(handle)).policies.parallelism == 3
    for stack_id in "bcd":
        await world.move(stack_id, "FINISHED")
    assert (await handle.result()).phase is Phase.SUCCEEDED


async def test_a_stack_that_waits_for_a_person_leaves_its_slot_to_the_others(serve: Serve) -> None:
    world = World("a~c", roots=("a", "b"))
    world.held = {"a"}
    chain = await serve(world)

    handle = await chain.start(parallelism=1)
    await chain.stack_shows(handle, "a", Phase.RUNNING)
    await world.move("a", "UNCONFIRMED")
    await chain.stack_shows(handle, "b", Phase.SUCCEEDED)
    waits = await chain.stack_shows(handle, "a", Phase.AWAITING_CONFIRMATION)
    await world.move("a", "FINISHED")
    known = await handle.result()

    assert waits.run_id == world.run_of("a").id
    assert known.phase is Phase.SUCCEEDED
    assert world.calls("trigger_stack_run") == ["a", "b", "c"]


async def test_a_run_that_a_person_confirms_continues_beside_a_full_chain(serve: Serve) -> None:
    """Spacelift applies it; nothing else starts until fewer run than `parallelism`."""
    world = World(roots=("a", "b", "c"))
    world.held = {"a", "b", "c"}
    chain = await serve(world)

    handle = await chain.start(parallelism=1)
    await chain.stack_shows(handle, "a", Phase.RUNNING)
    await world.move("a", "UNCONFIRMED")
    await chain.stack_shows(handle, "b", Phase.RUNNING)
    await world.move("a", "APPLYING")
    await chain.stack_shows(handle, "a", Phase.RUNNING)
    await world.move("b", "FINISHED")
    await chain.stack_shows(handle, "b", Phase.SUCCEEDED)
    before = world.calls("trigger_stack_run")
    await world.move("a", "FINISHED")
    await chain.stack_shows(handle, "c", Phase.RUNNING)
    await world.move("c", "FINISHED")

    assert (await handle.result()).phase is Phase.SUCCEEDED
    assert before == ["a", "b"]


async def test_between_two_runs_a_stack_leaves_its_slot_and_takes_one_again(serve: Serve) -> None:
    world = World("a~d", roots=("a", "b", "c"))
    world.first_ends["a"], world.held = ["FAILED"], {"b"}
    chain = await serve(world)

    retry = v1alpha1.Retry(limit=1, backoff_seconds=1)
    handle = await chain.start(parallelism=1, retry=retry)
    await chain.stack_shows(handle, "b", Phase.RUNNING)

    await _waits_for_slot(chain, handle, "a")
    before = world.calls("trigger_stack_run")
    await world.move("b", "FINISHED")
    known = await handle.result()

    assert before == ["a", "b"]
    # It comes before the stacks that were not started, and what depends on it has its turn, too.
    assert world.calls("trigger_stack_run")[2] == "a"
    assert sorted(world.calls("trigger_stack_run")[3:]) == ["c", "d"]
    assert known.phase is Phase.SUCCEEDED


async def test_a_chain_is_canceled_while_a_stack_waits_for_a_slot_for_its_next_run(
    serve: Serve,
) -> None:
    world = World(roots=("a", "b"))
    world.first_ends["a"], world.held = ["FAILED"], {"b"}
    chain = await serve(world)

    retry = v1alpha1.Retry(limit=1, backoff_seconds=1)
    handle = await chain.start(parallelism=1, retry=retry)

    await _waits_for_slot(chain, handle, "a")
    await handle.cancel()
    known = await handle.result()

    assert [stack.phase for stack in known.stacks] == [Phase.FAILED, Phase.CANCELED]
    assert world.calls("trigger_stack_run") == ["a", "b"]


async def test_a_stack_starts_when_its_own_upstreams_ended_not_level_by_level(
    serve: Serve,
) -> None:
    world = World("a~c", "b~d", roots=("a", "b"))
    world.held = {"b"}
    chain = await serve(world)
    handle = await chain.start()

    await chain.stack_shows(handle, "c", Phase.SUCCEEDED)

    assert "d" not in world.calls("trigger_stack_run")
    await world.move("b", "FINISHED")
    assert (await handle.result()).phase is Phase.SUCCEEDED


@pytest.mark.parametrize(
    ("state", "phase", "words"),
    [
        pytest.param("FAILED", Phase.FAILED, "'b' failed", id="failed"),
        pytest.param("DISCARDED", Phase.CANCELED, "'b' was discarded", id="discarded"),
    ],
)
async def test_a_bad_end_skips_all_that_depend_on_it_and_nothing_else(
    serve: Serve, state: str, phase: Phase, words: str
) -> None:
    world = World("a~b", "b~c", "c~d", "a~e")
    world.ends["b"] = state
    chain = await serve(world)

    known = await chain.run()

    assert known.phase is phase
    assert phases(known) == {
        "a": "Succeeded",
        "b": str(phase),
        "c": "Skipped",
        "d": "Skipped",
        "e": "Succeeded",
    }
    assert {stack_of(known, name).blocked_by for name in "cd"} == {"b"}
    assert words in stack_of(known, "d").message
    assert sorted(world.calls("trigger_stack_run")) == ["a", "b", "e"]


async def test_an_unchanged_output_releases_the_dependents(serve: Serve) -> None:
    world = World("a>b", "b>c")
    world.ends["b"] = "SKIPPED"
    chain = await serve(world)

    known = await chain.run()

    assert phases(known) == {"a": "Succeeded", "b": "Skipped", "c": "Succeeded"}
    assert stack_of(known, "b").reason == reasons.StackReason.OUTPUT_UNCHANGED
    assert stack_of(known, "b").run_source is None
    assert known.phase is Phase.SUCCEEDED


async def test_a_run_that_waits_for_a_person_shows_with_its_link(serve: Serve) -> None:
    world = World()
    world.held, world.holds_in["a"] = {"a"}, "UNCONFIRMED"
    chain = await serve(world)
    handle = await chain.start()
    stack = await chain.stack_shows(handle, "a", Phase.AWAITING_CONFIRMATION)

    waiting = await chain.known(handle)

    assert (waiting.phase, waiting.reason) == (
        Phase.AWAITING_CONFIRMATION,
        reasons.ChainReason.AWAITING_CONFIRMATION,
    )
    assert stack.run_url == f"https://x/{world.run_of('a').id}"
    await world.move("a", "CONFIRMED")
    await chain.stack_shows(handle, "a", Phase.RUNNING)
    await world.move("a", "FINISHED")
    assert (await handle.result()).phase is Phase.SUCCEEDED


async def test_workflows_that_are_evicted_all_the_time_go_on(serve: Serve) -> None:
    """There is room for one workflow only: the others are evicted and replayed all the time."""
    world = World("a>b", "b~c", "a>d")
    world.held, world.ends["d"] = {"b"}, "FAILED"
    chain = await serve(world, max_cached_workflows=1)
    handle = await chain.start()
    await chain.stack_shows(handle, "b", Phase.RUNNING)
    await world.move("b", "UNCONFIRMED")
    await chain.stack_shows(handle, "b", Phase.AWAITING_CONFIRMATION)

    await handle.cancel()

    known = await handle.result()
    assert phases(known) == {"a": "Succeeded", "b": "Canceled", "c": "Skipped", "d": "Failed"} or (
        phases(known)["c"] == "Canceled"
    )
    await eventually(lambda: world.states("b") == ["DISCARDED"])


async def _waits_for_slot(
    chain: Harness, handle: WorkflowHandle[Any, progress.ChainProgress], stack_id: str
) -> None:
    async def waits() -> bool:
        stacks = {stack.id: stack for stack in (await chain.known(handle)).stacks}
        return stack_id in stacks and stacks[stack_id].wants_slot_since is not None

    await eventually(waits)
