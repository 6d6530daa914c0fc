"""Runs that Spacelift queues on its own because of ours."""

from collections.abc import Iterable, Iterator

from devenv.simulator.model.run_entities import Run, Transition
from devenv.simulator.model.states import RunState
from tests.simulation.world.plans import upstreams_of
from tests.simulation.world.records import ChainRecord, Record, marker_of

_APPLIED = {RunState.APPLYING, RunState.FINISHED}


def native_runs_are_used_or_reported(record: Record) -> Iterator[str]:
    """A native run of ours that was carried out is some stack's run, or the status names it.

    docs/limits.md says when a native run may be faster than the chain; it is never silent. No one
    reads the status of a chain that was deleted meanwhile: `gone_means_over` says what it may
    leave.
    """
    account = record.parties.account.simulator.account
    runs = account.runs
    named = {run_id for chain in record.chains.values() for run_id in chain.named_runs}
    for run in record.account_runs:
        origin = runs.get(run.origin_id or "")
        marked = marker_of(origin) if origin is not None else None
        if origin is None or marked is None or run.id in named or not _is_applied(run.history):
            continue
        if origin.stack_id not in upstreams_of(record.plan, run.stack_id):
            # A dependency that is set up meanwhile counts for the next run.
            continue
        if marked in record.cut_off:
            # No one looked any more: an earlier execution was reset, which ended the live one.
            continue
        chains = record.same_name(marked[0])
        if run.stack_id not in account.stacks or _was_repeated(chains, run):
            # The runs of a deleted stack are not visible. A repeated stack names its last run only.
            continue
        if any(record.was_deleted(chain) for chain in chains):
            continue
        if origin.stack_id not in account.stacks and origin.id not in named:
            # The trigger had no answer, and its run went with the stack before it was found.
            continue
        yield (
            f"Spacelift carried out {run.id} of {run.stack_id} because of {marked[0]} run "
            f"{marked[1]}, and no status names it"
        )


def _was_repeated(chains: Iterable[ChainRecord], run: Run) -> bool:
    """Whether a run was one that its stack used, and that failed and was followed by another."""
    rows = (
        row
        for chain in chains
        for status in chain.runs.values()
        for row in status.get("stacks") or ()
    )
    is_repeated = any(row["id"] == run.stack_id and row.get("attempts", 1) > 1 for row in rows)
    return is_repeated and run.state is RunState.FAILED


def _is_applied(history: Iterable[Transition]) -> bool:
    return any(item.state in _APPLIED for item in history)
