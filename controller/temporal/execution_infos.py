"""What Temporal's records say of executions, item by item.

The SDK converts a page of a listing as a whole. A single record that it does not understand, such
as one in a state that is newer than the SDK, would hide all others.
"""

import dataclasses
from collections.abc import AsyncIterator, Mapping
from datetime import UTC, datetime

import temporalio.client
from google.protobuf import timestamp_pb2
from temporalio.api.common.v1 import Memo, WorkflowExecution
from temporalio.api.enums.v1 import EventType, WorkflowExecutionStatus, WorkflowTaskFailedCause
from temporalio.api.workflow.v1 import WorkflowExecutionInfo
from temporalio.api.workflowservice import v1 as workflowservice

from controller import outside_text
from controller.chain.requests import executions

_PAGE_SIZE = 500
# What came in since the last task that went well: signals may be among it.
_LAST_EVENTS = 200
_LONGEST_FAILURE = 512
# What the server asks for itself: news came in while the task was done, or it was reset.
_HARMLESS = (
    WorkflowTaskFailedCause.WORKFLOW_TASK_FAILED_CAUSE_UNHANDLED_COMMAND,
    WorkflowTaskFailedCause.WORKFLOW_TASK_FAILED_CAUSE_FORCE_CLOSE_COMMAND,
    WorkflowTaskFailedCause.WORKFLOW_TASK_FAILED_CAUSE_RESET_WORKFLOW,
    WorkflowTaskFailedCause.WORKFLOW_TASK_FAILED_CAUSE_RESET_STICKY_TASK_QUEUE,
)

_S = WorkflowExecutionStatus
_STATES: Mapping[int, executions.ExecutionState] = {
    _S.WORKFLOW_EXECUTION_STATUS_COMPLETED: executions.ExecutionState.CLOSED,
    _S.WORKFLOW_EXECUTION_STATUS_CANCELED: executions.ExecutionState.TERMINATED,
    _S.WORKFLOW_EXECUTION_STATUS_TERMINATED: executions.ExecutionState.TERMINATED,
    _S.WORKFLOW_EXECUTION_STATUS_TIMED_OUT: executions.ExecutionState.TERMINATED,
    _S.WORKFLOW_EXECUTION_STATUS_FAILED: executions.ExecutionState.FAILED,
    _S.WORKFLOW_EXECUTION_STATUS_CONTINUED_AS_NEW: executions.ExecutionState.TERMINATED,
}


@dataclasses.dataclass(frozen=True, kw_only=True, slots=True)
class ExecutionInfo:
    """One record; a state that this version does not know counts as running: it has not ended.

    `attempt` counts how often workers were given its current task, if it has one. A reset makes
    another execution of it, `reset_run_id`, which has the same `first_run_id`. `children` are those
    that it waits for, by workflow id and the first run id of each; a listing does not have them.
    """

    workflow_id: str
    workflow_run_id: str
    state: executions.ExecutionState
    status: str
    memo: Memo
    start_time: datetime
    close_time: datetime | None
    parent: tuple[str, str] | None
    first_run_id: str
    reset_run_id: str = ""
    attempt: int = 0
    children: frozenset[tuple[str, str]] = frozenset()


async def describe(
    client: temporalio.client.Client, workflow_id: str, workflow_run_id: str = ""
) -> ExecutionInfo:
    """Return the record of an execution; without a run id of the latest one.

    Raises:
        RPCError: Temporal does not know it, or does not answer.
    """
    answer = await client.workflow_service.describe_workflow_execution(
        workflowservice.DescribeWorkflowExecutionRequest(
            namespace=client.namespace,
            execution=WorkflowExecution(workflow_id=workflow_id, run_id=workflow_run_id),
        ),
        retry=True,
    )
    info = _info(answer.workflow_execution_info)
    return dataclasses.replace(
        info,
        reset_run_id=answer.workflow_extended_info.reset_run_id,
        attempt=answer.pending_workflow_task.attempt,
        children=frozenset((one.workflow_id, one.run_id) for one in answer.pending_children),
    )


