"""Schedules on a real server: what Temporal makes of them, and what is read back.

The server computes a schedule's times for any span, so that years of a cron take milliseconds. The
time-skipping server has no schedules.
"""

import dataclasses
from collections.abc import AsyncIterator
from datetime import timedelta
from typing import Any

import pytest
import temporalio.client
from temporalio.client import Client

from controller.api import v1alpha1
from controller.temporal import ids, messages, schedule_list
from controller.temporal.operator import desired_schedules, schedules
from controller.temporal.receiver import sweep_wakes
from tests.support import temporal as temporal_support
from tests.support.builders import make_spec, make_stack_chain, make_use
from tests.support.waiting import eventually

TRIGGERS = (v1alpha1.StartTrigger(type=v1alpha1.StartTriggerType.ROOT_RUN_FINISHED),)
ENDPOINT = "https://acme.app.spacelift.io"


@dataclasses.dataclass
class Bench:
    """A new resource, and the schedules of an installation."""

    client: Client
    chain: v1alpha1.StackChain
    designs: desired_schedules.ScheduleDesigns
    kept: schedules.ChainSchedules
    account: str

    def with_spec(self, **fields: Any) -> v1alpha1.StackChain:
        spec = fields.pop("spec", None) or make_spec(*fields.pop("roots", ("a",)), **fields)
        return dataclasses.replace(self.chain, spec=spec)

    def starts(self, cron: str, zone: str = "UTC", deadline: int = 60, **fields: Any) -> Any:
        schedule = v1alpha1.Schedule(cron=cron, time_zone=zone, starting_deadline_seconds=deadline)
        wanted = self.designs.schedule(self.with_spec(schedule=schedule, **fields))
        assert wanted is not None
        return wanted

    def sweeps(self, **fields: Any) -> desired_schedules.DesiredSchedule:
        connection = messages.AccountRef(
            name="default",
            endpoint=ENDPOINT,
            account=self.account,
            grant=messages.Grant(use=make_use()),
        )
        wanted = self.designs.sweeps(self.with_spec(triggers=TRIGGERS, **fields), connection)
        assert wanted is not None
        return wanted

    async def mine(self) -> list[schedule_list.ListedSchedule]:
        return [
            item
            for item in (await self.kept.list_all()).schedules
            if item.memo.ref.uid == self.chain.ref.uid
        ]


@pytest.fixture
async def bench(temporal_client: Client) -> AsyncIterator[Bench]:
    uid = temporal_support.unique("uid")
    chain = make_stack_chain()
    chain = dataclasses.replace(chain, ref=dataclasses.replace(chain.ref, uid=uid))
    made = Bench(
        client=temporal_client,
        chain=chain,
        designs=desired_schedules.ScheduleDesigns(
            installation="here", task_queue=uid, operator_queue=f"{uid}-op", sweep_seconds=300
        ),
        kept=schedules.ChainSchedules(lambda: temporal_client),
        account=temporal_support.unique("account"),
    )
    yield made
    for kind in (ids.SCHEDULE_KIND, ids.TRIGGERS_KIND):
        await made.kept.remove(chain.ref, kind)
    async for item in temporal_client.list_workflows(f"TaskQueue = '{uid}'"):
        await temporal_client.get_workflow_handle(item.id).terminate()


@pytest.mark.parametrize(
    ("cron", "after", "until", "times"),
    [
        pytest.param(
            "* * * * *",
            "2026-03-29T00:58:00Z",
            "2026-03-29T01:02:00Z",
            [f"2026-03-29T{time}:00Z" for time in ("00:59", "01:00", "01:01", "01:02")],
            id="every minute goes on when the clock is put forward",
        ),
        pytest.param(
            "* * * * *",
            "2026-10-25T00:58:00Z",
            "2026-10-25T01:02:00Z",
            [f"2026-10-25T{time}:00Z" for time in ("00:59", "01:00", "01:01", "01:02")],
            id="every minute goes on when the clock is put back",
        ),
        pytest.param(
            "*/15 * * * *",
            "2026-10-25T00:30:00Z",
            "2026-10-25T02:00:00Z",
            [f"2026-10-25T{time}:00Z" for time in ("00:45", "01:00", "01:15", "01:30", "01:45")]
            + ["2026-10-25T02:00:00Z"],
            id="every quarter of an hour goes on, too",
        ),
        pytest.param(
            "30 2 * * *",
            "2026-03-27T12:00:00Z",
            "2026-03-30T12:00:00Z",
            ["2026-03-28T01:30:00Z", "2026-03-30T00:30:00Z"],
            id="a time that the change skips is skipped",
        ),
        pytest.param(
            "30 2 * * *",
            "2026-10-23T12:00:00Z",
            "2026-10-26T12:00:00Z",
            ["2026-10-24T00:30:00Z", "2026-10-25T01:30:00Z", "2026-10-26T01:30:00Z"],
            id="a time that the change brings twice comes once",
        ),
        pytest.param(
            "0 6 * * *",
            "2026-03-28T00:00:00Z",
            "2026-03-30T00:00:00Z",
            ["2026-03-28T05:00:00Z", "2026-03-29T04:00:00Z"],
            id="six o'clock stays six o'clock",
        ),
    ],
)
async def test_times_are_those_of_the_time_zone_across_a_change_of_daylight_saving(
    bench: Bench, cron: str, after: str, until: str, times: list[str]
) -> None:
    await bench.kept.set_up(bench.starts(cron, "Europe/Berlin"))

    assert await bench.kept.times_between(bench.chain.ref, after, until) == times


