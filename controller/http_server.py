"""Listens for HTTP on each port of a process, and limits what clients can take of it.

Connections are accepted here and not by asyncio. When it runs out of descriptors, asyncio logs
hundreds of tracebacks a second, and it accepts any number of connections.
"""

import asyncio
import contextlib
import dataclasses
import logging
import socket
from collections.abc import Awaitable, Callable

from aiohttp import typedefs, web

from controller import log_throttle

logger = logging.getLogger(__name__)

CONNECTIONS = 64
"""Connections at a time: a kubelet and a few Prometheus servers use one or two each."""
IDLE_SECONDS = 30.0
"""How long a connection may be without a request, or with half of a request's head."""

# Within this many idle times a request is answered, and its answer taken.
_SILENT_TIMES = 2
_CHECK_SECONDS = 1.0
_ACCEPT_PAUSE_SECONDS = 0.1
_BACKLOG = 128

# What one connection can hold before a handler reads: a head, twice the read buffer, and what the
# system hands over at once, which is less than its own buffer.
_READ_BUFFER_BYTES = 16 * 1024
_SYSTEM_BUFFER_BYTES = 32 * 1024
_HEADERS = 64
_HEADER_BYTES = 4096

# The rest of a refused body is read for this long, so that the sender sees the answer.
_LINGER_SECONDS = 1.0
# aiohttp waits for this twice: for the answer, then for a client that does not read it.
_STOP_SECONDS = 1.0
# Their connections are closed by then.
_STOP_STREAMS_SECONDS = 0.1


@dataclasses.dataclass(frozen=True, kw_only=True, slots=True)
class _Connection:
    transport: asyncio.BaseTransport
    heard_at: float
    is_trusted: bool = False
    is_streaming: bool = False

    def close(self) -> None:
        if isinstance(self.transport, asyncio.Transport):
            # Not close(), which waits until the other side has read all of an answer.
            self.transport.abort()


