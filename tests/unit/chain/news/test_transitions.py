"""transitions: what of a stack, a request and a run counts as something that happened."""

import dataclasses

import pytest

from controller.api import transition_kinds as kinds
from controller.api import v1alpha1
from controller.api.reasons import ChainReason, StackReason
from controller.api.transition_kinds import TransitionKind
from controller.api.v1alpha1 import Phase
from controller.chain.graph import adoption
from controller.chain.news import events, transitions
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
from tests.support.golden import Golden

PAGE = "unused_runs"

OTHER = make_stack("z", Phase.RUNNING)


def shown(
    *stacks: progress.StackProgress, old: v1alpha1.Status | None = None, **facts: object
) -> v1alpha1.Status:
    known = make_progress(*stacks, is_suspended=bool(facts.get("is_suspended")))
    found = make_facts(make_execution(1), known, **facts)
    return projection.project(make_ref(), old or v1alpha1.Status(), found, now=T3)


def between(before: progress.StackProgress, after: progress.StackProgress) -> list[TransitionKind]:
    """Return what happens to a stack, in a run that continues."""
    old = shown(before, OTHER)
    return [item.kind for item in transitions.transitions(old, shown(after, OTHER, old=old))]


def stack(phase: Phase, reason: str = "", **fields: object) -> progress.StackProgress:
    return make_stack("a", phase, reason=reason, **fields)  # type: ignore[arg-type]


PENDING = stack(Phase.PENDING)
QUEUED = stack(Phase.WAITING)
RUNNING = stack(Phase.RUNNING)
CONFIRM = stack(Phase.AWAITING_CONFIRMATION)
APPROVE = stack(Phase.AWAITING_CONFIRMATION, StackReason.NEEDS_APPROVAL)
RETRY = stack(Phase.WAITING, StackReason.RETRY_PENDING)
LOCKED = stack(Phase.WAITING, StackReason.STACK_LOCKED)


@pytest.mark.parametrize(
    ("before", "after", "kind"),
    [
        (PENDING, QUEUED, None),
        (PENDING, RUNNING, "StackStarted"),
        (QUEUED, RUNNING, "StackStarted"),
        (RUNNING, RUNNING, None),
        (RUNNING, stack(Phase.RUNNING, StackReason.CONFIRMING), None),
        (RUNNING, stack(Phase.RUNNING, attempts=2), "StackStarted"),
        (RUNNING, CONFIRM, "AwaitingConfirmation"),
        (CONFIRM, CONFIRM, None),
        (APPROVE, CONFIRM, "AwaitingConfirmation"),
        (CONFIRM, RUNNING, "StackConfirmed"),
        (CONFIRM, stack(Phase.RUNNING, StackReason.SPACELIFT_UNREACHABLE), "Problem"),
        (CONFIRM, stack(Phase.RUNNING, StackReason.RATE_LIMITED), "Problem"),
        (CONFIRM, stack(Phase.SUCCEEDED), "StackSucceeded"),
        (QUEUED, RETRY, "StackRetrying"),
        (RUNNING, RETRY, "StackRetrying"),
        (RETRY, RETRY, None),
        (RETRY, stack(Phase.RUNNING, attempts=2), "StackStarted"),
        (QUEUED, LOCKED, "StackWaiting"),
        (LOCKED, LOCKED, None),
        (LOCKED, stack(Phase.WAITING, StackReason.STACK_DISABLED), "StackWaiting"),
        (LOCKED, QUEUED, None),
        (PENDING, stack(Phase.WAITING, StackReason.STACK_BUSY), "StackWaiting"),
        (QUEUED, stack(Phase.WAITING, StackReason.RUN_BLOCKED), "StackWaiting"),
        (QUEUED, stack(Phase.WAITING, StackReason.WORKER_PENDING), None),
        (RUNNING, stack(Phase.SUCCEEDED), "StackSucceeded"),
        (PENDING, stack(Phase.SUCCEEDED, StackReason.KEPT), None),
        (QUEUED, stack(Phase.SKIPPED), "StackUnchanged"),
        (
            PENDING,
            stack(Phase.SKIPPED, StackReason.UPSTREAM_NOT_SUCCEEDED, blocked_by="z"),
            "StackSkipped",
        ),
        (PENDING, stack(Phase.SKIPPED, StackReason.FAIL_FAST, blocked_by="z"), "StackSkipped"),
        (RUNNING, stack(Phase.FAILED), "StackFailed"),
        (RUNNING, stack(Phase.CANCELED), "StackCanceled"),
        (RUNNING, stack(Phase.TIMED_OUT), "StackTimedOut"),
        (RUNNING, stack(Phase.CANCELED, StackReason.CHAIN_CANCELED, has_run=True), None),
        (
            RUNNING,
            stack(Phase.TIMED_OUT, StackReason.CHAIN_DEADLINE_EXCEEDED, has_run=True),
            None,
        ),
    ],
)
def test_what_happens_to_a_stack(
    before: progress.StackProgress, after: progress.StackProgress, kind: str | None
) -> None:
    assert between(before, after) == ([kind] if kind else [])


