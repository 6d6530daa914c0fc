"""What the resync finds by comparing resources with Temporal, and what it leaves alone."""

import asyncio
import dataclasses
from typing import Any

import pytest

from controller.api.reasons import ChainReason
from controller.api.v1alpha1 import Phase
from controller.chain.requests.executions import ExecutionState
from controller.kube import errors as kube_errors
from controller.operator import resync
from controller.temporal import client as temporal_client
from controller.temporal import ids
from tests.support.builders import make_stack
from tests.unit.operator.fakes import Bench

SCHEDULE = {"schedule": {"cron": "0 6 * * *"}}
TRIGGERS = {"triggers": [{"type": "RootRunFinished"}]}
RUNNING = make_stack("a", Phase.RUNNING)


async def with_run(bench: Bench, **spec: Any) -> None:
    bench.apply(**spec)
    await bench.reconcile()
    bench.workflows.run(RUNNING)
    await bench.publish()


async def with_ended_run(bench: Bench, **spec: Any) -> None:
    await with_run(bench, **spec)
    bench.workflows.end()
    await bench.reconcile()


# Runs


@pytest.mark.parametrize(
    ("happens", "reason"),
    [
        pytest.param(
            lambda bench: bench.workflows.end(state=ExecutionState.TERMINATED),
            ChainReason.WORKFLOW_TERMINATED,
            id="terminated in the Temporal UI",
        ),
        pytest.param(
            lambda bench: bench.workflows.end(), ChainReason.RUN_SUCCEEDED, id="ended unseen"
        ),
        pytest.param(
            lambda bench: (bench.workflows.end(), bench.workflows.forget()),
            ChainReason.WORKFLOW_TERMINATED,
            id="ended unseen, and past retention",
        ),
    ],
)
async def test_a_live_run_that_is_over_is_corrected(
    bench: Bench, happens: Any, reason: ChainReason
) -> None:
    await with_run(bench)
    happens(bench)

    await bench.resync_once()

    assert bench.ready == reason
    assert bench.workflows.started == ["spec"]
    assert bench.count("resync_contradictions_total") == 1
    assert bench.troubles_shown() == {"StatusContradicted"}


async def test_a_resource_that_is_gone_leaves_no_trouble_behind(bench: Bench) -> None:
    """Another one of the name may come, which is well."""
    await with_run(bench)
    bench.workflows.end(state=ExecutionState.TERMINATED)
    await bench.resync_once()
    before = bench.troubles_shown()

    bench.known.take_in("DELETED", bench.body)
    after = bench.troubles_shown()

    assert (before, after) == ({"StatusContradicted"}, set())


async def test_a_resource_that_no_pass_has_seen_gets_its_run(bench: Bench) -> None:
    bench.apply()

    await bench.resync_once()

    assert bench.workflows.started == ["spec"]


@pytest.mark.parametrize("given", ["steady", "settled"])
async def test_what_is_as_it_should_be_costs_no_request(bench: Bench, given: str) -> None:
    await (with_run if given == "steady" else with_ended_run)(bench)
    bench.api.requests.clear()
    described = bench.workflows.described

    await bench.resync_once()

    assert sum(bench.api.requests.values()) == 0
    assert bench.workflows.described == described
    assert bench.count("resync_contradictions_total") == 0


async def test_a_settled_resource_with_a_live_run_is_corrected(bench: Bench) -> None:
    await with_ended_run(bench)
    for body in bench.api.objects.values():
        bench.known.take_in("MODIFIED", body)
    bench.edit(roots={"stackIds": ["b"]})
    await bench.reconcile()

    # The watch is behind.
    await bench.resync.once()

    assert bench.count("reconciles_total", result="ok") > 0
    assert bench.ready == ChainReason.PROGRESSING


