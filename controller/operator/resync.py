"""The resync: compares all resources with Temporal now and then, and reconciles contradictions.

One list per pass instead of a timer per resource, which at 10,000 resources would cost a third of
a core for nothing.
"""

import asyncio
import dataclasses
import logging
import random
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from controller import clock
from controller.api import reasons, v1alpha1
from controller.chain.requests import decide, executions
from controller.kube import errors as kube_errors
from controller.kube import stackchains
from controller.observability import metrics
from controller.operator import (
    chain_dependencies,
    chain_metrics,
    chain_troubles,
    guards,
    reconciler,
    schedule_sync,
    watches,
)
from controller.temporal import client as temporal_client
from controller.temporal.activities import chain_status
from controller.temporal.operator import starter

logger = logging.getLogger(__name__)

# A first failure may be one lost request, and a status that flips is useless.
_FAILURES_TO_REPORT = 2
# Five minutes at the interval by default.
_PASSES_TO_LOOK_AT_ALL = 10
# Every five minutes by default: a listing is large, and a deletion that no watch shows is rare.
_PASSES_PER_LISTING = 10
# The guard's item for runs that have lost their resource; every other item is a uid.
_ORPHANS = "orphans"


@dataclasses.dataclass(frozen=True, kw_only=True, slots=True)
class KnownResource:
    """What the resync has to remember of one resource."""

    namespace: str
    name: str
    is_settled: bool
    is_steady: bool
    live_run_id: str | None
    figures: chain_metrics.ChainFigures
    # What the live run does through which connection.
    connection_name: str = ""
    operation: str = ""
    # The resource itself if it has automatic starts, or had them when it was last written.
    starting: v1alpha1.StackChain | None = None


class KnownResources:
    """The resources as the watch last showed them, by uid; the metrics about them all."""

    def __init__(
        self,
        counters: metrics.Metrics,
        *,
        is_ours: Callable[[Mapping[str, Any]], bool],
        troubles: chain_troubles.ChainTroubles,
        most_named: int = 1000,
    ) -> None:
        """Know nothing yet; at most `most_named` StackChains have their own metrics."""
        self.by_uid: dict[str, KnownResource] = {}
        self._most_named = most_named
        self._is_ours = is_ours
        self._troubles = troubles
        self._counters = counters

    def update_metrics(self) -> None:
        """Bring the metrics up to date."""
        chain_metrics.set_gauges((known.figures for known in self.by_uid.values()), self._counters)
        troubles = self._troubles.by_chain()
        named = (
            chain_metrics.NamedFigures(
                namespace=known.namespace,
                name=known.name,
                figures=known.figures,
                noted=troubles.get((known.namespace, known.name), {}),
            )
            for known in self.by_uid.values()
        )
        chain_metrics.set_chain_gauges(named, self._counters, most=self._most_named)

    def take_in(self, event_type: str | None, body: Mapping[str, Any]) -> None:
        """Take in one event of the watch."""
        uid = body["metadata"]["uid"]
        if event_type == "DELETED" or not self._is_ours(body):
            self.forget(uid)
            return
        try:
            self._take_in(uid, body)
        except Exception:
            # Even if it cannot be read, it exists: passes handle it, and its run belongs to it.
            self._counters.unforeseen_errors.labels("watch").inc()
            namespace, name = body["metadata"]["namespace"], body["metadata"]["name"]
            logger.exception(
                "A resource cannot be read", extra={"namespace": namespace, "chain": name}
            )
            self.by_uid[uid] = KnownResource(
                namespace=namespace,
                name=name,
                is_settled=False,
                is_steady=False,
                live_run_id=None,
                figures=chain_metrics.UNREAD,
            )

    def _take_in(self, uid: str, body: Mapping[str, Any]) -> None:
        chain = _parse(body)
        # What a spec that cannot be read asks for is not known; its status says what runs.
        status = chain.status if chain else v1alpha1.read_status(body.get("status") or {})
        latest = status.latest_run
        is_live = latest is not None and not v1alpha1.Phase(latest.phase).is_over
        before = self.by_uid.get(uid)
        ended = chain_metrics.ended_run(before.live_run_id if before else None, status)
        if ended is not None:
            self._counters.chain_run_duration.labels(ended[0]).observe(ended[1])
        is_settled = chain is not None and _is_settled(chain)
        self.by_uid[uid] = KnownResource(
            namespace=body["metadata"]["namespace"],
            name=body["metadata"]["name"],
            is_settled=is_settled,
            is_steady=chain is not None and _is_steady(chain),
            live_run_id=latest.workflow_run_id if is_live and latest else None,
            figures=chain_metrics.figures_of(status, is_settled=is_settled),
            connection_name=chain.spec.connection_name if chain else "",
            operation=latest.operation if latest else "",
            starting=chain if chain is not None and _has_schedules(chain) else None,
        )

    def is_settled(self, uid: str) -> bool:
        """Whether a resource is known and, when last seen, was as `is_settled` says."""
        known = self.by_uid.get(uid)
        return known is not None and known.is_settled

    def forget(self, uid: str) -> None:
        """Drop a resource that is gone."""
        known = self.by_uid.pop(uid, None)
        if known is not None:
            self._troubles.forget(known.namespace, known.name)


