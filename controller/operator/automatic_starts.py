"""What starts runs by itself: keeps schedules in line with resources, and takes in what they ask.

A schedule that fires, and a sweep that has read the roots, say only that it is time to look. What
asks for a run follows from what is known: the times that have passed, the runs that were looked at.
"""

import dataclasses
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

from controller.api import reasons, v1alpha1
from controller.chain.requests import automatic, schedule_times
from controller.chain.status import projection
from controller.config import connections
from controller.spacelift import endpoints
from controller.temporal import ids, messages
from controller.temporal.operator import held_runs, schedules

# How many roots a message names before it counts the others.
_NAMED = 5


@dataclasses.dataclass(frozen=True, kw_only=True, slots=True)
class Found:
    """How the starts of a resource stand, what asks for a run now, and what is wrong."""

    starts: projection.Starts
    asks: automatic.AutomaticAsks
    problem: projection.Problem | None = None


@dataclasses.dataclass(frozen=True, kw_only=True, slots=True)
class SweepFindings:
    """What a sweep's findings come to.

    `seen` are the marks up to which the roots were looked at, `undecided` roots whose run a chain
    may still be about to adopt. `problem` is what kept roots from being seen; None: nothing did.
    """

    seen: tuple[v1alpha1.RootRun, ...]
    asks: automatic.AutomaticAsks
    undecided: tuple[str, ...] = ()
    problem: str | None = None


