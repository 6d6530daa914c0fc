"""What the conditions of a resource say, given its run and stacks as they will be shown. Pure.

`Ready`, `Reconciling` and `Stalled` follow from one verdict, so that they never contradict each
other; tools that know kstatus read them without knowing this resource.
"""

import dataclasses
from collections.abc import Mapping

from controller import outside_text
from controller.api import reasons, v1alpha1, wording
from controller.api.v1alpha1 import Phase
from controller.chain.requests import chain_waits
from controller.chain.run import attention, gates, progress
from controller.chain.status import drift, remedies

Reason = reasons.ChainReason

# How many stacks a message names before it counts the others.
_NAMED = 5
_LABEL_CHARACTERS = 64

# What keeps a stack of a live run from continuing: until a person acts, and until it passes.
_REFUSED = {
    reasons.StackReason.CREDENTIALS_REJECTED: Reason.CREDENTIALS_REJECTED,
    reasons.StackReason.PERMISSION_DENIED: Reason.SPACELIFT_REFUSED,
    reasons.StackReason.SIGNATURE_INVALID: Reason.SIGNATURE_INVALID,
}
_PASSING = {
    reasons.StackReason.SPACELIFT_UNREACHABLE: Reason.SPACELIFT_UNREACHABLE,
    reasons.StackReason.RATE_LIMITED: Reason.RATE_LIMITED,
    reasons.StackReason.WORKER_FAILING: Reason.WORKER_FAILING,
}


@dataclasses.dataclass(frozen=True, kw_only=True, slots=True)
class Problem:
    """Something outside of the run that keeps the request from being served.

    `is_retrying`: it is retried automatically, at any moment; otherwise a person has to do
    something.
    """

    reason: reasons.ChainReason
    message: str
    is_retrying: bool


@dataclasses.dataclass(frozen=True, kw_only=True, slots=True)
class ConditionFacts:
    """All that conditions are made of.

    `has_unhandled`: asked for, and taken up by no run yet. `is_not_requested`: to be run only when
    asked, and no one has; `is_held`: because it was restored, or created to destroy.
    `is_suspended`: what the spec says. `is_spec_new`: it is not the one with which the run ran.
    `waiting`: for which chains a run that is asked for waits. `handled` is what was asked for and
    taken up. `next_time`: when the schedule starts a run next.
    """

    run: v1alpha1.RunStatus | None
    stacks: tuple[v1alpha1.StackStatus, ...]
    handled: v1alpha1.Handled = dataclasses.field(default_factory=v1alpha1.Handled)
    is_spec_new: bool = False
    known: progress.ChainProgress | None = None
    problem: Problem | None = None
    has_unhandled: bool = False
    is_suspended: bool = False
    is_not_requested: bool = False
    is_held: bool = False
    waiting: chain_waits.Waiting = chain_waits.NOTHING
    next_time: str | None = None


@dataclasses.dataclass(frozen=True, kw_only=True, slots=True)
class _Verdict:
    ready: str
    reason: str
    message: str
    reconciling: bool = False
    stalled: bool = False

    def value(self, status: str) -> "_Value":
        """One of the conditions that follow from it."""
        return _Value(status=status, reason=self.reason, message=self.message)


@dataclasses.dataclass(frozen=True, kw_only=True, slots=True)
class _Value:
    status: str
    reason: str
    message: str


def conditions(
    ref: v1alpha1.Ref, old: v1alpha1.Status, facts: ConditionFacts, *, now: str
) -> tuple[v1alpha1.Condition, ...]:
    """Return all conditions; one whose status is as it was keeps its transition time."""
    verdict = _verdict(facts)
    wanted = {
        "Ready": verdict.value(verdict.ready),
        "Reconciling": verdict.value(_bool(verdict.reconciling)),
        "Stalled": verdict.value(_bool(verdict.stalled)),
        "GraphResolved": _graph_resolved(facts, old.condition("GraphResolved")),
        "AwaitingConfirmation": _awaiting(facts),
        "Suspended": _suspended(facts),
    }
    drifted = _drift_detected(facts, old.condition("DriftDetected"))
    if drifted is not None:
        wanted["DriftDetected"] = drifted
    return tuple(
        _condition(ref, old.condition(type_), type_, value, now=now)
        for type_, value in wanted.items()
    )


