"""Errors of the Spacelift adapter: what a caller may conclude from a call that failed.

The tree is cut by consequence, not by cause. What matters to a caller that wanted to change
something is whether Spacelift may have done it::

    SpaceliftError
     +-- Unreachable              nothing reached it: DNS, refused, connect time-out, TLS, no token
     +-- AmbiguousOutcome         sent, then silence, a 5xx or garbage: it may be committed
     +-- RateLimited              HTTP 429, or the connection's own limit, before it was sent;
     |                            ``times.pause_seconds`` says when to try again
     +-- CredentialsRejected      the API key is not accepted, or its tokens are not
     +-- PermissionDenied         the API key is accepted, but may not do this
     +-- SpaceliftObjectNotFound  the stack or run does not exist, or the API key cannot see it
     +-- SpaceliftRefused         a sound answer that says no: nothing was committed
"""

OVER_OWN_LIMIT = "over_own_limit"
"""The outcome of what was not sent, because of the connection's own limit."""


class SpaceliftError(Exception):
    """A call to Spacelift failed; the message says what, for which object, and what to do next."""

    outcome: str = "error"

    def __init__(self, message: str) -> None:
        """Keep the message, which a status can show unchanged."""
        super().__init__(message)
        self.message = message


class Unreachable(SpaceliftError):
    """Nothing reached Spacelift, so that trying again is always safe."""

    outcome = "unreachable"


class AmbiguousOutcome(SpaceliftError):
    """The request left and no readable answer came back: a mutation may have been committed."""

    outcome = "ambiguous"

    def __init__(self, message: str, *, is_foreign: bool = False) -> None:
        """Keep whether the answer was not GraphQL: a web page, or one from another service."""
        super().__init__(message)
        self.is_foreign = is_foreign


class RateLimited(SpaceliftError):
    """Spacelift, or the connection's own limit, wants fewer requests; nothing was committed."""

    outcome = "rate_limited"

    def __init__(
        self,
        message: str,
        *,
        retry_after_seconds: float | None = None,
        is_own_limit: bool = False,
    ) -> None:
        """Keep the delay that was asked for; None if none was named."""
        super().__init__(message)
        self.retry_after_seconds = retry_after_seconds
        if is_own_limit:
            self.outcome = OVER_OWN_LIMIT


class CredentialsRejected(SpaceliftError):
    """Spacelift does not accept the API key; only a person can change that."""

    outcome = "credentials_rejected"


class PermissionDenied(SpaceliftError):
    """The API key is valid and lacks the right to do this; nothing was committed."""

    outcome = "permission_denied"


class SpaceliftObjectNotFound(SpaceliftError):
    """The stack or run is missing, or the API key cannot see it; Spacelift makes no difference."""

    outcome = "not_found"


class SpaceliftRefused(SpaceliftError):
    """Spacelift understood the request and said no; nothing was committed."""

    outcome = "refused"
