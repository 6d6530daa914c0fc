"""Act, before anything is decided: keeps the schedules at Temporal in line with a resource.

A schedule that fires, and a sweep that has read the roots, say only that it is time to check.
What asks for a run follows from what is known: the times that have passed, the runs seen before.
A schedule knows its times only once Temporal has it, so this step comes before the decision.
"""

import dataclasses
from collections.abc import Mapping
from typing import Any

from controller import clock
from controller.api import reasons, v1alpha1
from controller.chain.requests import automatic_asks, future_marks, schedule_times
from controller.chain.requests.schedule_times import ScheduleStep
from controller.chain.status import projection
from controller.config import connections, permissions
from controller.operator import gatherer
from controller.spacelift import endpoints
from controller.temporal import ids, messages, signing
from controller.temporal.operator import desired_schedules, schedules

_RESTORING = (ScheduleStep.RESTORE, ScheduleStep.RESTORE_AND_TAKE_TIMES)
_TAKING_TIMES = (
    ScheduleStep.TAKE_TIMES,
    ScheduleStep.TAKE_TIMES_THEN_SET_UP,
    ScheduleStep.RESTORE_AND_TAKE_TIMES,
)
_SETTING_UP = (ScheduleStep.SET_UP, ScheduleStep.TAKE_TIMES_THEN_SET_UP)


@dataclasses.dataclass(frozen=True, kw_only=True, slots=True)
class ScheduleUpdate:
    """The state of a resource's schedules, what asks for a run now, and what is wrong."""

    schedules: projection.SchedulesStatus
    asks: automatic_asks.AutomaticAsks
    problem: projection.Problem | None = None


class ResourceSchedules:
    """Schedules and triggers of the resources of one installation."""

    def __init__(
        self,
        *,
        chain_schedules: schedules.ChainSchedules,
        designs: desired_schedules.ScheduleDesigns,
        time: clock.Clock,
    ) -> None:
        self._schedules = chain_schedules
        self._designs = designs
        self._clock = time

    def wanted(
        self, chain: v1alpha1.StackChain, connection: connections.Connection | None
    ) -> Mapping[str, desired_schedules.DesiredSchedule]:
        """Return the schedules that a resource should have, by kind.

        None while it is being deleted or may not use its connection: nothing is read for it.
        """
        if chain.is_deleting or connection is None:
            return {}
        account = messages.AccountRef(
            name=connection.name,
            endpoint=connection.endpoint,
            account=endpoints.account_of(connection.endpoint),
            # A sweep reads, whatever the runs would do.
            grant=messages.Grant(
                use=permissions.ConnectionUse(
                    namespace=chain.ref.namespace, operation=chain.spec.operation
                ),
                scope_digest=signing.digest(chain.spec.roots),
            ),
        )
        found = (self._designs.schedule(chain), self._designs.sweeps(chain, account))
        return {item.memo.kind: item for item in found if item is not None}

    def is_behind(
        self, chain: v1alpha1.StackChain, connection: connections.Connection | None
    ) -> bool:
        """Whether Temporal may have other schedules than it should, or a time has passed."""
        wanted, triggers = self.wanted(chain, connection), chain.status.triggers
        step = _step(
            chain.status.schedule, chain, wanted.get(ids.SCHEDULE_KIND), now=self._clock.stamp()
        )
        sweeps = wanted.get(ids.TRIGGERS_KIND)
        has, should = triggers and triggers.digest, sweeps and sweeps.memo.digest
        return step is not ScheduleStep.NOTHING or has != should

    async def update(
        self, gathered: gatherer.Gathered, reconcile_input: gatherer.ReconcileInput
    ) -> gatherer.Gathered:
        """Bring the schedules in line, and take in what asks for a run.

        Raises:
            TemporalUnreachable: call again later.
        """
        chain, call = gathered.chain, reconcile_input.call
        if chain.is_deleting:
            return gathered
        update = await self.update_schedules(
            chain,
            gathered.access.usable,
            scheduled_time=call.scheduled_time if call else None,
            is_renewing=reconcile_input.is_renewing,
        )
        return _with_asks(gathered, update)

    async def update_schedules(
        self,
        chain: v1alpha1.StackChain,
        connection: connections.Connection | None,
        *,
        scheduled_time: str | None,
        is_renewing: bool,
    ) -> ScheduleUpdate:
        """Set up what should be there, remove what should not, and take the times that passed.

        If nothing has changed and no time has passed, Temporal is not asked.

        Args:
            chain: the resource.
            connection: the one that it may use, if it may.
            scheduled_time: the time that Temporal says has come, whatever the clock here says.
            is_renewing: set up and remove schedules whatever the status says about them.

        Raises:
            TemporalUnreachable: call again later.
        """
        wanted = self.wanted(chain, connection)
        # A time in the future would be a mark above all times that come until then.
        called = future_marks.past_time(scheduled_time, now=self._clock.now())
        known, asks = await self._schedule(
            chain,
            wanted.get(ids.SCHEDULE_KIND),
            now=max(self._clock.stamp(), called or ""),
            has_come=called is not None,
            is_renewing=is_renewing,
        )
        triggers = await self._triggers(
            chain, wanted.get(ids.TRIGGERS_KIND), is_renewing=is_renewing
        )
        return ScheduleUpdate(
            schedules=projection.SchedulesStatus(schedule=known, triggers=triggers),
            asks=asks,
            problem=_problem(known),
        )

    async def _schedule(
        self,
        chain: v1alpha1.StackChain,
        wanted: desired_schedules.DesiredSchedule | None,
        *,
        now: str,
        has_come: bool,
        is_renewing: bool,
    ) -> tuple[v1alpha1.ScheduleStatus | None, automatic_asks.AutomaticAsks]:
        spec, old = chain.spec.schedule, chain.status.schedule
        if has_come and old is not None and old.next_time is not None:
            # Temporal says that a time has come, whatever the status expects.
            old = dataclasses.replace(old, next_time=min(old.next_time, now))
        step = _step(old, chain, wanted, now=now, is_renewing=is_renewing)
        if wanted is None or spec is None:
            if step is ScheduleStep.REMOVE:
                await self._schedules.remove(chain.ref, ids.SCHEDULE_KIND)
            return None, automatic_asks.AutomaticAsks()
        if step in _RESTORING:
            await self._schedules.set_up(wanted)
        known, ask = old, None
        if step in _TAKING_TIMES and old is not None:
            times = await self._schedules.times_between(chain.ref, old.checked_time, now)
            taken = schedule_times.take_passed_times(old, spec, times, now=now)
            known, ask = taken.known, taken.ask
        asks = automatic_asks.AutomaticAsks(scheduled_time=ask)
        if step in _SETTING_UP:
            if known is not None and known != old:
                # Only Temporal knows these times, and only until it has the new schedule: first
                # what they ask for is to be in the status. The resync comes back to the rest.
                return dataclasses.replace(known, next_time=None), asks
            return await self._set_up(chain, wanted, known, now), asks
        if known is not None and step is not ScheduleStep.NOTHING:
            known = dataclasses.replace(known, next_time=await self._schedules.next_time(chain.ref))
        return known, asks

    async def _set_up(
        self,
        chain: v1alpha1.StackChain,
        wanted: desired_schedules.DesiredSchedule,
        old: v1alpha1.ScheduleStatus | None,
        now: str,
    ) -> v1alpha1.ScheduleStatus:
        """Times before now are not those of the new schedule."""
        known = v1alpha1.ScheduleStatus(digest=wanted.memo.digest, checked_time=now)
        if old is not None:
            known = dataclasses.replace(
                old, digest=wanted.memo.digest, checked_time=now, next_time=None, problem=None
            )
        try:
            await self._schedules.set_up(wanted)
        except schedules.ScheduleRefused as error:
            return dataclasses.replace(known, problem=f"Temporal refuses it: {error}")
        if chain.spec.suspend:
            return known
        next_time = await self._schedules.next_time(chain.ref)
        problem = None if next_time else "The schedule never fires: no date matches it."
        return dataclasses.replace(known, next_time=next_time, problem=problem)

    async def _triggers(
        self,
        chain: v1alpha1.StackChain,
        wanted: desired_schedules.DesiredSchedule | None,
        *,
        is_renewing: bool,
    ) -> v1alpha1.TriggersStatus | None:
        old = chain.status.triggers
        if wanted is None:
            if old is not None or is_renewing:
                await self._schedules.remove(chain.ref, ids.TRIGGERS_KIND)
            return None
        if is_renewing or old is None or old.digest != wanted.memo.digest:
            await self._schedules.set_up(wanted)
        if old is not None and old.digest == wanted.memo.digest:
            return old
        return v1alpha1.TriggersStatus(digest=wanted.memo.digest)

    async def remove(self, ref: v1alpha1.Ref, body: Mapping[str, Any]) -> None:
        """Remove the schedules of a resource that is being deleted, even if it cannot be read.

        Raises:
            TemporalUnreachable: call again later; the resync removes what is left behind.
        """
        spec, known = body.get("spec") or {}, body.get("status") or {}
        kinds = {ids.SCHEDULE_KIND: "schedule", ids.TRIGGERS_KIND: "triggers"}
        for kind, field in kinds.items():
            # Most resources have no schedules, and need no request.
            if spec.get(field) or known.get(field):
                await self._schedules.remove(ref, kind)


