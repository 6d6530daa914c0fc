"""Gather: reads what reconcile decides from. Executions, their progress, what a sweep found."""

import dataclasses
from collections.abc import Mapping
from typing import Any

from controller import clock
from controller.api import reasons, v1alpha1
from controller.chain.requests import (
    automatic_asks,
    chain_waits,
    executions,
    future_marks,
    handled_asks,
    other_chains,
)
from controller.chain.run import progress
from controller.chain.status import pass_statuses, projection
from controller.operator import (
    chain_dependencies,
    connection_access,
    live_executions,
    operator_identity,
    sweep_findings,
)
from controller.temporal import start_messages
from controller.temporal.activities import chain_status
from controller.temporal.operator import starter


@dataclasses.dataclass(frozen=True, kw_only=True, slots=True)
class ReconcileInput:
    """Why a resource is reconciled, as far as that matters.

    `publishing` is the execution that has news. `call` is what a schedule or a sweep says.
    `is_renewing`: schedules that the status takes for granted are missing at Temporal.
    """

    publishing: str | None = None
    call: start_messages.RequestRunCall | None = None
    is_renewing: bool = False


@dataclasses.dataclass(frozen=True, kw_only=True, slots=True)
class Gathered:
    """What a pass knows about one resource.

    `stored` is the status in `body`. The status in `chain` is that with what has come up since: how
    a closed execution ended and, after `ResourceSchedules.update`, what asks for a run on its own.
    """

    body: Mapping[str, Any]
    stored: pass_statuses.StoredStatus
    chain: v1alpha1.StackChain
    access: connection_access.AccessVerdict
    execution: executions.Execution | None = None
    known: progress.ChainProgress | None = None
    problem: projection.Problem | None = None
    # The workflow answers, and this version cannot read what it says.
    is_unreadable: bool = False
    sweep: sweep_findings.SweepFindings | None = None
    schedules: projection.SchedulesStatus | None = None
    schedules_problem: projection.Problem | None = None
    waiting: chain_waits.Waiting = chain_waits.NOTHING

    @property
    def current(self) -> pass_statuses.CurrentStatus:
        """Return the stored status with what has come up since."""
        return pass_statuses.CurrentStatus(self.chain.status)

    def with_terminated(self, execution: executions.Execution) -> "Gathered":
        """Return what is known once a live execution was terminated: it tells nothing more."""
        ended = dataclasses.replace(execution, state=executions.ExecutionState.TERMINATED)
        return dataclasses.replace(
            self, execution=ended, known=None, problem=self.schedules_problem
        )

    def with_started(self, execution: executions.Execution) -> "Gathered":
        """Return what is known once an execution was started: nothing about its progress yet."""
        return dataclasses.replace(
            self, execution=execution, known=None, problem=self.schedules_problem
        )


@dataclasses.dataclass(frozen=True, kw_only=True, slots=True)
class RunReading:
    """A resource's latest execution, what it knows, and what keeps it from saying so."""

    execution: executions.Execution | None = None
    known: progress.ChainProgress | None = None
    problem: projection.Problem | None = None
    is_unreadable: bool = False


