"""The states of a Spacelift run, and every set of them that something depends on. Pure.

A state that is not known here counts as running, never as ended. Spacelift may add states, and
taking one for an end would let dependents start too early. So code asks for membership in a set.
"""

import enum


class RunState(enum.StrEnum):
    """The states known today; a reading keeps the raw string."""

    QUEUED = "QUEUED"
    READY = "READY"
    PENDING = "PENDING"
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


KNOWN: frozenset[str] = frozenset(RunState)

TERMINAL: frozenset[str] = frozenset(
    {
        RunState.FINISHED,
        RunState.FAILED,
        RunState.CANCELED,
        RunState.DISCARDED,
        RunState.STOPPED,
        RunState.SKIPPED,
    }
)
"""Spacelift does nothing more with the run."""

CARRIED_OUT: frozenset[str] = frozenset({RunState.FINISHED, RunState.FAILED})
"""Ends of a run that may have changed something."""

QUEUED: frozenset[str] = frozenset({RunState.QUEUED, RunState.READY})
"""No worker has started with the run."""

WAITING_FOR_PERSON: frozenset[str] = frozenset({RunState.UNCONFIRMED, RunState.PENDING_REVIEW})
"""Nothing happens until a person acts."""


class StopCall(enum.StrEnum):
    """The calls of Spacelift's API that end a run."""

    CANCEL = "cancel"
    DISCARD = "discard"
    STOP = "stop"


_STOP_CALLS: dict[str, tuple[StopCall, ...]] = {
    RunState.QUEUED: (StopCall.CANCEL,),
    RunState.READY: (StopCall.CANCEL,),
    RunState.PREPARING: (StopCall.STOP,),
    RunState.INITIALIZING: (StopCall.STOP,),
    RunState.PLANNING: (StopCall.STOP,),
    RunState.UNCONFIRMED: (StopCall.DISCARD,),
    # Which call a run in review takes is not documented.
    RunState.PENDING_REVIEW: (StopCall.STOP, StopCall.DISCARD),
    RunState.REPLAN_REQUESTED: (StopCall.STOP,),
    RunState.PREPARING_REPLAN: (StopCall.STOP,),
}


def stop_calls(state: str) -> tuple[StopCall, ...]:
    """Return the calls that may end a run in a state, in the order to try them; it may be none."""
    return _STOP_CALLS.get(state, ())
