"""A follow returns at what matters to the chain, and survives what does not."""

import asyncio
import dataclasses
import logging
from typing import Any

import pytest
import temporalio.exceptions

from controller.chain.run import stack_reports
from controller.spacelift import errors, models
from controller.temporal import messages
from controller.temporal.activities import errors as activity_errors
from controller.temporal.activities import stack_operations
from tests.support.waiting import eventually
from tests.unit.temporal.activities import fakes


def follow(
    bench: fakes.Bench, run: models.RunRecord, *, view: str = "", problem: str = ""
) -> "asyncio.Task[Any]":
    argument = messages.FollowStackRunInput(
        target=fakes.stack_ref(run.stack_id),
        run_id=run.run_id,
        known_summary=view,
        known_problem=problem,
        read_now=True,
    )
    return asyncio.ensure_future(bench.environment.run(bench.operations.follow_stack_run, argument))


async def reads(bench: fakes.Bench, more: int = 2) -> None:
    """Wait for some more readings."""
    wanted = bench.spacelift.count("get_runs") + more
    await eventually(lambda: bench.spacelift.count("get_runs") >= wanted)


async def test_it_returns_at_once_what_the_chain_does_not_know() -> None:
    bench = fakes.make_bench()
    run = bench.spacelift.add_run(state="PLANNING")

    news = await follow(bench, run)

    assert (news.state, stack_reports.summary(news)) == ("PLANNING", "Running/RunInProgress")


async def test_changes_that_do_not_matter_are_not_told() -> None:
    bench = fakes.make_bench()
    run = bench.spacelift.add_run(state="PREPARING")
    following = follow(bench, run, view="Running/RunInProgress")

    for state in ("INITIALIZING", "PLANNING", "APPLYING"):
        bench.spacelift.move(run, state)
        await reads(bench)
    was_told = following.done()
    bench.spacelift.move(run, "FINISHED", finished=True)

    assert not was_told
    assert (await following).state == "FINISHED"


async def test_an_unknown_state_counts_as_running_and_is_logged(
    caplog: pytest.LogCaptureFixture,
) -> None:
    bench = fakes.make_bench()
    run = bench.spacelift.add_run(state="TELEPORTING")
    following = follow(bench, run, view="Running/RunInProgress")

    with caplog.at_level(logging.WARNING):
        await reads(bench)
    was_told = following.done()
    bench.spacelift.move(run, "TELEPORTED", finished=True)

    assert not was_told
    assert "Unknown run state, treated as running" in caplog.messages
    assert (await following).is_over


async def test_an_end_that_is_no_success_brings_its_note() -> None:
    bench = fakes.make_bench()
    run = bench.spacelift.add_run(state="FAILED", finished=True, note="job assignment failed")

    news = await follow(bench, run)

    assert news.note == "job assignment failed"
    assert bench.spacelift.count("get_run") == 1


async def test_an_end_is_told_even_if_its_note_cannot_be_read() -> None:
    bench = fakes.make_bench()
    run = bench.spacelift.add_run(state="FAILED", finished=True)
    bench.spacelift.fail("get_run", errors.Unreachable("away"))

    assert (await follow(bench, run)).state == "FAILED"


async def test_a_problem_is_told_once_and_so_is_its_end() -> None:
    bench = fakes.make_bench()
    run = bench.spacelift.add_run(state="PLANNING")
    view = "Running/RunInProgress"
    bench.spacelift.fail("get_runs", errors.CredentialsRejected("no"))

    news = await follow(bench, run, view=view)
    bench.spacelift.fail("get_runs", errors.CredentialsRejected("no"))
    following = follow(bench, run, view=view, problem=news.problem_reason)
    over = await following

    assert (news.problem_reason, news.problem_message) == ("CredentialsRejected", "no")
    assert (over.state, over.problem_reason) == ("PLANNING", "")
    assert bench.spacelift.count("get_runs") == 3


async def test_a_run_that_is_not_to_be_seen_for_a_moment_is_not_lost() -> None:
    bench = fakes.make_bench()
    run = bench.spacelift.add_run(state="PLANNING")
    hidden = bench.spacelift.runs.pop(run.run_id)
    following = follow(bench, run)
    await reads(bench)

    bench.spacelift.runs[run.run_id] = hidden

    assert (await following).state == "PLANNING"


async def test_a_run_that_stays_away_is_lost_for_good() -> None:
    limits = stack_operations.WaitLimits(adopt_settle=0.1, trigger_grace=0.1, lost_after=0.05)
    bench = fakes.make_bench(limits=limits)
    run = bench.spacelift.add_run()
    del bench.spacelift.runs[run.run_id]

    with pytest.raises(temporalio.exceptions.ApplicationError) as caught:
        await follow(bench, run)

    assert (caught.value.type, caught.value.non_retryable) == ("RunLost", True)


async def test_a_follow_hands_over_before_its_activity_times_out() -> None:
    bench = fakes.make_bench(limits=dataclasses.replace(fakes.QUICK, follow=0.05))
    run = bench.spacelift.add_run(state="PLANNING")

    assert await follow(bench, run, view="Running/RunInProgress") is None
    assert bench.poller.followed == 0


