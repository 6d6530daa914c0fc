"""Passes of reconcile: which runs are started, canceled and signaled, and what the status says.

Given: a resource, its executions, and what goes wrong. Asserted: what Temporal was asked to do, and
the status that the resource has after.
"""

import asyncio
import itertools
from collections.abc import Callable
from typing import Any

import pytest

from controller.api import v1alpha1
from controller.api.reasons import ChainReason, StackReason
from controller.api.v1alpha1 import Phase
from controller.chain.requests.executions import ExecutionState
from controller.kube import errors as kube_errors
from controller.operator import reconciler
from controller.temporal import client as temporal_client
from controller.temporal.activities import chain_status
from tests.support.builders import T0, make_stack
from tests.unit.operator.fakes import NAME, NAMESPACE, Bench, Crash

AWAY = kube_errors.ApiUnreachable("The API server is away.")
SUCCEEDED = make_stack("a", Phase.SUCCEEDED)
FAILED = make_stack("a", Phase.FAILED)
NOT_RUN = make_stack("a", Phase.CANCELED, reason=StackReason.CHAIN_CANCELED)
RUNNING = make_stack("a", Phase.RUNNING)

Step = Callable[[Bench], Any]


def does(**steps: Any) -> Step:
    """Return a step that sets attributes of the workflows."""

    def step(bench: Bench) -> None:
        for name, value in steps.items():
            setattr(bench.workflows, name, value)

    return step


def api_fails(method: str, *errors: BaseException) -> Step:
    return lambda bench: bench.api.failures[method].extend(errors)


def before(method: str, happens: str) -> Step:
    """Return a step after which a method of the bench is called just before a request."""
    return lambda bench: bench.api.before.update({method: getattr(bench, happens)})


async def with_run(bench: Bench, *stacks: Any, **spec: Any) -> None:
    """Bring the bench to where run 1 is live with these stacks, and the status says so."""
    bench.apply(**spec)
    await bench.reconcile()
    bench.workflows.run(*(stacks or (RUNNING,)), parallelism=spec.get("parallelism", 10))
    await bench.publish()


async def test_nothing_starts_before_a_deletion_would_wait_for_it(bench: Bench) -> None:
    """The resync may come to a new resource before kopf has added the finalizer."""
    bench.apply()
    bench.body["metadata"]["finalizers"] = ["others/theirs"]

    await bench.reconcile()

    assert bench.body["metadata"]["finalizers"] == ["others/theirs", v1alpha1.FINALIZER]
    assert bench.log[:2] == ["finalizer", "start 1"]


async def test_nothing_starts_where_the_finalizer_cannot_be_added(bench: Bench) -> None:
    bench.apply()
    bench.body["metadata"]["finalizers"] = []
    bench.api.failures["PATCH"].append(AWAY)

    with pytest.raises(kube_errors.ApiUnreachable):
        await bench.reconcile()

    assert bench.workflows.all == []


async def with_ended_run(bench: Bench, *stacks: Any, **spec: Any) -> None:
    """Bring the bench to where run 1 is over, and the status says so."""
    await with_run(bench, **spec)
    bench.workflows.end(*(stacks or (SUCCEEDED,)))
    await bench.reconcile()


# One run for one request


@pytest.mark.parametrize(
    ("goes_wrong", "error"),
    [
        pytest.param(does(), None, id="nothing goes wrong"),
        pytest.param(does(crash_after_start=True), Crash, id="killed between start and status"),
        pytest.param(does(is_beaten=True), None, id="another operator starts it first"),
        pytest.param(api_fails("PATCH", AWAY), type(AWAY), id="the status cannot be written"),
        pytest.param(api_fails("PATCH", Crash()), Crash, id="killed while writing the status"),
        pytest.param(before("PATCH", "touch"), None, id="somebody writes before the status"),
        pytest.param(
            api_fails("PATCH", *[kube_errors.Conflict("again")] * 5),
            kube_errors.Conflict,
            id="somebody always writes before the status",
        ),
    ],
)
async def test_one_request_is_one_run(
    bench: Bench, goes_wrong: Step, error: type[BaseException] | None
) -> None:
    bench.apply()
    goes_wrong(bench)

    if error is None:
        await bench.reconcile()
    else:
        with pytest.raises(error):
            await bench.reconcile()
    bench.restart()
    await bench.reconcile()

    assert bench.workflows.started == ["spec"]
    assert bench.status.latest_run is not None
    assert bench.status.latest_run.number == 1
    assert bench.status.last_handled.spec is not None
    assert bench.ready == ChainReason.PROGRESSING


