"""Short forms for the tests of `projection`."""

import dataclasses

from controller.api import v1alpha1
from controller.api.reasons import ChainReason
from controller.api.v1alpha1 import Phase
from controller.chain.requests.executions import ExecutionState
from controller.chain.run import progress
from controller.chain.status import projection
from tests.support.builders import (
    T3,
    make_execution,
    make_facts,
    make_progress,
    make_ref,
    make_stack,
)

NOW = T3


EMPTY = v1alpha1.Status()


PENDING = v1alpha1.PendingRun(cause="Spec", message="Waits for run 1 to end.")


def project(
    facts: projection.ChainFacts,
    old: v1alpha1.Status = EMPTY,
    *,
    generation: int = 1,
    now: str = NOW,
) -> v1alpha1.Status:
    return projection.project(make_ref(generation=generation), old, facts, now=now)


def condition(found: v1alpha1.Status, type_: str) -> v1alpha1.Condition:
    result = found.condition(type_)
    assert result is not None
    return result


def verdict(found: v1alpha1.Status) -> tuple[str, str, str, str]:
    """Return Ready, its reason, Reconciling and Stalled, as the table of situations has them."""
    ready = condition(found, "Ready")
    stalled, reconciling = condition(found, "Stalled"), condition(found, "Reconciling")
    assert {ready.reason} == {stalled.reason, reconciling.reason}
    return ready.status, ready.reason, reconciling.status, stalled.status


def problem(reason: ChainReason, *, is_retrying: bool) -> projection.Problem:
    return projection.Problem(reason=reason, message="It is so.", is_retrying=is_retrying)


def live(*stacks: progress.StackProgress, **fields: object) -> projection.ChainFacts:
    known = make_progress(*stacks, **fields)  # type: ignore[arg-type]
    return make_facts(make_execution(known.number, attempt=known.attempt), known)


def ended(*stacks: progress.StackProgress, **fields: object) -> projection.ChainFacts:
    known = make_progress(*stacks, **fields)  # type: ignore[arg-type]
    execution = make_execution(known.number, attempt=known.attempt, state=ExecutionState.CLOSED)
    return make_facts(execution, known)


def failed_graph(reason: ChainReason, **fields: object) -> progress.ChainProgress:
    return make_progress(
        phase=Phase.FAILED,
        reason=reason,
        message="Mend it.",
        **fields,  # type: ignore[arg-type]
    )


def executed(
    state: ExecutionState, *, termination: str = "", **fields: object
) -> projection.ChainFacts:
    execution = dataclasses.replace(make_execution(1, state=state), termination=termination)
    return make_facts(execution, **fields)


PROGRESSING = ("Unknown", "Progressing", "True", "False")


RUNNING = make_stack("a", Phase.RUNNING)


SUCCEEDED = make_stack("a", Phase.SUCCEEDED)
