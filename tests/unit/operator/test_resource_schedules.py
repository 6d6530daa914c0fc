"""Schedules and triggers in passes of reconcile: set up, served, replaced, removed.

The decision tables are in tests/unit/chain/requests; here is what the operator does, in which
order.
"""

from typing import Any

import pytest

from controller.api.reasons import ChainReason
from controller.api.v1alpha1 import Delta, Phase
from controller.kube import errors as kube_errors
from controller.operator import reconciler
from controller.temporal import client as temporal_client
from controller.temporal import ids, start_messages
from controller.temporal.activities import chain_status
from controller.temporal.operator.run_use import RunUse
from tests.support.builders import make_stack
from tests.support.golden import Golden
from tests.unit.operator.fakes import NOW, Bench

AT_SIX = {"schedule": {"cron": "0 6 * * *", "startingDeadlineSeconds": 3600}}
AT_SEVEN = {"cron": "0 7 * * *", "startingDeadlineSeconds": 3600}
TRIGGERS = {"triggers": [{"type": "RootRunFinished"}]}
# No change of the spec starts a run.
QUIET = {"startPolicy": "OnRequest"}

YESTERDAY_AT_SIX, TODAY_AT_SIX = "2026-03-04T06:00:00Z", "2026-03-05T06:00:00Z"
TOMORROW_AT_SIX = "2026-03-06T06:00:00Z"


async def scheduled(bench: Bench, **spec: Any) -> None:
    """Bring the bench to where a schedule is set up, at 05:30 and so before its first time."""
    bench.clock.set("2026-03-05T05:30:00Z")
    bench.apply(**{**QUIET, **AT_SIX, **spec})
    await bench.reconcile()
    bench.schedules.calls.clear()
    bench.clock.set(NOW)


async def triggered(bench: Bench, *marks: tuple[str, str], **spec: Any) -> None:
    """Bring the bench to where roots are swept, and were looked at up to these runs."""
    bench.apply(**{**QUIET, **TRIGGERS, **spec})
    await bench.reconcile()
    roots = [
        start_messages.RootRuns(stack_id=stack_id, newest_run_id=run_id, finished=[])
        for stack_id, run_id in marks or (("a", "014"),)
    ]
    await bench.ask(account="acme", root_runs=roots)


def swept(*finished: start_messages.FinishedRun, stack_id: str = "a") -> dict[str, Any]:
    root = start_messages.RootRuns(stack_id=stack_id, newest_run_id="019", finished=list(finished))
    return {"account": "acme", "root_runs": [root]}


def run(run_id: str, *, is_own: bool = False) -> start_messages.FinishedRun:
    return start_messages.FinishedRun(run_id=run_id, is_own=is_own, triggered_by="jane")


# The schedule


async def test_a_schedule_is_set_up_and_its_next_time_shown(bench: Bench) -> None:
    bench.apply(**QUIET, **AT_SIX)

    await bench.reconcile()

    assert bench.schedules.calls == ["set up schedule", "next time"]
    assert bench.status.schedule is not None
    assert bench.status.schedule.next_time == TOMORROW_AT_SIX


async def test_at_rest_nothing_is_asked_about_schedules(bench: Bench) -> None:
    bench.apply(**QUIET, **AT_SIX, **TRIGGERS)
    await bench.reconcile()
    bench.schedules.calls.clear()

    await bench.reconcile()

    assert bench.schedules.calls == []


async def test_a_time_that_has_passed_starts_one_run(bench: Bench) -> None:
    await scheduled(bench)

    await bench.ask(scheduled_time=TODAY_AT_SIX)
    await bench.ask(scheduled_time=TODAY_AT_SIX)
    await bench.reconcile()

    assert bench.workflows.started == ["schedule"]
    assert bench.status.last_handled.schedule == TODAY_AT_SIX
    assert bench.status.schedule is not None
    assert bench.status.schedule.next_time == TOMORROW_AT_SIX


