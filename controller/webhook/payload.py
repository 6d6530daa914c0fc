"""Reads from a delivery which stack it is about; the next step after its signature.

There are two forms: the default payload of a run event, and that of the notification policy in
docs/webhooks.md. A delivery only wakes up and proves nothing, so little of it is read, and little
is required: it has to name the stack, and everything else may have any form or be missing.
"""

import dataclasses
import enum
import json
import re
from typing import Any

from controller.chain.run import run_states

MAX_ID_CHARACTERS = 255
"""Temporal takes workflow ids of up to 1,000 bytes, and the stack's id is a part of two of them."""

_MAX_LABELS = 100

MAX_DEPTH = 100
"""Lists and objects inside one another; Spacelift's own payloads have fewer than ten."""

# Strings first, so that a bracket in one does not count. A string without an end runs to the end of
# the body, so that each byte is read once.
_BRACKETS = re.compile(rb'"(?:[^"\\]|\\.)*+"?|[\[{]|[\]}]', re.DOTALL)


class PayloadError(Exception):
    """The body is nothing that Spacelift sends, as far as its form goes."""


class OtherNotification(enum.StrEnum):
    """What Spacelift sends that is about no run of a stack: answered well, and nothing more."""

    AUDIT = "audit"
    INTERNAL_ERROR = "internal_error"
    OTHER = "other"


@dataclasses.dataclass(frozen=True, kw_only=True, slots=True)
class RunNotification:
    """A run of a stack reached a state, says a sender who knew the secret. May be late or wrong."""

    stack_id: str
    run_id: str = ""
    run_type: str = ""
    state: str = ""
    labels: tuple[str, ...] = ()
    """Labels of the stack, sorted."""

    @property
    def is_finished_tracked_run(self) -> bool:
        """Whether it may start the chains that wait for their roots' runs."""
        return self.state == run_states.RunState.FINISHED and self.run_type == "TRACKED"


def parse(body: bytes) -> RunNotification | OtherNotification:
    """Return what a body says.

    Raises:
        PayloadError: it is not a JSON object, or it does not name its stack in a usable way.
    """
    # How deep the parser itself goes depends on the version of Python.
    if _depth(body) > MAX_DEPTH:
        raise PayloadError("nested too deeply")
    try:
        document = json.loads(body)
    except ValueError as error:
        # Not its text: that quotes the body.
        raise PayloadError("no JSON") from error
    if not isinstance(document, dict):
        raise PayloadError("no JSON object")
    if "stack_id" in document:
        return _policy_event(document)
    if "stack" in document:
        return _default_event(document)
    return _noise(document)


def _depth(body: bytes) -> int:
    if body.count(b"[") + body.count(b"{") <= MAX_DEPTH:
        return 0
    depth = deepest = 0
    for match in _BRACKETS.finditer(body):
        token = match[0]
        if token in (b"[", b"{"):
            depth += 1
            deepest = max(deepest, depth)
        elif token in (b"]", b"}"):
            depth -= 1
    return deepest


def _default_event(document: dict[str, Any]) -> RunNotification | OtherNotification:
    stack, run = document["stack"], document.get("run")
    if not isinstance(stack, dict):
        raise PayloadError("`stack` is not an object")
    run = run if isinstance(run, dict) else {}
    return RunNotification(
        stack_id=_stack_id(stack.get("id"), "stack.id"),
        run_id=_word(run.get("id")),
        run_type=_word(run.get("type")),
        state=_word(document.get("state")),
        labels=_labels(stack.get("labels")),
    )


def _policy_event(document: dict[str, Any]) -> RunNotification:
    return RunNotification(
        stack_id=_stack_id(document["stack_id"], "stack_id"),
        run_id=_word(document.get("run_id")),
        run_type=_word(document.get("type")),
        state=_word(document.get("state")),
        labels=_labels(document.get("stack_labels")),
    )


def _noise(document: dict[str, Any]) -> OtherNotification:
    if "action" in document:
        return OtherNotification.AUDIT
    if "error" in document or "severity" in document:
        return OtherNotification.INTERNAL_ERROR
    # Runs of modules, the probe that is sent when a webhook is saved, and what comes to be.
    return OtherNotification.OTHER


def _stack_id(value: object, where: str) -> str:
    if not isinstance(value, str) or not _is_word(value):
        raise PayloadError(f"`{where}` is not a stack id")
    return value


def _word(value: object) -> str:
    return value if isinstance(value, str) and _is_word(value) else ""


def _is_word(text: str) -> bool:
    # Half a surrogate pair, which JSON can spell and no message can carry, is not printable either.
    return 0 < len(text) <= MAX_ID_CHARACTERS and text.isprintable() and " " not in text


def _labels(value: object) -> tuple[str, ...]:
    if not isinstance(value, list):
        return ()
    texts = {item for item in value if isinstance(item, str) and _is_label(item)}
    return tuple(sorted(texts)[:_MAX_LABELS])


def _is_label(text: str) -> bool:
    return 0 < len(text) <= MAX_ID_CHARACTERS and text.isprintable()
