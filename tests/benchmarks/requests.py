"""How many requests Spacelift gets: for each stack of a chain, and for each tick of following."""

import asyncio
import math
import time

from tests.benchmarks import graphs, rig, tables

POLL_SECONDS = 1.0
_FOLLOW_WINDOW_SECONDS = 10.0
_METRIC = "stackchain_spacelift_requests_total"


async def run(*, quick: bool) -> list[tables.Table]:
    stacks = 60 if quick else 200
    per_stack = tables.Table(
        title=f"Spacelift requests for a chain of {stacks} stacks",
        columns=[
            "edges",
            "requests",
            "tokens",
            "reading runs (ticks)",
            "others",
            "others per stack",
            "others by operation",
        ],
        notes=[
            "target: at most 3 per stack beside the ticks; counted by the simulator, told apart by "
            "the worker's own metrics",
            f"SPACELIFT_POLL_SECONDS={POLL_SECONDS:g}, runs of 2 s, parallelism {stacks}",
        ],
    )
    for is_native in (False, True):
        per_stack.add(*await _chain(stacks, is_native=is_native))
    return [per_stack, await _following(60 if quick else 120)]


async def _chain(stacks: int, *, is_native: bool) -> list[tables.Cell]:
    graph = graphs.layered("s", stacks=stacks, levels=5)
    async with rig.running(poll_seconds=POLL_SECONDS) as parts, rig.watching(parts) as watch:
        await parts.seed(graphs.scenario(graph, is_native=is_native, durations=2.0))
        await parts.forget_requests()
        await parts.apply("dag", root=graphs.root_of(graph), parallelism=stacks)
        await watch.succeeded("dag", seconds=300)
        total, by_field = await parts.requests()
        operations = await _operations(parts)
    reading = operations.pop("GetRuns", 0)
    tokens = by_field["apiKeyUser"]
    others = total - tokens - reading
    operations.pop("ExchangeToken", None)
    by_operation = ", ".join(f"{name} {count}" for name, count in sorted(operations.items()))
    name = "native (adopted)" if is_native else "labels (triggered)"
    return [name, total, tokens, reading, others, others / stacks, by_operation]


async def _following(runs: int) -> tables.Table:
    """Count requests while nothing happens but following."""
    graph = graphs.fan("s", stacks=runs + 1)
    root = graphs.root_of(graph)
    # Young follows are read more often: wait until all are old, then watch for some ticks.
    long = 6 * POLL_SECONDS + 15 + _FOLLOW_WINDOW_SECONDS
    stacks = graphs.scenario(graph, is_native=False, durations=long)
    stacks[root]["durations"] = 0.2
    async with rig.running(poll_seconds=POLL_SECONDS) as parts, rig.watching(parts) as watch:
        await parts.seed(stacks)
        await parts.apply("fan", root=root, parallelism=runs)
        await _until_running(parts, runs, seconds=60)
        await asyncio.sleep(4 * POLL_SECONDS)
        before, _ = await parts.requests()
        await asyncio.sleep(_FOLLOW_WINDOW_SECONDS)
        after, _ = await parts.requests()
        followed = sum((await parts.metrics("worker", "stackchain_runs_followed")).values())
        await watch.succeeded("fan", seconds=long + 120)
    ticks = _FOLLOW_WINDOW_SECONDS / POLL_SECONDS
    table = tables.Table(
        title="Spacelift requests while runs are followed and nothing changes",
        columns=["followed", "ticks", "requests", "per tick", "ceil(followed/50)"],
        notes=[f"over {_FOLLOW_WINDOW_SECONDS:g} s with SPACELIFT_POLL_SECONDS={POLL_SECONDS:g}"],
    )
    requests = after - before
    table.add(int(followed), int(ticks), requests, requests / ticks, math.ceil(followed / 50))
    return table


async def _operations(parts: rig.Rig) -> dict[str, int]:
    counts: dict[str, int] = {}
    for labels, value in (await parts.metrics("worker", _METRIC)).items():
        name = labels.partition('operation="')[2].partition('"')[0]
        counts[name] = counts.get(name, 0) + int(value)
    return counts


async def _until_running(parts: rig.Rig, count: int, *, seconds: float) -> None:
    deadline = time.monotonic() + seconds
    while (planning := len(await parts.runs(state="PLANNING"))) < count:
        if time.monotonic() > deadline:
            raise rig.Failed(f"{planning} runs are at work, not {count}")
        await asyncio.sleep(0.2)
