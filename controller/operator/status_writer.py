"""Project: computes the status from what is known, writes it once, announces what it changes."""

import dataclasses
import logging
from collections.abc import Mapping, Sequence
from typing import Any

from controller import clock
from controller.api import reasons, v1alpha1
from controller.chain.news import transitions
from controller.chain.requests import automatic_asks, decide, executions, handled_asks
from controller.chain.run import progress
from controller.chain.status import conditions, latest_run, pass_statuses, projection
from controller.kube import errors as kube_errors
from controller.kube import stackchains
from controller.observability import metrics
from controller.operator import announcer, asks_digest, chain_troubles, gatherer, operator_identity
from controller.temporal.activities import chain_status

logger = logging.getLogger(__name__)


class StatusWriter:
    """Writes only what has changed, and never over what someone else has written."""

    def __init__(
        self,
        *,
        stack_chains: stackchains.StackChains,
        announcer: announcer.Announcer,
        identity: operator_identity.OperatorIdentity,
        troubles: chain_troubles.ChainTroubles,
        counters: metrics.Metrics,
        time: clock.Clock,
    ) -> None:
        self._stack_chains = stack_chains
        self._announcer = announcer
        self._identity = identity
        self._troubles = troubles
        self._counters = counters
        self._clock = time

    async def write(
        self,
        gathered: gatherer.Gathered,
        decision: decide.Decision,
        *,
        problem: projection.Problem | None,
    ) -> bool:
        """Write how a resource stands after a decision; returns whether that changed the status.

        Args:
            gathered: what was known, with the execution that was started since.
            decision: what was decided.
            problem: what keeps the resource from continuing.

        Raises:
            Conflict: the resource is another by now.
            ResourceGone: it is gone.
            KubeError: the API server did not serve; call again later.
        """
        chain, execution, stored = gathered.chain, gathered.execution, gathered.stored
        facts = projection.ChainFacts(
            handled=decision.handled,
            is_suspended=chain.spec.suspend,
            is_not_requested=decision.is_not_requested,
            is_spec_new=handled_asks.is_spec_new(chain, decision.handled),
            history_limit=chain.spec.history_limit,
            execution=execution,
            known=gathered.known,
            pending=decision.pending,
            has_unhandled=decision.pending is not None,
            problem=problem,
            workflow_url=self._identity.url_of(execution) if execution else None,
            waiting=decision.waiting,
            schedules=gathered.schedules,
        )
        # An ask that was taken in waits only if nothing was started for it, which the facts say.
        current = dataclasses.replace(gathered.current, pending_run=stored.pending_run)
        happened = [
            *transitions.transitions(
                stored,
                current,
                is_followed=decision.start is not None or decision.pending is not None,
                is_spec_new=facts.is_spec_new,
            ),
            *transitions.requested(decision.done, current),
            *transitions.stale(decision.notes, current),
        ]
        is_written = await self._project(
            gathered.body, current, facts, happened=happened, is_taken_in=True
        )
        if is_written:
            # A run that has closed was taken in before: its end is not news to the projection.
            self._count(gathered.chain.ref, stored, current)
        return is_written

    async def write_problem(
        self, body: Mapping[str, Any], chain: v1alpha1.StackChain, problem: projection.Problem
    ) -> None:
        """Write what is wrong while nothing is known of the execution. Raises as `write` does."""
        facts = projection.ChainFacts(
            handled=chain.status.last_handled,
            problem=problem,
            is_suspended=chain.spec.suspend,
            history_limit=chain.spec.history_limit,
            pending=automatic_asks.only_asks(chain.status.pending_run),
        )
        await self._project(body, pass_statuses.CurrentStatus(chain.status), facts, keep_run=True)

    async def write_invalid(
        self,
        body: Mapping[str, Any],
        error: v1alpha1.InvalidResource,
        run: gatherer.RunReading,
    ) -> None:
        """Write that the spec cannot be read, and how its run stands. Raises as `write` does."""
        current = _current_status(body)
        problem = projection.Problem(
            reason=reasons.ChainReason.INVALID_SPEC, message=str(error), is_retrying=False
        )
        facts = projection.ChainFacts(
            handled=current.last_handled,
            execution=run.execution,
            known=run.known,
            problem=problem,
            workflow_url=self._identity.url_of(run.execution) if run.execution else None,
            history_limit=len(current.history) + 1,
            pending=automatic_asks.only_asks(current.pending_run),
        )
        await self._project(body, current, facts, keep_run=run.execution is None, is_taken_in=True)

    async def write_failed(self, body: Mapping[str, Any], problem: projection.Problem) -> None:
        """Write that a resource cannot be handled, even if it cannot be read completely.

        If even its present status prevents a new one, only its conditions are written.

        Raises:
            KubeError: the API server did not serve, or does not take it.
        """
        try:
            current = _current_status(body)
            facts = projection.ChainFacts(
                handled=current.last_handled,
                problem=problem,
                history_limit=len(current.history),
                pending=automatic_asks.only_asks(current.pending_run),
            )
            await self._project(body, current, facts, keep_run=True)
        except kube_errors.Invalid:
            await self._write_conditions(body, problem)
        except (kube_errors.KubeError, chain_status.ResourceGone):
            raise
        except Exception:
            # It may be what the pass has failed at.
            logger.exception("A status cannot be made", extra=_named(body))
            await self._write_conditions(body, problem)

    async def _write_conditions(self, body: Mapping[str, Any], problem: projection.Problem) -> None:
        ref, status = v1alpha1.read_ref(body), body.get("status") or {}
        found = conditions.conditions(
            ref,
            v1alpha1.Status(),
            conditions.ConditionFacts(run=None, stacks=(), problem=problem),
            now=self._clock.stamp(),
        )
        shown = v1alpha1.status_to_dict(v1alpha1.Status(conditions=found))["conditions"]
        await self._stack_chains.patch_status(
            ref.namespace,
            ref.name,
            uid=ref.uid,
            resource_version=body["metadata"]["resourceVersion"],
            old_status=status,
            new_status={**status, "conditions": shown},
        )

    async def write_deleting(
        self,
        body: Mapping[str, Any],
        problem: projection.Problem,
        *,
        execution: executions.Execution | None = None,
        known: progress.ChainProgress | None = None,
    ) -> None:
        """Write what a deletion waits for, also of a spec that is wrong. Raises as `write` does."""
        current = _current_status(body)
        facts = projection.ChainFacts(
            handled=current.last_handled,
            execution=execution,
            known=known,
            problem=problem,
            workflow_url=self._identity.url_of(execution) if execution else None,
            history_limit=len(current.history),
        )
        await self._project(body, current, facts)

    async def _project(
        self,
        body: Mapping[str, Any],
        current: pass_statuses.CurrentStatus,
        facts: projection.ChainFacts,
        *,
        keep_run: bool = False,
        is_taken_in: bool = False,
        happened: Sequence[transitions.Transition] = (),
    ) -> bool:
        """Write the status; announce what has happened before, then what the facts changed.

        Args:
            body: the resource.
            current: its status.
            facts: what the new one is computed from.
            keep_run: nothing is known of the run, so the status keeps what it says about it.
            is_taken_in: all that the resource asks for was decided on, or only an edit can help;
                otherwise the pass will be tried again.
            happened: what has happened before.

        Returns:
            Whether the status had to be changed.
        """
        now = self._clock.stamp()
        new = projection.project(v1alpha1.read_ref(body), current, facts, now=now)
        if keep_run:
            run = latest_run.without_estimate(current.latest_run)
            new = dataclasses.replace(new, latest_run=run, stacks=current.stacks)
        digest = asks_digest.digest_of(body) if is_taken_in else current.observed_digest
        new = dataclasses.replace(new, observed_digest=digest)
        happened = [
            *happened,
            *transitions.transitions(current, new, is_spec_new=facts.is_spec_new),
        ]
        sequence = facts.known.sequence if facts.known is not None else 0
        await self._announcer.notify(body, happened, sequence=sequence, now=now)
        is_written = await self._patch(body, new)
        if is_written:
            self._count(v1alpha1.read_ref(body), current, new)
            await self._announcer.emit(body, happened)
        return is_written

    async def _patch(self, body: Mapping[str, Any], new: pass_statuses.NextStatus) -> bool:
        ref = v1alpha1.read_ref(body)
        shown = dataclasses.replace(new, installation=self._identity.installation)
        try:
            written = await self._stack_chains.patch_status(
                ref.namespace,
                ref.name,
                uid=ref.uid,
                resource_version=body["metadata"]["resourceVersion"],
                old_status=body.get("status") or {},
                new_status=v1alpha1.status_to_dict(shown),
            )
        except kube_errors.Conflict:
            self._counters.status_writes.labels("conflict").inc()
            raise
        except kube_errors.ObjectNotFound as error:
            self._counters.status_writes.labels("gone").inc()
            raise chain_status.ResourceGone(str(error)) from error
        except kube_errors.KubeError:
            self._counters.status_writes.labels("error").inc()
            self._troubles.note(ref.namespace, ref.name, chain_troubles.Trouble.STATUS_NOT_WRITTEN)
            raise
        self._counters.status_writes.labels("unchanged" if written is None else "written").inc()
        return written is not None

    def _count(
        self, ref: v1alpha1.Ref, old: pass_statuses.Earlier, new: pass_statuses.Later
    ) -> None:
        """Count what a write shows for the first time."""
        if drifted := transitions.drifted(old, new):
            self._counters.drift_runs.inc()
            self._counters.drift_stacks.inc(len(drifted))
        if missed := transitions.missed(old, new):
            self._counters.starts_missed.inc(missed)
            self._troubles.note(ref.namespace, ref.name, chain_troubles.Trouble.START_MISSED)


def _named(body: Mapping[str, Any]) -> dict[str, str]:
    return {"namespace": body["metadata"]["namespace"], "chain": body["metadata"]["name"]}


def _current_status(body: Mapping[str, Any]) -> pass_statuses.CurrentStatus:
    """Return the status of a resource whose spec may be unreadable."""
    return pass_statuses.CurrentStatus(v1alpha1.read_status(body.get("status") or {}))