@pytest.mark.parametrize(
    "end",
    [ExecutionState.CLOSED, ExecutionState.TERMINATED, ExecutionState.FAILED],
)
async def test_a_run_that_ended_before_its_start_was_written_is_not_started_again(
    bench: Bench, end: ExecutionState
) -> None:
    bench.apply()
    bench.workflows.crash_after_start = True
    with pytest.raises(Crash):
        await bench.reconcile()
    bench.workflows.end(state=end)

    bench.restart()
    await bench.reconcile()
    await bench.reconcile()

    assert bench.workflows.started == ["spec"]
    assert bench.status.latest_run is not None
    assert bench.status.latest_run.phase.is_over


async def test_a_resource_that_changes_before_the_start_is_decided_anew(bench: Bench) -> None:
    """There may have been a wait for Temporal: what was read before it is old by then."""
    bench.apply()

    def edited_after_reading() -> None:
        bench.api.before["GET"] = lambda: bench.edit(roots={"stackIds": ["b"]})

    bench.api.before["GET"] = edited_after_reading
    await bench.reconcile()

    assert bench.workflows.started == ["spec"]
    assert bench.workflows.last.argument.scope.roots.stack_ids == ("b",)
    assert bench.workflows.last.execution.generation == 2


async def test_a_resource_that_goes_before_the_start_gets_no_run(bench: Bench) -> None:
    bench.apply()

    def gone_after_reading() -> None:
        bench.api.before["GET"] = bench.remove

    bench.api.before["GET"] = gone_after_reading
    with pytest.raises(chain_status.ResourceGone):
        await bench.reconcile()

    assert bench.workflows.started == []


async def test_a_resource_that_is_gone_is_nothing_to_do(bench: Bench) -> None:
    assert await bench.reconcile() is False
    assert bench.workflows.described == 0


async def test_a_second_pass_writes_nothing(bench: Bench) -> None:
    bench.apply()

    assert await bench.reconcile() is True
    assert await bench.reconcile() is False
    assert bench.count("status_writes_total", result="unchanged") == 1
    assert bench.count("chain_starts_total") == 1


async def test_calls_for_one_resource_do_not_overlap(bench: Bench) -> None:
    bench.apply()

    written = await asyncio.gather(*(bench.reconcile() for _ in range(5)))

    assert written.count(True) == 1
    assert bench.workflows.started == ["spec"]


# What is asked, and what follows


def edited(bench: Bench) -> None:
    bench.edit(roots={"stackIds": ["b"]})


