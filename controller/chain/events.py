"""Which Kubernetes Events a change of status deserves: transitions only. Pure."""

import dataclasses
from typing import Literal

from controller.api import v1alpha1
from controller.api.v1alpha1 import Phase


@dataclasses.dataclass(frozen=True, kw_only=True, slots=True)
class EventText:
    """One Event to emit."""

    type: Literal["Normal", "Warning"]
    reason: str
    message: str


def transitions(old: v1alpha1.Status, new: v1alpha1.Status) -> list[EventText]:
    """Return the Events for what happened between two statuses, oldest first."""
    return [
        *_started(old, new),
        *_resolved(old, new),
        *_stacks(old, new),
        *_ended(old, new),
        *_problem(old, new),
    ]


def _is_new_run(old: v1alpha1.Status, new: v1alpha1.Status) -> bool:
    before = old.latest_run.number if old.latest_run else 0
    return new.latest_run is not None and new.latest_run.number > before


def _started(old: v1alpha1.Status, new: v1alpha1.Status) -> list[EventText]:
    run = new.latest_run
    if run is None or not _is_new_run(old, new):
        return []
    return [_normal("RunStarted", f"Run {run.number} started ({run.trigger}).")]


def _resolved(old: v1alpha1.Status, new: v1alpha1.Status) -> list[EventText]:
    if new.graph is None or (
        old.graph is not None and old.graph.resolved_time == new.graph.resolved_time
    ):
        return []
    graph = new.graph
    return [
        _normal(
            "GraphResolved",
            f"{graph.stacks} stacks, {graph.edges} dependencies, {graph.levels} levels.",
        )
    ]


def _stacks(old: v1alpha1.Status, new: v1alpha1.Status) -> list[EventText]:
    before = {} if _is_new_run(old, new) else {stack.id: stack.phase for stack in old.stacks}
    found: list[EventText] = []
    for stack in new.stacks:
        if before.get(stack.id) == stack.phase:
            continue
        link = f" {stack.url}" if stack.url else ""
        if stack.phase == Phase.AWAITING_CONFIRMATION:
            found.append(_normal("AwaitingConfirmation", f"'{stack.id}': {stack.message}{link}"))
        elif stack.phase == Phase.FAILED:
            found.append(_warning("StackFailed", f"'{stack.id}': {stack.message}{link}"))
        elif stack.phase == Phase.CANCELED and stack.run_id:
            found.append(_warning("StackCanceled", f"'{stack.id}': {stack.message}{link}"))
    return found


def _ended(old: v1alpha1.Status, new: v1alpha1.Status) -> list[EventText]:
    run = new.latest_run
    if run is None or not Phase(run.phase).is_over:
        return []
    before = old.latest_run
    if before is not None and before.number == run.number and Phase(before.phase).is_over:
        return []
    text = f"Run {run.number}: {run.message}"
    if run.phase == Phase.SUCCEEDED:
        return [_normal(run.reason, text)]
    return [_warning(run.reason, text)]


def _problem(old: v1alpha1.Status, new: v1alpha1.Status) -> list[EventText]:
    """A problem outside of a run: the ends of runs have their own Event."""
    ready, before = new.condition("Ready"), old.condition("Ready")
    run = new.latest_run
    if ready is None or ready.status != "False" or (run is not None and run.reason == ready.reason):
        return []
    if before is not None and (before.status, before.reason) == (ready.status, ready.reason):
        return []
    return [_warning(ready.reason, ready.message)]


def _normal(reason: str, message: str) -> EventText:
    return EventText(type="Normal", reason=reason, message=message)


def _warning(reason: str, message: str) -> EventText:
    return EventText(type="Warning", reason=reason, message=message)
