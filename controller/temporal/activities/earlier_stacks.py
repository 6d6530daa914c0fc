"""find_earlier_stacks: what a chain had started before it was reset in Temporal. See ADR 0043."""

from collections.abc import Awaitable, Callable

import temporalio.activity as activity

from controller.temporal import messages
from controller.temporal.activities import heartbeats


class EarlierStackFinder:
    """The activity; `find` reads the histories."""

    def __init__(
        self,
        find: Callable[[messages.ChainExecutionRef], Awaitable[list[messages.EarlierStack]]],
    ) -> None:
        self._find = find

    @activity.defn(name="find_earlier_stacks")
    async def find_earlier_stacks(
        self, argument: messages.FindEarlierStacksInput
    ) -> messages.FindEarlierStacksResult:
        """Return the stacks that have an end, or may have a run of which no one knows the end."""
        async with heartbeats.kept_alive():
            return messages.FindEarlierStacksResult(stacks=await self._find(argument.chain))
