"""The StackChain resource, `stackchain.dev/v1alpha1`: what comes in and what is written back.

`crds/stackchains.stackchain.dev.yaml` is the schema of record; the API server has refused what
it forbids before anything here is called. Pydantic reads the spec at this edge, frozen
dataclasses carry the status, and a dict never goes further. See ADR 0010.
"""

import dataclasses
import enum
import functools
from collections.abc import Mapping
from typing import Any

import pydantic
import pydantic.dataclasses
from pydantic.alias_generators import to_camel
from pydantic_core import PydanticCustomError

GROUP = "stackchain.dev"
VERSION = "v1alpha1"
KIND = "StackChain"
PLURAL = "stackchains"
API_VERSION = f"{GROUP}/{VERSION}"

# Request tokens: asks that a person writes, and that are never edited by the operator.
RUN_ANNOTATION = f"{GROUP}/run"
RETRY_ANNOTATION = f"{GROUP}/retry"
CANCEL_ANNOTATION = f"{GROUP}/cancel"
TOKENS = (RUN_ANNOTATION, RETRY_ANNOTATION, CANCEL_ANNOTATION)

# The most stacks that one chain may hold (history budget and object size; docs/limits.md).
MAX_STACKS = 500


class Phase(enum.StrEnum):
    """Where a stack or a chain run is."""

    PENDING = "Pending"
    WAITING = "Waiting"
    RUNNING = "Running"
    AWAITING_CONFIRMATION = "AwaitingConfirmation"
    SUCCEEDED = "Succeeded"
    FAILED = "Failed"
    SKIPPED = "Skipped"
    CANCELED = "Canceled"
    TIMED_OUT = "TimedOut"

    @property
    def is_over(self) -> bool:
        """Whether nothing more happens in this phase."""
        return self in _OVER


_OVER = frozenset({Phase.SUCCEEDED, Phase.FAILED, Phase.SKIPPED, Phase.CANCELED, Phase.TIMED_OUT})


class Source(enum.StrEnum):
    """Where the edges of the graph come from."""

    DEPENDENCIES = "Dependencies"
    LABELS = "Labels"


class Direction(enum.StrEnum):
    """Which stacks belong to the chain beside its roots; never in which order they run."""

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
    """What happens to the runs that Spacelift queues by itself."""

    ADOPT = "Adopt"
    REPLACE = "Replace"


class FailurePolicy(enum.StrEnum):
    """What the end of a stack that did not succeed means for the others."""

    SKIP_DEPENDENTS = "SkipDependents"
    FAIL_FAST = "FailFast"
    CONTINUE = "Continue"


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


class Cause(enum.StrEnum):
    """What asked for a chain run."""

    SPEC = "Spec"
    RUN_TOKEN = "RunToken"  # noqa: S105 -- the name of an annotation's role, not a secret
    SCHEDULE = "Schedule"
    RETRY = "Retry"
    ROOT_RUN_FINISHED = "RootRunFinished"


class StartTriggerType(enum.StrEnum):
    """What may start a run beside people, the spec and the schedule."""

    ROOT_RUN_FINISHED = "RootRunFinished"


class InvalidResource(Exception):
    """The object does not fit this version's model; the message names the field."""


_FIELDS = pydantic.ConfigDict(alias_generator=to_camel, populate_by_name=True, extra="ignore")


class _Model(pydantic.BaseModel):
    model_config = pydantic.ConfigDict(frozen=True, **_FIELDS)


# Parts of the spec that travel on in messages, as they are, are dataclasses.


@pydantic.dataclasses.dataclass(frozen=True, kw_only=True, slots=True, config=_FIELDS)
class Roots:
    """The stacks that a chain starts from: by id, or all that have every one of the labels."""

    stack_ids: tuple[str, ...] = ()
    labels: tuple[str, ...] = ()

    @pydantic.model_validator(mode="after")
    def _is_one_of_both(self) -> "Roots":
        if bool(self.stack_ids) == bool(self.labels):
            raise PydanticCustomError("roots", "exactly one of `stackIds` and `labels` must be set")
        return self


