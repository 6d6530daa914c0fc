"""From the apply of a StackChain to the creation of its first run, at a given rate of applies."""

import asyncio
from collections.abc import Sequence

from controller.temporal import ids
from tests.benchmarks import figures, graphs, histories, hops, machine, rig, tables

POLL_SECONDS = 0.2
# Applies per second, and the most that the median may be.
RATES = {1: 0.25, 5: 0.5}
P99_SECONDS = 1.0
_RUN_SECONDS = 2.0


async def run(*, quick: bool) -> figures.Report:
    names = {rate: _names(rate, rate * (6 if quick else 30)) for rate in RATES}
    found, notes = list[figures.Figure](), list[str]()
    async with rig.running(poll_seconds=POLL_SECONDS) as parts, rig.watching(parts) as watch:
        # The first of all chains pays for what is loaded once.
        await _warm_up(parts, watch)
        applied: dict[str, float] = {}
        for rate in RATES:
            async with machine.watched(parts.pids()) as usage:
                applied |= await _apply_all(parts, watch, names[rate], rate)
            notes.append(f"{rate}/s: {usage.cpu_text()} of processor time")
        samples = {rate: await _samples(parts, names[rate], applied) for rate in RATES}
    for rate in RATES:
        found += _figures(rate, [sum(value for _, value in sample) for sample in samples[rate]])
    return figures.Report(
        title="Apply -> first run",
        figures=found,
        notes=[
            "from the moment the apply request leaves to the creation in the simulator's log",
            f"chains of one stack with runs of {_RUN_SECONDS:g} s; "
            f"SPACELIFT_POLL_SECONDS={POLL_SECONDS:g}",
            *notes,
        ],
        details=[
            hops.table(
                "Where the time from apply to first run goes",
                {f"{rate}/s": found for rate, found in samples.items()},
            )
        ],
    )


def _figures(rate: int, seconds: Sequence[float]) -> list[figures.Figure]:
    p50, p90, p99, most = tables.spread(seconds)
    rows = (("p50", p50, RATES[rate]), ("p90", p90, None), ("p99", p99, P99_SECONDS))
    return [
        figures.Figure(
            what=f"{name} of {len(seconds)} chains at {rate}/s",
            measured=value or 0.0,
            unit="s",
            at_most=target,
        )
        for name, value, target in (*rows, ("most", most, None))
    ]


def _names(rate: int, count: int) -> list[str]:
    return [f"at{rate}-{number:03d}" for number in range(count)]


async def _warm_up(parts: rig.Rig, watch: rig.Watch) -> None:
    await parts.seed(graphs.scenario({"warm-up": ()}, is_native=False, durations=0.1))
    await parts.apply("warm-up", root="warm-up")
    await watch.succeeded("warm-up")


async def _apply_all(
    parts: rig.Rig, watch: rig.Watch, names: list[str], rate: int
) -> dict[str, float]:
    """Apply chains at a steady rate, whatever each takes."""
    stacks = {f"{name}-000": () for name in names}
    await parts.seed(graphs.scenario(stacks, is_native=False, durations=_RUN_SECONDS))
    loop = asyncio.get_running_loop()
    began = loop.time()
    tasks: dict[str, asyncio.Task[float]] = {}
    for place, name in enumerate(names):
        await asyncio.sleep(max(0.0, began + place / rate - loop.time()))
        tasks[name] = asyncio.create_task(parts.apply(name, root=f"{name}-000"))
    applied = {name: await task for name, task in tasks.items()}
    await watch.succeeded(*names)
    return applied


async def _samples(
    parts: rig.Rig, names: list[str], applied: dict[str, float]
) -> list[list[hops.Stretch]]:
    created = {item["stackId"]: float(item["createdAt"]) for item in await parts.runs()}
    # A chain and an execution for each, and for the one that warmed up.
    found = await histories.read_all(await parts.temporal(), wanted=2 * (len(applied) + 1))
    chains = {h.workflow_id.split("/")[2]: h for h in found if h.type == ids.CHAIN_WORKFLOW}
    executions = {h.workflow_id.split("/")[2]: h for h in found if h.type == ids.EXECUTION_WORKFLOW}
    return [
        hops.of_first(
            chains[name],
            applied=applied[name],
            run_created=created[f"{name}-000"],
            execution=executions[f"{name}-000"],
        )
        for name in names
    ]
