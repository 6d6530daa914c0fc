"""The flow of a resource that is being deleted: ends its runs, says what it waits for.

With `deletionPolicy: Orphan` it leaves the live run alone instead, with the resource's last
settings: no one can change it any more (ADR 0044).
"""

import dataclasses
import logging
from collections.abc import Mapping
from typing import Any

from controller import outside_text
from controller.api import reasons, v1alpha1, wording
from controller.chain.requests import executions
from controller.chain.run import gates, progress
from controller.chain.status import projection
from controller.kube import stackchains
from controller.operator import (
    connection_access,
    execution_commands,
    live_executions,
    resource_schedules,
    status_writer,
)
from controller.temporal import client as temporal_client
from controller.temporal.operator import starter

logger = logging.getLogger(__name__)

ORPHANED = "Orphaned"
"""The reason of the Event."""

_WAITS_FOR_WORKER = (
    "The resource is being deleted; it waits for a worker to stop the runs, and no worker "
    "answers. If that lasts, check the worker pods; to release the resource and let its run "
    "continue, set `spec.deletionPolicy` to Orphan."
)
_WAITS_FOR_TASK = (
    "The resource is being deleted; it waits for its workflow to stop the runs, and workers fail "
    "each time they pick up the workflow: {}. Give the workers the version that started the run, "
    "or set `spec.deletionPolicy` to Orphan and stop the runs in Spacelift."
)


@dataclasses.dataclass(frozen=True, kw_only=True, slots=True)
class _LastSettings:
    """What holds for the run of a resource that goes; None: that cannot be read."""

    ref: v1alpha1.Ref
    is_suspended: bool
    parallelism: int | None = None


class Deletion:
    """Lets a resource go only once its runs are stopped, unless they are to be left alone."""

    def __init__(
        self,
        *,
        workflows: starter.ChainWorkflows,
        schedules: resource_schedules.ResourceSchedules,
        live: live_executions.LiveExecutions,
        writer: status_writer.StatusWriter,
        stack_chains: stackchains.StackChains,
        access: connection_access.ConnectionAccess,
        commands: execution_commands.ExecutionCommands,
    ) -> None:
        self._workflows = workflows
        self._commands = commands
        self._schedules = schedules
        self._live = live
        self._writer = writer
        self._stack_chains = stack_chains
        self._access = access
        # Of resources that were let go while Temporal was away, by uid.
        self._unsignaled_orphans: dict[str, _LastSettings] = {}

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
                self._let_go_unsignaled(self._last_settings(body), error)
                return True
            problem = _deleting(
                f"Waits for Temporal, to stop the runs: {error} To release the resource without "
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
        if executions.is_reset_in_vain(execution, _latest_run(body)):
            await self._commands.end_reset(execution)
            return None
        if _deletion_policy(body) is v1alpha1.DeletionPolicy.ORPHAN:
            last = self._last_settings(body)
            # Before it hears of it: it may end at once.
            known = await self._known(execution)
            await self._leave(execution, last)
            message = _left_message(body, execution, last, known)
            await self._stack_chains.emit_event(
                body, type="Normal", reason=ORPHANED, message=message
            )
            return None
        if self._live.may_cancel(execution.workflow_run_id):
            await self._workflows.cancel(execution.workflow_id, execution.workflow_run_id)
        return execution

    async def _known(self, execution: executions.Execution) -> progress.ChainProgress | None:
        """Return what a live run knows; None: no one can say."""
        try:
            return await self._workflows.get_progress(execution)
        except (starter.NoWorker, starter.UnreadableProgress):
            return None

    def _last_settings(self, body: Mapping[str, Any]) -> _LastSettings:
        ref = v1alpha1.read_ref(body)
        try:
            chain = v1alpha1.parse(body)
        except v1alpha1.InvalidResource:
            suspend = (body.get("spec") or {}).get("suspend")
            return _LastSettings(ref=ref, is_suspended=suspend is True)
        latest = chain.status.latest_run
        # A run that its connection no longer serves is suspended too, whatever the spec says.
        is_withheld = latest is not None and self._access.verdict_of(chain).refuses(
            latest.operation
        )
        return _LastSettings(
            ref=ref,
            is_suspended=chain.spec.suspend or is_withheld,
            parallelism=chain.spec.policies.parallelism,
        )

    async def _leave(self, execution: executions.Execution, last: _LastSettings) -> None:
        """Leave a live run alone, with the settings that its resource had last."""
        if last.parallelism is not None:
            await self._workflows.set_parallelism(execution, last.parallelism)
        await self._workflows.set_suspended(execution, last.is_suspended)
        await self._workflows.orphan(execution)

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
            f"close, which was canceled. {error}. If it does not close, terminate it in "
            "Temporal, or set `spec.deletionPolicy` to Orphan to release the resource."
        )
        await self._writer.write_deleting(body, problem)
        return False

    def _let_go_unsignaled(
        self, last: _LastSettings, error: temporal_client.TemporalUnreachable
    ) -> None:
        """It is to go whatever happens; its run is signaled once Temporal is back."""
        ref = last.ref
        self._unsignaled_orphans[ref.uid] = last
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
        for uid, last in list(self._unsignaled_orphans.items()):
            try:
                execution = await self._workflows.latest(last.ref)
            except starter.UnreadableExecution as error:
                # It would not understand the signal.
                logger.warning("An orphan cannot be signaled", extra={"why": str(error)})
                execution = None
            if execution is not None and execution.state is executions.ExecutionState.RUNNING:
                await self._leave(execution, last)
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


