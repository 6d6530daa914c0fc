"""adoption: which of a stack's runs the given runs made Spacelift queue."""

from datetime import UTC, datetime

import pytest

from controller import times
from controller.chain.graph import adoption


def candidate(run_id: str, triggered_by: str | None = "a") -> adoption.Candidate:
    return adoption.Candidate(run_id=run_id, triggered_by=triggered_by)


def native_runs(candidates: list[adoption.Candidate], *origins: str) -> list[str]:
    found = adoption.native_runs(candidates, origin_run_ids=origins, queuers=["a", "b"]).found
    return [found[origin].run_id for origin in sorted(origins) if origin in found]


@pytest.mark.parametrize(
    ("candidates", "expected"),
    [
        pytest.param([], [], id="none there"),
        pytest.param([candidate("05")], ["05"], id="the one above the origin"),
        pytest.param([candidate("02")], [], id="of an earlier wave"),
        pytest.param([candidate("03")], [], id="the origin itself"),
        pytest.param([candidate("07"), candidate("05")], ["05"], id="the oldest of several"),
        pytest.param([candidate("04", "alice"), candidate("06")], ["06"], id="a person's is not"),
        pytest.param([candidate("04", None)], [], id="a commit's is not"),
        pytest.param([candidate("04", "b")], ["04"], id="queued by a later stack of the wave"),
        pytest.param([candidate("04", "api::01KEY")], [], id="one of our own is not"),
    ],
)
def test_the_native_run_is_the_oldest_above_its_origin_that_a_stack_of_the_wave_queued(
    candidates: list[adoption.Candidate], expected: list[str]
) -> None:
    assert native_runs(candidates, "03") == expected


def test_each_of_several_origins_has_a_native_run_of_its_own() -> None:
    """Waves that start together interleave."""
    found = [candidate("06", "b"), candidate("05", "a"), candidate("09", "a")]

    assert native_runs(found, "04", "03") == ["05", "06"]


def test_an_origin_that_queued_nothing_takes_no_run_of_an_earlier_one() -> None:
    assert native_runs([candidate("04")], "03", "05") == ["04"]


def run_at(seconds: float, number: int = 0) -> str:
    moment = datetime.fromtimestamp(1_800_000_000 + seconds, UTC)
    return f"{times.ulid_time_digits(moment)}{number:016d}"


@pytest.mark.parametrize(
    "run_id",
    [
        pytest.param(run_at(0), id="of today"),
        pytest.param("0" * 26, id="of the first moment"),
        pytest.param("Z" * 26, id="of a year that no calendar has"),
        pytest.param("no ULID", id="of no moment"),
    ],
)
def test_the_moment_before_a_run_is_known_whatever_its_id_is(run_id: str) -> None:
    assert adoption.moment_before(run_id) <= run_id


def test_each_origin_takes_the_run_of_its_own_moment_first() -> None:
    """The stack was disabled when the first one was created, and the second one's run is used."""
    late, own = candidate(run_at(100.2)), candidate(run_at(300))

    found = native_runs([late, own], run_at(0), run_at(100))

    assert found == [own.run_id, late.run_id]


