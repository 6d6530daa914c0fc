"""The StackChain resource, `stackchain.dev/v1alpha1`: what comes in and what is written back.

`crds/stackchains.stackchain.dev.yaml` is the schema of record; the API server has refused what
it forbids before anything here is called. Pydantic reads the spec at this edge, frozen
dataclasses carry the status, and a dict never goes further.
"""

import dataclasses
import enum
from collections.abc import Mapping
from typing import Any

import pydantic
from pydantic.alias_generators import to_camel

GROUP = "stackchain.dev"
VERSION = "v1alpha1"
KIND = "StackChain"
PLURAL = "stackchains"

RUN_ANNOTATION = f"{GROUP}/run"

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

    @property
    def is_over(self) -> bool:
        """Whether nothing more happens in this phase."""
        return self in _OVER


_OVER = frozenset({Phase.SUCCEEDED, Phase.FAILED, Phase.SKIPPED, Phase.CANCELED})


class Source(enum.StrEnum):
    """Where the edges of the graph come from."""

    DEPENDENCIES = "Dependencies"
    LABELS = "Labels"


class Trigger(enum.StrEnum):
    """What asked for a chain run."""

    SPEC = "Spec"
    RUN_TOKEN = "RunToken"  # noqa: S105 -- the name of an annotation's role, not a secret


class InvalidResource(Exception):
    """The object does not fit this version's model; the message names the field."""


class _Model(pydantic.BaseModel):
    model_config = pydantic.ConfigDict(
        frozen=True, alias_generator=to_camel, populate_by_name=True, extra="ignore"
    )


class Roots(_Model):
    """The stacks that a chain starts from."""

    stack_ids: tuple[str, ...] = pydantic.Field(min_length=1)


class Graph(_Model):
    """Which stacks belong to the chain."""

    sources: tuple[Source, ...] = (Source.DEPENDENCIES, Source.LABELS)


class StackChainSpec(_Model):
    """What the user asks for; field documentation is in the CRD."""

    connection_name: str = "default"
    roots: Roots
    graph: Graph = Graph()
    parallelism: int = 10


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
    resource_version: str
    is_deleting: bool
    run_token: str | None
    spec: StackChainSpec
    status: "Status"
    raw_status: Mapping[str, Any]


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


@dataclasses.dataclass(frozen=True, kw_only=True, slots=True)
class GraphStatus:
    """What the discovery found."""

    stacks: int
    edges: int
    levels: int
    resolved_time: str


@dataclasses.dataclass(frozen=True, kw_only=True, slots=True)
class RunStatus:
    """One pass of a chain; times are RFC 3339, UTC."""

    number: int
    attempt: int = 1
    trigger: str = ""
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
    url: str | None = None


@dataclasses.dataclass(frozen=True, kw_only=True, slots=True)
class PendingRun:
    """A request that waits for the live run to end."""

    trigger: str
    message: str


@dataclasses.dataclass(frozen=True, kw_only=True, slots=True)
class Handled:
    """The asks that became a run: the digest of the spec and the text of the run token."""

    spec: str | None = None
    run: str | None = None


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
    url: str | None = None
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
    last_handled: Handled = Handled()
    stacks: tuple[StackStatus, ...] = ()

    def condition(self, type_: str) -> Condition | None:
        """Return the condition of that type, if there is one."""
        return next((item for item in self.conditions if item.type == type_), None)


_STATUS = pydantic.TypeAdapter(Status)


def status_to_dict(status: Status) -> dict[str, Any]:
    """Return the status as the API server stores it: camelCase, without empty fields."""
    return _camel(dataclasses.asdict(status))


def _camel(fields: Mapping[str, Any]) -> dict[str, Any]:
    result: dict[str, Any] = {}
    for key, value in fields.items():
        if value is None or value == () or value == []:
            continue
        result[to_camel(key)] = _camel_value(value)
    return result


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


def _to_snake(key: str) -> str:
    return "".join(f"_{char.lower()}" if char.isupper() else char for char in key)


def parse(body: Mapping[str, Any]) -> StackChain:
    """Read a StackChain.

    Raises:
        InvalidResource: a field does not fit; the message names it.
    """
    metadata = body["metadata"]
    raw_status = body.get("status") or {}
    try:
        spec = StackChainSpec.model_validate(body.get("spec") or {})
    except pydantic.ValidationError as error:
        first = error.errors()[0]
        where = ".".join(["spec", *(str(part) for part in first["loc"])])
        raise InvalidResource(f"`{where}`: {first['msg']}") from error
    return StackChain(
        ref=read_ref(body),
        resource_version=metadata["resourceVersion"],
        is_deleting=bool(metadata.get("deletionTimestamp")),
        run_token=(metadata.get("annotations") or {}).get(RUN_ANNOTATION),
        spec=spec,
        status=read_status(raw_status),
        raw_status=raw_status,
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
