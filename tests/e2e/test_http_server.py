"""What whoever connects can hold of a port, and for how long."""

import asyncio
import contextlib
from collections.abc import AsyncIterator

import pytest
from aiohttp import web

from controller import http_server
from tests.support.waiting import eventually

BODY = b"x" * 32_000_000


@contextlib.asynccontextmanager
async def listening(**arguments: object) -> AsyncIterator[http_server.HttpServer]:
    async def answer(_: web.Request) -> web.Response:
        return web.Response(text="ok")

    async def answer_much(_: web.Request) -> web.Response:
        return web.Response(body=BODY)

    app = web.Application()
    app.add_routes([web.get("/", answer), web.get("/much", answer_much)])
    server = http_server.HttpServer("127.0.0.1:0", app, **arguments)  # type: ignore[arg-type]
    await server.start()
    try:
        yield server
    finally:
        await server.stop()


class Peer:
    """A connected client."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.reader = reader
        self.writer = writer

    async def ask(self, path: str = "/") -> bytes:
        self.writer.write(f"GET {path} HTTP/1.1\r\nHost: x\r\n\r\n".encode())
        return await self.reader.readuntil(b"\r\n\r\nok")

    async def is_closed(self) -> bool:
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(0.2):
                return not await self.reader.read(1)
        return False


@pytest.fixture
async def peers() -> AsyncIterator[list[Peer]]:
    opened: list[Peer] = []
    yield opened
    for peer in opened:
        peer.writer.transport.abort()


async def connect(server: http_server.HttpServer, peers: list[Peer]) -> Peer:
    peers.append(Peer(*await asyncio.open_connection("127.0.0.1", server.port)))
    return peers[-1]


async def test_a_connection_without_a_request_is_closed(peers: list[Peer]) -> None:
    async with listening(idle_seconds=0.2) as server:
        silent, half = await connect(server, peers), await connect(server, peers)
        half.writer.write(b"GET / HTTP/1.1\r\nHost:")

        assert await asyncio.wait_for(silent.reader.read(), 10) == b""
        assert await asyncio.wait_for(half.reader.read(), 10) == b""


async def test_an_answer_that_nobody_takes_is_not_kept(peers: list[Peer]) -> None:
    async with listening(idle_seconds=0.2) as server:
        peer = await connect(server, peers)
        peer.writer.write(b"GET /much HTTP/1.1\r\nHost: x\r\n\r\n")
        # It has begun, however soon it ends.
        await peer.reader.readexactly(1)

        await eventually(lambda: server.connections == 0)


async def test_one_connection_too_many_closes_the_one_that_is_silent_for_longest(
    peers: list[Peer], caplog: pytest.LogCaptureFixture
) -> None:
    async with listening(max_connections=3) as server:
        first, second, third = [await connect(server, peers) for _ in range(3)]
        await first.ask()

        fourth = await connect(server, peers)

        await fourth.ask()
        await eventually(second.is_closed, what="the second one is closed")
        assert [await peer.is_closed() for peer in (first, third)] == [False, False]
        assert len(caplog.messages) == 1


async def test_a_connection_on_which_a_secret_was_known_is_closed_last(peers: list[Peer]) -> None:
    async with listening(max_connections=2, trusts_answered=True) as server:
        trusted = await connect(server, peers)
        await trusted.ask()

        for _ in range(5):
            await connect(server, peers)

        await trusted.ask()


async def test_bytes_that_are_no_request_leave_one_line_in_the_log(
    caplog: pytest.LogCaptureFixture, peers: list[Peer]
) -> None:
    async with listening() as server:
        for _ in range(20):
            peer = await connect(server, peers)
            peer.writer.write(b"GARBAGE\r\n\r\n")
            assert (await peer.reader.read()).startswith(b"HTTP/1.0 400")

    assert caplog.messages == ["Not an HTTP request"]


async def test_it_stops_though_an_answer_is_not_taken(peers: list[Peer]) -> None:
    async with listening() as server:
        peer = await connect(server, peers)
        peer.writer.write(b"GET /much HTTP/1.1\r\nHost: x\r\n\r\n")
        await eventually(lambda: server.connections == 1)

        # A server that waits until the answer is taken would wait for minutes.
        async with asyncio.timeout(20):
            await server.stop()


@contextlib.asynccontextmanager
async def streaming(
    came: asyncio.Event | None = None, **arguments: object
) -> AsyncIterator[http_server.HttpServer]:
    """A server of answers that never end; a request sets `came` when its body is awaited."""
    came = came or asyncio.Event()

    async def stream(request: web.Request) -> web.StreamResponse:
        server.keep(request)
        response = web.StreamResponse()
        await response.prepare(request)
        await response.write(b"ok")
        await asyncio.Event().wait()
        return response

    async def answer(_: web.Request) -> web.Response:
        return web.Response(text="ok")

    async def slow(request: web.Request) -> web.Response:
        came.set()
        return web.Response(text=await request.text())

    app = web.Application()
    app.add_routes([web.get("/", answer), web.get("/stream", stream), web.post("/slow", slow)])
    server = http_server.HttpServer("127.0.0.1:0", app, has_streams=True, **arguments)  # type: ignore[arg-type]
    await server.start()
    try:
        yield server
    finally:
        await server.stop()


async def stream_of(peer: Peer) -> None:
    peer.writer.write(b"GET /stream HTTP/1.1\r\nHost: x\r\n\r\n")
    await peer.reader.readuntil(b"ok")


async def test_a_stream_outlives_those_who_say_nothing_and_those_who_are_too_many(
    peers: list[Peer],
) -> None:
    async with streaming(max_connections=2, idle_seconds=0.2) as server:
        looking, silent = await connect(server, peers), await connect(server, peers)
        await stream_of(looking)
        newer = await connect(server, peers)

        # One more than there may be: the silent one makes room, though the stream is older.
        assert await silent.is_closed()
        await newer.ask()
        await eventually(lambda: server.connections == 1)
        assert not await looking.is_closed()


async def test_what_is_slow_to_ask_is_closed_before_a_stream(peers: list[Peer]) -> None:
    came = asyncio.Event()
    async with streaming(came, max_connections=2) as server:
        looking, slow = await connect(server, peers), await connect(server, peers)
        await stream_of(looking)
        slow.writer.write(b"POST /slow HTTP/1.1\r\nHost: x\r\nContent-Length: 9\r\n\r\n")
        await slow.writer.drain()
        await asyncio.wait_for(came.wait(), 60)
        await (await connect(server, peers)).ask()

        assert await slow.is_closed()
        assert not await looking.is_closed()


async def test_a_server_of_streams_stops_at_once(
    peers: list[Peer], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(http_server, "_STOP_SECONDS", 60.0)
    async with streaming() as server:
        looking = await connect(server, peers)
        await stream_of(looking)
        # It would wait for a minute, if it waited for answers at all.
        async with asyncio.timeout(30):
            await server.stop()

        with contextlib.suppress(ConnectionError):
            await asyncio.wait_for(looking.reader.read(), 10)
