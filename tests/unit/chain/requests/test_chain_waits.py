"""chain_waits, other_chains: for which other chains a run waits, and what that keeps from starting.

Given: the states of the chains that a chain names. Asserted: whether it waits, for whom, and
whether a person has to act there.
"""

import dataclasses
from typing import Any

import pytest

from controller.api import v1alpha1
from controller.api.v1alpha1 import Cause, Phase
from controller.chain.requests import chain_waits, other_chains
from controller.chain.requests.chain_waits import ChainWait, Waiting
from tests.support.builders import (
    T0,
    handled,
    make_execution,
    make_run,
    make_stack_chain,
    make_status,
)
from tests.support.golden import Golden
from tests.unit.chain.requests.deciding import A, B, closed, decide, spec_with, unknown_root

PAGE = "chain_waits"


def conditions(ready: str, reason: str, *, is_stalled: bool = False) -> Any:
    values = {"Ready": ready, "Stalled": str(is_stalled)}
    return tuple(
        v1alpha1.Condition(
            type=name,
            status=value,
            reason=reason,
            message="",
            observed_generation=1,
            last_transition_time=T0,
        )
        for name, value in values.items()
    )


def standing(
    ready: str, reason: str, *, is_stalled: bool = False, **status: Any
) -> v1alpha1.StackChain:
    found = make_status(
        make_run(1),
        last_handled=handled(A),
        conditions=conditions(ready, reason, is_stalled=is_stalled),
        **status,
    )
    return make_stack_chain(spec=A, status=found)


CLEAR = standing("True", "RunSucceeded")
PENDING = v1alpha1.PendingRun(cause="Schedule", message="", scheduled_time=T0)

# By case: the other chain, and whether a person has to act there.
WAITED_FOR: dict[str, tuple[v1alpha1.StackChain | None, bool]] = {
    "absent": (None, True),
    "being deleted": (dataclasses.replace(CLEAR, is_deleting=True), True),
    "never looked at": (make_stack_chain(spec=A), False),
    "changed since it was looked at": (
        dataclasses.replace(CLEAR, ref=dataclasses.replace(CLEAR.ref, generation=2)),
        False,
    ),
    "running": (standing("Unknown", "Progressing"), False),
    "waiting for a person": (standing("Unknown", "AwaitingConfirmation"), True),
    "waiting for the approval of a stage": (standing("Unknown", "AwaitingApproval"), True),
    "blocked": (standing("Unknown", "Blocked"), True),
    "waiting for another chain": (standing("Unknown", "WaitingForChain"), False),
    "suspended": (standing("Unknown", "Suspended"), True),
    "not asked": (standing("Unknown", "NotRequested"), True),
    "failed": (standing("False", "StackFailed", is_stalled=True), True),
    "failed and asked again": (
        dataclasses.replace(standing("False", "StackFailed", is_stalled=True), run_token="again"),
        False,
    ),
    "Spacelift away": (standing("False", "SpaceliftUnreachable"), False),
    "Ready with a new spec": (dataclasses.replace(CLEAR, spec=B), False),
    "Ready with a new token": (dataclasses.replace(CLEAR, run_token="again"), False),
    "Ready with a request that waits": (
        standing("True", "RunSucceeded", pending_run=PENDING),
        False,
    ),
}


@pytest.mark.parametrize("case", WAITED_FOR)
def test_a_chain_that_is_not_ready_or_is_asked_is_waited_for(case: str, golden: Golden) -> None:
    other, needs_person = WAITED_FOR[case]

    wait = other_chains.wait_for("network", other)

    assert wait is not None
    assert wait.needs_person is needs_person
    golden(PAGE).check(case, chain_waits.text_of([wait]))


def test_a_chain_that_is_ready_with_nothing_asked_is_not_waited_for() -> None:
    assert other_chains.wait_for("network", CLEAR) is None


def test_all_that_are_waited_for_are_named(golden: Golden) -> None:
    chain = make_stack_chain(spec=spec_with(dependsOn=[{"name": f"c{n}"} for n in range(8)]))
    others = other_chains.OtherChains(found={"c0": CLEAR}, unreadable=frozenset({"c1"}))

    waiting = other_chains.waiting_of(chain, others)

    assert [wait.name for wait in waiting.waits] == [f"c{n}" for n in range(1, 8)]
    golden(PAGE).check("many", chain_waits.text_of(waiting.waits))


def test_a_chain_that_does_not_exist_is_told_with_the_one_that_may_be_meant(
    golden: Golden,
) -> None:
    named = ("stagin", "vpc-2", "chan", "stagig")
    chain = make_stack_chain(spec=spec_with(dependsOn=[{"name": one} for one in named]))
    others = other_chains.OtherChains(
        found={}, names=frozenset({"staging", "vpc-1", chain.ref.name, "prod"})
    )

    waiting = other_chains.waiting_of(chain, others)

    golden(PAGE).check("misspelled names", chain_waits.text_of(waiting.waits))


# Cycles


