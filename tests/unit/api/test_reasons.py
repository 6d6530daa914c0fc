"""Reasons are public API: each is explained, and none is renamed."""

import re

import pytest

from controller.api import reasons


def test_every_reason_says_what_it_means_and_what_to_do() -> None:
    assert list(reasons.CHAIN_MEANINGS) == list(reasons.ChainReason)
    assert list(reasons.STACK_MEANINGS) == list(reasons.StackReason)
    for meaning in (*reasons.CHAIN_MEANINGS.values(), *reasons.STACK_MEANINGS.values()):
        assert meaning.means.endswith(".")
        assert meaning.do.endswith(".")


@pytest.mark.parametrize(
    "reason",
    [*reasons.ChainReason, *reasons.StackReason, *reasons.ConditionReason],
)
def test_a_reason_is_one_word_as_kubernetes_wants_it(reason: str) -> None:
    assert re.fullmatch(r"[A-Z][A-Za-z]+", reason)


def test_only_ends_before_anything_was_triggered_are_looked_at_again() -> None:
    assert {str(reason) for reason in reasons.RECHECKED} == {
        "CredentialsRejected",
        "DependentNotVisible",
        "DependentOutside",
        "GraphCycle",
        "GraphEmpty",
        "GraphInvalid",
        "LimitsNotEnforceable",
        "PayloadTooLarge",
        "SpaceliftRefused",
        "StackNotAllowed",
        "TooManyStacks",
        "UnknownStack",
    }
