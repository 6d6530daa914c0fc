"""What the Spacelift client returns: runs, stacks and what holds them, as Spacelift has them.

The values come first, then how each is read from the JSON of an answer. Reading is strict about
ids, states and edges only: it raises KeyError or TypeError if an answer lacks what was selected,
and `answers.readable` turns these into our errors. All that may be shown is cleaned here; labels
are compared unchanged, and cleaned when one is shown.
"""

import dataclasses
import enum
from collections.abc import Mapping
from typing import Any

from controller.api import v1alpha1
from controller.chain.graph import adoption
from controller.chain.run import run_states
from controller.outside_text import clean

Json = Mapping[str, Any]


class RunType(enum.StrEnum):
    """The run types that this program triggers; it may find others on a stack."""

    TRACKED = "TRACKED"
    PROPOSED = "PROPOSED"
    DESTROY = "DESTROY"


@dataclasses.dataclass(frozen=True, kw_only=True, slots=True, order=True)
class RunKey:
    """Names one run; Spacelift looks runs up by stack only."""

    stack_id: str
    run_id: str


@dataclasses.dataclass(frozen=True, kw_only=True, slots=True)
class StackHold:
    """What of a stack may keep its runs from being created or from starting."""

    is_disabled: bool = False
    locked_by: str | None = None
    locked_at: int | None = None
    lock_note: str | None = None
    blocker_id: str | None = None
    blocker_state: str | None = None
    blocker_triggered_by: str | None = None


@dataclasses.dataclass(frozen=True, kw_only=True, slots=True)
class RunRecord:
    """One run as read at one moment; `run_id` is a ULID, so run ids sort by creation.

    `hold` is the stack's, where it was read with the run.
    """

    run_id: str
    stack_id: str
    state: str
    type: str
    finished: bool = False
    needs_approval: bool = False
    triggered_by: str | None = None
    commit_sha: str | None = None
    delta: v1alpha1.Delta | None = None
    note: str | None = None
    hold: StackHold | None = None

    @property
    def key(self) -> RunKey:
        """The stack and run id, by which the run is looked up."""
        return RunKey(stack_id=self.stack_id, run_id=self.run_id)

    @property
    def is_terminal(self) -> bool:
        """Whether the run is over. A state that this version does not know counts as running."""
        return self.finished or self.state in run_states.TERMINAL

    @property
    def is_known_state(self) -> bool:
        """Whether the state is a known one, so that a caller can log the others."""
        return self.state in run_states.KNOWN


@dataclasses.dataclass(frozen=True, kw_only=True, slots=True)
class PlannedRun:
    """A run, and what kind of change Spacelift lists for each resource of its plan."""

    run: RunRecord
    kinds: tuple[str, ...]


@dataclasses.dataclass(frozen=True, kw_only=True, slots=True)
class RunsPage:
    """The newest runs of a stack, newest first, and whether the stack may have any more."""

    runs: tuple[RunRecord, ...]
    is_disabled: bool = False


@dataclasses.dataclass(frozen=True, kw_only=True, slots=True, order=True)
class StackEdge:
    """One of Spacelift's own stack dependencies."""

    upstream_id: str
    dependent_id: str


@dataclasses.dataclass(frozen=True, kw_only=True, slots=True)
class StackRecord:
    """One stack as read at one moment."""

    id: str
    name: str
    labels: tuple[str, ...] = ()
    is_disabled: bool = False
    is_autodeploy: bool = False
    depends_on: tuple[StackEdge, ...] = ()
    is_depended_on_by: tuple[StackEdge, ...] = ()


@dataclasses.dataclass(frozen=True, kw_only=True, slots=True)
class Viewer:
    """Whom Spacelift takes the API key for."""

    id: str
    name: str


def read_run(body: Json, *, stack_id: str) -> RunRecord:
    """Return the run that a field of type Run answered with."""
    return RunRecord(
        run_id=clean(str(body["id"])),
        stack_id=stack_id,
        state=clean(str(body["state"])),
        type=clean(str(body["type"])),
        finished=bool(body.get("finished")),
        needs_approval=bool(body.get("needsApproval")),
        triggered_by=clean(body.get("triggeredBy")) or None,
        commit_sha=clean((body.get("commit") or {}).get("hash")) or None,
        delta=_read_delta(body.get("delta")),
        note=_newest_note(body.get("history")),
    )


def read_planned_run(body: Json, *, stack_id: str) -> PlannedRun:
    """Return the run, and the kinds of what its plan would change."""
    return PlannedRun(
        run=read_run(body, stack_id=stack_id),
        kinds=tuple(
            clean(str(resource["metadata"]["type"]))
            for phase in body["changesV3"]
            for resource in phase["resources"]
        ),
    )


def read_times(history: list[Json]) -> adoption.RunTimes:
    """Return the times of a run from its transitions, in whatever order they are listed.

    A run that is skipped or canceled in the queue never started.
    """
    began = [
        int(entry["timestamp"])
        for entry in history
        if entry["state"] not in run_states.QUEUED | run_states.TERMINAL
    ]
    ended = [entry for entry in history if entry["state"] in run_states.TERMINAL]
    return adoption.RunTimes(
        started_at=min(began, default=None),
        ended_at=max((int(entry["timestamp"]) for entry in ended), default=None),
        is_usable=all(entry["state"] == run_states.RunState.FINISHED for entry in ended),
    )


def read_hold(body: Json) -> StackHold:
    """Return what may hold the stack that a field of type Stack answered with."""
    blocker = body.get("blocker")
    locked_at = body.get("lockedAt")
    return StackHold(
        is_disabled=bool(body.get("isDisabled")),
        locked_by=clean(body.get("lockedBy")) or None,
        locked_at=None if locked_at is None else int(locked_at),
        lock_note=clean(body.get("lockNote")) or None,
        blocker_id=None if blocker is None else clean(str(blocker["id"])),
        blocker_state=None if blocker is None else clean(str(blocker["state"])),
        blocker_triggered_by=None if blocker is None else clean(blocker.get("triggeredBy")) or None,
    )


def read_stack(body: Json) -> StackRecord:
    """Return the stack that a field of type Stack answered with."""
    return StackRecord(
        id=clean(str(body["id"])),
        name=clean(str(body["name"])),
        labels=tuple(sorted(body.get("labels") or ())),
        is_disabled=bool(body.get("isDisabled")),
        # What is not known to be off may apply on its own.
        is_autodeploy=body.get("autodeploy") is not False,
        depends_on=_read_edges(body["dependsOn"]),
        is_depended_on_by=_read_edges(body["isDependedOnBy"]),
    )


def _read_edges(entries: list[Json]) -> tuple[StackEdge, ...]:
    edges = (
        StackEdge(
            upstream_id=clean(str(entry["dependsOnStackId"])),
            dependent_id=clean(str(entry["stackId"])),
        )
        for entry in entries
    )
    return tuple(sorted(edges))


def _read_delta(body: Json | None) -> v1alpha1.Delta | None:
    counts = [(body or {}).get(name) for name in ("addCount", "changeCount", "deleteCount")]
    if any(count is None for count in counts):
        # What is not counted is unknown, and not zero: the chain may confirm by it.
        return None
    added, changed, deleted = (int(count) for count in counts if count is not None)
    return v1alpha1.Delta(added=added, changed=changed, deleted=deleted)


def _newest_note(history: list[Json] | None) -> str | None:
    # Spacelift lists transitions newest first.
    return (clean(history[0].get("note")) or None) if history else None
