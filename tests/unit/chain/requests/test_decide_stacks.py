"""decide: tokens that name stacks, in the live run and after it."""

import dataclasses

import pytest

from controller.api import v1alpha1
from controller.api.v1alpha1 import Cause, Phase
from controller.chain.requests import decide as decisions
from controller.chain.requests import request_tokens
from controller.chain.run import progress
from controller.chain.run.progress import HandledRequest, LiveRequest, LiveRequestKind
from tests.support.builders import (
    handled,
    make_execution,
    make_progress,
    make_run,
    make_stack,
    make_stack_chain,
)
from tests.support.golden import Golden
from tests.unit.chain.requests.deciding import (
    LIVE,
    A,
    B,
    closed,
    decide,
    ended,
    nothing,
    running,
    spec_with,
)

RETRY, BYPASS = LiveRequestKind.RETRY, LiveRequestKind.BYPASS
ROWS = (
    ("a", Phase.SUCCEEDED, "RunFinished"),
    ("b", Phase.FAILED, "RunFailed"),
    ("c", Phase.CANCELED, "RunDiscarded"),
)


def after_run(**fields: object) -> v1alpha1.Status:
    """Run 3 is over: `b` failed and held up `b1`, `c` was discarded and held up `c1`."""
    status = ended(*ROWS, **fields)
    held_up = [
        v1alpha1.StackStatus(
            id=f"{name}1",
            level=1,
            phase=Phase.SKIPPED,
            reason="UpstreamNotSucceeded",
            blocked_by=name,
        )
        for name in "bc"
    ]
    return dataclasses.replace(status, stacks=(*status.stacks, *held_up))


def started(decision: decisions.Decision) -> dict[str, list[str]]:
    assert decision.start is not None
    return {
        "kept": [item.stack_id for item in decision.start.kept if not item.is_bypassed],
        "bypassed": [item.stack_id for item in decision.start.kept if item.is_bypassed],
        "retried": [item.stack_id for item in decision.start.retried],
        "named": [item.stack_id for item in decision.start.retried if item.is_named],
        "left": [item.stack_id for item in decision.start.left],
    }


def test_a_retry_is_told_where_the_runs_of_the_run_before_come_from() -> None:
    rows = tuple(
        v1alpha1.StackStatus(id=name, level=0, phase=phase, run_id="01", run_source="Adopted")
        for name, phase in (("a", Phase.SUCCEEDED), ("b", Phase.FAILED), ("c", Phase.FAILED))
    )

    parts = request_tokens.retry_parts(rows, number=3, named=["b"])
    bypassing = request_tokens.retry_parts(rows, number=3, bypassed=["b"])

    assert [item.run_source for item in parts.kept] == ["Adopted"]
    assert [item.run_source for item in parts.retried] == ["Adopted"]
    assert [item.run_source for item in parts.left] == ["Adopted"]
    assert [item.run_source for item in bypassing.kept] == ["Adopted", None]


# In the live run


@pytest.mark.parametrize("policy", ["Queue", "Replace"])
@pytest.mark.parametrize("known", [running(), None], ids=["a worker answers", "none does"])
def test_a_token_for_the_live_run_is_asked_of_it_until_it_says_that_it_is_handled(
    policy: str, known: progress.ChainProgress | None
) -> None:
    chain = make_stack_chain(
        spec=spec_with(concurrencyPolicy=policy),
        status=LIVE,
        retry_token="3: b @now",
        bypass_token="3: c",
    )

    decision = decide(chain, make_execution(3), known=known)

    assert decision == dataclasses.replace(
        nothing(handled(A)),
        requests=(
            LiveRequest(kind=RETRY, token="3: b @now", number=3, names=["b"]),
            LiveRequest(kind=BYPASS, token="3: c", number=3, names=["c"]),
        ),
    )


def test_what_the_run_has_done_is_handled_and_said_once(golden: Golden) -> None:
    done = HandledRequest(kind=RETRY, token="3", message="Pending again: 'b'.")
    chain = make_stack_chain(spec=A, status=LIVE, retry_token="3")

    decision = decide(chain, make_execution(3), known=running(done))
    told = dataclasses.replace(LIVE, last_handled=decision.handled)
    again = decide(dataclasses.replace(chain, status=told), make_execution(3), known=running(done))

    assert (decision.handled, decision.requests) == (handled(A, retry="3"), ())
    golden("run_tokens").check("a live run has done it", decision.done[0])
    assert again == nothing(handled(A, retry="3"))