async def test_more_times_than_one_answer_holds_are_all_counted(bench: Bench) -> None:
    await bench.kept.set_up(bench.starts("* * * * *"))

    times = await bench.kept.times_between(
        bench.chain.ref, "2026-03-01T00:00:00Z", "2026-03-02T12:00:00Z"
    )

    assert len(times) == len(set(times)) == 36 * 60
    assert times == sorted(times)


@pytest.mark.parametrize(
    ("cron", "newest"),
    [
        pytest.param("* * * * *", "2026-03-02T12:00:00Z", id="the last minute"),
        pytest.param("* * * 1 *", "2026-01-31T23:59:00Z", id="a minute of a month before"),
    ],
)
async def test_of_more_times_than_are_counted_the_newest_is_known(
    bench: Bench, cron: str, newest: str
) -> None:
    """Otherwise every pass would ask for another run, until the times of today come."""
    await bench.kept.set_up(bench.starts(cron))

    times = await bench.kept.times_between(
        bench.chain.ref, "2000-01-01T00:00:00Z", "2026-03-02T12:00:00Z"
    )

    assert len(times) == 10_001
    assert times == sorted(times)
    assert times[-1] == newest


async def test_what_is_exactly_as_much_as_is_counted_is_complete(bench: Bench) -> None:
    await bench.kept.set_up(bench.starts("* * * * *"))

    times = await bench.kept.times_between(
        bench.chain.ref, "2026-03-01T00:00:00Z", "2026-03-07T22:40:00Z"
    )

    assert len(times) == 10_000
    assert times[-1] == "2026-03-07T22:40:00Z"


@pytest.mark.parametrize(
    ("cron", "zone", "words"),
    [
        ("61 * * * *", "UTC", "Minute is not in range [0-59]"),
        ("0 25 * * *", "UTC", "Hour is not in range [0-23]"),
        ("* * * * *", "Europe/Atlantis", "unknown time zone Europe/Atlantis"),
        ("0 6 * * *", "Europe/Atlantis", "unknown time zone Europe/Atlantis"),
    ],
)
async def test_what_temporal_does_not_take_is_refused_and_leaves_no_schedule(
    bench: Bench, cron: str, zone: str, words: str
) -> None:
    """Nor may the one that was there before continue instead."""
    await bench.kept.set_up(bench.starts("0 6 * * *"))

    with pytest.raises(schedules.ScheduleRefused, match=words.replace("[", r"\[")):
        await bench.kept.set_up(bench.starts(cron, zone))

    assert await bench.kept.next_time(bench.chain.ref) is None


async def test_a_schedule_is_set_up_once_changed_paused_and_removed(bench: Bench) -> None:
    kept, ref = bench.kept, bench.chain.ref
    await kept.set_up(bench.starts("0 6 * * *"))
    await kept.set_up(bench.starts("0 6 * * *"))
    first = await kept.next_time(ref)
    await kept.set_up(bench.starts("30 7 * * *", deadline=90))
    second = await kept.next_time(ref)
    handle = bench.client.get_schedule_handle(
        ids.schedule_id(namespace=ref.namespace, name=ref.name, uid=ref.uid, kind=ids.SCHEDULE_KIND)
    )
    changed = (await handle.describe()).schedule
    await kept.set_up(bench.starts("30 7 * * *", suspend=True))
    paused = await kept.next_time(ref)
    is_paused = (await handle.describe()).schedule.state.paused
    await kept.remove(ref, ids.SCHEDULE_KIND)
    await kept.remove(ref, ids.SCHEDULE_KIND)

    assert first is not None
    assert first.endswith("T06:00:00Z")
    assert second is not None
    assert second.endswith("T07:30:00Z")
    assert changed.policy.catchup_window == timedelta(seconds=90)
    assert isinstance(changed.action, temporalio.client.ScheduleActionStartWorkflow)
    assert changed.action.execution_timeout == timedelta(days=1)
    assert (paused, is_paused) == (None, True)
    assert await kept.next_time(ref) is None


