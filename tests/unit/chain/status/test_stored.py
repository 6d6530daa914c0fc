"""Whatever a run comes to: its status is one that the API server stores, and is read back the same.

The server refuses a whole status for one field that does not fit, and drops fields that the
definition does not have. A real one is asked in `tests/contract/test_crd_status.py`.
"""

import datetime
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from controller.api import v1alpha1
from controller.api.reasons import ChainReason, StackReason
from controller.api.v1alpha1 import Operation, Phase
from controller.chain.graph import adoption
from controller.chain.requests.executions import ExecutionState
from controller.chain.run import gates, outcome, progress
from controller.chain.status import projection
from tests.support import definition
from tests.support.builders import T0, T1, T2, make_execution, make_facts, make_stack
from tests.unit.chain.status.projecting import ended, project

STATUS = definition.schema()["properties"]["status"]
NOW = datetime.datetime.fromisoformat(T1)

_TIMES = st.sampled_from([T0, T1, T2])
_TEXTS = st.one_of(
    st.text(max_size=40), st.sampled_from(["m" * 5000, "\U0001f40b" * 700, "<" * 600])
)
_IDS = st.one_of(st.text(min_size=1, max_size=20), st.just("s" * 255))
_LINKS = st.sampled_from([None, "https://acme.app.spacelift.io/stack/a", "javascript:alert(1)"])
_STATES = st.one_of(st.none(), st.sampled_from(["FINISHED", "A_STATE_OF_NEXT_YEAR"]))
_RUN_IDS = st.one_of(st.none(), st.sampled_from(["01ARZ3NDEKTSV4RRFFQ69G5FAV", "r" * 64]))
_COUNTS = st.sampled_from([0, 1, 2**31 - 1])
_STAGES = ("", "dev", "prod")


def _stacks() -> st.SearchStrategy[progress.StackProgress]:
    return st.builds(
        progress.StackProgress,
        id=_IDS,
        name=_TEXTS,
        level=st.integers(0, 500),
        depends_on=st.just([]),
        phase=st.sampled_from(Phase),
        reason=st.one_of(st.sampled_from(StackReason), st.just("ReasonOfNextYear")),
        message=_TEXTS,
        blocked_by=st.one_of(st.none(), _IDS),
        held_by=st.one_of(
            st.none(), st.builds(v1alpha1.Holder, needs_person=st.booleans(), url=_LINKS)
        ),
        is_started=st.booleans(),
        run_id=_RUN_IDS,
        run_state=_STATES,
        run_url=_LINKS,
        attempts=st.integers(1, 100),
        start_time=st.one_of(st.none(), _TIMES),
        completion_time=st.one_of(st.none(), _TIMES),
        delta=st.one_of(
            st.none(),
            st.builds(v1alpha1.Delta, added=_COUNTS, changed=_COUNTS, deleted=_COUNTS),
        ),
        ahead_runs=st.lists(
            st.builds(
                adoption.AheadRun,
                stack_id=_IDS,
                run_id=st.just("01ARZ3NDEKTSV4RRFFQ69G5FAV"),
                origin_run_id=st.just("01ARZ3NDEKTSV4RRFFQ69G5FAV"),
                state=st.sampled_from(["", "FINISHED"]),
            ),
            max_size=3,
        ),
        stage=st.sampled_from(_STAGES),
        took_seconds=st.one_of(st.none(), st.integers(-1, 2**40)),
    )


