"""Wakes what runs at a stack: the executions that have its id, without any index of them.

ADR 0021 says why there is none.
"""

import datetime
from collections.abc import Callable

import temporalio.client
import temporalio.service

from controller import outside_text
from controller.api import v1alpha1
from controller.temporal import client as temporal_client
from controller.temporal import ids

# A signal takes milliseconds; a slow one holds up the wakes of other stacks.
_TIMEOUT = datetime.timedelta(seconds=5)

_OPERATIONS = (v1alpha1.Operation.APPLY, v1alpha1.Operation.PLAN)

_REFUSED = frozenset(
    {
        temporalio.service.RPCStatusCode.FAILED_PRECONDITION,
        temporalio.service.RPCStatusCode.INVALID_ARGUMENT,
    }
)


class WakeRefused(Exception):
    """Temporal takes no signal of this kind: not now, and not later."""


class TemporalExecutionWaker:
    """Signals the live executions of a stack; if there is none, that is fine too."""

    def __init__(self, get_client: Callable[[], temporalio.client.Client]) -> None:
        """Signal through the client that there is when a stack is woken."""
        self._get_client = get_client

    async def wake(self, account: str, stack_id: str) -> int:
        """Signal the executions of a stack and return how many there are.

        Raises:
            TemporalUnreachable: try again.
            WakeRefused: do not.
        """
        woken = 0
        for operation in _OPERATIONS:
            workflow_id = ids.execution_workflow_id(
                account=account, stack_id=stack_id, operation=operation
            )
            woken += await self._signal(workflow_id)
        return woken

    async def _signal(self, workflow_id: str) -> bool:
        handle = self._get_client().get_workflow_handle(workflow_id)
        try:
            await handle.signal(ids.WAKE_SIGNAL, rpc_timeout=_TIMEOUT)
        except temporalio.service.RPCError as error:
            if temporal_client.is_gone(error):
                return False
            if error.status in _REFUSED:
                raise WakeRefused(f"{workflow_id}: {outside_text.clean(error.message)}") from error
            raise temporal_client.TemporalUnreachable(
                f"Temporal is not serving requests: {outside_text.clean(error.message)}"
            ) from error
        return True
