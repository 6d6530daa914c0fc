"""What a wake-up of a stack's execution does: what it waits for is read at once."""

import asyncio
from typing import Any

from temporalio import workflow

MOST_WAKES = 700
"""Wakes that an execution follows; after that it reads its run as if there were no webhook.

Temporal takes 10,000 signals and ends a history of 51,200 events. A wake that is followed costs
ten events, or 17 if the read fails; one that is not followed costs four. So someone who sends
deliveries for as long as a run waits for a person cannot end its execution. The states of a run are
a dozen.
"""


class Wakes:
    """`is_read_due`: the run is to be read at once, since a wake came after it was read last."""

    def __init__(self) -> None:
        self.is_read_due = True
        self._count = 0

    def note(self) -> bool:
        """Take in a wake; returns whether it is followed."""
        self._count += 1
        if self._count > MOST_WAKES:
            return False
        self.is_read_due = True
        return True

    def read(self) -> None:
        """Have the run read at once, without a wake."""
        self.is_read_due = True

    def take(self) -> bool:
        """Return whether the run is to be read at once, which it then is."""
        is_due, self.is_read_due = self.is_read_due, False
        return is_due

    async def until_done_or_woken(self, waiting: "asyncio.Task[Any]") -> bool:
        """Return whether what is waited for is done; otherwise there was a wake."""
        woken = asyncio.create_task(workflow.wait_condition(lambda: self.is_read_due))
        try:
            await workflow.wait([waiting, woken], return_when=asyncio.FIRST_COMPLETED)
            if waiting.done():
                waiting.result()
            return waiting.done()
        finally:
            woken.cancel()


def give_up(waiting: "asyncio.Task[Any]") -> None:
    """Stop waiting, whatever the result."""
    waiting.cancel()
    waiting.add_done_callback(_ignore_outcome)


def _ignore_outcome(task: "asyncio.Task[Any]") -> None:
    if not task.cancelled():
        task.exception()
