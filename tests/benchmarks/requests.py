"""How many requests Spacelift gets: for each stack of a chain, and for each tick of following."""

import asyncio
import dataclasses
import math
from collections import Counter

from tests.benchmarks import figures, graphs, rig

POLL_SECONDS = 1.0
PER_STACK = 3
_METRIC = "stackchain_spacelift_requests_total"


async def run(*, quick: bool) -> figures.Report:
    stacks, followed = (30, 60) if quick else (200, 120)
    async with rig.running(poll_seconds=POLL_SECONDS) as parts, rig.watching(parts) as watch:
        counts = [
            await _chain(parts, watch, stacks, is_native=is_native) for is_native in (False, True)
        ]
        ticks = 5 if quick else 20
        requests = await _following(parts, watch, followed, ticks)
    return figures.Report(
        title="Spacelift requests",
        figures=[
            *(
                figures.Figure(
                    what=f"{count.name}, beside reading runs, per stack",
                    measured=count.others / stacks,
                    at_most=PER_STACK,
                )
                for count in counts
            ),
            figures.Figure(
                what=f"{followed} runs followed, per tick",
                measured=requests / ticks,
                at_most=math.ceil(followed / 50),
            ),
        ],
        notes=[
            *(count.text() for count in counts),
            f"chains of {stacks} stacks with runs of 2 s; counted by the simulator, told apart by "
            "the worker's own metrics",
            f"following over {ticks} ticks in which nothing happens, at most ceil({followed}/50) "
            f"requests per tick; SPACELIFT_POLL_SECONDS={POLL_SECONDS:g}",
        ],
    )


@dataclasses.dataclass(frozen=True, kw_only=True, slots=True)
class _Count:
    name: str
    total: int
    tokens: int
    reading: int
    by_operation: Counter[str]

    @property
    def others(self) -> int:
        return self.total - self.tokens - self.reading

    def text(self) -> str:
        each = ", ".join(f"{name} {count}" for name, count in sorted(self.by_operation.items()))
        return f"{self.name}: {self.total} requests, of them {each}, reading runs {self.reading}"


async def _chain(parts: rig.Rig, watch: rig.Watch, stacks: int, *, is_native: bool) -> _Count:
    name = "native" if is_native else "labels"
    graph = graphs.layered(name, stacks=stacks, levels=5)
    await parts.seed(graphs.scenario(graph, is_native=is_native, durations=2.0))
    before = await _operations(parts)
    await parts.forget_requests()
    await parts.apply(name, root=graphs.root_of(graph), parallelism=stacks)
    await watch.succeeded(name)
    total, by_field = await parts.requests()
    operations = await _operations(parts) - before
    return _Count(
        name="native edges (adopted)" if is_native else "label edges (triggered)",
        total=total,
        tokens=by_field["apiKeyUser"],
        reading=operations.pop("GetRuns", 0),
        by_operation=operations,
    )


async def _following(parts: rig.Rig, watch: rig.Watch, runs: int, ticks: int) -> int:
    """Return the requests of some ticks in which nothing happens but following."""
    graph = graphs.fan("fan", stacks=runs + 1)
    root = graphs.root_of(graph)
    # Nothing ends before the window is over, whatever the machine is busy with.
    stacks = graphs.scenario(graph, is_native=False, durations=0.1, autodeploy=False)
    stacks[root]["autodeploy"] = True
    await parts.seed(stacks)
    await parts.apply("fan", root=root, parallelism=runs)
    await rig.until(lambda: watch.awaiting("fan") == runs, what=f"{runs} runs wait for a person")
    # Young follows are read more often: wait until all are old.
    await asyncio.sleep(4 * POLL_SECONDS)
    before = await _between_ticks(parts)
    await asyncio.sleep(ticks * POLL_SECONDS)
    after, _ = await parts.requests()
    followed = sum((await parts.metrics("worker", "stackchain_runs_followed")).values())
    if followed != runs:
        raise rig.Failed(f"{followed:.0f} runs are followed, not {runs}")
    return after - before


async def _between_ticks(parts: rig.Rig) -> int:
    """Wait until half a tick after one, and return how many requests there were by then."""
    first, _ = await parts.requests()

    async def is_tick() -> bool:
        return (await parts.requests())[0] > first

    await rig.until(is_tick, what="followed runs are read")
    await asyncio.sleep(POLL_SECONDS / 2)
    return (await parts.requests())[0]


async def _operations(parts: rig.Rig) -> Counter[str]:
    counts = Counter[str]()
    for labels, value in (await parts.metrics("worker", _METRIC)).items():
        counts[labels.partition('operation="')[2].partition('"')[0]] += int(value)
    return counts
