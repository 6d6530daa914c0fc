"""For every part: the time. All of `controller` reads it here, so that it can be replaced.

A simulation runs many processes in one, each with its own clock. The context of the code that reads
the time decides which clock it gets. See ADR 0042.
"""

import contextvars
import time
from datetime import UTC, datetime

from controller import times


class Clock:
    """The machine's clock; tests have another."""

    def now(self) -> datetime:
        """Return the time, in UTC."""
        return datetime.fromtimestamp(self.unix(), UTC)

    def unix(self) -> float:
        """Return the time as seconds since 1970."""
        return time.time()

    def stamp(self) -> str:
        """Return the time as the status writes it: RFC 3339, in UTC."""
        return times.rfc3339(self.now())

    def monotonic(self) -> float:
        """Return seconds that only ever grow, for pauses."""
        return time.monotonic()


_clock: contextvars.ContextVar[Clock] = contextvars.ContextVar("clock", default=Clock())  # noqa: B039 - holds no state


def use(clock: Clock) -> None:
    """Have this context, and the tasks that are created in it from now on, read another clock."""
    _clock.set(clock)


def current() -> Clock:
    """Return the clock of this context."""
    return _clock.get()


def now() -> datetime:
    """Return the time of the context's clock, in UTC."""
    return _clock.get().now()


def unix() -> float:
    """Return the time of the context's clock as seconds since 1970."""
    return _clock.get().unix()


def monotonic() -> float:
    """Return seconds that only ever grow, by the context's clock."""
    return _clock.get().monotonic()
