"""stack_reports: what each state of a run means for its stack, and which call stops the run."""

import pytest

from controller.api import v1alpha1
from controller.api.reasons import StackReason
from controller.api.v1alpha1 import Phase
from controller.chain.run import (
    holds,
    progress,
    run_snapshots,
    run_states,
    stack_reports,
    stops,
)
from controller.spacelift import errors
from tests.support.builders import make_snapshot
from tests.support.golden import Golden

DELTA = v1alpha1.Delta(added=1, changed=2, deleted=3)
BUSY = (Phase.RUNNING, StackReason.RUN_IN_PROGRESS)
QUEUED = (Phase.WAITING, StackReason.RUN_QUEUED)
CANCELED = stops.Stop(kind=stops.StopKind.CHAIN_CANCELED)
LATE = stops.Stop(kind=stops.StopKind.STACK_DEADLINE, seconds=600)
UNANSWERED = stops.Stop(kind=stops.StopKind.CONFIRMATION_DEADLINE, seconds=60)
PAGE = "stack_messages"

# state -> what it means for the stack, and the calls that may stop the run
STATES: dict[str, tuple[tuple[Phase, StackReason], str | None]] = {
    "QUEUED": (QUEUED, "cancel"),
    "READY": ((Phase.WAITING, StackReason.WORKER_PENDING), "cancel"),
    "PENDING": (BUSY, None),
    "PREPARING": (BUSY, "stop"),
    "INITIALIZING": (BUSY, "stop"),
    "PLANNING": (BUSY, "stop"),
    "UNCONFIRMED": ((Phase.AWAITING_CONFIRMATION, StackReason.NEEDS_CONFIRMATION), "discard"),
    "PENDING_REVIEW": ((Phase.AWAITING_CONFIRMATION, StackReason.NEEDS_APPROVAL), "stop discard"),
    "CONFIRMED": (BUSY, None),
    "PREPARING_APPLY": (BUSY, None),
    "APPLYING": (BUSY, None),
    "REPLAN_REQUESTED": (BUSY, "stop"),
    "PREPARING_REPLAN": (BUSY, "stop"),
    "PERFORMING": (BUSY, None),
    "DESTROYING": (BUSY, None),
    "FINISHED": ((Phase.SUCCEEDED, StackReason.RUN_FINISHED), None),
    "FAILED": ((Phase.FAILED, StackReason.RUN_FAILED), None),
    "CANCELED": ((Phase.CANCELED, StackReason.RUN_CANCELED), None),
    "DISCARDED": ((Phase.CANCELED, StackReason.RUN_DISCARDED), None),
    "STOPPED": ((Phase.CANCELED, StackReason.RUN_STOPPED), None),
    "SKIPPED": ((Phase.FAILED, StackReason.RUN_SKIPPED), None),
    "SOMETHING_NEW": (BUSY, None),
}


def classify(
    run: run_snapshots.RunSnapshot,
    *,
    is_adopted: bool = False,
    stop: stops.Stop | None = None,
    attempts: int = 1,
) -> progress.StackReport:
    return stack_reports.classify("a", run, is_adopted=is_adopted, stop=stop, attempts=attempts)


def test_the_tables_here_know_every_state_that_spacelift_is_known_to_have() -> None:
    assert set(STATES) == run_states.KNOWN | {"SOMETHING_NEW"}


@pytest.mark.parametrize("state", STATES)
def test_each_state_has_its_meaning(state: str, golden: Golden) -> None:
    report = classify(make_snapshot(state))

    if STATES[state][0] == BUSY:
        # While a run continues there is nothing to say.
        assert report.message == ""
    else:
        golden(PAGE).check(f"the run is {state}", report.message)
    assert (report.phase, report.reason) == STATES[state][0]
    assert report.run_id == "01RUNA"


@pytest.mark.parametrize("state", STATES)
def test_each_state_has_the_calls_that_may_stop_its_run(state: str) -> None:
    assert " ".join(make_snapshot(state).stop_calls) == (STATES[state][1] or "")


@pytest.mark.parametrize("state", STATES)
def test_only_an_end_is_over(state: str) -> None:
    is_end = state in run_states.TERMINAL

    assert make_snapshot(state, finished=False).is_over is is_end
    assert classify(make_snapshot(state)).phase.is_over is is_end


def test_a_state_that_nobody_knows_ends_only_when_spacelift_says_so(golden: Golden) -> None:
    report = classify(make_snapshot("EXPIRED", finished=True))

    assert (report.phase, report.reason) == (Phase.FAILED, StackReason.RUN_FAILED)
    golden(PAGE).check("the run ended in a state that is not known", report.message)


# Approval


