"""A stack that is locked or disabled is given back before its first run, and waits between two."""

import contextlib
from collections.abc import AsyncIterator

import pytest

from controller.api import v1alpha1
from controller.api.v1alpha1 import Phase
from controller.chain.run import holds
from controller.temporal import messages
from tests.support.waiting import stays
from tests.workflows.conftest import Serve
from tests.workflows.executions import Execution, execution
from tests.workflows.harness import Harness
from tests.workflows.world import World, failure

JANE = holds.Hold(locked_by="jane", lock_note="mending it")
DISABLED = holds.Hold(is_disabled=True)


@contextlib.asynccontextmanager
async def held_between_runs(serve: Serve, world: World) -> AsyncIterator[tuple[Harness, Execution]]:
    """A stack whose first run failed, and which someone has locked before the next one."""
    world.held = {"a"}
    chain = await serve(world)
    policy = v1alpha1.Retry(limit=1, backoff_seconds=1)
    async with execution(chain, retry=policy) as stack:
        await stack.shows("RunInProgress")
        await world.hold_stack("a", JANE)
        world.held.clear()
        await world.move("a", "FAILED")
        await stack.shows("StackLocked")
        await chain.called("await_stack_release", "a")
        yield chain, stack


@pytest.mark.parametrize(
    ("hold", "reason", "words"),
    [(JANE, "StackLocked", "locked by jane (mending it)"), (DISABLED, "StackDisabled", "disabled")],
    ids=["locked", "disabled"],
)
async def test_a_stack_that_is_held_is_given_back_untouched(
    serve: Serve, hold: holds.Hold, reason: str, words: str
) -> None:
    world = World()
    world.stack_holds["a"] = hold
    chain = await serve(world)

    async with execution(chain) as stack:
        report = await stack.ends(Phase.WAITING, reason)

    assert words in report.message
    assert world.calls("await_stack_release") == world.calls("trigger_stack_run") == []


async def test_a_lock_that_comes_between_search_and_trigger_gives_the_stack_back(
    serve: Serve,
) -> None:
    world = World()
    gate = world.gate("trigger_stack_run", "a")
    chain = await serve(world)

    async with execution(chain) as stack:
        await chain.called("trigger_stack_run", "a")
        await world.hold_stack("a", JANE)
        gate.set()
        await stack.ends(Phase.WAITING, "StackLocked")

    assert world.states("a") == []


async def test_between_two_runs_it_waits_and_goes_on_by_itself(serve: Serve) -> None:
    world = World()

    async with held_between_runs(serve, world) as (_, stack):
        await world.hold_stack("a", None)
        await stack.ends(Phase.SUCCEEDED, "RunFinished")

    assert world.states("a") == ["FAILED", "FINISHED"]


async def test_whoever_holds_it_next_is_named(serve: Serve) -> None:
    world = World()

    async with held_between_runs(serve, world) as (_, stack):
        await world.hold_stack("a", holds.Hold(locked_by="joe"))
        await stack.shows("StackLocked", times=2)
        await world.hold_stack("a", DISABLED)
        await stack.shows("StackDisabled")
        await world.hold_stack("a", None)
        await stack.ends(Phase.SUCCEEDED, "RunFinished")
        told = [report.message for report in await stack.reports()]

    assert any("joe" in message for message in told)


async def test_a_wake_looks_at_once_and_only_once(serve: Serve) -> None:
    world = World()

    async with held_between_runs(serve, world) as (chain, stack):
        before = len(world.calls("find_stack_run"))
        await stack.wake()
        await chain.called("await_stack_release", "a", times=2)
        await stays(lambda: len(world.calls("find_stack_run")) == before + 1, 1)
        await world.hold_stack("a", None)
        await stack.ends(Phase.SUCCEEDED, "RunFinished")


async def test_runs_made_while_it_waited_are_not_taken_for_its_own(serve: Serve) -> None:
    world = World()

    async with held_between_runs(serve, world) as (_, stack):
        theirs = world.create("a").id
        await world.hold_stack("a", None)
        await stack.ends(Phase.SUCCEEDED, "RunFinished")

    (_, trigger) = world.arguments_of(messages.TriggerStackRunInput)
    assert trigger.newest_run_id == theirs


