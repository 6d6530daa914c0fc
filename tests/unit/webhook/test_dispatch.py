"""What becomes of a wake: it reaches Temporal, however often that takes, or is given up."""

import asyncio
import dataclasses
from collections.abc import Collection

import pytest

from controller.observability import metrics
from controller.temporal import client as temporal_client
from controller.temporal.receiver import execution_wakes
from controller.webhook import dispatch, wake_queue
from tests.support.waiting import eventually


class Clock:
    """Time that only sleeping takes."""

    def __init__(self) -> None:
        self.now = 0.0
        self.pauses: list[float] = []

    def __call__(self) -> float:
        return self.now

    async def sleep(self, seconds: float) -> None:
        self.now += seconds
        self.pauses.append(seconds)
        await asyncio.sleep(0)


class Temporal:
    """Takes signals, unless it has a failure for the next ones."""

    def __init__(self, *failures: Exception, alive: int = 1) -> None:
        self.failures = list(failures)
        self.alive = alive
        self.woken: list[tuple[str, str]] = []

    async def wake(self, account: str, stack_id: str) -> int:
        if self.failures:
            raise self.failures.pop(0)
        self.woken.append((account, stack_id))
        return self.alive


class Sweeps:
    """Has a sweep by the name of each stack, unless a test gives it others."""

    def __init__(self, *failures: Exception, found: Collection[str] = ()) -> None:
        self.failures = list(failures)
        self.found = found
        self.asked: list[tuple[str, str, Collection[str]]] = []
        self.woken: list[str] = []

    async def find(self, account: str, stack_id: str, labels: Collection[str]) -> list[str]:
        if self.failures:
            raise self.failures.pop(0)
        self.asked.append((account, stack_id, labels))
        return list(self.found or [f"sweep-{stack_id}"])

    async def wake(self, sweep_id: str) -> bool:
        self.woken.append(sweep_id)
        return True


DOWN = temporal_client.TemporalUnreachable("down")
VPC = wake_queue.Wake(account="acme", stack_id="vpc")
FINISHED = wake_queue.Wake(account="acme", stack_id="vpc", labels=("a",), is_root_run_finished=True)


class World:
    def __init__(self, temporal: Temporal, sweeps: Sweeps | None = None, **options: float) -> None:
        self.clock = Clock()
        self.queue = wake_queue.WakeQueue(100, clock=self.clock)
        self.counters = metrics.Metrics()
        self.dispatcher = dispatch.WakeDispatcher(
            self.queue,
            executions=temporal,
            root_sweeps=sweeps or Sweeps(),
            counters=self.counters,
            clock=self.clock,
            sleep=self.clock.sleep,
            **options,
        )

    def count(self, result: str, kind: str = dispatch.EXECUTION) -> float:
        return self.counters.webhook_wakes.labels(kind, result)._value.get()

    async def work_off(self, *pending: wake_queue.Wake) -> None:
        self.dispatcher.start()
        for wake in pending:
            self.queue.put(wake)
        await eventually(lambda: self.dispatcher.pending == 0)
        assert await self.dispatcher.stop(drain_seconds=0) == 0


@pytest.mark.parametrize(("alive", "result"), [(1, "woken"), (2, "woken"), (0, "nobody")])
async def test_a_wake_reaches_whatever_follows_the_stack(alive: int, result: str) -> None:
    temporal = Temporal(alive=alive)
    world = World(temporal)

    await world.work_off(VPC)

    assert temporal.woken == [("acme", "vpc")]
    assert world.count(result) == 1


async def test_a_wake_is_tried_until_temporal_is_back() -> None:
    temporal = Temporal(*[DOWN] * 8)
    world = World(temporal)

    await world.work_off(VPC)

    assert temporal.woken == [("acme", "vpc")]
    assert world.count("woken") == 1
    assert world.clock.pauses[:8] == [0.2, 0.4, 0.8, 1.6, 3.2, 5.0, 5.0, 5.0]


