"""decisions.decide: which asks are unhandled, and what follows: exactly one run per request."""

import dataclasses
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from controller.api import reasons, v1alpha1
from controller.api.v1alpha1 import Cause, Phase
from controller.chain.requests import decide as decisions
from controller.chain.requests import executions, handling, run_requests
from controller.chain.requests.executions import ExecutionState
from controller.chain.run import progress
from tests.support.builders import (
    T0,
    T1,
    T2,
    T3,
    execution_run_id,
    handled,
    make_execution,
    make_run,
    make_spec,
    make_stack_chain,
    make_status,
)

A, B = make_spec("a"), make_spec("b")
UNKNOWN = reasons.ChainReason.UNKNOWN_STACK


def decide(
    chain: v1alpha1.StackChain,
    execution: executions.Execution | None = None,
    *,
    live_parallelism: int | None = None,
    is_live_suspended: bool = False,
    is_recheck_due: bool = False,
) -> decisions.Decision:
    live = None
    if live_parallelism is not None:
        live = executions.LiveSettings(parallelism=live_parallelism, is_suspended=is_live_suspended)
    return decisions.decide(chain, execution, live=live, is_recheck_due=is_recheck_due)


def nothing(handled_asks: v1alpha1.Handled) -> decisions.Decision:
    return decisions.Decision(handled=handled_asks)


def closed(number: int = 1, **fields: object) -> executions.Execution:
    return make_execution(number, state=ExecutionState.CLOSED, **fields)  # type: ignore[arg-type]


# Asks that start


def test_creating_a_chain_starts_its_first_run() -> None:
    decision = decide(make_stack_chain(spec=A))

    assert decision.start == run_requests.Request(
        key=f"spec:1:{handling.spec_digest(A)}",
        number=1,
        attempt=1,
        cause=Cause.SPEC,
        handled=handled(A),
    )
    assert decision.handled == handled(A)
    assert decision.pending is None


def test_a_chain_created_with_a_token_starts_one_run_that_handles_both() -> None:
    decision = decide(make_stack_chain(spec=A, run_token="t"))

    assert decision.start is not None
    assert (decision.start.number, decision.start.cause) == (1, Cause.SPEC)
    assert decision.start.handled == handled(A, "t")


def test_an_edit_starts_the_next_run() -> None:
    status = make_status(make_run(1), last_handled=handled(A))

    decision = decide(make_stack_chain(spec=B, status=status, generation=2), closed())

    assert decision.start is not None
    assert decision.start.number == 2
    assert decision.start.key == f"spec:2:{handling.spec_digest(B)}"
    assert decision.handled == handled(B)


def test_a_new_token_starts_the_next_run() -> None:
    status = make_status(make_run(1), last_handled=handled(A, "old"))
    chain = make_stack_chain(spec=A, status=status, run_token="new")

    decision = decide(chain, closed(handled_asks=handled(A, "old")))

    assert decision.start == run_requests.Request(
        key="run:new",
        number=2,
        attempt=1,
        cause=Cause.RUN_TOKEN,
        handled=handled(A, "new"),
    )


def test_a_token_of_any_length_makes_a_short_key() -> None:
    """Temporal shows the key; an annotation may hold 256 kB."""
    status = make_status(make_run(1), last_handled=handled(A))
    keys = []
    for token in ("x" * 200_000, "x" * 200_001):
        decision = decide(make_stack_chain(spec=A, status=status, run_token=token), closed())
        assert decision.start is not None
        assert decision.start.handled.run == token
        keys.append(decision.start.key)

    assert all(len(key) < 300 for key in keys)
    assert keys[0] != keys[1]


def test_token_and_edit_together_fold_into_one_run() -> None:
    status = make_status(make_run(1), last_handled=handled(A, "old"))
    chain = make_stack_chain(spec=B, status=status, run_token="new", generation=2)

    decision = decide(chain, closed(handled_asks=handled(A, "old")))

    assert decision.start is not None
    assert (decision.start.number, decision.start.cause) == (2, Cause.SPEC)
    assert decision.handled == handled(B, "new")


# Nothing to do


