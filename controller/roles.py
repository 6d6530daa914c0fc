"""Puts each long-running role together, and takes it apart again in the right order."""

import asyncio
import contextlib
import dataclasses
import logging
import os
import signal
import sys
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from typing import NoReturn

import kopf
import temporalio.client

from controller import connections, settings
from controller.handlers import (
    lifecycle,
    operator_identity,
    reconciler,
    resync,
    schedule_sync,
    stackchain,
    starting,
    telling,
)
from controller.kube import client as kube_client
from controller.kube import definition, lease, stackchains
from controller.kube import errors as kube_errors
from controller.notify import sinks
from controller.observability import health, metrics
from controller.observability import logging as log_setup
from controller.temporal import client as temporal_client
from controller.temporal import (
    held_runs,
    ids,
    notifier,
    queues,
    root_sweeps,
    schedules,
    starter,
    wakeups,
    worker,
)
from controller.webhook import app, dispatch, wakes

logger = logging.getLogger(__name__)

# Together with what a standby takes to look at the Lease they stay below two seconds.
_STATUSES_STOP_SECONDS = 0.7
_KOPF_STOP_SECONDS = 0.5
# What is queued takes milliseconds each; while Temporal is down it takes for ever.
_WAKES_STOP_SECONDS = 2.0
_TEMPORAL_CHECK_SECONDS = 10.0
_INSTALLATION_RETRY_SECONDS = 1.0


class TemporalLink:
    """The connection to Temporal, which may come late; until then it says what is wrong."""

    def __init__(self, temporal: settings.TemporalSettings, counters: metrics.Metrics) -> None:
        self._temporal = temporal
        self._counters = counters
        self._client: temporalio.client.Client | None = None
        self._problem = f"Temporal at {temporal.address} has not been reached yet."

    def get(self) -> temporalio.client.Client:
        """Return the client.

        Raises:
            TemporalUnreachable: there is none yet.
        """
        if self._client is None:
            raise temporal_client.TemporalUnreachable(self._problem)
        return self._client

    async def connect(self) -> temporalio.client.Client:
        """Connect, however long it takes."""
        self._counters.temporal_connected.set(0)
        self._client = await temporal_client.connect_with_retry(self._temporal, self._tell)
        logger.info("Connected to Temporal", extra={"address": self._temporal.address})
        return self._client

    async def check(self) -> str | None:
        """Return what is wrong, for readiness."""
        if self._client is None:
            problem: str | None = self._problem
        else:
            problem = await temporal_client.check_health(self._client)
        self._counters.temporal_connected.set(0 if problem else 1)
        return problem

    def _tell(self, problem: str) -> None:
        if problem != self._problem:
            logger.warning("Temporal is not reachable, trying on", extra={"why": problem})
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
    code = asyncio.run(_serve(role, all_settings, catalog, sink_catalog))
    sys.stdout.flush()
    sys.stderr.flush()
    # The SDK's native threads make a part of all normal exits crash (temporalio/sdk-python#300).
    os._exit(code)


def _connections(
    all_settings: settings.Settings, *, needs_keys: bool
) -> connections.ConnectionCatalog:
    catalog = connections.ConnectionCatalog(all_settings.spacelift)
    if not catalog.names():
        raise settings.SettingsError(
            "SPACELIFT_CONNECTIONS_FILE: there is no Spacelift connection; set it, or "
            "SPACELIFT_API_KEY_ENDPOINT, SPACELIFT_API_KEY_ID and SPACELIFT_API_KEY_SECRET"
        )
    problems = catalog.credential_problems() if needs_keys else []
    if problems:
        raise settings.SettingsError(*problems)
    return catalog


async def _serve(
    role: Callable[[Process], Awaitable[int]],
    all_settings: settings.Settings,
    catalog: connections.ConnectionCatalog,
    sink_catalog: sinks.SinkCatalog,
) -> int:
    stop = asyncio.Event()
    _on_signals(stop)
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
            )
        )
    finally:
        await server.stop()


def _on_signals(stop: asyncio.Event) -> None:
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stop.set)


async def _first(*awaitables: Awaitable[object]) -> None:
    """Wait until one is done; the others go on."""
    tasks = [asyncio.ensure_future(item) for item in awaitables]
    await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)


