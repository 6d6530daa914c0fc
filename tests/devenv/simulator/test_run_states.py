"""The states that a run of each type goes through, and what a script changes about them."""

from collections.abc import Callable
from typing import Any

import pytest

from devenv.simulator.model import stack_actions
from devenv.simulator.model.errors import Refusal
from tests.devenv.simulator.conftest import USER

MakeLab = Callable[..., Any]

BEFORE_WORK = ["QUEUED", "READY", "PREPARING"]
PLANNED = [*BEFORE_WORK, "INITIALIZING", "PLANNING"]
APPLIED = [*PLANNED, "APPLYING", "FINISHED"]

# outcome, autodeploy -> the whole history of a tracked run left alone for a minute
TRACKED = {
    "changes-autodeploy": ({}, True, APPLIED),
    "changes": ({}, False, [*PLANNED, "UNCONFIRMED"]),
    "no-op": ("no-op", False, [*PLANNED, "FINISHED"]),
    "no-op-autodeploy": ("no-op", True, [*PLANNED, "FINISHED"]),
    "fail-ready": ("fail:ready", True, ["QUEUED", "READY", "FAILED"]),
    "fail-preparing": ("fail:preparing", True, [*BEFORE_WORK, "FAILED"]),
    "fail-planning": ("fail", True, [*PLANNED, "FAILED"]),
    "fail-applying": ("fail:applying", True, [*PLANNED, "APPLYING", "FAILED"]),
    "hang-ready": ("hang:ready", True, ["QUEUED", "READY"]),
    "hang-planning": ("hang", True, PLANNED),
    "hang-applying": ("hang:applying", True, [*PLANNED, "APPLYING"]),
    "plan-deny": ({"planPolicy": "deny"}, True, [*PLANNED, "FAILED"]),
    "plan-warn": ({"planPolicy": "warn"}, True, [*PLANNED, "UNCONFIRMED"]),
    "approval": ({"approval": True}, True, ["QUEUED"]),
}


@pytest.mark.parametrize(("outcome", "autodeploy", "states"), TRACKED.values(), ids=TRACKED)
def test_a_tracked_run_goes_through(
    lab: MakeLab, outcome: Any, autodeploy: bool, states: list[str]
) -> None:
    account = lab(stacks={"a": {"outcomes": [outcome], "autodeploy": autodeploy}})
    run = account.trigger("a")

    account.advance(60)

    assert [entry.state for entry in run.history] == states
    assert [entry.state_version for entry in run.history] == list(range(len(states)))


PROPOSED = {
    "changes": ({}, [*PLANNED, "FINISHED"]),
    "fail": ("fail:initializing", [*BEFORE_WORK, "INITIALIZING", "FAILED"]),
    "approval": ({"approval": True}, [*PLANNED, "PENDING_REVIEW"]),
    "deny": ({"planPolicy": "deny"}, [*PLANNED, "FAILED"]),
}


@pytest.mark.parametrize(("outcome", "states"), PROPOSED.values(), ids=PROPOSED)
def test_a_proposed_run_goes_through(lab: MakeLab, outcome: Any, states: list[str]) -> None:
    account = lab(stacks={"a": {"outcomes": [outcome]}})
    run = account.trigger("a", "PROPOSED")

    account.advance(60)

    assert [entry.state for entry in run.history] == states


def test_a_task_performs_and_may_skip_initialization(lab: MakeLab) -> None:
    account = lab(stacks=["a", "b"])
    full, short = account.task("a"), account.task("b", skip_initialization=True)

    account.advance(60)

    assert [e.state for e in full.history][3:] == ["INITIALIZING", "PERFORMING", "FINISHED"]
    assert [e.state for e in short.history][3:] == ["PERFORMING", "FINISHED"]