def test_what_the_run_has_refused_is_handled_with_why(golden: Golden) -> None:
    why = "the run of 'a' is live: end it first, then request it again with another value"
    refused = HandledRequest(kind=BYPASS, token="3: a", message=why, is_refused=True)
    chain = make_stack_chain(spec=A, status=LIVE, bypass_token="3: a")

    decision = decide(chain, make_execution(3), known=running(refused))

    assert (decision.handled, decision.done) == (handled(A, bypass="3: a"), ())
    golden("run_tokens").check("a live run has refused it", decision.notes[0])


def test_a_token_that_was_handled_before_another_needs_a_note(golden: Golden) -> None:
    requests = [HandledRequest(kind=RETRY, token=token, message="Done.") for token in ("3", "3: b")]
    status = dataclasses.replace(LIVE, last_handled=handled(A, retry="3: b"))
    chain = make_stack_chain(spec=A, status=status, retry_token="3")

    decision = decide(chain, make_execution(3), known=running(*requests))

    assert (decision.handled, decision.requests) == (handled(A, retry="3"), ())
    golden("run_tokens").check("handled before", decision.notes[0])


@pytest.mark.parametrize(
    "known",
    [
        pytest.param(running(is_canceling=True), id="is being canceled"),
        pytest.param(
            make_progress(make_stack("b", Phase.FAILED), number=3), id="has ended and not closed"
        ),
    ],
)
def test_a_run_that_ends_leaves_the_token_to_the_next(known: progress.ChainProgress) -> None:
    chain = make_stack_chain(spec=A, status=LIVE, retry_token="3")

    decision = decide(chain, make_execution(3), known=known)

    assert (decision.handled, decision.requests) == (handled(A), ())
    assert decision.pending is not None
    assert decision.pending.cause == Cause.RETRY


def test_a_run_that_is_canceled_now_is_not_asked() -> None:
    chain = make_stack_chain(spec=A, status=LIVE, retry_token="3", cancel_token="3")

    decision = decide(chain, make_execution(3), known=running())

    assert (decision.cancel, decision.requests) == (True, ())
    assert decision.handled == handled(A, cancel="3")


@pytest.mark.parametrize("kind", [RETRY, BYPASS])
def test_a_token_that_a_run_has_handled_before_its_end_starts_nothing(
    kind: LiveRequestKind,
) -> None:
    """The status was not written since: only the run's result says so."""
    known = make_progress(
        make_stack("b", Phase.FAILED),
        number=3,
        requests=[HandledRequest(kind=kind, token="3: b", message="Done.")],
    )
    name = str(kind).lower()
    chain = make_stack_chain(spec=A, status=after_run(), **{f"{name}_token": "3: b"})

    decision = decide(chain, closed(3), known=known)

    assert decision.start is None
    assert decision.handled == handled(A, **{name: "3: b"})


# After the run


def test_a_retry_of_named_stacks_runs_these_and_what_they_held_up() -> None:
    chain = make_stack_chain(spec=A, status=after_run(), retry_token="3: b @fixed")

    decision = decide(chain, closed(3))

    assert decision.start is not None
    assert (decision.start.key, decision.start.cause) == ("retry:3: b @fixed", Cause.RETRY)
    assert decision.start.named == ("b",)
    assert decision.handled == handled(A, retry="3: b @fixed")
    assert started(decision) == {
        "kept": ["a"],
        "bypassed": [],
        "retried": ["b", "b1"],
        "named": ["b", "b1"],
        "left": ["c", "c1"],
    }


@pytest.mark.parametrize("name", ["b", "b1"])
def test_a_retry_behind_a_stack_that_the_chain_no_longer_has_runs_all_that_it_held_up(
    name: str,
) -> None:
    """`x` held up `b`, and `b1` behind that; both name `x`, which cannot be named."""
    status = ended(
        ("a", Phase.FAILED, "RunFailed"),
        ("b", Phase.SKIPPED, "UpstreamNotSucceeded"),
        ("b1", Phase.SKIPPED, "UpstreamNotSucceeded"),
        ("a1", Phase.SKIPPED, "UpstreamNotSucceeded"),
        ("x", Phase.SKIPPED, "NoLongerInChain"),
    )
    causes = {"b": "x", "b1": "x", "a1": "a"}
    stacks = [dataclasses.replace(one, blocked_by=causes.get(one.id)) for one in status.stacks]
    status = dataclasses.replace(status, stacks=tuple(stacks))
    chain = make_stack_chain(spec=A, status=status, retry_token=f"3: {name}")

    decision = decide(chain, closed(3))

    assert started(decision)["retried"] == ["b", "b1"]
    assert started(decision)["left"] == ["a", "a1", "x"]


