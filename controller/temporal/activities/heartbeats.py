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


def is_nobody_waiting() -> bool:
    """Whether the activity was canceled because its workflow closed before it heard of the cancel.

    A wake gives a wait up, and the next one may end the workflow before the first one beats again.
    The SDK logs whatever ends such an activity as a failure, unless it returns.
    """
    details = activity.cancellation_details()
    return details is not None and details.not_found


async def _beat(seconds: float) -> None:
    while True:
        await asyncio.sleep(seconds)
        activity.heartbeat()
