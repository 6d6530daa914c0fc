"""The spec of a StackChain: what the user asks for, as dataclasses (ADR 0010).

Field documentation is in the CRD, `crds/stackchains.stackchain.dev.yaml`.
"""

import dataclasses
import enum

from controller.api import json_fields

# The most stacks that one chain may hold (history budget and object size; docs/limits.md).
MAX_STACKS = 500


class Source(enum.StrEnum):
    """Where the edges of the graph come from."""

    DEPENDENCIES = "Dependencies"
    LABELS = "Labels"


class Direction(enum.StrEnum):
    """Which stacks belong to the chain besides its roots; never the order in which they run."""

    DOWNSTREAM = "Downstream"
    UPSTREAM = "Upstream"
    ROOTS_ONLY = "RootsOnly"


class Operation(enum.StrEnum):
    """What a run of the chain does to each stack."""

    APPLY = "Apply"
    PLAN = "Plan"
    DESTROY = "Destroy"


class StartPolicy(enum.StrEnum):
    """Whether a change of the spec asks for a run."""

    ON_CHANGE = "OnChange"
    ON_REQUEST = "OnRequest"


class NativeRuns(enum.StrEnum):
    """What happens to the runs that Spacelift queues on its own."""

    ADOPT = "Adopt"
    STRICT = "Strict"
    REPLACE = "Replace"


class FailurePolicy(enum.StrEnum):
    """What the end of a stack that did not succeed means for the others."""

    SKIP_DEPENDENTS = "SkipDependents"
    FAIL_FAST = "FailFast"


class ConfirmationPolicy(enum.StrEnum):
    """Who confirms a run that has planned changes."""

    STACK_DEFAULT = "StackDefault"
    AUTO = "Auto"


class ConcurrencyPolicy(enum.StrEnum):
    """What a request does while a run of the chain is live."""

    QUEUE = "Queue"
    REPLACE = "Replace"


class DeletionPolicy(enum.StrEnum):
    """What deleting the resource does to its live run."""

    CANCEL = "Cancel"
    ORPHAN = "Orphan"


class StartTriggerType(enum.StrEnum):
    """What may start a run, besides people, the spec and the schedule."""

    ROOT_RUN_FINISHED = "RootRunFinished"


@dataclasses.dataclass(frozen=True, kw_only=True, slots=True)
class Roots:
    """The stacks that a chain starts from: by id, or all that have every one of the labels."""

    stack_ids: tuple[str, ...] = ()
    labels: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        if bool(self.stack_ids) == bool(self.labels):
            raise ValueError("must have exactly one of `stackIds` and `labels`")


@dataclasses.dataclass(frozen=True, kw_only=True, slots=True)
class Exclude:
    """The stacks that are left out: by id, or with any of the labels."""

    stack_ids: tuple[str, ...] = ()
    labels: tuple[str, ...] = ()


@dataclasses.dataclass(frozen=True, kw_only=True, slots=True)
class Graph:
    """Which stacks belong to the chain."""

    direction: Direction = Direction.DOWNSTREAM
    sources: tuple[Source, ...] = (Source.DEPENDENCIES, Source.LABELS)
    include_roots: bool = True
    max_depth: int | None = None
    max_stacks: int = MAX_STACKS
    exclude: Exclude = Exclude()


@dataclasses.dataclass(frozen=True, kw_only=True, slots=True)
class Window:
    """When runs may be triggered and confirmed: for some time from each time of the cron."""

    cron: str
    duration_seconds: int
    time_zone: str = "UTC"


class StageApproval(enum.StrEnum):
    """Whether a person has to approve of a stage before it starts."""

    NONE = "None"
    REQUIRED = "Required"


@dataclasses.dataclass(frozen=True, kw_only=True, slots=True)
class Stage:
    """Stacks that have all of the labels, which start once the stages before have succeeded."""

    name: str
    labels: tuple[str, ...]
    soak_seconds: int = 0
    approval: StageApproval = StageApproval.NONE
    window: Window | None = None


@dataclasses.dataclass(frozen=True, kw_only=True, slots=True)
class EnvironmentVariable:
    """One variable of a run's environment; not secret."""

    name: str
    value: str


@dataclasses.dataclass(frozen=True, kw_only=True, slots=True)
class Retry:
    """How often a FAILED run is followed by another, and after which pause."""

    limit: int = 0
    backoff_seconds: int = 30
    max_backoff_seconds: int = 600


@dataclasses.dataclass(frozen=True, kw_only=True, slots=True)
class ConfirmationLimits:
    """How much a plan may change for the chain to confirm it; None: that is not limited."""

    max_added: int | None = None
    max_changed: int | None = None
    max_deleted: int | None = None


@dataclasses.dataclass(frozen=True, kw_only=True, slots=True)
class Policies:
    """How a run goes about its stacks; a change starts nothing, and most wait for the next run."""

    parallelism: int = 10
    native_runs: NativeRuns = NativeRuns.ADOPT
    failure_policy: FailurePolicy = FailurePolicy.SKIP_DEPENDENTS
    confirmation_policy: ConfirmationPolicy = ConfirmationPolicy.STACK_DEFAULT
    confirmation_limits: ConfirmationLimits | None = None
    confirmation_deadline_seconds: int | None = None
    active_deadline_seconds: int | None = None
    stack_deadline_seconds: int | None = None
    retry: Retry = Retry()


@dataclasses.dataclass(frozen=True, kw_only=True, slots=True)
class Schedule:
    """At which times a run is asked for, and how late it still may be."""

    cron: str
    time_zone: str = "UTC"
    starting_deadline_seconds: int = 600


@dataclasses.dataclass(frozen=True, kw_only=True, slots=True)
class StartTrigger:
    """Something that starts a run automatically."""

    type: StartTriggerType


@dataclasses.dataclass(frozen=True, kw_only=True, slots=True)
class ChainDependency:
    """Another chain of the namespace that has to be Ready before a run starts."""

    name: str


@dataclasses.dataclass(frozen=True, kw_only=True, slots=True)
class StackChainSpec:
    """What the user asks for; field documentation is in the CRD.

    The fields of `policies` are the spec's own in the manifest.
    """

    connection_name: str = "default"
    roots: Roots
    graph: Graph = Graph()
    window: Window | None = None
    stages: tuple[Stage, ...] = ()
    operation: Operation = Operation.APPLY
    destroy_confirmation: str | None = None
    start_policy: StartPolicy = StartPolicy.ON_CHANGE
    run_token: str | None = None
    schedule: Schedule | None = None
    triggers: tuple[StartTrigger, ...] = ()
    depends_on: tuple[ChainDependency, ...] = ()
    commit_sha: str | None = dataclasses.field(
        default=None, metadata=json_fields.named("commitSHA")
    )
    runtime_environment: tuple[EnvironmentVariable, ...] = ()
    policies: Policies = dataclasses.field(default=Policies(), metadata=json_fields.INLINE)
    concurrency_policy: ConcurrencyPolicy = ConcurrencyPolicy.QUEUE
    suspend: bool = False
    deletion_policy: DeletionPolicy = DeletionPolicy.CANCEL
    history_limit: int = 5

    def __post_init__(self) -> None:
        # Templates leave an empty string where nothing was chosen.
        for name in ("commit_sha", "run_token"):
            object.__setattr__(self, name, getattr(self, name) or None)
