"""A run that failed is followed by another one, as often and as late as the spec says."""

import datetime

import pytest

from controller.api import v1alpha1
from controller.api.v1alpha1 import Phase
from controller.temporal import ids, messages
from tests.support.waiting import eventually
from tests.workflows.conftest import Serve
from tests.workflows.executions import execution
from tests.workflows.world import World, failure

QUICK = v1alpha1.Retry(limit=2, backoff_seconds=1, max_backoff_seconds=1)
SLOW = v1alpha1.Retry(limit=2, backoff_seconds=600)


async def test_a_failed_run_is_followed_by_another_until_one_succeeds(serve: Serve) -> None:
    world = World()
    world.first_ends["a"] = ["FAILED", "FAILED"]
    chain = await serve(world)

    async with execution(chain, retry=QUICK) as stack:
        end = await stack.ends(Phase.SUCCEEDED, "RunFinished")

    assert world.states("a") == ["FAILED", "FAILED", "FINISHED"]
    assert (end.attempts, end.message) == (3, "It was run 3 times.")
    assert end.run_id == world.run_of("a").id


async def test_each_trigger_knows_the_run_before_it(serve: Serve) -> None:
    world = World()
    world.first_ends["a"] = ["FAILED"]
    chain = await serve(world)

    async with execution(chain, retry=QUICK) as stack:
        await stack.ends(Phase.SUCCEEDED, "RunFinished")

    first, second = world.arguments_of(messages.TriggerStackRunInput)
    assert (first.newest_run_id, second.newest_run_id) == ("0", min(world.runs))
    assert not second.was_attempted


async def test_the_next_run_waits_until_the_chain_has_a_slot_for_it(serve: Serve) -> None:
    world = World()
    world.first_ends["a"] = ["FAILED"]
    chain = await serve(world)

    async with execution(chain, retry=QUICK, lets_trigger=False) as stack:
        await eventually(lambda: stack.wants_slot())
        asked = (await stack.reports())[-1]
        before = world.calls("trigger_stack_run")
        await stack.handle.signal(ids.MAY_TRIGGER_SIGNAL, stack.chain.first_execution_run_id)
        await stack.ends(Phase.SUCCEEDED, "RunFinished")

    assert (asked.phase, asked.reason) == (Phase.WAITING, "RetryPending")
    assert (before, world.calls("trigger_stack_run")) == (["a"], ["a", "a"])


async def test_each_further_run_asks_for_a_slot_of_its_own(serve: Serve) -> None:
    world = World()
    world.first_ends["a"] = ["FAILED", "FAILED"]
    chain = await serve(world)

    async with execution(chain, retry=QUICK) as stack:
        await stack.ends(Phase.SUCCEEDED, "RunFinished")
        asked = [report.attempts for report in await stack.reports() if report.wants_slot]

    assert asked == [1, 2]


async def test_who_waits_for_a_slot_is_stopped_at_once(serve: Serve) -> None:
    world = World()
    world.ends["a"] = "FAILED"
    chain = await serve(world)

    async with execution(chain, retry=QUICK, lets_trigger=False) as stack:
        await eventually(lambda: stack.wants_slot())
        await stack.cancel()
        await stack.ends(Phase.FAILED, "RunFailed")

    assert world.calls("trigger_stack_run") == ["a"]


async def test_the_limit_counts_further_runs(serve: Serve) -> None:
    world = World()
    world.ends["a"] = "FAILED"
    chain = await serve(world)

    async with execution(chain, retry=QUICK) as stack:
        end = await stack.ends(Phase.FAILED, "RunFailed")

    assert world.states("a") == ["FAILED"] * 3
    assert (end.attempts, end.message) == (3, "The run failed. It was run 3 times.")


@pytest.mark.parametrize("state", ["CANCELED", "DISCARDED", "STOPPED", "SKIPPED"])
async def test_what_somebody_ended_is_not_run_again(serve: Serve, state: str) -> None:
    world = World()
    world.ends["a"] = state
    chain = await serve(world)

    async with execution(chain, retry=QUICK) as stack:
        await stack.handle.result()

    assert world.states("a") == [state]


