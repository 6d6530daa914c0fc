"""One poller for all follows of a connection: few requests, patient with failures, never dead."""

import asyncio
import contextlib
import itertools
import time
from collections.abc import AsyncIterator, Mapping, Sequence

import pytest

from controller.spacelift import errors, models
from controller.temporal.activities import run_poller
from tests.support.waiting import eventually, stays

TICK = 0.05


class Account:
    """Answers readings; `failures` are raised first, one per reading."""

    def __init__(self) -> None:
        self.readings: list[tuple[float, list[str]]] = []
        self.failures: list[Exception] = []
        self.gate: asyncio.Event | None = None
        self.state = "PLANNING"
        self.leaves_out: set[str] = set()

    @property
    def count(self) -> int:
        return len(self.readings)

    async def read(
        self, keys: Sequence[models.RunKey]
    ) -> Mapping[models.RunKey, models.RunRecord | None]:
        self.readings.append((time.monotonic(), [key.run_id for key in keys]))
        if self.gate is not None:
            await self.gate.wait()
        if self.failures:
            raise self.failures.pop(0)
        return {
            key: models.RunRecord(
                run_id=key.run_id, stack_id=key.stack_id, state=self.state, type="TRACKED"
            )
            for key in keys
            if key.run_id not in self.leaves_out
        }


@pytest.fixture
def account() -> Account:
    return Account()


@pytest.fixture
async def poller(account: Account) -> AsyncIterator[run_poller.RunPoller]:
    poller = run_poller.RunPoller(account.read, tick_seconds=TICK)
    yield poller
    await poller.aclose()


def key(number: int) -> models.RunKey:
    return models.RunKey(stack_id=f"s{number:03d}", run_id=f"r{number:03d}")


async def test_a_new_follow_can_be_read_at_once(account: Account) -> None:
    slow = run_poller.RunPoller(account.read, tick_seconds=3600)
    async with slow.follow(key(1), read_now=True) as readings:
        reading = await asyncio.wait_for(readings.get(), 50)

    assert reading.record is not None
    await slow.aclose()


async def test_runs_that_began_at_different_times_share_a_request(
    account: Account, poller: run_poller.RunPoller
) -> None:
    async with contextlib.AsyncExitStack() as follows:
        for number in range(40):
            await follows.enter_async_context(poller.follow(key(number), read_now=number % 2 == 0))
            await asyncio.sleep(TICK / 20)

        def is_shared() -> bool:
            """Once none of them is young any more: six readings of all, a tick apart."""
            last = account.readings[-6:]
            is_of_all = [len(keys) for _, keys in last] == [40] * 6
            return is_of_all and last[-1][0] - last[0][0] > TICK * 4

        await eventually(is_shared)


async def test_young_follows_are_read_more_often(account: Account) -> None:
    now = 0.0
    poller = run_poller.RunPoller(account.read, tick_seconds=TICK, clock=lambda: now)

    async with contextlib.aclosing(poller), poller.follow(key(1), read_now=True):
        await eventually(lambda: account.count == 1)
        now += TICK / 5
        await eventually(lambda: account.count == 2)
        now += TICK * 4
        await eventually(lambda: account.count == 3)
        now += TICK / 5
        assert await stays(lambda: account.count == 3, TICK)
        now += TICK
        await eventually(lambda: account.count == 4)


async def test_a_slow_reader_gets_the_newest_reading_only(
    account: Account, poller: run_poller.RunPoller
) -> None:
    async with poller.follow(key(1), read_now=True) as readings:
        await eventually(lambda: account.count >= 3)
        account.state = "FINISHED"
        seen = account.count
        await eventually(lambda: account.count >= seen + 2)
        reading = readings.get_nowait()

    assert reading.record is not None
    assert reading.record.state == "FINISHED"


async def test_a_failure_backs_off_and_does_not_end_the_polling(
    account: Account, poller: run_poller.RunPoller
) -> None:
    account.failures = [errors.Unreachable("away")] * 3

    async with poller.follow(key(1), read_now=True) as readings:
        reading = await asyncio.wait_for(readings.get(), 50)

    times = [at for at, _ in account.readings]
    gaps = [later - earlier for earlier, later in itertools.pairwise(times)]
    assert reading.error is None
    assert len(gaps) == 3
    assert all(gap >= TICK * 2**number for number, gap in enumerate(gaps))


async def test_nobody_reads_before_the_time_that_spacelift_asked_for(account: Account) -> None:
    now = 0.0
    poller = run_poller.RunPoller(account.read, tick_seconds=TICK, clock=lambda: now)
    account.failures = [errors.RateLimited("slow down", retry_after_seconds=0.3)]
    async with contextlib.aclosing(poller), poller.follow(key(1), read_now=False) as first:
        now = TICK
        poller._news.set()
        await eventually(lambda: account.count == 1 and not account.failures)
        async with poller.follow(key(2), read_now=False) as second:
            now = TICK + 0.29
            poller._news.set()
            assert await stays(lambda: account.count == 1, TICK)
            now = TICK + 0.31
            poller._news.set()
            await asyncio.wait_for(asyncio.gather(first.get(), second.get()), 50)

    assert [keys for _, keys in account.readings[:2]] == [["r001"], ["r001", "r002"]]


