"""Rows about resets: what the new run keeps, what is done again, and what reaches whom."""

import asyncio

from temporalio.api.common.v1 import WorkflowExecution
from temporalio.api.enums.v1 import EventType
from temporalio.api.workflowservice.v1 import (
    ResetWorkflowExecutionRequest,
    ResetWorkflowExecutionResponse,
)

from tests.simulation.fidelity.places import Place
from tests.simulation.fidelity.refused import Handle, refusal

_COMPLETED = "WORKFLOW_TASK_COMPLETED"


async def _start(place: Place, *todo: tuple[str, ...], task_seconds: float = 0.0) -> Handle:
    """Start an execution that has done its first task before it has anything to do."""
    handle = await place.start("Directs", task_seconds)
    await _has(place, handle, _COMPLETED)
    for one in todo:
        await _do(place, handle, *one)
    return handle


async def _do(place: Place, handle: Handle, *what: str) -> None:
    """Have an execution do something; what it was to do before is under way, or done."""
    await _idle(place, handle)
    await handle.signal("do", args=what)


async def _idle(place: Place, handle: Handle) -> None:
    async def is_idle() -> bool:
        return not (await handle.describe()).raw_description.HasField("pending_workflow_task")

    await place.until(is_idle)


async def _kinds(handle: Handle) -> list[str]:
    history = await handle.fetch_history()
    return [
        EventType.Name(event.event_type).removeprefix("EVENT_TYPE_") for event in history.events
    ]


async def _has(place: Place, handle: Handle, kind: str, count: int = 1) -> None:
    """Wait until a history has so many events of a kind, and the workflow has heard of them."""

    async def is_there() -> bool:
        return (await _kinds(handle)).count(kind) >= count

    await place.until(is_there)
    if "WORKFLOW_TASK" not in kind:
        await _idle(place, handle)


async def _reset(place: Place, handle: Handle, *, to: int, run_id: str = "") -> Handle:
    """Reset to a completed workflow task by its number from 0; returns the new run.

    It is the newest run that is reset, unless another one is named.
    """
    kinds = await _kinds(place.client.get_workflow_handle(handle.id, run_id=run_id or None))
    done = [at for at, kind in enumerate(kinds, start=1) if kind == _COMPLETED]
    answer = await _ask(place, handle, done[to], run_id)
    return place.client.get_workflow_handle(handle.id, run_id=answer.run_id)


async def _ask(
    place: Place, handle: Handle, at: int, run_id: str = ""
) -> ResetWorkflowExecutionResponse:
    return await place.client.workflow_service.reset_workflow_execution(
        ResetWorkflowExecutionRequest(
            namespace=place.client.namespace,
            workflow_execution=WorkflowExecution(workflow_id=handle.id, run_id=run_id),
            reason="again",
            workflow_task_finish_event_id=at,
            request_id=place.new_id(),
        )
    )


async def _end(place: Place, handle: Handle) -> list[list[str]]:
    """End an execution; returns what it says, and its events."""
    await _do(place, handle, "end")
    return [await handle.result(), await place.events(handle)]


async def _end_after(place: Place, handle: Handle, kind: str) -> list[list[str]]:
    await _has(place, handle, kind)
    return await _end(place, handle)


def _first(place: Place, handle: Handle) -> Handle:
    """Return the run that was started, not the newest one."""
    return place.client.get_workflow_handle(handle.id, run_id=handle.first_execution_run_id)


async def a_reset_shows_where_it_comes_from(place: Place) -> object:
    old = await _start(place, ("note", "one"))
    await _has(place, old, "WORKFLOW_PROPERTIES_MODIFIED")
    new = await _reset(place, old, to=-1)
    await _idle(place, new)
    memo = await (await new.describe()).memo()
    newer = await _reset(place, new, to=0)
    events = (await newer.fetch_history()).events
    started = events[0].workflow_execution_started_event_attributes
    failed = events[3].workflow_task_failed_event_attributes
    runs = [await one.describe() for one in (_first(place, old), new, newer)]
    first_id = runs[0].run_id
    await _end(place, newer)
    since = runs[0].start_time.strftime("%Y-%m-%dT%H:%M:%SZ")
    query = f"WorkflowId = '{old.id}' AND StartTime >= '{since}'"

    async def are_listed() -> bool:
        return len([item async for item in place.client.list_workflows(query)]) == len(runs)

    await place.until(are_listed)
    return [
        memo,
        [one.raw_description.workflow_execution_info.first_run_id == first_id for one in runs],
        [one.raw_description.workflow_extended_info.reset_run_id for one in runs]
        == [runs[1].run_id, runs[2].run_id, ""],
        runs[0].start_time < runs[1].start_time < runs[2].start_time,
        started.first_execution_run_id == first_id,
        started.original_execution_run_id == first_id,
        [failed.cause, failed.failure.message, failed.base_run_id == runs[1].run_id],
        failed.new_run_id == runs[2].run_id,
        [await place.status(one) for one in (_first(place, old), new, newer)],
        await _kinds(newer),
    ]


