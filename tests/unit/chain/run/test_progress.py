"""progress: reports taken over, and what the stacks together make of the chain."""

import copy
import dataclasses

import pytest
from temporalio.converter import DataConverter

from controller.api import v1alpha1
from controller.api.reasons import ChainReason, StackReason
from controller.api.v1alpha1 import Phase
from controller.chain.graph import resolve
from controller.chain.run import (
    native_stops,
    outcome,
    policy,
    progress,
    stack_reports,
    unwanted_runs,
)
from controller.chain.run.run_snapshots import RunSnapshot
from tests.support.builders import (
    T0,
    T1,
    T2,
    make_discovery,
    make_progress,
    make_stack,
    resolve_graph,
)
from tests.support.golden import Golden

PAGE = "run_messages"


def report(
    phase: Phase = Phase.RUNNING, reason: str = StackReason.RUN_IN_PROGRESS, **fields: object
) -> progress.StackReport:
    base = progress.StackReport(stack_id="a", phase=phase, reason=reason)
    return dataclasses.replace(base, **fields)  # type: ignore[arg-type]


# The graph


def test_a_resolved_graph_becomes_the_stacks_of_the_run() -> None:
    known = make_progress()
    resolved = resolve_graph(make_discovery("a -> b", labels=["x -> c"]), "a", "x")

    progress.adopt_graph(known, resolved, now=T1)

    assert [(s.id, s.level, s.depends_on, s.adopts_from) for s in known.stacks] == [
        ("a", 0, [], None),
        ("x", 0, [], None),
        ("b", 1, ["a"], "a"),
        ("c", 1, ["x"], None),
    ]
    assert {stack.phase for stack in known.stacks} == {Phase.PENDING}
    assert (known.edges, known.levels, known.resolved_time) == (2, 2, T1)
    assert (known.phase, known.reason) == (Phase.RUNNING, ChainReason.PROGRESSING)


# Reports


def test_a_report_is_taken_over_with_the_time_at_which_the_run_was_known() -> None:
    stack = make_stack("a", Phase.WAITING, reason=StackReason.STARTING, has_run=False)

    changed = progress.apply_report(
        stack, report(run_id="01R", run_url="https://r", message="It runs."), now=T2
    )

    assert changed
    assert (stack.phase, stack.reason, stack.message) == (
        Phase.RUNNING,
        StackReason.RUN_IN_PROGRESS,
        "It runs.",
    )
    assert (stack.run_id, stack.run_url, stack.start_time) == ("01R", "https://r", T2)
    assert stack.completion_time is None


def test_the_same_report_twice_changes_nothing() -> None:
    stack = make_stack("a", Phase.WAITING, has_run=False)
    news = report(run_id="01R", delta=v1alpha1.Delta(added=1, changed=2, deleted=3))
    progress.apply_report(stack, news, now=T1)
    before = copy.deepcopy(stack)

    assert not progress.apply_report(stack, news, now=T2)
    assert stack == before


def test_what_is_over_stays_over() -> None:
    """Signals may come late, after the result."""
    stack = make_stack("a", Phase.SUCCEEDED)
    before = copy.deepcopy(stack)

    assert not progress.apply_report(stack, report(), now=T2)
    assert stack == before


def test_an_end_has_its_time_and_the_run_keeps_its_start() -> None:
    stack = make_stack("a", Phase.RUNNING)

    progress.apply_report(stack, report(Phase.FAILED, StackReason.RUN_FAILED), now=T2)

    assert (stack.start_time, stack.completion_time) == (T0, T2)


def test_a_stack_that_ends_without_a_run_never_started() -> None:
    stack = make_stack("a", Phase.WAITING, has_run=False)

    progress.apply_report(stack, report(Phase.FAILED, StackReason.TRIGGER_REFUSED), now=T2)

    assert (stack.start_time, stack.completion_time) == (None, T2)


def test_a_report_without_run_and_delta_keeps_those_known() -> None:
    stack = make_stack("a", Phase.RUNNING, delta=v1alpha1.Delta(added=1, changed=2, deleted=3))
    run_id, url = stack.run_id, stack.run_url

    progress.apply_report(stack, report(Phase.WAITING, StackReason.SPACELIFT_UNREACHABLE), now=T2)

    assert (stack.run_id, stack.run_url) == (run_id, url)
    assert stack.delta == v1alpha1.Delta(added=1, changed=2, deleted=3)


