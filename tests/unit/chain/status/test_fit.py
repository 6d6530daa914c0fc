"""fit.fitted: what a status gives up before the API server would refuse it, and in which order."""

import dataclasses

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from controller.api import v1alpha1
from controller.api.v1alpha1 import Phase
from controller.chain.status import status_size
from tests.support.builders import make_run, make_status

# Four bytes in one character.
WHALE = "\U0001f40b"


def make_stacks(
    count: int, *, id_length: int = 40, upstreams: int = 20, message: str = "m" * 512
) -> list[v1alpha1.StackStatus]:
    """Return stacks that have ended, each with an upstream list as long as a status may have."""
    ids = [f"{place:03}".ljust(id_length, "x") for place in range(count)]
    return [
        v1alpha1.StackStatus(
            id=item,
            level=place,
            phase=Phase.FAILED,
            name=f"{item} by name",
            depends_on=tuple(ids[max(0, place - upstreams) : place]),
            message=message,
            blocked_by=item,
            run_id="01ARZ3NDEKTSV4RRFFQ69G5FAV",
        )
        for place, item in enumerate(ids)
    ]


def status_of(
    stacks: list[v1alpha1.StackStatus], history: tuple[v1alpha1.RunStatus, ...] = ()
) -> v1alpha1.Status:
    return make_status(make_run(51, phase=Phase.FAILED), stacks=stacks, history=history)


def test_a_usual_chain_keeps_everything() -> None:
    whole = status_of(make_stacks(500, upstreams=5, message="m" * 200))

    assert status_size.fitted(whole) is whole


@pytest.mark.parametrize(
    ("stacks", "upstreams", "characters", "has_names"),
    [
        pytest.param(make_stacks(500, id_length=64), 5, 512, True, id="upstreams first"),
        pytest.param(make_stacks(500, message="ü" * 512), 5, 512, True, id="texts stay"),
        pytest.param(make_stacks(500, message=WHALE * 512), 5, 256, True, id="then texts"),
        pytest.param(make_stacks(500, id_length=250), 2, 128, True, id="both"),
        pytest.param(
            make_stacks(500, id_length=400, message="<" * 512), 0, 64, False, id="names at last"
        ),
    ],
)
def test_a_large_status_gives_up_what_can_be_found_elsewhere(
    stacks: list[v1alpha1.StackStatus], upstreams: int, characters: int, has_names: bool
) -> None:
    found = status_size.fitted(status_of(stacks))

    last = found.stacks[-1]
    assert len(last.depends_on) == upstreams
    assert last.message is not None
    assert len(last.message) == characters
    assert (last.name is not None) is has_names


def test_a_shortened_text_says_that_it_is_shortened() -> None:
    found = status_size.fitted(status_of(make_stacks(500, message=WHALE * 512)))

    assert found.stacks[0].message == WHALE * 255 + "…"


# An example takes up to half a second.
@settings(max_examples=20, deadline=None)
@given(
    st.integers(0, 500),
    st.integers(3, 256),
    st.sampled_from(["m", "ü", "<", WHALE]),
    st.integers(0, 50),
)
def test_whatever_a_chain_has_its_status_can_be_stored_and_loses_no_stack_and_no_run(
    count: int, id_length: int, letter: str, runs: int
) -> None:
    message = letter * 1024
    history = tuple(
        make_run(number, message=message, workflow_url="https://temporal.example.com/" + "x" * 2019)
        for number in range(runs, 0, -1)
    )
    whole = status_of(make_stacks(count, id_length=id_length, message=letter * 512), history)

    found = status_size.fitted(whole)

    assert status_size.stored_bytes(found) <= status_size.MAX_BYTES
    assert status_size.fitted(found) == found
    kept = dataclasses.replace(found, stacks=(), history=())
    assert kept == dataclasses.replace(whole, stacks=(), history=())
    assert [(s.id, s.phase, s.run_id, s.blocked_by) for s in found.stacks] == [
        (s.id, s.phase, s.run_id, s.blocked_by) for s in whole.stacks
    ]
    assert [(run.number, run.workflow_url) for run in found.history] == [
        (run.number, run.workflow_url) for run in whole.history
    ]


def test_what_stacks_took_goes_last() -> None:
    stacks = make_stacks(500, id_length=128, message="m" * 512)
    durations = tuple(
        v1alpha1.StackDurations(
            stack_id=stack.id, apply_seconds=10**6, plan_seconds=10**6, destroy_seconds=10**6
        )
        for stack in stacks
    )
    usual = dataclasses.replace(status_of(stacks), durations=durations)
    large = dataclasses.replace(
        status_of(make_stacks(500, id_length=400, message="<" * 512)), durations=durations
    )

    assert status_size.fitted(usual).durations == durations
    assert status_size.fitted(large).durations == ()
    assert status_size.stored_bytes(status_size.fitted(usual)) <= status_size.MAX_BYTES
