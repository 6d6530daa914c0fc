"""A trigger creates one run, whatever happens to its answer or to the worker that sends it."""

import asyncio
import time
from collections.abc import Sequence
from typing import Any

import pytest
import temporalio.exceptions
import temporalio.service

from controller import clock
from controller.spacelift import errors, models
from controller.temporal import messages
from controller.temporal.activities import errors as activity_errors
from controller.temporal.activities import stack_operations
from tests.unit.temporal.activities import fakes

LOST = errors.AmbiguousOutcome("no answer")
LONG = stack_operations.WaitLimits(adopt_settle=0.05, trigger_grace=60.0)


async def trigger(
    bench: fakes.Bench, *, newest_run_id: str = "0", was_attempted: bool = False, **facts: Any
) -> Any:
    return await bench.environment.run(
        bench.operations.trigger_stack_run,
        messages.TriggerStackRunInput(
            target=fakes.stack_ref("a"),
            newest_run_id=newest_run_id,
            marker="stackchain team/demo run 1",
            was_attempted=was_attempted,
            **facts,
        ),
    )


async def fails(bench: fakes.Bench, **arguments: Any) -> temporalio.exceptions.ApplicationError:
    with pytest.raises(temporalio.exceptions.ApplicationError) as caught:
        await trigger(bench, **arguments)
    return caught.value


async def test_the_first_attempt_triggers_without_looking() -> None:
    bench = fakes.make_bench()

    run = await trigger(bench)

    assert bench.spacelift.calls == [("trigger_run", ("a", "stackchain team/demo run 1"))]
    assert (run.run_id, run.state) == ("01RUN001", "QUEUED")
    assert run.run_url == "https://acme.app.spacelift.io/stack/a/run/01RUN001"
    assert bench.counts.triggered == 1


@pytest.mark.parametrize("is_committed", [True, False], ids=["after commit", "before commit"])
async def test_a_lost_answer_is_searched_before_anything_is_sent_again(
    is_committed: bool,
) -> None:
    bench = fakes.make_bench(limits=LONG)
    bench.spacelift.commits_failed_triggers = is_committed
    bench.spacelift.fail("trigger_run", LOST)
    first = await fails(bench)
    bench.attempt(2, bench.details)

    if is_committed:
        run = await trigger(bench)

        assert run.run_id == "01RUN001"
    else:
        second = await fails(bench)

        assert second.type == "AmbiguousOutcome"
        assert not second.non_retryable
        assert second.next_retry_delay is not None
    assert (first.type, first.non_retryable) == ("AmbiguousOutcome", False)
    assert bench.spacelift.count("trigger_run") == 1
    assert bench.counts.ambiguous == 1


class WrongClock(clock.Clock):
    """A worker's clock that is ahead of Temporal's."""

    def __init__(self, seconds: float) -> None:
        self._seconds = seconds

    def unix(self) -> float:
        return super().unix() + self._seconds


async def on_worker(clock_ahead: float, bench: fakes.Bench) -> str | None:
    """Make an attempt on a worker whose clock is ahead, and return how it fails."""

    async def attempt() -> str | None:
        clock.use(WrongClock(clock_ahead))
        return (await fails(bench)).message

    return await asyncio.create_task(attempt())


@pytest.mark.parametrize(("first", "second"), [(0, 500), (0, -500), (500, -500), (-500, 500)])
async def test_workers_whose_clocks_differ_look_for_as_long_as_others(
    first: float, second: float
) -> None:
    bench = fakes.make_bench(limits=LONG)
    bench.spacelift.fail("trigger_run", LOST)

    await on_worker(first, bench)
    bench.attempt(2, bench.details)
    message = await on_worker(second, bench)

    assert "looking for its run for 60 s more" in str(message)
    assert bench.spacelift.count("trigger_run") == 1


NOW, LONG_AGO = 0.0, -100.0


