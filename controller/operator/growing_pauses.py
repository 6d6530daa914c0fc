"""Around the whole flow: what fails unexpectedly is retried, less and less often.

An item that cannot be handled costs only itself. See ADR 0026.
"""

import dataclasses
from collections.abc import Collection, Hashable

from controller import clock

_FIRST_SECONDS = 5.0
_LONGEST_SECONDS = 600.0


@dataclasses.dataclass(frozen=True, kw_only=True, slots=True)
class _Failure:
    count: int
    until: float


class GrowingPauses:
    """Remembers what has failed, by any key; nothing of it has to outlive the process."""

    def __init__(self, time: clock.Clock) -> None:
        self._clock = time
        self._failures: dict[Hashable, _Failure] = {}

    def __len__(self) -> int:
        return len(self._failures)

    def note_failure(self, key: Hashable) -> float:
        """Note that an item has failed; returns after how many seconds it is due again."""
        before = self._failures.get(key)
        count = before.count + 1 if before is not None else 1
        # The exponent is bounded, since an item may fail for months.
        pause = min(_FIRST_SECONDS * 2.0 ** min(count - 1, 20), _LONGEST_SECONDS)
        self._failures[key] = _Failure(count=count, until=self._clock.monotonic() + pause)
        return pause

    def note_success(self, key: Hashable) -> bool:
        """Note that an item is well or gone; returns whether it had failed."""
        return self._failures.pop(key, None) is not None

    def forget_others(self, keys: Collection[Hashable]) -> None:
        """Forget all but these."""
        self._failures = {key: item for key, item in self._failures.items() if key in keys}

    def is_due(self, key: Hashable) -> bool:
        """Whether an item has not failed, or its pause is over."""
        failure = self._failures.get(key)
        return failure is None or self._clock.monotonic() >= failure.until
