"""Around the whole flow: which resources fail for a reason that nobody foresaw, and their pauses.

One resource that cannot be handled costs only itself: it is tried again, ever less often. See
ADR 0026.
"""

import dataclasses

from controller import clock
from controller.observability import metrics

_FIRST_PAUSE_SECONDS = 5.0
_LONGEST_PAUSE_SECONDS = 600.0


@dataclasses.dataclass(frozen=True, kw_only=True, slots=True)
class _Failure:
    count: int
    until: float


class ResourceFailures:
    """Remembers them by namespace and name; nothing of it has to outlive the process."""

    def __init__(self, counters: metrics.Metrics, time: clock.Clock) -> None:
        self._counters = counters
        self._clock = time
        self._failures: dict[tuple[str, str], _Failure] = {}

    def note_failure(self, namespace: str, name: str) -> float:
        """Note that a pass has failed; returns after how many seconds the next one is due."""
        before = self._failures.get((namespace, name))
        count = before.count + 1 if before is not None else 1
        # The exponent is bounded, since a resource may fail for months.
        pause = min(_FIRST_PAUSE_SECONDS * 2.0 ** min(count - 1, 20), _LONGEST_PAUSE_SECONDS)
        until = self._clock.monotonic() + pause
        self._failures[namespace, name] = _Failure(count=count, until=until)
        self._show()
        return pause

    def note_success(self, namespace: str, name: str) -> None:
        """Note that a pass went well, or that there is no such resource any more."""
        if self._failures.pop((namespace, name), None) is not None:
            self._show()

    def is_due(self, namespace: str, name: str) -> bool:
        """Whether a resource has not failed, or its pause is over."""
        failure = self._failures.get((namespace, name))
        return failure is None or self._clock.monotonic() >= failure.until

    def _show(self) -> None:
        self._counters.chains_failing.set(len(self._failures))
