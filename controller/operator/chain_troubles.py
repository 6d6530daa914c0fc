"""Around the whole flow: what has lately gone wrong with which StackChain, for alerts to name it.

Totals say that something goes wrong, but not where. A counter for each chain would not work: it
would start with the chain's first trouble, and Prometheus sees no increase in a new series.
ADR 0062.
"""

import enum
import itertools
from collections.abc import Mapping

from controller import clock

KEPT_SECONDS = 3600.0
"""As far back as alerts look at what happens at a moment."""


class Trouble(enum.StrEnum):
    """What alerts name a StackChain for, besides the reason of its condition Ready."""

    DRIFT_DETECTED = "DriftDetected"
    FAILING = "Failing"
    START_MISSED = "StartMissed"
    STATUS_CONTRADICTED = "StatusContradicted"
    STATUS_NOT_WRITTEN = "StatusNotWritten"


class ChainTroubles:
    """Remembers for each StackChain when it last was in trouble; nothing outlives the process.

    What happens at a moment is forgotten after an hour, so that this stays small; `FAILING` holds
    until it is cleared.
    """

    def __init__(self, time: clock.Clock) -> None:
        self._clock = time
        self._failing: dict[tuple[str, str], float] = {}
        # In the order of the times, so that what is too old comes first.
        self._moments: dict[tuple[str, str, Trouble], float] = {}

    def note(self, namespace: str, name: str, trouble: Trouble) -> None:
        """Note a trouble that a StackChain has now."""
        now = self._clock.now().timestamp()
        if trouble is Trouble.FAILING:
            self._failing[namespace, name] = now
            return
        self._moments.pop((namespace, name, trouble), None)
        self._moments[namespace, name, trouble] = now
        self._forget_old()

    def note_well(self, namespace: str, name: str) -> None:
        """Note that the operator does not fail at a StackChain, or that it is gone."""
        self._failing.pop((namespace, name), None)

    def forget(self, namespace: str, name: str) -> None:
        """Forget all about a StackChain that is gone."""
        self._failing.pop((namespace, name), None)
        for trouble in Trouble:
            self._moments.pop((namespace, name, trouble), None)

    def by_chain(self) -> Mapping[tuple[str, str], Mapping[str, float]]:
        """Return the Unix times of troubles, by namespace and name of the StackChain."""
        self._forget_old()
        found: dict[tuple[str, str], dict[str, float]] = {}
        for (namespace, name, trouble), at in self._moments.items():
            found.setdefault((namespace, name), {})[trouble] = at
        for chain, at in self._failing.items():
            found.setdefault(chain, {})[Trouble.FAILING] = at
        return found

    def _forget_old(self) -> None:
        oldest = self._clock.now().timestamp() - KEPT_SECONDS
        old = list(itertools.takewhile(lambda key: self._moments[key] < oldest, self._moments))
        for key in old:
            del self._moments[key]
