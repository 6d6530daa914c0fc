"""Rows about activities: results, failures, retries, time-outs, heartbeats and cancels."""

import asyncio
import json
from typing import Any

from temporalio.api.enums.v1 import PendingActivityState
from temporalio.client import WorkflowHandle

from tests.simulation.fidelity.places import Place
from tests.simulation.fidelity.subjects import Call


async def _course(place: Place, call: Call) -> object:
    """Return what becomes of an activity, and the events of its history."""
    handle = await place.start("Calls", call)
    return [await handle.result(), await place.events(handle)]


async def a_result_comes_back(place: Place) -> object:
    return await _course(place, Call("echo", "hello"))


async def a_failure_for_good_is_not_tried_again(place: Place) -> object:
    return await _course(place, Call("fail_for_good", attempts=0))


async def a_kind_of_failure_may_not_be_tried_again(place: Place) -> object:
    return await _course(place, Call("fail", attempts=0, never_again=["Always"]))


async def attempts_run_out(place: Place) -> object:
    return await _course(place, Call("fail", attempts=3))


async def a_further_attempt_may_succeed(place: Place) -> object:
    return await _course(place, Call("fail_once", attempts=0))


async def a_failure_may_say_when_the_next_attempt_is(place: Place) -> object:
    return await _course(place, Call("fail_with_delay", attempts=0, pause=1000))


async def an_unknown_activity_fails(place: Place) -> object:
    text = await place.call(Call("unheard_of"))
    return text.split(" for workflow ")[0]


async def an_attempt_has_its_time(place: Place) -> object:
    return await _course(place, Call("hang", place.new_id(), start_to_close=1))


async def a_lost_attempt_is_followed_by_another(place: Place) -> object:
    return await _course(place, Call("hang_once", place.new_id(), start_to_close=1, attempts=2))


async def a_worker_has_to_take_it_up_in_time(place: Place) -> object:
    queue = place.new_id("queue")
    return await _course(place, Call("echo", queue=queue, schedule_to_start=1, attempts=0))


async def all_attempts_have_their_time(place: Place) -> object:
    """The pause before the next attempt is longer than what is left."""
    return await _course(place, Call("fail", schedule_to_close=2, attempts=0, pause=100))


async def the_time_of_all_attempts_ends_one(place: Place) -> object:
    call = Call("hang", place.new_id(), start_to_close=30, schedule_to_close=1, attempts=0)
    return await _course(place, call)


async def the_time_of_all_attempts_ends_while_no_worker_takes_it(place: Place) -> object:
    queue = place.new_id("queue")
    return await _course(place, Call("echo", queue=queue, schedule_to_close=1, attempts=0))


async def a_heartbeat_is_missed(place: Place) -> object:
    call = Call("beat_then_hang_once", place.new_id(), heartbeat=1, attempts=1)
    return await _course(place, call)


async def details_of_a_heartbeat_are_handed_on(place: Place) -> object:
    call = Call("beat_then_hang_once", place.new_id(), heartbeat=1, attempts=2)
    return await _course(place, call)


async def the_last_heartbeat_before_a_failure_is_handed_on(place: Place) -> object:
    return await _course(place, Call("beat_fast_then_fail_once", heartbeat=10, attempts=2))


async def details_outlast_an_attempt_that_has_none(place: Place) -> object:
    return await _course(place, Call("beat_once_then_fail_twice", heartbeat=10, attempts=3))


async def _details(handle: WorkflowHandle[Any, Any]) -> list[Any]:
    """Return what the server knows of the heartbeats of an activity that is under way."""
    found = await handle.describe()
    return [
        json.loads(payload.data)
        for one in found.raw_description.pending_activities
        for payload in one.heartbeat_details.payloads
    ]


