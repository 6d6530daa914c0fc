"""Every situation that a StackChain can be in, as a status, and how tools have to read it.

Rows of docs/status.md, section "Situations", with each reason that `Ready` can have.
"""

import dataclasses
from typing import Any

from controller.api import v1alpha1
from controller.api.reasons import RECHECKED, ChainReason, StackReason
from controller.api.v1alpha1 import Phase
from controller.chain.requests import chain_waits
from controller.chain.requests.executions import ExecutionState
from controller.chain.run import progress
from controller.chain.status import projection
from tests.support.builders import (
    T0,
    make_execution,
    make_facts,
    make_progress,
    make_ref,
    make_stack,
)

PENDING = v1alpha1.PendingRun(cause="Spec", message="Waits for run 1 to end.")
EMPTY = v1alpha1.Status()


def projected(facts: projection.ChainFacts) -> v1alpha1.Status:
    return projection.project(make_ref(), EMPTY, facts, now=T0)


def live(
    *stacks: progress.StackProgress, is_asked: bool = False, **fields: Any
) -> projection.ChainFacts:
    pending = PENDING if is_asked else None
    return make_facts(make_execution(), make_progress(*stacks, **fields), pending=pending)


def ended(*stacks: progress.StackProgress, **fields: Any) -> projection.ChainFacts:
    execution = make_execution(state=ExecutionState.CLOSED)
    return make_facts(execution, make_progress(*stacks, **fields))


def hindered(reason: ChainReason, *, is_retrying: bool) -> projection.ChainFacts:
    problem = projection.Problem(reason=reason, message="It is so.", is_retrying=is_retrying)
    return make_facts(None, problem=problem)


def lost(state: ExecutionState) -> projection.ChainFacts:
    return make_facts(make_execution(state=state))


def waiting_for(which: str, *, needs_person: bool) -> projection.ChainFacts:
    wait = chain_waits.ChainWait(name="network", which=which, needs_person=needs_person)
    waiting = chain_waits.Waiting(waits=(wait,))
    return dataclasses.replace(make_facts(None, pending=PENDING), waiting=waiting)


def suspended(facts: projection.ChainFacts) -> projection.ChainFacts:
    return dataclasses.replace(facts, is_suspended=True)


SUCCEEDED = make_stack("a", Phase.SUCCEEDED)
RUNNING = make_stack("b", Phase.RUNNING)
WAITS = make_stack("c", Phase.AWAITING_CONFIRMATION)

# After the times of the builders.
LATER = "2099-01-01T00:00:00Z"

IN_PROGRESS = ("InProgress", "Progressing")
CURRENT = ("Current", "Healthy")
FAILED = ("Failed", "Degraded")
PAUSED = ("InProgress", "Suspended")

