"""The Temporal Schedules of resources: one asks for runs at its times, the other sweeps the roots.

Temporal evaluates the times, with their time zone; nobody here knows what a cron means. What a
schedule starts is a small workflow that hands on to the operator, which decides.
"""

import dataclasses
import hashlib
import json
import re
from collections.abc import AsyncIterator, Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import temporalio.api.workflowservice.v1 as workflowservice
import temporalio.client
import temporalio.service
from google.protobuf import timestamp_pb2

from controller import times
from controller.api import v1alpha1
from controller.temporal import client as temporal_client
from controller.temporal import ids, messages

# While a sweep runs the next one waits: what it has looked at already may have changed since.
SWEEP_OVERLAP = temporalio.client.ScheduleOverlapPolicy.BUFFER_ONE
# A workflow that waits for the operator asks for all the times that have passed when it is served.
_START_OVERLAP = temporalio.client.ScheduleOverlapPolicy.SKIP
# A sweep that was missed is made good by the next one.
_SWEEP_CATCH_UP = timedelta(seconds=10)
# An operator that is gone for good leaves no workflow behind that waits for it for ever; one that
# comes back later finds by itself what has passed.
_GIVE_UP = timedelta(days=1)
# How many times are counted at most; a cron of every minute has more after a week.
_MOST_TIMES = 10_000

_EVERY = re.compile(r"\*(?:/(1|3|5|15))?")

_NOT_FOUND = temporalio.service.RPCStatusCode.NOT_FOUND


class ScheduleRefused(Exception):
    """Temporal does not take the cron or the time zone; the message is Temporal's."""


@dataclasses.dataclass(frozen=True, kw_only=True, slots=True)
class Wanted:
    """One schedule as a resource wants it; equal digests mean equal schedules."""

    ref: v1alpha1.Ref
    kind: str
    digest: str
    schedule: temporalio.client.Schedule
    memo: messages.ScheduleMemo
    starts_at_once: bool


@dataclasses.dataclass(frozen=True, kw_only=True, slots=True)
class Listed:
    """A schedule in the list of all; `next_time` is RFC 3339 in UTC."""

    schedule_id: str
    memo: messages.ScheduleMemo
    is_paused: bool
    next_time: str | None


class ScheduleDesigns:
    """What the schedules of an installation's resources look like."""

    def __init__(
        self, *, installation: str, task_queue: str, operator_queue: str, sweep_seconds: int
    ) -> None:
        self._installation = installation
        self._task_queue = task_queue
        self._operator_queue = operator_queue
        self._sweep_seconds = sweep_seconds

    def starts(self, chain: v1alpha1.StackChain) -> Wanted | None:
        """Return the schedule that asks for runs; None: the resource wants none."""
        wanted, ref = chain.spec.schedule, _without_generation(chain.ref)
        if wanted is None:
            return None
        argument = messages.RequestRunInput(ref=ref, operator_queue=self._operator_queue)
        return self._wanted(
            ref,
            ids.SCHEDULE_KIND,
            argument,
            spec=_times(wanted),
            policy=temporalio.client.SchedulePolicy(
                overlap=_START_OVERLAP,
                catchup_window=timedelta(seconds=wanted.starting_deadline_seconds),
            ),
            is_paused=chain.spec.suspend,
            told=[wanted.cron, wanted.time_zone, wanted.starting_deadline_seconds],
        )

    def sweeps(self, chain: v1alpha1.StackChain, connection: messages.Connection) -> Wanted | None:
        """Return the schedule that sweeps the roots; None: the resource wants none."""
        if not chain.spec.triggers:
            return None
        ref = _without_generation(chain.ref)
        argument = messages.RootSweepInput(
            ref=ref,
            operator_queue=self._operator_queue,
            connection=connection,
            roots=chain.spec.roots,
        )
        # Else the sweeps of all chains would meet at the same moment.
        offset = int(hashlib.sha256(ref.uid.encode()).hexdigest(), 16) % self._sweep_seconds
        every = temporalio.client.ScheduleIntervalSpec(
            every=timedelta(seconds=self._sweep_seconds), offset=timedelta(seconds=offset)
        )
        return self._wanted(
            ref,
            ids.TRIGGERS_KIND,
            argument,
            spec=temporalio.client.ScheduleSpec(intervals=[every]),
            policy=temporalio.client.SchedulePolicy(
                overlap=SWEEP_OVERLAP, catchup_window=_SWEEP_CATCH_UP
            ),
            is_paused=chain.spec.suspend,
            told=[self._sweep_seconds],
        )

    def _wanted(
        self,
        ref: v1alpha1.Ref,
        kind: str,
        argument: messages.RequestRunInput | messages.RootSweepInput,
        *,
        spec: temporalio.client.ScheduleSpec,
        policy: temporalio.client.SchedulePolicy,
        is_paused: bool,
        told: list[Any],
    ) -> Wanted:
        sweep = argument if isinstance(argument, messages.RootSweepInput) else None
        workflow = ids.ROOT_SWEEP_WORKFLOW if sweep else ids.REQUEST_RUN_WORKFLOW
        digest = _digest([workflow, dataclasses.asdict(argument), is_paused, *told])
        does = "sweep" if sweep else "schedule"
        action = temporalio.client.ScheduleActionStartWorkflow(
            workflow,
            argument,
            id=_id(ref, kind),
            task_queue=self._task_queue,
            execution_timeout=_GIVE_UP,
            static_summary=f"{does} of {ref.namespace}/{ref.name}",
        )
        memo = messages.ScheduleMemo(
            installation=self._installation,
            ref=ref,
            kind=kind,
            digest=digest,
            account=sweep.connection.account if sweep else "",
            roots=sweep.roots if sweep else None,
        )
        state = temporalio.client.ScheduleState(
            paused=is_paused, note="`spec.suspend` is true." if is_paused else None
        )
        return Wanted(
            ref=ref,
            kind=kind,
            digest=digest,
            schedule=temporalio.client.Schedule(
                action=action, spec=spec, policy=policy, state=state
            ),
            memo=memo,
            starts_at_once=sweep is not None and not is_paused,
        )