async def a_random_number_changes_where_the_reset_was(place: Place) -> object:
    old = await _start(place, ("random", "a"), ("note", "between"))
    await _has(place, old, "WORKFLOW_PROPERTIES_MODIFIED")
    drawn = await old.query("done")
    kept = await _reset(place, old, to=-1)
    await _idle(place, kept)
    changed = await _reset(place, old, to=0)
    await _idle(place, changed)
    found = [drawn == await kept.query("done"), drawn == await changed.query("done")]
    await _end(place, changed)
    return found


async def what_was_called_after_the_point_is_called_again(place: Place) -> object:
    key = place.new_id()
    old = await _start(place, ("call", "count", key))
    await _has(place, old, "ACTIVITY_TASK_COMPLETED")
    new = await _reset(place, old, to=0)
    return [await _end_after(place, new, "ACTIVITY_TASK_COMPLETED"), place.activities.seen[key]]


async def what_had_ended_at_the_point_is_not_called_again(place: Place) -> object:
    key = place.new_id()
    old = await _start(place, ("call", "count", key))
    await _has(place, old, "ACTIVITY_TASK_COMPLETED")
    new = await _reset(place, old, to=-1)
    return [await _end(place, new), place.activities.seen[key]]


async def an_end_that_came_after_the_point_is_taken_back(place: Place) -> object:
    key, queue = place.new_id(), place.new_id("queue")
    old = await _start(place, ("call", "count", key, queue), ("note", "between"))
    await _has(place, old, "WORKFLOW_PROPERTIES_MODIFIED")
    async with place.worker(task_queue=queue):
        await _has(place, old, "ACTIVITY_TASK_COMPLETED")
        new = await _reset(place, old, to=2)
        ended = await _end_after(place, new, "ACTIVITY_TASK_COMPLETED")
    return [sorted(ended[1]), ended[0], place.activities.seen[key]]


async def an_activity_under_way_starts_again(place: Place) -> object:
    key = place.new_id()
    old = await _start(place, ("call", "beat", key))
    await place.seen(key, 1)
    await _do(place, old, "note", "between")
    await _has(place, old, "WORKFLOW_PROPERTIES_MODIFIED")
    new = await _reset(place, old, to=-1)
    seen = sorted(await place.seen(key, 3))
    await _idle(place, new)
    shown = (await new.describe()).raw_description.pending_activities
    found = [[one.attempt, one.state] for one in shown]
    await new.terminate()
    return [seen, found, await place.events(new)]


async def an_activity_without_a_worker_waits_on(place: Place) -> object:
    key, queue = place.new_id(), place.new_id("queue")
    old = await _start(place, ("call", "count", key, queue), ("note", "between"))
    await _has(place, old, "WORKFLOW_PROPERTIES_MODIFIED")
    new = await _reset(place, old, to=-1)
    await _has(place, new, "WORKFLOW_PROPERTIES_MODIFIED")
    async with place.worker(task_queue=queue):
        ended = await _end_after(place, new, "ACTIVITY_TASK_COMPLETED")
    return [ended, place.activities.seen[key]]


async def a_timer_keeps_its_time(place: Place) -> object:
    old = await _start(place, ("sleep", "3"), ("note", "between"))
    await _has(place, old, "WORKFLOW_PROPERTIES_MODIFIED")
    new = await _reset(place, old, to=-1)
    ended = await _end_after(place, new, "TIMER_FIRED")
    return [sorted(ended[0]), sorted(ended[1])]


async def a_timer_that_fired_after_the_point_fires_again(place: Place) -> object:
    old = await _start(place, ("sleep", "1"), ("note", "between"))
    await _has(place, old, "TIMER_FIRED")
    new = await _reset(place, old, to=2)
    ended = await _end_after(place, new, "TIMER_FIRED")
    return [ended[0], sorted(ended[1])]


