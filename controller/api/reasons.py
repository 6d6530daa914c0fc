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
    RUN_SUCCEEDED = "RunSucceeded"
    STACK_FAILED = "StackFailed"
    STACK_CANCELED = "StackCanceled"
    RUN_CANCELED = "RunCanceled"
    UNKNOWN_STACK = "UnknownStack"
    GRAPH_CYCLE = "GraphCycle"
    DEPENDENT_NOT_VISIBLE = "DependentNotVisible"
    TOO_MANY_STACKS = "TooManyStacks"
    GRAPH_EMPTY = "GraphEmpty"
    INVALID_SPEC = "InvalidSpec"
    CONNECTION_UNKNOWN = "ConnectionUnknown"
    NAMESPACE_NOT_ALLOWED = "NamespaceNotAllowed"
    CREDENTIALS_REJECTED = "CredentialsRejected"
    SPACELIFT_UNREACHABLE = "SpaceliftUnreachable"
    SPACELIFT_REFUSED = "SpaceliftRefused"
    TEMPORAL_UNREACHABLE = "TemporalUnreachable"
    WORKER_UNAVAILABLE = "WorkerUnavailable"
    WORKFLOW_TERMINATED = "WorkflowTerminated"
    WORKFLOW_FAILED = "WorkflowFailed"
    DELETING = "Deleting"


class StackReason(enum.StrEnum):
    """Why a stack in `status.stacks` has its phase."""

    UPSTREAM_PENDING = "UpstreamPending"
    SLOT_PENDING = "SlotPending"
    STARTING = "Starting"
    STACK_BUSY = "StackBusy"
    RUN_QUEUED = "RunQueued"
    RUN_IN_PROGRESS = "RunInProgress"
    NEEDS_CONFIRMATION = "NeedsConfirmation"
    NEEDS_APPROVAL = "NeedsApproval"
    SPACELIFT_UNREACHABLE = "SpaceliftUnreachable"
    CREDENTIALS_REJECTED = "CredentialsRejected"
    RUN_FINISHED = "RunFinished"
    OUTPUT_UNCHANGED = "OutputUnchanged"
    UPSTREAM_NOT_SUCCEEDED = "UpstreamNotSucceeded"
    RUN_FAILED = "RunFailed"
    RUN_DISCARDED = "RunDiscarded"
    RUN_CANCELED = "RunCanceled"
    RUN_STOPPED = "RunStopped"
    RUN_SKIPPED = "RunSkipped"
    RUN_LOST = "RunLost"
    CHAIN_CANCELED = "ChainCanceled"
    TRIGGER_REFUSED = "TriggerRefused"
    PERMISSION_DENIED = "PermissionDenied"
    STACK_NOT_FOUND = "StackNotFound"
    EXECUTION_ENDED = "ExecutionEnded"


class ConditionReason(enum.StrEnum):
    """Why a condition beside `Ready` has its value, where the chain's reason does not say it."""

    RESOLVED = "Resolved"
    NONE_WAITS = "NoneWaits"


# Ends of a run that triggered nothing: once the cause may have gone the same run is tried again.
RECHECKED = frozenset(
    {
        ChainReason.UNKNOWN_STACK,
        ChainReason.GRAPH_CYCLE,
        ChainReason.DEPENDENT_NOT_VISIBLE,
        ChainReason.TOO_MANY_STACKS,
        ChainReason.GRAPH_EMPTY,
        ChainReason.CREDENTIALS_REJECTED,
        ChainReason.SPACELIFT_REFUSED,
    }
)


@dataclasses.dataclass(frozen=True, kw_only=True, slots=True)
class Meaning:
    """What a reason means, and what the person who sees it can do."""

    means: str
    do: str


