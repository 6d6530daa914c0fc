"""A real HTTP server that takes notifications, and hangs, fails or refuses when a test wants it."""

import asyncio
import dataclasses
import json
from collections.abc import Mapping
from typing import Any

from aiohttp import web

from tests.support.waiting import eventually


@dataclasses.dataclass(frozen=True, kw_only=True)
class Received:
    """One POST."""

    path: str
    headers: Mapping[str, str]
    body: bytes

    @property
    def id(self) -> str:
        return self.headers.get("ce-id", "")

    @property
    def json(self) -> Any:
        return json.loads(self.body)

    @property
    def transition(self) -> str:
        return str(self.json["transition"])


@dataclasses.dataclass(frozen=True, kw_only=True)
class Answer:
    """What is answered; a hanging request is never answered."""

    status: int = 200
    headers: Mapping[str, str] = dataclasses.field(default_factory=dict)
    text: str = ""
    hangs: bool = False


OK = Answer()
HANGS = Answer(hangs=True)


class Receiver:
    """Answers as scripted, in order, and as `always` after that."""

    def __init__(self, *script: Answer, always: Answer = OK) -> None:
        self.script = list(script)
        self.always = always
        self.received: list[Received] = []
        self.answered: list[Received] = []
        self._runner: web.AppRunner | None = None
        self._ends = asyncio.Event()
        self.url = ""

    async def __aenter__(self) -> "Receiver":
        app = web.Application()
        app.router.add_post("/{path:.*}", self._take)
        self._runner = web.AppRunner(app, handle_signals=False, access_log=None, shutdown_timeout=0)
        await self._runner.setup()
        site = web.TCPSite(self._runner, "127.0.0.1", 0)
        await site.start()
        host, port = self._runner.addresses[0][:2]
        self.url = f"http://{host}:{port}"
        return self

    async def __aexit__(self, *_: object) -> None:
        # Requests that hang are released first: a server waits for its requests.
        self._ends.set()
        if self._runner is not None:
            await self._runner.cleanup()

    async def _take(self, request: web.Request) -> web.Response:
        received = Received(
            path=request.path_qs, headers=dict(request.headers), body=await request.read()
        )
        answer = self.script.pop(0) if self.script else self.always
        self.received.append(received)
        if answer.hangs:
            await self._ends.wait()
            return web.Response(status=503)
        if answer.status < 300:
            self.answered.append(received)
        return web.Response(status=answer.status, headers=answer.headers, text=answer.text)

    async def takes(self, count: int, seconds: float = 120.0) -> list[Received]:
        """Wait until so many were answered with success, and return them."""

        async def are_there() -> bool:
            assert len(self.answered) >= count, [item.transition for item in self.answered]
            return True

        await eventually(are_there, seconds, what=f"{count} notifications are delivered")
        return self.answered

    def transitions(self) -> list[str]:
        """Return the notifications, in order of arrival."""
        return [item.transition for item in self.answered]
