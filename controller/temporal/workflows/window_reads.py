"""How a chain learns whether its windows are open: when they alone keep a stack from starting.

By an activity, whose answer is in the history: zone data differs between workers (ADR 0055). A
window that closes while nothing waits for it is not read. So a window that opens each minute costs
nothing for a run that waits for a person.
"""

import asyncio
import datetime
from collections.abc import Callable

from temporalio import workflow

from controller import times
from controller.chain.graph import selection
from controller.chain.run import gates, progress
from controller.temporal import messages
from controller.temporal.activities import window_reading
from controller.temporal.workflows import activity_calls

_SUMMARY = "whether windows are open"
# Clocks may differ on whether a window is open.
_SHORTEST_WAIT = datetime.timedelta(seconds=1)


async def sleep_until_open(opens_at: str) -> None:
    """Wait until a window opens."""
    left = datetime.datetime.fromisoformat(opens_at) - workflow.now()
    await workflow.sleep(max(left, _SHORTEST_WAIT), summary="until the window opens")


class WindowReads:
    """One at a time."""

    def __init__(
        self,
        scope: selection.Scope,
        run: progress.ChainProgress,
        *,
        on_change: Callable[[], None],
        on_problem: activity_calls.OnProblem,
    ) -> None:
        windows = {name: scope.windows_of(name) for name in (*(s.name for s in scope.stages), "")}
        self._windows = {name: found for name, found in windows.items() if found}
        self._run = run
        self._on_change = on_change
        self._on_problem = on_problem
        self._reading: asyncio.Task[None] | None = None
        gates.add_windows(run, scope)

    def read_if_due(self) -> None:
        """Read the windows if a stack waits for what is not known of them."""
        if self._reading is None and gates.must_read_windows(self._run):
            self._reading = asyncio.create_task(self._read())

    async def close(self) -> None:
        """Stop reading."""
        if self._reading is not None:
            self._reading.cancel()
            await asyncio.gather(self._reading, return_exceptions=True)

    async def _read(self) -> None:
        now = times.rfc3339(workflow.now())
        argument = messages.ReadWindowsInput(windows=self._windows, now=now)
        result = await activity_calls.persist(
            window_reading.WindowReader.read_windows,
            argument,
            summary=_SUMMARY,
            on_problem=self._on_problem,
        )
        gates.take_windows(self._run, result.states, now=now)
        self._reading = None
        self._on_change()
