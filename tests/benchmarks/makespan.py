"""Makespan of a 200-stack graph against the shortest that its scheduler could reach."""

import dataclasses
import statistics
from collections.abc import Mapping, Sequence
from typing import Any

from controller.temporal import ids
from tests.benchmarks import figures, graphs, histories, hops, machine, rig, tables

RUN_SECONDS = 2.0
POLL_SECONDS = 0.2
RATIO = 1.10
_NAME = "dag"


@dataclasses.dataclass(frozen=True, kw_only=True, slots=True)
class Case:
    is_native: bool
    parallelism: int

    @property
    def title(self) -> str:
        edges = "native edges (adopted)" if self.is_native else "label edges (triggered)"
        return f"{edges}, parallelism {self.parallelism}"


CASES = (
    Case(is_native=False, parallelism=200),
    Case(is_native=False, parallelism=20),
    Case(is_native=True, parallelism=200),
    Case(is_native=True, parallelism=20),
)


async def run(*, quick: bool) -> figures.Report:
    stacks, levels = (30, 3) if quick else (200, 10)
    graph = graphs.layered("s", stacks=stacks, levels=levels)
    found, gaps, notes = list[figures.Figure](), _gap_table(), list[str]()
    parts: dict[str, list[list[hops.Stretch]]] = {}
    for case in CASES[1:3] if quick else CASES:
        measured = await measure(graph, case)
        notes.append(f"{case.title}: {measured.usage.cpu_text()} of processor time")
        found += _figures(graph, case, measured)
        if not case.is_native:
            waits = list(measured.gaps(graph, case.parallelism).values())
            gaps.add(case.title, len(waits), *tables.spread(waits))
            parts[case.title] = measured.hops(graph, case.parallelism)
    return figures.Report(
        title=f"Makespan of {stacks} stacks with runs of {RUN_SECONDS:g} s, {levels} levels",
        figures=found,
        notes=[
            "limit: the product's own scheduling rules with nothing but runs taking time; the "
            f"critical path is {graphs.critical_path(graph, RUN_SECONDS):g} s, all work "
            f"{stacks * RUN_SECONDS:g} s",
            "makespan: first run created -> last run ended, by the simulator's log",
            f"SPACELIFT_POLL_SECONDS={POLL_SECONDS:g} (the product's default is 10), no webhook",
            *notes,
        ],
        details=[gaps, hops.table("Where a hop's time goes", parts)],
    )


def _figures(graph: graphs.Upstreams, case: Case, measured: "Measured") -> list[figures.Figure]:
    limit = graphs.limit(
        graph, seconds=RUN_SECONDS, parallelism=case.parallelism, is_native=case.is_native
    )
    found = [
        figures.Figure(
            what=f"{case.title}: makespan / limit of {limit:g} s",
            measured=measured.makespan / limit,
            at_most=RATIO,
        ),
        figures.Figure(
            what=f"{case.title}: last run ended -> Ready", measured=measured.ready_after, unit="s"
        ),
    ]
    if not case.is_native:
        waits = list(measured.gaps(graph, case.parallelism).values())
        found.append(
            figures.Figure(
                what=f"{case.title}: upstream ended -> dependent's run, p50",
                measured=statistics.median(waits),
                unit="s",
            )
        )
    return found


def _gap_table() -> tables.Table:
    return tables.Table(
        title="Upstream ended -> dependent's run created (simulator's log), seconds",
        columns=["edges, parallelism", "hops", "p50", "p90", "p99", "max"],
        notes=[
            "with few slots a hop begins when both the last upstream has ended and a slot is free"
        ],
    )


@dataclasses.dataclass(frozen=True, kw_only=True, slots=True)
class Measured:
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
    def ready_after(self) -> float:
        return self.ready - max(self._ended.values())

    def gaps(self, graph: graphs.Upstreams, parallelism: int) -> dict[str, float]:
        """Return for each dependent how long it could have started before it did."""
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
        """Return when each dependent could start, and the stack whose end let it."""
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


async def measure(
    graph: graphs.Upstreams,
    case: Case,
    *,
    seconds: float = RUN_SECONDS,
    poll_seconds: float = POLL_SECONDS,
    has_webhook: bool = False,
) -> Measured:
    """Run one chain of a graph, with runs of that many seconds, from its apply to Ready."""
    async with (
        rig.running(poll_seconds=poll_seconds, has_webhook=has_webhook) as parts,
        rig.watching(parts) as watch,
    ):
        await parts.seed(graphs.scenario(graph, is_native=case.is_native, durations=seconds))
        async with machine.watched(parts.pids()) as usage:
            await parts.apply(_NAME, root=graphs.root_of(graph), parallelism=case.parallelism)
            await watch.succeeded(_NAME, seconds=300 + len(graph) * seconds)
        ready = watch.seen[-1][0]
        runs = {run["stackId"]: run for run in await parts.runs()}
        if len(runs) != len(graph):
            raise rig.Failed(f"{len(runs)} stacks ran, not {len(graph)}")
        return Measured(
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
