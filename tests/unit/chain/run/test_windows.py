"""Whether windows are open, and when that changes."""

import datetime
from typing import Any

import pytest

from controller.api import v1alpha1
from controller.chain.run import windows
from tests.support.builders import make_body

# 2026-11-30 is a Monday.
OFFICE = v1alpha1.Window(cron="0 9 * * 1-5", duration_seconds=8 * 3600, time_zone="Europe/Berlin")
MORNINGS = v1alpha1.Window(cron="0 6 * * *", duration_seconds=4 * 3600)
NIGHTS = v1alpha1.Window(cron="0 22 * * *", duration_seconds=8 * 3600)
ALWAYS = v1alpha1.Window(cron="@hourly", duration_seconds=3600)
NEVER_TOGETHER = v1alpha1.Window(cron="0 12 * * *", duration_seconds=60)


def _at(text: str) -> datetime.datetime:
    return datetime.datetime.fromisoformat(text).replace(tzinfo=datetime.UTC)


@pytest.mark.parametrize(
    ("of", "now", "is_open", "until"),
    [
        pytest.param([OFFICE], "2026-11-30 07:59:59", False, "2026-11-30T08:00:00Z", id="before"),
        pytest.param([OFFICE], "2026-11-30 08:00:00", True, "2026-11-30T16:00:00Z", id="it opens"),
        pytest.param([OFFICE], "2026-11-30 15:59:59", True, "2026-11-30T16:00:00Z", id="the end"),
        pytest.param([OFFICE], "2026-11-30 16:00:00", False, "2026-12-01T08:00:00Z", id="closed"),
        pytest.param([OFFICE], "2026-12-04 16:00:00", False, "2026-12-07T08:00:00Z", id="weekend"),
        pytest.param([OFFICE], "2026-07-06 07:30:00", True, "2026-07-06T15:00:00Z", id="summer"),
        pytest.param([NIGHTS], "2026-11-30 03:00:00", True, "2026-11-30T06:00:00Z", id="midnight"),
        pytest.param(
            [OFFICE, MORNINGS],
            "2026-11-30 07:00:00",
            False,
            "2026-11-30T08:00:00Z",
            id="one of two",
        ),
        pytest.param(
            [OFFICE, MORNINGS], "2026-11-30 09:00:00", True, "2026-11-30T10:00:00Z", id="both"
        ),
        pytest.param(
            [OFFICE, MORNINGS], "2026-12-05 09:00:00", False, "2026-12-07T08:00:00Z", id="saturday"
        ),
        pytest.param([ALWAYS], "2026-11-30 09:30:00", True, "2026-11-30T12:00:00Z", id="always"),
    ],
)
def test_all_windows_have_to_be_open(
    of: list[v1alpha1.Window], now: str, is_open: bool, until: str
) -> None:
    found = windows.state_of(of, now=_at(now))

    assert (found.is_open, found.until) == (is_open, until)


def test_windows_that_are_not_open_together_are_looked_at_again() -> None:
    found = windows.state_of([NIGHTS, NEVER_TOGETHER], now=_at("2026-11-30 09:30:00"))

    assert not found.is_open
    assert found.until > "2027"


DAILY = {"cron": "0 9 * * *", "durationSeconds": 3600}


@pytest.mark.parametrize(
    ("fields", "said"),
    [
        ({"window": DAILY | {"cron": "0 0 30 2 *"}}, "`spec.window`: '0 0 30 2 *' names a day"),
        ({"window": DAILY | {"cron": "61 9 * * *"}}, "the minute of the cron is '61'"),
        ({"window": DAILY | {"timeZone": "Europe/Bonn"}}, "no time zone 'Europe/Bonn'"),
        (
            {"stages": [{"name": "a", "labels": ["a"], "window": DAILY | {"cron": "0 0 31 4 *"}}]},
            "`spec.stages.0.window`: '0 0 31 4 *' names a day",
        ),
        (
            {
                "window": DAILY,
                "stages": [
                    {"name": "a", "labels": ["a"], "window": DAILY | {"cron": "0 10 * * *"}}
                ],
            },
            "never open at the same time as `spec.window`",
        ),
    ],
)
def test_a_window_that_never_opens_is_refused_with_the_remedy(
    fields: dict[str, Any], said: str
) -> None:
    with pytest.raises(v1alpha1.InvalidResource) as caught:
        windows.check(v1alpha1.parse(make_body({"roots": {"stackIds": ["a"]}, **fields})).spec)

    assert said in str(caught.value)
    assert "correct" in str(caught.value) or "change one" in str(caught.value)


def test_windows_that_are_open_together_are_accepted() -> None:
    stage = {"name": "a", "labels": ["a"], "window": DAILY | {"cron": "30 9 * * 1"}}

    spec = v1alpha1.parse(
        make_body({"roots": {"stackIds": ["a"]}, "window": DAILY, "stages": [stage]})
    ).spec

    windows.check(spec)

    assert spec.stages[0].window == v1alpha1.Window(cron="30 9 * * 1", duration_seconds=3600)