async def test_a_cancel_while_it_waits_ends_it_at_once(serve: Serve) -> None:
    world = World()

    async with held_between_runs(serve, world) as (_, stack):
        await stack.cancel()
        await stack.ends(Phase.FAILED, "RunFailed")

    assert world.calls("stop_stack_run") == []
    assert world.states("a") == ["FAILED"]


async def test_an_outage_while_it_waits_shows_and_passes(serve: Serve) -> None:
    world = World()

    async with held_between_runs(serve, world) as (_, stack):
        world.broken["find_stack_run", "a"] = failure("Unreachable")
        await stack.wake()
        await stack.shows("SpaceliftUnreachable")
        world.broken.clear()
        await stack.shows("StackLocked", times=2)
        await world.hold_stack("a", None)
        await stack.ends(Phase.SUCCEEDED, "RunFinished")


async def test_a_run_to_adopt_is_followed_whoever_holds_the_stack(serve: Serve) -> None:
    world = World("b>a")
    world.stack_holds["a"] = JANE
    origin = world.create("b").id
    chain = await serve(world)

    async with execution(chain, adopt_origin=origin, queuers=["b"]) as stack:
        await stack.ends(Phase.SUCCEEDED, "RunFinished")

    assert world.calls("await_stack_release") == []


async def test_a_stack_that_is_locked_between_two_runs_waits_and_its_time_goes_on(
    serve: Serve,
) -> None:
    world = World()
    world.held = {"a"}
    chain = await serve(world)

    async with execution(
        chain,
        stack_deadline_seconds=10,
        retry=v1alpha1.Retry(limit=1, backoff_seconds=1),
    ) as stack:
        await stack.shows("RunInProgress")
        await world.hold_stack("a", JANE)
        await world.move("a", "FAILED")
        await stack.shows("StackLocked")
        end = await stack.ends(Phase.FAILED, "RunFailed")

    assert "`stackDeadlineSeconds` (10 s) passed" in end.message


async def test_a_queued_run_tells_what_it_waits_for(serve: Serve) -> None:
    world = World()
    world.held, world.holds_in["a"] = {"a"}, "QUEUED"
    chain = await serve(world)

    async with execution(chain) as stack:
        await stack.shows("RunQueued")
        await world.change("a", hold=holds.Hold(blocker_id="01A", blocker_state="UNCONFIRMED"))
        first = await stack.shows("RunBlocked")
        await world.change("a", hold=holds.Hold(blocker_id="01B", blocker_state="PLANNING"))
        second = await stack.shows("RunBlocked", times=2)
        await world.change("a", hold=JANE)
        await stack.shows("StackLocked")
        await world.change("a", state="READY", hold=None)
        await stack.shows("WorkerPending")
        await world.move("a", "FINISHED")
        await stack.ends(Phase.SUCCEEDED, "RunFinished")

    assert "01A, has to end first; it is UNCONFIRMED and waits for a person" in first.message
    assert "01B, has to end first; it is in progress" in second.message


@pytest.mark.parametrize("operation", ["Apply", "Plan", "Destroy"])
async def test_the_operation_reaches_the_search_and_the_trigger(
    serve: Serve, operation: str
) -> None:
    world = World()
    world.held = {"a"}
    chain = await serve(world)

    async with execution(
        chain, operation=operation, commit_sha="4f0c2d9", environment={"WAVE": "7"}
    ) as stack:
        await stack.shows("RunInProgress")
        await stack.cancel()
        await stack.ends(Phase.CANCELED, "ChainCanceled")

    (find,) = world.arguments_of(messages.FindStackRunInput)
    (trigger,) = world.arguments_of(messages.TriggerStackRunInput)
    assert {find.operation, trigger.operation} == {operation}
    assert (trigger.commit_sha, trigger.environment) == ("4f0c2d9", {"WAVE": "7"})
