"""What is to be done about a schedule, and which of its times ask for a run.

Temporal has the schedule and alone knows its times; the status knows up to which of them were taken
up. Times are RFC 3339 in UTC, so they compare as texts. Pure.
"""

import dataclasses
import enum
from collections.abc import Sequence
from datetime import datetime

from controller.api import v1alpha1


@dataclasses.dataclass(frozen=True, kw_only=True, slots=True)
class ScheduleFacts:
    """What is known when a schedule is checked.

    `wanted_digest` names the schedule that Temporal should have; None: it should have none. `known`
    is what the status says of it. `now` is the time up to which times have passed. `is_renewing`:
    the status may be wrong about what Temporal has.
    """

    wanted_digest: str | None
    known: v1alpha1.ScheduleStatus | None
    now: str
    is_suspended: bool = False
    is_renewing: bool = False


class ScheduleStep(enum.StrEnum):
    """What is done next about a schedule."""

    NOTHING = "Nothing"
    REMOVE = "Remove"
    SET_UP = "SetUp"
    """Temporal gets a new schedule; times before now are not its own."""
    TAKE_TIMES_THEN_SET_UP = "TakeTimesThenSetUp"
    """Take the times of the old schedule that have passed, before Temporal forgets them.

    No one knows them once Temporal has the new schedule. So what they ask for goes into the status
    first, and a later pass sets up the new schedule.
    """
    TAKE_TIMES = "TakeTimes"
    """Take the times that have passed, and ask Temporal for the next one."""
    RESTORE = "Restore"
    """Give Temporal the same schedule again, ask for the next time, and ignore passed times."""
    RESTORE_AND_TAKE_TIMES = "RestoreAndTakeTimes"
    """Give Temporal the same schedule again, which then returns the times that passed meanwhile."""


def next_step(facts: ScheduleFacts) -> ScheduleStep:
    """Return what is to be done; `NOTHING` if Temporal need not be asked."""
    known = facts.known
    if facts.wanted_digest is None:
        is_there = known is not None or facts.is_renewing
        return ScheduleStep.REMOVE if is_there else ScheduleStep.NOTHING
    has_passed = known is not None and _has_time_passed(known, facts.now)
    if known is None or _is_new(known, facts):
        return ScheduleStep.TAKE_TIMES_THEN_SET_UP if has_passed else ScheduleStep.SET_UP
    if facts.is_renewing or _lacks_next_time(known, facts):
        # Times that pass while it is suspended do not count.
        are_times_taken = has_passed or not facts.is_suspended
        return ScheduleStep.RESTORE_AND_TAKE_TIMES if are_times_taken else ScheduleStep.RESTORE
    return ScheduleStep.TAKE_TIMES if has_passed else ScheduleStep.NOTHING


def _is_new(known: v1alpha1.ScheduleStatus, facts: ScheduleFacts) -> bool:
    # A schedule that was refused, or never fires, is tried again: the next answer may differ.
    was_refused = facts.is_renewing and known.problem is not None
    return known.digest != facts.wanted_digest or was_refused


def _has_time_passed(known: v1alpha1.ScheduleStatus, now: str) -> bool:
    return known.next_time is not None and known.next_time <= now


def _lacks_next_time(known: v1alpha1.ScheduleStatus, facts: ScheduleFacts) -> bool:
    """Whether there is a next time that the status does not know: an edit was taken back."""
    return known.next_time is None and known.problem is None and not facts.is_suspended


@dataclasses.dataclass(frozen=True, kw_only=True, slots=True)
class TakenTimes:
    """What is known of a schedule once its passed times were taken, and the time that asks."""

    known: v1alpha1.ScheduleStatus
    ask: str | None


def take_passed_times(
    old: v1alpha1.ScheduleStatus,
    schedule: v1alpha1.Schedule,
    times: Sequence[str],
    *,
    now: str,
) -> TakenTimes:
    """Return which of the times that have passed ask for a run, and which were missed.

    Of those that are not too late the newest asks for all. Those that are too late are missed.

    Args:
        old: what is known of the schedule.
        schedule: what the spec says.
        times: all its times after `old.checked_time` up to now, in order.
        now: at which the lateness is judged.
    """
    if not times:
        return TakenTimes(known=old, ask=None)
    late = [time for time in times if _seconds(time, now) > schedule.starting_deadline_seconds]
    ask = times[-1] if len(late) < len(times) else None
    new = dataclasses.replace(
        old,
        checked_time=times[-1],
        last_time=ask or old.last_time,
        missed=old.missed + len(late),
        last_missed_time=late[-1] if late else old.last_missed_time,
    )
    return TakenTimes(known=new, ask=ask)


def _seconds(time: str, now: str) -> float:
    return (datetime.fromisoformat(now) - datetime.fromisoformat(time)).total_seconds()
