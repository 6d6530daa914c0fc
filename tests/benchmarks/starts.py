"""How many chains the operator starts in a burst."""

import asyncio

from controller.temporal import ids
from tests.benchmarks import graphs, histories, machine, rig, tables

POLL_SECONDS = 0.2
_APPLIES_AT_ONCE = 20


async def run(*, quick: bool) -> list[tables.Table]:
    count = 50 if quick else 200
    table = tables.Table(
        title=f"A burst of {count} chains of one stack each",
        columns=["from the first apply until the last", "s", "chains per minute"],
        notes=[
            "target: at least 810 chains started per minute",
            f"{_APPLIES_AT_ONCE} applies at a time, runs of 0.5 s, "
            f"SPACELIFT_POLL_SECONDS={POLL_SECONDS:g}",
        ],
    )
    names = [f"one-{number:03d}" for number in range(count)]
    async with rig.running(poll_seconds=POLL_SECONDS) as parts, rig.watching(parts) as watch:
        stacks = {f"{name}-000": () for name in names}
        await parts.seed(graphs.scenario(stacks, is_native=False, durations=0.5))
        async with machine.watched(parts.pids()) as usage:
            applied = await apply_all(parts, names)
            await watch.succeeded(*names, seconds=300)
        created = [float(item["createdAt"]) for item in await parts.runs()]
        found = await histories.read_all(await parts.temporal(), wanted=2 * count)
    if len(created) != count:
        raise rig.Failed(f"{len(created)} runs for {count} chains")
    started = [item.started_at for item in found if item.type == ids.CHAIN_WORKFLOW]
    began = min(applied)
    ready = max(at for at, _ in watch.seen)
    for name, at in (
        ("apply has left", max(applied)),
        ("workflow was started", max(started)),
        ("run was created", max(created)),
        ("resource is Ready", ready),
    ):
        table.add(name, at - began, count / (at - began) * 60)
    table.notes.append(f"{usage.cpu_text()} of processor time")
    return [table]


async def apply_all(parts: rig.Rig, names: list[str]) -> list[float]:
    """Apply chains of one stack each as fast as the API server takes them."""
    slots = asyncio.Semaphore(_APPLIES_AT_ONCE)

    async def apply(name: str) -> float:
        async with slots:
            return await parts.apply(name, root=f"{name}-000")

    return await asyncio.gather(*(apply(name) for name in names))
