"""What the operator does at Temporal: look at, start, cancel, signal and list chain workflows.

Thin: `chain.requests.decide` decides. Failures of Temporal come out as `TemporalUnreachable`.
See ADR 0003.
"""

import dataclasses
import logging
from collections.abc import Awaitable, Callable
from datetime import timedelta

import temporalio.client
import temporalio.common
import temporalio.exceptions
import temporalio.service

from controller import clock, outside_text, times
from controller.api import reasons, v1alpha1
from controller.chain.requests import executions, next_request
from controller.chain.run import progress
from controller.temporal import client as temporal_client
from controller.temporal import (
    decoding,
    execution_infos,
    ids,
    messages,
    registered_attributes,
    search_attributes,
)

logger = logging.getLogger(__name__)

LIVE_CHAINS = f"WorkflowType = '{ids.CHAIN_WORKFLOW}' AND ExecutionStatus = 'Running'"
"""The query for the chains that run, of all installations."""

# A query needs a worker; one that is busy replaying answers within this.
_QUERY_TIMEOUT = timedelta(seconds=5)

_Handle = temporalio.client.WorkflowHandle[object, object]
_Start = Callable[[temporalio.common.TypedSearchAttributes | None], Awaitable[_Handle]]

# A first attempt may be under way.
_FAILING_ATTEMPTS = 2


class AlreadyStarted(Exception):
    """Another process started an execution of this resource just now: look again."""


class NoWorker(Exception):
    """No worker answered a query."""


class UnreadableExecution(Exception):
    """A live execution has a resource's id, and this version cannot say what it is."""

    def __init__(self, why: str, *, workflow_id: str, workflow_run_id: str) -> None:
        super().__init__(why)
        self.workflow_id, self.workflow_run_id = workflow_id, workflow_run_id


class UnreadableProgress(Exception):
    """A worker answers for an execution, and this version cannot read what it says."""


@dataclasses.dataclass(frozen=True, kw_only=True, slots=True)
class ChainExecution:
    """A listed execution with the resource that it belongs to."""

    memo: messages.ChainMemo
    workflow_id: str
    workflow_run_id: str


@dataclasses.dataclass(frozen=True, kw_only=True, slots=True)
class RunningChains:
    """The live executions of an installation, and the ids of what only looks like a chain."""

    executions: tuple[ChainExecution, ...]
    unreadable: tuple[str, ...] = ()


