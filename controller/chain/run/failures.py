"""What the failure of a call means, by its type, for a chain and for a stack. Pure.

A failure says that Spacelift does not answer, or gets too many requests, only if that is known.
"""

from controller.api import reasons
from controller.config import permissions

WORKER_TIMEOUT = "WorkerTimeout"
"""No worker took the call, or the one that had it went away."""
PAYLOAD_TOO_LARGE = "PayloadsTooLarge"
"""Temporal does not take the input or the answer, which no further try makes smaller."""

CONNECTION_BUSY = "ConnectionBusy"
"""The connection has its share of a worker's slots, so that others have theirs."""

HISTORY_LOST = "HistoryLost"
"""No one knows any more what an execution before a reset did."""

NOT_AWAITED = "NotAwaited"
"""A reset has made the execution of one that its chain does not wait for, or no longer."""

_UNANSWERED = (
    "Unreachable",
    "AmbiguousOutcome",
    # While a run is read, over and over.
    "SpaceliftRefused",
    "SpaceliftObjectNotFound",
)
_LIMITED = ("RateLimited", "LongPauseAsked", CONNECTION_BUSY)
_REFUSALS = tuple(map(str, permissions.DisallowedUse))
_NOT_SIGNED = ("SignatureInvalid", "SigningKeyUnknown", "SignedByNewerVersion")

_Chain, _Stack = reasons.ChainReason, reasons.StackReason

_CHAIN_PROBLEMS = {
    **dict.fromkeys(_UNANSWERED, _Chain.SPACELIFT_UNREACHABLE),
    **dict.fromkeys(_LIMITED, _Chain.RATE_LIMITED),
    **{refusal: _Chain(refusal) for refusal in _REFUSALS},
    **dict.fromkeys(_NOT_SIGNED, _Chain.SIGNATURE_INVALID),
    WORKER_TIMEOUT: _Chain.WORKER_UNAVAILABLE,
}
_CHAIN_ENDS = {
    "CredentialsRejected": _Chain.CREDENTIALS_REJECTED,
    PAYLOAD_TOO_LARGE: _Chain.PAYLOAD_TOO_LARGE,
    **dict.fromkeys(_NOT_SIGNED, _Chain.SIGNATURE_INVALID),
}
_STACK_PROBLEMS = {
    **dict.fromkeys(_UNANSWERED, _Stack.SPACELIFT_UNREACHABLE),
    **dict.fromkeys(_LIMITED, _Stack.RATE_LIMITED),
    **dict.fromkeys(_REFUSALS, _Stack.NOT_ALLOWED),
    **dict.fromkeys(_NOT_SIGNED, _Stack.SIGNATURE_INVALID),
    "CredentialsRejected": _Stack.CREDENTIALS_REJECTED,
    "PermissionDenied": _Stack.PERMISSION_DENIED,
}
_STACK_ENDS = {
    "CredentialsRejected": _Stack.CREDENTIALS_REJECTED,
    "PermissionDenied": _Stack.PERMISSION_DENIED,
    "SpaceliftObjectNotFound": _Stack.STACK_NOT_FOUND,
    "RunLost": _Stack.RUN_LOST,
    PAYLOAD_TOO_LARGE: _Stack.PAYLOAD_TOO_LARGE,
    HISTORY_LOST: _Stack.EXECUTION_ENDED,
    NOT_AWAITED: _Stack.EXECUTION_ENDED,
    **dict.fromkeys(_NOT_SIGNED, _Stack.SIGNATURE_INVALID),
}

STACK_PROBLEMS = frozenset({*_STACK_PROBLEMS.values(), _Stack.WORKER_FAILING})
"""What a stack shows while a call fails and is tried again: its run may be in any state."""


def chain_problem(kind: str) -> reasons.ChainReason:
    """Return what a chain waits for while a call fails and is tried again."""
    return _CHAIN_PROBLEMS.get(kind, _Chain.WORKER_FAILING)


def chain_end(kind: str) -> reasons.ChainReason:
    """Return the end of a chain whose discovery fails for good."""
    return _CHAIN_ENDS.get(kind, _Chain.SPACELIFT_REFUSED)


def stack_problem(kind: str) -> reasons.StackReason:
    """Return what a stack waits for while a call fails and is tried again."""
    return _STACK_PROBLEMS.get(kind, _Stack.WORKER_FAILING)


def stack_end(kind: str) -> reasons.StackReason:
    """Return the end of a stack for which a call fails for good."""
    return _STACK_ENDS.get(kind, _Stack.TRIGGER_REFUSED)
