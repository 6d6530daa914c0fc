"""Heartbeats of activities: one slow request to Spacelift outlasts the heartbeat time-out."""

import asyncio
import contextlib
from collections.abc import AsyncIterator

import temporalio.activity as activity

HEARTBEAT_SECONDS = 3.0


@contextlib.asynccontextmanager
async def kept_alive(*, seconds: float = HEARTBEAT_SECONDS) -> AsyncIterator[None]:
    """Heartbeat while the context is open, whatever it waits for."""
    beating = asyncio.create_task(_beat(seconds))
    try:
        yield
    finally:
        beating.cancel()


async def _beat(seconds: float) -> None:
    while True:
        activity.heartbeat()
        await asyncio.sleep(seconds)
