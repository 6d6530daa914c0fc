"""Projects what is known of a resource and its latest run onto its status. Pure.

Equal facts give an equal status, so that nothing is written when nothing changed; conditions keep
their transition times.
"""

import dataclasses

from controller.api import reasons, v1alpha1
from controller.api.v1alpha1 import Phase
from controller.chain import progress, requests

Reason = reasons.ChainReason


@dataclasses.dataclass(frozen=True, kw_only=True, slots=True)
class Problem:
    """Something outside of the run that keeps the request from being served.

    `is_retrying`: it is tried again by itself, at any moment; else a person has to do something.
    """

    reason: reasons.ChainReason
    message: str
    is_retrying: bool


@dataclasses.dataclass(frozen=True, kw_only=True, slots=True)
class Facts:
    """All that the status is made of, beside the resource itself."""

    handled: v1alpha1.Handled
    execution: requests.Execution | None = None
    known: progress.ChainProgress | None = None
    pending: v1alpha1.PendingRun | None = None
    has_unhandled: bool = False
    problem: Problem | None = None
    url: str | None = None


@dataclasses.dataclass(frozen=True, kw_only=True, slots=True)
class _Verdict:
    ready: str
    reason: str
    message: str
    reconciling: bool
    stalled: bool


def project(ref: v1alpha1.Ref, old: v1alpha1.Status, facts: Facts, *, now: str) -> v1alpha1.Status:
    """Return the status that the facts call for.

    Args:
        ref: the resource, with the generation that was looked at.
        old: the status as it is.
        facts: what was observed.
        now: the time of a condition that changes, RFC 3339 in UTC.
    """
    run = _run(old, facts)
    stacks = _stacks(old, facts)
    verdict = _verdict(old, run, stacks, facts)
    return v1alpha1.Status(
        observed_generation=ref.generation,
        conditions=_conditions(ref, old, verdict, run, stacks, facts, now=now),
        graph=_graph(old, facts),
        latest_run=run,
        pending_run=facts.pending,
        last_handled=facts.handled,
        stacks=stacks,
    )


def _is_recheck(old: v1alpha1.Status, facts: Facts) -> bool:
    """Whether a run is being tried again and has nothing new to tell yet.

    The status keeps the problem until then: one that flips every minute would tell nothing.
    """
    known, latest = facts.known, old.latest_run
    return (
        known is not None
        and known.resolved_at is None
        and known.phase is Phase.PENDING
        and latest is not None
        and latest.number == known.number
        and requests.may_be_rechecked(latest)
    )


def _run(old: v1alpha1.Status, facts: Facts) -> v1alpha1.RunStatus | None:
    execution, known = facts.execution, facts.known
    if execution is None:
        return _lost_run(old)
    latest = old.latest_run
    if latest is not None and requests.is_duplicate(execution, latest):
        return latest
    if known is None:
        return _run_without_progress(latest, execution, facts)
    if _is_recheck(old, facts) and latest is not None:
        return dataclasses.replace(
            latest,
            attempt=execution.attempt,
            workflow_run_id=execution.workflow_run_id,
            url=facts.url,
        )
    summary = summarize(known.stacks)
    # A recheck belongs to the same run, which began with the first attempt.
    is_same = latest is not None and latest.number == execution.number
    return v1alpha1.RunStatus(
        number=execution.number,
        attempt=execution.attempt,
        trigger=execution.trigger,
        generation=execution.generation,
        phase=known.phase,
        reason=known.reason or Reason.PROGRESSING,
        message=known.message[:1024],
        start_time=latest.start_time if is_same and latest is not None else known.started_at,
        completion_time=known.completed_at,
        progress=f"{summary.succeeded + _unchanged(known.stacks)}/{summary.total}"
        if known.stacks
        else "",
        summary=summary,
        workflow_id=execution.workflow_id,
        workflow_run_id=execution.workflow_run_id,
        url=facts.url,
    )


def _lost_run(old: v1alpha1.Status) -> v1alpha1.RunStatus | None:
    """Temporal knows no execution: past retention is fine, a run in progress is not."""
    latest = old.latest_run
    if latest is None or Phase(latest.phase).is_over:
        return latest
    return dataclasses.replace(
        latest,
        phase=Phase.FAILED,
        reason=Reason.WORKFLOW_TERMINATED,
        message="The workflow no longer exists in Temporal.",
    )


def _run_without_progress(
    latest: v1alpha1.RunStatus | None, execution: requests.Execution, facts: Facts
) -> v1alpha1.RunStatus:
    """No worker answered, or the history has no result: say what the description alone tells."""
    is_same = latest is not None and latest.workflow_run_id == execution.workflow_run_id
    base = (
        latest
        if is_same and latest is not None
        else v1alpha1.RunStatus(
            number=execution.number,
            attempt=execution.attempt,
            trigger=execution.trigger,
            generation=execution.generation,
            phase=Phase.PENDING,
            reason=Reason.PROGRESSING,
            start_time=execution.started_at,
            workflow_id=execution.workflow_id,
            workflow_run_id=execution.workflow_run_id,
            url=facts.url,
        )
    )
    if execution.state is requests.ExecutionState.RUNNING or Phase(base.phase).is_over:
        return base
    ends = {
        requests.ExecutionState.TERMINATED: (
            Reason.WORKFLOW_TERMINATED,
            "The workflow was terminated from outside.",
        ),
        requests.ExecutionState.FAILED: (Reason.WORKFLOW_FAILED, execution.failure),
        requests.ExecutionState.CLOSED: (Reason.WORKFLOW_FAILED, "The workflow left no result."),
    }
    reason, message = ends[execution.state]
    return dataclasses.replace(
        base,
        phase=Phase.FAILED,
        reason=reason,
        message=message[:1024],
        completion_time=execution.closed_at,
    )