def test_a_request_that_waits_is_told_once_and_again_when_another_one_takes_its_place(
    golden: Golden,
) -> None:
    old = shown(RUNNING)
    pending = v1alpha1.PendingRun(cause="Spec", message="Waits for run 1 to end.")
    first = shown(RUNNING, old=old, pending=pending)
    same = shown(RUNNING, old=first, pending=pending)
    other = dataclasses.replace(pending, cause="RunToken")

    (told,) = transitions.transitions(old, first)
    assert told.kind == "RunPending"
    golden("events").check("RunPending", told.message)
    assert transitions.transitions(first, same) == []
    third = transitions.transitions(same, shown(RUNNING, old=same, pending=other))
    assert [item.kind for item in third] == ["RunPending"]


def test_a_spec_that_nobody_asks_to_run_is_told_once_for_each_generation() -> None:
    facts = make_facts(None, handled=v1alpha1.Handled(), is_not_requested=True)
    first = projection.project(make_ref(), v1alpha1.Status(), facts, now=T3)
    same = projection.project(make_ref(), first, facts, now=T3)

    told = transitions.transitions(v1alpha1.Status(), first)
    assert [(item.kind, item.reason) for item in told] == [("NotRequested", "NotRequested")]
    assert transitions.transitions(first, same) == []


@pytest.mark.parametrize(
    ("end", "kind"),
    [
        (make_stack("a", Phase.SUCCEEDED), TransitionKind.RUN_SUCCEEDED),
        (make_stack("a", Phase.FAILED), TransitionKind.RUN_FAILED),
        (make_stack("a", Phase.CANCELED), TransitionKind.RUN_CANCELED),
        (make_stack("a", Phase.TIMED_OUT), TransitionKind.RUN_TIMED_OUT),
    ],
)
def test_the_end_of_a_run_is_of_the_kind_of_its_phase_and_carries_the_run(
    end: progress.StackProgress, kind: TransitionKind
) -> None:
    old = shown(RUNNING)
    new = shown(end, old=old)

    last = transitions.transitions(old, new)[-1]
    assert new.latest_run is not None
    assert (last.kind, last.run) == (kind, new.latest_run)
    assert last.reason == new.latest_run.reason


def test_a_run_that_could_not_begin_failed() -> None:
    known = make_progress(phase=Phase.FAILED, reason=ChainReason.GRAPH_CYCLE, message="a > b > a")
    new = projection.project(
        make_ref(), v1alpha1.Status(), make_facts(make_execution(1), known), now=T3
    )

    told = transitions.transitions(v1alpha1.Status(), new)
    assert [item.kind for item in told] == ["RunStarted", "RunFailed"]


def test_every_kind_has_a_meaning_and_is_named_where_events_are_made() -> None:
    assert set(kinds.MEANINGS) == set(TransitionKind)


@pytest.mark.parametrize("kind", TransitionKind)
def test_a_kind_of_stacks_is_told_with_a_stack(kind: TransitionKind) -> None:
    row = v1alpha1.StackStatus(id="a", level=0, phase=Phase.RUNNING, message="Hello.")
    of_stack = kinds.MEANINGS[kind].is_of_stack
    told = transitions.Transition(
        kind=kind, reason=str(kind), message="Hello.", stack=row if of_stack else None
    )

    (event,) = events.texts([told])
    assert event.message.startswith("'a'" if of_stack else "Hello.")
    assert event.type == ("Warning" if kinds.MEANINGS[kind].is_warning else "Normal")


def ahead(number: int, *, stack_id: str = "a", **facts: str) -> adoption.AheadRun:
    fields = {"state": "FINISHED", "run_url": f"https://x/run/{number}"} | facts
    return adoption.AheadRun(
        stack_id=stack_id, run_id=f"01N{number}", origin_run_id="01O", **fields
    )


