"""Namespaces and task queues of the Temporal dev server, one's own for each test that wants it."""

import uuid
from datetime import timedelta

import temporalio.api.workflowservice.v1 as workflow_service
from google.protobuf.duration_pb2 import Duration
from temporalio.client import Client
from temporalio.service import RPCError

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

    await eventually(is_served, 30, what=f"Temporal namespace {name} is served")
