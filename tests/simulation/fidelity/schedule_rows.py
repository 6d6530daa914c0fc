"""Rows about schedules: what they start, skip and keep, and what is read of them."""

import asyncio
from datetime import UTC, datetime, timedelta
from typing import Any

import temporalio.client
from google.protobuf.timestamp_pb2 import Timestamp
from temporalio.api.workflowservice.v1 import ListScheduleMatchingTimesRequest
from temporalio.client import (
    Schedule,
    ScheduleActionStartWorkflow,
    ScheduleHandle,
    ScheduleIntervalSpec,
    ScheduleOverlapPolicy,
    SchedulePolicy,
    ScheduleSpec,
    ScheduleState,
)

from tests.simulation.fidelity.places import Place
from tests.simulation.fidelity.refused import refusal

_RARELY = ScheduleSpec(intervals=[ScheduleIntervalSpec(every=timedelta(days=300))])
_OFTEN = ScheduleSpec(intervals=[ScheduleIntervalSpec(every=timedelta(seconds=1))])


async def _created(
    place: Place,
    spec: ScheduleSpec = _RARELY,
    *,
    schedule_id: str = "",
    overlap: ScheduleOverlapPolicy = ScheduleOverlapPolicy.SKIP,
    is_long: bool = False,
    is_paused: bool = False,
    **options: Any,
) -> ScheduleHandle:
    schedule_id = schedule_id or place.new_id("schedule")
    return await place.client.create_schedule(
        schedule_id,
        Schedule(
            action=ScheduleActionStartWorkflow(
                "Scheduled", is_long, id=f"{schedule_id}-run", task_queue=place.queue
            ),
            spec=spec,
            policy=SchedulePolicy(overlap=overlap, catchup_window=timedelta(seconds=60)),
            state=ScheduleState(paused=is_paused),
        ),
        **options,
    )


async def _actions(handle: ScheduleHandle) -> int:
    return (await handle.describe()).info.num_actions


async def _until_acted(place: Place, handle: ScheduleHandle, count: int) -> None:
    async def has_acted() -> bool:
        return await _actions(handle) >= count

    await place.until(has_acted)


async def _running(handle: ScheduleHandle) -> list[str]:
    found = await handle.describe()
    return [_workflow_id(action) for action in found.info.running_actions]


def _workflow_id(action: Any) -> str:
    return str(action.workflow_id)


async def _end_running(place: Place, handle: ScheduleHandle) -> None:
    for workflow_id in await _running(handle):
        await place.client.get_workflow_handle(workflow_id).signal("say", "end")


async def a_schedule_is_set_up_once(place: Place) -> object:
    handle = await _created(place)
    try:
        await _created(place, schedule_id=handle.id)
    except temporalio.client.ScheduleAlreadyRunningError:
        return "already there"
    finally:
        await handle.delete()
    return "twice"


async def a_schedule_acts_at_its_times(place: Place) -> object:
    handle = await _created(place, _OFTEN)
    await _until_acted(place, handle, 2)
    found = await handle.describe()
    await handle.delete()
    started = found.info.recent_actions[-1]
    workflow_id = _workflow_id(started.action)
    stamp = workflow_id.removeprefix(f"{handle.id}-run-")
    result = await place.client.get_workflow_handle(workflow_id).result()
    at = datetime.strptime(stamp, "%Y-%m-%dT%H:%M:%SZ").replace(tzinfo=UTC)
    return [result, at == started.scheduled_at]


async def a_schedule_acts_when_it_is_set_up(place: Place) -> object:
    handle = await _created(place, trigger_immediately=True)
    await _until_acted(place, handle, 1)
    count = await _actions(handle)
    await handle.delete()
    return count


async def a_paused_schedule_acts_only_if_told_to(place: Place) -> object:
    handle = await _created(place, _OFTEN, is_paused=True)
    await handle.trigger()
    await _until_acted(place, handle, 1)
    count = await _actions(handle)
    await handle.unpause()
    await _until_acted(place, handle, 2)
    await handle.pause(note="enough")
    found = await handle.describe()
    await handle.delete()
    return [count, found.schedule.state.paused, found.schedule.state.note]


async def _until_skipped(place: Place, handle: ScheduleHandle, count: int) -> None:
    async def has_skipped() -> bool:
        return (await handle.describe()).info.num_actions_skipped_overlap >= count

    await place.until(has_skipped)


async def _overlapping(place: Place, overlap: ScheduleOverlapPolicy) -> object:
    handle = await _created(place, is_long=True, overlap=overlap)
    await handle.trigger()
    await _until_acted(place, handle, 1)

    async def is_running() -> bool:
        return len(await _running(handle)) == 1

    await place.until(is_running)
    for skipped in (1, 2) if overlap is ScheduleOverlapPolicy.SKIP else (0, 1):
        # Two triggers within one second may count as one.
        await asyncio.sleep(1.2)
        await handle.trigger(overlap=overlap)
        await _until_skipped(place, handle, skipped)
    found = (await handle.describe()).info
    seen: list[object] = [found.num_actions, found.num_actions_skipped_overlap]
    await _end_running(place, handle)
    if overlap is ScheduleOverlapPolicy.BUFFER_ONE:
        await _until_acted(place, handle, 2)
        seen.append(await _actions(handle))
        await _end_running(place, handle)
    await handle.delete()
    return seen


