"""What a leading operator consists of, and the order in which it starts and stops."""

import asyncio
import contextlib
import dataclasses
import logging
import os
from collections.abc import AsyncIterator, Awaitable, Callable
from typing import NoReturn

import kopf
import temporalio.client
import temporalio.worker

from controller import clock
from controller.config import settings
from controller.kube import client as kube_client
from controller.kube import lease, stackchains
from controller.operator import (
    announcer,
    chain_dependencies,
    chain_troubles,
    connection_access,
    handlers,
    kopf_settings,
    operator_identity,
    ownership,
    reconciler,
    resource_schedules,
    resync,
    schedule_sync,
    sweep_findings,
    watches,
)
from controller.roles import process
from controller.temporal import ids, registered_attributes, signing, worker
from controller.temporal.operator import (
    desired_schedules,
    notifier,
    queues,
    run_use,
    schedules,
    starter,
)

logger = logging.getLogger(__name__)

# Together with what a standby takes to look at the Lease they stay below two seconds.
_STATUSES_STOP_SECONDS = 0.7
_KOPF_STOP_SECONDS = 0.5


BuildRegistry = Callable[[kopf_settings.Login], kopf.OperatorRegistry]


async def watch_with_kopf(
    role: process.Process,
    build: BuildRegistry,
    ours: watches.Watches,
    is_ours: kopf_settings.IsOurs,
    stop: asyncio.Event,
) -> None:
    """Watch the StackChains, and call their handlers, until `stop` is set."""
    namespaces = role.settings.installation.watch_namespaces
    operator_settings = kopf.OperatorSettings()
    kopf_settings.configure(operator_settings, is_ours=is_ours)
    login = kopf_settings.login(lambda: kube_client.read_access(role.settings.kubernetes))
    before = asyncio.all_tasks()
    with ours.installed(), kopf_settings.bounded_pauses():
        tasks = await kopf.spawn_tasks(
            registry=build(login),
            settings=operator_settings,
            standalone=True,
            clusterwide=not namespaces,
            namespaces=list(namespaces),
            stop_flag=stop,
        )
        # kopf has just taken over the signals; they are ours.
        process.on_signals(role.stop)
        await kopf.run_tasks(tasks, ignored=before)


@dataclasses.dataclass(frozen=True, kw_only=True, slots=True)
class Outside:
    """What an operator reaches the outside through; a simulation has another one."""

    new_kube_client: Callable[[settings.KubernetesSettings], kube_client.KubeClient] = (
        kube_client.KubeClient
    )
    new_lease_thread: Callable[[], lease.RenewalThread] = lease.RenewalThread
    new_worker: worker.NewWorker = temporalio.worker.Worker
    watch: Callable[
        [process.Process, BuildRegistry, watches.Watches, kopf_settings.IsOurs, asyncio.Event],
        Awaitable[None],
    ] = watch_with_kopf
    leave: Callable[[int], NoReturn] = os._exit


