"""What the operator does at Temporal: look at, start, cancel, signal and list chain workflows.

Thin: `chain.requests.decide` decides. Failures of Temporal come out as `TemporalUnreachable`.
See ADR 0003.
"""

import contextlib
import dataclasses
from collections.abc import AsyncIterator, Callable
from datetime import UTC, datetime, timedelta

import temporalio.client
import temporalio.common
import temporalio.exceptions
import temporalio.service

from controller import times
from controller.api import v1alpha1
from controller.chain.requests import executions, next_request
from controller.chain.run import progress
from controller.temporal import client as temporal_client
from controller.temporal import ids, messages

LIVE_CHAINS = f"WorkflowType = '{ids.CHAIN_WORKFLOW}' AND ExecutionStatus = 'Running'"
"""The query for the chains that run, of all installations."""

# A query needs a worker; one that is busy replaying answers within this.
_QUERY_TIMEOUT = timedelta(seconds=5)

_STATES = {
    temporalio.client.WorkflowExecutionStatus.RUNNING: executions.ExecutionState.RUNNING,
    temporalio.client.WorkflowExecutionStatus.COMPLETED: executions.ExecutionState.CLOSED,
    temporalio.client.WorkflowExecutionStatus.CANCELED: executions.ExecutionState.TERMINATED,
    temporalio.client.WorkflowExecutionStatus.TERMINATED: executions.ExecutionState.TERMINATED,
    temporalio.client.WorkflowExecutionStatus.TIMED_OUT: executions.ExecutionState.TERMINATED,
    temporalio.client.WorkflowExecutionStatus.FAILED: executions.ExecutionState.FAILED,
}


class AlreadyStarted(Exception):
    """Another process started an execution of this resource just now: look again."""


class NoWorker(Exception):
    """No worker answered a query."""


@dataclasses.dataclass(frozen=True, kw_only=True, slots=True)
class ChainExecution:
    """A listed execution with the resource that it belongs to."""

    memo: messages.ChainMemo
    workflow_id: str
    workflow_run_id: str


