"""What a refusal says, and how much of a flood reaches the log."""

import pytest

from controller.webhook import refusals
from controller.webhook.refusals import RefusalReason


def test_every_refusal_is_the_senders_mistake() -> None:
    assert {reason: reason.status // 100 for reason in RefusalReason} == dict.fromkeys(
        RefusalReason, 4
    )


def test_who_guesses_learns_nothing_from_the_answer() -> None:
    """A missing signature, a wrong one and a connection without secret look the same."""
    assert RefusalReason.SIGNATURE.status == 401
    assert RefusalReason.UNKNOWN_CONNECTION.text == RefusalReason.UNKNOWN_PATH.text


def test_a_flood_leaves_a_line_now_and_then_that_says_how_many_there_were(
    caplog: pytest.LogCaptureFixture,
) -> None:
    now = 0.0
    log = refusals.RefusalLog(clock=lambda: now)

    for second in range(25):
        now = float(second)
        for _ in range(100):
            log.log(
                RefusalReason.SIGNATURE, connection="default", remote="192.0.2.1", why="not signed"
            )

    assert [vars(record).get("more_before") for record in caplog.records] == [None, 999, 999]
    assert {record.getMessage() for record in caplog.records} == {"Delivery refused"}


def test_a_flood_of_one_kind_hides_no_other(caplog: pytest.LogCaptureFixture) -> None:
    log = refusals.RefusalLog(clock=lambda: 0.0)
    for connection in ("a", "b"):
        for reason in (RefusalReason.SIGNATURE, RefusalReason.MALFORMED):
            log.log(reason, connection=connection, remote=None, why="")

    assert len(caplog.records) == 4
