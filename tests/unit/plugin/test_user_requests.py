"""What each command asks for, given what a chain says of itself."""

import dataclasses

import pytest

from controller.api import v1alpha1
from controller.api.v1alpha1 import Phase
from controller.plugin import user_requests
from controller.plugin.exit_codes import CommandError, ExitCode
from tests.support.statuses import make_chain, make_stack, make_status

FAILED = make_status(
    make_stack("a", phase=Phase.SUCCEEDED),
    make_stack("b", 1, "a", phase=Phase.FAILED, reason="RunFailed"),
    make_stack("c", 2, "b", phase=Phase.SKIPPED, reason="UpstreamNotSucceeded", blocked_by="b"),
    make_stack("d", 1, "a", phase=Phase.SKIPPED, reason="OutputUnchanged"),
    number=7,
    phase=Phase.FAILED,
)
SUCCEEDED = make_status(make_stack("a", phase=Phase.SUCCEEDED), number=7, phase=Phase.SUCCEEDED)
LIVE = make_status(make_stack("a", phase=Phase.RUNNING), number=7, phase=Phase.RUNNING)


def annotations(request: user_requests.UserRequest) -> dict[str, str]:
    found: dict[str, str] = request.changes["metadata"]["annotations"]
    return found


# run


def test_a_run_is_asked_for_by_a_new_token() -> None:
    request = user_requests.request_run(make_chain(SUCCEEDED), token="now")

    assert annotations(request) == {"stackchain.dev/run": "now"}
    assert (request.latest, request.messages) == (7, ("Asked for a run of prod.",))


RUN_NOTES = {
    "a live run has to end": (make_chain(LIVE), "Run 7 is live and has to end first."),
    "a live run is replaced": (
        make_chain(LIVE, concurrencyPolicy="Replace"),
        "Run 7 is live and is canceled first (concurrencyPolicy: Replace).",
    ),
    "suspended": (
        make_chain(SUCCEEDED, suspend=True),
        "The chain is suspended: nothing is started before `kubectl stackchain resume prod`.",
    ),
}


@pytest.mark.parametrize(("chain", "expected"), RUN_NOTES.values(), ids=RUN_NOTES.keys())
def test_who_asks_for_a_run_is_told_what_it_waits_for(
    chain: v1alpha1.StackChain, expected: str
) -> None:
    assert expected in user_requests.request_run(chain, token="now").messages


# retry


@pytest.mark.parametrize("number", [None, 7], ids=["latest", "by number"])
def test_a_retry_names_the_latest_run_and_what_it_keeps(number: int | None) -> None:
    request = user_requests.request_retry(make_chain(FAILED), number)

    assert annotations(request) == {"stackchain.dev/retry": "7"}
    assert request.messages == (
        "Asked for a retry of run 7 of prod.",
        "To run again (2): b, c.",
        "Kept as they are (2): a, d.",
    )
    assert request.details == {"kept": ["a", "d"], "again": ["b", "c"]}


def test_a_retry_of_a_run_that_read_no_stacks_runs_all() -> None:
    status = make_status(number=7, phase=Phase.FAILED, reason="UnknownStack")

    told = user_requests.request_retry(make_chain(status), None).messages

    assert told[1:] == ("The run had read no stacks, so all of the chain's are run.",)


def test_a_retry_of_a_retry_that_read_no_stacks_names_what_stays_kept() -> None:
    kept = make_stack("a", phase=Phase.SUCCEEDED, reason="Kept")
    status = make_status(kept, number=7, phase=Phase.FAILED, reason="UnknownStack")

    told = user_requests.request_retry(make_chain(status), None).messages

    assert told[1:] == (
        "The run had read no stacks, so all of the chain's are run but those that are kept.",
        "Kept as they are (1): a.",
    )


