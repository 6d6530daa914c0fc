"""A confirmation is sent once, and only while the run waits for nothing else."""

import dataclasses
from typing import Any

import pytest
import temporalio.exceptions

from controller.api import v1alpha1
from controller.chain.run import run_snapshots
from controller.spacelift import errors, models
from controller.temporal import messages
from tests.unit.temporal.activities import fakes


async def confirm(bench: fakes.Bench, run: models.RunRecord) -> run_snapshots.RunSnapshot:
    return (await judge(bench, run, None)).run


async def judge(
    bench: fakes.Bench, run: models.RunRecord, limits: v1alpha1.ConfirmationLimits | None
) -> messages.ConfirmStackRunResult:
    target = fakes.stack_ref("a")
    grant = dataclasses.replace(target.connection.grant, confirmation_limits=limits)
    connection = dataclasses.replace(target.connection, grant=grant)
    return await bench.environment.run(
        bench.operations.confirm_stack_run,
        messages.ConfirmStackRunInput(
            target=dataclasses.replace(target, connection=connection),
            run_id=run.run_id,
            note="by the chain",
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


NO_DELETES = v1alpha1.ConfirmationLimits(max_deleted=0)
TWO_CHANGES = v1alpha1.Delta(added=0, changed=2, deleted=0)


def planned(bench: fakes.Bench, *kinds: str, **facts: Any) -> models.RunRecord:
    run = bench.spacelift.add_run(state="UNCONFIRMED", **{"delta": TWO_CHANGES, **facts})
    bench.spacelift.kinds[run.run_id] = kinds
    return run


async def test_a_plan_within_the_limits_is_confirmed() -> None:
    bench = fakes.make_bench()

    answer = await judge(bench, planned(bench, "changed", "changed"), NO_DELETES)

    assert (answer.run.state, answer.excess) == ("CONFIRMED", "")


@pytest.mark.parametrize(
    ("kinds", "delta"),
    [
        (("changed", "deleted"), v1alpha1.Delta(added=0, changed=1, deleted=1)),
        (("changed", "destroy-Before-create-replaced"), TWO_CHANGES),
        (("aws_instance", "aws_instance"), TWO_CHANGES),
        ((), TWO_CHANGES),
        (("changed", "changed"), None),
    ],
    ids=["deletes", "replaces", "kinds-unknown", "not-listed", "not-counted"],
)
async def test_a_plan_that_is_or_may_be_beyond_the_limits_is_not_confirmed(
    kinds: tuple[str, ...], delta: v1alpha1.Delta | None
) -> None:
    bench = fakes.make_bench()

    answer = await judge(bench, planned(bench, *kinds, delta=delta), NO_DELETES)

    assert answer.run.state == "UNCONFIRMED"
    assert answer.excess
    assert bench.spacelift.count("confirm") == 0


async def test_an_account_that_lists_no_changes_is_judged_by_its_delta_as_strictly() -> None:
    bench = fakes.make_bench()
    run = planned(bench, "changed", "changed")
    bench.spacelift.fail("get_planned_run", *[errors.SpaceliftRefused("no such field")] * 2)

    refused = await judge(bench, run, NO_DELETES)
    allowed = await judge(bench, run, v1alpha1.ConfirmationLimits(max_deleted=2))

    assert (bool(refused.excess), allowed.run.state) == (True, "CONFIRMED")


async def test_another_try_judges_what_it_reads_itself_and_confirms_once() -> None:
    """The worker died after it had read the plan, which another one has replaced since."""
    bench = fakes.make_bench()
    run = planned(bench, "changed", "changed")
    bench.spacelift.fail("confirm", errors.Unreachable("the worker is gone"))

    with pytest.raises(temporalio.exceptions.ApplicationError):
        await judge(bench, run, NO_DELETES)
    bench.spacelift.kinds[run.run_id] = ("changed", "deleted")
    later = await judge(bench, run, NO_DELETES)
    bench.spacelift.kinds[run.run_id] = ("changed", "changed")
    last = await judge(bench, run, NO_DELETES)

    assert (bool(later.excess), last.run.state) == (True, "CONFIRMED")
    assert bench.spacelift.count("confirm") == 2  # the first of them never left


async def test_a_run_that_waits_for_something_else_is_not_judged() -> None:
    bench = fakes.make_bench()

    answer = await judge(bench, planned(bench, delta=None, needs_approval=True), NO_DELETES)

    assert answer.excess == ""
    assert bench.spacelift.count("confirm") == 0


async def test_a_run_that_is_gone_cannot_be_judged() -> None:
    bench = fakes.make_bench()
    run = planned(bench)
    del bench.spacelift.runs[run.run_id]

    with pytest.raises(temporalio.exceptions.ApplicationError) as caught:
        await judge(bench, run, NO_DELETES)

    assert caught.value.type == "SpaceliftObjectNotFound"
