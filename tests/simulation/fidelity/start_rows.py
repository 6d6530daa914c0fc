"""Rows about executions: starts, signals, cancels and terminations."""

import asyncio
from typing import Any

from temporalio.api.enums.v1 import EventType
from temporalio.common import WorkflowIDConflictPolicy, WorkflowIDReusePolicy

from tests.simulation.fidelity.places import Place
from tests.simulation.fidelity.refused import end, refusal

# Starts


async def a_start_of_what_runs_is_refused(place: Place) -> object:
    first = await place.start("Waits")
    return await refusal(place.start("Waits", id=first.id))


async def a_start_may_take_what_runs(place: Place) -> object:
    first = await place.start("Waits")
    second = await place.start(
        "Waits", id=first.id, id_conflict_policy=WorkflowIDConflictPolicy.USE_EXISTING
    )
    return first.first_execution_run_id == second.first_execution_run_id


async def a_start_may_terminate_what_runs(place: Place) -> object:
    first = await place.start("Waits")
    second = await place.start(
        "Waits", id=first.id, id_conflict_policy=WorkflowIDConflictPolicy.TERMINATE_EXISTING
    )
    old = place.client.get_workflow_handle(first.id, run_id=first.first_execution_run_id)
    new = place.client.get_workflow_handle(first.id)
    return [
        await place.status(old),
        await place.status(new),
        first.first_execution_run_id != second.first_execution_run_id,
    ]


async def an_id_may_be_used_again(place: Place) -> object:
    first = await place.start("Waits")
    await end(first)
    second = await place.start(
        "Waits", id=first.id, id_conflict_policy=WorkflowIDConflictPolicy.USE_EXISTING
    )
    return first.first_execution_run_id != second.first_execution_run_id


async def _after(place: Place, how: str, policy: WorkflowIDReusePolicy, **options: Any) -> str:
    first = await place.start("Waits")
    if how == "terminate":
        await first.terminate()
    elif how == "cancel":
        await first.cancel()
        await place.closed(first)
    else:
        await end(first, how)
    return await refusal(place.start("Waits", id=first.id, id_reuse_policy=policy, **options))


async def an_id_may_be_for_one_use_only(place: Place) -> object:
    existing = WorkflowIDConflictPolicy.USE_EXISTING
    reject = WorkflowIDReusePolicy.REJECT_DUPLICATE
    return [
        await _after(place, "end", reject),
        await _after(place, "fail", reject),
        await _after(place, "end", reject, id_conflict_policy=existing),
    ]


async def an_id_may_be_used_again_after_a_failure_only(place: Place) -> object:
    policy = WorkflowIDReusePolicy.ALLOW_DUPLICATE_FAILED_ONLY
    hows = ("end", "fail", "terminate", "cancel")
    return [await _after(place, how, policy) for how in hows]


# Signals


async def signals_before_the_first_task_are_seen(place: Place) -> object:
    queue = place.new_id("queue")
    handle = await place.start("Waits", task_queue=queue)
    for word in ("one", "two", "end"):
        await handle.signal("say", word)
    async with place.worker(task_queue=queue):
        return await handle.result()


async def signals_keep_their_order(place: Place) -> object:
    handle = await place.start("Waits")
    for number in range(12):
        await handle.signal("say", str(number))
    await handle.signal("say", "end")
    return await handle.result()


async def a_signal_finds_nothing(place: Place) -> object:
    missing = place.client.get_workflow_handle(place.new_id())
    closed = await place.start("Waits")
    await end(closed)
    return [await refusal(one.signal("say", "x")) for one in (missing, closed)]


async def a_signal_that_comes_while_a_task_ends_the_execution_is_not_lost(
    place: Place,
) -> object:
    """The server does not let the execution end, and the task is done again."""
    handle = await place.start("Lasts", 0 if place.has_slow_tasks else 1)
    await handle.query("heard")
    await handle.signal("say", "first")
    await asyncio.sleep(0.5)
    await handle.signal("say", "late")
    result = await handle.result()
    history = await handle.fetch_history()
    failed = [
        event.workflow_task_failed_event_attributes.cause
        for event in history.events
        if event.event_type == EventType.EVENT_TYPE_WORKFLOW_TASK_FAILED
    ]
    return [result, failed, await place.events(handle)]


