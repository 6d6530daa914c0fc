"""Given: a chain's workers on the shared Temporal dev server.

Faked as input: Spacelift and the operator, by activities of the same names (`world.py`). Asserted
as output: progress, calls, and after each test that all histories are sound and can be replayed.
"""

import contextlib
import logging
from collections.abc import AsyncIterator, Awaitable, Callable

import pytest
from temporalio.client import Client

from tests.workflows import harness as harnesses
from tests.workflows.harness import Harness
from tests.workflows.world import World

Serve = Callable[..., Awaitable[Harness]]


@pytest.fixture
async def serve(
    temporal_client: Client, caplog: pytest.LogCaptureFixture, has_failed: Callable[[], bool]
) -> AsyncIterator[Serve]:
    """Serve a world: `harness = await serve(World("a>b"))`."""
    served: list[Harness] = []
    async with contextlib.AsyncExitStack() as running:

        async def start(world: World, **options: int) -> Harness:
            harness = harnesses.new_harness(temporal_client, world)
            await running.enter_async_context(harnesses.workers(harness, **options))
            served.append(harness)
            return harness

        yield start
        if not has_failed():
            for harness in served:
                await harnesses.finish(harness)
    # The SDK logs here what was never awaited, and what it could not evict.
    errors = [record for record in caplog.records if record.levelno >= logging.ERROR]
    assert not errors, [record.getMessage() for record in errors]
