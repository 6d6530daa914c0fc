"""The stand-in for Temporal does what the real server does, row by row.

Each row is one small scenario, written once. On the real server all of them run side by side, which
takes as long as the longest one. Where the two differ the stand-in is wrong.
"""

import asyncio
import itertools
from collections.abc import AsyncIterator

import pytest
import temporalio.exceptions
from temporalio.client import Client

from tests.simulation.fidelity import (
    activities,
    activity_rows,
    children_rows,
    places,
    reading_rows,
    reset_rows,
    schedule_rows,
    start_rows,
)
from tests.support import temporal as temporal_support

ROWS = {
    row.__name__.replace("_", " "): row
    for module in (
        start_rows,
        reading_rows,
        activity_rows,
        children_rows,
        schedule_rows,
        reset_rows,
    )
    for row in module.ROWS
}

SLOW_TASKS = start_rows.SLOW_TASKS | reset_rows.SLOW_TASKS

# A busy machine makes a server late, which looks like another answer, and rarely happens twice.
_TRIES = 3


class RealServer:
    """All rows on the real server, side by side; one that differs is run again alone."""

    def __init__(self, client: Client, queue: str) -> None:
        self._client, self._queue = client, queue
        self.noting = activities.Activities()
        self._numbers = itertools.count()
        self._first = {name: asyncio.create_task(self._observed(name)) for name in ROWS}

    async def does(self, name: str, expected: object) -> object:
        """Return what the server does, after more than one try if that is not what is expected."""
        found = await self._first[name]
        for _ in range(_TRIES - 1):
            if found == expected:
                break
            found = await self._observed(name)
        return found

    async def close(self) -> None:
        """End what no test waits for."""
        for task in self._first.values():
            task.cancel()
        await asyncio.gather(*self._first.values(), return_exceptions=True)

    def place(self, prefix: str) -> places.Place:
        """Return a new place on the server."""
        return places.Place(self._client, places.real_worker, self._queue, self.noting, prefix)

    async def _observed(self, name: str) -> object:
        try:
            async with asyncio.timeout(200):
                return await ROWS[name](self.place(f"{self._queue}-{next(self._numbers)}"))
        except (TimeoutError, temporalio.exceptions.TemporalError, LookupError) as error:
            # What a row does not expect, such as an answer that a busy server never gave.
            return f"unexpected: {error!r}"


@pytest.fixture(scope="module")
async def real_server(temporal_client: Client) -> AsyncIterator[RealServer]:
    """Run all rows on the real server."""
    queue = temporal_support.unique("fidelity")
    server = RealServer(temporal_client, queue)
    async with server.place(queue).worker(task_queue=queue, max_concurrent_activities=500):
        yield server
        await server.close()


@pytest.mark.parametrize("name", ROWS)
async def test_the_stand_in_does_as_the_server(real_server: RealServer, name: str) -> None:
    row = ROWS[name]
    observed = await asyncio.to_thread(places.on_stand_in, row, has_slow_tasks=row in SLOW_TASKS)

    assert observed == await real_server.does(name, observed)
