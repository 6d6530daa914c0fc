"""A server that takes webhooks: keeps what came, bytes and headers, and answers as tests want."""

import asyncio
import contextlib
import json
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass, field
from typing import Any

from aiohttp import web

from tests.support import waiting


@dataclass(frozen=True, kw_only=True)
class Received:
    """One request, as it came."""

    path: str
    method: str
    headers: dict[str, str]
    body: bytes

    @property
    def document(self) -> Any:
        return json.loads(self.body)

    @property
    def state(self) -> str:
        return str(self.document.get("state", ""))


@dataclass(kw_only=True)
class Receiver:
    """What came, oldest first; `answer` gives the status of the n-th request, from 1."""

    url: str = ""
    requests: list[Received] = field(default_factory=list)
    answer: Callable[[int], int] = lambda _number: 202
    # Requests wait here; tests that want them to hang clear it.
    may_answer: asyncio.Event = field(default_factory=asyncio.Event)
    open_requests: int = 0

    @property
    def states(self) -> list[str]:
        """The states of all runs in the requests, in the order of arrival."""
        return [request.state for request in self.requests]

    async def until(self, count: int) -> list[Received]:
        """Wait for so many requests."""
        await waiting.eventually(
            lambda: len(self.requests) >= count, what=f"{count} requests have come"
        )
        return self.requests

    async def handle(self, request: web.Request) -> web.Response:
        body = await request.read()
        received = Received(
            path=request.path, method=request.method, headers=dict(request.headers), body=body
        )
        self.requests.append(received)
        number = len(self.requests)
        self.open_requests += 1
        try:
            await self.may_answer.wait()
        finally:
            self.open_requests -= 1
        return web.Response(status=self.answer(number))


@contextlib.asynccontextmanager
async def receiving() -> AsyncIterator[Receiver]:
    """Listen on a free port until the block is left."""
    receiver = Receiver()
    receiver.may_answer.set()
    app = web.Application()
    app.router.add_route("*", "/{path:.*}", receiver.handle)
    runner = web.AppRunner(app, access_log=None, shutdown_timeout=0.1)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    port = runner.addresses[0][1]
    receiver.url = f"http://127.0.0.1:{port}/hook"
    try:
        yield receiver
    finally:
        receiver.may_answer.set()
        await runner.cleanup()
