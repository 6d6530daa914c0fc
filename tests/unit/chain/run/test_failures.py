"""failures: only a call that Spacelift did not answer is reported as such, however others fail."""

import pytest

from controller.api.reasons import ChainReason, StackReason
from controller.chain.run import failures
from controller.spacelift import errors
from controller.temporal.activities import errors as activity_errors

UNANSWERED = [
    errors.Unreachable.__name__,
    errors.AmbiguousOutcome.__name__,
]
LIMITED = [errors.RateLimited.__name__, activity_errors.LONG_PAUSE]
UNKNOWN = ["KeyError", "ConnectionMismatch", "Unknown", "", "SomethingOfTomorrow"]


@pytest.mark.parametrize("kind", UNANSWERED)
def test_spacelift_does_not_answer(kind: str) -> None:
    assert failures.chain_problem(kind) == ChainReason.SPACELIFT_UNREACHABLE
    assert failures.stack_problem(kind) == StackReason.SPACELIFT_UNREACHABLE


@pytest.mark.parametrize("kind", LIMITED)
def test_an_account_that_limits_its_requests_is_not_called_unreachable(kind: str) -> None:
    assert failures.chain_problem(kind) == ChainReason.RATE_LIMITED
    assert failures.stack_problem(kind) == StackReason.RATE_LIMITED


@pytest.mark.parametrize("kind", UNKNOWN)
def test_an_unknown_failure_is_the_workers(kind: str) -> None:
    assert failures.chain_problem(kind) == ChainReason.WORKER_FAILING
    assert failures.stack_problem(kind) == StackReason.WORKER_FAILING


def test_what_temporal_does_not_take_has_a_reason_of_its_own() -> None:
    kind = failures.PAYLOAD_TOO_LARGE

    assert failures.chain_end(kind) == ChainReason.PAYLOAD_TOO_LARGE
    assert failures.stack_end(kind) == StackReason.PAYLOAD_TOO_LARGE


def test_without_a_worker_the_chain_says_so() -> None:
    assert failures.chain_problem(failures.WORKER_TIMEOUT) == ChainReason.WORKER_UNAVAILABLE