async def a_cancel_after_the_point_is_forgotten(place: Place) -> object:
    old = await _start(place)
    await old.cancel()
    await _has(place, old, "WORKFLOW_EXECUTION_CANCEL_REQUESTED")
    new = await _reset(place, old, to=0)
    return await _end(place, new)


async def a_cancel_before_the_point_is_kept(place: Place) -> object:
    old = await _start(place)
    await old.cancel()
    await _has(place, old, "WORKFLOW_EXECUTION_CANCEL_REQUESTED")
    new = await _reset(place, old, to=1)
    await new.cancel()
    return await _end(place, new)


async def what_has_ended_can_be_reset(place: Place) -> object:
    old = await place.start("Waits")
    await _has(place, old, _COMPLETED)
    await old.signal("say", "end")
    await old.result()
    new = await _reset(place, old, to=0)
    first = [await new.result(), await place.events(new)]
    newer = await _reset(place, new, to=-1)
    return [first, await newer.result(), await place.events(newer)]


async def a_reset_while_a_task_is_done(place: Place) -> object:
    old = await _start(place, ("note", "one"), task_seconds=_task_seconds(place))
    await _has(place, old, "WORKFLOW_TASK_STARTED", 2)
    await old.signal("do", args=["note", "held back"])
    new = await _reset(place, old, to=0)
    await _has(place, new, "WORKFLOW_PROPERTIES_MODIFIED", 2)
    return [await place.events(_first(place, old)), await _end(place, new)]


# Children


async def a_child_from_before_the_point_reports_to_the_new_run(place: Place) -> object:
    _, new, child = await _child_from_before(place)
    shown = (await new.describe()).raw_description.pending_children
    found = [one.workflow_id == child.id for one in shown]
    await child.signal("say", "end")
    return [found, await _end_after(place, new, "CHILD_WORKFLOW_EXECUTION_COMPLETED")]


async def _child_from_before(
    place: Place, close: str = "REQUEST_CANCEL"
) -> tuple[Handle, Handle, Handle]:
    """Return a run, the one that a reset has made of it, and a child of the first."""
    child_id = place.new_id("child")
    old = await _start(place, ("start", child_id, close))
    await _has(place, old, "CHILD_WORKFLOW_EXECUTION_STARTED")
    await _do(place, old, "note", "between")
    await _has(place, old, "WORKFLOW_PROPERTIES_MODIFIED")
    child = place.client.get_workflow_handle(child_id)
    await child.query("heard")
    new = await _reset(place, old, to=-1)
    await _has(place, new, "WORKFLOW_PROPERTIES_MODIFIED")
    return old, new, child


async def a_child_from_after_the_point_keeps_its_id(place: Place) -> object:
    child_id = place.new_id("child")
    old = await _start(place, ("start", child_id))
    await _has(place, old, "CHILD_WORKFLOW_EXECUTION_STARTED")
    new = await _reset(place, old, to=0)
    child = place.client.get_workflow_handle(child_id)
    await _has(place, new, "START_CHILD_WORKFLOW_EXECUTION_FAILED")
    status = await place.status(child)
    await child.signal("say", "end")
    await child.result()
    return [status, await _end(place, new)]


async def a_child_that_ended_after_the_point(place: Place) -> object:
    child_id = place.new_id("child")
    old = await _start(place, ("start", child_id))
    await _has(place, old, "CHILD_WORKFLOW_EXECUTION_STARTED")
    await place.client.get_workflow_handle(child_id).signal("say", "end")
    await _has(place, old, "CHILD_WORKFLOW_EXECUTION_COMPLETED")
    new = await _reset(place, old, to=2)
    return await _end(place, new)


async def a_child_that_started_after_the_point(place: Place) -> object:
    """The task that asked for a child is followed by one that was started before the child."""
    child_id = place.new_id("child")
    old = await _start(place, ("start", child_id), task_seconds=_task_seconds(place))
    await _note_meanwhile(place, old, "CHILD_WORKFLOW_EXECUTION_STARTED")
    new = await _reset(place, old, to=2)
    kinds = await _kinds(new)
    child = place.client.get_workflow_handle(child_id)
    parent_id = (await child.describe()).parent_run_id
    await _has(place, new, "WORKFLOW_PROPERTIES_MODIFIED")
    await child.signal("say", "end")
    ended = await _end_after(place, new, "CHILD_WORKFLOW_EXECUTION_COMPLETED")
    return [_in_order(kinds), parent_id == old.first_execution_run_id, ended]


