"""decide: what the annotation `approve` does."""

import dataclasses

import pytest

from controller.api.v1alpha1 import Phase
from controller.chain.requests import handled_asks
from controller.chain.run import progress
from controller.chain.run.progress import HandledRequest, LiveRequest, LiveRequestKind
from tests.support.builders import (
    handled,
    make_execution,
    make_stack_chain,
)
from tests.support.golden import Golden
from tests.unit.chain.requests.deciding import LIVE, A, closed, decide, ended, nothing, running

APPROVE = LiveRequestKind.APPROVE


@pytest.mark.parametrize("known", [running(), None], ids=["a worker answers", "none does"])
def test_an_approval_is_asked_of_the_live_run_until_it_says_that_it_is_handled(
    known: progress.ChainProgress | None,
) -> None:
    chain = make_stack_chain(spec=A, status=LIVE, approve_token="3: prod @jane")

    decision = decide(chain, make_execution(3), known=known)

    request = LiveRequest(kind=APPROVE, token="3: prod @jane", number=3, names=["prod"])
    assert decision == dataclasses.replace(nothing(handled(A)), requests=(request,))


def test_an_approval_that_the_run_has_taken_is_handled_and_said_by_its_stage_alone() -> None:
    taken = HandledRequest(kind=APPROVE, token="3: prod", message="Approved: 'prod'.")
    chain = make_stack_chain(spec=A, status=LIVE, approve_token="3: prod")

    decision = decide(chain, make_execution(3), known=running(taken))

    assert decision == nothing(handled(A, approve="3: prod"))


def test_an_approval_that_the_run_has_refused_is_handled_with_why(golden: Golden) -> None:
    why = "stage 'prod' is Running and is not waiting for approval"
    refused = HandledRequest(kind=APPROVE, token="3: prod", message=why, is_refused=True)
    chain = make_stack_chain(spec=A, status=LIVE, approve_token="3: prod")

    decision = decide(chain, make_execution(3), known=running(refused))

    assert decision.handled.approve == "3: prod"
    golden("stale_requests").check("approve: the run has refused it", decision.notes[0])


@pytest.mark.parametrize(
    "token", ["2: prod", "4: prod", "3", "prod", "3: dev, prod", "3:", "3: prod,"]
)
def test_an_approval_of_another_run_or_of_no_stage_does_nothing(token: str, golden: Golden) -> None:
    chain = make_stack_chain(spec=A, status=LIVE, approve_token=token)

    decision = decide(chain, make_execution(3), known=running())

    assert (decision.requests, decision.handled.approve) == ((), token)
    golden("stale_requests").check(f"approve: {token}", decision.notes[0])


@pytest.mark.parametrize("is_live", [True, False], ids=["is ending", "is over"])
def test_an_approval_of_a_run_that_ends_does_nothing_and_starts_none(
    is_live: bool, golden: Golden
) -> None:
    status = LIVE if is_live else ended(("a", Phase.FAILED, "RunFailed"))
    number = status.latest_run.number if status.latest_run else 0
    chain = make_stack_chain(spec=A, status=status, approve_token=f"{number}: prod")
    execution = make_execution(number) if is_live else closed(number)
    known = running(is_canceling=True) if is_live else None

    decision = decide(chain, execution, known=known)

    assert (decision.requests, decision.start) == ((), None)
    assert decision.handled.approve == f"{number}: prod"
    golden("stale_requests").check(
        f"approve: the run {'is ending' if is_live else 'is over'}", decision.notes[0]
    )


def test_what_was_approved_stays_handled_when_the_next_run_starts() -> None:
    told = dataclasses.replace(LIVE, last_handled=handled(A, approve="3: prod"))

    assert handled_asks.handled_asks(told, make_execution(3)).approve == "3: prod"
    assert handled_asks.handled_asks(told, make_execution(4)).approve == "3: prod"
