"""Events in the histories of the largest chain, with runs that go through every state."""

import asyncio
import contextlib
from collections.abc import AsyncIterator

from controller.temporal import ids
from tests.benchmarks import graphs, histories, machine, rig, tables

POLL_SECONDS = 0.2
BUDGET = 10_240
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


async def run(*, quick: bool) -> list[tables.Table]:
    stacks = 100 if quick else 500
    table = tables.Table(
        title=f"Histories of a chain of {stacks} stacks, 10 states each",
        columns=["execution", "events", "of", "kB", "workflow tasks", "failed tasks"],
        notes=[
            "each run goes through 10 states and is confirmed by a person half-way; "
            f"parallelism 100, SPACELIFT_POLL_SECONDS={POLL_SECONDS:g}",
            "target: at most 10,240 events, no failed workflow task",
        ],
    )
    found, usage, seconds = await _measure(stacks)
    chain = next(item for item in found if item.type == ids.CHAIN_WORKFLOW)
    executions = [item for item in found if item.type == ids.EXECUTION_WORKFLOW]
    largest = max(executions, key=lambda item: len(item.events))
    for name, item in (("chain", chain), ("largest stack execution", largest)):
        size = round(item.size / 1000)
        table.add(name, len(item.events), BUDGET, size, item.workflow_tasks, item.failed_tasks)
    events = sum(len(item.events) for item in found)
    failed = sum(item.failed_tasks for item in found)
    size = round(sum(item.size for item in found) / 1000)
    tasks = sum(item.workflow_tasks for item in found)
    table.add(f"all {len(found)} together", events, None, size, tasks, failed)
    table.notes.append(f"ran for {seconds:.0f} s: {usage.cpu_text()} of processor time")
    table.notes.append(
        "peak memory: " + ", ".join(f"{name} {mib:.0f} MiB" for name, mib in usage.peak.items())
    )
    return [table]


async def _measure(stacks: int) -> tuple[list[histories.History], machine.Usage, float]:
    graph = graphs.layered("s", stacks=stacks, levels=5)
    loop = asyncio.get_running_loop()
    async with rig.running(poll_seconds=POLL_SECONDS) as parts, rig.watching(parts) as watch:
        scenario = graphs.scenario(graph, is_native=False, durations=_STATES, autodeploy=False)
        await parts.seed(scenario)
        began = loop.time()
        async with machine.watched(parts.pids()) as usage, _confirming(parts):
            await parts.apply("dag", root=graphs.root_of(graph), parallelism=100)
            await watch.succeeded("dag", seconds=900)
        seconds = loop.time() - began
        states = min(len(item["history"]) for item in await parts.runs())
        if states != 10:
            raise rig.Failed(f"a run went through {states} states, not 10")
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