async def the_id_of_a_child_was_taken_after_the_point(place: Place) -> object:
    other = await place.start("Waits")
    old = await _start(place, ("start", other.id), task_seconds=_task_seconds(place))
    await _note_meanwhile(place, old, "START_CHILD_WORKFLOW_EXECUTION_FAILED")
    await other.terminate()
    new = await _reset(place, old, to=2)
    return [_in_order(await _kinds(new)), await _end(place, new)]


async def a_signal_that_arrived_after_the_point_is_sent_again(place: Place) -> object:
    other = await place.start("Waits")
    old = await _start(place, ("signal", other.id, "x"), task_seconds=_task_seconds(place))
    await _note_meanwhile(place, old, "EXTERNAL_WORKFLOW_EXECUTION_SIGNALED")
    new = await _reset(place, old, to=2)
    ended = await _end_after(place, new, "EXTERNAL_WORKFLOW_EXECUTION_SIGNALED")
    heard = await other.query("heard")
    await other.terminate()
    return [heard, ended[0], sorted(ended[1])]


def _task_seconds(place: Place) -> float:
    """Return how long workflow tasks last that are to be long; some places do it unasked."""
    return 0.0 if place.has_slow_tasks else 1.0


async def _note_meanwhile(place: Place, handle: Handle, kind: str) -> None:
    """Have one more task right behind the second one, and wait for what comes during it."""
    await _has(place, handle, "WORKFLOW_TASK_STARTED", 2)
    await handle.signal("do", args=["note", "between"])
    await _has(place, handle, kind)


def _in_order(kinds: list[str]) -> list[str]:
    """Return what a history has from the failed workflow task to the next one that starts."""
    failed = kinds.index("WORKFLOW_TASK_FAILED")
    return kinds[failed : kinds.index("WORKFLOW_TASK_SCHEDULED", failed) + 1]


async def a_new_run_cannot_cancel_a_child_from_before(place: Place) -> object:
    _, new, child = await _child_from_before(place)
    await _do(place, new, "tell", child.id, "one")
    await _has(place, new, "SIGNAL_EXTERNAL_WORKFLOW_EXECUTION_FAILED")
    await _do(place, new, "cancel", child.id)
    await _has(place, new, "REQUEST_CANCEL_EXTERNAL_WORKFLOW_EXECUTION_FAILED")
    await _do(place, new, "signal", child.id, "two")
    await _has(place, new, "EXTERNAL_WORKFLOW_EXECUTION_SIGNALED")
    found = [await place.status(child), await child.query("heard")]
    await child.terminate()
    return [found, await _end_after(place, new, "CHILD_WORKFLOW_EXECUTION_TERMINATED")]


async def a_child_from_before_stays_when_the_new_run_closes(place: Place) -> object:
    found = []
    for close in ("TERMINATE", "REQUEST_CANCEL", "ABANDON"):
        _, new, child = await _child_from_before(place, close)
        await new.terminate()
        # Nothing says that nothing happens.
        await asyncio.sleep(1)
        found.append(await place.status(child))
        await child.terminate()
    return found


async def a_child_outlives_two_resets(place: Place) -> object:
    _, new, child = await _child_from_before(place)
    newer = await _reset(place, new, to=-1)
    await child.signal("say", "end")
    return await _end_after(place, newer, "CHILD_WORKFLOW_EXECUTION_COMPLETED")


async def a_child_of_a_closed_run_reports_to_the_new_run(place: Place) -> object:
    child_id = place.new_id("child")
    old = await _start(place, ("start", child_id, "ABANDON"))
    await _has(place, old, "CHILD_WORKFLOW_EXECUTION_STARTED")
    await _do(place, old, "note", "between")
    await _has(place, old, "WORKFLOW_PROPERTIES_MODIFIED")
    await old.terminate()
    new = await _reset(place, old, to=-1)
    await _has(place, new, "WORKFLOW_PROPERTIES_MODIFIED")
    await place.client.get_workflow_handle(child_id).signal("say", "end")
    return await _end_after(place, new, "CHILD_WORKFLOW_EXECUTION_COMPLETED")


