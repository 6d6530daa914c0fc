"""remedies: what is advised after a run that did not succeed is never refused."""

import pytest

from controller.api import v1alpha1
from controller.api.reasons import ChainReason
from controller.api.v1alpha1 import Phase
from controller.chain.status import remedies
from tests.support.builders import make_run
from tests.support.golden import Golden

PAGE = "remedies"
ADVISED = [
    ChainReason.STACK_FAILED,
    ChainReason.STACKS_NO_LONGER_IN_CHAIN,
    ChainReason.STACK_TIMED_OUT,
    ChainReason.STACK_CANCELED,
    ChainReason.RUN_CANCELED,
    ChainReason.DEADLINE_EXCEEDED,
    ChainReason.WORKFLOW_TERMINATED,
    ChainReason.WORKFLOW_FAILED,
]
NEVER = v1alpha1.Handled()


def run_of(reason: ChainReason) -> v1alpha1.RunStatus:
    return make_run(7, phase=Phase.FAILED, reason=reason, message="It ended so.")


@pytest.mark.parametrize("reason", ADVISED)
def test_a_run_that_can_be_retried_says_how(reason: ChainReason, golden: Golden) -> None:
    run = run_of(reason)
    can = remedies.possible(run, NEVER, is_followed=False, is_spec_new=False)

    golden(PAGE).check(f"retry: {reason}", remedies.with_remedy(run, can))
    assert can is remedies.Possible.RETRY


@pytest.mark.parametrize("reason", ADVISED)
def test_where_a_retry_would_do_nothing_only_a_run_of_all_is_advised(
    reason: ChainReason, golden: Golden
) -> None:
    run = run_of(reason)
    can = remedies.possible(run, NEVER, is_followed=False, is_spec_new=True)

    golden(PAGE).check(f"run: {reason}", remedies.with_remedy(run, can))
    assert can is remedies.Possible.RUN


@pytest.mark.parametrize("reason", ADVISED)
def test_where_the_number_was_taken_up_a_note_is_advised(
    reason: ChainReason, golden: Golden
) -> None:
    said = remedies.with_remedy(run_of(reason), remedies.Possible.RETRY_AGAIN)

    golden(PAGE).check(f"retry again: {reason}", said)


@pytest.mark.parametrize("reason", ADVISED)
def test_what_another_run_follows_advises_nothing(reason: ChainReason) -> None:
    run = run_of(reason)
    can = remedies.possible(run, NEVER, is_followed=True, is_spec_new=True)

    assert remedies.with_remedy(run, can) == "It ended so."


@pytest.mark.parametrize("reason", [ChainReason.RUN_SUCCEEDED, ChainReason.GRAPH_CYCLE, "Later"])
def test_other_ends_speak_for_themselves(reason: str) -> None:
    run = make_run(7, phase=Phase.FAILED, reason=reason, message="It ended so.")

    assert remedies.with_remedy(run, remedies.Possible.RETRY) == "It ended so."


@pytest.mark.parametrize(
    ("taken_up", "can"),
    [
        (None, remedies.Possible.RETRY),
        ("6", remedies.Possible.RETRY),
        ("7", remedies.Possible.RETRY_AGAIN),
        (" 7", remedies.Possible.RETRY_AGAIN),
        ("7: a", remedies.Possible.RETRY_AGAIN),
        ("7 @again", remedies.Possible.RETRY_AGAIN),
        ("x", remedies.Possible.RETRY),
    ],
)
def test_a_number_that_was_taken_up_needs_a_note(
    taken_up: str | None, can: remedies.Possible
) -> None:
    """It said that it was stale, and the same text asks for nothing any more."""
    handled = v1alpha1.Handled(retry=taken_up)
    run = run_of(ChainReason.STACK_FAILED)

    assert remedies.possible(run, handled, is_followed=False, is_spec_new=False) is can
