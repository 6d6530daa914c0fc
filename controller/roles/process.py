"""What every long-running role has: settings, signals, health, and a link to Temporal."""

import asyncio
import dataclasses
import logging
import os
import signal
import sys
from collections.abc import Awaitable, Callable
from typing import NoReturn

import temporalio.client

from controller.config import connections, settings
from controller.notify import sinks
from controller.observability import health, metrics
from controller.observability import logging as log_setup
from controller.temporal import client as temporal_client
from controller.temporal import core_logs

logger = logging.getLogger(__name__)

_LEFT_OVER_SECONDS = 0.5
# One failed check may be one lost request, and a status that flips is useless.
_FAILURES_TO_REFUSE = 2


Look = Callable[[temporalio.client.Client, settings.TemporalSettings], Awaitable[str | None]]
"""Says why Temporal cannot run workflows, None if it can."""
Connect = Callable[
    [settings.TemporalSettings, Callable[[str], None]], Awaitable[temporalio.client.Client]
]
"""Connects, however long it takes, and reports why it takes so long."""


class TemporalLink:
    """The connection to Temporal, which may come late; until then it says what is wrong.

    That is known at all times, so that readiness, the metric and all that need Temporal agree:
    ADR 0029.
    """

    def __init__(
        self,
        temporal: settings.TemporalSettings,
        counters: metrics.Metrics,
        *,
        connect: Connect = temporal_client.connect_with_retry,
        look: Look = temporal_client.find_problem,
        look_seconds: float = 5.0,
        look_again_seconds: float = 1.0,
        credentials_seconds: float = temporal_client.CREDENTIALS_SECONDS,
    ) -> None:
        """Look every `look_seconds`, and sooner while something is wrong.

        Files of credentials are looked at every `credentials_seconds`.
        """
        self.on_new_client: list[Callable[[temporalio.client.Client], None]] = []
        """Called with the client that takes the place of the one before."""
        self._credentials_seconds = credentials_seconds
        # What the client was made with, or older.
        self._certificates = temporal_client.certificate_stamps(temporal)
        self._temporal = temporal
        self._counters = counters
        self._connect = connect
        self._look = look
        self._look_seconds, self._look_again_seconds = look_seconds, look_again_seconds
        self._client: temporalio.client.Client | None = None
        self._reached = asyncio.Event()
        self._problem = f"Temporal at {temporal.address} has not been reached yet."
        self._failures = 0
        counters.temporal_connected.set(0)

    def get(self) -> temporalio.client.Client:
        """Return the client.

        Raises:
            TemporalUnreachable: there is none yet, or Temporal cannot run workflows. It might still
                answer from memory, and a status from that would say that all is well.
        """
        if self._client is None or self._failures >= _FAILURES_TO_REFUSE:
            raise temporal_client.TemporalUnreachable(self._problem)
        return self._client

    async def run(self) -> None:
        """Connect, however long it takes, and look now and then from then on; never returns."""
        connected = await self._connect(self._temporal, self._log_once)
        logger.info("Connected to Temporal", extra={"address": self._temporal.address})
        await self.watch(connected)

    async def watch(self, connected: temporalio.client.Client) -> None:
        """Take a connection and look now and then what is wrong with it; never returns."""
        self._client = connected
        self._note(None)
        self._reached.set()
        while True:
            await asyncio.sleep(self._look_again_seconds if self._problem else self._look_seconds)
            self._note(await self._look(self._client, self._temporal))

    async def keep_credentials(self) -> None:
        """Use the API key and the certificates that are mounted now; never returns."""
        while True:
            await asyncio.sleep(self._credentials_seconds)
            if self._client is not None:
                temporal_client.renew_api_key(self._client, self._temporal)
                await self._renew_certificates()

    async def _renew_certificates(self) -> None:
        """Reconnect if a certificate has changed: a connection keeps those that it started with.

        It retries until that works, since a certificate and its key may change one after the other.
        """
        now = temporal_client.certificate_stamps(self._temporal)
        if now == self._certificates:
            return
        try:
            client = await temporal_client.connect(self._temporal)
        except temporal_client.TemporalUnreachable as error:
            logger.warning(
                "Temporal cannot be reached with the new certificates, still trying",
                extra={"why": str(error)},
            )
            return
        self._client, self._certificates = client, now
        for use in self.on_new_client:
            use(client)
        logger.info("Certificates for Temporal read again")

    async def connected(self) -> temporalio.client.Client:
        """Return the client once Temporal and the namespace have been reached."""
        while self._client is None:
            await self._reached.wait()
        return self._client

    async def check(self) -> str | None:
        """Return what is wrong, for readiness."""
        return self._problem or None

    def _note(self, problem: str | None) -> None:
        self._failures = self._failures + 1 if problem else 0
        if problem:
            self._log_once(problem)
        elif self._problem:
            self._problem = ""
        self._counters.temporal_connected.set(0 if problem else 1)

    def _log_once(self, problem: str) -> None:
        if problem != self._problem:
            logger.warning("Temporal cannot be used, still trying", extra={"why": problem})
        self._problem = problem


