"""Whoever waits for a stack learns that something else holds it, or that nothing does."""

import asyncio
import dataclasses
from typing import Any

import pytest
import temporalio.exceptions

from controller.spacelift import errors, models
from controller.temporal import messages
from tests.support.waiting import eventually
from tests.unit.temporal.activities import fakes

LOCKED = models.StackHold(locked_by="jane")


async def known(bench: fakes.Bench) -> str:
    """Return what the workflow knew before it waits."""
    found = await bench.environment.run(
        bench.operations.find_stack_run,
        messages.FindStackRunInput(
            target=fakes.stack_ref("a"),
            adopt_origin=None,
            queuers=[],
            chain=fakes.CHAIN,
            first_run_id="one",
        ),
    )
    return found.held.message if found.held else ""


async def waiting(bench: fakes.Bench, *, is_patient: bool = False) -> "asyncio.Task[Any]":
    argument = messages.AwaitStackReleaseInput(
        target=fakes.stack_ref("a"),
        hold_message=await known(bench),
        is_patient=is_patient,
    )
    task = asyncio.ensure_future(
        bench.environment.run(bench.operations.await_stack_release, argument)
    )
    await reads(bench)
    assert not task.done()
    return task


async def reads(bench: fakes.Bench, more: int = 2) -> None:
    wanted = bench.spacelift.count("get_stack_holds") + more
    await eventually(lambda: bench.spacelift.count("get_stack_holds") >= wanted)


@pytest.mark.parametrize(
    "after",
    [
        models.StackHold(),
        models.StackHold(locked_by=fakes.OWN),
        models.StackHold(locked_by="joe"),
        models.StackHold(is_disabled=True),
    ],
    ids=["unlocked", "locked by ourselves", "locked by another", "disabled"],
)
async def test_it_returns_when_something_else_holds_the_stack(after: models.StackHold) -> None:
    bench = fakes.make_bench()
    bench.spacelift.holds["a"] = LOCKED
    task = await waiting(bench)

    bench.spacelift.holds["a"] = after

    await asyncio.wait_for(task, 50)


async def test_it_heartbeats_while_it_waits() -> None:
    bench = fakes.make_bench()
    bench.allow_silence(seconds=0.02)
    bench.spacelift.holds["a"] = LOCKED

    task = await waiting(bench)

    await eventually(lambda: bench.heartbeats)
    bench.spacelift.holds["a"] = models.StackHold()
    await asyncio.wait_for(task, 50)


async def test_runs_that_come_and_go_do_not_matter() -> None:
    bench = fakes.make_bench()
    bench.spacelift.holds["a"] = LOCKED
    task = await waiting(bench)

    bench.spacelift.holds["a"] = fakes.blocked_by(
        bench.spacelift.add_run(state="PLANNING"), locked_by="jane"
    )
    await reads(bench)
    was_done = task.done()
    bench.environment.cancel()

    assert not was_done
    with pytest.raises(asyncio.CancelledError):
        await task


async def test_it_returns_when_the_stack_cannot_be_read_so_that_the_search_says_why() -> None:
    bench = fakes.make_bench()
    bench.spacelift.holds["a"] = LOCKED
    task = await waiting(bench)

    bench.spacelift.fail("get_stack_holds", errors.CredentialsRejected("no"))

    await asyncio.wait_for(task, 50)


async def test_a_patient_wait_outlasts_what_may_pass_by_itself() -> None:
    bench = fakes.make_bench()
    bench.spacelift.holds["a"] = LOCKED
    task = await waiting(bench, is_patient=True)

    bench.spacelift.fail("get_stack_holds", errors.Unreachable("no"), errors.RateLimited("slow"))
    await reads(bench, more=4)
    was_done = task.done()
    bench.spacelift.holds["a"] = models.StackHold()

    await asyncio.wait_for(task, 50)
    assert not was_done


async def test_a_patient_wait_returns_when_only_a_search_can_say_what_is_wrong() -> None:
    bench = fakes.make_bench()
    bench.spacelift.holds["a"] = LOCKED
    task = await waiting(bench, is_patient=True)

    bench.spacelift.fail("get_stack_holds", errors.CredentialsRejected("no"))

    await asyncio.wait_for(task, 50)


async def test_a_patient_wait_that_takes_long_is_handed_to_temporal_to_be_repeated() -> None:
    """Returned to the workflow it would fill the history of a chain that waits for days."""
    bench = fakes.make_bench(limits=dataclasses.replace(fakes.QUICK, follow=0.05))
    bench.spacelift.holds["a"] = LOCKED
    argument = messages.AwaitStackReleaseInput(
        target=fakes.stack_ref("a"),
        hold_message=await known(bench),
        is_patient=True,
    )

    with pytest.raises(temporalio.exceptions.ApplicationError) as caught:
        await bench.environment.run(bench.operations.await_stack_release, argument)

    assert (caught.value.type, caught.value.non_retryable) == ("StillWaiting", False)
    assert caught.value.category is temporalio.exceptions.ApplicationErrorCategory.BENIGN
