"""Times of crons by hand-made tables; tests/workflows compares them with Temporal's."""

import datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from controller import cron_times, window_times
from controller.api import v1alpha1


def _utc(text: str) -> datetime.datetime:
    return datetime.datetime.fromisoformat(text).replace(tzinfo=datetime.UTC)


def _next(cron: str, zone: str, after: str) -> str:
    found = cron_times.CronTimes(cron, zone).first_after(_utc(after))
    return found.strftime("%Y-%m-%d %H:%M") if found else "none"


@pytest.mark.parametrize(
    ("cron", "zone", "after", "expected"),
    [
        ("0 9 * * 1-5", "UTC", "2026-11-27 09:00", "2026-11-30 09:00"),
        ("0 9 * * MON-FRI", "Europe/Berlin", "2026-11-27 07:59", "2026-11-27 08:00"),
        ("0 9 * * 1-5", "Europe/Berlin", "2026-07-01 00:00", "2026-07-01 07:00"),
        ("15 */6 1,15 * *", "America/New_York", "2026-03-01 05:14", "2026-03-01 05:15"),
        ("0 0 13 * 5", "UTC", "2026-03-13 00:00", "2026-11-13 00:00"),
        ("0 0 29 2 *", "UTC", "2026-01-01 00:00", "2028-02-29 00:00"),
        ("0 0 29 2 1", "UTC", "2026-01-01 00:00", "2044-02-29 00:00"),
        ("0 0 * * 7", "UTC", "2026-11-28 12:00", "2026-11-29 00:00"),
        ("@Weekly", "UTC", "2026-11-28 12:00", "2026-11-29 00:00"),
        ("10-50/20 8 * * *", "UTC", "2026-11-28 08:10", "2026-11-28 08:30"),
        # 2:30 does not come on this day, and on that one it comes twice.
        ("30 2 * * *", "Europe/Berlin", "2026-03-28 12:00", "2026-03-30 00:30"),
        ("30 2 * * *", "Europe/Berlin", "2026-10-24 12:00", "2026-10-25 00:30"),
        ("30 2 * * *", "Europe/Berlin", "2026-10-25 00:30", "2026-10-25 01:30"),
        ("30 * * * *", "Europe/Berlin", "2026-10-25 00:30", "2026-10-25 01:30"),
        # Midnight does not come where the clock is put on then.
        ("0 0 * * *", "America/Santiago", "2026-09-05 12:00", "2026-09-07 03:00"),
    ],
)
def test_the_next_time(cron: str, zone: str, after: str, expected: str) -> None:
    assert _next(cron, zone, after) == expected


def test_the_last_time_is_none_where_it_is_too_long_ago() -> None:
    times = cron_times.CronTimes("0 9 * * 1-5", "UTC")
    monday = _utc("2026-11-30 08:00")

    assert times.last_until(monday, earliest=_utc("2026-11-27 09:00")) == _utc("2026-11-27 09:00")
    assert times.last_until(monday, earliest=_utc("2026-11-27 09:01")) is None
    assert times.last_until(_utc("2026-11-30 09:00"), earliest=monday) == _utc("2026-11-30 09:00")


@pytest.mark.parametrize(
    ("cron", "zone", "said"),
    [
        ("0 9 * *", "UTC", "must have five fields"),
        ("0 25 * * *", "UTC", "the hour of the cron is '25', and '25' is not 0 to 23"),
        ("*/0 * * * *", "UTC", "'0' is not 1 to 59"),
        ("5-1 * * * *", "UTC", "ends before it starts"),
        ("0 0 * * 1,", "UTC", "'' is not 0 to 7 or SUN"),
        ("0 0 * * \u0661", "UTC", "is not 0 to 7"),
        ("0 0 31 2,4 *", "UTC", "names a day that does not exist"),
        ("0 0 * FOO *", "UTC", "is not 1 to 12 or JAN"),
        ("0 0 * * *", "Europe/Bonn", "no time zone 'Europe/Bonn'"),
        ("0 0 * * *", "Europe", "no time zone 'Europe'"),
        ("0 0 * * *", "../etc/passwd", "no time zone"),
        ("0 0 * * *", "", "no time zone"),
    ],
)
def test_what_cannot_be_read_says_what_is_wrong(cron: str, zone: str, said: str) -> None:
    with pytest.raises(cron_times.BadCron) as raised:
        cron_times.CronTimes(cron, zone)
    assert said in str(raised.value)


@given(
    st.sampled_from(["*/7 * * * *", "30 2 * * *", "0 0 * * *", "59 23 * * *"]),
    st.sampled_from(["UTC", "Europe/Berlin", "America/Santiago", "Africa/Cairo", "Asia/Kolkata"]),
    st.dates(datetime.date(2024, 1, 1), datetime.date(2030, 12, 31)),
)
def test_a_day_without_a_change_of_the_clock_has_the_times_that_one_by_one_has(
    cron: str, zone: str, day: datetime.date
) -> None:
    times = cron_times.CronTimes(cron, zone)

    assert times._times_of_day(day) == times._times_of_changing_day(day)


def test_windows_that_are_never_open_together_are_found_by_few_looks_at_each_day() -> None:
    """A look costs milliseconds, in which the operator does nothing else."""
    even, odd = (
        v1alpha1.Window(cron=cron, duration_seconds=60, time_zone="Europe/Berlin")
        for cron in ("0-58/2 * * * *", "1-59/2 * * * *")
    )
    now = _utc("2026-11-30 00:00")

    opens_at, is_known = window_times.next_opening([even, odd], now)

    assert opens_at is not None
    assert not is_known
    for window in (even, odd):
        times = cron_times.cron_times(window.cron, window.time_zone)
        assert times._times_of.cache_info().misses <= 3