def test_what_is_handled_starts_nothing() -> None:
    status = make_status(make_run(1), last_handled=handled(A, "t"))
    chain = make_stack_chain(spec=A, status=status, run_token="t")

    assert decide(chain, closed(handled_asks=handled(A, "t"))) == nothing(handled(A, "t"))


def test_a_token_that_is_removed_asks_for_nothing() -> None:
    status = make_status(make_run(1), last_handled=handled(A, "t"))

    decision = decide(make_stack_chain(spec=A, status=status), closed(handled_asks=handled(A, "t")))

    assert decision == nothing(handled(A, "t"))


def test_a_token_that_comes_back_with_the_same_text_asks_for_nothing() -> None:
    status = make_status(make_run(1), last_handled=handled(A, "t"))
    chain = make_stack_chain(spec=A, status=status, run_token="t")

    assert decide(chain, closed(handled_asks=handled(A, "t"))).start is None


@pytest.mark.parametrize(
    "spec",
    [
        pytest.param(make_spec("a", parallelism=3), id="parallelism"),
        pytest.param(make_spec("a", sources=["Labels", "Dependencies"]), id="order of sources"),
    ],
)
def test_an_edit_that_a_run_does_not_depend_on_starts_nothing(
    spec: v1alpha1.StackChainSpec,
) -> None:
    status = make_status(make_run(1), last_handled=handled(A))

    assert decide(make_stack_chain(spec=spec, status=status), closed()).start is None


def test_the_order_of_the_roots_starts_nothing() -> None:
    assert handling.spec_digest(make_spec("a", "b")) == handling.spec_digest(make_spec("b", "a"))


@pytest.mark.parametrize(
    "spec",
    [
        pytest.param(make_spec("a", "b"), id="roots"),
        pytest.param(make_spec("a", sources=["Labels"]), id="sources"),
        pytest.param(make_spec("a", connection_name="other"), id="connection"),
    ],
)
def test_each_field_that_a_run_depends_on_is_in_the_digest(spec: v1alpha1.StackChainSpec) -> None:
    assert handling.spec_digest(spec) != handling.spec_digest(A)


def test_the_digest_stays_what_it_is_across_releases() -> None:
    """Another one for the same spec would start every chain at an upgrade."""
    assert handling.spec_digest(make_spec("vpc-prod")) == "02bb49fa6a3060c7"


# A live run


def test_an_ask_while_a_run_is_live_waits_for_its_end() -> None:
    status = make_status(make_run(1, phase=Phase.RUNNING), last_handled=handled(A))

    decision = decide(make_stack_chain(spec=B, status=status, generation=2), make_execution(1))

    assert decision.start is None
    assert decision.handled == handled(A)
    assert decision.pending is not None
    assert decision.pending == v1alpha1.PendingRun(
        cause=Cause.SPEC,
        message="Waits for run 1 to end; the newest request is the one that runs.",
    )


def test_the_ask_that_waited_starts_when_the_live_run_has_ended() -> None:
    status = make_status(make_run(1), last_handled=handled(A))

    decision = decide(make_stack_chain(spec=B, status=status, generation=2), closed())

    assert decision.start is not None
    assert decision.start.number == 2


def test_an_edit_that_is_taken_back_while_the_run_is_live_asks_for_nothing() -> None:
    """A, then B, then A again: the live run is that of A."""
    status = make_status(make_run(1, phase=Phase.RUNNING), last_handled=handled(A))
    live = make_execution(1)
    edited = make_stack_chain(spec=B, status=status, generation=2)
    taken_back = make_stack_chain(spec=A, status=status, generation=3)

    assert decide(edited, live).pending is not None
    assert decide(taken_back, live) == nothing(handled(A))


def test_a_token_while_a_run_is_live_waits_too() -> None:
    status = make_status(make_run(1, phase=Phase.RUNNING), last_handled=handled(A))
    chain = make_stack_chain(spec=A, status=status, run_token="now")

    decision = decide(chain, make_execution(1))

    assert decision.pending is not None
    assert decision.pending.cause == Cause.RUN_TOKEN


