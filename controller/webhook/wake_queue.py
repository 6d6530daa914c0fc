"""The queue of limited size between the answer to a delivery and the signal that it leads to.

Nothing in it is worth keeping: the next look at Spacelift finds whatever is lost.
"""

import asyncio
import collections
import dataclasses
import enum
import heapq
import itertools
from collections.abc import Callable

BURST = 30
"""Wakes of one stack that follow each other at once: twice the states of the longest run."""
REFILL_SECONDS = 5.0
"""Seconds from one wake of a stack to the next once its burst is used up.

Each wake adds some ten events to an execution's history, and the execution follows only so many of
them. A delivery that is repeated forever is no reason to be quicker than polling.
"""

Key = tuple[str, str]


@dataclasses.dataclass(frozen=True, kw_only=True, slots=True)
class Wake:
    """Something happened to a stack, whatever it was."""

    account: str
    stack_id: str
    labels: tuple[str, ...] = ()
    is_root_run_finished: bool = False
    """Whether one of the deliveries behind it was about a tracked run that finished."""

    @property
    def key(self) -> Key:
        """What makes two wakes one."""
        return self.account, self.stack_id

    def merged(self, newer: "Wake") -> "Wake":
        """Return the one wake that does for both."""
        return dataclasses.replace(
            newer,
            is_root_run_finished=self.is_root_run_finished or newer.is_root_run_finished,
            labels=newer.labels or self.labels,
        )


class QueueResult(enum.StrEnum):
    """What became of a wake; also the results that deliveries are counted by."""

    QUEUED = "queued"
    MERGED = "merged"
    OVERFLOW = "overflow"


class WakePacer:
    """Knows when a stack may be woken next: at once, until its burst is used up."""

    def __init__(
        self, *, limit: int, burst: int = BURST, refill_seconds: float = REFILL_SECONDS
    ) -> None:
        """Remember at most `limit` stacks, and forget first whichever was woken longest ago."""
        self._limit = limit
        self._burst = burst
        self._refill_seconds = refill_seconds
        # When the burst of a stack would be whole again; it moves on with each wake.
        self._whole_at: collections.OrderedDict[Key, float] = collections.OrderedDict()

    def __len__(self) -> int:
        return len(self._whole_at)

    def reserve(self, key: Key, now: float) -> float:
        """Take the next moment at which the stack may be woken, and return it."""
        whole_at = max(self._whole_at.pop(key, now), now)
        self._whole_at[key] = whole_at + self._refill_seconds
        if len(self._whole_at) > self._limit:
            self._whole_at.popitem(last=False)
        return max(now, whole_at - (self._burst - 1) * self._refill_seconds)


class WakeQueue:
    """Holds each stack once, at most `size` of them, and gives them in the order they are due."""

    def __init__(
        self,
        size: int,
        *,
        clock: Callable[[], float],
        burst: int = BURST,
        refill_seconds: float = REFILL_SECONDS,
    ) -> None:
        self.size = size
        self._clock = clock
        self._pace = WakePacer(limit=size, burst=burst, refill_seconds=refill_seconds)
        self._wakes: dict[Key, Wake] = {}
        self._due: list[tuple[float, int, Key]] = []
        self._numbers = itertools.count()
        self._changed = asyncio.Event()
        # One task waits for the next wake, the others for their turn: otherwise each wake would
        # rouse all.
        self._turn = asyncio.Lock()

    def __len__(self) -> int:
        return len(self._wakes)

    def put(self, wake: Wake) -> QueueResult:
        """Queue a wake, or let it join the one of its stack."""
        waiting = self._wakes.get(wake.key)
        if waiting is not None:
            self._wakes[wake.key] = waiting.merged(wake)
            return QueueResult.MERGED
        if len(self._wakes) >= self.size:
            return QueueResult.OVERFLOW
        self._wakes[wake.key] = wake
        due = self._pace.reserve(wake.key, self._clock())
        heapq.heappush(self._due, (due, next(self._numbers), wake.key))
        self._changed.set()
        return QueueResult.QUEUED

    def pop_due(self) -> Wake | None:
        """Take the wake whose turn it is; None if there is none."""
        if not self._due or self._due[0][0] > self._clock():
            return None
        return self._wakes.pop(heapq.heappop(self._due)[2])

    async def get(self) -> Wake:
        """Wait for the next wake and take it."""
        async with self._turn:
            while (wake := self.pop_due()) is None:
                self._changed.clear()
                pause = self._due[0][0] - self._clock() if self._due else None
                try:
                    async with asyncio.timeout(pause):
                        await self._changed.wait()
                except TimeoutError:
                    continue
            return wake
