"""How long stacks took, as the status keeps it from run to run. Pure.

This is a separate part of the status. The rows belong to the latest run, which may run only some of
the stacks, or may have failed to read them (ADR 0057).
"""

import dataclasses
from collections.abc import Iterable
from typing import Any

from controller import outside_text
from controller.api import v1alpha1
from controller.api.v1alpha1 import Operation, StackDurations
from controller.chain.run import durations as run_durations
from controller.chain.run import progress

_FIELDS = {
    Operation.APPLY: "apply_seconds",
    Operation.PLAN: "plan_seconds",
    Operation.DESTROY: "destroy_seconds",
}


def of_operation(durations: Iterable[StackDurations], operation: Operation) -> dict[str, int]:
    """Return the seconds that stacks took in an operation, by id, as far as they are known.

    What no stack can have taken counts as unknown: a status may be edited.
    """
    found = {item.stack_id: getattr(item, _FIELDS[operation]) for item in durations}
    return {stack_id: seconds for stack_id, seconds in found.items() if _is_known(seconds)}


def updated(
    before: tuple[StackDurations, ...], run: progress.ChainProgress | None
) -> tuple[StackDurations, ...]:
    """Return the durations with those that a run has found, by id.

    There is room for as many stacks as a chain may have; those of the run come first.
    """
    field = next((_FIELDS[one] for one in Operation if run and one == run.operation), None)
    if run is None or field is None:
        return before
    known = {item.stack_id: item for item in before}
    own = [outside_text.visible(stack.id) for stack in run.stacks]
    for stack_id, stack in zip(own, run.stacks, strict=True):
        if _is_known(stack.took_seconds):
            now: dict[str, Any] = {field: stack.took_seconds}
            item = known.get(stack_id, StackDurations(stack_id=stack_id))
            known[stack_id] = dataclasses.replace(item, **now)
    kept = [one for one in dict.fromkeys([*own, *known]) if one in known][: v1alpha1.MAX_STACKS]
    return tuple(known[stack_id] for stack_id in sorted(kept))


def _is_known(seconds: int | None) -> bool:
    return seconds is not None and run_durations.is_believable(seconds)
