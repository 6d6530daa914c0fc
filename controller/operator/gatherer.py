"""Observing: gathers what reconcile decides from, from Temporal and from what the status keeps."""

import dataclasses
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from controller.api import reasons, v1alpha1
from controller.chain.requests import automatic, decide
from controller.chain.run import progress
from controller.chain.status import projection
from controller.operator import automatic_starts, live_executions, operator_identity
from controller.temporal import messages
from controller.temporal.activities import chain_status
from controller.temporal.operator import starter


@dataclasses.dataclass(frozen=True, kw_only=True, slots=True)
class Occasion:
    """Why a resource is reconciled, as far as it matters.

    `publishing` is the execution that has news. `call` is what a schedule or a sweep says.
    `is_renewing`: schedules that the status takes for granted are missing at Temporal.
    """

    publishing: str | None = None
    call: messages.RequestRunCall | None = None
    is_renewing: bool = False


@dataclasses.dataclass(frozen=True, kw_only=True, slots=True)
class Gathered:
    """What was gathered about one resource.

    The status in `chain` is the one that stands in `body` with what has come up since: how a closed
    execution ended, and what asks for a run by itself. `undecided` are as in `starting.Judged`.
    """

    body: Mapping[str, Any]
    chain: v1alpha1.StackChain
    execution: decide.Execution | None
    known: progress.ChainProgress | None
    problem: projection.Problem | None = None
    starts: projection.Starts | None = None
    starts_problem: projection.Problem | None = None
    undecided: tuple[str, ...] = ()


class Gatherer:
    """Looks at executions and schedules; the latter are set up and removed on the way."""

    def __init__(
        self,
        *,
        workflows: starter.ChainWorkflows,
        starts: automatic_starts.AutomaticStarts,
        live: live_executions.LiveExecutions,
        identity: operator_identity.OperatorIdentity,
    ) -> None:
        self._workflows = workflows
        self._starts = starts
        self._live = live
        self._identity = identity

    async def gather(
        self, body: Mapping[str, Any], chain: v1alpha1.StackChain, occasion: Occasion
    ) -> Gathered:
        """Gather what is to be known of a resource.

        Raises:
            Superseded: the execution that has news is not the resource's any more.
            TemporalUnreachable: call again later.
        """
        gathered = await self._gather(body, chain)
        _check_not_superseded(chain, gathered.execution, occasion.publishing)
        return await self._with_starts(self._harvested(gathered), occasion)

    async def _gather(self, body: Mapping[str, Any], chain: v1alpha1.StackChain) -> Gathered:
        execution = await self._workflows.latest(chain.ref)
        nothing = Gathered(body=body, chain=chain, execution=execution, known=None)
        if execution is None:
            return nothing
        run_id = execution.workflow_run_id
        if execution.state is not decide.ExecutionState.RUNNING:
            self._live.forget(run_id)
        try:
            known = await self._workflows.get_progress(execution)
        except starter.NoWorker:
            # Until then the status keeps what it knows.
            is_silent = self._live.is_silent(run_id)
            return dataclasses.replace(nothing, problem=_NO_WORKER if is_silent else None)
        self._live.note_answer(run_id)
        return dataclasses.replace(nothing, known=known)

    def _harvested(self, gathered: Gathered) -> Gathered:
        """Take in how a closed run ended, before the next one takes its place in the status."""
        chain, execution = gathered.chain, gathered.execution
        if execution is None or execution.state is decide.ExecutionState.RUNNING:
            return gathered
        facts = projection.Facts(
            handled=chain.status.last_handled,
            execution=execution,
            known=gathered.known,
            url=self._identity.url_of(execution),
            history_limit=chain.spec.history_limit,
            pending=automatic.only_asks(chain.status.pending_run),
        )
        now = datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
        ended = projection.project(chain.ref, chain.status, facts, now=now)
        # The conditions are about the resource as it is now; these would be about the run alone.
        ended = dataclasses.replace(ended, conditions=chain.status.conditions)
        return dataclasses.replace(gathered, chain=dataclasses.replace(chain, status=ended))

    async def _with_starts(self, gathered: Gathered, occasion: Occasion) -> Gathered:
        """Take in what asks for a run by itself, as if it stood in the status already."""
        chain, call = gathered.chain, occasion.call
        if chain.is_deleting:
            return gathered
        found = await self._starts.look(
            chain,
            scheduled_time=call.scheduled_time if call else None,
            is_renewing=occasion.is_renewing,
        )
        gathered = dataclasses.replace(
            gathered,
            starts=found.starts,
            starts_problem=found.problem,
            problem=gathered.problem or found.problem,
        )
        if call is not None and call.account:
            return await self._with_roots(gathered, found, call)
        return _asked(gathered, found.asks, handled=chain.status.last_handled)

    async def _with_roots(
        self, gathered: Gathered, found: automatic_starts.Found, call: messages.RequestRunCall
    ) -> Gathered:
        """Take in what a sweep found, beside what is asked for anyway."""
        chain, starts = gathered.chain, found.starts
        judged = await self._starts.judge(
            chain, decide.handled_asks(chain.status, gathered.execution), call
        )
        if starts.triggers is not None:
            triggers = dataclasses.replace(starts.triggers, problem=judged.problem)
            starts = dataclasses.replace(starts, triggers=triggers)
        return _asked(
            dataclasses.replace(gathered, starts=starts, undecided=judged.undecided),
            dataclasses.replace(found.asks, root_runs=judged.asks.root_runs),
            handled=dataclasses.replace(chain.status.last_handled, root_runs=judged.seen),
        )


_NO_WORKER = projection.Problem(
    reason=reasons.ChainReason.WORKER_UNAVAILABLE,
    message="The workflow is started and no worker takes it up. Check the worker pods; `stackchain "
    "check` tells which task queue has no poller.",
    is_retrying=True,
)


def _asked(
    gathered: Gathered, asks: automatic.AutomaticAsks, *, handled: v1alpha1.Handled
) -> Gathered:
    """Put asks into the status, and up to where they were looked at."""
    chain = gathered.chain
    known = dataclasses.replace(
        chain.status,
        last_handled=handled,
        pending_run=automatic.with_asks(chain.status.pending_run, asks),
    )
    return dataclasses.replace(gathered, chain=dataclasses.replace(chain, status=known))


def _check_not_superseded(
    chain: v1alpha1.StackChain, execution: decide.Execution | None, publishing: str | None
) -> None:
    """An execution may write, and so trigger, only if the resource has no newer one."""
    if publishing is None or execution is None:
        return
    if execution.workflow_run_id != publishing:
        raise chain_status.Superseded("A newer execution has the resource.")
    latest = chain.status.latest_run
    if latest is not None and decide.is_duplicate(execution, latest):
        raise chain_status.Superseded(
            f"Run {latest.number} of the resource is the execution {latest.workflow_run_id}."
        )
