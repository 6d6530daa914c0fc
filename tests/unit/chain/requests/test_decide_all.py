"""decide: what holds whatever is asked, what is not served, and automatic asks."""

import dataclasses
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from controller.api import v1alpha1
from controller.api.v1alpha1 import Cause, Phase
from controller.chain.requests import decide as decisions
from controller.chain.requests import executions, next_request
from controller.chain.requests.executions import ExecutionState
from tests.support.builders import (
    T0,
    T2,
    T3,
    execution_run_id,
    handled,
    make_execution,
    make_run,
    make_stack_chain,
    make_status,
)
from tests.unit.chain.requests.deciding import (
    BY_ITSELF,
    ON_REQUEST,
    A,
    B,
    closed,
    decide,
    nothing,
    spec_with,
    unknown_root,
)

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
    live = executions.LiveSettings(
        parallelism=chain.spec.policies.parallelism, is_suspended=is_live
    )

    decision = decisions.decide_without_connection(
        chain, make_execution(1), live=live, is_withheld=is_withheld
    )

    assert (decision.settings.is_suspended, decision.start, decision.cancel) == (told, None, False)


def test_an_unserved_live_run_can_be_canceled() -> None:
    status = make_status(make_run(1, phase=Phase.RUNNING), last_handled=handled(A))
    chain = make_stack_chain(spec=B, status=status, cancel_token="1", generation=2)

    decision = decisions.decide_without_connection(
        chain, make_execution(1), live=executions.LiveSettings(), is_withheld=True
    )

    assert (decision.cancel, decision.handled.cancel) == (True, "1")
    # What is asked stays asked.
    assert decision.handled.spec == handled(A).spec


def test_a_cancel_of_nothing_stays_asked_while_nothing_is_served() -> None:
    chain = make_stack_chain(spec=A, cancel_token="1")

    decision = decisions.decide_without_connection(chain, None, live=None, is_withheld=False)

    assert decision == nothing(v1alpha1.Handled())


# Asks that are in the status: times of the schedule, finished runs of roots


RUN_A = v1alpha1.RootRun(stack_id="a", run_id="01A5")


RUN_B = v1alpha1.RootRun(stack_id="b", run_id="01B7")


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
    assert decision.start == next_request.Request(
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
    spec = dataclasses.replace(BY_ITSELF, concurrency_policy=v1alpha1.ConcurrencyPolicy.REPLACE)
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
