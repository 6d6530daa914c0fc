"""What can be wrong with a delivery: how it is answered, counted and logged."""

import enum
import logging
from collections.abc import Callable

from controller import log_throttle

logger = logging.getLogger(__name__)


class RefusalReason(enum.StrEnum):
    """Why a delivery is refused; the values are results that deliveries are counted by."""

    UNKNOWN_CONNECTION = "unknown_connection"
    UNKNOWN_PATH = "unknown_path"
    METHOD = "wrong_method"
    CONTENT_TYPE = "wrong_content_type"
    TOO_LARGE = "too_large"
    SLOW = "slow"
    BROKEN_OFF = "broken_off"
    CROWDED_OUT = "crowded_out"
    SIGNATURE = "wrong_signature"
    MALFORMED = "malformed"
    NOT_HTTP = "not_http"

    @property
    def status(self) -> int:
        """The status of the answer."""
        return _ANSWERS[self][0]

    @property
    def text(self) -> str:
        """The text of the answer: it helps whoever sets a webhook up, but not whoever guesses."""
        return _ANSWERS[self][1]


_ANSWERS = {
    RefusalReason.UNKNOWN_CONNECTION: (404, "there is nothing here"),
    RefusalReason.UNKNOWN_PATH: (404, "there is nothing here"),
    RefusalReason.METHOD: (405, "send a POST"),
    RefusalReason.CONTENT_TYPE: (415, "send application/json without a content encoding"),
    RefusalReason.TOO_LARGE: (413, "the body is too large"),
    RefusalReason.SLOW: (408, "the body took too long"),
    RefusalReason.BROKEN_OFF: (400, "the body is not complete"),
    RefusalReason.CROWDED_OUT: (429, "too many bodies arrive at the same time"),
    RefusalReason.SIGNATURE: (401, "the signature is missing or wrong"),
    RefusalReason.MALFORMED: (400, "the body is not a run notification"),
    RefusalReason.NOT_HTTP: (400, "not an HTTP request"),
}

OF_A_CONNECTION = (
    RefusalReason.CONTENT_TYPE,
    RefusalReason.TOO_LARGE,
    RefusalReason.SLOW,
    RefusalReason.BROKEN_OFF,
    RefusalReason.CROWDED_OUT,
    RefusalReason.SIGNATURE,
    RefusalReason.MALFORMED,
)
"""Those that are counted by connection; of the others, no connection is known."""

WITH_UNREAD_BODY = frozenset(
    {
        RefusalReason.CONTENT_TYPE,
        RefusalReason.TOO_LARGE,
        RefusalReason.SLOW,
        RefusalReason.BROKEN_OFF,
        RefusalReason.CROWDED_OUT,
        RefusalReason.UNKNOWN_CONNECTION,
        RefusalReason.UNKNOWN_PATH,
        RefusalReason.METHOD,
    }
)
"""After these the connection is of no use: the rest of the body would be taken for a request."""


class DeliveryRefused(Exception):
    """A delivery that is answered with an error of its sender."""

    def __init__(self, reason: RefusalReason, why: str = "") -> None:
        super().__init__(why or reason)
        self.reason = reason
        self.why = why


class RefusalLog:
    """Logs refusals, each kind at once and then in bundles; never a body."""

    def __init__(self, *, clock: Callable[[], float]) -> None:
        self._throttle = log_throttle.LogThrottle(clock=clock)

    def log(self, reason: RefusalReason, *, connection: str, remote: str | None, why: str) -> None:
        """Log a refusal, or count it for the next line of its kind."""
        kind = (reason, connection)
        if not self._throttle.due(kind):
            return
        logger.warning(
            "Delivery refused",
            extra={
                "reason": reason,
                "connection": connection or None,
                "remote": remote,
                "why": why or None,
                "more_before": self._throttle.skipped(kind),
            },
        )
