"""One stack's execution: failures of Spacelift, wakes, signals at odd moments."""

import asyncio

import pytest
from temporalio.service import RPCError

from controller.api import reasons, v1alpha1
from controller.api.v1alpha1 import Phase
from controller.chain.run import progress
from controller.temporal import ids, messages
from controller.temporal.workflows.wakes import MOST_WAKES
from tests.support.waiting import eventually
from tests.workflows.conftest import Serve
from tests.workflows.harness import stack_of
from tests.workflows.world import World, failure


@pytest.mark.parametrize("name", ["find_stack_run", "trigger_stack_run"])
async def test_a_call_that_keeps_failing_shows_and_clears_by_itself(
    serve: Serve, name: str
) -> None:
    world = World()
    world.held = {"a"}
    world.broken[name, "a"] = failure("Unreachable")
    chain = await serve(world)
    handle = await chain.start()

    shown = await chain.stack_shows(handle, "a", Phase.WAITING, "SpaceliftUnreachable")
    world.broken.clear()
    cleared = await chain.stack_shows(handle, "a", Phase.RUNNING)

    assert shown.message == "made up: Unreachable"
    assert cleared.message == ""
    await world.move("a", "FINISHED")
    assert (await handle.result()).phase is Phase.SUCCEEDED


@pytest.mark.parametrize(
    ("kinds", "was_attempted"),
    [
        pytest.param(["AmbiguousOutcome"] * 4, [True] * 4, id="an answer was lost"),
        pytest.param(["Unreachable"] * 4, [False] * 4, id="nothing was ever sent"),
        pytest.param(
            ["AmbiguousOutcome"] * 3 + ["Unreachable"],
            [True] * 3 + [False],
            id="the last word counts",
        ),
    ],
)
async def test_the_later_tries_of_a_trigger_know_what_the_first_ones_left(
    serve: Serve, kinds: list[str], was_attempted: list[bool]
) -> None:
    """The first try stands alone, then come three, then as many as it takes."""
    world = World()
    world.failures["trigger_stack_run", "a"] = [failure(kind) for kind in kinds]
    chain = await serve(world)

    await chain.run()

    triggers = world.arguments_of(messages.TriggerStackRunInput)
    assert [trigger.was_attempted for trigger in triggers] == [False, *was_attempted]


@pytest.mark.parametrize(
    ("kind", "reason"),
    [
        ("SpaceliftRefused", reasons.StackReason.TRIGGER_REFUSED),
        ("PermissionDenied", reasons.StackReason.PERMISSION_DENIED),
        ("CredentialsRejected", reasons.StackReason.CREDENTIALS_REJECTED),
        ("SpaceliftObjectNotFound", reasons.StackReason.STACK_NOT_FOUND),
    ],
)
async def test_a_refused_trigger_fails_the_stack(
    serve: Serve, kind: str, reason: reasons.StackReason
) -> None:
    world = World()
    world.failures["trigger_stack_run", "a"] = [failure(kind, final=True)]
    chain = await serve(world)

    known = await chain.run()

    stack = stack_of(known, "a")
    assert (stack.phase, stack.reason, stack.message) == (Phase.FAILED, reason, f"made up: {kind}")


async def test_a_run_that_is_lost_fails_the_stack(serve: Serve) -> None:
    world = World()
    world.held = {"a"}
    world.failures["follow_stack_run", "a"] = [failure("RunLost", final=True)]
    chain = await serve(world)

    known = await chain.run()

    stack = stack_of(known, "a")
    assert (stack.phase, stack.reason) == (Phase.FAILED, reasons.StackReason.RUN_LOST)
    assert stack.run_id == world.run_of("a").id


async def test_a_run_that_cannot_be_read_shows_and_clears_by_itself(serve: Serve) -> None:
    world = World()
    world.held, world.holds_in["a"] = {"a"}, "UNCONFIRMED"
    chain = await serve(world)
    handle = await chain.start()
    await chain.stack_shows(handle, "a", Phase.AWAITING_CONFIRMATION)

    await world.break_reading("a", "Unreachable")
    broken = await chain.stack_shows(handle, "a", Phase.RUNNING, "SpaceliftUnreachable")
    await world.break_reading("a", "CredentialsRejected")
    await chain.stack_shows(handle, "a", Phase.RUNNING, "CredentialsRejected")
    await world.break_reading("a", "")
    await chain.stack_shows(handle, "a", Phase.AWAITING_CONFIRMATION)

    assert broken.run_url == f"https://x/{world.run_of('a').id}"
    await world.move("a", "FINISHED")
    assert (await handle.result()).phase is Phase.SUCCEEDED


async def test_a_run_that_cannot_be_read_can_still_be_stopped(serve: Serve) -> None:
    world = World()
    world.held = {"a"}
    chain = await serve(world)
    handle = await chain.start()
    await chain.stack_shows(handle, "a", Phase.RUNNING)
    await world.break_reading("a", "Unreachable")
    await chain.stack_shows(handle, "a", Phase.RUNNING, "SpaceliftUnreachable")

    await handle.cancel()

    assert (await handle.result()).phase is Phase.CANCELED
    assert world.states("a") == ["STOPPED"]