def _step(
    known: v1alpha1.ScheduleStatus | None,
    chain: v1alpha1.StackChain,
    wanted: desired_schedules.DesiredSchedule | None,
    *,
    now: str,
    is_renewing: bool = False,
) -> ScheduleStep:
    return schedule_times.next_step(
        schedule_times.ScheduleFacts(
            wanted_digest=wanted.memo.digest if wanted else None,
            known=known,
            now=now,
            is_suspended=chain.spec.suspend,
            is_renewing=is_renewing,
        )
    )


def _with_asks(gathered: gatherer.Gathered, update: ScheduleUpdate) -> gatherer.Gathered:
    """Take in what asks for a run, and what was seen so far, as if the status had it."""
    chain, sweep = gathered.chain, gathered.sweep
    known, asks, handled = update.schedules, update.asks, chain.status.last_handled
    if sweep is not None:
        asks = dataclasses.replace(asks, root_runs=sweep.root_runs)
        handled = dataclasses.replace(handled, root_runs=sweep.seen)
        if known.triggers is not None:
            triggers = dataclasses.replace(known.triggers, problem=sweep.problem)
            known = dataclasses.replace(known, triggers=triggers)
    status = dataclasses.replace(
        chain.status,
        last_handled=handled,
        pending_run=automatic_asks.with_asks(chain.status.pending_run, asks),
    )
    return dataclasses.replace(
        gathered,
        chain=dataclasses.replace(chain, status=status),
        schedules=known,
        schedules_problem=update.problem,
        problem=gathered.problem or update.problem,
    )


def _problem(known: v1alpha1.ScheduleStatus | None) -> projection.Problem | None:
    if known is None or known.problem is None:
        return None
    return projection.Problem(
        reason=reasons.ChainReason.SCHEDULE_INVALID,
        message=f"`spec.schedule` starts nothing. {known.problem} Correct `spec.schedule.cron` or "
        "`spec.schedule.timeZone`.",
        is_retrying=False,
    )
