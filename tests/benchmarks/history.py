"""Events in the histories of the largest chain, with runs that go through every state."""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Mapping, Sequence

from controller.temporal import ids
from tests.benchmarks import figures, graphs, histories, machine, rig, tables

POLL_SECONDS = 0.2
BUDGET = 10_240
TRANSITIONS = 10
# Every state that a run with a person in it goes through takes long enough to be seen.
_STATES = {
    "queued": 0.3,
    "ready": 0.5,
    "preparing": 0.3,
    "initializing": 0.3,
    "planning": 0.5,
    "confirmed": 0.3,
    "preparing_apply": 0.3,
    "applying": 0.5,
}


async def run(*, quick: bool) -> figures.Report:
    stacks, levels = (30, 2) if quick else (500, 5)
    found, usage, seconds = await _measure(stacks, levels)
    chain = next(item for item in found if item.type == ids.CHAIN_WORKFLOW)
    executions = [item for item in found if item.type == ids.EXECUTION_WORKFLOW]
    largest = max(executions, key=lambda item: len(item.events))
    peaks = ", ".join(f"{name} {mib:.0f} MiB" for name, mib in usage.peak.items())
    return figures.Report(
        title=f"Histories of a chain of {stacks} stacks, {TRANSITIONS} transitions each",
        figures=[
            figures.Figure(
                what="events of the chain's execution",
                measured=len(chain.events),
                at_most=BUDGET,
            ),
            figures.Figure(
                what="events of the largest stack execution",
                measured=len(largest.events),
                at_most=BUDGET,
            ),
            figures.Figure(
                what=f"failed or timed-out workflow tasks of all {len(found)} executions",
                measured=sum(item.failed_tasks for item in found),
                at_most=0,
            ),
        ],
        notes=[
            f"each run comes into {TRANSITIONS} states one after the other, QUEUED and FINISHED "
            "included, and is confirmed by a person half-way",
            f"ran for {seconds:.0f} s: {usage.cpu_text()} of processor time; parallelism 100, "
            f"SPACELIFT_POLL_SECONDS={POLL_SECONDS:g}",
            f"peak memory: {peaks}",
        ],
        details=[_sizes({"chain": [chain], "largest stack execution": [largest], "all": found})],
    )


def _sizes(sets: Mapping[str, Sequence[histories.History]]) -> tables.Table:
    table = tables.Table(
        title="Histories", columns=["executions", "events", "kB", "workflow tasks", "failed tasks"]
    )
    for name, found in sets.items():
        table.add(
            name,
            sum(len(item.events) for item in found),
            round(sum(item.size for item in found) / 1000),
            sum(item.workflow_tasks for item in found),
            sum(item.failed_tasks for item in found),
        )
    return table


async def _measure(
    stacks: int, levels: int
) -> tuple[list[histories.History], machine.Usage, float]:
    graph = graphs.layered("s", stacks=stacks, levels=levels)
    loop = asyncio.get_running_loop()
    async with rig.running(poll_seconds=POLL_SECONDS) as parts, rig.watching(parts) as watch:
        scenario = graphs.scenario(graph, is_native=False, durations=_STATES, autodeploy=False)
        await parts.seed(scenario)
        began = loop.time()
        async with machine.watched(parts.pids()) as usage, _confirming(parts):
            await parts.apply("dag", root=graphs.root_of(graph), parallelism=100)
            await watch.succeeded("dag", seconds=1800)
        seconds = loop.time() - began
        states = min(len(item["history"]) for item in await parts.runs())
        if states != TRANSITIONS:
            raise rig.Failed(f"a run went through {states} states, not {TRANSITIONS}")
        found = await histories.read_all(await parts.temporal(), wanted=stacks + 1)
    return found, usage, seconds


@contextlib.asynccontextmanager
async def _confirming(parts: rig.Rig) -> AsyncIterator[None]:
    """Be the person who confirms, some time after a run began to wait."""

    async def confirm() -> None:
        waiting: set[str] = set()
        while True:
            await asyncio.sleep(1)
            for run_id in waiting:
                await parts.confirm(run_id)
            waiting = {item["id"] for item in await parts.runs(state="UNCONFIRMED")}

    task = asyncio.create_task(confirm())
    try:
        yield
    finally:
        task.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await task