CHAIN_MEANINGS: dict[ChainReason, Meaning] = {
    ChainReason.PROGRESSING: Meaning(
        means="A run is in progress or about to start.",
        do="Nothing; `status.stacks` tells how far it is.",
    ),
    ChainReason.AWAITING_CONFIRMATION: Meaning(
        means="At least one Spacelift run waits for a person.",
        do="Open the link in the message; confirm, discard or approve the run in Spacelift.",
    ),
    ChainReason.RUN_SUCCEEDED: Meaning(
        means="Every stack succeeded, or had nothing to do because its inputs did not change.",
        do="Nothing.",
    ),
    ChainReason.STACK_FAILED: Meaning(
        means="A stack failed; all that depend on it were skipped.",
        do="Open the failed run, mend the cause, then ask for a run: set the annotation "
        "`stackchain.dev/run` to a new text.",
    ),
    ChainReason.STACK_CANCELED: Meaning(
        means="Somebody discarded, canceled or stopped a run; dependents were skipped.",
        do="If that was not meant, ask for a run: set the annotation `stackchain.dev/run` to a "
        "new text.",
    ),
    ChainReason.RUN_CANCELED: Meaning(
        means="The chain's workflow was canceled; its Spacelift runs were stopped.",
        do="To run again set the annotation `stackchain.dev/run` to a new text.",
    ),
    ChainReason.UNKNOWN_STACK: Meaning(
        means="A root does not exist in Spacelift, or the API key cannot see it.",
        do="Correct `spec.roots.stackIds`, or give the API key read access. It is looked at again "
        "by itself.",
    ),
    ChainReason.GRAPH_CYCLE: Meaning(
        means="The stacks depend on each other in a circle; the message names it stack by stack.",
        do="Remove one of the named dependencies or `dependsOn:` labels. It is looked at again by "
        "itself.",
    ),
    ChainReason.DEPENDENT_NOT_VISIBLE: Meaning(
        means="Spacelift names a dependent stack that the API key cannot see.",
        do="Give the API key access to the named stack's space. It is looked at again by itself.",
    ),
    ChainReason.TOO_MANY_STACKS: Meaning(
        means="More stacks depend on the roots than a chain may hold; nothing was triggered.",
        do="Choose roots further downstream and split the chain.",
    ),
    ChainReason.GRAPH_EMPTY: Meaning(
        means="The chain has no stack to run.",
        do="Correct `spec.roots`.",
    ),
    ChainReason.INVALID_SPEC: Meaning(
        means="The resource holds something that this version of the operator cannot read.",
        do="Correct the field that the message names; make sure that CRD and operator are of one "
        "release.",
    ),
    ChainReason.CONNECTION_UNKNOWN: Meaning(
        means="`spec.connectionName` is not among the release's Spacelift connections.",
        do="Use a connection that the message lists, or add it to the release's settings.",
    ),
    ChainReason.NAMESPACE_NOT_ALLOWED: Meaning(
        means="The connection does not serve this namespace; nothing was read or triggered.",
        do="Add the namespace to the connection's `allowedNamespaces`, or move the resource.",
    ),
    ChainReason.CREDENTIALS_REJECTED: Meaning(
        means="Spacelift refused the connection's API key.",
        do="Put a valid key id and secret into the connection. It is looked at again by itself.",
    ),
    ChainReason.SPACELIFT_UNREACHABLE: Meaning(
        means="Spacelift does not answer; the worker keeps trying and nothing is lost.",
        do="See the message; check network and Spacelift's own status.",
    ),
    ChainReason.SPACELIFT_REFUSED: Meaning(
        means="Spacelift answers, and refuses to let the stacks or a run be read.",
        do="See the message. It is looked at again by itself.",
    ),
    ChainReason.TEMPORAL_UNREACHABLE: Meaning(
        means="The operator cannot reach Temporal; it keeps trying and nothing is lost.",
        do="Run `stackchain check`; check the Temporal address, namespace and credentials.",
    ),
    ChainReason.WORKER_UNAVAILABLE: Meaning(
        means="The workflow is started and no worker takes it up.",
        do="Check the worker pods: `stackchain check` tells which task queue has no poller.",
    ),
    ChainReason.WORKFLOW_TERMINATED: Meaning(
        means="The workflow was terminated from outside, or Temporal no longer knows it; runs in "
        "progress were asked to stop.",
        do="Check the stacks in Spacelift; to run again set `stackchain.dev/run` to a new text.",
    ),
    ChainReason.WORKFLOW_FAILED: Meaning(
        means="The workflow failed for a reason of its own; the message has it.",
        do="Report it with the workflow's history; to run again set `stackchain.dev/run`.",
    ),
    ChainReason.DELETING: Meaning(
        means="The resource is being deleted; the message names what it waits for.",
        do="Nothing: it goes as soon as its runs are stopped.",
    ),
}

