"""Each row of the failure table in docs/development.md names tests on real parts that exist."""

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
ROWS = 28
_ON_REAL_PARTS = ("tests/faults/", "tests/e2e/", "tests/soak/", "tests/chart/test_rights.py")


def rows() -> list[tuple[str, list[str]]]:
    """Return what happens, and the tests that show what must hold then."""
    page = (ROOT / "docs/development.md").read_text(encoding="utf-8")
    table = page.split("<!-- failure table -->\n\n")[1].split("\n\n")[0]
    _, _, *lines = table.splitlines()
    cells = [line.strip("|").split("|") for line in lines]
    return [(row[0].strip(), re.findall(r"`([^`]+)`", row[2])) for row in cells]


def test_no_row_was_lost() -> None:
    assert len(rows()) == ROWS


@pytest.mark.parametrize(("row", "tests"), rows(), ids=lambda value: str(value)[:40])
def test_a_row_is_shown_on_real_parts(row: str, tests: list[str]) -> None:
    assert tests, row
    for test in tests:
        file, _, name = test.partition("::")
        functions = re.findall(r"^async def (\w+)\(", (ROOT / file).read_text("utf-8"), re.M)
        assert name in functions, test
        assert file.startswith(_ON_REAL_PARTS), test
