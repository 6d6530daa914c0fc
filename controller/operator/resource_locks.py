"""Around the whole flow: one pass at a time for each resource, and not too many at once for all."""

import asyncio
import contextlib
from collections.abc import AsyncIterator

from controller.observability import metrics

# Temporal answers this many describes at once without queueing (2.3 s for 1,000 at 50).
_AT_ONCE = 50


class ResourceLocks:
    """Passes for one resource never overlap, whatever starts them."""

    def __init__(self, counters: metrics.Metrics) -> None:
        self._counters = counters
        self._locks: dict[tuple[str, str], _CountedLock] = {}
        self._slots = asyncio.Semaphore(_AT_ONCE)

    @contextlib.asynccontextmanager
    async def hold(self, namespace: str, name: str) -> AsyncIterator[None]:
        """Wait until the resource is free, hold it for one pass, and count how that ends."""
        lock = self._locks.setdefault((namespace, name), _CountedLock())
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

    def is_held(self, namespace: str, name: str) -> bool:
        """Whether a pass for a resource is under way, or waits for its turn."""
        return (namespace, name) in self._locks


class _CountedLock:
    """A lock that is dropped when no one holds or awaits it: names come and go."""

    def __init__(self) -> None:
        self.lock = asyncio.Lock()
        self.users = 0
