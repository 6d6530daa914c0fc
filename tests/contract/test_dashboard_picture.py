"""The picture of the dashboard shows what was answered, and nothing else."""

import re
from pathlib import Path

import pytest

from tests.pictures import dashboard_svg
from tests.pictures.dashboard_answers import Answer, Panel, Series
from tests.support import promql

PICTURE = Path(__file__).parents[2] / "docs/pictures/dashboard.svg"


def panel(title: str) -> Panel:
    return next(panel for panel in promql.panels() if panel["title"] == title)


def drawn(answer: Answer) -> str:
    return dashboard_svg.draw([[answer]], title="a title", period=(100, 110))


def lines(text: str) -> list[str]:
    return re.findall(r'<path class="line l0" d="([^"]*)"', text)


def constant(*times: int, value: float = 2) -> Series:
    return Series("per minute", tuple((float(at), value) for at in times))


@pytest.mark.parametrize(("value", "color"), [(0, "good"), (1, "warn")])
def test_a_value_has_the_color_of_its_threshold(value: float, color: str) -> None:
    text = drawn(Answer(panel("Waiting for a person"), (constant(100, 110, value=value),)))

    assert re.findall(r'class="value (\w+)"[^>]*>([^<]*)<', text) == [(color, f"{value}")]


def test_what_was_not_answered_is_no_zero() -> None:
    assert ">No data</text>" in drawn(Answer(panel("Leader"), ()))
    assert ">No data</text>" in drawn(Answer(panel("Runs started"), ()))


def test_a_line_has_a_gap_where_nothing_was_found() -> None:
    whole = drawn(Answer(panel("Runs started"), (constant(*range(100, 111)),)))
    parts = drawn(Answer(panel("Runs started"), (constant(100, 101, 102, 108, 109, 110),)))

    assert len(lines(whole)) == 1
    assert len(lines(parts)) == 2


def test_a_table_has_a_row_for_each_chain() -> None:
    rows = ({"chain": "a<b", "reason": "Blocked"}, {"chain": "c", "failed stacks": "1"})

    text = drawn(Answer(panel("StackChains that need someone"), (), rows))

    cells = re.findall(r'<text[^>]*y="\d+">([^<]*)</text>', text)[2:]
    assert cells == ["chain", "reason", "failed stacks", "a&lt;b", "Blocked", "", "c", "", "1"]


def test_the_picture_has_panels_of_the_dashboard_and_says_who_did_not_draw_it() -> None:
    """If it fails: a panel was renamed; `make pictures`."""
    text = PICTURE.read_text(encoding="utf-8")
    titles = re.findall(r'<rect class="panel".*\n((?:<text class="title".*\n)+)', text)
    named = {" ".join(re.findall(r">([^<]*)<", found.replace("\n", ""))) for found in titles}

    assert len(named) > 10
    assert {" ".join(name.split()) for name in named} <= {one["title"] for one in promql.panels()}
    assert "Not drawn by Grafana." in text
