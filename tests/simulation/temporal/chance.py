"""What a simulation leaves open, and who decides it: how long steps take, and what goes wrong."""

import math
import random
from collections.abc import Mapping
from typing import Protocol

# How long these take, from one party to the next.
CALL = "call"
ANSWER = "answer"
DISPATCH = "dispatch"
WORKFLOW_TASK = "workflow task"
COMPLETION = "completion"
TRANSFER = "transfer"
TIMER = "timer"
VISIBILITY = "visibility"

# Whether these happen.
REPLAY = "replay"
COMPLETION_LOST = "completion lost"
ANSWER_LOST = "answer lost"


class Chance(Protocol):
    """Decides for a whole simulation; the same decisions in the same order make the same run."""

    def delay(self, what: str) -> float:
        """Return how many seconds a step takes."""

    def happens(self, what: str) -> bool:
        """Return whether something that may go wrong does so now."""

    def pick(self, count: int) -> int:
        """Return which of several possibilities comes next."""

    def token(self) -> str:
        """Return an id that nothing else has."""


class Steady:
    """Nothing goes wrong, and all steps of a kind take the same time."""

    def __init__(
        self, *, default: float = 0.001, delays: Mapping[str, float] | None = None
    ) -> None:
        self._default = default
        self._delays = dict(delays or {})
        self._tokens = 0

    def delay(self, what: str) -> float:
        """Return what was given for the kind of step."""
        return self._delays.get(what, self._default)

    def happens(self, what: str) -> bool:
        """Return False."""
        return False

    def pick(self, count: int) -> int:
        """Return the first possibility."""
        return 0

    def token(self) -> str:
        """Return ids in order."""
        self._tokens += 1
        return f"00000000-0000-4000-8000-{self._tokens:012x}"


class Seeded:
    """Everything is drawn from one seed.

    Most steps take milliseconds, and a few of them hundreds of times as long: that is what changes
    the order of events.
    """

    def __init__(
        self,
        seed: int,
        *,
        probabilities: Mapping[str, float] | None = None,
        scales: Mapping[str, float] | None = None,
        shortest: float = 0.001,
        longest: float = 0.5,
    ) -> None:
        """Draw from a seed.

        Args:
            seed: makes the run what it is.
            probabilities: how often what may go wrong does so.
            scales: how many times as long as others steps of a kind take; listings are slow.
            shortest: the least seconds of a step.
            longest: the most seconds of a step.
        """
        self._random = random.Random(seed)
        self.change(probabilities=probabilities, scales=scales)
        self._shortest = math.log(shortest)
        self._span = math.log(longest) - self._shortest

    def change(
        self,
        *,
        probabilities: Mapping[str, float] | None = None,
        scales: Mapping[str, float] | None = None,
    ) -> None:
        """Let other things go wrong, and other steps take long, from now on."""
        self._probabilities = dict(probabilities or {REPLAY: 0.05})
        self._scales = {VISIBILITY: 4.0, **(scales or {})}

    def delay(self, what: str) -> float:
        """Return a time between the shortest and the longest one; short ones are likelier."""
        seconds = math.exp(self._shortest + self._span * self._random.random() ** 2)
        return seconds * self._scales.get(what, 1.0)

    def happens(self, what: str) -> bool:
        """Return whether it does, as often as its probability says."""
        probability = self._probabilities.get(what, 0.0)
        return probability > 0 and self._random.random() < probability

    def pick(self, count: int) -> int:
        """Return one of the possibilities, each as likely as the others."""
        return self._random.randrange(count) if count > 1 else 0

    def token(self) -> str:
        """Return an id of the form of a UUID."""
        text = f"{self._random.getrandbits(128):032x}"
        return f"{text[:8]}-{text[8:12]}-4{text[13:16]}-8{text[17:20]}-{text[20:]}"