def _has_schedules(chain: v1alpha1.StackChain) -> bool:
    known = chain.status
    return any((chain.spec.schedule, chain.spec.triggers, known.schedule, known.triggers))


def is_settled(body: Mapping[str, Any]) -> bool:
    """Whether nothing is asked, nothing runs, and the status says so."""
    chain = _parse(body)
    return chain is not None and _is_settled(chain)


def _is_settled(chain: v1alpha1.StackChain) -> bool:
    if chain.is_deleting or chain.status.pending_run is not None:
        return False
    latest, ready = chain.status.latest_run, chain.status.condition("Ready")
    if ready is None or chain.status.observed_generation != chain.ref.generation:
        return False
    if decide.is_asking(chain, chain.status.last_handled):
        return False
    if ready.reason == reasons.ChainReason.NOT_REQUESTED:
        return latest is None or latest.phase.is_over
    return (
        latest is not None
        and latest.phase.is_over
        and not executions.may_be_rechecked(latest)
        and ready.reason == latest.reason
    )


def _is_steady(chain: v1alpha1.StackChain) -> bool:
    """Whether a live run reports itself: it has stacks and nothing is wrong."""
    if chain.is_deleting or not chain.status.stacks:
        return False
    ready = chain.status.condition("Ready")
    if ready is not None and ready.reason in reasons.BAD_ENDS_OF_STACKS:
        # Once the run is over they are its end.
        return chain.status.latest_run is not None and not chain.status.latest_run.phase.is_over
    return ready is not None and ready.reason in (
        reasons.ChainReason.PROGRESSING,
        *reasons.WAITING_FOR_PERSON,
        reasons.ChainReason.BLOCKED,
        reasons.ChainReason.SUSPENDED,
    )


def _parse(body: Mapping[str, Any]) -> v1alpha1.StackChain | None:
    try:
        return v1alpha1.parse(body)
    except v1alpha1.InvalidResource:
        return None


