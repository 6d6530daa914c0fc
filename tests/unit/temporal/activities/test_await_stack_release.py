"""Whoever waits for a stack is told once something else holds it, or nothing does."""

import asyncio
from typing import Any

import pytest

from controller.spacelift import errors, models
from controller.temporal import messages
from controller.temporal.activities import heartbeats
from tests.support.waiting import eventually
from tests.unit.temporal.activities import fakes

LOCKED = models.StackHold(locked_by="jane")


async def known(bench: fakes.Bench) -> str:
    """Return what the workflow was told before it waits."""
    found = await bench.environment.run(
        bench.operations.find_stack_run,
        messages.FindStackRunInput(
            connection=fakes.CONNECTION, stack_id="a", adopt_origin=None, queuers=[]
        ),
    )
    return found.hold_message


async def waiting(bench: fakes.Bench) -> "asyncio.Task[Any]":
    argument = messages.AwaitStackReleaseInput(
        connection=fakes.CONNECTION, stack_id="a", hold_message=await known(bench)
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

    await asyncio.wait_for(task, 5)


async def test_it_heartbeats_while_it_waits(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(heartbeats, "HEARTBEAT_SECONDS", 0.01)
    bench = fakes.make_bench()
    bench.spacelift.holds["a"] = LOCKED

    task = await waiting(bench)

    await eventually(lambda: bench.heartbeats)
    bench.spacelift.holds["a"] = models.StackHold()
    await asyncio.wait_for(task, 5)


async def test_runs_that_come_and_go_do_not_matter() -> None:
    bench = fakes.make_bench()
    bench.spacelift.holds["a"] = LOCKED
    task = await waiting(bench)

    bench.spacelift.holds["a"] = models.StackHold(
        locked_by="jane", blocker=bench.spacelift.add_run(state="PLANNING")
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

    await asyncio.wait_for(task, 5)
