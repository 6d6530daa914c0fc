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
    ("header", "seconds"),
    [
        (None, None),
        ("7", 7.0),
        ("0.5", 0.5),
        ("-3", 0.0),
        ("Sat, 31 Jan 2026 12:06:30 GMT", 90.0),
        ("Sat, 31 Jan 2026 12:06:30 -0000", 90.0),
        ("Sat, 31 Jan 2026 12:00:00 GMT", 0.0),
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
