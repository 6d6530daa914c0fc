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
class Cause:
    """Why a resource is reconciled, as far as it matters.

    `publishing` is the execution that has news. `call` is what a schedule or a sweep says.
    `is_renewing`: schedules that the status takes for granted are missing at Temporal.
    """

    publishing: str | None = None
    call: messages.RequestRunCall | None = None
    is_renewing: bool = False


@dataclasses.dataclass(frozen=True, kw_only=True, slots=True)
class Observed:
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


class Observer:
    """Looks at executions and schedules; the latter are set up and removed on the way."""

    def __init__(
        self,
        *,
        workflows: starter.ChainWorkflows,
        begins: automatic_starts.Starting,
        live: live_executions.LiveExecutions,
        identity: operator_identity.OperatorIdentity,
    ) -> None:
        self._workflows = workflows
        self._begins = begins
        self._live = live
        self._identity = identity

    async def observe(
        self, body: Mapping[str, Any], chain: v1alpha1.StackChain, cause: Cause
    ) -> Observed:
        """Gather what is to be known of a resource.

        Raises:
            Superseded: the execution that has news is not the resource's any more.
            TemporalUnreachable: call again later.
        """
        observed = await self._gather(body, chain)
        _check_not_superseded(chain, observed.execution, cause.publishing)
        return await self._with_starts(self._harvested(observed), cause)

    async def _gather(self, body: Mapping[str, Any], chain: v1alpha1.StackChain) -> Observed:
        execution = await self._workflows.latest(chain.ref)
        nothing = Observed(body=body, chain=chain, execution=execution, known=None)
        if execution is None:
            return nothing
        run_id = execution.workflow_run_id
        if execution.state is not decide.ExecutionState.RUNNING:
            self._live.forget(run_id)
        try:
            known = await self._workflows.get_progress(execution)
        except starter.NoWorker:
            # Until then the status keeps what it knows.
            is_deaf = self._live.is_deaf(run_id)
            return dataclasses.replace(nothing, problem=_NO_WORKER if is_deaf else None)
        self._live.note_answer(run_id)
        return dataclasses.replace(nothing, known=known)

    def _harvested(self, observed: Observed) -> Observed:
        """Take in how a closed run ended, before the next one takes its place in the status."""
        chain, execution = observed.chain, observed.execution
        if execution is None or execution.state is decide.ExecutionState.RUNNING:
            return observed
        facts = projection.Facts(
            handled=chain.status.last_handled,
            execution=execution,
            known=observed.known,
            url=self._identity.url_of(execution),
            history_limit=chain.spec.history_limit,
            pending=automatic.only_asks(chain.status.pending_run),
        )
        now = datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
        ended = projection.project(chain.ref, chain.status, facts, now=now)
        # The conditions are about the resource as it is now; these would be about the run alone.
        ended = dataclasses.replace(ended, conditions=chain.status.conditions)
        return dataclasses.replace(observed, chain=dataclasses.replace(chain, status=ended))

    async def _with_starts(self, observed: Observed, cause: Cause) -> Observed:
        """Take in what asks for a run by itself, as if it stood in the status already."""
        chain, call = observed.chain, cause.call
        if chain.is_deleting:
            return observed
        found = await self._begins.look(
            chain,
            scheduled_time=call.scheduled_time if call else None,
            is_renewing=cause.is_renewing,
        )
        observed = dataclasses.replace(
            observed,
            starts=found.begins,
            starts_problem=found.problem,
            problem=observed.problem or found.problem,
        )
        if call is not None and call.account:
            return await self._with_roots(observed, found, call)
        return _asked(observed, found.asks, handled=chain.status.last_handled)

    async def _with_roots(
        self, observed: Observed, found: automatic_starts.Found, call: messages.RequestRunCall
    ) -> Observed:
        """Take in what a sweep found, beside what is asked for anyway."""
        chain, begins = observed.chain, found.begins
        judged = await self._begins.judge(
            chain, decide.handled_asks(chain.status, observed.execution), call
        )
        if begins.triggers is not None:
            triggers = dataclasses.replace(begins.triggers, problem=judged.problem)
            begins = dataclasses.replace(begins, triggers=triggers)
        return _asked(
            dataclasses.replace(observed, starts=begins, undecided=judged.undecided),
            dataclasses.replace(found.asks, root_runs=judged.asks.root_runs),
            handled=dataclasses.replace(chain.status.last_handled, root_runs=judged.seen),
        )


_NO_WORKER = projection.Problem(
    reason=reasons.ChainReason.WORKER_UNAVAILABLE,
    message="The workflow is started and no worker takes it up. Check the worker pods; `stackchain "
    "check` tells which task queue has no poller.",
    is_retrying=True,
)


def _asked(observed: Observed, asks: automatic.Asks, *, handled: v1alpha1.Handled) -> Observed:
    """Put asks into the status, and up to where they were looked at."""
    chain = observed.chain
    known = dataclasses.replace(
        chain.status,
        last_handled=handled,
        pending_run=automatic.with_asks(chain.status.pending_run, asks),
    )
    return dataclasses.replace(observed, chain=dataclasses.replace(chain, status=known))


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