@pytest.mark.parametrize(
    ("drawing", "cycle"),
    [
        ("", ""),
        ("a>b", ""),
        ("a>b b>c c>d", ""),
        ("a>b b>c c>b", ""),
        ("a>a", "aa"),
        ("a>b b>a", "aba"),
        ("a>b b>c c>a", "abca"),
        ("a>b b>c c>d d>a c>a", "abca"),
        ("a>x a>b b>a", "aba"),
    ],
)
def test_a_cycle_is_found_from_the_chain_to_itself(drawing: str, cycle: str) -> None:
    edges: dict[str, list[str]] = {}
    for edge in drawing.split():
        edges.setdefault(edge[0], []).append(edge[2])

    assert chain_waits.cycle_through("a", edges) == tuple(cycle)


def test_forty_chains_in_a_row_are_no_cycle_until_the_last_names_the_first(golden: Golden) -> None:
    row = {f"c{n}": [f"c{n + 1}"] for n in range(39)}
    circle = {**row, "c39": ["c0"]}

    assert chain_waits.cycle_through("c0", row) == ()
    found = chain_waits.cycle_through("c0", circle)

    assert found == (*(f"c{n}" for n in range(40)), "c0")
    golden(PAGE).check("a cycle of forty", chain_waits.cycle_text(found))


def test_a_cycle_of_two_is_named_with_what_to_do(golden: Golden) -> None:
    golden(PAGE).check("a cycle of two", chain_waits.cycle_text(("a", "b", "a")))


def test_what_a_chain_names_now_counts_and_not_what_the_watch_has_shown() -> None:
    others = other_chains.OtherChains(
        found={"b": CLEAR}, dependencies={"chain": ("b",), "b": ["chain"]}
    )

    cut = other_chains.waiting_of(make_stack_chain(spec=A), others)
    tied = other_chains.waiting_of(
        make_stack_chain(spec=spec_with(dependsOn=[{"name": "b"}])), others
    )

    assert (cut.cycle, tied.cycle) == ((), ("chain", "b", "chain"))


# What it keeps from starting

NETWORK = ChainWait(name="network", which="is running or about to run")
WAITING = Waiting(waits=(NETWORK,))
CYCLE = Waiting(cycle=("chain", "b", "chain"))
FAILED = make_run(1, phase=Phase.FAILED)
ROOT_RUN = v1alpha1.RootRun(stack_id="a", run_id="9")
OVER = make_status(make_run(1), last_handled=handled(A))
ASKED: dict[str, tuple[v1alpha1.StackChain, Cause]] = {
    "created": (make_stack_chain(spec=A), Cause.SPEC),
    "edited": (make_stack_chain(spec=B, status=OVER, generation=2), Cause.SPEC),
    "a token": (make_stack_chain(spec=A, status=OVER, run_token="t"), Cause.RUN_TOKEN),
    "a retry": (
        make_stack_chain(
            spec=A, status=make_status(FAILED, last_handled=handled(A)), retry_token="1"
        ),
        Cause.RETRY,
    ),
    "a time": (
        make_stack_chain(
            spec=spec_with(schedule={"cron": "* * * * *"}),
            status=dataclasses.replace(OVER, pending_run=PENDING),
        ),
        Cause.SCHEDULE,
    ),
    "a root's run": (
        make_stack_chain(
            spec=spec_with(triggers=[{"type": "RootRunFinished"}]),
            status=dataclasses.replace(
                OVER,
                pending_run=v1alpha1.PendingRun(cause="", message="", root_runs=(ROOT_RUN,)),
            ),
        ),
        Cause.ROOT_RUN_FINISHED,
    ),
}


@pytest.mark.parametrize("waiting", [WAITING, CYCLE], ids=["waiting", "in a cycle"])
@pytest.mark.parametrize("case", ASKED)
def test_what_is_asked_waits_and_stays_asked_until_nothing_is_waited_for(
    case: str, waiting: Waiting
) -> None:
    chain, cause = ASKED[case]
    execution = closed() if chain.status.latest_run else None

    held = decide(chain, execution, waiting=waiting)
    assert held.start is None
    assert held.pending is not None
    assert (held.pending.cause, held.waiting, held.cancel) == (cause, waiting, False)
    status = dataclasses.replace(chain.status, last_handled=held.handled, pending_run=held.pending)
    later = decide(dataclasses.replace(chain, status=status), execution)

    assert later.start is not None
    assert (later.start.cause, later.waiting) == (cause, chain_waits.NOTHING)
    # As if it had never waited.
    assert later.start == decide(chain, execution).start


def test_a_live_run_is_not_touched() -> None:
    chain = make_stack_chain(spec=A, run_token="t", status=OVER)

    assert decide(chain, make_execution(1), waiting=WAITING) == decide(chain, make_execution(1))


def test_nothing_waits_where_nothing_is_asked() -> None:
    chain = make_stack_chain(spec=A, status=OVER)

    assert decide(chain, closed(), waiting=WAITING) == decide(chain, closed())


def test_a_cycle_is_said_where_nothing_is_asked_too() -> None:
    decision = decide(make_stack_chain(spec=A, status=OVER), closed(), waiting=CYCLE)

    assert (decision.waiting.cycle, decision.pending) == (CYCLE.cycle, None)


def test_a_run_that_triggered_nothing_is_not_tried_again_meanwhile() -> None:
    chain = make_stack_chain(spec=A, status=make_status(unknown_root(), last_handled=handled(A)))

    held = decide(chain, closed(), is_recheck_due=True, waiting=WAITING)
    later = decide(chain, closed(), is_recheck_due=True)

    assert (held.start, later.start is not None) == (None, True)
