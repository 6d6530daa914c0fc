"""What follows a failed run of a stack that may be run again. Pure."""

import dataclasses

from controller.api import reasons, v1alpha1
from controller.chain.run import progress, run_snapshots, stack_reports, stops

# 2 to the power of more than this is beyond any limit of the pause.
_MOST_DOUBLINGS = 32


def pause_seconds(*, attempts: int, backoff_seconds: int, max_backoff_seconds: int) -> int:
    """Return how long to wait after this many runs before the next one."""
    doublings = min(attempts - 1, _MOST_DOUBLINGS)
    return min(backoff_seconds << doublings, max_backoff_seconds)


def pending(
    stack_id: str, run: run_snapshots.RunSnapshot, *, attempts: int, limit: int, next_at: str
) -> progress.StackReport:
    """Return the report on a failed run after which another one starts."""
    return _between_runs(stack_id, run, f"starts at {next_at}", attempts=attempts, limit=limit)


def wanting_slot(
    stack_id: str, run: run_snapshots.RunSnapshot, *, attempts: int, limit: int
) -> progress.StackReport:
    """Return the report on a failed run after which another one could start now."""
    report = _between_runs(
        stack_id,
        run,
        "waits for a free slot (`spec.parallelism`)",
        attempts=attempts,
        limit=limit,
    )
    return dataclasses.replace(report, wants_slot=True)


def _between_runs(
    stack_id: str, run: run_snapshots.RunSnapshot, next_one: str, *, attempts: int, limit: int
) -> progress.StackReport:
    failed = f"Run {attempts} of at most {limit + 1} failed{stack_reports.note_of(run)}"
    link = f": {run.run_url}" if run.run_url else "."
    meaning = progress.StackMeaning(
        phase=v1alpha1.Phase.WAITING,
        reason=reasons.StackReason.RETRY_PENDING,
        message=f"{failed}; the next one {next_one}{link}",
    )
    return stack_reports.report(stack_id, run, meaning, attempts=attempts)


def stopped_before_retry(
    stack_id: str, run: run_snapshots.RunSnapshot, stop: stops.Stop, *, attempts: int
) -> progress.StackReport:
    """Return the end of a stack that was stopped between a failed run and the next one."""
    failed = stack_reports.classify(stack_id, run, attempts=attempts)
    message = f"{failed.message} No other run was started because {stop.why}."
    return dataclasses.replace(failed, message=message)
