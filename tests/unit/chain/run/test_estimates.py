"""estimates: when a run is likely to end, and which stacks are urgent."""

import dataclasses
import datetime
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from controller import times
from controller.api import v1alpha1
from controller.api.reasons import StackReason
from controller.api.v1alpha1 import Operation, Phase
from controller.chain.run import estimates, gates, progress
from tests.support.builders import T0, T1, make_progress, make_stack

NOW = datetime.datetime.fromisoformat(T1)
STAGES = (
    v1alpha1.Stage(name="dev", labels=("dev",)),
    v1alpha1.Stage(
        name="prod",
        labels=("prod",),
        soak_seconds=100,
        approval=v1alpha1.StageApproval.REQUIRED,
    ),
)


def after(seconds: int) -> str:
    return times.rfc3339(NOW + datetime.timedelta(seconds=seconds))


def running(stack_id: str, *, since: int, **fields: Any) -> progress.StackProgress:
    """Return a stack whose run has worked for so many seconds."""
    return make_stack(stack_id, Phase.RUNNING, busy_since=after(-since), **fields)


def staged(stack_id: str, phase: Phase = Phase.PENDING, **fields: Any) -> progress.StackProgress:
    return make_stack(stack_id, phase, stage=stack_id.partition("-")[0], **fields)


def run_of(*stacks: progress.StackProgress, **fields: Any) -> progress.ChainProgress:
    # Rows of the tables share stacks.
    own = [dataclasses.replace(stack) for stack in stacks]
    return make_progress(*own, now=T1, **fields)


def seconds_left(run: progress.ChainProgress, **seconds_of: int) -> int | None:
    known = {name.replace("_", "-"): seconds for name, seconds in seconds_of.items()}
    found = estimates.completion_time(run, known, now=NOW)
    if found is None:
        return None
    return int((datetime.datetime.fromisoformat(found) - NOW).total_seconds())


# The longest path


def test_a_path_has_the_seconds_of_its_stacks() -> None:
    run = run_of(make_stack("a"), make_stack("b", depends_on="a"), make_stack("c", depends_on="a"))

    assert estimates.remaining_seconds(run, {"a": 5, "b": 10, "c": 60}) == {
        "a": 65,
        "b": 10,
        "c": 60,
    }


def test_a_stack_without_a_past_counts_as_the_mean_of_the_others() -> None:
    run = run_of(make_stack("a"), make_stack("b", depends_on="a"), make_stack("c"))

    assert estimates.remaining_seconds(run, {"a": 10, "c": 20}) == {"a": 25, "b": 15, "c": 20}


def test_without_a_past_a_path_has_as_many_seconds_as_stacks() -> None:
    run = run_of(
        make_stack("a"),
        make_stack("b", depends_on="a"),
        make_stack("c", depends_on="b"),
        make_stack("x", depends_on="a"),
    )

    assert estimates.remaining_seconds(run, {}) == {"a": 3, "b": 2, "c": 1, "x": 1}


def test_in_a_plan_no_stack_waits_for_another() -> None:
    run = run_of(make_stack("a"), make_stack("b", depends_on="a"), operation=Operation.PLAN)

    assert estimates.remaining_seconds(run, {"a": 5, "b": 7}) == {"a": 5, "b": 7}


# The end


CHAIN = [make_stack("a"), make_stack("b", depends_on="a"), make_stack("c", depends_on="a")]


