"""One shape for the log lines of all roles: a constant text, and fields that can be searched.

Everything goes through stdlib logging's root logger, so that lines of kopf, of Temporal's workers
and of our modules look alike and carry the same keys: `chain` and `namespace`, `connection`,
`stack_id`, `run_id` and `run_state` of a Spacelift run, `workflow_id` and `workflow_run_id` of
Temporal, `phase`, `reason`, and `why` for the text of an error.
"""

import datetime
import json
import logging
import re
import sys
from collections.abc import Mapping
from typing import Any, TextIO

from controller import outside_text, times

QUIET_LOGGERS = ("aiohttp.access", "httpcore", "httpx", "kubernetes", "kubernetes_asyncio")
"""They log each request at INFO, which drowns the facts that an operator acts on."""

PAYLOAD_LOGGERS = ("temporalio.worker._activity", "temporalio.worker._workflow")
"""At DEBUG they log each task with all that it holds: a spec's environment variables, too."""

# So do these lines of kopf, with the resource behind the colon.
_WITH_RESOURCE = re.compile(
    r"(.*?(?:is in progress|diff|-patching the (?:resource|status) with"
    r"|-patching finished with inconsistencies|unsupported event type)): .*",
    re.DOTALL,
)
_RESOURCE_LOGGERS = ("kopf._cogs.clients.watching", "kopf.objects")

_STANDARD = frozenset(
    {*vars(logging.makeLogRecord({})), "message", "asctime", "taskName", "exc_text"}
)
# Turned into our own fields below, or too large for a log line.
_CARRIERS = frozenset(
    {
        "activity_info",
        "k8s_ref",
        "k8s_skip",
        "settings",
        "temporal_activity",
        "temporal_log",
        "temporal_workflow",
        "workflow_info",
    }
)
_TEMPORAL_FIELDS = {
    "workflow_id": "workflow_id",
    "workflow_run_id": "workflow_run_id",
    # Workflow loggers say run_id for what we call workflow_run_id: a run is Spacelift's.
    "run_id": "workflow_run_id",
    "activity_type": "activity",
    "attempt": "attempt",
}


def configure_logging(*, level: str, log_format: str, stream: TextIO | None = None) -> None:
    """Send all log lines to a stream (standard error) in a format, `json` or `console`."""
    root = logging.getLogger()
    root.handlers[:] = [handler for handler in root.handlers if not isinstance(handler, _Handler)]
    handler = _Handler(stream or sys.stderr)
    handler.setFormatter(JsonFormatter() if log_format == "json" else ConsoleFormatter())
    root.addHandler(handler)
    root.setLevel(level.upper())
    least = logging.INFO if level == "debug" else logging.WARNING
    objects = logging.getLogger("kopf.objects")
    objects.filters[:] = [_ObjectFilter()]
    for name in _RESOURCE_LOGGERS:
        logging.getLogger(name).addFilter(_without_resource)
    for name in QUIET_LOGGERS:
        logging.getLogger(name).setLevel(least)
    for name in PAYLOAD_LOGGERS:
        logging.getLogger(name).setLevel(logging.INFO if level == "debug" else logging.NOTSET)


def _without_resource(record: logging.LogRecord) -> bool:
    """Cut a line where a whole resource starts."""
    if (found := _WITH_RESOURCE.fullmatch(record.getMessage())) is not None:
        record.msg, record.args = found[1], None
    return True


class _ObjectFilter(logging.Filter):
    """Limits kopf's lines about objects to what an operator acts on.

    kopf logs every handler that succeeded, one for each write of a status. It calls it an error
    when a handler asks to be called again, which is how a deletion waits for its runs.
    """

    def filter(self, record: logging.LogRecord) -> bool:
        text = record.getMessage()
        if record.levelno == logging.INFO and text.endswith("succeeded."):
            return False
        if "failed temporarily" in text:
            record.levelno, record.levelname = logging.INFO, "INFO"
        return True


class JsonFormatter(logging.Formatter):
    """One JSON object per line."""

    def format(self, record: logging.LogRecord) -> str:
        """Return the line."""
        line = {
            "time": _time(record),
            "level": record.levelname.lower(),
            "logger": record.name,
            "message": message_of(record),
            **fields_of(record),
        }
        if record.exc_info and record.exc_info[0] is not None:
            line["exception"] = self.formatException(record.exc_info)
        # A field of any type must not lose the line; a Secret's text is its redacted form.
        return json.dumps(line, default=str)


class ConsoleFormatter(logging.Formatter):
    """One line for people, the fields behind the message; a traceback follows on its own lines."""

    def format(self, record: logging.LogRecord) -> str:
        """Return the line."""
        fields = "".join(f" {key}={_shown(value)}" for key, value in fields_of(record).items())
        message = outside_text.escaped(message_of(record))
        line = f"{_time(record)} {record.levelname:<7} {message}{fields}"
        if record.exc_info and record.exc_info[0] is not None:
            lines = self.formatException(record.exc_info).splitlines()
            line = "\n".join([line, *map(outside_text.escaped, lines)])
        return line


def message_of(record: logging.LogRecord) -> str:
    """Return the constant text: without the details that Temporal's loggers append to it."""
    message = record.getMessage()
    for carrier in ("temporal_activity", "temporal_workflow"):
        details = getattr(record, carrier, None)
        if details is not None:
            message = message.removesuffix(f" ({details})")
    return message


def fields_of(record: logging.LogRecord) -> dict[str, Any]:
    """Return the fields of a record: what Temporal and kopf know, then what the caller said."""
    fields = _core_fields(record) | _temporal_fields(record) | _object_fields(record)
    for key, value in vars(record).items():
        if key not in _STANDARD and key not in _CARRIERS:
            fields[key] = value
    return {key: value for key, value in fields.items() if value is not None}


def _temporal_fields(record: logging.LogRecord) -> dict[str, Any]:
    for carrier in ("temporal_activity", "temporal_workflow"):
        details = getattr(record, carrier, None)
        if isinstance(details, Mapping):
            return {
                _TEMPORAL_FIELDS[key]: details[key] for key in _TEMPORAL_FIELDS if key in details
            }
    return {}


def _core_fields(record: logging.LogRecord) -> dict[str, Any]:
    """Return what the SDK's native core knows, except for tokens that only it can read."""
    found = getattr(getattr(record, "temporal_log", None), "fields", None)
    if not isinstance(found, Mapping):
        return {}
    return {
        _TEMPORAL_FIELDS.get(str(key), str(key)): outside_text.clean(str(value))
        for key, value in found.items()
        if key not in _STANDARD and key != "task_token"
    }


def _object_fields(record: logging.LogRecord) -> dict[str, Any]:
    reference = getattr(record, "k8s_ref", None)
    if not isinstance(reference, Mapping):
        return {}
    return {"namespace": reference.get("namespace"), "chain": reference.get("name")}


def _time(record: logging.LogRecord) -> str:
    moment = datetime.datetime.fromtimestamp(record.created, datetime.UTC)
    return times.rfc3339(moment, timespec="milliseconds")


def _shown(value: object) -> str:
    text = str(value)
    # Quoted if a blank or a line break would make the line ambiguous.
    is_plain = text and outside_text.escaped(text) == text and " " not in text
    return text if is_plain else json.dumps(text)


class _Handler(logging.StreamHandler[TextIO]):
    """To distinguish it from handlers of others, which stay."""
