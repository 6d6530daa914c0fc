"""The reasons of conditions and stacks: public API, each with what it means and what to do.

Alerts and scripts may match on these words, so one is never renamed; `docs/status.md` carries
the same table and a test compares both.
"""

import dataclasses
import enum


class ChainReason(enum.StrEnum):
    """Why a chain's `Ready` condition has its value (also `status.latestRun.reason`)."""

    PROGRESSING = "Progressing"
    AWAITING_CONFIRMATION = "AwaitingConfirmation"
    BLOCKED = "Blocked"
    WAITING_FOR_CHAIN = "WaitingForChain"
    AWAITING_APPROVAL = "AwaitingApproval"
    WINDOW_CLOSED = "WindowClosed"
    RUN_SUCCEEDED = "RunSucceeded"
    STACK_FAILED = "StackFailed"
    STACK_CANCELED = "StackCanceled"
    STACKS_NO_LONGER_IN_CHAIN = "StacksNoLongerInChain"
    RUN_CANCELED = "RunCanceled"
    STACK_TIMED_OUT = "StackTimedOut"
    DEADLINE_EXCEEDED = "DeadlineExceeded"
    SUSPENDED = "Suspended"
    NOT_REQUESTED = "NotRequested"
    UNKNOWN_STACK = "UnknownStack"
    GRAPH_CYCLE = "GraphCycle"
    GRAPH_INVALID = "GraphInvalid"
    CHAIN_CYCLE = "ChainCycle"
    DEPENDENT_NOT_VISIBLE = "DependentNotVisible"
    TOO_MANY_STACKS = "TooManyStacks"
    GRAPH_EMPTY = "GraphEmpty"
    DEPENDENT_OUTSIDE = "DependentOutside"
    INVALID_SPEC = "InvalidSpec"
    SCHEDULE_INVALID = "ScheduleInvalid"
    CONNECTION_UNKNOWN = "ConnectionUnknown"
    NAMESPACE_NOT_ALLOWED = "NamespaceNotAllowed"
    OPERATION_NOT_ALLOWED = "OperationNotAllowed"
    FIELD_NOT_ALLOWED = "FieldNotAllowed"
    STACK_NOT_ALLOWED = "StackNotAllowed"
    LIMITS_NOT_ENFORCEABLE = "LimitsNotEnforceable"
    SIGNATURE_INVALID = "SignatureInvalid"
    CREDENTIALS_REJECTED = "CredentialsRejected"
    SPACELIFT_UNREACHABLE = "SpaceliftUnreachable"
    RATE_LIMITED = "RateLimited"
    SPACELIFT_REFUSED = "SpaceliftRefused"
    PAYLOAD_TOO_LARGE = "PayloadTooLarge"
    WORKER_FAILING = "WorkerFailing"
    TEMPORAL_UNREACHABLE = "TemporalUnreachable"
    WORKER_UNAVAILABLE = "WorkerUnavailable"
    WORKFLOW_TERMINATED = "WorkflowTerminated"
    WORKFLOW_FAILED = "WorkflowFailed"
    WORKFLOW_TASK_FAILING = "WorkflowTaskFailing"
    WORKFLOW_UNREADABLE = "WorkflowUnreadable"
    RECONCILE_FAILED = "ReconcileFailed"
    DELETING = "Deleting"


WAITING_FOR_PERSON = frozenset({ChainReason.AWAITING_CONFIRMATION, ChainReason.AWAITING_APPROVAL})
"""With these a live run waits for a person to confirm a run, or to approve a stage."""


