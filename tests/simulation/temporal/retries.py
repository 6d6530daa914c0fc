"""Whether a failed activity is tried again, and when: the server's rules."""

from temporalio.api.common.v1 import RetryPolicy
from temporalio.api.enums.v1 import RetryState, TimeoutType
from temporalio.api.failure.v1 import Failure

_RETRIED_TIMEOUTS = (
    TimeoutType.TIMEOUT_TYPE_START_TO_CLOSE,
    TimeoutType.TIMEOUT_TYPE_HEARTBEAT,
)

# What the server takes for what a policy leaves open.
_INITIAL_SECONDS = 1.0
_COEFFICIENT = 2.0
_MAXIMUM_FACTOR = 100.0


def next_attempt(
    policy: RetryPolicy, failure: Failure, *, attempt: int, seconds_left: float | None
) -> tuple[int | None, float]:
    """Return why there is no further attempt, or None and in how many seconds there is one.

    Args:
        policy: of the activity.
        failure: of its last attempt.
        attempt: how many there were.
        seconds_left: until the activity has to have ended; None: there is no limit.
    """
    if not _is_retried(policy, failure):
        return RetryState.RETRY_STATE_NON_RETRYABLE_FAILURE, 0.0
    if policy.maximum_attempts and attempt >= policy.maximum_attempts:
        return RetryState.RETRY_STATE_MAXIMUM_ATTEMPTS_REACHED, 0.0
    delay = _delay(policy, failure, attempt)
    if seconds_left is not None and delay > seconds_left:
        return RetryState.RETRY_STATE_TIMEOUT, 0.0
    return None, delay


def _is_retried(policy: RetryPolicy, failure: Failure) -> bool:
    match failure.WhichOneof("failure_info"):
        case "application_failure_info":
            info = failure.application_failure_info
            return not info.non_retryable and info.type not in policy.non_retryable_error_types
        case "timeout_failure_info":
            return failure.timeout_failure_info.timeout_type in _RETRIED_TIMEOUTS
        case "canceled_failure_info" | "terminated_failure_info":
            return False
        case _:
            return True


def _delay(policy: RetryPolicy, failure: Failure, attempt: int) -> float:
    info = failure.application_failure_info
    if info.HasField("next_retry_delay"):
        return float(info.next_retry_delay.ToNanoseconds() / 1e9)
    initial = policy.initial_interval.ToNanoseconds() / 1e9 or _INITIAL_SECONDS
    longest = policy.maximum_interval.ToNanoseconds() / 1e9 or initial * _MAXIMUM_FACTOR
    coefficient = policy.backoff_coefficient or _COEFFICIENT
    try:
        return float(min(initial * coefficient ** (attempt - 1), longest))
    except OverflowError:
        return float(longest)
