"""What a chain run knows of itself: plain facts, changed by the workflow, projected to status.

One serializable object, so that it can be a query's answer, the workflow's result, and the input of
a later execution alike. Times are RFC 3339 strings in UTC.
"""

import dataclasses
import enum
from collections.abc import Collection, Sequence

from controller.api import reasons, v1alpha1
from controller.chain.graph import adoption, resolve
from controller.chain.run.run_states import RunState


@dataclasses.dataclass(kw_only=True, slots=True)
class StackProgress:
    """One stack of the run. `upstream_places` stands for `depends_on` where the run is `packed`.

    `is_started`: an execution has it. `adopts_from` names the stack whose run makes Spacelift queue
    the run to use. `ahead_runs` are runs that Spacelift queued and carried out although no stack
    was to use them: on this stack, and on stacks outside of the chain because of its run.
    `dropped_ahead_runs` says how many more there were. `is_disabled`: it was when the stacks were
    read. `run_source` says where the run comes from, if there is one: a `RunSource`.
    `wants_slot_since`: its run failed, and the next one waits for a slot. `held_by` counts while it
    waits. `stage` is the name of its stage; empty: none. `earlier_attempts` are the runs that it
    had before a person asked for it once more, and `earlier_run_id` was the last of them.
    `requested_at`: the request named it then, or one that it depends on. `busy_seconds` is what its
    present run has taken so far, plus the time since `busy_since`. `took_seconds` is the total,
    once it has succeeded (`durations`).
    """

    id: str
    name: str
    level: int
    depends_on: list[str]
    upstream_places: list[int] = dataclasses.field(default_factory=list)
    phase: v1alpha1.Phase = v1alpha1.Phase.PENDING
    reason: str = ""
    message: str = ""
    blocked_by: str | None = None
    held_by: v1alpha1.Holder | None = None
    is_started: bool = False
    adopts_from: str | None = None
    run_id: str | None = None
    run_source: str | None = None
    run_state: str | None = None
    run_url: str | None = None
    attempts: int = 1
    start_time: str | None = None
    completion_time: str | None = None
    delta: v1alpha1.Delta | None = None
    ahead_runs: list[adoption.AheadRun] = dataclasses.field(default_factory=list)
    dropped_ahead_runs: int = 0
    is_disabled: bool = False
    wants_slot_since: str | None = None
    stage: str = ""
    earlier_attempts: int = 0
    earlier_run_id: str | None = None
    requested_at: str | None = None
    busy_since: str | None = None
    busy_seconds: int = 0
    took_seconds: int | None = None

    @property
    def is_lost(self) -> bool:
        """Whether it no longer belongs to the chain, and is only named."""
        return self.reason == reasons.StackReason.NO_LONGER_IN_CHAIN

    @property
    def uses_ahead_run(self) -> bool:
        """Whether its run is one that Spacelift carried out on its own, in order."""
        return any(run.run_id == self.run_id for run in self.ahead_runs)


class LiveRequestKind(enum.StrEnum):
    """What a person asks of a run while it runs."""

    RETRY = "Retry"
    BYPASS = "Bypass"
    APPROVE = "Approve"


@dataclasses.dataclass(frozen=True, kw_only=True, slots=True)
class LiveRequest:
    """Signal: a token of a person that names the run, and stacks or a stage of it.

    A retry without names means all.
    """

    kind: LiveRequestKind
    token: str
    number: int
    names: list[str] = dataclasses.field(default_factory=list)


@dataclasses.dataclass(frozen=True, kw_only=True, slots=True)
class HandledRequest:
    """What became of such a request: what it does, or why it does nothing (`is_refused`)."""

    kind: str
    token: str
    message: str
    is_refused: bool = False


@dataclasses.dataclass(kw_only=True, slots=True)
class WindowProgress:
    """The windows of a stage, or of the stacks without one, as they were read last.

    `until` is when to read them again, since they open or close then. `since`: they were found
    closed. `holds_back`: without them a stack could start now. `is_stale`: they have to be read.
    """

    until: str
    is_open: bool = False
    since: str | None = None
    holds_back: bool = False
    is_stale: bool = True