async def work(process: Process) -> int:
    """The role of `stackchain worker`."""
    link = TemporalLink(process.settings.temporal, process.counters)
    process.server.add_ready_check("temporal", link.check)
    connecting = asyncio.create_task(link.connect())
    await _first(connecting, process.stop.wait())
    if not connecting.done():
        return 0
    serving = worker.SpaceliftWorker(
        connecting.result(),
        all_settings=process.settings,
        catalog=process.catalog,
        sink_catalog=process.sink_catalog,
        counters=process.counters,
    )
    for problem in process.sink_catalog.target_problems():
        # No reason not to start: chains need no sink.
        logger.error("Sink cannot be told", extra={"why": problem})

    async def polls() -> str | None:
        return None if serving.is_running else "The task queues are not polled."

    process.server.add_ready_check("worker", polls)
    renewing = asyncio.create_task(
        temporal_client.keep_api_key_fresh(connecting.result(), process.settings.temporal)
    )
    await serving.run(process.stop)
    renewing.cancel()
    logger.info("Worker stopped")
    return 0 if process.stop.is_set() else 1


async def receive(process: Process) -> int:
    """The role of `stackchain webhook`: it takes deliveries whether Temporal is there or not."""
    webhook, counters = process.settings.webhook, process.counters
    link = TemporalLink(process.settings.temporal, counters)
    queue = wakes.WakeQueue(webhook.queue_size, clock=time.monotonic)
    dispatcher = dispatch.Dispatcher(
        queue,
        executions=wakeups.ExecutionWakeups(link.get),
        root_sweeps=root_sweeps.RootSweeps(link.get),
        counters=counters,
    )
    counters.webhook_queue_depth.set_function(lambda: dispatcher.queued)
    receiver = app.Receiver(
        catalog=process.catalog,
        queue=queue,
        counters=counters,
        max_body_bytes=webhook.max_body_bytes,
    )
    server = app.WebhookServer(webhook.address, receiver)
    process.server.add_ready_check("webhook", server.check)
    receiver.open_counters()
    try:
        await server.start()
    except OSError as error:
        logger.error("WEBHOOK_ADDRESS cannot be listened on", extra={"why": str(error)})
        return 2
    dispatcher.start()
    linking = asyncio.create_task(_keep_linked(link, process.settings.temporal))
    await _first(process.stop.wait(), linking)
    receiver.is_stopping = True
    if process.stop.is_set():
        # Whoever sends learns late that this process is no longer there.
        await asyncio.sleep(webhook.drain_seconds)
    await server.stop()
    lost = await dispatcher.stop(drain_seconds=_WAKES_STOP_SECONDS)
    linking.cancel()
    logger.info("Receiver stopped", extra={"lost_wakes": lost})
    return 0 if process.stop.is_set() else 1


async def _keep_linked(link: TemporalLink, temporal: settings.TemporalSettings) -> None:
    """Connect, and keep the connection's key and metric up to date; never returns."""
    client = await link.connect()
    async with asyncio.TaskGroup() as tasks:
        tasks.create_task(temporal_client.keep_api_key_fresh(client, temporal))
        while True:
            await link.check()
            await asyncio.sleep(_TEMPORAL_CHECK_SECONDS)


async def operate(process: Process) -> int:
    """The role of `stackchain operator`: all of it for the holder of the Lease, nothing else."""
    client = kube_client.KubeClient(process.settings.kubernetes)
    try:
        await client.load_credentials()
    except kube_errors.Denied as error:
        raise settings.SettingsError(f"KUBECONFIG: {error}") from error
    installation = process.settings.installation
    leader = lease.LeaderLease(
        client,
        namespace=installation.namespace,
        identity=installation.pod_name,
        duration_seconds=process.settings.operator.lease_duration_seconds,
    )
    process.server.add_ready_check("lease", leader.check)
    acquiring = asyncio.create_task(leader.acquire())
    await _first(acquiring, process.stop.wait())
    if not acquiring.done():
        acquiring.cancel()
        return 0
    acquiring.result()
    process.counters.lease_held.set(1)
    # What needs no Lease comes after it: a standby waits for that, and Temporal may be away.
    async with contextlib.AsyncExitStack() as afterwards:
        try:
            code = await _lead(process, client, leader, afterwards)
        finally:
            process.counters.lease_held.set(0)
            await leader.release()
            await client.close()
    logger.info("Operator stopped")
    return code


