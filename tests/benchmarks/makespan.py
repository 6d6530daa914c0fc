"""Makespan of a 200-stack graph against the shortest that its scheduler could reach."""

import dataclasses
from collections.abc import Mapping, Sequence
from typing import Any

from controller.temporal import ids
from tests.benchmarks import graphs, histories, hops, machine, rig, tables

RUN_SECONDS = 2.0
POLL_SECONDS = 0.2
_NAME = "dag"


@dataclasses.dataclass(frozen=True, kw_only=True, slots=True)
class _Case:
    is_native: bool
    parallelism: int

    @property
    def title(self) -> str:
        edges = "native edges (adopted)" if self.is_native else "label edges (triggered)"
        return f"{edges}, parallelism {self.parallelism}"


CASES = (
    _Case(is_native=False, parallelism=200),
    _Case(is_native=False, parallelism=20),
    _Case(is_native=True, parallelism=200),
    _Case(is_native=True, parallelism=20),
)


async def run(*, quick: bool) -> list[tables.Table]:
    stacks, levels = (60, 5) if quick else (200, 10)
    graph = graphs.layered("s", stacks=stacks, levels=levels)
    makespans = tables.Table(
        title=f"Makespan of {stacks} stacks with runs of {RUN_SECONDS:g} s, {levels} levels",
        columns=[
            "edges, parallelism",
            "limit s",
            "makespan s",
            "ratio",
            "from apply s",
            "ratio",
            "last end -> Ready s",
        ],
        notes=[
            "limit: the product's own scheduling rules with nothing but runs taking time; the "
            f"critical path is {graphs.critical_path(graph, RUN_SECONDS):g} s, all work "
            f"{stacks * RUN_SECONDS:g} s",
            "makespan: first run created -> last run ended, by the simulator's log; target: "
            "ratio at most 1.10",
            f"SPACELIFT_POLL_SECONDS={POLL_SECONDS:g} (the product's default is 10)",
        ],
    )
    gaps = tables.Table(
        title="Upstream ended -> dependent's run created (simulator's log), seconds",
        columns=["edges, parallelism", "hops", "p50", "p90", "p99", "max"],
        notes=[
            "with few slots a hop begins when both the last upstream has ended and a slot is free"
        ],
    )
    parts: dict[str, list[list[hops.Stretch]]] = {}
    for case in CASES:
        measured = await _measure(graph, case)
        limit = graphs.limit(
            graph, seconds=RUN_SECONDS, parallelism=case.parallelism, is_native=case.is_native
        )
        makespans.add(
            case.title,
            limit,
            measured.makespan,
            measured.makespan / limit,
            measured.from_apply,
            measured.from_apply / limit,
            measured.ready_after,
        )
        makespans.notes.append(f"{case.title}: {measured.usage.cpu_text()} of processor time")
        if not case.is_native:
            found = measured.gaps(graph, case.parallelism)
            gaps.add(case.title, len(found), *tables.spread(list(found.values())))
            parts[case.title] = measured.hops(graph, case.parallelism)
    return [makespans, gaps, hops.table("Where a hop's time goes", parts)]


@dataclasses.dataclass(frozen=True, kw_only=True, slots=True)
class _Measured:
    applied: float
    ready: float
    runs: Mapping[str, Mapping[str, Any]]
    histories: Mapping[str, histories.History]
    usage: machine.Usage

    @property
    def _created(self) -> dict[str, float]:
        return {stack: float(run["createdAt"]) for stack, run in self.runs.items()}

    @property
    def _ended(self) -> dict[str, float]:
        return {stack: rig.ended_at(run) for stack, run in self.runs.items()}

    @property
    def makespan(self) -> float:
        return max(self._ended.values()) - min(self._created.values())

    @property
    def from_apply(self) -> float:
        return max(self._ended.values()) - self.applied

    @property
    def ready_after(self) -> float:
        return self.ready - max(self._ended.values())

    def gaps(self, graph: graphs.Upstreams, parallelism: int) -> dict[str, float]:
        """Return for each dependent how long after it could have begun it began."""
        created = self._created
        could = self._could_begin(graph, parallelism)
        return {stack: created[stack] - at for stack, (at, _) in could.items()}

    def hops(self, graph: graphs.Upstreams, parallelism: int) -> list[list[hops.Stretch]]:
        chain = self.histories["chain"]
        return [
            hops.of_hop(
                chain,
                self.histories[cause],
                self.histories[stack],
                upstream_ended=at,
                run_created=self._created[stack],
            )
            for stack, (at, cause) in self._could_begin(graph, parallelism).items()
        ]

    def _could_begin(
        self, graph: graphs.Upstreams, parallelism: int
    ) -> dict[str, tuple[float, str]]:
        """Return when each dependent could begin, and the stack whose end let it."""
        created, ended = self._created, self._ended
        ends = sorted((at, stack) for stack, at in ended.items())
        order = sorted(created, key=lambda stack: created[stack])
        found = {}
        for place, stack in enumerate(order):
            if not graph[stack]:
                continue
            last = max((ended[up], up) for up in graph[stack])
            # The n-th run needs n - parallelism + 1 others to have ended.
            slot = ends[place - parallelism] if place >= parallelism else last
            found[stack] = max(last, slot)
        return found


async def _measure(graph: graphs.Upstreams, case: _Case) -> _Measured:
    async with rig.running(poll_seconds=POLL_SECONDS) as parts, rig.watching(parts) as watch:
        seconds = RUN_SECONDS
        await parts.seed(graphs.scenario(graph, is_native=case.is_native, durations=seconds))
        async with machine.watched(parts.pids()) as usage:
            applied = await parts.apply(
                _NAME, root=graphs.root_of(graph), parallelism=case.parallelism
            )
            await watch.succeeded(_NAME, seconds=120 + len(graph) * seconds)
        ready = watch.seen[-1][0]
        runs = {run["stackId"]: run for run in await parts.runs()}
        if len(runs) != len(graph):
            raise rig.Failed(f"{len(runs)} stacks ran, not {len(graph)}")
        return _Measured(
            applied=applied,
            ready=ready,
            runs=runs,
            histories=await _histories(parts, graph) if not case.is_native else {},
            usage=usage,
        )


async def _histories(
    parts: rig.Rig, graph: Sequence[str] | graphs.Upstreams
) -> dict[str, histories.History]:
    found = await histories.read_all(await parts.temporal(), wanted=len(graph) + 1)
    chain = next(item for item in found if item.type == ids.CHAIN_WORKFLOW)
    stacks = {
        item.workflow_id.rpartition("/")[2]: item
        for item in found
        if item.type == ids.EXECUTION_WORKFLOW
    }
    return {"chain": chain, **stacks}
