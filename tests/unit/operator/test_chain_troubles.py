"""What is remembered of the troubles of single StackChains, and for how long."""

import re

import pytest

from controller.operator import chain_troubles
from controller.operator.chain_troubles import Trouble
from tests.support import promql
from tests.unit.operator.fakes import FakeClock

MOMENTS = (Trouble.START_MISSED, Trouble.STATUS_CONTRADICTED, Trouble.STATUS_NOT_WRITTEN)
CHAIN = ("team", "prod")


@pytest.fixture
def time() -> FakeClock:
    return FakeClock()


@pytest.fixture
def troubles(time: FakeClock) -> chain_troubles.ChainTroubles:
    return chain_troubles.ChainTroubles(time)


@pytest.mark.parametrize("trouble", MOMENTS)
def test_a_moment_is_forgotten_after_an_hour_without_another_one(
    trouble: Trouble, time: FakeClock, troubles: chain_troubles.ChainTroubles
) -> None:
    troubles.note(*CHAIN, trouble)
    time.advance(3000)
    troubles.note("team", "other", trouble)
    troubles.note(*CHAIN, trouble)
    again = time.now().timestamp()
    time.advance(3600)

    kept = troubles.by_chain()
    time.advance(1)

    assert kept[CHAIN] == {trouble: again}
    assert troubles.by_chain() == {}


def test_a_failure_holds_until_the_operator_does_not_fail_any_more(
    time: FakeClock, troubles: chain_troubles.ChainTroubles
) -> None:
    troubles.note(*CHAIN, Trouble.FAILING)
    noted = time.now().timestamp()
    time.advance(100_000)

    failing = troubles.by_chain()
    troubles.note_well(*CHAIN)

    assert failing == {CHAIN: {Trouble.FAILING: noted}}
    assert troubles.by_chain() == {}


def test_nothing_is_known_of_a_chain_that_is_gone(troubles: chain_troubles.ChainTroubles) -> None:
    for trouble in (*MOMENTS, Trouble.FAILING):
        troubles.note(*CHAIN, trouble)
    troubles.note("team", "other", Trouble.FAILING)

    troubles.forget(*CHAIN)

    assert troubles.by_chain().keys() == {("team", "other")}


def test_what_is_kept_goes_back_as_far_as_alerts_look() -> None:
    """If it were forgotten earlier, no alert would name it."""
    windows = [
        int(seconds)
        for rule in promql.alerts()
        if "stackchain_chain_trouble" in rule["expr"]
        for seconds in re.findall(r"< (\d+)", rule["expr"])
    ]

    assert windows
    assert max(windows) <= chain_troubles.KEPT_SECONDS
