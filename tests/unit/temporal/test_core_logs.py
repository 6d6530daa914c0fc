"""core_logs: lines of the SDK's native core, among those of Python."""

import io
import json
import logging
from collections.abc import Iterator
from typing import Any

import pytest

from controller.observability import logging as our_logging
from controller.temporal import core_logs


class Entry:
    """A line as the core hands it over, in so far as the SDK reads it."""

    target = "temporalio_sdk_core::worker"
    time = 1_767_225_600.0

    def __init__(self, message: str, level: int, **fields: Any) -> None:
        self.message, self.level, self.fields = message, level, fields


@pytest.fixture
def stream() -> Iterator[io.StringIO]:
    root = logging.getLogger()
    before, level = root.handlers[:], root.level
    found = io.StringIO()
    our_logging.configure_logging(level="info", log_format="json", stream=found)
    yield found
    root.handlers[:] = before
    root.setLevel(level)


def written(stream: io.StringIO, *entries: Entry) -> list[dict[str, Any]]:
    core_logs.FORWARDING._on_logs(entries)  # type: ignore[arg-type]
    return [json.loads(line) for line in stream.getvalue().splitlines()]


def test_a_line_of_the_core_looks_like_all_others(stream: io.StringIO) -> None:
    entry = Entry(
        "Failing workflow task",
        logging.WARNING,
        run_id="01A",
        failure={"message": "a\x1b[2J" + "x" * 500},
        task_token="TaskToken(...)",
    )

    (line,) = written(stream, entry)

    assert (line["level"], line["logger"]) == ("warning", "temporalio.core")
    assert line["message"] == "Failing workflow task"
    assert line["workflow_run_id"] == "01A"
    assert len(line["failure"]) <= 256
    assert "task_token" not in line


def test_what_is_expected_at_the_end_of_a_workflow_is_no_warning(stream: io.StringIO) -> None:
    entry = Entry("Activity not found on completion. This may happen if ...", logging.WARNING)

    assert written(stream, entry) == []


def test_it_is_told_while_debugging(stream: io.StringIO) -> None:
    logging.getLogger().setLevel(logging.DEBUG)
    entry = Entry("Activity not found on completion. This may happen if ...", logging.WARNING)

    (line,) = written(stream, entry)

    assert line["level"] == "debug"