@pytest.mark.parametrize(
    ("spec", "asks", "sent", "waiting"),
    [
        pytest.param({}, edited, [], "Spec", id="Queue: an edit waits"),
        pytest.param(
            {"concurrencyPolicy": "Replace"},
            edited,
            ["cancel execution-1"],
            "Spec",
            id="Replace: an edit ends the run",
        ),
        pytest.param(
            {}, lambda bench: bench.annotate(run="now"), [], "RunToken", id="Queue: a run token"
        ),
        pytest.param(
            {"concurrencyPolicy": "Replace"},
            lambda bench: bench.annotate(run="now"),
            ["cancel execution-1"],
            "RunToken",
            id="Replace: a run token",
        ),
        pytest.param(
            {"concurrencyPolicy": "Replace"},
            lambda bench: bench.annotate(retry="1"),
            ["retry 1"],
            None,
            id="Replace: a retry acts in the run all the same",
        ),
        pytest.param(
            {},
            lambda bench: bench.annotate(bypass="1: a @fixed by hand"),
            ["bypass 1: a @fixed by hand"],
            None,
            id="a bypass acts in the run",
        ),
        pytest.param(
            {}, lambda bench: bench.annotate(bypass="1"), [], None, id="a bypass of nothing"
        ),
        pytest.param(
            {},
            lambda bench: bench.annotate(cancel="1"),
            ["cancel execution-1"],
            None,
            id="a cancel token of this run",
        ),
        pytest.param(
            {}, lambda bench: bench.annotate(cancel="7"), [], None, id="a cancel token of no run"
        ),
        pytest.param(
            {}, lambda bench: bench.annotate(retry="7"), [], None, id="a retry token of no run"
        ),
        pytest.param(
            {},
            lambda bench: bench.edit(suspend=True),
            ["suspend"],
            None,
            id="suspended: no more stacks start",
        ),
        pytest.param(
            {"suspend": True},
            lambda bench: bench.edit(suspend=False),
            ["resume"],
            None,
            id="no longer suspended",
        ),
        pytest.param(
            {},
            lambda bench: bench.edit(parallelism=3),
            ["parallelism 3"],
            None,
            id="another parallelism",
        ),
        pytest.param(
            {},
            lambda bench: bench.edit(historyLimit=3),
            [],
            None,
            id="an edit that is nothing to a run",
        ),
    ],
)
async def test_what_is_asked_while_a_run_is_live(
    bench: Bench, spec: dict[str, Any], asks: Step, sent: list[str], waiting: str | None
) -> None:
    await with_run(bench, **spec)
    asks(bench)

    await bench.reconcile()
    await bench.reconcile()

    assert bench.workflows.started == ["spec"]
    assert bench.workflows.sent == sent
    pending = bench.status.pending_run
    assert (pending.cause if pending else None) == waiting


@pytest.mark.parametrize(
    ("asks", "keys"),
    [
        pytest.param(edited, ["spec", "spec"], id="an edit"),
        pytest.param(lambda bench: bench.annotate(run="now"), ["spec", "run"], id="a run token"),
        pytest.param(lambda bench: bench.annotate(retry="1"), ["spec", "retry"], id="a retry"),
    ],
)
async def test_what_has_waited_runs_once_the_run_has_ended(
    bench: Bench, asks: Step, keys: list[str]
) -> None:
    await with_run(bench)
    asks(bench)
    await bench.reconcile()
    bench.workflows.end(FAILED)

    await bench.reconcile()
    await bench.reconcile()

    assert bench.workflows.started == keys
    assert bench.status.pending_run is None
    assert bench.status.latest_run is not None
    assert bench.status.latest_run.number == 2
    assert [run.phase for run in bench.status.history] == [Phase.FAILED]


@pytest.mark.parametrize(
    ("asks", "keys"),
    [
        pytest.param(lambda bench: None, ["spec"], id="nothing"),
        pytest.param(lambda bench: bench.edit(parallelism=3), ["spec"], id="how it runs"),
        pytest.param(edited, ["spec", "spec"], id="what runs"),
        pytest.param(lambda bench: bench.annotate(run="now"), ["spec", "run"], id="a run token"),
        pytest.param(lambda bench: bench.annotate(retry="1"), ["spec", "retry"], id="a retry"),
        pytest.param(lambda bench: bench.annotate(retry="9"), ["spec"], id="a retry of no run"),
        pytest.param(lambda bench: bench.annotate(retry="x"), ["spec"], id="a retry of no number"),
        pytest.param(lambda bench: bench.annotate(cancel="1"), ["spec"], id="a cancel too late"),
    ],
)
@pytest.mark.parametrize("has_history", [True, False], ids=["known to Temporal", "past retention"])
async def test_what_is_asked_after_a_run(
    bench: Bench, asks: Step, keys: list[str], has_history: bool
) -> None:
    await with_ended_run(bench, FAILED)
    if not has_history:
        bench.workflows.forget()
    asks(bench)

    await bench.reconcile()
    bench.restart()
    await bench.reconcile()

    assert bench.workflows.started == keys
    assert bench.status.latest_run is not None
    assert bench.status.latest_run.number == len(keys)


