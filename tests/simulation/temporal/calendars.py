"""The times of a schedule: intervals since 1970, and crons in a time zone, as Temporal has them."""

import datetime
import math
import zoneinfo
from collections.abc import Iterator

from temporalio.api.schedule.v1 import ScheduleSpec
from temporalio.service import RPCStatusCode

from tests.simulation.temporal.activities import seconds_of
from tests.simulation.temporal.refusals import NotSimulated, only, rpc_error

_MONTHS = ("jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec")
_DAYS = ("sun", "mon", "tue", "wed", "thu", "fri", "sat")
_FIELDS = (
    ("Minute", 0, 59, ()),
    ("Hour", 0, 23, ()),
    ("DayOfMonth", 1, 31, ()),
    ("Month", 1, 12, _MONTHS),
    ("DayOfWeek", 0, 7, _DAYS),
)
# Temporal looks no further.
_LAST_YEAR = 2100


class Times:
    """When a schedule is due, in seconds since 1970."""

    def __init__(self, spec: ScheduleSpec) -> None:
        """Read a specification.

        Raises:
            RPCError: it is not valid.
            NotSimulated: the product has no such schedules.
        """
        only(spec, "cron_string", "interval", "timezone_name")
        self._intervals = [(seconds_of(i.interval), seconds_of(i.phase)) for i in spec.interval]
        try:
            zone = zoneinfo.ZoneInfo(spec.timezone_name or "UTC")
        except (zoneinfo.ZoneInfoNotFoundError, ValueError) as error:
            raise _invalid(f"unknown time zone {spec.timezone_name}") from error
        self._crons = [_Cron(text, zone) for text in spec.cron_string]

    def after(self, moment: float) -> float | None:
        """Return the first time after a moment; None: there is none."""
        found = [_next_of_interval(moment, *interval) for interval in self._intervals]
        found += [time for cron in self._crons if (time := cron.after(moment)) is not None]
        return min(found, default=None)

    def between(self, after: float, until: float) -> Iterator[float]:
        """Give the times after one moment and up to another."""
        moment = self.after(after)
        while moment is not None and moment <= until:
            yield moment
            moment = self.after(moment)


class _Cron:
    """A cron of five fields, of which all have to match."""

    def __init__(self, text: str, zone: zoneinfo.ZoneInfo) -> None:
        parts = text.split()
        if text.startswith(("@", "CRON_TZ", "TZ")):
            raise NotSimulated(f"the cron {text!r}")
        if len(parts) != len(_FIELDS):
            raise _invalid("CronString does not have 5-7 fields")
        self._zone = zone
        self._minutes, self._hours, self._days, self._months, self._weekdays = (
            _values(part, *field) for part, field in zip(parts, _FIELDS, strict=True)
        )

    def after(self, moment: float) -> float | None:
        day = datetime.datetime.fromtimestamp(moment, self._zone).date()
        while day.year < _LAST_YEAR:
            if day.month not in self._months:
                day = (day.replace(day=1) + datetime.timedelta(days=32)).replace(day=1)
                continue
            if day.day in self._days and self._is_weekday(day):
                for time in self._times_of(day):
                    if time > moment:
                        return time
            day += datetime.timedelta(days=1)
        return None

    def _is_weekday(self, day: datetime.date) -> bool:
        weekday = day.isoweekday() % 7
        return weekday in self._weekdays or (weekday == 0 and 7 in self._weekdays)

    def _times_of(self, day: datetime.date) -> Iterator[float]:
        """Give the times of a day; a time that a change of the clock repeats comes the second time.

        A time that it skips does not come.
        """
        for hour in sorted(self._hours):
            for minute in sorted(self._minutes):
                local = datetime.datetime(
                    day.year, day.month, day.day, hour, minute, tzinfo=self._zone, fold=1
                )
                time = local.timestamp()
                back = datetime.datetime.fromtimestamp(time, self._zone)
                if (back.hour, back.minute) == (hour, minute):
                    yield time


def _values(text: str, name: str, least: int, most: int, names: tuple[str, ...]) -> frozenset[int]:
    found: set[int] = set()
    for part in text.split(","):
        span, slash, step_text = part.partition("/")
        step = _number(step_text, name, 1, most, ()) if slash else 1
        if span in ("*", "?"):
            first, last = least, most
        else:
            first_text, dash, last_text = span.partition("-")
            first = _number(first_text, name, least, most, names)
            last = _number(last_text, name, least, most, names) if dash else first
            if slash and not dash:
                last = most
        if last < first:
            raise _invalid(f"{name} is not in range [{least}-{most}]")
        found.update(range(first, last + 1, step))
    return frozenset(found)


def _number(text: str, name: str, least: int, most: int, names: tuple[str, ...]) -> int:
    lowered = text.lower()
    if lowered in names:
        return names.index(lowered) + (1 if names is _MONTHS else 0)
    if not text.isdigit() or not least <= int(text) <= most:
        raise _invalid(f"{name} is not in range [{least}-{most}]")
    return int(text)


def _next_of_interval(moment: float, every: float, phase: float) -> float:
    return (math.floor((moment - phase) / every) + 1) * every + phase


def _invalid(message: str) -> Exception:
    return rpc_error(RPCStatusCode.INVALID_ARGUMENT, f"Invalid schedule spec: {message}")
