"""Reads all that is followed of a connection together, so that requests do not grow with it.

One task per connection asks for many runs in one document; each follow waits for its own news. A
second poller follows the stacks that hold their next run in the same way.
"""

import asyncio
import contextlib
import dataclasses
import logging
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from typing import Any, Generic, TypeVar

from controller import clock, times
from controller.spacelift import errors, models

logger = logging.getLogger(__name__)

# What names a followed thing, sortable; and what is read of it.
_Key = TypeVar("_Key", bound=Any)
_Record = TypeVar("_Record")

# News is most likely soon after a run was created, so young follows are read more often.
_YOUNG_TICKS = 3
_YOUNG_DIVISOR = 5
# Runs due within this part of the shorter interval share one document.
_SLACK = 0.2
# An outage shorter than this is not reported.
_PROBLEM_AFTER_SECONDS = 10.0
_LONGEST_BACKOFF_SECONDS = 60.0


@dataclasses.dataclass(frozen=True, kw_only=True, slots=True)
class PolledRecord(Generic[_Record]):
    """What one tick found: a record, None if it is not to be seen, or an error."""

    record: _Record | None
    error: errors.SpaceliftError | None = None


@dataclasses.dataclass(kw_only=True, eq=False, slots=True)
class _Follow(Generic[_Key, _Record]):
    key: _Key
    since: float
    due: float
    is_woken: bool
    readings: asyncio.Queue[PolledRecord[_Record]]


class Poller(Generic[_Key, _Record]):
    """Every follow gets each reading of its key; one request at most per tick and 50 keys.

    Follows are due at the same instants, multiples of the interval, whenever they began: that is
    what lets many runs share a document.
    """

    def __init__(
        self,
        read: Callable[[Sequence[_Key]], Awaitable[Mapping[_Key, _Record | None]]],
        *,
        tick_seconds: float,
        clock: Callable[[], float] = clock.monotonic,
    ) -> None:
        self._read_records = read
        self._tick = tick_seconds
        self._clock = clock
        # In the order in which they came, in which they are given their readings.
        self._follows: dict[_Follow[_Key, _Record], None] = {}
        self._news = asyncio.Event()
        self._task: asyncio.Task[None] | None = None
        self._failures = 0
        self._failing_since: float | None = None
        self._end: errors.SpaceliftError | None = None
        # Nothing is read before this, whatever asks: Spacelift has just failed.
        self._resume_at = clock()
        # Before this only what was woken is read: Spacelift asked to be left alone.
        self._asked_until = self._resume_at

    @property
    def followed(self) -> int:
        """How many follows are open."""
        return len(self._follows)

    @contextlib.asynccontextmanager
    async def follow(
        self, key: _Key, *, read_now: bool
    ) -> AsyncIterator[asyncio.Queue[PolledRecord[_Record]]]:
        """Give a queue that receives the readings of a key while the context is open.

        Args:
            key: the run, or the stack.
            read_now: read it at once instead of at the next tick.
        """
        now = self._clock()
        due = now if read_now else self._next_due(now, age=0)
        readings: asyncio.Queue[PolledRecord[_Record]] = asyncio.Queue(maxsize=1)
        follow = _Follow(key=key, since=now, due=due, is_woken=read_now, readings=readings)
        self._follows[follow] = None
        self._news.set()
        if self._end is not None:
            _offer(follow, PolledRecord(record=None, error=self._end))
        elif self._task is None or self._task.done():
            self._task = asyncio.create_task(self._poll(), name="spacelift-poller")
        try:
            yield follow.readings
        finally:
            self._follows.pop(follow, None)

    async def aclose(self, error: errors.SpaceliftError | None = None) -> None:
        """Stop polling.

        Args:
            error: what all follows get, and those that come; none are left by default.
        """
        self._end = error
        if error is not None:
            for follow in self._follows:
                _offer(follow, PolledRecord(record=None, error=error))
        if self._task is not None:
            self._task.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await self._task

    def _interval(self, age: float) -> float:
        return self._tick / _YOUNG_DIVISOR if age < self._tick * _YOUNG_TICKS else self._tick

    def _next_due(self, now: float, *, age: float) -> float:
        """Return the first instant that a reading at this moment does not cover."""
        interval = self._interval(age)
        return (self._horizon(now) // interval + 1) * interval

    def _horizon(self, now: float) -> float:
        return now + self._tick / _YOUNG_DIVISOR * _SLACK

    async def _poll(self) -> None:
        while self._follows:
            await self._wait_until_due()
            now = self._clock()
            due = [
                follow
                for follow in self._follows
                if follow.due <= self._horizon(now) and self._resume_of(follow) <= now
            ]
            if due:
                await self._read(due)

    async def _wait_until_due(self) -> None:
        self._news.clear()
        next_due = min(
            (max(follow.due, self._resume_of(follow)) for follow in self._follows),
            default=self._clock(),
        )
        seconds = next_due - self._clock()
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(self._news.wait(), max(0.0, seconds))

    def _resume_of(self, follow: _Follow[_Key, _Record]) -> float:
        return self._resume_at if follow.is_woken else max(self._resume_at, self._asked_until)

    async def _read(self, due: list[_Follow[_Key, _Record]]) -> None:
        keys = sorted({follow.key for follow in due})
        try:
            records = await self._read_records(keys)
            readings = {key: PolledRecord(record=records[key]) for key in keys}
        except errors.SpaceliftError as error:
            self._failed(due, error)
            return
        except Exception as error:
            # All follows of this process depend on this task, so no mistake may end it.
            logger.exception("Polling Spacelift failed unexpectedly")
            self._failed(due, errors.SpaceliftError(f"{type(error).__name__}: {error}"))
            return
        self._failures, self._failing_since = 0, None
        now = self._clock()
        self._asked_until = now
        for follow in due:
            follow.is_woken = False
            follow.due = self._next_due(now, age=now - follow.since)
            _offer(follow, readings[follow.key])

    def _failed(self, due: list[_Follow[_Key, _Record]], error: errors.SpaceliftError) -> None:
        """Back off, all follows together; report it once it lasts or cannot pass on its own."""
        now = self._clock()
        self._failures += 1
        if self._failing_since is None:
            self._failing_since = now
        delay = min(self._tick * 2 ** min(self._failures - 1, 10), _LONGEST_BACKOFF_SECONDS)
        asked = 0.0
        if isinstance(error, errors.RateLimited):
            asked = times.pause_seconds(error.retry_after_seconds, own=0.0)
        self._resume_at = now + delay
        self._asked_until = now + max(asked, delay)
        # A pause that is asked for is known to last before it has lasted.
        lasts = now + asked - self._failing_since >= _PROBLEM_AFTER_SECONDS
        rejected = isinstance(error, errors.CredentialsRejected | errors.PermissionDenied)
        logger.warning("Polling Spacelift failed", extra={"error": str(error), "runs": len(due)})
        if lasts or rejected:
            for follow in self._follows:
                _offer(follow, PolledRecord(record=None, error=error))


class RunPoller(Poller[models.RunKey, models.RunRecord]):
    """Follows runs."""


class HoldPoller(Poller[str, models.StackHold]):
    """Follows stacks that hold their next run."""


def _offer(follow: _Follow[_Key, _Record], reading: PolledRecord[_Record]) -> None:
    """Keep only the newest reading: a follow that is slow wants what is true now."""
    if follow.readings.full():
        follow.readings.get_nowait()
    follow.readings.put_nowait(reading)
