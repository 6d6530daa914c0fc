"""The way from one process to the API server: how long it takes, and what is lost on it, by chance.

The world can also cut it, for one process or for all of them. Problems arrive as aiohttp's errors,
since both clients of the operator are aiohttp's.
"""

import asyncio

import aiohttp

from tests.simulation import virtual_time
from tests.simulation.kube import refusals, routes
from tests.simulation.kube.api_server import ApiServer
from tests.simulation.kube.refusals import Answer
from tests.simulation.kube.watch_stream import WatchStream
from tests.simulation.temporal.chance import Chance

# How long these take.
REQUEST = "kube request"
ANSWER = "kube answer"
WATCH_EVENT = "kube watch event"

# Whether these happen.
REQUEST_LOST = "kube request lost"
ANSWER_LOST = "kube answer lost"
REQUEST_HANGS = "kube request hangs"
THROTTLED = "kube throttled"
UNAVAILABLE = "kube unavailable"
WATCH_BROKEN = "kube watch broken"

_FAILURES = (500, 503, 504)


class ApiLink:
    """The connections of one user, or of one process, to the API server."""

    def __init__(
        self, loop: virtual_time.VirtualLoop, server: ApiServer, *, user: str, chance: Chance
    ) -> None:
        self._is_cut = False
        self.streams: list[WatchStream] = []
        self.sent_at: list[float] = []
        """When requests were sent, those that open a watch included."""
        self.retry_after = "1"
        """How long those that are throttled are asked to wait."""
        self._loop = loop
        self._server = server
        self._user = user
        self._chance = chance

    def cut(self) -> None:
        """Let nothing through from now on."""
        self._is_cut = True
        self.break_watches()

    def restore(self) -> None:
        """Let all through again."""
        self._is_cut = False

    def break_watches(self) -> None:
        """Break the watches that are open; what is on its way is lost."""
        for stream in list(self.streams):
            stream.break_off()

    def request(
        self,
        method: str,
        path: str,
        *,
        query: dict[str, str],
        body: bytes | None,
        content_type: str = "application/json",
        accept: str = "application/json",
    ) -> routes.Request:
        """Return a request of this user."""
        return routes.Request(
            method=method,
            path=path,
            query=query,
            body=body,
            content_type=content_type,
            accept=accept,
            user=self._user,
        )

    async def send(self, request: routes.Request) -> Answer:
        """Send a request and return its answer, which may never come.

        Raises:
            aiohttp.ClientConnectionError: it was lost on the way, before or after it was served.
        """
        self.sent_at.append(self._loop.time())
        there, back = self._chance.delay(REQUEST), self._chance.delay(ANSWER)
        if self._is_lost(REQUEST_LOST):
            await asyncio.sleep(there)
            raise aiohttp.ServerDisconnectedError
        if self._chance.happens(REQUEST_HANGS):
            await self._loop.create_future()
        answer = await self._loop.exchange(lambda: self._serve(request), there=there, back=back)
        if self._is_lost(ANSWER_LOST):
            raise aiohttp.ServerDisconnectedError
        return answer

    async def watch(self, request: routes.Request) -> WatchStream | Answer:
        """Open a watch; returns the answer of a server that does not.

        Raises:
            aiohttp.ClientConnectionError: it could not be opened.
        """
        self.sent_at.append(self._loop.time())
        there, back = self._chance.delay(REQUEST), self._chance.delay(ANSWER)
        if self._is_lost(REQUEST_LOST):
            await asyncio.sleep(there)
            raise aiohttp.ServerDisconnectedError
        stream = await self._loop.exchange(lambda: self._open(request), there=there, back=back)
        if isinstance(stream, WatchStream) and self._is_lost(ANSWER_LOST):
            stream.break_off()
        return stream

    def _is_lost(self, what: str) -> bool:
        return self._is_cut or self._chance.happens(what)

    def _serve(self, request: routes.Request) -> Answer:
        if self._chance.happens(THROTTLED):
            return refusals.throttled(self.retry_after).answer
        if self._chance.happens(UNAVAILABLE):
            return refusals.unavailable(_FAILURES[self._chance.pick(len(_FAILURES))]).answer
        return self._server.serve(request)

    def _open(self, request: routes.Request) -> WatchStream | Answer:
        try:
            return WatchStream.opened(
                self._loop,
                self._server,
                request,
                open_streams=self.streams,
                delay=lambda: self._chance.delay(WATCH_EVENT),
                breaks=lambda: self._chance.happens(WATCH_BROKEN),
            )
        except (refusals.Refusal, refusals.UnservedPath) as refusal:
            return refusal.answer
