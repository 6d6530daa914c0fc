"""What a stack's run waits for before Spacelift starts it, or before it can be created. Pure."""

import dataclasses
import datetime
import re

from controller import outside_text, times
from controller.api import reasons, v1alpha1
from controller.chain.run import run_states, windows
from controller.chain.run.progress import StackMeaning, StackReport
from controller.chain.run.run_states import RunState

# Reasons whose message names who holds the run; another name is news.
DETAILED = frozenset(
    {
        reasons.StackReason.RUN_BLOCKED,
        reasons.StackReason.STACK_LOCKED,
        reasons.StackReason.STACK_DISABLED,
    }
)

# How the message of `of_chain` starts if the chain is known.
_OTHER_CHAIN = re.compile(r"Another chain is running '.*?': ([a-z0-9-]+/[a-z0-9.-]+) run \d+\b")


@dataclasses.dataclass(frozen=True, kw_only=True, slots=True)
class Hold:
    """What of a stack may hold its runs.

    `locked_by` is never the chain's own API key. The blocker is never the run that waits.
    """

    is_disabled: bool = False
    locked_by: str = ""
    locked_at: int | None = None
    lock_note: str = ""
    blocker_id: str = ""
    blocker_state: str = ""
    blocker_triggered_by: str = ""
    blocker_url: str = ""
    stack_url: str = ""


@dataclasses.dataclass(frozen=True, kw_only=True, slots=True)
class HoldingChain:
    """The chain run that has a stack, as `namespace/name run 1`, and what it waits for there.

    `url` leads to what it waits for, or to its Spacelift run. `held_up`: the message of what it
    cannot end itself, such as a lock. All empty: it is not known.
    """

    chain: str = ""
    url: str = ""
    waits_for_person: bool = False
    held_up: str = ""


def as_holder(chain: str, report: StackReport | None) -> HoldingChain:
    """Return what a chain that has a stack says of itself to those that wait for the stack."""
    if report is None:
        return HoldingChain(chain=chain)
    held_by = report.held_by if report.phase is v1alpha1.Phase.WAITING else None
    is_held = held_by is not None and held_by.needs_person
    return HoldingChain(
        chain=chain,
        url=(held_by.url if held_by is not None else None) or report.run_url or "",
        waits_for_person=report.phase is v1alpha1.Phase.AWAITING_CONFIRMATION,
        held_up=report.message if is_held else "",
    )


def of_chain(stack_id: str, holder: HoldingChain | None) -> StackMeaning:
    """Return what a stack waits for that another chain runs."""
    holder = holder or HoldingChain()
    link = outside_text.link(holder.url)
    message = f"Another chain is running '{stack_id}'"
    if holder.chain:
        message += f": {outside_text.clean(holder.chain)}"
        if holder.waits_for_person:
            message += ", whose run waits for a person"
        elif holder.held_up:
            held_up = outside_text.clean(holder.held_up).removesuffix(f": {link}").rstrip(".")
            message += f", which waits as well. {held_up}"
    message += f". This chain's turn comes when that has ended{f': {link}' if link else '.'}"
    needs_person = bool(holder.waits_for_person or holder.held_up)
    held_by = v1alpha1.Holder(needs_person=needs_person, url=link)
    return _waits(reasons.StackReason.STACK_BUSY, message, held_by)


def chain_in(message: str) -> str:
    """Return the chain that a message of `of_chain` names, as `namespace/name`; empty if none."""
    found = _OTHER_CHAIN.match(message)
    return found[1] if found is not None else ""


def of_queued(state: str, hold: Hold | None) -> StackMeaning:
    """Return what a run that is queued or ready means for its stack."""
    if state == RunState.READY:
        return _waits(
            reasons.StackReason.WORKER_PENDING,
            "The run is ready and waits for a worker of the stack's worker pool.",
        )
    if hold is not None and hold.blocker_id and hold.blocker_state not in run_states.TERMINAL:
        held_by = v1alpha1.Holder(
            needs_person=_needs_person(hold.blocker_state),
            url=outside_text.link(hold.blocker_url),
        )
        return _waits(reasons.StackReason.RUN_BLOCKED, _blocked_message(hold), held_by)
    held = of_creation(hold) if hold is not None else None
    return held or _waits(
        reasons.StackReason.RUN_QUEUED,
        "The run is queued in Spacelift, for a worker or behind another run of the stack.",
    )


def of_creation(hold: Hold) -> StackMeaning | None:
    """Return what keeps a new run from being created; None if nothing does."""
    held_by = v1alpha1.Holder(needs_person=True, url=outside_text.link(hold.stack_url))
    if hold.locked_by:
        return _waits(reasons.StackReason.STACK_LOCKED, _locked_message(hold), held_by)
    if hold.is_disabled:
        message = "The stack is disabled in Spacelift; it runs once it is enabled."
        return _waits(reasons.StackReason.STACK_DISABLED, message, held_by)
    return None


def of_window(closed: windows.WindowState) -> StackMeaning:
    """Return what keeps a new run from being created outside of the stack's window."""
    return _waits(reasons.StackReason.WINDOW_CLOSED, windows.closed_message(closed.until))


def _waits(
    reason: reasons.StackReason, message: str, held_by: v1alpha1.Holder | None = None
) -> StackMeaning:
    return StackMeaning(
        phase=v1alpha1.Phase.WAITING, reason=reason, message=message, held_by=held_by
    )


def _blocked_message(hold: Hold) -> str:
    link = f": {hold.blocker_url}" if hold.blocker_url else ""
    does = _does(hold.blocker_state)
    by = f" ({hold.blocker_triggered_by} triggered it)" if hold.blocker_triggered_by else ""
    return f"Another run of the stack, {hold.blocker_id}{by}, has to end first; it {does}{link}"


def _needs_person(state: str) -> bool:
    """Whether a run in this state continues only once someone has acted."""
    return state in run_states.WAITING_FOR_PERSON or state == RunState.QUEUED


def _does(state: str) -> str:
    """Return what a blocker does; states that pass are not named, it would soon be untrue."""
    if state in run_states.WAITING_FOR_PERSON:
        return f"is {state} and waits for a person"
    if state == RunState.QUEUED:
        return "is QUEUED and waits for an approval"
    return "is in progress"


def _instant(seconds: float | None) -> str | None:
    """Return a Unix time in words; None for one that no calendar has."""
    if seconds is None:
        return None
    try:
        return times.rfc3339(datetime.datetime.fromtimestamp(seconds, datetime.UTC))
    except (ValueError, OverflowError, OSError):
        return None


def _locked_message(hold: Hold) -> str:
    is_locked = f"is locked by {hold.locked_by}"
    if (since := _instant(hold.locked_at)) is not None:
        is_locked = f"has been locked by {hold.locked_by} since {since}"
    note = f" ({hold.lock_note})" if hold.lock_note else ""
    return f"The stack {is_locked}{note}; it runs once it is unlocked."
