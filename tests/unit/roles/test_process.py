"""What the roles share: a link to Temporal that is not there yet, and what ends a wait."""

import asyncio
import contextlib
from collections.abc import AsyncIterator
from typing import Any, NoReturn

import pytest

from controller.config import settings
from controller.observability import metrics
from controller.roles import operator_parts, process
from controller.temporal import client as temporal_client
from tests.support.waiting import eventually


def link(counters: metrics.Metrics | None = None) -> process.TemporalLink:
    return process.TemporalLink(
        settings.TemporalSettings(address="temporal.example.com:7233"),
        counters or metrics.Metrics(),
    )


async def test_a_link_that_is_not_there_yet_says_so() -> None:
    counters = metrics.Metrics()
    made = link(counters)

    with pytest.raises(temporal_client.TemporalUnreachable, match=r"temporal\.example\.com"):
        made.get()
    assert await made.check() == ("Temporal at temporal.example.com:7233 has not been reached yet.")
    assert counters.registry.get_sample_value("stackchain_temporal_connected") == 0


class Temporal:
    """What looks at Temporal find, one after another; the last one stays."""

    def __init__(self, *found: str | None) -> None:
        self.found = list(found)
        self.looks = 0

    async def look(self, *_: Any) -> str | None:
        self.looks += 1
        return self.found.pop(0) if len(self.found) > 1 else self.found[0]


@contextlib.asynccontextmanager
async def watched(
    temporal: Temporal, counters: metrics.Metrics | None = None
) -> AsyncIterator[process.TemporalLink]:
    made = process.TemporalLink(
        settings.TemporalSettings(),
        counters or metrics.Metrics(),
        look=temporal.look,
        look_seconds=0,
        look_again_seconds=0,
    )
    watching = asyncio.create_task(made.watch(CLIENT))
    await made.connected()
    yield made
    watching.cancel()


CLIENT: Any = object()
AWAY = "Temporal answers, but cannot read its database"


async def test_a_link_to_a_temporal_without_its_database_says_so_and_gives_no_client() -> None:
    counters, temporal = metrics.Metrics(), Temporal(None, AWAY)
    async with watched(temporal, counters) as made:
        assert (await made.check(), made.get()) == (None, CLIENT)
        assert counters.registry.get_sample_value("stackchain_temporal_connected") == 1

        await eventually(lambda: temporal.looks > 2)

        assert await made.check() == AWAY
        assert counters.registry.get_sample_value("stackchain_temporal_connected") == 0
        with pytest.raises(temporal_client.TemporalUnreachable, match="database"):
            made.get()


async def test_a_link_serves_again_at_the_first_look_that_finds_nothing_wrong() -> None:
    counters, temporal = metrics.Metrics(), Temporal(AWAY, AWAY, None)
    async with watched(temporal, counters) as made:
        await eventually(lambda: temporal.looks > 3)

        assert (await made.check(), made.get()) == (None, CLIENT)
        assert counters.registry.get_sample_value("stackchain_temporal_connected") == 1


async def test_one_look_that_fails_makes_a_link_not_ready_and_stops_nothing() -> None:
    made = link()
    made._client = CLIENT
    made._note(None)

    made._note("no answer")

    assert (await made.check(), made.get()) == ("no answer", CLIENT)


async def test_what_keeps_a_link_from_being_made_is_logged_once(
    caplog: pytest.LogCaptureFixture,
) -> None:
    made = link()

    for problem in ("refused", "refused", "no such namespace"):
        made._log_once(problem)

    assert await made.check() == "no such namespace"
    assert len(caplog.records) == 2


@pytest.mark.parametrize(
    ("ends", "is_done"),
    [
        pytest.param([], True, id="nothing ends it"),
        pytest.param([asyncio.Event()], True, id="what could end it does not come"),
    ],
)
async def test_what_is_done_first_is_done(ends: list[asyncio.Event], is_done: bool) -> None:
    async def wanted() -> str:
        return "result"

    task = asyncio.create_task(wanted())

    assert await process.done_before(task, *(end.wait() for end in ends)) is is_done
    assert task.result() == "result"


async def test_what_an_end_comes_before_is_canceled() -> None:
    never, stop = asyncio.Event(), asyncio.Event()
    stop.set()
    task = asyncio.create_task(never.wait())

    done = await process.done_before(task, stop.wait())
    await asyncio.wait([task])

    assert not done
    assert task.cancelled()


async def test_what_fails_is_raised() -> None:
    async def fails() -> NoReturn:
        raise RuntimeError("a part that fails")

    with pytest.raises(RuntimeError):
        await process.done_before(fails(), asyncio.Event().wait())


def test_parts_that_failed_are_logged(caplog: pytest.LogCaptureFixture) -> None:
    async def fails() -> NoReturn:
        raise RuntimeError("a part that fails")

    async def main() -> None:
        tasks = [asyncio.create_task(fails()), asyncio.create_task(asyncio.Event().wait())]
        await asyncio.wait(tasks, timeout=0.01)
        operator_parts._log_failures(tasks)
        tasks[1].cancel()

    asyncio.run(main())

    assert [record.message for record in caplog.records] == ["A part of the operator failed"]


async def test_what_was_waited_for_besides_is_not_left_behind() -> None:
    goes_on = asyncio.create_task(asyncio.sleep(3600))
    before = asyncio.all_tasks()

    await process.wait_for_first(asyncio.sleep(0), asyncio.Event().wait(), goes_on)
    await asyncio.sleep(0)

    assert asyncio.all_tasks() == before
    goes_on.cancel()
