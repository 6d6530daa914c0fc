"""From the JSON of an answer to records; strict about ids, states and edges only.

Every function takes the object that one GraphQL field answered with, and raises KeyError or
TypeError if it lacks what was selected; `protocol.readable` makes an error of ours of that.
"""

from collections.abc import Mapping
from typing import Any

from controller.api import v1alpha1
from controller.spacelift.models import RunRecord, StackEdge, StackHold, StackRecord

Json = Mapping[str, Any]


def read_run(body: Json, *, stack_id: str) -> RunRecord:
    """Return the run that a field of type Run answered with."""
    return RunRecord(
        id=str(body["id"]),
        stack_id=stack_id,
        state=str(body["state"]),
        type=str(body["type"]),
        finished=bool(body.get("finished")),
        needs_approval=bool(body.get("needsApproval")),
        triggered_by=body.get("triggeredBy") or None,
        created_at=int(body.get("createdAt") or 0),
        commit_sha=(body.get("commit") or {}).get("hash") or None,
        delta=_read_delta(body.get("delta")),
        note=_newest_note(body.get("history")),
    )


def read_hold(body: Json, *, stack_id: str) -> StackHold:
    """Return what may hold the stack that a field of type Stack answered with."""
    blocker = body.get("blocker")
    locked_at = body.get("lockedAt")
    return StackHold(
        is_disabled=bool(body.get("isDisabled")),
        locked_by=body.get("lockedBy") or None,
        locked_at=None if locked_at is None else int(locked_at),
        lock_note=body.get("lockNote") or None,
        blocker=None if blocker is None else read_run(blocker, stack_id=stack_id),
    )


def read_stack(body: Json) -> StackRecord:
    """Return the stack that a field of type Stack answered with."""
    stack_id = str(body["id"])
    blocker = body["blocker"]
    return StackRecord(
        id=stack_id,
        name=str(body["name"]),
        labels=tuple(sorted(body.get("labels") or ())),
        autodeploy=bool(body.get("autodeploy")),
        is_disabled=bool(body.get("isDisabled")),
        locked_by=body.get("lockedBy") or None,
        blocker=None if blocker is None else read_run(blocker, stack_id=stack_id),
        depends_on=_read_edges(body["dependsOn"]),
        is_depended_on_by=_read_edges(body["isDependedOnBy"]),
    )


def _read_edges(entries: list[Json]) -> tuple[StackEdge, ...]:
    edges = (
        StackEdge(
            upstream_id=str(entry["dependsOnStackId"]),
            dependent_id=str(entry["stackId"]),
            reference_count=int(entry.get("referenceCount") or 0),
            trigger_always=bool(entry.get("triggerAlways")),
        )
        for entry in entries
    )
    return tuple(sorted(edges))


def _read_delta(body: Json | None) -> v1alpha1.Delta | None:
    if body is None:
        return None
    return v1alpha1.Delta(
        added=int(body.get("addCount") or 0),
        changed=int(body.get("changeCount") or 0),
        deleted=int(body.get("deleteCount") or 0),
    )


def _newest_note(history: list[Json] | None) -> str | None:
    # Spacelift lists transitions newest first.
    return (history[0].get("note") or None) if history else None