class ChainWorkflows:
    """Chain workflows of one installation."""

    def __init__(
        self,
        get_client: Callable[[], temporalio.client.Client],
        *,
        installation: str,
        task_queue: str,
        query_timeout: timedelta = _QUERY_TIMEOUT,
    ) -> None:
        self._get_client = get_client
        self._installation = installation
        self._task_queue = task_queue
        self._query_timeout = query_timeout

    async def latest(self, ref: v1alpha1.Ref) -> executions.Execution | None:
        """Describe the latest execution of a resource; None if Temporal knows none."""
        workflow_id = ids.chain_workflow_id(namespace=ref.namespace, name=ref.name, uid=ref.uid)
        handle = self._get_client().get_workflow_handle(workflow_id)
        with temporal_client.unreachable():
            try:
                description = await handle.describe()
            except temporalio.service.RPCError as error:
                if error.status is temporalio.service.RPCStatusCode.NOT_FOUND:
                    return None
                raise
            memo = await read_memo(description)
        if memo is None:
            return None
        return _execution(description, memo)

    async def get_progress(self, execution: executions.Execution) -> progress.ChainProgress | None:
        """Return the facts of an execution; None if its history ended without a result.

        Raises:
            NoWorker: it runs and no worker answers.
        """
        handle = self._get_client().get_workflow_handle(
            execution.workflow_id,
            run_id=execution.workflow_run_id,
            result_type=progress.ChainProgress,
        )
        if execution.state is executions.ExecutionState.CLOSED:
            with temporal_client.unreachable():
                try:
                    result: progress.ChainProgress = await handle.result(
                        follow_runs=False, rpc_timeout=self._query_timeout
                    )
                except temporalio.client.WorkflowFailureError:
                    return None
                return result
        if execution.state is not executions.ExecutionState.RUNNING:
            # Terminated: what a query would tell is stale; the status has the last facts.
            return None
        return await self._query(handle)

    async def is_answering(self, execution: ChainExecution) -> bool:
        """Whether a worker answers for a live run; one that is gone by now says nothing of it."""
        try:
            await self._ask(execution)
        except NoWorker:
            return False
        return True

    async def is_orphan(self, execution: ChainExecution) -> bool:
        """Whether a live run was told to go on without its resource.

        The run itself is asked: the memo in a listing is behind what it was told.

        Raises:
            NoWorker: nobody answers for it.
        """
        known = await self._ask(execution)
        return known is not None and known.is_orphan

    async def _ask(self, execution: ChainExecution) -> progress.ChainProgress | None:
        """Return what a live run knows; None if it is gone by now."""
        handle: temporalio.client.WorkflowHandle[object, progress.ChainProgress]
        handle = self._get_client().get_workflow_handle(
            execution.workflow_id, run_id=execution.workflow_run_id
        )
        try:
            return await self._query(handle)
        except temporal_client.TemporalUnreachable as error:
            cause = error.__cause__
            if not isinstance(cause, temporalio.service.RPCError) or (
                cause.status is not temporalio.service.RPCStatusCode.NOT_FOUND
            ):
                raise
        return None

    async def _query(
        self, handle: temporalio.client.WorkflowHandle[object, progress.ChainProgress]
    ) -> progress.ChainProgress:
        with temporal_client.unreachable():
            try:
                answer: progress.ChainProgress = await handle.query(
                    ids.PROGRESS_QUERY,
                    result_type=progress.ChainProgress,
                    rpc_timeout=self._query_timeout,
                )
            except temporalio.client.WorkflowQueryFailedError as error:
                raise NoWorker(str(error)) from error
            except temporalio.service.RPCError as error:
                if error.status in NO_WORKER:
                    raise NoWorker(str(error)) from error
                raise
        return answer

    async def start(
        self, ref: v1alpha1.Ref, request: next_request.Request, argument: messages.ChainInput
    ) -> executions.Execution:
        """Start the run of a request.

        Raises:
            AlreadyStarted: the resource has a live execution.
        """
        workflow_id = ids.chain_workflow_id(namespace=ref.namespace, name=ref.name, uid=ref.uid)
        memo = messages.ChainMemo(
            installation=self._installation,
            ref=ref,
            number=request.number,
            attempt=request.attempt,
            cause=request.cause,
            # A cancel starts nothing, so that only the status says that it was taken up.
            handled=dataclasses.replace(
                request.handled, cancel=None, root_runs=tuple(request.took_up)
            ),
            operation=argument.scope.operation,
            root_runs=request.root_runs,
        )
        with temporal_client.unreachable():
            try:
                handle = await self._get_client().start_workflow(
                    ids.CHAIN_WORKFLOW,
                    argument,
                    id=workflow_id,
                    task_queue=self._task_queue,
                    memo={ids.MEMO: memo},
                    id_conflict_policy=temporalio.common.WorkflowIDConflictPolicy.FAIL,
                    static_summary=f"{ref.namespace}/{ref.name} run {request.number}",
                    static_details=_details(argument, request),
                )
            except temporalio.exceptions.WorkflowAlreadyStartedError as error:
                raise AlreadyStarted(workflow_id) from error
        return executions.Execution(
            workflow_id=workflow_id,
            workflow_run_id=handle.first_execution_run_id or "",
            state=executions.ExecutionState.RUNNING,
            number=request.number,
            attempt=request.attempt,
            cause=request.cause,
            generation=ref.generation,
            handled=request.handled,
            start_time=times.rfc3339(datetime.now(UTC)),
            operation=argument.scope.operation,
            root_runs=request.root_runs,
        )

    async def cancel(self, workflow_id: str, workflow_run_id: str) -> None:
        """Ask an execution to stop its runs and close; fine if it is closed already."""
        with temporal_client.unreachable():
            try:
                await (
                    self._get_client()
                    .get_workflow_handle(workflow_id, run_id=workflow_run_id)
                    .cancel()
                )
            except temporalio.service.RPCError as error:
                if error.status is not temporalio.service.RPCStatusCode.NOT_FOUND:
                    raise

    async def set_parallelism(self, execution: executions.Execution, parallelism: int) -> None:
        """Tell a live run its new bound."""
        await self._signal(
            execution, ids.PARALLELISM_SIGNAL, messages.SetParallelism(parallelism=parallelism)
        )

    async def set_suspended(self, execution: executions.Execution, is_suspended: bool) -> None:
        """Tell a live run to start no further stack, or to start stacks again."""
        await self._signal(execution, ids.SUSPEND_SIGNAL if is_suspended else ids.RESUME_SIGNAL)

    async def orphan(self, execution: executions.Execution) -> None:
        """Tell a live run that its resource goes and that it is to go on without."""
        await self._signal(execution, ids.ORPHAN_SIGNAL)

    async def _signal(self, execution: executions.Execution, name: str, *arguments: object) -> None:
        """Signal a live run; one that closed meanwhile needs no telling."""
        handle = self._get_client().get_workflow_handle(
            execution.workflow_id, run_id=execution.workflow_run_id
        )
        with temporal_client.unreachable():
            try:
                await handle.signal(name, args=arguments)
            except temporalio.service.RPCError as error:
                if error.status is not temporalio.service.RPCStatusCode.NOT_FOUND:
                    raise

    async def await_close(self, workflow_id: str, workflow_run_id: str) -> None:
        """Return when the execution has closed, however."""
        handle = self._get_client().get_workflow_handle(workflow_id, run_id=workflow_run_id)
        with (
            temporal_client.unreachable(),
            contextlib.suppress(temporalio.client.WorkflowFailureError),
        ):
            await handle.result(follow_runs=False)

    async def list_running(self) -> AsyncIterator[ChainExecution]:
        """Yield the live chain executions of this installation, as visibility knows them."""
        with temporal_client.unreachable():
            async for item in self._get_client().list_workflows(LIVE_CHAINS, page_size=500):
                memo = await read_memo(item)
                if memo is not None and memo.installation == self._installation:
                    yield ChainExecution(
                        memo=memo, workflow_id=item.id, workflow_run_id=item.run_id
                    )