def _verdict(facts: ConditionFacts) -> _Verdict:
    problem, known, run = facts.problem, facts.known, facts.run
    if problem is not None:
        return _Verdict(
            ready="False",
            reason=problem.reason,
            message=problem.message,
            reconciling=problem.is_retrying,
            stalled=not problem.is_retrying,
        )
    if known is not None and known.problem_reason and known.completion_time is None:
        return _hindered(known.problem_reason, known.problem_message)
    is_resting = run is None or run.phase.is_over
    if is_resting and facts.is_not_requested and not facts.has_unhandled:
        text = _not_requested_text(facts)
        return _Verdict(ready="Unknown", reason=Reason.NOT_REQUESTED, message=text)
    if is_resting and facts.waiting.waits:
        return _waiting_for_chains(facts.waiting)
    if run is None or facts.has_unhandled or not run.phase.is_over:
        return _in_progress(facts)
    if run.phase is Phase.SUCCEEDED:
        message = f"{run.message}{_scheduled_text(facts)}"
        return _Verdict(ready="True", reason=Reason.RUN_SUCCEEDED, message=message)
    reason = run.reason or Reason.WORKFLOW_FAILED
    can = remedies.possible(run, facts.handled, is_followed=False, is_spec_new=facts.is_spec_new)
    message = f"{remedies.with_remedy(run, can)}{_scheduled_text(facts)}"
    return _Verdict(ready="False", reason=reason, message=message, stalled=True)


def _waiting_for_chains(waiting: chain_waits.Waiting) -> _Verdict:
    is_one = len(waiting.waits) == 1
    message = (
        f"{chain_waits.text_of(waiting.waits)} The requested run starts once "
        f"{'it is' if is_one else 'they are'} Ready with no open request."
    )
    if (first := waiting.first_needing_person) is not None:
        message += (
            f" Create '{first.name}' if it does not exist, act on what `kubectl describe schain "
            f"{first.name}` says, or remove the name from `spec.dependsOn`."
        )
        return _Verdict(ready="Unknown", reason=Reason.BLOCKED, message=message, reconciling=True)
    reason = Reason.WAITING_FOR_CHAIN
    return _Verdict(ready="Unknown", reason=reason, message=message, reconciling=True)


def _hindered(reason: str, message: str) -> _Verdict:
    """A problem may pass on its own, and the run then continues."""
    return _Verdict(ready="False", reason=reason, message=message, reconciling=True)


def _in_progress(facts: ConditionFacts) -> _Verdict:
    run = facts.run
    text = _progress_text(facts)
    if run is None or run.phase.is_over:
        return _Verdict(ready="Unknown", reason=Reason.PROGRESSING, message=text, reconciling=True)
    said, reason = run.message, run.reason or Reason.PROGRESSING
    refused, passing = _hindrance(facts, _REFUSED), _hindrance(facts, _PASSING)
    if refused is not None:
        # What needs a person names it already, unless the run says that it ends.
        is_ending = facts.known is not None and facts.known.is_canceling
        said = f"{refused.message} {said}".strip() if is_ending or not said else said
        return _hindered(refused.reason, f"{said} [{text}]")
    if passing is not None and reason == Reason.PROGRESSING:
        return _hindered(passing.reason, " ".join(filter(None, (passing.message, said))))
    message = " ".join(filter(None, (said, passing.message if passing else "")))
    is_suspended = run.reason == Reason.SUSPENDED and not facts.has_unhandled
    return _Verdict(
        ready="Unknown",
        reason=reason,
        message=f"{message} [{text}]" if message else text,
        # Nothing moves until a person lets it.
        reconciling=not (is_suspended and run.phase is Phase.PENDING),
    )


def _hindrance(
    facts: ConditionFacts, meanings: Mapping[reasons.StackReason, reasons.ChainReason]
) -> _Value | None:
    """Return what keeps a stack from continuing, if it is for one of these reasons."""
    for stack in facts.stacks:
        for reason, meaning in meanings.items():
            if stack.reason == reason and not stack.phase.is_over:
                why = f": {stack.message}" if stack.message else " cannot continue."
                return _Value(status="False", reason=meaning, message=f"'{stack.id}'{why}")
    return None


