"""Which stacks need a person, and for what. Pure.

Read from a run in progress and from a status alike, so that the message of `Ready`, the tree and
the explanation agree on who has to do something. Reasons and phases of a newer operator need no
one, as far as is known. ADR 0056.
"""

import enum
from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, TypeVar

from controller.api import reasons, v1alpha1
from controller.api.v1alpha1 import Phase

if TYPE_CHECKING:
    # What a tree of a status needs is loaded at each call of the plugin; this takes a tenth of it.
    from controller.chain.run import progress

_Reason = reasons.StackReason


class Need(enum.IntEnum):
    """What a stack needs; the first of them is said first."""

    FIX = 1
    """It did not succeed, and nothing else caused that."""
    DECISION = 2
    """Its run waits for a person who confirms, approves or discards it."""
    RELEASE = 3
    """Someone outside of the chain has to let it continue."""


_ENDED_BADLY = frozenset({Phase.FAILED, Phase.TIMED_OUT, Phase.CANCELED})
# The chain ended them; what that needs is said of the chain.
_ENDED_WITH_THE_CHAIN = frozenset({_Reason.CHAIN_CANCELED, _Reason.CHAIN_DEADLINE_EXCEEDED})
# Tried again for as long as it takes, and nothing but a person changes the outcome.
_REFUSED = frozenset(
    {
        _Reason.NOT_ALLOWED,
        _Reason.CREDENTIALS_REJECTED,
        _Reason.PERMISSION_DENIED,
        _Reason.SIGNATURE_INVALID,
    }
)
# Also if the status does not say what holds the stack.
_HELD = frozenset({_Reason.STACK_LOCKED, _Reason.STACK_DISABLED})

Stack = TypeVar("Stack", "progress.StackProgress", v1alpha1.StackStatus)
Stage = TypeVar("Stage", "progress.StageProgress", v1alpha1.StageStatus)


def need_of(stack: "progress.StackProgress | v1alpha1.StackStatus") -> Need | None:
    """Return what a stack needs of a person; None if nothing, or what another stack needs."""
    if stack.phase in _ENDED_BADLY:
        return None if stack.reason in _ENDED_WITH_THE_CHAIN else Need.FIX
    if stack.reason == _Reason.NO_LONGER_IN_CHAIN:
        return Need.FIX
    if stack.phase is Phase.AWAITING_CONFIRMATION:
        return Need.DECISION
    # Of a newer operator the phase may be any text.
    if Phase(stack.phase).is_over:
        return None
    return Need.RELEASE if stack.reason in _REFUSED or _is_held(stack) else None


def _is_held(stack: "progress.StackProgress | v1alpha1.StackStatus") -> bool:
    if stack.phase is not Phase.WAITING:
        return False
    if stack.held_by is not None:
        return stack.held_by.needs_person
    return stack.reason in _HELD


def link_of(stack: "progress.StackProgress | v1alpha1.StackStatus") -> str | None:
    """Return where a person looks first: what holds the stack, or its run if nothing does."""
    held_by = stack.held_by if stack.phase is Phase.WAITING else None
    return (held_by.url if held_by is not None else None) or stack.run_url


def message_of(stack: "progress.StackProgress | v1alpha1.StackStatus") -> str:
    """Return what a stack says, without the link that is shown next to it."""
    message, link = stack.message or "", link_of(stack)
    end = f": {link}" if link else ""
    return f"{message.removesuffix(end)}." if end and message.endswith(end) else message


def with_need(stacks: Iterable[Stack], need: Need) -> list[Stack]:
    """Return the stacks with one need, in their order."""
    return [stack for stack in stacks if need_of(stack) is need]


def by_need(stacks: Iterable[Stack]) -> list[tuple[Need, Stack]]:
    """Return the stacks that need a person, the most urgent first, otherwise in their order."""
    found = [(need, stack) for stack in stacks if (need := need_of(stack)) is not None]
    return sorted(found, key=lambda item: item[0])


def blocked(stacks: Sequence[Stack]) -> list[Stack]:
    """Return the stacks that only someone outside of the chain can let continue."""
    return with_need(stacks, Need.RELEASE)


def to_approve(stages: Iterable[Stage]) -> list[Stage]:
    """Return the stages that wait for a person's approval."""
    return [stage for stage in stages if stage.waits_for == v1alpha1.StageWait.APPROVAL]
