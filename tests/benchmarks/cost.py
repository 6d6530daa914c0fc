"""What chains cost: Temporal's actions, requests, events and bytes, per stack and hour of waiting.

All figures are counts, of the servers themselves or in histories.
"""

import asyncio
import dataclasses
from collections.abc import Mapping

from tests.benchmarks import counts, figures, graphs, histories, rig, tables
from tests.support import temporal_database

# The product's default, which decides what waiting costs.
POLL_SECONDS = 10.0
# So that a run of a few seconds is read as often as one of ten minutes is by default.
QUICK_POLL_SECONDS = 0.2
ACTIONS_PER_HOUR = 40
ACTIONS_PER_LONG_RUN = 40
_FOREVER = 100_000.0
_SETTLE_SECONDS = 5.0
_PUBLISH = "publish_chain_status"


async def run(*, quick: bool) -> figures.Report:
    stacks, runs, seconds = (12, 10, 250.0) if quick else (60, 600, 600.0)
    async with rig.running(poll_seconds=QUICK_POLL_SECONDS) as parts, rig.watching(parts) as watch:
        await _chain(parts, watch, {"warm-up": ()})
        one = await _chain(parts, watch, {"one": ()})
        many = await _chain(parts, watch, graphs.layered("many", stacks=stacks, levels=4))
        hop = await _hop(parts, watch)
    async with rig.running(poll_seconds=POLL_SECONDS) as parts, rig.watching(parts) as watch:
        idle = await _window(parts, seconds)
        await _let_run(parts, watch, "waits", runs, phase="AwaitingConfirmation")
        waiting = await _window(parts, seconds)
        await _let_run(parts, watch, "works", runs, phase="Running")
        both = await _window(parts, seconds)
    run_hours = runs * seconds / 3600
    works = _hourly("a run that works, an hour", both, waiting, run_hours)
    long = sum(many.counts.actions.values()) / stacks + works[0].measured / 6
    return figures.Report(
        title="Cost",
        figures=[
            *one.figures("a chain of one stack"),
            *many.figures(f"a chain of {stacks} stacks, per stack", per=stacks),
            figures.Figure(
                what="workflow tasks from upstream ended to dependent triggered",
                measured=hop.tasks,
                at_most=4,
            ),
            figures.Figure(
                what="activities from upstream ended to dependent triggered, publishes left out",
                measured=len(hop.activities),
                at_most=1,
            ),
            *_hourly(
                "a run that waits for a person, an hour",
                waiting,
                idle,
                run_hours,
                at_most=ACTIONS_PER_HOUR,
            ),
            *works,
            figures.Figure(
                what="a stack of a chain, its run of ten minutes: Temporal actions",
                measured=long,
                at_most=ACTIONS_PER_LONG_RUN,
            ),
            figures.Figure(
                what="an installation with nothing to do, an hour: actions",
                measured=sum(idle.actions.values()) * 3600 / seconds,
            ),
        ],
        notes=[
            "actions by Temporal's own metric `action`; requests without those that wait for work",
            f"chains with runs of 1 s, SPACELIFT_POLL_SECONDS={QUICK_POLL_SECONDS:g}; "
            f"{runs} runs for {seconds:g} s, SPACELIFT_POLL_SECONDS={POLL_SECONDS:g}; no webhooks",
            f"activities of the hop: {', '.join(hop.activities)}",
        ],
        details=_kinds(
            {
                "one stack": (one.counts, 1),
                f"{stacks} stacks": (many.counts, stacks),
                "waits, 1 h": (waiting - idle, run_hours),
                "works, 1 h": (both - waiting, run_hours),
            }
        ),
    )


@dataclasses.dataclass(frozen=True, kw_only=True, slots=True)
class _Cost:
    """Of one chain, from its apply until all has been written."""

    counts: counts.Counts
    spacelift: int
    events: int
    size: int
    workflow_tasks: int
    stored: temporal_database.Stored | None
    """What has been added to Temporal's database, if it has one."""

    def figures(self, what: str, *, per: int = 1) -> list[figures.Figure]:
        measured = {
            "Temporal actions": sum(self.counts.actions.values()),
            "requests to Temporal": self.counts.requests,
            "events": self.events,
            "kB of history": self.size / 1000,
            "workflow tasks": self.workflow_tasks,
            "requests to the API server": sum(self.counts.kubernetes.values()),
            "Spacelift requests": self.spacelift,
        }
        if self.stored is not None:
            measured |= {
                "rows in PostgreSQL": self.stored.rows,
                "kB in PostgreSQL": self.stored.size / 1000,
            }
        return [
            figures.Figure(what=f"{what}: {name}", measured=value / per)
            for name, value in measured.items()
        ]