def test_the_state_of_the_run_is_that_of_the_last_report() -> None:
    stack = make_stack("a", Phase.WAITING, run_state="QUEUED")

    progress.apply_report(stack, report(run_state=None), now=T2)

    assert stack.run_state is None


# The chain


@pytest.mark.parametrize(
    ("phases", "phase", "reason"),
    [
        pytest.param("SUCCEEDED PENDING", Phase.RUNNING, ChainReason.PROGRESSING, id="runs"),
        pytest.param(
            "FAILED RUNNING", Phase.RUNNING, ChainReason.STACK_FAILED, id="goes on after a failure"
        ),
        pytest.param(
            "RUNNING AWAITING_CONFIRMATION",
            Phase.AWAITING_CONFIRMATION,
            ChainReason.AWAITING_CONFIRMATION,
            id="a person is wanted, whatever else runs",
        ),
        pytest.param(
            "SUCCEEDED SKIPPED", Phase.SUCCEEDED, ChainReason.RUN_SUCCEEDED, id="all ended well"
        ),
        pytest.param("SUCCEEDED FAILED", Phase.FAILED, ChainReason.STACK_FAILED, id="one failed"),
        pytest.param(
            "SUCCEEDED CANCELED", Phase.CANCELED, ChainReason.STACK_CANCELED, id="one discarded"
        ),
        pytest.param(
            "FAILED CANCELED", Phase.FAILED, ChainReason.STACK_FAILED, id="failed and discarded"
        ),
    ],
)
def test_the_stacks_together_decide_the_phase(phases: str, phase: Phase, reason: str) -> None:
    known = make_progress(
        *(make_stack(f"s{place}", Phase[name]) for place, name in enumerate(phases.split()))
    )

    assert (known.phase, known.reason) == (phase, reason)


def test_nothing_to_say_while_all_is_well() -> None:
    assert make_progress(make_stack("a", Phase.RUNNING)).message == ""


@pytest.mark.parametrize("reason", [StackReason.NEEDS_CONFIRMATION, StackReason.NEEDS_APPROVAL])
def test_a_wait_for_a_person_says_for_what_and_where(reason: str, golden: Golden) -> None:
    known = make_progress(make_stack("a", Phase.AWAITING_CONFIRMATION, reason=reason))

    golden(PAGE).check(f"a stack waits: {reason}", known.message)


def test_a_plan_beyond_the_limits_says_which_limit(golden: Golden) -> None:
    run = RunSnapshot(run_id="01A", state="UNCONFIRMED")
    said = stack_reports.limits_exceeded("a", run, excess="would delete 2, limit 0").message
    known = make_progress(
        make_stack(
            "a",
            Phase.AWAITING_CONFIRMATION,
            reason=StackReason.LIMITS_EXCEEDED,
            message=said,
        )
    )

    golden(PAGE).check("a stack waits: LimitsExceeded", known.message)


def test_several_that_wait_for_a_person_are_listed(golden: Golden) -> None:
    known = make_progress(*(make_stack(name, Phase.AWAITING_CONFIRMATION) for name in "abcdefg"))

    golden(PAGE).check("several stacks wait for a person", known.message)


def test_a_success_counts_what_ran_and_what_had_nothing_to_do(golden: Golden) -> None:
    stacks = [make_stack(name, Phase.SUCCEEDED) for name in "ab"]
    skipped = make_stack("c", Phase.SKIPPED)

    golden(PAGE).check("succeeded: one stack", make_progress(stacks[0]).message)
    golden(PAGE).check("succeeded: one was skipped", make_progress(*stacks, skipped).message)


def test_a_failure_names_stack_cause_link_and_consequence(golden: Golden) -> None:
    known = make_progress(
        make_stack("a", Phase.FAILED, message="The run failed (exit code 1)."),
        make_stack("b", depends_on="a"),
        make_stack("c", depends_on="b"),
    )
    policy.skip_unwanted(known, now=T2)

    outcome.set_outcome(known)

    golden(PAGE).check("a stack failed, two were skipped", known.message)


