"""Rows about executions: starts, signals, cancels, queries, ends, and what is read of them."""

import asyncio
from datetime import timedelta
from typing import Any

import temporalio.client
import temporalio.exceptions
from temporalio.api.common.v1 import WorkflowExecution
from temporalio.api.enums.v1 import EventType
from temporalio.api.taskqueue.v1 import TaskQueue
from temporalio.api.workflowservice.v1 import (
    DeleteWorkflowExecutionRequest,
    DescribeTaskQueueRequest,
    ResetWorkflowExecutionRequest,
)
from temporalio.client import WorkflowHandle
from temporalio.common import WorkflowIDConflictPolicy, WorkflowIDReusePolicy
from temporalio.service import RPCError

from tests.simulation.fidelity.places import Place
from tests.simulation.fidelity.subjects import described

Handle = WorkflowHandle[Any, Any]


async def refusal(work: Any) -> str:
    """Return how a call is refused."""
    try:
        await work
    except temporalio.exceptions.WorkflowAlreadyStartedError as error:
        return f"already started, {'with' if error.run_id else 'without'} a run id"
    except RPCError as error:
        return error.status.name
    except temporalio.client.WorkflowQueryFailedError as error:
        return f"query failed: {str(error).split(',')[0]}"
    except temporalio.client.WorkflowFailureError as error:
        return described(error.cause)
    return "fine"


async def end(handle: Handle, word: str = "end") -> None:
    await handle.signal("say", word)
    await refusal(handle.result())


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


# Queries


async def a_query_sees_what_came_before_it(place: Place) -> object:
    handle = await place.start("Waits")
    seen = []
    for number in range(5):
        await handle.signal("say", str(number))
        seen.append(len(await handle.query("heard")))
    return seen


async def a_query_of_what_has_ended_is_answered(place: Place) -> object:
    ended, stopped = await place.start("Waits"), await place.start("Waits")
    await ended.signal("say", "end")
    await ended.result()
    await stopped.signal("say", "x")
    await stopped.query("heard")
    await stopped.terminate()
    return [await ended.query("heard"), await stopped.query("heard")]


async def a_query_fails(place: Place) -> object:
    handle = await place.start("Waits")
    missing = place.client.get_workflow_handle(place.new_id())
    return [
        await refusal(handle.query("broken")),
        await refusal(handle.query("unheard_of")),
        await refusal(missing.query("heard")),
    ]


async def a_query_without_a_worker_waits(place: Place) -> object:
    handle = await place.start("Waits", task_queue=place.new_id("queue"))
    return await refusal(handle.query("heard", rpc_timeout=timedelta(seconds=1)))


async def a_query_of_what_never_ran_is_refused(place: Place) -> object:
    handle = await place.start("Waits", task_queue=place.new_id("queue"))
    await handle.terminate()
    return await refusal(handle.query("heard"))


# Ends


async def a_failure_is_the_result(place: Place) -> object:
    handle = await place.start("Waits")
    await handle.signal("say", "fail")
    return [await refusal(handle.result()), await place.status(handle)]


async def an_execution_has_its_time(place: Place) -> object:
    handle = await place.start("Waits", execution_timeout=timedelta(seconds=1))
    return [await refusal(handle.result()), await place.status(handle)]


async def a_task_that_fails_is_tried_again(place: Place) -> object:
    handle = await place.start("Breaks")

    async def is_second_attempt() -> bool:
        found = await handle.describe()
        return found.raw_description.pending_workflow_task.attempt > 1

    await place.until(is_second_attempt)
    history = await handle.fetch_history()
    failed = [
        event.workflow_task_failed_event_attributes
        for event in history.events
        if event.event_type == EventType.EVENT_TYPE_WORKFLOW_TASK_FAILED
    ]
    return [
        (one.cause, one.failure.message, one.failure.application_failure_info.type)
        for one in failed
    ]


async def timers_fire_and_are_canceled(place: Place) -> object:
    handle = await place.start("Sleeps")
    return [await handle.result(), await place.events(handle)]


# What is read


async def a_description_has_what_the_start_said(place: Place) -> object:
    handle = await place.start("Waits", memo={"text": "hello"})
    found = await handle.describe()
    return [
        found.workflow_type,
        found.status.name if found.status else "",
        await found.memo(),
        found.task_queue == place.queue,
        found.close_time is None,
        found.parent_id,
        await refusal(place.client.get_workflow_handle(place.new_id()).describe()),
    ]


async def a_memo_can_be_changed(place: Place) -> object:
    handle = await place.start("Remembers", "new", memo={"text": "old", "other": "kept"})

    async def is_new() -> bool:
        return (await (await handle.describe()).memo())["text"] == "new"

    await place.until(is_new)
    return [await (await handle.describe()).memo(), await place.events(handle)]


