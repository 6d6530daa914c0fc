"""What must hold whenever a run of the account is created, or changes its state."""

from collections.abc import Callable, Iterator

from controller.api import v1alpha1
from devenv.simulator.model.run_entities import Run
from devenv.simulator.model.states import RunType
from tests.simulation.world.invariants import confirmations, orders, triggers, window_times
from tests.simulation.world.records import Record, marker_of


def triggered_once_at_a_time(record: Record, run: Run) -> Iterator[str]:
    """A stack is triggered again for the same request only once the run before has FAILED.

    The earlier run may fail later on, but that was not known yet; until then both would apply the
    same change. With a token for a retry it is enough that the run has ended without success.
    """
    marked = marker_of(run)
    if marked is None or len(run.history) > 1:
        return
    tokens = sum(
        chain.tokens_of(v1alpha1.RETRY_ANNOTATION, marked[1])
        for chain in record.same_name(marked[0])
    )
    account = record.parties.account.simulator.account
    for other in account.runs_of(run.stack_id):
        is_same = other is not run and marker_of(other) == marked
        is_over = triggers.may_be_followed(other, is_asked=tokens > 0)
        if is_same and not is_over and len(record.same_name(marked[0])) < 2:
            yield (
                f"{marked[0]} run {marked[1]} triggers {run.stack_id} again ({run.id}), while "
                f"{other.id} is {other.state}"
            )


def one_chain_at_a_stack(record: Record, run: Run) -> Iterator[str]:
    """No run is triggered on a stack on which the run of another chain run is not over.

    One execution has a stack at a time: it would plan with what the other one is about to change.
    A chain that was reset may lose its turn to one that waits, before its run is over: limits.md.
    So does one whose live execution ends because an earlier one is reset.
    """
    marked = marker_of(run)
    if marked is None or len(run.history) > 1 or run.type is RunType.PROPOSED:
        return
    for other in record.parties.account.simulator.account.runs_of(run.stack_id):
        theirs = marker_of(other)
        if theirs in record.reset_runs | record.cut_off:
            continue
        is_proposed = other.type is RunType.PROPOSED
        if theirs not in (None, marked) and not other.finished and not is_proposed:
            yield (
                f"{marked[0]} run {marked[1]} triggers {run.stack_id} ({run.id}), while {other.id} "
                f"of {theirs} is {other.state}"
            )


AT_EACH_MOVE: dict[str, Callable[[Record, Run], Iterator[str]]] = {
    "triggered once": triggered_once_at_a_time,
    "one chain at a stack": one_chain_at_a_stack,
    "confirmed within limits": confirmations.confirmed_within_limits,
    "chains in order": orders.chains_before_it_were_ready,
    "within its window": window_times.within_its_window,
}
