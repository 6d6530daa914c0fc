"""The times of our crons are those that a real Temporal server has for a schedule.

The exception are times that a change of the clock repeats: the server has one of them or both.
"""

import dataclasses
import datetime
import zoneinfo
from collections.abc import AsyncIterator, Awaitable, Callable

import pytest
from temporalio.client import Client

from controller import cron_times, times
from controller.api import v1alpha1
from controller.temporal import ids
from controller.temporal.operator import desired_schedules, schedules
from tests.support import temporal as temporal_support
from tests.support.builders import make_spec, make_stack_chain

TimesOf = Callable[[str, str, str, str], Awaitable[list[str]]]

# Changes of the clock in Berlin, New York, and Santiago, where it is at midnight, and days without
# any; each a few days long.
SPANS = [
    ("Europe/Berlin", "2026-03-27T00:00:00Z", "2026-03-31T00:00:00Z"),
    ("Europe/Berlin", "2026-10-23T00:00:00Z", "2026-10-27T00:00:00Z"),
    ("America/New_York", "2026-03-06T00:00:00Z", "2026-03-10T00:00:00Z"),
    ("America/New_York", "2026-10-30T00:00:00Z", "2026-11-03T00:00:00Z"),
    ("America/Santiago", "2026-04-03T00:00:00Z", "2026-04-07T00:00:00Z"),
    ("America/Santiago", "2026-09-04T00:00:00Z", "2026-09-08T00:00:00Z"),
    ("UTC", "2026-02-27T00:00:00Z", "2026-03-03T00:00:00Z"),
]
CRONS = [
    "*/15 * * * *",
    "30 * * * *",
    "30 2 * * *",
    "30 1-3 * * *",
    "0,30 1,2 * * *",
    "15 */2 * * *",
    "0 0 * * *",
    "30 0 * * *",
    "45 23 * * *",
    "0 9 * * 1-5",
    "0 0 1-7 * SUN",
    "0 6 28,29 FEB-OCT *",
    "@weekly",
    "@hourly",
]
YEARS = ("2026-01-01T00:00:00Z", "2030-01-01T00:00:00Z")


@pytest.fixture
async def times_of(temporal_client: Client) -> AsyncIterator[TimesOf]:
    """Return the times that the server has between two times, for a cron in a zone."""
    uid = temporal_support.unique("uid")
    chain = make_stack_chain()
    chain = dataclasses.replace(chain, ref=dataclasses.replace(chain.ref, uid=uid))
    designs = desired_schedules.ScheduleDesigns(
        installation="here", task_queue=uid, operator_queue=f"{uid}-op", sweep_seconds=300
    )
    kept = schedules.ChainSchedules(lambda: temporal_client)

    async def of(cron: str, zone: str, after: str, until: str) -> list[str]:
        schedule = v1alpha1.Schedule(cron=cron, time_zone=zone, starting_deadline_seconds=60)
        spec = make_spec("a", schedule=schedule, suspend=True)
        wanted = designs.schedule(dataclasses.replace(chain, spec=spec))
        assert wanted is not None
        await kept.set_up(wanted)
        return await kept.times_between(chain.ref, after, until)

    yield of
    await kept.remove(chain.ref, ids.SCHEDULE_KIND)


def ours(cron: str, zone: str, after: str, until: str) -> list[str]:
    found, own = list[str](), cron_times.CronTimes(cron, zone)
    moment, end = datetime.datetime.fromisoformat(after), datetime.datetime.fromisoformat(until)
    while (at := own.first_after(moment)) is not None and at <= end:
        found.append(times.rfc3339(at))
        moment = at
    return found


def comes_twice(time: str, zone: str) -> bool:
    local = datetime.datetime.fromisoformat(time).astimezone(zoneinfo.ZoneInfo(zone))
    return local.replace(fold=0).utcoffset() != local.replace(fold=1).utcoffset()


@pytest.mark.parametrize("cron", CRONS)
async def test_the_times_are_those_of_the_server_when_clocks_change(
    times_of: TimesOf, cron: str
) -> None:
    for zone, after, until in SPANS:
        theirs = await times_of(cron, zone, after, until)

        own = ours(cron, zone, after, until)
        assert [time for time in own if not comes_twice(time, zone)] == [
            time for time in theirs if not comes_twice(time, zone)
        ], (zone, after)
        assert set(theirs) <= set(own), (zone, after)


async def test_of_times_that_come_twice_the_server_may_have_either(times_of: TimesOf) -> None:
    """If it fails: `cron_times` need not differ from the server any more."""
    hourly = await times_of("@hourly", "Europe/Berlin", *SPANS[1][1:])
    nightly = await times_of("30 2 * * *", "Europe/Berlin", *SPANS[1][1:])

    assert [time for time in hourly if comes_twice(time, "Europe/Berlin")] == [
        "2026-10-25T00:00:00Z"
    ]
    assert [time for time in nightly if comes_twice(time, "Europe/Berlin")] == [
        "2026-10-25T01:30:00Z"
    ]


@pytest.mark.parametrize("cron", ["0 0 13 * 5", "0 0 29 2 *", "30 8 31 * *", "0 12 1 JAN,JUL *"])
async def test_the_times_are_those_of_the_server_over_years(times_of: TimesOf, cron: str) -> None:
    theirs = await times_of(cron, "Europe/Berlin", *YEARS)

    assert ours(cron, "Europe/Berlin", *YEARS) == theirs
    assert theirs
