"""What a retry says of stacks that it was to run and that the chain no longer has."""

import pytest

from controller.api import v1alpha1
from controller.api.reasons import ChainReason, StackReason
from controller.api.v1alpha1 import Phase
from controller.chain.run import lost_stacks, outcome, policy, progress
from tests.support.builders import T1, make_discovery, make_left, make_progress, resolve_graph
from tests.support.golden import Golden

PAGE = "lost_stacks"

# a -> b -> c and a -> d, as they are when the retry reads them.
GRAPH = resolve_graph(make_discovery("a -> b", "b -> c", "a -> d"), "a")


def retried(stack_id: str, blocked_by: str | None = None) -> progress.Retried:
    return progress.Retried(stack_id=stack_id, run_number=4, blocked_by=blocked_by)


@pytest.mark.parametrize(
    ("stack_ids", "lost"),
    [
        pytest.param("bcd", "", id="all exist"),
        pytest.param("bx", "x", id="one has left"),
        pytest.param("xyz", "xyz", id="all have left"),
        pytest.param("", "", id="a first run"),
    ],
)
def test_what_had_not_succeeded_and_is_not_in_the_graph_is_lost(stack_ids: str, lost: str) -> None:
    found = lost_stacks.of_retry(GRAPH, [retried(item) for item in stack_ids])

    assert "".join(item.stack_id for item in found) == lost


def test_one_that_a_retry_was_to_leave_is_lost_as_well() -> None:
    found = lost_stacks.of_retry(GRAPH, [retried("b"), make_left("x")])

    assert [item.stack_id for item in found] == ["x"]


def test_no_more_are_named_than_a_status_has_room_for() -> None:
    many = [retried(f"s{number:03}") for number in range(v1alpha1.MAX_STACKS)]

    found = lost_stacks.of_retry(GRAPH, many)

    assert len(found) + len(GRAPH.stacks) == v1alpha1.MAX_STACKS


@pytest.mark.parametrize(
    ("item", "hidden"),
    [
        pytest.param(retried("x"), {"x"}, id="it is gone"),
        pytest.param(retried("y", "x"), {"x"}, id="what it was behind is gone"),
        pytest.param(retried("y", "x"), set(), id="it was behind another one"),
        pytest.param(retried("y"), set(), id="its dependency was removed"),
    ],
)
def test_each_says_why_it_was_not_run(
    item: progress.Retried, hidden: set[str], case: str, golden: Golden
) -> None:
    (found,) = lost_stacks.named([item], hidden=hidden)

    golden(PAGE).check(case, found.message)


def after_retry(*ends: Phase, lost: str) -> progress.ChainProgress:
    """A retry of a -> b -> c and a -> d; `ends` are those of the stacks in their order."""
    run = make_progress(number=5)
    found = lost_stacks.named([retried(item) for item in lost], hidden=lost)
    progress.adopt_graph(run, GRAPH, lost=found, now=T1)
    for stack, phase in zip(run.stacks, ends, strict=False):
        stack.phase = phase
    outcome.set_outcome(run)
    return run


WELL = (Phase.SUCCEEDED,) * 4


@pytest.mark.parametrize("lost", ["x", "xy"])
def test_a_retry_that_lost_stacks_has_not_succeeded(lost: str, case: str, golden: Golden) -> None:
    run = after_retry(*WELL, lost=lost)

    assert (run.phase, run.reason) == (Phase.FAILED, ChainReason.STACKS_NO_LONGER_IN_CHAIN)
    golden(PAGE).check(f"the chain: {case}", run.message)


def test_what_was_skipped_behind_one_is_not_said_to_have_succeeded(golden: Golden) -> None:
    run = make_progress(number=5)
    left = make_left("b", run_number=4, blocked_by="x")
    lost = lost_stacks.named([retried("x")], hidden=["x"])
    progress.adopt_graph(run, GRAPH, lost=lost, left=[left], now=T1)
    for stack in run.stacks:
        if stack.id in ("a", "d"):
            stack.phase = Phase.SUCCEEDED

    skipped = policy.skip_unwanted(run, now=T1)
    outcome.set_outcome(run)

    assert skipped == ["c"]
    assert (run.phase, run.reason) == (Phase.FAILED, ChainReason.STACKS_NO_LONGER_IN_CHAIN)
    dependent = next(stack for stack in run.stacks if stack.id == "c")
    golden(PAGE).check("the chain: one was skipped behind it", run.message)
    golden(PAGE).check("a stack behind it", dependent.message)


def test_a_failure_comes_first_and_names_them_too(golden: Golden) -> None:
    run = after_retry(*WELL[1:], Phase.FAILED, lost="x")

    assert (run.phase, run.reason) == (Phase.FAILED, ChainReason.STACK_FAILED)
    golden(PAGE).check("the chain: a stack failed", run.message)


def test_a_lost_stack_comes_last_and_holds_up_nothing() -> None:
    run = after_retry(*WELL[1:], Phase.RUNNING, lost="x")

    assert (run.phase, run.reason) == (Phase.RUNNING, ChainReason.PROGRESSING)
    last = run.stacks[-1]
    assert (last.id, last.level, last.reason) == ("x", 3, StackReason.NO_LONGER_IN_CHAIN)
    assert last.phase is Phase.SKIPPED
    assert run.edges == 3
