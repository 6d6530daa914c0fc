"""What the Spacelift client hands out: facts as Spacelift tells them, none of them judged."""

import dataclasses
import enum

from controller.api import v1alpha1
from controller.chain.run import run_states


class RunType(enum.StrEnum):
    """The run types that this program triggers or meets on a stack."""

    TRACKED = "TRACKED"
    PROPOSED = "PROPOSED"
    DESTROY = "DESTROY"
    TASK = "TASK"
    TESTING = "TESTING"
    PARSE = "PARSE"


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
    blocker: "RunRecord | None" = None


@dataclasses.dataclass(frozen=True, kw_only=True, slots=True)
class RunRecord:
    """One run as read at one moment; `id` is a ULID, so ids sort by creation.

    `hold` is the stack's, where it was read with the run.
    """

    id: str
    stack_id: str
    state: str
    type: str
    finished: bool = False
    needs_approval: bool = False
    triggered_by: str | None = None
    created_at: int = 0
    commit_sha: str | None = None
    delta: v1alpha1.Delta | None = None
    note: str | None = None
    hold: StackHold | None = None

    @property
    def key(self) -> RunKey:
        """The stack and run id, by which the run is looked up."""
        return RunKey(stack_id=self.stack_id, run_id=self.id)

    @property
    def is_terminal(self) -> bool:
        """Whether the run is over. A state that nobody knows yet counts as running."""
        return self.finished or self.state in run_states.TERMINAL

    @property
    def is_known_state(self) -> bool:
        """Whether the state is a known one, so that a caller can log the others."""
        return self.state in run_states.KNOWN


@dataclasses.dataclass(frozen=True, kw_only=True, slots=True, order=True)
class StackEdge:
    """One of Spacelift's own stack dependencies."""

    upstream_id: str
    dependent_id: str
    reference_count: int = 0
    trigger_always: bool = False


@dataclasses.dataclass(frozen=True, kw_only=True, slots=True)
class StackRecord:
    """One stack as read at one moment; `blocker` has id, state and type only."""

    id: str
    name: str
    labels: tuple[str, ...] = ()
    autodeploy: bool = False
    is_disabled: bool = False
    locked_by: str | None = None
    blocker: RunRecord | None = None
    depends_on: tuple[StackEdge, ...] = ()
    is_depended_on_by: tuple[StackEdge, ...] = ()


@dataclasses.dataclass(frozen=True, kw_only=True, slots=True)
class Viewer:
    """Whom Spacelift takes the API key for."""

    id: str
    name: str
