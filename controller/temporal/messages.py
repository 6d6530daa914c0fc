"""What travels between operator, chains, stacks and their activities.

Frozen dataclasses on the default converter. From version 0.1.0 on a field may be added with a
default, never renamed or removed, since histories in flight hold them (ADR 0011). `*_seconds` are
ints.
"""

import dataclasses

from controller.api import v1alpha1
from controller.chain.graph import adoption, selection
from controller.chain.run import (
    holds,
    native_stops,
    newer_runs,
    progress,
    run_snapshots,
    stack_lines,
    windows,
)
from controller.config import permissions


@dataclasses.dataclass(frozen=True, kw_only=True, slots=True)
class Grant:
    """What the operator lets an execution do through a connection, signed by it (`signing`).

    The digests stand for what is carried elsewhere: all of the chain's input, its scope (for a
    sweep the roots), and the environment of its runs.
    """

    use: permissions.ConnectionUse
    commit_sha: str | None = None
    confirmation_limits: v1alpha1.ConfirmationLimits | None = None
    input_digest: str = ""
    scope_digest: str = ""
    environment_digest: str = ""
    signature: str = ""


@dataclasses.dataclass(frozen=True, kw_only=True, slots=True)
class AccountRef:
    """A Spacelift account by name, with the endpoint that the operator means by that name.

    A worker does not serve it if its connection of that name has another endpoint, or does not
    allow what is granted.
    """

    name: str
    endpoint: str
    account: str
    grant: Grant


@dataclasses.dataclass(frozen=True, kw_only=True, slots=True)
class StackRef:
    """A stack of an account. `permit`: a worker has read that the stack belongs to the chain.

    Or that runs of the chain make Spacelift queue runs there, which may then be stopped. Its
    `windows`, outside of which nothing is triggered or confirmed, are part of what was read.
    """

    connection: AccountRef
    stack_id: str
    permit: str = ""
    windows: tuple[v1alpha1.Window, ...] = ()


@dataclasses.dataclass(frozen=True, kw_only=True, slots=True)
class ChainInput:
    """Starts a `StackDependencyChainWorkflow`. `attempt` counts rechecks of one run number.

    `commit_sha` is the root's. `environment` goes to each run that the chain triggers. `kept` are
    stacks that an earlier run of the chain left succeeded, `retried` the others of that run, except
    those that a retry of others leaves as they ended: they are `left`. `finished_roots` are the
    roots whose runs started this one, which then has no other roots. `durations` is what stacks
    took before, in seconds.
    """

    ref: v1alpha1.Ref
    number: int
    attempt: int
    cause: str
    operator_queue: str
    connection: AccountRef
    scope: selection.Scope
    policies: v1alpha1.Policies = dataclasses.field(default_factory=v1alpha1.Policies)
    commit_sha: str | None = None
    environment: dict[str, str] = dataclasses.field(default_factory=dict)
    is_suspended: bool = False
    kept: list[progress.Kept] = dataclasses.field(default_factory=list)
    retried: list[progress.Retried] = dataclasses.field(default_factory=list)
    left: list[progress.Left] = dataclasses.field(default_factory=list)
    finished_roots: list[progress.FinishedRoot] = dataclasses.field(default_factory=list)
    durations: dict[str, int] = dataclasses.field(default_factory=dict)


@dataclasses.dataclass(frozen=True, kw_only=True, slots=True)
class ChainMemo:
    """What the operator reads of an execution without asking a worker.

    `handled` are the asks that the run answers; its `root_runs` are those alone that it took up. A
    retry was asked for the stacks that are `named`, or for all, and without those `bypassed`.
    """

    installation: str
    ref: v1alpha1.Ref
    number: int
    attempt: int
    cause: str
    handled: v1alpha1.Handled
    operation: str = v1alpha1.Operation.APPLY
    is_orphan: bool = False
    root_runs: tuple[v1alpha1.RootRun, ...] = ()
    named: tuple[str, ...] = ()
    bypassed: tuple[str, ...] = ()


