"""Runs that wait for people, in virtual time: what they cost, and what the death of a worker costs.

docs/limits.md promises both.
"""

import asyncio
from collections import Counter

import pytest

from controller.temporal.workflows import activity_calls
from tests.simulation import role_bench
from tests.simulation.role_bench import Bench, has_ended
from tests.simulation.temporal import chance
from tests.simulation.temporal.records import Activity
from tests.simulation.temporal.server import TemporalServer

HOUR = 3600.0
POLL_SECONDS = 10.0
# A task of an execution that a dead worker knew waits this long. The rest is for everything else,
# such as the next task of the chain, which waits as long.
STICKY_SECONDS, SLACK_SECONDS = 10.0, 20.0


def waiting(count: int) -> role_bench.Json:
    """Return an account in which the runs of so many stacks wait for a person."""
    return role_bench.SCENARIO | {
        "edges": [f"vpc -> s{number}" for number in range(count)],
        "defaults": {"stack": {"autodeploy": False}, "durations": 2},
        "stacks": {"vpc": {"autodeploy": True}},
    }


def are_waiting(bench: Bench, count: int) -> bool:
    states = Counter(state for runs in bench.runs().values() for state in runs)
    return states["UNCONFIRMED"] == count


async def let_wait(bench: Bench, count: int) -> None:
    """Return once so many runs wait, and have done so for a while."""
    await bench.create()
    while not are_waiting(bench, count):  # noqa: ASYNC110 - a look takes no time here
        await asyncio.sleep(1)
    await asyncio.sleep(60)


class Heartbeats:
    """Counts what reaches a server."""

    def __init__(self, server: TemporalServer) -> None:
        self.count = 0
        self._heartbeat, server.activities.heartbeat = server.activities.heartbeat, self  # type: ignore[assignment,method-assign]

    def __call__(self, activity: Activity, *args: object) -> object:
        self.count += 1
        return self._heartbeat(activity, *args)  # type: ignore[arg-type]


def test_an_hour_of_waiting_for_a_person_costs_forty_actions_at_most() -> None:
    count, hours = 5, 2
    found: list[int] = []

    async def main(bench: Bench) -> None:
        bench.start_operator()
        bench.start_worker()
        await let_wait(bench, count)
        server = bench.parties.temporal
        heartbeats = Heartbeats(server)
        before = sum(len(one.history.events) for one in server.executions())
        await asyncio.sleep(hours * HOUR)
        written = sum(len(one.history.events) for one in server.executions()) - before
        found.extend((heartbeats.count, written))

    role_bench.run(main, scenario=waiting(count))

    heartbeats, written = found
    assert 0 < heartbeats <= 30 * hours * count
    # A wait starts anew once an hour: its end, its next start, and a task between them.
    assert written <= 10 * hours * count


@pytest.mark.parametrize(("count", "has_webhook"), [(300, False), (60, True)])
def test_what_people_do_after_the_death_of_a_worker_is_noticed(
    count: int, *, has_webhook: bool
) -> None:
    seconds: list[float] = []

    async def main(bench: Bench) -> None:
        if has_webhook:
            bench.start_receiver()
        bench.start_operator()
        worker = bench.start_worker()
        await let_wait(bench, count)
        worker.kill()
        killed = bench.loop.time()
        await asyncio.sleep(5)
        bench.start_worker(1)
        for number in range(count):
            run = bench.people.latest_run(f"s{number}")
            assert run is not None
            assert bench.people.confirm(run)
        status = await bench.until(has_ended(1))
        seconds.append(bench.loop.time() - killed)
        assert status["latestRun"]["phase"] == "Succeeded"

    bench = role_bench.run(main, scenario=waiting(count), decide=chance.Steady())

    assert set(map(tuple, bench.runs().values())) == {("FINISHED",)}
    silence = activity_calls.OTHERS_HEARTBEAT_TIMEOUT.total_seconds() + POLL_SECONDS
    promised = STICKY_SECONDS if has_webhook else silence
    assert seconds[0] <= promised + SLACK_SECONDS, seconds
