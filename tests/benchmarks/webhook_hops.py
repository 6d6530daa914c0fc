"""From the end of an upstream run to its dependent's run, and the makespan, by webhook alone."""

from tests.benchmarks import figures, graphs, hops, makespan, tables

POLL_SECONDS = 60.0
"""So long that nothing of what is measured is due to polling."""
RUN_SECONDS = 5.0
"""Short compared with the runs of real stacks, which take a minute and more."""
HOP_P50_SECONDS = 0.25
RATIO = 1.2

_TRIGGERED = makespan.Case(is_native=False, parallelism=200)
_ADOPTED = makespan.Case(is_native=True, parallelism=200)


async def run(*, quick: bool) -> figures.Report:
    stacks, levels = (12, 3) if quick else (60, 6)
    graph = graphs.layered("s", stacks=stacks, levels=levels)
    critical_path = graphs.critical_path(graph, RUN_SECONDS)
    found, notes = list[figures.Figure](), list[str]()
    details: list[tables.Table] = []
    for case in (_TRIGGERED, _ADOPTED):
        measured = await makespan.measure(
            graph,
            case,
            seconds=RUN_SECONDS,
            poll_seconds=POLL_SECONDS,
            has_webhook=True,
        )
        notes.append(f"{case.title}: {measured.usage.cpu_text()} of processor time")
        found.append(
            figures.Figure(
                what=f"{case.title}: makespan / critical path of {critical_path:g} s",
                measured=measured.makespan / critical_path,
                at_most=RATIO,
            )
        )
        found.append(
            figures.Figure(
                what=f"{case.title}: last run ended -> Ready",
                measured=measured.ready_after,
                unit="s",
            )
        )
        if not case.is_native:
            waits = list(measured.gaps(graph, case.parallelism).values())
            found += _hops(waits)
            title = "Where a hop's time goes, by webhook"
            details.append(hops.table(title, {case.title: measured.hops(graph, case.parallelism)}))
    return figures.Report(
        title=f"Webhooks: {stacks} stacks with runs of {RUN_SECONDS:g} s, {levels} levels",
        figures=found,
        notes=[
            f"SPACELIFT_POLL_SECONDS={POLL_SECONDS:g}: without its delivery, a run that ended "
            f"would be seen {POLL_SECONDS / 5:g} s later or more",
            "a hop: last upstream run ended -> dependent's run created, by the simulator's log",
            *notes,
        ],
        details=details,
    )


def _hops(waits: list[float]) -> list[figures.Figure]:
    p50, p90, p99, most = tables.spread(waits)
    shown = {"p50": p50, "p90": p90, "p99": p99, "most": most}
    return [
        figures.Figure(
            what=f"upstream ended -> dependent triggered, {name} of {len(waits)} hops",
            measured=seconds or 0.0,
            unit="s",
            at_most=HOP_P50_SECONDS if name == "p50" else None,
        )
        for name, seconds in shown.items()
    ]
