"""Times and run ids in the future that claim that everything up to them was handled. Pure.

Whatever is below such a mark asks for nothing. So a mark from a wrong clock, or a forged one, would
silently hold up all starts for as long as it is ahead. It counts as unknown instead (ADR 0028).
"""

import dataclasses
from collections.abc import Iterable
from datetime import datetime, timedelta

from controller import times
from controller.api import v1alpha1

SKEW_SECONDS = 300.0
"""How far the clocks of Temporal, Spacelift and this process may differ: as much as credentials
that name a time usually allow."""


def past_time(text: str | None, *, now: datetime) -> str | None:
    """Return a time as the status writes it; None if it is in the future or not a time.

    Args:
        text: RFC 3339, as someone else has written it.
        now: the time, aware.
    """
    try:
        moment = datetime.fromisoformat(text or "")
        if moment.tzinfo is None:
            return None
        return None if moment > _latest(now) else times.rfc3339(moment)
    except (ValueError, OverflowError):
        return None


def is_past_run(run_id: str, *, now: datetime) -> bool:
    """Whether a run can have been created by now: the first digits of a run id are its time.

    An id that is not a ULID and sorts above all of today's is not believed either.
    """
    return run_id[: times.ULID_TIME_DIGITS] <= times.ulid_time_digits(_latest(now))


def past_runs(runs: Iterable[v1alpha1.RootRun], *, now: datetime) -> tuple[v1alpha1.RootRun, ...]:
    """Return the runs that can have been created by now."""
    return tuple(item for item in runs if is_past_run(item.run_id, now=now))


def past_handled(handled: v1alpha1.Handled, *, now: datetime) -> v1alpha1.Handled:
    """Return what was handled, without marks in the future."""
    return dataclasses.replace(
        handled,
        schedule=past_time(handled.schedule, now=now),
        root_runs=past_runs(handled.root_runs, now=now),
    )


def past_status(status: v1alpha1.Status, *, now: datetime) -> v1alpha1.Status:
    """Return a status without marks in the future, and without asks that cannot have come yet.

    For a schedule, no one knows then which of its times were handled: those from now on count.
    """
    schedule, pending = status.schedule, status.pending_run
    if schedule is not None:
        checked = past_time(schedule.checked_time, now=now) or times.rfc3339(now)
        next_time = schedule.next_time if _is_time(schedule.next_time) else None
        schedule = dataclasses.replace(schedule, checked_time=checked, next_time=next_time)
    if pending is not None:
        pending = dataclasses.replace(
            pending,
            scheduled_time=past_time(pending.scheduled_time, now=now),
            root_runs=past_runs(pending.root_runs, now=now),
        )
    return dataclasses.replace(
        status,
        schedule=schedule,
        pending_run=pending,
        last_handled=past_handled(status.last_handled, now=now),
    )


def _latest(now: datetime) -> datetime:
    return now + timedelta(seconds=SKEW_SECONDS)


def _is_time(text: str | None) -> bool:
    try:
        return datetime.fromisoformat(text or "").tzinfo is not None
    except ValueError:
        return False
