"""find_earlier_stacks and find_stack_ends: what a chain had started before a reset in Temporal.

See ADR 0043.
"""

from collections.abc import Awaitable, Callable

import temporalio.activity as activity

from controller.temporal import messages
from controller.temporal.activities import heartbeats


class EarlierStackFinder:
    """The activities; `find` and `find_ends` read the histories."""

    def __init__(
        self,
        find: Callable[[messages.ChainExecutionRef], Awaitable[list[messages.EarlierStack]]],
        find_ends: Callable[[list[messages.AwaitedExecution]], Awaitable[list[messages.StackEnd]]],
    ) -> None:
        self._find = find
        self._find_ends = find_ends

    @activity.defn(name="find_earlier_stacks")
    async def find_earlier_stacks(
        self, argument: messages.FindEarlierStacksInput
    ) -> messages.FindEarlierStacksResult:
        """Return the stacks that have an end, or may have a run of which no one knows the end."""
        async with heartbeats.kept_alive():
            return messages.FindEarlierStacksResult(stacks=await self._find(argument.chain))

    @activity.defn(name="find_stack_ends")
    async def find_stack_ends(
        self, argument: messages.FindStackEndsInput
    ) -> messages.FindStackEndsResult:
        """Return the ends of those stacks' executions that have ended."""
        async with heartbeats.kept_alive():
            return messages.FindStackEndsResult(ends=await self._find_ends(argument.awaited))
