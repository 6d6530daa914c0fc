"""What the server says of executions, task queues and its namespace."""

from typing import TYPE_CHECKING, Any

from temporalio.api.common.v1 import ActivityType, Payloads, WorkflowExecution, WorkflowType
from temporalio.api.enums.v1 import PendingActivityState, PendingWorkflowTaskState, TaskQueueType
from temporalio.api.namespace.v1 import NamespaceInfo
from temporalio.api.operatorservice import v1 as operatorservice
from temporalio.api.taskqueue.v1 import PollerInfo, TaskQueueStats
from temporalio.api.workflow.v1 import (
    PendingActivityInfo,
    PendingChildExecutionInfo,
    PendingWorkflowTaskInfo,
    WorkflowExecutionInfo,
)
from temporalio.api.workflowservice.v1 import (
    CountWorkflowExecutionsResponse,
    DescribeNamespaceResponse,
    DescribeTaskQueueResponse,
    DescribeWorkflowExecutionResponse,
    ListWorkflowExecutionsResponse,
)

from tests.simulation.temporal import task_queues
from tests.simulation.temporal.history_attributes import stamp
from tests.simulation.temporal.records import Activity, ActivityState, Execution
from tests.simulation.temporal.refusals import not_found, only
from tests.simulation.temporal.visibility import Row

if TYPE_CHECKING:
    from tests.simulation.temporal.server import TemporalServer

_STATES = {
    ActivityState.QUEUED: PendingActivityState.PENDING_ACTIVITY_STATE_SCHEDULED,
    ActivityState.PAUSING: PendingActivityState.PENDING_ACTIVITY_STATE_SCHEDULED,
    ActivityState.RUNNING: PendingActivityState.PENDING_ACTIVITY_STATE_STARTED,
}
_CANCEL_REQUESTED = PendingActivityState.PENDING_ACTIVITY_STATE_CANCEL_REQUESTED


class Describing:
    """Answers the calls that only read."""

    def __init__(self, server: "TemporalServer") -> None:
        self._server = server

    def on_describe_workflow_execution(self, request: Any) -> DescribeWorkflowExecutionResponse:
        """Say how an execution is now, not as a listing shows it."""
        wanted = request.execution
        execution = self._server.find_run(wanted.workflow_id, wanted.run_id)
        if execution is None:
            raise not_found(f"workflow not found for ID: {wanted.workflow_id}")
        answer = DescribeWorkflowExecutionResponse(
            workflow_execution_info=_info(_row(execution)),
            pending_activities=[_pending_activity(a) for a in execution.activities.values()],
            pending_children=[
                PendingChildExecutionInfo(
                    workflow_id=child.body.workflow_id,
                    run_id=child.run_id,
                    workflow_type_name=child.body.workflow_type,
                    initiated_id=child.initiated_id,
                )
                for child in execution.children.values()
            ],
        )
        answer.workflow_extended_info.reset_run_id = execution.reset_run_id
        if execution.task is not None:
            is_started = execution.task.worker is not None
            answer.pending_workflow_task.CopyFrom(
                PendingWorkflowTaskInfo(
                    attempt=execution.task.attempt,
                    state=PendingWorkflowTaskState.PENDING_WORKFLOW_TASK_STATE_STARTED
                    if is_started
                    else PendingWorkflowTaskState.PENDING_WORKFLOW_TASK_STATE_SCHEDULED,
                    scheduled_time=stamp(execution.task.scheduled_at),
                )
            )
        return answer

    def on_list_workflow_executions(self, request: Any) -> ListWorkflowExecutionsResponse:
        """List executions as they were some time ago, page by page."""
        only(request, "namespace", "page_size", "next_page_token", "query")
        rows = self._server.visibility.list(request.query)
        first = int(request.next_page_token or b"0")
        size = request.page_size or 1000
        token = str(first + size).encode() if first + size < len(rows) else b""
        return ListWorkflowExecutionsResponse(
            executions=[_info(row) for row in rows[first : first + size]], next_page_token=token
        )

    def on_count_workflow_executions(self, request: Any) -> CountWorkflowExecutionsResponse:
        """Count what a listing would have."""
        only(request, "namespace", "query")
        return CountWorkflowExecutionsResponse(
            count=len(self._server.visibility.list(request.query))
        )

    def on_describe_task_queue(self, request: Any) -> DescribeTaskQueueResponse:
        """Say who polls a queue, and how much waits in it."""
        only(request, "namespace", "task_queue", "task_queue_type", "report_stats")
        kind = task_queues.ACTIVITY
        if request.task_queue_type != TaskQueueType.TASK_QUEUE_TYPE_ACTIVITY:
            kind = task_queues.WORKFLOW
        queue = self._server.queue(request.task_queue.name, kind)
        now = self._server.time()
        waiting = queue.waiting()
        stats = TaskQueueStats(approximate_backlog_count=len(waiting))
        if waiting:
            stats.approximate_backlog_age.FromMicroseconds(int((now - waiting[0].added_at) * 1e6))
        return DescribeTaskQueueResponse(
            pollers=[
                PollerInfo(identity=poller.identity, last_access_time=stamp(now))
                for poller in queue.polling()
            ],
            stats=stats,
        )

    def on_list_search_attributes(
        self, _: operatorservice.ListSearchAttributesRequest
    ) -> operatorservice.ListSearchAttributesResponse:
        """Have none but those of Temporal itself."""
        return operatorservice.ListSearchAttributesResponse()

    def on_describe_namespace(self, request: Any) -> DescribeNamespaceResponse:
        """Say that the namespace is there."""
        if request.namespace != self._server.namespace:
            raise not_found(f"Namespace {request.namespace} is not found.")
        answer = DescribeNamespaceResponse(
            namespace_info=NamespaceInfo(name=self._server.namespace)
        )
        retention = answer.config.workflow_execution_retention_ttl
        retention.FromSeconds(int(self._server.retention_seconds))
        return answer