@pytest.mark.parametrize(
    ("connection", "sent"),
    [({"operations": ("Plan",)}, ["suspend"]), ({}, [])],
    ids=["withdrawn", "still allowed"],
)
async def test_a_live_run_whose_connection_is_withdrawn_hears_of_it(
    bench: Bench, connection: dict[str, Any], sent: list[str]
) -> None:
    await with_run(bench)
    bench.catalog.put("default", **connection)

    await bench.resync_once()

    assert bench.workflows.sent == sent


async def test_without_a_worker_every_live_run_is_looked_at(bench: Bench) -> None:
    await with_run(bench)
    bench.workflows.has_worker = False

    await bench.resync_once()
    bench.clock.advance(20)
    await bench.resync_once()

    assert bench.ready == ChainReason.WORKER_UNAVAILABLE


@pytest.mark.parametrize(
    "error",
    [kube_errors.ApiUnreachable("away"), kube_errors.Conflict("again")],
    ids=["away", "conflicts"],
)
async def test_one_resource_that_cannot_be_reconciled_does_not_end_the_pass(
    bench: Bench, error: BaseException
) -> None:
    await with_run(bench)
    bench.workflows.end()
    bench.api.failures["PATCH"].extend([error] * 5)

    await bench.resync_once()
    bench.api.failures["PATCH"].clear()
    await bench.resync_once()

    assert bench.ready == ChainReason.RUN_SUCCEEDED


# Runs without a resource


@pytest.mark.parametrize(
    ("given", "sent"),
    [
        pytest.param("gone", ["cancel execution-1"], id="the resource is gone"),
        pytest.param("recreated", ["cancel execution-1"], id="another has its name"),
        pytest.param("unseen", [], id="the watch has not shown the resource yet"),
        pytest.param("orphan", [], id="it goes on without its resource"),
        pytest.param("no worker", [], id="nobody can stop its runs"),
    ],
)
async def test_a_run_whose_resource_is_gone_for_sure_is_canceled(
    bench: Bench, given: str, sent: list[str]
) -> None:
    await with_run(bench)
    if given != "unseen":
        bench.remove()
    if given == "recreated":
        bench.apply(startPolicy="OnRequest")
    bench.workflows.last.is_orphan = given == "orphan"
    bench.workflows.has_worker = given != "no worker"

    await bench.resync.once()

    assert bench.workflows.sent == sent


async def test_a_run_whose_resource_may_not_be_read_costs_the_others_nothing(
    bench: Bench,
) -> None:
    await with_run(bench, **SCHEDULE)
    bench.remove()
    bench.api.failures["GET"].append(kube_errors.Denied("no longer this release's namespace"))

    await bench.resync.once()

    assert bench.workflows.sent == []
    assert bench.schedules.all == {}


# Deletions that no watch has shown


@pytest.mark.parametrize(
    ("given", "known"),
    [
        pytest.param("listed again", [], id="a watch was interrupted"),
        pytest.param("tenth pass", [], id="the watch looks well"),
        pytest.param("second pass", ["uid-1"], id="no listing in each pass"),
        pytest.param("still there", ["uid-1"], id="it is still there"),
        pytest.param("unread", ["uid-1"], id="the API server does not say"),
    ],
)
async def test_a_resource_whose_deletion_was_missed_is_forgotten_and_its_run_canceled(
    bench: Bench, given: str, known: list[str]
) -> None:
    await with_run(bench)
    bench.known.take_in("ADDED", bench.body)
    if given != "still there":
        bench.remove()
    if given == "unread":
        bench.api.failures["GET"].extend([kube_errors.ApiUnreachable("away")] * 9)
    if given not in ("second pass", "tenth pass"):
        bench.watches.listings += 1

    for _ in range({"second pass": 2, "tenth pass": 10}.get(given, 1)):
        await bench.resync.once()

    assert list(bench.known.by_uid) == known
    assert bench.workflows.sent == ([] if known else ["cancel execution-1"])


