"""The limits of a stack and of a chain, as timers of their workflows: no Temporal time-out kills.

A timer exists only for a deadline that is set.
"""

import asyncio
from collections.abc import Callable
from datetime import timedelta

from temporalio import workflow

from controller.chain.run import stops


class ActiveDeadline:
    """Calls `on_passed` after so many seconds in which the chain was not suspended."""

    def __init__(
        self,
        seconds: int | None,
        *,
        is_suspended: Callable[[], bool],
        on_passed: Callable[[], None],
    ) -> None:
        self._is_suspended = is_suspended
        self._on_passed = on_passed
        self._wait = asyncio.create_task(self._run(seconds)) if seconds else None

    def close(self) -> None:
        """Stop the clock."""
        _cancel(self._wait)

    async def _run(self, seconds: int) -> None:
        left = float(seconds)
        while left > 0:
            await workflow.wait_condition(lambda: not self._is_suspended())
            started = workflow.time()
            try:
                await workflow.wait_condition(
                    self._is_suspended,
                    timeout=timedelta(seconds=left),
                    timeout_summary="active deadline",
                )
            except TimeoutError:
                break
            left -= workflow.time() - started
        self._on_passed()


class StackDeadlines:
    """Calls `on_passed` once with the deadline that passes first; what then stops is not ours."""

    def __init__(
        self,
        *,
        stack_seconds: int | None,
        confirmation_seconds: int | None,
        on_passed: Callable[[stops.Stop], None],
    ) -> None:
        self._stack_seconds = stack_seconds
        self._confirmation_seconds = confirmation_seconds
        self._on_passed = on_passed
        self._stack: asyncio.Task[None] | None = None
        self._confirmation: asyncio.Task[None] | None = None
        self._is_closed = False

    def run_is_known(self) -> None:
        """The stack's time starts with its first run; later runs share it."""
        if self._stack is None and not self._is_closed:
            self._stack = self._start(stops.StopKind.STACK_DEADLINE, self._stack_seconds)

    def person_is_needed(self, *, is_needed: bool) -> None:
        """The time for a person starts anew each time that one is needed."""
        if not is_needed:
            _cancel(self._confirmation)
            self._confirmation = None
        elif self._confirmation is None and not self._is_closed:
            self._confirmation = self._start(
                stops.StopKind.CONFIRMATION_DEADLINE, self._confirmation_seconds
            )

    def close(self) -> None:
        """Stop the clocks."""
        self._is_closed = True
        _cancel(self._stack)
        _cancel(self._confirmation)

    def _start(self, cause: stops.StopKind, seconds: int | None) -> "asyncio.Task[None] | None":
        if seconds is None:
            return None
        return asyncio.create_task(self._wait(stops.Stop(kind=cause, seconds=seconds)))

    async def _wait(self, stop: stops.Stop) -> None:
        await asyncio.sleep(stop.seconds)
        if not self._is_closed:
            self._on_passed(stop)


def _cancel(task: "asyncio.Task[None] | None") -> None:
    if task is not None:
        task.cancel()
