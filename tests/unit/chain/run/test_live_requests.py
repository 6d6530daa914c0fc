"""What people ask of the stacks of a run: a retry, and a bypass."""

from collections.abc import Sequence

import pytest

from controller.api.reasons import StackReason
from controller.api.v1alpha1 import FailurePolicy, Operation, Phase
from controller.chain.run import live_requests, outcome, policy, progress, stack_ends
from controller.chain.run.progress import LiveRequest, LiveRequestKind
from tests.support.builders import (
    T1,
    T2,
    T3,
    make_discovery,
    make_progress,
    make_stack,
    resolve_graph,
)
from tests.support.golden import Golden

RETRY, BYPASS = LiveRequestKind.RETRY, LiveRequestKind.BYPASS
PAGE = "live_requests"


def request(kind: LiveRequestKind, *stack_ids: str, token: str = "1") -> LiveRequest:
    return LiveRequest(kind=kind, token=token, number=1, names=list(stack_ids))


def skipped(stack_id: str, upstreams: str, behind: str, **fields: str) -> progress.StackProgress:
    return make_stack(
        stack_id,
        Phase.SKIPPED,
        depends_on=upstreams.split(),
        reason=fields.get("reason", StackReason.UPSTREAM_NOT_SUCCEEDED),
        blocked_by=behind,
        adopts_from=upstreams.split()[0] if upstreams else None,
    )


def a_run(**fields: object) -> progress.ChainProgress:
    """Two stacks failed, each with what it held up; one held up by both, and one that waits."""
    return make_progress(
        make_stack("well", Phase.SUCCEEDED),
        make_stack("a", Phase.FAILED),
        make_stack("b", Phase.CANCELED),
        skipped("a1", "a", "a"),
        skipped("a2", "a1", "a"),
        skipped("b1", "b", "b"),
        skipped("both", "a b", "a"),
        make_stack("waits", Phase.AWAITING_CONFIRMATION),
        make_stack("later", depends_on=["waits"]),
        **fields,
    )


def phases(run: progress.ChainProgress) -> dict[str, Phase]:
    return {stack.id: stack.phase for stack in run.stacks}


def of(run: progress.ChainProgress, stack_id: str) -> progress.StackProgress:
    return next(stack for stack in run.stacks if stack.id == stack_id)


def took(run: progress.ChainProgress, asked: LiveRequest) -> live_requests.ReopenedStacks:
    effect = live_requests.take(run, asked, now=T2)
    assert effect is not None
    return effect


def test_a_retry_of_all_makes_pending_what_ended_badly_and_what_that_held_up() -> None:
    run = a_run()

    effect = took(run, request(RETRY))

    assert set(effect.reopened) == {"a", "b", "a1", "a2", "b1", "both"}
    assert phases(run)["well"] is Phase.SUCCEEDED
    assert phases(run)["waits"] is Phase.AWAITING_CONFIRMATION
    assert all(phases(run)[name] is Phase.PENDING for name in effect.reopened)
    assert [(item.token, item.is_refused) for item in run.requests] == [("1", False)]


def test_what_was_skipped_behind_a_stack_that_the_chain_no_longer_has_is_retried_alone() -> None:
    """That one cannot be named."""
    gone = make_stack("x", Phase.SKIPPED, reason=StackReason.NO_LONGER_IN_CHAIN)
    run = make_progress(make_stack("a", Phase.RUNNING), skipped("z", "", "x"), gone)

    effect = took(run, request(RETRY, "z"))

    assert effect.reopened == ("z",)
    assert phases(run) == {"a": Phase.RUNNING, "z": Phase.PENDING, "x": Phase.SKIPPED}


def test_what_is_retried_gets_runs_of_the_chain_and_counts_on() -> None:
    run = a_run()

    took(run, request(RETRY))
    again = of(run, "a")
    report = progress.StackReport(
        stack_id="a", phase=Phase.FAILED, reason=StackReason.RUN_FAILED, run_id="02A", attempts=2
    )
    progress.apply_report(again, report, now=T3)

    assert all(of(run, name).adopts_from is None for name in ("a1", "a2", "b1", "both"))
    assert (again.earlier_run_id, again.earlier_attempts) == ("01RUNA", 1)
    assert (again.run_id, again.attempts) == ("02A", 3)


