"""The Temporal Schedules that this program set up, as operator and receiver see them."""

import dataclasses
from collections.abc import AsyncIterator

import temporalio.client

from controller import times
from controller.temporal import client as temporal_client
from controller.temporal import ids, messages

# While a sweep runs the next one waits: what it has looked at already may have changed since.
SWEEP_OVERLAP = temporalio.client.ScheduleOverlapPolicy.BUFFER_ONE


@dataclasses.dataclass(frozen=True, kw_only=True, slots=True)
class ListedSchedule:
    """A schedule in the list of all; `next_time` is RFC 3339 in UTC."""

    schedule_id: str
    memo: messages.ScheduleMemo
    is_paused: bool
    next_time: str | None


async def list_all(client: temporalio.client.Client) -> AsyncIterator[ListedSchedule]:
    """Yield the schedules that this program set up, of whatever installation."""
    with temporal_client.unreachable():
        async for item in await client.list_schedules(ids.SCHEDULES_QUERY, page_size=500):
            memo = await read_memo(item)
            if memo is None:
                continue
            is_paused = item.schedule is not None and item.schedule.state.paused
            moments = item.info.next_action_times if item.info is not None else []
            yield ListedSchedule(
                schedule_id=item.id,
                memo=memo,
                is_paused=is_paused,
                next_time=times.rfc3339(moments[0]) if moments and not is_paused else None,
            )


async def read_memo(
    item: temporalio.client.ScheduleListDescription | temporalio.client.ScheduleDescription,
) -> messages.ScheduleMemo | None:
    """Return whose a schedule is; None for one that this program did not set up."""
    try:
        memo: messages.ScheduleMemo | None = await item.memo_value(
            ids.MEMO, default=None, type_hint=messages.ScheduleMemo
        )
    except (TypeError, ValueError):
        return None
    return memo