@pydantic.dataclasses.dataclass(frozen=True, kw_only=True, slots=True, config=_FIELDS)
class Exclude:
    """The stacks that are left out: by id, or with any of the labels."""

    stack_ids: tuple[str, ...] = ()
    labels: tuple[str, ...] = ()


@pydantic.dataclasses.dataclass(frozen=True, kw_only=True, slots=True, config=_FIELDS)
class Graph:
    """Which stacks belong to the chain."""

    direction: Direction = Direction.DOWNSTREAM
    sources: tuple[Source, ...] = (Source.DEPENDENCIES, Source.LABELS)
    include_roots: bool = True
    max_depth: int | None = None
    max_stacks: int = MAX_STACKS
    exclude: Exclude = Exclude()


class EnvironmentVariable(_Model):
    """One variable of a run's environment; not secret."""

    name: str
    value: str


@pydantic.dataclasses.dataclass(frozen=True, kw_only=True, slots=True, config=_FIELDS)
class Retry:
    """How often a FAILED run is followed by another, and after which pause."""

    limit: int = 0
    backoff_seconds: int = 30
    max_backoff_seconds: int = 600


@pydantic.dataclasses.dataclass(frozen=True, kw_only=True, slots=True, config=_FIELDS)
class Policies:
    """How a run goes about its stacks; a change starts nothing, and most wait for the next run."""

    parallelism: int = 10
    native_runs: NativeRuns = NativeRuns.ADOPT
    failure_policy: FailurePolicy = FailurePolicy.SKIP_DEPENDENTS
    confirmation_policy: ConfirmationPolicy = ConfirmationPolicy.STACK_DEFAULT
    confirmation_deadline_seconds: int | None = None
    active_deadline_seconds: int | None = None
    stack_deadline_seconds: int | None = None
    retry: Retry = Retry()


class Schedule(_Model):
    """At which times a run is asked for, and how late it still may be."""

    cron: str
    time_zone: str = "UTC"
    starting_deadline_seconds: int = 600


class StartTrigger(_Model):
    """Something that starts a run by itself."""

    type: StartTriggerType


class StackChainSpec(_Model):
    """What the user asks for; field documentation is in the CRD.

    The fields of `policies` are the spec's own in the manifest.
    """

    connection_name: str = "default"
    roots: Roots
    graph: Graph = Graph()
    operation: Operation = Operation.APPLY
    destroy_confirmation: str | None = None
    start_policy: StartPolicy = StartPolicy.ON_CHANGE
    schedule: Schedule | None = None
    triggers: tuple[StartTrigger, ...] = ()
    commit_sha: str | None = pydantic.Field(default=None, alias="commitSHA")
    runtime_environment: tuple[EnvironmentVariable, ...] = ()
    policies: Policies = Policies()
    concurrency_policy: ConcurrencyPolicy = ConcurrencyPolicy.QUEUE
    suspend: bool = False
    deletion_policy: DeletionPolicy = DeletionPolicy.CANCEL
    history_limit: int = 5

    @pydantic.model_validator(mode="before")
    @classmethod
    def _gather_policies(cls, fields: Any) -> Any:
        return {"policies": fields, **fields} if isinstance(fields, Mapping) else fields

    @pydantic.field_validator("commit_sha", mode="after")
    @classmethod
    def _is_none_if_empty(cls, value: str | None) -> str | None:
        return value or None


@dataclasses.dataclass(frozen=True, kw_only=True, slots=True)
class Ref:
    """A StackChain as one handle: name, identity and the generation that was read."""

    namespace: str
    name: str
    uid: str
    generation: int


@dataclasses.dataclass(frozen=True, kw_only=True, slots=True)
class StackChain:
    """A StackChain as read from the API server."""

    ref: Ref
    is_deleting: bool
    run_token: str | None
    retry_token: str | None
    cancel_token: str | None
    spec: StackChainSpec
    status: "Status"


@dataclasses.dataclass(frozen=True, kw_only=True, slots=True)
class Condition:
    """A Kubernetes condition."""

    type: str
    status: str
    reason: str
    message: str
    observed_generation: int
    last_transition_time: str


