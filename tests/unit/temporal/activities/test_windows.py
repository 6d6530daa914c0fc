"""Right before a run is created or confirmed, the worker checks whether its window is open."""

import dataclasses
import datetime
from typing import Any

import pytest
import temporalio.exceptions

from controller.api import v1alpha1
from controller.spacelift import errors as spacelift_errors
from controller.temporal import messages
from controller.temporal.activities import errors, window_reading
from tests.unit.temporal.activities import fakes

NOON = v1alpha1.Window(cron="0 12 * * *", duration_seconds=3600)
OPEN = datetime.datetime(2026, 11, 30, 12, 30, tzinfo=datetime.UTC)
CLOSED = datetime.datetime(2026, 11, 30, 13, 0, tzinfo=datetime.UTC)
OPENS_AT = "2026-12-01T12:00:00Z"
STACK = dataclasses.replace(fakes.stack_ref("a"), windows=(NOON,))


def bench_at(moment: datetime.datetime) -> fakes.Bench:
    bench = fakes.make_bench()
    bench.environment.info = dataclasses.replace(bench.environment.info, started_time=moment)
    return bench


async def find(bench: fakes.Bench, **facts: Any) -> messages.FindStackRunResult:
    argument = messages.FindStackRunInput(
        target=STACK, adopt_origin=None, queuers=[], chain=fakes.CHAIN, first_run_id="1", **facts
    )
    return await bench.environment.run(bench.operations.find_stack_run, argument)


async def trigger(bench: fakes.Bench, **facts: Any) -> Any:
    argument = messages.TriggerStackRunInput(
        target=STACK, newest_run_id="0", marker="stackchain team/demo run 1", **facts
    )
    return await bench.environment.run(bench.operations.trigger_stack_run, argument)


async def confirm(bench: fakes.Bench, run_id: str) -> messages.ConfirmStackRunResult:
    argument = messages.ConfirmStackRunInput(target=STACK, run_id=run_id, note="by the chain")
    return await bench.environment.run(bench.operations.confirm_stack_run, argument)


async def test_a_run_is_created_in_its_window_only() -> None:
    within, outside = bench_at(OPEN), bench_at(CLOSED)

    await trigger(within)
    with pytest.raises(temporalio.exceptions.ApplicationError) as caught:
        await trigger(outside)

    assert within.spacelift.count("trigger_run") == 1
    assert outside.spacelift.count("trigger_run") == 0
    assert (caught.value.type, caught.value.non_retryable) == (errors.STACK_HELD, True)
    assert OPENS_AT in caught.value.message


async def test_a_window_that_closes_between_two_tries_ends_the_tries() -> None:
    bench = bench_at(OPEN)
    bench.spacelift.fail("trigger_run", spacelift_errors.Unreachable("down"))
    with pytest.raises(temporalio.exceptions.ApplicationError):
        await trigger(bench)
    bench.attempt(2, bench.details)
    bench.environment.info = dataclasses.replace(bench.environment.info, started_time=CLOSED)

    with pytest.raises(temporalio.exceptions.ApplicationError) as caught:
        await trigger(bench)

    assert caught.value.type == errors.STACK_HELD
    assert bench.spacelift.count("trigger_run") == 1


async def test_a_run_whose_answer_was_lost_is_found_outside_of_its_window() -> None:
    bench = bench_at(CLOSED)
    bench.spacelift.add_run(run_id="01RUN001", triggered_by=fakes.OWN)

    run = await trigger(bench, was_attempted=True)

    assert run.run_id == "01RUN001"


async def test_a_search_for_runs_says_when_the_window_opens() -> None:
    found = await find(bench_at(CLOSED))

    assert found.held is not None
    assert (found.held.reason, found.opens_at) == ("WindowClosed", OPENS_AT)
    assert (await find(bench_at(OPEN))).held is None


async def test_a_plan_is_confirmed_in_its_window_only() -> None:
    within, outside = bench_at(OPEN), bench_at(CLOSED)

    confirmed = await confirm(within, within.spacelift.add_run(state="UNCONFIRMED").run_id)
    left = await confirm(outside, outside.spacelift.add_run(state="UNCONFIRMED").run_id)

    assert (confirmed.run.state, confirmed.closed_window) == ("CONFIRMED", None)
    assert left.run.state == "UNCONFIRMED"
    assert left.closed_window is not None
    assert left.closed_window.until == OPENS_AT
    assert outside.spacelift.count("confirm") == 0


async def test_the_windows_of_a_chain_are_read_for_a_time() -> None:
    asked = messages.ReadWindowsInput(
        windows={"": (NOON,), "prod": (NOON, NOON)}, now="2026-11-30T12:30:00Z"
    )

    found = await bench_at(CLOSED).environment.run(
        window_reading.WindowReader().read_windows, asked
    )

    assert {name: (state.is_open, state.until) for name, state in found.states.items()} == {
        "": (True, "2026-11-30T13:00:00Z"),
        "prod": (True, "2026-11-30T13:00:00Z"),
    }
