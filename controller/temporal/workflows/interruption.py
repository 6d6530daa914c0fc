"""What a cancel of a chain interrupts, at whatever moment it comes."""

import asyncio
from typing import Any, TypeVar

_Result = TypeVar("_Result")


class Interruption:
    """Cancels the tasks that are waited for, and any that is waited for afterwards."""

    def __init__(self) -> None:
        # A list, not a set: the order of cancel commands must be the same on replay.
        self._tasks: list[asyncio.Task[Any]] = []
        self._is_interrupted = False

    async def wait_for(self, task: "asyncio.Task[_Result]") -> _Result:
        """Wait for a task that is canceled once the interruption comes, or at once after it."""
        self._tasks.append(task)
        if self._is_interrupted:
            task.cancel()
        try:
            return await task
        finally:
            self._tasks.remove(task)

    def interrupt(self) -> None:
        """Cancel what is waited for, and at once what will be."""
        self._is_interrupted = True
        for task in self._tasks:
            task.cancel()
