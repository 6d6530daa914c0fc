import asyncio
import contextlib
import random
from collections.abc import AsyncIterator, Awaitable, Callable

import pytest

from controller import clock
from tests.simulation import processes, virtual_time


def run(
    main: Callable[[virtual_time.VirtualLoop], Awaitable[object]], seed: int = 1
) -> virtual_time.VirtualLoop:
    loop = virtual_time.VirtualLoop(random.Random(seed))

    async def started() -> None:
        await main(loop)

    try:
        loop.run(started())
    finally:
        loop.close()
    return loop


def test_a_day_passes_at_once() -> None:
    async def main(loop: virtual_time.VirtualLoop) -> None:
        await asyncio.sleep(86_400)

        assert loop.time() == 86_400

    run(main)


def test_a_time_out_ends_what_hangs() -> None:
    async def main(loop: virtual_time.VirtualLoop) -> None:
        with pytest.raises(TimeoutError):
            async with asyncio.timeout(30):
                await loop.create_future()

        assert loop.time() == 30

    run(main)


async def tick(name: str, log: list[str]) -> None:
    for number in range(5):
        log.append(f"{name}{number}")
        await asyncio.sleep(1 if number % 2 else 0)


def course(seed: int) -> list[str]:
    log: list[str] = []

    async def main(loop: virtual_time.VirtualLoop) -> None:
        for name in "abc":
            process = loop.process(name)
            process.start(tick(f"{name}x", log))
            process.start(tick(f"{name}y", log))
        await asyncio.sleep(60)

    run(main, seed)
    return log


def test_a_seed_is_one_course_and_another_seed_another_one() -> None:
    courses = {tuple(course(seed)) for seed in range(20)}

    assert course(7) == course(7)
    assert len(courses) > 15


def test_a_process_keeps_the_order_that_asyncio_promises() -> None:
    async def main(loop: virtual_time.VirtualLoop) -> None:
        called: list[int] = []
        for number in range(20):
            loop.call_soon(called.append, number)
        await asyncio.sleep(1)

        assert called == list(range(20))

    run(main)


def test_a_killed_process_runs_none_of_its_code_again() -> None:
    log: list[str] = []

    async def victim(loop: virtual_time.VirtualLoop) -> None:
        try:
            log.append("begins")
            await asyncio.sleep(10)
            log.append("goes on")
        except BaseException:
            log.append("is interrupted")
            raise
        finally:
            log.append("cleans up")
            await asyncio.sleep(1)
            log.append("has cleaned up")

    async def main(loop: virtual_time.VirtualLoop) -> None:
        process = loop.process("victim")
        process.start(victim(loop))
        process.on_kill.append(lambda: log.append("killed"))
        await asyncio.sleep(5)
        process.kill()
        process.kill()
        await asyncio.sleep(100)
        log.append("end")
        process.start(victim(loop))
        await asyncio.sleep(100)

        assert log == ["begins", "killed", "end"]

    loop = run(main)

    assert loop.unhandled == []


@pytest.mark.parametrize("step", range(1, 8))
def test_a_process_can_be_killed_at_any_of_its_awaits(step: int) -> None:
    log: list[int] = []

    async def victim() -> None:
        for number in range(100):
            log.append(number)
            await asyncio.sleep(0)

    async def main(loop: virtual_time.VirtualLoop) -> None:
        process = loop.process("victim")
        process.dies_at_step = step
        process.start(victim())
        await asyncio.sleep(1)

        assert log == list(range(step - 1))

    run(main)


def test_a_frozen_process_runs_on_once_it_is_thawed() -> None:
    async def main(loop: virtual_time.VirtualLoop) -> None:
        woken: list[float] = []

        async def sleeper() -> None:
            await asyncio.sleep(1)
            woken.append(loop.time())

        process = loop.process("sleeper")
        process.start(sleeper())
        await asyncio.sleep(0.5)
        process.freeze()
        await asyncio.sleep(30)
        assert woken == []
        process.thaw()
        await asyncio.sleep(1)

        assert woken == [30.5]

    run(main)


def test_what_was_sent_is_served_although_its_sender_is_dead() -> None:
    served: list[str] = []

    async def main(loop: virtual_time.VirtualLoop) -> None:
        async def sender() -> None:
            await loop.exchange(lambda: served.append("written"), there=2, back=1)
            served.append("answered")

        process = loop.process("sender")
        process.start(sender())
        await asyncio.sleep(1)
        process.kill()
        await asyncio.sleep(10)

        assert served == ["written"]

    run(main)


def test_an_exchange_gives_what_the_other_side_raises() -> None:
    async def main(loop: virtual_time.VirtualLoop) -> None:
        def refuse() -> None:
            raise ValueError("no")

        with pytest.raises(ValueError, match="no"):
            await loop.exchange(refuse, there=2, back=1)
        assert loop.time() == 3

    run(main)