def test_one_skipped_dependent_is_one(golden: Golden) -> None:
    known = make_progress(make_stack("a", Phase.FAILED), make_stack("b", depends_on="a"))
    policy.skip_unwanted(known, now=T2)

    outcome.set_outcome(known)

    golden(PAGE).check("a stack failed, one was skipped", known.message)


def test_a_discarded_run_is_named(golden: Golden) -> None:
    known = make_progress(make_stack("a", Phase.CANCELED), make_stack("b", Phase.SUCCEEDED))

    golden(PAGE).check("a run was discarded", known.message)


def test_of_many_long_failures_some_are_named(golden: Golden) -> None:
    """A status keeps 1,024 characters."""
    known = make_progress(
        *(make_stack(f"{'x' * 120}{place}", Phase.FAILED, message="m" * 512) for place in range(9))
    )

    assert len(known.message) <= 1024
    golden(PAGE).check("many long failures", known.message)


# Canceling


def test_a_chain_that_is_being_canceled_says_what_it_waits_for(golden: Golden) -> None:
    known = make_progress(
        make_stack("a", Phase.RUNNING), make_stack("b", depends_on="a"), is_canceling=True
    )

    assert (known.phase, known.reason) == (Phase.RUNNING, ChainReason.PROGRESSING)
    golden(PAGE).check("canceling", known.message)


def test_nobody_is_asked_to_confirm_what_is_about_to_be_discarded() -> None:
    known = make_progress(make_stack("a", Phase.AWAITING_CONFIRMATION), is_canceling=True)

    assert known.phase is Phase.RUNNING


def test_a_canceled_chain_says_how_far_it_came(golden: Golden) -> None:
    known = make_progress(
        make_stack("a", Phase.SUCCEEDED),
        make_stack("b", Phase.CANCELED, reason=StackReason.CHAIN_CANCELED),
        is_canceling=True,
    )

    assert (known.phase, known.reason) == (Phase.CANCELED, ChainReason.RUN_CANCELED)
    golden(PAGE).check("canceled", known.message)


def test_a_suspended_chain_without_its_resource_says_that_it_ends(golden: Golden) -> None:
    known = make_progress(
        make_stack("a", Phase.RUNNING),
        make_stack("b", depends_on="a"),
        is_suspended=True,
        is_orphan=True,
    )

    assert known.is_abandoned
    assert (known.phase, known.reason) == (Phase.RUNNING, ChainReason.SUSPENDED)
    golden(PAGE).check("suspended, and its resource went", known.message)


def test_a_chain_that_ended_because_its_resource_went_says_so(golden: Golden) -> None:
    known = make_progress(
        make_stack("a", Phase.SUCCEEDED),
        make_stack("b", depends_on="a"),
        is_suspended=True,
        is_orphan=True,
        is_canceling=True,
    )

    policy.cancel_unreached(known, now="2026-03-05T06:30:00Z")
    outcome.set_outcome(known)

    assert (known.phase, known.reason) == (Phase.CANCELED, ChainReason.RUN_CANCELED)
    golden(PAGE).check("ended suspended, after its resource went", known.message)
    golden(PAGE).check("ended suspended, after its resource went: a stack", known.stacks[1].message)


def test_a_chain_that_ended_because_no_one_could_approve_says_so(golden: Golden) -> None:
    known = make_progress(
        make_stack("a", Phase.SUCCEEDED),
        make_stack("b", stage="prod"),
        stages=[progress.StageProgress(name="prod", needs_approval=True)],
        is_orphan=True,
        is_canceling=True,
        unapproved_stage="prod",
    )

    policy.cancel_unreached(known, now="2026-03-05T06:30:00Z")
    outcome.set_outcome(known)

    assert (known.phase, known.reason) == (Phase.CANCELED, ChainReason.RUN_CANCELED)
    golden(PAGE).check("ended unapproved, after its resource went", known.message)
    golden(PAGE).check(
        "ended unapproved, after its resource went: a stack", known.stacks[1].message
    )


@pytest.mark.parametrize(
    ("is_suspended", "is_orphan"), [(True, False), (False, True), (False, False)]
)
def test_a_chain_that_can_be_resumed_or_goes_on_is_not_abandoned(
    is_suspended: bool, is_orphan: bool
) -> None:
    known = make_progress(make_stack("a"), is_suspended=is_suspended, is_orphan=is_orphan)

    assert not known.is_abandoned


