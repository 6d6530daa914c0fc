"""One bad thing harms only itself: what no one foresaw, and what cannot be read here."""

import asyncio
import datetime
import itertools
from typing import Any

import kopf
import pytest
import temporalio.exceptions

from controller.api.reasons import ChainReason
from controller.api.v1alpha1 import Phase
from controller.kube import errors as kube_errors
from controller.operator import chain_metrics, errors
from controller.temporal import client as temporal_client
from controller.temporal import start_messages
from controller.temporal.activities import chain_status, operator_asks
from controller.temporal.operator import starter
from tests.support.builders import make_stack
from tests.support.golden import Golden
from tests.unit.operator.fakes import NAME, NAMESPACE, Bench, make_ref

UNFORESEEN = ZeroDivisionError("division by zero")
FOREIGN = starter.UnreadableExecution(
    "The memo of the workflow stackchain/x cannot be read: KeyError: 'binary/encrypted'",
    workflow_id="stackchain/x",
    workflow_run_id="foreign",
)
UNREAD = starter.UnreadableProgress("The answer cannot be read: TypeError: no such field")


async def failed(bench: Bench) -> chain_status.ReconcileFailed:
    with pytest.raises(chain_status.ReconcileFailed) as raised:
        await bench.reconcile()
    return raised.value


@pytest.mark.parametrize(
    ("error", "reason", "says"),
    [
        pytest.param(
            UNFORESEEN, ChainReason.RECONCILE_FAILED, "ZeroDivisionError", id="not foreseen"
        ),
        pytest.param(FOREIGN, ChainReason.WORKFLOW_UNREADABLE, "stackchain/x", id="foreign"),
    ],
)
async def test_a_pass_that_fails_is_shown_in_the_status_and_made_good_by_the_next(
    bench: Bench, error: Exception, reason: ChainReason, says: str
) -> None:
    bench.apply()
    bench.workflows.fails["latest"] = error

    await failed(bench)
    shown = bench.status.condition("Ready")
    failing, named = bench.count("chains_failing"), bench.troubles_shown()
    bench.workflows.fails.clear()
    await bench.reconcile()

    assert shown is not None
    assert (shown.status, shown.reason) == ("False", reason)
    assert (named, bench.troubles_shown()) == ({"Failing"}, set())
    assert says in shown.message
    assert (failing, bench.count("chains_failing")) == (1, 0)
    assert bench.workflows.started == ["spec"]
    assert bench.ready == ChainReason.PROGRESSING


async def test_what_the_status_says_of_the_run_stays_while_passes_fail(bench: Bench) -> None:
    bench.apply()
    await bench.reconcile()
    bench.workflows.run(make_stack("a", Phase.RUNNING))
    await bench.reconcile()
    bench.workflows.fails["latest"] = UNFORESEEN

    await failed(bench)

    assert bench.status.latest_run is not None
    assert [stack.id for stack in bench.status.stacks] == ["a"]


async def test_the_pauses_of_one_resource_grow_up_to_a_bound(bench: Bench) -> None:
    bench.apply()
    bench.workflows.fails["latest"] = UNFORESEEN

    pauses = [(await failed(bench)).retry_seconds for _ in range(9)]

    assert pauses == [5, 10, 20, 40, 80, 160, 320, 600, 600]
    assert bench.count("unforeseen_errors_total", part="reconcile") == 9


async def test_the_resync_leaves_a_resource_alone_until_its_pause_is_over(bench: Bench) -> None:
    bench.apply()
    bench.workflows.fails["latest"] = UNFORESEEN
    await failed(bench)
    described = bench.workflows.described

    await bench.resync_once()
    soon = bench.workflows.described
    bench.clock.advance(5)
    await bench.resync_once()

    assert (soon, bench.workflows.described) == (described, described + 1)


async def test_the_resync_reaches_the_others_past_one_that_fails(bench: Bench) -> None:
    bench.apply()
    bad = bench.body["metadata"]["uid"]
    other = {**bench.body, "metadata": {**bench.body["metadata"], "name": "other", "uid": "u2"}}
    bench.api.put(other)
    latest = bench.workflows.latest

    async def failing(ref: Any) -> Any:
        if ref.uid == bad:
            raise UNFORESEEN
        return await latest(ref)

    bench.workflows.latest = failing  # type: ignore[method-assign]

    await bench.resync_once()

    assert [item.ref.name for item in bench.workflows.all] == ["other"]


async def test_a_status_that_the_api_server_refuses_shows_at_least_why(bench: Bench) -> None:
    """Such as an invalid time that a worker has reported."""
    bench.apply()
    refusal = kube_errors.Invalid("status.latestRun.startTime: must be a date-time")
    bench.api.failures["PATCH"] += [refusal, refusal]

    problem = await failed(bench)

    assert "date-time" in str(problem)
    assert bench.ready == ChainReason.RECONCILE_FAILED


async def test_where_nothing_can_be_written_it_is_still_counted(bench: Bench) -> None:
    bench.apply()
    refusal = kube_errors.Invalid("no")
    bench.api.failures["PATCH"] += [refusal] * 3

    await failed(bench)

    assert bench.count("chains_failing") == 1


