"""Wakes a chain at the moment in which a stage has waited long enough, or a window opens.

One timer for each such moment, however much happens meanwhile: a wait of days costs one.
"""

import asyncio
import datetime
from collections.abc import Callable

from temporalio import workflow


class GateTimer:
    """Has at most one timer: for the next moment that is known."""

    def __init__(self, on_passed: Callable[[], None]) -> None:
        self._on_passed = on_passed
        self._until: str | None = None
        self._wait: asyncio.Task[None] | None = None

    def set(self, until: str | None) -> None:
        """Wait until then, and for nothing else; None: wait for nothing."""
        if until == self._until:
            return
        if self._wait is not None:
            self._wait.cancel()
        self._until = until
        self._wait = asyncio.create_task(self._run(until)) if until is not None else None

    async def _run(self, until: str) -> None:
        left = datetime.datetime.fromisoformat(until) - workflow.now()
        await workflow.sleep(max(left, datetime.timedelta()), summary="until stacks may start")
        # What follows may set another time, which must not end this task.
        self._until = self._wait = None
        self._on_passed()