async def test_a_retry_keeps_what_succeeded(bench: Bench) -> None:
    await with_ended_run(bench, make_stack("a", Phase.SUCCEEDED), make_stack("b", Phase.FAILED))
    bench.workflows.forget()
    bench.annotate(retry="1")

    await bench.reconcile()

    assert [kept.stack_id for kept in bench.workflows.last.argument.kept] == ["a"]


async def test_a_stale_token_is_answered_by_an_event_once(bench: Bench) -> None:
    await with_ended_run(bench)
    bench.annotate(retry="7")

    await bench.reconcile()
    await bench.reconcile()

    assert bench.log.count("event StaleRequest") == 1
    assert bench.status.last_handled.retry == "7"


async def test_on_request_only_nothing_runs_by_itself(bench: Bench) -> None:
    bench.apply(startPolicy="OnRequest")

    await bench.reconcile()
    unasked = (list(bench.workflows.started), bench.ready)
    bench.annotate(run="now")
    await bench.reconcile()

    assert unasked == ([], ChainReason.NOT_REQUESTED)
    assert bench.workflows.started == ["run"]


async def test_created_suspended_a_run_is_started_that_starts_no_stack(bench: Bench) -> None:
    bench.apply(suspend=True)

    await bench.reconcile()

    assert bench.workflows.last.argument.is_suspended


async def test_a_cancel_is_not_sent_again_at_once(bench: Bench) -> None:
    """Each one is an event in the history of a run that is stopping."""
    await with_run(bench, concurrencyPolicy="Replace")
    edited(bench)
    for _ in range(3):
        await bench.reconcile()
    at_once = list(bench.workflows.sent)
    bench.clock.advance(61)
    await bench.reconcile()

    assert at_once == ["cancel execution-1"]
    assert bench.workflows.sent == ["cancel execution-1"] * 2


async def test_runs_that_are_replaced_before_they_do_anything_leave_no_trace(bench: Bench) -> None:
    """Neither in the history nor as advice: a retry of any but the latest run is refused."""
    await with_ended_run(bench, FAILED, concurrencyPolicy="Replace")
    for number in range(5):
        bench.annotate(run=f"now {number}")
        await bench.reconcile()
        bench.annotate(run=f"now {number}, or rather")
        await bench.reconcile()
        bench.workflows.end(NOT_RUN, is_canceling=True)
        await bench.reconcile()

    assert bench.status.latest_run is not None
    assert bench.status.latest_run.number == 7
    assert [run.number for run in bench.status.history] == [1]
    advised = [
        event["message"] for event in bench.api.events if "stackchain.dev/retry" in event["message"]
    ]
    assert [message[:6] for message in advised] == ["Run 1:"]


# Runs that could not start are tried again


async def test_what_may_pass_is_tried_again_and_less_often_the_longer_it_lasts(
    bench: Bench,
) -> None:
    bench.apply()
    await bench.reconcile()
    attempts = []
    for _ in range(120):
        if bench.workflows.last.execution.state is ExecutionState.RUNNING:
            bench.workflows.fail_to_begin(ChainReason.GRAPH_CYCLE)
            attempts.append(bench.clock.monotonic())
        bench.clock.advance(60)
        await bench.reconcile()

    assert {item.request.number for item in bench.workflows.all} == {1}
    pauses = [later - earlier for earlier, later in itertools.pairwise(attempts)]
    assert pauses == sorted(pauses)
    assert pauses[0] == 60
    assert pauses[-1] == 600
    assert bench.ready == ChainReason.GRAPH_CYCLE


async def test_a_run_that_failed_in_its_stacks_is_not_tried_again(bench: Bench) -> None:
    await with_ended_run(bench, FAILED)
    bench.clock.advance(3600)

    await bench.reconcile()

    assert bench.workflows.started == ["spec"]


# Connections


