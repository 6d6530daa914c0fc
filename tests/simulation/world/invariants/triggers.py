"""What we have triggered: once, in order, and only because someone asked."""

import datetime
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from controller.api import reasons, v1alpha1
from devenv.simulator.model.run_entities import Run
from devenv.simulator.model.states import RunState
from tests.simulation.world.invariants.statuses import is_left
from tests.simulation.world.records import ChainRecord, Record, marker_of

Json = dict[str, Any]


def triggered_once(record: Record) -> Iterator[str]:
    """A request makes one run of each stack; Spacelift itself would take any number of them.

    A second one applies twice what a person wanted once. Only two things allow more: `retry`, each
    time after a run that has FAILED, and each token that asks for the stack once more while the run
    is live, after one that did not succeed.
    """
    for (title, number, stack_id), runs in record.runs_by_marker().items():
        objects = [chain for chain in record.same_name(title) if number in chain.runs]
        tokens = sum(chain.tokens_of(v1alpha1.RETRY_ANNOTATION, number) for chain in objects)
        allowed = sum(_attempts(chain) * (1 + tokens) for chain in objects) or 1
        if len(runs) > allowed:
            yield f"{title} run {number} triggered {stack_id} {len(runs)} times: {_named(runs)}"
        elif len(objects) <= 1:
            early = [run for run in runs[:-1] if not may_be_followed(run, is_asked=tokens > 0)]
            if early:
                yield f"{title} run {number} triggered {stack_id} again after {_named(early)}"


def bypassed_is_not_run(record: Record) -> Iterator[str]:
    """A stack for which a person vouches gets no run from then on, in that run of the chain.

    That person does not want it run.
    """
    marked = record.runs_by_marker()
    for chain in record.chains.values():
        if len(record.same_name(chain.title)) > 1:
            continue
        for number, status in chain.runs.items():
            for row in status.get("stacks") or ():
                if row.get("reason") != reasons.StackReason.BYPASSED:
                    continue
                since = datetime.datetime.fromisoformat(row["completionTime"]).timestamp()
                late = [
                    run
                    for run in marked.get((chain.title, number, row["id"]), ())
                    if run.created_at > since + 1
                ]
                if late:
                    yield f"{chain.title} run {number} ran {_named(late)} of bypassed {row['id']}"


def upstreams_first(record: Record) -> Iterator[str]:
    """No run that we trigger is created before the runs of the stack's upstreams have succeeded.

    It would plan with what its upstream stacks are about to change. A plan changes nothing, so
    plans wait for nothing.
    """
    for chain in record.chains.values():
        for number, status in chain.runs.items():
            if status["latestRun"].get("operation") == v1alpha1.Operation.PLAN:
                continue
            yield from _too_early(record, chain, number, status)


def only_what_was_asked_for(record: Record) -> Iterator[str]:
    """There is at most one run of a chain for each thing that asks for one.

    These are its spec, each token, each time of its schedule, and each run of others that finished
    on one of its roots. No one wants a run that nothing asked for. The creation of a resource asks
    for nothing if the resource destroys, or runs on request only.
    """
    for chain in record.chains.values():
        tokens = [name for name, _ in chain.annotations if name != v1alpha1.APPROVE_ANNOTATION]
        asks = chain.generations + len(tokens) - _is_created_silent(chain)
        asks += _scheduled_times(chain) + _finished_root_runs(record, chain)
        if len(chain.runs) > asks:
            yield f"{chain.title} ran {len(chain.runs)} times, and was asked {asks} times"


def a_run_is_used_once(record: Record) -> Iterator[str]:
    """No run of the account is the run of a stack in two runs of chains, unless a retry keeps it.

    Otherwise the second request would count as done, though nothing was done for it.
    """
    used: dict[str, str] = {}
    for chain in record.chains.values():
        for number, status in chain.runs.items():
            for row in status.get("stacks") or ():
                run_id, what = row.get("runId"), f"{chain.title} run {number}"
                is_earlier = row.get("reason") == reasons.StackReason.KEPT or is_left(row)
                if run_id is None or is_earlier:
                    continue
                if used.setdefault(run_id, what) != what:
                    yield f"{what} used {run_id} of {row['id']}, which was that of {used[run_id]}"


def _scheduled_times(chain: ChainRecord) -> int:
    # Schedules here have a time in each minute at most.
    if chain.scheduled_until is None:
        return 0
    return 1 + int(chain.scheduled_until // 60) - int(chain.created_at // 60)


def _finished_root_runs(record: Record, chain: ChainRecord) -> int:
    return sum(
        run.stack_id in chain.triggering_roots
        and run.state is RunState.FINISHED
        and marker_of(run) is None
        for run in record.account_runs
    )


def _is_created_silent(chain: ChainRecord) -> bool:
    spec = chain.first_spec
    return spec.get("operation") == "Destroy" or spec.get("startPolicy") == "OnRequest"


def _too_early(record: Record, chain: ChainRecord, number: int, status: Json) -> Iterator[str]:
    rows = {row["id"]: row for row in status.get("stacks") or ()}
    runs = record.parties.account.simulator.account.runs
    marked = record.runs_by_marker()
    for row in rows.values():
        if len(record.same_name(chain.title)) > 1:
            return
        for run in marked.get((chain.title, number, row["id"]), ()):
            for upstream in row.get("dependsOn") or ():
                if _was_bypassed(rows.get(upstream), before=run.created_at):
                    continue
                if record.was_deleted(chain):
                    # After its deletion no status says what became of its stacks.
                    ended_at = ended_in_account_at(record, chain, upstream, before=run.created_at)
                    is_well = ended_at is not None
                else:
                    is_well = _has_ended_well(rows.get(upstream), runs, before=run.created_at)
                if not is_well:
                    yield (
                        f"{chain.title} run {number} triggered {row['id']} ({run.id}) before its "
                        f"upstream {upstream} had ended well: {rows.get(upstream)}"
                    )


def _was_bypassed(row: Json | None, *, before: float) -> bool:
    if row is None or row.get("reason") != reasons.StackReason.BYPASSED:
        return False
    return datetime.datetime.fromisoformat(row["completionTime"]).timestamp() <= before + 1


def _has_ended_well(row: Json | None, runs: Mapping[str, Run], *, before: float) -> bool:
    if row is None or row["phase"] != "Succeeded":
        return False
    run = runs.get(row.get("runId") or "")
    # A stack that is kept may have no run that is still known.
    return run is None or (run.finished and run.updated_at <= before)


def ended_in_account_at(
    record: Record, chain: ChainRecord, stack_id: str, *, before: float
) -> float | None:
    """Return when a stack's run had succeeded that was the chain's, or that had started it."""
    ends = (
        run.updated_at
        for run in record.parties.account.simulator.account.runs_of(stack_id)
        if run.state in (RunState.FINISHED, RunState.SKIPPED)
        and run.updated_at <= before
        and (
            (record.cause_of(run) or ("", 0))[0] == chain.title
            or not chain.root_runs.isdisjoint({run.id, run.origin_id})
        )
    )
    return max(ends, default=None)


def may_be_followed(run: Run, *, is_asked: bool) -> bool:
    """Whether a stack may have another run after this one in the same run of its chain."""
    if is_asked:
        return run.finished and run.state is not RunState.FINISHED
    return run.state is RunState.FAILED


def _attempts(chain: ChainRecord) -> int:
    return 1 + chain.retry_limit


def _named(runs: Sequence[Run]) -> str:
    return ", ".join(f"{run.id} ({run.state}, at {run.created_at % 86400:.1f} s)" for run in runs)
