"""Sets up and removes the Temporal Schedules of resources, and asks for their times.

Temporal evaluates the times, with their time zone; no one here knows what a cron means.
"""

import logging
from collections.abc import Callable
from datetime import UTC, datetime, timedelta

import temporalio.api.workflowservice.v1 as workflowservice
import temporalio.client
import temporalio.service
from google.protobuf import timestamp_pb2

from controller import outside_text, times
from controller.api import v1alpha1
from controller.temporal import client as temporal_client
from controller.temporal import decoding, ids, schedule_list, start_messages
from controller.temporal.operator import desired_schedules

logger = logging.getLogger(__name__)

# How many times are counted at most; a cron of every minute has more after a week. Many years of
# them would keep an operator busy for hours before it came to those of today.
_MOST_TIMES = 10_000


class ScheduleRefused(Exception):
    """Temporal does not take the cron or the time zone; the message is Temporal's."""


class ChainSchedules:
    """Sets up and removes the schedules of resources, and asks for their times."""

    def __init__(self, get_client: Callable[[], temporalio.client.Client]) -> None:
        self._get_client = get_client

    async def set_up(self, wanted: desired_schedules.DesiredSchedule) -> None:
        """Make a schedule what it should be; one that already is stays unchanged.

        Raises:
            ScheduleRefused: Temporal does not take it; there is none now.
            TemporalUnreachable: call again later.
        """
        client = self._get_client()
        schedule_id = desired_schedules.schedule_id(wanted.memo.ref, wanted.memo.kind)
        if await self._create(wanted):
            return
        if await _digest_of(client, schedule_id) != wanted.memo.digest:
            # A memo cannot be changed, and the list of schedules shows nothing else.
            await _delete(client.get_schedule_handle(schedule_id))
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
                    # The schedule that was set up before must not continue instead of it.
                    handle = self._get_client().get_schedule_handle(
                        desired_schedules.schedule_id(wanted.memo.ref, wanted.memo.kind)
                    )
                    await _delete(handle)
                    raise ScheduleRefused(outside_text.clean(error.message, most=512)) from error
                raise
        return True

    async def remove(self, ref: v1alpha1.Ref, kind: str) -> None:
        """Remove a schedule; fine if there is none."""
        await _delete(
            self._get_client().get_schedule_handle(desired_schedules.schedule_id(ref, kind))
        )

    async def next_time(self, ref: v1alpha1.Ref) -> str | None:
        """Return when the schedule asks for the next run; None: never, or it is paused or gone."""
        client = self._get_client()
        found = await _describe(client, desired_schedules.schedule_id(ref, ids.SCHEDULE_KIND))
        if found is None or found.schedule.state.paused:
            return None
        moments = found.info.future_action_times
        return times.rfc3339(moments[0].ToDatetime(tzinfo=UTC)) if moments else None

    async def times_between(self, ref: v1alpha1.Ref, after: str, until: str) -> list[str]:
        """Return the schedule's times after one moment and up to another, as Temporal has them.

        If there are too many to count, these are the first ones and the newest.
        """
        found: list[str] = []
        while len(found) < _MOST_TIMES:
            page = await self._times_page(ref, after, until)
            if not page:
                return found
            found.extend(page)
            after = page[-1]
        return [*found, *await self._newest_time(ref, after, until)]

    async def _newest_time(self, ref: v1alpha1.Ref, after: str, until: str) -> list[str]:
        """Return the newest time, if there is one: Temporal lists from the oldest on."""
        end, span = datetime.fromisoformat(until), timedelta(hours=1)
        all_of_it = end - datetime.fromisoformat(after)
        while True:
            start = after if all_of_it <= span else times.rfc3339(end - span)
            newest: list[str] = []
            while page := await self._times_page(ref, start, until):
                newest = page[-1:]
                start = newest[0]
            if newest or start == after:
                return newest
            span *= 2

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
                answer = await client.workflow_service.list_schedule_matching_times(
                    request, retry=True
                )
            except temporalio.service.RPCError as error:
                if temporal_client.is_gone(error):
                    return []
                raise
        return [times.rfc3339(stamp.ToDatetime(tzinfo=UTC)) for stamp in answer.start_time]

    async def list_all(self) -> schedule_list.ScheduleListing:
        """Return the schedules of all installations, as visibility knows them."""
        return await schedule_list.list_all(self._get_client())

    async def remove_listed(self, listed: schedule_list.ListedSchedule) -> None:
        """Remove a schedule that belongs to no resource."""
        await _delete(self._get_client().get_schedule_handle(listed.schedule_id))


async def _digest_of(client: temporalio.client.Client, schedule_id: str) -> str | None:
    """Return how a schedule was set up; None for one that is not there, or not of this program."""
    found = await _describe(client, schedule_id)
    if found is None:
        return None
    try:
        memo = await decoding.memo_of(
            client, found.memo, start_messages.ScheduleMemo, f"the schedule {schedule_id}"
        )
    except decoding.Unreadable as error:
        logger.warning("A schedule in the place of one of ours", extra={"why": str(error)})
        return None
    return memo.digest


async def _describe(
    client: temporalio.client.Client, schedule_id: str
) -> workflowservice.DescribeScheduleResponse | None:
    """Return the record itself: the SDK fails at a schedule with an action that it does not know.

    None: there is no such schedule.
    """
    request = workflowservice.DescribeScheduleRequest(
        namespace=client.namespace, schedule_id=schedule_id
    )
    with temporal_client.unreachable():
        try:
            return await client.workflow_service.describe_schedule(request, retry=True)
        except temporalio.service.RPCError as error:
            if temporal_client.is_gone(error):
                return None
            raise


async def _delete(handle: temporalio.client.ScheduleHandle) -> None:
    with temporal_client.unreachable():
        try:
            await handle.delete()
        except temporalio.service.RPCError as error:
            if not temporal_client.is_gone(error):
                raise


def _stamp(instant: str) -> timestamp_pb2.Timestamp:
    stamp = timestamp_pb2.Timestamp()
    stamp.FromDatetime(datetime.fromisoformat(instant))
    return stamp