async def listings_find_by_id_type_and_status(place: Place) -> object:
    running, closed = await place.start("Waits"), await place.start("Waits", memo={"a": 1})
    await end(closed)
    queries = [
        f"WorkflowId = '{running.id}'",
        f"WorkflowId = '{closed.id}' AND ExecutionStatus = 'Running'",
        f"WorkflowId STARTS_WITH '{place.prefix}-id-' AND WorkflowType = 'Waits'",
        f"WorkflowId STARTS_WITH '{place.prefix}-id-' AND ExecutionStatus = 'Completed'",
    ]

    async def is_listed() -> bool:
        return [await _count(place, query) for query in queries[2:]] == [2, 1]

    await place.until(is_listed)
    counted = await place.client.count_workflows(queries[2])
    listed = [item async for item in place.client.list_workflows(queries[2])]
    return [
        [await _count(place, query) for query in queries],
        counted.count,
        sorted(item.status.name for item in listed if item.status),
        [await item.memo() for item in listed if item.id == closed.id],
    ]


async def _count(place: Place, query: str) -> int:
    return len([item async for item in place.client.list_workflows(query)])


async def a_deleted_execution_is_gone(place: Place) -> object:
    handle = await place.start("Waits")
    await end(handle)
    await place.client.workflow_service.delete_workflow_execution(
        DeleteWorkflowExecutionRequest(
            namespace=place.client.namespace,
            workflow_execution=WorkflowExecution(workflow_id=handle.id),
        )
    )
    return "asked for"


async def a_reset_is_a_new_run(place: Place) -> object:
    handle = await place.start("Waits")
    await handle.query("heard")
    await handle.signal("say", "one")
    await handle.query("heard")
    history = await handle.fetch_history()
    first = next(
        event.event_id
        for event in history.events
        if event.event_type == EventType.EVENT_TYPE_WORKFLOW_TASK_COMPLETED
    )
    await place.client.workflow_service.reset_workflow_execution(
        ResetWorkflowExecutionRequest(
            namespace=place.client.namespace,
            workflow_execution=WorkflowExecution(workflow_id=handle.id),
            reason="try again",
            workflow_task_finish_event_id=first,
            request_id=place.new_id(),
        )
    )
    new = place.client.get_workflow_handle(handle.id)
    old = place.client.get_workflow_handle(handle.id, run_id=handle.first_execution_run_id)
    heard = await new.query("heard")
    await new.signal("say", "end")
    return [heard, await new.result(), await place.status(old), await place.status(new)]


async def a_queue_shows_who_polls_it_and_what_waits(place: Place) -> object:
    queue = place.new_id("queue")
    await place.start("Waits", task_queue=queue)

    async def described_queue() -> Any:
        return await place.client.workflow_service.describe_task_queue(
            DescribeTaskQueueRequest(
                namespace=place.client.namespace,
                task_queue=TaskQueue(name=queue),
                task_queue_type=1,  # type: ignore[arg-type]
                report_stats=True,
            )
        )

    async def is_waiting() -> bool:
        return (await described_queue()).stats.approximate_backlog_count == 1

    await place.until(is_waiting)
    before = await described_queue()
    async with place.worker(task_queue=queue, identity="me"):

        async def is_polled() -> bool:
            found = await described_queue()
            return bool(found.pollers) and found.stats.approximate_backlog_count == 0

        await place.until(is_polled)
        after = await described_queue()
    return [len(before.pollers), sorted({poller.identity for poller in after.pollers})]


async def a_worker_that_leaves_gives_its_executions_to_another(place: Place) -> object:
    queue = place.new_id("queue")
    handle = await place.start("Waits", task_queue=queue)
    async with place.worker(task_queue=queue):
        await handle.query("heard")
    began = asyncio.get_running_loop().time()
    async with place.worker(task_queue=queue):
        await handle.signal("say", "end")
        result = await handle.result()
    return [result, asyncio.get_running_loop().time() - began < 8]


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
    an_unknown_signal_changes_nothing,
    a_cancel_ends_what_does_not_catch_it,
    a_cancel_may_be_caught,
    a_cancel_before_the_first_task_is_seen,
    a_cancel_and_a_signal_come_together,
    a_cancel_is_asked_for_twice,
    a_cancel_or_termination_comes_too_late,
    a_termination_ends_at_once,
    a_cancel_of_another_run_finds_nothing,
    a_query_sees_what_came_before_it,
    a_query_of_what_has_ended_is_answered,
    a_query_fails,
    a_query_without_a_worker_waits,
    a_query_of_what_never_ran_is_refused,
    a_failure_is_the_result,
    an_execution_has_its_time,
    a_task_that_fails_is_tried_again,
    timers_fire_and_are_canceled,
    a_description_has_what_the_start_said,
    a_memo_can_be_changed,
    listings_find_by_id_type_and_status,
    a_deleted_execution_is_gone,
    a_reset_is_a_new_run,
    a_queue_shows_who_polls_it_and_what_waits,
    a_worker_that_leaves_gives_its_executions_to_another,
]