class Resync:
    """Runs for as long as the operator does, next to the handlers."""

    def __init__(
        self,
        *,
        reconciler: reconciler.Reconciler,
        known: KnownResources,
        dependencies: chain_dependencies.ChainDependencies,
        watches: watches.Watches,
        workflows: starter.ChainWorkflows,
        schedule_sync: schedule_sync.ScheduleSync,
        stack_chains: stackchains.StackChains,
        troubles: chain_troubles.ChainTroubles,
        counters: metrics.Metrics,
        time: clock.Clock,
        interval_seconds: float,
    ) -> None:
        self._reconciler = reconciler
        self._known = known
        self._dependencies = dependencies
        self._watches = watches
        self._workflows = workflows
        self._schedule_sync = schedule_sync
        self._stack_chains = stack_chains
        self._troubles = troubles
        self._counters = counters
        self._guard = guards.Guard(counters, "resync", time)
        self._interval_seconds = interval_seconds
        self._now = asyncio.Event()
        self._passes = 0
        self._passes_since_listing = 0
        self._listings_seen = 0

    def soon(self) -> None:
        """Make the next pass start at once."""
        self._now.set()

    async def run(self) -> None:
        """Pass after pass; the next one makes up for one that failed."""
        failures = 0
        while True:
            # Jitter, so that several installations do not ask Temporal at the same moment.
            pause = self._interval_seconds * random.uniform(0.8, 1.0)  # noqa: S311
            try:
                async with asyncio.timeout(pause):
                    await self._now.wait()
            except TimeoutError:
                pass
            self._now.clear()
            try:
                await self.once()
                failures = 0
                self._counters.resync_last.set(clock.unix())
            except temporal_client.TemporalUnreachable as error:
                logger.warning("Resync failed", extra={"why": str(error)})
                failures += 1
                if failures >= _FAILURES_TO_REPORT:
                    await self._report_outage()
            except kube_errors.KubeError as error:
                logger.warning("Resync failed", extra={"why": str(error)})
            except Exception:
                # The next pass may go better, and without it nothing is ever made good.
                self._counters.unforeseen_errors.labels("resync").inc()
                logger.exception("Resync failed")

    async def _report_outage(self) -> None:
        """Show the outage where something runs or is asked; at rest the status stays true."""
        unsettled = [item for item in self._known.by_uid.values() if not item.is_settled]
        await asyncio.gather(*(self._reconcile(item) for item in unsettled))

    async def once(self) -> None:
        """Compare once."""
        await self._forget_deleted()
        if self._guard.is_due(_ORPHANS):
            with self._guard.item(_ORPHANS):
                await self._reconciler.signal_orphans()
        listing = await self._workflows.list_running()
        self._counters.unreadable.labels("workflow").set(len(listing.unreadable))
        running = {item.memo.ref.uid: item for item in listing.executions}
        known = dict(self._known.by_uid)
        live = [execution for uid, execution in running.items() if uid in known]
        has_worker = await self._has_worker(live)
        failing = await self._failing(live)
        contradicted = [
            item
            for uid, item in known.items()
            if uid in failing
            or self._is_contradicted(item, running.get(uid), has_worker=has_worker)
        ]
        await asyncio.gather(*(self._reconcile(item) for item in contradicted))
        self._guard.forget_others({*running, _ORPHANS})
        for uid, execution in running.items():
            is_unowned = uid not in known and not execution.memo.is_orphan
            if is_unowned and self._guard.is_due(uid):
                ref = execution.memo.ref
                with self._guard.item(uid, namespace=ref.namespace, chain=ref.name):
                    await self._cancel_orphan(execution)
        # Last: a problem with reading schedules must not hold up runs.
        wrong = await self._compare_schedules(known)
        await asyncio.gather(*(self._reconcile(item, is_renewing=True) for item in wrong))

    async def _forget_deleted(self) -> None:
        """Drop resources whose deletion no watch has shown; what runs for them is an orphan then.

        It may have come while a watch was interrupted, or have been lost on the way.
        """
        self._passes_since_listing += 1
        listings = self._watches.listings
        is_due = self._passes_since_listing >= _PASSES_PER_LISTING
        if listings == self._listings_seen and not is_due:
            return
        # What was known before the listing and is not in it is gone; what comes up later is not.
        known = dict(self._known.by_uid)
        try:
            listed, unread = await self._stack_chains.list_uids()
        except kube_errors.KubeError as error:
            logger.warning("StackChains could not be listed", extra={"why": str(error)})
            return
        gone = {
            uid: item
            for uid, item in known.items()
            if uid not in listed and item.namespace not in unread
        }
        for uid, item in gone.items():
            logger.info(
                "A StackChain is gone, and no watch has shown it",
                extra={"namespace": item.namespace, "chain": item.name},
            )
            self._known.forget(uid)
        # Another one of the same name may have come.
        there = {(item.namespace, item.name) for item in self._known.by_uid.values()}
        for item in gone.values():
            if (item.namespace, item.name) not in there:
                self._dependencies.forget(item.namespace, item.name)
        self._listings_seen, self._passes_since_listing = listings, 0

    async def _compare_schedules(self, known: Mapping[str, KnownResource]) -> list[KnownResource]:
        """Return the resources whose schedules are not what they should be, or are due."""
        starting = {uid: item.starting for uid, item in known.items() if item.starting}
        wrong = await self._schedule_sync.compare(starting)
        return [known[uid] for uid in wrong]

    async def _has_worker(self, live: Sequence[starter.ChainExecution]) -> bool:
        """Ask one live run: without a worker no run can say that it makes no progress.

        One query per pass, whichever run it hits. If it fails, each run is asked by its own
        reconcile.
        """
        if not live:
            return True
        return await self._workflows.is_answering(random.choice(live))  # noqa: S311

    async def _failing(self, live: Sequence[starter.ChainExecution]) -> set[str]:
        """Return the uids of live runs at which workers fail: they no longer report anything.

        Each is checked once in several passes, since that costs a request.
        """
        self._passes += 1
        found: set[str] = set()
        for execution in live[self._passes % _PASSES_TO_LOOK_AT_ALL :: _PASSES_TO_LOOK_AT_ALL]:
            if await self._workflows.is_failing(execution):
                found.add(execution.memo.ref.uid)
        return found

    def _is_contradicted(
        self, item: KnownResource, execution: starter.ChainExecution | None, *, has_worker: bool
    ) -> bool:
        if item.is_settled:
            return execution is not None
        is_same = execution is not None and execution.workflow_run_id == item.live_run_id
        # A right may be withdrawn from a run that has no news.
        is_refused = self._reconciler.is_refused(
            item.connection_name, item.namespace, item.operation
        )
        return is_refused or not (is_same and item.is_steady and has_worker)

    async def _reconcile(self, item: KnownResource, *, is_renewing: bool = False) -> None:
        if not self._reconciler.is_due(item.namespace, item.name):
            return
        if not is_renewing and self._reconciler.is_passing(item.namespace, item.name):
            # After a restart over many edited resources, each would be reconciled twice.
            return
        reconciling = self._reconciler.reconcile(item.namespace, item.name, is_renewing=is_renewing)
        try:
            # Many of those that are checked are as they should be: they wait for something.
            if await reconciling:
                self._counters.resync_contradictions.inc()
                trouble = chain_troubles.Trouble.STATUS_CONTRADICTED
                self._troubles.note(item.namespace, item.name, trouble)
        except (
            temporal_client.TemporalUnreachable,
            kube_errors.KubeError,
            reconciler.InvalidSpec,
            chain_status.ResourceGone,
            chain_status.ReconcileFailed,
        ) as error:
            logger.info(
                "Resync could not reconcile",
                extra={"namespace": item.namespace, "chain": item.name, "why": str(error)},
            )

    async def _cancel_orphan(self, execution: starter.ChainExecution) -> None:
        """Stop a run whose resource is certainly gone: no one could see or control it."""
        memo = execution.memo
        body = await self._stack_chains.get(memo.ref.namespace, memo.ref.name)
        if body is not None and body["metadata"]["uid"] == memo.ref.uid:
            return
        try:
            # It may have been let go a moment ago, which its memo shows only later.
            await self._reconciler.signal_orphans()
            if await self._workflows.is_orphan(execution):
                return
        except (starter.NoWorker, starter.UnreadableProgress):
            # No one could stop its runs either; a later pass asks again.
            return
        logger.warning(
            "Canceling a run whose resource is gone",
            extra={"namespace": memo.ref.namespace, "chain": memo.ref.name},
        )
        await self._workflows.cancel(execution.workflow_id, execution.workflow_run_id)
