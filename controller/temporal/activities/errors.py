"""Maps Spacelift's errors to Temporal's: what is tried again, when, and what is final.

The only place that does; `workflows/` reads the types named here.
"""

from datetime import timedelta

import temporalio.exceptions

from controller.spacelift import errors

# Bad credentials may be mended by a rotation; without them nothing was committed.
_FINAL = (
    errors.CredentialsRejected,
    errors.PermissionDenied,
    errors.SpaceliftObjectNotFound,
    errors.SpaceliftRefused,
)
# A run goes on until it is stopped, so bad credentials are no reason to give that up.
FINAL_STOP = (errors.PermissionDenied, errors.SpaceliftObjectNotFound, errors.SpaceliftRefused)

# Whether a run was created is not known.
AMBIGUOUS = errors.AmbiguousOutcome.__name__
# Failures of a trigger after which it may be sent again without looking for its run.
NOTHING_SENT = frozenset({errors.Unreachable.__name__, errors.RateLimited.__name__})
UNREACHABLE = errors.Unreachable.__name__
# Nothing was created, and something will be once the stack is unlocked or enabled.
STACK_HELD = "StackHeld"


def to_application_error(
    error: errors.SpaceliftError, *, goes_on: bool = False, as_type: str | None = None
) -> temporalio.exceptions.ApplicationError:
    """Return the error that Temporal understands.

    Args:
        error: what the client raised.
        goes_on: a run goes on meanwhile, so bad credentials are no reason to give up.
        as_type: the type that it gets; such an error is never final.
    """
    delay: timedelta | None = None
    category = temporalio.exceptions.ApplicationErrorCategory.UNSPECIFIED
    if isinstance(error, errors.RateLimited):
        category = temporalio.exceptions.ApplicationErrorCategory.BENIGN
        if error.retry_after_seconds is not None:
            delay = timedelta(seconds=error.retry_after_seconds)
    return temporalio.exceptions.ApplicationError(
        str(error),
        type=as_type or type(error).__name__,
        non_retryable=as_type is None and isinstance(error, FINAL_STOP if goes_on else _FINAL),
        next_retry_delay=delay,
        category=category,
    )


def may_pass(error: errors.SpaceliftError | None) -> bool:
    """Whether Spacelift did not answer, for a reason that may go away by itself."""
    return error is not None and not isinstance(error, _FINAL)


def still_waiting(message: str) -> temporalio.exceptions.ApplicationError:
    """Return what lets Temporal repeat a wait, which then leaves nothing in the history."""
    return temporalio.exceptions.ApplicationError(
        message,
        type="StillWaiting",
        next_retry_delay=timedelta(seconds=1),
        category=temporalio.exceptions.ApplicationErrorCategory.BENIGN,
    )
