"""Projects what is known of a resource and its latest run onto its status. Pure.

Equal facts give an equal status, so that nothing is written when nothing changed; conditions keep
their transition times.
"""

import dataclasses

from controller.api import reasons, v1alpha1
from controller.api.v1alpha1 import Phase
from controller.chain.requests import executions
from controller.chain.run import gates, next_stacks, policy, windows
from controller.chain.status import (
    conditions,
    latest_run,
    stack_durations,
    stack_rows,
    status_size,
)
from controller.chain.status.chain_facts import ChainFacts as ChainFacts
from controller.chain.status.chain_facts import SchedulesStatus as SchedulesStatus
from controller.chain.status.pass_statuses import CurrentStatus, NextStatus

Problem = conditions.Problem

# The most earlier runs that a status has room for.
_LONGEST_HISTORY = 50


def project(ref: v1alpha1.Ref, old: CurrentStatus, facts: ChainFacts, *, now: str) -> NextStatus:
    """Return the status that the facts call for.

    Args:
        ref: the resource, with the generation that was looked at.
        old: the status as it is, with what has come up since it was written.
        facts: what was observed.
        now: the time of a change that has no time, RFC 3339 in UTC.
    """
    facts = _without_duplicate(old, facts)
    is_rechecked = _is_rechecked(old, facts)
    run = latest_run.project(old, facts, is_rechecked=is_rechecked, now=now)
    if facts.known is None:
        run = latest_run.without_estimate(run)
    stacks = _stacks(old, run, facts, is_rechecked=is_rechecked)
    if run is not None and stacks and _is_summary_missing(old, run, facts, stacks):
        run = dataclasses.replace(run, summary=latest_run.summarize(stacks))
    schedules = facts.schedules or SchedulesStatus.of(old)
    shown = conditions.ConditionFacts(
        handled=facts.handled,
        is_spec_new=facts.is_spec_new,
        run=run,
        stacks=stacks,
        known=facts.known,
        problem=facts.problem,
        has_unhandled=facts.has_unhandled,
        is_suspended=facts.is_suspended,
        is_not_requested=facts.is_not_requested,
        waiting=facts.waiting,
        is_held=run is None and facts.handled.spec is not None,
        next_time=schedules.schedule.next_time if schedules.schedule else None,
    )
    found = v1alpha1.Status(
        observed_generation=ref.generation,
        conditions=conditions.conditions(ref, old, shown, now=now),
        graph=_graph(old, facts),
        latest_run=run,
        pending_run=facts.pending,
        schedule=schedules.schedule,
        triggers=schedules.triggers,
        last_handled=facts.handled,
        stacks=stacks,
        history=_history(old, run, limit=facts.history_limit),
        durations=stack_durations.updated(old.durations, facts.known),
    )
    return NextStatus(status_size.fitted(found))


def _is_summary_missing(
    old: v1alpha1.Status,
    run: v1alpha1.RunStatus,
    facts: ChainFacts,
    stacks: tuple[v1alpha1.StackStatus, ...],
) -> bool:
    """Whether the stacks are the status's own, since the execution has not reported any."""
    if facts.known is None:
        return run.phase.is_over and stacks != old.stacks
    return facts.known.resolved_time is None and run.cause != v1alpha1.Cause.RETRY


def _history(
    old: v1alpha1.Status, run: v1alpha1.RunStatus | None, *, limit: int
) -> tuple[v1alpha1.RunStatus, ...]:
    """Return the runs before the latest one, newest first."""
    latest = old.latest_run
    is_next = latest is not None and run is not None and run.number > latest.number
    earlier = old.history
    if is_next and latest is not None and not _was_replaced_unused(old, latest):
        # Only a retry of the latest run needs to know below which runs of roots it ran.
        earlier = (dataclasses.replace(latest, root_runs=(), stages=()), *earlier)
    return earlier[: min(limit, _LONGEST_HISTORY)]