async def test_a_time_that_was_not_written_as_handled_starts_no_second_run(bench: Bench) -> None:
    await scheduled(bench)
    bench.api.failures["PATCH"].append(kube_errors.ApiUnreachable("away"))
    with pytest.raises(kube_errors.ApiUnreachable):
        await bench.ask(scheduled_time=TODAY_AT_SIX)
    bench.restart()

    await bench.reconcile()

    assert bench.workflows.started == ["schedule"]
    assert bench.status.last_handled.schedule == TODAY_AT_SIX


async def test_a_time_that_is_served_too_late_is_missed(bench: Bench) -> None:
    await scheduled(bench)
    bench.clock.set("2026-03-05T07:30:00Z")

    await bench.reconcile()

    assert bench.workflows.started == []
    assert bench.status.schedule is not None
    assert bench.status.schedule.missed == 1
    assert bench.count("starts_missed_total") == 1
    assert bench.troubles_shown() == {"StartMissed"}


async def test_a_time_waits_while_a_run_is_live(bench: Bench) -> None:
    await scheduled(bench)
    bench.annotate(run="now")
    await bench.reconcile()

    await bench.ask(scheduled_time=TODAY_AT_SIX)
    pending = bench.status.pending_run
    bench.workflows.end()
    await bench.reconcile()

    assert pending is None or pending.scheduled_time == TODAY_AT_SIX
    assert bench.status.last_handled.schedule == TODAY_AT_SIX


async def test_what_the_old_schedule_asks_for_is_written_before_it_is_replaced(
    bench: Bench,
) -> None:
    """A crash in between would lose times that only the old schedule has."""
    await scheduled(bench)
    bench.edit(schedule=AT_SEVEN)

    await bench.reconcile()
    first = list(bench.schedules.calls)
    bench.schedules.calls.clear()
    await bench.reconcile()

    assert first == ["times"]
    assert bench.schedules.calls == ["set up schedule", "next time"]
    assert bench.workflows.started == ["schedule"]
    assert bench.status.schedule is not None
    assert bench.status.schedule.next_time == "2026-03-05T07:00:00Z"


async def test_an_edit_that_is_taken_back_before_it_is_set_up_loses_no_time(bench: Bench) -> None:
    await scheduled(bench)
    bench.edit(schedule=AT_SEVEN)
    await bench.reconcile()
    bench.workflows.end()
    bench.edit(schedule=AT_SIX["schedule"])
    bench.clock.set("2026-03-06T06:30:00Z")

    await bench.reconcile()

    assert bench.workflows.started == ["schedule", "schedule"]
    assert bench.status.last_handled.schedule == TOMORROW_AT_SIX


async def test_no_time_counts_while_it_is_suspended(bench: Bench) -> None:
    await scheduled(bench)
    bench.clock.set("2026-03-05T05:40:00Z")
    bench.edit(suspend=True)
    await bench.reconcile()
    bench.clock.set("2026-03-09T06:30:00Z")
    bench.edit(suspend=False)

    await bench.reconcile()
    await bench.reconcile()

    assert bench.workflows.started == []
    assert bench.status.schedule is not None
    assert (bench.status.schedule.missed, bench.status.schedule.checked_time) == (
        0,
        "2026-03-09T06:30:00Z",
    )


async def test_a_schedule_that_is_missing_at_temporal_is_restored_and_served(bench: Bench) -> None:
    await scheduled(bench)
    bench.schedules.all.clear()

    await bench.resync_once()

    assert bench.workflows.started == ["schedule"]
    assert [kind for _, kind in bench.schedules.all] == [ids.SCHEDULE_KIND]


async def test_a_schedule_that_is_refused_is_said_and_not_asked_for_again(bench: Bench) -> None:
    bench.schedules.refuses.add("0 6 * * *")
    bench.apply(**QUIET, **AT_SIX)

    await bench.reconcile()
    said = bench.ready
    bench.schedules.calls.clear()
    await bench.reconcile()
    await bench.resync_once()
    again = list(bench.schedules.calls)
    bench.edit(schedule=AT_SEVEN)
    await bench.reconcile()

    assert said == ChainReason.SCHEDULE_INVALID
    assert again == ["list"]
    assert bench.ready == ChainReason.NOT_REQUESTED


