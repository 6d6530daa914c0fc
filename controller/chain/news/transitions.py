"""What happened between two statuses of a resource: transitions only, one for each thing. Pure.

`chain/news/events.py` makes Kubernetes Events of them, `chain/news/notifications.py`
notifications.
"""

import dataclasses
from collections.abc import Iterable, Sequence

from controller.api import reasons, v1alpha1, wording
from controller.api.transition_kinds import MEANINGS, TransitionKind
from controller.api.v1alpha1 import Phase
from controller.chain.news import stack_kinds
from controller.chain.status import drift, remedies
from controller.chain.status.pass_statuses import Earlier, Later


@dataclasses.dataclass(frozen=True, kw_only=True, slots=True)
class Transition:
    """One thing that happened, with the run and the stack that it is about as they are then.

    `occasion` tells it from others of its kind in the same attempt of a run. It is made of facts,
    not of when they were read, so that reading again after a crash finds the same one.
    """

    kind: TransitionKind
    reason: str
    message: str
    run: v1alpha1.RunStatus | None = None
    stack: v1alpha1.StackStatus | None = None
    occasion: tuple[str, ...] = ()

    @property
    def is_warning(self) -> bool:
        """Whether a person should look at it."""
        return MEANINGS[self.kind].is_warning


def transitions(
    old: Earlier, new: Later, *, is_followed: bool = False, is_spec_new: bool = False
) -> list[Transition]:
    """Return what happened between two statuses, oldest first.

    Args:
        old: the earlier status.
        new: the later one.
        is_followed: another run follows the latest one, which may have ended.
        is_spec_new: it ran with another spec.
    """
    is_followed = is_followed or new.pending_run is not None
    return [
        *_recovered(old, new),
        *_started(old, new),
        *_resolved(old, new),
        *_suspended(old, new),
        *_window(old, new),
        *_stages(old, new),
        *_stacks(old, new),
        *_unused_runs(old, new),
        *_ended(old, new, is_followed=is_followed, is_spec_new=is_spec_new),
        *_drift(old, new),
        *_missed(old, new),
        *_unseen_roots(old, new),
        *_asked(old, new),
        *_problem(old, new),
    ]


def stale(notes: Iterable[str], status: v1alpha1.Status) -> list[Transition]:
    """Return that requests do nothing, each with why."""
    kind = TransitionKind.STALE_REQUEST
    return [_of(kind, status, note, note) for note in notes]


def requested(messages: Iterable[str], status: v1alpha1.Status) -> list[Transition]:
    """Return what a live run does because it was asked to."""
    kind = TransitionKind.STACKS_REQUESTED
    return [_of(kind, status, message, message) for message in messages]


def _of(
    kind: TransitionKind, status: v1alpha1.Status, message: str, *occasion: str, reason: str = ""
) -> Transition:
    return Transition(
        kind=kind,
        reason=reason or str(kind),
        message=message,
        run=status.latest_run,
        occasion=occasion,
    )


# The run


def _is_new_run(old: v1alpha1.Status, new: v1alpha1.Status) -> bool:
    before = old.latest_run.number if old.latest_run else 0
    return new.latest_run is not None and new.latest_run.number > before


def _started(old: v1alpha1.Status, new: v1alpha1.Status) -> list[Transition]:
    run = new.latest_run
    if run is None or not _is_new_run(old, new):
        return []
    text = f"Run {run.number} started; cause: {run.cause}."
    return [_of(TransitionKind.RUN_STARTED, new, text)]


def _resolved(old: v1alpha1.Status, new: v1alpha1.Status) -> list[Transition]:
    graph = new.graph
    if graph is None or (old.graph is not None and old.graph.resolved_time == graph.resolved_time):
        return []
    text = f"Stacks: {graph.stacks}, dependencies: {graph.edges}, levels: {graph.levels}."
    condition = new.condition("GraphResolved")
    # What may be wrong with it although it can run.
    remarks = wording.after_first_sentence(condition.message) if condition is not None else ""
    if remarks:
        text = f"{text} {remarks}"
    return [_of(TransitionKind.GRAPH_RESOLVED, new, text, graph.resolved_time)]


def _suspended(old: v1alpha1.Status, new: v1alpha1.Status) -> list[Transition]:
    """Only if it holds up a run: on a chain without one it is only a word in the spec."""
    before, after = old.condition("Suspended"), new.condition("Suspended")
    if before is None or after is None or before.status == after.status:
        return []
    if new.latest_run is None or new.latest_run.phase.is_over:
        return []
    since = before.last_transition_time
    if after.status == "True":
        return [_of(TransitionKind.SUSPENDED, new, after.message, since)]
    return [_of(TransitionKind.RESUMED, new, f"Run {new.latest_run.number} continues.", since)]