@dataclasses.dataclass(frozen=True, kw_only=True, slots=True)
class Process:
    """What every role has."""

    settings: settings.Settings
    stop: asyncio.Event
    counters: metrics.Metrics
    server: health.HealthServer
    catalog: connections.ConnectionCatalog
    sink_catalog: sinks.SinkCatalog
    link: TemporalLink


def run_role(role: Callable[[Process], Awaitable[int]], *, needs_keys: bool) -> NoReturn:
    """Run a role until a signal or its end, then leave at once.

    Raises:
        SettingsError: before anything is started.
    """
    all_settings = settings.load_settings()
    catalog = _connections(all_settings, needs_keys=needs_keys)
    sink_catalog = sinks.SinkCatalog(all_settings.notifications.file)
    log_setup.configure_logging(
        level=all_settings.observability.log_level,
        log_format=all_settings.observability.log_format,
    )
    core_logs.forward()
    asyncio.run(_serve_and_leave(role, all_settings, catalog, sink_catalog))


def _connections(
    all_settings: settings.Settings, *, needs_keys: bool
) -> connections.ConnectionCatalog:
    catalog = connections.ConnectionCatalog(all_settings.spacelift)
    if not catalog.names():
        raise settings.SettingsError(
            "SPACELIFT_CONNECTIONS_FILE: there is no Spacelift connection; set it, or "
            "SPACELIFT_API_KEY_ENDPOINT, SPACELIFT_API_KEY_ID and SPACELIFT_API_KEY_SECRET"
        )
    problems = catalog.api_key_problems() if needs_keys else []
    spacelift = all_settings.spacelift
    if spacelift.endpoint and spacelift.allowed_namespaces is None:
        problems.append(
            "SPACELIFT_ALLOWED_NAMESPACES: is missing for SPACELIFT_API_KEY_ENDPOINT; list the "
            "namespaces whose StackChains may use the account, or set * for all of them"
        )
    if problems:
        raise settings.SettingsError(*problems)
    return catalog


async def _serve_and_leave(
    role: Callable[[Process], Awaitable[int]],
    all_settings: settings.Settings,
    catalog: connections.ConnectionCatalog,
    sink_catalog: sinks.SinkCatalog,
) -> NoReturn:
    """Exit from inside: the loop's own end waits for tasks that a cancel does not end, as kopf's.

    What is left by then has nothing to finish.
    """
    code = await _serve(role, all_settings, catalog, sink_catalog)
    left = asyncio.all_tasks() - {asyncio.current_task()}
    for task in left:
        task.cancel()
    if left:
        await asyncio.wait(left, timeout=_LEFT_OVER_SECONDS)
    sys.stdout.flush()
    sys.stderr.flush()
    # The SDK's native threads make a part of all normal exits crash (temporalio/sdk-python#300).
    os._exit(code)


async def _serve(
    role: Callable[[Process], Awaitable[int]],
    all_settings: settings.Settings,
    catalog: connections.ConnectionCatalog,
    sink_catalog: sinks.SinkCatalog,
) -> int:
    stop = asyncio.Event()
    on_signals(stop)
    counters = metrics.Metrics()
    server = health.HealthServer(all_settings.observability.health_address, counters.registry)
    try:
        await server.start()
    except OSError as error:
        logger.error("HEALTH_ADDRESS cannot be listened on", extra={"why": str(error)})
        return 2
    try:
        return await role(
            Process(
                settings=all_settings,
                stop=stop,
                counters=counters,
                server=server,
                catalog=catalog,
                sink_catalog=sink_catalog,
                link=TemporalLink(all_settings.temporal, counters),
            )
        )
    finally:
        await server.stop()


def on_signals(stop: asyncio.Event) -> None:
    """Set the event at SIGTERM and SIGINT."""
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stop.set)


async def done_before(wanted: Awaitable[object], *ends: Awaitable[object]) -> bool:
    """Wait for something, unless one of the ends comes first; then it is canceled.

    Returns:
        Whether it is done.

    Raises:
        Exception: what it failed with.
    """
    task = asyncio.ensure_future(wanted)
    waiting = [asyncio.ensure_future(end) for end in ends]
    await wait_for_first(task, *waiting)
    for end in waiting:
        end.cancel()
    if not task.done():
        task.cancel()
        return False
    task.result()
    return True


async def wait_for_first(*awaitables: Awaitable[object]) -> None:
    """Wait until one is done; tasks among the others continue, and nothing else is left."""
    tasks = [asyncio.ensure_future(item) for item in awaitables]
    try:
        await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
    finally:
        for task, item in zip(tasks, awaitables, strict=True):
            if task is not item:
                task.cancel()
