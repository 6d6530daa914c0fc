"""Workers that are killed in the middle of an activity: a separate process on the real server."""

import asyncio
import contextlib
import sys
from collections.abc import AsyncIterator, Callable
from datetime import timedelta
from pathlib import Path

import temporalio.worker
from temporalio.client import Client

from tests.simulation import virtual_time
from tests.simulation.fidelity import activities
from tests.simulation.temporal.workers import Worker

Kill = Callable[[], None]
Doomed = Callable[[Client, str, float], contextlib.AbstractAsyncContextManager[Kill]]
"""Runs a worker of a queue, with the longest pause between two heartbeats in seconds."""

_ROOT = Path(__file__).parents[3]


@contextlib.asynccontextmanager
async def real(client: Client, queue: str, pause: float) -> AsyncIterator[Kill]:
    """Run a process whose end goes unnoticed."""
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        *("-m", __name__, client.service_client.config.target_host),
        *(client.namespace, queue, str(pause)),
        cwd=_ROOT,
    )

    def kill() -> None:
        if process.returncode is None:
            process.kill()

    try:
        yield kill
    finally:
        kill()
        await process.wait()


def on(loop: virtual_time.VirtualLoop) -> Doomed:
    """Return what runs such a worker on the stand-in."""

    @contextlib.asynccontextmanager
    async def run(client: Client, queue: str, pause: float) -> AsyncIterator[Kill]:
        process = loop.process("doomed")
        process.start(
            Worker(
                client,
                task_queue=queue,
                activities=activities.Activities().all(),
                max_heartbeat_throttle_interval=timedelta(seconds=pause),
            ).run()
        )
        try:
            yield process.kill
        finally:
            process.kill()

    return run


async def _main(target: str, namespace: str, queue: str, pause: str) -> None:
    client = await Client.connect(target, namespace=namespace)
    await temporalio.worker.Worker(
        client,
        task_queue=queue,
        activities=activities.Activities().all(),
        max_heartbeat_throttle_interval=timedelta(seconds=float(pause)),
    ).run()


if __name__ == "__main__":
    asyncio.run(_main(*sys.argv[1:]))
