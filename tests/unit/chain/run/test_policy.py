"""policy: what the end of one stack means for the others."""

import pytest

from controller.api.reasons import StackReason
from controller.api.v1alpha1 import Phase
from controller.chain.run import policy, progress
from tests.support.builders import T2, make_progress, make_stack
from tests.support.golden import Golden


def test_all_transitive_dependents_are_skipped_and_name_the_culprit(golden: Golden) -> None:
    chain = make_progress(
        make_stack("a", Phase.FAILED),
        make_stack("b", depends_on="a"),
        make_stack("c", depends_on="b"),
        make_stack("d", depends_on="c"),
        make_stack("other"),
    )

    skipped = policy.skip_unwanted(chain, now=T2)

    assert skipped == ["b", "c", "d"]
    for stack in chain.stacks[2:]:
        assert (stack.phase, stack.reason) == (Phase.SKIPPED, StackReason.UPSTREAM_NOT_SUCCEEDED)
        assert (stack.blocked_by, stack.completion_time) == ("a", T2)
        golden("stack_messages").check("skipped: a dependent", stack.message)
    assert chain.stacks[1].phase is Phase.PENDING


def test_a_skipped_dependent_is_not_skipped_a_second_time() -> None:
    chain = make_progress(make_stack("a", Phase.FAILED), make_stack("b", depends_on="a"))
    policy.skip_unwanted(chain, now=T2)

    assert policy.skip_unwanted(chain, now="later") == []
    assert chain.stacks[1].completion_time == T2


def test_one_failed_upstream_of_several_is_enough() -> None:
    chain = make_progress(
        make_stack("a", Phase.SUCCEEDED),
        make_stack("b", Phase.FAILED),
        make_stack("c", Phase.RUNNING),
        make_stack("d", depends_on="abc"),
    )

    assert policy.skip_unwanted(chain, now=T2) == ["d"]
    assert chain.stacks[-1].blocked_by == "b"


def test_an_unchanged_output_skips_nobody() -> None:
    chain = make_progress(make_stack("a", Phase.SKIPPED), make_stack("b", depends_on="a"))

    assert policy.skip_unwanted(chain, now=T2) == []


@pytest.mark.parametrize(
    "culprit",
    [
        pytest.param(
            make_stack("a", Phase.FAILED, reason=StackReason.TRIGGER_REFUSED, has_run=False),
            id="never triggered",
        ),
        pytest.param(
            make_stack("a", Phase.CANCELED, reason=StackReason.RUN_DISCARDED), id="discarded"
        ),
        pytest.param(
            make_stack("a", Phase.CANCELED, reason=StackReason.RUN_CANCELED),
            id="canceled in Spacelift",
        ),
        pytest.param(make_stack("a", Phase.CANCELED, reason=StackReason.RUN_STOPPED), id="stopped"),
        pytest.param(
            make_stack("a", Phase.CANCELED, reason=StackReason.CHAIN_CANCELED),
            id="canceled with the chain",
        ),
        pytest.param(make_stack("a", Phase.TIMED_OUT), id="timed out"),
    ],
)
def test_a_skipped_stack_says_what_became_of_the_culprit(
    culprit: progress.StackProgress, case: str, golden: Golden
) -> None:
    chain = make_progress(culprit, make_stack("b", depends_on="a"))

    policy.skip_unwanted(chain, now=T2)

    golden("stack_messages").check(f"skipped: upstream {case}", chain.stacks[1].message)


@pytest.mark.parametrize("stage", ["", "dev"])
def test_what_an_earlier_run_skipped_behind_a_stack_that_is_not_there_skips_others(
    stage: str,
) -> None:
    """The graph has changed since, so `x` is unknown."""
    reason = StackReason.UPSTREAM_NOT_SUCCEEDED
    chain = make_progress(
        make_stack("a", Phase.SKIPPED, reason=reason, blocked_by="x", stage=stage),
        make_stack("b", depends_on="" if stage else "a", stage="prod" if stage else ""),
        stages=[progress.StageProgress(name=name) for name in ("dev", "prod") if stage],
    )

    skipped = policy.skip_unwanted(chain, now=T2)

    assert skipped == ["b"]
    assert chain.stacks[1].blocked_by == "a"


def test_canceling_ends_what_was_never_started_and_nothing_else() -> None:
    chain = make_progress(
        make_stack("done", Phase.SUCCEEDED),
        make_stack("live", Phase.RUNNING),
        make_stack("next", depends_on=["live"]),
        make_stack("free"),
    )

    canceled = policy.cancel_unreached(chain, now=T2)

    assert canceled == ["free", "next"]
    by_id = {stack.id: stack for stack in chain.stacks}
    assert by_id["next"].phase is Phase.CANCELED
    assert by_id["next"].reason == StackReason.CHAIN_CANCELED
    assert by_id["next"].completion_time == T2
    assert by_id["live"].phase is Phase.RUNNING
    assert by_id["done"].phase is Phase.SUCCEEDED
    assert policy.cancel_unreached(chain, now="later") == []


