"""Events: each thing that happened is reported once, with at most one Event of each kind."""

import dataclasses

import pytest

from controller.api import v1alpha1, wording
from controller.api.reasons import ChainReason, StackReason
from controller.api.v1alpha1 import Phase
from controller.chain.news import events, transitions
from controller.chain.requests.executions import ExecutionState
from controller.chain.run import progress
from controller.chain.status import projection
from tests.support.builders import (
    T2,
    T3,
    make_execution,
    make_facts,
    make_progress,
    make_ref,
    make_stack,
)
from tests.support.golden import Golden

PAGE = "events"
EMPTY = v1alpha1.Status()


def shown(
    *stacks: progress.StackProgress, old: v1alpha1.Status = EMPTY, **fields: object
) -> v1alpha1.Status:
    """Return the status of a run with these stacks."""
    known = make_progress(*stacks, **fields)  # type: ignore[arg-type]
    execution = make_execution(known.number, attempt=known.attempt)
    return project(make_facts(execution, known), old)


def project(facts: projection.ChainFacts, old: v1alpha1.Status = EMPTY) -> v1alpha1.Status:
    return projection.project(make_ref(), old, facts, now=T3)


def bad_graph(
    reason: ChainReason, *, attempt: int = 1, old: v1alpha1.Status = EMPTY
) -> v1alpha1.Status:
    known = make_progress(phase=Phase.FAILED, reason=reason, message="Fix it.", attempt=attempt)
    return project(make_facts(make_execution(1, attempt=attempt), known), old)


OUT_OF_REACH = "Out of reach."


def unreachable(reason: ChainReason, old: v1alpha1.Status = EMPTY) -> v1alpha1.Status:
    problem = projection.Problem(reason=reason, message=OUT_OF_REACH, is_retrying=True)
    return project(make_facts(None, problem=problem), old)


def told(old: v1alpha1.Status, new: v1alpha1.Status) -> list[tuple[str, str, str]]:
    happened = transitions.transitions(old, new)
    return [(item.type, item.reason, item.message) for item in events.texts(happened)]


def reasons_of(old: v1alpha1.Status, new: v1alpha1.Status) -> list[str]:
    return [reason for _, reason, _ in told(old, new)]


def only(found: list[tuple[str, str, str]], type_: str, reason: str) -> str:
    """Return the message of the one Event that there is, which has this type and reason."""
    ((found_type, found_reason, message),) = found
    assert (found_type, found_reason) == (type_, reason)
    return message


RUNNING = make_stack("a", Phase.RUNNING)


def test_a_run_that_starts_is_told_with_what_asked_for_it(golden: Golden) -> None:
    message = only(told(EMPTY, shown()), "Normal", "RunStarted")

    golden(PAGE).check("RunStarted", message)


def test_the_stacks_that_were_read_are_told_in_numbers(golden: Golden) -> None:
    old = shown()

    new = shown(make_stack("a"), make_stack("b", depends_on="a"), old=old)

    golden(PAGE).check("GraphResolved", only(told(old, new), "Normal", "GraphResolved"))


def test_what_is_excluded_and_no_stack_is_told_with_the_numbers(golden: Golden) -> None:
    old, stacks = shown(), (make_stack("network"), make_stack("database"))

    new = shown(*stacks, old=old, unmatched_exclusions=["databas"])

    message = only(told(old, new), "Normal", "GraphResolved")
    golden(PAGE).check("GraphResolved, with an exclusion that is no stack", message)


def test_a_whole_life_is_told_in_order() -> None:
    old = EMPTY
    story: list[str] = []
    for phase in (Phase.RUNNING, Phase.AWAITING_CONFIRMATION, Phase.RUNNING, Phase.SUCCEEDED):
        new = shown(make_stack("a", phase), old=old)
        story += reasons_of(old, new)
        old = new

    assert story == [
        *("RunStarted", "GraphResolved", "StackStarted", "AwaitingConfirmation"),
        *("StackConfirmed", "StackSucceeded", "RunSucceeded"),
    ]


