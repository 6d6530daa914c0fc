"""What a status says of the latest run, even when nothing answers for it any more. Pure."""

import dataclasses
from collections.abc import Sequence

from controller import outside_text
from controller.api import reasons, v1alpha1
from controller.api.v1alpha1 import Phase
from controller.chain.requests import executions
from controller.chain.run import changes, outcome, progress, stack_ends
from controller.chain.status.chain_facts import ChainFacts

Reason = reasons.ChainReason

# What Temporal says of a workflow that it terminates on its own.
_TOO_LARGE = ("GrpcMessageTooLarge", "exceeds limit", "exceeds size limit")

_UNKNOWN_END = (
    "The workflow ended in a phase that this version of the operator does not know. Make sure "
    "that the operator and the workers are from the same release."
)


def project(
    old: v1alpha1.Status, facts: ChainFacts, *, is_rechecked: bool, now: str
) -> v1alpha1.RunStatus | None:
    """Return the latest run, given the status as it was.

    Args:
        old: the status as it is.
        facts: what was observed.
        is_rechecked: the run is being tried again and says nothing new yet.
        now: the time of an end that has no time.
    """
    execution, known, latest = facts.execution, facts.known, old.latest_run
    if execution is None:
        return _unseen_run(old, facts, now=now)
    if is_rechecked and latest is not None:
        return dataclasses.replace(
            latest,
            attempt=execution.attempt,
            generation=execution.generation,
            workflow_run_id=execution.workflow_run_id,
            workflow_url=outside_text.link(facts.workflow_url),
        )
    if known is None:
        return _run_without_progress(latest, execution, facts)
    phase, reason, message = _outcome(known)
    if execution.state is executions.ExecutionState.CLOSED and not phase.is_over:
        phase, reason, message = Phase.FAILED, Reason.WORKFLOW_FAILED, _UNKNOWN_END
    summary = summarize(known.stacks)
    done = sum(stack_ends.ended_well(stack) for stack in known.stacks)
    return dataclasses.replace(
        _new_run(latest, execution, facts),
        phase=phase,
        reason=outside_text.visible(reason),
        message=outside_text.clean(message, most=1024),
        completion_time=known.completion_time or execution.close_time,
        estimated_completion_time=None if phase.is_over else known.estimated_completion_time,
        progress=f"{done}/{summary.total}" if known.stacks else "",
        summary=summary,
        changes=changes.total(known),
        stages=tuple(map(_stage, known.stages)),
    )


def without_estimate(run: v1alpha1.RunStatus | None) -> v1alpha1.RunStatus | None:
    """Return a run of which nothing new is known: earlier estimates for it may be long past."""
    return None if run is None else dataclasses.replace(run, estimated_completion_time=None)


def _stage(stage: progress.StageProgress) -> v1alpha1.StageStatus:
    return v1alpha1.StageStatus(
        name=stage.name,
        phase=stage.phase,
        progress=f"{stage.succeeded}/{stage.stacks}",
        waits_for=stage.waits_for or None,
        message=stage.message or None,
        since=stage.since,
        until=stage.until,
        approved_time=stage.approved_at,
    )


def _outcome(known: progress.ChainProgress) -> tuple[Phase, str, str]:
    """A run whose stacks have ended is over once it has stopped what Spacelift queued besides."""
    if known.phase.is_over and known.completion_time is None:
        message = (
            "All stacks have ended; runs that Spacelift queued and the chain does not use are "
            "being stopped."
        )
        if known.phase is Phase.SUCCEEDED:
            return Phase.RUNNING, Reason.PROGRESSING, message
        # Who has to act on it should not wait for that.
        reason = outcome.bad_end_reason(known) or Reason.PROGRESSING
        return Phase.RUNNING, reason, f"{known.message} {message}"
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
        workflow_url=outside_text.link(facts.workflow_url),
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
        message="Temporal no longer knows the run's workflow, so how it ended is not known.",
        completion_time=now,
        estimated_completion_time=None,
        stages=(),
    )


def _run_without_progress(
    latest: v1alpha1.RunStatus | None, execution: executions.Execution, facts: ChainFacts
) -> v1alpha1.RunStatus:
    """No worker answered, or the history has no result: say what the description alone tells."""
    base = _new_run(latest, execution, facts)
    if latest is not None and executions.is_execution_of(execution, latest):
        base = dataclasses.replace(
            latest, workflow_run_id=base.workflow_run_id, workflow_url=base.workflow_url
        )
    if execution.state is executions.ExecutionState.RUNNING:
        return base
    if base.phase.is_over and executions.has_end_of(base, execution):
        return base
    ends = {
        executions.ExecutionState.TERMINATED: (
            Reason.WORKFLOW_TERMINATED,
            f"{_terminated(execution.termination)}. Temporal then asks the workflows of its "
            "stacks to stop their runs; how they end is not known, and runs that Spacelift had "
            "queued on its own may continue.",
        ),
        executions.ExecutionState.FAILED: (Reason.WORKFLOW_FAILED, execution.failure),
        executions.ExecutionState.CLOSED: (
            Reason.WORKFLOW_FAILED,
            "The workflow did not leave a result.",
        ),
    }
    reason, message = ends[execution.state]
    return dataclasses.replace(
        base,
        phase=Phase.FAILED,
        reason=reason,
        message=outside_text.shortened(message, 1024),
        completion_time=execution.close_time,
        estimated_completion_time=None,
        stages=(),
    )


def _terminated(reason: str) -> str:
    if any(word in reason for word in _TOO_LARGE):
        return (
            f"Temporal terminated the workflow because it was too large ({reason}): shorten "
            "`spec.runtimeEnvironment`, or split the chain"
        )
    return f"The workflow was terminated from outside{f' ({reason})' if reason else ''}"


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
