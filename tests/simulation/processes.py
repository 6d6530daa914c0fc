"""A process of a simulated world, such as an operator: its parts live and die together."""

import asyncio
import collections
import contextlib
import contextvars
import sys
from asyncio import events
from collections.abc import Callable, Coroutine, Iterator
from typing import TYPE_CHECKING, Any, TypeVar

from controller import clock

if TYPE_CHECKING:
    from tests.simulation.virtual_time import VirtualLoop

_T = TypeVar("_T")

_MOST_CLOSES = 20

OWNER: contextvars.ContextVar["Process"] = contextvars.ContextVar("process")
"""The process whose code runs."""


class ProcessClock(clock.Clock):
    """The wall clock of a process, which may be wrong, and may be set while it runs."""

    def __init__(self, loop: "VirtualLoop", skew_seconds: float) -> None:
        self._loop = loop
        self.skew_seconds = skew_seconds

    def unix(self) -> float:
        """Return what the process takes for the time."""
        return self._loop.unix() + self.skew_seconds

    def monotonic(self) -> float:
        """Return virtual seconds, which no setting of the clock changes."""
        return self._loop.time()


class Process:
    """Tasks that share a clock and die together.

    A killed process ends as by SIGKILL: nothing of it runs again, not even its `finally` blocks.
    What it has sent is still served, and the answers reach no one.
    """

    def __init__(self, loop: "VirtualLoop", name: str, *, skew_seconds: float) -> None:
        self.name = name
        self.clock = ProcessClock(loop, skew_seconds)
        self.on_kill: list[Callable[[], None]] = []
        """Called when it is killed, for those who keep connections of it."""
        self.on_freeze: list[Callable[[], None]] = []
        """Called when it hangs, for those who have asked something that is still to be answered."""
        self.on_thaw: list[Callable[[], None]] = []
        """Called when it runs on, for those who ask again then."""
        self.ready: collections.deque[events.Handle] = collections.deque()
        self.steps = 0
        """How many callbacks of it have run."""
        self.dies_at_step: int | None = None
        """It is killed instead of this step: at any await, that is."""
        self.is_alive = True
        self.is_frozen = False
        self._loop = loop
        self._tasks: list[asyncio.Task[Any]] = []
        self._failures: list[BaseException | None] = []
        self._prune_at = 64
        self.context = contextvars.copy_context()
        """What callbacks of the process run in."""
        self.context.run(self._enter)

    def start(
        self, coroutine: Coroutine[Any, Any, _T], *, name: str | None = None
    ) -> "asyncio.Task[_T]":
        """Start a task in this process; do not wait for it from another one that may outlive it."""
        return self._loop.create_task(coroutine, name=name, context=self.context.copy())

    def call(self, function: Callable[..., _T], *args: Any) -> _T:
        """Call a function as code of this process: with its clock, its tasks its own."""
        return self.context.copy().run(function, *args)

    def kill(self) -> None:
        """End it at once; a second kill does nothing."""
        if not self.is_alive:
            return
        self._excuse_what_waits()
        self._failures = self._unseen_failures()
        self.is_alive = False
        self.ready.clear()
        self._loop._forget(self)
        for report in self.on_kill:
            report()

    def freeze(self) -> None:
        """Let it hang: nothing of it runs until `thaw`, while its connections stay."""
        self.is_frozen = True
        self._loop._forget(self)
        for report in self.on_freeze:
            report()

    def thaw(self) -> None:
        """Let it run on."""
        if self.is_frozen:
            self.is_frozen = False
            self._loop._resume(self)
            for report in self.on_thaw:
                report()

    def keep(self, task: "asyncio.Task[Any]") -> None:
        """Hold a task: those of a dead process must not be collected, which would run code."""
        self._tasks.append(task)
        if len(self._tasks) > self._prune_at:
            self._tasks = [task for task in self._tasks if not task.done()]
            self._prune_at = 64 + 2 * len(self._tasks)

    def take(self) -> list["asyncio.Task[Any]"]:
        """Hand over the tasks that are not done."""
        tasks, self._tasks = self._tasks, []
        return [task for task in tasks if not task.done()]

    def failures(self) -> list[BaseException | None]:
        """Return the errors of tasks that no one has looked at."""
        return self._unseen_failures() if self.is_alive else self._failures

    def _unseen_failures(self) -> list[BaseException | None]:
        return [
            task.exception()
            for task in self._tasks
            if task.done() and task._log_traceback  # type: ignore[attr-defined]
        ]

    def _excuse_what_waits(self) -> None:
        """Keep what has just failed from being reported: a waiter would have looked at it next."""
        for handle in self.ready:
            for argument in handle._args or ():  # type: ignore[attr-defined]
                if asyncio.isfuture(argument):
                    argument._log_traceback = False  # type: ignore[attr-defined]

    def places(self) -> Iterator[str]:
        """Give where each task waits, its innermost frame last."""
        for task in self._tasks:
            if not task.done():
                frames = [(each, each.cr_frame) for each in await_chain(task.get_coro())]
                yield " > ".join(
                    f"{each.cr_code.co_name}:{frame.f_lineno}" for each, frame in frames if frame
                )

    def _enter(self) -> None:
        OWNER.set(self)
        clock.use(self.clock)


def await_chain(coroutine: Any) -> list[Any]:
    """Return a coroutine and those that it waits for, one within the other."""
    chain = []
    while hasattr(coroutine, "cr_await"):
        chain.append(coroutine)
        coroutine = coroutine.cr_await
    return chain


def drop(task: "asyncio.Task[Any]") -> None:
    """End a coroutine that never runs again, without a word about it."""
    task._log_destroy_pending = False  # type: ignore[attr-defined]
    hooks = sys.get_asyncgen_hooks()
    sys.set_asyncgen_hooks(firstiter=lambda _: None, finalizer=lambda _: None)
    try:
        for _ in range(_MOST_CLOSES):
            # From within: what an outer one drops unfinished would be closed by its finalizer.
            for awaitable in reversed(await_chain(task.get_coro())):
                # It may await something in a `finally`; then it is closed once more.
                with contextlib.suppress(BaseException):
                    awaitable.close()
            if getattr(task.get_coro(), "cr_frame", None) is None:
                return
    finally:
        sys.set_asyncgen_hooks(*hooks)
