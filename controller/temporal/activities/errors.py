"""Maps Spacelift's errors to Temporal's: what is retried, when, and what is final.

The only place that does; `workflows/` reads the types named here.
"""

from datetime import timedelta

import temporalio.activity as activity
import temporalio.common
import temporalio.exceptions

from controller import times
from controller.chain.run import failures
from controller.config import permissions
from controller.spacelift import errors
from controller.temporal import signing

# A rotation may fix bad credentials; without them nothing was committed.
_FINAL = (
    errors.CredentialsRejected,
    errors.PermissionDenied,
    errors.SpaceliftObjectNotFound,
    errors.SpaceliftRefused,
)
# A run continues until it is stopped, so bad credentials are no reason to give up on the stop.
FINAL_STOP = (errors.PermissionDenied, errors.SpaceliftObjectNotFound, errors.SpaceliftRefused)

_LONG = timedelta(seconds=10)
_DEFAULT_POLICY = temporalio.common.RetryPolicy()

# Whether a run was created is not known.
AMBIGUOUS = errors.AmbiguousOutcome.__name__
# This worker's connection does not allow it; that may change, and is asked before anything is sent.
NOT_ALLOWED = frozenset(permissions.DisallowedUse)
# No operator of this release has signed it, or with a key or over fields unknown to this worker.
NOT_SIGNED = tuple(failure.__name__ for failure in signing.FAILURES)
# Spacelift asks for such a long pause that the status has to say so.
LONG_PAUSE = "LongPauseAsked"
# The connection has its share of this worker's slots; refused before anything was done.
CONNECTION_BUSY = failures.CONNECTION_BUSY
# Temporal does not say what has to be known before anything is sent.
TEMPORAL_UNREACHABLE = "TemporalUnreachable"
# Failures of a trigger after which it may be sent again without looking for its run.
NOTHING_SENT = NOT_ALLOWED | {
    errors.Unreachable.__name__,
    errors.RateLimited.__name__,
    LONG_PAUSE,
    CONNECTION_BUSY,
    TEMPORAL_UNREACHABLE,
}
UNREACHABLE = errors.Unreachable.__name__
# Nothing was created, and something will be once the stack is unlocked or enabled.
STACK_HELD = "StackHeld"


def to_application_error(
    error: errors.SpaceliftError,
    *,
    goes_on: bool = False,
    as_type: str | None = None,
    is_further: bool = False,
) -> temporalio.exceptions.ApplicationError:
    """Return the error that Temporal understands.

    Args:
        error: what the client raised. A pause that it asks for counts if it is longer than the one
            of the retry policy.
        goes_on: a run continues meanwhile, so bad credentials are no reason to give up.
        as_type: the type that it gets; such an error is never final.
        is_further: the activity got further than at its last try, so a pause for a rate limit is as
            short as the first one.
    """
    delay, kind = None, type(error).__name__
    category = temporalio.exceptions.ApplicationErrorCategory.UNSPECIFIED
    if isinstance(error, errors.RateLimited):
        category = temporalio.exceptions.ApplicationErrorCategory.BENIGN
        delay = asked_pause(error.retry_after_seconds, is_first=is_further)
        if delay is not None and delay >= _LONG:
            kind = LONG_PAUSE
    return temporalio.exceptions.ApplicationError(
        str(error),
        type=as_type or kind,
        non_retryable=as_type is None and isinstance(error, FINAL_STOP if goes_on else _FINAL),
        next_retry_delay=delay,
        category=category,
    )


def asked_pause(seconds: float | None, *, is_first: bool = False) -> timedelta | None:
    """Return the pause before an activity's next try; None if its policy makes one as long.

    Args:
        seconds: what the other side asks for.
        is_first: it counts as the first pause, whatever the number of tries.
    """
    info = activity.info()
    policy = info.retry_policy or _DEFAULT_POLICY
    longest = policy.maximum_interval or policy.initial_interval * 100

    def own_pause(tries: int) -> float:
        # The exponent is bounded: an activity may have had any number of tries.
        own = policy.initial_interval * policy.backoff_coefficient ** min(tries - 1, 20)
        return min(own, longest).total_seconds()

    own = own_pause(info.attempt)
    pause = times.pause_seconds(seconds, own=own_pause(1) if is_first else own)
    return timedelta(seconds=pause) if pause != own else None


def may_pass(error: errors.SpaceliftError | None) -> bool:
    """Whether Spacelift did not answer, for a reason that may pass on its own."""
    return error is not None and not isinstance(error, _FINAL)


def connection_busy(message: str) -> temporalio.exceptions.ApplicationError:
    """Return the refusal of what its connection has no slot for; each pause is longer."""
    return temporalio.exceptions.ApplicationError(
        message,
        type=CONNECTION_BUSY,
        category=temporalio.exceptions.ApplicationErrorCategory.BENIGN,
    )


def still_waiting(message: str) -> temporalio.exceptions.ApplicationError:
    """Return what lets Temporal repeat a wait, which then leaves nothing in the history."""
    return temporalio.exceptions.ApplicationError(
        message,
        type="StillWaiting",
        next_retry_delay=timedelta(seconds=1),
        category=temporalio.exceptions.ApplicationErrorCategory.BENIGN,
    )