@pytest.mark.parametrize(
    ("run", "seconds_of", "expected"),
    [
        pytest.param(run_of(*CHAIN), {"a": 10, "b": 20, "c": 5}, 30, id="the longest path"),
        pytest.param(
            run_of(*CHAIN, parallelism=1), {"a": 10, "b": 20, "c": 5}, 35, id="in one slot"
        ),
        pytest.param(
            run_of(*CHAIN, operation=Operation.PLAN),
            {"a": 10, "b": 20, "c": 5},
            20,
            id="a plan, in which none waits for another",
        ),
        pytest.param(
            run_of(running("a", since=6), *CHAIN[1:]),
            {"a": 10, "b": 20, "c": 5},
            24,
            id="what runs has a part behind it",
        ),
        pytest.param(
            run_of(running("a", since=60), *CHAIN[1:]),
            {"a": 10, "b": 20, "c": 5},
            20,
            id="what takes longer than before may end at any moment",
        ),
        pytest.param(
            run_of(running("a", since=6, busy_seconds=3)),
            {"a": 10},
            1,
            id="it had worked before a person was waited for",
        ),
        pytest.param(
            run_of(make_stack("a", Phase.SUCCEEDED), *CHAIN[1:]),
            {"b": 20, "c": 5},
            20,
            id="what has ended needs no past",
        ),
        pytest.param(
            run_of(
                make_stack("a", Phase.FAILED),
                make_stack(
                    "b",
                    Phase.SKIPPED,
                    depends_on="a",
                    reason=StackReason.UPSTREAM_NOT_SUCCEEDED,
                    blocked_by="a",
                ),
                running("c", since=5),
            ),
            {"c": 20},
            15,
            id="a run that will not succeed ends, too",
        ),
        pytest.param(
            run_of(
                *(make_stack(name) for name in "abc"),
                parallelism=2,
            ),
            {"a": 10, "b": 20, "c": 30},
            30,
            id="the longest first: 30 beside 20 and 10",
        ),
        pytest.param(
            run_of(
                running("a", since=0),
                make_stack("b", depends_on="a", adopts_from="a"),
                make_stack("c", depends_on="a"),
                parallelism=1,
            ),
            {"a": 10, "b": 20, "c": 20},
            30,
            id="a run that Spacelift queued takes no slot",
        ),
        pytest.param(
            run_of(
                make_stack(
                    "a",
                    Phase.WAITING,
                    reason=StackReason.RETRY_PENDING,
                    wants_slot_since=T0,
                ),
                make_stack("b"),
                parallelism=1,
            ),
            {"a": 10, "b": 20},
            30,
            id="a run that failed is followed by one that takes the whole time",
        ),
        pytest.param(
            run_of(
                *(running(name, since=5) for name in "ab"),
                make_stack("c"),
                parallelism=1,
            ),
            {"a": 10, "b": 20, "c": 5},
            20,
            id="more at work than slots, after a person has confirmed",
        ),
    ],
)
def test_a_run_ends_when_the_last_of_its_stacks_does(
    run: progress.ChainProgress, seconds_of: dict[str, int], expected: int
) -> None:
    assert seconds_left(run, **seconds_of) == expected


@pytest.mark.parametrize(
    ("stacks", "expected"),
    [
        pytest.param(
            [staged("dev-1"), staged("prod-1")], 10 + 100 + 20, id="the soak time is to come"
        ),
        pytest.param(
            [
                staged("dev-1", Phase.SUCCEEDED, completion_time=after(-40)),
                staged("prod-1"),
            ],
            60 + 20,
            id="it is under way",
        ),
        pytest.param(
            [
                staged("dev-1", Phase.SUCCEEDED, completion_time=after(-40)),
                staged("prod-1"),
                make_stack("free"),
                make_stack("next", depends_on=["free"]),
            ],
            90,
            id="others go on meanwhile",
        ),
        pytest.param(
            [
                staged("dev-1"),
                staged("prod-1", Phase.WAITING, reason=StackReason.RETRY_PENDING),
            ],
            20,
            id="a stack of it had been started before",
        ),
        pytest.param(
            [
                staged("dev-1"),
                staged("prod-2", Phase.SUCCEEDED, is_started=True),
                staged("prod-1"),
            ],
            10 + 20,
            id="it had begun before a stack of an earlier one was asked for once more",
        ),
    ],
)
def test_a_stage_starts_after_the_earlier_ones_and_its_soak_time(
    stacks: list[progress.StackProgress], expected: int
) -> None:
    run = run_of(*stacks, stages=gates.stages_of(STAGES, Operation.APPLY))

    found = seconds_left(run, dev_1=10, prod_1=20, free=40, next=50)

    assert found == expected


@pytest.mark.parametrize(
    ("window", "expected"),
    [
        pytest.param(progress.WindowProgress(is_open=True, until=after(30)), 30, id="open"),
        pytest.param(
            progress.WindowProgress(is_open=True, until=after(10)), None, id="it closes too early"
        ),
        pytest.param(
            progress.WindowProgress(is_open=False, until=after(10)), None, id="it is closed"
        ),
        pytest.param(
            progress.WindowProgress(is_open=True, until=T0), None, id="it was last read long ago"
        ),
    ],
)
def test_what_starts_only_after_its_window_has_closed_has_no_estimate(
    window: progress.WindowProgress, expected: int | None
) -> None:
    run = run_of(*CHAIN, window=window)

    assert seconds_left(run, a=10, b=20, c=5) == expected


