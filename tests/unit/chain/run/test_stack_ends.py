"""stack_ends: which ends of a stack let its dependents start."""

import pytest

from controller.api.reasons import StackReason
from controller.api.v1alpha1 import Phase
from controller.chain.run import stack_ends
from tests.support.builders import make_stack


@pytest.mark.parametrize("phase", list(Phase))
def test_only_success_and_an_unchanged_output_release_dependents(phase: Phase) -> None:
    stack = make_stack("a", phase)

    assert stack_ends.ended_well(stack) is (phase in (Phase.SUCCEEDED, Phase.SKIPPED))


def test_a_stack_skipped_because_of_another_releases_nobody() -> None:
    skipped = make_stack(
        "a", Phase.SKIPPED, reason=StackReason.UPSTREAM_NOT_SUCCEEDED, blocked_by="x"
    )

    assert not stack_ends.ended_well(skipped)