async def a_worker_is_gone_after_heartbeats(place: Place) -> object:
    """The time-out counts from the last one, whose details reach the next attempt.

    The attempt lasts for longer than the time-out before its worker is killed.
    """
    queue, enough, seconds = place.new_id("queue"), 12, 3
    call = Call("count_at_first", str(enough), queue=queue, heartbeat=seconds, attempts=2)

    async def has_counted() -> bool:
        return any(number >= enough for number in await _details(handle))

    async with place.doomed_worker(queue) as kill:
        handle = await place.start("Calls", call)
        await place.until(has_counted)
        kill()
    killed_at = asyncio.get_running_loop().time()
    async with place.worker(task_queue=queue):
        result = await handle.result()
    waited = asyncio.get_running_loop().time() - killed_at
    return [result, waited > seconds - 1, await place.events(handle)]


async def a_heartbeat_that_was_held_back_goes_with_its_worker(place: Place) -> object:
    queue = place.new_id("queue")
    call = Call("beat_twice_then_hang_once", queue=queue, heartbeat=5, attempts=2)
    async with place.doomed_worker(queue, pause=60) as kill:
        handle = await place.start("Calls", call)
        await place.until(lambda: _details(handle))
        kill()
    async with place.worker(task_queue=queue):
        return [await handle.result(), await place.events(handle)]


# Cancels


async def _canceled(place: Place, name: str, cancellation: str, count: int) -> object:
    key = place.new_id()
    call = Call(name, key, heartbeat=5, cancellation=cancellation, cancel_on_signal=True)
    handle = await place.start("Calls", call)
    await place.seen(key, 1)
    await handle.signal("go")
    result = await handle.result()
    return [result, await place.seen(key, count), await place.events(handle)]


async def a_cancel_is_tried(place: Place) -> object:
    return await _canceled(place, "beat", "TRY_CANCEL", 2)


async def a_cancel_is_waited_for(place: Place) -> object:
    return await _canceled(place, "beat", "WAIT_CANCELLATION_COMPLETED", 2)


async def a_cancel_is_ignored_by_an_activity_that_finishes(place: Place) -> object:
    return await _canceled(place, "beat_and_finish", "WAIT_CANCELLATION_COMPLETED", 2)


async def a_cancel_makes_an_activity_fail(place: Place) -> object:
    return await _canceled(place, "beat_and_fail", "WAIT_CANCELLATION_COMPLETED", 2)


async def an_activity_is_abandoned(place: Place) -> object:
    return await _canceled(place, "beat", "ABANDON", 2)


async def a_cancel_comes_before_any_worker_has_it(place: Place) -> object:
    found: list[object] = []
    for cancellation in ("TRY_CANCEL", "WAIT_CANCELLATION_COMPLETED", "ABANDON"):
        call = Call(
            "echo", queue=place.new_id("queue"), cancellation=cancellation, cancel_after=0.5
        )
        found.append(await _course(place, call))
    return found


async def a_cancel_comes_in_the_same_task(place: Place) -> object:
    found: list[object] = []
    for cancellation in ("TRY_CANCEL", "WAIT_CANCELLATION_COMPLETED", "ABANDON"):
        call = Call("echo", cancellation=cancellation, cancel_after=0)
        found.append(await _course(place, call))
    return found


async def a_cancel_comes_between_two_attempts(place: Place) -> object:
    call = Call(
        "fail",
        attempts=0,
        pause=100,
        cancellation="WAIT_CANCELLATION_COMPLETED",
        cancel_after=1,
    )
    return await _course(place, call)


async def a_canceled_activity_that_does_not_listen_is_waited_for(place: Place) -> object:
    key = place.new_id()
    call = Call(
        "hang",
        key,
        start_to_close=2,
        cancellation="WAIT_CANCELLATION_COMPLETED",
        cancel_after=0.5,
        attempts=0,
    )
    return await _course(place, call)


async def an_activity_learns_that_its_workflow_is_gone(place: Place) -> object:
    key = place.new_id()
    handle = await place.start("Calls", Call("beat", key, heartbeat=5))
    await place.seen(key, 1)
    await handle.terminate()
    return await place.seen(key, 2)


