"""What a worker counts of its activities, besides what they count themselves."""

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
    running = worker.RunningActivities(counters)
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