STACK_MEANINGS: dict[StackReason, Meaning] = {
    StackReason.UPSTREAM_PENDING: Meaning(
        means="An upstream stack has not ended yet.", do="Nothing."
    ),
    StackReason.SLOT_PENDING: Meaning(
        means="It could start, and `parallelism` stacks run already.",
        do="Nothing, or raise `spec.parallelism`.",
    ),
    StackReason.STARTING: Meaning(means="Its run is looked for or triggered.", do="Nothing."),
    StackReason.STACK_BUSY: Meaning(
        means="Another chain runs this stack; chains take turns.", do="Nothing."
    ),
    StackReason.RUN_QUEUED: Meaning(
        means="Its run waits in Spacelift for a worker or for an earlier run of the stack.",
        do="Nothing; if it takes long, look at the stack in Spacelift.",
    ),
    StackReason.RUN_IN_PROGRESS: Meaning(means="Its run is in progress.", do="Nothing."),
    StackReason.NEEDS_CONFIRMATION: Meaning(
        means="The run has planned changes and waits for a person.",
        do="Confirm or discard it at the link.",
    ),
    StackReason.NEEDS_APPROVAL: Meaning(
        means="An approval policy holds the run.", do="Approve or reject it at the link."
    ),
    StackReason.SPACELIFT_UNREACHABLE: Meaning(
        means="Spacelift does not answer about this stack; it is tried again.",
        do="Check network and Spacelift's own status.",
    ),
    StackReason.CREDENTIALS_REJECTED: Meaning(
        means="Spacelift refused the API key.",
        do="Put a valid key into the connection; a run in progress is followed again by itself.",
    ),
    StackReason.RUN_FINISHED: Meaning(means="Its run finished.", do="Nothing."),
    StackReason.OUTPUT_UNCHANGED: Meaning(
        means="Spacelift skipped its run, since no output that it refers to changed.",
        do="Nothing.",
    ),
    StackReason.UPSTREAM_NOT_SUCCEEDED: Meaning(
        means="Not run, because the stack in `blockedBy` did not succeed.",
        do="Mend that stack.",
    ),
    StackReason.RUN_FAILED: Meaning(
        means="Its run failed.", do="Open the run at the link and mend the cause."
    ),
    StackReason.RUN_DISCARDED: Meaning(
        means="Somebody discarded its run in Spacelift.", do="Ask for a run if that was not meant."
    ),
    StackReason.RUN_CANCELED: Meaning(
        means="Somebody canceled its run in Spacelift.", do="Ask for a run if that was not meant."
    ),
    StackReason.RUN_STOPPED: Meaning(
        means="Somebody stopped its run in Spacelift.", do="Ask for a run if that was not meant."
    ),
    StackReason.RUN_SKIPPED: Meaning(
        means="Spacelift skipped the run that the chain had triggered itself.",
        do="Look at the run's notes in Spacelift.",
    ),
    StackReason.RUN_LOST: Meaning(
        means="Its run can no longer be found in Spacelift.",
        do="See whether the stack was deleted or renamed.",
    ),
    StackReason.CHAIN_CANCELED: Meaning(
        means="The chain was canceled before or while this stack ran.", do="Nothing."
    ),
    StackReason.TRIGGER_REFUSED: Meaning(
        means="Spacelift refused to create the run; the message has its words.",
        do="Mend what it names: a lock, a disabled stack, a missing commit.",
    ),
    StackReason.PERMISSION_DENIED: Meaning(
        means="The API key may not do this on the stack.",
        do="Give the key write access to the stack's space; a run in progress is followed again "
        "by itself.",
    ),
    StackReason.STACK_NOT_FOUND: Meaning(
        means="The stack is gone or no longer visible.",
        do="See whether it was deleted, renamed or moved to another space.",
    ),
    StackReason.EXECUTION_ENDED: Meaning(
        means="The stack's workflow was ended from outside; its run may still go on.",
        do="Look at the stack in Spacelift.",
    ),
}
