"""Durations as people read them."""

import datetime

import pytest

from controller.display import styled_text
from tests.support.builders import T0


@pytest.mark.parametrize(
    ("seconds", "text"),
    [
        (-3, "0s"),
        (0.9, "0s"),
        (59, "59s"),
        (60, "1m00s"),
        (3599, "59m59s"),
        (5400, "1h30m"),
        (86400 * 14, "14d00h"),
    ],
)
def test_a_duration_has_its_two_largest_units(seconds: float, text: str) -> None:
    assert styled_text.duration_of(seconds) == text


@pytest.mark.parametrize(
    ("start", "end"), [("0000-01-01T00:00:00Z", None), (T0, "9999-12-31T23:59:59-23:59")]
)
def test_times_that_no_calendar_has_show_no_duration(start: str, end: str | None) -> None:
    """A status may be edited, and the rest of it is shown."""
    assert styled_text.duration(start, end, datetime.datetime.now(datetime.UTC)) == ""
