"""Waits for the execution of another chain that has a stack (ADR 0008)."""

import temporalio.client
import temporalio.service

from controller.temporal import execution_infos


async def await_execution_end(client: temporalio.client.Client, workflow_id: str) -> None:
    """Return once no execution has the id; used by whoever waits for its turn at a stack."""
    try:
        await execution_infos.await_close(client, workflow_id)
    except temporalio.service.RPCError as error:
        # Its history was deleted, or was never there.
        if error.status is not temporalio.service.RPCStatusCode.NOT_FOUND:
            raise