class Gatherer:
    """Changes nothing, neither in Temporal nor in the API server."""

    def __init__(
        self,
        *,
        workflows: starter.ChainWorkflows,
        sweeps: sweep_findings.SweepReader,
        dependencies: chain_dependencies.ChainDependencies,
        live: live_executions.LiveExecutions,
        identity: operator_identity.OperatorIdentity,
        time: clock.Clock,
    ) -> None:
        self._workflows = workflows
        self._sweeps = sweeps
        self._dependencies = dependencies
        self._live = live
        self._identity = identity
        self._clock = time

    async def gather(
        self,
        body: Mapping[str, Any],
        chain: v1alpha1.StackChain,
        *,
        access: connection_access.AccessVerdict,
        given: ReconcileInput,
    ) -> Gathered:
        """Gather what a pass needs to know of a resource.

        Raises:
            Superseded: the execution that has news is not the resource's any more.
            UnreadableExecution: a live execution has the resource's id, and is not one of ours.
            TemporalUnreachable, KubeError: call again later.
        """
        stored = pass_statuses.StoredStatus(chain.status)
        believed = future_marks.past_status(chain.status, now=self._clock.now())
        chain = dataclasses.replace(chain, status=believed)
        gathered = Gathered(body=body, stored=stored, chain=chain, access=access)
        gathered = await self._with_execution(gathered)
        _check_not_superseded(chain, gathered.execution, given.publishing)
        gathered = await self._with_sweep(self._harvested(gathered), given.call)
        return await self._with_other_chains(gathered)

    async def _with_other_chains(self, gathered: Gathered) -> Gathered:
        """Look at the chains that have to be Ready first, if a run may start now."""
        chain = gathered.chain
        is_idle = not (chain.is_deleting or executions.is_live(gathered.execution))
        if not chain.spec.depends_on or not is_idle:
            return gathered
        others = await self._dependencies.read(chain)
        return dataclasses.replace(gathered, waiting=other_chains.waiting_of(chain, others))

    async def read_run(
        self, ref: v1alpha1.Ref, latest_run: v1alpha1.RunStatus | None
    ) -> RunReading:
        """Read the latest execution of a resource, whatever its spec holds.

        Args:
            ref: the resource.
            latest_run: that of its status.

        Raises:
            UnreadableExecution, TemporalUnreachable: as `gather` does.
        """
        execution = await self._workflows.latest(ref)
        if execution is None:
            return RunReading()
        handled = future_marks.past_handled(execution.handled, now=self._clock.now())
        execution = dataclasses.replace(execution, handled=handled)
        run_id = execution.workflow_run_id
        if execution.state is not executions.ExecutionState.RUNNING:
            self._live.forget(run_id)
        if executions.is_end_unknown(latest_run, execution):
            reason = await self._workflows.termination(execution)
            execution = dataclasses.replace(execution, termination=reason)
        try:
            known = await self._workflows.get_progress(execution)
        except starter.NoWorker:
            # Until then the status keeps what it knows.
            is_silent = self._live.is_silent(run_id)
            failure = await self._workflows.task_failure(execution)
            problem = _task_failing(failure) if failure is not None else _NO_WORKER
            is_shown = failure is not None or is_silent
            return RunReading(execution=execution, problem=problem if is_shown else None)
        except starter.UnreadableProgress as error:
            self._live.note_answer(run_id)
            return RunReading(execution=execution, problem=unreadable(error), is_unreadable=True)
        self._live.note_answer(run_id)
        return RunReading(execution=execution, known=known)

    async def _with_execution(self, gathered: Gathered) -> Gathered:
        chain = gathered.chain
        read = await self.read_run(chain.ref, chain.status.latest_run)
        return dataclasses.replace(
            gathered,
            execution=read.execution,
            known=read.known,
            problem=read.problem,
            is_unreadable=read.is_unreadable,
        )

    def _harvested(self, gathered: Gathered) -> Gathered:
        """Take in how a closed run ended, before the next one takes its place in the status."""
        chain, execution = gathered.chain, gathered.execution
        if execution is None or execution.state is executions.ExecutionState.RUNNING:
            return gathered
        facts = projection.ChainFacts(
            handled=chain.status.last_handled,
            execution=execution,
            known=gathered.known,
            workflow_url=self._identity.url_of(execution),
            history_limit=chain.spec.history_limit,
            pending=automatic_asks.only_asks(chain.status.pending_run),
        )
        ended = projection.project(chain.ref, gathered.current, facts, now=self._clock.stamp())
        # The conditions are about the resource as it is now; these would be about the run alone.
        ended = dataclasses.replace(ended, conditions=chain.status.conditions)
        return dataclasses.replace(gathered, chain=dataclasses.replace(chain, status=ended))

    async def _with_sweep(
        self, gathered: Gathered, call: start_messages.RequestRunCall | None
    ) -> Gathered:
        chain = gathered.chain
        if call is None or not call.account or chain.is_deleting:
            return gathered
        handled = handled_asks.handled_asks(chain.status, gathered.execution)
        is_swept = bool(chain.spec.triggers) and not chain.spec.suspend
        if gathered.access.usable is None or not is_swept:
            # It was swept for what it was before.
            found = sweep_findings.SweepFindings(seen=handled.root_runs)
        else:
            found = await self._sweeps.read(chain, handled, self._believed(call))
        return dataclasses.replace(gathered, sweep=found)

    def _believed(self, call: start_messages.RequestRunCall) -> start_messages.RequestRunCall:
        """Return what a sweep says without runs that cannot have been created yet.

        If nothing else of a root is credible, no one can say which its newest run is.
        """
        now = self._clock.now()
        roots = []
        for root in call.root_runs:
            finished = [i for i in root.finished if future_marks.is_past_run(i.run_id, now=now)]
            newest = root.newest_run_id
            if not future_marks.is_past_run(newest, now=now):
                newest = finished[0].run_id if finished else ""
            roots.append(dataclasses.replace(root, newest_run_id=newest, finished=finished))
        return dataclasses.replace(call, root_runs=roots)


def unreadable(error: Exception) -> projection.Problem:
    """Return what is wrong where Temporal holds something that this version cannot read."""
    return projection.Problem(
        reason=reasons.ChainReason.WORKFLOW_UNREADABLE,
        message=f"{error}. Make sure that the operator and the workers are from the same release; "
        "if none of your releases started that workflow, terminate it in Temporal.",
        is_retrying=True,
    )


# What the SDK says when a workflow sends a value that is too large.
_TOO_LARGE = "TMPRL1103"


def _task_failing(failure: str) -> projection.Problem:
    do = (
        "If they were upgraded or rolled back, give them the version that started the run. "
        "Otherwise terminate the workflow in Temporal"
    )
    if _TOO_LARGE in failure:
        do = (
            "The run is more than Temporal accepts as one value (2 MiB): terminate the workflow "
            "in Temporal, split the chain or leave stacks out"
        )
    return projection.Problem(
        reason=reasons.ChainReason.WORKFLOW_TASK_FAILING,
        message=f"Workers fail each time they pick up the workflow: {failure.rstrip('.')}. {do}, "
        f"and set the annotation `{v1alpha1.RUN_ANNOTATION}` to a new value.",
        is_retrying=True,
    )


_NO_WORKER = projection.Problem(
    reason=reasons.ChainReason.WORKER_UNAVAILABLE,
    message="The workflow has started, but no worker picks it up. Check the worker pods; "
    "`stackchain check` says which task queue has no poller.",
    is_retrying=True,
)


def _check_not_superseded(
    chain: v1alpha1.StackChain, execution: executions.Execution | None, publishing: str | None
) -> None:
    """An execution may write, and so trigger, only if the resource has no newer one."""
    if publishing is None or execution is None:
        return
    if execution.workflow_run_id != publishing:
        raise chain_status.Superseded("A newer execution owns the resource.")
    latest = chain.status.latest_run
    if latest is not None and executions.is_duplicate(execution, latest):
        raise chain_status.Superseded(
            f"Run {latest.number} of the resource is over."
            if execution.is_reset
            else f"Run {latest.number} of the resource is the execution {latest.workflow_run_id}."
        )