class OperatorParts:
    """The parts of a leading operator; while it is `running`, they do their work."""

    def __init__(
        self,
        role: process.Process,
        outside: Outside,
        stack_chains: stackchains.StackChains,
        installation: str,
    ) -> None:
        self._role = role
        self._outside = outside
        temporal, time = role.settings.temporal, clock.current()
        access = connection_access.ConnectionAccess(role.catalog)
        signing_keys = signing.SigningKeys(temporal.signing_keys)
        self._link = role.link
        self._queue = ids.operator_queue(installation)
        workflows = starter.ChainWorkflows(
            self._link.get,
            installation=installation,
            task_queue=temporal.task_queue,
            attributes=registered_attributes.KnownAttributes(self._link.get),
        )
        self._notifier = notifier.Notifier(
            self._link.get,
            task_queue=temporal.task_queue,
            counters=role.counters,
            signing_keys=signing_keys,
        )
        chain_schedules = schedules.ChainSchedules(self._link.get)
        of_resources = resource_schedules.ResourceSchedules(
            chain_schedules=chain_schedules,
            designs=desired_schedules.ScheduleDesigns(
                installation=installation,
                task_queue=temporal.task_queue,
                operator_queue=self._queue,
                sweep_seconds=role.settings.operator.sweep_seconds,
                signing_keys=signing_keys,
            ),
            time=time,
        )
        owning = ownership.Ownership(installation, stack_chains)
        self._is_ours = owning.is_ours
        self._dependencies = chain_dependencies.ChainDependencies(stack_chains)
        troubles = chain_troubles.ChainTroubles(time)
        self._reconciler = reconciler.Reconciler(
            stack_chains=stack_chains,
            workflows=workflows,
            schedules=of_resources,
            sweeps=sweep_findings.SweepReader(run_use.RunUseReader(self._link.get)),
            dependencies=self._dependencies,
            access=access,
            announcer=announcer.Announcer(
                stack_chains=stack_chains,
                catalog=role.sink_catalog,
                notifier=self._notifier,
                installation=installation,
                page=role.settings.page.url,
            ),
            ownership=owning,
            identity=operator_identity.OperatorIdentity(
                installation=installation,
                operator_queue=self._queue,
                temporal_namespace=temporal.namespace,
                ui_url=temporal.ui_url,
                recheck_seconds=role.settings.operator.recheck_seconds,
                signing_keys=signing_keys,
            ),
            troubles=troubles,
            counters=role.counters,
            time=time,
        )
        self._known = resync.KnownResources(
            role.counters,
            is_ours=owning.is_ours,
            troubles=troubles,
            most_named=role.settings.operator.metrics_chains,
        )
        role.counters.before_reading.append(self._known.update_metrics)
        self._watches = watches.Watches(
            role.settings.installation.watch_namespaces,
            role.counters,
            take_at_rest=handlers.taking_at_rest(self._known, self._dependencies),
        )
        self._resync = resync.Resync(
            reconciler=self._reconciler,
            known=self._known,
            dependencies=self._dependencies,
            watches=self._watches,
            workflows=workflows,
            schedule_sync=schedule_sync.ScheduleSync(
                chain_schedules=chain_schedules,
                of_resources=of_resources,
                access=access,
                stack_chains=stack_chains,
                installation=installation,
                counters=role.counters,
                time=time,
            ),
            stack_chains=stack_chains,
            troubles=troubles,
            counters=role.counters,
            time=time,
            interval_seconds=role.settings.operator.resync_seconds,
        )
        logger.info("Leading", extra={"installation": installation})

    @contextlib.asynccontextmanager
    async def running(self) -> AsyncIterator[list[asyncio.Task[None]]]:
        """Give the tasks that should never end; on leaving, end them in order."""
        watching = asyncio.Event()
        self._role.server.add_ready_check("watch", self._watches.check)
        handling = asyncio.create_task(self._handle(stop=watching))
        statuses_stop = asyncio.Event()
        statuses = asyncio.create_task(self._write_statuses(statuses_stop))
        resyncing = asyncio.create_task(self._resync.run())
        notifying = asyncio.create_task(self._notifier.run())
        waking = asyncio.create_task(self._dependencies.run(self._reconciler.reconcile))
        parts = [resyncing, notifying, waking]
        try:
            yield [handling, statuses, *parts]
        finally:
            # kopf cancels all tasks that are younger than itself, so it goes last.
            for part in parts:
                part.cancel()
            statuses_stop.set()
            # A write on its way may wait long for Temporal; the next operator does it again.
            await asyncio.wait([statuses, *parts], timeout=_STATUSES_STOP_SECONDS)
            statuses.cancel()
            watching.set()
            # kopf gives hung tasks five seconds more. We have nothing left to wait for, and a
            # standby waits for the Lease. The next operator repeats what a handler was doing.
            await asyncio.wait([handling], timeout=_KOPF_STOP_SECONDS)
            handling.cancel()
            _log_failures([handling, statuses, *parts])

    async def aclose(self) -> None:
        """Hand over the notifications that wait."""
        await self._notifier.aclose()

    async def _handle(self, *, stop: asyncio.Event) -> None:
        def build_registry(login: kopf_settings.Login) -> kopf.OperatorRegistry:
            return handlers.build_registry(
                self._reconciler, self._known, self._dependencies, self._watches, login=login
            )

        await self._outside.watch(self._role, build_registry, self._watches, self._is_ours, stop)

    async def _write_statuses(self, stop: asyncio.Event) -> None:
        connecting = asyncio.create_task(self._link.connected())
        if not await process.done_before(connecting, stop.wait()):
            return
        client = connecting.result()
        # What could not be started without Temporal is started now.
        self._resync.soon()
        renewing = asyncio.create_task(self._link.keep_credentials())
        watched = queues.queues_of(
            self._role.settings.temporal.task_queue,
            self._queue,
            has_notifications=self._role.settings.notifications.file is not None,
        )
        watching = asyncio.create_task(queues.watch(client, watched, self._role.counters))
        writer = worker.operator_worker(
            client,
            operator_queue=self._queue,
            operator=self._reconciler,
            new_worker=self._outside.new_worker,
        )
        polling = asyncio.create_task(writer.run())

        def use_client(client: temporalio.client.Client) -> None:
            nonlocal watching
            writer.client = client
            watching.cancel()
            watching = asyncio.create_task(queues.watch(client, watched, self._role.counters))

        self._link.on_new_client.append(use_client)
        await process.wait_for_first(polling, stop.wait())
        renewing.cancel()
        watching.cancel()
        await writer.shutdown()
        await polling


def _log_failures(tasks: list[asyncio.Task[None]]) -> None:
    for task in tasks:
        if task.done() and not task.cancelled() and (error := task.exception()) is not None:
            logger.error("A part of the operator failed", exc_info=error)
