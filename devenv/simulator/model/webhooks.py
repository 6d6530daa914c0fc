"""The records of outgoing webhooks: whom to notify, by which policies, and what was sent.

Three kinds share one record, since all that is sent to them is sent the same way (API facts,
section 6.1). Like all records of the account they change in place.
"""

from dataclasses import dataclass, field
from enum import StrEnum

# The account has at most one; a slug has no colons, so no named webhook can take its place.
AUDIT_ID = "audit::trail"


class WebhookKind(StrEnum):
    """What a webhook hangs on."""

    STACK = "stack"
    NAMED = "named"
    AUDIT = "audit"


@dataclass(slots=True, kw_only=True)
class Webhook:
    """Where to send what; `failures` counts deliveries in a row that failed."""

    id: str
    kind: WebhookKind
    endpoint: str
    created_at: float
    enabled: bool = True
    secret: str = ""
    retry_on_failure: bool = False
    headers: dict[str, str] = field(default_factory=dict)
    # Of a stack webhook.
    stack_id: str | None = None
    deleted: bool = False
    # Of a named webhook.
    name: str = ""
    space: str = "root"
    labels: list[str] = field(default_factory=list)
    # Of the audit trail webhook.
    include_runs: bool = False
    failures: int = 0
    # When failures disabled it; None while it is enabled, or disabled by a person.
    disabled_at: float | None = None

    @property
    def secret_headers(self) -> list[str]:
        """The names of the additional headers; their values cannot be read."""
        return sorted(self.headers)


@dataclass(slots=True, kw_only=True)
class Policy:
    """A policy; only those of type NOTIFICATION have an effect here."""

    id: str
    name: str
    body: str
    type: str
    created_at: float
    updated_at: float
    description: str | None = None
    labels: list[str] = field(default_factory=list)
    space: str = "root"
    engine_type: str = "REGO_V1"


class DeliveryState(StrEnum):
    """The state of a delivery."""

    PENDING = "pending"
    DELIVERED = "delivered"
    FAILED = "failed"
    # Never sent: lost on purpose, or its webhook was disabled or went away before its turn.
    DROPPED = "dropped"
    DISCARDED = "discarded"


@dataclass(slots=True, kw_only=True)
class Attempt:
    """One request; `status` is None if no answer came, and `error` says why."""

    at: float
    seconds: float
    status: int | None = None
    error: str | None = None

    @property
    def is_good(self) -> bool:
        """Whether the receiver took it."""
        return self.status is not None and 200 <= self.status < 300


@dataclass(slots=True, kw_only=True)
class Delivery:
    """One notification to one webhook, with everything needed to send it.

    `number` counts the deliveries of an account from 1. Chance depends on it, so the same events
    are treated the same in each run of a test. `body` is the text whose bytes are signed.
    """

    id: str
    number: int
    webhook_id: str
    endpoint: str
    secret: str
    body: str
    event: str
    created_at: float
    method: str = "POST"
    headers: dict[str, str] = field(default_factory=dict)
    stack_id: str | None = None
    run_id: str | None = None
    run_state: str | None = None
    state_version: int | None = None
    state: DeliveryState = DeliveryState.PENDING
    # When it is to be sent (again); None when it is over.
    due: float | None = None
    attempts: list[Attempt] = field(default_factory=list)
    duplicate_of: str | None = None
    replay_of: str | None = None
    note: str | None = None
    # Sent even though its webhook is disabled or gone: it reports just that.
    is_farewell: bool = False
