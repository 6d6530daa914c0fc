"""Chains that roll in stages: nothing of a later stage before all that it waits for."""

import datetime
from collections.abc import Iterator, Sequence
from typing import Any

from controller.api import reasons, v1alpha1
from devenv.simulator.model.run_entities import Run
from tests.simulation.world.invariants import native_order, triggers
from tests.simulation.world.invariants.statuses import is_left
from tests.simulation.world.plans import stages_of
from tests.simulation.world.records import ChainRecord, Record, marker_of

Json = dict[str, Any]

_WHOLE_SECOND = 1.0
"""Times in a status have no fractions."""


def stages_in_order(record: Record) -> Iterator[str]:
    """No run that we trigger, or use, starts before the stage of its stack may start.

    By then all stacks of the earlier stages have succeeded, the soak time since the last of them
    has passed, and a person has approved the stage for that run of the chain. Plans wait for
    nothing, since they change nothing.
    """
    for chain in record.chains.values():
        if "stages" not in chain.first_spec or len(record.same_name(chain.title)) > 1:
            continue
        for number, status in chain.runs.items():
            if status["latestRun"].get("operation") != v1alpha1.Operation.PLAN:
                yield from _too_early(record, chain, number, status)


def _too_early(record: Record, chain: ChainRecord, number: int, status: Json) -> Iterator[str]:
    order = _order(chain.first_spec, status["latestRun"])
    rows = [row for row in status.get("stacks") or () if _is_of_chain(row)]
    by_stage = {stage["name"]: _rows_of(record, rows, stage["name"]) for stage in order}
    for place, stage in enumerate(order):
        earlier = [row for item in order[:place] for row in by_stage[item["name"]]]
        for row in by_stage[stage["name"]]:
            for run, began in _begun(record, chain, number, row):
                why = _why_early(record, chain, number, earlier, began)
                why = why or _why_not_soaked(record, chain, earlier, stage, began)
                why = why or _why_not_approved(record, chain, number, stage, began)
                if why:
                    yield (
                        f"{chain.title} run {number}: {run.id} of {row['id']} in {stage['name']} "
                        f"began at {began % 86400:.1f} s, {why}"
                    )


def _order(spec: Json, run: Json) -> Sequence[Json]:
    """Return the stages in the order in which they run, each with the soak time before it."""
    stages = spec["stages"]
    if run.get("operation") != v1alpha1.Operation.DESTROY:
        return [*stages]
    soaks = [0, *(stage.get("soakSeconds", 0) for stage in reversed(stages))]
    pairs = zip(reversed(stages), soaks, strict=False)
    return [{**stage, "soakSeconds": soak} for stage, soak in pairs]


def _is_of_chain(row: Json) -> bool:
    return row.get("reason") != reasons.StackReason.NO_LONGER_IN_CHAIN


def _rows_of(record: Record, rows: Sequence[Json], stage: str) -> list[Json]:
    """Return the stacks of a stage, but for those whose labels a person has changed."""
    stage_of = stages_of(record.plan)
    return [row for row in rows if stage_of.get(row["id"]) == stage]


def _begun(
    record: Record, chain: ChainRecord, number: int, row: Json
) -> Iterator[tuple[Run, float]]:
    """Give the runs of a stack that are the chain run's, and when they could change something."""
    for run in record.runs_by_marker().get((chain.title, number, row["id"]), ()):
        yield run, run.created_at
    used = record.run(row.get("runId"))
    is_earlier = row.get("reason") == reasons.StackReason.KEPT or is_left(row)
    if used is None or is_earlier or marker_of(used) is not None or used.id in chain.root_runs:
        return
    began = native_order.left_queue_at(used)
    if began is not None:
        yield used, began


def _why_early(
    record: Record, chain: ChainRecord, number: int, earlier: Sequence[Json], began: float
) -> str:
    left = [row for row in earlier if _ended_at(record, chain, row, before=began) is None]
    return f"before stacks of earlier stages had ended well: {left}" if left else ""


def _why_not_soaked(
    record: Record, chain: ChainRecord, earlier: Sequence[Json], stage: Json, began: float
) -> str:
    ends = [_ended_at(record, chain, row, before=began) or 0.0 for row in earlier]
    soaked_at = max(ends, default=0.0) + stage.get("soakSeconds", 0)
    if not ends or began >= soaked_at - _WHOLE_SECOND:
        return ""
    return f"and its soak time ended at {soaked_at % 86400:.1f} s"


def _why_not_approved(
    record: Record, chain: ChainRecord, number: int, stage: Json, began: float
) -> str:
    if stage.get("approval") != v1alpha1.StageApproval.REQUIRED:
        return ""
    asked = chain.approved_at.get((number, stage["name"]))
    if asked is None or asked > began:
        return "and nobody had approved it"
    shown = {item["name"]: item for item in chain.runs[number]["latestRun"].get("stages") or ()}
    if record.was_deleted(chain) or (chain.title, number) in record.reset_runs:
        # After its deletion no status says what was taken up; after a reset it is taken up again.
        return ""
    taken = shown.get(stage["name"], {}).get("approvedTime")
    if taken is None or _instant(taken) > began:
        return f"and its status says that it was approved at {taken}"
    return ""


def _ended_at(record: Record, chain: ChainRecord, row: Json, *, before: float) -> float | None:
    """Return when a stack had succeeded, if it had by then."""
    if row.get("reason") == reasons.StackReason.BYPASSED:
        vouched = _instant(row["completionTime"])
        return vouched if vouched <= before + _WHOLE_SECOND else None
    if record.was_deleted(chain):
        return triggers.ended_in_account_at(record, chain, row["id"], before=before)
    if row["phase"] != "Succeeded" and row.get("reason") != reasons.StackReason.OUTPUT_UNCHANGED:
        return None
    run = record.run(row.get("runId"))
    if run is None:
        return _instant(row["completionTime"])
    return run.updated_at if run.finished and run.updated_at <= before else None


def _instant(text: str) -> float:
    return datetime.datetime.fromisoformat(text).timestamp()
