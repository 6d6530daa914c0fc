"""What others do stays theirs."""

from collections.abc import Iterator

from devenv.simulator.model.run_entities import Run
from tests.simulation.world.records import OUR_LOGIN, Record, marker_of


def others_runs_are_untouched(record: Record) -> Iterator[str]:
    """We confirm, cancel, discard and stop only what we have triggered or what came of it.

    A run of a person is that person's, and so is what Spacelift queued because of it, unless a
    chain was started by that run, which runs what depends on it.
    """
    root_runs = {run_id for chain in record.chains.values() for run_id in chain.root_runs}
    runs = record.parties.account.simulator.account.runs
    for run in record.account_runs:
        if not _is_touched(run):
            continue
        cause = runs.get(run.origin_id or "", run)
        is_started_by = cause is not run and cause.id in root_runs
        if marker_of(cause) is None and not is_started_by:
            yield (
                f"run {run.id} of {run.stack_id}, which comes from {cause.triggered_by}'s run "
                f"{cause.id} of {cause.stack_id}, was moved by us: "
                + ", ".join(f"{item.state}" for item in run.history if item.username == OUR_LOGIN)
            )


def _is_touched(run: Run) -> bool:
    # The first entry is the creation, by whoever triggered it.
    moved = any(item.username == OUR_LOGIN for item in run.history[1:])
    return moved or (run.stop_requested and run.stop_username == OUR_LOGIN)
