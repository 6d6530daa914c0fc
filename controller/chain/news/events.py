"""Which Kubernetes Events report transitions. Pure.

At most one Event of each kind at a time, whatever the size of the chain: it names the first few
stacks and counts the others.
"""

import dataclasses
from collections.abc import Iterable, Sequence
from typing import Literal

from controller import outside_text
from controller.api import wording
from controller.api.transition_kinds import TransitionKind
from controller.chain.news import transitions

# Stacks that a message names with their own messages and links, and by their ids alone.
_EXPLAINED = 5
_NAMED = 10
# The reason of the Event says all that there is to say of them.
_BY_ID = frozenset(
    {
        TransitionKind.STACK_STARTED,
        TransitionKind.STACK_CONFIRMED,
        TransitionKind.STACK_SUCCEEDED,
        TransitionKind.STACK_UNCHANGED,
    }
)


@dataclasses.dataclass(frozen=True, kw_only=True, slots=True)
class EventText:
    """One Event to emit."""

    type: Literal["Normal", "Warning"]
    reason: str
    message: str


def texts(happened: Iterable[transitions.Transition]) -> list[EventText]:
    """Return the Events for what happened at a time, one for each kind, oldest first."""
    kinds: dict[tuple[TransitionKind, str], list[transitions.Transition]] = {}
    for transition in happened:
        kinds.setdefault((transition.kind, transition.reason), []).append(transition)
    return [_text(same) for same in kinds.values()]


def _text(same: Sequence[transitions.Transition]) -> EventText:
    first = same[0]
    return EventText(
        type="Warning" if first.is_warning else "Normal",
        reason=first.reason,
        message=_message(same),
    )


def _message(same: Sequence[transitions.Transition]) -> str:
    if same[0].kind in _BY_ID:
        return _listed([_id(item) for item in same], separator=", ", at_most=_NAMED)
    if same[0].stack is not None:
        found = [_explained(item) for item in same]
        if len(found) > 1:
            found = [text.removesuffix(".") for text in found]
        return _listed(found, separator="; ", at_most=_EXPLAINED)
    return wording.event_message(" ".join(item.message for item in same))


def _id(transition: transitions.Transition) -> str:
    return f"'{transition.stack.id}'" if transition.stack is not None else transition.message


def _explained(transition: transitions.Transition) -> str:
    # The message about a run that is not the stack's has the link of that one.
    is_of_own_run = transition.kind is not TransitionKind.UNUSED_RUN
    url = transition.stack.run_url if transition.stack is not None and is_of_own_run else None
    return " ".join(part for part in (f"{_id(transition)}:", transition.message, url) if part)


def _listed(items: Sequence[str], *, separator: str, at_most: int) -> str:
    """Name as many as fit, at least one, and count the others."""
    for count in range(min(len(items), at_most), 0, -1):
        rest = len(items) - count
        end = wording.and_more(rest, separator=separator)
        text = separator.join(items[:count])
        if len((text + end).encode()) <= wording.EVENT_BYTES:
            return text + end
        if count == 1:
            return outside_text.shortened_bytes(text, wording.EVENT_BYTES - len(end.encode())) + end
    return ""
