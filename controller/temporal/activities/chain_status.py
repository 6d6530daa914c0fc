"""publish_chain_status: the workflow pokes, the operator pulls the freshest progress and writes.

ADR 0004 says why.
"""

import asyncio
import dataclasses
from collections.abc import Callable, Coroutine
from datetime import timedelta
from typing import Any, Protocol

import temporalio.activity as activity
import temporalio.exceptions

from controller import clock
from controller.temporal import messages
from controller.temporal.activities import heartbeats

# An execution that was terminated leaves its entry behind; this long after its last write the
# interval is over for any size of chain.
_FORGET_SECONDS = 600.0
# Below the time-out of `_PUBLISH_HEARTBEAT` in the workflow.
_HEARTBEAT_SECONDS = 1.0
# For a canceled publish to end on its own; less than an operator takes to hand over on SIGTERM.
_END_SECONDS = 1.0


class ResourceGone(Exception):
    """The API server says that the resource does not exist, or is another one of the same name."""


class Superseded(Exception):
    """The resource belongs to another execution: this one must do nothing."""


class ReconcileFailed(Exception):
    """A pass failed unexpectedly; the same call may succeed later."""

    def __init__(self, message: str, *, retry_seconds: float) -> None:
        super().__init__(message)
        self.retry_seconds = retry_seconds

    def to_application_error(self) -> temporalio.exceptions.ApplicationError:
        """Return what lets Temporal repeat the call after the resource's own pause."""
        return temporalio.exceptions.ApplicationError(
            str(self),
            type=type(self).__name__,
            next_retry_delay=timedelta(seconds=self.retry_seconds),
        )


class Publisher(Protocol):
    """What reconciles a resource; the operator's."""

    async def publish(self, argument: messages.PublishChainStatusInput) -> int:
        """Write the status and return the progress sequence that it covers.

        Raises:
            ResourceGone: there is nothing to write to.
            Superseded: another execution has the resource.
            ReconcileFailed: it did not work, and is to be tried again.
        """


class ChainStatus:
    """The activity of the operator queue; keeps each chain's writes an interval apart."""

    def __init__(
        self, publisher: Publisher, *, clock: Callable[[], float] = clock.monotonic
    ) -> None:
        self._publisher = publisher
        self._clock = clock
        self._written: dict[str, float] = {}
        self._swept_at = clock()

    @activity.defn(name="publish_chain_status")
    async def publish_chain_status(
        self, argument: messages.PublishChainStatusInput
    ) -> messages.PublishChainStatusResult:
        """Write the status of the execution's resource."""
        # A reset carries the call over to the execution that it makes.
        run_id = activity.info().workflow_run_id or ""
        argument = dataclasses.replace(argument, workflow_run_id=run_id)
        try:
            async with heartbeats.kept_alive(seconds=_HEARTBEAT_SECONDS):
                if not argument.is_final:
                    await self._wait_for_turn(argument)
                sequence = await _whole(self._publisher.publish(argument))
        except (ResourceGone, Superseded) as error:
            self._written.pop(argument.ref.uid, None)
            raise temporalio.exceptions.ApplicationError(
                str(error), type=type(error).__name__, non_retryable=True
            ) from error
        except ReconcileFailed as error:
            raise error.to_application_error() from error
        self._note_written(argument)
        return messages.PublishChainStatusResult(sequence=sequence)

    async def _wait_for_turn(self, argument: messages.PublishChainStatusInput) -> None:
        """The interval is kept here, so that it costs the workflow no timer."""
        last = self._written.get(argument.ref.uid)
        if last is not None:
            due = last + argument.interval_milliseconds / 1000
            await asyncio.sleep(max(0.0, due - self._clock()))

    def _note_written(self, argument: messages.PublishChainStatusInput) -> None:
        now = self._clock()
        if argument.is_final:
            self._written.pop(argument.ref.uid, None)
        else:
            self._written[argument.ref.uid] = now
        if now - self._swept_at > _FORGET_SECONDS:
            self._swept_at = now
            self._written = {
                uid: at for uid, at in self._written.items() if now - at < _FORGET_SECONDS
            }


async def _whole(publishing: Coroutine[Any, Any, int]) -> int:
    """Run a publish to its end, even when it is canceled meanwhile.

    A run that ends cancels the publish before its last one. That publish may have written the last
    transitions already. If it were ended before it reported them, the last publish would find
    nothing new, and no one would ever hear of them.
    """
    task = asyncio.ensure_future(publishing)
    try:
        return await asyncio.shield(task)
    except asyncio.CancelledError:
        await asyncio.wait([task], timeout=_END_SECONDS)
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)
        raise