@dataclasses.dataclass(kw_only=True, slots=True)
class StageProgress:
    """One stage of the run. What is below `window` follows from the stacks (`gates`).

    `waits_for`: why its stacks may not start now, a `StageWait`; empty: they may. `stacks` and
    `succeeded` count its stacks.
    """

    name: str
    soak_seconds: int = 0
    needs_approval: bool = False
    approved_at: str | None = None
    window: WindowProgress | None = None
    phase: v1alpha1.Phase = v1alpha1.Phase.PENDING
    waits_for: str = ""
    message: str = ""
    since: str | None = None
    until: str | None = None
    stacks: int = 0
    succeeded: int = 0


@dataclasses.dataclass(kw_only=True, slots=True)
class ChainProgress:
    """One run of a chain. `sequence` grows with every change.

    `problem_reason` is set while a problem that may pass on its own keeps the run from continuing.
    `is_canceling`: it stops what runs and starts nothing more; `is_timed_out`: because its deadline
    has passed. `is_orphan`: its resource is gone and left it running; `unapproved_stage`: the stage
    at which it ended for that reason. `stages` are in the order in which they run; `window` is that
    of the stacks without one. `requests` are the newest of those that it has handled, oldest first.
    Only the answer to a query has `estimated_completion_time` (ADR 0057).
    """

    number: int
    attempt: int
    cause: str
    generation: int
    start_time: str
    operation: str = v1alpha1.Operation.APPLY
    policies: v1alpha1.Policies = dataclasses.field(default_factory=v1alpha1.Policies)
    is_suspended: bool = False
    sequence: int = 0
    phase: v1alpha1.Phase = v1alpha1.Phase.PENDING
    reason: str = ""
    message: str = ""
    problem_reason: str = ""
    problem_message: str = ""
    is_canceling: bool = False
    is_timed_out: bool = False
    is_orphan: bool = False
    unapproved_stage: str = ""
    resolved_time: str | None = None
    completion_time: str | None = None
    estimated_completion_time: str | None = None
    edges: int = 0
    levels: int = 0
    look_alikes: list[resolve.LookAlike] = dataclasses.field(default_factory=list)
    unmatched_exclusions: list[str] = dataclasses.field(default_factory=list)
    stages: list[StageProgress] = dataclasses.field(default_factory=list)
    window: WindowProgress | None = None
    stacks: list[StackProgress] = dataclasses.field(default_factory=list)
    requests: list[HandledRequest] = dataclasses.field(default_factory=list)

    @property
    def is_abandoned(self) -> bool:
        """Whether it is suspended and no one can resume it, since its resource went."""
        return self.is_orphan and self.is_suspended


@dataclasses.dataclass(frozen=True, kw_only=True, slots=True)
class StackMeaning:
    """The phase of a stack, and why, for alerts and for people.

    `reason` is one of `StackReason`, or what a newer worker says.
    """

    phase: v1alpha1.Phase
    reason: str
    message: str = ""
    held_by: v1alpha1.Holder | None = None


@dataclasses.dataclass(frozen=True, kw_only=True, slots=True)
class StackReport:
    """What is news of a stack's execution; the same report twice changes nothing.

    `run_source` is about the run of the report, if it has one (`run_sources`). `is_stopping`: a
    deadline has passed, and the run is stopped once the chain allows it. `wants_slot`: the next run
    is triggered once the chain has a slot for it. `opens_at`: nothing was triggered, since the
    window of the stack is closed until then.
    """

    stack_id: str
    phase: v1alpha1.Phase
    reason: str
    message: str = ""
    held_by: v1alpha1.Holder | None = None
    run_id: str | None = None
    run_source: str | None = None
    run_state: str | None = None
    run_url: str | None = None
    attempts: int = 1
    delta: v1alpha1.Delta | None = None
    is_stopping: bool = False
    wants_slot: bool = False
    opens_at: str | None = None