@pytest.mark.parametrize("state", ["QUEUED", "UNCONFIRMED", "PENDING_REVIEW"])
def test_a_run_held_by_an_approval_policy_waits_for_a_person(state: str, golden: Golden) -> None:
    report = classify(make_snapshot(state, needs_approval=True))

    assert (report.phase, report.reason) == (
        Phase.AWAITING_CONFIRMATION,
        StackReason.NEEDS_APPROVAL,
    )
    golden(PAGE).check("an approval policy holds the run", report.message)


def test_after_the_approval_the_confirmation_is_news() -> None:
    held = make_snapshot("UNCONFIRMED", needs_approval=True)

    assert stack_reports.summary(held) != stack_reports.summary(make_snapshot("UNCONFIRMED"))


# Ends


@pytest.mark.parametrize(
    "note",
    [
        "inputs unchanged",
        "This run has dependency references (a.id) which have not changed since the last run",
        "This run has dependency references (a.one, a.two, and so many that the end is cut...",
    ],
)
def test_an_adopted_run_that_spacelift_skipped_had_nothing_to_do(note: str) -> None:
    run = make_snapshot("SKIPPED", note=note)

    report = classify(run, is_adopted=True)

    assert (report.phase, report.reason) == (Phase.SKIPPED, StackReason.OUTPUT_UNCHANGED)
    assert not stack_reports.is_skipped_for_another(run)


def test_an_adopted_run_that_was_skipped_tells_the_note(golden: Golden) -> None:
    report = classify(make_snapshot("SKIPPED", note="inputs unchanged"), is_adopted=True)

    golden(PAGE).check("an adopted run was skipped, with a note", report.message)


@pytest.mark.parametrize("note", ["", "upstream run 01X of stack z is CANCELED"])
def test_an_adopted_run_that_was_skipped_for_another_reason_releases_nothing(note: str) -> None:
    """The chain runs such a stack itself; if it does not, nothing may start behind it."""
    run = make_snapshot("SKIPPED", note=note)

    report = classify(run, is_adopted=True)

    assert (report.phase, report.reason) == (Phase.FAILED, StackReason.RUN_SKIPPED)
    assert stack_reports.is_skipped_for_another(run)


@pytest.mark.parametrize("state", ["FINISHED", "FAILED", "CANCELED", "QUEUED"])
def test_only_a_skipped_run_is_skipped_for_another(state: str) -> None:
    assert not stack_reports.is_skipped_for_another(make_snapshot(state))


@pytest.mark.parametrize("state", ["FAILED", "CANCELED", "DISCARDED", "STOPPED", "SKIPPED"])
def test_an_end_that_is_no_success_carries_spacelifts_note(state: str, golden: Golden) -> None:
    report = classify(make_snapshot(state, note="why"))

    golden(PAGE).check(f"the run is {state}, with a note", report.message)


@pytest.mark.parametrize("state", ["CANCELED", "DISCARDED", "STOPPED", "SKIPPED"])
def test_runs_stopped_with_the_chain_say_so(state: str, golden: Golden) -> None:
    report = classify(make_snapshot(state), is_adopted=True, stop=CANCELED)

    assert (report.phase, report.reason) == (Phase.CANCELED, StackReason.CHAIN_CANCELED)
    golden(PAGE).check(f"stopped with the chain: {state}", report.message)


@pytest.mark.parametrize(
    ("state", "phase"), [("FINISHED", Phase.SUCCEEDED), ("FAILED", Phase.FAILED)]
)
def test_a_run_that_came_to_its_own_end_while_the_chain_was_canceled_keeps_it(
    state: str, phase: Phase
) -> None:
    assert classify(make_snapshot(state), stop=CANCELED).phase is phase


@pytest.mark.parametrize("state", ["CONFIRMED", "PREPARING_APPLY", "APPLYING", "DESTROYING"])
def test_a_run_that_applies_is_left_to_end_and_says_so(state: str, golden: Golden) -> None:
    report = classify(make_snapshot(state), stop=CANCELED)

    assert report.phase is Phase.RUNNING
    golden(PAGE).check("canceled while the run applies", report.message)


# Deadlines


@pytest.mark.parametrize(
    ("stop", "reason"),
    [
        (LATE, StackReason.STACK_DEADLINE_EXCEEDED),
        (UNANSWERED, StackReason.CONFIRMATION_DEADLINE_EXCEEDED),
    ],
    ids=["stack", "confirmation"],
)
@pytest.mark.parametrize("state", ["CANCELED", "DISCARDED", "STOPPED", "SKIPPED"])
def test_a_run_that_a_deadline_stopped_timed_out(
    state: str, stop: stops.Stop, reason: StackReason, golden: Golden
) -> None:
    report = classify(make_snapshot(state), is_adopted=True, stop=stop)

    assert (report.phase, report.reason) == (Phase.TIMED_OUT, reason)
    golden(PAGE).check(f"{reason}: {state}", report.message)


