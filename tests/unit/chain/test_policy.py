"""policy: what the end of one stack means for the others."""

import pytest

from controller.api.reasons import StackReason
from controller.api.v1alpha1 import Phase
from controller.chain import policy, progress
from tests.support.builders import T2, make_progress, make_stack


@pytest.mark.parametrize("phase", list(Phase))
def test_only_success_and_an_unchanged_output_release_dependents(phase: Phase) -> None:
    stack = make_stack("a", phase)

    assert policy.ended_well(stack) is (phase in (Phase.SUCCEEDED, Phase.SKIPPED))


def test_a_stack_skipped_because_of_another_releases_nobody() -> None:
    skipped = make_stack(
        "a", Phase.SKIPPED, reason=StackReason.UPSTREAM_NOT_SUCCEEDED, blocked_by="x"
    )

    assert not policy.ended_well(skipped)


def test_all_transitive_dependents_are_skipped_and_name_the_culprit() -> None:
    chain = make_progress(
        make_stack("a", Phase.FAILED),
        make_stack("b", depends_on="a"),
        make_stack("c", depends_on="b"),
        make_stack("d", depends_on="c"),
        make_stack("other"),
    )

    skipped = policy.skip_dependents(chain, now=T2)

    assert skipped == ["b", "c", "d"]
    for stack in chain.stacks[2:]:
        assert (stack.phase, stack.reason) == (Phase.SKIPPED, StackReason.UPSTREAM_NOT_SUCCEEDED)
        assert (stack.blocked_by, stack.completed_at) == ("a", T2)
        assert stack.message == "Not run, because 'a' failed."
    assert chain.stacks[1].phase is Phase.PENDING


def test_a_skipped_dependent_is_not_skipped_a_second_time() -> None:
    chain = make_progress(make_stack("a", Phase.FAILED), make_stack("b", depends_on="a"))
    policy.skip_dependents(chain, now=T2)

    assert policy.skip_dependents(chain, now="later") == []
    assert chain.stacks[1].completed_at == T2


def test_one_failed_upstream_of_several_is_enough() -> None:
    chain = make_progress(
        make_stack("a", Phase.SUCCEEDED),
        make_stack("b", Phase.FAILED),
        make_stack("c", Phase.RUNNING),
        make_stack("d", depends_on="abc"),
    )

    assert policy.skip_dependents(chain, now=T2) == ["d"]
    assert chain.stacks[-1].blocked_by == "b"


def test_an_unchanged_output_skips_nobody() -> None:
    chain = make_progress(make_stack("a", Phase.SKIPPED), make_stack("b", depends_on="a"))

    assert policy.skip_dependents(chain, now=T2) == []


@pytest.mark.parametrize(
    ("culprit", "message"),
    [
        pytest.param(
            make_stack("a", Phase.FAILED, reason=StackReason.TRIGGER_REFUSED, has_run=False),
            "Not run, because 'a' failed.",
            id="never triggered",
        ),
        pytest.param(
            make_stack("a", Phase.CANCELED, reason=StackReason.RUN_DISCARDED),
            "Not run, because the run of 'a' was discarded.",
            id="discarded",
        ),
        pytest.param(
            make_stack("a", Phase.CANCELED, reason=StackReason.RUN_CANCELED),
            "Not run, because the run of 'a' was canceled.",
            id="canceled in Spacelift",
        ),
        pytest.param(
            make_stack("a", Phase.CANCELED, reason=StackReason.RUN_STOPPED),
            "Not run, because the run of 'a' was stopped.",
            id="stopped",
        ),
        pytest.param(
            make_stack("a", Phase.CANCELED, reason=StackReason.CHAIN_CANCELED),
            "Not run, because 'a' was canceled.",
            id="canceled with the chain",
        ),
    ],
)
def test_a_skipped_stack_says_what_became_of_the_culprit(
    culprit: progress.StackProgress, message: str
) -> None:
    chain = make_progress(culprit, make_stack("b", depends_on="a"))

    policy.skip_dependents(chain, now=T2)

    assert chain.stacks[1].message == message


def test_canceling_ends_what_was_never_started_and_nothing_else() -> None:
    chain = make_progress(
        make_stack("done", Phase.SUCCEEDED),
        make_stack("live", Phase.RUNNING),
        make_stack("next", depends_on=["live"]),
        make_stack("free"),
    )

    canceled = policy.cancel_unreached(chain, now=T2)

    assert canceled == ["free", "next"]
    by_id = {stack.id: stack for stack in chain.stacks}
    assert by_id["next"].phase is Phase.CANCELED
    assert by_id["next"].reason == StackReason.CHAIN_CANCELED
    assert by_id["next"].completed_at == T2
    assert by_id["live"].phase is Phase.RUNNING
    assert by_id["done"].phase is Phase.SUCCEEDED
    assert policy.cancel_unreached(chain, now="later") == []


def test_runs_that_may_have_queued_another_come_oldest_first() -> None:
    runs = {"a": "01B", "b": "01A", "c": None}

    assert policy.native_reach(["a", "b", "c", "gone"], runs) == ["01A", "01B"]
