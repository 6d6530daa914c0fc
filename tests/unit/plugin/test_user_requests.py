"""What each command asks for, given what a chain says of itself."""

import dataclasses

import pytest

from controller.api import v1alpha1
from controller.api.v1alpha1 import Phase
from controller.plugin import user_requests
from controller.plugin.exit_codes import CommandError, ExitCode
from tests.support.builders import (
    make_run,
    make_shown_chain,
    make_shown_status,
    make_stack_status,
    make_status,
)
from tests.support.golden import Golden

PAGE = "plugin_requests"

FAILED = make_shown_status(
    make_stack_status("a", phase=Phase.SUCCEEDED),
    make_stack_status("b", 1, "a", phase=Phase.FAILED, reason="RunFailed"),
    make_stack_status(
        "c", 2, "b", phase=Phase.SKIPPED, reason="UpstreamNotSucceeded", blocked_by="b"
    ),
    make_stack_status("d", 1, "a", phase=Phase.SKIPPED, reason="OutputUnchanged"),
    number=7,
    phase=Phase.FAILED,
)
SUCCEEDED = make_shown_status(
    make_stack_status("a", phase=Phase.SUCCEEDED), number=7, phase=Phase.SUCCEEDED
)
LIVE = make_shown_status(make_stack_status("a", phase=Phase.RUNNING), number=7, phase=Phase.RUNNING)


def annotations(request: user_requests.UserRequest) -> dict[str, str]:
    found: dict[str, str] = request.changes["metadata"]["annotations"]
    return found


# run


def test_a_run_is_asked_for_by_a_new_token() -> None:
    request = user_requests.request_run(make_shown_chain(SUCCEEDED), token="now")

    assert annotations(request) == {"stackchain.dev/run": "now"}
    assert request.latest == 7


RUN_NOTES = {
    "run": make_shown_chain(SUCCEEDED),
    "run: a live run has to end": make_shown_chain(LIVE),
    "run: a live run is replaced": make_shown_chain(LIVE, concurrencyPolicy="Replace"),
    "run: suspended": make_shown_chain(SUCCEEDED, suspend=True),
}


@pytest.mark.parametrize("case", RUN_NOTES)
def test_whoever_asks_for_a_run_reads_what_it_waits_for(case: str, golden: Golden) -> None:
    request = user_requests.request_run(RUN_NOTES[case], token="now")

    golden(PAGE).check(case, "\n".join(request.messages))


# retry


@pytest.mark.parametrize("number", [None, 7], ids=["latest", "by number"])
def test_a_retry_names_the_latest_run_and_what_it_keeps(number: int | None, golden: Golden) -> None:
    request = user_requests.request_retry(make_shown_chain(FAILED), number, note="now")

    assert annotations(request) == {"stackchain.dev/retry": "7"}
    golden(PAGE).check("retry", "\n".join(request.messages))
    assert request.details == {"kept": ["a", "d"], "again": ["b", "c"]}


def test_a_retry_of_a_run_that_read_no_stacks_runs_all(golden: Golden) -> None:
    status = make_shown_status(number=7, phase=Phase.FAILED, reason="UnknownStack")

    messages = user_requests.request_retry(make_shown_chain(status), None, note="now").messages

    golden(PAGE).check("retry: a run that read no stacks", "\n".join(messages))


def test_a_retry_of_a_retry_that_read_no_stacks_names_what_stays_kept(golden: Golden) -> None:
    kept = make_stack_status("a", phase=Phase.SUCCEEDED, reason="Kept")
    status = make_shown_status(kept, number=7, phase=Phase.FAILED, reason="UnknownStack")

    messages = user_requests.request_retry(make_shown_chain(status), None, note="now").messages

    golden(PAGE).check("retry: a retry that read no stacks", "\n".join(messages))


