"""Looking for runs and stopping them, by calls that fit their states."""

import asyncio
import dataclasses
from datetime import timedelta
from typing import Any

import pytest
import temporalio.exceptions

from controller.api import v1alpha1
from controller.chain.graph import adoption
from controller.chain.run import run_snapshots, run_states
from controller.spacelift import errors, models
from controller.temporal import messages
from controller.temporal.activities import stack_operations
from tests.unit.temporal.activities import fakes


async def find(
    bench: fakes.Bench, *, origin: str | None = None, operation: str = "Apply", **runs: Any
) -> messages.FindStackRunResult:
    return await bench.environment.run(
        bench.operations.find_stack_run,
        messages.FindStackRunInput(
            target=fakes.stack_ref("a"),
            adopt_origin=origin,
            queuers=["up", "root"],
            chain=fakes.CHAIN,
            first_run_id="one",
            operation=operation,
            **runs,
        ),
    )


async def stop(bench: fakes.Bench, run_id: str) -> Any:
    return await bench.environment.run(
        bench.operations.stop_stack_run,
        messages.StopStackRunInput(target=fakes.stack_ref("a"), run_id=run_id, note="canceled"),
    )


async def find_triggered(
    bench: fakes.Bench, newest_run_id: str = "0", **facts: Any
) -> run_snapshots.RunSnapshot | None:
    return await bench.environment.run(
        bench.operations.find_triggered_run,
        messages.FindTriggeredRunInput(
            target=fakes.stack_ref("a"), newest_run_id=newest_run_id, **facts
        ),
    )


async def test_a_stack_that_never_ran_has_no_newest_run() -> None:
    assert await find(fakes.make_bench()) == messages.FindStackRunResult(
        newest_run_id="0", key_id=fakes.KEY_ID, found_in="test-run"
    )


async def test_the_newest_run_is_found_whoever_triggered_it() -> None:
    bench = fakes.make_bench()
    bench.spacelift.add_run()
    newest = bench.spacelift.add_run(triggered_by="jane@example.com")

    assert (await find(bench)).newest_run_id == newest.run_id


@pytest.mark.parametrize(
    ("operation", "newest"), [("Apply", "DESTROY"), ("Destroy", "DESTROY"), ("Plan", "PROPOSED")]
)
async def test_the_newest_run_comes_from_the_list_of_the_operation(
    operation: str, newest: str
) -> None:
    bench = fakes.make_bench()
    runs = {kind: bench.spacelift.add_run(type=kind) for kind in ("TRACKED", "DESTROY", "PROPOSED")}

    assert (await find(bench, operation=operation)).newest_run_id == runs[newest].run_id


@pytest.mark.parametrize(
    ("hold", "reason"),
    [
        (models.StackHold(locked_by="jane"), "StackLocked"),
        (models.StackHold(is_disabled=True), "StackDisabled"),
        (models.StackHold(locked_by=fakes.OWN), None),
        (models.StackHold(), None),
    ],
    ids=["locked", "disabled", "locked by ourselves", "free"],
)
async def test_what_holds_the_stack_is_told(hold: models.StackHold, reason: str | None) -> None:
    bench = fakes.make_bench()
    bench.spacelift.holds["a"] = hold

    found = await find(bench)

    assert (found.held.reason if found.held else None) == reason
    assert found.held is None or found.held.message


async def test_a_run_to_adopt_is_there_whatever_holds_its_stack() -> None:
    bench = fakes.make_bench()
    bench.spacelift.holds["a"] = models.StackHold(locked_by="jane")
    origin = bench.spacelift.add_run("root")
    native = bench.spacelift.add_run(triggered_by="up")

    found = await find(bench, origin=origin.run_id)

    assert (found.adopted_run_id, found.held) == (native.run_id, None)


