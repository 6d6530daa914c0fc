"""The listening server: GraphQL, run pages and admin API, over HTTP and, if wanted, over TLS too.

Everything is served on every port. The admin port is a second one, so that the account's own port
can be taken down (an outage that refuses connections) and brought back.
"""

import asyncio
import contextlib
import ssl
import tempfile
from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path

from aiohttp import web

from devenv.simulator.simulator import Simulator
from devenv.simulator.web import (
    action_admin,
    admin_bodies,
    callers,
    delivery_sender,
    endpoint,
    fault_admin,
    inspection_admin,
    pages,
    simulator_admin,
    tls,
    webhook_admin,
)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Listener:
    site: web.TCPSite
    port: int
    context: ssl.SSLContext | None


class Server:
    """A simulator on the network."""

    def __init__(
        self,
        simulator: Simulator,
        *,
        host: str,
        port: int,
        tls_port: int | None,
        ca_file: Path | None,
    ) -> None:
        self.simulator = simulator
        self.ca_file = ca_file
        self._host = host
        self._ports = (port, tls_port)
        self._closing = asyncio.Event()
        self._changed = asyncio.Event()
        self._sender = delivery_sender.DeliverySender(simulator, self.wake)
        self._endpoint = endpoint.Endpoint(simulator, self._closing, self._sender.probe)
        self._stack = contextlib.AsyncExitStack()
        self._listeners: dict[str, _Listener] = {}
        self._urls: dict[str, str] = {}

    @property
    def url(self) -> str:
        """The base URL of the account; clients add `/graphql`."""
        return self._urls["http"]

    @property
    def admin_url(self) -> str:
        """The base URL of the admin API; it stays up through an outage."""
        return self._urls["admin"] + "/admin"

    @property
    def tls_url(self) -> str | None:
        """The base URL over TLS, if that was asked for."""
        return self._urls.get("tls")

    async def start(self) -> None:
        """Listen, and start to drive the account."""
        app = self._app()
        runner = web.AppRunner(app, handle_signals=False, access_log=None, shutdown_timeout=0.5)
        await runner.setup()
        self._stack.push_async_callback(runner.cleanup)
        self._runner = runner
        port, tls_port = self._ports
        await self._listen("http", port)
        await self._listen("admin", 0)
        if tls_port is not None:
            await self._listen("tls", tls_port, self._tls_context())
        await self._sender.start()
        self._stack.push_async_callback(self._sender.stop)
        driver = asyncio.create_task(self._drive(), name="simulator driver")
        self._stack.push_async_callback(_end, driver)

    async def stop(self) -> None:
        """Stop at once; requests that hang are ended."""
        self._closing.set()
        await self._stack.aclose()

    def wake(self) -> None:
        """Let the driver look at the timetable again."""
        self._changed.set()

    async def set_outage(self, mode: str) -> None:
        """Take the account down, or bring it back; `refuse` closes all ports but the admin one."""
        self.simulator.faults.outage = mode
        for name in self._listeners.keys() - {"admin"}:
            listener = self._listeners[name]
            is_up = listener.site in self._runner.sites
            if mode == "refuse" and is_up:
                await listener.site.stop()
            elif mode != "refuse" and not is_up:
                await self._listen(name, listener.port, listener.context)

    def _app(self) -> web.Application:
        account_up_to_date = admin_bodies.middleware(self.simulator, self.wake)
        app = web.Application(
            client_max_size=endpoint.BODY_LIMIT,
            middlewares=[callers.middleware(self._host), account_up_to_date],
        )
        app.router.add_post("/graphql", self._graphql)
        for part in (
            simulator_admin.Admin(self.simulator, self.set_outage),
            fault_admin.FaultAdmin(self.simulator, self.set_outage),
            inspection_admin.Records(self.simulator),
            webhook_admin.WebhookAdmin(self.simulator),
            action_admin.Actions(self.simulator),
            pages.Pages(self.simulator),
        ):
            app.router.add_routes(part.routes())
        return app

    async def _graphql(self, request: web.Request) -> web.StreamResponse:
        response = await self._endpoint.handle(request)
        self.wake()
        return response

    async def _listen(self, name: str, port: int, context: ssl.SSLContext | None = None) -> None:
        site = web.TCPSite(self._runner, self._host, port, ssl_context=context)
        await site.start()
        listener = _Listener(site=site, port=_port_of(site), context=context)
        self._listeners[name] = listener
        scheme, shown = ("http", self._host) if context is None else ("https", "localhost")
        self._urls[name] = f"{scheme}://{shown}:{listener.port}"

    def _tls_context(self) -> ssl.SSLContext:
        if self.ca_file is None:
            directory = self._stack.enter_context(tempfile.TemporaryDirectory())
            self.ca_file = Path(directory) / "ca.pem"
        return tls.make_context(self.ca_file)

    async def _drive(self) -> None:
        """Carry out what is due when it is due, so that listeners learn of it without a request."""
        while True:
            self._changed.clear()
            self.simulator.advance()
            self._sender.send_due()
            due = self.simulator.next_due()
            waits = None
            if due is not None and not self.simulator.clock.is_virtual:
                # At most 200 rounds a second, however many runs there are.
                waits = max(0.005, due - self.simulator.clock.now())
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(waits):
                    await self._changed.wait()


@contextlib.asynccontextmanager
async def serve(
    simulator: Simulator,
    *,
    host: str = "127.0.0.1",
    port: int = 0,
    tls_port: int | None = None,
    ca_file: Path | None = None,
) -> AsyncIterator[Server]:
    """Serve an account until the block is left; port 0 takes a free one."""
    server = Server(simulator, host=host, port=port, tls_port=tls_port, ca_file=ca_file)
    await server.start()
    try:
        yield server
    finally:
        await server.stop()


def _port_of(site: web.TCPSite) -> int:
    """Learn which port was free; aiohttp itself gives only what was asked for."""
    listening = site._server
    sockets = listening.sockets if isinstance(listening, asyncio.Server) else ()
    port: int = sockets[0].getsockname()[1]
    return port


async def _end(task: asyncio.Task[None]) -> None:
    task.cancel()
    with contextlib.suppress(asyncio.CancelledError):
        await task