class AutomaticStarts:
    """Schedules and triggers of the resources of one installation."""

    def __init__(
        self,
        *,
        chain_schedules: schedules.ChainSchedules,
        designs: schedules.ScheduleDesigns,
        held: held_runs.HeldRuns,
        catalog: connections.ConnectionCatalog,
        clock: Callable[[], datetime] = lambda: datetime.now(UTC),
    ) -> None:
        self._schedules = chain_schedules
        self._designs = designs
        self._held = held
        self._catalog = catalog
        self._clock = clock

    def wanted(self, chain: v1alpha1.StackChain) -> Mapping[str, schedules.Wanted]:
        """Return the schedules that a resource should have, by kind.

        None while it is being deleted or its connection does not serve it: nothing is read for it.
        """
        spec = chain.spec
        connection = self._catalog.get(spec.connection_name)
        if (
            chain.is_deleting
            or connection is None
            or not connection.allows(chain.ref.namespace)
            or spec.operation not in connection.allowed_operations
        ):
            return {}
        served = messages.Connection(
            name=connection.name,
            endpoint=connection.endpoint,
            account=endpoints.account_of(connection.endpoint),
        )
        found = (self._designs.starts(chain), self._designs.sweeps(chain, served))
        return {item.kind: item for item in found if item is not None}

    def is_behind(self, chain: v1alpha1.StackChain) -> bool:
        """Whether Temporal may have other schedules than it should, or a time has passed."""
        wanted, known = self.wanted(chain), chain.status
        has = {
            ids.SCHEDULE_KIND: known.schedule.digest if known.schedule else None,
            ids.TRIGGERS_KIND: known.triggers.digest if known.triggers else None,
        }
        should = {kind: wanted[kind].digest if kind in wanted else None for kind in has}
        return (
            has != should
            or _is_due(known.schedule, self._now())
            or _is_open(known.schedule, is_suspended=chain.spec.suspend)
        )

    async def look(
        self, chain: v1alpha1.StackChain, *, scheduled_time: str | None, is_renewing: bool
    ) -> Found:
        """Set up what should be there, remove what should not, and serve the times that passed.

        Nothing is asked of Temporal where nothing has changed and no time has passed.

        Args:
            chain: the resource.
            scheduled_time: the time that Temporal says has come, whatever the clock here says.
            is_renewing: set up and remove also what the status says is there, or is not.

        Raises:
            TemporalUnreachable: call again later.
        """
        wanted = self.wanted(chain)
        until = max(self._now(), scheduled_time or "")
        known, asks = await self._schedule(
            chain, wanted.get(ids.SCHEDULE_KIND), until, is_renewing=is_renewing
        )
        triggers = await self._triggers(
            chain, wanted.get(ids.TRIGGERS_KIND), is_renewing=is_renewing
        )
        return Found(
            starts=projection.Starts(schedule=known, triggers=triggers),
            asks=asks,
            problem=_problem(known),
        )

    async def _schedule(
        self,
        chain: v1alpha1.StackChain,
        wanted: schedules.Wanted | None,
        until: str,
        *,
        is_renewing: bool,
    ) -> tuple[v1alpha1.ScheduleStatus | None, automatic.AutomaticAsks]:
        spec, old = chain.spec.schedule, chain.status.schedule
        if wanted is None or spec is None:
            if old is not None or is_renewing:
                await self._schedules.remove(chain.ref, ids.SCHEDULE_KIND)
            return None, automatic.AutomaticAsks()
        is_new = old is None or old.digest != wanted.digest
        if is_renewing and old is not None and old.problem is not None:
            is_new = True
        known, ask = old, None
        is_looked_at = is_renewing or _is_open(old, is_suspended=chain.spec.suspend)
        if is_looked_at and not is_new:
            # The times that passed meanwhile are known once it is there again.
            await self._schedules.set_up(wanted)
        # Times that pass while it is suspended are none.
        has_passed = is_looked_at and not is_new and not chain.spec.suspend
        if old is not None and (has_passed or _is_due(old, until)):
            times = await self._schedules.times_between(chain.ref, old.checked_time, until)
            known, ask = schedule_times.served(old, spec, times, now=until)
        if is_new and known != old and known is not None:
            # Only Temporal knows these times, and only until it has the new schedule: first what
            # they ask for is to stand in the status. The resync comes back to the rest.
            return dataclasses.replace(known, next_time=None), automatic.AutomaticAsks(
                scheduled_time=ask
            )
        if is_new:
            known = await self._set_up(chain, wanted, known, until)
        elif known is not None and (is_looked_at or _is_due(known, until)):
            known = dataclasses.replace(known, next_time=await self._schedules.next_time(chain.ref))
        return known, automatic.AutomaticAsks(scheduled_time=ask)

    async def _set_up(
        self,
        chain: v1alpha1.StackChain,
        wanted: schedules.Wanted,
        old: v1alpha1.ScheduleStatus | None,
        until: str,
    ) -> v1alpha1.ScheduleStatus:
        """Times before now are not those of the new schedule."""
        known = v1alpha1.ScheduleStatus(digest=wanted.digest, checked_time=until)
        if old is not None:
            known = dataclasses.replace(
                old, digest=wanted.digest, checked_time=until, next_time=None, problem=None
            )
        try:
            await self._schedules.set_up(wanted)
        except schedules.ScheduleRefused as error:
            return dataclasses.replace(known, problem=f"Temporal refuses it: {error}"[:1024])
        if chain.spec.suspend:
            return known
        next_time = await self._schedules.next_time(chain.ref)
        problem = None if next_time else "There is no such day: none of its times ever comes."
        return dataclasses.replace(known, next_time=next_time, problem=problem)

    async def _triggers(
        self, chain: v1alpha1.StackChain, wanted: schedules.Wanted | None, *, is_renewing: bool
    ) -> v1alpha1.TriggersStatus | None:
        old = chain.status.triggers
        if wanted is None:
            if old is not None or is_renewing:
                await self._schedules.remove(chain.ref, ids.TRIGGERS_KIND)
            return None
        if is_renewing or old is None or old.digest != wanted.digest:
            await self._schedules.set_up(wanted)
        if old is not None and old.digest == wanted.digest:
            return old
        return v1alpha1.TriggersStatus(digest=wanted.digest)

    async def remove(self, ref: v1alpha1.Ref, body: Mapping[str, Any]) -> None:
        """Remove the schedules of a resource that goes, whatever of it can be read.

        Raises:
            TemporalUnreachable: call again later; the resync removes what is left behind.
        """
        spec, known = body.get("spec") or {}, body.get("status") or {}
        kinds = {ids.SCHEDULE_KIND: "schedule", ids.TRIGGERS_KIND: "triggers"}
        for kind, field in kinds.items():
            # Most resources have none, and nothing is asked for them.
            if spec.get(field) or known.get(field):
                await self._schedules.remove(ref, kind)

    async def judge(
        self,
        chain: v1alpha1.StackChain,
        handled: v1alpha1.Handled,
        call: messages.RequestRunCall,
    ) -> SweepFindings:
        """Judge what a sweep found; what is not for this resource as it is now counts for nothing.

        Raises:
            TemporalUnreachable: call again later.
        """
        nothing = SweepFindings(seen=handled.root_runs, asks=automatic.AutomaticAsks())
        if ids.TRIGGERS_KIND not in self.wanted(chain) or chain.spec.suspend:
            return nothing
        if call.problem:
            return dataclasses.replace(nothing, problem=call.problem[:1024])
        pending = chain.status.pending_run
        waiting = pending.root_runs if pending else ()
        looked_up_to = automatic.by_stack(automatic.newest(handled.root_runs, waiting))
        readings: list[automatic.RootReading] = []
        undecided: list[str] = []
        for root in call.root_runs:
            if chain.spec.roots.stack_ids and root.stack_id not in chain.spec.roots.stack_ids:
                # It was read for an earlier spec.
                return nothing
            reading = await self._read(root, looked_up_to.get(root.stack_id), call.account)
            if reading is None:
                undecided.append(root.stack_id)
                reading = automatic.RootReading(
                    stack_id=root.stack_id, newest_run_id="", looked_up_to=""
                )
            readings.append(reading)
        seen, root_runs = automatic.judge(readings, handled.root_runs, waiting)
        # A root that cannot be seen for a while is not a new one afterwards.
        hidden = [item for item in handled.root_runs if item.stack_id in call.hidden]
        return SweepFindings(
            seen=automatic.newest(seen, hidden),
            asks=automatic.AutomaticAsks(root_runs=root_runs),
            undecided=tuple(undecided),
            problem=_hidden_problem(call.hidden),
        )

    async def _read(
        self, root: messages.RootRuns, mark: str | None, account: str
    ) -> automatic.RootReading | None:
        """Return a root as a sweep read it; None: its run may be a chain's, which will show."""
        free: tuple[str, ...] = ()
        for run in root.finished if mark is not None else ():
            if run.is_own or run.run_id <= (mark or ""):
                continue
            holding = await self._held.holding(account, root.stack_id, run)
            if holding is held_runs.Holding.UNDECIDED:
                return None
            if holding is held_runs.Holding.FREE:
                free = (run.run_id,)
                break
        return automatic.RootReading(
            stack_id=root.stack_id,
            newest_run_id=root.newest_run_id,
            looked_up_to=root.finished[0].run_id if root.finished else "",
            finished=free,
        )

    def _now(self) -> str:
        return self._clock().astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def _hidden_problem(hidden: Sequence[str]) -> str | None:
    if not hidden:
        return None
    names = ", ".join(f"'{stack_id}'" for stack_id in hidden[:_NAMED])
    more = f" and {len(hidden) - _NAMED} more" if len(hidden) > _NAMED else ""
    return f"The API key cannot see these roots, or there are none such: {names}{more}."


def _is_due(known: v1alpha1.ScheduleStatus | None, now: str) -> bool:
    return known is not None and known.next_time is not None and known.next_time <= now


def _is_open(known: v1alpha1.ScheduleStatus | None, *, is_suspended: bool) -> bool:
    """Whether there is a next time that the status does not know: an edit was taken back."""
    return (
        known is not None and known.next_time is None and known.problem is None and not is_suspended
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
