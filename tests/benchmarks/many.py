"""Many at once: a large chain, hundreds of runs that wait for people, two workers that are killed.

With polling as often as by default, so that no news comes sooner than users get it.
"""

import asyncio
import dataclasses
import time
from collections import Counter
from collections.abc import Sequence

from tests.benchmarks import figures, graphs, histories, machine, rig, tables, waiting

POLL_SECONDS = 10.0
FIRST_RUN_SECONDS = 2.0
# docs/limits.md, of a run that waits for a person: 150 s, a poll interval, and ten seconds.
NOTICED_SECONDS = 150.0 + POLL_SECONDS + 10.0
_WAITING_PER_CHAIN = 10
_AWAY_SECONDS = 5.0
_TRANSITIONS = dict.fromkeys(
    ("queued", "ready", "preparing", "initializing", "planning", "confirmed", "applying"), 0.5
)


@dataclasses.dataclass(frozen=True, kw_only=True, slots=True)
class _Found:
    """Seconds: from the apply of new chains to their runs, and from confirmations to the status."""

    alone: Sequence[float]
    beside_waiting: Sequence[float]
    beside_all: Sequence[float]
    noticed: Sequence[float]
    problems: Counter[str]
    """Of workflow tasks."""
    executions: int
    most_runs: int
    usage: machine.Usage


async def run(*, quick: bool) -> figures.Report:
    chains, stacks, new = (6, 40, 3) if quick else (60, 300, 20)
    found = await _measure(chains, stacks, new)
    failed = {cause: n for cause, n in found.problems.items() if cause not in histories.TIMED_OUT}
    held = chains * _WAITING_PER_CHAIN
    first_runs = {
        f"with {held} runs that wait for people": found.beside_waiting,
        f"and a chain of {stacks} stacks in progress": found.beside_all,
    }
    return figures.Report(
        title=f"Many at once: {held} waiting runs of {chains} chains, {stacks} stacks of one",
        figures=[
            *(
                figures.Figure(
                    what=f"apply -> first run, the slowest of {new}, {when}",
                    measured=max(seconds),
                    unit="s",
                    at_most=FIRST_RUN_SECONDS,
                )
                for when, seconds in first_runs.items()
            ),
            figures.Figure(
                what=f"apply -> first run, p50 of {new}, alone",
                measured=tables.median(found.alone),
                unit="s",
            ),
            *(
                figures.Figure(
                    what=f"apply -> first run, p50 of {new}, {when}",
                    measured=tables.median(seconds),
                    unit="s",
                )
                for when, seconds in first_runs.items()
            ),
            figures.Figure(
                what=f"workers killed: {held} confirmations in the status, the last",
                measured=max(found.noticed),
                unit="s",
                at_most=NOTICED_SECONDS,
            ),
            figures.Figure(what="the same, p50", measured=tables.median(found.noticed), unit="s"),
            figures.Figure(
                what=f"failed workflow tasks of all {found.executions} executions",
                measured=sum(failed.values()),
                at_most=0,
            ),
            figures.Figure(
                what="workflow tasks that timed out with the killed workers",
                measured=found.problems.total() - sum(failed.values()),
            ),
            figures.Figure(what="most runs of one stack", measured=found.most_runs, at_most=1),
        ],
        notes=[
            f"SPACELIFT_POLL_SECONDS={POLL_SECONDS:g}, no webhook, two workers; the large chain: "
            f"label edges, parallelism 10, {len(_TRANSITIONS)} transitions of half a second",
            "then both workers are killed (SIGKILL), all waiting runs are confirmed while they "
            f"are away for {_AWAY_SECONDS:g} s, and the time from their return is taken",
            "failed tasks by cause: "
            + (", ".join(f"{count} {cause}" for cause, count in failed.items()) or "none"),
            f"processor time until then: {found.usage.cpu_text()}",
        ],
    )


async def _measure(chains: int, stacks: int, new: int) -> _Found:
    names = [f"waiting-{number:02d}" for number in range(chains)]
    async with rig.running(poll_seconds=POLL_SECONDS) as parts, rig.watching(parts) as watch:
        await parts.start_second_worker()
        await _first_run(parts, "warm-up")
        async with machine.watched(parts.pids()) as usage:
            alone = [await _first_run(parts, f"alone-{n:02d}") for n in range(new)]
            await waiting.let_wait(parts, watch, names, runs=_WAITING_PER_CHAIN)
            beside_waiting = [await _first_run(parts, f"waits-{n:02d}") for n in range(new)]
            graph = graphs.layered("big", stacks=stacks, levels=6)
            await parts.seed(graphs.scenario(graph, is_native=False, durations=_TRANSITIONS))
            await parts.apply("big", root=graphs.root_of(graph), parallelism=10)

            async def is_midway() -> bool:
                return await parts.count_runs("FINISHED") >= 3 * new + chains + 10

            await rig.until(is_midway, what="the large chain is in progress")
            beside_all = [await _first_run(parts, f"beside-{n:02d}") for n in range(new)]
        if watch.bodies["big"]["status"]["latestRun"].get("endTime"):
            raise rig.Failed("the large chain ended before the last new one had its run")
        noticed = await _killed(parts, watch, names)
        await watch.succeeded(*names, "big", seconds=1800)
        runs = await parts.runs()
        done = await histories.read_all(await parts.temporal(), wanted=len(runs) + chains + 1)
    return _Found(
        alone=alone,
        beside_waiting=beside_waiting,
        beside_all=beside_all,
        noticed=noticed,
        problems=sum((item.task_problems for item in done), Counter()),
        executions=len(done),
        most_runs=max(Counter(run["stackId"] for run in runs).values()),
        usage=usage,
    )


async def _killed(parts: rig.Rig, watch: rig.Watch, names: Sequence[str]) -> list[float]:
    """Kill all workers, confirm what waits, and return when each confirmation was shown."""
    await asyncio.gather(*(worker.kill() for worker in parts.workers()))
    killed = time.time()
    confirmed = await parts.runs(state="UNCONFIRMED")
    for item in confirmed:
        await parts.confirm(item["id"])
    await asyncio.sleep(max(0.0, killed + _AWAY_SECONDS - time.time()))
    returned = time.time()
    for worker in parts.workers():
        worker.start_without_waiting()
    await asyncio.gather(*(worker.wait_ready() for worker in parts.workers()))
    await watch.succeeded(*names, seconds=1800)
    return [
        watch.seen_at(_chain_of(item["stackId"]), item["stackId"], "Succeeded", after=returned)
        - returned
        for item in confirmed
    ]


async def _first_run(parts: rig.Rig, name: str) -> float:
    """Apply a chain of one stack, and return how long its run took to come."""
    await parts.seed(graphs.scenario({name: ()}, is_native=False, durations=0.1))
    applied = await parts.apply(name, root=name)

    async def exists() -> bool:
        return len(await parts.runs(stack=name)) == 1

    await rig.until(exists, what=f"{name} has a run")
    (run,) = await parts.runs(stack=name)
    return float(run["createdAt"]) - applied


def _chain_of(stack_id: str) -> str:
    return stack_id.rpartition("-")[0]
