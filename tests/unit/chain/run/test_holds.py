"""holds: what a queued run waits for, and what keeps a run from being created."""

import pytest

from controller.api.reasons import StackReason
from controller.chain.run import holds

LOCKED = holds.Hold(locked_by="jane", locked_at=1_767_225_600, lock_note="mending it")
DISABLED = holds.Hold(is_disabled=True)


def blocked(state: str, **more: str) -> holds.Hold:
    return holds.Hold(blocker_id="01B", blocker_state=state, blocker_url="https://b", **more)


@pytest.mark.parametrize(
    ("state", "hold", "reason"),
    [
        pytest.param("QUEUED", None, StackReason.RUN_QUEUED, id="nobody knows"),
        pytest.param("QUEUED", holds.Hold(), StackReason.RUN_QUEUED, id="nothing to be seen"),
        pytest.param("QUEUED", blocked("APPLYING"), StackReason.RUN_BLOCKED, id="another run"),
        pytest.param("QUEUED", blocked("FINISHED"), StackReason.RUN_QUEUED, id="a run that ended"),
        pytest.param("QUEUED", LOCKED, StackReason.STACK_LOCKED, id="a lock"),
        pytest.param("QUEUED", DISABLED, StackReason.STACK_DISABLED, id="disabled"),
        pytest.param(
            "QUEUED",
            blocked("PLANNING", locked_by="jane"),
            StackReason.RUN_BLOCKED,
            id="another run, and a lock",
        ),
        pytest.param(
            "QUEUED",
            holds.Hold(locked_by="jane", is_disabled=True),
            StackReason.STACK_LOCKED,
            id="a lock, and disabled",
        ),
        pytest.param("READY", None, StackReason.WORKER_PENDING, id="a worker"),
        pytest.param("READY", LOCKED, StackReason.WORKER_PENDING, id="a worker, whatever holds"),
    ],
)
def test_a_run_that_has_not_started_says_what_it_waits_for(
    state: str, hold: holds.Hold | None, reason: StackReason
) -> None:
    assert holds.of_queued(state, hold).reason is reason


@pytest.mark.parametrize(
    ("state", "is_so"),
    [
        ("PLANNING", "is in progress"),
        ("APPLYING", "is in progress"),
        ("SOMETHING_NEW", "is in progress"),
        ("UNCONFIRMED", "is UNCONFIRMED and waits for a person"),
        ("PENDING_REVIEW", "is PENDING_REVIEW and waits for a person"),
        ("QUEUED", "is QUEUED and waits for an approval"),
    ],
)
def test_the_run_that_blocks_is_named_with_its_link_and_what_has_to_be_done(
    state: str, is_so: str
) -> None:
    message = holds.of_queued("QUEUED", blocked(state)).message

    assert message == f"Another run of the stack, 01B, {is_so} and has to end first: https://b"


@pytest.mark.parametrize(
    ("hold", "message"),
    [
        (
            LOCKED,
            "The stack is locked by jane since 2026-01-01T00:00:00Z (mending it); it goes on once "
            "it is unlocked.",
        ),
        (
            holds.Hold(locked_by="jane"),
            "The stack is locked by jane; it goes on once it is unlocked.",
        ),
    ],
    ids=["all known", "only the owner"],
)
def test_the_owner_of_a_lock_is_named(hold: holds.Hold, message: str) -> None:
    held = holds.of_creation(hold)

    assert held is not None
    assert (held.reason, held.message) == (StackReason.STACK_LOCKED, message)


def test_a_blocking_run_does_not_keep_another_from_being_created() -> None:
    assert holds.of_creation(blocked("UNCONFIRMED")) is None


def test_a_disabled_stack_creates_no_run() -> None:
    held = holds.of_creation(DISABLED)

    assert held is not None
    assert held.reason is StackReason.STACK_DISABLED


@pytest.mark.parametrize("hold", [LOCKED, DISABLED, blocked("PLANNING")])
def test_whatever_names_who_holds_is_detailed(hold: holds.Hold) -> None:
    assert holds.of_queued("QUEUED", hold).reason in holds.DETAILED