def test_a_destroy_run_destroys_at_once_or_after_confirmation(lab: MakeLab) -> None:
    plain = lab(stacks={"a": {"outputs": {"o": "1"}}})
    careful = lab(stacks={"a": {"autodeploy": False}}, behavior={"destroyPlans": True})
    at_once, confirmed = plain.trigger("a", "DESTROY"), careful.trigger("a", "DESTROY")
    plain.advance(60)
    careful.until(confirmed, "UNCONFIRMED")
    careful.act("confirm", confirmed, username="x")
    careful.advance(60)

    assert [e.state for e in at_once.history][3:] == ["INITIALIZING", "DESTROYING", "FINISHED"]
    assert [e.state for e in confirmed.history][-4:] == [
        "CONFIRMED",
        "PREPARING_APPLY",
        "DESTROYING",
        "FINISHED",
    ]
    assert plain.stack("a").outputs == {}


def test_a_confirmed_run_applies_and_keeps_note_and_name(lab: MakeLab) -> None:
    account = lab(stacks={"a": {"autodeploy": False}})
    run = account.until(account.trigger("a"), "UNCONFIRMED")

    account.act("confirm", run, username="ann", note="go")
    account.advance(60)

    states = [entry.state for entry in run.history]
    assert states == [*PLANNED, "UNCONFIRMED", "CONFIRMED", "PREPARING_APPLY", *APPLIED[-2:]]
    assert (run.history[6].note, run.history[6].username) == ("go", "ann")


def test_a_run_is_replanned_for_some_resources(lab: MakeLab) -> None:
    account = lab(stacks={"a": {"autodeploy": False}})
    run = account.until(account.trigger("a"), "UNCONFIRMED")

    account.act("targeted_replan", run, targets=["x.y"], username="ann")
    account.advance(60)

    states = [entry.state for entry in run.history]
    assert states[6:] == ["REPLAN_REQUESTED", "PREPARING_REPLAN", "PLANNING", "UNCONFIRMED"]


def test_approval_lets_a_queued_run_go_and_rejection_fails_it(lab: MakeLab) -> None:
    account = lab(stacks={"a": {"requiresApproval": True}})
    first, second = account.trigger("a"), account.trigger("a")
    account.advance(5)
    assert (first.state, first.needs_approval) == ("QUEUED", True)

    account.act("review", first, decision="REJECT", username="ann", note="no")
    account.act("review", second, decision="APPROVE", username="ann")
    account.advance(60)

    assert [e.state for e in first.history] == ["QUEUED", "FAILED"]
    assert second.state == "FINISHED"


@pytest.mark.parametrize(("decision", "state"), [("APPROVE", "FINISHED"), ("REJECT", "FAILED")])
def test_a_proposed_run_is_reviewed_after_its_plan(lab: MakeLab, decision: str, state: str) -> None:
    account = lab(stacks={"a": {"outcomes": [{"approval": True}]}})
    run = account.until(account.trigger("a", "PROPOSED"), "PENDING_REVIEW")

    account.act("review", run, decision=decision, username="ann")

    assert run.state == state


def test_what_has_ended_is_not_reviewed(lab: MakeLab) -> None:
    account = lab(stacks={"a": {"requiresApproval": True}})
    run = account.trigger("a")
    account.act("cancel", run, username="ann")

    with pytest.raises(Refusal, match="run is CANCELED"):
        account.act("review", run, decision="REJECT", username="ann")

    assert run.state == "CANCELED"


def test_force_apply_applies_without_changes(lab: MakeLab) -> None:
    account = lab(stacks={"a": {"outcomes": ["no-op"]}})

    run = account.trigger("a", force_apply="SINGLE")
    account.advance(60)

    assert [entry.state for entry in run.history] == APPLIED


# state in which the operation is tried -> the operations that are accepted there
ALLOWED = {
    "QUEUED": {"cancel", "discard"},
    "READY": {"cancel", "discard"},
    "PREPARING": {"stop"},
    "INITIALIZING": {"stop"},
    "PLANNING": {"stop"},
    "UNCONFIRMED": {"confirm", "discard"},
    "CONFIRMED": set(),
    "PREPARING_APPLY": {"stop"},
    "APPLYING": {"stop"},
    "FINISHED": set(),
}


