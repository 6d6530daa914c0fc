"""What is sent to the Kubernetes API and what its answers mean, whatever carries them. Pure."""

import json
from collections.abc import Mapping
from typing import Any, Literal, Protocol

from controller import clock, outside_text, times
from controller.kube import errors

REQUEST_TIMEOUT_SECONDS = 10.0
JSON = "application/json"
MERGE_PATCH = "application/merge-patch+json"
_OWN_PAUSE_SECONDS = 1.0

Method = Literal["GET", "POST", "PUT", "PATCH", "DELETE"]
Json = dict[str, Any]


class KubeRequests(Protocol):
    """What the users of the connection need of it."""

    async def request(
        self,
        method: Method,
        path: str,
        *,
        query: Mapping[str, str] | None = None,
        body: Json | None = None,
        content_type: str = JSON,
        accept: str = JSON,
    ) -> Json:
        """Send one request and return the object of the answer."""


def event_of(what: str, line: bytes) -> Json:
    """Return an event of a watch.

    Raises:
        errors.KubeError: it is an error, or not an event.
    """
    event = json.loads(line)
    if not isinstance(event, dict) or not isinstance(event.get("object"), dict):
        raise errors.ApiUnreachable(f"{what}: not an event of a watch")
    if event.get("type") == "ERROR":
        status = event["object"]
        code = status.get("code")
        read_answer(what, code if isinstance(code, int) else 500, {}, json.dumps(status).encode())
        raise errors.ApiUnreachable(f"{what}: an error without a code")
    return event


def read_answer(what: str, status: int, headers: Mapping[str, str], data: bytes) -> Json:
    """Return the object of an answer, or raise what its status means."""
    try:
        answer = json.loads(data)
    except ValueError:
        answer = None
    content: Json = answer if isinstance(answer, dict) else {}
    if 200 <= status < 300 and content:
        return content
    said = content.get("message") or data[: errors.ANSWER_LIMIT].decode(errors="replace")
    text = outside_text.clean(str(said), most=errors.ANSWER_LIMIT)
    message = f"{what}: {status} {outside_text.clean(text)}"
    error = _error(status, message, headers, content, what)
    error.answer = text
    raise error


def _error(
    status: int, message: str, headers: Mapping[str, str], content: Json, what: str
) -> errors.KubeError:
    match status:
        case 401:
            return errors.Unauthenticated(message)
        case 403:
            return errors.Denied(message)
        case 404 if _names_resource(content, what):
            return errors.ObjectNotFound(message)
        case 409:
            return errors.Conflict(message)
        case 410:
            return errors.Expired(message)
        case 429:
            return errors.Throttled(message, retry_after_seconds=_retry_after(headers))
        case 404:
            return errors.NotServed(
                f"{message}. Nothing serves this path: is the CRD installed, and is there a "
                "proxy in between?"
            )
        case _ if 400 <= status < 500:
            return errors.Invalid(message)
    # 2xx and 3xx without an object come from something that is not an API server.
    return errors.ApiUnreachable(message)


def _names_resource(content: Json, what: str) -> bool:
    """Return whether a 404 is about the resource itself.

    A missing CRD answers with plain text or a Status without a name, a proxy with anything.
    """
    details = content.get("details")
    if content.get("kind") != "Status" or not isinstance(details, dict):
        return False
    name, plural = details.get("name"), details.get("kind")
    return bool(name) and f"/{plural}/{name}/" in f"{what}/"


def _retry_after(headers: Mapping[str, str]) -> float:
    asked = times.retry_after_seconds(headers.get("Retry-After"), now=clock.unix())
    return times.pause_seconds(asked, own=_OWN_PAUSE_SECONDS)
