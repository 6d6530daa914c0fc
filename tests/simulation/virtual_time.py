"""The event loop of a simulation: virtual time, no sockets, no threads, and an order by seed.

When nothing is ready, time jumps to the next timer. What one process does stays in the order that
asyncio promises; which process is next, and the order of timers that are due at the same instant,
is the seed's choice. So one seed is one course, bit by bit.
"""

import asyncio
import gc
import heapq
import itertools
import random
import warnings
from asyncio import events
from collections.abc import Callable, Coroutine
from contextvars import Context, copy_context
from typing import Any, NoReturn, TypeVar, TypeVarTuple

from tests.simulation import loop_handles
from tests.simulation.processes import OWNER, Process, drop

_T = TypeVar("_T")
_Ts = TypeVarTuple("_Ts")

EPOCH = 1_767_225_600.0
"""The wall time at which each simulation starts: 2026-01-01, midnight in UTC."""
_MOST_STEPS_AT_ONCE = 200_000


class Deadlock(Exception):
    """Nothing is ready, no timer is left, and something still waits."""


class Livelock(Exception):
    """Callbacks call each other without end, and time stands still."""


class VirtualLoop(asyncio.BaseEventLoop):
    """Runs processes of a simulated world until its main task ends; used once, then closed."""

    _stopping: bool

    def __init__(self, rng: random.Random) -> None:
        """Take the source of each choice."""
        super().__init__()
        self.rng = rng
        self.unhandled: list[str] = []
        """What failed without anybody looking: exceptions of tasks and callbacks."""
        self.steps = 0
        """How many callbacks have run."""
        self._now = 0.0
        self._timers: list[tuple[float, float, int, events.TimerHandle, Process]] = []
        self._numbers = itertools.count()
        self._runnable: list[Process] = []
        self._still_until = _MOST_STEPS_AT_ONCE
        self._is_dropping = False
        # The processes of generators, by id: code of a dead process must not run when one is
        # dropped.
        self._generators: dict[int, Process] = {}
        self._processes: list[Process] = []
        self.world = self.process("world")
        """What belongs to no process: servers, the network, people. It is never killed."""
        self.set_exception_handler(self._note_unhandled)

    def process(self, name: str, *, skew_seconds: float = 0.0) -> Process:
        """Return a new process, with a wall clock that is wrong by so much."""
        made = Process(self, name, skew_seconds=skew_seconds)
        self._processes.append(made)
        return made

    def run(self, main: Coroutine[Any, Any, _T]) -> _T:
        """Run until the main task of the world is done, and return its result.

        Raises:
            Deadlock: it waits for what never comes.
            Livelock: time does not pass.
        """
        is_collecting, chance_before = gc.isenabled(), random.getstate()
        # What the collector ends, and when, would depend on what ran before.
        gc.disable()
        # The product and its libraries draw from the module's own generator.
        random.seed(self.rng.getrandbits(64))
        try:
            return self.run_until_complete(self.world.start(main))
        finally:
            random.setstate(chance_before)
            if is_collecting:
                gc.enable()

    def time(self) -> float:
        """Return the virtual seconds since the world began."""
        return self._now

    def unix(self) -> float:
        """Return the true wall time, which the clock of a process may miss."""
        return EPOCH + self._now

    async def exchange(self, serve: Callable[[], _T], *, there: float, back: float) -> _T:
        """Have the world call `serve` after some seconds, and give what it returns or raises later.

        The call happens even if the caller is canceled or killed meanwhile: what was sent is sent.

        Args:
            serve: what the other side does, without waiting.
            there: seconds until it is called.
            back: seconds until the caller has the answer.
        """
        answer: asyncio.Future[_T] = self.create_future()

        def arrive() -> None:
            try:
                result = serve()
            except Exception as error:
                self.call_later(back, loop_handles.fail, answer, error, context=self.world.context)
            else:
                self.call_later(
                    back, loop_handles.succeed, answer, result, context=self.world.context
                )

        self.call_later(there, arrive, context=self.world.context)
        return await answer

    # The event loop

    get_debug = staticmethod(bool)
    """False; each future and each task asks, so it is a function that is not Python's own."""

    def call_soon(
        self, callback: Callable[[*_Ts], object], *args: *_Ts, context: Context | None = None
    ) -> events.Handle:
        """Queue a callback behind those of the same process."""
        if context is None:
            context = copy_context()
        handle = loop_handles.Step(callback, args, context)
        self._enqueue(handle, context.get(OWNER) or self.world)
        return handle

    call_soon_threadsafe = call_soon

    def call_later(
        self,
        delay: float,
        callback: Callable[[*_Ts], object],
        *args: *_Ts,
        context: Context | None = None,
    ) -> events.TimerHandle:
        """Queue a callback for some seconds from now."""
        return self.call_at(self._now + delay, callback, *args, context=context)

    def call_at(
        self,
        when: float,
        callback: Callable[[*_Ts], object],
        *args: *_Ts,
        context: Context | None = None,
    ) -> events.TimerHandle:
        """Queue a callback for an instant."""
        if context is None:
            context = copy_context()
        timer = loop_handles.Timer(when, callback, args, context)
        if not self._is_dropping:
            owner = context.get(OWNER) or self.world
            entry = (when, self.rng.random(), next(self._numbers), timer, owner)
            heapq.heappush(self._timers, entry)
        return timer

    def create_future(self) -> asyncio.Future[Any]:
        """Return a future that waits for a result."""
        future = loop_handles.Future(loop=self)
        future._number = next(self._numbers)
        return future

    def create_task(  # type: ignore[override]
        self,
        coro: Coroutine[Any, Any, Any],
        *,
        context: Context | None = None,
        **options: Any,
    ) -> asyncio.Task[Any]:
        """Create a task, which belongs to the process of its context."""
        number = next(self._numbers)
        task = loop_handles.Task(number, coro, loop=self, context=context, **options)
        owner = OWNER.get(None) if context is None else context.get(OWNER)
        (owner or self.world).keep(task)
        return task

    def run_in_executor(self, *_: Any) -> NoReturn:  # type: ignore[override]
        """Refuse: threads have no virtual time."""
        raise NotImplementedError("A simulation has no threads")

    def add_signal_handler(self, *_: Any) -> NoReturn:  # type: ignore[override]
        """Refuse: a process of a simulation is stopped or killed by its world."""
        raise NotImplementedError("A simulation has no signals")

    def close(self) -> None:
        """Drop everything that still waits, as when the machines are switched off; frees memory."""
        if self.is_closed():
            return
        self._is_dropping = True
        for process in self._processes:
            for error in process.failures():
                message = f"{process.name} failed"
                self._note_unhandled(self, {"message": message, "exception": error})
        events._set_running_loop(self)
        try:
            with warnings.catch_warnings():
                # Of coroutines that have not been started yet.
                warnings.simplefilter("ignore", RuntimeWarning)
                self._drop_all()
        finally:
            events._set_running_loop(None)
            self._timers.clear()
            super().close()

    def _drop_all(self) -> None:
        # Code that is cut off may create tasks on its way out.
        while left := [task for process in self._processes for task in process.take()]:
            for task in left:
                drop(task)

    def _enqueue(self, handle: events.Handle, process: Process) -> None:
        if not process.is_alive or self._is_dropping:
            return
        ready = process.ready
        ready.append(handle)
        if len(ready) == 1 and not process.is_frozen:
            self._runnable.append(process)

    def _forget(self, process: Process) -> None:
        """Run nothing of a process for now: it is frozen or dead."""
        if process in self._runnable:
            self._runnable.remove(process)

    def _resume(self, process: Process) -> None:
        if process.ready:
            self._runnable.append(process)

    def _run_once(self) -> None:
        """Run callbacks until the main task is done; a step at a time would take twice as long."""
        runnable, timers, draw = self._runnable, self._timers, self.rng.random
        while not self._stopping:
            if timers and (not runnable or timers[0][0] <= self._now):
                self._take_due_timers()
            if not runnable:
                raise Deadlock(self._hanging())
            self.steps += 1
            if self.steps > self._still_until:
                raise Livelock(f"At {self._now} s: {self._hanging()}")
            place = int(draw() * len(runnable)) if len(runnable) > 1 else 0
            process = runnable[place]
            if len(process.ready) == 1:
                del runnable[place]
            self._run_next(process)

    def _run_next(self, process: Process) -> None:
        # What the callback held is dropped with this frame, which may queue others.
        handle = process.ready.popleft()
        if handle._cancelled:  # type: ignore[attr-defined]
            return
        process.steps += 1
        if process.steps == process.dies_at_step:
            # It still waits, so that a test can see what the kill has cut off.
            process.ready.appendleft(handle)
            process.kill()
        else:
            try:
                handle._context.run(handle._callback, *handle._args)  # type: ignore[attr-defined]
            except (SystemExit, KeyboardInterrupt):
                raise
            except BaseException as error:
                message = f"Exception in callback {handle!r}"
                self._note_unhandled(self, {"message": message, "exception": error})

    def _take_due_timers(self) -> None:
        """Let time jump to the next timer if nothing is ready, and queue what is due."""
        timers = self._timers
        while timers and (not self._runnable or timers[0][0] <= self._now):
            when, _, _, timer, owner = heapq.heappop(timers)
            if timer._cancelled or not owner.is_alive:  # type: ignore[attr-defined]
                continue
            if when > self._now:
                self._now = when
                self._still_until = self.steps + _MOST_STEPS_AT_ONCE
            self._enqueue(timer, owner)

    def _hanging(self) -> str:
        waiting = [
            f"{process.name}: {place}"
            for process in self._processes
            if process.is_alive
            for place in process.places()
        ]
        return "Nothing will happen any more; these wait:\n  " + "\n  ".join(waiting)

    def _note_unhandled(self, _: asyncio.AbstractEventLoop, context: dict[str, Any]) -> None:
        error = context.get("exception")
        self.unhandled.append(f"{context['message']}: {error!r}")

    def _asyncgen_firstiter_hook(self, agen: Any) -> None:
        self._generators[id(agen)] = OWNER.get(self.world)

    def _asyncgen_finalizer_hook(self, agen: Any) -> None:
        owner = self._generators.pop(id(agen), self.world)
        if owner.is_alive and not self._is_dropping:
            self.call_soon(self.create_task, agen.aclose(), context=owner.context)
