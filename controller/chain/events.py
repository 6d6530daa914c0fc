"""Which Kubernetes Events a change of status deserves: transitions only. Pure."""

import dataclasses
from collections.abc import Iterable
from typing import Literal

from controller.api import reasons, v1alpha1
from controller.api.v1alpha1 import Phase

# How many stacks a message names before it counts the others.
_NAMED = 10


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
        *_suspended(old, new),
        *_stacks(old, new),
        *_ended(old, new),
        *_drift(old, new),
        *_missed(old, new),
        *_unseen_roots(old, new),
        *_problem(old, new),
    ]


def _is_new_run(old: v1alpha1.Status, new: v1alpha1.Status) -> bool:
    before = old.latest_run.number if old.latest_run else 0
    return new.latest_run is not None and new.latest_run.number > before


def _started(old: v1alpha1.Status, new: v1alpha1.Status) -> list[EventText]:
    run = new.latest_run
    if run is None or not _is_new_run(old, new):
        return []
    return [_normal("RunStarted", f"Run {run.number} started; trigger: {run.trigger}.")]


def _resolved(old: v1alpha1.Status, new: v1alpha1.Status) -> list[EventText]:
    if new.graph is None or (
        old.graph is not None and old.graph.resolved_time == new.graph.resolved_time
    ):
        return []
    graph = new.graph
    return [
        _normal(
            "GraphResolved",
            f"Stacks: {graph.stacks}, dependencies: {graph.edges}, levels: {graph.levels}.",
        )
    ]


def _suspended(old: v1alpha1.Status, new: v1alpha1.Status) -> list[EventText]:
    """Only where it holds up a run: on a chain at rest it is a word in the spec."""
    before, after = old.condition("Suspended"), new.condition("Suspended")
    is_same = before is None or after is None or before.status == after.status
    if is_same or after is None or new.latest_run is None or new.latest_run.phase.is_over:
        return []
    if after.status == "True":
        return [_normal("Suspended", after.message)]
    return [_normal("Resumed", f"Run {new.latest_run.number} goes on.")]


def stale(notes: Iterable[str]) -> list[EventText]:
    """Return the Events for requests that do nothing."""
    return [_warning("StaleRequest", note) for note in notes]


def _stacks(old: v1alpha1.Status, new: v1alpha1.Status) -> list[EventText]:
    before = {} if _is_new_run(old, new) else {stack.id: stack for stack in old.stacks}
    found: list[EventText] = []
    for stack in new.stacks:
        event = _stack(before.get(stack.id), stack)
        if event is not None:
            found.append(event)
    return found


def _stack(before: v1alpha1.StackStatus | None, stack: v1alpha1.StackStatus) -> EventText | None:
    is_same_attempt = before is not None and before.attempts == stack.attempts
    has_phase = before is not None and before.phase == stack.phase and is_same_attempt
    text = " ".join(part for part in (f"'{stack.id}':", stack.message, stack.url) if part)
    if stack.phase == Phase.AWAITING_CONFIRMATION:
        # After the approval comes the confirmation: each wants a person of its own.
        is_same = has_phase and before is not None and before.reason == stack.reason
        return None if is_same else _normal("AwaitingConfirmation", text)
    if has_phase:
        return None
    if stack.phase == Phase.FAILED:
        return _warning("StackFailed", text)
    if stack.reason == reasons.StackReason.RETRY_PENDING:
        return _warning("StackRetrying", text)
    if stack.phase == Phase.TIMED_OUT and stack.reason not in _ENDED_WITH_THE_CHAIN:
        return _warning("StackTimedOut", text)
    is_own_end = stack.reason not in _ENDED_WITH_THE_CHAIN
    if stack.phase == Phase.CANCELED and stack.run_id and is_own_end:
        return _warning("StackCanceled", text)
    return None


# The end of the run has an Event; its stacks need none each.
_ENDED_WITH_THE_CHAIN = frozenset(
    {
        reasons.StackReason.CHAIN_CANCELED,
        reasons.StackReason.CHAIN_DEADLINE_EXCEEDED,
        reasons.StackReason.EXECUTION_ENDED,
    }
)


def _ended(old: v1alpha1.Status, new: v1alpha1.Status) -> list[EventText]:
    run = new.latest_run
    if run is None or not _has_ended(old, new):
        return []
    text = f"Run {run.number}: {run.message}"
    if run.phase is Phase.SUCCEEDED:
        return [_normal(run.reason, text)]
    return [_warning(run.reason, text)]


def _has_ended(old: v1alpha1.Status, new: v1alpha1.Status) -> bool:
    run, before = new.latest_run, old.latest_run
    if run is None or not run.phase.is_over:
        return False
    # A run that is tried again may end for another reason.
    return before is None or _end(before) != _end(run)


def drifted(old: v1alpha1.Status, new: v1alpha1.Status) -> list[v1alpha1.StackStatus]:
    """Return the stacks in which a plan that the schedule started found changes, once it ended."""
    run = new.latest_run
    if run is None or not _has_ended(old, new):
        return []
    if (run.operation, run.trigger) != (v1alpha1.Operation.PLAN, v1alpha1.Trigger.SCHEDULE):
        return []
    return [
        stack
        for stack in new.stacks
        if stack.delta is not None
        and (stack.delta.added or stack.delta.changed or stack.delta.deleted)
    ]


def _drift(old: v1alpha1.Status, new: v1alpha1.Status) -> list[EventText]:
    stacks = drifted(old, new)
    if not stacks or new.latest_run is None:
        return []
    parts = [
        f"'{stack.id}' +{stack.delta.added} ~{stack.delta.changed} -{stack.delta.deleted}"
        for stack in stacks[:_NAMED]
        if stack.delta is not None
    ]
    more = f"; and {len(stacks) - _NAMED} more" if len(stacks) > _NAMED else ""
    text = f"Run {new.latest_run.number} found changes: {'; '.join(parts)}{more}."
    return [_warning("DriftDetected", text)]


def missed(old: v1alpha1.Status, new: v1alpha1.Status) -> int:
    """Return how many times of the schedule turned out to be too late."""
    before = old.schedule.missed if old.schedule else 0
    return max(0, (new.schedule.missed if new.schedule else 0) - before)


def _missed(old: v1alpha1.Status, new: v1alpha1.Status) -> list[EventText]:
    number = missed(old, new)
    if not number or new.schedule is None:
        return []
    times = "time" if number == 1 else "times"
    text = (
        f"{number} {times} of the schedule started nothing, the newest of them at "
        f"{new.schedule.last_missed_time}: `startingDeadlineSeconds` had passed."
    )
    return [_warning("StartMissed", text)]


def _unseen_roots(old: v1alpha1.Status, new: v1alpha1.Status) -> list[EventText]:
    before = old.triggers.problem if old.triggers else None
    problem = new.triggers.problem if new.triggers else None
    return [_warning("RootsNotSeen", problem)] if problem and problem != before else []


def _end(run: v1alpha1.RunStatus) -> tuple[int, Phase, str]:
    return run.number, run.phase, run.reason


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
