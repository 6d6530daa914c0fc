"""Small activities whose fate shows how a server behaves."""

import asyncio
import dataclasses
from datetime import timedelta
from typing import Any

import temporalio.exceptions as exceptions
from temporalio import activity


class Activities:
    """Activities, and what they have seen by their argument."""

    def __init__(self) -> None:
        self.seen: dict[str, list[str]] = {}

    def note(self, key: str, text: str) -> None:
        """Note what an activity has seen."""
        self.seen.setdefault(key, []).append(text)

    def all(self) -> list[Any]:
        """Return all activities."""
        return [
            self.echo,
            self.fail,
            self.fail_for_good,
            self.fail_once,
            self.fail_with_delay,
            self.hang,
            self.hang_once,
            self.beat,
            self.beat_and_finish,
            self.beat_and_fail,
            self.beat_then_hang_once,
            self.beat_fast_then_fail_once,
            self.beat_once_then_fail_twice,
            self.beat_twice_then_hang_once,
            self.count_at_first,
            self.count,
        ]

    @activity.defn
    async def echo(self, text: str) -> str:
        """Return the argument, and which attempt this is."""
        return f"{text} {activity.info().attempt}"

    @activity.defn
    async def count(self, text: str) -> int:
        """Note each call, and return how many there were."""
        self.note(text, f"attempt {activity.info().attempt}")
        return len(self.seen[text])

    @activity.defn
    async def fail(self, text: str) -> None:
        """Fail each time."""
        raise exceptions.ApplicationError("as always", type="Always")

    @activity.defn
    async def fail_for_good(self, text: str) -> None:
        """Fail once and for all."""
        raise exceptions.ApplicationError("never again", type="Never", non_retryable=True)

    @activity.defn
    async def fail_once(self, text: str) -> str:
        """Fail at the first attempt."""
        if activity.info().attempt == 1:
            raise exceptions.ApplicationError("once", type="Once")
        return f"attempt {activity.info().attempt}"

    @activity.defn
    async def fail_with_delay(self, text: str) -> str:
        """Fail at the first attempt, and say when the next one is to be."""
        if activity.info().attempt == 1:
            delay = timedelta(seconds=0.3)
            raise exceptions.ApplicationError("later", type="Later", next_retry_delay=delay)
        return f"attempt {activity.info().attempt}"

    @activity.defn
    async def hang(self, text: str) -> None:
        """Never answer; note how it is canceled."""
        await self._watched(text, beats=False)

    @activity.defn
    async def hang_once(self, text: str) -> str:
        """Never answer at the first attempt."""
        if activity.info().attempt == 1:
            await self._watched(text, beats=False)
        return f"attempt {activity.info().attempt}"

    @activity.defn
    async def beat(self, text: str) -> None:
        """Heartbeat until it is canceled."""
        await self._watched(text, beats=True)

    @activity.defn
    async def beat_and_finish(self, text: str) -> str:
        """Heartbeat until it is canceled, and return all the same."""
        try:
            await self._watched(text, beats=True)
        except asyncio.CancelledError:
            return "finished"
        return "never"

    @activity.defn
    async def beat_and_fail(self, text: str) -> str:
        """Heartbeat until it is canceled, and fail then."""
        try:
            await self._watched(text, beats=True)
        except asyncio.CancelledError:
            raise exceptions.ApplicationError("on the way out", type="Way") from None
        return "never"

    @activity.defn
    async def beat_then_hang_once(self, text: str) -> str:
        """Heartbeat one time and hang; the next attempt returns what it was handed."""
        info = activity.info()
        if info.attempt == 1:
            activity.heartbeat("first", 1)
            await self._watched(text, beats=False)
        return f"{list(info.heartbeat_details)}"

    @activity.defn
    async def beat_fast_then_fail_once(self, text: str) -> str:
        """Heartbeat faster than core sends, and fail; the next attempt returns what it got."""
        info = activity.info()
        if info.attempt == 1:
            for number in range(5):
                activity.heartbeat(number)
                await asyncio.sleep(0.01)
            raise exceptions.ApplicationError("once", type="Once")
        return f"{list(info.heartbeat_details)}"

    @activity.defn
    async def beat_once_then_fail_twice(self, text: str) -> str:
        """Heartbeat at the first attempt only; the third one returns what it was handed."""
        info = activity.info()
        if info.attempt == 1:
            activity.heartbeat("first")
        if info.attempt < 3:
            raise exceptions.ApplicationError("again", type="Again")
        return f"{list(info.heartbeat_details)}"

    @activity.defn
    async def beat_twice_then_hang_once(self, text: str) -> str:
        """Heartbeat twice and hang; the next attempt returns what it was handed."""
        info = activity.info()
        if info.attempt == 1:
            activity.heartbeat("first")
            # Of two at one moment the SDK sends the second one.
            await asyncio.sleep(0.1)
            activity.heartbeat("second")
            await asyncio.Event().wait()
        return f"{list(info.heartbeat_details)}"

    @activity.defn
    async def count_at_first(self, enough: str) -> str:
        """Count in heartbeats; the next attempt returns whether it was handed enough."""
        info = activity.info()
        number = 0
        while info.attempt == 1:
            activity.heartbeat(number := number + 1)
            await asyncio.sleep(0.3)
        return f"{[given >= int(enough) for given in info.heartbeat_details]}"

    async def _watched(self, key: str, *, beats: bool) -> None:
        self.note(key, "started")
        try:
            while True:
                if beats:
                    activity.heartbeat("alive")
                await asyncio.sleep(0.1)
        except asyncio.CancelledError:
            details = activity.cancellation_details()
            assert details is not None
            names = (item.name for item in dataclasses.fields(details))
            self.note(key, " ".join(name for name in names if getattr(details, name)))
            raise
