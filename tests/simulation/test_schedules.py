"""Seeded worlds: fixed seeds, and schedules that failed before."""

import pytest

from tests.simulation.world import finding, making_plans, playing, regressions, written
from tests.simulation.world.records import Record

FIXED_SEEDS = range(20)


@pytest.mark.parametrize("seed", FIXED_SEEDS)
def test_a_schedule_violates_nothing(seed: int) -> None:
    found = finding.find(seed)

    assert found is None, found.describe()


@pytest.mark.parametrize("name", regressions.FIXED)
def test_what_was_found_once_stays_right(name: str) -> None:
    assert playing.play(regressions.FIXED[name]).violations == ()


@pytest.mark.parametrize("name", written.SCHEDULES)
def test_what_is_written_by_hand_violates_nothing(name: str) -> None:
    assert playing.play(written.SCHEDULES[name]).violations == ()


def course_of(record: Record) -> list[object]:
    """Return all that shows what has happened, to compare two worlds."""
    return [
        [
            (execution.workflow_id, event.kind.name, event.time)
            for execution in record.executions()
            for event in execution.history.events
        ],
        [(run.id, run.state) for run in record.account_runs],
        [(chain.uid, chain.status_writes, chain.gone_at) for chain in record.chains.values()],
        record.log,
        record.parties.loop.steps,
        record.parties.loop.time(),
    ]


@pytest.mark.parametrize("seed", [3, 2028])
def test_a_seed_is_one_course(seed: int) -> None:
    """Whatever was played before: where things are in memory makes no difference."""
    first = course_of(playing.play(making_plans.make(seed)).record)
    other = course_of(playing.play(making_plans.make(seed + 1)).record)

    assert course_of(playing.play(making_plans.make(seed)).record) == first
    assert first != other