def _row(execution: Execution) -> Row:
    return Row(
        execution.start,
        execution.status,
        execution.memo,
        execution.close_time,
        execution.history.length,
    )


def _info(row: Row) -> WorkflowExecutionInfo:
    start = row.start
    info = WorkflowExecutionInfo(
        execution=WorkflowExecution(workflow_id=start.workflow_id, run_id=start.run_id),
        type=WorkflowType(name=start.workflow_type),
        start_time=stamp(start.shown_time),
        execution_time=stamp(start.shown_time),
        status=int(row.status),  # type: ignore[arg-type]
        history_length=row.history_length,
        task_queue=start.task_queue,
        first_run_id=start.first_run_id,
    )
    for key, value in row.memo.items():
        info.memo.fields[key].CopyFrom(value)
    for key, value in start.search_attributes.items():
        info.search_attributes.indexed_fields[key].CopyFrom(value)
    if row.close_time is not None:
        info.close_time.CopyFrom(stamp(row.close_time))
    if start.parent is not None:
        info.parent_execution.workflow_id = start.parent.workflow_id
        info.parent_execution.run_id = start.parent.run_id
    return info


def _pending_activity(activity: Activity) -> PendingActivityInfo:
    state = _STATES[activity.state]
    if activity.is_cancel_requested and activity.state is ActivityState.RUNNING:
        state = _CANCEL_REQUESTED
    info = PendingActivityInfo(
        activity_id=activity.body.activity_id,
        activity_type=ActivityType(name=activity.body.activity_type),
        state=state,
        attempt=activity.attempt,
        maximum_attempts=activity.body.retry_policy.maximum_attempts,
        scheduled_time=stamp(activity.attempt_scheduled_at),
        last_failure=activity.last_failure,
        last_worker_identity=activity.identity,
    )
    if activity.details is not None:
        info.heartbeat_details.CopyFrom(Payloads(payloads=activity.details))
    if activity.state is ActivityState.RUNNING:
        info.last_started_time.CopyFrom(stamp(activity.started_at))
    return info