def test_of_many_stacks_five_are_named(golden: Golden) -> None:
    stacks = [make_stack_status(f"s{n}", phase=Phase.FAILED) for n in range(8)]

    request = user_requests.request_retry(
        make_shown_chain(make_shown_status(*stacks, phase=Phase.FAILED)), None, note="now"
    )

    golden(PAGE).check("retry: of many stacks five are named", "\n".join(request.messages))


LIVE_FAILED = make_shown_status(
    *FAILED.stacks,
    make_stack_status("e", phase=Phase.RUNNING),
    make_stack_status("f", 1, "e", phase=Phase.PENDING),
    number=7,
    phase=Phase.RUNNING,
)


@pytest.mark.parametrize("status", [FAILED, LIVE_FAILED], ids=["after the run", "live"])
@pytest.mark.parametrize("stacks", [(), ("b",)], ids=["all", "named"])
def test_stacks_are_retried_in_a_live_run_and_after_it(
    status: v1alpha1.Status, stacks: tuple[str, ...], case: str, golden: Golden
) -> None:
    request = user_requests.request_retry(make_shown_chain(status), None, stacks=stacks, note="now")

    assert annotations(request) == {"stackchain.dev/retry": "7: b" if stacks else "7"}
    assert request.details["again"] == ["b", "c"]
    assert request.is_live is (status is LIVE_FAILED)
    golden(PAGE).check(f"retry: {case}", "\n".join(request.messages))


@pytest.mark.parametrize("status", [FAILED, LIVE_FAILED], ids=["after the run", "live"])
def test_a_bypass_says_what_it_lets_run(status: v1alpha1.Status, case: str, golden: Golden) -> None:
    request = user_requests.request_bypass(make_shown_chain(status), ["b", "b"], note="now")

    assert annotations(request) == {"stackchain.dev/bypass": "7: b"}
    assert request.details == {"bypassed": ["b"], "again": ["c"]}
    text = [*user_requests.dry_run_lines(request), *request.messages]
    golden(PAGE).check(f"bypass: {case}", "\n".join(text))


def test_a_bypass_of_what_another_one_held_up_does_not_run_it() -> None:
    request = user_requests.request_bypass(make_shown_chain(LIVE_FAILED), ["b", "c"], note="now")

    assert request.details == {"bypassed": ["b", "c"], "again": []}


def test_what_was_asked_for_before_is_asked_with_a_note() -> None:
    status = dataclasses.replace(
        LIVE_FAILED, last_handled=v1alpha1.Handled(retry="7: b", bypass="7: f")
    )
    chain = make_shown_chain(status)

    retry = user_requests.request_retry(chain, None, stacks=["b"], note="now")
    bypass = user_requests.request_bypass(chain, ["f"], note="now")

    assert (retry.token, bypass.token) == ("7: b @now", "7: f @now")


REFUSED_BYPASSES = {
    "never run": (make_shown_chain(), ["a"]),
    "one that is live": (make_shown_chain(LIVE_FAILED), ["e"]),
    "one that succeeded": (make_shown_chain(FAILED), ["a"]),
    "an unknown one": (make_shown_chain(FAILED), ["bb"]),
}


@pytest.mark.parametrize("case", REFUSED_BYPASSES)
def test_a_refused_bypass_says_why(case: str, golden: Golden) -> None:
    with pytest.raises(CommandError) as refused:
        user_requests.request_bypass(*REFUSED_BYPASSES[case], note="now")

    golden(PAGE).check(f"bypass refused: {case}", str(refused.value))


@pytest.mark.parametrize(
    ("retry", "bypass", "is_done"),
    [
        pytest.param("6", None, False, id="stale"),
        pytest.param("6", None, True, id="of an earlier run"),
        pytest.param("7: bb", "7", False, id="an unknown stack and no stack"),
        pytest.param("7: e", "7: e", False, id="a live stack"),
        pytest.param("7: b", "7: f", True, id="handled"),
        pytest.param("soon", None, True, id="no number"),
        pytest.param("7: b", "7: f", False, id="about to be taken up"),
    ],
)
def test_of_tokens_that_do_nothing_it_is_said_why(
    retry: str, bypass: str | None, is_done: bool, case: str, golden: Golden
) -> None:
    handled = v1alpha1.Handled(retry=retry, bypass=bypass) if is_done else v1alpha1.Handled()
    status = dataclasses.replace(LIVE_FAILED, last_handled=handled)
    chain = make_shown_chain(status, retry=retry, bypass=bypass)

    notes = user_requests.request_notes(chain)

    golden(PAGE).check(f"explained: {case}", "\n".join(notes))


