"""What others do stays theirs."""

from collections.abc import Iterator

from controller.api import reasons
from devenv.simulator.model.run_entities import Run
from devenv.simulator.model.states import RunType
from tests.simulation.world.plans import upstreams_of
from tests.simulation.world.records import OUR_LOGIN, ChainRecord, Record, marker_of

TRACKED = RunType.TRACKED
_AT_ONCE = 1.9
"""Seconds; the product takes what it sees in two for queued at once."""


def others_runs_are_untouched(record: Record) -> Iterator[str]:
    """We confirm, cancel, discard and stop only what we have triggered or what came of it.

    A run of a person is that person's, and so is what Spacelift queued because of it. The exception
    is a run that started a chain: the chain runs what depends on it.
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


def runs_of_others_are_not_used(record: Record) -> Iterator[str]:
    """The run of a stack is one that its chain has triggered, or one that came of that.

    Otherwise someone else's run, with their commit, would count as what was asked for.
    """
    for chain in record.chains.values():
        started_by = _causes(record, chain)
        for number, status in chain.runs.items():
            for row in status.get("stacks") or ():
                run = record.run(row.get("runId"))
                if run is None or row.get("reason") == reasons.StackReason.KEPT:
                    continue
                cause = _cause(record, run)
                if marker_of(cause) is None and cause.id not in started_by:
                    yield (
                        f"{chain.title} run {number} used {run.id} of {row['id']}, which comes "
                        f"from {cause.triggered_by}'s run {cause.id} of {cause.stack_id}"
                    )


def doubtful_runs_are_reported(record: Record) -> Iterator[str]:
    """What may be a chain's run or someone else's is left alone, and its status names it.

    It belongs to a wave of someone else that started just after the chain's, which has no run on
    the stack.
    """
    own_runs = [run for run in record.account_runs if marker_of(run) and run.type is TRACKED]
    named = {run_id for chain in record.chains.values() for run_id in chain.named_runs}
    started_by = {item for chain in record.chains.values() for item in _causes(record, chain)}
    for run in record.account_runs:
        cause = _cause(record, run)
        if cause is run or marker_of(cause) or cause.id in started_by or run.id in named:
            continue
        for own in own_runs:
            if _may_be_of(record, run, cause, own) and not _is_deleted(record, own):
                yield (
                    f"{run.id} of {run.stack_id} was queued because of {cause.triggered_by}'s run "
                    f"{cause.id}, just after {own.id} of {own.stack_id} of ours, and no status "
                    "names it"
                )


def _may_be_of(record: Record, run: Run, cause: Run, own: Run) -> bool:
    is_after = own.created_at < cause.created_at <= run.created_at < own.created_at + _AT_ONCE
    if not is_after or own.stack_id not in upstreams_of(record.plan, run.stack_id):
        return False
    return not any(
        other.origin_id == own.id and other.stack_id == run.stack_id
        for other in record.account_runs
    )


def _is_deleted(record: Record, own: Run) -> bool:
    title, _ = marker_of(own) or ("", 0)
    return any(record.was_deleted(chain) for chain in record.same_name(title))


def _causes(record: Record, chain: ChainRecord) -> set[str]:
    """Return the runs of others that have started a chain, or that have queued one which did."""
    runs = [run for run_id in chain.root_runs if (run := record.run(run_id)) is not None]
    return {_cause(record, run).id for run in runs}


def _cause(record: Record, run: Run) -> Run:
    return record.parties.account.simulator.account.runs.get(run.origin_id or "", run)


def _is_touched(run: Run) -> bool:
    # The first entry is the creation, by whoever triggered it.
    moved = any(item.username == OUR_LOGIN for item in run.history[1:])
    return moved or (run.stop_requested and run.stop_username == OUR_LOGIN)