def problem_of_released(
    body: Mapping[str, Any], execution: executions.Execution | None
) -> projection.Problem:
    """Return what a resource is still there for, after the operator has let it go."""
    names = body["metadata"].get("finalizers") or ()
    left = wording.listed(wording.quoted([outside_text.clean(one) for one in names]), most=3)
    why = f", because of the finalizers {left}, which are not the operator's" if names else ""
    message = f"The operator has released the resource; it still exists{why}."
    if execution is not None and execution.state is executions.ExecutionState.RUNNING:
        message += f" Run {execution.number} continues without it."
    return _deleting(message)


def _left_message(
    body: Mapping[str, Any],
    execution: executions.Execution,
    last: _LastSettings,
    known: progress.ChainProgress | None,
) -> str:
    latest = (body.get("status") or {}).get("latestRun") or {}
    is_same = latest.get("workflowRunId") == execution.workflow_run_id
    url = latest.get("workflowUrl") if is_same else None
    link = f": {url}" if url else f", in the workflow {execution.workflow_id}."
    if last.is_suspended:
        return (
            f"Run {execution.number} was suspended, and no one can resume it without the "
            f"StackChain: it triggers nothing more, and ends once its runs have ended{link}"
        )
    if known is None and (latest.get("stages") or (body.get("spec") or {}).get("stages")):
        return (
            f"Run {execution.number} continues without the StackChain, to its end, or to a stage "
            f"that still needs an approval, which no one can give without it{link}"
        )
    if known is not None and (stage := gates.next_unapproved(known)):
        return (
            f"Run {execution.number} continues without the StackChain, and ends before stage "
            f"'{stage}', which no one can approve without it{link}"
        )
    return f"Run {execution.number} continues without the StackChain, to its end{link}"


def _latest_run(body: Mapping[str, Any]) -> v1alpha1.RunStatus | None:
    """Return the latest run of the status; None also where the resource cannot be read."""
    try:
        return v1alpha1.parse(body).status.latest_run
    except v1alpha1.InvalidResource:
        return None


def _deletion_policy(body: Mapping[str, Any]) -> v1alpha1.DeletionPolicy:
    """Return the policy even if the rest of the spec cannot be read."""
    policy = (body.get("spec") or {}).get("deletionPolicy")
    is_orphan = policy == v1alpha1.DeletionPolicy.ORPHAN
    return v1alpha1.DeletionPolicy.ORPHAN if is_orphan else v1alpha1.DeletionPolicy.CANCEL


def _deleting(message: str) -> projection.Problem:
    return projection.Problem(
        reason=reasons.ChainReason.DELETING, message=message, is_retrying=True
    )
