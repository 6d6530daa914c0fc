"""All workers are killed in the middle of a large chain, and started again."""

import asyncio
import dataclasses
import time
from collections import Counter

from tests.benchmarks import figures, graphs, rig

POLL_SECONDS = 0.2
GOING_ON_SECONDS = 30.0
_NAME = "dag"
_RUN_SECONDS = 3.0
_AWAY_SECONDS = 5.0


async def run(*, quick: bool) -> figures.Report:
    stacks, parallelism = (40, 20) if quick else (300, 100)
    grace_seconds = 5 if quick else 60
    found = await _measure(stacks, parallelism, grace_seconds)
    return figures.Report(
        title=f"All workers killed in the middle of {stacks} stacks",
        figures=[
            *(
                figures.Figure(
                    what=f"their return -> {name}", measured=at, unit="s", at_most=target
                )
                for name, at, target in (
                    ("next run triggered", found.triggered, GOING_ON_SECONDS),
                    ("first run that ended meanwhile is shown", found.first_seen, GOING_ON_SECONDS),
                    ("last of them is shown", found.last_seen, GOING_ON_SECONDS),
                    ("all stacks whose turn it was have a run", found.last_turn, None),
                )
            ),
            figures.Figure(what="most runs of one stack", measured=found.most_runs, at_most=1),
        ],
        notes=[
            "a trigger that was on its way at the kill may have been carried out: its run is "
            f"looked for during SPACELIFT_TRIGGER_GRACE_SECONDS={grace_seconds} before another one",
            f"two workers, SIGKILL once half of the runs were created, away for {_AWAY_SECONDS:g} "
            f"s; the return is the start of their processes, ready {found.ready:.1f} s later",
            f"{found.running} runs were at work at the kill, {found.ended} ended meanwhile, unseen",
            f"runs of {_RUN_SECONDS:g} s, parallelism {parallelism}, label edges; "
            f"SPACELIFT_POLL_SECONDS={POLL_SECONDS:g}, no webhook",
        ],
    )


@dataclasses.dataclass(frozen=True, kw_only=True, slots=True)
class _Found:
    """Seconds from the return of the workers, and counts."""

    ready: float
    triggered: float
    first_seen: float
    last_seen: float
    last_turn: float
    running: int
    ended: int
    most_runs: int


async def _measure(stacks: int, parallelism: int, grace_seconds: int) -> _Found:
    graph = graphs.layered("s", stacks=stacks, levels=6)
    settings = {"SPACELIFT_TRIGGER_GRACE_SECONDS": f"{grace_seconds}"}
    async with (
        rig.running(poll_seconds=POLL_SECONDS, role_environment=settings) as parts,
        rig.watching(parts) as watch,
    ):
        await parts.start_second_worker()
        await parts.seed(graphs.scenario(graph, is_native=False, durations=_RUN_SECONDS))
        await parts.apply(_NAME, root=graphs.root_of(graph), parallelism=parallelism)

        async def is_midway() -> bool:
            return await parts.count_runs() >= stacks // 2

        await rig.until(is_midway, what="half of the runs were created")
        await asyncio.gather(*(worker.kill() for worker in parts.workers()))
        killed = time.time()
        await asyncio.sleep(_AWAY_SECONDS)
        returned = time.time()
        for worker in parts.workers():
            worker.start_without_waiting()
        await asyncio.gather(*(worker.wait_ready() for worker in parts.workers()))
        ready = time.time() - returned
        await watch.succeeded(_NAME)
        runs = await parts.runs()
    return _found(graph, runs, watch, killed=killed, returned=returned, ready=ready)


def _found(
    graph: graphs.Upstreams,
    runs: list[rig.Body],
    watch: rig.Watch,
    *,
    killed: float,
    returned: float,
    ready: float,
) -> _Found:
    at_work = [run for run in runs if float(run["createdAt"]) < killed < rig.ended_at(run)]
    ended = [run for run in at_work if rig.ended_at(run) < returned]
    shown = [watch.seen_at(_NAME, run["stackId"], "Succeeded") for run in ended]
    # What was read just before the kill may be shown after it.
    seen = [at for at in shown if at > returned]
    if not seen:
        raise rig.Failed("no run ended unseen while the workers were away")
    ends = {run["stackId"]: rig.ended_at(run) for run in runs}
    created = {run["stackId"]: float(run["createdAt"]) for run in runs}
    later = [stack for stack, at in created.items() if at > returned]
    turn = [s for s in later if all(ends[upstream] < returned for upstream in graph[s])]
    return _Found(
        ready=ready,
        triggered=min(created[stack] for stack in later) - returned,
        first_seen=min(seen) - returned,
        last_seen=max(seen) - returned,
        last_turn=max((created[stack] for stack in turn), default=returned) - returned,
        running=len(at_work),
        ended=len(seen),
        most_runs=max(Counter(run["stackId"] for run in runs).values()),
    )
