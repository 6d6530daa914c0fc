"""Stacks below several roots: what Spacelift queues is canceled at once, and few requests do it."""

import collections
import itertools
from typing import Any

import pytest

from devenv.simulator.model.run_entities import Run
from tests.simulation import role_bench
from tests.simulation.role_bench import Bench, has_ended
from tests.workflows.native_schedules import was_applied

# docs/limits.md: after the trigger's answer, which comes up to half a second after the run.
FIRST_CANCEL_SECONDS, ALL_CANCELS_SECONDS = 1.5, 5.0
REQUESTS_A_STACK, REQUESTS_A_STACK_IN_A_MESH = 4, 10


def play(stacks: dict[str, Any], roots: list[str]) -> tuple[Bench, role_bench.Json]:
    """Return what came of a chain, all of whose stacks may run side by side, and its status."""
    ended: list[role_bench.Json] = []

    async def main(bench: Bench) -> None:
        bench.start_operator()
        bench.start_worker()
        await bench.create(roots={"stackIds": roots}, parallelism=500)
        ended.append(await bench.until(has_ended(1)))

    scenario = role_bench.SCENARIO | {"edges": [], "stacks": stacks}
    bench = role_bench.run(main, scenario=scenario)
    (status,) = ended
    assert status["latestRun"]["phase"] == "Succeeded"
    return bench, status


def requests(bench: Bench) -> int:
    return sum(len(way.sent_at) for role in bench.roles for way in role.spacelift)


def runs_of(bench: Bench) -> list[Run]:
    return list(bench.parties.account.simulator.account.runs.values())


@pytest.mark.parametrize(("roots", "dependents"), [(8, 60), (5, 40)])
def test_what_several_roots_have_queued_is_canceled_at_once_and_each_stack_runs_once(
    roots: int, dependents: int
) -> None:
    names = [f"root{number}" for number in range(roots)]
    stacks: dict[str, Any] = {name: {} for name in names}
    stacks |= {f"n{number:02}": {"dependsOn": names} for number in range(dependents)}

    bench, _ = play(stacks, names)

    runs = runs_of(bench)
    triggers = [run.created_at for run in runs if run.stack_id in names]
    cancels = [run.history[-1].at for run in runs if run.state == "CANCELED"]
    assert sorted(run.stack_id for run in runs if was_applied(run)) == sorted(stacks)
    assert len(cancels) == roots * dependents
    assert min(cancels) - min(triggers) <= FIRST_CANCEL_SECONDS
    assert max(cancels) - max(triggers) <= ALL_CANCELS_SECONDS
    assert requests(bench) <= REQUESTS_A_STACK * len(stacks)


def test_a_mesh_of_runs_that_are_faster_than_the_chain_makes_no_storm_and_is_told() -> None:
    """Each of the upper stacks queues runs on all below, and many are carried out."""
    levels = [[f"s{level}{place}" for place in range(10)] for level in range(10)]
    stacks: dict[str, Any] = {name: {"durations": 0.5} for level in levels for name in level}
    for upper, lower in itertools.pairwise(levels):
        for name in lower:
            stacks[name]["dependsOn"] = upper

    bench, status = play(stacks, levels[0])

    applied = collections.Counter(run.stack_id for run in runs_of(bench) if was_applied(run))
    told = {row["id"] for row in status["stacks"] if row.get("unusedRuns")}
    assert len(applied) == len(stacks)
    assert told == {stack_id for stack_id, count in applied.items() if count > 1}
    assert told
    assert requests(bench) <= REQUESTS_A_STACK_IN_A_MESH * len(stacks)
