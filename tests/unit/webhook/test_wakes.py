"""The queue of wakes: each stack once, bounded, and at a pace that no flood can raise."""

import asyncio
import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from controller.webhook import wake_queue
from controller.webhook.wake_queue import QueueResult


class Clock:
    def __init__(self) -> None:
        self.now = 1000.0

    def __call__(self) -> float:
        return self.now


def make_queue(size: int = 100, clock: Clock | None = None) -> tuple[wake_queue.WakeQueue, Clock]:
    clock = clock or Clock()
    return wake_queue.WakeQueue(size, clock=clock), clock


def wake(stack_id: str = "vpc", account: str = "acme", **fields: object) -> wake_queue.Wake:
    return wake_queue.Wake(account=account, stack_id=stack_id, **fields)  # type: ignore[arg-type]


def taken(queue: wake_queue.WakeQueue) -> list[str]:
    """Take all that is due."""
    found = []
    while (next_one := queue.pop_due()) is not None:
        found.append(next_one.stack_id)
    return found


def test_stacks_are_woken_in_the_order_of_their_deliveries() -> None:
    queue, _ = make_queue()
    for stack_id in ("c", "a", "b"):
        assert queue.put(wake(stack_id)) is QueueResult.QUEUED

    assert taken(queue) == ["c", "a", "b"]


def test_a_stack_waits_once_and_a_later_delivery_is_part_of_its_wake() -> None:
    queue, _ = make_queue()

    assert [queue.put(wake("a")), queue.put(wake("b")), queue.put(wake("a"))] == [
        QueueResult.QUEUED,
        QueueResult.QUEUED,
        QueueResult.MERGED,
    ]
    assert len(queue) == 2
    assert taken(queue) == ["a", "b"]


def test_a_delivery_after_the_wake_was_taken_is_another_wake() -> None:
    queue, _ = make_queue()
    queue.put(wake("a"))
    taken(queue)

    assert queue.put(wake("a")) is QueueResult.QUEUED


def test_stacks_of_one_name_in_two_accounts_are_two() -> None:
    queue, _ = make_queue()
    queue.put(wake(account="acme"))

    assert queue.put(wake(account="other")) is QueueResult.QUEUED


@pytest.mark.parametrize("order", [(True, False), (False, True)])
def test_a_finished_root_run_is_not_lost_among_other_deliveries(order: tuple[bool, bool]) -> None:
    queue, _ = make_queue()
    for is_finished in order:
        queue.put(wake(is_root_run_finished=is_finished, labels=("l",) if is_finished else ()))

    found = queue.pop_due()
    assert found is not None
    assert found.is_root_run_finished
    assert found.labels == ("l",)


def test_what_does_not_fit_is_told_and_what_is_queued_already_still_fits() -> None:
    queue, _ = make_queue(size=2)

    results = [queue.put(wake(stack_id)) for stack_id in "abcab"]

    assert results == [
        QueueResult.QUEUED,
        QueueResult.QUEUED,
        QueueResult.OVERFLOW,
        QueueResult.MERGED,
        QueueResult.MERGED,
    ]
    assert taken(queue) == ["a", "b"]
    assert queue.put(wake("c")) is QueueResult.QUEUED


def test_a_run_that_changes_its_state_quickly_is_told_of_each_change_at_once() -> None:
    queue, _ = make_queue()

    for _ in range(wake_queue.BURST):
        queue.put(wake())
        assert taken(queue) == ["vpc"]


def test_a_stack_beyond_its_burst_is_woken_as_rarely_as_it_is_polled() -> None:
    queue, clock = make_queue()
    for _ in range(wake_queue.BURST):
        queue.put(wake())
        taken(queue)
    woken = 0

    for _ in range(10 * 60):
        queue.put(wake())
        woken += len(taken(queue))
        clock.now += 0.1

    assert 60 / wake_queue.REFILL_SECONDS - 1 <= woken <= 60 / wake_queue.REFILL_SECONDS
    assert len(queue) == 1


def test_the_burst_of_one_stack_holds_no_other_up() -> None:
    queue, _ = make_queue()
    for _ in range(wake_queue.BURST):
        queue.put(wake("busy"))
        taken(queue)
    queue.put(wake("busy"))
    queue.put(wake("other"))

    assert taken(queue) == ["other"]


def test_a_burst_is_whole_again_after_a_while() -> None:
    queue, clock = make_queue()
    for _ in range(2):
        for _ in range(wake_queue.BURST):
            queue.put(wake())
            assert taken(queue) == ["vpc"]
        clock.now += wake_queue.BURST * wake_queue.REFILL_SECONDS


def test_the_pace_of_so_many_stacks_is_remembered_and_no_more() -> None:
    pace = wake_queue.WakePacer(limit=10)
    for number in range(1000):
        pace.reserve(("acme", f"stack-{number}"), 0.0)

    assert len(pace) == 10


@given(
    st.lists(
        st.tuples(st.sampled_from("abcd"), st.booleans(), st.floats(0, 10), st.booleans()),
        max_size=60,
    )
)
def test_every_delivery_leads_to_a_wake_of_its_stack_afterwards(
    deliveries: list[tuple[str, bool, float, bool]],
) -> None:
    """In any order of deliveries and takings; and nothing is taken that was not asked for."""
    queue, clock = make_queue(size=3)
    unseen: dict[str, bool] = {}

    def take_all() -> None:
        while (next_one := queue.pop_due()) is not None:
            assert next_one.is_root_run_finished == unseen.pop(next_one.stack_id)

    for stack_id, is_finished, pause, takes in deliveries:
        if queue.put(wake(stack_id, is_root_run_finished=is_finished)) is not QueueResult.OVERFLOW:
            unseen[stack_id] = unseen.get(stack_id, False) or is_finished
        assert len(queue) == len(unseen) <= 3
        if takes:
            take_all()
        clock.now += pause
    clock.now += 1000 * wake_queue.REFILL_SECONDS
    take_all()

    assert unseen == {}


async def test_whoever_waits_gets_the_wake_that_comes() -> None:
    queue = wake_queue.WakeQueue(10, clock=time.monotonic)
    waiting = [asyncio.create_task(queue.get()) for _ in range(2)]
    await asyncio.sleep(0)
    queue.put(wake("a"))
    queue.put(wake("b"))

    assert {(await task).stack_id for task in waiting} == {"a", "b"}


async def test_whoever_waits_gets_a_wake_once_it_is_due() -> None:
    queue = wake_queue.WakeQueue(10, clock=time.monotonic, refill_seconds=0.01)
    for _ in range(wake_queue.BURST + 1):
        queue.put(wake())
        assert (await queue.get()).stack_id == "vpc"