NOTHING_TO_RETRY = {
    "never run": (make_shown_chain(), None),
    "live, and nothing has failed": (make_shown_chain(LIVE), None),
    "succeeded": (make_shown_chain(SUCCEEDED), None),
    "a stale number": (make_shown_chain(FAILED), 6),
    "a number to come": (make_shown_chain(FAILED), 8),
    "a stale number, and nothing failed since": (make_shown_chain(SUCCEEDED), 6),
    "being deleted": (make_shown_chain(FAILED, is_deleting=True), None),
}


@pytest.mark.parametrize("case", NOTHING_TO_RETRY)
def test_a_refused_retry_names_the_next_command(case: str, golden: Golden) -> None:
    with pytest.raises(CommandError) as refused:
        user_requests.request_retry(*NOTHING_TO_RETRY[case], note="now")

    assert refused.value.code == ExitCode.NOT_SUCCEEDED
    assert "\n" not in str(refused.value)
    golden(PAGE).check(f"retry refused: {case}", str(refused.value))


# cancel


@pytest.mark.parametrize("number", [None, 7], ids=["live", "by number"])
def test_a_cancel_names_the_live_run(number: int | None, golden: Golden) -> None:
    request = user_requests.request_cancel(make_shown_chain(LIVE), number)

    assert annotations(request) == {"stackchain.dev/cancel": "7"}
    golden(PAGE).check("cancel", "\n".join(request.messages))


def test_whoever_cancels_reads_of_the_request_that_waits(golden: Golden) -> None:
    pending = v1alpha1.PendingRun(cause="RunToken", message="Waits for run 7 to end.")
    chain = make_shown_chain(dataclasses.replace(LIVE, pending_run=pending))

    messages = user_requests.request_cancel(chain, None).messages

    golden(PAGE).check("cancel: a request waits", "\n".join(messages))


NOTHING_TO_CANCEL = {
    "never run": (make_shown_chain(), None),
    "over": (make_shown_chain(FAILED), None),
    "a stale number": (make_shown_chain(LIVE), 6),
    "a stale number, and none is live": (make_shown_chain(FAILED), 6),
}


@pytest.mark.parametrize("case", NOTHING_TO_CANCEL)
def test_what_cannot_be_canceled(case: str, golden: Golden) -> None:
    with pytest.raises(CommandError) as refused:
        user_requests.request_cancel(*NOTHING_TO_CANCEL[case])

    assert refused.value.code == ExitCode.NOT_SUCCEEDED
    golden(PAGE).check(f"cancel refused: {case}", str(refused.value))


# suspend, resume, parallelism

SPECS: dict[str, tuple[user_requests.UserRequest, dict[str, object] | None]] = {
    "suspend": (user_requests.request_suspend(make_shown_chain()), {"suspend": True}),
    "suspend again": (user_requests.request_suspend(make_shown_chain(suspend=True)), None),
    "resume": (user_requests.request_resume(make_shown_chain(suspend=True)), {"suspend": False}),
    "resume again": (user_requests.request_resume(make_shown_chain()), None),
    "parallelism": (user_requests.request_parallelism(make_shown_chain(), 3), {"parallelism": 3}),
    "the same parallelism": (user_requests.request_parallelism(make_shown_chain(), 10), None),
}


@pytest.mark.parametrize("case", SPECS)
def test_only_a_change_is_written(case: str, golden: Golden) -> None:
    request, spec = SPECS[case]

    assert request.changes == ({"spec": spec} if spec else {})
    golden(PAGE).check(case, "\n".join(request.messages))