class StackReason(enum.StrEnum):
    """Why a stack in `status.stacks` has its phase."""

    UPSTREAM_PENDING = "UpstreamPending"
    STAGE_PENDING = "StagePending"
    WINDOW_CLOSED = "WindowClosed"
    SLOT_PENDING = "SlotPending"
    SUSPENDED = "Suspended"
    STARTING = "Starting"
    STACK_BUSY = "StackBusy"
    STACK_LOCKED = "StackLocked"
    STACK_DISABLED = "StackDisabled"
    RUN_QUEUED = "RunQueued"
    RUN_BLOCKED = "RunBlocked"
    WORKER_PENDING = "WorkerPending"
    RETRY_PENDING = "RetryPending"
    RUN_IN_PROGRESS = "RunInProgress"
    CONFIRMING = "Confirming"
    NEEDS_CONFIRMATION = "NeedsConfirmation"
    LIMITS_EXCEEDED = "LimitsExceeded"
    NEEDS_APPROVAL = "NeedsApproval"
    SPACELIFT_UNREACHABLE = "SpaceliftUnreachable"
    RATE_LIMITED = "RateLimited"
    WORKER_FAILING = "WorkerFailing"
    CREDENTIALS_REJECTED = "CredentialsRejected"
    NOT_ALLOWED = "NotAllowed"
    SIGNATURE_INVALID = "SignatureInvalid"
    RUN_FINISHED = "RunFinished"
    KEPT = "Kept"
    ROOT_RUN_FINISHED = "RootRunFinished"
    OUTPUT_UNCHANGED = "OutputUnchanged"
    BYPASSED = "Bypassed"
    UPSTREAM_NOT_SUCCEEDED = "UpstreamNotSucceeded"
    STAGE_NOT_SUCCEEDED = "StageNotSucceeded"
    FAIL_FAST = "FailFast"
    NO_LONGER_IN_CHAIN = "NoLongerInChain"
    RUN_FAILED = "RunFailed"
    RUN_DISCARDED = "RunDiscarded"
    RUN_CANCELED = "RunCanceled"
    RUN_STOPPED = "RunStopped"
    RUN_SKIPPED = "RunSkipped"
    RUN_LOST = "RunLost"
    PAYLOAD_TOO_LARGE = "PayloadTooLarge"
    CHAIN_CANCELED = "ChainCanceled"
    CHAIN_DEADLINE_EXCEEDED = "ChainDeadlineExceeded"
    STACK_DEADLINE_EXCEEDED = "StackDeadlineExceeded"
    CONFIRMATION_DEADLINE_EXCEEDED = "ConfirmationDeadlineExceeded"
    TRIGGER_REFUSED = "TriggerRefused"
    PERMISSION_DENIED = "PermissionDenied"
    STACK_NOT_FOUND = "StackNotFound"
    EXECUTION_ENDED = "ExecutionEnded"


class ConditionReason(enum.StrEnum):
    """Why a condition other than `Ready` has its value, if the chain's reason does not say it."""

    RESOLVED = "Resolved"
    NONE_WAITS = "NoneWaits"
    SUSPENDED = "Suspended"
    NOT_SUSPENDED = "NotSuspended"
    CHANGES_FOUND = "ChangesFound"
    NO_CHANGES = "NoChanges"
    NOT_PLANNED = "NotPlanned"


# Ends of a run that triggered nothing: once the cause may have gone the same run is tried again.
RECHECKED = frozenset(
    {
        ChainReason.UNKNOWN_STACK,
        ChainReason.GRAPH_CYCLE,
        ChainReason.GRAPH_INVALID,
        ChainReason.DEPENDENT_NOT_VISIBLE,
        ChainReason.TOO_MANY_STACKS,
        ChainReason.GRAPH_EMPTY,
        ChainReason.DEPENDENT_OUTSIDE,
        ChainReason.CREDENTIALS_REJECTED,
        ChainReason.SPACELIFT_REFUSED,
        ChainReason.PAYLOAD_TOO_LARGE,
        ChainReason.STACK_NOT_ALLOWED,
        ChainReason.LIMITS_NOT_ENFORCEABLE,
    }
)

# Why a run does not succeed of which a stack has not; while it is live they say that, too.
BAD_ENDS_OF_STACKS = frozenset(
    {ChainReason.STACK_FAILED, ChainReason.STACK_TIMED_OUT, ChainReason.STACK_CANCELED}
)

# Ends of a run about which only Spacelift knows the truth.
LOST = frozenset({ChainReason.WORKFLOW_TERMINATED, ChainReason.WORKFLOW_FAILED})


