"""The resync: compares all resources with Temporal now and then, and reconciles contradictions.

One list per pass instead of a timer per resource, which at 10,000 resources would cost a third of
a core for nothing.
"""

import asyncio
import dataclasses
import logging
import random
from collections.abc import Mapping, Sequence
from typing import Any

from controller.api import reasons, v1alpha1
from controller.chain import requests
from controller.handlers import reconciler
from controller.kube import errors as kube_errors
from controller.kube import stackchains
from controller.observability import metrics
from controller.temporal import client as temporal_client
from controller.temporal import starter
from controller.temporal.activities import chain_status

logger = logging.getLogger(__name__)


@dataclasses.dataclass(frozen=True, kw_only=True, slots=True)
class Known:
    """What the resync has to remember of one resource."""

    namespace: str
    name: str
    is_settled: bool
    is_steady: bool
    live_run_id: str | None


class KnownResources:
    """The resources as the watch last showed them, by uid."""

    def __init__(self) -> None:
        self.by_uid: dict[str, Known] = {}

    def observe(self, event_type: str | None, body: Mapping[str, Any]) -> None:
        """Take in one event of the watch."""
        uid = body["metadata"]["uid"]
        if event_type == "DELETED":
            self.by_uid.pop(uid, None)
            return
        latest = v1alpha1.read_status(body.get("status") or {}).latest_run
        is_live = latest is not None and not v1alpha1.Phase(latest.phase).is_over
        self.by_uid[uid] = Known(
            namespace=body["metadata"]["namespace"],
            name=body["metadata"]["name"],
            is_settled=is_settled(body),
            is_steady=is_steady(body),
            live_run_id=latest.workflow_run_id if is_live and latest else None,
        )


def is_settled(body: Mapping[str, Any]) -> bool:
    """Whether nothing is asked, nothing runs, and the status says so."""
    chain = _parse(body)
    if chain is None or chain.is_deleting or chain.status.pending_run is not None:
        return False
    latest, ready = chain.status.latest_run, chain.status.condition("Ready")
    if latest is None or ready is None or not v1alpha1.Phase(latest.phase).is_over:
        return False
    return (
        not _asks(chain)
        and not requests.may_be_rechecked(latest)
        and ready.reason == latest.reason
        and chain.status.observed_generation == chain.ref.generation
    )


def is_steady(body: Mapping[str, Any]) -> bool:
    """Whether a live run tells of itself: it has stacks and nothing is wrong."""
    chain = _parse(body)
    if chain is None or chain.is_deleting or not chain.status.stacks:
        return False
    ready = chain.status.condition("Ready")
    return ready is not None and ready.reason in (
        reasons.ChainReason.PROGRESSING,
        reasons.ChainReason.AWAITING_CONFIRMATION,
    )


def _parse(body: Mapping[str, Any]) -> v1alpha1.StackChain | None:
    try:
        return v1alpha1.parse(body)
    except v1alpha1.InvalidResource:
        return None


def _asks(chain: v1alpha1.StackChain) -> bool:
    handled = chain.status.last_handled
    if handled.spec != requests.spec_digest(chain.spec):
        return True
    return chain.run_token is not None and chain.run_token != handled.run


class Resync:
    """Runs for ever beside the handlers."""

    def __init__(
        self,
        *,
        reconciling: reconciler.Reconciler,
        known: KnownResources,
        workflows: starter.ChainWorkflows,
        stack_chains: stackchains.StackChains,
        counters: metrics.Metrics,
        interval_seconds: float,
    ) -> None:
        self._reconciling = reconciling
        self._known = known
        self._workflows = workflows
        self._stack_chains = stack_chains
        self._counters = counters
        self._interval_seconds = interval_seconds
        self._now = asyncio.Event()

    def soon(self) -> None:
        """Make the next pass start at once."""
        self._now.set()

    async def run(self) -> None:
        """Pass after pass; a failed one is made good by the next."""
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
            except (temporal_client.TemporalUnreachable, kube_errors.KubeError) as error:
                logger.warning("Resync failed", extra={"why": str(error)})

    async def once(self) -> None:
        """Compare once."""
        running = {item.memo.uid: item async for item in self._workflows.list_running()}
        known = dict(self._known.by_uid)
        live = [execution for uid, execution in running.items() if uid in known]
        has_worker = await self._has_worker(live)
        contradicted = [
            item
            for uid, item in known.items()
            if self._is_contradicted(item, running.get(uid), has_worker=has_worker)
        ]
        await asyncio.gather(*(self._reconcile(item) for item in contradicted))
        for uid, execution in running.items():
            if uid not in known:
                await self._cancel_orphan(execution)

    async def _has_worker(self, live: Sequence[starter.ChainExecution]) -> bool:
        """Ask one live run: without a worker none can tell that it stands still.

        One query per pass, whoever it hits; where it fails each run is asked by its own reconcile.
        """
        if not live:
            return True
        return await self._workflows.is_answering(random.choice(live))  # noqa: S311

    def _is_contradicted(
        self, item: Known, execution: starter.ChainExecution | None, *, has_worker: bool
    ) -> bool:
        if item.is_settled:
            return execution is not None
        is_same = execution is not None and execution.workflow_run_id == item.live_run_id
        return not (is_same and item.is_steady and has_worker)

    async def _reconcile(self, item: Known) -> None:
        self._counters.resync_contradictions.inc()
        try:
            await self._reconciling.reconcile(item.namespace, item.name)
        except (
            temporal_client.TemporalUnreachable,
            kube_errors.KubeError,
            reconciler.InvalidSpec,
            chain_status.ResourceGone,
        ) as error:
            logger.info(
                "Resync could not reconcile",
                extra={"namespace": item.namespace, "chain": item.name, "why": str(error)},
            )

    async def _cancel_orphan(self, execution: starter.ChainExecution) -> None:
        """A run whose resource is gone, for sure, is stopped: nobody could see or steer it."""
        memo = execution.memo
        body = await self._stack_chains.get(memo.namespace, memo.name)
        if body is not None and body["metadata"]["uid"] == memo.uid:
            return
        logger.warning(
            "Canceling a run whose resource is gone",
            extra={"namespace": memo.namespace, "chain": memo.name},
        )
        await self._workflows.cancel(execution.workflow_id, execution.workflow_run_id)
