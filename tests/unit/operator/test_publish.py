"""What an execution that has news gets, and in which order a change is written and announced."""

import asyncio

import pytest

from controller.api.v1alpha1 import Phase
from controller.kube import errors as kube_errors
from controller.temporal import messages
from controller.temporal.activities import chain_status
from tests.support.builders import make_stack
from tests.unit.operator.fakes import Bench

SUCCEEDED = make_stack("a", Phase.SUCCEEDED)
RUNNING = make_stack("a", Phase.RUNNING)


def of_execution(bench: Bench, number: int) -> messages.PublishChainStatusInput:
    item = bench.workflows.all[number - 1]
    return messages.PublishChainStatusInput(
        ref=item.ref,
        workflow_id=item.execution.workflow_id,
        workflow_run_id=item.execution.workflow_run_id,
        interval_milliseconds=1000,
    )


async def started(bench: Bench, **spec: object) -> None:
    bench.apply(**spec)
    await bench.reconcile()


async def test_the_freshest_progress_is_written_and_its_sequence_returned(bench: Bench) -> None:
    await started(bench)
    bench.workflows.run(RUNNING)
    bench.workflows.run(SUCCEEDED)

    assert await bench.publish() == 3
    assert [stack.phase for stack in bench.status.stacks] == [Phase.SUCCEEDED]


async def test_an_execution_that_is_no_longer_the_latest_may_do_nothing(bench: Bench) -> None:
    await started(bench)
    bench.workflows.end()
    bench.edit(roots={"stackIds": ["b"]})
    await bench.reconcile()

    with pytest.raises(chain_status.Superseded):
        await bench.reconciler.publish(of_execution(bench, 1))


async def test_an_execution_whose_run_the_resource_has_from_another_may_do_nothing(
    bench: Bench,
) -> None:
    """Two operators that overlap can start one request twice; the status says who has it."""
    await started(bench)
    bench.workflows.end()
    await bench.reconcile()
    status = bench.body["status"]
    status["latestRun"] = {**status["latestRun"], "workflowRunId": "execution-of-another"}

    with pytest.raises(chain_status.Superseded):
        await bench.publish()


@pytest.mark.parametrize("is_there", [True, False], ids=["recreated", "gone"])
async def test_an_execution_whose_resource_is_gone_hears_it(bench: Bench, is_there: bool) -> None:
    await started(bench)
    bench.remove()
    if is_there:
        bench.apply()

    with pytest.raises(chain_status.ResourceGone):
        await bench.publish()

    assert not is_there or "status" not in bench.body


@pytest.mark.parametrize(
    ("policy", "is_gone"), [("Cancel", True), ("Orphan", False)], ids=["Cancel", "Orphan"]
)
async def test_a_resource_that_takes_its_run_with_it_counts_as_gone(
    bench: Bench, policy: str, is_gone: bool
) -> None:
    await started(bench, deletionPolicy=policy)
    bench.delete()

    if is_gone:
        with pytest.raises(chain_status.ResourceGone):
            await bench.publish()
    else:
        await bench.publish()


async def test_the_last_publish_is_followed_by_a_pass_once_the_run_has_closed(
    bench: Bench,
) -> None:
    """What waited for the run's end should not wait for the resync."""
    await started(bench)
    bench.workflows.run(SUCCEEDED)
    bench.edit(roots={"stackIds": ["b"]})
    bench.workflows.closes = asyncio.Event()

    await bench.publish(is_final=True)
    await bench.settle()
    before = list(bench.workflows.started)
    bench.workflows.end()
    bench.workflows.closes.set()
    await bench.settle()

    assert before == ["spec"]
    assert bench.workflows.started == ["spec", "spec"]


@pytest.mark.parametrize("fails", ["temporal", "api", "spec"])
async def test_a_pass_after_the_close_that_fails_is_left_to_the_resync(
    bench: Bench, fails: str
) -> None:
    await started(bench)
    bench.workflows.run(SUCCEEDED)
    bench.workflows.closes = asyncio.Event()
    await bench.publish(is_final=True)
    await bench.settle()
    bench.workflows.end()
    bench.workflows.is_away = fails == "temporal"
    if fails == "api":
        bench.api.failures["GET"].append(kube_errors.ApiUnreachable("away"))
    if fails == "spec":
        bench.edit(roots={"stackIds": "not a list"})

    bench.workflows.closes.set()
    await bench.settle()

    assert bench.workflows.started == ["spec"]


# Announcing


async def test_notifications_go_before_the_status_and_events_after_it(bench: Bench) -> None:
    await started(bench)
    bench.workflows.run(RUNNING)
    bench.log.clear()

    await bench.publish()

    order = [entry.split()[0] for entry in bench.log]
    assert order == sorted(order, key=["notify", "status", "event"].index)
    assert set(order) == {"notify", "status", "event"}


async def test_a_status_that_is_not_written_is_notified_again_under_the_same_ids(
    bench: Bench,
) -> None:
    """And reported by no Event meanwhile."""
    await started(bench)
    bench.workflows.run(RUNNING)
    bench.log.clear()
    bench.notifier.handed_over.clear()
    bench.api.failures["PATCH"].append(kube_errors.ApiUnreachable("away"))

    with pytest.raises(kube_errors.ApiUnreachable):
        await bench.publish()
    first = [item.notification.id for item in bench.notifier.handed_over]
    has_events = any(entry.startswith("event") for entry in bench.log)
    bench.notifier.handed_over.clear()
    bench.clock.advance(5)
    await bench.publish()

    assert not has_events
    assert [item.notification.id for item in bench.notifier.handed_over] == first


async def test_an_event_that_fails_fails_nothing(bench: Bench) -> None:
    bench.apply()
    bench.api.failures["POST"].append(kube_errors.Denied("no right to create events"))

    assert await bench.reconcile() is True


async def test_what_nothing_changed_is_announced_to_no_one(bench: Bench) -> None:
    await started(bench)
    bench.log.clear()

    await bench.reconcile()

    assert bench.log == []
