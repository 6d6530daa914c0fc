"""What a stack's run waits for before Spacelift starts it, or before it can be created. Pure."""

import dataclasses
import datetime

from controller.api import reasons

# Reasons whose message names who holds the run; another name is news.
DETAILED = frozenset(
    {
        reasons.StackReason.RUN_BLOCKED,
        reasons.StackReason.STACK_LOCKED,
        reasons.StackReason.STACK_DISABLED,
    }
)
_OVER = frozenset({"FINISHED", "FAILED", "CANCELED", "DISCARDED", "STOPPED", "SKIPPED"})
# In these a blocker stays until a person acts; the others pass, so naming them is soon untrue.
_HELD_BY_PERSON = {
    "UNCONFIRMED": "is UNCONFIRMED and waits for a person",
    "PENDING_REVIEW": "is PENDING_REVIEW and waits for a person",
    "QUEUED": "is QUEUED and waits for an approval",
}

_Waits = tuple[reasons.StackReason, str]


@dataclasses.dataclass(frozen=True, kw_only=True, slots=True)
class Hold:
    """What of a stack may hold its runs.

    `locked_by` is somebody else than the chain's own API key. The blocker is another run than the
    one that waits.
    """

    is_disabled: bool = False
    locked_by: str = ""
    locked_at: int | None = None
    lock_note: str = ""
    blocker_id: str = ""
    blocker_state: str = ""
    blocker_url: str = ""


def of_queued(state: str, hold: Hold | None) -> _Waits:
    """Return the reason and message of a run that is queued or ready."""
    if state == "READY":
        return (
            reasons.StackReason.WORKER_PENDING,
            "The run is ready and waits for a worker of the stack's worker pool.",
        )
    if hold is not None and hold.blocker_id and hold.blocker_state not in _OVER:
        return reasons.StackReason.RUN_BLOCKED, _blocked_message(hold)
    reason, message = of_creation(hold) if hold is not None else (None, "")
    if reason is not None:
        return reason, message
    return (
        reasons.StackReason.RUN_QUEUED,
        "The run is queued in Spacelift, for a worker or behind another run of the stack.",
    )


def of_creation(hold: Hold) -> tuple[reasons.StackReason | None, str]:
    """Return what keeps a new run from being created; None and "" if nothing does."""
    if hold.locked_by:
        return reasons.StackReason.STACK_LOCKED, _locked_message(hold)
    if hold.is_disabled:
        return (
            reasons.StackReason.STACK_DISABLED,
            "The stack is disabled in Spacelift; it goes on once the stack is enabled.",
        )
    return None, ""


def _blocked_message(hold: Hold) -> str:
    is_so = _HELD_BY_PERSON.get(hold.blocker_state, "is in progress")
    link = f": {hold.blocker_url}" if hold.blocker_url else ""
    return f"Another run of the stack, {hold.blocker_id}, {is_so} and has to end first{link}"


def _locked_message(hold: Hold) -> str:
    since = ""
    if hold.locked_at is not None:
        at = datetime.datetime.fromtimestamp(hold.locked_at, datetime.UTC)
        since = f" since {at.strftime('%Y-%m-%dT%H:%M:%SZ')}"
    note = f" ({hold.lock_note})" if hold.lock_note else ""
    return f"The stack is locked by {hold.locked_by}{since}{note}; it goes on once it is unlocked."