async def test_an_orphan_that_went_while_temporal_was_away_is_signaled_first(
    bench: Bench,
) -> None:
    await with_run(bench, deletionPolicy="Orphan")
    bench.delete()
    bench.workflows.is_away = True
    uid = bench.body["metadata"]["uid"]
    await bench.reconciler.release("team", "chain", uid)
    bench.remove()
    bench.workflows.is_away = False

    await bench.resync.once()

    assert bench.workflows.sent == ["parallelism 10", "resume", "orphan"]


# Schedules


async def test_schedules_that_are_missing_are_set_up_again(bench: Bench) -> None:
    await with_ended_run(bench, **SCHEDULE, **TRIGGERS)
    bench.schedules.all.clear()

    await bench.resync_once()

    assert {kind for _, kind in bench.schedules.all} == {ids.SCHEDULE_KIND, ids.TRIGGERS_KIND}


async def test_schedules_without_a_resource_are_removed(bench: Bench) -> None:
    await with_ended_run(bench, **SCHEDULE, **TRIGGERS)
    bench.remove()

    await bench.resync.once()

    assert bench.schedules.all == {}


@pytest.mark.parametrize("given", ["unseen", "unreadable", "deleting"])
async def test_schedules_whose_resource_may_be_there_stay(bench: Bench, given: str) -> None:
    await with_ended_run(bench, **SCHEDULE)
    if given == "unreadable":
        bench.api.failures["GET"].append(kube_errors.Denied("no longer this release's namespace"))
    if given == "deleting":
        bench.delete()
        for body in bench.api.objects.values():
            bench.known.take_in("MODIFIED", body)

    await bench.resync.once()

    assert len(bench.schedules.all) == 1


async def test_a_schedule_that_the_spec_no_longer_has_is_removed_though_unseen(
    bench: Bench,
) -> None:
    await with_ended_run(bench, **SCHEDULE)
    bench.edit(schedule=None)

    await bench.resync.once()

    assert bench.schedules.all == {}


async def test_schedules_of_another_release_are_left_alone(bench: Bench) -> None:
    await with_ended_run(bench, **SCHEDULE)
    bench.remove()
    ((key, wanted),) = bench.schedules.all.items()
    foreign = dataclasses.replace(wanted.memo, installation="elsewhere")
    bench.schedules.all[key] = dataclasses.replace(wanted, memo=foreign)

    await bench.resync.once()

    assert list(bench.schedules.all) == [key]


async def test_a_time_that_has_passed_unheard_is_served(bench: Bench) -> None:
    await with_ended_run(bench, **SCHEDULE)
    bench.clock.set("2026-03-06T06:00:30Z")

    await bench.resync_once()

    assert bench.workflows.started == ["spec", "schedule"]


# Pass after pass


async def looped(bench: Bench, *, until: Any) -> None:
    """Run passes without a pause until something holds."""
    running = asyncio.create_task(bench.resync.run())
    for _ in range(1000):
        bench.resync.soon()
        await asyncio.sleep(0)
        if until():
            break
    running.cancel()
    await asyncio.gather(running, return_exceptions=True)


async def test_an_outage_is_shown_once_it_is_none_of_a_single_request(bench: Bench) -> None:
    await with_run(bench)
    for body in bench.api.objects.values():
        bench.known.take_in("MODIFIED", body)
    bench.workflows.is_away = True

    await looped(bench, until=lambda: bench.ready == ChainReason.TEMPORAL_UNREACHABLE)

    assert bench.ready == ChainReason.TEMPORAL_UNREACHABLE
    assert bench.count("resync_last_success_timestamp_seconds") == 0


async def test_a_pass_that_fails_is_made_up_for_by_the_next(bench: Bench) -> None:
    await with_run(bench)
    bench.remove()
    bench.api.failures["GET"].append(kube_errors.ApiUnreachable("away"))

    await looped(bench, until=lambda: bench.workflows.sent)

    assert bench.workflows.sent == ["cancel execution-1"]