@dataclasses.dataclass(frozen=True, kw_only=True, slots=True)
class Kept:
    """A stack that had succeeded by an earlier run of the chain, with its Spacelift run.

    `is_newer`: it had not, and a run outside of the chain has made it good since. `is_bypassed`: it
    had not, and a person vouches for it.
    """

    stack_id: str
    run_number: int
    run_id: str | None = None
    run_source: str | None = None
    run_url: str | None = None
    is_newer: bool = False
    is_bypassed: bool = False


@dataclasses.dataclass(frozen=True, kw_only=True, slots=True)
class Left:
    """A stack that had not succeeded and that a retry of others leaves as it ended."""

    stack_id: str
    run_number: int
    phase: v1alpha1.Phase
    reason: str
    message: str
    blocked_by: str | None = None
    run_id: str | None = None
    run_source: str | None = None
    run_url: str | None = None
    completion_time: str | None = None


@dataclasses.dataclass(frozen=True, kw_only=True, slots=True)
class Retried:
    """A stack that had not succeeded when run `run_number` ended; the run that it had, if any.

    `blocked_by` is the stack behind which it was skipped. `may_have_newer`: a run outside of the
    chain may count for it. `is_named`: the retry names it, or one that it depends on.
    """

    stack_id: str
    run_number: int
    run_id: str | None = None
    run_source: str | None = None
    blocked_by: str | None = None
    may_have_newer: bool = True
    is_named: bool = False


@dataclasses.dataclass(frozen=True, kw_only=True, slots=True)
class LostStack:
    """A stack that had not succeeded and that the chain no longer has; `message` says why."""

    stack_id: str
    message: str


@dataclasses.dataclass(frozen=True, kw_only=True, slots=True)
class FinishedRoot:
    """A root whose run finished and started the chain; it queued the native runs to adopt."""

    stack_id: str
    run_id: str
    run_url: str


def adopt_graph(
    progress: ChainProgress,
    resolved: resolve.ChainGraph,
    *,
    kept: Sequence[Kept] = (),
    finished: Sequence[FinishedRoot] = (),
    lost: Sequence[LostStack] = (),
    left: Sequence[Left] = (),
    named: Collection[str] = (),
    now: str,
) -> None:
    """Fill in the stacks of a resolved graph.

    What is kept, finished, lost or left has ended already; `named` are those that a retry names.
    """
    progress.stacks = [
        StackProgress(
            id=stack.id,
            name=stack.name,
            level=stack.level,
            depends_on=list(stack.depends_on),
            adopts_from=stack.adopts_from,
            is_disabled=stack.is_disabled,
            stage=stack.stage,
        )
        for stack in resolved.stacks
    ]
    by_id = {stack.id: stack for stack in progress.stacks}
    for item in kept:
        # A stack that left the graph since is not the run's business.
        if (stack := by_id.get(item.stack_id)) is not None:
            _keep(stack, item, now=now)
    for ended in left:
        if (stack := by_id.get(ended.stack_id)) is not None:
            _leave(stack, ended)
    for stack_id in named:
        if (stack := by_id.get(stack_id)) is not None:
            stack.requested_at = now
    for root in finished:
        if (stack := by_id.get(root.stack_id)) is not None:
            _finish(stack, root, now=now)
    progress.stacks += [_lost(item, level=resolved.levels, now=now) for item in lost]
    progress.edges, progress.levels = resolved.edges, resolved.levels
    progress.look_alikes = list(resolved.look_alikes)
    progress.unmatched_exclusions = list(resolved.unmatched_exclusions)
    progress.resolved_time = now
    progress.phase = v1alpha1.Phase.RUNNING
    progress.reason = reasons.ChainReason.PROGRESSING


