"""Reports on a stack that do not come from a reading of its run. Pure."""

import dataclasses

from controller.api import reasons, v1alpha1
from controller.chain.run import failures, progress, run_snapshots


def waiting(
    stack_id: str, meaning: progress.StackMeaning, *, run_id: str | None, attempts: int
) -> progress.StackReport:
    """Return the report on a stack that waits for something, with the run that it may have."""
    return progress.StackReport(
        stack_id=stack_id,
        phase=v1alpha1.Phase.WAITING,
        reason=meaning.reason,
        message=meaning.message,
        held_by=meaning.held_by,
        run_id=run_id,
        attempts=max(1, attempts),
    )


def refused(
    stack_id: str,
    kind: str,
    message: str,
    *,
    last: run_snapshots.RunSnapshot | None,
    attempts: int,
) -> progress.StackReport:
    """Return the end of a stack for which a call failed for good; `last` is its last run."""
    return progress.StackReport(
        stack_id=stack_id,
        phase=v1alpha1.Phase.FAILED,
        reason=failures.stack_end(kind),
        message=message,
        run_id=last.run_id if last else None,
        run_url=last.run_url or None if last else None,
        attempts=max(1, attempts),
    )


def never_run(stack_id: str) -> progress.StackReport:
    """Return the end of a stack that the chain was canceled before."""
    return progress.StackReport(
        stack_id=stack_id,
        phase=v1alpha1.Phase.CANCELED,
        reason=reasons.StackReason.CHAIN_CANCELED,
        message="Not run because the chain was canceled.",
    )


def ended_unknown(report: progress.StackReport) -> progress.StackReport:
    """Return the end of a stack that a newer worker reports in a phase that is not known here.

    It is over, and must not be run again.
    """
    return dataclasses.replace(
        report,
        phase=v1alpha1.Phase.FAILED,
        reason=reasons.StackReason.EXECUTION_ENDED,
        message="The stack's workflow ended in a phase that this worker does not know. Look at its "
        "run in Spacelift, and make sure that all workers are from the same release.",
    )


def execution_ended(stack: progress.StackProgress, why: str, *, now: str) -> progress.StackReport:
    """Return the end of a stack whose workflow ended without one."""
    return progress.StackReport(
        stack_id=stack.id,
        phase=v1alpha1.Phase.FAILED,
        reason=reasons.StackReason.EXECUTION_ENDED,
        message="How it ended is not known, since the stack's workflow was ended from outside "
        f"({why}). {last_read(stack, before=now)} Its run may continue. Check the stack in "
        "Spacelift.",
    )


def last_read(stack: progress.StackProgress | v1alpha1.StackStatus, *, before: str | None) -> str:
    """Report the last known state of a stack of which nothing is known any more."""
    state = f" ({stack.run_state})" if stack.run_state else ""
    time = f", before {before}" if before else ""
    return f"It was last read as {stack.phase}{state}{time}."
