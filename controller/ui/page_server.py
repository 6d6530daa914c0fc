"""Serves the page: its files, what is known of the chains as a stream of changes, and Events.

See ADR 0058.
"""

import asyncio
import contextlib
import dataclasses
import json
import zlib
from collections.abc import Awaitable, Callable, Iterator
from typing import Any, Protocol

from aiohttp import typedefs, web

from controller import clock, http_server
from controller.kube import errors
from controller.ui import bundle_files, chain_feed, session_guard, site_guard
from controller.ui.page_documents import Document

MOST_STREAMS_OF_VIEWER = 64
"""Streams of one viewer, and so tabs."""
MOST_STREAMS = 400
"""Streams of all viewers."""
MOST_ASKED = 16
"""Requests of one viewer that are answered at a time."""
CONNECTIONS = 1000
# A proxy sends its session's cookies along, and a token names each group of its user.
_HEADER_BYTES = 32 * 1024
_BODY_BYTES = 128 * 1024
_BODY_SECONDS = 20.0
# A browser that reads nothing for this long has gone, or sleeps.
_SEND_SECONDS = 60.0
_RETRY_AFTER = {"Retry-After": "30"}
_MANY_STREAMS = (
    f"You have this page open {MOST_STREAMS_OF_VIEWER} times; close some of its tabs, then load "
    "it again."
)
_MANY_VIEWERS = "Too many people are viewing this page right now; try again in a few minutes."
_MANY_ASKED = "Too many requests of yours are being answered; wait a moment, then try again."
_UNLISTED = "The chains are still being read; try again in a moment."
# Less than the page waits for an answer.
_LIST_SECONDS = 20.0
_HEARTBEAT_SECONDS = 15.0
# What comes within this time is sent at once: a busy chain changes many times a second.
_PAUSE_SECONDS = 0.2
_NO_STORE = {"Cache-Control": "no-store"}
# An hour is as long as a cluster keeps Events; the names of the others change with their content.
_FOREVER = {"Cache-Control": "private, max-age=31536000, immutable"}

ListEvents = Callable[[str, str], Awaitable[list[Document]]]


class EventsUnavailable(Exception):
    """The Events of a chain cannot be read; the message is for the viewer."""


class ActionRefused(Exception):
    """What a viewer asks for is not done; the message is for the viewer."""

    def __init__(self, text: str, *, status: int) -> None:
        """Hold the message, and the status of the answer."""
        super().__init__(text)
        self.status = status


class Actions(Protocol):
    """What viewers may ask for; each raises ActionRefused with the reason."""

    async def may_change(self, namespace: str, name: str) -> bool:
        """Return whether the viewer may change a chain."""

    async def preview(self, document: object) -> Document:
        """Return what a request would do; nothing is written."""

    async def ask(self, document: object) -> Document:
        """Write a request, and return what there is to say of it."""


class PageRefused(Exception):
    """A viewer sees nothing; the message is for the viewer."""

    def __init__(self, text: str, *, status: int) -> None:
        """Hold the message, and the status of the answer."""
        super().__init__(text)
        self.status = status


@dataclasses.dataclass(kw_only=True, slots=True)
class PageSource:
    """What a viewer sees and may ask for; `streams` counts those that are open."""

    feed: chain_feed.ChainFeed
    hello: Document
    """What a viewer is sent first."""
    list_events: ListEvents
    """Returns the Events of a namespace's object with a uid, newest first."""
    actions: Actions
    ends_with_login: bool = False
    """Whether it is over once the API server no longer accepts the credentials."""
    streams: int = 0
    asked: int = 0
    """How many of its requests are being answered."""


FindSource = Callable[[web.Request], Awaitable[PageSource]]
"""Returns what the viewer of a request sees, or raises PageRefused."""


