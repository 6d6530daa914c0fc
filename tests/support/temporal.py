"""Namespaces and task queues of the Temporal dev server, separate ones for each test."""

import uuid
from datetime import timedelta

import temporalio.api.operatorservice.v1 as operator_service
import temporalio.api.workflowservice.v1 as workflow_service
from google.protobuf.duration_pb2 import Duration
from temporalio.api.common.v1 import WorkflowExecution
from temporalio.api.enums.v1 import EventType
from temporalio.client import Client
from temporalio.service import RPCError, RPCStatusCode

from tests.support.waiting import eventually


def unique(prefix: str) -> str:
    """Return a name that no other test has."""
    return f"{prefix}-{uuid.uuid4().hex[:10]}"


async def create_namespace(
    temporal_client: Client, name: str, *, retention: timedelta = timedelta(days=1)
) -> None:
    """Register a namespace and wait until the frontend serves it."""
    period = Duration()
    period.FromTimedelta(retention)
    service = temporal_client.workflow_service
    await service.register_namespace(
        workflow_service.RegisterNamespaceRequest(
            namespace=name, workflow_execution_retention_period=period
        )
    )
    request = workflow_service.ListWorkflowExecutionsRequest(namespace=name, page_size=1)

    async def is_served() -> bool:
        try:
            await service.list_workflow_executions(request)
        except RPCError:
            return False
        return True

    await eventually(is_served, what=f"Temporal namespace {name} is served")


async def delete_namespace(temporal_client: Client, name: str) -> None:
    """Delete a namespace with all that is in it, without waiting until it is gone.

    Whatever still runs in an unused namespace costs the server time for as long as the server
    lives: it hands out the same tasks again and again.
    """
    request = operator_service.DeleteNamespaceRequest(namespace=name)
    await temporal_client.operator_service.delete_namespace(request, retry=True)


async def delete_history(client: Client, workflow_id: str) -> None:
    """Delete an execution, running or not, and wait until Temporal does not know it any more."""
    await client.workflow_service.delete_workflow_execution(
        workflow_service.DeleteWorkflowExecutionRequest(
            namespace=client.namespace,
            workflow_execution=WorkflowExecution(workflow_id=workflow_id),
        ),
        retry=True,
    )

    async def is_deleted() -> bool:
        try:
            await client.get_workflow_handle(workflow_id).describe()
        except RPCError as error:
            return error.status is RPCStatusCode.NOT_FOUND
        return False

    await eventually(is_deleted, what=f"{workflow_id} is deleted")


async def reset(client: Client, workflow_id: str, *, to: str, run_id: str = "") -> str:
    """Reset an execution to its `first` or `last` workflow task; returns the new one's run id."""
    done = [
        event.event_id
        async for event in client.get_workflow_handle(
            workflow_id, run_id=run_id or None
        ).fetch_history_events()
        if event.event_type == EventType.EVENT_TYPE_WORKFLOW_TASK_COMPLETED
    ]
    answer = await client.workflow_service.reset_workflow_execution(
        workflow_service.ResetWorkflowExecutionRequest(
            namespace=client.namespace,
            workflow_execution=WorkflowExecution(workflow_id=workflow_id, run_id=run_id),
            reason="by hand",
            workflow_task_finish_event_id={"first": done[0], "last": done[-1]}[to],
            request_id=uuid.uuid4().hex,
        ),
        retry=True,
    )
    return answer.run_id


async def has_schedule(client: Client, schedule_id: str) -> bool:
    """Whether there is a schedule, without the list of all, which lags behind."""
    try:
        await client.get_schedule_handle(schedule_id).describe()
    except RPCError as error:
        if error.status is RPCStatusCode.NOT_FOUND:
            return False
        raise
    return True
