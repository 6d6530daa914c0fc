"""How connections share a worker's slots."""

import contextlib

import pytest
import temporalio.exceptions

from controller.chain.run import failures
from controller.temporal.activities import connection_slots


def take_all(slots: connection_slots.ConnectionSlots, name: str, held: contextlib.ExitStack) -> int:
    """Take slots for a connection until it is refused; how many it got."""
    count = 0
    while True:
        try:
            held.enter_context(slots.taken_by(name))
        except temporalio.exceptions.ApplicationError:
            return count
        count += 1


def make_slots(total: int, *, per_free: int = 1) -> connection_slots.ConnectionSlots:
    return connection_slots.ConnectionSlots(
        total, noun="calls", is_shared=lambda: True, per_free=per_free
    )


@pytest.mark.parametrize(
    ("total", "per_free", "expected"),
    [
        (1, 1, [1, 0]),
        (2, 1, [1, 1, 0]),
        (3, 1, [2, 1, 0]),
        (9, 9, [8, 1, 0]),
        (100, 1, [50, 25, 13, 6, 3]),
        (2000, 9, [1800, 180, 18]),
    ],
    ids=["one", "two", "three", "few waits", "calls by default", "waits by default"],
)
def test_each_connection_that_hangs_leaves_a_part_of_what_is_left(
    total: int, per_free: int, expected: list[int]
) -> None:
    slots = make_slots(total, per_free=per_free)

    with contextlib.ExitStack() as held:
        assert [take_all(slots, f"c{n}", held) for n, _ in enumerate(expected)] == expected


def test_slots_that_were_given_back_are_free_for_all() -> None:
    slots = make_slots(100)
    with contextlib.ExitStack() as held:
        take_all(slots, "a", held)

    with contextlib.ExitStack() as held:
        assert take_all(slots, "b", held) == 50


def test_an_activity_that_fails_gives_its_slot_back() -> None:
    slots = make_slots(1)

    for _ in range(3):
        with pytest.raises(ValueError, match="mine"), slots.taken_by("a"):
            raise ValueError("mine")


def test_a_refusal_says_which_slots_are_taken_and_is_tried_again() -> None:
    slots = make_slots(2)

    with (
        slots.taken_by("prod"),
        pytest.raises(temporalio.exceptions.ApplicationError) as caught,
        slots.taken_by("prod"),
    ):
        pass

    assert (caught.value.type, caught.value.non_retryable) == (failures.CONNECTION_BUSY, False)
    assert "'prod' has 1 of this worker's 2 slots for calls" in caught.value.message


@pytest.mark.parametrize(("total", "most"), [(100, 90), (9, 8), (2, 1)])
@pytest.mark.parametrize("is_shared", [True, False], ids=["several connections", "one"])
def test_waits_for_other_chains_leave_slots_to_the_runs_that_they_wait_for(
    total: int, most: int, *, is_shared: bool
) -> None:
    refused: list[str] = []
    slots = connection_slots.ConnectionSlots(
        total,
        noun="waits",
        is_shared=lambda: is_shared,
        on_refusal=lambda: refused.append("turn"),
        per_free=9,
    )

    with contextlib.ExitStack() as held:
        for _ in range(most):
            held.enter_context(slots.taken_by_turn())
        with pytest.raises(temporalio.exceptions.ApplicationError, match=f"{most} of") as caught:
            held.enter_context(slots.taken_by_turn())
        held.enter_context(slots.taken_by("prod"))
        assert slots.taken == most + 1

    assert refused == ["turn"]
    assert (caught.value.type, caught.value.non_retryable) == (failures.CONNECTION_BUSY, False)
    assert slots.taken == 0
