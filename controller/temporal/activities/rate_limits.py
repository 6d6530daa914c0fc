"""Waits as Spacelift asks, within an activity of many requests: else it might never end."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import TypeVar

from controller import times
from controller.spacelift import errors

# One request is refused this often before the activity is given up, and the status tells.
_LIMITED_TRIES = 5
_FIRST_PAUSE_SECONDS = 1.0
# A longer pause is Temporal's to keep, where a worker that stops does not lose it.
_LONGEST_PAUSE_SECONDS = 60.0

_Answer = TypeVar("_Answer")


async def call(
    request: Callable[[], Awaitable[_Answer]],
    *,
    sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
) -> _Answer:
    """Send one of many requests, again after a pause where Spacelift asks for one.

    Raises:
        RateLimited: it asked too often, or for too long a pause.
    """
    for number in range(_LIMITED_TRIES):
        try:
            return await request()
        except errors.RateLimited as error:
            own = _FIRST_PAUSE_SECONDS * 2**number
            pause = times.pause_seconds(error.retry_after_seconds, own=own)
            if pause > _LONGEST_PAUSE_SECONDS:
                raise
            await sleep(pause)
    return await request()