async def test_a_resource_whose_workflow_tells_what_nobody_reads_keeps_what_is_known(
    bench: Bench,
) -> None:
    bench.apply()
    await bench.reconcile()
    bench.workflows.run(make_stack("a", Phase.RUNNING))
    await bench.reconcile()
    bench.workflows.fails["get_progress"] = UNREAD

    await bench.reconcile()

    assert bench.ready == ChainReason.WORKFLOW_UNREADABLE
    assert [stack.id for stack in bench.status.stacks] == ["a"]
    assert bench.workflows.started == ["spec"]


async def test_a_publish_of_what_nobody_reads_is_called_again_and_leaves_no_event(
    bench: Bench,
) -> None:
    """An answer would let the workflow publish once more, each second."""
    bench.apply()
    await bench.reconcile()
    bench.workflows.fails["get_progress"] = UNREAD

    with pytest.raises(chain_status.ReconcileFailed):
        await bench.publish()

    assert bench.ready == ChainReason.WORKFLOW_UNREADABLE


async def test_a_resource_is_deleted_though_a_foreign_workflow_has_its_id(bench: Bench) -> None:
    uid = bench.apply()
    bench.delete()
    bench.workflows.fails["latest"] = FOREIGN

    may_go = await bench.reconciler.release(NAMESPACE, NAME, uid)
    shown = bench.status.condition("Ready")
    bench.workflows.fails.clear()

    assert not may_go
    assert bench.workflows.sent == ["cancel foreign"]
    assert shown is not None
    assert "stackchain/x" in shown.message
    assert await bench.reconciler.release(NAMESPACE, NAME, uid)


async def test_an_orphan_policy_lets_it_go_at_once(bench: Bench) -> None:
    uid = bench.apply(deletionPolicy="Orphan")
    bench.delete()
    bench.workflows.fails["latest"] = FOREIGN

    assert await bench.reconciler.release(NAMESPACE, NAME, uid)
    assert bench.workflows.sent == []


async def test_what_looks_like_ours_and_is_not_is_counted(bench: Bench) -> None:
    bench.workflows.unreadable = ("stackchain/a", "stackchain/b")

    await bench.resync_once()

    assert bench.count("temporal_unreadable", kind="workflow") == 2
    assert bench.count("temporal_unreadable", kind="schedule") == 0


@pytest.mark.parametrize(
    "error", [UNFORESEEN, kube_errors.Denied("no longer this release's namespace")]
)
async def test_one_run_without_a_resource_that_cannot_be_judged_holds_up_no_schedule(
    bench: Bench, error: Exception
) -> None:
    bench.apply()
    await bench.reconcile()
    bench.remove()
    bench.workflows.fails["is_orphan"] = error

    await bench.resync.once()

    assert bench.schedules.calls == ["list"]
    assert bench.workflows.sent == []


async def test_an_orphan_that_cannot_be_signaled_holds_up_nothing_and_is_not_canceled(
    bench: Bench,
) -> None:
    uid = bench.apply(deletionPolicy="Orphan")
    await bench.reconcile()
    bench.delete()
    bench.workflows.is_away = True
    assert await bench.reconciler.release(NAMESPACE, NAME, uid)
    bench.remove()
    bench.workflows.is_away = False
    bench.workflows.fails["latest"] = UNFORESEEN

    await bench.resync.once()
    listed, sent = list(bench.schedules.calls), list(bench.workflows.sent)
    bench.workflows.fails.clear()
    await bench.resync.once()
    at_once = list(bench.workflows.sent)
    bench.clock.advance(5)
    await bench.resync.once()

    assert listed == ["list"]
    assert sent == []
    assert at_once == []
    assert bench.workflows.sent[-1] == "orphan"
    assert not any(item.startswith("cancel") for item in bench.workflows.sent)


@pytest.mark.parametrize("item", ["run", "schedule"])
async def test_what_has_no_resource_and_fails_is_tried_again_with_a_growing_pause(
    bench: Bench, item: str
) -> None:
    spec = {"schedule": {"cron": "0 6 * * *"}} if item == "schedule" else {}
    bench.apply(**spec)
    await bench.reconcile()
    if item == "schedule":
        bench.workflows.end()
    bench.remove()
    calls: list[float] = []

    async def failing(*_: Any) -> bool:
        calls.append(bench.clock.monotonic())
        raise UNFORESEEN

    if item == "run":
        bench.workflows.is_orphan = failing  # type: ignore[assignment]
    else:
        bench.schedules.remove_listed = failing  # type: ignore[assignment]
    for _ in range(130):
        await bench.resync.once()
        bench.clock.advance(5)

    assert [later - before for before, later in itertools.pairwise(calls)] == [
        *(5, 10, 20, 40, 80, 160, 320)
    ]
    assert bench.count("unforeseen_errors_total", part="resync") == len(calls)