def test_nothing_new_tells_nothing() -> None:
    found = shown(make_stack("a", Phase.FAILED), make_stack("b", Phase.RUNNING))

    assert reasons_of(found, found) == []


def test_a_wait_for_a_person_is_told_with_the_link(golden: Golden) -> None:
    old = shown(RUNNING)
    waiting = make_stack("a", Phase.AWAITING_CONFIRMATION, message="Confirm or discard it.")

    message = only(told(old, shown(waiting, old=old)), "Normal", "AwaitingConfirmation")
    golden(PAGE).check("AwaitingConfirmation", message)


def test_a_confirmation_after_an_approval_wants_a_person_again() -> None:
    approval = make_stack("a", Phase.AWAITING_CONFIRMATION, reason=StackReason.NEEDS_APPROVAL)
    old = shown(approval)

    new = shown(make_stack("a", Phase.AWAITING_CONFIRMATION), old=old)

    assert reasons_of(old, new) == ["AwaitingConfirmation"]


def test_a_stack_that_fails_is_told_while_the_others_go_on(golden: Golden) -> None:
    other = make_stack("b", Phase.RUNNING)
    old = shown(RUNNING, other)

    new = shown(make_stack("a", Phase.FAILED), make_stack("b", Phase.RUNNING), old=old)

    golden(PAGE).check("StackFailed", only(told(old, new), "Warning", "StackFailed"))


def test_a_stack_that_fails_without_a_run_has_no_link(golden: Golden) -> None:
    old = shown(RUNNING, make_stack("b", Phase.RUNNING))
    failed = make_stack(
        "a", Phase.FAILED, reason=StackReason.TRIGGER_REFUSED, message="Locked.", has_run=False
    )

    new = shown(failed, make_stack("b", Phase.RUNNING), old=old)

    message = only(told(old, new), "Warning", "StackFailed")
    golden(PAGE).check("StackFailed: without a run", message)


def test_a_discarded_run_is_told(golden: Golden) -> None:
    old = shown(RUNNING, make_stack("b", Phase.RUNNING))

    new = shown(make_stack("a", Phase.CANCELED), make_stack("b", Phase.RUNNING), old=old)

    golden(PAGE).check("StackCanceled", only(told(old, new), "Warning", "StackCanceled"))


def test_runs_that_end_with_their_chain_have_one_event_together() -> None:
    old = shown(*(make_stack(name, Phase.RUNNING) for name in "abc"))
    ends = [
        make_stack(name, Phase.CANCELED, reason=StackReason.CHAIN_CANCELED, has_run=True)
        for name in "abc"
    ]

    new = shown(*ends, old=old, is_canceling=True)

    assert reasons_of(old, new) == ["RunCanceled"]


def test_a_terminated_workflow_has_one_event_for_all_its_stacks() -> None:
    old = shown(*(make_stack(name, Phase.RUNNING) for name in "abc"))
    terminated = make_execution(1, state=ExecutionState.TERMINATED)

    new = project(make_facts(terminated), old)

    assert reasons_of(old, new) == ["WorkflowTerminated"]


@pytest.mark.parametrize(
    ("stack", "type_", "reason"),
    [
        (make_stack("a", Phase.SUCCEEDED), "Normal", "RunSucceeded"),
        (make_stack("a", Phase.FAILED), "Warning", "StackFailed"),
        (make_stack("a", Phase.CANCELED), "Warning", "StackCanceled"),
    ],
)
def test_the_end_of_a_run_is_told_with_its_message(
    stack: progress.StackProgress, type_: str, reason: str, golden: Golden
) -> None:
    old = shown(RUNNING)
    new = shown(stack, old=old)

    message = only(told(old, new)[-1:], type_, reason)
    assert new.latest_run is not None
    assert new.latest_run.message in message
    golden(PAGE).check(f"the run ends: {reason}", message)


