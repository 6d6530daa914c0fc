"""The golden files' own reader and writer."""

from pathlib import Path

import pytest

from tests.support import golden


def test_what_was_written_is_compared(tmp_path: Path) -> None:
    writing = golden.Page("page", is_updating=True, folder=tmp_path)
    writing.check("two", "b\n\nc")
    writing.check("one", "a")

    reading = golden.Page("page", is_updating=False, folder=tmp_path)
    reading.check("one", "a")
    reading.check("two", "b\n\nc")
    with pytest.raises(AssertionError, match="reads otherwise"):
        reading.check("two", "b\n\nd")
    with pytest.raises(AssertionError, match="no text for"):
        reading.check("three", "")


def test_what_differs_from_run_to_run_is_replaced() -> None:
    text = "prod-x1  2026-03-01T10:00:00Z  272d08h ago  10m00s\n"

    assert golden.without_times(text, {"prod-x1": "NAME"}) == "NAME  TIME DURATION ago DURATION"
