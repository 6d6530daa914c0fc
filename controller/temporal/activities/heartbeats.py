"""Heartbeats of activities: one slow request to Spacelift outlasts the heartbeat time-out."""

import asyncio
import contextlib
from collections.abc import AsyncIterator

import temporalio.activity as activity

HEARTBEAT_SECONDS = 3.0


@contextlib.asynccontextmanager
async def kept_alive(*, seconds: float | None = None) -> AsyncIterator[None]:
    """Heartbeat while the context is open, whatever it waits for.

    The first one comes after the interval: most calls are over by then, and each heartbeat is a
    request that Temporal writes down, and bills.
    """
    beating = asyncio.create_task(_beat(HEARTBEAT_SECONDS if seconds is None else seconds))
    try:
        yield
    finally:
        beating.cancel()


async def _beat(seconds: float) -> None:
    while True:
        await asyncio.sleep(seconds)
        activity.heartbeat()
