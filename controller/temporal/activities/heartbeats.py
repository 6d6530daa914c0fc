"""Heartbeats of activities: one slow request to Spacelift outlasts the heartbeat time-out.

Temporal stores each heartbeat, and bills it, so waits send them as rarely as their time-out allows
(ADR 0047).
"""

import asyncio
import contextlib
from collections.abc import AsyncIterator

import temporalio.activity as activity

# Of calls, which have a time-out of ten seconds.
HEARTBEAT_SECONDS = 3.0
# Of a wait, as a part of its time-out. One that is missed costs nothing but another try.
_WAIT_SHARE = 5 / 6


@contextlib.asynccontextmanager
async def kept_alive(*, seconds: float | None = None) -> AsyncIterator[None]:
    """Heartbeat while the context is open, whatever it waits for.

    The first one comes after the interval: most calls are over by then.
    """
    beating = asyncio.create_task(_beat(HEARTBEAT_SECONDS if seconds is None else seconds))
    try:
        yield
    finally:
        beating.cancel()


def pause_of_wait() -> float:
    """Return the seconds between two heartbeats of the wait that runs here."""
    timeout = activity.info().heartbeat_timeout
    return timeout.total_seconds() * _WAIT_SHARE if timeout else HEARTBEAT_SECONDS


def is_nobody_waiting() -> bool:
    """Whether the activity was canceled because its workflow closed before it heard of the cancel.

    A wake makes a workflow give up a wait, and the next one may end the workflow before the first
    wait sends its next heartbeat. The SDK logs anything that ends such an activity as a failure,
    unless it returns.
    """
    details = activity.cancellation_details()
    return details is not None and details.not_found


async def _beat(seconds: float) -> None:
    while True:
        await asyncio.sleep(seconds)
        activity.heartbeat()
