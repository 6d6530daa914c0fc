"""read_windows, and the look at the windows of a stack right before it is acted on (ADR 0055).

Zone data differs between workers of two versions, so a workflow only knows of a window what an
activity has answered.
"""

import datetime

import temporalio.activity as activity

from controller.chain.run import windows
from controller.temporal import messages


class WindowReader:
    """The activity that reads the windows of a chain."""

    @activity.defn(name="read_windows")
    async def read_windows(self, argument: messages.ReadWindowsInput) -> messages.ReadWindowsResult:
        """Return how the windows of a chain are at a time."""
        now = datetime.datetime.fromisoformat(argument.now)
        return messages.ReadWindowsResult(
            states={
                name: windows.state_of(found, now=now) for name, found in argument.windows.items()
            }
        )


def closed_window(stack: messages.StackRef, *, now: float) -> windows.WindowState | None:
    """Return the state of the windows of a stack at a Unix time; None if they are open."""
    if not stack.windows:
        return None
    moment = datetime.datetime.fromtimestamp(now, datetime.UTC)
    state = windows.state_of(stack.windows, now=moment)
    return None if state.is_open else state