async def an_unknown_signal_changes_nothing(place: Place) -> object:
    handle = await place.start("Waits")
    await handle.signal("unheard_of", "x")
    await handle.signal("say", "end")
    return await handle.result()


# Cancels and terminations


async def a_cancel_ends_what_does_not_catch_it(place: Place) -> object:
    handle = await place.start("Waits")
    await handle.query("heard")
    await handle.cancel()
    return [await place.closed(handle), await refusal(handle.result())]


async def a_cancel_may_be_caught(place: Place) -> object:
    handle = await place.start("Waits", "catch")
    await handle.query("heard")
    await handle.cancel()
    return [await handle.result(), await place.status(handle)]


async def a_cancel_before_the_first_task_is_seen(place: Place) -> object:
    queue = place.new_id("queue")
    handle = await place.start("Waits", "catch", task_queue=queue)
    await handle.cancel()
    async with place.worker(task_queue=queue):
        return [await place.closed(handle), await refusal(handle.result())]


async def a_cancel_and_a_signal_come_together(place: Place) -> object:
    queue = place.new_id("queue")
    handle = await place.start("Waits", "catch", task_queue=queue)
    async with place.worker(task_queue=queue):
        await handle.query("heard")
    await handle.signal("say", "one")
    await handle.cancel()
    async with place.worker(task_queue=queue):
        return [await place.closed(handle), await handle.result()]


async def a_cancel_is_asked_for_twice(place: Place) -> object:
    queue = place.new_id("queue")
    handle = await place.start("Waits", task_queue=queue)
    return [await refusal(handle.cancel()), await refusal(handle.cancel())]


async def a_cancel_or_termination_comes_too_late(place: Place) -> object:
    missing = place.client.get_workflow_handle(place.new_id())
    closed = await place.start("Waits")
    await end(closed)
    return [
        await refusal(closed.cancel()),
        await refusal(closed.terminate()),
        await refusal(missing.cancel()),
        await refusal(missing.terminate()),
    ]


async def a_termination_ends_at_once(place: Place) -> object:
    handle = await place.start("Waits", task_queue=place.new_id("queue"))
    await handle.terminate(reason="over")
    return [await place.status(handle), await refusal(handle.result()), await place.events(handle)]


async def a_cancel_of_another_run_finds_nothing(place: Place) -> object:
    handle = await place.start("Waits")
    other = place.client.get_workflow_handle(
        handle.id, run_id="00000000-0000-4000-8000-000000000000"
    )
    return [await refusal(other.cancel()), await refusal(other.signal("say", "x"))]


ROWS = [
    a_start_of_what_runs_is_refused,
    a_start_may_take_what_runs,
    a_start_may_terminate_what_runs,
    an_id_may_be_used_again,
    an_id_may_be_for_one_use_only,
    an_id_may_be_used_again_after_a_failure_only,
    signals_before_the_first_task_are_seen,
    signals_keep_their_order,
    a_signal_finds_nothing,
    a_signal_that_comes_while_a_task_ends_the_execution_is_not_lost,
    an_unknown_signal_changes_nothing,
    a_cancel_ends_what_does_not_catch_it,
    a_cancel_may_be_caught,
    a_cancel_before_the_first_task_is_seen,
    a_cancel_and_a_signal_come_together,
    a_cancel_is_asked_for_twice,
    a_cancel_or_termination_comes_too_late,
    a_termination_ends_at_once,
    a_cancel_of_another_run_finds_nothing,
]

SLOW_TASKS = {a_signal_that_comes_while_a_task_ends_the_execution_is_not_lost}
"""Those that need workflow tasks which take a second on the stand-in."""