class PageServer:
    """Listens from `listen` to `stop`."""

    def __init__(self, find_source: FindSource, guard: typedefs.Middleware) -> None:
        """Prepare to serve; the guard refuses requests that are not from the page."""
        self._find_source = find_source
        self._guard = guard
        self._files = bundle_files.load()
        self._http: http_server.HttpServer | None = None
        self._streams = 0

    async def listen(self, host: str, port: int) -> int:
        """Listen, and return the port; 0 is any that is free.

        Raises:
            OSError: the port is taken.
        """
        app = web.Application(middlewares=[self._guard, _explained], client_max_size=_BODY_BYTES)
        app.router.add_get("/api/session", self._session)
        app.router.add_get("/api/stream", self._stream)
        app.router.add_get("/api/events", self._events)
        app.router.add_get("/api/rights", self._rights)
        app.router.add_post("/api/preview", self._preview)
        app.router.add_post("/api/ask", self._ask)
        app.router.add_get("/{path:.*}", self._file)
        self._http = http_server.HttpServer(
            f"{host}:{port}",
            app,
            max_connections=CONNECTIONS,
            header_bytes=_HEADER_BYTES,
            has_streams=True,
        )
        await self._http.start()
        return self._http.port

    async def stop(self) -> None:
        """Stop listening and end all streams."""
        if self._http is not None:
            await self._http.stop()
            self._http = None

    async def _session(self, request: web.Request) -> web.Response:
        """Say that the session is alive: a stream that ends, or never starts, cannot say why."""

        async def alive(source: PageSource) -> Document:
            self._check_room(source)
            return {}

        return await self._of_source(request, alive)

    def _check_room(self, source: PageSource) -> None:
        """Refuse a stream that is one too many."""
        if source.streams >= MOST_STREAMS_OF_VIEWER:
            raise PageRefused(_MANY_STREAMS, status=429)
        if self._streams >= MOST_STREAMS:
            raise PageRefused(_MANY_VIEWERS, status=503)

    async def _of_source(
        self, request: web.Request, answer: Callable[[PageSource], Awaitable[Document]]
    ) -> web.Response:
        """Answer with what the viewer's source says, or with why it does not."""
        try:
            source = await self._find_source(request)
            with _counted(source):
                return _json(await answer(source))
        except (PageRefused, ActionRefused) as error:
            return _refused(error)
        except EventsUnavailable as error:
            return _json({"error": str(error)}, status=502)

    async def _file(self, request: web.Request) -> web.Response:
        path = request.match_info["path"] or "index.html"
        found = self._files.get(path)
        if found is None:
            return web.Response(status=404, text="There is no such page.\n")
        is_compressed = "gzip" in request.headers.get("Accept-Encoding", "")
        headers = dict(_FOREVER if found.is_hashed else _NO_STORE)
        headers["Vary"] = "Accept-Encoding"
        if is_compressed:
            headers["Content-Encoding"] = "gzip"
        return web.Response(
            body=found.compressed if is_compressed else found.content,
            content_type=found.content_type,
            charset="utf-8",
            headers=headers,
        )

    async def _events(self, request: web.Request) -> web.Response:
        namespace, name = request.query.get("namespace", ""), request.query.get("name", "")

        async def events(source: PageSource) -> Document:
            # A renewed token has its own feed, which may have been opened just now.
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(source.feed.answered(), _LIST_SECONDS)
            uid = source.feed.uid((namespace, name))
            if uid is None and not source.feed.is_listed:
                raise EventsUnavailable(source.feed.problem or _UNLISTED)
            if uid is None:
                raise ActionRefused("There is no such chain.", status=404)
            return {"events": await source.list_events(namespace, uid)}

        return await self._of_source(request, events)

    async def _rights(self, request: web.Request) -> web.Response:
        namespace, name = request.query.get("namespace", ""), request.query.get("name", "")

        async def rights(source: PageSource) -> Document:
            return {"change": await source.actions.may_change(namespace, name)}

        return await self._of_source(request, rights)

    async def _preview(self, request: web.Request) -> web.Response:
        async def preview(source: PageSource) -> Document:
            return await source.actions.preview(await _document(request))

        return await self._of_source(request, preview)

    async def _ask(self, request: web.Request) -> web.Response:
        async def ask(source: PageSource) -> Document:
            return await source.actions.ask(await _document(request))

        return await self._of_source(request, ask)

    async def _stream(self, request: web.Request) -> web.StreamResponse:
        try:
            source = await self._find_source(request)
            self._check_room(source)
        except PageRefused as error:
            return _refused(error)
        namespace, name = request.query.get("namespace", ""), request.query.get("name", "")
        viewer = chain_feed.PageViewer(source.feed, (namespace, name) if name else None)
        if self._http is not None:
            self._http.keep(request)
        source.streams += 1
        self._streams += 1
        try:
            return await self._send_changes(request, source, viewer)
        finally:
            source.streams -= 1
            self._streams -= 1

    async def _send_changes(
        self, request: web.Request, source: PageSource, viewer: chain_feed.PageViewer
    ) -> web.StreamResponse:
        stream = _EventStream(request)
        await stream.open()
        await stream.send([("hello", source.hello)])
        while True:
            # Taken before the news, so that what comes meanwhile is not missed.
            changed = source.feed.changed
            if source.ends_with_login and isinstance(source.feed.error, errors.Unauthenticated):
                # The page asks why, with the login that the browser has by now.
                return stream.response
            await stream.send(viewer.news())
            # Of what changes for others, this viewer is sent nothing.
            silence = clock.monotonic() - stream.written_at
            try:
                await asyncio.wait_for(changed.wait(), max(0.0, _HEARTBEAT_SECONDS - silence))
            except TimeoutError:
                await stream.beat()
            await asyncio.sleep(_PAUSE_SECONDS)


