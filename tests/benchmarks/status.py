"""From a state change in Spacelift to the resource's status, and how often statuses are written."""

import asyncio
import itertools
import time
from collections.abc import Iterable

from tests.benchmarks import graphs, rig, tables

POLL_SECONDS = 0.2
# Longer than the interval that a chain keeps between two writes, so that none waits for it.
_STATE_SECONDS = 2.5
_DURATIONS = {
    "queued": 0.0,
    "ready": _STATE_SECONDS,
    "preparing": 0.0,
    "initializing": 0.0,
    "planning": _STATE_SECONDS,
    "preparing_apply": 0.0,
    "confirmed": 0.0,
    "applying": _STATE_SECONDS,
}
# What shows in the status when a run comes into a state.
_SHOWS = {
    "PREPARING": "Running",
    "UNCONFIRMED": "AwaitingConfirmation",
    "CONFIRMED": "Running",
    "FINISHED": "Succeeded",
}


async def run(*, quick: bool) -> list[tables.Table]:
    return [await _latency(4 if quick else 20), await _writes(20 if quick else 100)]


async def _latency(chains: int) -> tables.Table:
    table = tables.Table(
        title="State change in Spacelift -> status seen by a watch, seconds",
        columns=["run comes into", "status shows", "changes", "p50", "p90", "p99", "max"],
        notes=[
            "chains of one stack, one after the other, each state lasting longer than the "
            "interval between two writes; the state's time is the simulator's",
            f"target: p50 at most 0.3 idle; SPACELIFT_POLL_SECONDS={POLL_SECONDS:g}",
        ],
    )
    names = [f"one-{number:02d}" for number in range(chains)]
    async with rig.running(poll_seconds=POLL_SECONDS) as parts, rig.watching(parts) as watch:
        stacks = {f"{name}-000": () for name in names}
        await parts.seed(
            graphs.scenario(stacks, is_native=False, durations=_DURATIONS, autodeploy=False)
        )
        async with asyncio.TaskGroup() as tasks:
            for name in names:
                tasks.create_task(_one(parts, watch, name))
                await asyncio.sleep(1.3)
        runs = {item["stackId"]: item for item in await parts.runs()}
    everything: list[float] = []
    for state, phase in _SHOWS.items():
        found = []
        for name in names:
            changed = rig.state_times(runs[f"{name}-000"])[state]
            seen = _seen(watch, name, phase, after=changed)
            if seen is None:
                raise rig.Failed(f"the status of {name} never showed {phase}")
            found.append(seen - changed)
        everything += found
        table.add(state, phase, len(found), *tables.spread(found))
    table.add("all", "", len(everything), *tables.spread(everything))
    return table


async def _one(parts: rig.Rig, watch: rig.Watch, name: str) -> None:
    await parts.apply(name, root=f"{name}-000")
    deadline = time.monotonic() + 60
    while not (waiting := _awaiting(watch, name)):
        if time.monotonic() > deadline:
            raise rig.Failed(f"the status of {name} never showed that its run waits for a person")
        await asyncio.sleep(0.1)
    await asyncio.sleep(_STATE_SECONDS)
    await parts.confirm(waiting)
    await watch.succeeded(name, seconds=60)


def _awaiting(watch: rig.Watch, name: str) -> str:
    status = watch.bodies.get(name, {}).get("status") or {}
    for stack in status.get("stacks") or []:
        if stack["phase"] == "AwaitingConfirmation":
            return str(stack["runId"])
    return ""


def _seen(watch: rig.Watch, name: str, phase: str, *, after: float) -> float | None:
    for at, body in watch.changes_of(name):
        stacks = (body.get("status") or {}).get("stacks") or []
        if at >= after and stacks and stacks[0]["phase"] == phase:
            return at
    return None


async def _writes(stacks: int) -> tables.Table:
    table = tables.Table(
        title="Status writes of one chain",
        columns=["stacks", "seconds", "writes", "per second", "most in one second"],
        notes=["target: at most 1 per second and chain; runs of 2 s, label edges, all changes"],
    )
    for count in (1, stacks):
        graph = graphs.layered("s", stacks=count, levels=min(5, count))
        async with rig.running(poll_seconds=POLL_SECONDS) as parts, rig.watching(parts) as watch:
            await parts.seed(graphs.scenario(graph, is_native=False, durations=2.0))
            began = await parts.apply("dag", root=graphs.root_of(graph), parallelism=count)
            await watch.succeeded("dag", seconds=300)
            # The look back at the closed workflow may write once more.
            await asyncio.sleep(2)
        written = _status_changes(watch)
        seconds = written[-1] - began
        most = max(sum(at <= other < at + 1 for other in written) for at in written)
        table.add(count, seconds, len(written), len(written) / seconds, most)
    return table


def _status_changes(watch: rig.Watch) -> list[float]:
    changes: Iterable[tuple[float, rig.Body]] = watch.changes_of("dag")
    pairs = itertools.pairwise([(0.0, {}), *changes])
    return [at for (_, old), (at, new) in pairs if new.get("status") != old.get("status")]
