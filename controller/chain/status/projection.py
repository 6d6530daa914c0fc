"""Projects what is known of a resource and its latest run onto its status. Pure.

Equal facts give an equal status, so that nothing is written when nothing changed; conditions keep
their transition times.
"""

import dataclasses
from collections.abc import Sequence

from controller.api import reasons, v1alpha1
from controller.api.v1alpha1 import Phase
from controller.chain.requests import executions
from controller.chain.run import next_stacks, progress
from controller.chain.status import conditions, stack_rows, status_size

Reason = reasons.ChainReason
Problem = conditions.Problem

_AGAIN = f"To run again, set the annotation `{v1alpha1.RUN_ANNOTATION}` to a new text."

# The most earlier runs that a status has room for.
_LONGEST_HISTORY = 50


@dataclasses.dataclass(frozen=True, kw_only=True, slots=True)
class StartsStatus:
    """How the schedule and the triggers stand; None: there is none."""

    schedule: v1alpha1.ScheduleStatus | None = None
    triggers: v1alpha1.TriggersStatus | None = None

    @classmethod
    def of(cls, known: v1alpha1.Status) -> "StartsStatus":
        """Return them as a status has them."""
        return cls(schedule=known.schedule, triggers=known.triggers)


@dataclasses.dataclass(frozen=True, kw_only=True, slots=True)
class ChainFacts:
    """All that the status is made of, beside the resource itself.

    `is_suspended` and `history_limit` are the spec's; `is_not_requested`: see `decide.Decision`.
    `starts` is None where nobody has looked at them: they are as they were.
    """

    handled: v1alpha1.Handled
    is_suspended: bool = False
    is_not_requested: bool = False
    history_limit: int = 5
    execution: executions.Execution | None = None
    known: progress.ChainProgress | None = None
    pending: v1alpha1.PendingRun | None = None
    has_unhandled: bool = False
    problem: Problem | None = None
    workflow_url: str | None = None
    starts: StartsStatus | None = None


def project(
    ref: v1alpha1.Ref, old: v1alpha1.Status, facts: ChainFacts, *, now: str
) -> v1alpha1.Status:
    """Return the status that the facts call for.

    Args:
        ref: the resource, with the generation that was looked at.
        old: the status as it is.
        facts: what was observed.
        now: the time of what changes without a time of its own, RFC 3339 in UTC.
    """
    facts = _without_duplicate(old, facts)
    is_rechecked = _is_rechecked(old, facts)
    run = _run(old, facts, is_rechecked=is_rechecked, now=now)
    stacks = _stacks(old, run, facts, is_rechecked=is_rechecked)
    if run is not None and facts.known is None and run.phase.is_over and stacks != old.stacks:
        run = dataclasses.replace(run, summary=summarize(stacks))
    situation = conditions.Situation(
        run=run,
        stacks=stacks,
        known=facts.known,
        problem=facts.problem,
        has_unhandled=facts.has_unhandled,
        is_suspended=facts.is_suspended,
        is_not_requested=facts.is_not_requested,
    )
    starts = facts.starts or StartsStatus.of(old)
    found = v1alpha1.Status(
        observed_generation=ref.generation,
        conditions=conditions.conditions(ref, old, situation, now=now),
        graph=_graph(old, facts),
        latest_run=run,
        pending_run=facts.pending,
        schedule=starts.schedule,
        triggers=starts.triggers,
        last_handled=facts.handled,
        stacks=stacks,
        history=_history(old, run, limit=facts.history_limit),
    )
    return status_size.fitted(found)


def _history(
    old: v1alpha1.Status, run: v1alpha1.RunStatus | None, *, limit: int
) -> tuple[v1alpha1.RunStatus, ...]:
    """Return the runs before the latest one, newest first."""
    latest = old.latest_run
    is_next = latest is not None and run is not None and run.number > latest.number
    earlier = old.history
    if is_next and latest is not None:
        # Only a retry of the latest run needs to know below which runs of roots it ran.
        earlier = (dataclasses.replace(latest, root_runs=()), *earlier)
    return earlier[: min(limit, _LONGEST_HISTORY)]


def _without_duplicate(old: v1alpha1.Status, facts: ChainFacts) -> ChainFacts:
    """Drop an execution that the resource has superseded: its stacks are not the run's."""
    execution, latest = facts.execution, old.latest_run
    if execution is None or latest is None or not executions.is_duplicate(execution, latest):
        return facts
    return dataclasses.replace(facts, execution=None, known=None)