@pytest.mark.parametrize(
    ("begun", "made", "expected", "doubted"),
    [
        pytest.param([], [60], 60, None, id="late"),
        pytest.param([50], [60], None, 60, id="others began a wave before it"),
        pytest.param([50], [51, 60], 60, None, id="others began a wave before it, and have theirs"),
        pytest.param([50, 55], [51, 60], None, 60, id="one of the others has none"),
        pytest.param([59], [60], None, None, id="others began a wave in its moment"),
        pytest.param([70], [60], 60, None, id="others began a wave after it"),
        pytest.param([-10], [60], 60, None, id="others began a wave before the origin"),
        pytest.param([0.5], [1], None, 1, id="others began a wave in the same moment"),
        pytest.param([0.5], [0.2], 0.2, None, id="others began one in the same moment, after it"),
        pytest.param([0.5], [1, 1.5], None, 1, id="both have theirs, made at the same time"),
        pytest.param([0.5], [0.4, 0.6], 0.4, None, id="both have theirs, one after the other"),
        pytest.param([-0.5], [-0.4, 0.6], 0.6, None, id="others began before it, and have theirs"),
        pytest.param([-0.5], [0.1, 0.6], None, 0.6, id="others began before it, made together"),
        pytest.param([-0.5], [0.1], None, 0.1, id="others began before it, and there is one"),
        pytest.param([50], [1], 1, None, id="at once"),
        pytest.param([50], [1, 51], 1, None, id="at once, and so have the others"),
    ],
)
def test_whose_a_run_is_where_others_began_waves_too(
    begun: list[float], made: list[float], expected: float | None, doubted: float | None
) -> None:
    origin = run_at(0)

    matched = adoption.native_runs(
        [candidate(run_at(item)) for item in made],
        origin_run_ids=[origin],
        queuers=["a"],
        begun_by_others=[run_at(item) for item in begun],
    )

    assert [run.run_id for run in matched.found.values()] == (
        [] if expected is None else [run_at(expected)]
    )
    assert [doubt.run.run_id for doubt in matched.doubts.values()] == (
        [] if doubted is None else [run_at(doubted)]
    )
    assert all(doubt.other_run_id == run_at(begun[-1]) for doubt in matched.doubts.values())


def test_others_have_their_run_through_another_stack() -> None:
    """Theirs began on `far`, which is above `a` and the stack; the chain's began on `a`."""
    theirs, own = candidate(run_at(-1), "far"), candidate(run_at(0.1))

    matched = adoption.native_runs(
        [theirs, own],
        origin_run_ids=[run_at(0)],
        queuers=["a"],
        begun_by_others=[run_at(-1.1)],
        queuers_of_others=["far", "a"],
    )

    assert (list(matched.found.values()), matched.doubts) == ([own], {})


@pytest.mark.parametrize(
    ("run_id", "origin_run_id", "expected"),
    [
        pytest.param(run_at(0), run_at(0), True, id="the same moment"),
        pytest.param(run_at(2), run_at(0), True, id="two seconds"),
        pytest.param(run_at(2.001), run_at(0), False, id="more"),
        pytest.param("01RUN002", run_at(0), True, id="no ULID"),
        pytest.param(run_at(60).lower(), run_at(0), True, id="not one of Spacelift's"),
    ],
)
def test_a_wave_is_queued_in_the_moment_of_its_origin(
    run_id: str, origin_run_id: str, expected: bool
) -> None:
    assert adoption.was_queued_at_once(run_id, origin_run_id) is expected


TIMES = {
    "05": adoption.RunTimes(started_at=10, ended_at=20),
    "06": adoption.RunTimes(started_at=19, ended_at=30),
    "07": adoption.RunTimes(started_at=20, ended_at=30),
    "08": adoption.RunTimes(started_at=21),
    "09": adoption.RunTimes(started_at=21, ended_at=30, is_usable=False),
    "10": adoption.RunTimes(),
}


@pytest.mark.parametrize(
    ("run_id", "upstreams", "expected"),
    [
        pytest.param("06", ["05"], False, id="it started before the upstream run had ended"),
        pytest.param("08", ["05"], True, id="after it, and it goes on"),
        pytest.param("07", ["05"], False, id="in the same second"),
        pytest.param("07", ["05 of the wave"], True, id="in the second in which it was let go"),
        pytest.param("08", ["05", "06"], False, id="only after one of two"),
        pytest.param("08", ["05", "10"], False, id="an upstream run has not ended"),
        pytest.param("08", [""], False, id="an upstream without a run"),
        pytest.param("09", ["05"], False, id="it did not succeed"),
        pytest.param("10", ["05"], False, id="it never started"),
        pytest.param("99", ["05"], False, id="it cannot be seen"),
        pytest.param("08", [], True, id="there is nothing to wait for"),
    ],
)
def test_a_run_is_in_order_if_it_left_the_queue_after_all_upstream_runs(
    run_id: str, upstreams: list[str], expected: bool
) -> None:
    run = adoption.AheadRun(stack_id="c", run_id=run_id, origin_run_id="01")
    used = [
        adoption.UpstreamRun(
            stack_id="up", run_id=text.partition(" ")[0], origin_run_id="01" if " " in text else ""
        )
        for text in upstreams
    ]

    assert adoption.in_order(run, used, TIMES) is expected