def test_the_failures_of_the_run_before_are_not_told_again() -> None:
    old = shown(make_stack("a", Phase.FAILED))
    started = project(make_facts(make_execution(2)), old)
    resolved = shown(make_stack("a"), number=2, old=started)

    assert reasons_of(old, started) == ["RunStarted"]
    assert reasons_of(started, resolved) == []


def test_the_same_failure_in_the_next_run_is_told() -> None:
    old = shown(make_stack("a", Phase.FAILED))
    started = project(make_facts(make_execution(2)), old)

    new = shown(make_stack("a", Phase.FAILED), number=2, old=started)

    assert reasons_of(started, new) == ["StackFailed", "StackFailed"]


# Many stacks


def after(*stacks: progress.StackProgress) -> list[tuple[str, str, str]]:
    """Return the Events of a run whose stacks were all pending before."""
    pending = (make_stack(stack.id, depends_on=stack.depends_on) for stack in stacks)
    old = shown(*pending)
    return told(old, shown(*stacks, old=old))


def names(count: int, length: int = 3) -> list[str]:
    return [f"s{number:0{length - 1}}" for number in range(count)]


def test_stacks_that_go_the_same_way_at_a_time_share_an_event(golden: Golden) -> None:
    found = after(*(make_stack(name, Phase.RUNNING) for name in "abc"))

    golden(PAGE).check("StackStarted: three stacks", only(found, "Normal", "StackStarted"))


def test_of_many_stacks_the_first_ones_are_named_and_the_others_counted(golden: Golden) -> None:
    found = after(*(make_stack(name, Phase.RUNNING) for name in names(500)))

    golden(PAGE).check("StackStarted: 500 stacks", only(found, "Normal", "StackStarted"))


def test_stacks_that_fail_together_are_told_with_their_messages_and_links(golden: Golden) -> None:
    running = make_stack("z", Phase.RUNNING)
    found = after(running, *(make_stack(name, Phase.FAILED) for name in names(7)))

    ((_, _, message),) = [event for event in found if event[:2] == ("Warning", "StackFailed")]
    golden(PAGE).check("StackFailed: seven stacks", message)


def test_a_message_leaves_out_more_stacks_where_their_texts_are_long() -> None:
    stacks = [make_stack(name, Phase.FAILED, message="\U0001f40b" * 75) for name in names(4)]
    found = after(make_stack("z", Phase.RUNNING), *stacks)

    message = next(text for _, reason, text in found if reason == "StackFailed")
    assert message.endswith("; and 2 more")
    assert "'s01'" in message
    assert len(message.encode()) <= wording.EVENT_BYTES


def test_a_long_text_is_cut_at_a_kilobyte_and_still_says_how_many_there_are() -> None:
    stacks = [make_stack(name, Phase.FAILED, message="\U0001f40b" * 500) for name in "ab"]
    found = after(make_stack("z", Phase.RUNNING), *stacks)

    message = next(text for _, reason, text in found if reason == "StackFailed")
    assert message.endswith("...; and 1 more")
    assert wording.EVENT_BYTES - 8 <= len(message.encode()) <= wording.EVENT_BYTES


@pytest.mark.parametrize("text", ["x" * 1025, "\U0001f40b" * 257], ids=["ascii", "whales"])
def test_a_text_is_cut_between_characters(text: str) -> None:
    short = wording.event_message(text)

    assert short.endswith("...")
    assert text.startswith(short[:-3])
    assert wording.EVENT_BYTES - 8 <= len(short.encode()) <= wording.EVENT_BYTES
    assert wording.event_message(text[:-1]) == text[:-1]


def test_a_write_has_at_most_one_event_for_each_kind_whatever_the_size_of_the_chain() -> None:
    phases = [phase for phase in Phase if phase is not Phase.PENDING]
    stacks = [
        make_stack(name, phases[number % len(phases)]) for number, name in enumerate(names(500))
    ]
    found = [reason for _, reason, _ in after(*stacks)]

    assert len(found) == len(set(found))
    assert len(found) <= len(phases)


