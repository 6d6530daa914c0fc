"""What asks for runs besides people and the spec: the schedule, and finished runs of roots. Pure.

Only the status records such asks: `pendingRun` has those that wait, `lastHandled` those that became
a run. Times are RFC 3339 in UTC and run ids are ULIDs, so both compare as strings.
"""

import dataclasses
from collections.abc import Iterable, Mapping, Sequence

from controller.api import v1alpha1
from controller.api.v1alpha1 import RootRun


@dataclasses.dataclass(frozen=True, kw_only=True, slots=True)
class AutomaticAsks:
    """Asks that no run has taken up: the newest time, and the newest run of each root."""

    scheduled_time: str | None = None
    root_runs: tuple[RootRun, ...] = ()


@dataclasses.dataclass(frozen=True, kw_only=True, slots=True)
class RootReading:
    """What a sweep read of a root: its newest run in whatever state, and others.

    `newest_run_id` is "0" if there is none, and empty while no one can say whose its runs are.
    `finished` are its finished tracked runs that no chain of ours started or adopted, newest first.
    `looked_up_to` is the newest finished run of all.
    """

    stack_id: str
    newest_run_id: str
    looked_up_to: str
    finished: tuple[str, ...] = ()


def open_asks(chain: v1alpha1.StackChain, handled: v1alpha1.Handled) -> AutomaticAsks:
    """Return what waits in the status and still counts: the spec may have changed since."""
    pending, spec = chain.status.pending_run, chain.spec
    if pending is None:
        return AutomaticAsks()
    time = pending.scheduled_time if spec.schedule is not None else None
    is_new = time is not None and later(time, handled.schedule) != handled.schedule
    seen = by_stack(handled.root_runs)
    root_runs = tuple(
        item
        for item in pending.root_runs
        if _is_root(chain, item.stack_id) and item.run_id > seen.get(item.stack_id, "")
    )
    return AutomaticAsks(scheduled_time=time if is_new else None, root_runs=root_runs)


def _is_root(chain: v1alpha1.StackChain, stack_id: str) -> bool:
    """Whether a stack is a root, as far as the spec says: it does not say which have the labels."""
    roots = chain.spec.roots
    return bool(chain.spec.triggers) and (bool(roots.labels) or stack_id in roots.stack_ids)


def with_asks(
    pending: v1alpha1.PendingRun | None, asks: AutomaticAsks
) -> v1alpha1.PendingRun | None:
    """Return the pending run with new asks in it; what it says of them is decided later."""
    if asks == AutomaticAsks():
        return pending
    known = pending or v1alpha1.PendingRun(cause="", message="")
    return dataclasses.replace(
        known,
        scheduled_time=later(known.scheduled_time, asks.scheduled_time),
        root_runs=newest(known.root_runs, asks.root_runs),
    )


def only_asks(pending: v1alpha1.PendingRun | None) -> v1alpha1.PendingRun | None:
    """Return a pending run if it holds asks that are recorded only there."""
    if pending is None or not (pending.scheduled_time or pending.root_runs):
        return None
    return pending


# Finished runs of roots


def find_asking_runs(
    readings: Iterable[RootReading], seen: Sequence[RootRun], waiting: Sequence[RootRun]
) -> tuple[tuple[RootRun, ...], tuple[RootRun, ...]]:
    """Return the run up to which each root has been checked, and the runs that ask.

    A root that is checked for the first time starts at its newest run, so that an old one starts
    nothing; roots that are no longer read are forgotten. The newest run of a root asks for all its
    runs, since the stacks that depend on it are run once.

    Args:
        readings: one of each root.
        seen: the run up to which each root was checked before.
        waiting: runs that ask already.
    """
    before, asking = by_stack(seen), by_stack(waiting)
    looked: list[RootRun] = []
    asks: list[RootRun] = []
    for reading in sorted(readings, key=lambda item: item.stack_id):
        stack_id = reading.stack_id
        mark = before.get(stack_id)
        if mark is None:
            # A mark below all runs would let old ones ask.
            if reading.newest_run_id:
                looked.append(RootRun(stack_id=stack_id, run_id=reading.newest_run_id))
            continue
        new = [run_id for run_id in reading.finished if run_id > mark]
        if new and new[0] > asking.get(stack_id, ""):
            asks.append(RootRun(stack_id=stack_id, run_id=new[0]))
        # One that asks is seen once a run was started for it.
        is_asking = bool(new) or stack_id in asking
        until = mark if is_asking else max(mark, reading.looked_up_to)
        looked.append(RootRun(stack_id=stack_id, run_id=until))
    return tuple(looked), tuple(asks)


def by_stack(runs: Iterable[RootRun]) -> Mapping[str, str]:
    """Return the run ids by stack."""
    return {item.stack_id: item.run_id for item in runs}


def newest(*runs: Sequence[RootRun]) -> tuple[RootRun, ...]:
    """Return the newest run of each stack, sorted by stack."""
    found: dict[str, str] = {}
    for item in (one for some in runs for one in some):
        found[item.stack_id] = max(item.run_id, found.get(item.stack_id, ""))
    return tuple(RootRun(stack_id=key, run_id=found[key]) for key in sorted(found))


def later(one: str | None, other: str | None) -> str | None:
    """Return the later of two times."""
    return max(filter(None, (one, other)), default=None)