def test_a_deadlock_says_what_waits_and_where() -> None:
    async def stuck(loop: virtual_time.VirtualLoop) -> None:
        await loop.create_future()

    async def main(loop: virtual_time.VirtualLoop) -> None:
        process = loop.process("operator")
        process.start(stuck(loop))
        await stuck(loop)

    with pytest.raises(virtual_time.Deadlock, match=r"operator: stuck:\d+"):
        run(main)


def test_callbacks_without_end_at_one_instant_are_found() -> None:
    async def main(_: virtual_time.VirtualLoop) -> None:
        while True:  # noqa: ASYNC110 - the fault that is to be found
            await asyncio.sleep(0)

    with pytest.raises(virtual_time.Livelock):
        run(main)


def test_each_process_has_a_clock_of_its_own() -> None:
    seen: dict[str, float] = {}

    async def look(name: str) -> None:
        await asyncio.sleep(10)
        seen[name] = clock.unix()

    async def main(loop: virtual_time.VirtualLoop) -> None:
        late, right = loop.process("late", skew_seconds=-300), loop.process("right")
        late.start(look("late"))
        right.start(look("right"))
        await asyncio.sleep(20)
        seen["world"] = clock.unix()

    run(main)

    assert seen == {
        "late": virtual_time.EPOCH - 290,
        "right": virtual_time.EPOCH + 10,
        "world": virtual_time.EPOCH + 20,
    }


def test_what_fails_without_anybody_looking_is_kept() -> None:
    async def fail() -> None:
        raise ValueError("nobody looks")

    async def main(loop: virtual_time.VirtualLoop) -> None:
        failing = loop.process("failing")
        failing.start(fail())
        await asyncio.sleep(1)

    loop = run(main)

    assert loop.unhandled == ["failing failed: ValueError('nobody looks')"]


@pytest.mark.parametrize("step", range(2, 8))
def test_what_fails_just_before_a_kill_would_have_been_looked_at(step: int) -> None:
    async def fail() -> None:
        await asyncio.sleep(1)
        raise ValueError("somebody waits for it")

    async def wait() -> None:
        with contextlib.suppress(ValueError):
            await asyncio.create_task(fail())

    async def main(loop: virtual_time.VirtualLoop) -> None:
        process = loop.process("killed")
        process.dies_at_step = step
        process.start(wait())
        await asyncio.sleep(2)
        process.kill()

    loop = run(main)

    assert loop.unhandled == []


def test_threads_are_refused() -> None:
    async def main(_: virtual_time.VirtualLoop) -> None:
        await asyncio.to_thread(print)

    with pytest.raises(NotImplementedError, match="threads"):
        run(main)


def test_generators_and_finally_blocks_that_are_cut_off_leave_no_trace() -> None:
    async def numbers() -> AsyncIterator[int]:
        try:
            for number in range(100):
                yield number
                await asyncio.sleep(1)
        finally:
            await asyncio.sleep(1)

    async def consume() -> None:
        try:
            async for _ in numbers():
                await asyncio.sleep(1)
        finally:
            with contextlib.suppress(Exception):
                await asyncio.create_task(asyncio.sleep(100))

    async def main(loop: virtual_time.VirtualLoop) -> None:
        dead, alive = loop.process("dead"), loop.process("alive")
        dead.start(consume())
        alive.start(consume())
        await asyncio.sleep(4.5)
        dead.kill()
        await asyncio.sleep(2)

    loop = run(main)

    assert loop.unhandled == []


def test_code_that_waits_while_it_is_cut_off_leaves_no_trace() -> None:
    async def wait_on_and_on(condition: asyncio.Condition) -> None:
        async with condition:
            # On its way out it takes the lock again, which another one has by now.
            await condition.wait()

    async def outer(condition: asyncio.Condition) -> None:
        await wait_on_and_on(condition)

    async def main(loop: virtual_time.VirtualLoop) -> None:
        condition = asyncio.Condition()
        process = loop.process("waiting")
        process.start(outer(condition))
        process.start(outer(condition))
        await asyncio.sleep(1)
        await condition.acquire()

    loop = run(main)

    assert loop.unhandled == []


def test_a_generator_is_closed_by_the_process_that_it_belongs_to() -> None:
    closed: list[str] = []

    async def numbers(name: str) -> AsyncIterator[int]:
        try:
            yield 1
            yield 2
        finally:
            closed.append(f"{name} by {processes.OWNER.get().name}")

    async def take_one(name: str, kept: list[object]) -> None:
        generator = numbers(name)
        kept.append(generator)
        await anext(generator)

    async def main(loop: virtual_time.VirtualLoop) -> None:
        kept: list[object] = []
        dead, alive = loop.process("dead"), loop.process("alive")
        dead.start(take_one("one", kept))
        alive.start(take_one("two", kept))
        await asyncio.sleep(1)
        dead.kill()
        kept.clear()
        await asyncio.sleep(1)

    loop = run(main)

    assert closed == ["two by alive"]
    assert loop.unhandled == []