async def test_a_refused_schedule_does_not_keep_other_runs_from_starting(bench: Bench) -> None:
    bench.schedules.refuses.add("0 6 * * *")
    bench.apply(**AT_SIX)

    await bench.reconcile()

    assert bench.workflows.started == ["spec"]
    assert bench.ready == ChainReason.SCHEDULE_INVALID


@pytest.mark.parametrize(
    "takes",
    [
        pytest.param(lambda bench: bench.edit(schedule=None, triggers=None), id="the spec"),
        pytest.param(
            lambda bench: bench.catalog.put("default", namespaces=("other",)),
            id="the connection",
        ),
    ],
)
async def test_what_is_no_longer_wanted_is_removed(bench: Bench, takes: Any) -> None:
    await scheduled(bench, **TRIGGERS)
    bench.clock.set("2026-03-05T05:40:00Z")
    takes(bench)

    await bench.reconcile()

    assert bench.schedules.all == {}
    assert (bench.status.schedule, bench.status.triggers) == (None, None)


@pytest.mark.parametrize("given", ["gone", "recreated", "deleting"])
async def test_an_ask_for_a_resource_that_goes_starts_nothing(bench: Bench, given: str) -> None:
    await scheduled(bench)
    uid = bench.body["metadata"]["uid"]
    if given == "deleting":
        bench.delete()
    else:
        bench.remove()
    if given == "recreated":
        bench.apply()

    with pytest.raises(chain_status.ResourceGone):
        await bench.ask(uid=uid, scheduled_time=TODAY_AT_SIX)

    assert bench.workflows.started == []


async def test_an_ask_for_a_spec_that_cannot_be_read_is_answered(bench: Bench) -> None:
    await scheduled(bench)
    bench.edit(roots={"stackIds": "not a list"})

    answer = await bench.ask(scheduled_time=TODAY_AT_SIX)

    assert answer.outcome.startswith("the spec cannot be read")
    assert bench.ready == ChainReason.INVALID_SPEC
    with pytest.raises(reconciler.InvalidSpec):
        await bench.reconcile()


async def test_without_temporal_a_schedule_waits_and_is_said_to(bench: Bench) -> None:
    await scheduled(bench)
    bench.workflows.is_away = True

    with pytest.raises(temporal_client.TemporalUnreachable):
        await bench.reconcile()

    assert bench.ready == ChainReason.TEMPORAL_UNREACHABLE


@pytest.mark.parametrize("is_published", [True, False], ids=["published", "operator was away"])
async def test_drift_that_a_scheduled_plan_finds_is_counted_once(
    bench: Bench, is_published: bool
) -> None:
    await scheduled(bench, operation="Plan")
    await bench.reconcile()
    changed = make_stack("a", Phase.SUCCEEDED, delta=Delta(added=1, changed=0, deleted=0))
    if is_published:
        bench.workflows.run(changed)
        await bench.publish()
    bench.workflows.end(changed)

    await bench.reconcile()
    await bench.reconcile()

    assert bench.workflows.started == ["schedule"]
    assert bench.count("drift_runs_total") == 1
    assert bench.count("drift_stacks_total") == 1
    assert bench.troubles_shown() == {"DriftDetected"}


# Finished runs of roots


@pytest.mark.parametrize(
    ("finished", "keys", "mark"),
    [
        pytest.param([run("015")], ["webhook"], "015", id="somebody's run"),
        pytest.param([run("014")], [], "014", id="one that was looked at"),
        pytest.param([run("017", is_own=True)], [], "017", id="one with our key"),
        pytest.param(
            [run("017", is_own=True), run("015")],
            ["webhook"],
            "015",
            id="somebody's below one of ours",
        ),
        pytest.param(
            [run("016"), run("015")], ["webhook"], "016", id="two: the newest asks for both"
        ),
        pytest.param([], [], "014", id="none"),
    ],
)
async def test_a_finished_run_of_a_root_starts_what_is_below_it(
    bench: Bench, finished: list[start_messages.FinishedRun], keys: list[str], mark: str
) -> None:
    await triggered(bench)

    answer = await bench.ask(**swept(*finished))
    await bench.reconcile()

    assert answer.undecided == []
    assert bench.workflows.started == keys
    assert [item.run_id for item in bench.status.last_handled.root_runs] == [mark]


