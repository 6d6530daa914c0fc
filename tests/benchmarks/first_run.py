"""From the apply of a StackChain to the creation of its first run, at a given rate of applies."""

import asyncio

from controller.temporal import ids
from tests.benchmarks import graphs, histories, hops, machine, rig, tables

POLL_SECONDS = 0.2
RATES = (1, 5)
_RUN_SECONDS = 2.0


async def run(*, quick: bool) -> list[tables.Table]:
    seconds = 8 if quick else 30
    times = tables.Table(
        title="Apply -> first run created, seconds",
        columns=["chains per second", "chains", "p50", "p90", "p99", "max"],
        notes=[
            "from the moment the apply request leaves to the creation in the simulator's log; "
            "target: p50 at most 0.25, p99 at most 1 at 5 chains/s",
            f"chains of one stack with runs of {_RUN_SECONDS:g} s; "
            f"SPACELIFT_POLL_SECONDS={POLL_SECONDS:g}",
        ],
    )
    parts: dict[str, list[list[hops.Stretch]]] = {}
    for rate in RATES:
        samples, usage = await _measure(rate=rate, count=rate * seconds)
        sums = [sum(value for _, value in sample) for sample in samples]
        times.add(rate, len(samples), *tables.spread(sums))
        times.notes.append(f"{rate}/s: {usage.cpu_text()} of processor time")
        parts[f"{rate}/s"] = samples
    return [times, hops.table("Where the time from apply to first run goes", parts)]


async def _measure(*, rate: int, count: int) -> tuple[list[list[hops.Stretch]], machine.Usage]:
    names = [f"one-{number:03d}" for number in range(count)]
    async with rig.running(poll_seconds=POLL_SECONDS) as parts, rig.watching(parts) as watch:
        stacks = {f"{name}-000": () for name in names}
        await parts.seed(graphs.scenario(stacks, is_native=False, durations=_RUN_SECONDS))
        # The first of all chains pays for what is loaded once.
        await _warm_up(parts, watch)
        async with machine.watched(parts.pids()) as usage:
            applied = await _apply_all(parts, names, rate)
            await watch.succeeded(*names, seconds=120)
        created = {item["stackId"]: float(item["createdAt"]) for item in await parts.runs()}
        found = await histories.read_all(await parts.temporal(), wanted=2 * (count + 1))
    chains = {h.workflow_id.split("/")[2]: h for h in found if h.type == ids.CHAIN_WORKFLOW}
    executions = {h.workflow_id.split("/")[2]: h for h in found if h.type == ids.EXECUTION_WORKFLOW}
    samples = [
        hops.of_first(
            chains[name],
            applied=applied[name],
            run_created=created[f"{name}-000"],
            execution=executions[f"{name}-000"],
        )
        for name in names
    ]
    return samples, usage


async def _warm_up(parts: rig.Rig, watch: rig.Watch) -> None:
    await parts.seed(graphs.scenario({"warm-up": ()}, is_native=False, durations=0.1))
    await parts.apply("warm-up", root="warm-up")
    await watch.succeeded("warm-up", seconds=60)


async def _apply_all(parts: rig.Rig, names: list[str], rate: int) -> dict[str, float]:
    """Apply chains at a steady rate, whatever each takes."""
    loop = asyncio.get_running_loop()
    began = loop.time()
    tasks: dict[str, asyncio.Task[float]] = {}
    for place, name in enumerate(names):
        await asyncio.sleep(max(0.0, began + place / rate - loop.time()))
        tasks[name] = asyncio.create_task(parts.apply(name, root=f"{name}-000"))
    return {name: await task for name, task in tasks.items()}
