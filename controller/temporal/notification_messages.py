"""What travels from the operator to the workers that notify sinks.

See `messages` for how these may change.
"""

import dataclasses

from controller.chain.news import notifications


@dataclasses.dataclass(frozen=True, kw_only=True, slots=True)
class NotificationInput:
    """Notifies each of these sinks; the worker knows where they are.

    `signatures` has for each sink the operator's word that it is to be notified.
    """

    notification: notifications.Notification
    sinks: list[str]
    signatures: dict[str, str] = dataclasses.field(default_factory=dict)


@dataclasses.dataclass(frozen=True, kw_only=True, slots=True)
class NotificationResult:
    """Which sinks were notified, and which were not; people read it on Temporal's page."""

    delivered: list[str]
    given_up: list[str]


@dataclasses.dataclass(frozen=True, kw_only=True, slots=True)
class DeliverNotificationInput:
    """Notifies one sink."""

    sink: str
    notification: notifications.Notification
    signature: str = ""