async def test_a_root_that_is_seen_for_the_first_time_starts_nothing(bench: Bench) -> None:
    bench.apply(**QUIET, **TRIGGERS)
    await bench.reconcile()

    await bench.ask(**swept(run("015")))

    assert bench.workflows.started == []
    assert [item.run_id for item in bench.status.last_handled.root_runs] == ["019"]


@pytest.mark.parametrize(
    ("use", "keys", "undecided"),
    [
        pytest.param(RunUse.USED, [], [], id="a chain has it"),
        pytest.param(RunUse.UNDECIDED, [], ["a"], id="a chain may still adopt it"),
        pytest.param(RunUse.UNUSED, ["webhook"], [], id="no chain has it"),
    ],
)
async def test_a_run_that_a_chain_holds_asks_for_nothing(
    bench: Bench, use: RunUse, keys: list[str], undecided: list[str]
) -> None:
    await triggered(bench)
    bench.run_use.uses["015"] = use

    answer = await bench.ask(**swept(run("015")))

    assert answer.undecided == undecided
    assert bench.workflows.started == keys


@pytest.mark.parametrize(
    "changes",
    [
        pytest.param({"triggers": None}, id="the triggers are gone"),
        pytest.param({"suspend": True}, id="it is suspended"),
        pytest.param({"roots": {"stackIds": ["b"]}}, id="the roots are others"),
    ],
)
async def test_a_sweep_for_what_the_resource_was_before_starts_nothing(
    bench: Bench, changes: dict[str, Any]
) -> None:
    await triggered(bench)
    bench.edit(**changes)

    await bench.ask(**swept(run("015")))

    assert bench.workflows.started == []


async def test_a_sweep_over_a_connection_that_was_withdrawn_starts_nothing(bench: Bench) -> None:
    await triggered(bench)
    bench.catalog.put("default", namespaces=("other",))

    await bench.ask(**swept(run("015")))

    assert bench.workflows.started == []


async def test_what_kept_roots_from_being_seen_is_shown_until_the_next_sweep(
    bench: Bench, golden: Golden
) -> None:
    await triggered(bench, ("a", "014"), ("b", "014"), roots={"stackIds": ["a", "b"]})

    await bench.ask(**swept(), hidden=[f"s{number}" for number in range(7)] + ["b"])
    hidden = bench.status.triggers
    marks = {item.stack_id: item.run_id for item in bench.status.last_handled.root_runs}
    problem = "Spacelift rejects the key."
    await bench.ask(account="acme", problem=problem)
    rejected = bench.status.triggers
    await bench.reconcile()
    kept = bench.status.triggers
    await bench.ask(account="acme", root_runs=swept()["root_runs"])

    assert hidden is not None
    golden("operator_problems").check("roots are not seen", hidden.problem or "")
    # A root that cannot be seen for a while is not a new one afterwards.
    assert marks == {"a": "014", "b": "014"}
    assert rejected is not None
    assert rejected.problem == problem
    assert kept == rejected
    assert bench.status.triggers is not None
    assert bench.status.triggers.problem is None


async def test_a_run_of_a_root_waits_while_a_run_is_live(bench: Bench) -> None:
    await triggered(bench)
    bench.annotate(run="now")
    await bench.reconcile()

    await bench.ask(**swept(run("015")))
    pending = bench.status.pending_run
    bench.workflows.end()
    await bench.reconcile()

    assert pending is not None
    assert [item.run_id for item in pending.root_runs] == ["015"]
    assert bench.workflows.started == ["run", "webhook"]
    assert bench.workflows.last.argument.finished_roots[0].run_id == "015"


# Marks in the future


FORGED_TIME = "12026-01-01T00:00:00Z"


