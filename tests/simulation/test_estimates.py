"""Estimates, in virtual time: how near they are to what a chain then takes."""

import asyncio
import datetime
from typing import Any

import pytest

from tests.simulation import role_bench
from tests.simulation.role_bench import Bench, Json, has_ended

# Two levels below one root, of which the second is ordered by labels and natively; the stacks take
# 20 to 60 seconds.
SCENARIO = role_bench.SCENARIO | {
    "edges": ["vpc -> eks", "vpc -> rds", "vpc -> dns", "eks -> app", "rds -> app", "dns -> cdn"],
    "stacks": {
        "vpc": {"durations": 30},
        "eks": {"durations": 60},
        "rds": {"durations": 25},
        "dns": {"durations": 20},
        "app": {"durations": 40},
        "cdn": {"durations": 50},
        "log": {"durations": 35, "labels": ["dependsOn:vpc"]},
        "bus": {"durations": 45, "labels": ["dependsOn:dns"]},
    },
}


def estimate_of(status: Json) -> str | None:
    found: str | None = (status.get("latestRun") or {}).get("estimatedCompletionTime")
    return found


def instant(text: str) -> datetime.datetime:
    return datetime.datetime.fromisoformat(text)


def now(bench: Bench) -> datetime.datetime:
    return datetime.datetime.fromtimestamp(bench.loop.unix(), datetime.UTC)


async def first_estimate(bench: Bench, number: int) -> Json:
    """Return the status as it is once a run is estimated; it has just begun."""
    return await bench.until(
        lambda status: (
            (status.get("latestRun") or {}).get("number") == number and estimate_of(status)
        )
    )


@pytest.mark.parametrize(
    "spec",
    [
        pytest.param({}, id="runs that Spacelift queues"),
        pytest.param({"nativeRuns": "Replace", "parallelism": 2}, id="two slots"),
        pytest.param({"nativeRuns": "Replace", "parallelism": 1}, id="one slot"),
        pytest.param({"nativeRuns": "Replace"}, id="as many slots as stacks"),
    ],
)
def test_a_chain_that_ran_before_takes_what_is_estimated(spec: dict[str, Any]) -> None:
    async def main(bench: Bench) -> None:
        bench.start_operator()
        bench.start_worker()
        bench.start_receiver()
        await bench.create(**spec)
        seen: list[str | None] = []

        def has_ended_unseen(status: Json) -> bool:
            seen.append(estimate_of(status))
            return has_ended(1)(status)

        await bench.until(has_ended_unseen)
        await bench.annotate(run="again")
        estimated = await first_estimate(bench, 2)
        ended = await bench.until(has_ended(2))

        assert set(seen) == {None}
        run = ended["latestRun"]
        took = instant(run["completionTime"]) - instant(run["startTime"])
        was = instant(estimate_of(estimated) or "") - instant(run["startTime"])
        assert 0.75 * took <= was <= 1.25 * took, (was, took)
        assert estimated["latestRun"]["progress"] == "0/8"
        assert estimate_of(ended) is None

    role_bench.run(main, scenario=SCENARIO)


def test_a_run_is_not_estimated_while_a_person_is_waited_for_and_is_again_after_that() -> None:
    async def main(bench: Bench) -> None:
        bench.start_operator()
        bench.start_worker()
        await bench.create()
        await bench.until(has_ended(1))
        await bench.annotate(run="again")
        await first_estimate(bench, 2)
        bench.parties.account.simulator.account.stacks["eks"].autodeploy = False

        waits = await bench.until(role_bench.is_in("AwaitingConfirmation"))
        await asyncio.sleep(600)
        still = await bench.until(role_bench.is_in("AwaitingConfirmation"))
        run = bench.people.latest_run("eks")
        assert run is not None
        assert bench.people.confirm(run)
        confirmed_at = now(bench)
        estimated = await bench.until(estimate_of)
        ended = await bench.until(has_ended(2))

        assert [estimate_of(waits), estimate_of(still)] == [None, None]
        # All that is left are the second half of 'eks', and 'app'.
        ended_at = instant(ended["latestRun"]["completionTime"])
        left, error = ended_at - confirmed_at, ended_at - instant(estimate_of(estimated) or "")
        assert left > datetime.timedelta(seconds=60)
        assert abs(error) <= 0.25 * left
        # Its run was queued by Spacelift and had begun before the chain saw the end of 'vpc'.
        took = {one["stackId"]: one["applySeconds"] for one in ended["durations"]}
        assert 45 <= took["eks"] <= 75

    role_bench.run(main, scenario=SCENARIO)
