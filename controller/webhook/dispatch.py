"""Works off the queue of wakes: signals the executions, for as long as it takes within bounds.

See ADR 0021.
"""

import asyncio
import logging
from collections.abc import Awaitable, Callable, Collection
from typing import Protocol

from controller import clock
from controller.observability import metrics
from controller.temporal import client as temporal_client
from controller.temporal.receiver import execution_wakes
from controller.webhook import wake_queue

logger = logging.getLogger(__name__)

WORKERS = 16
"""Executions woken at a time: each waits for two short calls, one after the other."""
SWEEP_WORKERS = 4
"""The same for sweeps, which need more of Temporal: this keeps them from delaying wakes."""
SWEEP_BURST = 3
"""Looks of one sweep that follow each other at once, and below, seconds between those after them.

A sweep reads all its roots, so deliveries about roots must not set its pace.
"""
SWEEP_REFILL_SECONDS = 10.0
FIRST_PAUSE_SECONDS = 0.2
MAX_PAUSE_SECONDS = 5.0
GIVE_UP_SECONDS = 600.0
"""How long one wake is retried while Temporal is down; polling has long found older changes."""

EXECUTION, ROOT_SWEEP = "execution", "root_sweep"
WOKEN, GIVEN_UP = "woken", "given_up"


class ExecutionWaker(Protocol):
    """Wakes what follows a stack's run; `temporal.receiver.execution_wakes`."""

    async def wake(self, account: str, stack_id: str) -> int:
        """Return how many executions were woken.

        Raises:
            TemporalUnreachable: try again.
            WakeRefused: do not.
        """
        ...


class RootSweepWaker(Protocol):
    """Lets the chains that wait for a root's runs look at them; `temporal.receiver.sweep_wakes`."""

    async def find(self, account: str, stack_id: str, labels: Collection[str]) -> list[str]:
        """Return the ids of the sweeps that look at a stack.

        Args:
            account: the account's name, as in workflow ids.
            stack_id: the stack whose tracked run finished.
            labels: the stack's labels, for chains whose roots are chosen by label.

        Raises:
            TemporalUnreachable: try again.
        """
        ...

    async def wake(self, sweep_id: str) -> bool:
        """Make a sweep look now; returns whether it is there.

        Raises:
            TemporalUnreachable: try again.
        """
        ...


class WakeDispatcher:
    """Takes wakes from the queue from `start` to `stop`."""

    def __init__(
        self,
        queue: wake_queue.WakeQueue,
        *,
        executions: ExecutionWaker,
        root_sweeps: RootSweepWaker,
        counters: metrics.Metrics,
        give_up_seconds: float = GIVE_UP_SECONDS,
        clock: Callable[[], float] = clock.monotonic,
        sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
    ) -> None:
        self._queue = queue
        self._roots = wake_queue.WakeQueue(queue.size, clock=clock)
        # By the sweep's id, so that deliveries about any number of its roots make one look.
        self._sweeps = wake_queue.WakeQueue(
            queue.size, clock=clock, burst=SWEEP_BURST, refill_seconds=SWEEP_REFILL_SECONDS
        )
        self._executions = executions
        self._root_sweeps = root_sweeps
        self._counters = counters
        self._give_up_seconds = give_up_seconds
        self._clock = clock
        self._sleep = sleep
        self._tasks: list[asyncio.Task[None]] = []
        self._busy = 0

    def start(self) -> None:
        """Start the workers."""
        workers = [
            *(self._work(self._queue, self._to_executions) for _ in range(WORKERS)),
            *(self._work(self._roots, self._find_sweeps) for _ in range(SWEEP_WORKERS)),
            *(self._work(self._sweeps, self._to_sweeps) for _ in range(SWEEP_WORKERS)),
        ]
        self._tasks = [asyncio.create_task(worker) for worker in workers]

    @property
    def queued(self) -> int:
        """Wakes that wait for their turn."""
        return len(self._queue) + len(self._roots) + len(self._sweeps)

    @property
    def pending(self) -> int:
        """Wakes that are queued or under way."""
        return self.queued + self._busy

    async def stop(self, *, drain_seconds: float) -> int:
        """Give what is pending some time, then end; returns how many wakes are lost."""
        deadline = self._clock() + drain_seconds
        while self.pending and self._clock() < deadline:
            await self._sleep(0.02)
        lost = self.pending
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        return lost

    async def _work(
        self, queue: wake_queue.WakeQueue, deliver: Callable[[wake_queue.Wake], Awaitable[None]]
    ) -> None:
        while True:
            wake = await queue.get()
            self._busy += 1
            try:
                await deliver(wake)
            finally:
                self._busy -= 1

    async def _to_executions(self, wake: wake_queue.Wake) -> None:
        result = await self._try(wake, self._wake_executions)
        self._counters.webhook_wakes.labels(EXECUTION, result).inc()
        if wake.is_root_run_finished:
            self._put(self._roots, wake)

    async def _find_sweeps(self, wake: wake_queue.Wake) -> None:
        result = await self._try(wake, self._queue_sweeps)
        if result != WOKEN:
            self._counters.webhook_wakes.labels(ROOT_SWEEP, result).inc()

    async def _queue_sweeps(self, wake: wake_queue.Wake) -> int:
        found = await self._root_sweeps.find(wake.account, wake.stack_id, wake.labels)
        for sweep_id in found:
            self._put(self._sweeps, wake_queue.Wake(account=wake.account, stack_id=sweep_id))
        return len(found)

    async def _to_sweeps(self, wake: wake_queue.Wake) -> None:
        result = await self._try(wake, self._wake_sweep)
        self._counters.webhook_wakes.labels(ROOT_SWEEP, result).inc()

    async def _wake_sweep(self, wake: wake_queue.Wake) -> int:
        return await self._root_sweeps.wake(wake.stack_id)

    def _put(self, queue: wake_queue.WakeQueue, wake: wake_queue.Wake) -> None:
        if queue.put(wake) is wake_queue.QueueResult.OVERFLOW:
            # The interval of the sweeps makes it good.
            self._counters.webhook_wakes.labels(ROOT_SWEEP, GIVEN_UP).inc()

    async def _wake_executions(self, wake: wake_queue.Wake) -> int:
        return await self._executions.wake(wake.account, wake.stack_id)

    async def _try(
        self, wake: wake_queue.Wake, call: Callable[[wake_queue.Wake], Awaitable[int]]
    ) -> str:
        """Call until Temporal serves; returns what came of it."""
        began, pause = self._clock(), FIRST_PAUSE_SECONDS
        fields = {"stack_id": wake.stack_id}
        while True:
            try:
                return WOKEN if await call(wake) else "nobody"
            except temporal_client.TemporalUnreachable as error:
                why = str(error)
            except execution_wakes.WakeRefused as error:
                logger.error("Wake refused", extra=fields | {"why": str(error)})
                return "refused"
            except Exception:
                # The edge of the process: the next wake is as good as any, and polling does the
                # work of this one.
                logger.exception("Wake failed", extra=fields)
                return "failed"
            if self._clock() - began + pause > self._give_up_seconds:
                logger.warning("Wake given up", extra=fields | {"why": why})
                return GIVEN_UP
            await self._sleep(pause)
            pause = min(pause * 2, MAX_PAUSE_SECONDS)
