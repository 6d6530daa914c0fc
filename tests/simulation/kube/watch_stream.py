"""A watch that a client has open: the changes from a version on, in their order, each a line."""

import asyncio
import collections
import json
from collections.abc import AsyncIterator, Callable
from typing import Any

import aiohttp

from tests.simulation import virtual_time
from tests.simulation.kube import routes
from tests.simulation.kube.api_server import ApiServer
from tests.simulation.kube.store import Change

BOOKMARK_SECONDS = 60.0
LIFE_SECONDS = 2700.0
"""The API server ends each watch after 30 to 60 minutes; clients start again where they were."""
_KNOWN_QUERY = {"watch", "resourceVersion", "allowWatchBookmarks"}


class WatchStream:
    """Lines that were served arrive in order; a break loses those that are on their way."""

    def __init__(
        self,
        loop: virtual_time.VirtualLoop,
        server: ApiServer,
        target: routes.Target,
        *,
        open_streams: list["WatchStream"],
        delay: Callable[[], float],
        breaks: Callable[[], bool],
    ) -> None:
        self._loop = loop
        self._server = server
        self._target = target
        self._open_streams = open_streams
        self._delay, self._breaks = delay, breaks
        self._lines: collections.deque[bytes] = collections.deque()
        self._arrived = asyncio.Event()
        self._last_at = 0.0
        self._is_served = True
        self._is_broken = False
        self._has_ended = False

    @classmethod
    def opened(
        cls,
        loop: virtual_time.VirtualLoop,
        server: ApiServer,
        request: routes.Request,
        **how: Any,
    ) -> "WatchStream":
        """Return a watch as a request asks for it.

        Raises:
            Refusal: it is not allowed.
            UnservedPath: the kind is not there.
        """
        server.authenticate(request)
        target = routes.target_of(request.path)
        server.authorize(request, target)
        if unknown := set(request.query) - _KNOWN_QUERY:
            raise NotImplementedError(f"{request}: {unknown}")
        stream = cls(loop, server, target, **how)
        stream._begin(int(request.query["resourceVersion"]))
        return stream

    async def lines(self) -> AsyncIterator[bytes]:
        """Give each line as it arrives, until the server ends the watch.

        Raises:
            aiohttp.ClientPayloadError: the connection broke.
        """
        while True:
            while self._lines:
                yield self._lines.popleft()
            if self._is_broken:
                raise aiohttp.ClientPayloadError("The connection broke")
            if self._has_ended:
                return
            self._arrived.clear()
            await self._arrived.wait()

    def close(self) -> None:
        """Close it at the client's end."""
        self._stop()

    def break_off(self) -> None:
        """Break the connection now."""
        self._stop()
        self._is_broken = True
        self._arrived.set()

    # The server's end

    def _begin(self, since: int) -> None:
        store = self._server.store
        if since < store.compacted:
            self._send({"type": "ERROR", "object": _too_old(since, store.compacted)})
            self._end()
            return
        self._open_streams.append(self)
        for change in store.since(since):
            self._show(change)
        store.listeners.append(self._show)
        self._after(BOOKMARK_SECONDS, self._bookmark)
        self._after(LIFE_SECONDS, self._end)

    def _show(self, change: Change) -> None:
        kind, namespace = self._target.kind, self._target.namespace
        if change.key.plural != kind.plural or namespace not in (None, change.key.namespace):
            return
        if self._is_served and self._breaks():
            self.break_off()
        line = b'{"type": "%s", "object": %s}' % (change.type.encode(), change.stored.data)
        self._deliver(line)

    def _bookmark(self) -> None:
        if not self._is_served:
            return
        kind = self._target.kind
        metadata = {"resourceVersion": str(self._server.store.version), "creationTimestamp": None}
        body = {"kind": kind.kind, "apiVersion": kind.api_version, "metadata": metadata}
        self._send({"type": "BOOKMARK", "object": body})
        self._after(BOOKMARK_SECONDS, self._bookmark)

    def _send(self, event: dict[str, Any]) -> None:
        self._deliver(json.dumps(event).encode())

    def _deliver(self, line: bytes) -> None:
        if self._is_served:
            self._in_order(self._arrive, line)

    def _end(self) -> None:
        """End it as the server does: after what was served before."""
        if self._is_served:
            self._stop()
            self._in_order(self._finish)

    def _stop(self) -> None:
        self._is_served = False
        if self in self._open_streams:
            self._open_streams.remove(self)
        if self._show in self._server.store.listeners:
            self._server.store.listeners.remove(self._show)

    # The way between

    def _in_order(self, callback: Callable[..., None], *args: Any) -> None:
        self._last_at = max(self._last_at, self._loop.time() + self._delay())
        # Two at one instant would come in any order.
        self._last_at += 1e-6
        self._loop.call_at(self._last_at, callback, *args, context=self._loop.world.context)

    def _after(self, seconds: float, callback: Callable[[], None]) -> None:
        self._loop.call_later(seconds, callback, context=self._loop.world.context)

    def _arrive(self, line: bytes) -> None:
        if not self._is_broken:
            self._lines.append(line)
            self._arrived.set()

    def _finish(self) -> None:
        self._has_ended = True
        self._arrived.set()


def _too_old(since: int, compacted: int) -> dict[str, Any]:
    return {
        "kind": "Status",
        "apiVersion": "v1",
        "metadata": {},
        "status": "Failure",
        "message": f"too old resource version: {since} ({compacted})",
        "reason": "Expired",
        "code": 410,
    }
