"""A call that is over soon costs no heartbeat; a long one is known to be alive all the while."""

import asyncio
import dataclasses
from datetime import timedelta
from typing import Any

import pytest
from temporalio.testing import ActivityEnvironment

from controller.temporal.activities import heartbeats
from controller.temporal.workflows import activity_calls
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


@pytest.mark.parametrize(
    ("silence", "most_per_hour"),
    [
        (activity_calls.WORK_HEARTBEAT_TIMEOUT, 144),
        (activity_calls.OTHERS_HEARTBEAT_TIMEOUT, 29),
    ],
    ids=["a run that works", "a person, a lock, another chain"],
)
async def test_a_wait_sends_few_and_each_well_before_its_time_out(
    silence: timedelta, most_per_hour: int
) -> None:
    environment = ActivityEnvironment()
    environment.info = dataclasses.replace(environment.info, heartbeat_timeout=silence)

    async def pause() -> float:
        return heartbeats.pause_of_wait()

    seconds = await environment.run(pause)

    assert 3600 / seconds <= most_per_hour
    assert silence.total_seconds() - seconds >= 5
