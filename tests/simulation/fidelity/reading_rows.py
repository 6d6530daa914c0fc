"""Rows about what is read of executions: queries, results, descriptions, listings."""

import asyncio
from datetime import timedelta
from typing import Any

from temporalio.api.common.v1 import WorkflowExecution
from temporalio.api.enums.v1 import EventType
from temporalio.api.taskqueue.v1 import TaskQueue
from temporalio.api.workflowservice.v1 import (
    DeleteWorkflowExecutionRequest,
    DescribeTaskQueueRequest,
    ResetWorkflowExecutionRequest,
)

from tests.simulation.fidelity.places import Place
from tests.simulation.fidelity.refused import end, refusal

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


async def a_query_of_what_fails_again_and_again_is_refused(place: Place) -> object:
    """At first no worker answers in time; after some attempts the server does not even ask."""
    handle = await place.start("Breaks")
    seen = []

    async def is_refused() -> bool:
        status = await refusal(handle.query("heard", rpc_timeout=timedelta(seconds=1)))
        # Whether client or server gives up first is a matter of chance.
        seen.append(status.replace("DEADLINE_EXCEEDED", "CANCELLED"))
        return status == "FAILED_PRECONDITION"

    await place.until(is_refused)
    history = await handle.fetch_history()
    kinds = [EventType.Name(event.event_type) for event in history.events]
    return [sorted(set(seen)), kinds]


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
        ),
        retry=True,
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
        ),
        retry=True,
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
            ),
            retry=True,
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
    a_query_sees_what_came_before_it,
    a_query_of_what_has_ended_is_answered,
    a_query_fails,
    a_query_without_a_worker_waits,
    a_query_of_what_never_ran_is_refused,
    a_failure_is_the_result,
    an_execution_has_its_time,
    a_task_that_fails_is_tried_again,
    a_query_of_what_fails_again_and_again_is_refused,
    timers_fire_and_are_canceled,
    a_description_has_what_the_start_said,
    a_memo_can_be_changed,
    listings_find_by_id_type_and_status,
    a_deleted_execution_is_gone,
    a_reset_is_a_new_run,
    a_queue_shows_who_polls_it_and_what_waits,
    a_worker_that_leaves_gives_its_executions_to_another,
]