async def _lead(
    process: Process,
    client: kube_client.KubeClient,
    leader: lease.LeaderLease,
    afterwards: contextlib.AsyncExitStack,
) -> int:
    served = definition.Definition(client)
    process.server.add_ready_check("definition", served.check)
    waiting = asyncio.create_task(served.wait())
    await _first(waiting, process.stop.wait(), leader.lost.wait())
    if not waiting.done():
        waiting.cancel()
        return 0 if process.stop.is_set() else 1
    waiting.result()
    stack_chains = stackchains.StackChains(
        client,
        namespaces=process.settings.installation.watch_namespaces,
        reporting_instance=process.settings.installation.pod_name,
    )
    identity = _InstallationId(process.settings.installation, stack_chains)
    process.server.add_ready_check("installation", identity.check)
    finding = asyncio.create_task(identity.find())
    await _first(finding, process.stop.wait(), leader.lost.wait())
    if not finding.done():
        finding.cancel()
        return 0 if process.stop.is_set() else 1
    parts = _Operator(process, stack_chains, finding.result())
    afterwards.push_async_callback(parts.aclose)
    async with parts.running() as ends:
        await _first(process.stop.wait(), leader.lost.wait(), *ends)
        if leader.lost.is_set():
            # Another operator may act already: do nothing more, not even in an orderly way.
            logger.error("Lease lost, leaving")
            os._exit(1)
    return 0 if process.stop.is_set() else 1


class _InstallationId:
    """The id that sets this release's workflows apart from those of other clusters."""

    def __init__(
        self, installation: settings.InstallationSettings, stack_chains: stackchains.StackChains
    ) -> None:
        self._installation = installation
        self._stack_chains = stack_chains
        self._problem: str | None = None

    async def check(self) -> str | None:
        """Return why it is not known, for readiness."""
        return self._problem

    async def find(self) -> str:
        """Return it, however long it takes to read what it is made of."""
        if self._installation.installation_id:
            return self._installation.installation_id
        while True:
            try:
                uid = await self._stack_chains.get_namespace_uid("kube-system")
            except kube_errors.KubeError as error:
                self._tell(str(error))
                await asyncio.sleep(_INSTALLATION_RETRY_SECONDS)
            else:
                self._problem = None
                return f"{uid[:8]}-{self._installation.namespace}"

    def _tell(self, why: str) -> None:
        advice = "grant `get` of the namespace kube-system, or set STACKCHAIN_INSTALLATION"
        problem = f"The cluster's id cannot be read: {why}; {advice}"
        # Once for each problem: a right may be missing for hours.
        if problem != self._problem:
            logger.warning("The cluster's id cannot be read", extra={"why": problem})
        self._problem = problem


