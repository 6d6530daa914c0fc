"""The stand-in for Temporal does what the real server does, row by row.

Each row is one small scenario, written once. On the real server all of them run side by side, which
takes as long as the longest one. Where the two differ the stand-in is wrong.
"""

import asyncio
from collections.abc import AsyncIterator

import pytest
from temporalio.client import Client

from tests.simulation.fidelity import (
    activities,
    activity_rows,
    children_rows,
    places,
    reading_rows,
    schedule_rows,
    start_rows,
)
from tests.support import temporal as temporal_support

ROWS = {
    row.__name__.replace("_", " "): row
    for module in (start_rows, reading_rows, activity_rows, children_rows, schedule_rows)
    for row in module.ROWS
}


@pytest.fixture(scope="module")
async def on_real_server(
    temporal_client: Client,
) -> AsyncIterator[dict[str, "asyncio.Task[object]"]]:
    """Run all rows on the real server, side by side; yields the task of each."""
    queue = temporal_support.unique("fidelity")
    noting = activities.Activities()
    first = places.Place(temporal_client, places.real_worker, queue, noting, queue)
    async with first.worker(task_queue=queue, max_concurrent_activities=500):
        tasks = {}
        for number, (name, row) in enumerate(ROWS.items()):
            place = places.Place(
                temporal_client, places.real_worker, queue, noting, f"{queue}-{number}"
            )
            tasks[name] = asyncio.create_task(_observed(row, place))
        yield tasks
        for task in tasks.values():
            task.cancel()
        await asyncio.gather(*tasks.values(), return_exceptions=True)


async def _observed(row: places.Row, place: places.Place) -> object:
    async with asyncio.timeout(200):
        return await row(place)


@pytest.mark.parametrize("name", ROWS)
async def test_the_stand_in_does_as_the_server(
    on_real_server: dict[str, "asyncio.Task[object]"], name: str
) -> None:
    row = ROWS[name]
    observed = await asyncio.to_thread(
        places.on_stand_in, row, has_slow_tasks=row in start_rows.SLOW_TASKS
    )

    assert observed == await on_real_server[name]