def test_a_named_retry_leaves_the_others_and_what_they_hold_up() -> None:
    run = a_run()

    effect = took(run, request(RETRY, "a", token="1: a"))

    assert effect.reopened == ("a", "a1", "a2")
    assert phases(run)["b"] is Phase.CANCELED
    both = of(run, "both")
    assert (both.phase, both.blocked_by) == (Phase.SKIPPED, "b")


def test_a_bypass_releases_dependents_as_a_success_does() -> None:
    run = a_run()

    effect = took(run, request(BYPASS, "a", "b", token="1: a, b"))

    assert (set(effect.reopened), effect.bypassed) == ({"a1", "a2", "b1", "both"}, ("a", "b"))
    stack = of(run, "a")
    assert (stack.phase, stack.reason) == (Phase.SKIPPED, StackReason.BYPASSED)
    assert (stack.run_id, stack.is_started, stack.completion_time) == (None, False, T2)
    assert stack_ends.ended_well(stack)


def test_what_has_not_started_can_be_bypassed() -> None:
    run = a_run()

    effect = took(run, request(BYPASS, "later"))

    assert (effect.reopened, effect.bypassed) == ((), ("later",))


def test_a_skipped_stack_can_be_bypassed_while_its_upstream_stays_failed() -> None:
    run = a_run()

    effect = took(run, request(BYPASS, "a1"))

    assert effect.reopened == ("a2",)
    assert phases(run)["a"] is Phase.FAILED


def test_what_another_chain_has_can_be_bypassed_since_nothing_of_this_one_runs() -> None:
    busy = make_stack("a", Phase.WAITING, reason=StackReason.STACK_BUSY)
    run = make_progress(busy, make_stack("b", depends_on=["a"]))

    assert took(run, request(BYPASS, "a")).bypassed == ("a",)


def test_the_same_token_twice_is_one_request() -> None:
    run = a_run()
    took(run, request(RETRY))
    of(run, "a").phase = Phase.FAILED

    assert live_requests.take(run, request(RETRY), now=T2) is None
    assert len(run.requests) == 1
    assert live_requests.take(run, request(BYPASS, "a"), now=T2) is not None


@pytest.mark.parametrize(
    ("kind", "names"),
    [
        pytest.param(RETRY, ["c"], id="retry: an unknown stack"),
        pytest.param(RETRY, ["well"], id="retry: one that succeeded"),
        pytest.param(RETRY, ["waits"], id="retry: one that is live"),
        pytest.param(RETRY, ["later"], id="retry: one that has not run"),
        pytest.param(RETRY, ["a1"], id="retry: one that another held up"),
        pytest.param(RETRY, ["a", "well", "waits"], id="retry: one that may be, and others"),
        pytest.param(BYPASS, ["wel", "lost"], id="bypass: unknown stacks"),
        pytest.param(BYPASS, ["well"], id="bypass: one that succeeded"),
        pytest.param(BYPASS, ["waits"], id="bypass: one that is live"),
        pytest.param(BYPASS, ["again"], id="bypass: one between two runs"),
        pytest.param(BYPASS, ["gone"], id="bypass: one that the chain no longer has"),
        pytest.param(BYPASS, ["vouched"], id="bypass: one that is bypassed"),
    ],
)
def test_a_request_that_cannot_be_met_does_nothing_and_says_why(
    kind: LiveRequestKind, names: Sequence[str], case: str, golden: Golden
) -> None:
    run = a_run()
    run.stacks += [
        make_stack("again", Phase.WAITING, reason=StackReason.RETRY_PENDING),
        make_stack("gone", Phase.SKIPPED, reason=StackReason.NO_LONGER_IN_CHAIN, has_run=False),
        make_stack("vouched", Phase.SKIPPED, reason=StackReason.BYPASSED, has_run=False),
    ]
    before = phases(run)

    effect = took(run, request(kind, *names))

    assert effect == live_requests.ReopenedStacks()
    assert phases(run) == before
    (handled,) = run.requests
    assert handled.is_refused
    golden(PAGE).check(case, handled.message)