def test_of_many_stacks_five_are_named() -> None:
    stacks = [make_stack(f"s{n}", phase=Phase.FAILED) for n in range(8)]

    request = user_requests.request_retry(
        make_chain(make_status(*stacks, phase=Phase.FAILED)), None
    )

    assert "To run again (8): s0, s1, s2, s3, s4 and 3 more." in request.messages


handled = v1alpha1.Handled(retry="7")
NOTHING_TO_RETRY = {
    "never run": (make_chain(), None, "has not run yet"),
    "live": (make_chain(LIVE), None, "run 7 of prod is still live (Running)"),
    "succeeded": (make_chain(SUCCEEDED), None, "every stack of run 7 succeeded"),
    "a stale number": (
        make_chain(FAILED),
        6,
        "run 6 is not the latest run of prod, which is run 7",
    ),
    "a number to come": (make_chain(FAILED), 8, "run 8 is not the latest run of prod"),
    "taken up before": (
        make_chain(dataclasses.replace(FAILED, last_handled=handled), retry="7"),
        None,
        "asked for before and has been taken up",
    ),
    "being deleted": (make_chain(FAILED, is_deleting=True), None, "is being deleted"),
}


@pytest.mark.parametrize(
    ("chain", "number", "expected"), NOTHING_TO_RETRY.values(), ids=NOTHING_TO_RETRY.keys()
)
def test_what_cannot_be_retried_is_told_with_the_next_command(
    chain: v1alpha1.StackChain, number: int | None, expected: str
) -> None:
    with pytest.raises(CommandError) as refused:
        user_requests.request_retry(chain, number)

    assert refused.value.code == ExitCode.NOT_SUCCEEDED
    assert expected in str(refused.value)
    assert "\n" not in str(refused.value)


# cancel


@pytest.mark.parametrize("number", [None, 7], ids=["live", "by number"])
def test_a_cancel_names_the_live_run(number: int | None) -> None:
    request = user_requests.request_cancel(make_chain(LIVE), number)

    assert annotations(request) == {"stackchain.dev/cancel": "7"}
    assert request.messages[0] == "Asked to cancel run 7 of prod."


def test_who_cancels_is_told_of_the_request_that_waits() -> None:
    pending = v1alpha1.PendingRun(cause="RunToken", message="Waits for run 7 to end.")
    chain = make_chain(dataclasses.replace(LIVE, pending_run=pending))

    assert (
        "A request waits for its end and starts then."
        in user_requests.request_cancel(chain, None).messages
    )


@pytest.mark.parametrize(
    ("chain", "number", "expected"),
    [
        pytest.param(make_chain(), None, "has not run yet", id="never run"),
        pytest.param(make_chain(FAILED), None, "run 7 of prod is over (Failed)", id="over"),
        pytest.param(make_chain(LIVE), 6, "run 6 is not the latest run of prod", id="stale"),
    ],
)
def test_what_cannot_be_canceled(
    chain: v1alpha1.StackChain, number: int | None, expected: str
) -> None:
    with pytest.raises(CommandError) as refused:
        user_requests.request_cancel(chain, number)

    assert refused.value.code == ExitCode.NOT_SUCCEEDED
    assert expected in str(refused.value)


# suspend, resume, parallelism

SPECS = {
    "suspend": (user_requests.request_suspend(make_chain()), {"suspend": True}),
    "suspend again": (user_requests.request_suspend(make_chain(suspend=True)), None),
    "resume": (user_requests.request_resume(make_chain(suspend=True)), {"suspend": False}),
    "resume what goes on": (user_requests.request_resume(make_chain()), None),
    "parallelism": (user_requests.request_parallelism(make_chain(), 3), {"parallelism": 3}),
    "the same parallelism": (user_requests.request_parallelism(make_chain(), 10), None),
}


@pytest.mark.parametrize(("wanted", "spec"), SPECS.values(), ids=SPECS.keys())
def test_what_is_so_already_is_not_written_again(
    wanted: user_requests.UserRequest, spec: dict[str, object] | None
) -> None:
    assert wanted.changes == ({"spec": spec} if spec else {})
    assert wanted.messages
