"""Each row of the failure tables in docs/reliability.md names existing tests or schedules."""

import re
from pathlib import Path

import pytest

from tests.simulation.world import regressions

ROOT = Path(__file__).parents[2]
ROWS = 89
_SCHEDULE = "schedule: "
_ON_REAL_PARTS = (
    "tests/faults/",
    "tests/e2e/",
    "tests/workflows/",
    "tests/soak/",
    "tests/chart/test_rights.py",
)


def rows() -> list[tuple[str, list[str]]]:
    """Return what happens, and what shows what must hold then."""
    page = (ROOT / "docs/reliability.md").read_text(encoding="utf-8")
    section = page.split("\n## What must survive a failure\n")[1]
    lines = [line for line in section.splitlines() if line.startswith("| ")]
    cells = [line.strip("|").split("|") for line in lines]
    heads = ("what happens", "---")
    return [
        (row[0].strip(), re.findall(r"`([^`]+)`", row[2]))
        for row in cells
        if row[0].strip() not in heads
    ]


def test_no_row_was_lost() -> None:
    assert len(rows()) == ROWS


@pytest.mark.parametrize(("row", "tests"), rows(), ids=lambda value: str(value)[:40])
def test_a_row_is_shown_on_real_parts_or_by_a_schedule(row: str, tests: list[str]) -> None:
    assert tests, row
    for test in tests:
        if test.startswith(_SCHEDULE):
            assert test.removeprefix(_SCHEDULE) in regressions.FIXED
            continue
        file, _, name = test.partition("::")
        functions = re.findall(r"^async def (\w+)\(", (ROOT / file).read_text("utf-8"), re.M)
        assert name in functions, test
        assert file.startswith(_ON_REAL_PARTS), test
