"""Turns: one pass of reconcile at a time for each resource, and not too many at once for all."""

import asyncio
import contextlib
from collections.abc import AsyncIterator

from controller.observability import metrics

# Temporal answers this many describes at once without queueing (2.3 s for 1,000 at 50).
_AT_ONCE = 50


class Turns:
    """Passes for one resource never overlap, whoever calls for them."""

    def __init__(self, counters: metrics.Metrics) -> None:
        self._counters = counters
        self._locks: dict[tuple[str, str], _Lock] = {}
        self._slots = asyncio.Semaphore(_AT_ONCE)

    @contextlib.asynccontextmanager
    async def take(self, namespace: str, name: str) -> AsyncIterator[None]:
        """Wait for the resource's turn, and count how the pass ends."""
        lock = self._locks.setdefault((namespace, name), _Lock())
        lock.users += 1
        result = "error"
        try:
            async with lock.lock, self._slots:
                yield
            result = "ok"
        finally:
            self._counters.reconciles.labels(result).inc()
            lock.users -= 1
            if lock.users == 0:
                self._locks.pop((namespace, name), None)


class _Lock:
    """A lock that is dropped when nobody holds or awaits it: names come and go."""

    def __init__(self) -> None:
        self.lock = asyncio.Lock()
        self.users = 0
