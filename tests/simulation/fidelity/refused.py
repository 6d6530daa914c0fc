"""How calls are refused, in one word."""

from typing import Any

import temporalio.client
import temporalio.exceptions
from temporalio.client import WorkflowHandle
from temporalio.service import RPCError

from tests.simulation.fidelity.subjects import described

Handle = WorkflowHandle[Any, Any]


async def refusal(work: Any) -> str:
    """Return how a call is refused."""
    try:
        await work
    except temporalio.exceptions.WorkflowAlreadyStartedError as error:
        return f"already started, {'with' if error.run_id else 'without'} a run id"
    except RPCError as error:
        return error.status.name
    except temporalio.client.WorkflowQueryFailedError as error:
        return f"query failed: {str(error).split(',')[0]}"
    except temporalio.client.WorkflowFailureError as error:
        return described(error.cause)
    return "fine"


async def end(handle: Handle, word: str = "end") -> None:
    await handle.signal("say", word)
    await refusal(handle.result())
