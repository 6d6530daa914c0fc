"""What a worker counts of its activities, besides what they count themselves."""

import dataclasses

import pytest
import temporalio.exceptions
from temporalio import activity
from temporalio.testing import ActivityEnvironment
from temporalio.worker import ActivityInboundInterceptor, ExecuteActivityInput

from controller.observability import metrics
from controller.temporal import worker
from controller.temporal.activities import errors


class Failing(ActivityInboundInterceptor):
    """An activity that fails with an error of some type."""

    def __init__(self, kind: str) -> None:
        self._kind = kind

    async def execute_activity(self, input: ExecuteActivityInput) -> None:  # noqa: A002 - the SDK's
        raise temporalio.exceptions.ApplicationError("It fails.", type=self._kind)


def test_every_refusal_that_there_is_has_a_count() -> None:
    assert sorted(metrics.WORK_REFUSALS) == sorted({*errors.NOT_SIGNED, *errors.NOT_ALLOWED})


@pytest.mark.parametrize(
    ("kind", "counted"), [("SignatureInvalid", 1), ("StackNotAllowed", 1), ("Unreachable", 0)]
)
async def test_refused_work_is_counted_and_other_failures_are_not(kind: str, counted: int) -> None:
    counters = metrics.Metrics()
    running = worker.RunningActivities(counters, follow_queue="follow")
    interceptor = running.intercept_activity(Failing(kind))

    @activity.defn
    async def call() -> None:
        await interceptor.execute_activity(
            ExecuteActivityInput(fn=call, args=[], executor=None, headers={})
        )

    with pytest.raises(temporalio.exceptions.ApplicationError):
        await ActivityEnvironment().run(call)

    found = {
        reason: counters.work_refused.labels(reason)._value.get()
        for reason in metrics.WORK_REFUSALS
    }
    assert sum(found.values()) == counted
    assert found.get(kind, 0) == counted
    assert running.count == 0


@pytest.mark.parametrize(("task_queue", "kind"), [("stackchain", "worker"), ("follow", "follow")])
async def test_what_gets_no_slot_is_counted_by_the_queue_that_it_is_of(
    task_queue: str, kind: str
) -> None:
    counters = metrics.Metrics()
    running = worker.RunningActivities(counters, follow_queue="follow")
    interceptor = running.intercept_activity(Failing(errors.CONNECTION_BUSY))
    environment = ActivityEnvironment()
    environment.info = dataclasses.replace(environment.info, task_queue=task_queue)

    @activity.defn
    async def call() -> None:
        await interceptor.execute_activity(
            ExecuteActivityInput(fn=call, args=[], executor=None, headers={})
        )

    with pytest.raises(temporalio.exceptions.ApplicationError):
        await environment.run(call)

    refused = {
        queue: counters.slots_refused.labels(queue)._value.get() for queue in ("worker", "follow")
    }
    assert refused == {"worker": 0, "follow": 0} | {kind: 1}
