"""Durations as people read them."""

import pytest

from controller.display import styled_text


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