async def test_the_oldest_native_run_above_the_origin_is_adopted_even_if_it_ended() -> None:
    bench = fakes.make_bench()
    bench.spacelift.add_run(triggered_by="up")
    origin = bench.spacelift.add_run("root")
    bench.spacelift.add_run(triggered_by="jane@example.com")
    native = bench.spacelift.add_run(state="SKIPPED", triggered_by="up")
    bench.spacelift.add_run(triggered_by="up")

    found = await find(bench, origin=origin.run_id)

    assert (found.adopted_run_id, found.newest_run_id) == (native.run_id, native.run_id)
    assert bench.counts.adopted == 1


async def test_a_native_run_that_comes_late_is_waited_for() -> None:
    bench = fakes.make_bench()
    origin = bench.spacelift.add_run("root")

    def comes_late(method: str) -> None:
        if bench.spacelift.count(method) == 1:
            bench.spacelift.add_run(triggered_by="up")

    bench.spacelift.before = comes_late
    found = await find(bench, origin=origin.run_id)

    assert found.adopted_run_id == "01RUN002"
    assert bench.spacelift.count("get_newest_runs") == 2


async def test_a_native_run_that_does_not_come_is_not_waited_for_for_ever() -> None:
    bench = fakes.make_bench()
    origin = bench.spacelift.add_run("root")

    found = await find(bench, origin=origin.run_id)

    assert found == messages.FindStackRunResult(newest_run_id=origin.run_id)
    assert bench.spacelift.count("get_newest_runs") > 1


async def test_what_others_may_have_queued_in_the_same_moment_is_not_adopted() -> None:
    """The stack was disabled for a moment, and enabled when someone else triggered `root`."""
    bench = fakes.make_bench()
    bench.spacelift.add_stack("root")
    bench.spacelift.add_stack("a", "root")
    origin = bench.spacelift.add_run_at(100, "root")
    bench.spacelift.add_run_at(100.5, "root", triggered_by="jane@example.com")
    bench.spacelift.add_run_at(100.5, triggered_by="root")

    found = await find(bench, origin=origin.run_id)

    assert found.adopted_run_id is None


@pytest.mark.parametrize("page_size", [5, 20])
async def test_what_others_may_have_queued_is_not_adopted_however_many_runs_came_later(
    page_size: int,
) -> None:
    bench = fakes.make_bench()
    bench.spacelift.add_stack("root")
    bench.spacelift.add_stack("a", "root")
    origin = bench.spacelift.add_run_at(100, "root")
    bench.spacelift.add_run_at(100.5, "root", triggered_by="jane@example.com")
    bench.spacelift.add_run_at(100.5, triggered_by="root")
    for later in range(20):
        bench.spacelift.add_run_at(160 + later, "root", triggered_by="jane@example.com")
    bench.spacelift.page_size = page_size

    found = await find(bench, origin=origin.run_id)

    assert found.adopted_run_id is None


@pytest.mark.parametrize("page_size", [5, 20])
async def test_a_native_run_is_adopted_however_many_there_are_after_it(page_size: int) -> None:
    """Spacelift does not say how many runs a page has."""
    bench = fakes.make_bench()
    origin = bench.spacelift.add_run("root")
    native = bench.spacelift.add_run(triggered_by="root")
    for _ in range(20):
        bench.spacelift.add_run(triggered_by="jane@example.com")
    bench.spacelift.page_size = page_size

    found = await find(bench, origin=origin.run_id)

    assert found.adopted_run_id == native.run_id


async def test_what_others_made_spacelift_queue_is_not_adopted() -> None:
    """The stack was disabled when the chain's own run could have queued one on it."""
    bench = fakes.make_bench()
    for stack_id, upstreams in (("root", ()), ("up", ("root",)), ("a", ("up",))):
        bench.spacelift.add_stack(stack_id, *upstreams)
    origin = bench.spacelift.add_run_at(100, "root")
    bench.spacelift.add_run_at(160, "root", triggered_by="jane@example.com")
    bench.spacelift.add_run_at(160, triggered_by="up")

    found = await find(bench, origin=origin.run_id)

    assert found == messages.FindStackRunResult(newest_run_id=origin.run_id)