@dataclasses.dataclass(frozen=True, kw_only=True, slots=True)
class SetParallelism:
    """Signal: how many stacks may run at once from now on."""

    parallelism: int


@dataclasses.dataclass(frozen=True, kw_only=True, slots=True)
class FindNewestRunsInput:
    """Asks for the newest runs of stacks that a retry may keep, or has lost."""

    connection: AccountRef
    stack_ids: list[str]


@dataclasses.dataclass(frozen=True, kw_only=True, slots=True)
class FindNewestRunsResult:
    """The newest run of each stack that has one; `hidden` are those that cannot be seen."""

    runs: list[newer_runs.NewestRun]
    hidden: list[str] = dataclasses.field(default_factory=list)


@dataclasses.dataclass(frozen=True, kw_only=True, slots=True)
class FetchDependentStacksInput:
    """Asks for the roots, the stacks in the direction, and what else matters to them.

    Besides the stacks that may belong to the chain, these are for Apply all stacks on which runs of
    its members would make Spacelift queue runs, and for Destroy the dependents of members.
    `maxStacks` limits the members, not what is read, since stacks may be left out.
    """

    connection: AccountRef
    scope: selection.Scope
    input_digest: str = ""


@dataclasses.dataclass(frozen=True, kw_only=True, slots=True)
class ReadWindowsInput:
    """Asks how the windows of each stage, and of the stacks without one (""), are at a time."""

    windows: dict[str, tuple[v1alpha1.Window, ...]]
    now: str


@dataclasses.dataclass(frozen=True, kw_only=True, slots=True)
class ReadWindowsResult:
    """How they are, by stage."""

    states: dict[str, windows.WindowState]


@dataclasses.dataclass(frozen=True, kw_only=True, slots=True)
class ChainExecutionRef:
    """The execution that is at a run of a chain; a reset in Temporal keeps `first_run_id` alone."""

    workflow_id: str
    workflow_run_id: str
    first_run_id: str

    @property
    def is_reset(self) -> bool:
        """Whether another execution was at the same run of the chain before."""
        return self.workflow_run_id != self.first_run_id


@dataclasses.dataclass(frozen=True, kw_only=True, slots=True)
class StackExecutionInput:
    """Starts a `StackExecutionWorkflow`.

    `adopt_origin` is the run whose creation made Spacelift queue the run to use; None: trigger.
    `queuers` are the stacks that such a run may name as `triggeredBy`. `ahead_runs` are runs of the
    stack that Spacelift carried out on its own; one that ran after `upstream_runs` is the stack's.
    The deadlines count from when the run is known, and from when it waits for a person. `line` are
    the chains that wait for the stack. `earlier_run_id` is the last run of an execution before, if
    a person asked for the stack once more in the same run of the chain. `is_canceled`: only a run
    that was there before a reset is looked for, to be stopped.
    """

    target: StackRef
    chain: ChainExecutionRef
    marker: str
    adopt_origin: str | None = None
    queuers: list[str] = dataclasses.field(default_factory=list)
    ahead_runs: list[adoption.AheadRun] = dataclasses.field(default_factory=list)
    upstream_runs: list[adoption.UpstreamRun] = dataclasses.field(default_factory=list)
    operation: str = v1alpha1.Operation.APPLY
    commit_sha: str | None = None
    environment: dict[str, str] = dataclasses.field(default_factory=dict)
    policies: v1alpha1.Policies = dataclasses.field(default_factory=v1alpha1.Policies)
    line: list[stack_lines.WaitingChain] = dataclasses.field(default_factory=list)
    earlier_run_id: str = ""
    is_canceled: bool = False


@dataclasses.dataclass(frozen=True, kw_only=True, slots=True)
class FindStackRunInput:
    """Asks for the stack's newest run and for the one to adopt.

    `ahead_runs` are runs that Spacelift carried out on its own: one that started only after the
    `upstream_runs` had ended is the stack's. `first_run_id` is that of the stack's execution: it
    and the chain's show whether one was reset. `known_run_id` is the last run that is known.
    """

    target: StackRef
    adopt_origin: str | None
    queuers: list[str]
    chain: ChainExecutionRef
    first_run_id: str
    known_run_id: str = ""
    operation: str = v1alpha1.Operation.APPLY
    ahead_runs: list[adoption.AheadRun] = dataclasses.field(default_factory=list)
    upstream_runs: list[adoption.UpstreamRun] = dataclasses.field(default_factory=list)