@dataclasses.dataclass(frozen=True, kw_only=True, slots=True)
class Summary:
    """How many stacks are in which phase; the others add up to `total`."""

    total: int = 0
    pending: int = 0
    waiting: int = 0
    running: int = 0
    awaiting_confirmation: int = 0
    succeeded: int = 0
    failed: int = 0
    skipped: int = 0
    canceled: int = 0
    timed_out: int = 0


@dataclasses.dataclass(frozen=True, kw_only=True, slots=True)
class GraphStatus:
    """What the discovery found."""

    stacks: int
    edges: int
    levels: int
    resolved_time: str


@dataclasses.dataclass(frozen=True, kw_only=True, slots=True)
class RootRun:
    """A Spacelift run of a root; run ids are ULIDs, so they compare by the time of creation."""

    stack_id: str
    run_id: str


@dataclasses.dataclass(frozen=True, kw_only=True, slots=True)
class RunStatus:
    """One pass of a chain; times are RFC 3339, UTC.

    `root_runs` are the finished runs of roots below which it runs; none: it runs the whole chain.
    """

    number: int
    attempt: int = 1
    cause: str = ""
    operation: str = Operation.APPLY
    generation: int = 0
    phase: Phase = Phase.PENDING
    reason: str = ""
    message: str = ""
    start_time: str | None = None
    completion_time: str | None = None
    progress: str = ""
    summary: Summary = Summary()
    workflow_id: str = ""
    workflow_run_id: str = ""
    workflow_url: str | None = None
    root_runs: tuple[RootRun, ...] = ()


@dataclasses.dataclass(frozen=True, kw_only=True, slots=True)
class PendingRun:
    """A request that waits for the live run to end.

    `scheduled_time` and `root_runs` are asks that stand nowhere else; what else is asked can be
    read from the resource.
    """

    cause: str
    message: str
    scheduled_time: str | None = None
    root_runs: tuple[RootRun, ...] = ()


@dataclasses.dataclass(frozen=True, kw_only=True, slots=True)
class Handled:
    """The asks that were taken up: the digest of the spec and the texts of the tokens.

    A retry or cancel whose number is stale is taken up too: there is nothing to do for it.
    `schedule` is the newest time of the schedule that a run was started for; `root_runs` has for
    each root the newest run that needs no looking at any more.
    """

    spec: str | None = None
    run: str | None = None
    retry: str | None = None
    cancel: str | None = None
    schedule: str | None = None
    root_runs: tuple[RootRun, ...] = ()


@dataclasses.dataclass(frozen=True, kw_only=True, slots=True)
class ScheduleStatus:
    """How the schedule stands; times are RFC 3339, UTC.

    Every time of the schedule up to `checked_time` was served or missed. `digest` tells which
    schedule Temporal has, or has refused for the `problem`.
    """

    digest: str
    checked_time: str
    next_time: str | None = None
    last_time: str | None = None
    missed: int = 0
    last_missed_time: str | None = None
    problem: str | None = None


@dataclasses.dataclass(frozen=True, kw_only=True, slots=True)
class TriggersStatus:
    """How the triggers stand; `digest` tells which sweep Temporal has.

    `problem` is what kept the last sweep from seeing all roots.
    """

    digest: str
    problem: str | None = None


@dataclasses.dataclass(frozen=True, kw_only=True, slots=True)
class Delta:
    """What a run changes, in resources."""

    added: int
    changed: int
    deleted: int


@dataclasses.dataclass(frozen=True, kw_only=True, slots=True)
class StackStatus:
    """One stack of the latest run."""

    id: str
    level: int
    phase: Phase
    name: str | None = None
    depends_on: tuple[str, ...] = ()
    reason: str | None = None
    message: str | None = None
    blocked_by: str | None = None
    run_id: str | None = None
    run_state: str | None = None
    run_url: str | None = None
    attempts: int | None = None
    start_time: str | None = None
    completion_time: str | None = None
    delta: Delta | None = None