def _keep(stack: StackProgress, kept: Kept, *, now: str) -> None:
    if kept.is_bypassed:
        set_bypassed(stack, BYPASSED_BEFORE, now=now)
        return
    stack.phase = v1alpha1.Phase.SUCCEEDED
    stack.reason = reasons.StackReason.KEPT
    stack.message = (
        newer_message(kept.run_number) if kept.is_newer else kept_message(kept.run_number)
    )
    stack.run_id, stack.run_url, stack.run_source = kept.run_id, kept.run_url, kept.run_source
    stack.completion_time = now


def _leave(stack: StackProgress, left: Left) -> None:
    stack.phase, stack.reason = left.phase, left.reason
    stack.message, stack.blocked_by = left_message(left.run_number, left.message), left.blocked_by
    stack.run_id, stack.run_url, stack.run_source = left.run_id, left.run_url, left.run_source
    stack.completion_time = left.completion_time


def _lost(item: LostStack, *, level: int, now: str) -> StackProgress:
    """Return the message about a stack that is not in the graph; it comes after all that are."""
    return StackProgress(
        id=item.stack_id,
        name=item.stack_id,
        level=level,
        depends_on=[],
        phase=v1alpha1.Phase.SKIPPED,
        reason=reasons.StackReason.NO_LONGER_IN_CHAIN,
        message=item.message,
        completion_time=now,
    )


def _finish(stack: StackProgress, root: FinishedRoot, *, now: str) -> None:
    stack.phase = v1alpha1.Phase.SUCCEEDED
    stack.reason = reasons.StackReason.ROOT_RUN_FINISHED
    stack.message = "Its run finished and started this run of the chain; it is not run again."
    stack.run_id, stack.run_url, stack.run_state = root.run_id, root.run_url, RunState.FINISHED
    stack.run_source = v1alpha1.RunSource.ADOPTED
    stack.completion_time = now


def is_of_earlier_run(stack: StackProgress) -> bool:
    """Whether it succeeded before this run of the chain, which has not run it."""
    return stack.reason in (reasons.StackReason.KEPT, reasons.StackReason.ROOT_RUN_FINISHED)


def kept_message(number: int) -> str:
    """Return the message about a stack that a retry of run `number` keeps.

    The stack may have succeeded in an earlier run than that one.
    """
    return f"It had succeeded when run {number} ended and is not run again."


def newer_message(number: int) -> str:
    """Return the message about a stack that succeeded since run `number` ended."""
    return f"It succeeded outside of the chain after run {number}, and is not run again."


_LEFT = "The retry of run "


def left_message(number: int, message: str) -> str:
    """Return the message about a stack that a retry of run `number` leaves as it ended."""
    if message.startswith(_LEFT):
        message = message.partition(": ")[2]
    return f"{_LEFT}{number} does not name it: {message}"


BYPASSED_BEFORE = f"A person vouched for it in an earlier run (`{v1alpha1.BYPASS_ANNOTATION}`)."
"""What a retry says of a stack that it leaves bypassed; it may be long ago."""


def bypassed_message(number: int, ended: str) -> str:
    """Return what a live run says of a stack that it bypasses; `ended` is how that had ended."""
    text = f"A person vouched for it in run {number} (`{v1alpha1.BYPASS_ANNOTATION}`)."
    return f"{text} Before that: {ended}" if ended else text


def set_bypassed(stack: StackProgress, message: str, *, now: str) -> None:
    """Have a stack count as done without a run: a person vouches for it."""
    stack.phase, stack.reason = v1alpha1.Phase.SKIPPED, reasons.StackReason.BYPASSED
    stack.message, stack.blocked_by, stack.adopts_from = message, None, None
    _forget_run(stack)
    stack.is_started, stack.wants_slot_since, stack.completion_time = False, None, now
    stack.held_by = None
    _forget_time(stack)


def reopen(stack: StackProgress, *, requested_at: str | None = None) -> None:
    """Have a stack that has ended run once more; the chain triggers the run."""
    _forget_run(stack)
    stack.blocked_by = stack.adopts_from = stack.completion_time = stack.wants_slot_since = None
    stack.requested_at = requested_at
    set_pending(stack)


