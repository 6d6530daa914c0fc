"""How the page's server limits clients that ask too much of it, over real connections."""

import asyncio
import contextlib
import time
from typing import Any

import aiohttp
import pytest
from aiohttp import web

from controller.ui import page_server, session_guard, site_guard
from tests.support.waiting import eventually
from tests.ui import page, samples
from tests.ui.viewers import origin, streaming, viewer

JSON = {"Content-Type": "application/json"}


async def answer_of(
    session: aiohttp.ClientSession, url: str, **arguments: Any
) -> tuple[int, str, str | None]:
    """Return the status, what the page says of it, and when to come again."""
    async with session.get(url, **arguments) as answer:
        document = await answer.json()
        return answer.status, document["error"], answer.headers.get("Retry-After")


async def test_one_stream_too_many_is_refused_and_says_why(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(page_server, "MOST_STREAMS", 1)
    async with page.serving(page.FakeWatch()) as server, viewer(server.address()) as session:
        async with streaming(session, server.address()) as stream:
            await stream.until("chains")
            url = f"{origin(server.address())}/api"
            found = [await answer_of(session, f"{url}/{path}") for path in ("stream", "session")]
        await eventually(lambda: server.source.streams == 0)
        async with session.get(f"{url}/session") as answer:
            again = answer.status

    # A browser cannot read why a stream was refused, so the page asks for its session.
    assert found[0] == found[1]
    assert (found[0][0], found[0][2], again) == (503, "30", 200)
    assert "try again in a few minutes" in found[0][1]


async def test_a_viewer_with_too_many_tabs_is_told_to_close_some(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(page_server, "MOST_STREAMS_OF_VIEWER", 1)
    async with (
        page.serving(page.FakeWatch()) as server,
        viewer(server.address()) as session,
        streaming(session, server.address()) as stream,
    ):
        await stream.until("chains")
        status, text, _ = await answer_of(session, f"{origin(server.address())}/api/stream")

    assert status == 429
    assert "close some of its tabs" in text


async def test_of_one_viewer_so_many_requests_are_answered_at_a_time(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(page_server, "MOST_ASKED", 2)
    asked, released = [], asyncio.Event()

    async def list_events(_namespace: str, uid: str) -> list[Any]:
        asked.append(uid)
        await released.wait()
        return []

    watch = page.FakeWatch([samples.platform()])
    async with page.serving(watch, list_events) as server, viewer(server.address()) as session:
        url = f"{origin(server.address())}/api/events?namespace=platform&name=platform"
        waiting = [asyncio.ensure_future(session.get(url)) for _ in range(2)]
        await eventually(lambda: len(asked) == 2)
        refused = await answer_of(session, url)
        released.set()
        answered = [answer.status for answer in await asyncio.gather(*waiting)]

    assert (refused[0], refused[2], answered) == (429, "30", [200, 200])
    assert "wait a moment" in refused[1]


async def test_headers_are_as_large_as_proxies_send_them_and_not_larger() -> None:
    async with page.serving(page.FakeWatch()) as server, viewer(server.address()) as session:
        found = []
        for size in (20_000, 200_000):
            url = f"{origin(server.address())}/api/session"
            async with session.get(url, headers={"X-Forwarded-Access-Token": "x" * size}) as answer:
                found.append(answer.status)

    assert found == [200, 400]


async def test_a_body_is_small_and_comes_soon(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(page_server, "_BODY_SECONDS", 0.2)

    async def slow() -> Any:
        yield b"{"
        await asyncio.sleep(30)

    async with page.serving(page.FakeWatch()) as server, viewer(server.address()) as session:
        url = f"{origin(server.address())}/api/ask"
        headers = {**JSON, "Origin": origin(server.address())}
        found = []
        for body in (b'{"note": "' + b"x" * 200_000 + b'"}', slow()):
            async with session.post(url, data=body, headers=headers) as answer:
                found.append((answer.status, bool((await answer.json())["error"])))

    assert found == [(413, True), (408, True)]


async def test_nobody_unknown_is_waited_for() -> None:
    came, asked = asyncio.Event(), asyncio.Event()

    async def slow() -> Any:
        came.set()
        yield b"{"
        await asked.wait()

    async def find(_: web.Request) -> page_server.PageSource:
        raise page_server.PageRefused("Who are you?", status=401)

    server = page_server.PageServer(find, site_guard.SiteGuard("http://x").middleware)
    port = await server.listen("127.0.0.1", 0)
    async with aiohttp.ClientSession() as session:
        headers = {**JSON, "Host": "x", "Origin": "http://x"}
        url = f"http://127.0.0.1:{port}/api/ask"
        async with session.post(url, data=slow(), headers=headers) as answer:
            status = answer.status
        asked.set()
    await server.stop()

    assert (status, came.is_set()) == (401, True)


async def test_a_viewer_who_takes_nothing_is_let_go(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(page_server, "_SEND_SECONDS", 0.3)
    stack = [samples.stack("a", "Succeeded")]
    watch = page.FakeWatch(
        samples.chain(f"chain-{place}", stack, ready=("True", "RunSucceeded", "x" * 1000))
        for place in range(5000)
    )
    async with page.serving(watch) as server, viewer(server.address()) as session:
        host, _, port = origin(server.address()).removeprefix("http://").partition(":")
        cookies = "; ".join(f"{one.key}={one.value}" for one in session.cookie_jar)
        key = session.headers[session_guard.KEY_HEADER]
        reader, writer = await asyncio.open_connection(host, int(port), limit=1024)
        writer.write(
            f"GET /api/stream?key={key} HTTP/1.1\r\nHost: {host}:{port}\r\nCookie: {cookies}"
            "\r\n\r\n".encode()
        )
        await reader.readline()
        assert server.source.streams == 1
        await eventually(lambda: server.source.streams == 0, 60)
        writer.transport.abort()


async def test_connections_that_say_nothing_keep_nobody_out(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(page_server, "CONNECTIONS", 20)
    async with page.serving(page.FakeWatch()) as server, contextlib.AsyncExitStack() as opened:
        session = await opened.enter_async_context(viewer(server.address()))
        stream = await opened.enter_async_context(streaming(session, server.address()))
        await stream.until("chains")
        port = int(origin(server.address()).rpartition(":")[2])
        silent = [
            (await asyncio.open_connection("127.0.0.1", port))[1]
            for _ in range(page_server.CONNECTIONS + 50)
        ]
        async with session.get(f"{origin(server.address())}/api/session") as answer:
            assert answer.status == 200
        assert server._http is not None
        assert server._http.connections <= page_server.CONNECTIONS
        assert server.source.streams == 1
        for writer in silent:
            writer.transport.abort()
        await asyncio.sleep(0)


async def test_the_end_waits_for_no_stream() -> None:
    async with (
        page.serving(page.FakeWatch()) as server,
        viewer(server.address()) as session,
        streaming(session, server.address()) as stream,
    ):
        await stream.until("chains")
        began = time.monotonic()
        await server.stop()

    assert time.monotonic() - began < 5