async def a_child_that_is_reset_reports_to_its_parent(place: Place) -> object:
    child_id = place.new_id("child")
    parent = await _start(place, ("start", child_id))
    await _has(place, parent, "CHILD_WORKFLOW_EXECUTION_STARTED")
    child = place.client.get_workflow_handle(child_id)
    await _has(place, child, _COMPLETED)
    await child.signal("say", "one")
    await _has(place, child, _COMPLETED, 2)
    first = (await child.describe()).run_id
    new = await _reset(place, child, to=-1)
    # Nothing says that the parent hears nothing of the end of the old one.
    await asyncio.sleep(1)
    shown = (await parent.describe()).raw_description.pending_children
    found = [[one.run_id == first for one in shown], await place.events(parent)]
    await new.signal("say", "end")
    return [found, await _end_after(place, parent, "CHILD_WORKFLOW_EXECUTION_COMPLETED")]


async def a_child_that_is_reset_hears_its_parent_but_not_its_cancel(place: Place) -> object:
    child_id = place.new_id("child")
    parent = await _start(place, ("start", child_id))
    await _has(place, parent, "CHILD_WORKFLOW_EXECUTION_STARTED")
    child = place.client.get_workflow_handle(child_id)
    await _has(place, child, _COMPLETED)
    new = await _reset(place, child, to=-1)
    await _do(place, parent, "tell", child_id, "one")
    await _has(place, parent, "EXTERNAL_WORKFLOW_EXECUTION_SIGNALED")
    await _do(place, parent, "cancel", child_id)
    await _has(place, parent, "EXTERNAL_WORKFLOW_EXECUTION_CANCEL_REQUESTED")
    await asyncio.sleep(1)
    found = [await place.status(new), await new.query("heard")]
    await parent.terminate()
    return [found, await place.closed(new), await place.events(parent)]


# Of an earlier run


async def _earlier_and_live(place: Place, *todo: tuple[str, ...]) -> tuple[Handle, Handle]:
    """Return a run that has ended, and one of the same id that is live and has done something."""
    earlier = await place.start("Directs", 0.0)
    await _do(place, earlier, "end")
    await earlier.result()
    live = await place.start("Directs", 0.0, id=earlier.id)
    await _has(place, live, _COMPLETED)
    for one in todo:
        await _do(place, live, *one)
    return earlier, live


async def a_reset_of_an_earlier_run_ends_the_live_one(place: Place) -> object:
    earlier, live = await _earlier_and_live(place, ("note", "live"))
    await _has(place, live, "WORKFLOW_PROPERTIES_MODIFIED")
    earlier_id, live_id = earlier.result_run_id, live.result_run_id
    new = await _reset(place, earlier, to=0, run_id=earlier_id or "")
    await _idle(place, new)
    ended = await new.result()
    runs = [
        await place.client.get_workflow_handle(new.id, run_id=run_id).describe()
        for run_id in (earlier_id, live_id, new.run_id)
    ]
    return [
        ended,
        [one.status.name if one.status else "-" for one in runs],
        [one.raw_description.workflow_execution_info.first_run_id == earlier_id for one in runs],
        [one.raw_description.workflow_extended_info.reset_run_id == new.run_id for one in runs],
        [one.raw_description.workflow_extended_info.reset_run_id == "" for one in runs],
        await place.events(_of_run(place, new, live_id)),
        await place.events(new),
    ]


def _of_run(place: Place, handle: Handle, run_id: str | None) -> Handle:
    return place.client.get_workflow_handle(handle.id, run_id=run_id)


async def a_reset_of_an_earlier_run_closes_the_children_of_the_live_one(place: Place) -> object:
    found = []
    for close in ("TERMINATE", "REQUEST_CANCEL", "ABANDON"):
        child_id = place.new_id("child")
        earlier, live = await _earlier_and_live(place, ("start", child_id, close))
        await _has(place, live, "CHILD_WORKFLOW_EXECUTION_STARTED")
        child = place.client.get_workflow_handle(child_id)
        await child.query("heard")
        await _reset(place, earlier, to=0, run_id=earlier.result_run_id or "")
        await asyncio.sleep(1)
        found.append(await place.status(child))
        if found[-1] == "RUNNING":
            await child.terminate()
    return found


