"""The flow of a resource that is being deleted: ends its runs, says what it waits for."""

import logging
from collections.abc import Mapping
from typing import Any

from controller.api import reasons, v1alpha1, wording
from controller.chain.requests import executions
from controller.chain.run import progress
from controller.chain.status import projection
from controller.operator import live_executions, resource_schedules, status_writer
from controller.temporal import client as temporal_client
from controller.temporal.operator import starter

logger = logging.getLogger(__name__)

_WAITS_FOR_WORKER = (
    "The resource is being deleted; it waits for a worker to stop the runs, and no worker answers. "
    "If that lasts, check the worker pods; to let the resource go and its run continue, set "
    "`spec.deletionPolicy` to Orphan."
)
_WAITS_FOR_TASK = (
    "The resource is being deleted; it waits for its workflow to stop the runs, and workers fail "
    "at that each time they take it up: {}. Give the workers the version that started the run, or "
    "set `spec.deletionPolicy` to Orphan and stop the runs in Spacelift."
)


class Deletion:
    """Lets a resource go only once its runs are stopped, unless they are to be left alone."""

    def __init__(
        self,
        *,
        workflows: starter.ChainWorkflows,
        schedules: resource_schedules.ResourceSchedules,
        live: live_executions.LiveExecutions,
        writer: status_writer.StatusWriter,
    ) -> None:
        self._workflows = workflows
        self._schedules = schedules
        self._live = live
        self._writer = writer
        # Resources that were let go while Temporal was away, by uid.
        self._unsignaled_orphans: dict[str, v1alpha1.Ref] = {}

    async def advance(self, body: Mapping[str, Any]) -> bool:
        """Stop what runs, or leave it alone if that is wanted; returns whether it may go.

        Raises:
            TemporalUnreachable: after the status says so; call again later.
            KubeError: the API server did not serve; call again later.
        """
        try:
            execution = await self._end(body)
        except temporal_client.TemporalUnreachable as error:
            if _deletion_policy(body) is v1alpha1.DeletionPolicy.ORPHAN:
                self._let_go_unsignaled(v1alpha1.read_ref(body), error)
                return True
            problem = _deleting(
                f"Waits for Temporal, to stop the runs: {error} To let the resource go without "
                "stopping them, set `spec.deletionPolicy` to Orphan."
            )
            await self._writer.write_deleting(body, problem)
            raise
        except starter.UnreadableExecution as error:
            return await self._end_unreadable(body, error)
        if execution is None:
            return True
        try:
            known = await self._workflows.get_progress(execution)
            problem = problem_of(known)
        except starter.NoWorker:
            failure = await self._workflows.task_failure(execution)
            waits = _WAITS_FOR_WORKER if failure is None else _WAITS_FOR_TASK.format(failure)
            known, problem = None, _deleting(waits)
        except starter.UnreadableProgress:
            known, problem = None, problem_of(None)
        await self._writer.write_deleting(body, problem, execution=execution, known=known)
        return False

    async def _end(self, body: Mapping[str, Any]) -> executions.Execution | None:
        """Remove the schedules and end the live execution; None: there is none to wait for."""
        ref = v1alpha1.read_ref(body)
        await self._schedules.remove(ref, body)
        execution = await self._workflows.latest(ref)
        if execution is None or execution.state is not executions.ExecutionState.RUNNING:
            return None
        if _deletion_policy(body) is v1alpha1.DeletionPolicy.ORPHAN:
            await self._workflows.orphan(execution)
            return None
        if self._live.may_cancel(execution.workflow_run_id):
            await self._workflows.cancel(execution.workflow_id, execution.workflow_run_id)
        return execution

    async def _end_unreadable(
        self, body: Mapping[str, Any], error: starter.UnreadableExecution
    ) -> bool:
        """Cancel what has the resource's id, whatever it is: nothing else may have that id."""
        if _deletion_policy(body) is v1alpha1.DeletionPolicy.ORPHAN:
            return True
        if self._live.may_cancel(error.workflow_run_id):
            await self._workflows.cancel(error.workflow_id, error.workflow_run_id)
        problem = _deleting(
            f"The resource is being deleted; it waits for the workflow {error.workflow_id} to "
            f"close, which was canceled. {error}. If it does not close, terminate it in Temporal, "
            "or set `spec.deletionPolicy` to Orphan to let the resource go."
        )
        await self._writer.write_deleting(body, problem)
        return False

    def _let_go_unsignaled(
        self, ref: v1alpha1.Ref, error: temporal_client.TemporalUnreachable
    ) -> None:
        """It is to go whatever happens; its run is signaled once Temporal is back."""
        self._unsignaled_orphans[ref.uid] = ref
        logger.warning(
            "Released while Temporal is away; its run is signaled later",
            extra={"namespace": ref.namespace, "chain": ref.name, "why": str(error)},
        )

    def is_unsignaled_orphan(self, uid: str) -> bool:
        """Whether a resource went whose run does not know that it is on its own."""
        return uid in self._unsignaled_orphans

    async def signal_orphans(self) -> None:
        """Signal `orphan` to the runs of resources that went while Temporal was away.

        Raises:
            TemporalUnreachable: call again later.
        """
        for uid, ref in list(self._unsignaled_orphans.items()):
            try:
                execution = await self._workflows.latest(ref)
            except starter.UnreadableExecution as error:
                # It would not understand the signal.
                logger.warning("An orphan cannot be signaled", extra={"why": str(error)})
                execution = None
            if execution is not None and execution.state is executions.ExecutionState.RUNNING:
                await self._workflows.orphan(execution)
            self._unsignaled_orphans.pop(uid, None)


def is_deleting(body: Mapping[str, Any]) -> bool:
    """Whether the resource is being deleted, whatever its spec holds."""
    return bool(body["metadata"].get("deletionTimestamp"))


def is_going(body: Mapping[str, Any]) -> bool:
    """Whether the resource is being deleted and takes its run with it."""
    return is_deleting(body) and _deletion_policy(body) is v1alpha1.DeletionPolicy.CANCEL


def problem_of(known: progress.ChainProgress | None) -> projection.Problem:
    """Return what a deletion waits for: the stacks whose runs are being stopped."""
    live = [
        f"'{stack.id}'" + (f" ({stack.message})" if stack.message else "")
        for stack in (known.stacks if known else [])
        if stack.is_started and not stack.phase.is_over
    ]
    if not live:
        return _deleting("The resource is being deleted; its workflow is closing.")
    runs = wording.listed(live, most=3)
    return _deleting(f"The resource is being deleted; it waits for the runs of {runs}")


def _deletion_policy(body: Mapping[str, Any]) -> v1alpha1.DeletionPolicy:
    """Return the policy even if the rest of the spec cannot be read."""
    policy = (body.get("spec") or {}).get("deletionPolicy")
    is_orphan = policy == v1alpha1.DeletionPolicy.ORPHAN
    return v1alpha1.DeletionPolicy.ORPHAN if is_orphan else v1alpha1.DeletionPolicy.CANCEL


def _deleting(message: str) -> projection.Problem:
    return projection.Problem(
        reason=reasons.ChainReason.DELETING, message=message, is_retrying=True
    )
