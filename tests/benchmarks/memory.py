"""Memory of operator and worker: idle, with chains running, and with many idle resources."""

import asyncio
import time

from tests.benchmarks import graphs, machine, rig, starts, tables

POLL_SECONDS = 1.0
_SETTLE_SECONDS = 5
_STACKS_PER_CHAIN = 5


async def run(*, quick: bool) -> list[tables.Table]:
    chains, idle = (20, 100) if quick else (100, 1000)
    return [await _running(chains), await _restarted(idle)]


async def _running(chains: int) -> tables.Table:
    table = tables.Table(
        title="Resident memory, MiB",
        columns=["with", "operator", "operator peak", "worker", "worker peak"],
        notes=[f"chains of {_STACKS_PER_CHAIN} stacks, all but the first running at once"],
    )
    names = [f"fan-{number:03d}" for number in range(chains)]
    stacks = {}
    for name in names:
        graph = graphs.fan(name, stacks=_STACKS_PER_CHAIN)
        stacks |= graphs.scenario(graph, is_native=False, durations=30.0)
        stacks[graphs.root_of(graph)]["durations"] = 0.2
    async with rig.running(poll_seconds=POLL_SECONDS) as parts, rig.watching(parts) as watch:
        await parts.seed(stacks)
        async with machine.watched(parts.pids()) as usage:
            await asyncio.sleep(_SETTLE_SECONDS)
        _add(table, "nothing to do", parts, usage)
        wanted = chains * (_STACKS_PER_CHAIN - 1)
        async with machine.watched(parts.pids()) as usage:
            await starts.apply_all(parts, names)
            await _until(parts, wanted, seconds=180)
            at_work = {name: machine.rss(pid) for name, pid in parts.pids().items()}
            await watch.succeeded(*names, seconds=300)
        _add(table, f"{chains} chains running, {wanted} runs followed", parts, usage, at_work)
        await asyncio.sleep(_SETTLE_SECONDS)
        async with machine.watched(parts.pids()) as usage:
            await asyncio.sleep(1)
        _add(table, "nothing to do again", parts, usage)
    return table


def _add(
    table: tables.Table,
    name: str,
    parts: rig.Rig,
    usage: machine.Usage,
    now: dict[str, float] | None = None,
) -> None:
    now = now or {role: machine.rss(pid) for role, pid in parts.pids().items()}
    cells = [
        round(value) for role in ("operator", "worker") for value in (now[role], usage.peak[role])
    ]
    table.add(name, *cells)


async def _until(parts: rig.Rig, planning: int, *, seconds: float) -> None:
    """Wait until so many runs were created and are followed."""
    deadline = time.monotonic() + seconds
    while True:
        followed = sum((await parts.metrics("worker", "stackchain_runs_followed")).values())
        if followed >= planning:
            return
        if time.monotonic() > deadline:
            raise rig.Failed(f"{followed:.0f} runs are followed, not {planning}")
        await asyncio.sleep(0.2)


async def _restarted(count: int) -> tables.Table:
    """Restart the operator over resources that ran long ago, and that were edited meanwhile."""
    table = tables.Table(
        title=f"Operator restarted over {count} idle resources",
        columns=["restart", "ready s", "all reconciled s", "processor s", "MiB", "peak MiB"],
        notes=[
            "nothing asked: all there is to do is to look at each; reconciled means that the "
            "operator has come to rest",
            "each edited meanwhile: `parallelism` changed while the operator was down, so that "
            "each status has a new generation to observe",
            "target: at most 30 s and 256 MiB",
        ],
    )
    names = [f"one-{number:04d}" for number in range(count)]
    async with rig.running(poll_seconds=0.2) as parts, rig.watching(parts) as watch:
        stacks = {f"{name}-000": () for name in names}
        await parts.seed(graphs.scenario(stacks, is_native=False, durations=0.1))
        await starts.apply_all(parts, names)
        await watch.succeeded(*names, seconds=900)
        # The look back at each chain's end is over too.
        await asyncio.sleep(_SETTLE_SECONDS)
        table.add("nothing asked", *await _restart(parts, watch, [], edits=False))
        table.add("each edited meanwhile", *await _restart(parts, watch, names, edits=True))
    return table


async def _restart(
    parts: rig.Rig, watch: rig.Watch, names: list[str], *, edits: bool
) -> list[tables.Cell]:
    operator = parts.role("operator")
    await operator.stop()
    if edits:
        await _edit(parts, names)
    began = time.monotonic()
    await operator.start()
    ready = time.monotonic() - began
    pids = {"operator": operator.process.pid}
    async with machine.watched(pids) as usage:
        if edits:
            await _all_observed(watch, names, seconds=300)
            done = time.monotonic() - began
        else:
            done = await _at_rest(pids["operator"]) - began
    cpu = machine.cpu_seconds(pids["operator"])
    return [ready, done, cpu, round(machine.rss(pids["operator"])), round(usage.peak["operator"])]


async def _edit(parts: rig.Rig, names: list[str]) -> None:
    slots = asyncio.Semaphore(20)

    async def edit(name: str) -> None:
        async with slots:
            await parts.chains.set_spec(name, parallelism=11)

    await asyncio.gather(*(edit(name) for name in names))


async def _all_observed(watch: rig.Watch, names: list[str], *, seconds: float) -> None:
    deadline = time.monotonic() + seconds
    while behind := [name for name in names if not _is_observed(watch.bodies[name])]:
        if time.monotonic() > deadline:
            raise rig.Failed(f"{len(behind)} resources are not reconciled, {behind[0]} for one")
        await asyncio.sleep(0.1)


def _is_observed(body: rig.Body) -> bool:
    observed: bool = body["status"]["observedGeneration"] == body["metadata"]["generation"]
    return observed


async def _at_rest(pid: int) -> float:
    """Wait until a process uses almost no processor, and return since when."""
    since, used = time.monotonic(), machine.cpu_seconds(pid)
    while time.monotonic() - since < 3:
        await asyncio.sleep(0.5)
        now = machine.cpu_seconds(pid)
        if now - used > 0.1:
            since = time.monotonic()
        used = now
    return since
