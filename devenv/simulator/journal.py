"""The request log: what clients sent and what came of it, as a bounded ring and full counters.

Secrets stay out: neither the secret of a key nor a token is ever recorded.
"""

from collections import Counter, deque
from dataclasses import dataclass, field
from typing import Any

KEPT = 5000

_SECRET_NAMES = frozenset({"secret", "token"})
_LEFT_OUT = "(left out)"


@dataclass(frozen=True, slots=True, kw_only=True)
class RootFieldRecord:
    """A root field that was asked for."""

    name: str
    alias: str
    stacks: tuple[str, ...] = ()


@dataclass(slots=True, kw_only=True)
class RequestRecord:
    """One request to `/graphql`; `outcome` is an HTTP status, or how the connection ended."""

    number: int
    at: float
    key: str | None = None
    operation: str | None = None
    operation_name: str | None = None
    fields: list[RootFieldRecord] = field(default_factory=list)
    variables: dict[str, Any] = field(default_factory=dict)
    headers: dict[str, str] = field(default_factory=dict)
    document: str = ""
    outcome: str = ""
    errors: list[str] = field(default_factory=list)
    committed: list[str] = field(default_factory=list)
    fault: int | None = None
    seconds: float = 0


@dataclass(slots=True, kw_only=True)
class Journal:
    """All requests of a simulator."""

    entries: deque[RequestRecord] = field(default_factory=lambda: deque(maxlen=KEPT))
    requests: int = 0
    by_field: Counter[str] = field(default_factory=Counter)
    by_outcome: Counter[str] = field(default_factory=Counter)
    by_client: Counter[str] = field(default_factory=Counter)

    def open(self, at: float) -> RequestRecord:
        """Start the record of a request."""
        self.requests += 1
        record = RequestRecord(number=self.requests, at=at)
        self.entries.append(record)
        return record

    def close(self, record: RequestRecord, *, outcome: str, seconds: float) -> None:
        """End the record of a request."""
        record.outcome = outcome
        record.seconds = seconds
        self.by_outcome[outcome] += 1

    def count(self, record: RequestRecord) -> None:
        """Count what a request asks for, whatever becomes of it."""
        self.by_field.update(root.name for root in record.fields)
        self.by_client[record.headers.get("spacelift-client-type", "")] += 1

    def clear(self) -> None:
        """Forget everything."""
        self.entries.clear()
        self.requests = 0
        for counter in (self.by_field, self.by_outcome, self.by_client):
            counter.clear()


def without_secrets(variables: dict[str, Any]) -> dict[str, Any]:
    """Return variables with the values of secret ones left out, however deep they are."""
    return {
        name: _LEFT_OUT if name.lower() in _SECRET_NAMES else _without_secrets(name, value)
        for name, value in variables.items()
    }


def _without_secrets(name: str, value: Any) -> Any:
    if isinstance(value, dict):
        return without_secrets(value)
    if not isinstance(value, list):
        return value
    if name == "entries":
        # The headers of a webhook: pairs of a key and a secret value.
        return [
            {**one, "value": _LEFT_OUT} if isinstance(one, dict) and "value" in one else one
            for one in value
        ]
    return [_without_secrets(name, one) for one in value]
