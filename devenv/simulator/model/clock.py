"""Clocks: where the model's `now` comes from.

The model itself never asks for the time: its caller reads one of these and hands it over.
"""

import time
from typing import Protocol


class Clock(Protocol):
    """Tells the time of the simulated account in Unix seconds."""

    @property
    def is_virtual(self) -> bool:
        """Whether time stands still until someone moves it."""
        ...

    def now(self) -> float:
        """Return the present instant."""
        ...

    def move(self, seconds: float) -> float:
        """Go forward and return the new instant."""
        ...


class RealClock:
    """The wall clock, never going back; it may be put forward."""

    is_virtual = False

    def __init__(self) -> None:
        """Tie the monotonic clock to the wall clock once."""
        self._offset = time.time() - time.monotonic()

    def now(self) -> float:
        """Return the present instant."""
        return self._offset + time.monotonic()

    def move(self, seconds: float) -> float:
        """Go forward and return the new instant."""
        self._offset += _forward(seconds)
        return self.now()


class VirtualClock:
    """A clock that stands still until it is moved; for tests and for the admin API."""

    is_virtual = True

    def __init__(self, start: float) -> None:
        """Start at the instant `start`."""
        self._now = start

    def now(self) -> float:
        """Return the instant that the clock was moved to last."""
        return self._now

    def move(self, seconds: float) -> float:
        """Go forward and return the new instant."""
        self._now += _forward(seconds)
        return self._now


def _forward(seconds: float) -> float:
    if seconds < 0:
        raise ValueError("a clock goes forward only")
    return seconds