@pytest.mark.parametrize("asked", [None, 0.0])
async def test_who_asks_for_no_pause_gets_the_own_one(
    account: Account, poller: run_poller.RunPoller, asked: float | None
) -> None:
    account.failures = [errors.RateLimited("slow down", retry_after_seconds=asked)] * 3
    async with poller.follow(key(1), read_now=True) as readings:
        await asyncio.wait_for(readings.get(), 50)

    times = [at for at, _ in account.readings]
    gaps = [later - earlier for earlier, later in itertools.pairwise(times)]
    assert all(gap >= TICK * 2**number for number, gap in enumerate(gaps))


@pytest.mark.parametrize("asked", [86_400.0, 1e18])
async def test_a_pause_of_a_day_lasts_minutes_and_is_told_at_once(
    account: Account, asked: float
) -> None:
    now = 0.0
    poller = run_poller.RunPoller(account.read, tick_seconds=TICK, clock=lambda: now)
    account.failures = [errors.RateLimited("slow down", retry_after_seconds=asked)]
    async with contextlib.aclosing(poller), poller.follow(key(1), read_now=False) as readings:
        now = TICK
        poller._news.set()
        reading = await asyncio.wait_for(readings.get(), 50)
        assert isinstance(reading.error, errors.RateLimited)

        now = 299.0
        poller._news.set()
        assert await stays(lambda: account.count == 1, TICK)
        now = 301.0
        poller._news.set()
        reading = await asyncio.wait_for(readings.get(), 50)

    assert reading.record is not None


async def test_what_is_woken_is_read_within_a_pause_that_was_asked_for(account: Account) -> None:
    """After the own pause, and alone; an answer ends the pause for all."""
    poller = run_poller.RunPoller(account.read, tick_seconds=TICK)
    account.failures = [errors.RateLimited("slow down", retry_after_seconds=60)]
    async with contextlib.aclosing(poller), poller.follow(key(1), read_now=False) as first:
        assert isinstance((await asyncio.wait_for(first.get(), 50)).error, errors.RateLimited)
        async with poller.follow(key(2), read_now=True) as second:
            await asyncio.wait_for(asyncio.gather(first.get(), second.get()), 50)

    (refused, _), (woken, keys) = account.readings[:2]
    assert keys == ["r002"]
    assert woken - refused >= TICK


async def test_a_failure_that_lasts_is_told_to_all(account: Account) -> None:
    now = 0.0
    poller = run_poller.RunPoller(account.read, tick_seconds=TICK, clock=lambda: now)
    account.failures = [errors.Unreachable("away")] * 50
    async with (
        poller.follow(key(1), read_now=True) as first,
        poller.follow(key(2), read_now=True) as second,
    ):
        await eventually(lambda: account.count == 1)
        is_quiet = first.empty() and second.empty()
        now = 11.0
        readings = await asyncio.wait_for(asyncio.gather(first.get(), second.get()), 50)

    assert is_quiet
    assert [str(reading.error) for reading in readings] == ["away", "away"]
    await poller.aclose()


@pytest.mark.parametrize("kind", [errors.CredentialsRejected, errors.PermissionDenied])
async def test_a_failure_that_cannot_pass_by_itself_is_told_at_once(
    account: Account, poller: run_poller.RunPoller, kind: type[errors.SpaceliftError]
) -> None:
    account.failures = [kind("no")]
    async with poller.follow(key(1), read_now=True) as readings:
        reading = await asyncio.wait_for(readings.get(), 50)

    assert isinstance(reading.error, kind)


async def test_a_mistake_in_reading_does_not_leave_follows_hanging(
    account: Account, poller: run_poller.RunPoller
) -> None:
    account.failures = [ZeroDivisionError("a mistake")]
    account.leaves_out = {"r001"}
    async with poller.follow(key(1), read_now=True) as readings:
        await eventually(lambda: account.count >= 2)
        account.leaves_out.clear()
        reading = await asyncio.wait_for(readings.get(), 50)

    assert reading.error is None
    assert reading.record is not None


async def test_polling_ends_with_the_last_follow_and_begins_again(
    account: Account, poller: run_poller.RunPoller
) -> None:
    for number in (1, 2):
        async with poller.follow(key(number), read_now=True) as readings:
            await asyncio.wait_for(readings.get(), 50)
        await eventually(lambda: poller._task is not None and poller._task.done())

    assert account.readings[-1][1] == ["r002"]
    assert poller.followed == 0


async def test_a_follow_that_begins_during_a_reading_is_not_forgotten(
    account: Account, poller: run_poller.RunPoller
) -> None:
    account.gate = asyncio.Event()
    async with poller.follow(key(1), read_now=True):
        await eventually(lambda: account.count == 1)
        async with poller.follow(key(2), read_now=True) as readings:
            account.gate.set()
            reading = await asyncio.wait_for(readings.get(), 50)

    assert reading.record is not None
    assert reading.record.run_id == "r002"
