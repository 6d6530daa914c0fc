"""The calls of Temporal's workflow service that the product makes, and how each is answered."""

import asyncio
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from google.protobuf.message import Message
from temporalio.api.common.v1 import GrpcStatus, Payload, Payloads
from temporalio.api.enums.v1 import WorkflowIdConflictPolicy
from temporalio.api.errordetails.v1 import WorkflowExecutionAlreadyStartedFailure
from temporalio.api.failure.v1 import Failure
from temporalio.api.workflowservice import v1 as api
from temporalio.bridge.proto.health.v1 import HealthCheckResponse
from temporalio.service import RPCError, RPCStatusCode

from tests.simulation.temporal import describing, schedule_service, workflow_tasks
from tests.simulation.temporal.activities import seconds_of
from tests.simulation.temporal.history import Kind, Signal
from tests.simulation.temporal.history_reads import HistoryReads
from tests.simulation.temporal.records import Execution, Query, Start
from tests.simulation.temporal.refusals import NotSimulated, not_found, only, rpc_error
from tests.simulation.temporal.resets import reset

if TYPE_CHECKING:
    from tests.simulation.temporal.server import TemporalServer

_EXISTS = RPCStatusCode.ALREADY_EXISTS
_LONGEST_ID = 1000


class Service:
    """Answers calls; an answer that takes time is a future."""

    def __init__(self, server: "TemporalServer") -> None:
        self._server = server
        self._describing = describing.Describing(server)
        self._histories = HistoryReads(server)
        self._schedules = schedule_service.ScheduleService(server)

    def answer(self, rpc: str, request: Message) -> Any:
        """Answer a call.

        Raises:
            NotSimulated: the product makes no such call.
            RPCError: it is refused as the server refuses it.
        """
        for part in (self, self._describing, self._histories, self._schedules):
            handler: Callable[[Any], Any] | None = getattr(part, f"on_{rpc}", None)
            if handler is not None:
                return handler(request)
        raise NotSimulated(f"the call {rpc}")

    def on_check(self, request: Any) -> HealthCheckResponse:
        """Say that the server is there."""
        return HealthCheckResponse(status=HealthCheckResponse.ServingStatus.SERVING)

    def on_start_workflow_execution(
        self, request: api.StartWorkflowExecutionRequest
    ) -> api.StartWorkflowExecutionResponse:
        """Start an execution, or say which one has its id."""
        only(request, *_START_FIELDS)
        latest = self._server.latest(request.workflow_id)
        if latest is not None and latest.start.request_id == request.request_id:
            return _started(latest, is_new=True)
        if latest is not None and latest.is_running:
            match request.workflow_id_conflict_policy:
                case WorkflowIdConflictPolicy.WORKFLOW_ID_CONFLICT_POLICY_USE_EXISTING:
                    return _started(latest, is_new=False)
                case WorkflowIdConflictPolicy.WORKFLOW_ID_CONFLICT_POLICY_TERMINATE_EXISTING:
                    self._server.terminate(
                        latest, reason="TerminateIfRunning WorkflowIdReusePolicy"
                    )
                case _:
                    raise _already_started(latest, "Workflow execution is already running.")
        elif latest is not None and not self._server.is_free(
            request.workflow_id, request.workflow_id_reuse_policy
        ):
            raise _already_started(latest, "Workflow execution already finished.")
        return _started(self._server.start_execution(_start_of(request)), is_new=True)

    def on_signal_workflow_execution(
        self, request: api.SignalWorkflowExecutionRequest
    ) -> api.SignalWorkflowExecutionResponse:
        """Signal an execution that runs."""
        execution = self._running(request.workflow_execution)
        if request.request_id not in execution.signal_ids:
            execution.signal_ids.add(request.request_id)
            signal = Signal(
                request.signal_name,
                list(request.input.payloads),
                request.identity,
                dict(request.header.fields),
            )
            self._server.workflow_tasks.add_event(execution, Kind.SIGNALED, signal)
        return api.SignalWorkflowExecutionResponse()

    def on_request_cancel_workflow_execution(
        self, request: api.RequestCancelWorkflowExecutionRequest
    ) -> api.RequestCancelWorkflowExecutionResponse:
        """Ask an execution to end; one that has ended is fine."""
        only(
            request,
            "namespace",
            "workflow_execution",
            "identity",
            "request_id",
            "first_execution_run_id",
            "reason",
        )
        execution = self._find(request.workflow_execution)
        first = request.first_execution_run_id
        if first and execution.start.first_run_id != first:
            raise not_found("workflow execution already completed")
        self._server.request_cancel(execution, reason=request.reason, request_id=request.request_id)
        return api.RequestCancelWorkflowExecutionResponse()

    def on_terminate_workflow_execution(
        self, request: api.TerminateWorkflowExecutionRequest
    ) -> api.TerminateWorkflowExecutionResponse:
        """End an execution at once."""
        only(
            request,
            "namespace",
            "workflow_execution",
            "identity",
            "first_execution_run_id",
            "reason",
        )
        execution = self._running(request.workflow_execution)
        first = request.first_execution_run_id
        if first and execution.start.first_run_id != first:
            raise not_found("workflow execution already completed")
        self._server.terminate(execution, reason=request.reason)
        return api.TerminateWorkflowExecutionResponse()

    def on_reset_workflow_execution(
        self, request: api.ResetWorkflowExecutionRequest
    ) -> api.ResetWorkflowExecutionResponse:
        """Go back to an earlier workflow task, in a new run."""
        execution = self._find(request.workflow_execution)
        made = reset(self._server, execution, request)
        return api.ResetWorkflowExecutionResponse(run_id=made.run_id)

    def on_delete_workflow_execution(
        self, request: api.DeleteWorkflowExecutionRequest
    ) -> api.DeleteWorkflowExecutionResponse:
        """Forget an execution, soon."""
        execution = self._find(request.workflow_execution)
        self._server.transfer(self._server.delete, execution)
        return api.DeleteWorkflowExecutionResponse()

    def on_query_workflow(self, request: api.QueryWorkflowRequest) -> "asyncio.Future[Any]":
        """Have a worker answer."""
        only(request, "namespace", "execution", "query")
        execution = self._find(request.execution)
        if execution.is_running and execution.task_attempt >= workflow_tasks.FAILING_ATTEMPTS:
            raise rpc_error(
                RPCStatusCode.FAILED_PRECONDITION,
                "Cannot query workflow due to Workflow Task in failed state.",
            )
        if not execution.is_running and not execution.history.tasks:
            raise rpc_error(
                RPCStatusCode.FAILED_PRECONDITION,
                "Workflow was closed before any Workflow Task completed.",
            )
        answer: asyncio.Future[Payload | Failure] = self._server.loop.create_future()
        query = Query(request.query.query_type, list(request.query.query_args.payloads), answer)
        self._server.ask(execution, query)
        response: asyncio.Future[Any] = self._server.loop.create_future()
        answer.add_done_callback(
            lambda _: _pass_on(answer, response), context=self._server.loop.world.context
        )
        # Whoever stops waiting takes its query back.
        response.add_done_callback(
            lambda _: answer.cancel(), context=self._server.loop.world.context
        )
        return response

    def _find(self, wanted: Any) -> Execution:
        if len(wanted.workflow_id) > _LONGEST_ID:
            raise rpc_error(RPCStatusCode.INVALID_ARGUMENT, "WorkflowId length exceeds limit.")
        found = self._server.find_run(wanted.workflow_id, wanted.run_id)
        if found is None:
            raise not_found(f"workflow not found for ID: {wanted.workflow_id}")
        return found

    def _running(self, wanted: Any) -> Execution:
        found = self._find(wanted)
        if not found.is_running:
            raise not_found("workflow execution already completed")
        return found


