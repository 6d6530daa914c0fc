"""Keeps a process below the requests per minute that a user has set for a connection (ADR 0066).

The account sees an even rate instead of bursts. What would have to wait for long is refused before
it is sent, as if Spacelift had answered 429, so that it is waited for in Temporal and not here.
"""

import asyncio
from collections.abc import Callable

from controller import clock
from controller.spacelift import errors

LONGEST_PAUSE_SECONDS = 1.0

# A tenth of the budget may be sent at once, and the rest comes evenly, so that no minute has more.
_AT_ONCE = 10
_MINUTE_SECONDS = 60.0


class RequestBudget:
    """Lets through at most so many requests in any minute; each one that is let through counts."""

    def __init__(
        self,
        connection: str,
        per_minute: Callable[[], int | None],
        *,
        clock: Callable[[], float] = clock.monotonic,
    ) -> None:
        """Take the connection's name, for messages, and the budget as it is now; None: no limit."""
        self._connection = connection
        self._per_minute = per_minute
        self._clock = clock
        # When all that was sent would have been sent at an even rate.
        self._even_until = clock()

    async def wait(self) -> None:
        """Return when the next request may be sent.

        Raises:
            RateLimited: it would have to wait for more than a second; it does not count.
        """
        seconds = self._take()
        if seconds > 0:
            await asyncio.sleep(seconds)

    def _take(self) -> float:
        """Count a request, and return the seconds that it has to wait."""
        per_minute = self._per_minute()
        if per_minute is None:
            return 0.0
        at_once = per_minute // _AT_ONCE
        interval = _MINUTE_SECONDS / (per_minute - at_once)
        now = self._clock()
        # After a budget is raised, what is left of a smaller one must not be waited for.
        even_until = min(self._even_until, now + at_once * interval + LONGEST_PAUSE_SECONDS)
        seconds = max(0.0, even_until - (at_once - 1) * interval - now)
        if seconds > LONGEST_PAUSE_SECONDS:
            raise errors.RateLimited(
                f"the connection '{self._connection}' has used up its own limit of {per_minute} "
                f"requests per minute in this worker; nothing was sent, and the next try is in "
                f"{seconds:.1f} s at the earliest. If chains wait too long, raise "
                f"`requestsPerMinute` of the connection, or add workers",
                retry_after_seconds=seconds,
                is_own_limit=True,
            )
        self._even_until = max(even_until, now) + interval
        return seconds
