"""holds: what a queued run waits for, and what keeps a run from being created."""

import pytest

from controller.api.reasons import StackReason
from controller.api.v1alpha1 import Holder, Phase
from controller.chain.run import holds
from controller.chain.run.progress import StackReport
from tests.support.golden import Golden

LOCKED = holds.Hold(locked_by="jane", locked_at=1_767_225_600, lock_note="fixing it")
JANES = "The stack is locked by jane; it runs once it is unlocked"
DISABLED = holds.Hold(is_disabled=True)


def blocked(state: str, **more: str) -> holds.Hold:
    return holds.Hold(blocker_id="01B", blocker_state=state, blocker_url="https://b", **more)


@pytest.mark.parametrize(
    ("state", "hold", "reason"),
    [
        pytest.param("QUEUED", None, StackReason.RUN_QUEUED, id="nobody knows"),
        pytest.param("QUEUED", holds.Hold(), StackReason.RUN_QUEUED, id="nothing to be seen"),
        pytest.param("QUEUED", blocked("APPLYING"), StackReason.RUN_BLOCKED, id="another run"),
        pytest.param(
            "QUEUED",
            blocked("APPLYING", blocker_triggered_by="jane"),
            StackReason.RUN_BLOCKED,
            id="another run, of a person",
        ),
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
    state: str, hold: holds.Hold | None, reason: StackReason, case: str, golden: Golden
) -> None:
    held = holds.of_queued(state, hold)

    assert held.reason is reason
    golden("stack_messages").check(f"not started: {case}", held.message)


@pytest.mark.parametrize(
    "state", ["PLANNING", "APPLYING", "SOMETHING_NEW", "UNCONFIRMED", "PENDING_REVIEW", "QUEUED"]
)
def test_the_run_that_blocks_is_named_with_its_link_and_what_has_to_be_done(
    state: str, golden: Golden
) -> None:
    message = holds.of_queued("QUEUED", blocked(state)).message

    golden("stack_messages").check(f"queued behind a run that is {state}", message)


@pytest.mark.parametrize(
    "hold", [LOCKED, holds.Hold(locked_by="jane")], ids=["all known", "only the owner"]
)
def test_the_owner_of_a_lock_is_named(hold: holds.Hold, case: str, golden: Golden) -> None:
    held = holds.of_creation(hold)

    assert held is not None
    assert held.reason is StackReason.STACK_LOCKED
    golden("stack_messages").check(f"locked: {case}", held.message)


def test_a_blocking_run_does_not_keep_another_from_being_created() -> None:
    assert holds.of_creation(blocked("UNCONFIRMED")) is None


def test_a_disabled_stack_creates_no_run() -> None:
    held = holds.of_creation(DISABLED)

    assert held is not None
    assert held.reason is StackReason.STACK_DISABLED


@pytest.mark.parametrize("hold", [LOCKED, DISABLED, blocked("PLANNING")])
def test_whatever_names_who_holds_is_detailed(hold: holds.Hold) -> None:
    assert holds.of_queued("QUEUED", hold).reason in holds.DETAILED


@pytest.mark.parametrize(
    "holder",
    [
        pytest.param(None, id="nobody knows yet"),
        pytest.param(holds.HoldingChain(), id="nobody answers"),
        pytest.param(holds.HoldingChain(chain="team/net run 3"), id="about to trigger"),
        pytest.param(holds.HoldingChain(chain="team/net run 3", url="https://r"), id="its run"),
        pytest.param(
            holds.HoldingChain(chain="team/net run 3", url="https://r", waits_for_person=True),
            id="a person",
        ),
        pytest.param(
            holds.HoldingChain(chain="team/net run 3", url="https://s", held_up=f"{JANES}."),
            id="a lock",
        ),
        pytest.param(
            holds.HoldingChain(
                chain="team/net run 3", url="https://s", held_up=f"{JANES}: https://s"
            ),
            id="a lock with a link",
        ),
        pytest.param(
            holds.HoldingChain(chain="a\x1b[2J\nb", url="javascript:x"), id="what is no name"
        ),
    ],
)
def test_who_has_a_stack_is_named(
    holder: holds.HoldingChain | None, case: str, golden: Golden
) -> None:
    found = holds.of_chain("vpc", holder)

    assert found.reason is StackReason.STACK_BUSY
    golden("stack_messages").check(f"another chain: {case}", found.message)


@pytest.mark.parametrize(
    ("phase", "held_by", "is_needed"),
    [
        pytest.param(Phase.RUNNING, None, False, id="its run runs"),
        pytest.param(Phase.AWAITING_CONFIRMATION, None, True, id="its run waits for a person"),
        pytest.param(Phase.WAITING, Holder(url="https://b"), False, id="behind a run that ends"),
        pytest.param(Phase.WAITING, Holder(needs_person=True, url="https://b"), True, id="locked"),
        pytest.param(Phase.RUNNING, Holder(needs_person=True, url="https://b"), False, id="was"),
    ],
)
def test_a_chain_is_blocked_by_another_one_that_is_blocked(
    phase: Phase, held_by: Holder | None, is_needed: bool
) -> None:
    report = StackReport(
        stack_id="vpc", phase=phase, reason="", message=JANES, run_url="https://r", held_by=held_by
    )

    holder = holds.as_holder("team/net run 3", report)
    found = holds.of_chain("vpc", holder)

    assert found.held_by is not None
    assert found.held_by.needs_person is is_needed
    assert found.held_by.url == ("https://b" if held_by and phase is Phase.WAITING else "https://r")


def test_a_chain_that_has_reported_nothing_is_named() -> None:
    assert holds.as_holder("team/net run 3", None) == holds.HoldingChain(chain="team/net run 3")