_START_FIELDS = (
    "namespace",
    "workflow_id",
    "workflow_type",
    "task_queue",
    "input",
    "identity",
    "request_id",
    "workflow_id_reuse_policy",
    "workflow_id_conflict_policy",
    "memo",
    "user_metadata",
    "priority",
    "workflow_execution_timeout",
    "header",
    "search_attributes",
)


def _start_of(request: api.StartWorkflowExecutionRequest) -> Start:
    return Start(
        workflow_id=request.workflow_id,
        workflow_type=request.workflow_type.name,
        task_queue=request.task_queue.name,
        input=list(request.input.payloads),
        request_id=request.request_id,
        execution_timeout=seconds_of(request.workflow_execution_timeout),
        memo=dict(request.memo.fields),
        search_attributes=dict(request.search_attributes.indexed_fields),
        identity=request.identity,
    )


def _started(execution: Execution, *, is_new: bool) -> api.StartWorkflowExecutionResponse:
    return api.StartWorkflowExecutionResponse(
        run_id=execution.run_id,
        first_execution_run_id=execution.start.first_run_id,
        started=is_new,
        status=int(execution.status),  # type: ignore[arg-type]
    )


def _already_started(execution: Execution, message: str) -> RPCError:
    status = GrpcStatus(code=int(_EXISTS), message=message)
    status.details.add().Pack(
        WorkflowExecutionAlreadyStartedFailure(
            start_request_id=execution.start.request_id, run_id=execution.run_id
        )
    )
    return RPCError(message, _EXISTS, status.SerializeToString())


def _pass_on(answer: "asyncio.Future[Payload | Failure]", response: "asyncio.Future[Any]") -> None:
    if response.done() or answer.cancelled():
        return
    given = answer.result()
    if isinstance(given, Failure):
        response.set_exception(rpc_error(RPCStatusCode.INVALID_ARGUMENT, given.message))
    else:
        response.set_result(api.QueryWorkflowResponse(query_result=Payloads(payloads=[given])))