@dataclasses.dataclass(frozen=True, kw_only=True, slots=True)
class Status:
    """The status subresource."""

    observed_generation: int = 0
    conditions: tuple[Condition, ...] = ()
    graph: GraphStatus | None = None
    latest_run: RunStatus | None = None
    pending_run: PendingRun | None = None
    schedule: ScheduleStatus | None = None
    triggers: TriggersStatus | None = None
    last_handled: Handled = Handled()
    stacks: tuple[StackStatus, ...] = ()
    history: tuple[RunStatus, ...] = ()

    def condition(self, type_: str) -> Condition | None:
        """Return the condition of that type, if there is one."""
        return next((item for item in self.conditions if item.type == type_), None)


_STATUS = pydantic.TypeAdapter(Status)


def status_to_dict(status: Status) -> dict[str, Any]:
    """Return the status as the API server stores it: camelCase, without empty fields."""
    return _camel(dataclasses.asdict(status))


def as_json(fields: Mapping[str, Any]) -> dict[str, Any]:
    """Return fields as our JSON has them: camelCase, without empty ones."""
    return _camel(fields)


def _camel(fields: Mapping[str, Any]) -> dict[str, Any]:
    result: dict[str, Any] = {}
    for key, value in fields.items():
        if value is None or value == () or value == []:
            continue
        result[_to_camel(key)] = _camel_value(value)
    return result


# A status of 500 stacks has thousands of keys, of which a few dozen differ.
@functools.lru_cache(maxsize=1024)
def _to_camel(key: str) -> str:
    return to_camel(key)


def _camel_value(value: Any) -> Any:
    if isinstance(value, Mapping):
        return _camel(value)
    if isinstance(value, list | tuple):
        return [_camel_value(item) for item in value]
    return str(value) if isinstance(value, enum.StrEnum) else value


def read_status(raw: Mapping[str, Any]) -> Status:
    """Read a stored status; a part that does not fit counts as missing, since it can be rebuilt.

    What cannot, the numbers and the handled asks, is in parts of its own.
    """
    parts = _snake(raw)
    try:
        return _STATUS.validate_python(parts)
    except pydantic.ValidationError:
        return _STATUS.validate_python({key: parts[key] for key in parts if _fits(parts, key)})


def _fits(parts: Mapping[str, Any], key: str) -> bool:
    try:
        _STATUS.validate_python({key: parts[key]})
    except pydantic.ValidationError:
        return False
    return True


def _snake(value: Any) -> Any:
    if isinstance(value, Mapping):
        return {_to_snake(key): _snake(item) for key, item in value.items()}
    if isinstance(value, list):
        return [_snake(item) for item in value]
    return value


@functools.lru_cache(maxsize=1024)
def _to_snake(key: str) -> str:
    return "".join(f"_{char.lower()}" if char.isupper() else char for char in key)


def parse(body: Mapping[str, Any]) -> StackChain:
    """Read a StackChain.

    Raises:
        InvalidResource: a field does not fit; the message names it.
    """
    metadata = body["metadata"]
    annotations = metadata.get("annotations") or {}
    try:
        spec = StackChainSpec.model_validate(body.get("spec") or {})
    except pydantic.ValidationError as error:
        first = error.errors()[0]
        parts = [str(part) for part in first["loc"] if part != "policies"]
        where = ".".join(["spec", *parts])
        message = first["msg"].removeprefix("Value error, ")
        raise InvalidResource(f"`{where}`: {message}") from error
    return StackChain(
        ref=read_ref(body),
        is_deleting=bool(metadata.get("deletionTimestamp")),
        run_token=annotations.get(RUN_ANNOTATION),
        retry_token=annotations.get(RETRY_ANNOTATION),
        cancel_token=annotations.get(CANCEL_ANNOTATION),
        spec=spec,
        status=read_status(body.get("status") or {}),
    )


def read_ref(body: Mapping[str, Any]) -> Ref:
    """Return the handle of an object, whatever its spec holds."""
    metadata = body["metadata"]
    return Ref(
        namespace=metadata["namespace"],
        name=metadata["name"],
        uid=metadata["uid"],
        generation=metadata.get("generation", 0),
    )
