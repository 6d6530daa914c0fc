"""Hours of trouble, on a server that skips the time in between."""

import sys
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from temporalio.client import Client
from temporalio.testing import WorkflowEnvironment

from controller.api.v1alpha1 import Phase
from tests.workflows import harness as harnesses
from tests.workflows.world import World, failure

SERVER = Path(sys.executable).parent / "temporal-test-server"


@pytest.fixture
async def quick_client() -> AsyncIterator[Client]:
    async with await WorkflowEnvironment.start_time_skipping(
        test_server_existing_path=str(SERVER)
    ) as environment:
        yield environment.client


async def test_an_outage_of_spacelift_for_hours_ends_no_chain(quick_client: Client) -> None:
    world = World("a~b")
    world.publishes_seldom = True
    tries = 120
    for name, stack_id in (
        ("fetch_dependent_stacks", ""),
        ("find_stack_run", "a"),
        ("trigger_stack_run", "a"),
        ("follow_stack_run", "b"),
    ):
        world.failures[name, stack_id] = [failure("Unreachable") for _ in range(tries)]
    chain = harnesses.new_harness(quick_client, world)

    async with harnesses.workers(chain):
        known = await chain.run()
        history = await chain.handles[0].fetch_history()

    assert known.phase is Phase.SUCCEEDED
    assert world.calls("trigger_stack_run") == ["a"] * (tries + 1) + ["b"]
    # Retries cost no history, however many there are.
    assert len(history.events) < 2 * tries


async def test_the_last_publish_is_waited_for_minutes_and_not_for_ever(
    quick_client: Client,
) -> None:
    world = World()
    world.publishes_seldom = True
    world.last_publish_error = ConnectionError("the operator is away")
    chain = harnesses.new_harness(quick_client, world)

    async with harnesses.workers(chain):
        handle = await chain.start()
        known = await handle.result()
        description = await handle.describe()

    assert known.phase is Phase.SUCCEEDED
    assert description.close_time is not None
    assert (description.close_time - description.start_time).total_seconds() >= 500
