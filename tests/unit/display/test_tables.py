"""Tables in what room there is: no row is broken, and what is needed stays."""

import pytest

from controller.display import styled_text, tables
from controller.plugin import commands
from tests.support.golden import Golden

Rows = list[tuple[str, ...]]

LONG = "payments-production-europe-central-2-blue"
CHAINS: dict[str, Rows] = {
    "short names": [
        ("team", "prod", "True", "RunSucceeded", "12", "6/6", "0", "-", "+0 ~2 -0"),
        ("team", "test", "-", "-", "-", "-", "-", "-", "-"),
    ],
    "long names": [
        (f"team-{LONG}", LONG, "Unknown", "AwaitingConfirmation", "1", "456/500", "1", "3", "-"),
        (
            "team",
            f"{LONG[:-4]}green",
            "False",
            "StacksNoLongerInChain",
            "107",
            "5/12",
            "0",
            "-",
            "-",
        ),
    ],
}
RUNS: Rows = [
    ("107", "Retry", "Apply", "AwaitingConfirmation", "-", "456/500", "1h03m ago", "1h03m"),
    ("106", "Schedule", "Destroy", "Failed", "StackFailed", "9/12", "1d02h ago", "41s"),
]
WIDTHS = (20, 40, 80, 120, 160)


def drawn(columns: tuple[tables.Column, ...], rows: Rows, width: int | None) -> list[str]:
    # As on a terminal, whose last column stays free.
    paper = tables.Paper(width=width - 1 if width else None, cut="…")
    return [styled_text.plain_text(line) for line in tables.render(columns, rows, paper)]


def check(golden: Golden, case: str, lines: list[str], width: int) -> None:
    assert max(map(len, lines)) < width
    golden("tables").check(f"{case}: {width:3} columns", "\n".join(lines))


@pytest.mark.parametrize("width", WIDTHS)
@pytest.mark.parametrize("names", CHAINS)
def test_chains_of_a_namespace(names: str, width: int, golden: Golden) -> None:
    rows = [row[1:] for row in CHAINS[names]]

    check(golden, f"chains, {names}", drawn(commands.CHAIN_COLUMNS[1:], rows, width), width)


@pytest.mark.parametrize("width", WIDTHS)
@pytest.mark.parametrize("names", CHAINS)
def test_chains_of_all_namespaces(names: str, width: int, golden: Golden) -> None:
    lines = drawn(commands.CHAIN_COLUMNS, CHAINS[names], width)

    check(golden, f"chains of all namespaces, {names}", lines, width)


@pytest.mark.parametrize("width", WIDTHS)
def test_runs(width: int, golden: Golden) -> None:
    check(golden, "runs", drawn(commands.RUN_COLUMNS, RUNS, width), width)


def test_in_a_file_nothing_is_cut() -> None:
    lines = drawn(commands.CHAIN_COLUMNS, CHAINS["long names"], None)

    assert lines[0].split() == [column.title for column in commands.CHAIN_COLUMNS]
    assert lines[1].split() == list(CHAINS["long names"][0])


@pytest.mark.parametrize("width", range(20, 161))
def test_no_row_is_broken_and_what_is_needed_stays(width: int) -> None:
    lines = drawn(commands.CHAIN_COLUMNS, CHAINS["long names"], width)

    assert max(map(len, lines)) < width
    text = "\n".join(lines)
    assert text.count("Unknown") == 1
    assert "2-blue" in text
    assert "AwaitingConfirmation" in text or width < 30
    assert "NEEDS" in text