def test_a_retry_where_nothing_has_failed_says_so(golden: Golden) -> None:
    run = make_progress(make_stack("a", Phase.SUCCEEDED), make_stack("b", Phase.RUNNING))

    took(run, request(RETRY))

    assert run.requests[0].is_refused
    golden(PAGE).check("retry: nothing failed", run.requests[0].message)


@pytest.mark.parametrize(
    ("kind", "names"),
    [
        pytest.param(RETRY, [], id="retried: all"),
        pytest.param(RETRY, ["b"], id="retried: one"),
        pytest.param(BYPASS, ["a"], id="bypassed: one that failed"),
        pytest.param(BYPASS, ["later"], id="bypassed: one that had not started"),
    ],
)
def test_what_a_request_has_done_is_said(
    kind: LiveRequestKind, names: Sequence[str], case: str, golden: Golden
) -> None:
    run = a_run()

    took(run, request(kind, *names))

    said = [run.requests[0].message]
    said += [of(run, name).message for name in names if kind is BYPASS]
    golden(PAGE).check(case, "\n".join(said))


def test_of_requests_the_newest_are_kept() -> None:
    run = a_run()

    for number in range(50):
        took(run, request(BYPASS, "waits", token=f"1: waits @{number}"))

    assert [item.token for item in run.requests][-1] == "1: waits @49"
    assert len(run.requests) == 20


def fail_fast() -> progress.ChainProgress:
    return make_progress(
        make_stack("a", Phase.FAILED),
        make_stack("b", Phase.FAILED, completion_time=T2),
        skipped("c", "", "a", reason=StackReason.FAIL_FAST),
        failure_policy=FailurePolicy.FAIL_FAST,
    )


def test_with_fail_fast_a_named_stack_runs_although_another_has_failed_before() -> None:
    run = fail_fast()

    effect = took(run, request(RETRY, "b"))

    assert effect.reopened == ("b",)
    assert policy.skip_unwanted(run, now=T3) == []


def test_with_fail_fast_a_later_failure_holds_up_what_was_named_too() -> None:
    run = fail_fast()
    took(run, request(RETRY, "b"))
    run.stacks.append(make_stack("d", Phase.FAILED, completion_time=T3))

    assert policy.skip_unwanted(run, now=T3) == ["b"]


def test_with_fail_fast_a_bypass_releases_nothing_while_another_has_failed() -> None:
    run = fail_fast()

    effect = took(run, request(BYPASS, "a"))

    assert effect.reopened == ()
    assert of(run, "c").blocked_by == "b"


def test_in_a_plan_nothing_is_held_up() -> None:
    run = make_progress(
        make_stack("a", Phase.FAILED),
        make_stack("b", Phase.SUCCEEDED, depends_on=["a"]),
        operation=Operation.PLAN,
    )

    assert took(run, request(RETRY)).reopened == ("a",)


@pytest.mark.parametrize("operation", [Operation.APPLY, Operation.PLAN])
def test_a_run_with_bypassed_stacks_succeeds_and_names_them(
    operation: Operation, golden: Golden
) -> None:
    run = make_progress(
        make_stack("a", Phase.FAILED), make_stack("b", Phase.SUCCEEDED), operation=operation
    )

    took(run, request(BYPASS, "a"))
    outcome.set_outcome(run)

    assert run.phase is Phase.SUCCEEDED
    golden(PAGE).check(f"a run that succeeded with a bypassed stack: {operation}", run.message)


def test_a_retry_that_leaves_a_stack_bypassed_names_no_run(golden: Golden) -> None:
    """It may have been bypassed in any run before."""
    kept = progress.Kept(stack_id="a", run_number=7, is_bypassed=True)
    run = make_progress()

    progress.adopt_graph(run, resolve_graph(make_discovery("a -> b"), "a"), kept=[kept], now=T1)

    assert (of(run, "a").phase, of(run, "a").reason) == (Phase.SKIPPED, StackReason.BYPASSED)
    golden(PAGE).check("bypassed in an earlier run", of(run, "a").message)


def test_stacks_that_ended_before_say_when(golden: Golden) -> None:
    left = progress.left_message(3, "The run failed.")

    assert progress.left_message(4, left) == progress.left_message(4, "The run failed.")
    golden(PAGE).check("left by a retry of others", left)