async def test_a_follow_heartbeats_and_can_be_canceled() -> None:
    bench = fakes.make_bench()
    bench.allow_silence(seconds=0.02)
    run = bench.spacelift.add_run(state="PLANNING")
    following = follow(bench, run, view="Running/RunInProgress")
    await eventually(lambda: bench.heartbeats)

    bench.environment.cancel()

    with pytest.raises(asyncio.CancelledError):
        await following
    assert bench.poller.followed == 0


async def test_a_queued_run_says_for_what_and_another_blocker_is_news() -> None:
    bench = fakes.make_bench()
    first, second = bench.spacelift.add_run(state="PLANNING"), bench.spacelift.add_run()
    run = bench.spacelift.add_run()
    bench.spacelift.holds["a"] = fakes.blocked_by(first)

    news = await follow(bench, run)
    following = follow(bench, run, view=stack_reports.summary(news))
    await reads(bench)
    bench.spacelift.holds["a"] = fakes.blocked_by(dataclasses.replace(first, state="APPLYING"))
    await reads(bench)
    was_told = following.done()
    bench.spacelift.holds["a"] = fakes.blocked_by(second)
    later = await following

    assert not was_told
    assert news.hold.blocker_url == f"https://acme.app.spacelift.io/stack/a/run/{first.run_id}"
    assert (news.hold.blocker_id, later.hold.blocker_id) == (first.run_id, second.run_id)


@pytest.mark.parametrize(
    ("state", "run_type", "blocks"),
    [
        ("QUEUED", "TRACKED", True),
        ("QUEUED", "DESTROY", True),
        ("QUEUED", "PROPOSED", False),
        ("READY", "TRACKED", False),
        ("PLANNING", "TRACKED", False),
    ],
)
async def test_only_a_queued_run_that_changes_the_stack_waits_for_the_one_that_blocks(
    state: str, run_type: str, blocks: bool
) -> None:
    bench = fakes.make_bench()
    blocker = bench.spacelift.add_run(state="PLANNING")
    run = bench.spacelift.add_run(state=state, type=run_type)
    bench.spacelift.holds["a"] = fakes.blocked_by(blocker)

    news = await follow(bench, run)

    assert bool(news.hold and news.hold.blocker_id) is blocks


async def test_a_run_does_not_wait_for_itself_nor_for_a_lock_of_our_own() -> None:
    bench = fakes.make_bench()
    run = bench.spacelift.add_run()
    bench.spacelift.holds["a"] = fakes.blocked_by(run, locked_by=fakes.OWN)

    news = await follow(bench, run)

    assert stack_reports.summary(news) == "Waiting/RunQueued"


async def test_a_skip_is_told_only_with_its_note_since_that_says_what_it_means() -> None:
    bench = fakes.make_bench()
    run = bench.spacelift.add_run(state="SKIPPED", finished=True, note="its reasons")
    bench.spacelift.fail("get_run", errors.Unreachable("away"))
    bench.spacelift.fail("get_run", errors.Unreachable("away"))

    news = await follow(bench, run)
    over = await follow(bench, run, problem=news.problem_reason)

    assert (news.problem_reason, news.state) == ("Unreachable", "")
    assert (over.state, over.note, over.problem_reason) == ("SKIPPED", "its reasons", "")
    assert bench.spacelift.count("get_run") == 3


@pytest.mark.parametrize(
    ("attempt", "problem", "is_news"),
    [(1, "", False), (2, "", False), (3, "", True), (9, "Unreachable", True)],
)
async def test_a_run_that_still_gets_no_slot_is_news(
    attempt: int, problem: str, *, is_news: bool
) -> None:
    bench = fakes.make_bench()
    run = bench.spacelift.add_run(state="PLANNING")
    bench.clients.refusal = activity_errors.connection_busy("'prod' has 18 of 20 slots for waits")
    bench.attempt(attempt)

    if not is_news:
        with pytest.raises(temporalio.exceptions.ApplicationError, match="18 of 20"):
            await follow(bench, run, problem=problem)
        return
    news = await follow(bench, run, problem=problem)

    shown = stack_reports.classify("a", news, is_adopted=False, stop=None, attempts=1)
    assert (shown.reason, news.problem_reason) == ("RateLimited", "ConnectionBusy")
    assert "18 of 20" in shown.message


async def test_a_run_that_waits_for_a_person_and_has_no_slot_keeps_saying_so() -> None:
    bench = fakes.make_bench()
    run = bench.spacelift.add_run(state="UNCONFIRMED")
    known = stack_reports.summary(await follow(bench, run))
    bench.clients.refusal = activity_errors.connection_busy("no slot")
    bench.attempt(5)

    with pytest.raises(temporalio.exceptions.ApplicationError, match="no slot"):
        await follow(bench, run, view=known)


async def test_a_run_that_is_known_to_have_no_slot_is_news_only_once_it_has_one() -> None:
    bench = fakes.make_bench()
    run = bench.spacelift.add_run(state="PLANNING")
    bench.clients.refusal = activity_errors.connection_busy("no slot")
    bench.attempt(7)

    with pytest.raises(temporalio.exceptions.ApplicationError, match="no slot"):
        await follow(bench, run, view="Running/RunInProgress", problem="ConnectionBusy")
    bench.clients.refusal = None
    news = await follow(bench, run, view="Running/RunInProgress", problem="ConnectionBusy")

    assert (news.state, news.problem_reason) == ("PLANNING", "")