@pytest.mark.parametrize(
    "time",
    [
        pytest.param("9999-12-31T23:59:59Z", id="forged"),
        pytest.param("2026-03-05T05:36:01Z", id="by a clock that is ahead"),
        pytest.param(FORGED_TIME, id="after all that can be written"),
        pytest.param("tomorrow", id="none at all"),
        pytest.param("2026-03-07T06:00:00", id="without a zone"),
        pytest.param("", id="empty"),
    ],
)
async def test_a_time_that_cannot_have_come_holds_up_none_of_those_that_come(
    bench: Bench, time: str
) -> None:
    await scheduled(bench)
    bench.clock.set("2026-03-05T05:31:00Z")

    await bench.ask(scheduled_time=time)
    bench.clock.set("2026-03-05T06:00:01Z")
    await bench.resync_once()

    assert bench.workflows.started == ["schedule"]
    assert bench.status.last_handled.schedule == "2026-03-05T06:00:00Z"


async def test_a_time_of_a_clock_that_is_a_little_ahead_is_believed(bench: Bench) -> None:
    await scheduled(bench)
    bench.clock.set("2026-03-06T05:59:00Z")

    await bench.ask(scheduled_time="2026-03-06T06:00:00Z")

    assert bench.workflows.started == ["schedule"]


@pytest.mark.parametrize(
    "damage",
    [
        pytest.param({"schedule": {"checkedTime": "9999-01-01T00:00:00Z"}}, id="checked"),
        pytest.param({"schedule": {"checkedTime": "never"}}, id="a time that is none"),
        pytest.param({"schedule": {"nextTime": "9999-01-01T00:00:00Z"}}, id="next"),
        pytest.param({"schedule": {"nextTime": "never"}}, id="a next time that is none"),
        pytest.param({"lastHandled": {"schedule": "9999-01-01T00:00:00Z"}}, id="handled"),
        pytest.param(
            {"pendingRun": {"cause": "Schedule", "message": "", "scheduledTime": FORGED_TIME}},
            id="asked",
        ),
    ],
)
async def test_a_mark_of_a_schedule_in_the_future_counts_as_unknown(
    bench: Bench, damage: dict[str, dict[str, str]]
) -> None:
    """The clock of an earlier operator was wrong, or someone has edited the status."""
    await scheduled(bench)
    for part, fields in damage.items():
        bench.body["status"].setdefault(part, {}).update(fields)
    await bench.reconcile()
    bench.clock.set("2026-03-06T06:00:01Z")

    await bench.ask(scheduled_time="2026-03-06T06:00:00Z")

    assert bench.workflows.started == ["schedule"]


async def test_a_run_that_cannot_have_been_created_yet_is_no_mark(bench: Bench) -> None:
    forged = "7ZZZZZZZZZZZZZZZZZZZZZZZZZ"
    await triggered(bench)

    root = start_messages.RootRuns(stack_id="a", newest_run_id=forged, finished=[run(forged)])
    await bench.ask(account="acme", root_runs=[root])
    nothing = list(bench.workflows.started)
    await bench.ask(**swept(run("015")))

    assert nothing == []
    assert bench.workflows.started == ["webhook"]
    assert [item.run_id for item in bench.status.last_handled.root_runs] == ["015"]


async def test_a_root_whose_mark_is_in_the_future_begins_at_its_newest_run(bench: Bench) -> None:
    await triggered(bench)
    bench.body["status"]["lastHandled"]["rootRuns"][0]["runId"] = "7ZZZZZZZZZZZZZZZZZZZZZZZZZ"

    await bench.ask(**swept(run("015")))
    first = list(bench.workflows.started)
    marks = [item.run_id for item in bench.status.last_handled.root_runs]
    newer = start_messages.RootRuns(stack_id="a", newest_run_id="01A", finished=[run("01A")])
    await bench.ask(account="acme", root_runs=[newer])

    assert (first, marks) == ([], ["019"])
    assert bench.workflows.started == ["webhook"]


async def test_a_run_that_ended_in_the_future_is_rechecked(bench: Bench) -> None:
    bench.apply()
    await bench.reconcile()
    bench.workflows.fail_to_begin(ChainReason.GRAPH_CYCLE)
    await bench.reconcile()
    bench.workflows.forget()
    bench.body["status"]["latestRun"]["completionTime"] = "9999-01-01T00:00:00Z"

    await bench.reconcile()

    assert bench.workflows.started == ["spec", "recheck"]