BOTH = {"a": 10, "b": 20}


@pytest.mark.parametrize(
    "run",
    [
        pytest.param(run_of(make_stack("a"), make_stack("new")), id="a stack has no past"),
        pytest.param(run_of(make_stack("a", Phase.AWAITING_CONFIRMATION)), id="a person"),
        pytest.param(
            run_of(
                make_stack(
                    "a",
                    Phase.WAITING,
                    reason=StackReason.STACK_BUSY,
                    held_by=v1alpha1.Holder(needs_person=False),
                )
            ),
            id="another chain, which ends by itself some time",
        ),
        pytest.param(
            run_of(
                make_stack(
                    "a",
                    Phase.WAITING,
                    reason=StackReason.STACK_LOCKED,
                    held_by=v1alpha1.Holder(needs_person=True),
                )
            ),
            id="a lock",
        ),
        pytest.param(
            run_of(make_stack("a", Phase.RUNNING, reason=StackReason.SPACELIFT_UNREACHABLE)),
            id="Spacelift is away",
        ),
        pytest.param(
            run_of(make_stack("a", Phase.RUNNING, reason=StackReason.NOT_ALLOWED)),
            id="the worker may not",
        ),
        pytest.param(run_of(make_stack("a"), is_suspended=True), id="suspended"),
        pytest.param(run_of(running("a", since=1), is_canceling=True), id="canceled"),
        pytest.param(run_of(make_stack("a"), problem_reason="RateLimited"), id="a problem"),
        pytest.param(run_of(make_stack("a", Phase.SUCCEEDED)), id="it has ended"),
        pytest.param(run_of(), id="its stacks are not known"),
        pytest.param(
            run_of(make_stack("a", Phase.FAILED), make_stack("b", depends_on="a")),
            id="a stack that is about to be skipped",
        ),
        pytest.param(
            run_of(
                staged("dev-1", Phase.SUCCEEDED, completion_time=after(-100)),
                staged("prod-1"),
                running("a", since=1),
                stages=gates.stages_of(STAGES, Operation.APPLY),
            ),
            id="a stage waits for its approval, while others run",
        ),
    ],
)
def test_it_is_not_guessed_without_a_past_nor_while_something_else_comes_first(
    run: progress.ChainProgress,
) -> None:
    assert seconds_left(run, **BOTH, prod_1=5) is None


@pytest.mark.parametrize(
    "seconds",
    [
        pytest.param(2**31 - 1, id="what a field of the status can hold"),
        pytest.param(10**12, id="more than any calendar has"),
        pytest.param(10**400, id="more than a float has"),
    ],
)
def test_what_no_stack_can_have_taken_leaves_a_run_without_an_estimate(seconds: int) -> None:
    """The query of the progress fails with it, and so would all that is known of the run."""
    assert seconds_left(run_of(*CHAIN), a=seconds, b=seconds, c=5) is None
    assert seconds_left(run_of(running("a", since=5), *CHAIN[1:]), a=seconds, b=1, c=1) is None


@st.composite
def runs(draw: st.DrawFn) -> tuple[progress.ChainProgress, dict[str, int]]:
    """A run of which nothing has started, and what its stacks took before."""
    names = [f"s{place}" for place in range(draw(st.integers(1, 8)))]
    stacks = [
        make_stack(name, depends_on=draw(st.sets(st.sampled_from(names[:place]))) if place else ())
        for place, name in enumerate(names)
    ]
    run = run_of(*stacks, parallelism=draw(st.integers(1, 4)))
    return run, {name: draw(st.integers(1, 50)) for name in names}


@given(runs())
def test_it_is_between_what_must_and_what_may_be_needed(
    drawn: tuple[progress.ChainProgress, dict[str, int]],
) -> None:
    run, seconds_of = drawn

    found = seconds_left(run, **seconds_of)

    longest = max(estimates.remaining_seconds(run, seconds_of).values())
    total, slots = sum(seconds_of.values()), run.policies.parallelism
    assert found is not None
    # Whoever starts what it can is never worse than this (Graham).
    assert max(longest, total / slots) <= found <= total / slots + longest * (1 - 1 / slots)
