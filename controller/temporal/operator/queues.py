"""The state of task queues at Temporal: who polls them, and how much waits in them."""

import asyncio
import datetime
import logging
from collections.abc import Mapping
from dataclasses import dataclass

import temporalio.client
from temporalio.api.enums import v1 as enums
from temporalio.api.taskqueue import v1 as taskqueue
from temporalio.api.workflowservice import v1 as workflowservice
from temporalio.service import RPCError

from controller import clock, outside_text
from controller.observability import metrics
from controller.temporal import ids

logger = logging.getLogger(__name__)

WORKFLOW, ACTIVITY = "workflow", "activity"
# A poll waits for a minute, so a poller that lives was seen within the last one.
POLLER_FRESH_SECONDS = 120.0
# As often as metrics are usually read, and a handful of requests.
LOOK_SECONDS = 15.0

_TYPES = {
    WORKFLOW: enums.TaskQueueType.TASK_QUEUE_TYPE_WORKFLOW,
    ACTIVITY: enums.TaskQueueType.TASK_QUEUE_TYPE_ACTIVITY,
}


@dataclass(frozen=True, kw_only=True, slots=True)
class QueueState:
    """One kind of tasks of one queue; `backlog` is Temporal's estimate."""

    pollers: tuple[str, ...]
    """Who polls it now, by the name that each has given itself."""
    backlog: int
    backlog_age_seconds: float


async def describe(client: temporalio.client.Client, queue: str, kind: str) -> QueueState:
    """Return the state of a queue.

    Raises:
        RPCError: Temporal does not say.
    """
    answer = await client.workflow_service.describe_task_queue(
        workflowservice.DescribeTaskQueueRequest(
            namespace=client.namespace,
            task_queue=taskqueue.TaskQueue(name=queue),
            task_queue_type=_TYPES[kind],
            report_stats=True,
        ),
        retry=True,
    )
    now = clock.now()
    fresh = datetime.timedelta(seconds=POLLER_FRESH_SECONDS)
    return QueueState(
        # Temporal lists those that ended for some minutes more.
        pollers=tuple(
            poller.identity
            for poller in answer.pollers
            if now - poller.last_access_time.ToDatetime(tzinfo=datetime.UTC) <= fresh
        ),
        backlog=answer.stats.approximate_backlog_count,
        backlog_age_seconds=answer.stats.approximate_backlog_age.ToTimedelta().total_seconds(),
    )


def queues_of(
    task_queue: str, operator_queue: str, *, has_notifications: bool
) -> dict[str, tuple[str, tuple[str, ...]]]:
    """Return a release's queues by the name that metrics give them, with what waits in each."""
    found = {
        "worker": (task_queue, (WORKFLOW, ACTIVITY)),
        "follow": (ids.follow_queue(task_queue), (ACTIVITY,)),
        "operator": (operator_queue, (ACTIVITY,)),
    }
    if has_notifications:
        # Otherwise no one polls it, and nothing is put in.
        found["notify"] = (ids.notify_queue(task_queue), (WORKFLOW, ACTIVITY))
    return found


async def watch(
    client: temporalio.client.Client,
    queues: Mapping[str, tuple[str, tuple[str, ...]]],
    counters: metrics.Metrics,
    *,
    look_seconds: float = LOOK_SECONDS,
) -> None:
    """Keep the metrics of the queues up to date forever, even when there is no worker to report."""
    while True:
        for name, (queue, kinds) in queues.items():
            for kind in kinds:
                try:
                    await _look(client, name, queue, kind, counters)
                except Exception:
                    # Nothing waits for this loop, so its end would go unnoticed.
                    counters.unforeseen_errors.labels("queues").inc()
                    logger.exception("A task queue cannot be described", extra={"queue": queue})
        await asyncio.sleep(look_seconds)


async def _look(
    client: temporalio.client.Client, name: str, queue: str, kind: str, counters: metrics.Metrics
) -> None:
    try:
        state = await describe(client, queue, kind)
    except RPCError as error:
        # Another metric says whether Temporal answers; old numbers would be wrong.
        logger.debug(
            "A task queue cannot be described", extra={"why": outside_text.clean(str(error))}
        )
        for gauge in (counters.queue_pollers, counters.queue_backlog, counters.queue_backlog_age):
            gauge.clear()
        return
    counters.queue_pollers.labels(name, kind).set(len(state.pollers))
    counters.queue_backlog.labels(name, kind).set(state.backlog)
    counters.queue_backlog_age.labels(name, kind).set(state.backlog_age_seconds)
