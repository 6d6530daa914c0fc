"""Resets of workflows amid what must not be repeated, and that a product which repeats it fails."""

import contextlib
from collections.abc import Iterator
from unittest import mock

import pytest

from controller.temporal import ids
from controller.temporal.activities import earlier_executions
from tests.simulation.world import playing
from tests.simulation.world.plans import Actor, ChainPlan, Event, Plan, StackPlan

AMID = ("fetch_dependent_stacks", ids.FIND_ACTIVITY, ids.TRIGGER_ACTIVITY, "follow_stack_run")


def plan(target: str, *, task: int, amid: str) -> Plan:
    """Return a line of two stacks, and a reset of the workflow of the chain or of a stack."""
    value = {"task": task, "amid": amid, "after": 0.05}
    return Plan(
        seed=1,
        slowest=0.1,
        stacks=(StackPlan(id="a"), StackPlan(id="b", upstreams=("a",))),
        chains=(ChainPlan(name="chain", spec={"roots": {"stackIds": ["a"]}}),),
        events=(
            Event(
                at=0.5,
                actor=Actor.ADMINISTRATOR,
                action="reset the workflow of",
                target=target,
                value=value,
            ),
            # Until then a reset may come.
            Event(at=60.0, actor=Actor.PERSON, action="enable", target="a"),
        ),
    )


CASES = [
    *(("chain", task, amid) for task in (0, -1) for amid in AMID[:1]),
    *(("a", task, amid) for task in (0, -1) for amid in AMID[1:]),
]


@pytest.mark.parametrize(("target", "task", "amid"), CASES)
def test_after_a_reset_amid_an_activity_each_stack_has_one_run(
    target: str, task: int, amid: str
) -> None:
    outcome = playing.play(plan(target, task=task, amid=amid))

    assert outcome.violations == ()
    assert any("is reset to event" in event for _, _, event in outcome.record.log)
    assert sorted(run.stack_id for run in outcome.record.account_runs) == ["a", "b"]


@contextlib.contextmanager
def forgetful() -> Iterator[None]:
    """Let a stack's execution forget what was triggered before a reset."""
    with mock.patch.object(earlier_executions.EarlierExecutions, "find", return_value=None):
        yield


def test_a_product_that_forgets_what_it_has_triggered_violates_something() -> None:
    outcome = playing.play(plan("a", task=0, amid="follow_stack_run"), bug=forgetful)

    assert "triggered once" in {violation.invariant for violation in outcome.violations}