def _scheduled_text(facts: ConditionFacts) -> str:
    """Say when the schedule starts the next run of a chain at rest."""
    if facts.next_time is None or facts.is_suspended:
        return ""
    return f" The schedule starts the next run at {facts.next_time}."


def _not_requested_text(facts: ConditionFacts) -> str:
    run, scheduled = facts.run, _scheduled_text(facts)
    if facts.is_held:
        return (
            "This StackChain was created with `operation: Destroy`, or was restored, so it does "
            "not run until someone asks for a run. To run it, set the annotation "
            f"`{v1alpha1.RUN_ANNOTATION}` or `spec.runToken` to a new value.{scheduled}"
        )
    if scheduled:
        since = f" The spec has changed since run {run.number}." if run else ""
        return (
            f"{scheduled.strip()}{since} To run it earlier, set the annotation "
            f"`{v1alpha1.RUN_ANNOTATION}` to a new value."
        )
    since = f"The spec has changed since run {run.number}" if run else "No one has requested a run"
    return (
        f"{since}, and `spec.startPolicy` is OnRequest. To run it, set the annotation "
        f"`{v1alpha1.RUN_ANNOTATION}` to a new value."
    )


def _progress_text(facts: ConditionFacts) -> str:
    run = facts.run
    if run is None or run.phase.is_over:
        return "A run is about to start."
    # One that was reset has its rows, but has not read the stacks again.
    if not run.summary.total or not run.progress:
        return f"Run {run.number}: reading the stacks from Spacelift."
    summary = run.summary
    unchanged = sum(s.reason == reasons.StackReason.OUTPUT_UNCHANGED for s in facts.stacks)
    counts = (
        (summary.awaiting_confirmation, "waiting for a person"),
        (summary.running, "running"),
        (summary.waiting, "waiting"),
        (summary.pending, "pending"),
        (summary.failed, "failed"),
        (summary.canceled, "canceled"),
        (summary.timed_out, "timed out"),
        (summary.skipped, "skipped"),
    )
    parts = [f"{run.progress} done", *(f"{count} {word}" for count, word in counts if count > 0)]
    bypassed = sum(s.reason == reasons.StackReason.BYPASSED for s in facts.stacks)
    details = ((unchanged, "unchanged"), (bypassed, "bypassed"))
    if unchanged or bypassed:
        parts[-1] += f" ({', '.join(f'{count} {word}' for count, word in details if count)})"
    waits = " Another run waits for this one to end." if facts.has_unhandled else ""
    return f"Run {run.number}: {', '.join(parts)}.{waits}"


def _graph_resolved(facts: ConditionFacts, old: v1alpha1.Condition | None) -> _Value:
    run, problem = facts.run, facts.problem
    if run is not None and run.reason in reasons.RECHECKED:
        return _Value(status="False", reason=run.reason, message=run.message)
    if run is not None and facts.stacks and run.summary.total:
        lost = sum(s.reason == reasons.StackReason.NO_LONGER_IN_CHAIN for s in facts.stacks)
        stacks = wording.counted(run.summary.total - lost, "stack")
        resolved = reasons.ConditionReason.RESOLVED
        message = f"The order of {stacks} is known."
        if facts.known is not None:
            message += _exclusions_text(facts.known)
            message += _empty_stages_text(facts.known) + _look_alikes_text(facts.known)
        elif old is not None and old.message.startswith(message):
            # Only the run itself knows its labels, and Temporal forgets it.
            message = old.message
        return _Value(status="True", reason=resolved, message=message)
    reason = problem.reason if problem else Reason.PROGRESSING
    return _Value(status="Unknown", reason=reason, message="The stacks have not been read.")


def _exclusions_text(known: progress.ChainProgress) -> str:
    """Name what is excluded and no stack, since what was meant runs."""
    if not known.unmatched_exclusions:
        return ""
    running = [stack.id for stack in known.stacks]
    named = [
        f"'{stack_id}'{wording.did_you_mean(stack_id, running)}"
        for stack_id in known.unmatched_exclusions
    ]
    return (
        f" Excluded, but not in the graph: {wording.listed(named, most=_NAMED)}. Correct "
        "`spec.graph.exclude.stackIds`, unless it is meant for stacks that are gone."
    )


