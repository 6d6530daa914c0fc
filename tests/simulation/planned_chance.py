"""Chance as a test wants it: what it names goes wrong, or everything does now and then."""

import random

from tests.simulation.temporal import chance


class Planned(chance.Steady):
    """Nothing goes wrong but what a test has put into `next`, each once, in this order."""

    def __init__(self, *, seconds: float = 0.01) -> None:
        super().__init__(default=seconds)
        self.next: list[str] = []

    def happens(self, what: str) -> bool:
        """Return whether it is the next thing to go wrong."""
        if self.next and self.next[0] == what:
            self.next.pop(0)
            return True
        return False


class Wild(chance.Steady):
    """Everything that can go wrong does so every twentieth time; some steps take much longer."""

    def __init__(self, rng: random.Random, *, seconds: float = 0.05) -> None:
        super().__init__()
        self._rng = rng
        self._seconds = seconds

    def delay(self, _: str) -> float:
        """Return a time that is seldom long."""
        return self._rng.expovariate(1 / self._seconds)

    def happens(self, _: str) -> bool:
        """Return whether it does, every twentieth time."""
        return self._rng.random() < 0.05
