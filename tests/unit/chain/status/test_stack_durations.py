"""stack_durations: what stacks took is kept from run to run, for each operation."""

import dataclasses
from typing import Any

import pytest

from controller.api import v1alpha1
from controller.api.reasons import StackReason
from controller.api.v1alpha1 import Operation, Phase, StackDurations
from controller.chain.requests.executions import ExecutionState
from controller.chain.run import progress
from controller.chain.status import stack_durations
from tests.support.builders import T2, make_progress, make_run, make_stack, make_status
from tests.unit.chain.status.projecting import ended, executed, live, project

BEFORE = (
    StackDurations(stack_id="a", apply_seconds=30, plan_seconds=5),
    StackDurations(stack_id="gone", apply_seconds=7),
)


def took(stack_id: str, seconds: int | None, **fields: Any) -> progress.StackProgress:
    return make_stack(stack_id, Phase.SUCCEEDED, took_seconds=seconds, **fields)


@pytest.mark.parametrize(
    ("run", "expected"),
    [
        pytest.param(
            make_progress(took("a", 60), took("b", 20)),
            [("a", 60, 5, None), ("b", 20, None, None), ("gone", 7, None, None)],
            id="what succeeded, and what this run has not run",
        ),
        pytest.param(
            make_progress(took("a", 6), operation=Operation.PLAN),
            [("a", 30, 6, None), ("gone", 7, None, None)],
            id="a plan between two applies",
        ),
        pytest.param(
            make_progress(took("a", 9), operation=Operation.DESTROY),
            [("a", 30, 5, 9), ("gone", 7, None, None)],
            id="destroyed",
        ),
        pytest.param(
            make_progress(took("a", None, reason=StackReason.KEPT), make_stack("b", Phase.FAILED)),
            [("a", 30, 5, None), ("gone", 7, None, None)],
            id="a retry that keeps one, while another fails",
        ),
        pytest.param(
            make_progress(took("a", 60), operation="Refresh"),
            [("a", 30, 5, None), ("gone", 7, None, None)],
            id="an operation of a newer version",
        ),
        pytest.param(
            make_progress(),
            [("a", 30, 5, None), ("gone", 7, None, None)],
            id="its stacks are not known",
        ),
    ],
)
def test_a_run_adds_what_it_has_found(
    run: progress.ChainProgress, expected: list[tuple[str, int, int | None, int | None]]
) -> None:
    found = stack_durations.updated(BEFORE, run)

    assert [
        (one.stack_id, one.apply_seconds, one.plan_seconds, one.destroy_seconds) for one in found
    ] == expected


@pytest.mark.parametrize(
    ("seconds", "expected"),
    [
        pytest.param(1, {"a": 1}, id="the least"),
        pytest.param(365 * 86_400, {"a": 365 * 86_400}, id="a year"),
        pytest.param(0, {}, id="nothing"),
        pytest.param(-5, {}, id="less than nothing"),
        pytest.param(2**31 - 1, {}, id="68 years"),
        pytest.param(10**400, {}, id="more than a float has"),
    ],
)
def test_what_no_stack_can_have_taken_counts_as_unknown(
    seconds: int, expected: dict[str, int]
) -> None:
    """A status may be edited; the next run of the stack corrects it."""
    edited = (StackDurations(stack_id="a", apply_seconds=seconds, plan_seconds=3),)

    assert stack_durations.of_operation(edited, Operation.APPLY) == expected
    assert stack_durations.of_operation(edited, Operation.PLAN) == {"a": 3}


@pytest.mark.parametrize("seconds", [-1, 0, 2**31, 10**400])
def test_what_a_run_cannot_have_found_is_not_kept(seconds: int) -> None:
    """The API server would refuse the whole status."""
    found = stack_durations.updated(BEFORE, make_progress(took("a", seconds)))

    assert found == BEFORE


def test_there_is_room_for_as_many_stacks_as_a_chain_may_have() -> None:
    before = tuple(
        StackDurations(stack_id=f"old-{place:03}", apply_seconds=1)
        for place in range(v1alpha1.MAX_STACKS)
    )
    run = make_progress(*(took(f"z{place}", 9) for place in range(10)))

    found = stack_durations.updated(before, run)

    assert len(found) == v1alpha1.MAX_STACKS
    assert sum(one.stack_id.startswith("z") for one in found) == 10


# In the status


def test_what_stacks_took_outlives_a_run_that_cannot_read_them_and_lost_histories() -> None:
    old = make_status(make_run(), durations=BEFORE)

    assert project(live(number=2), old).durations == BEFORE
    assert project(executed(ExecutionState.TERMINATED), old).durations == BEFORE


def test_the_estimate_is_shown_while_the_run_is_live() -> None:
    running = make_stack("a", Phase.RUNNING)
    during = project(live(running, estimated_completion_time=T2))
    after = project(ended(took("a", 60), estimated_completion_time=T2), during)
    lost = project(executed(ExecutionState.TERMINATED), during)
    unanswered = project(executed(ExecutionState.RUNNING), during)

    shown = [one.latest_run and one.latest_run.estimated_completion_time for one in (during, after)]
    assert shown == [T2, None]
    assert lost.latest_run is not None
    assert lost.latest_run.estimated_completion_time is None
    assert unanswered.latest_run == dataclasses.replace(
        during.latest_run or lost.latest_run, estimated_completion_time=None
    )
    assert [one.apply_seconds for one in after.durations] == [60]
