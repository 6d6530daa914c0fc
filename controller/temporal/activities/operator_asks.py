"""request_run: what a schedule or a sweep passes on to the operator, which decides."""

from typing import Protocol

import temporalio.activity as activity

from controller.temporal import start_messages
from controller.temporal.activities import chain_status, heartbeats

_HEARTBEAT_SECONDS = 1.0
_GONE = "the resource is gone"


class RunDecider(Protocol):
    """Who decides about asks; the operator's reconciler."""

    async def request_run(
        self, argument: start_messages.RequestRunCall
    ) -> start_messages.RequestRunResult:
        """Take in what asks for a run, and do what follows.

        Raises:
            ResourceGone: there is nothing to start a run for.
            ReconcileFailed: it did not work, and is to be tried again.
        """


class OperatorAsks:
    """The activity of the operator queue."""

    def __init__(self, asked: RunDecider) -> None:
        self._asked = asked

    @activity.defn(name="request_run")
    async def request_run(
        self, argument: start_messages.RequestRunCall
    ) -> start_messages.RequestRunResult:
        """Pass on an ask; the same ask twice starts one run."""
        try:
            async with heartbeats.kept_alive(seconds=_HEARTBEAT_SECONDS):
                return await self._asked.request_run(argument)
        except (chain_status.ResourceGone, chain_status.Superseded):
            return start_messages.RequestRunResult(outcome=_GONE)
        except chain_status.ReconcileFailed as error:
            raise error.to_application_error() from error
