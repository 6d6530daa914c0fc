"""What is left of a chain's runs once it has ended, was canceled or is gone."""

import datetime
from collections.abc import Iterator

from controller.api import reasons
from devenv.simulator.model.run_entities import Run
from devenv.simulator.model.states import RunState
from tests.simulation import virtual_time
from tests.simulation.world.records import ChainRecord, Record, marker_of

_SLACK_SECONDS = 2.0
"""Between the end of a run and of its chain run, where one clock shows whole seconds."""
_TERMINATED_SECONDS = 60.0
"""Until what is left without its chain's workflow is stopped."""
_TOLD_SECONDS = 15.0
_STOPPED_SECONDS = 15.0
"""The slowest answer to a trigger, and the calls that stop what came of it."""
_WAITING = {RunState.QUEUED, RunState.READY, RunState.UNCONFIRMED, RunState.PENDING_REVIEW}


def no_run_outlives_its_chain(record: Record) -> Iterator[str]:
    """Once a run of a chain has ended, or the chain is gone, no run that it triggered continues.

    Anyone who sees that a chain has ended assumes that its stacks are free. Three things are left
    as they are: a run that waits for a review, since no call ends it, all runs of a chain that is
    deleted as an orphan, and those of an execution that ends because an earlier one is reset.
    """
    for (title, number, stack_id), runs in record.runs_by_marker().items():
        chains = [chain for chain in record.same_name(title) if number in chain.runs]
        is_left = (title, number) in record.cut_off
        if len(chains) != 1 or chains[0].was_orphaned or is_left:
            continue
        ended_at = _ended_at(chains[0], number)
        for run in runs:
            if ended_at is not None and _goes_on_after(run, ended_at + _slack(chains[0], number)):
                late = run.history[-1].at - ended_at
                yield (
                    f"{title} run {number} had ended {late:.1f} s before its run {run.id} of "
                    f"{stack_id} came to {run.state}"
                )


def what_is_canceled_stops(record: Record) -> Iterator[str]:
    """After a cancel nothing of a run starts any more, neither its own runs nor what they queued.

    A person who cancels has seen something that must not be carried out. While parties are away or
    slow, the cancel takes as long as they do.
    """
    if not record.is_undisturbed:
        return
    for chain in record.chains.values():
        if len(record.same_name(chain.title)) > 1:
            continue
        for number, asked_at in chain.canceled_at.items():
            latest = chain.runs.get(number, {}).get("latestRun") or {}
            if latest.get("phase") != "Canceled":
                continue
            for run in _runs_of(record, chain, number):
                if (began := _began_after(run, asked_at + _STOPPED_SECONDS)) is not None:
                    yield (
                        f"{chain.title} run {number} was canceled at {asked_at % 86400:.1f} s, and "
                        f"{run.id} of {run.stack_id} was {began} later"
                    )


def an_end_is_shown_at_once(record: Record) -> Iterator[str]:
    """The status shows the end of a run seconds after it, while nothing is away.

    People, pipelines and other chains wait for it.
    """
    if not record.is_undisturbed:
        return
    for chain in record.chains.values():
        for number, told_at in chain.told_at.items():
            ended_at = _completed_at(chain, number)
            if ended_at is not None and told_at - ended_at > _TOLD_SECONDS:
                late = told_at - ended_at
                yield f"{chain.title} run {number} ended {late:.0f} s before it said so"


def _ended_at(chain: ChainRecord, number: int) -> float | None:
    completed_at = _completed_at(chain, number)
    if completed_at is None and chain.gone_at is not None and number == max(chain.runs):
        return virtual_time.EPOCH + chain.gone_at
    return completed_at


def _completed_at(chain: ChainRecord, number: int) -> float | None:
    text = chain.runs[number]["latestRun"].get("completionTime")
    return datetime.datetime.fromisoformat(text).timestamp() if text else None


def _slack(chain: ChainRecord, number: int) -> float:
    reason = chain.runs[number]["latestRun"].get("reason")
    is_terminated = reason == reasons.ChainReason.WORKFLOW_TERMINATED
    return _TERMINATED_SECONDS if is_terminated else _SLACK_SECONDS


def _goes_on_after(run: Run, instant: float) -> bool:
    if run.state is RunState.PENDING_REVIEW or run.stop_requested:
        return False
    return not run.finished or run.history[-1].at > instant


def _runs_of(record: Record, chain: ChainRecord, number: int) -> Iterator[Run]:
    """Give the runs that a chain run has triggered, and what these have made Spacelift queue."""
    runs = record.parties.account.simulator.account.runs
    for run in record.account_runs:
        cause = runs.get(run.origin_id or "", run)
        if marker_of(cause) == (chain.title, number):
            yield run


def _began_after(run: Run, instant: float) -> RunState | None:
    """Return the first state in which a run works that it came to after an instant."""
    return next(
        (
            item.state
            for item in run.history
            if item.at > instant and not item.terminal and item.state not in _WAITING
        ),
        None,
    )
