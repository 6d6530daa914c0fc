"""What a reset of a chain's workflow excuses, and that nothing else is excused by it."""

import dataclasses
import itertools
from typing import Any

import pytest

from controller.api.v1alpha1 import Phase
from controller.chain.status import projection
from devenv.simulator.model.states import RunState
from tests.simulation.account import transport
from tests.simulation.test_invariants import patched
from tests.simulation.test_resets import plan
from tests.simulation.world import playing, records
from tests.simulation.world.invariants import moves, writes
from tests.simulation.world.plans import Plan

RESETS = {"second": ("first",), "third": ("first", "second")}
NEVER_BACK = "the status never goes back"


@pytest.fixture
def record() -> records.Record:
    return playing.play(plan("chain", task=0, amid="fetch_dependent_stacks")).record


def written(
    record: records.Record, status: dict[str, Any], *, before: dict[str, Any], rows_of: str = ""
) -> records.Write:
    """Return a write of a chain's status, with the execution that the rows before are of."""
    record.resets = dict(RESETS)
    (chain,) = record.chains.values()
    chain.body, chain.rows_of = {**chain.body, "status": status}, rows_of
    return records.Write(record=record, chain=chain, before=before, user="", is_gone=False)


def shown(execution: str, phase: Phase) -> dict[str, Any]:
    """Return a status with one row; it is about an execution by its run id."""
    return {
        "latestRun": {"number": 1, "workflowRunId": execution},
        "stacks": [{"id": "a", "phase": phase}],
    }


@pytest.mark.parametrize(
    ("rows_of", "execution", "is_excused"),
    [
        pytest.param("first", "second", True, id="the execution before"),
        pytest.param("first", "third", True, id="an execution that was never shown between"),
        pytest.param("second", "second", False, id="its own"),
        pytest.param("second", "first", False, id="a later execution"),
        pytest.param("first", "fourth", False, id="an execution that no reset has replaced"),
    ],
)
def test_the_first_rows_after_a_reset_take_back_those_before(
    record: records.Record, rows_of: str, execution: str, is_excused: bool
) -> None:
    write = written(
        record,
        shown(execution, Phase.PENDING),
        before=shown(rows_of, Phase.SUCCEEDED),
        rows_of=rows_of,
    )

    found = list(writes.the_status_never_goes_back(write))

    assert found == ([] if is_excused else ["a went from Succeeded to Pending"])


@pytest.mark.parametrize(
    ("execution", "progress", "is_excused"),
    [
        pytest.param("second", "", True, id="reset, and not read"),
        pytest.param("second", "0/1", False, id="reset and read"),
        pytest.param("first", "", False, id="not reset"),
    ],
)
def test_who_needs_a_person_is_named_unless_the_stacks_are_not_read_since_the_reset(
    record: records.Record, execution: str, progress: str, is_excused: bool
) -> None:
    status = shown(execution, Phase.FAILED)
    status["latestRun"] |= {"phase": "Running", "summary": {"total": 1}, "progress": progress}
    status["conditions"] = [
        {"type": "Ready", "status": "Unknown", "reason": "Progressing", "message": ""}
    ]

    found = list(writes.what_needs_a_person_is_named(written(record, status, before={})))

    assert bool(found) is not is_excused


BETWEEN = plan("chain", task=0, amid="")
BETWEEN = dataclasses.replace(
    BETWEEN,
    slow={transport.REQUEST: 50.0},
    events=(dataclasses.replace(BETWEEN.events[0], at=22.0), *BETWEEN.events[1:]),
)
"""A reset after the first stack has succeeded; what there was before is found in seconds."""


def seen(schedule: Plan, bug: playing.Bug) -> set[str]:
    """Return the invariants that a mistake violates."""
    return {item.invariant for item in playing.play(schedule, bug=bug).violations}


def test_rows_are_taken_back_by_a_reset_and_by_nothing_else() -> None:
    unnoted = patched(records.Record, "note_reset", lambda *_: None)

    assert seen(BETWEEN, playing.NO_BUG) == set()
    assert seen(BETWEEN, unnoted) == {NEVER_BACK}


def test_a_product_whose_status_goes_back_again_after_a_reset_is_seen() -> None:
    turns = itertools.cycle((False, True))

    def changing(*args: Any, **options: Any) -> tuple[Any, ...]:
        facts, rows = args[2], project_stacks(*args, **options)
        if facts.execution is None or not facts.execution.is_reset or not next(turns):
            return rows
        return tuple(dataclasses.replace(row, phase=Phase.PENDING) for row in rows)

    project_stacks = projection._stacks

    assert NEVER_BACK in seen(BETWEEN, patched(projection, "_stacks", changing))


@pytest.mark.parametrize("amid", ["publish_chain_status", "fetch_dependent_stacks"])
def test_a_reset_excuses_the_run_that_was_reset_alone(amid: str) -> None:
    """Also if the run is so new that the status does not have it."""
    assert playing.play(plan("chain", task=0, amid=amid)).record.reset_runs == {("team/chain", 1)}


@pytest.mark.parametrize(("number", "is_excused"), [(1, True), (2, False)])
def test_others_get_ahead_only_of_the_run_that_was_reset(
    record: records.Record, number: int, is_excused: bool
) -> None:
    theirs = next(run for run in record.account_runs if run.stack_id == "a")
    ours = dataclasses.replace(
        theirs, id="other", metadata=["stackchain team/other run 1"], history=theirs.history[:1]
    )
    theirs.metadata, theirs.state = [f"stackchain team/chain run {number}"], RunState.QUEUED

    assert bool(list(moves.one_chain_at_a_stack(record, ours))) is not is_excused
