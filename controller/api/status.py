"""The status of a StackChain: dataclasses, read and written as the API server stores them."""

import dataclasses
import enum
from collections.abc import Mapping
from typing import Any

from controller.api import json_fields
from controller.api.spec import Operation


class Phase(enum.StrEnum):
    """Where a stack or a chain run is.

    A phase that this version does not know, from a newer worker or operator, counts as running:
    nothing says that it has ended.
    """

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

    @classmethod
    def _missing_(cls, value: object) -> "Phase | None":
        return cls.RUNNING if isinstance(value, str) else None

    @classmethod
    def of_newer(cls, text: str) -> "Phase":
        """Return a phase that this version does not know, for those who only show it."""
        made = str.__new__(cls, text)
        made._name_ = made._value_ = text
        return made


_OVER = frozenset({Phase.SUCCEEDED, Phase.FAILED, Phase.SKIPPED, Phase.CANCELED, Phase.TIMED_OUT})


class Cause(enum.StrEnum):
    """What asked for a chain run."""

    SPEC = "Spec"
    RUN_TOKEN = "RunToken"  # noqa: S105 -- the name of an annotation's role, not a secret
    SCHEDULE = "Schedule"
    RETRY = "Retry"
    ROOT_RUN_FINISHED = "RootRunFinished"


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


class RunSource(enum.StrEnum):
    """Where the Spacelift run of a stack comes from."""

    ADOPTED = "Adopted"
    """The chain found it: Spacelift had queued it, or others had started it."""
    TRIGGERED = "Triggered"
    """The chain created it."""


class StageWait(enum.StrEnum):
    """What a stage waits for before its stacks may start."""

    EARLIER_STAGES = "EarlierStages"
    SOAK = "Soak"
    WINDOW = "Window"
    APPROVAL = "Approval"


@dataclasses.dataclass(frozen=True, kw_only=True, slots=True)
class StageStatus:
    """One stage of a run; times are RFC 3339, UTC.

    `waits_for` is a `StageWait`; `since` and `until` are when that wait began and when it ends, as
    far as it is known.
    """

    name: str
    phase: Phase
    progress: str
    waits_for: str | None = None
    message: str | None = None
    since: str | None = None
    until: str | None = None
    approved_time: str | None = None


@dataclasses.dataclass(frozen=True, kw_only=True, slots=True)
class Delta:
    """What a run changes, in resources."""

    added: int
    changed: int
    deleted: int

    @property
    def is_change(self) -> bool:
        """Whether there is anything that it changes."""
        return bool(self.added or self.changed or self.deleted)


@dataclasses.dataclass(frozen=True, kw_only=True, slots=True)
class Changes:
    """What a run of a chain changes: in how many stacks, and in resources.

    `text` has the resources as people read them.
    """

    stacks: int
    added: int
    changed: int
    deleted: int
    text: str = ""


@dataclasses.dataclass(frozen=True, kw_only=True, slots=True)
class RunStatus:
    """One pass of a chain; times are RFC 3339, UTC.

    `root_runs` are the finished runs of roots below which it runs; none: it runs the whole chain.
    `estimated_completion_time` is there while it can be said.
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
    estimated_completion_time: str | None = None
    progress: str = ""
    summary: Summary = Summary()
    changes: Changes | None = None
    workflow_id: str = ""
    workflow_run_id: str = ""
    workflow_url: str | None = None
    root_runs: tuple[RootRun, ...] = ()
    stages: tuple[StageStatus, ...] = ()


@dataclasses.dataclass(frozen=True, kw_only=True, slots=True)
class PendingRun:
    """A request that waits for the live run to end.

    Only this records the asks `scheduled_time` and `root_runs`; the others can be read from the
    resource.
    """

    cause: str
    message: str
    scheduled_time: str | None = None
    root_runs: tuple[RootRun, ...] = ()


@dataclasses.dataclass(frozen=True, kw_only=True, slots=True)
class Handled:
    """The asks that were taken up: the digest of the spec and the texts of the tokens.

    `run` is the annotation's, `run_token` the spec's. A retry, bypass or cancel whose number is
    stale is taken up too: there is nothing to do for it. `schedule` is the newest time of the
    schedule that a run was started for; `root_runs` has for each root the newest run that needs no
    more checks.
    """

    spec: str | None = None
    run: str | None = None
    run_token: str | None = None
    retry: str | None = None
    bypass: str | None = None
    cancel: str | None = None
    approve: str | None = None
    schedule: str | None = None
    root_runs: tuple[RootRun, ...] = ()


@dataclasses.dataclass(frozen=True, kw_only=True, slots=True)
class ScheduleStatus:
    """The state of the schedule; times are RFC 3339, UTC.

    Every time of the schedule up to `checked_time` was served or missed. `digest` says which
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
    """The state of the triggers; `digest` says which sweep Temporal has.

    `problem` is what kept the last sweep from seeing all roots.
    """

    digest: str
    problem: str | None = None