async def test_passes_come_without_being_asked_for_and_the_last_good_one_is_shown(
    bench: Bench,
) -> None:
    bench.apply()
    bench.known.take_in("ADDED", bench.body)
    bench.resync._interval_seconds = 0.001

    running = asyncio.create_task(bench.resync.run())
    async with asyncio.timeout(60):
        while bench.count("resync_last_success_timestamp_seconds") == 0:  # noqa: ASYNC110
            await asyncio.sleep(0.001)
    running.cancel()

    assert bench.workflows.started == ["spec"]


async def test_without_temporal_a_pass_ends_with_that(bench: Bench) -> None:
    bench.workflows.is_away = True

    with pytest.raises(temporal_client.TemporalUnreachable):
        await bench.resync.once()


# What the watch shows


async def test_a_resource_that_is_gone_is_forgotten(bench: Bench) -> None:
    bench.apply()
    bench.known.take_in("ADDED", bench.body)

    bench.known.take_in("DELETED", bench.body)

    assert bench.known.by_uid == {}


@pytest.mark.parametrize(
    ("given", "is_settled"),
    [
        pytest.param("new", False, id="seen by no one"),
        pytest.param("live", False, id="a run is live"),
        pytest.param("ended", True, id="nothing is asked and nothing runs"),
        pytest.param("not requested", True, id="it waits to be asked"),
        pytest.param("edited", False, id="edited"),
        pytest.param("token", False, id="a token was set"),
        pytest.param("deleting", False, id="being deleted"),
        pytest.param("invalid", False, id="the spec cannot be read"),
        pytest.param("recheck", False, id="it could not begin, and is tried again"),
        pytest.param("problem", False, id="Temporal was away when it was looked at last"),
    ],
)
async def test_settled_is_what_needs_no_pass_at_a_restart(
    bench: Bench, given: str, is_settled: bool
) -> None:
    match given:
        case "new":
            bench.apply()
        case "live":
            await with_run(bench)
        case "not requested":
            bench.apply(startPolicy="OnRequest")
            await bench.reconcile()
        case "recheck":
            bench.apply()
            await bench.reconcile()
            bench.workflows.fail_to_begin(ChainReason.GRAPH_CYCLE)
            await bench.reconcile()
        case _:
            await with_ended_run(bench)
    match given:
        case "edited":
            bench.edit(parallelism=3)
        case "token":
            bench.annotate(retry="9")
        case "deleting":
            bench.delete()
        case "invalid":
            bench.edit(roots={"stackIds": "not a list"})
        case "problem":
            bench.workflows.is_away = True
            bench.annotate(run="now")
            with pytest.raises(temporal_client.TemporalUnreachable):
                await bench.reconcile()

    assert resync.is_settled(bench.body) is is_settled


async def test_the_end_of_a_run_is_counted_once_with_its_time(bench: Bench) -> None:
    await with_run(bench)
    bench.known.take_in("ADDED", bench.body)
    bench.clock.advance(90)
    bench.workflows.end()
    await bench.reconcile()

    bench.known.take_in("MODIFIED", bench.body)
    bench.known.take_in("MODIFIED", bench.body)
    bench.known.update_metrics()

    assert bench.count("chain_run_duration_seconds_count", phase="Succeeded") == 1
    assert bench.count("chains", reason="RunSucceeded") == 1
    assert bench.count("chains", reason="Progressing") == 0


async def test_what_a_pass_is_under_way_for_is_not_reconciled_again(bench: Bench) -> None:
    bench.apply()
    passes = asyncio.create_task(bench.reconcile())
    await asyncio.sleep(0)

    await bench.resync_once()
    await passes

    assert (
        bench.counters.registry.get_sample_value("stackchain_reconciles_total", {"result": "ok"})
        == 1
    )
    assert bench.workflows.started == ["spec"]
