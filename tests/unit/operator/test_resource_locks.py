"""Turns: who waits for whom, and what is counted."""

import asyncio

import pytest

from controller.observability import metrics
from controller.operator import resource_locks


class Passes:
    """Passes that last until they are released, and which of them are under way."""

    def __init__(self) -> None:
        self.counters = metrics.Metrics()
        self.under_way: list[str] = []
        self.let_go = asyncio.Event()
        self._locks = resource_locks.ResourceLocks(self.counters)

    async def pass_over(self, name: str) -> None:
        async with self._locks.hold("team", name):
            self.under_way.append(name)
            await self.let_go.wait()
            self.under_way.remove(name)

    async def fail(self, name: str) -> None:
        async with self._locks.hold("team", name):
            raise RuntimeError("a pass that fails")

    def ended(self, result: str) -> float | None:
        return self.counters.registry.get_sample_value(
            "stackchain_reconciles_total", {"result": result}
        )


async def settle() -> None:
    """Let everything run that waits for nothing."""
    for _ in range(10):
        await asyncio.sleep(0)


async def test_passes_of_one_resource_do_not_overlap_and_others_go_on() -> None:
    passes = Passes()

    async with asyncio.TaskGroup() as tasks:
        for name in ("one", "one", "other"):
            tasks.create_task(passes.pass_over(name))
        await settle()
        under_way = sorted(passes.under_way)
        passes.let_go.set()

    assert under_way == ["one", "other"]
    assert passes.ended("ok") == 3


async def test_no_more_than_fifty_passes_are_under_way_at_once() -> None:
    passes = Passes()

    async with asyncio.TaskGroup() as tasks:
        for number in range(60):
            tasks.create_task(passes.pass_over(f"chain-{number}"))
        await settle()
        under_way = len(passes.under_way)
        passes.let_go.set()

    assert under_way == 50
    assert passes.ended("ok") == 60


async def test_a_pass_that_fails_is_counted_and_gives_the_turn_on() -> None:
    passes = Passes()
    passes.let_go.set()

    with pytest.raises(RuntimeError):
        await passes.fail("one")
    await passes.pass_over("one")

    assert (passes.ended("error"), passes.ended("ok")) == (1, 1)
