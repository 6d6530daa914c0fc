"""decide: retries, cancels, and what reaches a live run."""

import dataclasses

import pytest

from controller.api import v1alpha1
from controller.api.v1alpha1 import Cause, Phase
from controller.chain.requests import decide as decisions
from controller.chain.requests import executions, next_request
from controller.chain.requests.executions import ExecutionState
from controller.chain.run import progress
from tests.support.builders import (
    handled,
    make_execution,
    make_run,
    make_stack_chain,
    make_status,
)
from tests.support.golden import Golden
from tests.unit.chain.requests.deciding import (
    ON_REQUEST,
    A,
    B,
    closed,
    decide,
    ended,
    nothing,
    spec_with,
)

# Retry of what failed


THREE = (
    ("a", Phase.SUCCEEDED, "RunFinished"),
    ("b", Phase.SKIPPED, "OutputUnchanged"),
    ("c", Phase.FAILED, "RunFailed"),
    ("d", Phase.SKIPPED, "UpstreamNotSucceeded"),
)


@pytest.mark.parametrize("execution", [closed(3), None], ids=["known", "past retention"])
def test_a_retry_keeps_what_ended_well_and_runs_the_others(
    execution: executions.Execution | None,
) -> None:
    chain = make_stack_chain(spec=A, status=ended(*THREE), retry_token="3")

    decision = decide(chain, execution)

    assert decision.start == next_request.Request(
        key="retry:3",
        number=4,
        attempt=1,
        cause=Cause.RETRY,
        handled=handled(A, retry="3"),
        kept=(
            progress.Kept(stack_id="a", run_number=3, run_id="01a"),
            progress.Kept(stack_id="b", run_number=3, run_id="01b"),
        ),
        retried=(
            progress.Retried(stack_id="c", run_number=3, run_id="01c"),
            progress.Retried(stack_id="d", run_number=3, run_id="01d"),
        ),
    )


def test_a_retry_is_started_once_whether_or_not_the_status_was_written() -> None:
    chain = make_stack_chain(spec=A, status=ended(*THREE), retry_token="3")
    started = make_execution(4, handled_asks=handled(A, retry="3"))

    assert decide(chain, started) == nothing(handled(A, retry="3"))
    assert decide(chain, dataclasses.replace(started, state=ExecutionState.CLOSED)).start is None


@pytest.mark.parametrize(
    "token",
    [
        pytest.param("2", id="an earlier run"),
        pytest.param("4", id="a later run"),
        pytest.param("latest", id="a word"),
        pytest.param("", id="empty"),
    ],
)
def test_a_stale_retry_does_nothing_and_says_why_once(
    token: str, case: str, golden: Golden
) -> None:
    chain = make_stack_chain(spec=A, status=ended(*THREE), retry_token=token)

    decision = decide(chain, closed(3))

    assert decision.start is None
    assert decision.handled == handled(A, retry=token)
    (note,) = decision.notes
    golden("stale_requests").check(f"retry: {case}", note)
    told = dataclasses.replace(chain, status=ended(*THREE))
    told = dataclasses.replace(
        told, status=dataclasses.replace(told.status, last_handled=decision.handled)
    )
    assert decide(told, closed(3)).notes == ()


def test_a_note_makes_a_retry_a_new_one() -> None:
    status = dataclasses.replace(ended(*THREE), last_handled=handled(A, retry="3"))
    chain = make_stack_chain(spec=A, status=status, retry_token="3 @second try")

    decision = decide(chain, closed(3, handled_asks=handled(A, retry="3")))

    assert decision.start is not None
    assert decision.start.key == "retry:3 @second try"
    assert decision.handled == handled(A, retry="3 @second try")


def test_a_retry_of_a_run_that_succeeded_does_nothing(golden: Golden) -> None:
    status = make_status(make_run(3), last_handled=handled(A))
    chain = make_stack_chain(spec=A, status=status, retry_token="3")

    decision = decide(chain, closed(3))

    assert decision.start is None
    golden("stale_requests").check("retry: a run that succeeded", decision.notes[0])


def test_an_edit_beside_a_retry_runs_everything() -> None:
    chain = make_stack_chain(spec=B, status=ended(*THREE), retry_token="3", generation=2)

    decision = decide(chain, closed(3))

    assert decision.start is not None
    assert (decision.start.cause, decision.start.kept) == (Cause.SPEC, ())
    assert decision.handled == handled(B, retry="3")


def test_what_succeeded_under_another_spec_is_not_kept(golden: Golden) -> None:
    status = dataclasses.replace(ended(*THREE), last_handled=handled(B))
    chain = make_stack_chain(spec=ON_REQUEST, status=status, retry_token="3", generation=2)

    decision = decide(chain, closed(3, handled_asks=handled(B)))

    assert decision.start is None
    golden("stale_requests").check("retry: another spec", decision.notes[0])


# Cancel