async def test_a_run_that_spacelift_carried_out_in_order_is_the_stacks() -> None:
    bench = fakes.make_bench()
    upstream = bench.spacelift.add_run("up", state="FINISHED")
    early, late = (bench.spacelift.add_run(state="FINISHED", triggered_by="up") for _ in range(2))
    bench.spacelift.times = {
        upstream.run_id: adoption.RunTimes(started_at=1, ended_at=5),
        early.run_id: adoption.RunTimes(started_at=3, ended_at=8),
        late.run_id: adoption.RunTimes(started_at=6, ended_at=8),
    }
    ahead = [
        adoption.AheadRun(stack_id="a", run_id=run.run_id, origin_run_id="01RUN000")
        for run in (early, late)
    ]
    after = [adoption.UpstreamRun(stack_id="up", run_id=upstream.run_id)]

    found = await find(bench, ahead_runs=ahead, upstream_runs=after)
    none = await find(bench, ahead_runs=ahead[:1], upstream_runs=after)

    assert found.adopted_run_id == late.run_id
    assert (none.adopted_run_id, none.newest_run_id) == (None, late.run_id)
    assert bench.counts.adopted == 1


@pytest.mark.parametrize(
    ("state", "call", "end"),
    [
        ("QUEUED", "cancel", "CANCELED"),
        ("READY", "cancel", "CANCELED"),
        ("UNCONFIRMED", "discard", "DISCARDED"),
        ("PLANNING", "stop", "STOPPED"),
        ("APPLYING", None, "APPLYING"),
        ("FINISHED", None, "FINISHED"),
        ("SOMETHING_NEW", None, "SOMETHING_NEW"),
    ],
)
async def test_the_state_chooses_the_call(state: str, call: str | None, end: str) -> None:
    bench = fakes.make_bench()
    run = bench.spacelift.add_run(state=state)

    stopped = await stop(bench, run.run_id)

    assert stopped.state == end
    made = [name for name, _ in bench.spacelift.calls if name != "get_run"]
    assert made == ([call] if call else [])


async def test_a_run_that_ends_at_the_call_is_not_read_again() -> None:
    """What Spacelift queued is stopped from the far end on, so each pause lets the near end run."""
    bench = fakes.make_bench()
    delta = v1alpha1.Delta(added=3, changed=1, deleted=0)
    run = bench.spacelift.add_run(state="UNCONFIRMED", delta=delta)

    stopped = await stop(bench, run.run_id)

    assert [name for name, _ in bench.spacelift.calls] == ["get_run", "discard"]
    assert (stopped.state, stopped.delta) == ("DISCARDED", delta)


async def test_a_state_that_moves_on_between_reading_and_calling_is_read_again() -> None:
    bench = fakes.make_bench()
    run = bench.spacelift.add_run(state="QUEUED")

    def moves_on(method: str) -> None:
        if method == "cancel":
            bench.spacelift.move(run, "PLANNING")

    bench.spacelift.before = moves_on

    assert (await stop(bench, run.run_id)).state == "STOPPED"


async def test_a_stop_that_is_ignored_is_asked_for_once_and_then_left_to_the_workflow() -> None:
    bench = fakes.make_bench()
    bench.spacelift.ignores_stops = True
    run = bench.spacelift.add_run(state="PLANNING")

    stopped = await stop(bench, run.run_id)

    assert stopped.state == "PLANNING"
    assert bench.spacelift.count("stop") == 1


async def test_a_run_that_a_lost_trigger_created_is_waited_for() -> None:
    bench = fakes.make_bench()
    before = bench.spacelift.add_run(state="FINISHED")

    def comes_late(method: str) -> None:
        if method == "list_runs_after" and bench.spacelift.count(method) == 1:
            bench.spacelift.add_run(triggered_by="jane@example.com")
            bench.spacelift.add_run()

    bench.spacelift.before = comes_late
    found = await find_triggered(bench, before.run_id)

    assert found is not None
    assert (found.run_id, found.state) == ("01RUN003", "QUEUED")