@dataclasses.dataclass(frozen=True, kw_only=True, slots=True)
class _Hop:
    tasks: int
    activities: list[str]


async def _chain(parts: rig.Rig, watch: rig.Watch, graph: graphs.Upstreams) -> _Cost:
    name = graphs.root_of(graph)
    await parts.seed(graphs.scenario(graph, is_native=False, durations=1.0))
    await asyncio.sleep(_SETTLE_SECONDS)
    before, (asked, _) = await parts.counts(), await parts.requests()
    stored = await parts.stored()
    await parts.apply(name, root=name, parallelism=len(graph))
    await watch.succeeded(name)
    # Events are written behind the status, and Temporal's metrics a second late.
    await asyncio.sleep(_SETTLE_SECONDS)
    counted, (asked_then, _) = await parts.counts() - before, await parts.requests()
    found = await _histories(parts, graph)
    stored_then = await parts.stored()
    return _Cost(
        counts=counted,
        spacelift=asked_then - asked,
        events=sum(len(item.events) for item in found),
        size=sum(item.size for item in found),
        workflow_tasks=sum(item.workflow_tasks for item in found),
        stored=stored_then - stored if stored and stored_then else None,
    )


async def _hop(parts: rig.Rig, watch: rig.Watch) -> _Hop:
    graph = {"upper": (), "lower": ("upper",)}
    await _chain(parts, watch, graph)
    found = await _histories(parts, graph)
    (upper,), (lower,) = await parts.runs(stack="upper"), await parts.runs(stack="lower")
    since, until = rig.ended_at(upper), float(lower["createdAt"])
    named = (name for item in found for name in item.activities_within(since, until))
    return _Hop(
        tasks=sum(item.tasks_within(since, until) for item in found),
        activities=[name for name in named if name != _PUBLISH],
    )


async def _histories(parts: rig.Rig, graph: graphs.Upstreams) -> list[histories.History]:
    wanted = len(graph) + 1
    found = await histories.read_all(await parts.temporal(), wanted=wanted, names=graph)
    if len(found) != wanted:
        raise rig.Failed(f"there are {len(found)} histories, not {wanted}")
    return found


async def _let_run(parts: rig.Rig, watch: rig.Watch, name: str, runs: int, *, phase: str) -> None:
    """Return once a chain has that many runs that neither end nor change."""
    graph = graphs.fan(name, stacks=runs + 1)
    root = graphs.root_of(graph)
    takes = {"planning": _FOREVER if phase == "Running" else 0.1}
    stacks = graphs.scenario(graph, is_native=False, durations=takes, autodeploy=False)
    stacks[root] = {**stacks[root], "durations": 0.1, "autodeploy": True}
    await parts.seed(stacks)
    await parts.apply(name, root=root, parallelism=runs)
    await rig.until(
        lambda: list(watch.phases(name).values()).count(phase) == runs,
        what=f"{runs} runs of {name} are {phase}",
    )
    # A young run is read more often than by default.
    await asyncio.sleep(3 * POLL_SECONDS)


async def _window(parts: rig.Rig, seconds: float) -> counts.Counts:
    before = await parts.counts()
    await asyncio.sleep(seconds)
    return await parts.counts() - before


def _hourly(
    what: str,
    found: counts.Counts,
    without: counts.Counts,
    run_hours: float,
    *,
    at_most: float | None = None,
) -> list[figures.Figure]:
    """Return what one run costs in an hour, from two windows, one of them without such runs."""
    actions = sum(found.actions.values()) - sum(without.actions.values())
    return [
        figures.Figure(
            what=f"{what}: Temporal actions",
            measured=actions / run_hours,
            at_most=at_most,
        ),
        figures.Figure(
            what=f"{what}: requests to Temporal",
            measured=(found.requests - without.requests) / run_hours,
        ),
    ]


def _kinds(found: Mapping[str, tuple[counts.Counts, float]]) -> list[tables.Table]:
    shown = []
    for title, field in (
        ("Temporal actions", "actions"),
        ("Requests to Temporal", "temporal"),
        ("Requests to the API server", "kubernetes"),
    ):
        table = tables.Table(title=f"{title}, per stack or run", columns=["kind", *found])
        counted = {name: (getattr(item, field), per) for name, (item, per) in found.items()}
        for kind in sorted({kind for counter, _ in counted.values() for kind in counter}):
            table.add(kind, *(counter[kind] / per for counter, per in counted.values()))
        shown.append(table)
    return shown
