"""What is sent for a notification: headers and body of one POST. Pure.

Slack gets the JSON of an incoming webhook, which others understand too. CloudEvents come in the
binary mode of the HTTP binding: the attributes are `ce-` headers and the body is the data, so that
a receiver that knows nothing of CloudEvents sees plain JSON.
"""

import dataclasses
import json
from collections.abc import Mapping
from typing import Any
from urllib import parse as urlparse

from controller.api import v1alpha1
from controller.chain.news import notifications
from controller.notify import sinks, templates

TYPE_PREFIX = "dev.stackchain."
DATA_SCHEMA_VERSION = "v1alpha1"

DEFAULT_SLACK_TEXT = "*${title}*\n${message}\n${link}"

# What the HTTP binding lets stand in a header value: printable ASCII but blank, quote and percent.
_PLAIN = "".join(chr(code) for code in range(0x21, 0x7F) if chr(code) not in '"%')


@dataclasses.dataclass(frozen=True, kw_only=True, slots=True)
class Payload:
    """One request: what is in it beside the sink's own headers."""

    headers: Mapping[str, str]
    body: bytes


def payload(sink: sinks.Sink, told: notifications.Notification) -> Payload:
    """Return what tells a sink of a transition."""
    if sink.type is sinks.SinkType.SLACK:
        return Payload(headers=_JSON, body=_encoded(_slack(sink, told)))
    data = data_of(told) if sink.template is None else templates.render(sink.template, told)
    return Payload(headers=_JSON | _attributes(told), body=_encoded(data))


_JSON = {"Content-Type": "application/json"}


def _encoded(document: Any) -> bytes:
    return json.dumps(document, ensure_ascii=False).encode()


# Slack


def _slack(sink: sinks.Sink, told: notifications.Notification) -> Any:
    template = DEFAULT_SLACK_TEXT if sink.template is None else sink.template
    document = templates.render(template, told, escape=slack_text)
    return {"text": document.strip()} if isinstance(document, str) else document


def slack_text(text: str) -> str:
    """Escape what Slack would take for a link, or for a mention of everybody."""
    return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")


# CloudEvents


def _attributes(told: notifications.Notification) -> dict[str, str]:
    subject = f"stacks/{told.stack.id}" if told.stack is not None else None
    run = told.run
    attributes = {
        "specversion": "1.0",
        "id": told.id,
        "source": urlparse.quote(told.source),
        "type": f"{TYPE_PREFIX}{told.transition}.{DATA_SCHEMA_VERSION}",
        "time": told.time,
        "subject": subject,
        "sequence": order(told),
        "runnumber": str(run.number) if run is not None else None,
    }
    return {
        f"ce-{name}": urlparse.quote(value, safe=_PLAIN)
        for name, value in attributes.items()
        if value is not None
    }


def order(told: notifications.Notification) -> str:
    """Return a text that sorts the notifications of one StackChain as things happened."""
    number = told.run.number if told.run is not None else 0
    return f"{number:010d}.{told.time}.{told.sequence:010d}.{told.place:04d}"


def data_of(told: notifications.Notification) -> dict[str, Any]:
    """Return the data of a CloudEvent: camelCase, without empty fields."""
    return v1alpha1.as_json(
        {
            "transition": told.transition,
            "severity": told.severity,
            "reason": told.reason,
            "message": told.message,
            "time": told.time,
            "sequence": told.sequence,
            "installation": told.installation,
            "chain": {
                "namespace": told.namespace,
                "name": told.chain,
                "uid": told.uid,
                "generation": told.generation,
            },
            "run": dataclasses.asdict(told.run) if told.run is not None else None,
            "stack": dataclasses.asdict(told.stack) if told.stack is not None else None,
        }
    )
