"""Breaks down the way from one event to the next, by the times in the simulator and Temporal."""

import statistics
from collections.abc import Mapping, Sequence

from tests.benchmarks import tables
from tests.benchmarks.histories import History
from tests.benchmarks.tables import Cell

# The name of a stretch and how many seconds it took.
Stretch = tuple[str, float]


def of_start(execution: History, run_created: float) -> list[Stretch]:
    """From the ask for a stack's execution to its run; `ask` is when the parent asked."""
    find = execution.activity("find_stack_run")
    trigger = execution.activity("trigger_stack_run")
    return [
        ("its first workflow task, which asks for find", find.scheduled - execution.started_at),
        ("find waits for a worker", find.started - find.scheduled),
        ("find asks Spacelift and is recorded", find.completed - find.started),
        ("workflow task, which asks for trigger", trigger.scheduled - find.completed),
        ("trigger waits for a worker", trigger.started - trigger.scheduled),
        ("trigger's request creates the run", run_created - trigger.started),
    ]


def of_hop(
    chain: History,
    upstream: History,
    execution: History,
    *,
    upstream_ended: float,
    run_created: float,
) -> list[Stretch]:
    """From the end of an upstream run to the creation of the dependent's run."""
    seen = upstream.last_completed
    told = chain.child_ended(upstream.workflow_id)
    asked = chain.child_initiated(execution.workflow_id)
    return [
        ("run ended -> a read has seen it, recorded", seen - upstream_ended),
        ("upstream's execution closes", upstream.ended_at - seen),
        ("chain is told", told - upstream.ended_at),
        ("workflow task of the chain, which asks for the execution", asked - told),
        ("execution started", execution.started_at - asked),
        *of_start(execution, run_created),
    ]


def of_first(
    chain: History, *, applied: float, run_created: float, execution: History
) -> list[Stretch]:
    """From the apply of a chain to the creation of its first run."""
    discover = chain.activity("fetch_dependent_stacks")
    publish = chain.activity("publish_chain_status")
    asked = chain.child_initiated(execution.workflow_id)
    ready = max(discover.completed, publish.completed)
    return [
        ("apply -> API server, watch, operator -> workflow started", chain.started_at - applied),
        ("first workflow task", discover.scheduled - chain.started_at),
        ("discovery (in parallel with the publish)", discover.completed - discover.scheduled),
        ("still waiting for the first publish", ready - discover.completed),
        ("workflow task, which asks for the execution", asked - ready),
        ("execution started", execution.started_at - asked),
        *of_start(execution, run_created),
    ]


def table(title: str, columns: Mapping[str, Sequence[Sequence[Stretch]]]) -> tables.Table:
    """Show the median of each stretch in milliseconds, one column for each set of samples."""
    shown = tables.Table(title=title, columns=["stretch, median ms", *columns])
    names = list(dict.fromkeys(n for sets in columns.values() for hop in sets for n, _ in hop))
    for name in names:
        cells: list[Cell] = [name]
        for samples in columns.values():
            values = [seconds for hop in samples for label, seconds in hop if label == name]
            cells.append(round(statistics.median(values) * 1000) if values else None)
        shown.add(*cells)
    totals: list[Cell] = ["all (median of the sums)"]
    for samples in columns.values():
        sums = [sum(seconds for _, seconds in hop) for hop in samples]
        totals.append(round(statistics.median(sums) * 1000) if sums else None)
    shown.add(*totals)
    return shown
