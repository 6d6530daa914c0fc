"""Which times and run ids can have been by now."""

import datetime

import pytest

from controller.chain.requests import future_marks

NOW = datetime.datetime.fromisoformat("2026-03-05T06:30:00Z")


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("2026-03-05T06:30:00Z", "2026-03-05T06:30:00Z"),
        ("2026-03-05T06:35:00Z", "2026-03-05T06:35:00Z"),
        ("2026-03-05T06:35:01Z", None),
        ("2026-03-05T08:30:00+02:00", "2026-03-05T06:30:00Z"),
        ("2026-03-05T06:30:00.123456Z", "2026-03-05T06:30:00Z"),
        ("2026-03-05T06:30:00", None),
        ("0001-01-01T00:00:00+23:00", None),
        ("9999-12-31T23:59:59-23:00", None),
        ("now", None),
        ("", None),
        (None, None),
    ],
)
def test_a_time_is_written_as_the_status_has_it_unless_it_is_ahead(
    text: str | None, found: str | None
) -> None:
    assert future_marks.past_time(text, now=NOW) == found


@pytest.mark.parametrize(
    ("run_id", "is_past"),
    [
        pytest.param("01KJYB0PJ0ABCDEFGHJKMNPQRS", True, id="of now"),
        pytest.param("01KJYB9VH0ABCDEFGHJKMNPQRS", True, id="of five minutes ahead"),
        pytest.param("01KJYB9WG8ABCDEFGHJKMNPQRS", False, id="of a second more"),
        pytest.param("01JPKZ0000ABCDEFGHJKMNPQRS", True, id="of last year"),
        pytest.param("7ZZZZZZZZZZZZZZZZZZZZZZZZZ", False, id="the last of all"),
        pytest.param("zzz", False, id="no ULID, and above all"),
        pytest.param("0", True, id="none"),
        pytest.param("", True, id="empty"),
    ],
)
def test_the_first_digits_of_a_run_id_are_its_time(run_id: str, is_past: bool) -> None:
    assert future_marks.is_past_run(run_id, now=NOW) is is_past
