"""decide: crashes, two operators for a moment, and runs that triggered nothing."""

import dataclasses

import pytest

from controller.api import reasons, v1alpha1
from controller.api.v1alpha1 import Cause, Phase
from controller.chain.requests import executions, next_request
from controller.chain.run import progress
from tests.support.builders import (
    T1,
    T2,
    T3,
    handled,
    make_execution,
    make_run,
    make_stack_chain,
    make_status,
)
from tests.unit.chain.requests.deciding import A, B, closed, decide, nothing, unknown_root

# Crashes and lost histories


def test_a_crash_between_start_and_write_is_healed_by_what_the_execution_carries() -> None:
    execution = make_execution(1, handled_asks=handled(A, "t"))

    decision = decide(make_stack_chain(spec=A, run_token="t"), execution)

    assert decision == nothing(handled(A, "t"))


def test_a_crash_is_healed_even_if_the_run_has_ended_since() -> None:
    status = make_status(make_run(1), last_handled=handled(A))
    chain = make_stack_chain(spec=B, status=status, generation=2)

    decision = decide(chain, closed(2, handled_asks=handled(B), generation=2))

    assert decision == nothing(handled(B))


def test_past_retention_the_status_alone_knows_what_was_handled() -> None:
    status = make_status(make_run(3), last_handled=handled(A, "t"))
    chain = make_stack_chain(spec=A, status=status, run_token="t")

    assert decide(chain, None) == nothing(handled(A, "t"))


def test_past_retention_numbers_go_on_from_the_status() -> None:
    status = make_status(make_run(3), last_handled=handled(A))

    decision = decide(make_stack_chain(spec=B, status=status, generation=2), None)

    assert decision.start is not None
    assert decision.start.number == 4


def test_an_execution_older_than_the_status_is_no_evidence() -> None:
    """The newest history was deleted by hand, and Temporal shows the one before."""
    status = make_status(make_run(2), last_handled=handled(B))
    chain = make_stack_chain(spec=B, status=status, generation=2)

    assert decide(chain, closed(1, handled_asks=handled(A))) == nothing(handled(B))


def test_a_lost_status_is_rebuilt_from_the_execution_without_a_new_run() -> None:
    execution = closed(7, handled_asks=handled(A, "t"))

    assert decide(make_stack_chain(spec=A, run_token="t"), execution) == nothing(handled(A, "t"))


# Two operators for a moment


@pytest.mark.parametrize(
    ("execution", "is_duplicate"),
    [
        pytest.param(closed(2), False, id="the run's own execution"),
        pytest.param(closed(2, workflow_run_id="other"), True, id="another of the same number"),
        pytest.param(closed(1), True, id="of an earlier run"),
        pytest.param(closed(3), False, id="of the next run"),
        pytest.param(closed(2, attempt=2), False, id="the next attempt"),
    ],
)
def test_an_execution_is_a_duplicate_if_the_status_has_another_of_that_number_or_a_later_one(
    execution: executions.Execution, is_duplicate: bool
) -> None:
    assert executions.is_duplicate(execution, make_run(2)) is is_duplicate


@pytest.mark.parametrize(
    ("number", "attempt", "latest", "is_duplicate"),
    [
        pytest.param(2, 1, make_run(2, phase=Phase.RUNNING), False, id="of the live run"),
        pytest.param(2, 1, make_run(2), True, id="of a run that is over"),
        pytest.param(1, 1, make_run(2, phase=Phase.RUNNING), True, id="of an earlier run"),
        pytest.param(3, 1, make_run(2), False, id="of a run that the status does not know yet"),
    ],
)
def test_what_a_reset_makes_of_the_live_run_is_that_run(
    number: int, attempt: int, latest: v1alpha1.RunStatus, is_duplicate: bool
) -> None:
    made = make_execution(number, attempt=attempt, workflow_run_id="made", is_reset=True)

    assert executions.is_duplicate(made, latest) is is_duplicate


def test_what_a_duplicate_was_asked_for_does_not_count() -> None:
    """An operator with an old view started run 2 again for A; the resource's run 2 is of B."""
    status = make_status(make_run(2, generation=2), last_handled=handled(B))
    chain = make_stack_chain(spec=B, status=status, generation=2)
    duplicate = closed(2, workflow_run_id="other", handled_asks=handled(A))

    assert decide(chain, duplicate) == nothing(handled(B))


# Rechecks


def test_a_run_that_triggered_nothing_is_tried_again_under_its_number() -> None:
    chain = make_stack_chain(spec=A, status=make_status(unknown_root(), last_handled=handled(A)))

    decision = decide(chain, closed(1), is_recheck_due=True)

    assert decision.start == next_request.Request(
        key="recheck:1:2", number=1, attempt=2, cause=Cause.SPEC, handled=handled(A)
    )
    assert decision.handled == handled(A)


