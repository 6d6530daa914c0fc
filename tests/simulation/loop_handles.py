"""Callbacks that an event loop has queued, without what asyncio does for its debug mode."""

import asyncio
from asyncio import events
from contextvars import Context
from typing import Any


class Step(events.Handle):
    """A callback for now."""

    __slots__ = ()

    def __init__(
        self, callback: Any, args: Any, loop: asyncio.AbstractEventLoop, context: Context
    ) -> None:
        self._callback, self._args = callback, args
        self._loop, self._context = loop, context
        self._cancelled = False
        self._repr: str | None = None
        self._source_traceback: Any = None

    def cancel(self) -> None:
        """Do not call it, and hold nothing of it."""
        self._cancelled = True
        self._callback, self._args = None, ()


class Timer(events.TimerHandle):
    """A callback for an instant."""

    __slots__ = ()

    def __init__(
        self,
        when: float,
        callback: Any,
        args: Any,
        loop: asyncio.AbstractEventLoop,
        context: Context,
    ) -> None:
        self._when = when
        self._callback, self._args = callback, args
        self._loop, self._context = loop, context
        self._cancelled = False
        self._repr: str | None = None
        self._source_traceback: Any = None

    def cancel(self) -> None:
        """Do not call it, and hold nothing of it."""
        self._cancelled = True
        self._callback, self._args = None, ()