def _without_generation(ref: v1alpha1.Ref) -> v1alpha1.Ref:
    """Return what stays the same when the spec changes, so that the schedule does, too."""
    return dataclasses.replace(ref, generation=0)


def _times(schedule: v1alpha1.Schedule) -> temporalio.client.ScheduleSpec:
    """Return the times as Temporal is to evaluate them.

    A cron of every few minutes is an interval, whatever the zone: all offsets are multiples of 15
    minutes. As a cron Temporal 1.32 leaves out nearly two hours when the clock is put back.
    """
    match schedule.cron.split():
        case [minutes, "*", "*", "*", "*"] if (found := _EVERY.fullmatch(minutes)) is not None:
            every = timedelta(minutes=int(found[1] or 1))
            interval = temporalio.client.ScheduleIntervalSpec(every=every)
            return temporalio.client.ScheduleSpec(
                intervals=[interval], time_zone_name=schedule.time_zone
            )
    return temporalio.client.ScheduleSpec(
        cron_expressions=[schedule.cron], time_zone_name=schedule.time_zone
    )


class ChainSchedules:
    """Sets up and removes the schedules of resources, and asks for their times."""

    def __init__(self, get_client: Callable[[], temporalio.client.Client]) -> None:
        self._get_client = get_client

    async def set_up(self, wanted: Wanted) -> None:
        """Make a schedule what it should be; one that is so already stays as it is.

        Raises:
            ScheduleRefused: Temporal does not take it; there is none now.
            TemporalUnreachable: call again later.
        """
        handle = self._get_client().get_schedule_handle(_id(wanted.ref, wanted.kind))
        if await self._create(wanted):
            return
        if await _digest_of(handle) != wanted.digest:
            # A memo cannot be changed, and the list of schedules shows nothing else.
            await _delete(handle)
            await self._create(wanted)

    async def _create(self, wanted: Wanted) -> bool:
        """Return whether there was none before."""
        with temporal_client.unreachable():
            try:
                await self._get_client().create_schedule(
                    _id(wanted.ref, wanted.kind),
                    wanted.schedule,
                    trigger_immediately=wanted.starts_at_once,
                    memo={ids.MEMO: wanted.memo},
                )
            except temporalio.client.ScheduleAlreadyRunningError:
                return False
            except temporalio.service.RPCError as error:
                if error.status is temporalio.service.RPCStatusCode.INVALID_ARGUMENT:
                    # What was set up before must not go on in place of it.
                    handle = self._get_client().get_schedule_handle(_id(wanted.ref, wanted.kind))
                    await _delete(handle)
                    raise ScheduleRefused(error.message) from error
                raise
        return True

    async def remove(self, ref: v1alpha1.Ref, kind: str) -> None:
        """Remove a schedule; fine if there is none."""
        await _delete(self._get_client().get_schedule_handle(_id(ref, kind)))

    async def next_time(self, ref: v1alpha1.Ref) -> str | None:
        """Return when the schedule asks for the next run; None: never, or it is paused or gone."""
        handle = self._get_client().get_schedule_handle(_id(ref, ids.SCHEDULE_KIND))
        with temporal_client.unreachable():
            try:
                description = await handle.describe()
            except temporalio.service.RPCError as error:
                if error.status is _NOT_FOUND:
                    return None
                raise
        if description.schedule.state.paused:
            return None
        moments = description.info.next_action_times
        return times.rfc3339(moments[0]) if moments else None

    async def times_between(self, ref: v1alpha1.Ref, after: str, until: str) -> list[str]:
        """Return the schedule's times after one moment and up to another, as Temporal has them."""
        found: list[str] = []
        while len(found) < _MOST_TIMES:
            page = await self._times_page(ref, after, until)
            if not page:
                break
            found.extend(page)
            after = page[-1]
        return found

    async def _times_page(self, ref: v1alpha1.Ref, after: str, until: str) -> list[str]:
        client = self._get_client()
        request = workflowservice.ListScheduleMatchingTimesRequest(
            namespace=client.namespace,
            schedule_id=_id(ref, ids.SCHEDULE_KIND),
            start_time=_stamp(after),
            end_time=_stamp(until),
        )
        with temporal_client.unreachable():
            try:
                answer = await client.workflow_service.list_schedule_matching_times(request)
            except temporalio.service.RPCError as error:
                if error.status is _NOT_FOUND:
                    return []
                raise
        return [times.rfc3339(stamp.ToDatetime(tzinfo=UTC)) for stamp in answer.start_time]

    async def list_all(self) -> list[Listed]:
        """Return the schedules of all installations, as visibility knows them."""
        return [item async for item in list_all(self._get_client())]

    async def remove_listed(self, listed: Listed) -> None:
        """Remove a schedule that belongs to no resource."""
        await _delete(self._get_client().get_schedule_handle(listed.schedule_id))