@pytest.mark.parametrize(
    ("connection", "reason"),
    [
        pytest.param(None, ChainReason.CONNECTION_UNKNOWN, id="unknown"),
        pytest.param(
            {"namespaces": ("other",)},
            ChainReason.NAMESPACE_NOT_ALLOWED,
            id="not for this namespace",
        ),
        pytest.param(
            {"operations": ("Plan",)},
            ChainReason.OPERATION_NOT_ALLOWED,
            id="not for this operation",
        ),
    ],
)
async def test_what_the_connection_does_not_serve_stays_asked_until_it_does(
    bench: Bench, connection: dict[str, Any] | None, reason: ChainReason
) -> None:
    bench.apply()
    bench.catalog.all.clear()
    if connection is not None:
        bench.catalog.put("default", **connection)

    await bench.reconcile()
    refused = (list(bench.workflows.started), bench.ready)
    bench.catalog.put("default")
    await bench.reconcile()

    assert refused == ([], reason)
    assert bench.workflows.started == ["spec"]


@pytest.mark.parametrize(
    ("connection", "sent"),
    [
        pytest.param({"operations": ("Plan",)}, ["suspend"], id="withdrawn"),
        # Its file may be wrong for a moment: what runs is not stopped for that.
        pytest.param(None, [], id="unknown"),
    ],
)
async def test_a_live_run_whose_connection_is_withdrawn_starts_no_further_stack(
    bench: Bench, connection: dict[str, Any] | None, sent: list[str]
) -> None:
    await with_run(bench)
    bench.catalog.all.clear()
    if connection is not None:
        bench.catalog.put("default", **connection)

    await bench.reconcile()
    await bench.reconcile()
    withheld = list(bench.workflows.sent)
    bench.catalog.put("default")
    await bench.reconcile()

    assert withheld == sent
    assert bench.workflows.sent == sent + ["resume"] * len(sent)


async def test_an_unserved_run_can_still_be_canceled(bench: Bench) -> None:
    await with_run(bench)
    bench.catalog.all.clear()
    bench.annotate(cancel="1")

    await bench.reconcile()

    assert bench.workflows.sent == ["cancel execution-1"]


async def test_connections_that_are_edited_during_a_pass_do_not_fail_it(bench: Bench) -> None:
    bench.apply()
    bench.api.before["GET"] = lambda: bench.api.before.update(GET=bench.catalog.all.clear)

    await bench.reconcile()

    assert bench.workflows.started == ["spec"]
    assert bench.workflows.last.argument.connection.name == "default"


# A spec that cannot be read


async def invalid(bench: Bench) -> None:
    with pytest.raises(reconciler.InvalidSpec):
        await bench.reconcile()
    assert bench.ready == ChainReason.INVALID_SPEC


async def test_an_invalid_spec_is_said_and_starts_nothing(bench: Bench) -> None:
    bench.apply(roots={"stackIds": "not a list"})

    await invalid(bench)

    assert bench.workflows.started == []
    assert bench.status.latest_run is None


async def test_a_run_is_shown_as_it_goes_while_the_spec_is_invalid(bench: Bench) -> None:
    await with_run(bench)
    bench.workflows.run(make_stack("a", Phase.RUNNING), estimated_completion_time=T0)
    await bench.publish()
    bench.edit(roots={"stackIds": "not a list"})

    await invalid(bench)
    shown = bench.status
    bench.workflows.end(make_stack("a", Phase.SUCCEEDED))
    await invalid(bench)

    assert shown.latest_run is not None
    assert shown.latest_run.phase is Phase.RUNNING
    assert shown.latest_run.estimated_completion_time == T0
    assert [(stack.id, stack.phase) for stack in shown.stacks] == [("a", Phase.RUNNING)]
    assert bench.status.latest_run is not None
    assert bench.status.latest_run.phase is Phase.SUCCEEDED
    assert bench.status.stacks[0].phase is Phase.SUCCEEDED
    assert "event RunSucceeded" in bench.log
    assert bench.workflows.started == ["spec"]