@pytest.mark.parametrize(
    ("attempt", "details", "was_attempted", "looks", "triggers"),
    [
        pytest.param(1, [], False, False, True, id="first attempt"),
        pytest.param(1, [], True, True, False, id="after an activity that left it open"),
        pytest.param(2, [], False, True, False, id="the worker died without a word"),
        pytest.param(2, [1, None], False, False, True, id="nothing was sent before"),
        pytest.param(2, [1, None], True, False, True, id="nothing was sent, told twice"),
        pytest.param(2, [1, NOW], False, True, False, id="sent, grace running"),
        pytest.param(2, [1, LONG_AGO], False, True, True, id="sent, grace over"),
        pytest.param(3, [1, None], False, True, False, id="word of an older attempt"),
        pytest.param(3, [1, LONG_AGO], False, True, False, id="older word, its grace over"),
        pytest.param(3, [2, LONG_AGO], False, True, True, id="word of the attempt before"),
        pytest.param(2, [LONG_AGO], False, True, False, id="word that nobody understands"),
    ],
)
async def test_what_an_attempt_does_depends_on_the_word_of_the_one_before(
    attempt: int, details: Sequence[Any], was_attempted: bool, looks: bool, triggers: bool
) -> None:
    bench = fakes.make_bench(limits=LONG)
    found = [time.time() + item if isinstance(item, float) else item for item in details]
    bench.attempt(attempt, found)

    if triggers:
        await trigger(bench, was_attempted=was_attempted)
    else:
        await fails(bench, was_attempted=was_attempted)

    assert bench.spacelift.count("list_runs_after") == looks
    assert bench.spacelift.count("trigger_run") == triggers


async def test_a_run_of_an_execution_that_was_reset_before_it_triggers_is_looked_for() -> None:
    bench = fakes.make_bench(limits=LONG)
    own = bench.spacelift.add_run()

    found = await trigger(bench, found_in="the one before")

    assert found.run_id == own.run_id
    assert bench.spacelift.count("trigger_run") == 0


async def test_only_a_run_of_our_key_that_is_newer_and_tracked_is_ours() -> None:
    bench = fakes.make_bench(limits=LONG)
    before = bench.spacelift.add_run()
    bench.spacelift.add_run(triggered_by="jane@example.com")
    bench.spacelift.add_run(triggered_by="vpc")
    bench.spacelift.add_run(triggered_by="api::01JKEYOFSOMEBODYELSE")
    bench.spacelift.add_run(type="PROPOSED")
    bench.attempt(2)

    await fails(bench, newest_run_id=before.run_id)
    own = bench.spacelift.add_run(triggered_by="api::01JKEY0::StackChain")
    bench.attempt(3)
    run = await trigger(bench, newest_run_id=before.run_id)

    assert run.run_id == own.run_id
    assert bench.spacelift.count("trigger_run") == 0


@pytest.mark.parametrize(
    ("error", "is_final"),
    [
        (errors.SpaceliftRefused("no"), True),
        (errors.PermissionDenied("no"), True),
        (errors.SpaceliftObjectNotFound("no"), True),
        (errors.CredentialsRejected("no"), True),
        (errors.Unreachable("no"), False),
        (errors.RateLimited("no", retry_after_seconds=7), False),
    ],
    ids=lambda value: type(value).__name__ if isinstance(value, Exception) else None,
)
async def test_a_definite_failure_leaves_the_word_that_nothing_was_sent(
    error: errors.SpaceliftError, is_final: bool
) -> None:
    bench = fakes.make_bench()
    bench.spacelift.fail("trigger_run", error)

    failure = await fails(bench)

    assert (failure.type, failure.non_retryable) == (type(error).__name__, is_final)
    assert bench.details == [1, None]
    bench.attempt(2, bench.details)
    await trigger(bench)
    assert bench.spacelift.count("list_runs_after") == 0


@pytest.mark.parametrize(
    "error",
    [
        errors.CredentialsRejected("no"),
        errors.PermissionDenied("no"),
        errors.SpaceliftObjectNotFound("no"),
        errors.Unreachable("no"),
        errors.RateLimited("no"),
        errors.AmbiguousOutcome("no"),
    ],
    ids=lambda error: type(error).__name__,
)
async def test_while_a_run_may_be_there_no_failure_to_look_is_final(
    error: errors.SpaceliftError,
) -> None:
    """Nor is an error that says that nothing was sent about the trigger."""
    bench = fakes.make_bench(limits=LONG)
    lost_at = time.time() - 5
    bench.attempt(2, [1, lost_at])
    bench.spacelift.fail("list_runs_after", error)

    failure = await fails(bench)

    says_nothing_was_sent = isinstance(error, errors.Unreachable | errors.RateLimited)
    expected = "AmbiguousOutcome" if says_nothing_was_sent else type(error).__name__
    assert (failure.type, failure.non_retryable) == (expected, False)
    assert bench.details == [2, lost_at]
    assert bench.spacelift.count("trigger_run") == 0