# How a query fails that reaches Temporal and no worker: the client or the server gave up waiting,
# or workers fail at the workflow's task.
NO_WORKER = frozenset(
    {
        temporalio.service.RPCStatusCode.CANCELLED,
        temporalio.service.RPCStatusCode.DEADLINE_EXCEEDED,
        temporalio.service.RPCStatusCode.FAILED_PRECONDITION,
    }
)


def _details(argument: messages.ChainInput, request: next_request.Request) -> str:
    """What Temporal's web UI shows of the run, in Markdown."""
    scope = argument.scope
    roots = ", ".join(scope.roots.stack_ids) or "labels " + ", ".join(scope.roots.labels)
    parts = [f"{scope.operation}. Roots: {roots}.", f"Request: `{request.key}`."]
    if argument.finished_roots:
        runs = ", ".join(root.run_id for root in argument.finished_roots)
        parts.append(f"Below the finished runs {runs}.")
    if argument.kept:
        parts.append(f"Stacks kept from the run before: {len(argument.kept)}.")
    return " ".join(parts)


async def read_memo(
    execution: temporalio.client.WorkflowExecution,
) -> messages.ChainMemo | None:
    """Return who the execution belongs to; None for one that this program did not start."""
    try:
        memo: messages.ChainMemo | None = await execution.memo_value(
            ids.MEMO, default=None, type_hint=messages.ChainMemo
        )
    except (TypeError, ValueError):
        return None
    return memo


def _execution(
    description: temporalio.client.WorkflowExecutionDescription, memo: messages.ChainMemo
) -> executions.Execution:
    status = description.status or temporalio.client.WorkflowExecutionStatus.RUNNING
    return executions.Execution(
        workflow_id=description.id,
        workflow_run_id=description.run_id,
        state=_STATES.get(status, executions.ExecutionState.RUNNING),
        number=memo.number,
        attempt=memo.attempt,
        cause=memo.cause,
        generation=memo.ref.generation,
        handled=memo.handled,
        root_runs=memo.root_runs,
        operation=memo.operation,
        start_time=times.rfc3339(description.start_time),
        close_time=times.rfc3339(description.close_time) if description.close_time else None,
        failure=f"The workflow ended {status.name}; its history in Temporal has the reason.",
    )
