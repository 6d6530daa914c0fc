"""Times as text, for everything below: RFC 3339, `Retry-After` of HTTP, and ids. Pure.

Ids of Spacelift are ULIDs: the first ten of their digits are the milliseconds of their creation.
"""

import datetime
import email.utils
import math

LONGEST_PAUSE_SECONDS = 300.0
"""The longest pause, whatever the other side asks for: a wrong value stops nothing for days."""

ULID_TIME_DIGITS = 10
_ULID_LENGTH = 26
_ULID_DIGITS = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"


def rfc3339(moment: datetime.datetime, *, timespec: str = "seconds") -> str:
    """Return an instant in UTC as Kubernetes writes it, such as `2026-01-31T09:05:00Z`.

    Args:
        moment: an aware time, in any zone.
        timespec: `seconds`, `milliseconds` or `microseconds`.
    """
    utc = moment.astimezone(datetime.UTC).replace(tzinfo=None)
    return f"{utc.isoformat(timespec=timespec)}Z"


def instant(text: str) -> datetime.datetime | None:
    """Read a time from outside, in UTC; None for anything else, or if it has no zone.

    An API server accepts more than a calendar has, such as the year 0.
    """
    try:
        moment = datetime.datetime.fromisoformat(text)
        return None if moment.tzinfo is None else moment.astimezone(datetime.UTC)
    except (ValueError, OverflowError):
        return None


def retry_after_seconds(header: str | None, *, now: float) -> float | None:
    """Return the delay that a Retry-After asks for, which has seconds or a date.

    Args:
        header: the value of the header; None if there is none.
        now: Unix time.

    Returns:
        0 or more seconds, however many; `pause_seconds` says how long to wait. None where the
        header says nothing usable.
    """
    if header is None:
        return None
    try:
        seconds = float(header)
    except ValueError:
        seconds = _seconds_until(header, now=now)
    # float() also reads "nan" and "inf", which no timer can wait for.
    return max(0.0, seconds) if math.isfinite(seconds) else None


def pause_seconds(asked: float | None, *, own: float) -> float:
    """Return how long to wait: never shorter than our own pause, and only minutes at most.

    Args:
        asked: what the other side asks for, as `retry_after_seconds` reads it; None for nothing.
        own: how long would be waited without being asked.
    """
    return max(own, min(asked or 0.0, LONGEST_PAUSE_SECONDS))


def _seconds_until(date: str, *, now: float) -> float:
    try:
        moment = email.utils.parsedate_to_datetime(date)
    except (ValueError, OverflowError):
        return math.nan
    if moment.tzinfo is None:
        # Its zone is `-0000`, which means UTC.
        moment = moment.replace(tzinfo=datetime.UTC)
    return moment.timestamp() - now


def ulid_time_digits(moment: datetime.datetime) -> str:
    """Return the digits that the ULIDs of a moment start with."""
    return ulid_digits(moment.timestamp())


def ulid_digits(seconds: float) -> str:
    """Return the digits that the ULIDs of a Unix time start with, even outside of any calendar."""
    milliseconds = int(seconds * 1000)
    digits = ""
    for _ in range(ULID_TIME_DIGITS):
        milliseconds, digit = divmod(milliseconds, len(_ULID_DIGITS))
        digits = _ULID_DIGITS[digit] + digits
    return digits


def ulid_seconds(text: str) -> float | None:
    """Return the Unix time at which an id was made; None if it is not a ULID."""
    if len(text) != _ULID_LENGTH or not set(text) <= set(_ULID_DIGITS):
        return None
    milliseconds = 0
    for digit in text[:ULID_TIME_DIGITS]:
        milliseconds = milliseconds * len(_ULID_DIGITS) + _ULID_DIGITS.index(digit)
    return milliseconds / 1000
