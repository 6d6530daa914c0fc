"""retries: when a failed run is followed by another, and what the status says about it."""

import pytest

from controller.api import v1alpha1
from controller.api.reasons import StackReason
from controller.api.v1alpha1 import Phase
from controller.chain.run import retries, stops
from tests.support.builders import make_snapshot
from tests.support.golden import Golden

DELTA = v1alpha1.Delta(added=1, changed=0, deleted=2)


@pytest.mark.parametrize(
    ("attempts", "seconds"),
    [(1, 30), (2, 60), (3, 120), (4, 240), (5, 480), (6, 600), (7, 600), (1000, 600)],
)
def test_the_pause_doubles_until_its_limit(attempts: int, seconds: int) -> None:
    pause = retries.pause_seconds(attempts=attempts, backoff_seconds=30, max_backoff_seconds=600)

    assert pause == seconds


def test_a_limit_below_the_first_pause_is_the_pause() -> None:
    assert retries.pause_seconds(attempts=1, backoff_seconds=30, max_backoff_seconds=5) == 5


def test_the_wait_names_the_failed_run_and_when_the_next_one_starts(golden: Golden) -> None:
    run = make_snapshot("FAILED", note="no such image", run_url="https://r", delta=DELTA)

    report = retries.pending("a", run, attempts=2, limit=3, next_at="2026-01-01T00:00:00Z")

    assert (report.phase, report.reason) == (Phase.WAITING, StackReason.RETRY_PENDING)
    golden("stack_messages").check("a retry is pending", report.message)
    assert (report.run_id, report.run_url, report.run_state) == (run.run_id, "https://r", "FAILED")
    assert (report.attempts, report.delta) == (2, DELTA)


def test_who_waits_for_a_slot_says_so(golden: Golden) -> None:
    run = make_snapshot("FAILED", note="no such image", run_url="https://r", delta=DELTA)

    report = retries.wanting_slot("a", run, attempts=2, limit=3)

    assert (report.phase, report.reason) == (Phase.WAITING, StackReason.RETRY_PENDING)
    assert report.wants_slot
    golden("stack_messages").check("a retry waits for a slot", report.message)


@pytest.mark.parametrize(
    "stop",
    [
        stops.Stop(kind=stops.StopKind.CHAIN_CANCELED),
        stops.Stop(kind=stops.StopKind.STACK_DEADLINE, seconds=600),
    ],
    ids=["canceled", "deadline"],
)
def test_what_is_stopped_between_two_runs_has_failed(
    stop: stops.Stop, case: str, golden: Golden
) -> None:
    report = retries.stopped_before_retry(
        "a", make_snapshot("FAILED", note="why"), stop, attempts=2
    )

    assert (report.phase, report.reason) == (Phase.FAILED, StackReason.RUN_FAILED)
    golden("stack_messages").check(f"stopped between two runs: {case}", report.message)
    assert (report.run_id, report.attempts) == ("01RUNA", 2)