async def test_a_trigger_without_a_slot_leaves_the_word_that_nothing_was_sent() -> None:
    bench = fakes.make_bench()
    bench.clients.refusal = activity_errors.connection_busy("no slot")

    failure = await fails(bench)

    assert (failure.type, failure.non_retryable) == ("ConnectionBusy", False)
    assert failure.type in activity_errors.NOTHING_SENT
    assert bench.details == [1, None]
    bench.attempt(2, bench.details)
    bench.clients.refusal = None
    await trigger(bench)
    assert [called for called, _ in bench.spacelift.calls] == ["trigger_run"]


@pytest.mark.parametrize("was_attempted", [True, False], ids=["by an activity", "by a try"])
async def test_a_trigger_without_a_slot_does_not_hide_that_a_run_may_be_there(
    was_attempted: bool,
) -> None:
    bench = fakes.make_bench(limits=LONG)
    lost_at = time.time() - 5
    if not was_attempted:
        bench.attempt(2, [1, lost_at])
    bench.clients.refusal = activity_errors.connection_busy("no slot")

    failure = await fails(bench, was_attempted=was_attempted)

    assert (failure.type, failure.non_retryable) == ("AmbiguousOutcome", False)
    if not was_attempted:
        assert bench.details == [2, lost_at]
    assert bench.details[1] is not None
    assert bench.spacelift.calls == []


async def test_a_stack_that_is_gone_when_the_grace_has_passed_is_waited_for_no_longer() -> None:
    bench = fakes.make_bench(limits=LONG)
    bench.attempt(2, [1, time.time() - 3600])
    bench.spacelift.fail("list_runs_after", errors.SpaceliftObjectNotFound("no such stack"))

    failure = await fails(bench)

    assert (failure.type, failure.non_retryable) == ("SpaceliftObjectNotFound", True)
    assert bench.spacelift.count("trigger_run") == 0


async def test_the_grace_does_not_begin_again_with_each_look() -> None:
    bench = fakes.make_bench(limits=LONG)
    lost_at = time.time() - 59.9
    bench.attempt(2, [1, lost_at])

    failure = await fails(bench)

    assert bench.details == [2, lost_at]
    assert failure.next_retry_delay is not None
    assert failure.next_retry_delay.total_seconds() <= 0.1


async def test_a_run_that_shows_up_at_the_end_of_the_grace_is_not_doubled() -> None:
    bench = fakes.make_bench(limits=LONG)
    own = bench.spacelift.add_run()
    bench.attempt(2, [1, time.time() - 100])

    run = await trigger(bench)

    assert run.run_id == own.run_id
    assert bench.spacelift.count("trigger_run") == 0


async def test_a_foreseen_failure_after_the_grace_is_definite_again() -> None:
    bench = fakes.make_bench(limits=LONG)
    bench.attempt(5, [4, time.time() - 100])
    bench.spacelift.fail("trigger_run", errors.Unreachable("no"))

    await fails(bench)

    assert bench.details == [5, None]


async def test_a_failure_that_nobody_foresaw_leaves_no_word() -> None:
    bench = fakes.make_bench(limits=LONG)

    def break_off(method: str) -> None:
        raise RuntimeError(method)

    bench.spacelift.before = break_off
    with pytest.raises(RuntimeError):
        await trigger(bench)

    assert bench.details == []


@pytest.mark.parametrize(
    ("operation", "run_type"),
    [("Apply", "TRACKED"), ("Plan", "PROPOSED"), ("Destroy", "DESTROY")],
)
async def test_the_operation_chooses_the_run_and_the_one_that_is_looked_for(
    operation: str, run_type: str
) -> None:
    bench = fakes.make_bench(limits=LONG)
    others = {"TRACKED", "PROPOSED", "DESTROY", "TASK"} - {run_type}
    for other in others:
        bench.spacelift.add_run(type=other)
    newest = bench.spacelift.add_run(type=run_type)

    run = await trigger(bench, operation=operation, newest_run_id=newest.run_id)
    for other in others:
        bench.spacelift.add_run(type=other)
    bench.attempt(2)
    found = await trigger(bench, operation=operation, newest_run_id=newest.run_id)

    assert bench.spacelift.runs[run.run_id].type == run_type
    assert found.run_id == run.run_id
    assert bench.spacelift.count("trigger_run") == 1