@dataclasses.dataclass(frozen=True, kw_only=True, slots=True)
class EarlierRun:
    """The last run that an execution wanted for the same run of the chain, before a reset.

    `run_id` is None if it is not known. If that run exists, it is then newer than `newest_run_id`,
    and triggered with the key. `attempts` counts the runs that were wanted, this one included.
    """

    newest_run_id: str
    key_id: str = ""
    run_id: str | None = None
    is_adopted: bool = False
    attempts: int = 1


@dataclasses.dataclass(frozen=True, kw_only=True, slots=True)
class FindStackRunResult:
    """`newest_run_id` is "0" for a stack that never ran; `adopted_run_id` None if none is there.

    `held` says what keeps a run from being triggered now; None if nothing does. If that is its
    window, `opens_at` says when it opens. `key_id` is that of the API key which then triggers it:
    it may be another by the time that its run is looked for.
    `found_in` is the execution that looked, by its run id: one that was reset from it triggers with
    care.
    """

    newest_run_id: str
    key_id: str = ""
    adopted_run_id: str | None = None
    earlier: EarlierRun | None = None
    held: progress.StackMeaning | None = None
    opens_at: str | None = None
    found_in: str = ""


@dataclasses.dataclass(frozen=True, kw_only=True, slots=True)
class TriggerStackRunInput:
    """Triggers a run, once. `was_attempted`: an earlier activity may have created it already.

    So may one of the execution `found_in`, if that is another. `first_run_id` is the first of the
    executions of which resets have made the one that asks.
    """

    target: StackRef
    newest_run_id: str
    marker: str
    found_in: str = ""
    first_run_id: str = ""
    key_id: str = ""
    was_attempted: bool = False
    operation: str = v1alpha1.Operation.APPLY
    commit_sha: str | None = None
    environment: dict[str, str] = dataclasses.field(default_factory=dict)


@dataclasses.dataclass(frozen=True, kw_only=True, slots=True)
class ReadStackRunResult:
    """The state of a run; `news` is None if that is known."""

    news: run_snapshots.RunSnapshot | None


@dataclasses.dataclass(frozen=True, kw_only=True, slots=True)
class FollowStackRunInput:
    """Waits until the summary of the run differs from `known_summary`, or its problem does."""

    target: StackRef
    run_id: str
    known_summary: str = ""
    known_problem: str = ""
    read_now: bool = False


@dataclasses.dataclass(frozen=True, kw_only=True, slots=True)
class AwaitStackReleaseInput:
    """Waits until what holds the stack differs from what the message says.

    `is_patient`: however long it takes and whether or not Spacelift answers meanwhile. Otherwise
    the wait ends after a while, and when the stack cannot be read.
    """

    target: StackRef
    hold_message: str
    is_patient: bool = False


@dataclasses.dataclass(frozen=True, kw_only=True, slots=True)
class ConfirmStackRunInput:
    """Confirms the run if it waits for nothing else, and its plan is within the granted limits."""

    target: StackRef
    run_id: str
    note: str


@dataclasses.dataclass(frozen=True, kw_only=True, slots=True)
class ConfirmStackRunResult:
    """The state of the run then.

    `excess` says why its plan is left to a person; empty: it is not. `closed_window`: it is not
    confirmed before its window opens.
    """

    run: run_snapshots.RunSnapshot
    excess: str = ""
    closed_window: windows.WindowState | None = None


@dataclasses.dataclass(frozen=True, kw_only=True, slots=True)
class StopStackRunInput:
    """Stops a run by the call that fits its state."""

    target: StackRef
    run_id: str
    note: str


