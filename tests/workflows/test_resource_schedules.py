"""What the operator does with schedules on a real server: set up, served, renewed, removed.

Given: a resource with a status, and a clock. Asserted: the status that follows, what asks for a
run, and that there are no requests to Temporal when there is nothing to do.
"""

import dataclasses
from collections.abc import AsyncIterator
from datetime import UTC, datetime
from typing import Any, NoReturn

import pytest
from temporalio.client import Client

from controller import clock
from controller.api import v1alpha1
from controller.api.reasons import ChainReason
from controller.chain.requests import automatic_asks
from controller.chain.status import projection
from controller.config import connections, environment, settings
from controller.operator import connection_access, resource_schedules
from controller.temporal import client as temporal_client
from controller.temporal import ids
from controller.temporal.operator import desired_schedules, schedules
from tests.support import temporal as temporal_support
from tests.support.builders import make_spec, make_stack_chain, make_status

TRIGGERS = (v1alpha1.StartTrigger(type=v1alpha1.StartTriggerType.ROOT_RUN_FINISHED),)
DAILY = v1alpha1.Schedule(cron="0 6 * * *", starting_deadline_seconds=3600)
NOW = "2026-03-05T06:30:00Z"


class FixedClock(clock.Clock):
    """Stands still."""

    def __init__(self, stamp: str) -> None:
        self._now = datetime.fromisoformat(stamp)

    def now(self) -> datetime:
        return self._now.astimezone(UTC)


@dataclasses.dataclass
class Bench:
    """One resource and one operator's view of its schedules."""

    client: Client
    uid: str
    now: str = NOW
    is_asked: bool = False
    allowed_namespaces: tuple[str, ...] = ("*",)

    def get_client(self) -> Client:
        self.is_asked = True
        return self.client

    def connection(self, chain: v1alpha1.StackChain) -> connections.Connection | None:
        spacelift = settings.SpaceliftSettings(
            endpoint="https://acme.app.spacelift.io",
            api_key_id=environment.Secret(value="id"),
            api_key_secret=environment.Secret(value="secret"),
            allowed_namespaces=self.allowed_namespaces,
        )
        catalog = connections.ConnectionCatalog(spacelift)
        return connection_access.ConnectionAccess(catalog).verdict_of(chain).usable

    def is_behind(self, chain: v1alpha1.StackChain) -> bool:
        return self.starts().is_behind(chain, self.connection(chain))

    def starts(self) -> resource_schedules.ResourceSchedules:
        return resource_schedules.ResourceSchedules(
            chain_schedules=schedules.ChainSchedules(self.get_client),
            designs=desired_schedules.ScheduleDesigns(
                installation="here",
                task_queue=self.uid,
                operator_queue=f"{self.uid}-op",
                sweep_seconds=300,
            ),
            time=FixedClock(self.now),
        )

    def chain(
        self, found: projection.SchedulesStatus | None = None, **spec: Any
    ) -> v1alpha1.StackChain:
        starts = found or projection.SchedulesStatus()
        made = make_stack_chain(
            spec=make_spec("a", **spec),
            status=make_status(schedule=starts.schedule, triggers=starts.triggers),
        )
        return dataclasses.replace(made, ref=dataclasses.replace(made.ref, uid=self.uid))

    async def look(
        self,
        chain: v1alpha1.StackChain,
        *,
        scheduled_time: str | None = None,
        is_renewing: bool = False,
    ) -> resource_schedules.ScheduleUpdate:
        return await self.starts().update_schedules(
            chain,
            self.connection(chain),
            scheduled_time=scheduled_time,
            is_renewing=is_renewing,
        )

    async def kinds(self) -> set[str]:
        """Return which schedules of the resource are there, without the list, which lags behind."""
        found = set[str]()
        for kind in (ids.SCHEDULE_KIND, ids.TRIGGERS_KIND):
            schedule_id = ids.schedule_id(namespace="team", name="chain", uid=self.uid, kind=kind)
            if await temporal_support.has_schedule(self.client, schedule_id):
                found.add(kind)
        return found


@pytest.fixture
async def bench(temporal_client: Client) -> AsyncIterator[Bench]:
    made = Bench(temporal_client, temporal_support.unique("uid"))
    yield made
    await made.look(made.chain(), is_renewing=True)
    async for item in temporal_client.list_workflows(f"TaskQueue = '{made.uid}'"):
        await temporal_client.get_workflow_handle(item.id).terminate()


def checked(
    found: resource_schedules.ScheduleUpdate, time: str, **fields: Any
) -> projection.SchedulesStatus:
    """Return its state if the operator has last looked at a given time."""
    schedule = found.schedules.schedule
    assert schedule is not None
    known = dataclasses.replace(schedule, checked_time=time, next_time=time, **fields)
    return dataclasses.replace(found.schedules, schedule=known)


def known(found: resource_schedules.ScheduleUpdate) -> v1alpha1.ScheduleStatus:
    assert found.schedules.schedule is not None
    return found.schedules.schedule