def fast(*stacks: progress.StackProgress) -> progress.ChainProgress:
    return make_progress(*stacks, failure_policy="FailFast")


def test_fail_fast_starts_nothing_more_and_names_the_first_stack_that_failed(
    golden: Golden,
) -> None:
    known = fast(
        make_stack("a", Phase.FAILED, completion_time="2026-03-01T10:05:00Z"),
        make_stack("b", Phase.FAILED),
        make_stack("c", Phase.RUNNING),
        make_stack("d", depends_on="a"),
        make_stack("e"),
        make_stack("f", Phase.WAITING, reason=StackReason.STACK_BUSY),
    )

    skipped = policy.skip_unwanted(known, now=T2)

    rows = {stack.id: stack for stack in known.stacks}
    assert sorted(skipped) == ["d", "e", "f"]
    assert (rows["d"].reason, rows["d"].blocked_by) == (StackReason.UPSTREAM_NOT_SUCCEEDED, "a")
    assert (rows["e"].reason, rows["e"].blocked_by) == (StackReason.FAIL_FAST, "b")
    golden("stack_messages").check("skipped: FailFast", rows["e"].message)
    assert rows["c"].phase is Phase.RUNNING


@pytest.mark.parametrize(
    ("phase", "stops"),
    [
        (Phase.FAILED, True),
        (Phase.CANCELED, True),
        (Phase.TIMED_OUT, True),
        (Phase.SUCCEEDED, False),
        (Phase.SKIPPED, False),
        (Phase.RUNNING, False),
    ],
)
def test_what_stops_a_chain_that_fails_fast(phase: Phase, stops: bool) -> None:
    known = fast(make_stack("a", phase), make_stack("b"))

    assert policy.skip_unwanted(known, now=T2) == (["b"] if stops else [])


def test_a_plan_that_fails_skips_no_dependent() -> None:
    known = make_progress(
        make_stack("a", Phase.FAILED), make_stack("b", depends_on="a"), operation="Plan"
    )

    assert policy.skip_unwanted(known, now=T2) == []


def test_a_plan_that_fails_fast_skips_all_that_has_not_started_for_that_reason() -> None:
    known = make_progress(
        make_stack("a", Phase.FAILED),
        make_stack("b", depends_on="a"),
        make_stack("c", Phase.RUNNING, depends_on="b"),
        operation="Plan",
        failure_policy="FailFast",
    )

    assert policy.skip_unwanted(known, now=T2) == ["b"]
    assert known.stacks[1].reason == StackReason.FAIL_FAST
    assert known.stacks[1].blocked_by == "a"


def test_a_deadline_is_told_apart_from_a_cancel(golden: Golden) -> None:
    known = make_progress(
        make_stack("a", Phase.RUNNING), make_stack("b"), is_canceling=True, is_timed_out=True
    )

    policy.cancel_unreached(known, now=T2)

    assert known.stacks[1].phase is Phase.CANCELED
    assert known.stacks[1].reason == StackReason.CHAIN_DEADLINE_EXCEEDED
    golden("stack_messages").check("not started at the chain's deadline", known.stacks[1].message)


@pytest.mark.parametrize(
    ("reason", "run_id", "is_timed_out", "expected"),
    [
        pytest.param(
            StackReason.CHAIN_CANCELED,
            "01RUN",
            True,
            (Phase.TIMED_OUT, StackReason.CHAIN_DEADLINE_EXCEEDED),
            id="stopped at the deadline",
        ),
        pytest.param(
            StackReason.CHAIN_CANCELED,
            None,
            True,
            (Phase.CANCELED, StackReason.CHAIN_DEADLINE_EXCEEDED),
            id="not triggered yet at the deadline",
        ),
        pytest.param(
            StackReason.CHAIN_CANCELED,
            "01RUN",
            False,
            (Phase.CANCELED, StackReason.CHAIN_CANCELED),
            id="canceled",
        ),
        pytest.param(
            StackReason.RUN_DISCARDED,
            "01RUN",
            True,
            (Phase.CANCELED, StackReason.RUN_DISCARDED),
            id="discarded by a person before",
        ),
    ],
)
def test_a_stopped_stack_learns_why_it_was_stopped(
    reason: StackReason,
    run_id: str | None,
    is_timed_out: bool,
    expected: tuple[Phase, StackReason],
    case: str,
    golden: Golden,
) -> None:
    known = make_progress(
        make_stack("a", Phase.RUNNING), is_canceling=True, is_timed_out=is_timed_out
    )
    report = progress.StackReport(stack_id="a", phase=Phase.CANCELED, reason=reason, run_id=run_id)

    found = policy.with_cause(known, report)

    assert (found.phase, found.reason) == expected
    golden("stack_messages").check(f"why the chain stopped it: {case}", found.message)
