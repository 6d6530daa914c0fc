"""How workflows call activities, as far as it shows without a server."""

import asyncio

import pytest

from controller.temporal.workflows import activity_calls


class Activity:
    """An activity as the SDK has it: a cancel that finds it answered drops the answer."""

    def __init__(self) -> None:
        self.answer: asyncio.Future[str] = asyncio.get_running_loop().create_future()
        self.is_canceled = False
        self.handle = asyncio.create_task(self._run())

    async def _run(self) -> str:
        while True:
            try:
                return await asyncio.shield(self.answer)
            except asyncio.CancelledError:
                if self.answer.done():
                    raise
                self.is_canceled = True


async def test_an_end_that_comes_together_with_the_cancel_is_known() -> None:
    activity = Activity()
    caller = asyncio.create_task(activity_calls.end_of(activity.handle))
    await asyncio.sleep(0.01)

    activity.answer.set_result("created")
    caller.cancel()

    assert await caller == "created"
    assert not activity.is_canceled


async def test_a_failure_that_comes_together_with_the_cancel_is_known() -> None:
    activity = Activity()
    caller = asyncio.create_task(activity_calls.end_of(activity.handle))
    await asyncio.sleep(0.01)

    activity.answer.set_exception(ValueError("not sent"))
    caller.cancel()

    with pytest.raises(ValueError, match="not sent"):
        await caller


async def test_an_activity_is_canceled_with_its_caller_and_its_end_awaited() -> None:
    activity = Activity()
    caller = asyncio.create_task(activity_calls.end_of(activity.handle))
    await asyncio.sleep(0.01)

    caller.cancel()
    await asyncio.sleep(0.01)
    assert activity.is_canceled
    activity.answer.set_result("created after all")

    assert await caller == "created after all"