@pytest.mark.parametrize("operation", ["confirm", "discard", "cancel", "stop", "kill", "retry"])
@pytest.mark.parametrize("state", ALLOWED)
def test_an_operation_is_accepted_from_its_states_only(
    lab: MakeLab, state: str, operation: str
) -> None:
    account = lab(stacks={"a": {"autodeploy": False}})
    run = account.trigger("a")
    if state in ("CONFIRMED", "PREPARING_APPLY", "APPLYING", "FINISHED"):
        account.until(run, "UNCONFIRMED")
        account.act("confirm", run, username="x")
    account.until(run, state)

    if operation in ALLOWED[state]:
        account.act(operation, run, username="x")
    else:
        with pytest.raises(Refusal):
            account.act(operation, run, username="x")


def test_a_second_confirmation_is_refused(lab: MakeLab) -> None:
    account = lab(stacks={"a": {"autodeploy": False}})
    run = account.until(account.trigger("a"), "UNCONFIRMED")
    account.act("confirm", run, username="x")

    with pytest.raises(Refusal, match="CONFIRMED"):
        account.act("confirm", run, username="x")


def test_a_stopped_run_says_who_stopped_it(lab: MakeLab) -> None:
    account = lab(stacks=["a"])
    run = account.until(account.trigger("a"), "PLANNING")

    account.act("stop", run, username="ann", note="enough")
    account.advance(2)

    last = run.history[-1]
    assert (last.state, last.note, last.username) == ("STOPPED", "enough", "ann")


def test_a_worker_may_ignore_a_stop_and_then_be_killed(lab: MakeLab) -> None:
    account = lab(stacks={"a": {"outcomes": [{"result": "hang", "stopIgnored": True}]}})
    run = account.until(account.trigger("a"), "PLANNING")
    account.act("stop", run, username="ann")
    account.advance(60)
    assert run.state == "PLANNING"

    account.act("kill", run, username="ann")

    assert run.state == "FAILED"


@pytest.mark.parametrize(
    ("mode", "state"), [("ignored", "FINISHED"), ("stopped", "STOPPED"), ("error", "FINISHED")]
)
def test_stopping_an_apply_is_a_matter_of_the_switch(lab: MakeLab, mode: str, state: str) -> None:
    account = lab(stacks=["a"], behavior={"stopDuringApply": mode})
    run = account.until(account.trigger("a"), "APPLYING")

    if mode == "error":
        with pytest.raises(Refusal):
            account.act("stop", run, username="x")
    else:
        account.act("stop", run, username="x")
    account.advance(60)

    assert run.state == state


def test_a_lost_worker_fails_the_apply(lab: MakeLab) -> None:
    account = lab(stacks={"a": {"outcomes": ["worker-lost"], "autodeploy": False}})
    run = account.until(account.trigger("a"), "UNCONFIRMED")
    account.act("confirm", run, username="x")

    account.advance(60)

    assert [e.state for e in run.history][-2:] == ["PREPARING_APPLY", "FAILED"]
    assert run.history[-1].note == "worker lost"


def test_outcomes_are_used_up_by_runs_that_started_and_the_last_one_stays(lab: MakeLab) -> None:
    account = lab(stacks={"a": {"outcomes": ["fail", "no-op", "changes"]}})
    canceled = account.trigger("a")
    account.act("cancel", canceled, username="x")
    runs = []
    for _ in range(4):
        runs.append(account.trigger("a"))
        account.advance(60)

    assert [run.history[-2].state for run in runs] == [
        "PLANNING",
        "PLANNING",
        "APPLYING",
        "APPLYING",
    ]
    assert [run.state for run in runs] == ["FAILED", "FINISHED", "FINISHED", "FINISHED"]