def summarize(stacks: list[progress.StackProgress]) -> v1alpha1.Summary:
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
    )


def _unchanged(stacks: list[progress.StackProgress]) -> int:
    return sum(stack.reason == reasons.StackReason.OUTPUT_UNCHANGED for stack in stacks)


def _graph(old: v1alpha1.Status, facts: Facts) -> v1alpha1.GraphStatus | None:
    known = facts.known
    if known is None or known.resolved_at is None:
        return old.graph
    return v1alpha1.GraphStatus(
        stacks=len(known.stacks),
        edges=known.edges,
        levels=known.levels,
        resolved_time=known.resolved_at,
    )


def _stacks(old: v1alpha1.Status, facts: Facts) -> tuple[v1alpha1.StackStatus, ...]:
    known = facts.known
    if known is None or (known.resolved_at is None and known.phase is Phase.PENDING):
        return _ended_stacks(old.stacks, facts)
    by_id = {stack.id: stack for stack in known.stacks}
    rows = [_stack(stack, by_id) for stack in known.stacks]
    return tuple(sorted(rows, key=lambda row: (row.level, row.id)))


def _ended_stacks(
    stacks: tuple[v1alpha1.StackStatus, ...], facts: Facts
) -> tuple[v1alpha1.StackStatus, ...]:
    """A workflow that was killed leaves stacks in progress behind; do not show them running."""
    if facts.execution is None or facts.execution.state is requests.ExecutionState.RUNNING:
        return stacks
    return tuple(
        stack
        if Phase(stack.phase).is_over
        else dataclasses.replace(
            stack,
            phase=Phase.CANCELED,
            reason=reasons.StackReason.EXECUTION_ENDED,
            message="The chain's workflow was ended from outside; see the stack in Spacelift.",
        )
        for stack in stacks
    )


def _stack(
    stack: progress.StackProgress, by_id: dict[str, progress.StackProgress]
) -> v1alpha1.StackStatus:
    reason, message = stack.reason, stack.message
    if stack.phase is Phase.PENDING:
        reason, message = _pending(stack, by_id)
    has_delta = stack.added is not None
    return v1alpha1.StackStatus(
        id=stack.id,
        name=stack.name if stack.name != stack.id else None,
        level=stack.level,
        depends_on=tuple(sorted(stack.depends_on)),
        phase=stack.phase,
        reason=reason or None,
        message=message[:512] or None,
        blocked_by=stack.blocked_by,
        run_id=stack.run_id,
        run_state=stack.run_state,
        url=stack.run_url,
        start_time=stack.started_at,
        completion_time=stack.completed_at,
        delta=v1alpha1.Delta(
            added=stack.added or 0, changed=stack.changed or 0, deleted=stack.deleted or 0
        )
        if has_delta
        else None,
    )


def _pending(
    stack: progress.StackProgress, by_id: dict[str, progress.StackProgress]
) -> tuple[str, str]:
    waits_for = [item for item in stack.depends_on if not by_id[item].phase.is_over]
    if not waits_for:
        return reasons.StackReason.SLOT_PENDING, "Waits for a free slot (`spec.parallelism`)."
    names = ", ".join(f"'{name}'" for name in sorted(waits_for)[:5])
    more = f" and {len(waits_for) - 5} more" if len(waits_for) > 5 else ""
    return reasons.StackReason.UPSTREAM_PENDING, f"Waits for {names}{more}."


def _verdict(
    old: v1alpha1.Status,
    run: v1alpha1.RunStatus | None,
    stacks: tuple[v1alpha1.StackStatus, ...],
    facts: Facts,
) -> _Verdict:
    if facts.problem is not None:
        problem = facts.problem
        return _Verdict(
            ready="False",
            reason=problem.reason,
            message=problem.message,
            reconciling=problem.is_retrying,
            stalled=not problem.is_retrying,
        )
    if _is_recheck(old, facts) and run is not None:
        return _ended_badly(run)
    known = facts.known
    if known is not None and known.problem_reason and not known.phase.is_over:
        return _unreachable(known.problem_reason, known.problem_message)
    if run is None or facts.has_unhandled or not Phase(run.phase).is_over:
        return _in_progress(run, stacks, facts)
    if run.phase == Phase.SUCCEEDED:
        return _Verdict(
            ready="True",
            reason=Reason.RUN_SUCCEEDED,
            message=run.message,
            reconciling=False,
            stalled=False,
        )
    return _ended_badly(run)


