"""From a state change in Spacelift to the resource's status, and how often statuses are written."""

import asyncio
import dataclasses
import itertools
from collections.abc import Iterable, Mapping, Sequence

from tests.benchmarks import figures, graphs, rig, tables

POLL_SECONDS = 0.2
IDLE_SECONDS, COALESCED_SECONDS = 0.3, 1.5
# Longer than the interval that a chain keeps between two writes, so that none waits for it.
_STATE_SECONDS = 2.5
_LEVELS = 5
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


async def run(*, quick: bool) -> figures.Report:
    chains, stacks = (4, 20) if quick else (20, 100)
    async with rig.running(poll_seconds=POLL_SECONDS) as parts, rig.watching(parts) as watch:
        idle = await _idle(parts, watch, chains)
        row = await _writes(parts, watch, stacks=_LEVELS)
        many = await _writes(parts, watch, stacks=stacks)
    seconds = [value for values in idle.values() for value in values]
    return figures.Report(
        title="State change in Spacelift -> status",
        figures=[
            *_spread(f"{len(seconds)} changes, idle", seconds, median=IDLE_SECONDS),
            *_spread(
                f"{stacks} stacks of one chain at once", many.latencies, median=COALESCED_SECONDS
            ),
            *(
                figures.Figure(
                    what=f"writes per second, chain of {count} stacks in {_LEVELS} levels",
                    measured=written.per_second,
                    at_most=1,
                )
                for count, written in ((_LEVELS, row), (stacks, many))
            ),
        ],
        notes=[
            "from the simulator's time of a state to a watch that shows it",
            "idle: chains of one stack, one after the other, each state lasting longer than the "
            "interval between two writes",
            "at once: runs of 2 s, label edges; from the end of a run to its stack's end",
            "writes per second: without the first second, and the last one with the chain's end; "
            f"most in one second, these two included: {row.most} and {many.most}",
            f"SPACELIFT_POLL_SECONDS={POLL_SECONDS:g}, no webhook",
        ],
        details=[_by_state(idle)],
    )


def _spread(
    name: str, seconds: Sequence[float], *, median: float
) -> tuple[figures.Figure, figures.Figure]:
    p50, _, p99, _ = tables.spread(seconds)
    return (
        figures.Figure(what=f"{name}, p50", measured=p50 or 0.0, unit="s", at_most=median),
        figures.Figure(what=f"{name}, p99", measured=p99 or 0.0, unit="s"),
    )


def _by_state(idle: Mapping[str, Sequence[float]]) -> tables.Table:
    table = tables.Table(
        title="State change -> status, idle, seconds",
        columns=["run comes into", "status shows", "changes", "p50", "p90", "p99", "max"],
    )
    for state, found in idle.items():
        table.add(state, _SHOWS[state], len(found), *tables.spread(found))
    return table


async def _idle(parts: rig.Rig, watch: rig.Watch, chains: int) -> dict[str, list[float]]:
    """Return how long each change took, by the state that the run came into."""
    names = [f"one-{number:02d}" for number in range(chains)]
    stacks = {f"{name}-000": () for name in names}
    await parts.seed(
        graphs.scenario(stacks, is_native=False, durations=_DURATIONS, autodeploy=False)
    )
    async with asyncio.TaskGroup() as tasks:
        for name in names:
            tasks.create_task(_one(parts, watch, name))
            await asyncio.sleep(1.3)
    runs = {item["stackId"]: item for item in await parts.runs()}
    found: dict[str, list[float]] = {state: [] for state in _SHOWS}
    for state, name in itertools.product(_SHOWS, names):
        stack_id = f"{name}-000"
        changed = rig.state_times(runs[stack_id])[state]
        found[state].append(watch.seen_at(name, stack_id, _SHOWS[state], after=changed) - changed)
    return found


async def _one(parts: rig.Rig, watch: rig.Watch, name: str) -> None:
    await parts.apply(name, root=f"{name}-000")
    await rig.until(lambda: bool(watch.awaiting(name)), what=f"the run of {name} waits")
    await asyncio.sleep(_STATE_SECONDS)
    (run,) = await parts.runs(stack=f"{name}-000")
    await parts.confirm(run["id"])
    await watch.succeeded(name)


@dataclasses.dataclass(frozen=True, kw_only=True, slots=True)
class _Writes:
    """The status writes of one chain; `latencies`: from each run's end to its stack's."""

    per_second: float
    most: int
    latencies: list[float]


async def _writes(parts: rig.Rig, watch: rig.Watch, *, stacks: int) -> _Writes:
    name = f"chain-of-{stacks}"
    graph = graphs.layered(name, stacks=stacks, levels=_LEVELS)
    await parts.seed(graphs.scenario(graph, is_native=False, durations=2.0))
    began = await parts.apply(name, root=graphs.root_of(graph), parallelism=stacks)
    await watch.succeeded(name)
    # The look back at the closed workflow may write once more.
    await asyncio.sleep(2)
    written = _status_changes(watch, name)
    ended = {run["stackId"]: rig.ended_at(run) for run in await parts.runs()}
    between = [at for at in written if began + 1 < at < written[-1] - 1]
    return _Writes(
        per_second=len(between) / (written[-1] - began - 2),
        most=max(sum(at <= other < at + 1 for other in written) for at in written),
        latencies=[
            watch.seen_at(name, stack, "Succeeded", after=ended[stack]) - ended[stack]
            for stack in graph
        ],
    )


def _status_changes(watch: rig.Watch, name: str) -> list[float]:
    changes: Iterable[tuple[float, rig.Body]] = watch.changes_of(name)
    pairs = itertools.pairwise([(0.0, {}), *changes])
    return [at for (_, old), (at, new) in pairs if new.get("status") != old.get("status")]
