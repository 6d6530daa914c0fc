"""The records of runs in a simulated account; see `entities`."""

from dataclasses import dataclass, field

from devenv.simulator.model.states import TERMINAL, RunState, RunType


@dataclass(slots=True, kw_only=True)
class Commit:
    """A commit as Spacelift shows it."""

    hash: str
    message: str = "Initial commit"
    author_login: str | None = "jdoe"
    author_name: str | None = "Jane Doe"
    timestamp: int = 0
    url: str | None = None
    tag: str | None = None


@dataclass(slots=True, kw_only=True)
class Delta:
    """What a plan would change; GraphQL names."""

    add_count: int = 0
    change_count: int = 0
    delete_count: int = 0
    resources: int = 0

    @property
    def is_empty(self) -> bool:
        """Whether the plan found nothing to do."""
        return not (self.add_count or self.change_count or self.delete_count)


@dataclass(slots=True, kw_only=True)
class PlannedDelta(Delta):
    """What a script has a plan change; how a delta counts what is replaced is `Behavior`'s."""

    replace_count: int = 0


@dataclass(slots=True, kw_only=True)
class Outcome:
    """What happens to one run: the script that the state machine follows."""

    result: str = "changes"
    phase: RunState | None = None
    delta: PlannedDelta | None = None
    plan_policy: str | None = None
    approval: bool = False
    stop_ignored: bool = False
    outputs: dict[str, str] | None = None
    durations: dict[str, float] = field(default_factory=dict)
    note: str | None = None
    types: list[RunType] | None = None


@dataclass(slots=True, kw_only=True)
class Transition:
    """One entry of a run's history."""

    state: RunState
    state_version: int
    at: float
    note: str | None = None
    username: str | None = None

    @property
    def terminal(self) -> bool:
        """Whether the run ended here."""
        return self.state in TERMINAL


@dataclass(slots=True, kw_only=True)
class Comment:
    """A comment on a run."""

    body: str
    created_at: float
    username: str


@dataclass(slots=True, kw_only=True)
class Review:
    """One approval decision."""

    id: str
    author: str
    decision: str
    note: str | None
    state: RunState
    timestamp: float


@dataclass(slots=True, kw_only=True)
class Run:
    """A run and everything that the model has to remember about it."""

    id: str
    stack_id: str
    type: RunType
    commit: Commit
    created_at: float
    updated_at: float
    branch: str
    title: str
    state: RunState = RunState.QUEUED
    triggered_by: str | None = None
    command: str | None = None
    skip_initialization: bool = False
    drift_detection: bool = False
    reconcile: bool = False
    force_apply: str | None = None
    metadata: list[str] = field(default_factory=list)
    environment: dict[str, str] = field(default_factory=dict)
    runtime_yaml: str | None = None
    delta: Delta | None = None
    planned: PlannedDelta | None = None
    outcome: Outcome | None = None
    needs_approval: bool = False
    prioritized: bool = False
    expired: bool = False
    targets: list[str] = field(default_factory=list)
    history: list[Transition] = field(default_factory=list)
    comments: list[Comment] = field(default_factory=list)
    reviews: list[Review] = field(default_factory=list)
    # The run from whose creation this one was queued, and the runs that it waits for.
    origin_id: str | None = None
    upstream_runs: list[str] = field(default_factory=list)
    is_held: bool = False
    retry_of: str | None = None
    # When the model looks at the run again; None while it waits for something else.
    due: float | None = None
    stop_requested: bool = False
    stop_note: str | None = None
    stop_username: str | None = None
    is_stopping: bool = False
    has_worker: bool = False

    @property
    def finished(self) -> bool:
        """Whether the run is over."""
        return self.state in TERMINAL