def test_two_stale_requests_share_an_event() -> None:
    found = events.texts(transitions.stale(["One.", "Two."], EMPTY))

    assert [(event.type, event.reason, event.message) for event in found] == [
        ("Warning", "StaleRequest", "One. Two.")
    ]


# Graphs that cannot be run


def test_a_bad_graph_is_told_once_however_often_it_is_looked_at() -> None:
    first = bad_graph(ChainReason.UNKNOWN_STACK)
    retried = make_facts(make_execution(1, attempt=2, start_time=T2))
    during = project(retried, first)
    second = bad_graph(ChainReason.UNKNOWN_STACK, attempt=2, old=during)

    assert reasons_of(EMPTY, first) == ["RunStarted", "UnknownStack"]
    assert reasons_of(first, during) == []
    assert reasons_of(during, second) == []


def test_another_thing_that_is_wrong_with_the_graph_is_told(golden: Golden) -> None:
    first = bad_graph(ChainReason.UNKNOWN_STACK)

    second = bad_graph(ChainReason.GRAPH_CYCLE, attempt=2, old=first)

    golden(PAGE).check("GraphCycle", only(told(first, second), "Warning", "GraphCycle"))


def test_a_graph_that_was_mended_is_told_without_a_second_start() -> None:
    first = bad_graph(ChainReason.UNKNOWN_STACK)

    mended = shown(RUNNING, attempt=2, old=first)

    assert reasons_of(first, mended) == ["GraphResolved", "StackStarted"]


# Problems outside of a run


def test_a_problem_is_told_when_it_begins_and_not_while_it_lasts() -> None:
    old = shown(RUNNING)
    first = unreachable(ChainReason.TEMPORAL_UNREACHABLE, old)
    second = unreachable(ChainReason.TEMPORAL_UNREACHABLE, first)

    assert told(old, first) == [("Warning", "TemporalUnreachable", OUT_OF_REACH)]
    assert reasons_of(first, second) == []


def test_the_end_of_a_problem_is_told_once(golden: Golden) -> None:
    old = shown(RUNNING)
    during = unreachable(ChainReason.TEMPORAL_UNREACHABLE, old)
    over = shown(RUNNING, old=during)

    golden(PAGE).check("Recovered", only(told(during, over), "Normal", "Recovered"))
    assert reasons_of(over, shown(RUNNING, old=over)) == []


def test_a_run_that_ended_while_nobody_could_look_is_told_with_the_end_of_the_problem() -> None:
    old = shown(RUNNING)
    during = unreachable(ChainReason.TEMPORAL_UNREACHABLE, old)

    new = shown(make_stack("a", Phase.FAILED), old=during)

    assert reasons_of(during, new) == ["Recovered", "StackFailed", "StackFailed"]


def test_the_end_of_a_failed_run_is_no_recovery() -> None:
    failed = shown(make_stack("a", Phase.FAILED))

    assert reasons_of(failed, project(make_facts(make_execution(2)), failed)) == ["RunStarted"]


def test_a_problem_that_turns_into_another_is_told() -> None:
    old = unreachable(ChainReason.TEMPORAL_UNREACHABLE)

    new = unreachable(ChainReason.CONNECTION_UNKNOWN, old)

    assert reasons_of(old, new) == ["ConnectionUnknown"]


def test_the_end_of_a_run_is_not_told_a_second_time_as_a_problem() -> None:
    old = shown(RUNNING)

    new = shown(make_stack("a", Phase.FAILED), old=old)

    assert reasons_of(old, new) == ["StackFailed", "StackFailed"]


# Automatic starts


def planned(
    *stacks: progress.StackProgress,
    operation: str = "Plan",
    cause: str = "Schedule",
    phase: Phase = Phase.SUCCEEDED,
) -> v1alpha1.Status:
    found = shown(*stacks)
    assert found.latest_run is not None
    run = dataclasses.replace(
        found.latest_run, operation=operation, cause=cause, phase=phase, completion_time=T3
    )
    return dataclasses.replace(found, latest_run=run)


