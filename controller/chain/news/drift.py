"""Drift: the changes that a plan found which the schedule had started. Pure."""

from collections.abc import Sequence

from controller.api import v1alpha1, wording

# How many stacks the message names before it counts the others.
_NAMED = 10


def stacks_of(status: v1alpha1.Status) -> list[v1alpha1.StackStatus]:
    """Return the stacks in which the latest run found drift, if it looks for any."""
    run = status.latest_run
    if run is None or run.operation != v1alpha1.Operation.PLAN:
        return []
    if run.cause != v1alpha1.Cause.SCHEDULE:
        return []
    return [stack for stack in status.stacks if stack.delta is not None and _changes(stack.delta)]


def message(run: v1alpha1.RunStatus, stacks: Sequence[v1alpha1.StackStatus]) -> str:
    """Return what is said of the stacks in which a run found drift."""
    parts = [
        f"'{stack.id}' +{stack.delta.added} ~{stack.delta.changed} -{stack.delta.deleted}"
        for stack in stacks
        if stack.delta is not None
    ]
    found = wording.listed(parts, most=_NAMED, separator="; ")
    return f"Run {run.number} found changes: {found}."


def _changes(delta: v1alpha1.Delta) -> bool:
    return bool(delta.added or delta.changed or delta.deleted)