async def test_a_resource_that_the_watch_cannot_make_sense_of_is_still_known(
    bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    bench.apply()
    await bench.reconcile()
    body = bench.body

    def failing(*_: object, **__: object) -> chain_metrics.ChainFigures:
        raise ValueError("no one foresaw this")

    monkeypatch.setattr(chain_metrics, "figures_of", failing)
    bench.known.take_in("MODIFIED", body)

    uid = body["metadata"]["uid"]
    assert not bench.known.by_uid[uid].is_settled
    assert bench.count("unforeseen_errors_total", part="watch") == 1


async def test_the_resync_goes_on_after_a_pass_that_nobody_foresaw(bench: Bench) -> None:
    bench.resync._interval_seconds = 0.001
    calls: list[int] = []

    async def once() -> None:
        calls.append(len(calls))
        if len(calls) == 1:
            raise UNFORESEEN

    bench.resync.once = once  # type: ignore[method-assign]
    running = asyncio.create_task(bench.resync.run())
    for _ in range(1000):
        bench.resync.soon()
        await asyncio.sleep(0)
        if len(calls) > 1:
            break
    running.cancel()

    assert len(calls) > 1
    assert bench.count("unforeseen_errors_total", part="resync") == 1


# The caller learns when to try again


def test_kopf_is_told_the_pause() -> None:
    with pytest.raises(kopf.TemporaryError) as told, errors.as_kopf():
        raise chain_status.ReconcileFailed("why", retry_seconds=40)

    assert told.value.delay == 40


async def test_temporal_is_told_the_pause() -> None:
    class Failing:
        async def request_run(
            self, argument: start_messages.RequestRunCall
        ) -> start_messages.RequestRunResult:
            raise chain_status.ReconcileFailed("why", retry_seconds=40)

    with pytest.raises(temporalio.exceptions.ApplicationError) as told:
        await operator_asks.OperatorAsks(Failing()).request_run(
            start_messages.RequestRunCall(ref=make_ref("uid"))
        )

    assert told.value.next_retry_delay == datetime.timedelta(seconds=40)
    assert not told.value.non_retryable


async def test_an_outage_is_no_failure_of_a_resource(bench: Bench) -> None:
    bench.apply()
    bench.workflows.is_away = True

    with pytest.raises(temporal_client.TemporalUnreachable):
        await bench.reconcile()

    assert bench.count("chains_failing") == 0


# Workers that fail at a workflow


async def test_workers_that_fail_are_told_apart_from_workers_that_are_not_there(
    bench: Bench,
) -> None:
    bench.apply()
    await bench.reconcile()
    bench.workflows.has_worker = False
    bench.workflows.task_failure_text = "TypeError: set_parallelism() misses an argument"

    await bench.reconcile()
    shown = bench.status.condition("Ready")
    bench.workflows.task_failure_text = None
    bench.clock.advance(20)
    await bench.reconcile()

    assert shown is not None
    assert shown.reason == ChainReason.WORKFLOW_TASK_FAILING
    assert "misses an argument" in shown.message
    assert bench.ready == ChainReason.WORKER_UNAVAILABLE


async def test_a_run_that_is_too_large_for_temporal_says_what_to_do(
    bench: Bench, golden: Golden
) -> None:
    bench.apply()
    await bench.reconcile()
    bench.workflows.has_worker = False
    bench.workflows.task_failure_text = (
        "[TMPRL1103] Attempted to upload payloads with size that exceeded the error limit."
    )

    await bench.reconcile()

    shown = bench.status.condition("Ready")
    assert shown is not None
    assert shown.reason == ChainReason.WORKFLOW_TASK_FAILING
    golden("operator_problems").check("a workflow that is too large", shown.message)


async def test_a_deletion_says_that_workers_fail_at_stopping_the_runs(bench: Bench) -> None:
    uid = bench.apply()
    await bench.reconcile()
    bench.delete()
    bench.workflows.has_worker = False
    bench.workflows.task_failure_text = "TypeError: {braces}"

    await bench.reconciler.release(NAMESPACE, NAME, uid)

    shown = bench.status.condition("Ready")
    assert shown is not None
    assert "TypeError: {braces}" in shown.message


async def test_a_live_run_that_reports_nothing_since_workers_fail_is_found_in_some_passes(
    bench: Bench,
) -> None:
    """It looks as if it continued: nothing else asks a run that reports itself."""
    bench.apply()
    await bench.reconcile()
    bench.workflows.run(make_stack("a", Phase.RUNNING))
    await bench.publish()
    bench.workflows.task_failure_text = "it fails"
    bench.workflows.is_answering = answering  # type: ignore[assignment]
    get_progress = bench.workflows.get_progress

    async def failing(execution: Any) -> Any:
        bench.workflows.has_worker = False
        try:
            return await get_progress(execution)
        finally:
            bench.workflows.has_worker = True

    bench.workflows.get_progress = failing  # type: ignore[method-assign]

    for _ in range(10):
        await bench.resync_once()

    assert bench.ready == ChainReason.WORKFLOW_TASK_FAILING


async def answering(execution: Any) -> bool:
    return True