async def an_earlier_run_that_is_reset_hears_no_signal_of_the_live_one(place: Place) -> object:
    old = await place.start("Waits")
    await _has(place, old, _COMPLETED)
    await old.signal("say", "one")
    await _has(place, old, _COMPLETED, 2)
    await old.terminate()
    live = await place.start("Waits", id=old.id)
    await _has(place, live, _COMPLETED)
    await live.signal("say", "two")
    await _has(place, live, _COMPLETED, 2)
    new = await _reset(place, old, to=0, run_id=old.result_run_id or "")
    heard = await new.query("heard")
    await new.terminate()
    return [heard, await place.events(new)]


async def an_earlier_run_of_its_own_reset_can_be_reset_again(place: Place) -> object:
    old = await _start(place, ("note", "one"))
    await _has(place, old, "WORKFLOW_PROPERTIES_MODIFIED")
    new = await _reset(place, old, to=-1)
    await _idle(place, new)
    newer = await _reset(place, old, to=0, run_id=old.first_execution_run_id or "")
    await _idle(place, newer)
    runs = [await one.describe() for one in (_first(place, old), new, newer)]
    found = [
        [one.status.name if one.status else "-" for one in runs],
        [one.raw_description.workflow_execution_info.first_run_id for one in runs].count(
            runs[0].run_id
        ),
        [one.raw_description.workflow_extended_info.reset_run_id for one in runs]
        == [newer.run_id, "", ""],
    ]
    return [found, await _end(place, newer)]


async def a_child_that_ended_under_another_run_is_not_told_of_again(place: Place) -> object:
    old, new, child = await _child_from_before(place)
    await child.signal("say", "end")
    await _has(place, new, "CHILD_WORKFLOW_EXECUTION_COMPLETED")
    newer = await _reset(place, old, to=-1, run_id=old.first_execution_run_id or "")
    await _has(place, newer, "WORKFLOW_PROPERTIES_MODIFIED")
    # Nothing says that nothing comes.
    await asyncio.sleep(1)
    shown = (await newer.describe()).raw_description.pending_children
    found = [one.workflow_id == child.id for one in shown]
    await newer.terminate()
    return [found, await place.events(newer)]


async def a_reset_needs_a_completed_task(place: Place) -> object:
    old = await _start(place)
    return [await refusal(_ask(place, old, at)) for at in (1, 2, 9)]


ROWS = [
    a_reset_shows_where_it_comes_from,
    a_random_number_changes_where_the_reset_was,
    what_was_called_after_the_point_is_called_again,
    what_had_ended_at_the_point_is_not_called_again,
    an_end_that_came_after_the_point_is_taken_back,
    an_activity_under_way_starts_again,
    an_activity_without_a_worker_waits_on,
    a_timer_keeps_its_time,
    a_timer_that_fired_after_the_point_fires_again,
    a_cancel_after_the_point_is_forgotten,
    a_cancel_before_the_point_is_kept,
    what_has_ended_can_be_reset,
    a_reset_while_a_task_is_done,
    a_child_from_before_the_point_reports_to_the_new_run,
    a_child_from_after_the_point_keeps_its_id,
    a_child_that_ended_after_the_point,
    a_child_that_started_after_the_point,
    the_id_of_a_child_was_taken_after_the_point,
    a_signal_that_arrived_after_the_point_is_sent_again,
    a_new_run_cannot_cancel_a_child_from_before,
    a_child_from_before_stays_when_the_new_run_closes,
    a_child_outlives_two_resets,
    a_child_of_a_closed_run_reports_to_the_new_run,
    a_child_that_is_reset_reports_to_its_parent,
    a_child_that_is_reset_hears_its_parent_but_not_its_cancel,
    a_reset_of_an_earlier_run_ends_the_live_one,
    a_reset_of_an_earlier_run_closes_the_children_of_the_live_one,
    an_earlier_run_that_is_reset_hears_no_signal_of_the_live_one,
    an_earlier_run_of_its_own_reset_can_be_reset_again,
    a_child_that_ended_under_another_run_is_not_told_of_again,
    a_reset_needs_a_completed_task,
]

SLOW_TASKS = {
    a_reset_while_a_task_is_done,
    a_child_that_started_after_the_point,
    the_id_of_a_child_was_taken_after_the_point,
    a_signal_that_arrived_after_the_point_is_sent_again,
}
"""Those that need workflow tasks which take a second on the stand-in."""