@pytest.mark.parametrize("mode", ["new", "same"])
def test_a_retry_has_a_new_id_or_the_old_one(lab: MakeLab, mode: str) -> None:
    account = lab(stacks={"a": {"outcomes": ["fail", "changes"]}}, behavior={"retryRunId": mode})
    run = account.trigger("a")
    account.advance(60)

    again = account.act("retry", run, username="ann")
    account.advance(60)

    assert (again.id == run.id) is (mode == "same")
    assert again.state == "FINISHED"


ON_A_RUN_THAT_IS_OVER: dict[str, dict[str, Any]] = {
    "confirm": {},
    "discard": {},
    "cancel": {},
    "stop": {},
    "kill": {},
    "retry": {},
    "promote": {},
    "targeted_replan": {"targets": ["x"]},
    "review": {"decision": "REJECT"},
    "prioritize": {"is_prioritized": True},
}


def do(account: Any, name: str, run: Any) -> None:
    arguments = dict(ON_A_RUN_THAT_IS_OVER[name])
    if name != "prioritize":
        arguments["username"] = USER.login
    account.act(name, run, **arguments)


@pytest.mark.parametrize("mode", ["new", "same"])
@pytest.mark.parametrize("state", ["FAILED", "QUEUED", "UNCONFIRMED"])
@pytest.mark.parametrize("name", ON_A_RUN_THAT_IS_OVER)
def test_a_run_of_a_stack_that_is_gone_is_left_as_it_is(
    lab: MakeLab, name: str, state: str, mode: str
) -> None:
    outcome = {"FAILED": "fail", "QUEUED": {"approval": True}, "UNCONFIRMED": "changes"}[state]
    account = lab(
        stacks={"a": {"outcomes": [outcome], "autodeploy": False}}, behavior={"retryRunId": mode}
    )
    run = account.until(account.trigger("a"), state)
    stack_actions.remove(account.engine, account.stack("a"))
    account.advance(1)
    before = list(run.history)

    with pytest.raises(Refusal):
        do(account, name, run)

    account.advance(60)
    assert run.history == before
    assert list(account.account.runs) == [run.id]


def test_a_stack_that_is_being_deleted_gets_no_run(lab: MakeLab) -> None:
    pools = {"private": {"workers": 1}}
    account = lab(
        stacks={"a": {"outcomes": ["changes", "fail"], "workerPool": "private"}}, workerPools=pools
    )
    account.until(account.trigger("a"), "FINISHED")
    run = account.until(account.trigger("a"), "FAILED")
    stack_actions.delete(account.engine, account.stack("a"))

    with pytest.raises(Refusal, match="being deleted"):
        account.trigger("a")
    with pytest.raises(Refusal, match="being deleted"):
        do(account, "retry", run)
    with pytest.raises(Refusal, match="being deleted"):
        stack_actions.drift_check(account.engine, account.stack("a"))

    account.advance(60)
    assert "a" not in account.account.stacks


def test_a_retry_is_refused_as_a_trigger_is_under_the_lock_of_another_one(lab: MakeLab) -> None:
    account = lab(stacks={"a": {"outcomes": ["fail", "changes"]}})
    run = account.until(account.trigger("a"), "FAILED")
    ann = stack_actions.User(login="ann")
    stack_actions.lock(account.engine, account.stack("a"), ann, None)

    with pytest.raises(Refusal, match="locked by ann"):
        account.act("retry", run, username="joe")

    assert account.until(account.act("retry", run, username="ann"), "UNCONFIRMED")


def test_transitions_carry_the_time_they_were_due_however_late_one_looks(lab: MakeLab) -> None:
    account = lab(stacks=["a"])
    run = account.trigger("a")
    start = run.created_at

    account.advance(3600)

    assert [entry.at - start for entry in run.history] == [0, 1, 2, 3, 4, 5, 6]
