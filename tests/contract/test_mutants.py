"""Each seeded fault still fits the product, and the page about them has the results for each."""

import dataclasses
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.mutants import simulated, suites, table
from tests.mutants.catalog import MUTANTS
from tests.mutants.mutant import Mutant
from tests.simulation.world import making_resets


@pytest.mark.parametrize("mutant", MUTANTS, ids=lambda mutant: mutant.name)
def test_a_fault_fits_its_module_which_is_python_with_it(mutant: Mutant) -> None:
    original = mutant.read()

    changed = mutant.applied_to(original)

    assert changed != original
    compile(changed, mutant.module, "exec")


def test_no_two_faults_have_one_name() -> None:
    names = [mutant.name for mutant in MUTANTS]
    assert sorted(set(names)) == sorted(names)


def test_faults_about_resets_are_played_by_seeds_with_resets() -> None:
    about = [mutant for mutant in MUTANTS if "reset" in mutant.name]

    assert about
    assert {mutant.first_seed for mutant in about} == {making_resets.FIRST_SEED}


def test_a_fault_that_does_not_fit_is_named() -> None:
    stale = Mutant(name="a stale one", module="controller/clock.py", old="not there", new="")
    with pytest.raises(ValueError, match="a stale one: what it changes is 0 times in"):
        stale.applied_to(stale.read())


# The page


PAGE = table.read(table.PAGE.read_text(encoding="utf-8"))
TRIED = table.Row(
    name="a fault", runs_twice=True, caught_by={"unit": None, "simulation": "seed 1: all ends"}
)


def test_the_page_has_each_fault() -> None:
    """If it fails: make mutants ARGS="--write --only NAME"."""
    assert [(row.name, row.runs_twice, row.note) for row in PAGE] == [
        (mutant.name, mutant.runs_twice, mutant.note) for mutant in MUTANTS
    ]


def test_no_fault_that_runs_something_twice_survives() -> None:
    survivors = [row.name for row in PAGE if row.runs_twice and row.is_missed]

    assert survivors == []


def test_the_page_counts_what_is_on_it() -> None:
    text = table.PAGE.read_text(encoding="utf-8")

    assert table.write(text, PAGE) == text


def test_a_page_is_read_as_it_was_written() -> None:
    other = dataclasses.replace(TRIED, name="a | fault", runs_twice=False, note="why not")
    page = "<!-- make mutants -->\n<!-- end -->\n"

    untried = dataclasses.replace(TRIED, name="another", caught_by={"unit": None})

    rows = table.read(table.write(page, [TRIED, other, untried]))

    assert rows == [TRIED, other, untried]


def test_what_was_tried_takes_the_place_of_what_was_known() -> None:
    first, second = (Mutant(name=name, module="", old="", new="") for name in ("one", "two"))
    known = [table.row_of(first, {"unit": "a test", "simulation": None})]
    tried = [table.row_of(first, {"simulation": "seed 2"}), table.row_of(second, {"unit": None})]

    rows = table.merged(known, tried, [second, first])

    assert [row.name for row in rows] == ["two", "one"]
    assert [row.caught_by for row in rows] == [
        {"unit": None},
        {"unit": "a test", "simulation": "seed 2"},
    ]


# The suites


def suite(program: str) -> suites.Suite:
    return suites.Suite(parts=(("-c", "pass"), ("-c", program)))


@pytest.mark.parametrize(
    ("program", "failure"),
    [
        ("pass", None),
        ("print('seed 1: all ends'); raise SystemExit(1)", "seed 1: all ends"),
        (
            "print('FAILED tests/x.py::test_y - AssertionError\\n1 failed'); raise SystemExit(1)",
            "tests/x.py::test_y",
        ),
    ],
)
def test_a_suite_names_what_failed_first(program: str, failure: str | None, tmp_path: Path) -> None:
    assert suite(program).first_failure(tmp_path) == failure


def test_a_suite_that_cannot_be_run_is_no_finding(tmp_path: Path) -> None:
    with pytest.raises(suites.SuiteBroken, match="ended 3"):
        suite("raise SystemExit(3)").first_failure(tmp_path)


def test_the_schedules_of_a_fault_begin_with_its_first_seed(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    played = list[range]()

    def violated(seeds: range) -> Iterator[simulated.Violated]:
        played.append(seeds)
        yield from ()

    monkeypatch.setattr(simulated, "violated", violated)
    (*_, (_, _, *arguments)) = suites.simulation(seeds=3, first_seed=70).parts

    assert simulated.main(arguments) == 0
    assert played == [range(70, 73)]


def test_the_unit_tests_of_a_module_come_before_the_others() -> None:
    first, others = suites.unit("controller/temporal/activities/errors.py").parts

    assert first[-1] == "tests/unit/temporal"
    assert others[-2:] == ("tests/unit", "--ignore=tests/unit/temporal")