def test_a_bypass_starts_a_retry_in_which_the_stack_counts_as_done() -> None:
    chain = make_stack_chain(spec=A, status=after_run(), bypass_token="3: b")

    decision = decide(chain, closed(3))

    assert decision.start is not None
    assert (decision.start.key, decision.start.cause) == ("bypass:3: b", Cause.RETRY)
    assert started(decision) == {
        "kept": ["a"],
        "bypassed": ["b"],
        "retried": ["c", "b1", "c1"],
        "named": [],
        "left": [],
    }


def test_a_retry_and_a_bypass_at_once_are_one_run() -> None:
    chain = make_stack_chain(spec=A, status=after_run(), retry_token="3: c", bypass_token="3: b")

    decision = decide(chain, closed(3))

    assert decision.start is not None
    assert decision.start.key == "retry:3: c bypass:3: b"
    assert decision.handled == handled(A, retry="3: c", bypass="3: b")
    assert started(decision) == {
        "kept": ["a"],
        "bypassed": ["b"],
        "retried": ["c", "b1", "c1"],
        "named": ["c", "c1"],
        "left": [],
    }


def test_a_retry_that_the_live_run_has_handled_does_not_narrow_a_later_bypass() -> None:
    status = after_run()
    status = dataclasses.replace(status, last_handled=handled(A, retry="3: c"))
    chain = make_stack_chain(spec=A, status=status, retry_token="3: c", bypass_token="3: b")

    decision = decide(chain, closed(3, handled_asks=handled(A)))

    assert started(decision)["left"] == []


def test_what_was_bypassed_stays_so_in_a_retry() -> None:
    rows = (("a", Phase.SKIPPED, "Bypassed"), ("b", Phase.FAILED, "RunFailed"))
    chain = make_stack_chain(spec=A, status=ended(*rows), retry_token="3")

    assert started(decide(chain, closed(3)))["bypassed"] == ["a"]


@pytest.mark.parametrize(
    ("retry", "bypass"),
    [
        pytest.param("3: d", None, id="a retry of an unknown stack"),
        pytest.param("3: a", None, id="a retry of one that succeeded"),
        pytest.param("3: b1", None, id="a retry of one that another held up"),
        pytest.param("2: b", None, id="a retry of a stack in an earlier run"),
        pytest.param(None, "3", id="a bypass of nothing"),
        pytest.param(None, "3: a", id="a bypass of one that succeeded"),
        pytest.param(None, "3: bb", id="a bypass of an unknown stack"),
        pytest.param(None, "2: b", id="a bypass in an earlier run"),
    ],
)
def test_what_cannot_be_done_after_a_run_is_said_once(
    retry: str | None, bypass: str | None, case: str, golden: Golden
) -> None:
    chain = make_stack_chain(spec=A, status=after_run(), retry_token=retry, bypass_token=bypass)

    decision = decide(chain, closed(3))

    assert decision.start is None
    assert decision.handled == handled(A, retry=retry, bypass=bypass)
    (note,) = decision.notes
    golden("stale_requests").check(case, note)


@pytest.mark.parametrize("token", ["3: b", "3: b @now"])
def test_a_bypass_next_to_a_run_of_all_does_nothing_and_says_so(token: str) -> None:
    chain = make_stack_chain(spec=B, status=after_run(), bypass_token=token, generation=2)

    decision = decide(chain, closed(3))

    assert decision.start is not None
    assert (decision.start.cause, decision.start.bypassed) == (Cause.SPEC, ())
    assert decision.handled.bypass == token
    (note,) = decision.notes
    assert token in note


def test_a_retry_of_named_stacks_that_read_nothing_leaves_the_same_ones_when_tried_again() -> None:
    """Its status lists what it keeps and what it leaves, and nothing else."""
    rows = (("a", Phase.SUCCEEDED, "Kept"), ("c", Phase.CANCELED, "RunDiscarded"))
    status = ended(*rows)
    status = dataclasses.replace(
        status,
        latest_run=make_run(3, phase=Phase.FAILED, reason="UnknownStack", cause=Cause.RETRY),
    )
    chain = make_stack_chain(spec=A, status=status)
    execution = dataclasses.replace(closed(3, cause=Cause.RETRY), named=("b",))

    decision = decide(chain, execution, is_recheck_due=True)

    assert started(decision) == {
        "kept": ["a"],
        "bypassed": [],
        "retried": [],
        "named": [],
        "left": ["c"],
    }
