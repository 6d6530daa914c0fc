"""A call that is over soon costs no heartbeat; a long one is known to be alive all the while."""

import asyncio
from typing import Any

from temporalio.testing import ActivityEnvironment

from controller.temporal.activities import heartbeats
from tests.support.waiting import eventually, stays


def recording() -> tuple[ActivityEnvironment, list[tuple[Any, ...]]]:
    environment, beats = ActivityEnvironment(), list[tuple[Any, ...]]()
    environment.on_heartbeat = lambda *details: beats.append(details)
    return environment, beats


async def test_a_call_that_is_over_soon_sends_none() -> None:
    environment, beats = recording()

    async def call() -> None:
        async with heartbeats.kept_alive():
            for _ in range(10):
                await asyncio.sleep(0)

    await environment.run(call)

    assert beats == []


async def test_a_long_call_sends_one_after_the_other_and_none_after_its_end() -> None:
    environment, beats = recording()

    async def call() -> None:
        async with heartbeats.kept_alive(seconds=0.01):
            await eventually(lambda: len(beats) >= 3)

    await environment.run(call)
    sent = len(beats)

    await stays(lambda: len(beats) == sent, 0.05)
