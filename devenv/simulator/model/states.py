"""The vocabulary of the simulated account: run types, run states and what each state means.

Sources: Spacelift's run documentation (the list of states, which of them end a run) and, for the
values a stack may show, the enum that Spacelift's own Backstage plugin accepts.
"""

from enum import StrEnum


class RunType(StrEnum):
    """Every run type that Spacelift names; `TESTING` and `PARSE` never occur on a stack."""

    PROPOSED = "PROPOSED"
    TRACKED = "TRACKED"
    TASK = "TASK"
    TESTING = "TESTING"
    DESTROY = "DESTROY"
    PARSE = "PARSE"


class RunState(StrEnum):
    """Every run state that Spacelift names."""

    QUEUED = "QUEUED"
    READY = "READY"
    PREPARING = "PREPARING"
    INITIALIZING = "INITIALIZING"
    PLANNING = "PLANNING"
    UNCONFIRMED = "UNCONFIRMED"
    PENDING_REVIEW = "PENDING_REVIEW"
    CONFIRMED = "CONFIRMED"
    PREPARING_APPLY = "PREPARING_APPLY"
    APPLYING = "APPLYING"
    REPLAN_REQUESTED = "REPLAN_REQUESTED"
    PREPARING_REPLAN = "PREPARING_REPLAN"
    PERFORMING = "PERFORMING"
    DESTROYING = "DESTROYING"
    FINISHED = "FINISHED"
    FAILED = "FAILED"
    CANCELED = "CANCELED"
    DISCARDED = "DISCARDED"
    STOPPED = "STOPPED"
    SKIPPED = "SKIPPED"
    PENDING = "PENDING"


TERMINAL = frozenset(
    {
        RunState.FINISHED,
        RunState.FAILED,
        RunState.CANCELED,
        RunState.DISCARDED,
        RunState.STOPPED,
        RunState.SKIPPED,
    }
)

# A skipped upstream run does not break the chain (support knowledge base); these do.
BROKEN = TERMINAL - {RunState.FINISHED, RunState.SKIPPED}

# Only these run types hold their stack; proposed runs run next to them.
BLOCKING_TYPES = frozenset({RunType.TRACKED, RunType.DESTROY, RunType.TASK})

# `stack.runs` is about these; proposed runs and tasks have their own lists.
LISTED_TYPES = frozenset({RunType.TRACKED, RunType.DESTROY, RunType.TESTING})

# States in which a worker is at work, or is reserved for the run.
WORKER_STATES = frozenset(
    {
        RunState.PREPARING,
        RunState.INITIALIZING,
        RunState.PLANNING,
        RunState.PREPARING_APPLY,
        RunState.APPLYING,
        RunState.PREPARING_REPLAN,
        RunState.PERFORMING,
        RunState.DESTROYING,
    }
)

# States in which a run waits until a worker of its pool is free.
AWAITS_WORKER = frozenset({RunState.READY, RunState.CONFIRMED, RunState.REPLAN_REQUESTED})

# A log exists for what a worker did.
LOGGED = WORKER_STATES

# `runStop` is meant for these; later ones the worker may finish regardless.
STOPPABLE = frozenset(
    {
        RunState.PREPARING,
        RunState.INITIALIZING,
        RunState.PLANNING,
        RunState.PREPARING_REPLAN,
    }
)
UNSTOPPABLE_WORK = frozenset(
    {
        RunState.PREPARING_APPLY,
        RunState.APPLYING,
        RunState.PERFORMING,
        RunState.DESTROYING,
    }
)

# A stack's own state is a smaller enum than a run's: one value outside it makes the Backstage
# plugin refuse the whole listing.
STACK_NONE = "NONE"
STACK_STATES = frozenset(
    {
        STACK_NONE,
        RunState.APPLYING,
        RunState.CONFIRMED,
        RunState.DESTROYING,
        RunState.DISCARDED,
        RunState.FAILED,
        RunState.FINISHED,
        RunState.INITIALIZING,
        RunState.PLANNING,
        RunState.PREPARING,
        RunState.PREPARING_APPLY,
        RunState.PREPARING_REPLAN,
        RunState.READY,
        RunState.REPLAN_REQUESTED,
        RunState.STOPPED,
        RunState.UNCONFIRMED,
    }
)

# Phases in which a script may let a run fail or hang; READY stands for a failed job assignment.
SCRIPTABLE = frozenset({RunState.READY}) | WORKER_STATES