async def test_what_is_wanted_is_set_up_and_what_is_not_wanted_any_more_removed(
    bench: Bench,
) -> None:
    first = await bench.look(bench.chain(schedule=DAILY, triggers=TRIGGERS))
    both = await bench.kinds()
    second = await bench.look(bench.chain(first.schedules))

    assert both == {ids.SCHEDULE_KIND, ids.TRIGGERS_KIND}
    assert known(first).checked_time == NOW
    assert known(first).next_time is not None
    assert (first.asks, first.problem) == (automatic_asks.AutomaticAsks(), None)
    assert second.schedules == projection.SchedulesStatus()
    assert await bench.kinds() == set()


async def test_at_rest_nothing_is_asked_of_temporal(bench: Bench) -> None:
    """Otherwise a thousand idle resources would be a thousand requests, again and again."""
    chain = bench.chain(schedule=DAILY, triggers=TRIGGERS)
    found = await bench.look(chain)
    bench.is_asked = False

    again = await bench.look(
        bench.chain(found.schedules, schedule=DAILY, triggers=TRIGGERS, parallelism=3)
    )
    none = await bench.look(bench.chain())

    assert again.schedules == found.schedules
    assert none.schedules == projection.SchedulesStatus()
    assert not bench.is_asked
    assert not bench.is_behind(bench.chain())


@pytest.mark.parametrize(
    ("last", "now", "ask", "missed", "newest_missed"),
    [
        ("2026-03-04T06:00:00Z", "2026-03-05T06:30:00Z", "2026-03-05T06:00:00Z", 0, None),
        ("2026-03-04T06:00:00Z", "2026-03-05T07:00:00Z", "2026-03-05T06:00:00Z", 0, None),
        ("2026-03-04T06:00:00Z", "2026-03-05T07:00:01Z", None, 1, "2026-03-05T06:00:00Z"),
        (
            "2026-03-02T06:00:00Z",
            "2026-03-05T06:00:00Z",
            "2026-03-05T06:00:00Z",
            2,
            "2026-03-04T06:00:00Z",
        ),
    ],
)
async def test_times_that_have_passed_are_served_by_what_temporal_says_they_are(
    bench: Bench, last: str, now: str, ask: str | None, missed: int, newest_missed: str | None
) -> None:
    found = await bench.look(bench.chain(schedule=DAILY))
    bench.now = now

    served = await bench.look(bench.chain(checked(found, last), schedule=DAILY))

    assert served.asks.scheduled_time == ask
    assert known(served).missed == missed
    assert known(served).last_missed_time == newest_missed
    assert known(served).checked_time == "2026-03-05T06:00:00Z"
    again = await bench.look(bench.chain(served.schedules, schedule=DAILY))
    assert (again.asks, known(again).missed) == (automatic_asks.AutomaticAsks(), missed)


async def test_a_time_that_temporal_says_has_come_has_come_whatever_the_clock_says(
    bench: Bench,
) -> None:
    found = await bench.look(bench.chain(schedule=DAILY))
    bench.now = "2026-03-05T05:59:58Z"
    schedule = dataclasses.replace(
        known(found), checked_time="2026-03-04T06:00:00Z", next_time="2026-03-05T06:00:00Z"
    )
    starts = dataclasses.replace(found.schedules, schedule=schedule)

    served = await bench.look(
        bench.chain(starts, schedule=DAILY), scheduled_time="2026-03-05T06:00:00Z"
    )

    assert served.asks.scheduled_time == "2026-03-05T06:00:00Z"


async def test_an_edit_serves_what_had_passed_before_it_and_is_set_up_after_that(
    bench: Bench,
) -> None:
    """Otherwise a crash in between would lose times that only the old schedule has."""
    found = await bench.look(bench.chain(schedule=DAILY))
    other = dataclasses.replace(DAILY, cron="0 7 * * *")

    served = await bench.look(bench.chain(checked(found, "2026-03-04T06:00:00Z"), schedule=other))
    chain = bench.chain(served.schedules, schedule=other)
    is_behind = bench.is_behind(chain)
    edited = await bench.look(chain)

    assert served.asks.scheduled_time == "2026-03-05T06:00:00Z"
    assert is_behind
    assert edited.asks == automatic_asks.AutomaticAsks()
    assert known(edited).checked_time == NOW
    assert (known(edited).next_time or "").endswith("T07:00:00Z")
    assert not bench.is_behind(bench.chain(edited.schedules, schedule=other))


async def test_an_edit_that_is_taken_back_before_it_is_set_up_loses_no_time(
    bench: Bench,
) -> None:
    """The schedule at Temporal is the old one all the while."""
    found = await bench.look(bench.chain(schedule=DAILY))
    other = dataclasses.replace(DAILY, cron="0 7 * * *")
    served = await bench.look(bench.chain(checked(found, "2026-03-04T06:00:00Z"), schedule=other))
    bench.now = "2026-03-06T06:30:00Z"

    chain = bench.chain(served.schedules, schedule=DAILY)
    is_behind = bench.is_behind(chain)
    back = await bench.look(chain)

    assert is_behind
    assert back.asks.scheduled_time == "2026-03-06T06:00:00Z"
    assert known(back).next_time is not None
    assert not bench.is_behind(bench.chain(back.schedules, schedule=DAILY))