class _Operator:
    """The parts of a leading operator."""

    def __init__(
        self, process: Process, stack_chains: stackchains.StackChains, installation: str
    ) -> None:
        self._process = process
        temporal = process.settings.temporal
        self._link = TemporalLink(temporal, process.counters)
        self._queue = ids.operator_queue(installation)
        workflows = starter.ChainWorkflows(
            self._link.get, installation=installation, task_queue=temporal.task_queue
        )
        self._notifier = notifier.Notifier(
            self._link.get, task_queue=temporal.task_queue, counters=process.counters
        )
        chain_schedules = schedules.ChainSchedules(self._link.get)
        begins = starting.Starting(
            chain_schedules=chain_schedules,
            designs=schedules.ScheduleDesigns(
                installation=installation,
                task_queue=temporal.task_queue,
                operator_queue=self._queue,
                sweep_seconds=process.settings.operator.sweep_seconds,
            ),
            held=held_runs.HeldRuns(self._link.get),
            catalog=process.catalog,
        )
        self._reconciler = reconciler.Reconciler(
            stack_chains=stack_chains,
            workflows=workflows,
            begins=begins,
            catalog=process.catalog,
            teller=telling.Teller(
                stack_chains=stack_chains,
                catalog=process.sink_catalog,
                notifying=self._notifier,
                installation=installation,
            ),
            identity=operator_identity.OperatorIdentity(
                operator_queue=self._queue,
                temporal_namespace=temporal.namespace,
                ui_url=temporal.ui_url,
                recheck_seconds=process.settings.operator.recheck_seconds,
            ),
            counters=process.counters,
        )
        self._known = resync.KnownResources(process.counters)
        process.counters.before_reading.append(self._known.tell)
        self._resync = resync.Resync(
            reconciling=self._reconciler,
            known=self._known,
            workflows=workflows,
            sweeping=schedule_sync.ScheduleSync(
                chain_schedules=chain_schedules,
                begins=begins,
                stack_chains=stack_chains,
                installation=installation,
            ),
            stack_chains=stack_chains,
            counters=process.counters,
            interval_seconds=process.settings.operator.resync_seconds,
        )
        logger.info("Leading", extra={"installation": installation})

    @contextlib.asynccontextmanager
    async def running(self) -> AsyncIterator[list[asyncio.Task[None]]]:
        """Give the tasks that should never end; on leaving, end them in order."""
        watching, watched = asyncio.Event(), asyncio.Event()
        self._process.server.add_ready_check("temporal", self._link.check)
        self._process.server.add_ready_check("watch", _check_set(watched))
        handlers = asyncio.create_task(self._handle(ready=watched, stop=watching))
        statuses_stop = asyncio.Event()
        statuses = asyncio.create_task(self._write_statuses(statuses_stop))
        resyncing = asyncio.create_task(self._resync.run())
        notifying = asyncio.create_task(self._notifier.run())
        try:
            # kopf takes over the signals when it starts; they are ours.
            await _first(watched.wait(), handlers)
            _on_signals(self._process.stop)
            yield [handlers, statuses, resyncing, notifying]
        finally:
            # kopf cancels all tasks that are younger than itself, so it goes last.
            resyncing.cancel()
            notifying.cancel()
            statuses_stop.set()
            # A write on its way may wait long for Temporal; the next operator does it again.
            await asyncio.wait([statuses, resyncing, notifying], timeout=_STATUSES_STOP_SECONDS)
            statuses.cancel()
            watching.set()
            # kopf gives hung tasks five seconds more. Nothing of ours is left to wait for, and a
            # standby waits for the Lease; what a handler was at is done again by the next one.
            await asyncio.wait([handlers], timeout=_KOPF_STOP_SECONDS)
            handlers.cancel()
            _log_failures([handlers, statuses, resyncing, notifying])

    async def aclose(self) -> None:
        """Hand over the notifications that wait."""
        await self._notifier.aclose()

    async def _handle(self, *, ready: asyncio.Event, stop: asyncio.Event) -> None:
        namespaces = self._process.settings.installation.watch_namespaces
        kopf_settings = kopf.OperatorSettings()
        lifecycle.configure(kopf_settings)
        await kopf.operator(
            registry=stackchain.build_registry(
                self._reconciler,
                self._known,
                has_kubeconfig=self._process.settings.kubernetes.kubeconfig is not None,
            ),
            settings=kopf_settings,
            standalone=True,
            clusterwide=not namespaces,
            namespaces=list(namespaces),
            ready_flag=ready,
            stop_flag=stop,
        )

    async def _write_statuses(self, stop: asyncio.Event) -> None:
        connecting = asyncio.create_task(self._link.connect())
        await _first(connecting, stop.wait())
        if not connecting.done():
            connecting.cancel()
            return
        client = connecting.result()
        # What could not be started without Temporal is started now.
        self._resync.soon()
        renewing = asyncio.create_task(
            temporal_client.keep_api_key_fresh(client, self._process.settings.temporal)
        )
        watched = queues.queues_of(
            self._process.settings.temporal.task_queue,
            self._queue,
            has_notifications=self._process.settings.notifications.file is not None,
        )
        watching = asyncio.create_task(queues.watch(client, watched, self._process.counters))
        writer = worker.status_worker(client, operator_queue=self._queue, operator=self._reconciler)
        serving = asyncio.create_task(writer.run())
        await _first(serving, stop.wait())
        renewing.cancel()
        watching.cancel()
        await writer.shutdown()
        await serving


def _check_set(event: asyncio.Event) -> Callable[[], Awaitable[str | None]]:
    async def check() -> str | None:
        return None if event.is_set() else "The resources are not watched yet."

    return check


def _log_failures(tasks: list[asyncio.Task[None]]) -> None:
    for task in tasks:
        if task.done() and not task.cancelled() and (error := task.exception()) is not None:
            logger.error("A part of the operator failed", exc_info=error)
