"""What a chain confirms itself is within the limits that it was given."""

from collections.abc import Iterator
from typing import Any

from devenv.simulator.model.run_entities import PlannedDelta, Run
from devenv.simulator.model.states import RunState
from tests.simulation.world.records import OUR_LOGIN, Record, marker_of

Json = dict[str, Any]


def confirmed_within_limits(record: Record, run: Run) -> Iterator[str]:
    """We confirm no plan beyond the limits, and trigger no run that would not wait for our verdict.

    A plan's changes are what the account is about to do, however it counts and lists them.
    """
    last = run.history[-1]
    cause = record.parties.account.simulator.account.runs.get(run.origin_id or "", run)
    found = [limits for limits in _limits_of(record, cause) if limits is not None]
    if not found:
        return
    if len(run.history) == 1 and run is cause and _is_autodeployed(record, run):
        yield f"{run.id} of {run.stack_id}, which has autodeploy, was triggered under limits"
    if last.state is not RunState.CONFIRMED or last.username != OUR_LOGIN:
        return
    planned = run.planned or PlannedDelta()
    counts = {
        "maxAdded": planned.add_count + planned.replace_count,
        "maxChanged": planned.change_count,
        "maxDeleted": planned.delete_count + planned.replace_count,
    }
    for limits in found:
        if beyond := {name: counts[name] for name in limits if counts[name] > limits[name]}:
            yield f"{run.id} of {run.stack_id} was confirmed by us, with {beyond} under {limits}"


def _limits_of(record: Record, cause: Run) -> list[Json | None]:
    """Return the limits of the chains for which a run was triggered, or which it started."""
    marked = marker_of(cause)
    if marked is not None:
        chains = record.same_name(marked[0])
    else:
        chains = [chain for chain in record.chains.values() if cause.id in chain.root_runs]
    limits = [chain.first_spec.get("confirmationLimits") for chain in chains]
    # If one of several may confirm it, that one may have done so.
    return limits if all(limits) else []


def _is_autodeployed(record: Record, run: Run) -> bool:
    stack = record.parties.account.simulator.account.stacks.get(run.stack_id)
    return stack is not None and stack.autodeploy
