"""Random schedules around native runs, and large waves: nothing runs twice or too early silently.

`make soak` plays more of them. `docs/limits.md` says which runs may be carried out all the same;
each is reported, however busy the machine is, so that no schedule depends on time.
"""

import collections
from collections.abc import AsyncIterator
from typing import Any

import pytest
from temporalio.client import Client

from controller.api.v1alpha1 import Phase
from controller.chain.run import progress
from tests.workflows import harness as harnesses
from tests.workflows import native_schedules
from tests.workflows.simulated_world import SimulatedWorld


async def test_what_spacelift_carries_out_on_its_own_is_used_or_reported(
    temporal_client: Client,
) -> None:
    outcomes = await native_schedules.play_all(temporal_client, range(8), at_once=4)

    assert not [outcome.describe() for outcome in outcomes if outcome.silent]


ROOTS, DEPENDENTS = 8, 60


@pytest.fixture
async def large(
    temporal_client: Client,
) -> AsyncIterator[tuple[SimulatedWorld, progress.ChainProgress]]:
    """A chain of roots and of stacks that are each natively below all of them, once it ended."""
    names = [f"root{number}" for number in range(ROOTS)]
    stacks: dict[str, Any] = {name: {"durations": 8.0} for name in names}
    stacks |= {f"n{number:02}": {"dependsOn": names} for number in range(DEPENDENTS)}
    world = SimulatedWorld(
        {
            "stacks": stacks,
            "defaults": {"stack": {"autodeploy": True}, "durations": 1.0},
            "publicParallelism": 500,
        },
        roots=names,
        poll_seconds=10,
    )
    harness = harnesses.new_harness(temporal_client, world)
    async with harnesses.workers(harness, has_sandbox=False):
        known = progress.unpacked(await harness.run(parallelism=500))
    world.simulator.advance()
    yield world, known
    await world.aclose()


async def test_stacks_below_several_roots_run_once_at_few_requests(
    large: tuple[SimulatedWorld, progress.ChainProgress],
) -> None:
    world, known = large
    roots = [stack for stack in known.stacks if not stack.depends_on]
    runs = list(world.simulator.account.runs.values())

    assert known.phase is Phase.SUCCEEDED
    carried_out = collections.Counter(
        run.stack_id for run in runs if native_schedules.was_applied(run)
    )
    assert set(carried_out.values()) == {1}
    assert len(carried_out) == len(known.stacks)
    dependents = len(known.stacks) - len(roots)
    canceled = [run for run in runs if run.state == "CANCELED"]
    assert len(canceled) == len(roots) * dependents
    assert world.transport.requests.total() <= 4 * len(known.stacks), world.transport.requests
    assert world.transport.requests["GetNewestRuns"] <= 2 * 2 * len(roots)
