"""Waits for a turn at a stack, as a chain of someone else would."""

import temporalio.client

from controller.chain.run import holds, stack_lines
from controller.temporal import messages
from controller.temporal.activities import execution_waits

QUICK = execution_waits.Pace(refresh=0.3, grace=0.5, look=0.05)


async def turn_at(
    client: temporalio.client.Client, workflow_id: str, *, chain: str = "x", since: float = 1.0
) -> messages.AwaitTurnResult:
    """Return once it is the turn of a chain, whatever is reported about the stack meanwhile."""
    known: holds.HoldingChain | None = None
    while True:
        argument = messages.AwaitTurnInput(
            workflow_id=workflow_id,
            chain=stack_lines.WaitingChain(workflow_id=chain, since=since),
            asking=messages.ChainExecutionRef(
                workflow_id=chain, workflow_run_id="one", first_run_id="one"
            ),
            known=known,
        )
        result = await execution_waits.TurnWait(client, argument, QUICK).wait()
        if result.is_turn:
            return result
        known = result.holder
