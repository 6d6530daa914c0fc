"""When Temporal tries again: by its own policy, or later where Spacelift asks for that."""

import dataclasses
import datetime

import pytest
import temporalio.common
import temporalio.exceptions
from temporalio.testing import ActivityEnvironment

from controller.spacelift import errors as spacelift_errors
from controller.temporal.activities import errors

POLICY = temporalio.common.RetryPolicy(
    initial_interval=datetime.timedelta(seconds=1), maximum_interval=datetime.timedelta(seconds=60)
)


def mapped(asked: float | None, *, attempt: int = 1) -> temporalio.exceptions.ApplicationError:
    environment = ActivityEnvironment()
    environment.info = dataclasses.replace(environment.info, attempt=attempt, retry_policy=POLICY)
    error = spacelift_errors.RateLimited("too many", retry_after_seconds=asked)
    return environment.run(errors.to_application_error, error)


@pytest.mark.parametrize(
    ("asked", "attempt", "pause"),
    [
        pytest.param(None, 1, None, id="nothing asked"),
        pytest.param(0.0, 1, None, id="never at once"),
        pytest.param(3.0, 1, 3, id="longer than the first pause"),
        pytest.param(3.0, 3, None, id="shorter than the third pause"),
        pytest.param(30.0, 10_000, None, id="shorter than the longest own pause"),
        pytest.param(86_400.0, 1, 300, id="a day"),
        pytest.param(1e18, 1, 300, id="a number that no timer takes"),
    ],
)
def test_the_longer_of_the_two_pauses_counts(
    asked: float | None, attempt: int, pause: int | None
) -> None:
    expected = None if pause is None else datetime.timedelta(seconds=pause)

    assert mapped(asked, attempt=attempt).next_retry_delay == expected


@pytest.mark.parametrize(
    ("asked", "kind"), [(9.0, "RateLimited"), (10.0, errors.LONG_PAUSE), (1e18, errors.LONG_PAUSE)]
)
def test_a_long_pause_has_a_type_of_its_own_so_that_the_status_says_it(
    asked: float, kind: str
) -> None:
    error = mapped(asked)

    assert (error.type, error.non_retryable) == (kind, False)