@st.composite
def _runs(draw: st.DrawFn) -> progress.ChainProgress:
    stacks = draw(st.lists(_stacks(), max_size=6, unique_by=lambda stack: stack.id))
    for place, stack in enumerate(stacks):
        stack.depends_on = [one.id for one in stacks[:place] if draw(st.booleans())]
    window = st.one_of(
        st.none(), st.builds(progress.WindowProgress, until=_TIMES, is_open=st.booleans())
    )
    return progress.ChainProgress(
        number=1,
        attempt=1,
        cause="Spec",
        generation=1,
        start_time=T0,
        operation=draw(st.sampled_from(Operation)),
        is_suspended=draw(st.booleans()),
        is_canceling=draw(st.booleans()),
        is_timed_out=draw(st.booleans()),
        is_orphan=draw(st.booleans()),
        problem_reason=draw(st.sampled_from(["", ChainReason.RATE_LIMITED])),
        problem_message=draw(_TEXTS),
        resolved_time=T0,
        estimated_completion_time=draw(st.one_of(st.none(), _TIMES)),
        stages=[
            progress.StageProgress(
                name=name,
                soak_seconds=draw(st.integers(0, 31_536_000)),
                needs_approval=draw(st.booleans()),
                approved_at=draw(st.one_of(st.none(), _TIMES)),
                window=draw(window),
            )
            for name in _STAGES[1:]
        ],
        window=draw(window),
        stacks=stacks,
    )


def _settled(run: progress.ChainProgress) -> progress.ChainProgress:
    """Return a run with what the workflow makes of its stacks."""
    run.levels, run.edges = 3, sum(len(stack.depends_on) for stack in run.stacks)
    gates.update(run, now=NOW)
    outcome.set_outcome(run)
    return run


def _facts(
    run: progress.ChainProgress, state: ExecutionState, *, is_known: bool
) -> projection.ChainFacts:
    execution = make_execution(run.number, attempt=run.attempt, state=state)
    can_know = is_known and state in (ExecutionState.RUNNING, ExecutionState.CLOSED)
    if state is ExecutionState.CLOSED:
        run.completion_time = T2
    return make_facts(execution, run if can_know else None)


# An example takes up to a second where texts are long.
@settings(max_examples=25, deadline=None)
@given(_runs(), _runs(), st.sampled_from(ExecutionState), st.booleans())
def test_every_status_can_be_stored_and_is_read_back_the_same(
    before: progress.ChainProgress,
    run: progress.ChainProgress,
    state: ExecutionState,
    is_known: bool,
) -> None:
    old = project(_facts(_settled(before), ExecutionState.RUNNING, is_known=True))

    for found in (old, project(_facts(_settled(run), state, is_known=is_known), old)):
        stored = v1alpha1.status_to_dict(found)
        assert list(definition.misfits(stored, STATUS, "status")) == []
        assert v1alpha1.read_status(stored) == found


def test_what_many_stacks_change_can_be_stored() -> None:
    most = v1alpha1.Delta(added=2**31 - 1, changed=2**31 - 1, deleted=0)
    stacks = [make_stack(name, Phase.SUCCEEDED, delta=most) for name in "ab"]

    stored = v1alpha1.status_to_dict(project(ended(*stacks)))

    assert stored["latestRun"]["changes"]["text"] == f"+{2**31 - 1} ~{2**31 - 1} -0"
    assert list(definition.misfits(stored, STATUS, "status")) == []


@pytest.mark.parametrize(
    ("status", "misfit"),
    [
        ({"history": [{"fieldOfNextYear": 1}]}, "status.history.0.fieldOfNextYear is unknown"),
        ({"latestRun": {"phase": "Skipped"}}, "status.latestRun.phase is none of the enum"),
        ({"latestRun": {"message": "m" * 1025}}, "status.latestRun.message is too long"),
        ({"stacks": [{"id": "a"}]}, "status.stacks.0.phase is missing"),
        ({"stacks": [{"id": "a", "phase": "Pending", "level": 2**31}]}, "status.stacks.0.level"),
        ({"graph": {"resolvedTime": "soon"}}, "status.graph.resolvedTime is no date-time"),
    ],
)
def test_what_the_definition_refuses_or_drops_is_found(status: dict[str, Any], misfit: str) -> None:
    (found,) = definition.misfits(status, STATUS, "status")

    assert found.startswith(misfit)
