"""Log lines: text and fields from whoever wrote the record.

Given: records as our modules, kopf and Temporal make them. Asserted: the line.
"""

import io
import json
import logging
import sys
from collections.abc import Iterator
from typing import Any

import pytest

from controller.config import settings
from controller.observability import logging as our_logging

ACTIVITY = {
    "activity_id": "1",
    "activity_type": "trigger_stack_run",
    "attempt": 2,
    "namespace": "temporal-namespace",
    "task_queue": "queue",
    "workflow_id": "spacelift/acme/vpc",
    "workflow_run_id": "w-1",
    "workflow_type": "StackExecutionWorkflow",
}
WORKFLOW = {
    "attempt": 1,
    "namespace": "temporal-namespace",
    "run_id": "w-1",
    "workflow_id": "stackchain/team/chain/uid",
}


@pytest.fixture(autouse=True)
def _restore_levels() -> Iterator[None]:
    names = (*our_logging.QUIET_LOGGERS, *our_logging.PAYLOAD_LOGGERS)
    levels = {name: logging.getLogger(name).level for name in names}
    yield
    for name, level in levels.items():
        logging.getLogger(name).setLevel(level)


def record(message: str = "Run triggered", **extra: Any) -> logging.LogRecord:
    made = logging.makeLogRecord(
        {"name": "controller.x", "levelno": logging.INFO, "levelname": "INFO", "msg": message}
    )
    vars(made).update(extra)
    return made


def line_of(made: logging.LogRecord) -> dict[str, Any]:
    line: dict[str, Any] = json.loads(our_logging.JsonFormatter().format(made))
    return line


def test_a_line_has_text_and_fields() -> None:
    line = line_of(record(stack_id="vpc", run_id="01J", created=0.25))

    assert line == {
        "time": "1970-01-01T00:00:00.250Z",
        "level": "info",
        "logger": "controller.x",
        "message": "Run triggered",
        "stack_id": "vpc",
        "run_id": "01J",
    }


def test_fields_that_are_not_known_are_left_out() -> None:
    assert "reason" not in line_of(record(reason=None))


def test_a_value_of_any_type_does_not_lose_the_line() -> None:
    line = line_of(record(chains={"a"}, error=ValueError("bad")))

    assert (line["chains"], line["error"]) == ("{'a'}", "bad")


def test_a_secret_stays_one() -> None:
    made = record(key=settings.Secret(value="hunter2"))

    assert "hunter2" not in our_logging.JsonFormatter().format(made)
    assert "hunter2" not in our_logging.ConsoleFormatter().format(made)


def test_a_line_break_in_a_value_cannot_forge_a_line() -> None:
    made = record(note='x\n{"level": "error"}')

    assert "\n" not in our_logging.JsonFormatter().format(made)
    assert "\n" not in our_logging.ConsoleFormatter().format(made)


def test_an_exception_is_one_field() -> None:
    try:
        raise ValueError("bad")
    except ValueError:
        made = record(exc_info=sys.exc_info())

    assert line_of(made)["exception"].endswith("ValueError: bad")
    assert our_logging.ConsoleFormatter().format(made).endswith("ValueError: bad")


def test_an_activity_adds_its_ids_and_keeps_the_text_constant() -> None:
    made = record(f"Run triggered ({ACTIVITY})", temporal_activity=ACTIVITY, stack_id="vpc")

    line = line_of(made)

    assert line["message"] == "Run triggered"
    assert line["workflow_id"] == "spacelift/acme/vpc"
    assert line["workflow_run_id"] == "w-1"
    assert line["activity"] == "trigger_stack_run"
    assert line["attempt"] == 2
    assert line["stack_id"] == "vpc"
    assert "namespace" not in line


def test_a_workflow_adds_its_ids_and_run_id_stays_spacelifts() -> None:
    made = record(f"Chain started ({WORKFLOW})", temporal_workflow=WORKFLOW)

    line = line_of(made)

    assert line["message"] == "Chain started"
    assert line["workflow_run_id"] == "w-1"
    assert "run_id" not in line


def test_a_kopf_line_names_its_resource() -> None:
    made = record(
        k8s_ref={"namespace": "team", "name": "chain", "uid": "u"},
        k8s_skip=False,
        settings=object(),
    )

    line = line_of(made)

    assert (line["namespace"], line["chain"]) == ("team", "chain")
    assert not line.keys() & {"k8s_ref", "k8s_skip", "settings"}


def test_the_console_shows_text_and_fields_on_one_line() -> None:
    made = record(stack_id="vpc", note="two words", created=0.0)

    assert our_logging.ConsoleFormatter().format(made) == (
        '1970-01-01T00:00:00.000Z INFO    Run triggered stack_id=vpc note="two words"'
    )


def test_all_loggers_write_to_the_stream_once() -> None:
    stream = io.StringIO()

    for _ in range(2):
        our_logging.configure_logging(level="info", log_format="json", stream=stream)
    logging.getLogger("controller.anything").info("Hello", extra={"phase": "Running"})
    logging.getLogger("controller.anything").debug("Unseen")

    (line,) = stream.getvalue().splitlines()
    assert json.loads(line)["phase"] == "Running"


@pytest.mark.parametrize(("level", "seen"), [("info", False), ("debug", True)])
def test_requests_of_client_libraries_are_told_only_when_debugging(level: str, seen: bool) -> None:
    stream = io.StringIO()
    our_logging.configure_logging(level=level, log_format="console", stream=stream)

    logging.getLogger("httpx").info("HTTP Request: POST")
    logging.getLogger("kubernetes").warning("Config not found")

    assert ("HTTP Request" in stream.getvalue()) is seen
    assert "Config not found" in stream.getvalue()


def test_kopf_tells_of_objects_only_what_somebody_acts_on() -> None:
    stream = io.StringIO()
    our_logging.configure_logging(level="info", log_format="console", stream=stream)
    objects = logging.getLogger("kopf.objects")

    objects.info("Handler 'on_event' succeeded.")
    objects.error("Handler 'release' failed temporarily: Waits for the runs to stop")
    objects.error("Handler 'reconcile' failed with an exception. Will retry.")

    lines = stream.getvalue().splitlines()
    assert len(lines) == 2
    assert "INFO" in lines[0].upper()
    assert "ERROR" in lines[1].upper()


@pytest.mark.parametrize(
    ("logger", "text", "line"),
    [
        (
            "kopf.objects",
            "Creation is in progress: {'spec': {'runtimeEnvironment': 'hunter2'}}",
            "Creation is in progress",
        ),
        ("kopf.objects", "Update diff: (('change', ('spec',), 'hunter2', 1),)", "Update diff"),
        (
            "kopf.objects",
            "Merge-patching the resource with: {'spec': 'hunter2'}",
            "Merge-patching the resource with",
        ),
        (
            "kopf._cogs.clients.watching",
            "Ignoring an unsupported event type: {'object': 'hunter2'}",
            "Ignoring an unsupported event type",
        ),
        ("kopf.objects", "Handling cycle is finished: x", "Handling cycle is finished: x"),
        ("temporalio.worker._workflow", "Received workflow activation:\nhunter2", None),
        ("temporalio.worker._activity", "Completing activity with completion: hunter2", None),
    ],
)
def test_no_line_of_any_level_holds_a_resource_or_a_payload(
    logger: str, text: str, line: str | None
) -> None:
    out = io.StringIO()
    our_logging.configure_logging(level="debug", log_format="json", stream=out)

    logging.getLogger(logger).debug(text)

    lines = [json.loads(item)["message"] for item in out.getvalue().splitlines()]
    assert lines == ([line] if line is not None else [])
