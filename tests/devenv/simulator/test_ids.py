"""Run ids sort by creation, whatever the clock does."""

import random

from devenv.simulator.model import ids

NOW = 1_700_000_000.0


def make_ulids(seed: int) -> ids.Ulids:
    return ids.Ulids(random.Random(seed))  # noqa: S311 - nothing to guess


def test_ids_grow_while_the_clock_stands_or_goes_back() -> None:
    ulids = make_ulids(1)

    made = [ulids.next(now) for now in (NOW, NOW, NOW, NOW - 5, NOW + 0.001, NOW)]

    assert made == sorted(made)
    assert len(set(made)) == len(made)


def test_an_id_is_a_ulid_of_its_instant() -> None:
    made = make_ulids(1).next(NOW)

    assert len(made) == 26
    assert ids.decode(made) >> 80 == int(NOW * 1000)
    assert ids.encode(ids.decode(made)) == made


def test_ids_continue_after_a_restart() -> None:
    last = make_ulids(1).next(NOW + 60)
    ulids = make_ulids(2)

    ulids.continue_after(last)

    assert ulids.next(NOW) > last