async def a_schedule_skips_while_something_runs(place: Place) -> object:
    return await _overlapping(place, ScheduleOverlapPolicy.SKIP)


async def a_schedule_keeps_one_action_for_later(place: Place) -> object:
    return await _overlapping(place, ScheduleOverlapPolicy.BUFFER_ONE)


async def a_schedule_that_is_not_there(place: Place) -> object:
    handle = place.client.get_schedule_handle(place.new_id("nothing"))
    return [
        await refusal(handle.describe()),
        await refusal(handle.delete()),
        await refusal(handle.trigger()),
    ]


async def a_deleted_schedule_is_gone(place: Place) -> object:
    handle = await _created(place)
    await handle.delete()

    async def is_gone() -> bool:
        return await refusal(handle.describe()) == "NOT_FOUND"

    await place.until(is_gone)
    again = await _created(place, schedule_id=handle.id)
    await again.delete()
    return "can be set up again"


async def invalid_times_are_refused(place: Place) -> object:
    texts = ("61 * * * *", "* * *", "* * * * mox", "0 25 * * *")
    specs = [ScheduleSpec(cron_expressions=[text]) for text in texts]
    specs.append(ScheduleSpec(cron_expressions=["0 6 * * *"], time_zone_name="Mars/Olympus"))
    return [await refusal(_created(place, spec)) for spec in specs]


async def listings_have_memo_and_state(place: Place) -> object:
    handle = await _created(place, is_paused=True, memo={"text": "hello"})
    query = f"ScheduleId STARTS_WITH '{handle.id}'"

    async def found() -> list[Any]:
        return [item async for item in await place.client.list_schedules(query)]

    async def is_listed() -> bool:
        return bool(await found())

    await place.until(is_listed)
    (item,) = await found()
    described = await handle.describe()
    await handle.delete()
    paused = item.schedule.state.paused if item.schedule else None
    return [item.id == handle.id, await item.memo(), paused, await described.memo()]


_CRONS = (
    ("0 6 * * *", "Europe/Berlin"),
    ("30 2 * * *", "Europe/Berlin"),
    ("15 */6 1,15 * *", "America/New_York"),
    ("0 12 * * MON-FRI", "UTC"),
    ("5 4 29 2 *", "UTC"),
    ("0 0 13 * 5", "Asia/Tokyo"),
    ("10-50/20 8-10 * 3,10 0", "Europe/London"),
)


async def times_are_those_of_the_zone(place: Place) -> object:
    found = []
    for cron, zone in _CRONS:
        spec = ScheduleSpec(cron_expressions=[cron], time_zone_name=zone)
        found.append(await _times(place, spec, "2026-03-01T00:00:00Z", "2026-11-15T00:00:00Z"))
    return found


async def times_of_intervals_count_from_1970(place: Place) -> object:
    every = ScheduleIntervalSpec(every=timedelta(hours=7), offset=timedelta(minutes=25))
    spec = ScheduleSpec(intervals=[every])
    return await _times(place, spec, "2026-03-01T00:00:00Z", "2026-03-08T00:00:00Z")


async def times_are_after_one_moment_and_up_to_another(place: Place) -> object:
    spec = ScheduleSpec(cron_expressions=["0 * * * *"])
    return await _times(place, spec, "2026-03-01T00:00:00Z", "2026-03-01T03:00:00Z")


async def _times(place: Place, spec: ScheduleSpec, after: str, until: str) -> list[str]:
    handle = await _created(place, spec, is_paused=True)
    start, end = Timestamp(), Timestamp()
    start.FromJsonString(after)
    end.FromJsonString(until)
    answer = await place.client.workflow_service.list_schedule_matching_times(
        ListScheduleMatchingTimesRequest(
            namespace=place.client.namespace,
            schedule_id=handle.id,
            start_time=start,
            end_time=end,
        ),
        retry=True,
    )
    await handle.delete()
    return [stamp.ToJsonString() for stamp in answer.start_time]


ROWS = [
    a_schedule_is_set_up_once,
    a_schedule_acts_at_its_times,
    a_schedule_acts_when_it_is_set_up,
    a_paused_schedule_acts_only_if_told_to,
    a_schedule_skips_while_something_runs,
    a_schedule_keeps_one_action_for_later,
    a_schedule_that_is_not_there,
    a_deleted_schedule_is_gone,
    invalid_times_are_refused,
    listings_have_memo_and_state,
    times_are_those_of_the_zone,
    times_of_intervals_count_from_1970,
    times_are_after_one_moment_and_up_to_another,
]