async def a_worker_that_leaves_cancels_its_activities(place: Place) -> object:
    queue, key = place.new_id("queue"), place.new_id()
    call = Call("hang_once", key, queue=queue, heartbeat=20, attempts=0)
    handle = await place.start("Calls", call)
    async with place.worker(task_queue=queue):
        await place.seen(key, 1)
    async with place.worker(task_queue=queue):
        return [await handle.result(), await place.seen(key, 2)]


async def slots_are_kept(place: Place) -> object:
    """The second activity waits until the first one has ended."""
    queue, keys = place.new_id("queue"), [place.new_id(), place.new_id()]
    async with place.worker(task_queue=queue, max_concurrent_activities=1):
        handles = []
        for key in keys:
            call = Call("beat", key, queue=queue, heartbeat=5, cancel_on_signal=True)
            handles.append(await place.start("Calls", call))
            await place.seen(keys[0], 1)
        await asyncio.sleep(1)
        before = keys[1] in place.activities.seen
        await handles[0].signal("go")
        after = len(await place.seen(keys[1], 1))
        await handles[1].signal("go")
        await handles[1].result()
    return [before, after]


async def a_description_shows_what_is_under_way(place: Place) -> object:
    key = place.new_id()
    handle = await place.start("Calls", Call("beat", key, heartbeat=5))
    await place.seen(key, 1)

    async def pending() -> Any:
        found = await handle.describe()
        return list(found.raw_description.pending_activities)

    async def has_details() -> bool:
        return any(one.HasField("heartbeat_details") for one in await pending())

    await place.until(has_details)
    (shown,) = await pending()
    await handle.terminate()
    return [
        shown.activity_type.name,
        PendingActivityState.Name(shown.state),
        shown.attempt,
        [payload.data for payload in shown.heartbeat_details.payloads],
    ]


async def a_description_shows_the_last_failure(place: Place) -> object:
    handle = await place.start("Calls", Call("fail", attempts=0, pause=100))

    async def pending() -> Any:
        found = await handle.describe()
        return list(found.raw_description.pending_activities)

    async def is_paused() -> bool:
        return any(one.attempt == 2 for one in await pending())

    await place.until(is_paused)
    (shown,) = await pending()
    await handle.terminate()
    return [
        PendingActivityState.Name(shown.state),
        shown.attempt,
        shown.last_failure.message,
        shown.last_failure.application_failure_info.type,
    ]


ROWS = [
    a_result_comes_back,
    a_failure_for_good_is_not_tried_again,
    a_kind_of_failure_may_not_be_tried_again,
    attempts_run_out,
    a_further_attempt_may_succeed,
    a_failure_may_say_when_the_next_attempt_is,
    an_unknown_activity_fails,
    an_attempt_has_its_time,
    a_lost_attempt_is_followed_by_another,
    a_worker_has_to_take_it_up_in_time,
    all_attempts_have_their_time,
    the_time_of_all_attempts_ends_one,
    the_time_of_all_attempts_ends_while_no_worker_takes_it,
    a_heartbeat_is_missed,
    details_of_a_heartbeat_are_handed_on,
    the_last_heartbeat_before_a_failure_is_handed_on,
    details_outlast_an_attempt_that_has_none,
    a_worker_is_gone_after_heartbeats,
    a_heartbeat_that_was_held_back_goes_with_its_worker,
    a_cancel_is_tried,
    a_cancel_is_waited_for,
    a_cancel_is_ignored_by_an_activity_that_finishes,
    a_cancel_makes_an_activity_fail,
    an_activity_is_abandoned,
    a_cancel_comes_before_any_worker_has_it,
    a_cancel_comes_in_the_same_task,
    a_cancel_comes_between_two_attempts,
    a_canceled_activity_that_does_not_listen_is_waited_for,
    an_activity_learns_that_its_workflow_is_gone,
    a_worker_that_leaves_cancels_its_activities,
    slots_are_kept,
    a_description_shows_what_is_under_way,
    a_description_shows_the_last_failure,
]
