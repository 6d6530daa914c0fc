"""Times as text."""

import datetime

import pytest

from controller import times

NOON = datetime.datetime(2026, 1, 31, 12, 5, 0, 123456, datetime.UTC)


@pytest.mark.parametrize(
    ("timespec", "text"),
    [
        ("seconds", "2026-01-31T12:05:00Z"),
        ("milliseconds", "2026-01-31T12:05:00.123Z"),
        ("microseconds", "2026-01-31T12:05:00.123456Z"),
    ],
)
def test_an_instant_is_written_in_utc(timespec: str, text: str) -> None:
    zone = datetime.timezone(datetime.timedelta(hours=-5))

    assert times.rfc3339(NOON, timespec=timespec) == text
    assert times.rfc3339(NOON.astimezone(zone), timespec=timespec) == text


@pytest.mark.parametrize(
    ("text", "is_read"),
    [
        ("2026-01-31T12:05:00Z", True),
        ("2026-01-31T07:05:00-05:00", True),
        ("2026-01-31T12:05:00", False),
        ("0000-01-01T00:00:00Z", False),
        ("0001-01-01T00:00:00+23:59", False),
        ("9999-12-31T23:59:59-23:59", False),
        ("2026-01-31T12:05:00+99:99", False),
        ("soon", False),
        ("", False),
    ],
)
def test_a_time_from_outside_is_read_where_a_calendar_has_it(text: str, is_read: bool) -> None:
    found = times.instant(text)

    assert found == (NOON.replace(microsecond=0) if is_read else None)


@pytest.mark.parametrize(
    ("header", "seconds"),
    [
        (None, None),
        ("7", 7.0),
        ("0.5", 0.5),
        ("-3", 0.0),
        ("Sat, 31 Jan 2026 12:06:30 GMT", 90.0),
        ("Sat, 31 Jan 2026 12:06:30 -0000", 90.0),
        ("Sat, 31 Jan 2026 12:00:00 GMT", 0.0),
        ("1e18", 1e18),
        ("Fri, 31 Dec 99999 23:59:59 GMT", None),
        ("soon", None),
        ("nan", None),
        ("inf", None),
        ("", None),
    ],
)
def test_a_retry_after_asks_for_seconds_or_names_a_date(
    header: str | None, seconds: float | None
) -> None:
    now = NOON.replace(second=0, microsecond=0).timestamp()

    assert times.retry_after_seconds(header, now=now) == seconds


@pytest.mark.parametrize(
    ("asked", "seconds"),
    [
        pytest.param(None, 2.0, id="nothing"),
        pytest.param(0.0, 2.0, id="never sooner than the own pause"),
        pytest.param(7.0, 7.0, id="as long as asked"),
        pytest.param(86_400.0, 300.0, id="minutes at most"),
        pytest.param(1e18, 300.0, id="a number that no timer takes"),
    ],
)
def test_a_pause_is_what_was_asked_for_within_bounds(asked: float | None, seconds: float) -> None:
    assert times.pause_seconds(asked, own=2.0) == seconds


def test_an_own_pause_may_be_longer_than_any_that_is_taken() -> None:
    assert times.pause_seconds(3600.0, own=600.0) == 600.0