async def test_a_failed_run_that_was_adopted_is_followed_by_one_of_its_own(serve: Serve) -> None:
    world = World("b>a")
    world.first_ends["a"] = ["FAILED"]
    origin = world.create("b").id
    chain = await serve(world)

    async with execution(chain, retry=QUICK, adopt_origin=origin, queuers=["b"]) as stack:
        end = await stack.ends(Phase.SUCCEEDED, "RunFinished")
        told = [*await stack.reports(), end]

    adopted, triggered = (run.id for run in world.runs.values() if run.stack_id == "a")
    assert end.run_id == triggered
    assert {(report.run_id, report.run_source) for report in told if report.run_id} == {
        (adopted, "Adopted"),
        (triggered, "Triggered"),
    }
    finds = world.arguments_of(messages.FindStackRunInput)
    assert [find.adopt_origin for find in finds] == [origin, None]
    assert world.calls("trigger_stack_run") == ["a"]
    assert end.attempts == 2


async def test_a_run_that_somebody_started_meanwhile_is_not_taken_for_the_next_one(
    serve: Serve,
) -> None:
    world = World()
    world.first_ends["a"] = ["FAILED"]
    chain = await serve(world)

    async with execution(chain, retry=v1alpha1.Retry(limit=1, backoff_seconds=4)) as stack:
        await stack.shows("RetryPending")
        theirs = world.create("a").id
        end = await stack.ends(Phase.SUCCEEDED, "RunFinished")

    assert world.arguments_of(messages.TriggerStackRunInput)[-1].newest_run_id == theirs
    assert end.run_id != theirs


async def test_the_pause_tells_of_the_failed_run_and_when_the_next_one_starts(
    serve: Serve,
) -> None:
    world = World()
    world.ends["a"] = "FAILED"
    chain = await serve(world)

    async with execution(chain, retry=SLOW) as stack:
        shown = await stack.shows("RetryPending")
        await stack.cancel()
        await stack.handle.result()

    run = world.run_of("a")
    at = shown.message.split(" starts at ")[1].split(": https")[0]
    left = datetime.datetime.fromisoformat(at) - datetime.datetime.now(datetime.UTC)
    assert shown.phase is Phase.WAITING
    assert (shown.run_id, shown.run_url) == (run.id, f"https://x/{run.id}")
    assert shown.message == (
        f"Run 1 of at most 3 failed; the next one starts at {at}: https://x/{run.id}"
    )
    assert 500 < left.total_seconds() <= 600


async def test_a_cancel_during_the_pause_ends_it_at_once_with_the_failed_run(
    serve: Serve,
) -> None:
    world = World()
    world.ends["a"] = "FAILED"
    chain = await serve(world)

    async with execution(chain, retry=SLOW) as stack:
        await stack.shows("RetryPending")
        await stack.cancel()
        end = await stack.ends(Phase.FAILED, "RunFailed")

    assert end.message == "The run failed. No other run was started because the chain was canceled."
    assert (end.run_id, end.attempts) == (world.run_of("a").id, 1)
    assert world.calls("stop_stack_run") == []


async def test_a_cancel_during_the_second_search_ends_with_the_failed_run(serve: Serve) -> None:
    world = World()
    world.ends["a"] = "FAILED"
    world.gate("find_stack_run", "a", from_call=2)
    chain = await serve(world)

    async with execution(chain, retry=QUICK) as stack:
        await stack.shows("RetryPending")
        await chain.called("find_stack_run", "a", times=2)
        await stack.cancel()
        await stack.ends(Phase.FAILED, "RunFailed")

    assert world.states("a") == ["FAILED"]


async def test_a_cancel_during_the_second_trigger_stops_the_run_that_it_created(
    serve: Serve,
) -> None:
    world = World()
    world.first_ends["a"], world.held = ["FAILED"], {"a"}
    world.gate("trigger_stack_run", "a", from_call=2)
    chain = await serve(world)

    async with execution(chain, retry=QUICK) as stack:
        await chain.called("trigger_stack_run", "a", times=2)
        world.create("a")
        await stack.cancel()
        end = await stack.ends(Phase.CANCELED, "ChainCanceled")

    assert world.states("a") == ["FAILED", "STOPPED"]
    assert end.attempts == 2


async def test_a_second_trigger_that_is_refused_keeps_the_failed_run_in_sight(
    serve: Serve,
) -> None:
    world = World()
    world.ends["a"] = "FAILED"
    gate = world.gate("trigger_stack_run", "a", from_call=2)
    chain = await serve(world)

    async with execution(chain, retry=QUICK) as stack:
        await chain.called("trigger_stack_run", "a", times=2)
        world.failures["trigger_stack_run", "a"] = [failure("SpaceliftRefused", final=True)]
        gate.set()
        end = await stack.ends(Phase.FAILED, "TriggerRefused")

    assert (end.run_id, end.attempts) == (world.run_of("a").id, 1)