@pytest.mark.parametrize("run_token", [None, "new"], ids=["alone", "beside another ask"])
def test_a_change_of_parallelism_reaches_the_live_run_by_signal(run_token: str | None) -> None:
    status = make_status(make_run(1, phase=Phase.RUNNING), last_handled=handled(A))
    chain = make_stack_chain(
        spec=make_spec("a", parallelism=2), status=status, run_token=run_token, generation=2
    )

    decision = decide(chain, make_execution(1), live_parallelism=10)

    assert decision.settings.parallelism == 2
    assert decision.start is None


@pytest.mark.parametrize(
    ("execution", "live_parallelism"),
    [
        pytest.param(make_execution(1), 10, id="it has it already"),
        pytest.param(make_execution(1), None, id="nobody knows what it has"),
        pytest.param(closed(), 5, id="it has ended"),
    ],
)
def test_no_signal_where_none_is_needed(
    execution: executions.Execution, live_parallelism: int | None
) -> None:
    is_live = execution.state is ExecutionState.RUNNING
    latest = make_run(1, phase=Phase.RUNNING if is_live else Phase.SUCCEEDED)
    chain = make_stack_chain(spec=A, status=make_status(latest, last_handled=handled(A)))

    decision = decide(chain, execution, live_parallelism=live_parallelism)

    assert decision.settings.parallelism is None


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


def test_what_a_duplicate_was_asked_for_does_not_count() -> None:
    """An operator with an old view started run 2 again for A; the resource's run 2 is of B."""
    status = make_status(make_run(2, generation=2), last_handled=handled(B))
    chain = make_stack_chain(spec=B, status=status, generation=2)
    duplicate = closed(2, workflow_run_id="other", handled_asks=handled(A))

    assert decide(chain, duplicate) == nothing(handled(B))


# Rechecks


def unknown_root(attempt: int = 1, **fields: object) -> v1alpha1.RunStatus:
    return make_run(1, phase=Phase.FAILED, reason=UNKNOWN, attempt=attempt, **fields)  # type: ignore[arg-type]