@dataclasses.dataclass(frozen=True, kw_only=True, slots=True)
class ReasonMeaning:
    """What a reason means, and what the person who sees it can do."""

    means: str
    do: str


CHAIN_MEANINGS: dict[ChainReason, ReasonMeaning] = {
    ChainReason.PROGRESSING: ReasonMeaning(
        means="A run is in progress or about to start.",
        do="Nothing; `status.stacks` shows the progress.",
    ),
    ChainReason.AWAITING_CONFIRMATION: ReasonMeaning(
        means="At least one Spacelift run waits for a person.",
        do="Open the link in the message; confirm, discard or approve the run in Spacelift.",
    ),
    ChainReason.BLOCKED: ReasonMeaning(
        means="A stack can continue only once someone outside of the chain acts: it is locked or "
        "disabled, another run of it or another chain that uses it waits for a person, or "
        "the worker is not allowed to do what the chain needs. Or a run waits for a chain in "
        "`spec.dependsOn` that needs a person or does not exist.",
        do="The message names the stack and has the link: unlock or enable the stack, end the "
        "other run, or have the connection allow it. If the message names a chain, check "
        "what that chain needs. The chain then continues automatically.",
    ),
    ChainReason.WAITING_FOR_CHAIN: ReasonMeaning(
        means="A run was requested. It waits until the chains in `spec.dependsOn` are Ready with "
        "no open request.",
        do="Nothing; the run starts at once when they are. To run without one of them, remove its "
        "name from `spec.dependsOn`.",
    ),
    ChainReason.AWAITING_APPROVAL: ReasonMeaning(
        means="A stage waits for a person to approve it (`approval: Required`).",
        do="If it may start, set the annotation `stackchain.dev/approve` to the number of the run "
        'and the stage, as in `"3: prod"`; otherwise cancel the run.',
    ),
    ChainReason.WINDOW_CLOSED: ReasonMeaning(
        means="The rest of the run waits for its window (`spec.window`, or that of a stage). "
        "While the window is closed, the chain triggers and confirms nothing.",
        do="Nothing; the run continues when the window opens, and the message says when. To run "
        "earlier, cancel the run, change the window, and request a run.",
    ),
    ChainReason.RUN_SUCCEEDED: ReasonMeaning(
        means="Every stack succeeded, or had nothing to do because its inputs did not change.",
        do="Nothing.",
    ),
    ChainReason.STACK_FAILED: ReasonMeaning(
        means="A stack failed; the stacks that depend on it were skipped.",
        do="Open the failed run and fix the cause; then retry what did not succeed: set the "
        "annotation `stackchain.dev/retry` to the number of the run.",
    ),
    ChainReason.STACK_CANCELED: ReasonMeaning(
        means="Someone discarded, canceled or stopped a run; dependents were skipped.",
        do="If that was not meant, retry what did not succeed: set the annotation "
        "`stackchain.dev/retry` to the number of the run.",
    ),
    ChainReason.STACKS_NO_LONGER_IN_CHAIN: ReasonMeaning(
        means="A retry found that stacks that had not succeeded are no longer in the chain: they "
        "were deleted, or nothing makes them part of it anymore. No other stack failed.",
        do="`status.stacks` names them and says why. Bring back the stacks that should run, and "
        "retry; or set `stackchain.dev/run` to a new value to run the stacks that the chain "
        "has now.",
    ),
    ChainReason.RUN_CANCELED: ReasonMeaning(
        means="The chain's workflow was canceled; its Spacelift runs were stopped.",
        do="To continue, retry what did not succeed: set the annotation `stackchain.dev/retry` to "
        "the number of the run.",
    ),
    ChainReason.STACK_TIMED_OUT: ReasonMeaning(
        means="A stack did not end within `stackDeadlineSeconds`, or no one confirmed its run "
        "within `confirmationDeadlineSeconds`; its run was stopped and dependents were skipped.",
        do="See the message; then retry what did not succeed: set the annotation "
        "`stackchain.dev/retry` to the number of the run.",
    ),
    ChainReason.DEADLINE_EXCEEDED: ReasonMeaning(
        means="The run took longer than `activeDeadlineSeconds`; its runs were stopped.",
        do="Raise the deadline if it was too short, then retry what did not succeed: set the "
        "annotation `stackchain.dev/retry` to the number of the run.",
    ),
    ChainReason.SUSPENDED: ReasonMeaning(
        means="`spec.suspend` is true and some stacks have not run yet. No more stacks start; "
        "running ones finish.",
        do="See `status.stacks`; to continue, set `spec.suspend` to false.",
    ),
    ChainReason.NOT_REQUESTED: ReasonMeaning(
        means="`spec.startPolicy` is OnRequest, and no one has requested a run of this spec yet; "
        "or the StackChain was restored, or created with `operation: Destroy`, and no one "
        "has requested a run since.",
        do="To run it, set the annotation `stackchain.dev/run` or `spec.runToken` to a new value.",
    ),
    ChainReason.UNKNOWN_STACK: ReasonMeaning(
        means="A root does not exist in Spacelift, or the API key cannot see it.",
        do="Correct `spec.roots.stackIds`, or give the API key read access. It is rechecked "
        "automatically.",
    ),
    ChainReason.GRAPH_CYCLE: ReasonMeaning(
        means="The stacks depend on each other in a cycle; the message names it stack by stack.",
        do="Remove one of the named dependencies or `dependsOn:` labels. It is rechecked "
        "automatically.",
    ),
    ChainReason.GRAPH_INVALID: ReasonMeaning(
        means="A stack depends on a stack of a later stage, which would have to run first. "
        "Nothing was triggered.",
        do="Remove the named dependency, or change the labels or the order of `spec.stages`. It is "
        "rechecked automatically.",
    ),
    ChainReason.CHAIN_CYCLE: ReasonMeaning(
        means="Chains wait for each other in a cycle of `spec.dependsOn`, so none of them can "
        "start; the message names it chain by chain.",
        do="Remove one of the names that the message lists from `spec.dependsOn`.",
    ),
    ChainReason.DEPENDENT_NOT_VISIBLE: ReasonMeaning(
        means="The API key cannot see a stack that would belong to the chain, or that Spacelift "
        "would queue runs on because of the chain.",
        do="Give the API key access to the named stack's space; if a `dependsOn:` label names a "
        "stack that does not exist, correct it. It is rechecked automatically.",
    ),
    ChainReason.TOO_MANY_STACKS: ReasonMeaning(
        means="The chain has more stacks than `maxStacks`, or more stacks would have to be read "
        "or watched than is allowed. Nothing was triggered.",
        do="See the message: leave stacks out, set `maxDepth`, choose another direction, or split "
        "the chain. It is rechecked automatically.",
    ),
    ChainReason.GRAPH_EMPTY: ReasonMeaning(
        means="The chain has no stack to run.",
        do="The message says why. Correct `spec.roots`, or what `spec.graph` leaves out. It is "
        "rechecked automatically.",
    ),
    ChainReason.DEPENDENT_OUTSIDE: ReasonMeaning(
        means="A stack that is not in the chain depends on one that would be destroyed. Nothing "
        "was triggered.",
        do="Add the named stack to the chain, or remove its dependency. It is rechecked "
        "automatically.",
    ),
    ChainReason.INVALID_SPEC: ReasonMeaning(
        means="This version of the operator cannot read the resource; a live run continues.",
        do="Correct the field that the message names; make sure that the CRD and the operator "
        "are from the same release.",
    ),
    ChainReason.SCHEDULE_INVALID: ReasonMeaning(
        means="Temporal refuses `spec.schedule`, or no date matches it; the schedule starts "
        "nothing.",
        do="Correct `cron` or `timeZone` as the message says.",
    ),
    ChainReason.CONNECTION_UNKNOWN: ReasonMeaning(
        means="`spec.connectionName` is not among the release's Spacelift connections.",
        do="Use a connection that the message lists for this namespace, or add it to the release's "
        "settings.",
    ),
    ChainReason.NAMESPACE_NOT_ALLOWED: ReasonMeaning(
        means="The connection does not allow this namespace; nothing is read or triggered, and a "
        "live run starts no more stacks.",
        do="Add the namespace to the connection's `allowedNamespaces`, or move the resource.",
    ),
    ChainReason.OPERATION_NOT_ALLOWED: ReasonMeaning(
        means="The connection does not allow this operation; nothing is read or triggered, and a "
        "live run with it starts no more stacks.",
        do="Add the operation to the connection's `allowedOperations`, or change `spec.operation`.",
    ),
    ChainReason.FIELD_NOT_ALLOWED: ReasonMeaning(
        means="The connection does not allow a value of the spec: its confirmation policy, a "
        "variable of `spec.runtimeEnvironment`, or `spec.commitSHA`. Nothing is read or triggered.",
        do="Change the field that the message names, or have the connection allow it.",
    ),
    ChainReason.STACK_NOT_ALLOWED: ReasonMeaning(
        means="The connection does not allow a stack of the chain to run; nothing was triggered.",
        do="Leave the named stacks out with `spec.graph`, or have the connection allow them. It "
        "is rechecked automatically.",
    ),
    ChainReason.LIMITS_NOT_ENFORCEABLE: ReasonMeaning(
        means="`spec.confirmationLimits` is set, and a stack of the chain has autodeploy: it would "
        "apply its plan before the chain could compare it with the limits. Nothing was triggered.",
        do="Turn off autodeploy for the stacks that the message names, leave them out with "
        "`spec.graph`, or remove `spec.confirmationLimits`. It is rechecked automatically.",
    ),
    ChainReason.SIGNATURE_INVALID: ReasonMeaning(
        means="Workers refuse the run, because no operator with one of their keys signed it or "
        "its work. Either the keys differ, or someone else wrote to the Temporal namespace.",
        do="Give the operator and the workers the same signing keys, then request a run. If "
        "they already have them, find out in Temporal who started the workflow.",
    ),
    ChainReason.CREDENTIALS_REJECTED: ReasonMeaning(
        means="Spacelift refused the connection's API key.",
        do="Give the connection a valid key id and secret. It is rechecked automatically.",
    ),
    ChainReason.SPACELIFT_UNREACHABLE: ReasonMeaning(
        means="Spacelift does not answer; the worker keeps trying, and nothing is lost.",
        do="See the message; check the network and Spacelift's status page.",
    ),
    ChainReason.RATE_LIMITED: ReasonMeaning(
        means="Requests to the account have to wait, and nothing is lost. The message says why: "
        "Spacelift limits their rate (HTTP 429), or the connection has used up its own limit "
        "(`requestsPerMinute`) or its share of a worker's slots.",
        do="Nothing if it passes. For 429, find out who else uses the account's API; the message "
        "has the pause if Spacelift named one. Raise the connection's limit, or find out why "
        "Spacelift answers slowly.",
    ),
    ChainReason.SPACELIFT_REFUSED: ReasonMeaning(
        means="Spacelift answers, but refuses to show the stacks or a run.",
        do="See the message. It is rechecked automatically.",
    ),
    ChainReason.PAYLOAD_TOO_LARGE: ReasonMeaning(
        means="What a worker read about the account, or the input of a stack's run, is more than "
        "Temporal accepts as one value (2 MiB). Nothing was triggered.",
        do="See the message: leave stacks out, set `maxDepth`, or split the chain. It is rechecked "
        "automatically.",
    ),
    ChainReason.WORKER_FAILING: ReasonMeaning(
        means="A call of a worker fails for a reason that has nothing to do with Spacelift's "
        "answer; the worker keeps trying, and nothing is lost.",
        do="See the message and the worker's log; make sure that the operator and the workers "
        "are from the same release and have the same connections. Otherwise report it.",
    ),
    ChainReason.TEMPORAL_UNREACHABLE: ReasonMeaning(
        means="The operator cannot reach Temporal, or Temporal cannot reach its database; the "
        "operator keeps trying, and nothing is lost.",
        do="Run `stackchain check`; check the Temporal address, namespace and credentials, and "
        "Temporal's database.",
    ),
    ChainReason.WORKER_UNAVAILABLE: ReasonMeaning(
        means="The workflow has started, but no worker picks it up.",
        do="Check the worker pods: `stackchain check` says which task queue has no poller.",
    ),
    ChainReason.WORKFLOW_TERMINATED: ReasonMeaning(
        means="The workflow was terminated, from outside or by Temporal because it was too "
        "large, or Temporal no longer knows it. So how its stacks ended is not known.",
        do="Check the stacks in Spacelift; then set `stackchain.dev/retry` to the run's number, "
        "which keeps the stacks that have succeeded by then, or `stackchain.dev/run` to a "
        "new value.",
    ),
    ChainReason.WORKFLOW_FAILED: ReasonMeaning(
        means="The workflow itself failed; the message says why.",
        do="Report it with the workflow's history; to run again set `stackchain.dev/run`.",
    ),
    ChainReason.WORKFLOW_TASK_FAILING: ReasonMeaning(
        means="Workers fail each time they pick up the workflow, so the run does nothing. They "
        "keep trying; runs in Spacelift continue.",
        do="The message has the error. If workers were upgraded or rolled back, give them the "
        "version that started the run. Otherwise report it, terminate the workflow in Temporal, "
        "and set `stackchain.dev/run` to run again.",
    ),
    ChainReason.WORKFLOW_UNREADABLE: ReasonMeaning(
        means="This version of the operator cannot read the workflow that has this resource's id "
        "in Temporal, or its answers. It is retried with growing pauses.",
        do="Make sure that the operator and the workers are from the same release. If the "
        "message names a workflow that none of your releases started, terminate it in "
        "Temporal.",
    ),
    ChainReason.RECONCILE_FAILED: ReasonMeaning(
        means="The operator fails on this resource for an unknown reason. It retries with "
        "growing pauses; other resources are not affected, and runs continue.",
        do="Report it with the message and the operator's log, which has the traceback. Correct "
        "the field if the message names one.",
    ),
    ChainReason.DELETING: ReasonMeaning(
        means="The resource is being deleted; the message names what it waits for.",
        do="Nothing: it is gone as soon as its runs are stopped.",
    ),
}

