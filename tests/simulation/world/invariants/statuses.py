"""What the status says."""

from collections.abc import Iterator
from typing import Any

from controller.api import reasons
from devenv.simulator.model.states import RunState
from tests.simulation.world.records import ChainRecord, Record

Json = dict[str, Any]

_PHASES = {
    RunState.FINISHED: {"Succeeded"},
    RunState.FAILED: {"Failed", "TimedOut"},
    RunState.SKIPPED: {"Succeeded", "Skipped", "Failed"},
    RunState.CANCELED: {"Canceled", "TimedOut", "Skipped"},
    RunState.DISCARDED: {"Canceled", "TimedOut", "Skipped"},
    RunState.STOPPED: {"Canceled", "TimedOut", "Skipped"},
}


def the_status_is_true(record: Record) -> Iterator[str]:
    """Each stack's row says what became of its run in the account, and the phases add up.

    People and GitOps tools act on the status; a wrong status misleads them.
    """
    for chain in record.chains.values():
        if not chain.runs or not record.is_quiet:
            continue
        status = chain.runs[max(chain.runs)]
        if record.was_deleted(chain):
            continue
        for row in status.get("stacks") or ():
            yield from _untrue(record, chain, row)
        yield from _sums(chain, status)


def _untrue(record: Record, chain: ChainRecord, row: Json) -> Iterator[str]:
    account = record.parties.account.simulator.account
    if row["id"] not in account.stacks:
        # The runs of a deleted stack are not visible.
        return
    run_id = row.get("runId")
    what = f"{chain.title}: {row['id']} is {row['phase']} ({row.get('reason')})"
    if run_id is None:
        if row["phase"] == "Succeeded":
            yield f"{what} without a run"
        return
    run = account.runs.get(run_id)
    if run is None:
        yield f"{what} with run {run_id}, which is not there"
        return
    if run.stack_id != row["id"]:
        yield f"{what} with run {run_id}, which is one of {run.stack_id}"
    if not (row.get("runUrl") or run_id).endswith(run_id):
        yield f"{what} with run {run_id} and the link {row['runUrl']}"
    if row.get("reason") == reasons.StackReason.EXECUTION_ENDED:
        # Nothing followed it from then on.
        return
    if run.finished and row["phase"] not in _PHASES[run.state]:
        yield f"{what}, while its run {run_id} is {run.state}"


def _sums(chain: ChainRecord, status: Json) -> Iterator[str]:
    summary = dict(status["latestRun"].get("summary") or {})
    rows = status.get("stacks") or ()
    total = summary.pop("total", 0)
    # A retry that could not read its stacks names what it keeps, for the retry after it.
    is_unread = total == 0 and all(_is_not_run(row) for row in rows)
    if total != sum(summary.values()) or (total != len(rows) and not is_unread):
        yield f"{chain.title}: the summary {summary} does not add up to {len(rows)} stacks"
    ended_well = all(
        row["phase"] == "Succeeded" or row.get("reason") == reasons.StackReason.BYPASSED
        for row in rows
    )
    if status["latestRun"]["phase"] == "Succeeded" and not ended_well:
        yield f"{chain.title} succeeded, while not all of its stacks did"


def _is_not_run(row: Json) -> bool:
    """Whether a retry does not run a stack: it keeps it, or leaves it since it names others."""
    not_run = (reasons.StackReason.KEPT, reasons.StackReason.BYPASSED)
    return row.get("reason") in not_run or is_left(row)


def is_left(row: Json) -> bool:
    """Whether a row shows a stack as it ended in the run that a retry of others is of."""
    return (row.get("message") or "").startswith("The retry of run ")
