"""Pauses of Spacelift within an activity: as long as asked, never at once, never for long."""

import pytest

from controller.spacelift import errors
from controller.temporal.activities import rate_limits


class Account:
    """Refuses so many requests, and asks for the same pause each time."""

    def __init__(self, refusals: int, asked: float | None) -> None:
        self.refusals = refusals
        self.asked = asked
        self.pauses: list[float] = []

    async def request(self) -> str:
        if self.refusals:
            self.refusals -= 1
            raise errors.RateLimited("too many", retry_after_seconds=self.asked)
        return "answer"

    async def sleep(self, seconds: float) -> None:
        self.pauses.append(seconds)


@pytest.mark.parametrize(
    ("asked", "pauses"),
    [
        pytest.param(None, [1, 2, 4], id="no pause is named"),
        pytest.param(0.0, [1, 2, 4], id="none"),
        pytest.param(3.0, [3, 3, 4], id="a pause"),
    ],
)
async def test_the_longer_of_the_two_pauses_counts(
    asked: float | None, pauses: list[float]
) -> None:
    account = Account(3, asked)

    assert await rate_limits.call(account.request, sleep=account.sleep) == "answer"
    assert account.pauses == pauses


@pytest.mark.parametrize(("refusals", "asked", "slept"), [(6, 0.0, 5), (1, 61.0, 0), (1, 1e18, 0)])
async def test_what_does_not_pass_soon_is_for_temporal_to_wait_for(
    refusals: int, asked: float, slept: int
) -> None:
    account = Account(refusals, asked)

    with pytest.raises(errors.RateLimited):
        await rate_limits.call(account.request, sleep=account.sleep)

    assert len(account.pauses) == slept
