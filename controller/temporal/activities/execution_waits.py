"""Waits for the execution of another chain that has a stack (ADR 0008)."""

import contextlib

import temporalio.client
import temporalio.service


async def await_execution_end(client: temporalio.client.Client, workflow_id: str) -> None:
    """Return once no execution has the id; used by whoever waits for its turn at a stack."""
    handle = client.get_workflow_handle(workflow_id)
    with contextlib.suppress(temporalio.client.WorkflowFailureError):
        try:
            await handle.result(follow_runs=False)
        except temporalio.service.RPCError as error:
            # Its history was deleted, or was never there.
            if error.status is not temporalio.service.RPCStatusCode.NOT_FOUND:
                raise
