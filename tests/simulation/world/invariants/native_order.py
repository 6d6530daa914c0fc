"""When runs that Spacelift queued may be used, must be used, and must have been stopped."""

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from controller.api import reasons, v1alpha1
from devenv.simulator.model.run_entities import Run
from devenv.simulator.model.states import RunState
from tests.simulation.world.plans import relabeled, stages_of
from tests.simulation.world.records import ChainRecord, Record, marker_of

Json = dict[str, Any]

_LONG_SECONDS = 15.0
"""To cancel what a trigger has queued takes about a second, and the slowest answers as much."""
_QUEUED = {RunState.QUEUED, RunState.READY}
_DEADLINES = ("stackDeadlineSeconds", "activeDeadlineSeconds", "confirmationDeadlineSeconds")
_ASKING = (
    "ask for a run of",
    "ask for a retry of",
    "ask for a retry of stacks of",
    "ask for a bypass in",
    "approve a stage of",
)


def used_runs_are_in_order(record: Record) -> Iterator[str]:
    """A native run that is a stack's run left the queue after its upstreams had succeeded.

    Otherwise it has planned with what these were about to change, and counts as a success.
    """
    for chain, number, row in _rows(record):
        run = record.run(row.get("runId"))
        if run is None or marker_of(run) is not None or row.get("reason") == _KEPT:
            continue
        began = left_queue_at(run)
        for upstream in _upstream_runs(record, chain, number, row):
            if began is not None and not _ended_well_before(upstream, began):
                yield (
                    f"{chain.title} run {number} used {run.id} of {row['id']}, which began before "
                    f"{upstream.id} of its upstream {upstream.stack_id} had ended well"
                )


def nothing_in_order_runs_twice(record: Record) -> Iterator[str]:
    """A stack is not run again if a native run of the chain's own has done it after its upstreams.

    It would apply twice what was asked for once. The chain must know that a run is its own: it
    leaves alone what may be someone else's, and its status says so. A run that another stage has
    started has not waited for the stack's own stage. When the run of a deleted stack had ended
    can no longer be read.
    """
    stacks = record.parties.account.simulator.account.stacks
    for chain, number, row in _rows(record):
        own = [run for run in _of_stack(record, chain, number, row["id"]) if marker_of(run)]
        for native in _of_stack(record, chain, number, row["id"]):
            began = left_queue_at(native)
            if marker_of(native) or native.state is not RunState.FINISHED or began is None:
                continue
            if native.id in chain.doubtful_runs or _is_across_stages(record, chain, native):
                continue
            again = [run for run in own if run.created_at > native.history[-1].at + 1]
            upstreams = list(_upstream_runs(record, chain, number, row))
            if any(run.stack_id not in stacks for run in upstreams):
                continue
            was_in_order = all(_has_waited_for(native, began, run) for run in upstreams)
            if again and was_in_order and len(upstreams) == len(row.get("dependsOn") or ()):
                yield (
                    f"{chain.title} run {number} triggered {again[0].id} of {row['id']}, though "
                    f"Spacelift's {native.id} had done all in order"
                )


def unwanted_runs_are_stopped_in_time(record: Record) -> Iterator[str]:
    """While nothing is away, an unused native run that waited for long is stopped before it runs.

    docs/limits.md names the cases in which a native run may be faster than the chain. None of them
    applies here: no one interferes, everything above the run has succeeded, and that took its time.
    Nor does the chain have a deadline, which makes a run unwanted at once, maybe just as it starts.
    """
    if not record.is_undisturbed or any(e.action not in _ASKING for e in record.plan.events):
        return
    if any(name in chain.spec for chain in record.plan.chains for name in _DEADLINES):
        return
    used = {row.get("runId") for _, _, row in _rows(record)}
    runs = record.parties.account.simulator.account.runs
    for run in record.account_runs:
        origin, began = runs.get(run.origin_id or ""), left_queue_at(run)
        if origin is None or began is None or marker_of(origin) is None or run.id in used:
            continue
        if _all_ended_well(runs, run.upstream_runs) and began - run.created_at > _LONG_SECONDS:
            yield (
                f"{run.id} of {run.stack_id}, which {origin.id} of {origin.stack_id} had queued "
                f"{began - run.created_at:.0f} s before, was not stopped"
            )


def left_queue_at(run: Run) -> float | None:
    """Return when a run began to work; None if it never did."""
    return next(
        (item.at for item in run.history if item.state not in _QUEUED and not item.terminal), None
    )


def _all_ended_well(runs: Mapping[str, Run], run_ids: Iterable[str]) -> bool:
    """Whether some runs, and all that they waited for, have succeeded: one may be ahead of that."""
    return all(
        runs[run_id].state is RunState.FINISHED
        and _all_ended_well(runs, runs[run_id].upstream_runs)
        for run_id in run_ids
    )


_KEPT = reasons.StackReason.KEPT


def _rows(record: Record) -> Iterator[tuple[ChainRecord, int, Json]]:
    """Give the stacks of all runs that change something, of chains that were not deleted."""
    for chain in record.chains.values():
        if record.was_deleted(chain) or len(record.same_name(chain.title)) > 1:
            continue
        for number, status in chain.runs.items():
            if status["latestRun"].get("operation") != v1alpha1.Operation.PLAN:
                for row in status.get("stacks") or ():
                    yield chain, number, row


def _of_stack(record: Record, chain: ChainRecord, number: int, stack_id: str) -> Iterator[Run]:
    """Give the runs of a stack that a chain run has triggered or made Spacelift queue."""
    runs = record.parties.account.simulator.account.runs
    for run in record.account_runs:
        if run.stack_id == stack_id:
            cause = runs.get(run.origin_id or "", run)
            if marker_of(cause) == (chain.title, number):
                yield run


def _upstream_runs(record: Record, chain: ChainRecord, number: int, row: Json) -> Iterator[Run]:
    rows = {item["id"]: item for item in chain.runs[number].get("stacks") or ()}
    for upstream in row.get("dependsOn") or ():
        run = record.run(rows.get(upstream, {}).get("runId"))
        if run is not None:
            yield run


def _is_across_stages(record: Record, chain: ChainRecord, native: Run) -> bool:
    stage_of = stages_of(record.plan)
    origin = record.run(native.origin_id)
    return "stages" in chain.first_spec and (
        origin is None
        or origin.id in chain.root_runs
        or stage_of.get(origin.stack_id) != stage_of.get(native.stack_id)
        # Which stage it was in at the time is not known.
        or not relabeled(record.plan).isdisjoint({origin.stack_id, native.stack_id})
    )


def _has_waited_for(run: Run, began: float, upstream: Run) -> bool:
    # Within a second only Spacelift itself shows which was first: times are in whole seconds.
    slack = 0 if upstream.id in run.upstream_runs else 1
    return _ended_well_before(upstream, began - slack)


def _ended_well_before(run: Run, instant: float) -> bool:
    return run.state is RunState.FINISHED and run.history[-1].at <= instant
