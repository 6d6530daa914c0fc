"""Starts what the schedules of resources start, as a schedule does but without waiting for it."""

from typing import Any

from temporalio.client import WorkflowHandle

from controller.api import v1alpha1
from controller.temporal import ids, start_messages
from tests.support import temporal as temporal_support
from tests.workflows import harness
from tests.workflows.harness import Harness

Handle = WorkflowHandle[Any, start_messages.RequestRunResult]


async def start(chain: Harness, workflow: str, argument: Any) -> Handle:
    handle: Handle = await chain.client.start_workflow(
        workflow,
        argument,
        id=temporal_support.unique("asks"),
        task_queue=chain.task_queue,
        result_type=start_messages.RequestRunResult,
    )
    chain.executions.append(handle)
    return handle


def request_input(chain: Harness) -> start_messages.RequestRunInput:
    return start_messages.RequestRunInput(ref=harness.REF, operator_queue=chain.operator_queue)


def sweep_input(chain: Harness) -> start_messages.RootSweepInput:
    return start_messages.RootSweepInput(
        ref=harness.REF,
        operator_queue=chain.operator_queue,
        connection=chain.connection,
        roots=v1alpha1.Roots(stack_ids=("a",)),
    )


async def request(chain: Harness) -> start_messages.RequestRunResult:
    handle = await start(chain, ids.REQUEST_RUN_WORKFLOW, request_input(chain))
    return await handle.result()


async def sweep(chain: Harness) -> start_messages.RequestRunResult:
    handle = await start(chain, ids.ROOT_SWEEP_WORKFLOW, sweep_input(chain))
    return await handle.result()
