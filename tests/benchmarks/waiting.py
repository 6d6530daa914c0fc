"""A new chain's first trigger while hundreds of runs of the account wait for a person."""

from collections.abc import Sequence

from tests.benchmarks import figures, graphs, machine, rig, tables

# A waiting run is read at each tick, and ten times more often than by default.
POLL_SECONDS = 1.0
FIRST_RUN_SECONDS = 2.0
_CHAINS = 3


async def run(*, quick: bool) -> figures.Report:
    waiting, new = (60, 3) if quick else (600, 20)
    async with rig.running(poll_seconds=POLL_SECONDS) as parts, rig.watching(parts) as watch:
        await first_run(parts, watch, "warm-up")
        alone = [await first_run(parts, watch, f"alone-{n:02d}") for n in range(new)]
        names = [f"waiting-{number}" for number in range(_CHAINS)]
        await let_wait(parts, watch, names, runs=waiting // _CHAINS)
        async with machine.watched(parts.pids()) as usage:
            beside = [await first_run(parts, watch, f"beside-{n:02d}") for n in range(new)]
        still = await parts.count_runs("UNCONFIRMED")
    if still != waiting:
        raise rig.Failed(f"{still} runs wait for a person, not {waiting}")
    peaks = ", ".join(f"{name} {mib:.0f} MiB" for name, mib in usage.peak.items())
    return figures.Report(
        title=f"A new chain beside {waiting} runs that wait for a person",
        figures=[
            figures.Figure(
                what=f"apply -> first run, the slowest of {new}",
                measured=max(beside),
                unit="s",
                at_most=FIRST_RUN_SECONDS,
            ),
            figures.Figure(
                what="apply -> first run, p50", measured=tables.median(beside), unit="s"
            ),
            figures.Figure(
                what="the same before these runs, p50", measured=tables.median(alone), unit="s"
            ),
            figures.Figure(
                what="p50 beside them / before them",
                measured=tables.median(beside) / tables.median(alone),
            ),
        ],
        notes=[
            f"{_CHAINS} chains hold the runs in one account; the new chains, of one stack each, "
            "are applied one after the other",
            f"SPACELIFT_POLL_SECONDS={POLL_SECONDS:g} (the product's default is 10)",
            f"beside them: {usage.cpu_text()} of processor time; {peaks}",
        ],
    )


async def first_run(parts: rig.Rig, watch: rig.Watch, name: str) -> float:
    """Apply a chain of one stack, wait for its end, and return how long its run took to come."""
    await parts.seed(graphs.scenario({name: ()}, is_native=False, durations=0.1))
    applied = await parts.apply(name, root=name)
    await watch.succeeded(name)
    (run,) = await parts.runs(stack=name)
    return float(run["createdAt"]) - applied


async def let_wait(parts: rig.Rig, watch: rig.Watch, names: Sequence[str], *, runs: int) -> None:
    """Bring chains to where each has that many runs that wait for a person, and shows it."""
    for name in names:
        graph = graphs.fan(name, stacks=runs + 1)
        root = graphs.root_of(graph)
        stacks = graphs.scenario(graph, is_native=False, durations=0.1, autodeploy=False)
        stacks[root]["autodeploy"] = True
        await parts.seed(stacks)
        await parts.apply(name, root=root, parallelism=runs)
    await rig.until(
        lambda: all(watch.awaiting(name) == runs for name in names),
        what=f"{runs} runs of each chain wait for a person",
    )
