"""Heartbeats of one attempt: sent as seldom as the SDK's core sends them."""

import asyncio
from collections.abc import Callable

from temporalio.api.common.v1 import Payload

# Core waits for this part of the time-out between two heartbeats, unless its options say less.
_THROTTLE = 0.8


class Heartbeats:
    """Sends the first heartbeat at once, and of those that come soon after it the newest."""

    def __init__(
        self,
        loop: asyncio.AbstractEventLoop,
        send: Callable[[list[Payload]], None],
        *,
        timeout_seconds: float,
        longest_pause: float,
        default_pause: float,
    ) -> None:
        self._loop = loop
        self._send = send
        pause = timeout_seconds * _THROTTLE if timeout_seconds else default_pause
        self._pause = min(pause, longest_pause)
        self._held: list[Payload] | None = None
        self._timer: asyncio.TimerHandle | None = None

    def record(self, details: list[Payload]) -> None:
        """Send a heartbeat now or later."""
        if self._timer is not None:
            self._held = details
            return
        self._send(details)
        self._timer = self._loop.call_later(self._pause, self._next)

    def close(self) -> list[Payload] | None:
        """Send nothing more; return what was held back."""
        if self._timer is not None:
            self._timer.cancel()
        held, self._held = self._held, None
        return held

    def _next(self) -> None:
        self._timer = None
        if self._held is not None:
            held, self._held = self._held, None
            self.record(held)
