"""What the API server answers when it refuses: a Status, by which callers distinguish refusals."""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

Json = dict[str, Any]


@dataclass(frozen=True, kw_only=True, slots=True)
class Answer:
    """One answer of the API server, as it goes over the wire."""

    status: int
    data: bytes
    headers: Mapping[str, str] = field(default_factory=dict)


class Refusal(Exception):
    """The API server does not do it, and says so."""

    def __init__(
        self,
        code: int,
        reason: str,
        message: str,
        *,
        details: Json | None = None,
        headers: Mapping[str, str] | None = None,
    ) -> None:
        super().__init__(message)
        self.code = code
        self.reason = reason
        self.message = message
        self.details = details
        self.headers = headers or {}

    @property
    def status(self) -> Json:
        """The object that says so."""
        details = {} if self.details is None else {"details": self.details}
        return {
            "kind": "Status",
            "apiVersion": "v1",
            "metadata": {},
            "status": "Failure",
            "message": self.message,
            **({"reason": self.reason} if self.reason else {}),
            **details,
            "code": self.code,
        }

    @property
    def answer(self) -> Answer:
        """What goes over the wire."""
        data = json.dumps(self.status).encode()
        return Answer(status=self.code, data=data, headers=self.headers)


class UnservedPath(Exception):
    """No API is served at the path; the answer is not an object."""

    @property
    def answer(self) -> Answer:
        """What goes over the wire."""
        return Answer(status=404, data=b"404 page not found\n")


def not_found(resource: str, group: str, name: str) -> Refusal:
    """Return the refusal for an object that does not exist."""
    return Refusal(
        404,
        "NotFound",
        f'{_qualified(resource, group)} "{name}" not found',
        details=_details(resource, group, name),
    )


def already_exists(resource: str, group: str, name: str) -> Refusal:
    """Return the refusal to create what is there."""
    return Refusal(
        409,
        "AlreadyExists",
        f'{_qualified(resource, group)} "{name}" already exists',
        details=_details(resource, group, name),
    )


def conflict(resource: str, group: str, name: str, why: str = "") -> Refusal:
    """Return the refusal of a write onto another version of the object, or onto another object."""
    why = why or (
        "the object has been modified; please apply your changes to the latest version and try "
        "again"
    )
    return Refusal(
        409,
        "Conflict",
        f'Operation cannot be fulfilled on {_qualified(resource, group)} "{name}": {why}',
        details=_details(resource, group, name),
    )


def invalid(kind: str, group: str, name: str, why: str) -> Refusal:
    """Return the refusal of a body; it names the kind, where the others name the plural."""
    return Refusal(
        422,
        "Invalid",
        f'{_qualified(kind, group)} "{name}" is invalid: {why}',
        details=_details(kind, group, name),
    )


def bad_request(why: str) -> Refusal:
    """Return the refusal of what makes no sense."""
    return Refusal(400, "BadRequest", why)


def forbidden(resource: str, group: str, name: str, why: str) -> Refusal:
    """Return the refusal for lack of a right."""
    named = f' "{name}"' if name else ""
    return Refusal(
        403,
        "Forbidden",
        f"{_qualified(resource, group)}{named} is forbidden: {why}",
        details=_details(resource, group, name),
    )


def terminating(resource: str, group: str, name: str, namespace: str) -> Refusal:
    """Return the refusal to create anything in a namespace that is being deleted."""
    refusal = forbidden(
        resource,
        group,
        name,
        f"unable to create new content in namespace {namespace} because it is being terminated",
    )
    assert refusal.details is not None
    refusal.details["causes"] = [
        {
            "reason": "NamespaceTerminating",
            "message": f"namespace {namespace} is being terminated",
            "field": "metadata.namespace",
        }
    ]
    return refusal


def unauthorized() -> Refusal:
    """Return the refusal of credentials."""
    return Refusal(401, "Unauthorized", "Unauthorized")


def expired(why: str) -> Refusal:
    """Return the refusal of a version that is no longer known."""
    return Refusal(410, "Expired", why)


def throttled(retry_after: str) -> Refusal:
    """Return the request for a pause: of a second, unless a proxy has written another header."""
    return Refusal(
        429,
        "TooManyRequests",
        "the server has received too many requests and has asked us to try again later",
        details={"retryAfterSeconds": 1},
        headers={"Retry-After": retry_after},
    )


def unavailable(code: int = 503) -> Refusal:
    """Return a failure of the server's own."""
    reasons = {500: "InternalError", 503: "ServiceUnavailable", 504: "Timeout"}
    return Refusal(code, reasons[code], "the server is currently unable to handle the request")


def _qualified(resource: str, group: str) -> str:
    return f"{resource}.{group}" if group else resource


def _details(resource: str, group: str, name: str) -> Json:
    return {
        **({"name": name} if name else {}),
        **({"group": group} if group else {}),
        "kind": resource,
    }