def _unreachable(reason: str, message: str) -> _Verdict:
    return _Verdict(ready="False", reason=reason, message=message, reconciling=True, stalled=False)


def _in_progress(
    run: v1alpha1.RunStatus | None, stacks: tuple[v1alpha1.StackStatus, ...], facts: Facts
) -> _Verdict:
    if run is not None and not Phase(run.phase).is_over:
        failing = [
            stack for stack in stacks if not Phase(stack.phase).is_over and stack.reason in _FAILING
        ]
        if failing:
            first = failing[0]
            return _unreachable(
                _FAILING[reasons.StackReason(first.reason or "")],
                f"'{first.id}': {first.message}",
            )
        if run.phase == Phase.AWAITING_CONFIRMATION:
            return _Verdict(
                ready="Unknown",
                reason=Reason.AWAITING_CONFIRMATION,
                message=run.message,
                reconciling=True,
                stalled=False,
            )
    return _Verdict(
        ready="Unknown",
        reason=Reason.PROGRESSING,
        message=_progress_message(run, facts),
        reconciling=True,
        stalled=False,
    )


_FAILING = {
    reasons.StackReason.SPACELIFT_UNREACHABLE: Reason.SPACELIFT_UNREACHABLE,
    reasons.StackReason.CREDENTIALS_REJECTED: Reason.CREDENTIALS_REJECTED,
}


def _progress_message(run: v1alpha1.RunStatus | None, facts: Facts) -> str:
    if run is None or (facts.has_unhandled and Phase(run.phase).is_over):
        return "A run is about to start."
    if not run.summary.total:
        return f"Run {run.number}: reading the stacks from Spacelift."
    summary = run.summary
    parts = [
        f"{count} {word}"
        for count, word in (
            (summary.running, "running"),
            (summary.waiting, "waiting in Spacelift"),
            (summary.pending, "pending"),
            (summary.failed, "failed"),
            (summary.skipped - _skipped_well(facts), "skipped"),
        )
        if count > 0
    ]
    waits = " Another run waits for its end." if facts.pending else ""
    return f"Run {run.number}: {run.progress} done" + "".join(f", {p}" for p in parts) + "." + waits


def _skipped_well(facts: Facts) -> int:
    return _unchanged(facts.known.stacks) if facts.known else 0


def _ended_badly(run: v1alpha1.RunStatus) -> _Verdict:
    return _Verdict(
        ready="False",
        reason=run.reason or Reason.WORKFLOW_FAILED,
        message=run.message,
        reconciling=False,
        stalled=True,
    )


def _conditions(
    ref: v1alpha1.Ref,
    old: v1alpha1.Status,
    verdict: _Verdict,
    run: v1alpha1.RunStatus | None,
    stacks: tuple[v1alpha1.StackStatus, ...],
    facts: Facts,
    *,
    now: str,
) -> tuple[v1alpha1.Condition, ...]:
    wanted = {
        "Ready": (verdict.ready, verdict.reason, verdict.message),
        "Reconciling": (_bool(verdict.reconciling), verdict.reason, verdict.message),
        "Stalled": (_bool(verdict.stalled), verdict.reason, verdict.message),
        "GraphResolved": _graph_resolved(run, stacks, facts),
        "AwaitingConfirmation": _awaiting(run, stacks),
    }
    return tuple(
        _condition(ref, old.condition(type_), type_, *values, now=now)
        for type_, values in wanted.items()
    )


def _graph_resolved(
    run: v1alpha1.RunStatus | None, stacks: tuple[v1alpha1.StackStatus, ...], facts: Facts
) -> tuple[str, str, str]:
    if run is not None and run.reason in reasons.RECHECKED:
        return "False", run.reason, run.message
    if run is not None and stacks and run.summary.total:
        return "True", "Resolved", f"{len(stacks)} stacks."
    reason = facts.problem.reason if facts.problem else Reason.PROGRESSING
    return "Unknown", reason, "The stacks have not been read."


def _awaiting(
    run: v1alpha1.RunStatus | None, stacks: tuple[v1alpha1.StackStatus, ...]
) -> tuple[str, str, str]:
    waiting = [stack for stack in stacks if stack.phase == Phase.AWAITING_CONFIRMATION]
    if run is None or not waiting:
        return "False", "NoneWaits", "No run waits for a person."
    links = "; ".join(f"'{stack.id}': {stack.url}" for stack in waiting[:5])
    more = f" and {len(waiting) - 5} more" if len(waiting) > 5 else ""
    return "True", waiting[0].reason or Reason.AWAITING_CONFIRMATION, links + more


def _condition(
    ref: v1alpha1.Ref,
    old: v1alpha1.Condition | None,
    type_: str,
    status: str,
    reason: str,
    message: str,
    *,
    now: str,
) -> v1alpha1.Condition:
    is_same = old is not None and old.status == status
    return v1alpha1.Condition(
        type=type_,
        status=status,
        reason=reason,
        message=message,
        observed_generation=ref.generation,
        last_transition_time=old.last_transition_time if is_same and old is not None else now,
    )


def _bool(value: bool) -> str:
    return "True" if value else "False"
