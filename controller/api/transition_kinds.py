"""What can happen to a chain: the kinds of transitions, reported as Events and as notifications.

Public API: alerts match on the reasons of Events, and sinks name the transitions that they want, so
a name is never changed. The pages under `docs/` carry this table and a test compares both.
"""

import dataclasses
import enum


class TransitionKind(enum.StrEnum):
    """What happened; also the name in a sink's `transitions`."""

    NOT_REQUESTED = "NotRequested"
    RUN_PENDING = "RunPending"
    STALE_REQUEST = "StaleRequest"
    STACKS_REQUESTED = "StacksRequested"
    START_MISSED = "StartMissed"
    ROOTS_NOT_SEEN = "RootsNotSeen"
    RUN_STARTED = "RunStarted"
    GRAPH_RESOLVED = "GraphResolved"
    SUSPENDED = "Suspended"
    RESUMED = "Resumed"
    WINDOW_CLOSED = "WindowClosed"
    STAGE_WAITING = "StageWaiting"
    STAGE_AWAITING_APPROVAL = "StageAwaitingApproval"
    STAGE_APPROVED = "StageApproved"
    STACK_WAITING = "StackWaiting"
    STACK_STARTED = "StackStarted"
    AWAITING_CONFIRMATION = "AwaitingConfirmation"
    STACK_CONFIRMED = "StackConfirmed"
    STACK_RETRYING = "StackRetrying"
    STACK_SUCCEEDED = "StackSucceeded"
    STACK_UNCHANGED = "StackUnchanged"
    STACK_BYPASSED = "StackBypassed"
    STACK_SKIPPED = "StackSkipped"
    STACK_FAILED = "StackFailed"
    STACK_TIMED_OUT = "StackTimedOut"
    STACK_CANCELED = "StackCanceled"
    UNUSED_RUN = "UnusedRun"
    RUN_SUCCEEDED = "RunSucceeded"
    RUN_FAILED = "RunFailed"
    RUN_CANCELED = "RunCanceled"
    RUN_TIMED_OUT = "RunTimedOut"
    DRIFT_DETECTED = "DriftDetected"
    PROBLEM = "Problem"
    RECOVERED = "Recovered"


@dataclasses.dataclass(frozen=True, kw_only=True, slots=True)
class TransitionMeaning:
    """When a transition happens, and how its Event looks."""

    when: str
    is_warning: bool = False
    is_of_stack: bool = False
    """Whether it is about one stack: the Event names all that went the same way at a time."""
    event_reason: str = ""
    """What the page calls the Event's reason, if not by the transition's own name."""


def _stack(when: str, *, is_warning: bool = False) -> TransitionMeaning:
    return TransitionMeaning(when=when, is_warning=is_warning, is_of_stack=True)


_OF_THE_RUN = "the run's reason"

MEANINGS: dict[TransitionKind, TransitionMeaning] = {
    TransitionKind.NOT_REQUESTED: TransitionMeaning(
        when="no one has asked for a run of this spec yet (`startPolicy: OnRequest`)"
    ),
    TransitionKind.RUN_PENDING: TransitionMeaning(
        when="a request waits for the live run to end, or for the chains of `spec.dependsOn`"
    ),
    TransitionKind.STALE_REQUEST: TransitionMeaning(
        when="an annotation does nothing, because of the run or the stacks that it names, or "
        "because it is too long; the message says why",
        is_warning=True,
    ),
    TransitionKind.STACKS_REQUESTED: TransitionMeaning(
        when="a live run accepts a retry or a bypass of stacks"
    ),
    TransitionKind.START_MISSED: TransitionMeaning(
        when="times of the schedule were missed: it was too late to start a run for them",
        is_warning=True,
    ),
    TransitionKind.ROOTS_NOT_SEEN: TransitionMeaning(
        when="roots of a chain with triggers cannot be seen or read; the message says which ones, "
        "or why",
        is_warning=True,
    ),
    TransitionKind.RUN_STARTED: TransitionMeaning(when="a run was started"),
    TransitionKind.GRAPH_RESOLVED: TransitionMeaning(when="its stacks were read"),
    TransitionKind.SUSPENDED: TransitionMeaning(
        when="a live run is suspended: no more stacks start"
    ),
    TransitionKind.RESUMED: TransitionMeaning(when="a live run resumes"),
    TransitionKind.WINDOW_CLOSED: TransitionMeaning(
        when="what is left of a run waits for the chain's window; the message says until when"
    ),
    TransitionKind.STAGE_WAITING: TransitionMeaning(
        when="a stage waits for its soak time or its window; the message says until when"
    ),
    TransitionKind.STAGE_AWAITING_APPROVAL: TransitionMeaning(
        when="a stage waits for a person to approve it; the message says how"
    ),
    TransitionKind.STAGE_APPROVED: TransitionMeaning(when="a person has approved a stage"),
    TransitionKind.STACK_WAITING: _stack(
        "a stack is locked or disabled, another chain has it, another run of it has to end first, "
        "or its plan waits for its window"
    ),
    TransitionKind.STACK_STARTED: _stack("a stack's run is in progress"),
    TransitionKind.AWAITING_CONFIRMATION: _stack(
        "a stack's run waits for a person; the message has the link"
    ),
    TransitionKind.STACK_CONFIRMED: _stack("a run that waited for a person continues"),
    TransitionKind.STACK_RETRYING: _stack(
        "a stack's run failed, and another one follows", is_warning=True
    ),
    TransitionKind.STACK_SUCCEEDED: _stack("a stack's run finished"),
    TransitionKind.STACK_UNCHANGED: _stack(
        "Spacelift skipped a stack's run, since no output that it refers to changed"
    ),
    TransitionKind.STACK_BYPASSED: _stack(
        "a person vouched for a stack, so it counts as done without a run"
    ),
    TransitionKind.STACK_SKIPPED: _stack(
        "a stack does not run because another one did not succeed", is_warning=True
    ),
    TransitionKind.STACK_FAILED: _stack(
        "a stack failed; the message has the link", is_warning=True
    ),
    TransitionKind.STACK_TIMED_OUT: _stack("a stack's deadline passed", is_warning=True),
    TransitionKind.STACK_CANCELED: _stack(
        "a stack's run was canceled, discarded or stopped", is_warning=True
    ),
    TransitionKind.UNUSED_RUN: _stack(
        "Spacelift executed a run that it had queued on its own and that the chain does not use, "
        "or queued one that may belong to the chain or to someone else",
        is_warning=True,
    ),
    TransitionKind.RUN_SUCCEEDED: TransitionMeaning(when="the run succeeded"),
    TransitionKind.RUN_FAILED: TransitionMeaning(
        when="the run failed, or could not start", is_warning=True, event_reason=_OF_THE_RUN
    ),
    TransitionKind.RUN_CANCELED: TransitionMeaning(
        when="the run was canceled, or one of its stacks was",
        is_warning=True,
        event_reason=_OF_THE_RUN,
    ),
    TransitionKind.RUN_TIMED_OUT: TransitionMeaning(
        when="a deadline ended the run", is_warning=True, event_reason=_OF_THE_RUN
    ),
    TransitionKind.DRIFT_DETECTED: TransitionMeaning(
        when="a plan that the schedule started found changes; the message names the stacks",
        is_warning=True,
    ),
    TransitionKind.PROBLEM: TransitionMeaning(
        when="the operator cannot serve the resource, or the resource is being deleted",
        is_warning=True,
        event_reason="the reason of `Ready`",
    ),
    TransitionKind.RECOVERED: TransitionMeaning(when="the problem is over"),
}
