"""The times of a cron in a time zone: each minute whose time on the wall fits. Pure.

They are those that Temporal has for a schedule, with one exception: a time that a change of the
clock brings twice comes twice. Of such times Temporal takes the first, the second or both,
depending on the zone and on the other times (measured, `tests/workflows/test_cron_times.py`), so
that an hourly cron has an hour without a time. Both day fields have to match. A time that a change
of the clock skips does not come.
"""

import bisect
import datetime
import functools
import itertools
import zoneinfo
from collections.abc import Mapping, Sequence

_MONTHS = ("JAN", "FEB", "MAR", "APR", "MAY", "JUN", "JUL", "AUG", "SEP", "OCT", "NOV", "DEC")
_WEEKDAYS = ("SUN", "MON", "TUE", "WED", "THU", "FRI", "SAT")
_NICKNAMES = {
    "@yearly": "0 0 1 1 *",
    "@annually": "0 0 1 1 *",
    "@monthly": "0 0 1 * *",
    "@weekly": "0 0 * * 0",
    "@daily": "0 0 * * *",
    "@midnight": "0 0 * * *",
    "@hourly": "0 * * * *",
}
# A 29th of February on a certain day of the week may be forty years away.
_DAYS_AHEAD = 41 * 366
_DAYS_KEPT = 8
_FIRST_DAY = datetime.date(2000, 1, 1)
_ONE_DAY = datetime.timedelta(days=1)


class BadCron(ValueError):
    """The cron or its time zone cannot be read, or has no times; the message is for people."""


class CronTimes:
    """The times of one cron, each at the start of a minute."""

    def __init__(self, cron: str, time_zone: str) -> None:
        """Read a cron.

        Args:
            cron: five fields or a nickname, as `spec.schedule.cron` has them.
            time_zone: a name of the IANA database.

        Raises:
            BadCron: it cannot be read, or has no times.
        """
        try:
            self._zone = zoneinfo.ZoneInfo(time_zone)
        except (zoneinfo.ZoneInfoNotFoundError, ValueError, OSError) as error:
            raise BadCron(f"there is no time zone '{time_zone}' in the IANA database") from error
        fields = _NICKNAMES.get(cron.strip().lower(), cron).split()
        if len(fields) != 5:
            raise BadCron(
                f"'{cron}' must have five fields, minute, hour, day of month, month and day of "
                "week, or be one of @yearly, @monthly, @weekly, @daily and @hourly"
            )
        self._minutes = _values(fields[0], "minute", 0, 59)
        self._hours = _values(fields[1], "hour", 0, 23)
        self._days = frozenset(_values(fields[2], "day of month", 1, 31))
        self._months = frozenset(_values(fields[3], "month", 1, 12, _numbered(_MONTHS, 1)))
        weekdays = _values(fields[4], "day of week", 0, 7, _numbered(_WEEKDAYS, 0))
        # Both 0 and 7 are Sunday.
        self._weekdays = frozenset(weekday % 7 for weekday in weekdays)
        # A search for times when windows are open together asks for the same days again and again.
        self._times_of = functools.lru_cache(maxsize=_DAYS_KEPT)(self._times_of_day)
        if not self._has_days():
            raise BadCron(f"'{cron}' names a day that does not exist")

    def first_after(self, moment: datetime.datetime) -> datetime.datetime | None:
        """Return the first time after a moment, in UTC; None: there is none in 40 years."""
        day = moment.astimezone(self._zone).date()
        for _ in range(_DAYS_AHEAD):
            times = self._times_of(day) if self._has_day(day) else ()
            place = bisect.bisect_right(times, moment)
            if place < len(times):
                return times[place]
            day += _ONE_DAY
        return None

    def last_until(
        self, moment: datetime.datetime, *, earliest: datetime.datetime
    ) -> datetime.datetime | None:
        """Return the last time up to a moment, in UTC; None: there is none since `earliest`."""
        day, first_day = (time.astimezone(self._zone).date() for time in (moment, earliest))
        while day >= first_day:
            times = self._times_of(day) if self._has_day(day) else ()
            place = bisect.bisect_right(times, moment)
            if place:
                return times[place - 1] if times[place - 1] >= earliest else None
            day -= _ONE_DAY
        return None

    def _has_days(self) -> bool:
        # All dates have come on all days of the week after 28 years.
        days = (_FIRST_DAY + _ONE_DAY * number for number in range(28 * 366))
        return any(self._has_day(day) for day in days)

    def _has_day(self, day: datetime.date) -> bool:
        if day.month not in self._months or day.day not in self._days:
            return False
        return day.isoweekday() % 7 in self._weekdays

    def _times_of_day(self, day: datetime.date) -> Sequence[datetime.datetime]:
        """Return the times of a day that the cron has, ascending."""
        midnight = datetime.datetime(day.year, day.month, day.day, tzinfo=self._zone)
        offset = midnight.utcoffset()
        if offset is None or (midnight + _ONE_DAY).utcoffset() != offset:
            return self._times_of_changing_day(day)
        begin = midnight.replace(tzinfo=datetime.UTC) - offset
        return [
            begin + datetime.timedelta(hours=hour, minutes=minute)
            for hour, minute in itertools.product(self._hours, self._minutes)
        ]

    def _times_of_changing_day(self, day: datetime.date) -> Sequence[datetime.datetime]:
        """Return the times of a day on which the clock may change, one by one."""
        found = set()
        for hour, minute, fold in itertools.product(self._hours, self._minutes, (0, 1)):
            local = datetime.datetime(
                day.year, day.month, day.day, hour, minute, tzinfo=self._zone, fold=fold
            )
            utc = local.astimezone(datetime.UTC)
            back = utc.astimezone(self._zone)
            if (back.hour, back.minute) == (hour, minute):
                found.add(utc)
        return sorted(found)


@functools.lru_cache(maxsize=256)
def cron_times(cron: str, time_zone: str) -> CronTimes:
    """Return the times of a cron; raises BadCron."""
    return CronTimes(cron, time_zone)


def _numbered(names: Sequence[str], first: int) -> Mapping[str, int]:
    return {name: number for number, name in enumerate(names, start=first)}


def _values(
    text: str, field: str, least: int, most: int, names: Mapping[str, int] | None = None
) -> list[int]:
    """Return the values of a field, ascending, such as `1-5`, `*/15`, `MON,WED` or `8-18/2`."""
    found: set[int] = set()
    for part in text.split(","):
        span, slash, step_text = part.partition("/")
        step = _number(step_text, field, 1, most, {}, text) if slash else 1
        first_text, dash, last_text = span.partition("-")
        if span == "*":
            first, last = least, most
        else:
            first = _number(first_text, field, least, most, names or {}, text)
            last = first
            if dash:
                last = _number(last_text, field, least, most, names or {}, text)
            elif slash:
                last = most
        if last < first:
            raise BadCron(f"the {field} of the cron has '{part}', which ends before it starts")
        found.update(range(first, last + 1, step))
    return sorted(found)


def _number(
    text: str, field: str, least: int, most: int, names: Mapping[str, int], whole: str
) -> int:
    number = names.get(text.upper())
    if number is None and text.isascii() and text.isdigit():
        number = int(text)
    if number is None or not least <= number <= most:
        allowed = f"{least} to {most}" + (f" or {', '.join(names)}" if names else "")
        raise BadCron(f"the {field} of the cron is '{whole}', and '{text}' is not {allowed}")
    return number