def test_a_run_that_no_stack_uses_is_told_once_with_its_link_and_not_that_of_the_stack(
    golden: Golden,
) -> None:
    page = golden(PAGE)
    none = shown(stack(Phase.RUNNING), OTHER)
    one = shown(stack(Phase.RUNNING, ahead_runs=[ahead(1)]), OTHER, old=none)
    two = shown(
        stack(Phase.RUNNING, ahead_runs=[ahead(1), ahead(2, stack_id="out", state="APPLYING")]),
        OTHER,
        old=one,
    )

    first = transitions.transitions(none, one)
    second = transitions.transitions(one, two)

    assert [item.kind for item in first] == [item.kind for item in second] == ["UnusedRun"]
    assert transitions.transitions(two, two) == []
    assert first[0].occasion != second[0].occasion
    for case, happened in (("the first Event", first), ("the second Event", second)):
        (event,) = events.texts(happened)
        assert event.type == "Warning"
        page.check(case, event.message)


def test_an_event_tells_what_may_be_of_others(golden: Golden) -> None:
    doubtful = ahead(1, state="QUEUED", other_run_url="https://x/other")
    old = shown(stack(Phase.RUNNING), OTHER)
    both = shown(stack(Phase.RUNNING, ahead_runs=[doubtful, ahead(2)]), OTHER)

    (event,) = events.texts(transitions.transitions(old, both))

    assert both.stacks[0].unused_runs[0].other_run_url == "https://x/other"
    golden(PAGE).check("the Event of one that may be of others", event.message)


@pytest.mark.parametrize(
    ("case", "runs"),
    [
        ("finished", [ahead(1)]),
        ("it could not be stopped", [ahead(1, state="APPLYING")]),
        ("Spacelift refused", [ahead(1, state="PLANNING", problem="not allowed")]),
        ("of a stack outside of the chain", [ahead(1, stack_id="out")]),
        ("several", [ahead(1), ahead(2), ahead(3)]),
        ("it may be of others", [ahead(1, state="QUEUED", other_run_url="https://x/other")]),
        (
            "one was carried out and some may be of others",
            [ahead(1), *(ahead(n, other_run_url="https://x/other") for n in (2, 3))],
        ),
    ],
)
def test_the_message_of_a_stack_tells_of_runs_that_it_does_not_use(
    golden: Golden, case: str, runs: list[adoption.AheadRun]
) -> None:
    status = shown(stack(Phase.SUCCEEDED, ahead_runs=runs), OTHER)

    row = status.stacks[0]
    assert [run.run_id for run in row.unused_runs] == [run.run_id for run in runs]
    assert [run.stack_id for run in row.unused_runs] == [
        None if run.stack_id == "a" else run.stack_id for run in runs
    ]
    golden(PAGE).check(case, row.message or "")


@pytest.mark.parametrize(
    ("runs", "dropped"),
    [
        pytest.param([ahead(8), ahead(9)], 7, id="some are no longer listed"),
        pytest.param([], 1, id="none is listed any more"),
    ],
)
def test_the_message_of_a_stack_counts_runs_that_are_no_longer_listed(
    golden: Golden, case: str, runs: list[adoption.AheadRun], dropped: int
) -> None:
    known = stack(Phase.SUCCEEDED, ahead_runs=runs, dropped_ahead_runs=dropped)

    status = shown(known, OTHER)

    golden(PAGE).check(case, status.stacks[0].message or "")


# What the end of a run advises


FAILED_RUN = (stack(Phase.FAILED), make_stack("z", Phase.SUCCEEDED))


@pytest.mark.parametrize(
    ("facts", "asks", "advises_retry", "advises_run"),
    [
        pytest.param({}, {}, True, True, id="nothing follows"),
        pytest.param({}, {"is_followed": True}, False, False, id="another run starts"),
        pytest.param(
            {"pending": v1alpha1.PendingRun(cause="Spec", message="It waits.")},
            {},
            False,
            False,
            id="a request waits for its end",
        ),
        pytest.param({}, {"is_spec_new": True}, False, True, id="the spec is another one now"),
    ],
)
def test_the_event_of_an_end_advises_nothing_that_would_be_refused(
    facts: dict[str, object], asks: dict[str, bool], advises_retry: bool, advises_run: bool
) -> None:
    old = shown(RUNNING, OTHER)
    new = shown(*FAILED_RUN, old=old, **facts)

    (end,) = (
        item
        for item in transitions.transitions(old, new, **asks)
        if item.kind is TransitionKind.RUN_FAILED
    )

    assert ("stackchain.dev/retry" in end.message) is advises_retry
    assert ("stackchain.dev/run" in end.message) is advises_run