def test_a_recheck_keeps_what_had_asked_for_the_run() -> None:
    latest = unknown_root(cause=Cause.RUN_TOKEN)
    chain = make_stack_chain(spec=A, status=make_status(latest, last_handled=handled(A)))

    decision = decide(chain, closed(1, cause=Cause.RUN_TOKEN), is_recheck_due=True)

    assert decision.start is not None
    assert decision.start.cause is Cause.RUN_TOKEN


def test_a_recheck_of_a_retry_keeps_what_the_retry_keeps() -> None:
    """It is run 2, which retries run 1."""
    latest = dataclasses.replace(unknown_root(cause=Cause.RETRY), number=2)
    kept = v1alpha1.StackStatus(id="a", level=0, phase=Phase.SUCCEEDED, reason="Kept", run_id="01a")
    chain = make_stack_chain(
        spec=A, status=make_status(latest, last_handled=handled(A), stacks=[kept])
    )

    decision = decide(chain, closed(2, cause=Cause.RETRY), is_recheck_due=True)

    assert decision.start is not None
    assert decision.start.kept == (progress.Kept(stack_id="a", run_number=1, run_id="01a"),)


def test_a_trigger_of_a_later_release_is_no_reason_to_fail() -> None:
    chain = make_stack_chain(
        spec=A,
        status=make_status(unknown_root(cause="MaintenanceWindow"), last_handled=handled(A)),
    )

    decision = decide(chain, None, is_recheck_due=True)

    assert decision.start is not None
    assert decision.start.cause is Cause.SPEC


def test_nothing_is_rechecked_before_it_is_due() -> None:
    chain = make_stack_chain(spec=A, status=make_status(unknown_root(), last_handled=handled(A)))

    assert decide(chain, closed(1)) == nothing(handled(A))


def test_nothing_is_rechecked_while_the_last_attempt_is_live() -> None:
    chain = make_stack_chain(spec=A, status=make_status(unknown_root(), last_handled=handled(A)))

    assert decide(chain, make_execution(1), is_recheck_due=True).start is None


def test_an_edit_after_a_bad_graph_starts_the_next_run_at_once() -> None:
    status = make_status(unknown_root(), last_handled=handled(A))
    chain = make_stack_chain(spec=B, status=status, generation=2)

    decision = decide(chain, closed(1), is_recheck_due=True)

    assert decision.start is not None
    assert (decision.start.number, decision.start.attempt) == (2, 1)


def test_a_recheck_is_possible_after_the_history_is_gone() -> None:
    chain = make_stack_chain(spec=A, status=make_status(unknown_root(), last_handled=handled(A)))

    assert decide(chain, None, is_recheck_due=True).start is not None


def test_a_recheck_that_went_well_while_nobody_could_write_is_not_repeated() -> None:
    """The status still shows the first attempt's end; the second may have run every stack."""
    kept = unknown_root(attempt=2, completion_time=T1)
    chain = make_stack_chain(spec=A, status=make_status(kept, last_handled=handled(A)))
    second = closed(1, attempt=2, start_time=T2)

    assert decide(chain, second, is_recheck_due=True) == nothing(handled(A))


def test_a_run_that_the_status_does_not_know_yet_is_not_taken_for_the_bad_one() -> None:
    status = make_status(unknown_root(), last_handled=handled(A))
    chain = make_stack_chain(spec=B, status=status, generation=2)
    second = closed(2, handled_asks=handled(B), generation=2, start_time=T2)

    assert decide(chain, second, is_recheck_due=True) == nothing(handled(B))


@pytest.mark.parametrize(
    ("latest", "has_end"),
    [
        pytest.param(make_run(1, completion_time=T3), True, id="ended after its start"),
        pytest.param(make_run(1, completion_time=T2), True, id="within the same second"),
        pytest.param(make_run(1, completion_time=T1), False, id="ended before its start"),
        pytest.param(make_run(1, workflow_run_id="other", completion_time=T3), False, id="another"),
    ],
)
def test_an_end_is_that_of_an_execution_if_it_came_after_its_start(
    latest: v1alpha1.RunStatus, has_end: bool
) -> None:
    assert executions.has_end_of(latest, closed(1, start_time=T2)) is has_end


@pytest.mark.parametrize("reason", list(reasons.ChainReason))
def test_only_ends_that_triggered_nothing_are_rechecked(reason: reasons.ChainReason) -> None:
    latest = make_run(1, phase=Phase.FAILED, reason=reason)

    assert executions.may_be_rechecked(latest) is (reason in reasons.RECHECKED)
    assert not executions.may_be_rechecked(None)