def _empty_stages_text(known: progress.ChainProgress) -> str:
    names = gates.empty(known)
    if not names:
        return ""
    no_stack = "stage that no stack belongs to", "stages that no stack belongs to"
    return (
        f" `spec.stages` has {wording.counted(len(names), *no_stack)}: "
        f"{wording.listed(wording.quoted(names), most=_NAMED)}. A stack belongs to the first "
        "stage all of whose labels it has."
    )


def _look_alikes_text(known: progress.ChainProgress) -> str:
    if not known.look_alikes:
        return ""
    found = [
        f"'{outside_text.clean(item.label, most=_LABEL_CHARACTERS)}' of '{item.stack_id}'"
        for item in known.look_alikes
    ]
    one = len(found) == 1
    return (
        f" {wording.counted(len(found), 'label')} {'looks' if one else 'look'} like a dependency "
        f"but {'is' if one else 'are'} not one: {wording.listed(found, most=_NAMED)}. A "
        "dependency is written `dependsOn:<stack id>`, or with another prefix of the "
        "connection, one label for each upstream stack."
    )


def _awaiting(facts: ConditionFacts) -> _Value:
    waiting = [s for s in facts.stacks if s.phase is Phase.AWAITING_CONFIRMATION]
    is_canceling = facts.known is not None and facts.known.is_canceling
    stages = attention.to_approve(facts.run.stages if facts.run is not None else ())
    if not (waiting or stages) or is_canceling:
        none = reasons.ConditionReason.NONE_WAITS
        return _Value(status="False", reason=none, message="No run waits for a person.")
    links = [f"'{stack.id}'" + (f": {stack.run_url}" if stack.run_url else "") for stack in waiting]
    links += [f"stage '{stage.name}': {stage.message}" for stage in stages]
    reason: str = Reason.AWAITING_APPROVAL
    if waiting:
        reason = waiting[0].reason or Reason.AWAITING_CONFIRMATION
    listed = wording.listed(links, most=_NAMED, separator="; ")
    return _Value(status="True", reason=reason, message=listed)


def _suspended(facts: ConditionFacts) -> _Value:
    if not facts.is_suspended:
        not_suspended = reasons.ConditionReason.NOT_SUSPENDED
        return _Value(status="False", reason=not_suspended, message="`spec.suspend` is false.")
    message = "`spec.suspend` is true: no more stacks start."
    return _Value(status="True", reason=reasons.ConditionReason.SUSPENDED, message=message)


def _drift_detected(facts: ConditionFacts, old: v1alpha1.Condition | None) -> _Value | None:
    """Say what the newest plan of the schedule found; a run that applied may have ended it.

    Nothing for a chain for which no schedule has started a plan yet.
    """
    run, reason = facts.run, reasons.ConditionReason
    is_plan = run is not None and run.operation == v1alpha1.Operation.PLAN
    if run is None or not drift.is_looked_for(run) or not run.phase.is_over:
        if old is None:
            return None
        if is_plan:
            return _Value(status=old.status, reason=old.reason, message=old.message)
        message = "No plan that the schedule started is newer than all other runs."
        return _Value(status="Unknown", reason=reason.NOT_PLANNED, message=message)
    found = drift.stacks_of(run, facts.stacks)
    if found:
        message = drift.message(run, found)
        return _Value(status="True", reason=reason.CHANGES_FOUND, message=message)
    if run.phase is not Phase.SUCCEEDED:
        message = f"Run {run.number}, which looked for drift, did not succeed."
        return _Value(status="Unknown", reason=reason.NOT_PLANNED, message=message)
    message = f"Run {run.number} found no changes."
    return _Value(status="False", reason=reason.NO_CHANGES, message=message)


def _condition(
    ref: v1alpha1.Ref,
    old: v1alpha1.Condition | None,
    type_: str,
    value: _Value,
    *,
    now: str,
) -> v1alpha1.Condition:
    is_same = old is not None and old.status == value.status
    return v1alpha1.Condition(
        type=type_,
        status=value.status,
        reason=outside_text.visible(value.reason),
        message=outside_text.visible(value.message),
        observed_generation=ref.generation,
        last_transition_time=old.last_transition_time if is_same and old is not None else now,
    )


def _bool(value: bool) -> str:
    return "True" if value else "False"