# dry runs

DRY_RUNS = {
    "run": user_requests.request_run(make_shown_chain(SUCCEEDED), token="now"),
    "cancel": user_requests.request_cancel(make_shown_chain(LIVE), None),
    **{case: request for case, (request, _) in SPECS.items()},
}


@pytest.mark.parametrize("case", DRY_RUNS)
def test_a_dry_run_says_what_would_be_written(case: str, golden: Golden) -> None:
    request = DRY_RUNS[case]

    text = [*user_requests.dry_run_lines(request), *request.messages]
    golden(PAGE).check(f"dry run: {case}", "\n".join(text))


def staged(waits_for: str | None, phase: Phase = Phase.WAITING) -> v1alpha1.Status:
    stage = v1alpha1.StageStatus(
        name="prod", phase=phase, progress="0/2", waits_for=waits_for, message="It waits."
    )
    run = make_run(7, phase=Phase.RUNNING, stages=(stage,))
    return make_status(run, last_handled=v1alpha1.Handled(approve="6: prod"))


APPROVALS: dict[str, tuple[str, v1alpha1.Status]] = {
    "it waits and is about to be approved": ("7: prod", staged("Approval")),
    "of an earlier run": ("6: prod", staged("Approval")),
    "of a run that is not there": ("9: prod", staged("Approval")),
    "no such stage": ("7: prd", staged("Approval")),
    "it did not wait yet": ("7: prod", staged("Soak")),
    "no number": ("prod", staged("Approval")),
}


@pytest.mark.parametrize("approval", APPROVALS)
@pytest.mark.parametrize("is_done", [True, False], ids=["handled", "new"])
def test_of_an_approval_that_does_nothing_it_is_said_why(
    approval: str, is_done: bool, golden: Golden
) -> None:
    token, status = APPROVALS[approval]
    if is_done:
        status = dataclasses.replace(status, last_handled=v1alpha1.Handled(approve=token))
    chain = dataclasses.replace(make_shown_chain(status), approve_token=token)

    notes = user_requests.request_notes(chain)

    case = f"approval {'handled' if is_done else 'new'}: {approval}"
    golden(PAGE).check(case, "\n".join(notes))


def test_of_an_approval_that_has_done_its_part_nothing_is_said() -> None:
    status = staged(None, Phase.RUNNING)
    assert status.latest_run is not None
    stage = dataclasses.replace(status.latest_run.stages[0], approved_time="2026-03-01T10:00:00Z")
    run = dataclasses.replace(status.latest_run, stages=(stage,))
    done = v1alpha1.Handled(approve="7: prod")
    status = dataclasses.replace(status, latest_run=run, last_handled=done)

    chain = dataclasses.replace(make_shown_chain(status), approve_token="7: prod")

    assert user_requests.request_notes(chain) == []


def test_an_approval_names_the_live_run_and_the_stage() -> None:
    request = user_requests.request_approve(
        make_shown_chain(staged("Approval")), "prod", note="now"
    )

    assert annotations(request) == {"stackchain.dev/approve": "7: prod"}
    assert request.details == {"stage": "prod"}
    assert request.messages[0] == "Approved stage 'prod' of run 7 of prod (0/2 done)."


@pytest.mark.parametrize(
    ("status", "stage"),
    [
        pytest.param(staged("Soak"), "prod", id="it soaks"),
        pytest.param(staged(None, Phase.RUNNING), "prod", id="it runs"),
        pytest.param(staged("Approval"), "prd", id="no such stage"),
        pytest.param(make_status(make_run(7)), "prod", id="the run is over"),
        pytest.param(make_status(), "prod", id="no run"),
    ],
)
def test_a_stage_that_does_not_wait_is_not_approved(status: v1alpha1.Status, stage: str) -> None:
    with pytest.raises(CommandError) as caught:
        user_requests.request_approve(make_shown_chain(status), stage, note="now")

    assert caught.value.code is ExitCode.NOT_SUCCEEDED