def _window(old: v1alpha1.Status, new: v1alpha1.Status) -> list[Transition]:
    """That nothing of a run is in progress until its window opens, if no stage says so."""
    run, before = new.latest_run, old.latest_run
    if run is None or run.reason != reasons.ChainReason.WINDOW_CLOSED:
        return []
    if any(stage.waits_for == v1alpha1.StageWait.WINDOW for stage in run.stages):
        return []
    if before is not None and (before.number, before.message) == (run.number, run.message):
        return []
    text = f"Run {run.number}: {run.message}"
    return [_of(TransitionKind.WINDOW_CLOSED, new, text, run.message)]


def _stages(old: v1alpha1.Status, new: v1alpha1.Status) -> list[Transition]:
    """What a stage waits for, other than for others, and that it was approved."""
    run, before = new.latest_run, old.latest_run
    if run is None:
        return []
    is_same_run = before is not None and before.number == run.number
    earlier = {stage.name: stage for stage in before.stages} if before and is_same_run else {}
    found: list[Transition] = []
    for stage in run.stages:
        was = earlier.get(stage.name)
        text = f"Run {run.number}, stage '{stage.name}': {stage.message}"
        if stage.approved_time and (was is None or was.approved_time != stage.approved_time):
            approved = f"Run {run.number}, stage '{stage.name}': a person has approved it."
            when = stage.approved_time
            found.append(_of(TransitionKind.STAGE_APPROVED, new, approved, stage.name, when))
        kind = _STAGE_WAITS.get(stage.waits_for or "")
        if kind is not None and (was is None or was.waits_for != stage.waits_for):
            found.append(_of(kind, new, text, stage.name, stage.since or ""))
    return found


_STAGE_WAITS = {
    str(v1alpha1.StageWait.SOAK): TransitionKind.STAGE_WAITING,
    str(v1alpha1.StageWait.WINDOW): TransitionKind.STAGE_WAITING,
    str(v1alpha1.StageWait.APPROVAL): TransitionKind.STAGE_AWAITING_APPROVAL,
}


_ENDS = {
    Phase.SUCCEEDED: TransitionKind.RUN_SUCCEEDED,
    Phase.CANCELED: TransitionKind.RUN_CANCELED,
    Phase.TIMED_OUT: TransitionKind.RUN_TIMED_OUT,
}


def _ended(
    old: v1alpha1.Status, new: v1alpha1.Status, *, is_followed: bool, is_spec_new: bool
) -> list[Transition]:
    run = new.latest_run
    if run is None or not _has_ended(old, new):
        return []
    kind = _ENDS.get(run.phase, TransitionKind.RUN_FAILED)
    can = remedies.possible(run, new.last_handled, is_followed=is_followed, is_spec_new=is_spec_new)
    text = f"Run {run.number}: {remedies.with_remedy(run, can)}"
    return [_of(kind, new, text, run.reason, reason=run.reason)]


def _has_ended(old: v1alpha1.Status, new: v1alpha1.Status) -> bool:
    run, before = new.latest_run, old.latest_run
    if run is None or not run.phase.is_over:
        return False
    # A run that is tried again may end for another reason.
    return before is None or _end(before) != _end(run)


def _end(run: v1alpha1.RunStatus) -> tuple[int, Phase, str]:
    return run.number, run.phase, run.reason


def drifted(old: Earlier, new: Later) -> list[v1alpha1.StackStatus]:
    """Return the stacks in which a plan that the schedule started found changes, once it ended."""
    return drift.stacks_of(new.latest_run, new.stacks) if _has_ended(old, new) else []


def _drift(old: Earlier, new: Later) -> list[Transition]:
    stacks = drifted(old, new)
    if not stacks or new.latest_run is None:
        return []
    text = drift.message(new.latest_run, stacks)
    return [_of(TransitionKind.DRIFT_DETECTED, new, text)]


# Stacks


def _stacks(old: v1alpha1.Status, new: v1alpha1.Status) -> list[Transition]:
    if old.stacks is new.stacks:
        return []
    before = {} if _is_new_run(old, new) else {stack.id: stack for stack in old.stacks}
    found: list[Transition] = []
    for stack in new.stacks:
        kind = stack_kinds.kind_of(before.get(stack.id), stack)
        if kind is not None and not _is_lost_with_the_run(new, stack):
            found.append(_of_stack(kind, new, stack))
    return found


def _is_lost_with_the_run(new: v1alpha1.Status, stack: v1alpha1.StackStatus) -> bool:
    """Whether a stack's end is not known because the run's is not: that is one thing to say."""
    run = new.latest_run
    return (
        stack.reason == reasons.StackReason.EXECUTION_ENDED
        and run is not None
        and run.reason in reasons.LOST
    )


def _unused_runs(old: v1alpha1.Status, new: v1alpha1.Status) -> list[Transition]:
    """What Spacelift carried out although it was not to, and what may be of others; once each."""
    if old.stacks is new.stacks:
        return []
    known = {run.run_id for stack in old.stacks for run in stack.unused_runs}
    found: list[Transition] = []
    for stack in new.stacks:
        runs = [run for run in stack.unused_runs if run.run_id not in known]
        if not runs:
            continue
        transition = Transition(
            kind=TransitionKind.UNUSED_RUN,
            reason=str(TransitionKind.UNUSED_RUN),
            message=_unused_message(runs),
            run=new.latest_run,
            stack=stack,
            occasion=(stack.id, *(run.run_id for run in runs)),
        )
        found.append(transition)
    return found