async def list_all(client: temporalio.client.Client) -> AsyncIterator[Listed]:
    """Yield the schedules that this program set up, of whatever installation."""
    with temporal_client.unreachable():
        async for item in await client.list_schedules(ids.SCHEDULES_QUERY, page_size=500):
            memo = await _memo(item)
            if memo is None:
                continue
            is_paused = item.schedule is not None and item.schedule.state.paused
            moments = item.info.next_action_times if item.info is not None else []
            yield Listed(
                schedule_id=item.id,
                memo=memo,
                is_paused=is_paused,
                next_time=times.rfc3339(moments[0]) if moments and not is_paused else None,
            )


async def _memo(
    item: temporalio.client.ScheduleListDescription | temporalio.client.ScheduleDescription,
) -> messages.ScheduleMemo | None:
    try:
        memo: messages.ScheduleMemo | None = await item.memo_value(
            ids.MEMO, default=None, type_hint=messages.ScheduleMemo
        )
    except (TypeError, ValueError):
        return None
    return memo


async def _digest_of(handle: temporalio.client.ScheduleHandle) -> str | None:
    with temporal_client.unreachable():
        try:
            memo = await _memo(await handle.describe())
        except temporalio.service.RPCError as error:
            if error.status is _NOT_FOUND:
                return None
            raise
    return memo.digest if memo is not None else None


async def _delete(handle: temporalio.client.ScheduleHandle) -> None:
    with temporal_client.unreachable():
        try:
            await handle.delete()
        except temporalio.service.RPCError as error:
            if error.status is not _NOT_FOUND:
                raise


def _id(ref: v1alpha1.Ref, kind: str) -> str:
    return ids.schedule_id(namespace=ref.namespace, name=ref.name, uid=ref.uid, kind=kind)


def _digest(parts: list[Any]) -> str:
    text = json.dumps(parts, sort_keys=True, separators=(",", ":"))
    return hashlib.sha256(text.encode()).hexdigest()[:16]


def _stamp(instant: str) -> timestamp_pb2.Timestamp:
    stamp = timestamp_pb2.Timestamp()
    stamp.FromDatetime(datetime.fromisoformat(instant))
    return stamp
