"""A read within a workflow task gives up early: the ordinary activity has the patience."""

import asyncio
import dataclasses

import pytest
import temporalio.exceptions
from temporalio.testing import ActivityEnvironment

from controller.chain.run import stack_reports
from controller.spacelift import errors
from controller.temporal import messages
from controller.temporal.activities import local_reads
from tests.unit.temporal.activities import fakes

FAILED = errors.Unreachable("no answer")
SECONDS_BETWEEN = 30.0


class Reads:
    """Tries reads as one worker does, and counts those that were really tried."""

    def __init__(self, *, is_local: bool = True) -> None:
        self.now = 100.0
        self.tried = 0
        self._reads = local_reads.LocalReads(monotonic=lambda: self.now)
        self._environment = ActivityEnvironment()
        self._environment.info = dataclasses.replace(self._environment.info, is_local=is_local)

    async def read(self, error: Exception | None = None, *, is_slow: bool = False) -> str:
        async def read() -> None:
            async with self._reads.limited():
                self.tried += 1
                if is_slow:
                    await asyncio.Event().wait()
                if error is not None:
                    raise error

        try:
            await self._environment.run(read)
        except temporalio.exceptions.ApplicationError as given_up:
            return str(given_up.type)
        return "read"


async def test_after_a_failure_none_is_tried_for_a_while() -> None:
    reads = Reads()

    first = await reads.read(FAILED)
    reads.now += SECONDS_BETWEEN - 1
    second = await reads.read()
    reads.now += 2
    third = await reads.read()

    assert [first, second, third] == ["GivenUpLocally", "GivenUpLocally", "read"]
    assert reads.tried == 2


async def test_one_that_is_slow_gives_up_before_its_task_is_lost(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    reads = Reads()
    assert local_reads._LONGEST_SECONDS < 2
    monkeypatch.setattr(local_reads, "_LONGEST_SECONDS", 0.01)

    assert await reads.read(is_slow=True) == "GivenUpLocally"
    assert await reads.read() == "GivenUpLocally"
    assert reads.tried == 1


async def test_the_ordinary_activity_is_not_limited() -> None:
    reads = Reads(is_local=False)

    with pytest.raises(errors.Unreachable):
        await reads.read(FAILED)
    assert await reads.read() == "read"


def local(bench: fakes.Bench) -> fakes.Bench:
    bench.environment.info = dataclasses.replace(bench.environment.info, is_local=True)
    return bench


def known(run_id: str, summary: str) -> messages.FollowStackRunInput:
    return messages.FollowStackRunInput(
        target=fakes.stack_ref("a"), run_id=run_id, known_summary=summary
    )


async def test_how_a_run_stands_is_told_if_it_is_news() -> None:
    bench = local(fakes.make_bench())
    run = bench.spacelift.add_run(state="PLANNING")

    first = await bench.environment.run(bench.operations.read_stack_run, known(run.run_id, ""))
    assert first.news is not None
    again = known(run.run_id, stack_reports.summary(first.news))
    second = await bench.environment.run(bench.operations.read_stack_run, again)

    assert (first.news.state, second.news) == ("PLANNING", None)


async def test_a_run_that_is_not_to_be_seen_is_left_to_who_waits_for_it() -> None:
    bench = local(fakes.make_bench())

    with pytest.raises(temporalio.exceptions.ApplicationError, match="cannot be seen"):
        await bench.environment.run(bench.operations.read_stack_run, known("01X", ""))


async def test_a_native_run_that_is_not_there_yet_is_not_waited_for() -> None:
    bench = local(fakes.make_bench())
    origin = bench.spacelift.add_run(state="PLANNING")
    argument = messages.FindStackRunInput(
        target=fakes.stack_ref("b"),
        adopt_origin=origin.run_id,
        queuers=[],
        chain=fakes.CHAIN,
        first_run_id="one",
    )

    with pytest.raises(temporalio.exceptions.ApplicationError, match="not there yet"):
        await bench.environment.run(bench.operations.find_stack_run, argument)
