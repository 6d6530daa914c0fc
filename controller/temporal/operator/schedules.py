"""Sets up and removes the Temporal Schedules of resources, and asks for their times.

Temporal evaluates the times, with their time zone; no one here knows what a cron means.
"""

from collections.abc import Callable
from datetime import UTC, datetime

import temporalio.api.workflowservice.v1 as workflowservice
import temporalio.client
import temporalio.service
from google.protobuf import timestamp_pb2

from controller import times
from controller.api import v1alpha1
from controller.temporal import client as temporal_client
from controller.temporal import ids, schedule_list
from controller.temporal.operator import desired_schedules

# How many times are counted at most; a cron of every minute has more after a week.
_MOST_TIMES = 10_000

_NOT_FOUND = temporalio.service.RPCStatusCode.NOT_FOUND


class ScheduleRefused(Exception):
    """Temporal does not take the cron or the time zone; the message is Temporal's."""


class ChainSchedules:
    """Sets up and removes the schedules of resources, and asks for their times."""

    def __init__(self, get_client: Callable[[], temporalio.client.Client]) -> None:
        self._get_client = get_client

    async def set_up(self, wanted: desired_schedules.DesiredSchedule) -> None:
        """Make a schedule what it should be; one that is so already stays as it is.

        Raises:
            ScheduleRefused: Temporal does not take it; there is none now.
            TemporalUnreachable: call again later.
        """
        handle = self._get_client().get_schedule_handle(
            desired_schedules.schedule_id(wanted.memo.ref, wanted.memo.kind)
        )
        if await self._create(wanted):
            return
        if await _digest_of(handle) != wanted.memo.digest:
            # A memo cannot be changed, and the list of schedules shows nothing else.
            await _delete(handle)
            await self._create(wanted)

    async def _create(self, wanted: desired_schedules.DesiredSchedule) -> bool:
        """Return whether there was none before."""
        with temporal_client.unreachable():
            try:
                await self._get_client().create_schedule(
                    desired_schedules.schedule_id(wanted.memo.ref, wanted.memo.kind),
                    wanted.schedule,
                    trigger_immediately=wanted.starts_at_once,
                    memo={ids.MEMO: wanted.memo},
                )
            except temporalio.client.ScheduleAlreadyRunningError:
                return False
            except temporalio.service.RPCError as error:
                if error.status is temporalio.service.RPCStatusCode.INVALID_ARGUMENT:
                    # What was set up before must not go on in place of it.
                    handle = self._get_client().get_schedule_handle(
                        desired_schedules.schedule_id(wanted.memo.ref, wanted.memo.kind)
                    )
                    await _delete(handle)
                    raise ScheduleRefused(error.message) from error
                raise
        return True

    async def remove(self, ref: v1alpha1.Ref, kind: str) -> None:
        """Remove a schedule; fine if there is none."""
        await _delete(
            self._get_client().get_schedule_handle(desired_schedules.schedule_id(ref, kind))
        )

    async def next_time(self, ref: v1alpha1.Ref) -> str | None:
        """Return when the schedule asks for the next run; None: never, or it is paused or gone."""
        handle = self._get_client().get_schedule_handle(
            desired_schedules.schedule_id(ref, ids.SCHEDULE_KIND)
        )
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
            schedule_id=desired_schedules.schedule_id(ref, ids.SCHEDULE_KIND),
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

    async def list_all(self) -> list[schedule_list.ListedSchedule]:
        """Return the schedules of all installations, as visibility knows them."""
        return [item async for item in schedule_list.list_all(self._get_client())]

    async def remove_listed(self, listed: schedule_list.ListedSchedule) -> None:
        """Remove a schedule that belongs to no resource."""
        await _delete(self._get_client().get_schedule_handle(listed.schedule_id))


async def _digest_of(handle: temporalio.client.ScheduleHandle) -> str | None:
    with temporal_client.unreachable():
        try:
            memo = await schedule_list.read_memo(await handle.describe())
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


def _stamp(instant: str) -> timestamp_pb2.Timestamp:
    stamp = timestamp_pb2.Timestamp()
    stamp.FromDatetime(datetime.fromisoformat(instant))
    return stamp
