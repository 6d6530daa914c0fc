"""The checks behind the probes; the server itself is in tests/e2e."""

import asyncio

import pytest
from prometheus_client import CollectorRegistry

from controller.observability import health


class Clock:
    def __init__(self) -> None:
        self.now = 0.0

    def __call__(self) -> float:
        return self.now


class Check:
    """A ready check that counts how often it is asked."""

    def __init__(self, problem: str | None = None) -> None:
        self.problem = problem
        self.calls = 0

    async def __call__(self) -> str | None:
        self.calls += 1
        return self.problem


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def server(clock: Clock) -> health.HealthServer:
    return health.HealthServer(
        "127.0.0.1:0", CollectorRegistry(), check_timeout_seconds=0.05, clock=clock
    )


async def test_a_process_without_checks_is_not_ready_yet(server: health.HealthServer) -> None:
    """It listens for probes before it has made what the checks look at."""
    assert await server.ready_problems() == {"start": "The process is starting."}

    server.add_ready_check("temporal", Check())

    assert await server.ready_problems() == {}


async def test_each_failing_check_is_named_with_its_reason(server: health.HealthServer) -> None:
    server.add_ready_check("temporal", Check("connection refused"))
    server.add_ready_check("kubernetes", Check())

    assert await server.ready_problems() == {"temporal": "connection refused"}


async def test_an_answer_is_kept_for_a_while(server: health.HealthServer, clock: Clock) -> None:
    check = Check()
    server.add_ready_check("temporal", check)
    await server.ready_problems()

    check.problem, clock.now = "away", health.CACHE_SECONDS - 1
    assert await server.ready_problems() == {}

    clock.now = health.CACHE_SECONDS
    assert await server.ready_problems() == {"temporal": "away"}
    assert check.calls == 2


async def test_a_check_that_replaces_another_one_is_asked_at_once(
    server: health.HealthServer,
) -> None:
    server.add_ready_check("watch", Check())
    await server.ready_problems()

    server.add_ready_check("watch", Check("not listed yet"))

    assert await server.ready_problems() == {"watch": "not listed yet"}


async def test_checks_that_come_while_others_are_asked_count(server: health.HealthServer) -> None:
    async def acquire() -> str | None:
        server.add_ready_check("watch", Check("not listed yet"))
        return None

    server.add_ready_check("lease", acquire)

    assert await server.ready_problems() == {"watch": "not listed yet"}


async def test_probes_that_come_together_share_one_check(server: health.HealthServer) -> None:
    check = Check()
    server.add_ready_check("temporal", check)

    await asyncio.gather(*(server.ready_problems() for _ in range(20)))

    assert check.calls == 1


async def test_a_check_that_hangs_is_a_problem_in_bounded_time(
    server: health.HealthServer,
) -> None:
    async def hang() -> str | None:
        await asyncio.Event().wait()
        return None

    server.add_ready_check("temporal", hang)

    assert await server.ready_problems() == {"temporal": "did not answer within 0.05 s"}


async def test_a_check_with_a_bug_leaves_the_others_their_answers(
    server: health.HealthServer, caplog: pytest.LogCaptureFixture
) -> None:
    async def broken() -> str | None:
        raise KeyError("oops")

    server.add_ready_check("broken", broken)
    server.add_ready_check("temporal", Check("away"))

    assert await server.ready_problems() == {
        "broken": "failed: KeyError",
        "temporal": "away",
    }
    assert "Ready check failed" in caplog.text


async def test_a_problem_that_went_away_is_seen_soon(
    server: health.HealthServer, clock: Clock
) -> None:
    """A pod that is ready five seconds late delays whatever waits for it."""
    check = Check("not connected yet")
    server.add_ready_check("temporal", check)
    await server.ready_problems()

    check.problem = None
    clock.now += health.PROBLEM_CACHE_SECONDS

    assert await server.ready_problems() == {}