def _was_replaced_unused(old: v1alpha1.Status, latest: v1alpha1.RunStatus) -> bool:
    """Whether a run gave way to the next one before it did anything, which is news to no one.

    With `concurrencyPolicy: Replace` many may do so, one after the other.
    """
    if old.pending_run is None or latest.reason != reasons.ChainReason.RUN_CANCELED:
        return False
    untouched = (reasons.StackReason.KEPT, reasons.StackReason.ROOT_RUN_FINISHED)
    return all(
        stack.reason in untouched or (stack.run_id is None and not stack.unused_runs)
        for stack in old.stacks
    )


def _without_duplicate(old: v1alpha1.Status, facts: ChainFacts) -> ChainFacts:
    """Drop an execution that the resource has superseded: its stacks are not the run's."""
    execution, latest = facts.execution, old.latest_run
    if execution is None or latest is None or not executions.is_duplicate(execution, latest):
        return facts
    return dataclasses.replace(facts, execution=None, known=None)


def _is_rechecked(old: v1alpha1.Status, facts: ChainFacts) -> bool:
    """Whether a run is being tried again and has no news yet.

    The status keeps the problem until then: one that flips every minute would be useless.
    """
    execution, known, latest = facts.execution, facts.known, old.latest_run
    if execution is None or execution.state is not executions.ExecutionState.RUNNING:
        return False
    if latest is None or latest.number != execution.number:
        return False
    is_silent = known is None or (known.resolved_time is None and known.phase is Phase.PENDING)
    return (
        is_silent
        and executions.may_be_rechecked(latest)
        and not executions.has_end_of(latest, execution)
    )


def _graph(old: v1alpha1.Status, facts: ChainFacts) -> v1alpha1.GraphStatus | None:
    known = facts.known
    if known is None or known.resolved_time is None:
        return old.graph
    return v1alpha1.GraphStatus(
        stacks=sum(not stack.is_lost for stack in known.stacks),
        edges=known.edges,
        levels=known.levels,
        resolved_time=known.resolved_time,
    )


def _stacks(
    old: v1alpha1.Status,
    run: v1alpha1.RunStatus | None,
    facts: ChainFacts,
    *,
    is_rechecked: bool,
) -> tuple[v1alpha1.StackStatus, ...]:
    known, latest = facts.known, old.latest_run
    # A retry that cannot read its stacks still has those that it keeps: what comes after it, itself
    # again or another retry, would run them otherwise.
    is_silent = known is not None and known.resolved_time is None
    is_known_run = latest is not None and (
        facts.execution is None or executions.is_execution_of(facts.execution, latest)
    )
    # The same goes for one that was reset.
    is_retry = run is not None and run.cause == v1alpha1.Cause.RETRY
    is_kept = is_silent and (is_retry or (is_known_run and bool(old.stacks)))
    if known is not None and not is_rechecked and not is_kept:
        over = {stack.id for stack in known.stacks if stack.phase.is_over}
        closed = gates.closed_window(known)
        slots = sum(next_stacks.takes_slot(stack) for stack in known.stacks)
        limits = stack_rows.StartLimits(
            is_suspended=known.is_suspended,
            has_slot=slots < known.policies.parallelism,
            is_by_spec=facts.is_suspended,
            is_ending=known.is_canceling,
            is_timed_out=known.is_timed_out,
            waiting_stages=gates.waiting(known),
            stages=[stage.name for stage in known.stages],
            closed_window=windows.closed_message(closed.until) if closed is not None else "",
        )
        rows = [
            stack_rows.of_progress(
                stack, [item for item in policy.awaited(known, stack) if item not in over], limits
            )
            for stack in known.stacks
        ]
        return tuple(sorted(rows, key=lambda row: (row.level, row.id)))
    if run is None or not is_known_run:
        # Those of the run before would look like this run's; a run that is rechecked has none.
        return stack_rows.not_run(old, facts.execution) if is_retry else ()
    if not run.phase.is_over:
        return old.stacks
    return tuple(stack_rows.lost(stack, run_ended_at=run.completion_time) for stack in old.stacks)
