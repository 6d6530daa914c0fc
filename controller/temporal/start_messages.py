"""What travels between operator, schedules and sweeps: what starts runs automatically.

See `messages` for how these may change.
"""

import dataclasses

from controller.api import v1alpha1
from controller.temporal.messages import AccountRef


@dataclasses.dataclass(frozen=True, kw_only=True, slots=True)
class ScheduleMemo:
    """What is read of a Temporal Schedule without describing it.

    `kind` is one of `ids`' kinds; `digest` says how it was set up. A sweep says which roots of
    which account it looks at.
    """

    installation: str
    ref: v1alpha1.Ref
    kind: str
    digest: str
    account: str = ""
    roots: v1alpha1.Roots | None = None


@dataclasses.dataclass(frozen=True, kw_only=True, slots=True)
class RequestRunInput:
    """Starts a `RequestRunWorkflow`: the schedule of a resource says that it is time."""

    ref: v1alpha1.Ref
    operator_queue: str


@dataclasses.dataclass(frozen=True, kw_only=True, slots=True)
class RootSweepInput:
    """Starts a `RootSweepWorkflow`: the roots of a chain are to be looked at."""

    ref: v1alpha1.Ref
    operator_queue: str
    connection: AccountRef
    roots: v1alpha1.Roots


@dataclasses.dataclass(frozen=True, kw_only=True, slots=True)
class FindRootRunsInput:
    """Asks for the newest runs of the roots."""

    connection: AccountRef
    roots: v1alpha1.Roots


@dataclasses.dataclass(frozen=True, kw_only=True, slots=True)
class FinishedRun:
    """A finished tracked run. `is_own`: it was triggered with the connection's API key."""

    run_id: str
    is_own: bool
    triggered_by: str = ""


@dataclasses.dataclass(frozen=True, kw_only=True, slots=True)
class RootRuns:
    """A root's newest run in whatever state ("0": none), and its finished ones, newest first."""

    stack_id: str
    newest_run_id: str
    finished: list[FinishedRun]


@dataclasses.dataclass(frozen=True, kw_only=True, slots=True)
class FindRootRunsResult:
    """One of each root that can be seen; `hidden` are those by id that cannot."""

    roots: list[RootRuns]
    hidden: list[str] = dataclasses.field(default_factory=list)


@dataclasses.dataclass(frozen=True, kw_only=True, slots=True)
class RequestRunCall:
    """Asks the operator for a run, if there is reason for one.

    Either it is the `scheduled_time`, RFC 3339 in UTC, or a sweep of an `account` has read
    `root_runs`. `hidden` are roots that it could not see; with a `problem` it could read none.
    """

    ref: v1alpha1.Ref
    scheduled_time: str | None = None
    account: str = ""
    root_runs: list[RootRuns] = dataclasses.field(default_factory=list)
    hidden: list[str] = dataclasses.field(default_factory=list)
    problem: str = ""


@dataclasses.dataclass(frozen=True, kw_only=True, slots=True)
class RequestRunResult:
    """What became of it. `undecided`: roots whose run a chain may still be about to adopt."""

    outcome: str
    undecided: list[str] = dataclasses.field(default_factory=list)