@dataclasses.dataclass(frozen=True, kw_only=True, slots=True)
class FindTriggeredRunInput:
    """Asks for the run that a trigger above `newest_run_id` may have created."""

    target: StackRef
    newest_run_id: str
    key_id: str = ""
    operation: str = v1alpha1.Operation.APPLY
    commit_sha: str | None = None


@dataclasses.dataclass(frozen=True, kw_only=True, slots=True)
class StopNativeRunsInput:
    """Asks for one look at native runs that must not continue, and for the calls that end them."""

    connection: AccountRef
    targets: list[native_stops.UnwantedRuns]

    @property
    def stacks(self) -> list[StackRef]:
        """The stacks that it is about."""
        return [
            StackRef(connection=self.connection, stack_id=target.stack_id, permit=target.permit)
            for target in self.targets
        ]


@dataclasses.dataclass(frozen=True, kw_only=True, slots=True)
class StopNativeRunsResult:
    """What was found: one for each origin of each target."""

    runs: list[native_stops.NativeRun]


@dataclasses.dataclass(frozen=True, kw_only=True, slots=True)
class FindEarlierStacksInput:
    """Asks for what executions of a run of a chain had started before a reset."""

    chain: ChainExecutionRef


@dataclasses.dataclass(frozen=True, kw_only=True, slots=True)
class EarlierStack:
    """A stack's execution that was started before a reset, the last one of the stack.

    `report` is its end; None if it still runs, or was ended from outside.
    """

    workflow_id: str
    is_running: bool = False
    report: progress.StackReport | None = None


@dataclasses.dataclass(frozen=True, kw_only=True, slots=True)
class FindEarlierStacksResult:
    """Stacks for which an execution was started, except those where it left no run."""

    stacks: list[EarlierStack]


@dataclasses.dataclass(frozen=True, kw_only=True, slots=True)
class AwaitedExecution:
    """A stack's execution that a chain waits for; a reset of it keeps `first_run_id`."""

    workflow_id: str
    first_run_id: str


@dataclasses.dataclass(frozen=True, kw_only=True, slots=True)
class FindStackEndsInput:
    """Asks which stacks' executions have ended: a reset may keep the chain from hearing of it."""

    awaited: list[AwaitedExecution]


@dataclasses.dataclass(frozen=True, kw_only=True, slots=True)
class StackEnd:
    """How a stack's execution has ended: with what it returned, or from outside."""

    execution: AwaitedExecution
    report: progress.StackReport | None = None
    is_from_outside: bool = False


@dataclasses.dataclass(frozen=True, kw_only=True, slots=True)
class FindStackEndsResult:
    """The ends of those that have ended."""

    ends: list[StackEnd]


@dataclasses.dataclass(frozen=True, kw_only=True, slots=True)
class AwaitTurnInput:
    """Waits for the turn of `chain` at the stack whose execution has this workflow id.

    `known` is the chain that has the stack, if it is known; a wait ends when that changes. If
    `asking` comes from a reset, what the execution before it left there is ended.
    """

    workflow_id: str
    chain: stack_lines.WaitingChain
    asking: ChainExecutionRef
    known: holds.HoldingChain | None = None


@dataclasses.dataclass(frozen=True, kw_only=True, slots=True)
class AwaitTurnResult:
    """That it is the chain's turn, with those behind it; or which chain has the stack now."""

    is_turn: bool = False
    behind: list[stack_lines.WaitingChain] = dataclasses.field(default_factory=list)
    holder: holds.HoldingChain | None = None


@dataclasses.dataclass(frozen=True, kw_only=True, slots=True)
class PublishChainStatusInput:
    """Asks the operator to write the freshest progress of the execution to the resource."""

    ref: v1alpha1.Ref
    workflow_id: str
    workflow_run_id: str
    interval_milliseconds: int
    is_final: bool = False


@dataclasses.dataclass(frozen=True, kw_only=True, slots=True)
class PublishChainStatusResult:
    """The sequence that the written status covers."""

    sequence: int


def as_orphan(memo: ChainMemo) -> ChainMemo:
    """Return the memo of a run whose resource went and left it to itself.

    See ADR 0016.
    """
    return dataclasses.replace(memo, is_orphan=True)