async def test_a_search_that_is_tried_again_does_not_start_over() -> None:
    bench = fakes.make_bench(
        limits=stack_operations.WaitLimits(adopt_settle=3600, trigger_grace=3600)
    )
    before = bench.spacelift.add_run(state="FINISHED")
    bench.attempt(2)
    scheduled_at = bench.environment.info.started_time - timedelta(seconds=3600)
    bench.environment.info = dataclasses.replace(
        bench.environment.info, scheduled_time=scheduled_at
    )

    async with asyncio.timeout(60):
        triggered = await find_triggered(bench, before.run_id)
        adopted = await find(bench, origin=before.run_id)

    assert triggered is None
    assert adopted.adopted_run_id is None
    assert bench.spacelift.count("list_runs_after") == 1


async def test_only_a_run_that_fits_the_trigger_is_found_for_it() -> None:
    bench = fakes.make_bench()
    bench.spacelift.add_run(type="TRACKED", commit_sha="4f0c2d9")
    bench.spacelift.add_run(type="PROPOSED", commit_sha="b1e4c53")
    own = bench.spacelift.add_run(type="PROPOSED", commit_sha="4f0c2d9")

    found = await find_triggered(bench, operation="Plan", commit_sha="4f0c2d9")

    assert found is not None
    assert found.run_id == own.run_id


async def test_a_run_in_review_is_tried_to_be_stopped_by_every_call_and_then_left() -> None:
    bench = fakes.make_bench(
        limits=stack_operations.WaitLimits(adopt_settle=0.05, trigger_grace=0.05, stop_effect=60)
    )
    run = bench.spacelift.add_run(state="PENDING_REVIEW", type="PROPOSED", needs_approval=True)

    stopped = await stop(bench, run.run_id)

    made = [name for name, _ in bench.spacelift.calls if name != "get_run"]
    assert (stopped.state, made) == ("PENDING_REVIEW", ["stop", "discard"])


async def test_a_trigger_that_never_was_leaves_no_run() -> None:
    assert await find_triggered(fakes.make_bench()) is None


@pytest.mark.parametrize(
    ("error", "is_final"),
    [
        (errors.CredentialsRejected("no"), False),
        (errors.Unreachable("no"), False),
        (errors.AmbiguousOutcome("no"), False),
        (errors.PermissionDenied("no"), True),
    ],
    ids=lambda value: type(value).__name__ if isinstance(value, Exception) else None,
)
async def test_a_stop_is_given_up_only_if_trying_again_cannot_help(
    error: errors.SpaceliftError, is_final: bool
) -> None:
    bench = fakes.make_bench()
    run = bench.spacelift.add_run()
    bench.spacelift.fail("cancel", error)

    with pytest.raises(temporalio.exceptions.ApplicationError) as caught:
        await stop(bench, run.run_id)

    assert caught.value.non_retryable is is_final


def test_states_that_the_fake_allows_are_known() -> None:
    allowed = {state for states in fakes._ALLOWED.values() for state in states}

    assert allowed <= run_states.KNOWN


@pytest.mark.parametrize(
    ("earlier", "known_run_id", "is_taken"),
    [
        pytest.param(messages.EarlierRun(newest_run_id="05", run_id="06"), "", True, id="known"),
        pytest.param(messages.EarlierRun(newest_run_id="05"), "", True, id="answer lost"),
        pytest.param(
            messages.EarlierRun(newest_run_id="05", run_id="06"), "06", False, id="known, failed"
        ),
        pytest.param(
            messages.EarlierRun(newest_run_id="07", run_id="08"), "06", True, id="after a retry"
        ),
        pytest.param(
            messages.EarlierRun(newest_run_id="05"), "06", False, id="found since, failed"
        ),
    ],
)
async def test_what_there_was_before_a_reset_goes_before_all_else(
    earlier: messages.EarlierRun, known_run_id: str, is_taken: bool
) -> None:
    bench = fakes.make_bench(earlier=earlier)

    found = await find(bench, origin=None, known_run_id=known_run_id)

    assert found.earlier == (earlier if is_taken else None)
    assert bench.spacelift.count("get_newest_run") == (not is_taken)