async def test_a_suspended_schedule_serves_nothing_and_goes_on_from_its_resume(
    bench: Bench,
) -> None:
    found = await bench.look(bench.chain(schedule=DAILY))
    suspended = await bench.look(bench.chain(found.schedules, schedule=DAILY, suspend=True))
    bench.now = "2026-03-09T06:30:00Z"
    waiting = await bench.look(bench.chain(suspended.schedules, schedule=DAILY, suspend=True))
    resumed = await bench.look(bench.chain(waiting.schedules, schedule=DAILY))

    assert known(suspended).next_time is None
    assert waiting.schedules == suspended.schedules
    assert (resumed.asks, known(resumed).missed) == (automatic_asks.AutomaticAsks(), 0)
    assert known(resumed).checked_time == bench.now


@pytest.mark.parametrize("is_resumed", [False, True], ids=["suspended", "resumed"])
async def test_what_passes_while_suspended_asks_for_nothing_though_the_resync_renews_it(
    bench: Bench, is_resumed: bool
) -> None:
    """A resync renews whatever is not in Temporal's list, which is behind, or not in the status."""
    found = await bench.look(bench.chain(schedule=DAILY))
    suspended = await bench.look(bench.chain(found.schedules, schedule=DAILY, suspend=True))
    bench.now = "2026-03-09T06:30:00Z"

    renewed = await bench.look(
        bench.chain(suspended.schedules, schedule=DAILY, suspend=not is_resumed), is_renewing=True
    )

    assert (renewed.asks, known(renewed).missed) == (automatic_asks.AutomaticAsks(), 0)
    assert known(renewed).last_time is None
    assert (known(renewed).next_time is not None) is is_resumed


async def test_a_schedule_that_is_lost_is_renewed_and_what_passed_is_served(
    bench: Bench,
) -> None:
    found = await bench.look(bench.chain(schedule=DAILY, triggers=TRIGGERS))
    await bench.look(bench.chain(found.schedules), is_renewing=True)
    gone = await bench.kinds()
    starts = dataclasses.replace(
        checked(found, "2026-03-04T06:00:00Z"), triggers=found.schedules.triggers
    )

    renewed = await bench.look(
        bench.chain(starts, schedule=DAILY, triggers=TRIGGERS), is_renewing=True
    )

    assert gone == set()
    assert await bench.kinds() == {ids.SCHEDULE_KIND, ids.TRIGGERS_KIND}
    assert renewed.asks.scheduled_time == "2026-03-05T06:00:00Z"


@pytest.mark.parametrize(
    ("cron", "words"),
    [("0 25 * * *", "Temporal refuses it"), ("0 6 30 2 *", "The schedule never fires")],
)
async def test_what_cannot_be_scheduled_is_told_once_asked_and_never_asked_again(
    bench: Bench, cron: str, words: str
) -> None:
    bad = dataclasses.replace(DAILY, cron=cron)
    found = await bench.look(bench.chain(schedule=bad))
    bench.is_asked = False
    again = await bench.look(bench.chain(found.schedules, schedule=bad))
    was_asked = bench.is_asked
    mended = await bench.look(bench.chain(found.schedules, schedule=DAILY))

    for one in (found, again):
        assert one.problem is not None
        assert one.problem.reason is ChainReason.SCHEDULE_INVALID
        assert words in one.problem.message
        assert not one.problem.is_retrying
    assert not was_asked
    assert mended.problem is None


async def test_a_connection_that_does_not_serve_the_namespace_leaves_nothing_behind(
    bench: Bench,
) -> None:
    chain = bench.chain(schedule=DAILY, triggers=TRIGGERS)
    found = await bench.look(chain)
    bench.allowed_namespaces = ("another",)

    refused = await bench.look(bench.chain(found.schedules, schedule=DAILY, triggers=TRIGGERS))

    assert refused.schedules == projection.SchedulesStatus()
    assert await bench.kinds() == set()


async def test_without_temporal_it_is_known_that_something_is_to_be_done(bench: Bench) -> None:
    def unreachable() -> NoReturn:
        raise temporal_client.TemporalUnreachable("away")

    found = await bench.look(bench.chain(schedule=DAILY))
    bench.get_client = unreachable  # type: ignore[method-assign]

    for chain in (
        bench.chain(schedule=DAILY),
        bench.chain(found.schedules),
        bench.chain(checked(found, "2026-03-04T06:00:00Z"), schedule=DAILY),
    ):
        assert bench.is_behind(chain)
        with pytest.raises(temporal_client.TemporalUnreachable):
            await bench.look(chain)
    assert not bench.is_behind(bench.chain(found.schedules, schedule=DAILY))
    del bench.get_client