async def test_a_wake_is_given_up_after_a_while(caplog: pytest.LogCaptureFixture) -> None:
    temporal = Temporal(*[DOWN] * 1000)
    world = World(temporal, give_up_seconds=60)

    await world.work_off(VPC)

    assert temporal.woken == []
    assert world.count("given_up") == 1
    assert world.clock.now <= 60
    assert caplog.messages == ["Wake given up"]


@pytest.mark.parametrize(
    ("failure", "result", "said"),
    [
        (execution_wakes.WakeRefused("too long"), "refused", "Wake refused"),
        (ZeroDivisionError("a mistake"), "failed", "Wake failed"),
    ],
)
async def test_a_wake_that_cannot_succeed_is_not_tried_again_and_the_next_one_is(
    failure: Exception, result: str, said: str, caplog: pytest.LogCaptureFixture
) -> None:
    temporal = Temporal(failure)
    world = World(temporal)

    await world.work_off(VPC, wake_queue.Wake(account="acme", stack_id="dns"))

    assert temporal.woken == [("acme", "dns")]
    assert (world.count(result), world.count("woken")) == (1, 1)
    assert said in caplog.messages


async def test_a_finished_root_run_lets_its_chains_look_too() -> None:
    temporal, sweeps = Temporal(), Sweeps(DOWN)
    world = World(temporal, sweeps)

    await world.work_off(FINISHED)

    assert temporal.woken == [("acme", "vpc")], "once, though the sweep was tried twice"
    assert sweeps.asked == [("acme", "vpc", ("a",))]
    assert sweeps.woken == ["sweep-vpc"]
    assert world.count("woken", dispatch.ROOT_SWEEP) == 1


async def test_sweeps_that_cannot_be_woken_hold_up_no_execution() -> None:
    """The list of sweeps needs Temporal's visibility, which may be down alone."""

    class Silent(Sweeps):
        async def find(self, account: str, stack_id: str, labels: Collection[str]) -> list[str]:
            return await asyncio.get_running_loop().create_future()

    temporal, count = Temporal(), 2 * dispatch.WORKERS
    world = World(temporal, Silent())
    world.dispatcher.start()

    for number in range(count):
        world.queue.put(dataclasses.replace(FINISHED, stack_id=f"stack-{number}"))
    await eventually(lambda: len(temporal.woken) == count)

    assert await world.dispatcher.stop(drain_seconds=0) == count


async def test_deliveries_about_many_roots_of_a_chain_make_it_look_a_few_times() -> None:
    """Whatever stacks they name; and the last of them is followed by a look."""
    sweeps = Sweeps(found=["all", "net"])
    world = World(Temporal(), sweeps)
    world.dispatcher.start()
    for number in range(40):
        world.queue.put(dataclasses.replace(FINISHED, stack_id=f"unknown-{number}"))
        await eventually(lambda: len(sweeps.asked) == number + 1)  # noqa: B023 - awaited here

    await eventually(lambda: world.dispatcher.pending == 2)

    assert sweeps.woken.count("all") == sweeps.woken.count("net") == dispatch.SWEEP_BURST
    assert world.count("woken", dispatch.ROOT_SWEEP) == 2 * dispatch.SWEEP_BURST
    world.clock.now += dispatch.SWEEP_REFILL_SECONDS
    world.queue.put(dataclasses.replace(FINISHED, stack_id="another"))
    assert await world.dispatcher.stop(drain_seconds=0) > 0


async def test_any_other_delivery_lets_no_chain_look() -> None:
    sweeps = Sweeps()

    await World(Temporal(), sweeps).work_off(VPC)

    assert sweeps.woken == []


async def test_what_is_pending_at_the_end_gets_its_time_and_the_rest_is_counted() -> None:
    temporal = Temporal(*[DOWN] * 10_000)
    world = World(temporal)
    world.dispatcher.start()
    for number in range(3):
        world.queue.put(wake_queue.Wake(account="acme", stack_id=f"stack-{number}"))

    lost = await world.dispatcher.stop(drain_seconds=2)

    assert lost == 3
    assert world.clock.now >= 2