def test_a_cancel_that_came_too_late_leaves_a_success() -> None:
    known = make_progress(make_stack("a", Phase.SUCCEEDED), is_canceling=True)

    assert known.phase is Phase.SUCCEEDED


def test_a_failure_before_the_cancel_is_not_hidden_by_it(golden: Golden) -> None:
    known = make_progress(
        make_stack("a", Phase.FAILED),
        make_stack("b", Phase.CANCELED, reason=StackReason.CHAIN_CANCELED),
        is_canceling=True,
    )

    assert known.reason == ChainReason.STACK_FAILED
    golden(PAGE).check("a stack failed before the chain was canceled", known.message)


@pytest.mark.parametrize("is_timed_out", [True, False])
def test_a_stack_that_ended_before_the_chain_was_ended_is_named(
    golden: Golden, *, is_timed_out: bool
) -> None:
    """Otherwise who has to act would look for it among stacks that the chain itself stopped."""
    of_chain = StackReason.CHAIN_DEADLINE_EXCEEDED if is_timed_out else StackReason.CHAIN_CANCELED
    known = make_progress(
        make_stack("a", Phase.TIMED_OUT, reason=StackReason.CONFIRMATION_DEADLINE_EXCEEDED),
        make_stack("b", Phase.CANCELED, reason=of_chain),
        make_stack("c", Phase.SUCCEEDED),
        is_canceling=True,
        is_timed_out=is_timed_out,
    )

    end = "the chain's deadline passed" if is_timed_out else "the chain was canceled"
    golden(PAGE).check(f"a stack timed out before {end}", known.message)


def test_what_held_a_stack_up_is_not_named_once_it_may_start() -> None:
    stack = make_stack("a")
    held_by = v1alpha1.Holder(needs_person=True, url="https://r")
    meaning = progress.StackMeaning(
        phase=Phase.WAITING, reason=StackReason.STACK_BUSY, message="Busy.", held_by=held_by
    )

    progress.set_aside(stack, meaning)
    assert stack.held_by == held_by
    progress.set_pending(stack)

    assert stack == make_stack("a", message="")


# Across Temporal


def test_a_run_is_the_same_after_it_has_crossed_temporal() -> None:
    known = make_progress(make_stack("a"), make_stack("b", depends_on="a"), make_stack("c"))

    packed = progress.packed(known)

    assert [stack.depends_on for stack in packed.stacks] == [[], [], []]
    assert progress.unpacked(packed) == known


def test_at_the_limits_a_run_fits_into_one_value_of_temporal() -> None:
    """500 stacks of the longest ids, with 11,000 edges between them and long messages."""
    ids = [f"{number:04}-".ljust(128, "x") for number in range(500)]
    known = make_progress()
    known.stacks = [
        progress.StackProgress(
            id=item,
            name="\u00fc" * 100,
            level=place,
            depends_on=ids[max(0, place - 23) : place],
            message="m" * 1024,
            blocked_by=item,
            adopts_from=item,
            run_id="0" * 26,
            run_source=v1alpha1.RunSource.TRIGGERED,
            run_url="https://x.app.spacelift.io/stack/".ljust(256, "u"),
            busy_since=T0,
            busy_seconds=10**6,
            took_seconds=10**6,
        )
        for place, item in enumerate(ids)
    ]
    known.look_alikes = [
        resolve.LookAlike(stack_id=ids[place], label="dependsOn: x".ljust(128, "y"))
        for place in range(200)
    ]
    known.unmatched_exclusions = ["e" * 128] * 64
    # Each has one, and some have as many as a stack may.
    for stack in (*known.stacks, *known.stacks[:25] * 20):
        unwanted_runs.keep_ahead(
            native_stops.NativeRun(
                stack_id=stack.id,
                origin_run_id="0" * 26,
                run_id="1" * 26,
                state="PENDING_REVIEW",
                run_url=stack.run_url or "",
                problem="p" * 1024,
            ),
            stack,
            known.stacks,
        )

    (payload,) = DataConverter.default.payload_converter.to_payloads([progress.packed(known)])

    assert sum(len(stack.depends_on) for stack in known.stacks) > 11_000
    assert sum(len(stack.ahead_runs) for stack in known.stacks) == 750
    assert all(stack.ahead_runs for stack in known.stacks)
    assert len(payload.data) < 2 * 1024 * 1024
