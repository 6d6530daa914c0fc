"""When windows are open together: each for some time from each time of its cron. Pure."""

import datetime
from collections.abc import Sequence
from typing import Protocol

from controller import cron_times

_MOST_OPENINGS = 500
"""If one window opens this many times without the others, the search ends."""


class OpenTimes(Protocol):
    """A window, as the spec has it."""

    @property
    def cron(self) -> str:
        """When it opens."""

    @property
    def duration_seconds(self) -> int:
        """How long it then stays open."""

    @property
    def time_zone(self) -> str:
        """The time zone of the cron."""


def next_opening(
    windows: Sequence[OpenTimes], now: datetime.datetime
) -> tuple[datetime.datetime | None, bool]:
    """Return when all of the windows are open next, and whether that is known.

    If it is not, they are not open together before that time. None: one of them has no further
    times.
    """
    moment = now
    for _ in range(_MOST_OPENINGS):
        closed = [window for window in windows if _closes_at(window, moment) is None]
        if not closed:
            return moment, True
        opens = [_times(window).first_after(moment) for window in closed]
        known = [time for time in opens if time is not None]
        if len(known) < len(opens):
            return None, True
        moment = max(known)
    return moment, False


def next_closing(windows: Sequence[OpenTimes], now: datetime.datetime) -> datetime.datetime | None:
    """Return when the first of the windows closes; None: one of them is closed now."""
    found = [_closes_at(window, now) for window in windows]
    known = [time for time in found if time is not None]
    return min(known) if len(known) == len(found) else None


def _closes_at(window: OpenTimes, now: datetime.datetime) -> datetime.datetime | None:
    """Return when a window closes, or a moment up to which it is open; None: it is closed."""
    open_for = datetime.timedelta(seconds=window.duration_seconds)
    closes_at: datetime.datetime | None = None
    until = now
    # One that opens again before it closes stays open.
    while (opened_at := _times(window).last_until(until, earliest=until - open_for)) is not None:
        end = opened_at + open_for
        if end <= until:
            break
        closes_at = until = end
        if end - now > 2 * open_for:
            break
    return closes_at


def _times(window: OpenTimes) -> cron_times.CronTimes:
    return cron_times.cron_times(window.cron, window.time_zone)
