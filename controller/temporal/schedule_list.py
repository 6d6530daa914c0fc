"""The Temporal Schedules that this program set up, as operator and receiver see them."""

import dataclasses

import temporalio.client
from temporalio.api.schedule.v1 import ScheduleListEntry
from temporalio.api.workflowservice import v1 as workflowservice

from controller.temporal import client as temporal_client
from controller.temporal import decoding, ids, start_messages

# While a sweep runs, the next one waits: what it has read already may have changed since.
SWEEP_OVERLAP = temporalio.client.ScheduleOverlapPolicy.BUFFER_ONE

_PAGE_SIZE = 500


@dataclasses.dataclass(frozen=True, kw_only=True, slots=True)
class ListedSchedule:
    """A schedule in the list of all."""

    schedule_id: str
    memo: start_messages.ScheduleMemo
    is_paused: bool


@dataclasses.dataclass(frozen=True, kw_only=True, slots=True)
class ScheduleListing:
    """All schedules of this program, and the ids of those that only look so."""

    schedules: tuple[ListedSchedule, ...]
    unreadable: tuple[str, ...] = ()


async def list_all(client: temporalio.client.Client) -> ScheduleListing:
    """Return the schedules that this program set up, of whatever installation.

    The records are read one by one: the SDK gives up on a page for a schedule with an action that
    it does not know.

    Raises:
        TemporalUnreachable: call again later.
    """
    found: list[ListedSchedule] = []
    unreadable: list[str] = []
    token = b""
    with temporal_client.unreachable():
        while True:
            page = await client.workflow_service.list_schedules(
                workflowservice.ListSchedulesRequest(
                    namespace=client.namespace,
                    maximum_page_size=_PAGE_SIZE,
                    next_page_token=token,
                    query=ids.SCHEDULES_QUERY,
                ),
                retry=True,
            )
            for entry in page.schedules:
                try:
                    found.append(await _listed(client, entry))
                except decoding.Unreadable:
                    unreadable.append(entry.schedule_id)
            token = page.next_page_token
            if not token:
                return ScheduleListing(schedules=tuple(found), unreadable=tuple(unreadable))


async def _listed(client: temporalio.client.Client, entry: ScheduleListEntry) -> ListedSchedule:
    what = f"the schedule {entry.schedule_id}"
    memo = await decoding.memo_of(client, entry.memo, start_messages.ScheduleMemo, what)
    ref = memo.ref
    wanted = ids.schedule_id(namespace=ref.namespace, name=ref.name, uid=ref.uid, kind=memo.kind)
    if entry.schedule_id != wanted:
        # It would pass for that resource's.
        raise decoding.Unreadable(f"The memo of {what} is that of {wanted}")
    return ListedSchedule(schedule_id=entry.schedule_id, memo=memo, is_paused=entry.info.paused)
