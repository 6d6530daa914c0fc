"""Asks Temporal whether a chain, of whatever installation, has a Spacelift run or is about to.

A stack's executions have the same id in all chains and clusters, so their runs can be read without
knowing any chain.
"""

import contextlib
import enum
import logging
from collections.abc import AsyncIterator, Callable
from datetime import timedelta

import temporalio.client
import temporalio.service

from controller import outside_text
from controller.chain.requests import executions
from controller.chain.run import progress
from controller.temporal import client as temporal_client
from controller.temporal import decoding, execution_infos, ids, start_messages
from controller.temporal.operator import starter

logger = logging.getLogger(__name__)

_QUERY_TIMEOUT = timedelta(seconds=5)
# An older execution of a stack had closed before the run was created.
_LOOKED_AT = 20


class RunUse(enum.Enum):
    """What chains have to do with a run."""

    UNUSED = enum.auto()
    USED = enum.auto()
    # Not known yet: a worker does not answer, or a chain that still runs may adopt the run.
    UNDECIDED = enum.auto()


class RunUseReader:
    """Looks at the executions of stacks."""

    def __init__(self, get_client: Callable[[], temporalio.client.Client]) -> None:
        self._get_client = get_client

    async def use_of(self, account: str, stack_id: str, run: start_messages.FinishedRun) -> RunUse:
        """Return what chains have to do with a stack's run that has finished.

        Raises:
            TemporalUnreachable: call again later.
        """
        with temporal_client.unreachable():
            async for execution in self._executions(account, stack_id):
                try:
                    used = await self._run_of(execution)
                except starter.NoWorker:
                    return RunUse.UNDECIDED
                if used == run.run_id:
                    return RunUse.USED
            return await self._of_wave(account, stack_id, run)

    async def _of_wave(
        self, account: str, stack_id: str, run: start_messages.FinishedRun
    ) -> RunUse:
        """Look at the chains that ran the stack which made Spacelift queue the run, or began below.

        Such a chain adopts the run when its turn comes, which may be after the run's end.
        """
        parents: set[tuple[str, str]] = set()
        # A stack, a person or something else may trigger a run; only ids of stacks fit.
        if not run.triggered_by or "'" in run.triggered_by:
            return RunUse.UNUSED
        async for execution in self._executions(account, run.triggered_by):
            if execution.parent is not None:
                parents.add(execution.parent)
        parents |= {item async for item in self._chains_below(run.triggered_by)}
        for workflow_id, run_id in sorted(parents):
            use = await self._of_chain(workflow_id, run_id, stack_id, run.run_id)
            if use is not RunUse.UNUSED:
                return use
        return RunUse.UNUSED

    async def _chains_below(self, root: str) -> AsyncIterator[tuple[str, str]]:
        """Yield the live chains that the finished run of a root started; it has no execution."""
        client = self._get_client()
        async for item in execution_infos.list_all(client, starter.LIVE_CHAINS):
            try:
                memo = await decoding.chain_memo(client, item.memo, item.workflow_id)
            except decoding.Unreadable:
                # Not a chain, or of a version that this operator cannot read; the resync counts it.
                continue
            if any(below.stack_id == root for below in memo.root_runs):
                yield item.workflow_id, item.workflow_run_id

    async def _of_chain(
        self, workflow_id: str, workflow_run_id: str, stack_id: str, run_id: str
    ) -> RunUse:
        client = self._get_client()
        handle: temporalio.client.WorkflowHandle[object, progress.ChainProgress]
        handle = client.get_workflow_handle(workflow_id, run_id=workflow_run_id)
        what = f"The answer of the workflow {workflow_id}"
        try:
            found = await execution_infos.describe(client, workflow_id, workflow_run_id)
            if found.state is not executions.ExecutionState.RUNNING:
                return RunUse.UNUSED
            with decoding.readable(what):
                answer = await handle.query(
                    ids.PROGRESS_QUERY,
                    result_type=progress.ChainProgress,
                    rpc_timeout=_QUERY_TIMEOUT,
                )
            known = decoding.checked(answer, progress.ChainProgress, what)
        except (temporalio.client.WorkflowQueryFailedError, decoding.Unreadable):
            return RunUse.UNDECIDED
        except temporalio.service.RPCError as error:
            if temporal_client.is_gone(error):
                return RunUse.UNUSED
            if error.status in starter.NO_WORKER:
                return RunUse.UNDECIDED
            raise
        if not known.stacks and not known.phase.is_over:
            return RunUse.UNDECIDED
        stack = next((item for item in known.stacks if item.id == stack_id), None)
        if stack is None:
            return RunUse.UNUSED
        if stack.run_id == run_id:
            return RunUse.USED
        return RunUse.UNUSED if stack.phase.is_over else RunUse.UNDECIDED

    async def _executions(
        self, account: str, stack_id: str
    ) -> AsyncIterator[execution_infos.ExecutionInfo]:
        """Yield the executions of a stack's tracked runs, the newest first."""
        workflow_id = ids.execution_workflow_id(account=account, stack_id=stack_id)
        client = self._get_client()
        # The list is behind what has started just now.
        try:
            latest = await execution_infos.describe(client, workflow_id)
        except temporalio.service.RPCError as error:
            if not temporal_client.is_gone(error):
                raise
            return
        yield latest
        query = f"WorkflowId = '{workflow_id}'"
        async for item in execution_infos.list_all(client, query, limit=_LOOKED_AT):
            if item.workflow_run_id != latest.workflow_run_id:
                yield item

    async def _run_of(self, execution: execution_infos.ExecutionInfo) -> str | None:
        """Return the run that an execution triggered or adopted, if it got so far."""
        client = self._get_client()
        if execution.state is executions.ExecutionState.CLOSED:
            what = f"The result of the workflow {execution.workflow_id}"
            handle = client.get_workflow_handle(
                execution.workflow_id,
                run_id=execution.workflow_run_id,
                result_type=progress.StackReport,
            )
            try:
                with decoding.readable(what):
                    report: object = await handle.result(follow_runs=False)
                return report.run_id if isinstance(report, progress.StackReport) else None
            except decoding.Unreadable as error:
                # This is final: no run can be recognized as its own.
                logger.debug("A result cannot be read", extra={"why": str(error)})
                return None
            except temporalio.service.RPCError as error:
                # Listed still, and its history is gone.
                if temporal_client.is_gone(error):
                    return None
                raise
        with contextlib.suppress(temporalio.client.WorkflowFailureError):
            return await self._ask(execution)
        return None

    async def _ask(self, execution: execution_infos.ExecutionInfo) -> str | None:
        handle: temporalio.client.WorkflowHandle[object, object]
        handle = self._get_client().get_workflow_handle(
            execution.workflow_id, run_id=execution.workflow_run_id
        )
        what = f"The answer of the workflow {execution.workflow_id}"
        try:
            with decoding.readable(what):
                found: object = await handle.query(
                    ids.RUN_ID_QUERY, result_type=str, rpc_timeout=_QUERY_TIMEOUT
                )
            return None if found is None else decoding.checked(found, str, what)
        except (temporalio.client.WorkflowQueryFailedError, decoding.Unreadable) as error:
            raise starter.NoWorker(outside_text.clean(str(error))) from error
        except temporalio.service.RPCError as error:
            if temporal_client.is_gone(error):
                return None
            if error.status in starter.NO_WORKER:
                raise starter.NoWorker(outside_text.clean(str(error))) from error
            raise