def _is_rechecked(old: v1alpha1.Status, facts: ChainFacts) -> bool:
    """Whether a run is being tried again and has nothing new to tell yet.

    The status keeps the problem until then: one that flips every minute would tell nothing.
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


def _run(
    old: v1alpha1.Status, facts: ChainFacts, *, is_rechecked: bool, now: str
) -> v1alpha1.RunStatus | None:
    execution, known, latest = facts.execution, facts.known, old.latest_run
    if execution is None:
        return _unseen_run(old, facts, now=now)
    if is_rechecked and latest is not None:
        return dataclasses.replace(
            latest,
            attempt=execution.attempt,
            generation=execution.generation,
            workflow_run_id=execution.workflow_run_id,
            workflow_url=facts.workflow_url,
        )
    if known is None:
        return _run_without_progress(latest, execution, facts)
    phase, reason, message = _outcome(known)
    summary = summarize(known.stacks)
    done = summary.succeeded + _unchanged(known.stacks)
    return dataclasses.replace(
        _new_run(latest, execution, facts),
        phase=phase,
        reason=reason,
        message=message[:1024],
        completion_time=known.completion_time,
        progress=f"{done}/{summary.total}" if known.stacks else "",
        summary=summary,
    )


def _outcome(known: progress.ChainProgress) -> tuple[Phase, str, str]:
    """A run whose stacks have ended is over once it has stopped what Spacelift queued besides."""
    if known.phase.is_over and known.completion_time is None:
        message = (
            "All stacks have ended; runs that Spacelift queued and the chain does not use are "
            "being stopped."
        )
        return Phase.RUNNING, Reason.PROGRESSING, message
    return known.phase, known.reason or Reason.PROGRESSING, known.message


def _new_run(
    latest: v1alpha1.RunStatus | None, execution: executions.Execution, facts: ChainFacts
) -> v1alpha1.RunStatus:
    # A recheck belongs to the same run, which began with the first attempt.
    is_same = latest is not None and latest.number == execution.number
    return v1alpha1.RunStatus(
        number=execution.number,
        attempt=execution.attempt,
        cause=execution.cause,
        operation=execution.operation,
        generation=execution.generation,
        phase=Phase.PENDING,
        reason=Reason.PROGRESSING,
        start_time=(latest.start_time if is_same and latest else None) or execution.start_time,
        workflow_id=execution.workflow_id,
        workflow_run_id=execution.workflow_run_id,
        workflow_url=facts.workflow_url,
        root_runs=execution.root_runs,
    )


def _unseen_run(old: v1alpha1.Status, facts: ChainFacts, *, now: str) -> v1alpha1.RunStatus | None:
    """Temporal knows no execution: past retention is fine, a run in progress is not.

    With a problem it may be that Temporal could not be asked.
    """
    latest = old.latest_run
    if latest is None or latest.phase.is_over or facts.problem is not None:
        return latest
    return dataclasses.replace(
        latest,
        phase=Phase.FAILED,
        reason=Reason.WORKFLOW_TERMINATED,
        message="Temporal no longer knows the run's workflow, so how it ended is unknown. "
        f"Check the stacks in Spacelift. {_AGAIN}",
        completion_time=now,
    )


def _run_without_progress(
    latest: v1alpha1.RunStatus | None, execution: executions.Execution, facts: ChainFacts
) -> v1alpha1.RunStatus:
    """No worker answered, or the history has no result: say what the description alone tells."""
    is_same = latest is not None and latest.workflow_run_id == execution.workflow_run_id
    base = latest if is_same and latest is not None else _new_run(latest, execution, facts)
    if execution.state is executions.ExecutionState.RUNNING:
        return base
    if base.phase.is_over and executions.has_end_of(base, execution):
        return base
    ends = {
        executions.ExecutionState.TERMINATED: (
            Reason.WORKFLOW_TERMINATED,
            "The workflow was terminated from outside; the runs in progress were asked to stop, "
            "and runs that Spacelift had queued on its own may continue. Check the stacks there.",
        ),
        executions.ExecutionState.FAILED: (Reason.WORKFLOW_FAILED, execution.failure),
        executions.ExecutionState.CLOSED: (Reason.WORKFLOW_FAILED, "The workflow left no result."),
    }
    reason, message = ends[execution.state]
    return dataclasses.replace(
        base,
        phase=Phase.FAILED,
        reason=reason,
        message=f"{message[:800]} {_AGAIN}".strip(),
        completion_time=execution.close_time,
    )


def summarize(
    stacks: Sequence[progress.StackProgress] | Sequence[v1alpha1.StackStatus],
) -> v1alpha1.Summary:
    """Count the stacks by phase."""
    phases = [stack.phase for stack in stacks]
    return v1alpha1.Summary(
        total=len(phases),
        pending=phases.count(Phase.PENDING),
        waiting=phases.count(Phase.WAITING),
        running=phases.count(Phase.RUNNING),
        awaiting_confirmation=phases.count(Phase.AWAITING_CONFIRMATION),
        succeeded=phases.count(Phase.SUCCEEDED),
        failed=phases.count(Phase.FAILED),
        skipped=phases.count(Phase.SKIPPED),
        canceled=phases.count(Phase.CANCELED),
        timed_out=phases.count(Phase.TIMED_OUT),
    )


def _unchanged(stacks: list[progress.StackProgress]) -> int:
    return sum(stack.reason == reasons.StackReason.OUTPUT_UNCHANGED for stack in stacks)


def _graph(old: v1alpha1.Status, facts: ChainFacts) -> v1alpha1.GraphStatus | None:
    known = facts.known
    if known is None or known.resolved_time is None:
        return old.graph
    return v1alpha1.GraphStatus(
        stacks=len(known.stacks),
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
    is_kept = is_silent and run is not None and run.cause == v1alpha1.Cause.RETRY
    if known is not None and not is_rechecked and not is_kept:
        by_id = {stack.id: stack for stack in known.stacks}
        slots = sum(next_stacks.takes_slot(stack) for stack in known.stacks)
        held = stack_rows.Held(
            is_suspended=known.is_suspended,
            has_slot=slots < known.parallelism,
            is_by_spec=facts.is_suspended,
        )
        rows = [stack_rows.of_progress(stack, by_id, held) for stack in known.stacks]
        return tuple(sorted(rows, key=lambda row: (row.level, row.id)))
    if run is None or latest is None or run.workflow_run_id != latest.workflow_run_id:
        # Those of the run before would look like this run's; one that is rechecked has none.
        return stack_rows.kept(old) if run is not None and run.cause == v1alpha1.Cause.RETRY else ()
    if not run.phase.is_over:
        return old.stacks
    return tuple(stack_rows.ended(stack) for stack in old.stacks)
