"""How many chains the operator starts in a burst."""

import asyncio

from controller.temporal import ids
from tests.benchmarks import figures, graphs, histories, machine, rig

POLL_SECONDS = 0.2
PER_MINUTE = {"workflow started": 1000, "run created": 600}
_APPLIES_AT_ONCE = 20


async def run(*, quick: bool) -> figures.Report:
    count = 50 if quick else 200
    names = [f"one-{number:03d}" for number in range(count)]
    async with rig.running(poll_seconds=POLL_SECONDS) as parts, rig.watching(parts) as watch:
        stacks = {f"{name}-000": () for name in names}
        await parts.seed(graphs.scenario(stacks, is_native=False, durations=0.5))
        async with machine.watched(parts.pids()) as usage:
            applied = await apply_all(parts, names)
            await watch.succeeded(*names)
        created = [float(item["createdAt"]) for item in await parts.runs()]
        found = await histories.read_all(await parts.temporal(), wanted=2 * count)
    if len(created) != count:
        raise rig.Failed(f"{len(created)} runs for {count} chains")
    started = [item.started_at for item in found if item.type == ids.CHAIN_WORKFLOW]
    ready = max(at for at, _ in watch.seen)
    ends = (("workflow started", max(started)), ("run created", max(created)), ("Ready", ready))
    return figures.Report(
        title=f"A burst of {count} chains",
        figures=[
            figures.Figure(
                what=f"chains per minute, from the first apply to the last {name}",
                measured=count / (at - min(applied)) * 60,
                at_least=PER_MINUTE.get(name),
            )
            for name, at in ends
        ],
        notes=[
            f"chains of one stack with runs of 0.5 s, {_APPLIES_AT_ONCE} applies at a time, the "
            f"last one {max(applied) - min(applied):.1f} s after the first; "
            f"SPACELIFT_POLL_SECONDS={POLL_SECONDS:g}",
            f"{usage.cpu_text()} of processor time",
        ],
    )


async def apply_all(parts: rig.Rig, names: list[str]) -> list[float]:
    """Apply chains of one stack each as fast as the API server takes them."""
    slots = asyncio.Semaphore(_APPLIES_AT_ONCE)

    async def apply(name: str) -> float:
        async with slots:
            return await parts.apply(name, root=f"{name}-000")

    return await asyncio.gather(*(apply(name) for name in names))