class HttpServer:
    """Listens from `start` to `stop`.

    At most `max_connections` are open. One more closes the one that has been silent for longest, so
    that a client that sends something at once is heard.
    """

    def __init__(
        self,
        address: str,
        app: web.Application,
        *,
        on_not_http: Callable[[], None] | None = None,
        max_connections: int = CONNECTIONS,
        idle_seconds: float = IDLE_SECONDS,
        trusts_answered: bool = False,
        has_streams: bool = False,
        header_bytes: int = _HEADER_BYTES,
    ) -> None:
        """Prepare to listen.

        Args:
            address: the host and the port; port 0 is any.
            app: what answers requests.
            on_not_http: called for bytes that are not a request; otherwise they are logged, now and
                then.
            max_connections: how many connections may be open at a time.
            idle_seconds: how long a connection may be without a request.
            trusts_answered: close a connection last if a request on it was answered with success;
                for apps that give such an answer only to those who know a secret.
            has_streams: whether some answers never end; see `keep`. A handler is then canceled once
                its client has gone, and `stop` waits for none.
            header_bytes: how long the line of a request and each header of it may be.
        """
        host, _, port = address.rpartition(":")
        self._host, self._port = host.strip("[]"), int(port)
        self._on_not_http = on_not_http
        self._max_connections = max_connections
        self._idle_seconds = idle_seconds
        self._trusts_answered = trusts_answered
        self._has_streams = has_streams
        self._header_bytes = header_bytes
        app.middlewares.insert(0, self._hearing())
        self._app = app
        self._runner: web.AppRunner | None = None
        self._sockets: list[socket.socket] = []
        self._tasks: list[asyncio.Task[None]] = []
        # The one that has been silent for longest comes first.
        self._connections: dict[object, _Connection] = {}
        self._throttle = log_throttle.LogThrottle()

    @property
    def port(self) -> int:
        """The port that is listened on, even if the address said 0."""
        return int(self._sockets[0].getsockname()[1]) if self._sockets else self._port

    @property
    def is_listening(self) -> bool:
        """Whether it is between `start` and `stop`."""
        return bool(self._sockets)

    @property
    def connections(self) -> int:
        """How many connections are open."""
        server = self._runner.server if self._runner is not None else None
        return len(server.connections) if server is not None else 0

    async def start(self) -> None:
        """Listen.

        Raises:
            OSError: the address cannot be listened on.
        """
        self._sockets = await _listen(self._host, self._port)
        self._runner = web.AppRunner(
            self._app,
            access_log=None,
            logger=self._http_log(),
            # A few bytes can unpack to gigabytes, and signatures are over the bytes as they come.
            auto_decompress=False,
            keepalive_timeout=self._idle_seconds,
            lingering_time=_LINGER_SECONDS,
            # Not 0, for which aiohttp waits without an end.
            shutdown_timeout=_STOP_STREAMS_SECONDS if self._has_streams else _STOP_SECONDS,
            handler_cancellation=self._has_streams,
            read_bufsize=_READ_BUFFER_BYTES,
            max_headers=_HEADERS,
            max_line_size=self._header_bytes,
            max_field_size=self._header_bytes,
        )
        await self._runner.setup()
        accepting = [self._accept(listening) for listening in self._sockets]
        self._tasks = [asyncio.create_task(task) for task in (*accepting, self._close_silent())]

    def keep(self, request: web.Request) -> None:
        """Leave the connection of a request alone until it is answered, however long that takes.

        Its handler deals with clients that stop reading.
        """
        self._heard(request.protocol, is_streaming=True)

    async def stop(self) -> None:
        """Stop listening, and answer what has come."""
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        for listening in self._sockets:
            listening.close()
        self._tasks, self._sockets = [], []
        if self._has_streams:
            self._close_all()
        if self._runner is not None:
            await self._runner.cleanup()
            self._runner = None
        self._close_all()

    def _close_all(self) -> None:
        for connection in self._connections.values():
            connection.close()
        self._connections.clear()

    async def _accept(self, listening: socket.socket) -> None:
        loop = asyncio.get_running_loop()
        while True:
            try:
                accepted, _ = await loop.sock_accept(listening)
            except OSError as error:
                # Either no descriptor is left, which passes, or the client has gone already.
                self._log("HTTP connection cannot be accepted", why=str(error))
                self._close_oldest()
                await asyncio.sleep(_ACCEPT_PAUSE_SECONDS)
                continue
            await self._serve(accepted)

    async def _serve(self, accepted: socket.socket) -> None:
        if self._runner is None or self._runner.server is None:
            accepted.close()
            return
        if len(self._connections) >= self._max_connections:
            self._forget_closed()
        if len(self._connections) >= self._max_connections:
            self._log("HTTP connection closed, since too many are open")
            self._close_oldest()
        loop = asyncio.get_running_loop()
        try:
            transport, protocol = await loop.connect_accepted_socket(self._runner.server, accepted)
        except OSError:
            accepted.close()
            return
        self._connections[protocol] = _Connection(transport=transport, heard_at=loop.time())

    def _hearing(self) -> typedefs.Middleware:
        @web.middleware
        async def hear(
            request: web.Request,
            handler: Callable[[web.Request], Awaitable[web.StreamResponse]],
        ) -> web.StreamResponse:
            self._heard(request.protocol)
            answer = None
            try:
                answer = await handler(request)
                return answer
            finally:
                self._heard(request.protocol, answer)

        return hear

    def _heard(
        self,
        protocol: object,
        answer: web.StreamResponse | None = None,
        *,
        is_streaming: bool = False,
    ) -> None:
        known = self._connections.pop(protocol, None)
        if known is None:
            return
        is_trusted = self._trusts_answered and answer is not None and answer.status // 100 == 2
        self._connections[protocol] = dataclasses.replace(
            known,
            heard_at=asyncio.get_running_loop().time(),
            is_trusted=known.is_trusted or is_trusted,
            is_streaming=is_streaming,
        )

    async def _close_silent(self) -> None:
        """Close what aiohttp would wait for forever: answers that the client does not read."""
        while True:
            await asyncio.sleep(min(_CHECK_SECONDS, self._idle_seconds))
            self._forget_closed()
            before = asyncio.get_running_loop().time() - _SILENT_TIMES * self._idle_seconds
            for protocol, connection in list(self._connections.items()):
                if connection.heard_at < before and not connection.is_streaming:
                    self._close(protocol)

    def _forget_closed(self) -> None:
        self._connections = {
            protocol: connection
            for protocol, connection in self._connections.items()
            if not connection.transport.is_closing()
        }

    def _close_oldest(self) -> None:
        found = self._connections.items()
        # The least important one that is oldest: no one misses a silent connection.
        oldest = min(found, key=lambda one: (one[1].is_streaming, one[1].is_trusted), default=None)
        if oldest is not None:
            self._close(oldest[0])

    def _close(self, protocol: object) -> None:
        self._connections.pop(protocol).close()

    def _http_log(self) -> logging.Logger:
        """Return where aiohttp logs bytes that are not a request; it quotes them: none is kept."""
        log = logging.Logger(f"{__name__}.http")  # noqa: LOG001 - no one else is to find it

        def take(record: logging.LogRecord) -> bool:
            if record.getMessage().startswith("Error handling request"):
                self._refuse_bytes()
            elif record.levelno >= logging.ERROR and self._throttle.due("failed"):
                logger.error("HTTP server failed", exc_info=record.exc_info)
            return False

        log.addFilter(take)
        return log

    def _refuse_bytes(self) -> None:
        if self._on_not_http is not None:
            self._on_not_http()
        else:
            self._log("Not an HTTP request")

    def _log(self, message: str, **fields: object) -> None:
        if self._throttle.due(message):
            more = {"port": self.port, "more_before": self._throttle.skipped(message)}
            logger.warning(message, extra=fields | more)


async def _listen(host: str, port: int) -> list[socket.socket]:
    """Open a socket for each address of the host."""
    found = await asyncio.get_running_loop().getaddrinfo(
        host or None, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE
    )
    with contextlib.ExitStack() as opened:
        sockets = [
            opened.enter_context(_open(family, address))
            for family, _, _, _, address in dict.fromkeys(found)
        ]
        opened.pop_all()
        return sockets


def _open(family: int, address: tuple[object, ...]) -> socket.socket:
    listening = socket.socket(family, socket.SOCK_STREAM)
    try:
        listening.setblocking(False)
        listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        # What is accepted has it too.
        listening.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, _SYSTEM_BUFFER_BYTES)
        if family == socket.AF_INET6:
            listening.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 1)
        listening.bind(address)
        listening.listen(_BACKLOG)
    except OSError:
        listening.close()
        raise
    return listening
