"""decide: which asks are unhandled, and what follows: exactly one run per request."""

import dataclasses
from typing import Any

import pytest

from controller.api import v1alpha1
from controller.api.v1alpha1 import Cause, Phase
from controller.chain.requests import decide as decisions
from controller.chain.requests import executions, handled_asks, next_request
from controller.chain.requests.executions import ExecutionState
from tests.support.builders import (
    handled,
    make_execution,
    make_run,
    make_spec,
    make_stack_chain,
    make_status,
)
from tests.support.golden import Golden
from tests.unit.chain.requests.deciding import ON_REQUEST, A, B, closed, decide, nothing, spec_with

# Asks that start


def test_creating_a_chain_starts_its_first_run() -> None:
    decision = decide(make_stack_chain(spec=A))

    assert decision.start == next_request.Request(
        key=f"spec:1:{handled_asks.spec_digest(A)}",
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
    assert decision.start.key == f"spec:2:{handled_asks.spec_digest(B)}"
    assert decision.handled == handled(B)


def test_a_new_token_starts_the_next_run() -> None:
    status = make_status(make_run(1), last_handled=handled(A, "old"))
    chain = make_stack_chain(spec=A, status=status, run_token="new")

    decision = decide(chain, closed(handled_asks=handled(A, "old")))

    assert decision.start == next_request.Request(
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
    assert handled_asks.spec_digest(make_spec("a", "b")) == handled_asks.spec_digest(
        make_spec("b", "a")
    )


@pytest.mark.parametrize(
    "spec",
    [
        pytest.param(make_spec("a", "b"), id="roots"),
        pytest.param(make_spec("a", sources=["Labels"]), id="sources"),
        pytest.param(make_spec("a", connection_name="other"), id="connection"),
    ],
)
def test_each_field_that_a_run_depends_on_is_in_the_digest(spec: v1alpha1.StackChainSpec) -> None:
    assert handled_asks.spec_digest(spec) != handled_asks.spec_digest(A)


def test_the_digest_stays_what_it_is_across_releases() -> None:
    """Another one for the same spec would start every chain at an upgrade."""
    assert handled_asks.spec_digest(make_spec("vpc-prod")) == "02bb49fa6a3060c7"


# A live run


def test_an_ask_while_a_run_is_live_waits_for_its_end(golden: Golden) -> None:
    status = make_status(make_run(1, phase=Phase.RUNNING), last_handled=handled(A))

    decision = decide(make_stack_chain(spec=B, status=status, generation=2), make_execution(1))

    assert decision.start is None
    assert decision.handled == handled(A)
    assert decision.pending is not None
    assert decision.pending.cause is Cause.SPEC
    golden("pending_requests").check("Queue", decision.pending.message)


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


# What the spec says of when and what to run


@pytest.mark.parametrize(
    "fields",
    [
        pytest.param({"operation": "Plan"}, id="operation"),
        pytest.param({"commitSHA": "abcdef1"}, id="commit"),
        pytest.param(
            {"runtimeEnvironment": [{"name": "X", "value": "1"}]}, id="runtime environment"
        ),
        pytest.param({"graph": {"direction": "Upstream"}}, id="direction"),
        pytest.param({"graph": {"includeRoots": False}}, id="without roots"),
        pytest.param({"graph": {"maxDepth": 2}}, id="depth"),
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


def test_on_request_creating_starts_nothing_and_says_so() -> None:
    decision = decide(make_stack_chain(spec=ON_REQUEST))

    assert decision == decisions.Decision(handled=v1alpha1.Handled(), is_not_requested=True)


DESTROY = spec_with(operation="Destroy", destroyConfirmation="chain")


@pytest.mark.parametrize(
    ("spec", "is_restored"),
    [
        pytest.param(DESTROY, False, id="created to destroy"),
        pytest.param(A, True, id="restored"),
        pytest.param(ON_REQUEST, True, id="restored, to run on request"),
    ],
)
def test_what_may_have_run_in_an_earlier_life_runs_only_when_it_is_asked_anew(
    spec: v1alpha1.StackChainSpec, is_restored: bool
) -> None:
    """Its tokens come from the backup, too."""
    spec = dataclasses.replace(spec, run_token="in git")
    tokens = {"run_token": "old", "retry_token": "7", "cancel_token": "8"}
    created = make_stack_chain(spec=spec, is_restored=is_restored, **tokens)

    first = decide(created)
    seen = make_stack_chain(
        spec=spec,
        is_restored=is_restored,
        status=v1alpha1.Status(last_handled=first.handled),
        **tokens,
    )
    then = decide(seen)
    by_hand = decide(dataclasses.replace(seen, run_token="new"))
    in_git = dataclasses.replace(spec, run_token="release 41")
    by_git = decide(dataclasses.replace(seen, spec=in_git))

    for decision in (first, then):
        assert (decision.start, decision.notes, decision.is_not_requested) == (None, (), True)
    for decision in (by_hand, by_git):
        assert decision.start is not None
        assert decision.start.cause == Cause.RUN_TOKEN


def test_an_edit_to_destroy_runs() -> None:
    status = make_status(make_run(1), last_handled=handled(A))

    decision = decide(make_stack_chain(spec=DESTROY, status=status, generation=2), closed())

    assert decision.start is not None
    assert decision.start.cause == Cause.SPEC


def test_what_is_created_to_apply_runs_at_once() -> None:
    assert decide(make_stack_chain(spec=A)).start is not None


# The run token of the spec


def with_token(token: str | None, **fields: Any) -> v1alpha1.StackChainSpec:
    return dataclasses.replace(spec_with(**fields), run_token=token)


@pytest.mark.parametrize(
    ("token", "annotation", "key"),
    [
        pytest.param("two", "one", "runToken:two", id="in the spec"),
        pytest.param("one", "two", "run:two", id="as an annotation"),
        pytest.param("two", "two", "runToken:two", id="both at once are one run"),
        pytest.param("one", "one", None, id="none is new"),
        pytest.param(None, "one", None, id="removed from the spec"),
        pytest.param("one", None, None, id="removed as an annotation"),
    ],
)
def test_run_tokens_in_the_spec_and_as_an_annotation_count_side_by_side(
    token: str | None, annotation: str | None, key: str | None
) -> None:
    asks = dataclasses.replace(handled(A, "one"), run_token="one")
    status = make_status(make_run(1), last_handled=asks)
    chain = make_stack_chain(
        spec=with_token(token), run_token=annotation, status=status, generation=2
    )

    request = decide(chain, closed()).start

    assert (request.key if request else None) == key
    if request is not None:
        assert (request.handled.run, request.handled.run_token) == (annotation, token)


def test_on_request_the_token_of_the_spec_runs_what_is_created() -> None:
    request = decide(make_stack_chain(spec=with_token("t", startPolicy="OnRequest"))).start

    assert request is not None
    assert request.key == "runToken:t"


def test_a_run_for_the_spec_takes_its_token_up() -> None:
    request = decide(make_stack_chain(spec=with_token("t"))).start

    assert request is not None
    assert (request.cause, request.handled.run_token) == (Cause.SPEC, "t")


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