def test_a_run_that_triggered_nothing_is_tried_again_under_its_number() -> None:
    chain = make_stack_chain(spec=A, status=make_status(unknown_root(), last_handled=handled(A)))

    decision = decide(chain, closed(1), is_recheck_due=True)

    assert decision.start == run_requests.Request(
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
    latest = unknown_root(cause=Cause.RETRY)
    kept = v1alpha1.StackStatus(id="a", level=0, phase=Phase.SUCCEEDED, reason="Kept", run_id="01a")
    chain = make_stack_chain(
        spec=A, status=make_status(latest, last_handled=handled(A), stacks=[kept])
    )

    decision = decide(chain, closed(1, cause=Cause.RETRY), is_recheck_due=True)

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
    """The status still tells the first attempt's end; the second may have run every stack."""
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


# What the spec says of when and what to run


@pytest.mark.parametrize(
    "fields",
    [
        pytest.param({"operation": "Plan"}, id="operation"),
        pytest.param({"commit_sha": "abcdef1"}, id="commit"),
        pytest.param(
            {"runtime_environment": [{"name": "X", "value": "1"}]}, id="runtime environment"
        ),
        pytest.param({"graph": {"direction": "Upstream"}}, id="direction"),
        pytest.param({"graph": {"include_roots": False}}, id="without roots"),
        pytest.param({"graph": {"max_depth": 2}}, id="depth"),
        pytest.param({"graph": {"exclude": {"stackIds": ["b"]}}}, id="excluded stacks"),
        pytest.param({"graph": {"exclude": {"labels": ["b"]}}}, id="excluded labels"),
    ],
)
def test_a_change_of_what_is_run_starts_a_run(fields: dict[str, Any]) -> None:
    status = make_status(make_run(1), last_handled=handled(A))
    chain = make_stack_chain(spec=spec_with(**fields), status=status, generation=2)

    assert decide(chain, closed()).start is not None


@pytest.mark.parametrize(
    "fields",
    [
        {"parallelism": 3},
        {"suspend": True},
        {"failure_policy": "FailFast"},
        {"confirmation_policy": "Auto"},
        {"confirmation_deadline_seconds": 60},
        {"active_deadline_seconds": 60},
        {"stack_deadline_seconds": 60},
        {"retry": {"limit": 3}},
        {"concurrency_policy": "Replace"},
        {"native_runs": "Replace"},
        {"deletion_policy": "Orphan"},
        {"history_limit": 0},
        {"start_policy": "OnRequest"},
        {"graph": {"max_stacks": 7}},
    ],
    ids=str,
)
def test_a_change_of_how_it_is_run_starts_nothing(fields: dict[str, Any]) -> None:
    status = make_status(make_run(1), last_handled=handled(A))
    chain = make_stack_chain(spec=spec_with(**fields), status=status, generation=2)

    assert decide(chain, closed()).start is None


def spec_with(**fields: Any) -> v1alpha1.StackChainSpec:
    """Return A with further fields, as the API server hands them out or in snake case."""
    return v1alpha1.StackChainSpec.model_validate({"roots": {"stackIds": ["a"]}} | fields)


ON_REQUEST = spec_with(start_policy="OnRequest")


def test_on_request_creating_starts_nothing_and_says_so() -> None:
    decision = decide(make_stack_chain(spec=ON_REQUEST))

    assert decision == decisions.Decision(handled=v1alpha1.Handled(), is_not_requested=True)


def test_on_request_a_token_runs_the_spec_as_it_is() -> None:
    status = make_status(make_run(1), last_handled=handled(B))
    chain = make_stack_chain(spec=ON_REQUEST, status=status, run_token="t", generation=2)

    decision = decide(chain, closed(handled_asks=handled(B)))

    assert decision.start is not None
    assert decision.start.cause is Cause.RUN_TOKEN
    assert decision.handled == handled(ON_REQUEST, "t")
    assert not decision.is_not_requested


def test_on_request_an_edit_is_not_requested_until_somebody_asks() -> None:
    status = make_status(make_run(1), last_handled=handled(B))
    chain = make_stack_chain(spec=ON_REQUEST, status=status, generation=2)

    decision = decide(chain, closed(handled_asks=handled(B)))

    assert decision.start is None
    assert decision.is_not_requested


# Retry of what failed

FAILED = make_run(3, phase=Phase.FAILED)


def ended(*rows: tuple[str, Phase, str], **fields: Any) -> v1alpha1.Status:
    """A status after run 3, with stacks."""
    stacks = [
        v1alpha1.StackStatus(id=name, level=0, phase=phase, reason=reason, run_id=f"01{name}")
        for name, phase, reason in rows
    ]
    return make_status(FAILED, last_handled=handled(A), stacks=stacks, **fields)


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

    assert decision.start == run_requests.Request(
        key="retry:3",
        number=4,
        attempt=1,
        cause=Cause.RETRY,
        handled=handled(A, retry="3"),
        kept=(
            progress.Kept(stack_id="a", run_number=3, run_id="01a"),
            progress.Kept(stack_id="b", run_number=3, run_id="01b"),
        ),
    )


def test_a_retry_is_started_once_whether_or_not_the_status_was_written() -> None:
    chain = make_stack_chain(spec=A, status=ended(*THREE), retry_token="3")
    started = make_execution(4, handled_asks=handled(A, retry="3"))

    assert decide(chain, started) == nothing(handled(A, retry="3"))
    assert decide(chain, dataclasses.replace(started, state=ExecutionState.CLOSED)).start is None


@pytest.mark.parametrize(
    ("token", "why"),
    [
        ("2", "the latest run is 3"),
        ("4", "the latest run is 3"),
        ("latest", "it must be the number of a run"),
        ("", "it must be the number of a run"),
    ],
)
def test_a_stale_retry_does_nothing_and_says_why_once(token: str, why: str) -> None:
    chain = make_stack_chain(spec=A, status=ended(*THREE), retry_token=token)

    decision = decide(chain, closed(3))

    assert decision.start is None
    assert decision.handled == handled(A, retry=token)
    assert decision.notes == (f"`stackchain.dev/retry: {token}` does nothing: {why}.",)
    told = dataclasses.replace(chain, status=ended(*THREE))
    told = dataclasses.replace(
        told, status=dataclasses.replace(told.status, last_handled=decision.handled)
    )
    assert decide(told, closed(3)).notes == ()


def test_a_retry_of_a_run_that_succeeded_does_nothing() -> None:
    status = make_status(make_run(3), last_handled=handled(A))
    chain = make_stack_chain(spec=A, status=status, retry_token="3")

    decision = decide(chain, closed(3))

    assert decision.start is None
    assert "every stack of run 3 succeeded" in decision.notes[0]


def test_a_retry_of_the_live_run_waits_for_its_end_even_where_requests_replace() -> None:
    status = make_status(make_run(3, phase=Phase.RUNNING), last_handled=handled(A))
    spec = spec_with(concurrency_policy="Replace")
    chain = make_stack_chain(spec=spec, status=status, retry_token="3")

    decision = decide(chain, make_execution(3))

    assert decision.pending is not None
    assert decision.pending.cause == Cause.RETRY
    assert not decision.cancel


def test_an_edit_beside_a_retry_runs_everything() -> None:
    chain = make_stack_chain(spec=B, status=ended(*THREE), retry_token="3", generation=2)

    decision = decide(chain, closed(3))

    assert decision.start is not None
    assert (decision.start.cause, decision.start.kept) == (Cause.SPEC, ())
    assert decision.handled == handled(B, retry="3")


def test_what_succeeded_under_another_spec_is_not_kept() -> None:
    status = dataclasses.replace(ended(*THREE), last_handled=handled(B))
    chain = make_stack_chain(spec=ON_REQUEST, status=status, retry_token="3", generation=2)

    decision = decide(chain, closed(3, handled_asks=handled(B)))

    assert decision.start is None
    assert "the spec has changed since run 3" in decision.notes[0]


# Cancel


def test_a_cancel_of_the_live_run_cancels_it() -> None:
    status = make_status(make_run(3, phase=Phase.RUNNING), last_handled=handled(A))
    chain = make_stack_chain(spec=A, status=status, cancel_token="3")

    decision = decide(chain, make_execution(3))

    assert decision.cancel
    assert decision.handled == handled(A, cancel="3")
    assert decision.notes == ()


@pytest.mark.parametrize(
    ("token", "execution", "why"),
    [
        ("2", make_execution(3), "the latest run is 3"),
        ("3", closed(3), "run 3 is over"),
        ("all", make_execution(3), "it must be the number of a run"),
    ],
)
def test_a_stale_cancel_does_nothing_and_says_why(
    token: str, execution: executions.Execution, why: str
) -> None:
    is_live = execution.state is ExecutionState.RUNNING
    latest = make_run(3, phase=Phase.RUNNING if is_live else Phase.SUCCEEDED)
    status = make_status(latest, last_handled=handled(A))
    chain = make_stack_chain(spec=A, status=status, cancel_token=token)

    decision = decide(chain, execution)

    assert not decision.cancel
    assert decision.handled == handled(A, cancel=token)
    assert decision.notes == (f"`stackchain.dev/cancel: {token}` does nothing: {why}.",)


def test_a_cancel_is_not_forgotten_when_the_next_run_starts() -> None:
    status = make_status(make_run(3), last_handled=handled(A, cancel="3"))
    chain = make_stack_chain(spec=B, status=status, cancel_token="3", generation=2)

    decision = decide(chain, closed(3))

    assert decision.start is not None
    assert decision.handled == handled(B, cancel="3")
    assert decision.notes == ()


# Replace and suspend


def test_where_requests_replace_the_live_run_is_canceled_for_the_next() -> None:
    spec = spec_with(concurrency_policy="Replace", commit_sha="abcdef1")
    status = make_status(make_run(1, phase=Phase.RUNNING), last_handled=handled(A))

    decision = decide(make_stack_chain(spec=spec, status=status, generation=2), make_execution(1))

    assert decision.cancel
    assert decision.pending is not None
    assert decision.pending.message.startswith("Run 1 is being canceled for it")


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
    told = executions.LiveSettings(parallelism=A.parallelism, is_suspended=True)

    decision = decisions.decide(chain, make_execution(1), live=told, is_recheck_due=False)

    assert (decision.settings.parallelism, decision.settings.is_suspended) == (None, None)


# All together


@st.composite
def situations(
    draw: st.DrawFn,
) -> tuple[v1alpha1.StackChain, executions.Execution | None]:
    """A resource and its latest execution, with asks that are handled or not."""
    tokens = st.sampled_from([None, "t1", "t2"])
    specs = st.sampled_from([A, B])
    spec, token = draw(specs), draw(tokens)
    number = draw(st.integers(min_value=0, max_value=3))
    status = v1alpha1.Status()
    if number:
        asks = handled(draw(specs), draw(tokens))
        latest = draw(st.sampled_from([make_run(number), unknown_root()]))
        status = make_status(dataclasses.replace(latest, number=number), last_handled=asks)
    chain = make_stack_chain(spec=spec, status=status, run_token=token)
    if not draw(st.booleans()):
        return chain, None
    execution_number = draw(st.integers(min_value=1, max_value=4))
    return chain, make_execution(
        execution_number,
        state=draw(st.sampled_from(list(ExecutionState))),
        handled_asks=handled(draw(specs), draw(tokens)),
        workflow_run_id=draw(st.sampled_from([execution_run_id(execution_number), "other"])),
        start_time=draw(st.sampled_from([T0, T2])),
    )


@given(situations(), st.booleans())
def test_no_run_is_started_beside_a_live_one(
    situation: tuple[v1alpha1.StackChain, executions.Execution | None], is_due: bool
) -> None:
    chain, execution = situation

    decision = decide(chain, execution, is_recheck_due=is_due)

    if execution is not None and execution.state is ExecutionState.RUNNING:
        assert decision.start is None
    assert decision.pending is None or decision.start is None


@given(situations())
def test_a_request_that_was_started_is_never_started_again(
    situation: tuple[v1alpha1.StackChain, executions.Execution | None],
) -> None:
    """Whether or not the status could be written in between."""
    chain, execution = situation
    decision = decide(chain, execution)
    if decision.start is None:
        return
    request = decision.start
    started = make_execution(request.number, attempt=request.attempt, handled_asks=request.handled)
    ended = dataclasses.replace(started, state=ExecutionState.CLOSED, close_time=T3)
    written = dataclasses.replace(
        chain, status=make_status(make_run(request.number), last_handled=request.handled)
    )

    assert decide(chain, started).start is None
    assert decide(chain, started).pending is None
    assert decide(chain, ended).start is None
    assert decide(written, ended).start is None
    assert decide(written, None).start is None


@given(situations())
def test_numbers_only_grow(
    situation: tuple[v1alpha1.StackChain, executions.Execution | None],
) -> None:
    chain, execution = situation

    decision = decide(chain, execution)

    if decision.start is not None:
        latest = chain.status.latest_run
        assert decision.start.number > (latest.number if latest else 0)
        assert decision.start.number > (execution.number if execution else 0)


# What the connection does not serve


@pytest.mark.parametrize(
    ("is_wanted", "is_live", "is_withheld", "told"),
    [
        (False, False, True, True),
        (False, True, True, None),
        (False, True, False, False),
        (True, False, False, True),
    ],
    ids=["withdrawn", "withdrawn and told", "of an earlier spec that is served", "suspended"],
)
def test_an_unserved_live_run_is_suspended_while_it_is_withheld(
    is_wanted: bool, is_live: bool, is_withheld: bool, told: bool | None
) -> None:
    status = make_status(make_run(1, phase=Phase.RUNNING), last_handled=handled(A))
    chain = make_stack_chain(spec=spec_with(suspend=is_wanted), status=status, generation=2)
    live = executions.LiveSettings(parallelism=chain.spec.parallelism, is_suspended=is_live)

    decision = decisions.decide_unserved(
        chain, make_execution(1), live=live, is_withheld=is_withheld
    )

    assert (decision.settings.is_suspended, decision.start, decision.cancel) == (told, None, False)


def test_an_unserved_live_run_can_be_canceled() -> None:
    status = make_status(make_run(1, phase=Phase.RUNNING), last_handled=handled(A))
    chain = make_stack_chain(spec=B, status=status, cancel_token="1", generation=2)

    decision = decisions.decide_unserved(
        chain, make_execution(1), live=executions.LiveSettings(), is_withheld=True
    )

    assert (decision.cancel, decision.handled.cancel) == (True, "1")
    # What is asked stays asked.
    assert decision.handled.spec == handled(A).spec


def test_a_cancel_of_nothing_stays_asked_while_nothing_is_served() -> None:
    chain = make_stack_chain(spec=A, cancel_token="1")

    decision = decisions.decide_unserved(chain, None, live=None, is_withheld=False)

    assert decision == nothing(v1alpha1.Handled())


# Asks that stand in the status: times of the schedule, finished runs of roots

RUN_A = v1alpha1.RootRun(stack_id="a", run_id="01A5")
RUN_B = v1alpha1.RootRun(stack_id="b", run_id="01B7")
BY_ITSELF = make_spec(
    "a",
    "b",
    schedule=v1alpha1.Schedule(cron="@daily"),
    triggers=(v1alpha1.StartTrigger(type=v1alpha1.StartTriggerType.ROOT_RUN_FINISHED),),
)
ON_REQUEST = BY_ITSELF.model_copy(update={"start_policy": v1alpha1.StartPolicy.ON_REQUEST})
BOTH = v1alpha1.PendingRun(cause="", message="", scheduled_time=T2, root_runs=(RUN_A, RUN_B))
ROOTS_ONLY = dataclasses.replace(BOTH, scheduled_time=None)


def waiting(
    pending: v1alpha1.PendingRun,
    *,
    latest: v1alpha1.RunStatus | None = None,
    spec: v1alpha1.StackChainSpec = BY_ITSELF,
    handled_asks: v1alpha1.Handled | None = None,
    **fields: Any,
) -> v1alpha1.StackChain:
    status = make_status(
        latest or make_run(1),
        last_handled=handled_asks or handled(spec),
        pending_run=pending,
        stacks=fields.pop("stacks", ()),
    )
    return make_stack_chain(spec=spec, status=status, **fields)


@pytest.mark.parametrize("spec", [BY_ITSELF, ON_REQUEST])
def test_a_time_of_the_schedule_starts_all_stacks_and_answers_finished_roots_too(
    spec: v1alpha1.StackChainSpec,
) -> None:
    decision = decide(waiting(BOTH, spec=spec), closed(handled_asks=handled(spec)))

    wanted = dataclasses.replace(handled(spec), schedule=T2, root_runs=(RUN_A, RUN_B))
    assert decision.start == run_requests.Request(
        key=f"schedule:{T2}",
        number=2,
        attempt=1,
        cause=Cause.SCHEDULE,
        handled=wanted,
        took_up=(RUN_A, RUN_B),
    )
    assert (decision.handled, decision.pending) == (wanted, None)


def test_finished_roots_start_a_run_below_all_of_them() -> None:
    decision = decide(waiting(ROOTS_ONLY), closed(handled_asks=handled(BY_ITSELF)))

    assert decision.start is not None
    assert decision.start.cause is Cause.ROOT_RUN_FINISHED
    assert decision.start.key == "webhook:01A5,01B7"
    assert decision.start.root_runs == decision.start.took_up == (RUN_A, RUN_B)
    assert decision.handled.root_runs == (RUN_A, RUN_B)


def test_an_edit_or_a_token_answers_them_all() -> None:
    chain = waiting(BOTH, run_token="new")

    decision = decide(chain, closed(handled_asks=handled(BY_ITSELF)))

    assert decision.start is not None
    assert (decision.start.cause, decision.start.root_runs) == (Cause.RUN_TOKEN, ())
    assert (decision.handled.schedule, decision.handled.root_runs) == (T2, (RUN_A, RUN_B))


def test_a_retry_goes_first_and_leaves_the_finished_roots_waiting() -> None:
    """It does not run what they ask for, and is about the run before them."""
    latest = make_run(1, phase=Phase.FAILED)
    chain = waiting(ROOTS_ONLY, latest=latest, retry_token="1")

    decision = decide(chain, closed(handled_asks=handled(BY_ITSELF)))

    assert decision.start is not None
    assert decision.start.cause is Cause.RETRY
    assert decision.handled.root_runs == decision.start.took_up == ()
    assert decision.pending is not None
    assert decision.pending.cause is Cause.ROOT_RUN_FINISHED
    assert decision.pending.root_runs == (RUN_A, RUN_B)


def test_a_retry_of_a_run_below_finished_roots_has_the_same_roots() -> None:
    latest = make_run(1, phase=Phase.FAILED, cause=Cause.ROOT_RUN_FINISHED, root_runs=(RUN_A,))
    kept = v1alpha1.StackStatus(id="a", level=0, phase=Phase.SUCCEEDED, run_id="01A5")
    status = make_status(latest, last_handled=handled(BY_ITSELF), stacks=[kept])
    chain = make_stack_chain(spec=BY_ITSELF, status=status, retry_token="1")

    decision = decide(chain, closed(handled_asks=handled(BY_ITSELF)))

    assert decision.start is not None
    assert (decision.start.root_runs, decision.start.took_up) == ((RUN_A,), ())
    assert [item.stack_id for item in decision.start.kept] == ["a"]


def test_a_run_below_finished_roots_that_could_not_begin_is_tried_again_below_them() -> None:
    latest = unknown_root(cause=Cause.ROOT_RUN_FINISHED, root_runs=(RUN_A,))
    status = make_status(latest, last_handled=handled(BY_ITSELF))

    decision = decide(make_stack_chain(spec=BY_ITSELF, status=status), None, is_recheck_due=True)

    assert decision.start is not None
    assert decision.start.cause is Cause.ROOT_RUN_FINISHED
    assert decision.start.root_runs == (RUN_A,)


@pytest.mark.parametrize(
    ("pending", "cause", "is_canceling"),
    [(BOTH, Cause.SCHEDULE, True), (ROOTS_ONLY, Cause.ROOT_RUN_FINISHED, False)],
)
def test_behind_a_live_run_they_wait_and_a_finished_root_never_ends_it(
    pending: v1alpha1.PendingRun, cause: Cause, is_canceling: bool
) -> None:
    """A run below one root would leave undone what the live run does below another."""
    spec = BY_ITSELF.model_copy(update={"concurrency_policy": v1alpha1.ConcurrencyPolicy.REPLACE})
    chain = waiting(pending, latest=make_run(1, phase=Phase.RUNNING), spec=spec)

    decision = decide(chain, make_execution(handled_asks=handled(spec)))

    assert decision.start is None
    assert decision.cancel is is_canceling
    assert decision.pending is not None
    assert decision.pending.cause is cause
    assert decision.pending.scheduled_time == pending.scheduled_time
    assert decision.pending.root_runs == (RUN_A, RUN_B)
    assert (decision.handled.schedule, decision.handled.root_runs) == (None, ())


@pytest.mark.parametrize("pending", [BOTH, ROOTS_ONLY])
@pytest.mark.parametrize("run_token", [None, "new"])
def test_after_a_crash_between_start_and_write_nothing_starts_again(
    pending: v1alpha1.PendingRun, run_token: str | None
) -> None:
    """The execution's memo says what it took up, whatever else was folded into its request."""
    chain = waiting(pending, run_token=run_token)
    first = decide(chain, closed(handled_asks=handled(BY_ITSELF)))
    assert first.start is not None
    told = dataclasses.replace(first.start.handled, root_runs=first.start.took_up)
    state: dict[str, Any] = {"cause": first.start.cause, "handled_asks": told}

    for execution in (make_execution(2, **state), closed(2, **state)):
        again = decide(chain, execution)

        assert again.start is None
        assert again.pending is None
        assert again.handled == first.handled


def test_triggers_that_are_removed_forget_what_they_have_seen() -> None:
    done = dataclasses.replace(handled(A), root_runs=(RUN_A,))
    chain = make_stack_chain(spec=A, status=make_status(make_run(1), last_handled=done))

    assert decide(chain, closed(handled_asks=done)).handled == handled(A)
