"""What a cancel of a chain interrupts, at whatever moment it comes."""

import asyncio
from typing import Any, TypeVar

from temporalio import workflow

_Result = TypeVar("_Result")


class Interruption:
    """Cancels the tasks that are waited for, and any that is waited for afterwards."""

    def __init__(self) -> None:
        # A list, not a set: the order of cancel commands must be the same on replay.
        self._tasks: list[asyncio.Task[Any]] = []
        self._came = asyncio.Event()

    async def wait_for(self, task: "asyncio.Task[_Result]") -> _Result:
        """Wait for a task that is canceled once the interruption comes, or at once after it."""
        self._tasks.append(task)
        if self._came.is_set():
            task.cancel()
        try:
            return await task
        finally:
            self._tasks.remove(task)

    async def until_any_is_done(self, *awaited: "asyncio.Future[Any]") -> bool:
        """Wait for what the interruption does not cancel; returns whether any of it is done."""
        coming = asyncio.create_task(self._came.wait())
        try:
            await workflow.wait([*awaited, coming], return_when=asyncio.FIRST_COMPLETED)
        finally:
            coming.cancel()
        return any(one.done() for one in awaited)

    def interrupt(self) -> None:
        """Cancel what is waited for, and at once what will be."""
        self._came.set()
        for task in self._tasks:
            task.cancel()