def _forget_run(stack: StackProgress) -> None:
    """Leave the stack without a run, but keep what its last one was."""
    if stack.run_id is not None:
        stack.earlier_run_id, stack.earlier_attempts = stack.run_id, stack.attempts
    stack.run_id = stack.run_url = stack.run_state = stack.start_time = stack.delta = None
    stack.run_source = None


def apply_report(stack: StackProgress, report: StackReport, *, now: str) -> bool:
    """Take over a report; returns whether anything changed. What is over stays over."""
    if stack.phase.is_over:
        return False
    before = dataclasses.replace(stack)
    stack.phase, stack.reason, stack.message = report.phase, report.reason, report.message
    stack.held_by = report.held_by
    if report.run_id:
        stack.run_id, stack.run_source = report.run_id, report.run_source
    stack.run_url = report.run_url or stack.run_url
    stack.run_state = report.run_state
    stack.attempts = max(stack.attempts, stack.earlier_attempts + report.attempts)
    stack.delta = report.delta or stack.delta
    stack.wants_slot_since = (stack.wants_slot_since or now) if report.wants_slot else None
    if stack.run_id and stack.start_time is None:
        stack.start_time = now
    if stack.phase.is_over:
        stack.completion_time = now
    return stack != before


def packed(run: ChainProgress) -> ChainProgress:
    """Return the run as it crosses Temporal, which takes 2 MiB: upstreams by their places."""
    places = {stack.id: place for place, stack in enumerate(run.stacks)}
    stacks = [
        dataclasses.replace(
            stack, depends_on=[], upstream_places=[places[item] for item in stack.depends_on]
        )
        for stack in run.stacks
    ]
    return dataclasses.replace(run, stacks=stacks)


def unpacked(run: ChainProgress) -> ChainProgress:
    """Return a run that has crossed Temporal as it was before."""
    ids = [stack.id for stack in run.stacks]
    stacks = [
        dataclasses.replace(
            stack,
            depends_on=[ids[place] for place in stack.upstream_places] or stack.depends_on,
            upstream_places=[],
        )
        for stack in run.stacks
    ]
    return dataclasses.replace(run, stacks=stacks)


def set_aside(stack: StackProgress, meaning: StackMeaning) -> None:
    """Have a stack wait for others; it takes no slot meanwhile."""
    stack.is_started = False
    stack.phase = v1alpha1.Phase.WAITING
    stack.reason, stack.message, stack.held_by = meaning.reason, meaning.message, meaning.held_by


def give_slot(stack: StackProgress) -> None:
    """Have a stack trigger its next run."""
    stack.wants_slot_since = None
    _forget_time(stack)
    stack.phase, stack.reason, stack.message = (
        v1alpha1.Phase.WAITING,
        reasons.StackReason.STARTING,
        "",
    )


def set_pending(stack: StackProgress) -> None:
    """Have a stack be as ready as any other that was not started."""
    stack.is_started = False
    stack.phase, stack.reason, stack.message = v1alpha1.Phase.PENDING, "", ""
    stack.held_by = None
    _forget_time(stack)


def _forget_time(stack: StackProgress) -> None:
    """Have the time that a stack takes count from now on: its next run is another one."""
    stack.busy_since, stack.busy_seconds, stack.took_seconds = None, 0, None


def start_over(stack: StackProgress) -> None:
    """Have a stack be as if it had never had a run."""
    set_pending(stack)
    stack.run_id = stack.run_source = stack.run_state = stack.run_url = stack.start_time = None


def is_over(progress: ChainProgress) -> bool:
    """Whether every stack has ended."""
    return all(stack.phase.is_over for stack in progress.stacks)


def is_idle(progress: ChainProgress) -> bool:
    """Whether nothing is in progress at any stack."""
    return not any(stack.is_started and not stack.phase.is_over for stack in progress.stacks)
