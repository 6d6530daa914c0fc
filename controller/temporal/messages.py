"""What travels between operator, workflows and activities.

Frozen dataclasses on the default converter; a field may be added with a default, never renamed or
removed, since histories in flight hold them. `*_seconds` are ints.
"""

import dataclasses

from controller.api import v1alpha1


@dataclasses.dataclass(frozen=True, kw_only=True, slots=True)
class Connection:
    """A Spacelift account by name, with the endpoint that the operator means by that name.

    A worker whose connection of the name has another endpoint does not serve it.
    """

    name: str
    endpoint: str
    account: str


@dataclasses.dataclass(frozen=True, kw_only=True, slots=True)
class ChainInput:
    """Starts a `StackDependencyChainWorkflow`. `attempt` counts rechecks of one run number."""

    namespace: str
    name: str
    uid: str
    generation: int
    number: int
    attempt: int
    trigger: str
    operator_queue: str
    connection: Connection
    roots: list[str]
    sources: list[str]
    parallelism: int
    max_stacks: int = v1alpha1.MAX_STACKS


@dataclasses.dataclass(frozen=True, kw_only=True, slots=True)
class ChainMemo:
    """What the operator reads of an execution without asking a worker."""

    installation: str
    namespace: str
    name: str
    uid: str
    generation: int
    number: int
    attempt: int
    trigger: str
    request_key: str
    handled_spec: str | None
    handled_run: str | None


@dataclasses.dataclass(frozen=True, kw_only=True, slots=True)
class SetParallelism:
    """Signal: how many stacks may run at once from now on."""

    parallelism: int


@dataclasses.dataclass(frozen=True, kw_only=True, slots=True)
class FetchDependentStacksInput:
    """Asks for the subgraph downstream of the roots."""

    connection: Connection
    roots: list[str]
    sources: list[str]
    max_stacks: int


@dataclasses.dataclass(frozen=True, kw_only=True, slots=True)
class StackExecutionInput:
    """Starts a `StackExecutionWorkflow`.

    `adopt_origin` is the run whose creation made Spacelift queue the run to use; None: trigger.
    `surplus_origins` are runs that may have queued one which is then not wanted.
    `queuers` are the stacks that such runs name as `triggeredBy`.
    """

    connection: Connection
    stack_id: str
    chain_workflow_id: str
    chain_workflow_run_id: str
    marker: str
    adopt_origin: str | None = None
    surplus_origins: list[str] = dataclasses.field(default_factory=list)
    queuers: list[str] = dataclasses.field(default_factory=list)


@dataclasses.dataclass(frozen=True, kw_only=True, slots=True)
class FindStackRunInput:
    """Asks for the stack's newest run and for the one to adopt."""

    connection: Connection
    stack_id: str
    adopt_origin: str | None
    queuers: list[str]


@dataclasses.dataclass(frozen=True, kw_only=True, slots=True)
class FindStackRunResult:
    """`newest_run_id` is "" for a stack that never ran; `adopted_run_id` None if none is there."""

    newest_run_id: str
    adopted_run_id: str | None = None


@dataclasses.dataclass(frozen=True, kw_only=True, slots=True)
class TriggerStackRunInput:
    """Triggers a run, once. `was_attempted`: an earlier activity may have created it already."""

    connection: Connection
    stack_id: str
    newest_run_id: str
    marker: str
    was_attempted: bool = False


@dataclasses.dataclass(frozen=True, kw_only=True, slots=True)
class FollowStackRunInput:
    """Waits until the run's view differs from `known_view`, or its problem from the known one."""

    connection: Connection
    stack_id: str
    run_id: str
    known_view: str = ""
    known_problem: str = ""
    read_now: bool = False


@dataclasses.dataclass(frozen=True, kw_only=True, slots=True)
class StopStackRunInput:
    """Stops a run by the call that fits its state.

    Without `run_id`: the run that a trigger above `newest_run_id` may have created.
    """

    connection: Connection
    stack_id: str
    run_id: str | None
    newest_run_id: str
    note: str


@dataclasses.dataclass(frozen=True, kw_only=True, slots=True)
class NativeRunTarget:
    """A stack whose runs, queued natively by the origins' creation, are not wanted."""

    stack_id: str
    origin_run_ids: list[str]
    queuers: list[str]
    keep_run_id: str | None = None


@dataclasses.dataclass(frozen=True, kw_only=True, slots=True)
class StopNativeRunsInput:
    """Stops native runs of stacks that must not run them."""

    connection: Connection
    targets: list[NativeRunTarget]
    note: str


@dataclasses.dataclass(frozen=True, kw_only=True, slots=True)
class NativeRunEnd:
    """How a native run ended, that it is left to end (`is_left`), or what kept it from stopping."""

    stack_id: str
    run_id: str
    state: str
    url: str
    is_left: bool
    problem: str = ""


@dataclasses.dataclass(frozen=True, kw_only=True, slots=True)
class StopNativeRunsResult:
    """All native runs that were found."""

    runs: list[NativeRunEnd]


@dataclasses.dataclass(frozen=True, kw_only=True, slots=True)
class AwaitExecutionInput:
    """Waits until no execution has this workflow id."""

    workflow_id: str


@dataclasses.dataclass(frozen=True, kw_only=True, slots=True)
class PublishChainStatusInput:
    """Asks the operator to write the freshest progress of the execution to the resource."""

    namespace: str
    name: str
    uid: str
    workflow_id: str
    workflow_run_id: str
    interval_milliseconds: int
    is_final: bool = False


@dataclasses.dataclass(frozen=True, kw_only=True, slots=True)
class PublishChainStatusResult:
    """The sequence that the written status covers."""

    sequence: int
