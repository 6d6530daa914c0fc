"""Runs that Spacelift queues on its own because of ours."""

from collections.abc import Iterator
from typing import Any

from devenv.simulator.model.states import RunState
from tests.simulation.world.records import Record, marker_of

Json = dict[str, Any]

_APPLIED = {RunState.APPLYING, RunState.FINISHED}


def native_runs_are_used_or_reported(record: Record) -> Iterator[str]:
    """A native run of ours that was carried out is some stack's run, or the status names it.

    docs/limits.md says when one may be faster than the chain; it is never silent.
    """
    runs = record.parties.account.simulator.account.runs
    named = {run_id for chain in record.chains.values() for run_id in _named(chain.runs.values())}
    for run in record.account_runs:
        origin = runs.get(run.origin_id or "")
        marked = marker_of(origin) if origin is not None else None
        if marked is None or run.id in named or not _is_applied(run.history):
            continue
        chains = record.same_name(marked[0])
        # Of a chain that was deleted meanwhile nobody reads the status.
        if any(record.was_deleted(chain) for chain in chains):
            continue
        yield (
            f"Spacelift carried out {run.id} of {run.stack_id} because of {marked[0]} run "
            f"{marked[1]}, and no status names it"
        )


def _is_applied(history: Any) -> bool:
    return any(item.state in _APPLIED for item in history)


def _named(statuses: Any) -> Iterator[str]:
    for status in statuses:
        for row in status.get("stacks") or ():
            if "runId" in row:
                yield row["runId"]
            for unused in row.get("unusedRuns") or ():
                yield unused["runId"]
