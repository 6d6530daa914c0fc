"""What each command asks for, given what a chain says of itself."""

import dataclasses

import pytest

from controller.api import v1alpha1
from controller.api.v1alpha1 import Phase
from controller.plugin import user_requests
from controller.plugin.exit_codes import CommandError, ExitCode
from tests.support.builders import make_shown_chain, make_shown_status, make_stack_status
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
    request = user_requests.request_retry(make_shown_chain(FAILED), number)

    assert annotations(request) == {"stackchain.dev/retry": "7"}
    golden(PAGE).check("retry", "\n".join(request.messages))
    assert request.details == {"kept": ["a", "d"], "again": ["b", "c"]}


def test_a_retry_of_a_run_that_read_no_stacks_runs_all(golden: Golden) -> None:
    status = make_shown_status(number=7, phase=Phase.FAILED, reason="UnknownStack")

    messages = user_requests.request_retry(make_shown_chain(status), None).messages

    golden(PAGE).check("retry: a run that read no stacks", "\n".join(messages))


def test_a_retry_of_a_retry_that_read_no_stacks_names_what_stays_kept(golden: Golden) -> None:
    kept = make_stack_status("a", phase=Phase.SUCCEEDED, reason="Kept")
    status = make_shown_status(kept, number=7, phase=Phase.FAILED, reason="UnknownStack")

    messages = user_requests.request_retry(make_shown_chain(status), None).messages

    golden(PAGE).check("retry: a retry that read no stacks", "\n".join(messages))


def test_of_many_stacks_five_are_named(golden: Golden) -> None:
    stacks = [make_stack_status(f"s{n}", phase=Phase.FAILED) for n in range(8)]

    request = user_requests.request_retry(
        make_shown_chain(make_shown_status(*stacks, phase=Phase.FAILED)), None
    )

    golden(PAGE).check("retry: of many stacks five are named", "\n".join(request.messages))


handled = v1alpha1.Handled(retry="7")
NOTHING_TO_RETRY = {
    "never run": (make_shown_chain(), None),
    "live": (make_shown_chain(LIVE), None),
    "succeeded": (make_shown_chain(SUCCEEDED), None),
    "a stale number": (make_shown_chain(FAILED), 6),
    "a number to come": (make_shown_chain(FAILED), 8),
    "taken up before": (
        make_shown_chain(dataclasses.replace(FAILED, last_handled=handled), retry="7"),
        None,
    ),
    "being deleted": (make_shown_chain(FAILED, is_deleting=True), None),
}


@pytest.mark.parametrize("case", NOTHING_TO_RETRY)
def test_a_refused_retry_names_the_next_command(case: str, golden: Golden) -> None:
    with pytest.raises(CommandError) as refused:
        user_requests.request_retry(*NOTHING_TO_RETRY[case])

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