@pytest.mark.parametrize(
    ("state", "phase"), [("FINISHED", Phase.SUCCEEDED), ("FAILED", Phase.FAILED)]
)
def test_a_run_that_came_to_its_own_end_after_the_deadline_keeps_it(
    state: str, phase: Phase
) -> None:
    assert classify(make_snapshot(state), stop=LATE).phase is phase


@pytest.mark.parametrize("state", ["QUEUED", "PLANNING", "UNCONFIRMED", "APPLYING", "DESTROYING"])
def test_a_run_past_its_deadline_says_so_and_asks_nobody_to_confirm_it(
    state: str, golden: Golden
) -> None:
    report = classify(make_snapshot(state), stop=LATE)

    assert (report.phase, report.reason) == (Phase.RUNNING, StackReason.STACK_DEADLINE_EXCEEDED)
    golden(PAGE).check(f"past its deadline: {state}", report.message)


def test_a_reason_to_stop_begins_its_sentence(golden: Golden) -> None:
    report = classify(make_snapshot("UNCONFIRMED"), stop=UNANSWERED)

    golden(PAGE).check("nobody confirmed it in time", report.message)


def test_a_run_in_review_that_cannot_be_stopped_is_left(golden: Golden) -> None:
    run = make_snapshot("PENDING_REVIEW")

    report = stack_reports.left_unstopped("a", run, UNANSWERED, attempts=1)

    assert run.may_be_left
    assert (report.phase, report.reason) == (
        Phase.TIMED_OUT,
        StackReason.CONFIRMATION_DEADLINE_EXCEEDED,
    )
    golden(PAGE).check("a run in review cannot be stopped", report.message)
    assert stack_reports.left_unstopped("a", run, CANCELED, attempts=1).phase is Phase.CANCELED


@pytest.mark.parametrize("state", [state for state in STATES if state != "PENDING_REVIEW"])
def test_no_other_run_is_left(state: str) -> None:
    assert not make_snapshot(state).may_be_left


# Persons and confirmations


@pytest.mark.parametrize("state", STATES)
def test_only_these_wait_for_a_person(state: str) -> None:
    run, held = make_snapshot(state), make_snapshot(state, needs_approval=True)

    assert run.needs_confirmation is (state == "UNCONFIRMED")
    assert run.waits_for_person is (state in ("UNCONFIRMED", "PENDING_REVIEW"))
    assert not held.needs_confirmation
    assert held.waits_for_person is (state not in run_states.TERMINAL)


def test_a_run_that_the_chain_confirms_waits_for_nobody(golden: Golden) -> None:
    report = stack_reports.confirming("a", make_snapshot("UNCONFIRMED", delta=DELTA), attempts=2)

    assert (report.phase, report.reason) == (Phase.RUNNING, StackReason.CONFIRMING)
    assert (report.delta, report.attempts) == (DELTA, 2)
    golden(PAGE).check("the chain confirms", report.message)


def test_a_run_that_the_chain_judges_waits_for_nobody_yet(golden: Golden) -> None:
    report = stack_reports.confirming("a", make_snapshot("UNCONFIRMED"), is_limited=True)

    assert (report.phase, report.reason) == (Phase.RUNNING, StackReason.CONFIRMING)
    golden(PAGE).check("the chain compares a plan with limits", report.message)


def test_another_plan_is_news_while_a_run_waits_for_its_confirmation() -> None:
    waits, other = (make_snapshot("UNCONFIRMED", delta=delta) for delta in (DELTA, None))
    plans, replans = (make_snapshot("PLANNING", delta=delta) for delta in (DELTA, None))

    assert stack_reports.summary(waits) != stack_reports.summary(other)
    assert stack_reports.summary(plans) == stack_reports.summary(replans)


def test_a_confirmation_that_is_refused_needs_a_person_and_says_why(golden: Golden) -> None:
    report = stack_reports.confirmation_refused("a", make_snapshot("UNCONFIRMED"), words="not you")

    assert (report.phase, report.reason) == (
        Phase.AWAITING_CONFIRMATION,
        StackReason.NEEDS_CONFIRMATION,
    )
    golden(PAGE).check("the chain may not confirm", report.message)


# Several runs


@pytest.mark.parametrize("state", ["FINISHED", "FAILED", "DISCARDED"])
def test_an_end_after_several_runs_says_how_many(state: str, golden: Golden) -> None:
    report = classify(make_snapshot(state), attempts=3)

    assert report.attempts == 3
    golden(PAGE).check(f"after three runs: {state}", report.message)


def test_a_run_in_progress_counts_silently() -> None:
    report = classify(make_snapshot("PLANNING"), attempts=3)

    assert (report.message, report.attempts) == ("", 3)


# Waiting


