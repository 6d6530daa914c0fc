"""Drift: the changes that a plan found which the schedule had started. Pure."""

from collections.abc import Sequence

from controller.api import v1alpha1, wording

# How many stacks the message names before it counts the others.
_NAMED = 10


def is_looked_for(run: v1alpha1.RunStatus | None) -> bool:
    """Whether a run is one that finds drift: a plan that the schedule started."""
    return (
        run is not None
        and run.operation == v1alpha1.Operation.PLAN
        and run.cause == v1alpha1.Cause.SCHEDULE
    )


def stacks_of(
    run: v1alpha1.RunStatus | None, stacks: Sequence[v1alpha1.StackStatus]
) -> list[v1alpha1.StackStatus]:
    """Return the stacks in which the latest run found drift, if it looks for any."""
    if not is_looked_for(run):
        return []
    return [stack for stack in stacks if stack.delta is not None and stack.delta.is_change]


def message(run: v1alpha1.RunStatus, stacks: Sequence[v1alpha1.StackStatus]) -> str:
    """Return the message about the stacks in which a run found drift."""
    parts = [
        f"'{stack.id}' +{stack.delta.added} ~{stack.delta.changed} -{stack.delta.deleted}"
        for stack in stacks
        if stack.delta is not None
    ]
    of, total = run.summary.total, f" {run.changes.text}" if run.changes is not None else ""
    found = wording.listed(parts, most=_NAMED, separator="; ")
    return (
        f"Run {run.number} found changes in {len(stacks)} of {wording.counted(of, 'stack')}:"
        f"{total} ({found})."
    )