def changing(stack_id: str, *delta: int) -> progress.StackProgress:
    added, changed, deleted = delta
    known = v1alpha1.Delta(added=added, changed=changed, deleted=deleted)
    return make_stack(stack_id, Phase.SUCCEEDED, delta=known)


def drift_told(new: v1alpha1.Status, old: v1alpha1.Status = EMPTY) -> list[str]:
    return [text for _, reason, text in told(old, new) if reason == "DriftDetected"]


def test_a_scheduled_plan_that_found_changes_tells_of_the_stacks_once(golden: Golden) -> None:
    new = planned(changing("a", 1, 2, 3), changing("b", 0, 0, 0), changing("c", 0, 1, 0))

    (text,) = drift_told(new)
    golden(PAGE).check("DriftDetected", text)
    assert [stack.id for stack in transitions.drifted(EMPTY, new)] == ["a", "c"]
    assert drift_told(new, old=new) == []
    assert transitions.drifted(new, new) == []


def test_drift_of_many_stacks_is_counted(golden: Golden) -> None:
    new = planned(*(changing(f"s{number:02}", 1, 0, 0) for number in range(12)))

    (text,) = drift_told(new)
    golden(PAGE).check("DriftDetected: twelve stacks", text)


@pytest.mark.parametrize(
    "fields",
    [
        pytest.param({"operation": "Apply"}, id="what is applied is no drift"),
        pytest.param({"cause": "RunToken"}, id="somebody asked for it, and looks"),
    ],
)
def test_changes_of_other_runs_are_no_drift(fields: dict[str, str]) -> None:
    assert drift_told(planned(changing("a", 1, 0, 0), **fields)) == []


def test_a_plan_without_changes_tells_of_no_drift() -> None:
    assert drift_told(planned(changing("a", 0, 0, 0))) == []


def test_drift_is_told_when_the_plan_has_ended_not_before() -> None:
    live = shown(changing("a", 1, 0, 0), make_stack("b", Phase.RUNNING))
    assert live.latest_run is not None
    run = dataclasses.replace(live.latest_run, operation="Plan", cause="Schedule")

    assert drift_told(dataclasses.replace(live, latest_run=run)) == []


def test_times_that_were_missed_are_told_in_numbers(golden: Golden) -> None:
    old = v1alpha1.Status(schedule=v1alpha1.ScheduleStatus(digest="d", checked_time=T2, missed=1))
    new = v1alpha1.Status(
        schedule=v1alpha1.ScheduleStatus(digest="d", checked_time=T3, missed=3, last_missed_time=T3)
    )

    golden(PAGE).check("StartMissed", only(told(old, new), "Warning", "StartMissed"))
    assert (transitions.missed(old, new), transitions.missed(new, new)) == (2, 0)
    # A schedule that is removed and set up again counts from the start.
    assert transitions.missed(new, old) == 0


def test_roots_that_cannot_be_seen_are_told_once_and_again_when_others_join_them() -> None:
    def with_problem(problem: str | None) -> v1alpha1.Status:
        return v1alpha1.Status(triggers=v1alpha1.TriggersStatus(digest="d", problem=problem))

    well, one, two = (with_problem(problem) for problem in (None, "Gone.", "Both are."))

    assert told(well, one) == [("Warning", "RootsNotSeen", "Gone.")]
    assert told(one, one) == told(one, well) == []
    assert told(one, two) == [("Warning", "RootsNotSeen", "Both are.")]


def test_stacks_that_are_told_together_are_one_sentence() -> None:
    stacks = [
        make_stack(
            name,
            Phase.SKIPPED,
            reason=StackReason.UPSTREAM_NOT_SUCCEEDED,
            blocked_by="a",
            message="Not run because 'a' failed.",
        )
        for name in ("b", "c")
    ]

    messages = [message for _, reason, message in told(EMPTY, shown(*stacks)) if "Skip" in reason]

    assert messages == ["'b': Not run because 'a' failed; 'c': Not run because 'a' failed"]