def test_who_holds_a_queued_run_is_news_and_what_it_does_meanwhile_is_not() -> None:
    def blocked(run_id: str, state: str) -> str:
        hold = holds.Hold(blocker_id=run_id, blocker_state=state)
        return stack_reports.summary(make_snapshot("QUEUED", hold=hold))

    assert blocked("01A", "PLANNING") != stack_reports.summary(make_snapshot("QUEUED"))
    assert blocked("01A", "PLANNING") != blocked("01B", "PLANNING")
    assert blocked("01A", "PLANNING") == blocked("01A", "APPLYING")
    assert blocked("01A", "PLANNING") != blocked("01A", "UNCONFIRMED")


def test_another_owner_of_the_lock_is_news() -> None:
    def locked(owner: str) -> str:
        return stack_reports.summary(make_snapshot("QUEUED", hold=holds.Hold(locked_by=owner)))

    assert locked("jane") != locked("joe")
    assert locked("jane") != stack_reports.summary(make_snapshot("QUEUED"))


def test_an_approval_goes_before_all_else_that_a_queued_run_waits_for() -> None:
    hold = holds.Hold(locked_by="jane", blocker_id="01A", blocker_state="PLANNING")

    report = classify(make_snapshot("QUEUED", needs_approval=True, hold=hold))

    assert report.reason == StackReason.NEEDS_APPROVAL


def test_what_holds_a_stack_says_nothing_of_a_run_that_has_started() -> None:
    assert classify(make_snapshot("PLANNING", hold=holds.Hold(locked_by="jane"))).reason == (
        StackReason.RUN_IN_PROGRESS
    )


# Reports


@pytest.mark.parametrize("state", STATES)
def test_the_state_is_named_unless_it_would_soon_be_untrue(state: str) -> None:
    report = classify(make_snapshot(state))

    assert report.run_state == (None if report.phase is Phase.RUNNING else state)


def test_link_and_delta_are_passed_on() -> None:
    report = classify(make_snapshot("PLANNING", run_url="https://r", delta=DELTA))

    assert report.run_url == "https://r"
    assert report.delta == DELTA


def test_no_link_is_none() -> None:
    assert classify(make_snapshot("PLANNING", run_url="")).run_url is None


def test_states_that_mean_the_same_are_no_news() -> None:
    assert stack_reports.summary(make_snapshot("PLANNING")) == stack_reports.summary(
        make_snapshot("APPLYING")
    )
    assert stack_reports.summary(make_snapshot("QUEUED")) != stack_reports.summary(
        make_snapshot("READY")
    )
    assert stack_reports.summary(make_snapshot("QUEUED")) != stack_reports.summary(
        make_snapshot("PLANNING")
    )


# Problems of reading


@pytest.mark.parametrize(
    ("error", "reason"),
    [
        (errors.Unreachable, StackReason.SPACELIFT_UNREACHABLE),
        (errors.AmbiguousOutcome, StackReason.SPACELIFT_UNREACHABLE),
        (errors.RateLimited, StackReason.RATE_LIMITED),
        (errors.SpaceliftRefused, StackReason.SPACELIFT_UNREACHABLE),
        (errors.SpaceliftObjectNotFound, StackReason.SPACELIFT_UNREACHABLE),
        (errors.CredentialsRejected, StackReason.CREDENTIALS_REJECTED),
        (errors.PermissionDenied, StackReason.PERMISSION_DENIED),
    ],
)
def test_a_run_that_cannot_be_read_shows_a_documented_reason(
    error: type[errors.SpaceliftError], reason: StackReason
) -> None:
    run = make_snapshot("PLANNING", problem_reason=error.__name__, problem_message="It is so.")

    report = classify(run)

    assert (report.phase, report.reason, report.message) == (Phase.RUNNING, reason, "It is so.")


def test_an_end_that_was_read_is_not_undone_by_a_later_problem() -> None:
    run = make_snapshot("FINISHED", problem_reason="Unreachable")

    assert classify(run).phase is Phase.SUCCEEDED


@pytest.mark.parametrize(
    ("state", "hold", "is_for_others"),
    [
        ("PLANNING", None, False),
        ("READY", None, False),
        ("QUEUED", None, False),
        ("QUEUED", holds.Hold(), False),
        ("QUEUED", holds.Hold(locked_by="jane"), True),
        ("QUEUED", holds.Hold(is_disabled=True), True),
        ("QUEUED", holds.Hold(blocker_id="01X", blocker_state="PLANNING"), True),
        ("UNCONFIRMED", None, True),
        ("PENDING_REVIEW", None, True),
    ],
)
def test_a_run_waits_for_others_or_for_spacelift(
    state: str, hold: holds.Hold | None, is_for_others: bool
) -> None:
    run = make_snapshot(state=state, hold=hold)

    assert stack_reports.waits_for_others(run) is is_for_others