def test_a_cancel_of_the_live_run_cancels_it() -> None:
    status = make_status(make_run(3, phase=Phase.RUNNING), last_handled=handled(A))
    chain = make_stack_chain(spec=A, status=status, cancel_token="3")

    decision = decide(chain, make_execution(3))

    assert decision.cancel
    assert decision.handled == handled(A, cancel="3")
    assert decision.notes == ()


@pytest.mark.parametrize(
    ("token", "execution"),
    [
        pytest.param("2", make_execution(3), id="an earlier run"),
        pytest.param("3", closed(3), id="a run that is over"),
        pytest.param("all", make_execution(3), id="a word"),
    ],
)
def test_a_stale_cancel_does_nothing_and_says_why(
    token: str, execution: executions.Execution, case: str, golden: Golden
) -> None:
    is_live = execution.state is ExecutionState.RUNNING
    latest = make_run(3, phase=Phase.RUNNING if is_live else Phase.SUCCEEDED)
    status = make_status(latest, last_handled=handled(A))
    chain = make_stack_chain(spec=A, status=status, cancel_token=token)

    decision = decide(chain, execution)

    assert not decision.cancel
    assert decision.handled == handled(A, cancel=token)
    (note,) = decision.notes
    golden("stale_requests").check(f"cancel: {case}", note)


def test_a_cancel_is_not_forgotten_when_the_next_run_starts() -> None:
    status = make_status(make_run(3), last_handled=handled(A, cancel="3"))
    chain = make_stack_chain(spec=B, status=status, cancel_token="3", generation=2)

    decision = decide(chain, closed(3))

    assert decision.start is not None
    assert decision.handled == handled(B, cancel="3")
    assert decision.notes == ()


# Replace and suspend


def test_where_requests_replace_the_live_run_is_canceled_for_the_next(golden: Golden) -> None:
    spec = spec_with(concurrencyPolicy="Replace", commitSHA="abcdef1")
    status = make_status(make_run(1, phase=Phase.RUNNING), last_handled=handled(A))

    decision = decide(make_stack_chain(spec=spec, status=status, generation=2), make_execution(1))

    assert decision.cancel
    assert decision.pending is not None
    golden("pending_requests").check("Replace", decision.pending.message)


@pytest.mark.parametrize(
    ("is_wanted", "is_live", "told"),
    [(True, False, True), (False, True, False), (True, True, None), (False, False, None)],
)
def test_suspend_reaches_the_live_run(is_wanted: bool, is_live: bool, told: bool | None) -> None:
    status = make_status(make_run(1, phase=Phase.RUNNING), last_handled=handled(A))
    chain = make_stack_chain(spec=spec_with(suspend=is_wanted), status=status, generation=2)

    decision = decide(chain, make_execution(1), live_parallelism=10, is_live_suspended=is_live)

    assert decision.settings.is_suspended is told
    assert decision.start is None


def test_a_live_run_that_does_not_answer_is_told_all_that_may_have_changed() -> None:
    chain = make_stack_chain(
        spec=spec_with(suspend=True, parallelism=3),
        status=make_status(make_run(1, phase=Phase.RUNNING), last_handled=handled(A)),
        generation=2,
    )

    decision = decisions.decide(
        chain, make_execution(1), live=executions.LiveSettings(), is_recheck_due=False
    )

    assert (decision.settings.parallelism, decision.settings.is_suspended) == (3, True)


def test_a_live_run_that_was_told_and_does_not_answer_is_not_told_again() -> None:
    chain = make_stack_chain(
        spec=spec_with(suspend=True),
        status=make_status(make_run(1, phase=Phase.RUNNING), last_handled=handled(A)),
        generation=2,
    )
    told = executions.LiveSettings(parallelism=A.policies.parallelism, is_suspended=True)

    decision = decisions.decide(chain, make_execution(1), live=told, is_recheck_due=False)

    assert (decision.settings.parallelism, decision.settings.is_suspended) == (None, None)


# Tokens that are too long


@pytest.mark.parametrize("name", ["run", "retry", "cancel", "bypass"])
def test_a_token_that_is_too_long_asks_for_nothing_and_says_so_once(name: str) -> None:
    token = v1alpha1.parse(
        {
            "metadata": {
                "namespace": "n",
                "name": "c",
                "uid": "u",
                "annotations": {v1alpha1.RUN_ANNOTATION: "7" * 1025},
            },
            "spec": {"connectionName": "default", "roots": {"stackIds": ["a"]}},
        }
    ).run_token
    chain = make_stack_chain(spec=A, status=ended(*THREE), **{f"{name}_token": token})

    decision = decide(chain, closed(3))
    told = dataclasses.replace(chain.status, last_handled=decision.handled)
    again = decide(dataclasses.replace(chain, status=told), closed(3))

    most = v1alpha1.longest_token(f"stackchain.dev/{name}")
    assert decision.notes == (
        f"`stackchain.dev/{name}` does nothing: it is longer than {most} characters.",
    )
    assert getattr(decision.handled, name) == token
    assert (decision.start, decision.cancel) == (None, False)
    assert (again.start, again.notes) == (None, ())
