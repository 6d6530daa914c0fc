"""Where a row of the table runs: on the real server, or on the stand-in under virtual time."""

import asyncio
import contextlib
import dataclasses
import itertools
import random
from collections.abc import Awaitable, Callable
from datetime import timedelta
from typing import Any

import temporalio.worker
from temporalio.api.enums.v1 import EventType
from temporalio.client import Client, WorkflowHandle

from tests.simulation import virtual_time
from tests.simulation.fidelity import activities as noting
from tests.simulation.fidelity import doomed_workers, subjects
from tests.simulation.temporal import chance, connections
from tests.simulation.temporal.server import TemporalServer
from tests.simulation.temporal.workers import Worker

THROTTLE = timedelta(milliseconds=200)
_PATIENCE = 60.0


@dataclasses.dataclass
class Place:
    """A server, and a worker for the workflows and activities of the table.

    `prefix` keeps the ids and queues of one row apart from those of others.
    """

    client: Client
    make_worker: Callable[..., Any]
    queue: str
    activities: noting.Activities
    prefix: str
    run_doomed: doomed_workers.Doomed = doomed_workers.real
    has_slow_tasks: bool = False
    """Whether each workflow task takes a second here, whatever the workflow does."""
    _numbers: Any = dataclasses.field(default_factory=itertools.count)

    def new_id(self, name: str = "id") -> str:
        """Return an id that no row uses."""
        return f"{self.prefix}-{name}-{next(self._numbers)}"

    async def start(self, name: str, *args: Any, **options: Any) -> WorkflowHandle[Any, Any]:
        """Start an execution on the shared queue, unless another one is given."""
        options.setdefault("id", self.new_id())
        options.setdefault("task_queue", self.queue)
        return await self.client.start_workflow(name, args=args, **options)

    async def call(self, call: subjects.Call) -> str:
        """Return what becomes of an activity."""
        handle = await self.start("Calls", call)
        return str(await handle.result())

    async def status(self, handle: WorkflowHandle[Any, Any]) -> str:
        """Return the state of an execution, by name."""
        found = await handle.describe()
        return found.status.name if found.status is not None else "-"

    async def until(self, condition: Callable[[], Awaitable[object]]) -> None:
        """Wait until something is so.

        Raises:
            TimeoutError: it is not, within a minute.
        """
        async with asyncio.timeout(_PATIENCE):
            while not await condition():  # noqa: ASYNC110 - no event announces it
                await asyncio.sleep(0.1)

    async def closed(self, handle: WorkflowHandle[Any, Any]) -> str:
        """Wait for the end of an execution, and return its state."""

        async def is_over() -> bool:
            return await self.status(handle) != "RUNNING"

        await self.until(is_over)
        return await self.status(handle)

    async def seen(self, key: str, count: int) -> list[str]:
        """Return what activities have noted, once it is so many."""

        async def is_seen() -> bool:
            return len(self.activities.seen.get(key, ())) >= count

        await self.until(is_seen)
        return self.activities.seen[key]

    def worker(self, **options: Any) -> Any:
        """Return another worker with the same workflows and activities, to be entered."""
        given = {
            "workflows": subjects.WORKFLOWS,
            "activities": self.activities.all(),
            "max_heartbeat_throttle_interval": THROTTLE,
        }
        return self.make_worker(self.client, **(given | options))

    def doomed_worker(
        self, queue: str, *, pause: float = THROTTLE.total_seconds()
    ) -> contextlib.AbstractAsyncContextManager[doomed_workers.Kill]:
        """Return a worker that can be killed; `pause` is the longest between two heartbeats."""
        return self.run_doomed(self.client, queue, pause)

    async def events(self, handle: WorkflowHandle[Any, Any]) -> list[str]:
        """Return the types of a history's events, without those of workflow tasks."""
        history = await handle.fetch_history()
        names = [EventType.Name(event.event_type) for event in history.events]
        return [name for name in names if "WORKFLOW_TASK" not in name]


Row = Callable[[Place], Awaitable[object]]


def real_worker(client: Client, **options: Any) -> temporalio.worker.Worker:
    """Return a worker of the SDK, as the product runs it."""
    return temporalio.worker.Worker(
        client, workflow_runner=temporalio.worker.UnsandboxedWorkflowRunner(), **options
    )


def on_stand_in(row: Row, *, has_slow_tasks: bool = False) -> object:
    """Return what a row observes on the stand-in."""
    delays = {chance.WORKFLOW_TASK: 1.0} if has_slow_tasks else {}
    loop = virtual_time.VirtualLoop(random.Random(1))

    async def main() -> object:
        server = TemporalServer(loop, chance.Steady(delays=delays))
        client = connections.connect(server)
        place = Place(
            client,
            Worker,
            "shared",
            noting.Activities(),
            "row",
            doomed_workers.on(loop),
            has_slow_tasks,
        )
        async with place.worker(task_queue=place.queue):
            return await row(place)

    try:
        observed = loop.run(main())
    finally:
        loop.close()
    assert loop.unhandled == []
    return observed
