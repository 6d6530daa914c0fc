"""A relay between a client and a server of a test: passes bytes on until a test stops it."""

import asyncio
import contextlib
import socket
import ssl
import threading
from collections.abc import Iterator

from devenv import tools


class Relay:
    """Listens on its own port, which stays the same over each close and start.

    It accepts connections itself: `asyncio.Server` loses a connection that arrives at the moment of
    the close, and the socket of that one stays open.
    """

    def __init__(self, target: str, listens_on: str = "") -> None:
        """Make a relay that is not started.

        Args:
            target: Host and port of the server.
            listens_on: Host and port for its clients; a free port of loopback by default.
        """
        host, _, port = target.rpartition(":")
        self._target = (host, int(port))
        self.address = listens_on or f"127.0.0.1:{tools.free_port()}"
        """Where it listens."""
        self._listening: socket.socket | None = None
        self._context: ssl.SSLContext | None = None
        self._tasks: set[asyncio.Task[None]] = set()
        self._is_silent = False

    @property
    def port(self) -> int:
        """The port on which it listens."""
        return int(self.address.rpartition(":")[2])

    def start(self, context: ssl.SSLContext | None = None) -> None:
        """Take connections, and pass on what they say; with a context, what it says inside TLS."""
        self._is_silent, self._context = False, context
        if self._listening is None:
            self._listening = socket.create_server(
                (self.address.rpartition(":")[0], self.port), backlog=100
            )
            self._listening.setblocking(False)
            asyncio.get_running_loop().add_reader(self._listening, self._accept)

    def silence(self) -> None:
        """Keep all connections and take new ones, but pass nothing on."""
        self._is_silent = True

    async def close(self) -> None:
        """Refuse connections, and end those that there are."""
        if self._listening is not None:
            asyncio.get_running_loop().remove_reader(self._listening)
            self._listening.close()
            self._listening = None
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    def _accept(self) -> None:
        assert self._listening is not None
        try:
            connection, _ = self._listening.accept()
        except (BlockingIOError, ConnectionAbortedError):
            return
        connection.setblocking(False)
        task = asyncio.get_running_loop().create_task(self._serve(connection))
        self._tasks.add(task)

        def end(task: asyncio.Task[None]) -> None:
            self._tasks.discard(task)
            if task.cancelled():
                # It had not begun.
                connection.close()

        task.add_done_callback(end)

    async def _serve(self, connection: socket.socket) -> None:
        writers: list[asyncio.StreamWriter] = []
        with contextlib.suppress(OSError, asyncio.CancelledError):
            reader, writer = await _streams(connection, self._context)
            writers.append(writer)
            inner_reader, inner_writer = await asyncio.open_connection(*self._target)
            writers.append(inner_writer)
            await asyncio.gather(self._pipe(reader, inner_writer), self._pipe(inner_reader, writer))
        for writer in writers:
            writer.transport.abort()

    async def _pipe(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while data := await reader.read(65_536):
            if self._is_silent:
                # What was said meanwhile is lost with the connection.
                await asyncio.Event().wait()
            writer.write(data)
            await writer.drain()
        writer.close()


@contextlib.contextmanager
def running_in_a_thread(relay: Relay) -> Iterator[None]:
    """Let a relay work while the block runs, whatever the block itself waits for."""
    loop = asyncio.new_event_loop()
    thread = threading.Thread(target=loop.run_forever, name="relay", daemon=True)
    thread.start()
    try:
        asyncio.run_coroutine_threadsafe(_start(relay), loop).result()
        yield
    finally:
        asyncio.run_coroutine_threadsafe(relay.close(), loop).result()
        loop.call_soon_threadsafe(loop.stop)
        thread.join()
        loop.close()


async def _start(relay: Relay) -> None:
    relay.start()


async def _streams(
    connection: socket.socket, context: ssl.SSLContext | None
) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
    loop = asyncio.get_running_loop()
    reader = asyncio.StreamReader()
    protocol = asyncio.StreamReaderProtocol(reader)
    transport, _ = await loop.connect_accepted_socket(lambda: protocol, connection, ssl=context)
    return reader, asyncio.StreamWriter(transport, protocol, reader, loop)