@pytest.mark.parametrize("who", ["Temporal", "worker"])
async def test_while_nobody_can_say_how_it_goes_the_run_is_kept_without_its_estimate(
    bench: Bench, who: str
) -> None:
    await with_run(bench)
    bench.workflows.run(make_stack("a", Phase.RUNNING), estimated_completion_time=T0)
    await bench.publish()
    bench.edit(roots={"stackIds": "not a list"})
    if who == "Temporal":
        bench.workflows.is_away = True
    else:
        bench.workflows.has_worker = False

    await invalid(bench)

    assert bench.status.latest_run is not None
    assert bench.status.latest_run.phase is Phase.RUNNING
    assert bench.status.latest_run.estimated_completion_time is None
    assert [stack.id for stack in bench.status.stacks] == ["a"]


# Temporal away, no worker


@pytest.mark.parametrize(
    ("given", "is_said"),
    [
        pytest.param("asked", True, id="a run is asked for"),
        pytest.param("live", True, id="a run is live"),
        pytest.param("at rest", False, id="nothing is asked and nothing runs"),
        pytest.param("edited", True, id="asked for again"),
        pytest.param("scheduled", True, id="a schedule is to be set up"),
    ],
)
async def test_an_unreachable_temporal_is_said_where_it_matters(
    bench: Bench, given: str, is_said: bool
) -> None:
    match given:
        case "asked":
            bench.apply()
        case "live":
            await with_run(bench)
        case _:
            await with_ended_run(bench)
    if given == "edited":
        edited(bench)
    if given == "scheduled":
        bench.edit(schedule={"cron": "0 6 * * *"})
    bench.workflows.is_away = True
    run = bench.status.latest_run

    with pytest.raises(temporal_client.TemporalUnreachable):
        await bench.reconcile()

    assert (bench.ready == ChainReason.TEMPORAL_UNREACHABLE) is is_said
    assert bench.status.latest_run == run


async def test_what_was_asked_meanwhile_runs_once_temporal_is_back(bench: Bench) -> None:
    bench.apply()
    bench.workflows.is_away = True
    with pytest.raises(temporal_client.TemporalUnreachable):
        await bench.reconcile()
    bench.workflows.is_away = False

    await bench.reconcile()

    assert bench.workflows.started == ["spec"]
    assert bench.ready == ChainReason.PROGRESSING


@pytest.mark.parametrize(
    ("silence", "reason"),
    [
        pytest.param(0, ChainReason.PROGRESSING, id="not yet long"),
        pytest.param(19, ChainReason.PROGRESSING, id="a killed worker may be asked for 14 s"),
        pytest.param(20, ChainReason.WORKER_UNAVAILABLE, id="for too long"),
    ],
)
async def test_a_silent_worker_is_said_once_it_is_silent_for_long(
    bench: Bench, silence: float, reason: ChainReason
) -> None:
    await with_run(bench)
    bench.workflows.has_worker = False
    await bench.reconcile()
    bench.clock.advance(silence)

    await bench.reconcile()
    said = bench.ready
    bench.workflows.has_worker = True
    await bench.reconcile()

    assert said == reason
    assert bench.ready == ChainReason.PROGRESSING
    assert [stack.id for stack in bench.status.stacks] == ["a"]


async def test_what_a_silent_run_is_to_hear_is_sent_once(bench: Bench) -> None:
    await with_run(bench)
    bench.workflows.has_worker = False
    bench.edit(suspend=True)

    for _ in range(3):
        await bench.reconcile()

    assert bench.workflows.sent.count("suspend") == 1


# What the end of a run leaves


@pytest.mark.parametrize(
    ("end", "reason"),
    [
        pytest.param(ExecutionState.CLOSED, ChainReason.RUN_SUCCEEDED, id="succeeded"),
        pytest.param(
            ExecutionState.TERMINATED, ChainReason.WORKFLOW_TERMINATED, id="terminated by hand"
        ),
        pytest.param(ExecutionState.FAILED, ChainReason.WORKFLOW_FAILED, id="failed"),
    ],
)
async def test_how_a_run_ended_is_taken_in_before_the_next_one_is_started(
    bench: Bench, end: ExecutionState, reason: ChainReason
) -> None:
    """Nothing was published of the end: the operator was away."""
    await with_run(bench)
    bench.workflows.end(state=end)
    edited(bench)

    await bench.reconcile()

    assert bench.workflows.started == ["spec", "spec"]
    assert [(run.number, run.reason) for run in bench.status.history] == [(1, reason)]