# Name, status, and the words of kstatus and Argo CD; Flux uses those of kstatus.
SITUATIONS: list[tuple[str, v1alpha1.Status, tuple[str, str]]] = [
    (
        "a newer spec that nobody has seen",
        dataclasses.replace(projected(ended(SUCCEEDED)), observed_generation=0),
        IN_PROGRESS,
    ),
    ("created a moment ago", projected(lost(ExecutionState.RUNNING)), IN_PROGRESS),
    ("reading the stacks", projected(live()), IN_PROGRESS),
    ("running", projected(live(SUCCEEDED, RUNNING)), IN_PROGRESS),
    (
        "running on after a failure",
        projected(live(make_stack("a", Phase.FAILED), RUNNING)),
        IN_PROGRESS,
    ),
    (
        "running, and a stack is locked",
        projected(live(RUNNING, make_stack("d", Phase.WAITING, reason=StackReason.STACK_LOCKED))),
        IN_PROGRESS,
    ),
    ("succeeded, and a request waits", projected(live(SUCCEEDED, is_asked=True)), IN_PROGRESS),
    ("running, and a request waits", projected(live(RUNNING, is_asked=True)), IN_PROGRESS),
    ("waiting for a person", projected(live(RUNNING, WAITS)), IN_PROGRESS),
    (
        "a stage waits for its approval",
        projected(
            live(
                make_stack("a", stage="prod"),
                stages=[progress.StageProgress(name="prod", needs_approval=True)],
            )
        ),
        IN_PROGRESS,
    ),
    (
        "what is left waits for its window",
        projected(live(SUCCEEDED, make_stack("b"), window=progress.WindowProgress(until=LATER))),
        IN_PROGRESS,
    ),
    (
        "created suspended",
        projected(suspended(live(make_stack("a"), is_suspended=True))),
        PAUSED,
    ),
    (
        "suspended with work left",
        projected(suspended(live(SUCCEEDED, make_stack("b"), is_suspended=True))),
        PAUSED,
    ),
    (
        "suspended, and a stack runs to its end",
        projected(suspended(live(RUNNING, make_stack("c"), is_suspended=True))),
        IN_PROGRESS,
    ),
    (
        "suspended, and a run waits for a person",
        projected(suspended(live(WAITS, make_stack("d"), is_suspended=True))),
        IN_PROGRESS,
    ),
    ("suspended, and everything had been done", projected(suspended(ended(SUCCEEDED))), CURRENT),
    (
        "a run waits for another chain",
        projected(waiting_for("is running or about to run", needs_person=False)),
        IN_PROGRESS,
    ),
    (
        "a run waits for another chain that needs a person",
        projected(waiting_for("waits for a person", needs_person=True)),
        IN_PROGRESS,
    ),
    ("nobody has asked for a run", projected(make_facts(None, is_not_requested=True)), PAUSED),
    ("succeeded", projected(ended(SUCCEEDED)), CURRENT),
    ("a stack failed", projected(ended(SUCCEEDED, make_stack("b", Phase.FAILED))), FAILED),
    (
        "a retry lost stacks",
        projected(
            ended(
                SUCCEEDED,
                make_stack(
                    "b", Phase.SKIPPED, reason=StackReason.NO_LONGER_IN_CHAIN, has_run=False
                ),
            )
        ),
        FAILED,
    ),
    ("a run was discarded", projected(ended(make_stack("a", Phase.CANCELED))), FAILED),
    (
        "the chain was canceled",
        projected(
            ended(
                make_stack("a", Phase.CANCELED, reason=StackReason.CHAIN_CANCELED),
                is_canceling=True,
            )
        ),
        FAILED,
    ),
    ("a stack timed out", projected(ended(make_stack("a", Phase.TIMED_OUT))), FAILED),
    (
        "the chain timed out",
        projected(
            ended(
                make_stack("a", Phase.TIMED_OUT, reason=StackReason.CHAIN_DEADLINE_EXCEEDED),
                is_timed_out=True,
            )
        ),
        FAILED,
    ),
    *(
        (
            f"it cannot begin: {reason}",
            projected(
                make_facts(
                    make_execution(),
                    make_progress(phase=Phase.FAILED, reason=reason, message="Mend it."),
                )
            ),
            FAILED,
        )
        for reason in sorted(RECHECKED)
    ),
    *(
        (f"a person has to act: {reason}", projected(hindered(reason, is_retrying=False)), FAILED)
        for reason in (
            ChainReason.INVALID_SPEC,
            ChainReason.SCHEDULE_INVALID,
            ChainReason.CHAIN_CYCLE,
            ChainReason.CONNECTION_UNKNOWN,
            ChainReason.NAMESPACE_NOT_ALLOWED,
            ChainReason.OPERATION_NOT_ALLOWED,
            ChainReason.FIELD_NOT_ALLOWED,
        )
    ),
    *(
        (
            f"it goes on by itself: {reason}",
            projected(hindered(reason, is_retrying=True)),
            IN_PROGRESS,
        )
        for reason in (
            ChainReason.TEMPORAL_UNREACHABLE,
            ChainReason.WORKER_UNAVAILABLE,
            ChainReason.WORKFLOW_TASK_FAILING,
            ChainReason.WORKFLOW_UNREADABLE,
            ChainReason.RECONCILE_FAILED,
            ChainReason.DELETING,
        )
    ),
    *(
        (
            f"a stack cannot go on: {reason}",
            projected(live(make_stack("a", Phase.RUNNING, reason=reason, message="It is so."))),
            IN_PROGRESS,
        )
        for reason in (
            StackReason.SPACELIFT_UNREACHABLE,
            StackReason.RATE_LIMITED,
            StackReason.WORKER_FAILING,
            StackReason.CREDENTIALS_REJECTED,
            StackReason.PERMISSION_DENIED,
            StackReason.SIGNATURE_INVALID,
            StackReason.NOT_ALLOWED,
        )
    ),
    (
        "its workers do not hold with its signature",
        projected(live(problem_reason=ChainReason.SIGNATURE_INVALID, problem_message="It is so.")),
        IN_PROGRESS,
    ),
    ("terminated from outside", projected(lost(ExecutionState.TERMINATED)), FAILED),
    ("the workflow failed", projected(lost(ExecutionState.FAILED)), FAILED),
]
