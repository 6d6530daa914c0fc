"""Compares the schedules at Temporal with the resources: one list per pass of the resync."""

import logging
from collections.abc import Mapping, Sequence

from controller import clock
from controller.api import v1alpha1
from controller.kube import errors as kube_errors
from controller.kube import stackchains
from controller.observability import metrics
from controller.operator import connection_access, guards, resource_schedules
from controller.temporal import ids, schedule_list
from controller.temporal.operator import schedules

logger = logging.getLogger(__name__)


class ScheduleSync:
    """Schedules of one installation; those of others are left alone."""

    def __init__(
        self,
        *,
        chain_schedules: schedules.ChainSchedules,
        of_resources: resource_schedules.ResourceSchedules,
        access: connection_access.ConnectionAccess,
        stack_chains: stackchains.StackChains,
        installation: str,
        counters: metrics.Metrics,
        time: clock.Clock,
    ) -> None:
        self._schedules = chain_schedules
        self._of_resources = of_resources
        self._access = access
        self._stack_chains = stack_chains
        self._installation = installation
        self._counters = counters
        self._guard = guards.Guard(counters, "resync", time)

    async def compare(self, resources: Mapping[str, v1alpha1.StackChain]) -> list[str]:
        """Remove schedules that have no resource; return the uids of those to be set right.

        Args:
            resources: those that start automatically, or did, by uid.

        Raises:
            TemporalUnreachable: call again later.
        """
        listing = await self._schedules.list_all()
        self._counters.unreadable.labels("schedule").set(len(listing.unreadable))
        listed = [
            item for item in listing.schedules if item.memo.installation == self._installation
        ]
        self._guard.forget_others({*resources, *(item.schedule_id for item in listed)})
        for item in listed:
            ref, key = item.memo.ref, item.schedule_id
            if ref.uid not in resources and self._guard.is_due(key):
                with self._guard.item(key, namespace=ref.namespace, chain=ref.name):
                    await self._remove_unwanted(item)
        wrong: list[str] = []
        for uid, chain in resources.items():
            if not self._guard.is_due(uid):
                continue
            with self._guard.item(uid, namespace=chain.ref.namespace, chain=chain.ref.name):
                if self._is_wrong(chain, listed):
                    wrong.append(uid)
        return wrong

    async def _remove_unwanted(self, item: schedule_list.ListedSchedule) -> None:
        if await self._is_wanted(item):
            return
        logger.warning(
            "Removing a schedule whose resource is gone",
            extra={"namespace": item.memo.ref.namespace, "chain": item.memo.ref.name},
        )
        await self._schedules.remove_listed(item)

    async def _is_wanted(self, listed: schedule_list.ListedSchedule) -> bool:
        """Ask the API server: what is known here may be outdated or incomplete."""
        memo = listed.memo
        try:
            body = await self._stack_chains.get(memo.ref.namespace, memo.ref.name)
        except kube_errors.KubeError as error:
            # Such as a namespace that no longer belongs to this release: it is not known to be
            # gone.
            logger.info(
                "The resource of a schedule cannot be read",
                extra={"namespace": memo.ref.namespace, "chain": memo.ref.name, "why": str(error)},
            )
            return True
        if body is None or body["metadata"]["uid"] != memo.ref.uid:
            return False
        fields = {ids.SCHEDULE_KIND: "schedule", ids.TRIGGERS_KIND: "triggers"}
        field = fields.get(memo.kind, "")
        return bool((body.get("spec") or {}).get(field))

    def _is_wrong(
        self, chain: v1alpha1.StackChain, listed: Sequence[schedule_list.ListedSchedule]
    ) -> bool:
        has = {item.memo.kind: item for item in listed if item.memo.ref.uid == chain.ref.uid}
        if chain.is_deleting:
            return False
        connection, known = self._access.verdict_of(chain).usable, chain.status.schedule
        wanted, is_behind = (
            self._of_resources.wanted(chain, connection),
            self._of_resources.is_behind(chain, connection),
        )
        digests = {kind: item.memo.digest for kind, item in wanted.items()}
        if known is not None and known.problem is not None and not is_behind:
            # Temporal has refused this very schedule; asking again would bring the same answer.
            digests.pop(ids.SCHEDULE_KIND, None)
            has.pop(ids.SCHEDULE_KIND, None)
        if {kind: item.memo.digest for kind, item in has.items()} != digests:
            return True
        return is_behind
