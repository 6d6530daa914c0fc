"""publish_chain_status: the workflow pokes, the operator pulls the freshest progress and writes."""

import asyncio
import time
from typing import Protocol

import temporalio.activity as activity
import temporalio.exceptions

from controller.temporal import messages


class ResourceGone(Exception):
    """The API server says that the resource does not exist, or is another one of the name."""


class Superseded(Exception):
    """The resource belongs to another execution: this one must do nothing."""


class Publisher(Protocol):
    """What reconciles a resource; the operator's."""

    async def publish(self, argument: messages.PublishChainStatusInput) -> int:
        """Write the status and return the progress sequence that it covers.

        Raises:
            ResourceGone: there is nothing to write to.
            Superseded: another execution has the resource.
        """


class ChainStatus:
    """The activity of the operator queue; keeps each chain's writes an interval apart."""

    def __init__(self, publisher: Publisher) -> None:
        self._publisher = publisher
        self._written: dict[str, float] = {}

    @activity.defn(name="publish_chain_status")
    async def publish_chain_status(
        self, argument: messages.PublishChainStatusInput
    ) -> messages.PublishChainStatusResult:
        """Write the status of the execution's resource."""
        if not argument.is_final:
            await self._wait_for_turn(argument)
        try:
            sequence = await self._publisher.publish(argument)
        except (ResourceGone, Superseded) as error:
            self._written.pop(argument.uid, None)
            raise temporalio.exceptions.ApplicationError(
                str(error), type=type(error).__name__, non_retryable=True
            ) from error
        if argument.is_final:
            self._written.pop(argument.uid, None)
        else:
            self._written[argument.uid] = time.monotonic()
        return messages.PublishChainStatusResult(sequence=sequence)

    async def _wait_for_turn(self, argument: messages.PublishChainStatusInput) -> None:
        """The interval is kept here, so that it costs the workflow no timer."""
        last = self._written.get(argument.uid)
        if last is None:
            return
        due = last + argument.interval_milliseconds / 1000
        while (left := due - time.monotonic()) > 0:
            activity.heartbeat()
            await asyncio.sleep(min(left, 1.0))