async def test_the_list_tells_what_is_needed_to_compare_without_describing_each(
    bench: Bench,
) -> None:
    starts, sweeps = bench.starts("0 6 * * *"), bench.sweeps(roots=("a", "b"))
    for wanted in (starts, sweeps):
        await bench.kept.set_up(wanted)

    async def are_listed() -> list[schedule_list.ListedSchedule]:
        found = sorted(await bench.mine(), key=lambda item: item.memo.kind)
        assert [item.memo.kind for item in found] == [ids.SCHEDULE_KIND, ids.TRIGGERS_KIND]
        return found

    first, second = await eventually(are_listed)
    assert (first.memo, second.memo) == (starts.memo, sweeps.memo)
    assert (second.memo.account, second.memo.roots) == (
        bench.account,
        v1alpha1.Roots(stack_ids=("a", "b")),
    )
    await bench.kept.remove_listed(first)
    assert await bench.kept.next_time(bench.chain.ref) is None


@pytest.mark.parametrize(
    ("changes", "is_other"),
    [
        ({}, False),
        ({"parallelism": 3}, False),
        ({"suspend": True}, True),
        ({"roots": ("a", "b")}, True),
    ],
)
def test_a_sweep_is_another_one_if_it_looks_at_other_roots_or_pauses(
    changes: dict[str, Any], is_other: bool
) -> None:
    designs = desired_schedules.ScheduleDesigns(
        installation="here", task_queue="q", operator_queue="op", sweep_seconds=300
    )
    connection = messages.AccountRef(
        name="default", endpoint=ENDPOINT, account="acme", grant=messages.Grant(use=make_use())
    )
    digests = []
    for fields in ({}, changes):
        spec = make_spec(*fields.pop("roots", ("a",)), triggers=TRIGGERS, **fields)
        wanted = designs.sweeps(make_stack_chain(spec=spec), connection)
        assert wanted is not None
        digests.append(wanted.memo.digest)

    assert (digests[0] != digests[1]) is is_other


# Wakes


class Clock:
    """A clock that stands still until it is moved."""

    def __init__(self) -> None:
        self.now = 0.0

    def __call__(self) -> float:
        return self.now


async def started(bench: Bench) -> int:
    """Return how many sweeps of the resource were started."""
    query = f"WorkflowType = '{ids.ROOT_SWEEP_WORKFLOW}' AND TaskQueue = '{bench.chain.ref.uid}'"
    return len([item async for item in bench.client.list_workflows(query)])


async def has_started(bench: Bench, count: int) -> bool:
    return await started(bench) == count


async def is_listed(bench: Bench) -> bool:
    return bool(await bench.mine())


async def test_a_finished_run_wakes_the_sweeps_that_look_at_its_stack_and_no_others(
    bench: Bench,
) -> None:
    """One that runs already is followed by another; no worker serves them here."""
    await bench.kept.set_up(bench.sweeps(roots=("a",)))
    await eventually(lambda: is_listed(bench))
    sweeps = sweep_wakes.TemporalSweepWaker(lambda: bench.client)

    found = await sweeps.find(bench.account, "a", [])

    assert len(found) == 1
    assert await sweeps.find(bench.account, "b", []) == []
    assert await sweeps.find("another", "a", []) == []
    assert await sweeps.wake(found[0])
    await eventually(lambda: has_started(bench, 1))


async def test_roots_by_label_are_woken_by_stacks_that_have_all_of_the_labels(
    bench: Bench,
) -> None:
    spec = dataclasses.replace(
        make_spec(triggers=TRIGGERS), roots=v1alpha1.Roots(labels=("x", "y"))
    )
    await bench.kept.set_up(bench.sweeps(spec=spec))
    await eventually(lambda: is_listed(bench))
    sweeps = sweep_wakes.TemporalSweepWaker(lambda: bench.client)

    assert len(await sweeps.find(bench.account, "any", ["z", "y", "x"])) == 1
    assert await sweeps.find(bench.account, "any", ["x"]) == []


async def test_the_list_of_sweeps_is_read_anew_after_ten_seconds(bench: Bench) -> None:
    clock = Clock()
    sweeps = sweep_wakes.TemporalSweepWaker(lambda: bench.client, clock=clock)
    before = await sweeps.find(bench.account, "a", [])
    await bench.kept.set_up(bench.sweeps(roots=("a",)))
    await eventually(lambda: is_listed(bench))

    clock.now = 9.9
    soon = await sweeps.find(bench.account, "a", [])
    clock.now = 10.0
    after = await sweeps.find(bench.account, "a", [])
    await bench.kept.remove(bench.chain.ref, ids.TRIGGERS_KIND)
    is_there = await sweeps.wake(after[0])

    assert (before, soon, len(after)) == ([], [], 1)
    # It is not a failure that it is gone, and it is not found again.
    assert not is_there


async def test_a_paused_sweep_is_not_woken(bench: Bench) -> None:
    await bench.kept.set_up(bench.sweeps(roots=("a",), suspend=True))
    await eventually(lambda: is_listed(bench))

    sweeps = sweep_wakes.TemporalSweepWaker(lambda: bench.client)
    assert await sweeps.find(bench.account, "a", []) == []
    assert await started(bench) == 0