async def test_a_run_is_given_its_commit_and_its_environment() -> None:
    bench = fakes.make_bench()

    run = await trigger(bench, commit_sha="4f0c2d9", environment={"WAVE": "7"})
    await trigger(bench)

    assert bench.spacelift.runs[run.run_id].commit_sha == "4f0c2d9"
    assert bench.spacelift.environments == [{"WAVE": "7"}, None]


@pytest.mark.parametrize(
    ("commit_sha", "is_ours"),
    [("4f0c2d9a", True), ("4F0C2D9", True), (None, True), ("b1e4c53", False)],
    ids=["longer than asked", "in capitals", "not told", "of another commit"],
)
async def test_a_run_of_another_commit_is_not_ours(commit_sha: str | None, is_ours: bool) -> None:
    bench = fakes.make_bench(limits=LONG)
    own = bench.spacelift.add_run(commit_sha=commit_sha)
    bench.attempt(2)

    if is_ours:
        assert (await trigger(bench, commit_sha="4f0c2d9")).run_id == own.run_id
    else:
        assert (await fails(bench, commit_sha="4f0c2d9")).type == "AmbiguousOutcome"
    assert bench.spacelift.count("trigger_run") == 0


# A stack that was locked or disabled in between

LOCKED = models.StackHold(locked_by="jane")


@pytest.mark.parametrize("kind", [errors.SpaceliftRefused, errors.PermissionDenied])
@pytest.mark.parametrize(
    ("hold", "is_held"),
    [
        (LOCKED, True),
        (models.StackHold(is_disabled=True), True),
        (models.StackHold(locked_by=fakes.OWN), False),
        (models.StackHold(), False),
    ],
    ids=["locked", "disabled", "locked by ourselves", "free"],
)
async def test_a_refusal_asks_whether_the_stack_is_held(
    kind: type[errors.SpaceliftError], hold: models.StackHold, is_held: bool
) -> None:
    bench = fakes.make_bench()
    bench.spacelift.holds["a"] = hold
    bench.spacelift.fail("trigger_run", kind("no"))

    failure = await fails(bench)

    assert failure.type == ("StackHeld" if is_held else kind.__name__)
    assert failure.non_retryable
    assert bench.details == [1, None]


async def test_a_refusal_whose_cause_cannot_be_read_is_tried_again() -> None:
    bench = fakes.make_bench()
    bench.spacelift.fail("trigger_run", errors.SpaceliftRefused("no"))
    bench.spacelift.fail("get_stack_holds", errors.AmbiguousOutcome("no answer"))

    failure = await fails(bench)

    assert (failure.type, failure.non_retryable) == ("Unreachable", False)
    assert bench.details == [1, None]


async def test_a_refusal_after_a_lost_trigger_leaves_no_doubt() -> None:
    bench = fakes.make_bench(limits=LONG)
    bench.spacelift.holds["a"] = LOCKED
    bench.attempt(3, [2, time.time() - 100])
    bench.spacelift.fail("trigger_run", errors.SpaceliftRefused("no"))

    failure = await fails(bench)

    assert failure.type == "StackHeld"
    assert bench.details == [3, None]


async def test_a_lost_run_is_found_though_another_key_has_taken_the_place_of_its_own() -> None:
    """The key that triggered it is known from the time before."""
    bench = fakes.make_bench(limits=LONG)
    run = bench.spacelift.add_run(triggered_by="api::01JKEYOLD00000000000000001")

    found = await trigger(bench, was_attempted=True, key_id="01JKEYOLD00000000000000001")

    assert found.run_id == run.run_id
    assert bench.spacelift.count("trigger_run") == 0


async def test_an_execution_that_no_chain_waits_for_sends_nothing() -> None:
    bench = fakes.make_bench()
    bench.clients.not_awaited = temporalio.exceptions.ApplicationError(
        "no one", type="NotAwaited", non_retryable=True
    )

    failure = await fails(bench)

    assert (failure.type, failure.non_retryable) == ("NotAwaited", True)
    assert bench.spacelift.calls == []


async def test_where_temporal_does_not_say_who_is_awaited_nothing_was_sent() -> None:
    bench = fakes.make_bench()
    bench.clients.not_awaited = temporalio.service.RPCError(
        "no", temporalio.service.RPCStatusCode.UNAVAILABLE, b""
    )

    failure = await fails(bench)

    assert failure.type in activity_errors.NOTHING_SENT
    assert (bench.spacelift.calls, bench.details) == ([], [1, None])