async def test_a_wake_reads_the_run_at_once(serve: Serve) -> None:
    world = World()
    world.held = {"a"}
    chain = await serve(world)
    handle = await chain.start()
    await chain.called("follow_stack_run", "a")

    await chain.execution("a").signal(ids.WAKE_SIGNAL)
    await chain.called("read_stack_run", "a")
    await chain.at_rest(chain.execution("a"))

    # Without news the wait continues as it was.
    assert world.log.count(("follow_stack_run", "a")) == 1
    await world.move("a", "FINISHED")
    assert (await handle.result()).phase is Phase.SUCCEEDED


async def test_wakes_without_end_read_the_run_no_more_after_a_while_and_it_still_ends(
    serve: Serve,
) -> None:
    """Each wake that is followed costs a dozen events, and Temporal ends a history of 51,200."""
    world = World()
    world.held = {"a"}
    chain = await serve(world)
    handle = await chain.start()
    await chain.called("follow_stack_run", "a")
    execution = chain.execution("a")
    for _ in range(MOST_WAKES // 100):
        await asyncio.gather(*(execution.signal(ids.WAKE_SIGNAL) for _ in range(100)))
    # The last of them may have asked for a read that has not started yet.
    await chain.at_rest(execution)
    reads = world.log.count(("read_stack_run", "a"))

    await execution.signal(ids.WAKE_SIGNAL)
    await chain.at_rest(execution)

    assert world.log.count(("read_stack_run", "a")) == reads >= 1
    await world.move("a", "FINISHED")
    assert (await handle.result()).phase is Phase.SUCCEEDED


async def test_a_wake_during_a_trigger_is_not_lost(serve: Serve) -> None:
    world = World()
    gate = world.gate("trigger_stack_run", "a")
    chain = await serve(world)
    handle = await chain.start()
    await chain.called("trigger_stack_run", "a")

    await chain.execution("a").signal(ids.WAKE_SIGNAL)
    gate.set()

    assert (await handle.result()).phase is Phase.SUCCEEDED


async def test_a_report_that_comes_twice_or_claims_an_end_changes_nothing(serve: Serve) -> None:
    world = World("a~b")
    world.held = {"a"}
    chain = await serve(world)
    handle = await chain.start()
    await chain.stack_shows(handle, "a", Phase.RUNNING)
    running = progress.StackReport(
        stack_id="a",
        phase=Phase.RUNNING,
        reason=reasons.StackReason.RUN_IN_PROGRESS,
        run_id=world.run_of("a").id,
        run_url=f"https://x/{world.run_of('a').id}",
        run_source=v1alpha1.RunSource.TRIGGERED,
    )
    of_another_run = progress.StackReport(
        stack_id="a", phase=Phase.WAITING, reason=reasons.StackReason.STACK_LOCKED
    )
    before = (await chain.known(handle)).sequence

    for report in (
        running,
        running,
        progress.StackReport(stack_id="a", phase=Phase.FAILED, reason="RunFailed"),
        progress.StackReport(stack_id="nobody", phase=Phase.RUNNING, reason="RunInProgress"),
    ):
        await handle.signal(ids.REPORT_SIGNAL, args=[report, handle.first_execution_run_id])
    await handle.signal(ids.REPORT_SIGNAL, args=[of_another_run, "another"])
    after = (await chain.known(handle)).sequence

    assert after == before
    await world.move("a", "FINISHED")
    assert (await handle.result()).phase is Phase.SUCCEEDED


async def test_signals_after_the_end_reach_nobody_and_harm_nothing(serve: Serve) -> None:
    world = World()
    chain = await serve(world)
    handle = await chain.start()
    known = await handle.result()

    for late in (
        handle.signal(ids.PARALLELISM_SIGNAL, messages.SetParallelism(parallelism=3)),
        chain.execution("a").signal(ids.WAKE_SIGNAL),
    ):
        with pytest.raises(RPCError):
            await late

    assert known.phase is Phase.SUCCEEDED


async def test_an_execution_canceled_by_hand_ends_its_stack_and_the_chain_goes_on(
    serve: Serve,
) -> None:
    world = World("a~b", roots=("a", "c"))
    world.held = {"a"}
    chain = await serve(world)
    handle = await chain.start()
    await chain.stack_shows(handle, "a", Phase.RUNNING)

    await chain.execution("a").cancel()

    known = await handle.result()
    assert stack_of(known, "a").phase is Phase.CANCELED
    assert stack_of(known, "b").phase is Phase.SKIPPED
    assert stack_of(known, "c").phase is Phase.SUCCEEDED
    await eventually(lambda: world.states("a") == ["STOPPED"])
