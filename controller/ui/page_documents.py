"""The documents that the page gets about a chain, and about what has changed in it. Pure.

The words come from whatever serves the page; this is their shape alone.
"""

import dataclasses
from collections.abc import Mapping
from typing import Any

Document = Mapping[str, Any]


@dataclasses.dataclass(frozen=True, kw_only=True, slots=True, weakref_slot=True)
class ChainDocuments:
    """A chain as the list has it, and all that the page of one chain shows of it."""

    row: Document
    detail: Document


_SENT_IN_PART = ("advice", "meanings")
_OF_METADATA = ("name", "namespace", "uid", "resourceVersion")


def shown_resource(body: Mapping[str, Any]) -> dict[str, Any]:
    """Return the part of a StackChain that the page shows; no spec, no annotations."""
    metadata, status = body["metadata"], body.get("status")
    shown_status = dict(status) if isinstance(status, Mapping) else {}
    shown_status.pop("lastHandled", None)
    return {
        "metadata": {key: metadata[key] for key in _OF_METADATA if key in metadata},
        "status": shown_status,
    }


def change_between(old: Document, new: Document) -> dict[str, Any]:
    """Return what has changed: of stacks, advice and meanings only those that are new or other."""
    stacks, known = _stacks_of(new), _stacks_of(old)
    resource = new["resource"]
    status = {key: value for key, value in resource["status"].items() if key != "stacks"}
    rest = {key: value for key, value in new.items() if key not in _SENT_IN_PART}
    advice = {
        stack_id: one
        for stack_id, one in new["advice"].items()
        if old["advice"].get(stack_id) != one
    }
    gone = {stack_id: None for stack_id in old["advice"] if stack_id not in new["advice"]}
    return {
        "detail": {**rest, "resource": {**resource, "status": status}},
        "stacks": [stack for key, stack in stacks.items() if known.get(key) != stack],
        "removed": [key for key in known if key not in stacks],
        "advice": {**advice, **gone},
        "meanings": {
            reason: one
            for reason, one in new["meanings"].items()
            if old["meanings"].get(reason) != one
        },
    }


def _stacks_of(detail: Document) -> dict[str, Any]:
    stacks = detail["resource"]["status"].get("stacks")
    if not isinstance(stacks, list):
        return {}
    return {str(stack.get("id")): stack for stack in stacks if isinstance(stack, dict)}
