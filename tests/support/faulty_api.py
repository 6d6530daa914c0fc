"""A proxy for the API server that answers some requests itself, wrongly or not at all."""

import asyncio
import json
import re
import socket
import ssl
import struct
from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import aiohttp
import yaml
from aiohttp import web

from devenv import tools
from devenv.control_plane.server import ControlPlane

# What belongs to one connection and not to the request.
_HOP_BY_HOP = frozenset({"connection", "host", "transfer-encoding", "content-length", "keep-alive"})


@dataclass(kw_only=True)
class Fault:
    """Hits requests whose method and path match, `count` of them or, with 0, all."""

    method: str = ".*"
    path: str = ".*"
    status: int | None = None
    """The HTTP status to answer with; None: the connection breaks."""
    headers: tuple[tuple[str, str], ...] = ()
    count: int = 0
    after: bool = False
    """Whether the API server carries the request out first."""
    hits: int = 0

    def is_turn(self, method: str, path: str) -> bool:
        if self.count and self.hits >= self.count:
            return False
        if not re.fullmatch(self.method, method) or not re.search(self.path, path):
            return False
        self.hits += 1
        return True


class FaultyApi:
    """Passes everything on, watches included, except for what a fault hits."""

    def __init__(self, control_plane: ControlPlane, directory: Path) -> None:
        self.faults: list[Fault] = []
        self.lost: set[str] = set()
        """Types of watch events that do not arrive, such as DELETED."""
        self.kubeconfig = directory / "faulty.kubeconfig"
        self._plane = control_plane
        self._port = tools.free_port()
        self._runner: web.AppRunner | None = None
        self._site: web.TCPSite | None = None
        self._open: dict[int, web.Request] = {}
        # Transports, all that there were and those that are stalled.
        self._connections: set[Any] = set()
        self._stalled: set[Any] = set()
        self._handling: set[asyncio.Task[Any]] = set()
        self._flows = asyncio.Event()
        self._flows.set()
        self._http: aiohttp.ClientSession | None = None

    def add(self, **fault: Any) -> Fault:
        self.faults.append(Fault(**fault))
        return self.faults[-1]

    async def __aenter__(self) -> "FaultyApi":
        tls = ssl.create_default_context(cafile=str(self._plane.ca_file))
        self._http = aiohttp.ClientSession(
            base_url=self._plane.url,
            connector=aiohttp.TCPConnector(ssl=tls, limit=0),
            timeout=aiohttp.ClientTimeout(total=None),
            auto_decompress=False,
        )
        app = web.Application(client_max_size=16 * 1024**2)
        app.router.add_route("*", "/{path:.*}", self._handle)
        self._runner = web.AppRunner(app, handle_signals=False, access_log=None, shutdown_timeout=0)
        await self._runner.setup()
        await self.listen()
        self._write_kubeconfig(f"http://127.0.0.1:{self._port}")
        return self

    @property
    def is_listening(self) -> bool:
        return self._site is not None

    async def listen(self) -> None:
        """Take connections, again on the same port."""
        assert self._runner is not None
        self._site = web.TCPSite(self._runner, "127.0.0.1", self._port)
        await self._site.start()

    async def refuse(self) -> None:
        """Refuse connections and break those that there are, until `listen`."""
        assert self._site is not None
        await self._site.stop()
        self._site = None
        self.break_connections()

    def freeze(self) -> None:
        """Take requests and answer none, open watches included, until `thaw`."""
        self._flows.clear()

    def thaw(self) -> None:
        self._flows.set()

    def stall(self) -> None:
        """Answer nothing more on the existing connections; new ones work."""
        self._stalled |= self._connections

    def break_connections(self) -> int:
        """Break the requests under way, watches first of all, and return how many that was."""
        for request in self._open.values():
            _reset(request)
        return len(self._open)

    async def __aexit__(self, *_: object) -> None:
        # Some belong to watches whose client has gone, and wait for an event that may never come.
        for task in self._handling:
            task.cancel()
        if self._http is not None:
            await self._http.close()
        if self._runner is not None:
            await self._runner.cleanup()

    def _write_kubeconfig(self, server: str) -> None:
        document = yaml.safe_load(self._plane.kubeconfig.read_text())
        document["clusters"][0]["cluster"] = {"server": server}
        self.kubeconfig.write_text(yaml.safe_dump(document))

    async def _handle(self, request: web.Request) -> web.StreamResponse:
        if not self.is_listening:
            # On a connection that was idle when all others were broken.
            return _reset(request)
        task = asyncio.current_task()
        assert task is not None
        self._connections.add(request.transport)
        self._open[id(request)] = request
        self._handling.add(task)
        try:
            await self._flows.wait()
            if request.transport in self._stalled:
                await asyncio.Event().wait()
            return await self._answer(request)
        finally:
            del self._open[id(request)]
            self._handling.discard(task)

    async def _answer(self, request: web.Request) -> web.StreamResponse:
        fault = next(
            (item for item in self.faults if item.is_turn(request.method, request.path)), None
        )
        if fault is None or fault.after:
            answer = await self._pass_on(request, is_shown=fault is None)
            if answer is not None:
                return answer
        assert fault is not None
        if fault.status is None:
            return _reset(request)
        body = {"kind": "Status", "status": "Failure", "code": fault.status, "message": "a fault"}
        return web.json_response(body, status=fault.status, headers=dict(fault.headers))

    async def _chunks(
        self, request: web.Request, upstream: aiohttp.ClientResponse
    ) -> AsyncIterator[bytes]:
        if "watch" not in request.query:
            async for chunk in upstream.content.iter_any():
                yield chunk
            return
        async for line in upstream.content:
            if json.loads(line)["type"] not in self.lost:
                yield line

    async def _pass_on(self, request: web.Request, *, is_shown: bool) -> web.StreamResponse | None:
        assert self._http is not None
        headers = {k: v for k, v in request.headers.items() if k.lower() not in _HOP_BY_HOP}
        # An empty body would get a content type, which the API server does not accept of a GET.
        body = await request.read() or None
        try:
            async with self._http.request(
                request.method, request.path_qs, headers=headers, data=body
            ) as upstream:
                if not is_shown:
                    await upstream.read()
                    return None
                answer = web.StreamResponse(
                    status=upstream.status,
                    headers={
                        k: v for k, v in upstream.headers.items() if k.lower() not in _HOP_BY_HOP
                    },
                )
                await answer.prepare(request)
                async for chunk in self._chunks(request, upstream):
                    await self._flows.wait()
                    await answer.write(chunk)
                return answer
        except (aiohttp.ClientError, ConnectionError):
            return _reset(request)


def _reset(request: web.Request) -> web.Response:
    transport = request.transport
    if transport is not None:
        sock = transport.get_extra_info("socket")
        if sock is not None:
            # Lingering for zero seconds makes the kernel send RST instead of FIN.
            sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        transport.abort()
    return web.Response(status=503)
