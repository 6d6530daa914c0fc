"""For every step: the time."""

import time
from datetime import UTC, datetime

from controller import times


class Clock:
    """The machine's clock; tests have another."""

    def now(self) -> datetime:
        """Return the time, in UTC."""
        return datetime.now(UTC)

    def stamp(self) -> str:
        """Return the time as the status writes it: RFC 3339, in UTC."""
        return times.rfc3339(self.now())

    def monotonic(self) -> float:
        """Return seconds that only ever grow, for pauses."""
        return time.monotonic()
