"""adoption: which of a stack's runs the given runs made Spacelift queue."""

import pytest

from controller.chain.graph import adoption


def candidate(
    run_id: str, triggered_by: str | None = "a", *, is_over: bool = False
) -> adoption.Candidate:
    return adoption.Candidate(run_id=run_id, triggered_by=triggered_by, is_over=is_over)


def native_runs(candidates: list[adoption.Candidate], *origins: str) -> list[str]:
    found = adoption.native_runs(candidates, origin_run_ids=list(origins), queuers=["a", "b"])
    return [item.run_id for item in found]


@pytest.mark.parametrize(
    ("candidates", "expected"),
    [
        pytest.param([], [], id="none there"),
        pytest.param([candidate("05")], ["05"], id="the one above the origin"),
        pytest.param([candidate("02")], [], id="of an earlier wave"),
        pytest.param([candidate("03")], [], id="the origin itself"),
        pytest.param([candidate("07"), candidate("05")], ["05"], id="the oldest of several"),
        pytest.param([candidate("05", is_over=True)], ["05"], id="ended already"),
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
    """Waves that begin together interleave."""
    found = [candidate("06", "b"), candidate("05", "a"), candidate("09", "a")]

    assert native_runs(found, "04", "03") == ["05", "06"]


def test_an_origin_that_queued_nothing_takes_no_run_of_an_earlier_one() -> None:
    assert native_runs([candidate("04")], "03", "05") == ["04"]