def _unused_message(runs: Sequence[v1alpha1.UnusedRun]) -> str:
    carried_out = ", ".join(_unused_run(run) for run in runs if not run.other_run_url)
    doubtful = ", ".join(_unused_run(run) for run in runs if run.other_run_url)
    parts = []
    if carried_out:
        parts.append(f"Spacelift executed runs that it had queued on its own: {carried_out}")
    if doubtful:
        parts.append(
            "Spacelift queued runs because of the chain or of someone else's run, so the chain "
            f"leaves them alone: {doubtful}"
        )
    return "; ".join(parts)


def _unused_run(run: v1alpha1.UnusedRun) -> str:
    where = f" of '{run.stack_id}'" if run.stack_id else ""
    other = f"(the other run: {run.other_run_url})" if run.other_run_url else ""
    return " ".join(part for part in (f"{run.run_id}{where}", run.run_url, other) if part)


def _of_stack(
    kind: TransitionKind, status: v1alpha1.Status, stack: v1alpha1.StackStatus
) -> Transition:
    # What a stack waits for may change, and each wants something else.
    is_wait = kind in (TransitionKind.AWAITING_CONFIRMATION, TransitionKind.STACK_WAITING)
    why = (stack.reason or "",) if is_wait else ()
    # Without a run it may end in the same way again, after it was asked for once more.
    is_end_without_run = stack.phase.is_over and stack.run_id is None
    again = (stack.completion_time or "",) if is_end_without_run else ()
    return Transition(
        kind=kind,
        reason=str(kind),
        message=stack.message or "",
        run=status.latest_run,
        stack=stack,
        occasion=(stack.id, str(stack.attempts or 1), stack.run_id or "", *why, *again),
    )


# Requests


def _asked(old: v1alpha1.Status, new: v1alpha1.Status) -> list[Transition]:
    found: list[Transition] = []
    pending = new.pending_run
    if pending is not None and pending != old.pending_run:
        text = f"A request waits; cause: {pending.cause}. {pending.message}"
        found.append(_of(TransitionKind.RUN_PENDING, new, text, pending.cause, pending.message))
    ready, before = new.condition("Ready"), old.condition("Ready")
    wants = reasons.ChainReason.NOT_REQUESTED
    if ready is not None and ready.reason == wants and (before is None or before.reason != wants):
        generation = str(ready.observed_generation)
        found.append(_of(TransitionKind.NOT_REQUESTED, new, ready.message, generation))
    return found


def missed(old: Earlier, new: Later) -> int:
    """Return how many times of the schedule turned out to be too late."""
    before = old.schedule.missed if old.schedule else 0
    return max(0, (new.schedule.missed if new.schedule else 0) - before)


def _missed(old: Earlier, new: Later) -> list[Transition]:
    number = missed(old, new)
    if not number or new.schedule is None:
        return []
    last = new.schedule.last_missed_time
    text = (
        f"{wording.counted(number, 'scheduled start was', 'scheduled starts were')} missed, the "
        f"latest at {last}: `startingDeadlineSeconds` had passed."
    )
    return [_of(TransitionKind.START_MISSED, new, text, str(last))]


def _unseen_roots(old: v1alpha1.Status, new: v1alpha1.Status) -> list[Transition]:
    before = old.triggers.problem if old.triggers else None
    problem = new.triggers.problem if new.triggers else None
    if not problem or problem == before:
        return []
    return [_of(TransitionKind.ROOTS_NOT_SEEN, new, problem, problem)]


# Problems outside of a run: the ends of runs have their own kind.


def _problem(old: v1alpha1.Status, new: v1alpha1.Status) -> list[Transition]:
    ready, before = _problem_of(new), old.condition("Ready")
    if ready is None:
        return []
    if before is not None and (before.status, before.reason) == (ready.status, ready.reason):
        return []
    return [
        _of(
            TransitionKind.PROBLEM,
            new,
            ready.message,
            ready.reason,
            str(ready.observed_generation),
            *_seen(before),
            reason=ready.reason,
        )
    ]


def _recovered(old: v1alpha1.Status, new: v1alpha1.Status) -> list[Transition]:
    before = _problem_of(old)
    if before is None or new.condition("Ready") is None or _problem_of(new) is not None:
        return []
    return [_of(TransitionKind.RECOVERED, new, f"{before.reason} is over.", *_seen(before))]


def _problem_of(status: v1alpha1.Status) -> v1alpha1.Condition | None:
    ready, run = status.condition("Ready"), status.latest_run
    if ready is None or ready.status != "False" or (run is not None and run.reason == ready.reason):
        return None
    return ready


def _seen(before: v1alpha1.Condition | None) -> tuple[str, ...]:
    """Distinguish the same problem at different times, by what was before it."""
    return () if before is None else (before.status, before.reason, before.last_transition_time)