async def test_the_reason_of_a_termination_is_asked_for_once_and_shown(bench: Bench) -> None:
    await with_run(bench)
    bench.workflows.end(state=ExecutionState.TERMINATED)
    bench.workflows.termination_reason = "GrpcMessageTooLarge"
    await bench.reconcile()

    # Asked again it would fail.
    bench.workflows.fails["termination"] = AssertionError("asked twice")
    await bench.reconcile()

    assert bench.ready == ChainReason.WORKFLOW_TERMINATED
    assert bench.status.latest_run is not None
    assert "GrpcMessageTooLarge" in bench.status.latest_run.message


async def test_a_run_whose_history_is_gone_is_over_and_not_started_again(bench: Bench) -> None:
    await with_run(bench)
    bench.workflows.forget()

    await bench.reconcile()

    assert bench.ready == ChainReason.WORKFLOW_TERMINATED
    assert bench.workflows.started == ["spec"]


# Errors of the API server


@pytest.mark.parametrize(
    ("error", "raised", "result"),
    [
        (kube_errors.ApiUnreachable("away"), kube_errors.ApiUnreachable, "error"),
        (kube_errors.Invalid("no"), chain_status.ReconcileFailed, "error"),
        (kube_errors.Throttled("later", retry_after_seconds=2), kube_errors.Throttled, "error"),
        (kube_errors.ObjectNotFound("gone"), chain_status.ResourceGone, "gone"),
    ],
    ids=["away", "refuses", "throttles", "gone"],
)
async def test_a_status_that_cannot_be_written_is_counted_and_raised(
    bench: Bench, error: BaseException, raised: type[BaseException], result: str
) -> None:
    bench.apply()
    bench.api.failures["PATCH"].append(error)

    with pytest.raises(raised):
        await bench.reconcile()

    assert bench.count("status_writes_total", result=result) == 1
    assert ("StatusNotWritten" in bench.troubles_shown()) == (result == "error")
    assert bench.count("reconciles_total", result="error") == 1


async def test_another_resource_of_the_name_is_not_written_to(bench: Bench) -> None:
    bench.apply()

    def recreated() -> None:
        bench.remove()
        bench.apply()

    bench.api.before["PATCH"] = recreated
    with pytest.raises(chain_status.ResourceGone):
        await bench.reconcile()

    assert "status" not in bench.body
    assert v1alpha1.read_ref(bench.body).name == NAME
    assert v1alpha1.read_ref(bench.body).namespace == NAMESPACE


# Several asks at once


async def test_an_edit_that_is_taken_back_before_its_turn_starts_nothing(bench: Bench) -> None:
    await with_run(bench)
    edited(bench)
    await bench.reconcile()
    waiting = bench.status.pending_run
    bench.edit(roots={"stackIds": ["a"]})
    await bench.reconcile()
    bench.workflows.end()
    await bench.reconcile()

    assert waiting is not None
    assert bench.status.pending_run is None
    assert bench.workflows.started == ["spec"]
    assert bench.ready == ChainReason.RUN_SUCCEEDED


async def test_of_several_edits_the_newest_runs_and_only_that(bench: Bench) -> None:
    await with_run(bench)
    for root in ("b", "c", "d"):
        bench.edit(roots={"stackIds": [root]})
        await bench.reconcile()
    bench.workflows.end()

    await bench.reconcile()

    assert bench.workflows.started == ["spec", "spec"]
    assert bench.workflows.last.argument.scope.roots.stack_ids == ("d",)


