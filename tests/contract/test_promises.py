"""The promises in docs/reliability.md name invariants, faults and tests that exist."""

import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.simulation.world import invariants, making_plans, making_resets

ROOT = Path(__file__).parents[2]
_SEEDS = (*range(300), making_resets.FIRST_SEED)


def table(marker: str) -> list[list[str]]:
    """Return the cells of the rows of a table."""
    page = (ROOT / "docs/reliability.md").read_text(encoding="utf-8")
    _, _, *lines = page.split(f"<!-- {marker} -->\n\n")[1].split("\n\n")[0].splitlines()
    return [[cell.strip() for cell in line.strip("|").split("|")] for line in lines]


def names(cell: str) -> list[str]:
    return re.findall(r"`([^`]+)`", cell)


def drawn() -> Iterator[str]:
    """Yield what seeds let happen."""
    for seed in _SEEDS:
        plan = making_plans.make(seed)
        yield "create"
        yield from (event.action for event in plan.events)
        yield from plan.chances
        facts = {
            "skews": any(plan.skews),
            "slow": bool(plan.slow),
            "two installations": len(plan.installations) > 1,
        }
        yield from (name for name, is_so in facts.items() if is_so)


def test_each_invariant_belongs_to_one_promise() -> None:
    """The table has to say what a new invariant promises to whom."""
    shown = [name for row in table("promises") for name in names(row[1])]

    assert sorted(shown) == sorted(invariants.ALL)


@pytest.mark.parametrize("row", table("promises"), ids=lambda row: str(row[0]))
def test_a_promise_is_shown_by_tests_that_exist(row: list[str]) -> None:
    tests = names(row[2])
    assert tests

    for test in tests:
        file, _, name = test.partition("::")
        functions = re.findall(r"^async def (\w+)\(", (ROOT / file).read_text("utf-8"), re.M)
        assert name in functions, test


def test_each_fault_that_schedules_are_said_to_have_is_drawn_by_some_seed() -> None:
    shown = {name for row in table("faults") for name in names(row[1])}

    assert shown - set(drawn()) == set()
