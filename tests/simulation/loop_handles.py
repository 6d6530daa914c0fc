"""Callbacks, tasks and futures of the event loop of a simulation.

Callbacks leave out what asyncio does for its debug mode. Tasks and futures hash by number: asyncio
and kopf keep them in sets and iterate over these, for example to cancel a whole group. Hashed by
address, the order would differ each time.
"""

import asyncio
from asyncio import events
from collections.abc import Coroutine
from contextvars import Context
from typing import Any


class _Forgetting:
    """A handle whose cancel does not notify the loop, and sets only what this loop reads."""

    __slots__ = ()
    _callback: Any
    _args: Any
    _cancelled: bool

    def __repr__(self) -> str:
        return f"<{type(self).__name__} {self._callback!r}>"

    def cancel(self) -> None:
        """Do not call it, and hold nothing of it."""
        self._cancelled = True
        self._callback, self._args = None, ()


class Step(_Forgetting, events.Handle):
    """A callback for now."""

    __slots__ = ()

    def __init__(self, callback: Any, args: Any, context: Context) -> None:
        self._callback, self._args, self._context = callback, args, context
        self._cancelled = False


class Timer(_Forgetting, events.TimerHandle):
    """A callback for an instant."""

    __slots__ = ()

    def __init__(self, when: float, callback: Any, args: Any, context: Context) -> None:
        self._when = when
        self._callback, self._args, self._context = callback, args, context
        self._cancelled = False


class Future(asyncio.Future[Any]):
    """A future that has the same place in a set in each run, by the number that its loop sets."""

    _number: int

    def __hash__(self) -> int:
        return self._number


class Task(asyncio.Task[Any]):
    """A task that has the same place in a set in each run."""

    def __init__(self, number: int, coro: Coroutine[Any, Any, Any], **options: Any) -> None:
        self._number = number
        super().__init__(coro, **options)

    def __hash__(self) -> int:
        return self._number


def succeed(answer: asyncio.Future[Any], result: Any) -> None:
    """Give an answer, if anyone still waits for it."""
    if not answer.done():
        answer.set_result(result)


def fail(answer: asyncio.Future[Any], error: Exception) -> None:
    """Give an error, if anyone still waits for an answer."""
    if not answer.done():
        answer.set_exception(error)
        # Whoever asked may be dead.
        answer._log_traceback = False  # type: ignore[attr-defined]
