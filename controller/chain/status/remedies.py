"""What a person can do after a run that did not succeed: never what would be refused. Pure.

Apart from what the run says of itself: whether it can be retried depends on what has been asked
since, and in the history on that another run is the latest.
"""

import enum

from controller.api import reasons, v1alpha1
from controller.chain.requests import token_grammar

_Reason = reasons.ChainReason


class Possible(enum.Enum):
    """What may be asked of a run that is over."""

    RETRY = enum.auto()
    """A retry of it, or a run of all stacks."""
    RETRY_AGAIN = enum.auto()
    """The same, but that it was asked for before: a note makes it another request."""
    RUN = enum.auto()
    """A run of all stacks: a retry would do nothing."""
    NOTHING = enum.auto()
    """Another run follows it already."""


_BEFORE: dict[str | None, str] = {
    _Reason.STACK_FAILED: "Fix the cause, then",
    _Reason.STACKS_NO_LONGER_IN_CHAIN: "To run them, bring them back into the chain. Then",
    _Reason.STACK_TIMED_OUT: "To continue,",
    _Reason.STACK_CANCELED: "If that was not meant,",
    _Reason.RUN_CANCELED: "To continue,",
    _Reason.DEADLINE_EXCEEDED: "Raise the deadline if it was too short. To continue,",
    _Reason.WORKFLOW_TERMINATED: "Check the stacks in Spacelift. Then",
    _Reason.WORKFLOW_FAILED: "Check the stacks in Spacelift. Then",
}
# A retry reads Spacelift, and keeps what has succeeded since (ADR 0032).
_END_IS_UNKNOWN = (_Reason.WORKFLOW_TERMINATED, _Reason.WORKFLOW_FAILED)


def possible(
    run: v1alpha1.RunStatus,
    handled: v1alpha1.Handled,
    *,
    is_followed: bool,
    is_spec_new: bool,
) -> Possible:
    """Return what may be asked of the latest run, which is over.

    Args:
        run: the run.
        handled: what was taken up; the number of the run may be among it, asked for before its end.
        is_followed: another run is about to start, or has started.
        is_spec_new: the spec is not the one with which the run ran.
    """
    if is_followed:
        return Possible.NOTHING
    if is_spec_new:
        return Possible.RUN
    return Possible.RETRY_AGAIN if _is_of(handled.retry, run.number) else Possible.RETRY


def _is_of(token: str | None, number: int) -> bool:
    try:
        named = token_grammar.read(token or "", names=token_grammar.Names.ANY)
    except token_grammar.InvalidToken:
        return False
    return named.number == number


def with_remedy(run: v1alpha1.RunStatus, can: Possible) -> str:
    """Return the message of a run that is over, with what to do next."""
    message, before = run.message or "", _BEFORE.get(run.reason)
    if can is Possible.NOTHING or before is None:
        return message
    return f"{message} {before} {_how(run, can)}.".strip()


def _how(run: v1alpha1.RunStatus, can: Possible) -> str:
    again = f"`{v1alpha1.RUN_ANNOTATION}` to a new value to run all again"
    if can is Possible.RUN:
        return f"set the annotation {again}"
    is_unknown = run.reason in _END_IS_UNKNOWN
    what = "what has not succeeded by then" if is_unknown else "what did not succeed"
    token = f"{run.number} @<new text>" if can is Possible.RETRY_AGAIN else str(run.number)
    return (
        f'set the annotation `{v1alpha1.RETRY_ANNOTATION}` to "{token}" to run {what}, or {again}'
    )
