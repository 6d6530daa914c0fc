"""A read of a run gives up early: whoever waits for the run has the patience."""

import pytest
import temporalio.exceptions

from controller.chain.run import stack_reports
from controller.temporal import messages
from controller.temporal.activities import stack_waits
from controller.temporal.workflows import activity_calls
from tests.unit.temporal.activities import fakes


def known(run_id: str, summary: str) -> messages.FollowStackRunInput:
    return messages.FollowStackRunInput(
        target=fakes.stack_ref("a"), run_id=run_id, known_summary=summary
    )


async def test_how_a_run_stands_is_told_if_it_is_news() -> None:
    bench = fakes.make_bench()
    run = bench.spacelift.add_run(state="PLANNING")

    first = await bench.environment.run(bench.operations.read_stack_run, known(run.run_id, ""))
    assert first.news is not None
    again = known(run.run_id, stack_reports.summary(first.news))
    second = await bench.environment.run(bench.operations.read_stack_run, again)

    assert (first.news.state, second.news) == ("PLANNING", None)


async def test_a_run_that_is_not_to_be_seen_is_left_to_who_waits_for_it() -> None:
    bench = fakes.make_bench()

    with pytest.raises(temporalio.exceptions.ApplicationError, match="cannot be seen"):
        await bench.environment.run(bench.operations.read_stack_run, known("01X", ""))


async def test_one_that_is_slow_gives_up_before_temporal_does(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    limit = activity_calls._READ_TIMEOUT.total_seconds()
    assert limit > stack_waits._LONGEST_READ_SECONDS
    monkeypatch.setattr(stack_waits, "_LONGEST_READ_SECONDS", 0.0)
    bench = fakes.make_bench()
    run = bench.spacelift.add_run(state="PLANNING")

    with pytest.raises(temporalio.exceptions.ApplicationError, match="at once"):
        await bench.environment.run(bench.operations.read_stack_run, known(run.run_id, ""))
