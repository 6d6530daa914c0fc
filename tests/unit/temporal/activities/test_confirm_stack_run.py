"""A confirmation is sent once, and only while the run waits for nothing else."""

from typing import Any

import pytest
import temporalio.exceptions

from controller.spacelift import errors, models
from controller.temporal import messages
from tests.unit.temporal.activities import fakes


async def confirm(bench: fakes.Bench, run: models.RunRecord) -> Any:
    return await bench.environment.run(
        bench.operations.confirm_stack_run,
        messages.ConfirmStackRunInput(
            target=fakes.stack_ref("a"), run_id=run.run_id, note="by the chain"
        ),
    )


async def fails(
    bench: fakes.Bench, run: models.RunRecord
) -> temporalio.exceptions.ApplicationError:
    with pytest.raises(temporalio.exceptions.ApplicationError) as caught:
        await confirm(bench, run)
    return caught.value


@pytest.mark.parametrize(
    ("state", "facts", "is_called"),
    [
        ("UNCONFIRMED", {}, True),
        ("UNCONFIRMED", {"needs_approval": True}, False),
        ("PENDING_REVIEW", {}, False),
        ("PLANNING", {}, False),
        ("CONFIRMED", {}, False),
        ("DISCARDED", {"finished": True}, False),
    ],
)
async def test_only_a_run_that_waits_for_its_confirmation_is_confirmed(
    state: str, facts: dict[str, Any], is_called: bool
) -> None:
    bench = fakes.make_bench()
    run = bench.spacelift.add_run(state=state, **facts)

    stands = await confirm(bench, run)

    assert bench.spacelift.count("confirm") == is_called
    assert stands.state == ("CONFIRMED" if is_called else state)


async def test_somebody_else_may_be_faster() -> None:
    bench = fakes.make_bench()
    run = bench.spacelift.add_run(state="UNCONFIRMED")

    def confirms_first(method: str) -> None:
        if method == "confirm":
            bench.spacelift.move(run, "APPLYING")

    bench.spacelift.before = confirms_first

    assert (await confirm(bench, run)).state == "APPLYING"


async def test_a_refusal_is_final_and_keeps_its_words() -> None:
    bench = fakes.make_bench()
    run = bench.spacelift.add_run(state="UNCONFIRMED")
    bench.spacelift.fail("confirm", errors.SpaceliftRefused("the policy says no"))

    failure = await fails(bench, run)

    assert (failure.type, failure.message) == ("SpaceliftRefused", "the policy says no")
    assert failure.non_retryable


@pytest.mark.parametrize(
    ("error", "is_final"),
    [
        (errors.PermissionDenied("no"), True),
        (errors.SpaceliftObjectNotFound("no"), True),
        (errors.CredentialsRejected("no"), False),
        (errors.Unreachable("no"), False),
        (errors.AmbiguousOutcome("no"), False),
    ],
    ids=lambda value: type(value).__name__ if isinstance(value, Exception) else None,
)
async def test_a_confirmation_is_given_up_only_if_trying_again_cannot_help(
    error: errors.SpaceliftError, is_final: bool
) -> None:
    bench = fakes.make_bench()
    run = bench.spacelift.add_run(state="UNCONFIRMED")
    bench.spacelift.fail("confirm", error)

    assert (await fails(bench, run)).non_retryable is is_final


async def test_after_a_lost_answer_the_run_is_read_before_it_is_confirmed_again() -> None:
    bench = fakes.make_bench()
    run = bench.spacelift.add_run(state="UNCONFIRMED")

    def commits(method: str) -> None:
        if method == "confirm":
            bench.spacelift.move(run, "CONFIRMED")

    bench.spacelift.before = commits
    bench.spacelift.fail("confirm", errors.AmbiguousOutcome("no answer"))
    await fails(bench, run)
    stands = await confirm(bench, run)

    assert stands.state == "CONFIRMED"
    assert bench.spacelift.count("confirm") == 1


async def test_a_confirmation_that_shows_late_is_waited_for_and_sent_once() -> None:
    bench = fakes.make_bench()
    bench.spacelift.ignores_stops = True
    run = bench.spacelift.add_run(state="UNCONFIRMED")

    def shows_late(method: str) -> None:
        if bench.spacelift.count("get_run") == 2:
            bench.spacelift.move(run, "CONFIRMED")

    bench.spacelift.before = shows_late

    assert (await confirm(bench, run)).state == "CONFIRMED"
    assert bench.spacelift.count("confirm") == 1


async def test_a_confirmation_without_effect_is_not_waited_for_for_ever() -> None:
    bench = fakes.make_bench()
    bench.spacelift.ignores_stops = True
    run = bench.spacelift.add_run(state="UNCONFIRMED")

    assert (await confirm(bench, run)).state == "UNCONFIRMED"
    assert bench.spacelift.count("confirm") == 1


async def test_a_run_that_is_gone_cannot_be_confirmed() -> None:
    bench = fakes.make_bench()
    run = bench.spacelift.add_run(state="UNCONFIRMED")
    del bench.spacelift.runs[run.run_id]

    assert (await fails(bench, run)).type == "SpaceliftObjectNotFound"