@dataclasses.dataclass(frozen=True, kw_only=True, slots=True)
class UnusedRun:
    """A run that Spacelift queued because of the chain, carried out, and that no stack used.

    `stack_id` is there if it is of a stack outside of the chain. `other_run_url`: it may also have
    been queued because of this run of others, so it is left alone.
    """

    run_id: str
    stack_id: str | None = None
    run_state: str | None = None
    run_url: str | None = None
    other_run_url: str | None = None


@dataclasses.dataclass(frozen=True, kw_only=True, slots=True)
class Holder:
    """What outside of the chain holds a stack up: a run, a lock, another chain.

    `needs_person`: it does not end on its own. `url` leads to where it can be ended.
    """

    needs_person: bool = False
    url: str | None = None


@dataclasses.dataclass(frozen=True, kw_only=True, slots=True)
class StackStatus:
    """One stack of the latest run; `run_source` is a `RunSource`, or what a newer operator says."""

    id: str
    level: int
    phase: Phase
    name: str | None = None
    depends_on: tuple[str, ...] = ()
    reason: str | None = None
    message: str | None = None
    blocked_by: str | None = None
    held_by: Holder | None = None
    run_id: str | None = None
    run_source: str | None = None
    run_state: str | None = None
    run_url: str | None = None
    attempts: int | None = None
    start_time: str | None = None
    completion_time: str | None = None
    delta: Delta | None = None
    unused_runs: tuple[UnusedRun, ...] = ()


@dataclasses.dataclass(frozen=True, kw_only=True, slots=True)
class StackDurations:
    """What the last successful run of a stack took, for each operation; waits do not count."""

    stack_id: str
    apply_seconds: int | None = None
    plan_seconds: int | None = None
    destroy_seconds: int | None = None


@dataclasses.dataclass(frozen=True, kw_only=True, slots=True)
class Status:
    """The status subresource."""

    observed_generation: int = 0
    observed_digest: str | None = None
    """Of what the operator has taken in: the uid, the spec and the request annotations."""
    installation: str = ""
    """Whose runs these are: the installation that has the resource."""
    conditions: tuple[Condition, ...] = ()
    graph: GraphStatus | None = None
    latest_run: RunStatus | None = None
    pending_run: PendingRun | None = None
    schedule: ScheduleStatus | None = None
    triggers: TriggersStatus | None = None
    last_handled: Handled = Handled()
    stacks: tuple[StackStatus, ...] = ()
    history: tuple[RunStatus, ...] = ()
    durations: tuple[StackDurations, ...] = ()

    def condition(self, type_: str) -> Condition | None:
        """Return the condition of that type, if there is one."""
        return next((item for item in self.conditions if item.type == type_), None)


def status_to_dict(status: Status) -> dict[str, Any]:
    """Return the status as the API server stores it: camelCase, without empty fields."""
    return json_fields.to_json(status)


def read_status(raw: Mapping[str, Any]) -> Status:
    """Read a stored status; a part that does not fit counts as missing, since it can be rebuilt.

    The numbers and the handled asks cannot be rebuilt, so they have their own parts.
    """
    try:
        return json_fields.from_json(Status, raw)
    except json_fields.Misfit:
        return json_fields.from_json(Status, {key: raw[key] for key in raw if _fits(raw, key)})


def _fits(raw: Mapping[str, Any], key: str) -> bool:
    try:
        json_fields.from_json(Status, {key: raw[key]})
    except json_fields.Misfit:
        return False
    return True
