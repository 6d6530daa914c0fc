"""What is sent for a notification: headers and body of one POST. Pure.

Slack gets the JSON of an incoming webhook, which others understand too. CloudEvents come in the
binary mode of the HTTP binding: the attributes are `ce-` headers and the body is the data. A
receiver that does not know CloudEvents sees plain JSON.
"""

import dataclasses
import json
from collections.abc import Mapping
from typing import Any, assert_never
from urllib import parse as urlparse

from controller.api import v1alpha1
from controller.chain.news import notifications
from controller.notify import sinks, templates

TYPE_PREFIX = "dev.stackchain."
DATA_SCHEMA_VERSION = "v1alpha1"

# One that is empty is left out.
DEFAULT_SLACK_LINES = ("*${title}*", "${message}", "${link}", "${pageUrl}")

# What the HTTP binding allows in a header value: printable ASCII but blank, quote and percent.
_PLAIN = "".join(chr(code) for code in range(0x21, 0x7F) if chr(code) not in '"%')


@dataclasses.dataclass(frozen=True, kw_only=True, slots=True)
class Payload:
    """One request: what it has in addition to the sink's own headers."""

    headers: Mapping[str, str]
    body: bytes


def payload(sink: sinks.Sink, notification: notifications.Notification) -> Payload:
    """Return what a sink is sent for a notification."""
    match sink.type:
        case sinks.SinkType.SLACK:
            return Payload(headers=_JSON, body=_encoded(_slack(sink, notification)))
        case sinks.SinkType.CLOUD_EVENTS:
            headers = _JSON | _attributes(notification)
            return Payload(headers=headers, body=_encoded(_data(sink, notification)))
        case _:
            assert_never(sink.type)


_JSON = {"Content-Type": "application/json"}


def _encoded(document: Any) -> bytes:
    return json.dumps(document, ensure_ascii=False).encode()


# Slack


def _slack(sink: sinks.Sink, notification: notifications.Notification) -> Any:
    def filled(template: Any) -> Any:
        return templates.render(template, notification, escape=slack_text)

    if sink.template is None:
        return {"text": "\n".join(filter(None, map(filled, DEFAULT_SLACK_LINES)))}
    document = filled(sink.template)
    return {"text": document.strip()} if isinstance(document, str) else document


def slack_text(text: str) -> str:
    """Escape what Slack would take for a link, or for a mention of everyone."""
    return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")


# CloudEvents


def _data(sink: sinks.Sink, notification: notifications.Notification) -> Any:
    if sink.template is None:
        return data_of(notification)
    return templates.render(sink.template, notification)


def _attributes(notification: notifications.Notification) -> dict[str, str]:
    subject = f"stacks/{notification.stack.id}" if notification.stack is not None else None
    run = notification.run
    attributes = {
        "specversion": "1.0",
        "id": notification.id,
        "source": urlparse.quote(notification.source),
        "type": f"{TYPE_PREFIX}{notification.transition}.{DATA_SCHEMA_VERSION}",
        "time": notification.time,
        "subject": subject,
        "sequence": order(notification),
        "runnumber": str(run.number) if run is not None else None,
    }
    return {
        f"ce-{name}": urlparse.quote(value, safe=_PLAIN)
        for name, value in attributes.items()
        if value is not None
    }


def order(notification: notifications.Notification) -> str:
    """Return a string that sorts the notifications of one StackChain as things happened."""
    number = notification.run.number if notification.run is not None else 0
    return (
        f"{number:010d}.{notification.time}.{notification.sequence:010d}.{notification.place:04d}"
    )


def data_of(notification: notifications.Notification) -> dict[str, Any]:
    """Return the data of a CloudEvent: camelCase, without empty fields."""
    return v1alpha1.to_json(
        {
            "transition": notification.transition,
            "severity": notification.severity,
            "reason": notification.reason,
            "message": notification.message,
            "time": notification.time,
            "sequence": notification.sequence,
            "installation": notification.installation,
            "chain": {
                "namespace": notification.namespace,
                "name": notification.chain,
                "uid": notification.uid,
                "generation": notification.generation,
                "pageUrl": notification.page_url,
            },
            "run": dataclasses.asdict(notification.run) if notification.run is not None else None,
            "stack": dataclasses.asdict(notification.stack)
            if notification.stack is not None
            else None,
        }
    )