STACK_MEANINGS: dict[StackReason, ReasonMeaning] = {
    StackReason.UPSTREAM_PENDING: ReasonMeaning(
        means="An upstream stack has not ended yet.", do="Nothing."
    ),
    StackReason.STAGE_PENDING: ReasonMeaning(
        means="Its stage has not started.",
        do="See the message: what the stage waits for, and until when if that is known.",
    ),
    StackReason.WINDOW_CLOSED: ReasonMeaning(
        means="It could start, or its plan could be confirmed, but its window is closed; the "
        "message says until when.",
        do="Nothing; a person may confirm a waiting plan in Spacelift.",
    ),
    StackReason.SLOT_PENDING: ReasonMeaning(
        means="It could start, but `parallelism` stacks are already running; those that wait for "
        "a person, for others or for their next attempt do not count.",
        do="Nothing, or raise `spec.parallelism`.",
    ),
    StackReason.SUSPENDED: ReasonMeaning(
        means="It could start, but the chain is suspended.", do="Set `spec.suspend` to false."
    ),
    StackReason.STARTING: ReasonMeaning(
        means="The chain is looking for its run, or triggering one.", do="Nothing."
    ),
    StackReason.STACK_BUSY: ReasonMeaning(
        means="Another chain, which the message names, runs this stack. Waiting chains take "
        "their turn in the order in which they arrived.",
        do="Nothing; if the other chain waits for someone, act on that at the link.",
    ),
    StackReason.STACK_LOCKED: ReasonMeaning(
        means="Someone has locked the stack in Spacelift; the message names who.",
        do="Ask the owner of the lock to unlock the stack; it then continues automatically.",
    ),
    StackReason.STACK_DISABLED: ReasonMeaning(
        means="The stack is disabled in Spacelift.",
        do="Enable the stack in Spacelift, or leave it out with `spec.graph.exclude`; it "
        "continues automatically once it is enabled.",
    ),
    StackReason.RUN_QUEUED: ReasonMeaning(
        means="Its run is queued in Spacelift.",
        do="Nothing; if it takes long, check the stack in Spacelift.",
    ),
    StackReason.RUN_BLOCKED: ReasonMeaning(
        means="Another run of the stack has to end first; the message has its link.",
        do="End that run: confirm, discard or stop it.",
    ),
    StackReason.WORKER_PENDING: ReasonMeaning(
        means="Its run is ready and waits for a worker of the stack's worker pool.",
        do="Nothing; if it takes long, check whether the worker pool has workers.",
    ),
    StackReason.RETRY_PENDING: ReasonMeaning(
        means="Its run failed and the next one starts after a pause (`spec.retry`), once a slot is "
        "free.",
        do="Nothing; meanwhile fix the cause: the link leads to the failed run.",
    ),
    StackReason.RUN_IN_PROGRESS: ReasonMeaning(means="Its run is in progress.", do="Nothing."),
    StackReason.CONFIRMING: ReasonMeaning(
        means="The run has planned changes and the chain confirms it (`confirmationPolicy: Auto`).",
        do="Nothing.",
    ),
    StackReason.NEEDS_CONFIRMATION: ReasonMeaning(
        means="The run has planned changes and waits for a person.",
        do="Confirm or discard it at the link.",
    ),
    StackReason.LIMITS_EXCEEDED: ReasonMeaning(
        means="The plan would change more than `spec.confirmationLimits` lets the chain confirm, "
        "or Spacelift does not say what it would change. The message names the limits.",
        do="Read the plan at the link, then confirm or discard it there. If the chain should "
        "confirm such plans from its next run on, raise the limit.",
    ),
    StackReason.NEEDS_APPROVAL: ReasonMeaning(
        means="An approval policy holds the run.", do="Approve or reject it at the link."
    ),
    StackReason.SPACELIFT_UNREACHABLE: ReasonMeaning(
        means="Spacelift does not answer about this stack; the request is retried.",
        do="Check the network and Spacelift's status page.",
    ),
    StackReason.RATE_LIMITED: ReasonMeaning(
        means="Requests to the account have to wait; the stack is read again after a pause. The "
        "message says whether Spacelift limits their rate (HTTP 429), or the connection has used "
        "up its own limit (`requestsPerMinute`) or its share of a worker's slots.",
        do="Nothing if it passes, or as for the reason of the chain.",
    ),
    StackReason.WORKER_FAILING: ReasonMeaning(
        means="A worker's call about this stack fails for a reason that has nothing to do with "
        "Spacelift's answer; it is retried.",
        do="See the message and the worker's log; make sure that the operator and the workers "
        "are from the same release and have the same connections. Otherwise report it.",
    ),
    StackReason.CREDENTIALS_REJECTED: ReasonMeaning(
        means="Spacelift refused the API key.",
        do="Give the connection a valid key; a run in progress is then followed again.",
    ),
    StackReason.NOT_ALLOWED: ReasonMeaning(
        means="The worker's connection does not allow what the chain needs to do with this stack.",
        do="See the message; have the connection allow it, or cancel the run. It is rechecked "
        "automatically.",
    ),
    StackReason.SIGNATURE_INVALID: ReasonMeaning(
        means="Workers refuse the work on the stack, because it was not signed.",
        do="Give the operator and the workers the same signing keys, then request a run. If "
        "they already have them, find out in Temporal who started the workflow.",
    ),
    StackReason.RUN_FINISHED: ReasonMeaning(means="Its run finished.", do="Nothing."),
    StackReason.KEPT: ReasonMeaning(
        means="It succeeded in an earlier run of the chain, or outside the chain since then, and "
        "was not run again.",
        do="Nothing.",
    ),
    StackReason.ROOT_RUN_FINISHED: ReasonMeaning(
        means="Its run finished and started this run of the chain, which did not run it again.",
        do="Nothing.",
    ),
    StackReason.OUTPUT_UNCHANGED: ReasonMeaning(
        means="Spacelift skipped its run, since no output that it refers to changed.",
        do="Nothing.",
    ),
    StackReason.BYPASSED: ReasonMeaning(
        means="A person vouched for it with `stackchain.dev/bypass`: it was not run, and its "
        "dependents start as if it had succeeded.",
        do="Nothing.",
    ),
    StackReason.UPSTREAM_NOT_SUCCEEDED: ReasonMeaning(
        means="Not run, because the stack in `blockedBy` did not succeed.",
        do="Fix that stack.",
    ),
    StackReason.STAGE_NOT_SUCCEEDED: ReasonMeaning(
        means="Not run, because the stack in `blockedBy` did not succeed and an earlier stage "
        "needs it.",
        do="Fix that stack.",
    ),
    StackReason.FAIL_FAST: ReasonMeaning(
        means="Not run, because the stack in `blockedBy` did not succeed and `failurePolicy` is "
        "FailFast.",
        do="Fix that stack.",
    ),
    StackReason.NO_LONGER_IN_CHAIN: ReasonMeaning(
        means="It had not succeeded in the run that is being retried, and is no longer in the "
        "chain; it was not run.",
        do="If it should run, restore it in Spacelift, or restore the dependency or label that "
        "made it part of the chain.",
    ),
    StackReason.RUN_FAILED: ReasonMeaning(
        means="Its run failed.", do="Open the run at the link and fix the cause."
    ),
    StackReason.RUN_DISCARDED: ReasonMeaning(
        means="Someone discarded its run in Spacelift.", do="If that was not meant, retry it."
    ),
    StackReason.RUN_CANCELED: ReasonMeaning(
        means="Someone canceled its run in Spacelift.", do="If that was not meant, retry it."
    ),
    StackReason.RUN_STOPPED: ReasonMeaning(
        means="Someone stopped its run in Spacelift.", do="If that was not meant, retry it."
    ),
    StackReason.RUN_SKIPPED: ReasonMeaning(
        means="Spacelift skipped a run that the chain itself had triggered.",
        do="Check the run's notes in Spacelift.",
    ),
    StackReason.RUN_LOST: ReasonMeaning(
        means="Its run can no longer be found in Spacelift.",
        do="Check whether the stack was deleted or renamed.",
    ),
    StackReason.PAYLOAD_TOO_LARGE: ReasonMeaning(
        means="The work on the stack, or a worker's answer about it, is more than Temporal "
        "accepts as one value (2 MiB).",
        do="See the message; a shorter `runtimeEnvironment` may help. Otherwise report it.",
    ),
    StackReason.CHAIN_CANCELED: ReasonMeaning(
        means="The chain was canceled before or while this stack ran.", do="Nothing."
    ),
    StackReason.CHAIN_DEADLINE_EXCEEDED: ReasonMeaning(
        means="`activeDeadlineSeconds` passed before or while this stack ran.",
        do="See the chain's message.",
    ),
    StackReason.STACK_DEADLINE_EXCEEDED: ReasonMeaning(
        means="The stack took longer than `stackDeadlineSeconds`; its run was stopped.",
        do="Open the run at the link; raise the deadline if it was too short.",
    ),
    StackReason.CONFIRMATION_DEADLINE_EXCEEDED: ReasonMeaning(
        means="No one confirmed or approved the run within `confirmationDeadlineSeconds`; it was "
        "discarded.",
        do="Retry it when someone can look at it.",
    ),
    StackReason.TRIGGER_REFUSED: ReasonMeaning(
        means="Spacelift refused to create the run; the message has its answer.",
        do="Fix what it names, such as a missing commit.",
    ),
    StackReason.PERMISSION_DENIED: ReasonMeaning(
        means="The API key may not do this on the stack.",
        do="Give the key write access to the stack's space; a run in progress is then "
        "followed again.",
    ),
    StackReason.STACK_NOT_FOUND: ReasonMeaning(
        means="The stack is gone or no longer visible.",
        do="Check whether it was deleted, renamed or moved to another space.",
    ),
    StackReason.EXECUTION_ENDED: ReasonMeaning(
        means="The workflow of the stack, or of its chain, was ended from outside or is gone, so "
        "how the stack ended is not known; its run may continue.",
        do="Check the stack in Spacelift. A retry keeps it if its run has succeeded by then.",
    ),
}
