"""The requests per minute that a user sets for a connection: what is sent when, and what is not."""

import asyncio
import contextlib
import itertools
from collections.abc import Awaitable, Callable
from typing import Any

import httpx
import pytest

from controller.spacelift import account_session, client, errors, request_budget


class Budget:
    """A budget on a clock that stands still while many ask at one moment."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.limit: int | None = 600
        self.now = 0.0
        # When the requests were sent that were not refused.
        self.sent: list[float] = []
        self._pause = 0.0
        self._budget = request_budget.RequestBudget(
            "prod", lambda: self.limit, clock=lambda: self.now
        )
        monkeypatch.setattr(asyncio, "sleep", self._sleep)

    async def _sleep(self, seconds: float) -> None:
        self._pause = seconds

    async def ask(self) -> float:
        """Return the pause of a request."""
        self._pause = 0.0
        await self._budget.wait()
        self.sent.append(self.now + self._pause)
        return self._pause

    async def ask_many(self, count: int = 100_000) -> errors.RateLimited:
        """Ask at one moment until a request is refused."""
        with pytest.raises(errors.RateLimited) as caught:
            await self._ask_all(count)
        return caught.value

    async def _ask_all(self, count: int) -> None:
        for _ in range(count):
            await self.ask()


@pytest.fixture
def budget(monkeypatch: pytest.MonkeyPatch) -> Budget:
    return Budget(monkeypatch)


@pytest.mark.parametrize("per_minute", [100, 101, 600, 3000])
async def test_no_minute_has_more_requests_than_the_limit_however_many_ask(
    budget: Budget, per_minute: int
) -> None:
    budget.limit = per_minute

    for tenth in range(3000):
        budget.now = tenth / 10
        with contextlib.suppress(errors.RateLimited):
            while True:
                await budget.ask()

    sent = [round(at, 6) for at in budget.sent]
    most = max(sum(start <= at < start + 60 for at in sent) for start in range(240))
    assert sent == sorted(sent)
    assert 0.85 * per_minute <= most <= per_minute
    assert len(sent) >= 5 * 0.9 * per_minute


async def test_one_request_after_the_other_is_never_refused(budget: Budget) -> None:
    budget.limit = 100

    for _ in range(1000):
        budget.now += await budget.ask()

    assert budget.now > 60 * 1000 / 100 - 60


async def test_a_request_waits_for_at_most_a_second_or_is_refused_with_the_pause(
    budget: Budget,
) -> None:
    error = await budget.ask_many()

    assert budget.sent[:60] == [0.0] * 60
    assert 0.9 < budget.sent[-1] <= 1.0
    assert error.retry_after_seconds is not None
    assert 1.0 < error.retry_after_seconds < 1.2
    budget.now = error.retry_after_seconds
    assert await budget.ask() < 1.0


async def test_a_refusal_says_whose_limit_it_is_and_where_it_is_set(budget: Budget) -> None:
    error = await budget.ask_many()

    assert "'prod' has used up its own limit of 600 requests per minute" in error.message
    assert "`requestsPerMinute` of the connection" in error.message
    assert error.outcome == errors.OVER_OWN_LIMIT != errors.RateLimited("429").outcome


async def test_without_a_limit_nothing_waits(budget: Budget) -> None:
    budget.limit = None

    for _ in range(10_000):
        await budget.ask()

    assert set(budget.sent) == {0.0}


async def test_another_limit_counts_at_once(budget: Budget) -> None:
    budget.limit = 100
    await budget.ask_many()

    budget.limit = 60_000

    assert await budget.ask() <= 1.0
    budget.limit = None
    assert await budget.ask() == 0


@pytest.fixture
def refusing() -> Callable[[int], Callable[[], Awaitable[None]]]:
    """Make what refuses from the request of that number on."""

    def make(first: int) -> Callable[[], Awaitable[None]]:
        numbers = itertools.count(1)

        async def before() -> None:
            if next(numbers) >= first:
                raise errors.RateLimited("over", is_own_limit=True)

        return before

    return make


@pytest.mark.parametrize(
    ("first", "exchanges", "requests"),
    [(1, 0, 0), (2, 1, 0), (3, 1, 1), (4, 2, 1)],
    ids=["token exchange", "request", "second token", "request with it"],
)
async def test_every_request_counts_and_none_is_sent_beyond(
    account: Any,
    key: Any,
    clock: Any,
    refusing: Callable[[int], Callable[[], Awaitable[None]]],
    first: int,
    exchanges: int,
    requests: int,
) -> None:
    """The account refuses the first token, so that the client gets another one."""
    outcomes = list[str]()
    spacelift = client.SpaceliftClient(
        account_session.AccountSession(
            endpoint="https://acme.app.spacelift.io",
            read_api_key=key,
            transport=httpx.MockTransport(account),
            clock=clock,
            observer=lambda _operation, outcome, _seconds: outcomes.append(outcome),
            before_request=refusing(first),
        )
    )
    account.script = [httpx.Response(401)]

    with pytest.raises(errors.RateLimited):
        await spacelift.trigger_run("vpc", marker="chain-7")
    await spacelift.aclose()

    assert (len(account.exchanges), len(account.requests)) == (exchanges, requests)
    assert outcomes[-1] == errors.OVER_OWN_LIMIT