class ChainWorkflows:
    """Chain workflows of one installation."""

    def __init__(
        self,
        get_client: Callable[[], temporalio.client.Client],
        *,
        installation: str,
        task_queue: str,
        query_timeout: timedelta = _QUERY_TIMEOUT,
        attributes: registered_attributes.KnownAttributes | None = None,
    ) -> None:
        """Use the search attributes of the namespace, if it is known which it has."""
        self._get_client = get_client
        self._installation = installation
        self._task_queue = task_queue
        self._query_timeout = query_timeout
        self._attributes = attributes

    async def latest(self, ref: v1alpha1.Ref) -> executions.Execution | None:
        """Describe the latest execution of a resource; None if Temporal knows none.

        Raises:
            UnreadableExecution: it is live, and not one that this version knows.
        """
        workflow_id = _id_of(ref)
        client = self._get_client()
        with temporal_client.unreachable():
            try:
                found = await execution_infos.describe(client, workflow_id)
            except temporalio.service.RPCError as error:
                if temporal_client.is_gone(error):
                    return None
                raise
            try:
                memo = await decoding.chain_memo(client, found.memo, workflow_id)
            except decoding.Unreadable as error:
                if found.state is executions.ExecutionState.RUNNING:
                    raise UnreadableExecution(
                        str(error),
                        workflow_id=workflow_id,
                        workflow_run_id=found.workflow_run_id,
                    ) from error
                # What has ended is in the way of nothing.
                logger.warning("A workflow in the place of a chain's", extra={"why": str(error)})
                return None
        return _execution(found, memo)

    async def get_progress(self, execution: executions.Execution) -> progress.ChainProgress | None:
        """Return the facts of an execution; None if it ended without a result, or is gone.

        Raises:
            NoWorker: it runs and no worker answers.
            UnreadableProgress: a worker answers, and this operator cannot read it.
        """
        handle = self._get_client().get_workflow_handle(
            execution.workflow_id,
            run_id=execution.workflow_run_id,
            result_type=progress.ChainProgress,
        )
        if execution.state is executions.ExecutionState.CLOSED:
            return await self._result(handle)
        if execution.state is not executions.ExecutionState.RUNNING:
            # Terminated: a query would give stale facts; the status has the last ones.
            return None
        return await self._query(handle)

    async def task_failure(self, execution: executions.Execution) -> str | None:
        """Return why workers fail at a live run; None if none has, or the run is gone by now.

        Asked only about a task that was given out more than once: otherwise nothing has failed.
        """
        if execution.task_attempts < _FAILING_ATTEMPTS:
            return None
        with temporal_client.unreachable():
            try:
                return await execution_infos.task_failure(
                    self._get_client(), execution.workflow_id, execution.workflow_run_id
                )
            except temporalio.service.RPCError as error:
                if temporal_client.is_gone(error):
                    return None
                raise

    async def termination(self, execution: executions.Execution) -> str:
        """Return the reason for which a run was terminated, if there is one."""
        with temporal_client.unreachable():
            try:
                return await execution_infos.termination(
                    self._get_client(), execution.workflow_id, execution.workflow_run_id
                )
            except temporalio.service.RPCError as error:
                if error.status is temporalio.service.RPCStatusCode.NOT_FOUND:
                    return ""
                raise

    async def is_failing(self, execution: ChainExecution) -> bool:
        """Whether the task of a live run was given to workers more than once."""
        with temporal_client.unreachable():
            try:
                found = await execution_infos.describe(
                    self._get_client(), execution.workflow_id, execution.workflow_run_id
                )
            except temporalio.service.RPCError as error:
                if temporal_client.is_gone(error):
                    return False
                raise
        return found.attempt >= _FAILING_ATTEMPTS

    async def _result(
        self, handle: temporalio.client.WorkflowHandle[object, progress.ChainProgress]
    ) -> progress.ChainProgress | None:
        what = f"The result of the workflow {handle.id}"
        with temporal_client.unreachable():
            try:
                with decoding.readable(what):
                    result = await handle.result(follow_runs=False, rpc_timeout=self._query_timeout)
                return _unpacked(result, what)
            except temporalio.client.WorkflowFailureError:
                return None
            except temporalio.service.RPCError as error:
                # Deleted since it was described, or by its retention while it was read.
                if temporal_client.is_gone(error):
                    return None
                raise
            except decoding.Unreadable as error:
                # It stays so: the status says that nothing is known of the end.
                logger.warning("A result cannot be read", extra={"why": str(error)})
                return None

    async def is_answering(self, execution: ChainExecution) -> bool:
        """Whether a worker answers for a live run; a run that is gone by now does not count."""
        try:
            await self._ask(execution)
        except NoWorker:
            return False
        except UnreadableProgress:
            return True
        return True

    async def is_orphan(self, execution: ChainExecution) -> bool:
        """Whether a live run was told to continue without its resource.

        This asks the run itself: the memo in a listing may be older than what the run was told.

        Raises:
            NoWorker: no worker answers for it.
            UnreadableProgress: a worker does, and this operator cannot read it.
        """
        known = await self._ask(execution)
        return known is not None and known.is_orphan

    async def _ask(self, execution: ChainExecution) -> progress.ChainProgress | None:
        """Return what a live run knows; None if it is gone by now."""
        handle: temporalio.client.WorkflowHandle[object, progress.ChainProgress]
        handle = self._get_client().get_workflow_handle(
            execution.workflow_id, run_id=execution.workflow_run_id
        )
        return await self._query(handle)

    async def _query(
        self, handle: temporalio.client.WorkflowHandle[object, progress.ChainProgress]
    ) -> progress.ChainProgress | None:
        """Return what a live run answers; None if it is gone by now."""
        what = f"The answer of the workflow {handle.id}"
        with temporal_client.unreachable():
            try:
                with decoding.readable(what):
                    answer = await handle.query(
                        ids.PROGRESS_QUERY,
                        result_type=progress.ChainProgress,
                        rpc_timeout=self._query_timeout,
                    )
                return _unpacked(answer, what)
            except decoding.Unreadable as error:
                raise UnreadableProgress(str(error)) from error
            except temporalio.client.WorkflowQueryFailedError as error:
                raise NoWorker(outside_text.clean(str(error))) from error
            except temporalio.service.RPCError as error:
                if temporal_client.is_gone(error):
                    return None
                if error.status in NO_WORKER:
                    raise NoWorker(outside_text.clean(str(error))) from error
                raise

    async def start(
        self, ref: v1alpha1.Ref, request: next_request.Request, argument: messages.ChainInput
    ) -> executions.Execution:
        """Start the run of a request.

        Raises:
            AlreadyStarted: the resource has a live execution.
        """
        workflow_id = _id_of(ref)
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
            named=request.named,
            bypassed=request.bypassed,
        )

        async def start(
            attributes: temporalio.common.TypedSearchAttributes | None,
        ) -> _Handle:
            return await self._get_client().start_workflow(
                ids.CHAIN_WORKFLOW,
                argument,
                id=workflow_id,
                task_queue=self._task_queue,
                memo={ids.MEMO: memo},
                search_attributes=attributes,
                id_conflict_policy=temporalio.common.WorkflowIDConflictPolicy.FAIL,
                static_summary=f"{ref.namespace}/{ref.name} run {request.number}",
                static_details=_details(argument, request),
            )

        with temporal_client.unreachable():
            try:
                handle = await self._with_attributes(ref, start)
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
            start_time=times.rfc3339(clock.now()),
            operation=argument.scope.operation,
            root_runs=request.root_runs,
            named=request.named,
            bypassed=request.bypassed,
        )

    async def _with_attributes(self, ref: v1alpha1.Ref, start: _Start) -> _Handle:
        """Start a run, with search attributes if the namespace has them."""
        known = self._attributes
        if known is None or not await known.are_there():
            return await start(None)
        attributes = search_attributes.of_chain(
            namespace=ref.namespace, name=ref.name, reason=reasons.ChainReason.PROGRESSING
        )
        try:
            return await start(attributes)
        except temporalio.service.RPCError as error:
            if error.status is not temporalio.service.RPCStatusCode.INVALID_ARGUMENT:
                raise
            # Someone has removed one, or this server does not know it yet: nothing was started.
            known.refused()
            return await start(None)

    async def request_stacks(
        self, execution: executions.Execution, request: progress.LiveRequest
    ) -> None:
        """Ask a live run for what a person asks of its stacks; it may be asked twice."""
        await self._signal(execution, ids.REQUEST_SIGNAL, request)

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
                if not temporal_client.is_gone(error):
                    raise

    async def terminate(self, execution: executions.Execution, *, reason: str) -> None:
        """End an execution at once, which hears nothing of it; fine if it is closed already."""
        handle: temporalio.client.WorkflowHandle[object, object]
        handle = self._get_client().get_workflow_handle(
            execution.workflow_id, run_id=execution.workflow_run_id
        )
        with temporal_client.unreachable():
            try:
                await handle.terminate(reason=reason)
            except temporalio.service.RPCError as error:
                if not temporal_client.is_gone(error):
                    raise

    async def set_parallelism(self, execution: executions.Execution, parallelism: int) -> None:
        """Send a live run its new limit."""
        await self._signal(
            execution, ids.PARALLELISM_SIGNAL, messages.SetParallelism(parallelism=parallelism)
        )

    async def set_suspended(self, execution: executions.Execution, is_suspended: bool) -> None:
        """Tell a live run to start no further stack, or to start stacks again."""
        await self._signal(execution, ids.SUSPEND_SIGNAL if is_suspended else ids.RESUME_SIGNAL)

    async def orphan(self, execution: executions.Execution) -> None:
        """Tell a live run to continue without its resource, which is being deleted."""
        await self._signal(execution, ids.ORPHAN_SIGNAL)

    async def _signal(self, execution: executions.Execution, name: str, *arguments: object) -> None:
        """Signal a live run; one that closed meanwhile needs no signal."""
        handle = self._get_client().get_workflow_handle(
            execution.workflow_id, run_id=execution.workflow_run_id
        )
        with temporal_client.unreachable():
            try:
                await handle.signal(name, args=arguments)
            except temporalio.service.RPCError as error:
                if not temporal_client.is_gone(error):
                    raise

    async def await_close(self, workflow_id: str, workflow_run_id: str) -> None:
        """Return when the execution has closed, however, whatever it left."""
        with temporal_client.unreachable():
            try:
                await execution_infos.await_close(self._get_client(), workflow_id, workflow_run_id)
            except temporalio.service.RPCError as error:
                # That it is gone is as good as its end.
                if not temporal_client.is_gone(error):
                    raise

    async def list_running(self) -> RunningChains:
        """Return the live chain executions of this installation, as visibility knows them."""
        found: list[ChainExecution] = []
        unreadable: list[str] = []
        client = self._get_client()
        with temporal_client.unreachable():
            async for item in execution_infos.list_all(client, LIVE_CHAINS):
                try:
                    memo = await decoding.chain_memo(client, item.memo, item.workflow_id)
                except decoding.Unreadable:
                    unreadable.append(item.workflow_id)
                    continue
                if item.workflow_id != _id_of(memo.ref):
                    # It would pass for that resource's run.
                    unreadable.append(item.workflow_id)
                elif memo.installation == self._installation:
                    found.append(
                        ChainExecution(
                            memo=memo,
                            workflow_id=item.workflow_id,
                            workflow_run_id=item.workflow_run_id,
                        )
                    )
        return RunningChains(executions=tuple(found), unreadable=tuple(unreadable))