class LoopbackServer(PageServer):
    """The page of one person, on their own machine."""

    def __init__(self, source: PageSource) -> None:
        """Prepare to serve anyone who opens the address."""
        self._session_guard = session_guard.SessionGuard()
        self.source = source
        super().__init__(self._the_source, self._session_guard.middleware)

    async def start(self, port: int = 0) -> None:
        """Listen on 127.0.0.1; port 0 is any that is free.

        Raises:
            OSError: the port is taken.
        """
        self._session_guard.port = await self.listen("127.0.0.1", port)

    def address(self, query: str = "") -> str:
        """Return the address that lets one viewer in."""
        return self._session_guard.address(query)

    async def _the_source(self, _request: web.Request) -> PageSource:
        return self.source


@contextlib.contextmanager
def _counted(source: PageSource) -> Iterator[None]:
    """Refuse what is more than one viewer needs: each request may cost the API server several."""
    if source.asked >= MOST_ASKED:
        raise PageRefused(_MANY_ASKED, status=429)
    source.asked += 1
    try:
        yield
    finally:
        source.asked -= 1


@web.middleware
async def _explained(request: web.Request, handler: site_guard.Handler) -> web.StreamResponse:
    """Say in the form that the page reads what is wrong with a request."""
    try:
        return await handler(request)
    except web.HTTPException as error:
        if not request.path.startswith("/api/"):
            raise
        return _json({"error": (error.text or error.reason).strip()}, status=error.status)


class _EventStream:
    """Server-sent events, compressed if the browser accepts it, each one flushed."""

    def __init__(self, request: web.Request) -> None:
        headers = {**_NO_STORE, **site_guard.HEADERS, "Content-Type": "text/event-stream"}
        self._compressor = None
        if "gzip" in request.headers.get("Accept-Encoding", ""):
            headers["Content-Encoding"] = "gzip"
            # A small window and memory level: 20 viewers must not take 20 times 256 kB.
            self._compressor = zlib.compressobj(6, zlib.DEFLATED, 16 + 13, 6)
        self._request = request
        self.written_at = clock.monotonic()
        self.response = web.StreamResponse(headers=headers)

    async def open(self) -> None:
        await self.response.prepare(self._request)

    async def send(self, events: list[tuple[str, Any]]) -> None:
        if events:
            await self._write("".join(_event(name, data) for name, data in events))

    async def beat(self) -> None:
        """Send an event without content: either side then notices when the other one has gone."""
        await self._write(_event("beat", None))

    async def _write(self, text: str) -> None:
        data = text.encode(errors="replace")
        if self._compressor is not None:
            data = self._compressor.compress(data) + self._compressor.flush(zlib.Z_SYNC_FLUSH)
        try:
            async with asyncio.timeout(_SEND_SECONDS):
                await self.response.write(data)
                self.written_at = clock.monotonic()
        except TimeoutError:
            # Otherwise it would hold what it was to be sent, and its place, for as long as it
            # likes.
            if self._request.transport is not None:
                self._request.transport.abort()
            raise ConnectionResetError from None


def _event(name: str, data: Any) -> str:
    # JSON has no line break, which would end the event.
    return f"event: {name}\ndata: {json.dumps(data, separators=(',', ':'))}\n\n"


async def _document(request: web.Request) -> object:
    """Return what was sent; only JSON, which no form of another site can send."""
    if request.content_type != "application/json":
        raise web.HTTPUnsupportedMediaType(text="Send JSON.\n")
    try:
        async with asyncio.timeout(_BODY_SECONDS):
            document: object = await request.json()
    except TimeoutError:
        raise web.HTTPRequestTimeout(text="The request did not arrive in time.\n") from None
    except (ValueError, LookupError, RecursionError):
        # Also an encoding that there is not, and what is nested without an end.
        raise web.HTTPBadRequest(text="This is not JSON.\n") from None
    return document


def _refused(error: PageRefused | ActionRefused) -> web.Response:
    answer = _json({"error": str(error)}, status=error.status)
    if error.status in (429, 503):
        answer.headers.update(_RETRY_AFTER)
    return answer


def _json(document: Any, *, status: int = 200) -> web.Response:
    response = web.json_response(document, status=status, headers=_NO_STORE)
    response.enable_compression()
    return response