async def list_all(
    client: temporalio.client.Client, query: str, *, limit: int | None = None
) -> AsyncIterator[ExecutionInfo]:
    """Yield what visibility finds, the newest first.

    Raises:
        RPCError: Temporal does not answer.
    """
    token, count = b"", 0
    while True:
        page = await client.workflow_service.list_workflow_executions(
            workflowservice.ListWorkflowExecutionsRequest(
                namespace=client.namespace,
                page_size=min(limit or _PAGE_SIZE, _PAGE_SIZE),
                next_page_token=token,
                query=query,
            ),
            retry=True,
        )
        for item in page.executions:
            yield _info(item)
            count += 1
            if count == limit:
                return
        token = page.next_page_token
        if not token:
            return


async def task_failure(
    client: temporalio.client.Client, workflow_id: str, workflow_run_id: str
) -> str | None:
    """Return why the current task of an execution has failed; None if it has not.

    Of a task that fails again and again the history has the first failure only.

    Raises:
        RPCError: Temporal does not know it, or does not answer.
    """
    answer = await client.workflow_service.get_workflow_execution_history_reverse(
        workflowservice.GetWorkflowExecutionHistoryReverseRequest(
            namespace=client.namespace,
            execution=WorkflowExecution(workflow_id=workflow_id, run_id=workflow_run_id),
            maximum_page_size=_LAST_EVENTS,
        ),
        retry=True,
    )
    for event in answer.history.events:
        if event.event_type == EventType.EVENT_TYPE_WORKFLOW_TASK_COMPLETED:
            return None
        if event.event_type == EventType.EVENT_TYPE_WORKFLOW_TASK_FAILED:
            failed = event.workflow_task_failed_event_attributes
            if failed.cause in _HARMLESS:
                continue
            text = outside_text.clean(failed.failure.message, most=_LONGEST_FAILURE)
            return text or f"cause {failed.cause}"
    return None


async def termination(
    client: temporalio.client.Client, workflow_id: str, workflow_run_id: str
) -> str:
    """Return the reason for which an execution was terminated; empty if none was given.

    Raises:
        RPCError: Temporal does not know it, or does not answer.
    """
    answer = await client.workflow_service.get_workflow_execution_history_reverse(
        workflowservice.GetWorkflowExecutionHistoryReverseRequest(
            namespace=client.namespace,
            execution=WorkflowExecution(workflow_id=workflow_id, run_id=workflow_run_id),
            maximum_page_size=1,
        ),
        retry=True,
    )
    # Of another kind of end it is empty, too.
    for event in answer.history.events[:1]:
        reason = event.workflow_execution_terminated_event_attributes.reason
        return outside_text.clean(reason, most=_LONGEST_FAILURE)
    return ""


async def await_close(
    client: temporalio.client.Client, workflow_id: str, workflow_run_id: str = ""
) -> None:
    """Return when an execution has closed, however; its result is not read.

    Raises:
        RPCError: Temporal does not know it, or does not answer.
    """
    handle: temporalio.client.WorkflowHandle[object, object]
    handle = client.get_workflow_handle(workflow_id, run_id=workflow_run_id or None)
    async for _ in handle.fetch_history_events(
        wait_new_event=True,
        event_filter_type=temporalio.client.WorkflowHistoryEventFilterType.CLOSE_EVENT,
        skip_archival=True,
    ):
        return


def _info(found: WorkflowExecutionInfo) -> ExecutionInfo:
    parent = found.parent_execution if found.HasField("parent_execution") else None
    return ExecutionInfo(
        workflow_id=found.execution.workflow_id,
        workflow_run_id=found.execution.run_id,
        state=_STATES.get(found.status, executions.ExecutionState.RUNNING),
        status=_status_name(found.status),
        memo=found.memo,
        start_time=_instant(found.start_time),
        close_time=_instant(found.close_time) if found.HasField("close_time") else None,
        parent=(parent.workflow_id, parent.run_id) if parent is not None else None,
        first_run_id=found.first_run_id or found.execution.run_id,
    )


def _status_name(status: int) -> str:
    if status not in WorkflowExecutionStatus.values():
        return f"in the state {status}"
    name = WorkflowExecutionStatus.Name(WorkflowExecutionStatus.ValueType(status))
    return name.removeprefix("WORKFLOW_EXECUTION_STATUS_")


def _instant(stamp: timestamp_pb2.Timestamp) -> datetime:
    return stamp.ToDatetime(tzinfo=UTC)