# How a query fails that reaches Temporal and no worker: the client or the server gave up waiting,
# or workers fail at the workflow's task.
NO_WORKER = frozenset(
    {
        temporalio.service.RPCStatusCode.CANCELLED,
        temporalio.service.RPCStatusCode.DEADLINE_EXCEEDED,
        temporalio.service.RPCStatusCode.FAILED_PRECONDITION,
    }
)


def _unpacked(answer: object, what: str) -> progress.ChainProgress:
    known = decoding.checked(answer, progress.ChainProgress, what)
    with decoding.readable(what):
        return progress.unpacked(known)


def _details(argument: messages.ChainInput, request: next_request.Request) -> str:
    """What Temporal's web UI shows of the run, in Markdown."""
    scope = argument.scope
    roots = outside_text.markdown(
        ", ".join(scope.roots.stack_ids) or "labels " + ", ".join(scope.roots.labels)
    )
    parts = [
        f"{scope.operation}. Roots: {roots}.",
        f"Request: {outside_text.markdown(request.key)}.",
    ]
    if argument.finished_roots:
        runs = ", ".join(root.run_id for root in argument.finished_roots)
        parts.append(f"Below the finished runs {runs}.")
    if argument.kept:
        parts.append(f"Stacks kept from the run before: {len(argument.kept)}.")
    return " ".join(parts)


def _id_of(ref: v1alpha1.Ref) -> str:
    return ids.chain_workflow_id(namespace=ref.namespace, name=ref.name, uid=ref.uid)


def _execution(
    found: execution_infos.ExecutionInfo, memo: messages.ChainMemo
) -> executions.Execution:
    return executions.Execution(
        workflow_id=found.workflow_id,
        workflow_run_id=found.workflow_run_id,
        state=found.state,
        number=memo.number,
        attempt=memo.attempt,
        cause=memo.cause,
        generation=memo.ref.generation,
        handled=memo.handled,
        root_runs=memo.root_runs,
        named=memo.named,
        bypassed=memo.bypassed,
        operation=memo.operation,
        start_time=times.rfc3339(found.start_time),
        close_time=times.rfc3339(found.close_time) if found.close_time else None,
        task_attempts=found.attempt,
        is_reset=found.first_run_id != found.workflow_run_id,
        failure=f"The workflow ended {found.status}; its history in Temporal has the reason.",
    )