async def test_a_token_and_an_edit_together_are_one_run(bench: Bench) -> None:
    await with_ended_run(bench)
    edited(bench)
    bench.annotate(run="now")

    await bench.reconcile()
    bench.workflows.end()
    await bench.reconcile()

    assert bench.workflows.started == ["spec", "spec"]
    assert bench.status.last_handled.run == "now"


async def test_a_token_that_is_there_from_the_start_starts_no_second_run(bench: Bench) -> None:
    bench.apply(annotations={"run": "0"})
    await bench.reconcile()
    bench.workflows.end()

    await bench.reconcile()

    assert bench.workflows.started == ["spec"]
    assert bench.status.last_handled.run == "0"


async def test_ready_is_not_true_while_a_request_waits(bench: Bench) -> None:
    await with_run(bench)
    edited(bench)
    bench.workflows.run(SUCCEEDED)

    await bench.publish(is_final=True)

    ready = bench.status.condition("Ready")
    assert ready is not None
    assert ready.status != "True"


async def test_a_lower_history_limit_cuts_the_history(bench: Bench) -> None:
    await with_ended_run(bench)
    for token in "1234":
        bench.annotate(run=token)
        await bench.reconcile()
        bench.workflows.end()
        await bench.reconcile()
    before = [run.number for run in bench.status.history]
    bench.edit(historyLimit=2)

    await bench.reconcile()

    assert before == [4, 3, 2, 1]
    assert [run.number for run in bench.status.history] == [4, 3]


# What could not start


@pytest.mark.parametrize(
    ("wrong_for", "pause"),
    [
        pytest.param(0, 60, id="at first after the setting"),
        pytest.param(3000, 300, id="then after a tenth of the time that it has been wrong"),
        pytest.param(86_400, 600, id="and after ten minutes at most"),
    ],
)
async def test_what_could_not_begin_is_rechecked_less_and_less_often(
    bench: Bench, wrong_for: int, pause: int
) -> None:
    bench.apply()
    await bench.reconcile()
    bench.clock.advance(wrong_for)
    bench.workflows.fail_to_begin(ChainReason.GRAPH_CYCLE)
    await bench.reconcile()
    # The pause is a tenth of the time since the start, so a little longer than it was at first.
    bench.clock.advance(pause - 1)
    await bench.reconcile()
    assert len(bench.workflows.started) == 1

    bench.clock.advance(pause / 8 + 1)
    await bench.reconcile()

    assert len(bench.workflows.started) == 2


async def test_what_could_not_begin_is_not_rechecked_without_a_pause(bench: Bench) -> None:
    """Whatever the times of the attempts say: those are of other clocks, which may be behind."""
    bench.apply()
    await bench.reconcile()
    bench.clock.advance(120)
    for _ in range(2):
        bench.workflows.fail_to_begin(ChainReason.GRAPH_CYCLE, behind=90)
        await bench.reconcile()
        await bench.reconcile()
    started = []
    for seconds in (0, 30, 31):
        bench.clock.advance(seconds)
        await bench.reconcile()
        started.append(len(bench.workflows.started))

    assert started == [2, 2, 3]


async def test_what_a_reset_makes_of_a_run_that_is_over_is_ended_and_in_no_ones_way(
    bench: Bench,
) -> None:
    """It may wait for a stack that has ended long ago, and so never end."""
    await with_run(bench)
    bench.workflows.end(SUCCEEDED)
    await bench.reconcile()
    over = bench.ready
    bench.workflows.reset()
    bench.annotate(run="again")

    await bench.reconcile()
    ended = bench.workflows.sent

    assert over == ChainReason.RUN_SUCCEEDED
    assert [text.partition(":")[0] for text in ended] == ["terminate execution-1-reset"]
    assert bench.workflows.started == ["spec", "spec", "run"]


async def test_what_a_reset_makes_of_the_live_run_goes_on(bench: Bench) -> None:
    await with_run(bench)
    bench.workflows.end(state=ExecutionState.TERMINATED)
    bench.workflows.reset()
    bench.workflows.run(RUNNING)

    await bench.reconcile()

    assert bench.workflows.sent == []
    assert bench.ready == ChainReason.PROGRESSING
