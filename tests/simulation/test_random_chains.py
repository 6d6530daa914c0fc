"""Chains by seed, with kills, outages, cancels and lost answers at any moment; Spacelift is faked.

The workflows promise, whatever happens, that each chain ends, that a stack is triggered once, and
that what a canceled chain has triggered is stopped.
"""

import asyncio
import random
from collections.abc import Callable
from typing import Any

import pytest
from temporalio import activity
from temporalio.service import RPCError, RPCStatusCode

from controller.chain.run import progress, run_snapshots
from controller.temporal import ids, messages
from tests.simulation import chain_runs
from tests.simulation.temporal import chance
from tests.workflows.harness import ChainHandle
from tests.workflows.world import World

NAMES = "abcdefgh"
WRONG = {chance.REPLAY: 0.05, chance.ANSWER_LOST: 0.02}
WHAT_GOES_WRONG = ("kill", "outage", "cancel", "suspend", "end")
SEEDS_A_TEST = 25


@pytest.mark.parametrize("first", range(0, 100, SEEDS_A_TEST))
def test_chains_keep_their_promises_whatever_happens(first: int) -> None:
    for seed in range(first, first + SEEDS_A_TEST):
        try:
            simulate(seed)
        except BaseException as error:
            error.add_note(f"seed {seed}")
            raise


def simulate(seed: int) -> None:
    rng = random.Random(seed)
    world = make_world(rng)

    async def scenario(run: chain_runs.ChainRun) -> None:
        handle = await run.harness.start()
        result = asyncio.create_task(_result(handle))
        what = [rng.choice(WHAT_GOES_WRONG) for _ in range(rng.randint(0, 4))]
        for one in what:
            await _some_moment(rng, world)
            await _go_wrong(one, rng, run, handle)
        for _ in range(20):
            await asyncio.sleep(5)
            if "cancel" not in what:
                await _end_all(world)
        known = await asyncio.wait_for(result, 3600)
        await asyncio.sleep(60)

        assert known.phase.is_over
        assert not [one.workflow_id for one in run.server.executions() if one.is_running]

    chain_runs.simulate(world, scenario, seed=seed, decide=chance.Seeded(seed, probabilities=WRONG))

    own = [run for run in world.runs.values() if not run.is_native]
    assert len({run.stack_id for run in own}) == len(own)
    assert not [run.id for run in own if run.state == "PLANNING"]


def make_world(rng: random.Random) -> World:
    names = NAMES[: rng.randint(1, len(NAMES))]
    edges = [
        f"{upstream}{rng.choice('>~')}{names[place]}"
        for place in range(1, len(names))
        for upstream in rng.sample(names[:place], k=min(place, rng.randint(1, 2)))
    ]
    world = World(*edges)
    world.ends = {name: "FAILED" for name in names if rng.random() < 0.15}
    world.held = {name for name in names if rng.random() < 0.2}
    world.real_trigger = slow_trigger(rng, world)
    return world


def slow_trigger(rng: random.Random, world: World) -> Callable[..., Any]:
    """Return a trigger that is under way for a while, before and after it takes effect."""

    @activity.defn(name="trigger_stack_run")
    async def trigger_stack_run(
        argument: messages.TriggerStackRunInput,
    ) -> run_snapshots.RunSnapshot:
        stack_id = argument.target.stack_id
        async with world._called("trigger_stack_run", stack_id, argument):
            await asyncio.sleep(rng.random() / 2)
            if argument.was_attempted and (found := _own_run(world, stack_id)):
                return found.snapshot()
            made = world.create(stack_id)
            await asyncio.sleep(rng.random() / 2)
            return made.snapshot()

    return trigger_stack_run


def _own_run(world: World, stack_id: str) -> Any:
    runs = world.runs.values()
    return next((run for run in runs if run.stack_id == stack_id and not run.is_native), None)


async def _some_moment(rng: random.Random, world: World) -> None:
    """Wait for any moment; half of them are while a trigger is under way, if there is one."""
    known = len(world.calls("trigger_stack_run"))
    if rng.random() < 0.5:
        for _ in range(50):
            if len(world.calls("trigger_stack_run")) > known:
                break
            await asyncio.sleep(0.1)
    await asyncio.sleep(rng.random() if known else rng.expovariate(0.5))


async def _go_wrong(
    what: str, rng: random.Random, run: chain_runs.ChainRun, handle: ChainHandle
) -> None:
    match what:
        case "kill":
            run.worker.kill()
            await asyncio.sleep(rng.random() * 5)
            run.start_worker()
        case "outage":
            run.server.go_down()
            await asyncio.sleep(rng.random() * 20)
            run.server.come_up()
        case "cancel":
            await handle.cancel()
        case "suspend":
            await _signal(handle, ids.SUSPEND_SIGNAL)
            await asyncio.sleep(rng.random() * 10)
            await _signal(handle, ids.RESUME_SIGNAL)
        case _:
            await _end_all(run.harness.world)


async def _signal(handle: ChainHandle, name: str) -> None:
    try:
        await handle.signal(name)
    except RPCError as error:
        # A chain that has ended takes no signal.
        if error.status is not RPCStatusCode.NOT_FOUND:
            raise


async def _end_all(world: World) -> None:
    """Let all runs end that wait for the test, including those still to come."""
    world.held = set()
    for found in list(world.runs.values()):
        if found.state == "PLANNING":
            await world.move(found.stack_id, "FINISHED", run_id=found.id)


async def _result(handle: ChainHandle) -> progress.ChainProgress:
    """Wait for the end of a chain, through outages."""
    while True:
        try:
            return await handle.result()
        except RPCError as error:
            if "connect" not in error.message:
                raise
            await asyncio.sleep(1)
