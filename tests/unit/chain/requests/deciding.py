"""Short forms for the tests of `decide`."""

import dataclasses
from typing import Any

from controller.api import reasons, v1alpha1
from controller.api.v1alpha1 import Phase
from controller.chain.requests import chain_waits, executions
from controller.chain.requests import decide as decisions
from controller.chain.requests.executions import ExecutionState
from controller.chain.run import progress
from tests.support.builders import (
    handled,
    make_execution,
    make_progress,
    make_run,
    make_spec,
    make_stack,
    make_status,
)

A, B = make_spec("a"), make_spec("b")


UNKNOWN = reasons.ChainReason.UNKNOWN_STACK


def decide(
    chain: v1alpha1.StackChain,
    execution: executions.Execution | None = None,
    *,
    live_parallelism: int | None = None,
    is_live_suspended: bool = False,
    is_recheck_due: bool = False,
    waiting: chain_waits.Waiting = chain_waits.NOTHING,
    known: progress.ChainProgress | None = None,
) -> decisions.Decision:
    live = None
    if live_parallelism is not None:
        live = executions.LiveSettings(parallelism=live_parallelism, is_suspended=is_live_suspended)
    return decisions.decide(
        chain,
        execution,
        live=live,
        is_recheck_due=is_recheck_due,
        waiting=waiting,
        known=known,
    )


def nothing(handled_asks: v1alpha1.Handled) -> decisions.Decision:
    return decisions.Decision(handled=handled_asks)


def closed(number: int = 1, **fields: object) -> executions.Execution:
    return make_execution(number, state=ExecutionState.CLOSED, **fields)  # type: ignore[arg-type]


def unknown_root(attempt: int = 1, **fields: object) -> v1alpha1.RunStatus:
    return make_run(1, phase=Phase.FAILED, reason=UNKNOWN, attempt=attempt, **fields)  # type: ignore[arg-type]


def spec_with(**fields: Any) -> v1alpha1.StackChainSpec:
    """Return A with further fields, as the API server hands them out."""
    return v1alpha1.read_spec({"roots": {"stackIds": ["a"]}} | fields)


ON_REQUEST = spec_with(startPolicy="OnRequest")


FAILED = make_run(3, phase=Phase.FAILED)
LIVE = make_status(make_run(3, phase=Phase.RUNNING), last_handled=handled(A))


def running(*requests: progress.HandledRequest, **fields: object) -> progress.ChainProgress:
    """Return what live run 3 says, which has handled these requests."""
    return make_progress(
        make_stack("a", Phase.RUNNING), number=3, requests=list(requests), **fields
    )


def ended(*rows: tuple[str, Phase, str], **fields: Any) -> v1alpha1.Status:
    """A status after run 3, with stacks."""
    stacks = [
        v1alpha1.StackStatus(id=name, level=0, phase=phase, reason=reason, run_id=f"01{name}")
        for name, phase, reason in rows
    ]
    return make_status(FAILED, last_handled=handled(A), stacks=stacks, **fields)


BY_ITSELF = make_spec(
    "a",
    "b",
    schedule=v1alpha1.Schedule(cron="@daily"),
    triggers=(v1alpha1.StartTrigger(type=v1alpha1.StartTriggerType.ROOT_RUN_FINISHED),),
)


ON_REQUEST = dataclasses.replace(BY_ITSELF, start_policy=v1alpha1.StartPolicy.ON_REQUEST)
