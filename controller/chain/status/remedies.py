"""What a person can do after a run that did not succeed: never what would be refused. Pure.

Apart from what the run says of itself: whether it can be retried depends on what has been asked
since, and in the history on that another run is the latest.
"""

import enum

from controller.api import reasons, v1alpha1

_Reason = reasons.ChainReason


class Possible(enum.Enum):
    """What may be asked of a run that is over."""

    RETRY = enum.auto()
    """A retry of it, or a run of all stacks."""
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
        handled: what was taken up; the number of the run may be among it, asked for too early.
        is_followed: another run is about to start, or has started.
        is_spec_new: the spec is not the one with which the run ran.
    """
    if is_followed:
        return Possible.NOTHING
    is_taken_up = (handled.retry or "").strip() == str(run.number)
    return Possible.RUN if is_spec_new or is_taken_up else Possible.RETRY


def with_remedy(run: v1alpha1.RunStatus, can: Possible) -> str:
    """Return the message of a run that is over, with what to do next."""
    message, before = run.message or "", _BEFORE.get(run.reason)
    if can is Possible.NOTHING or before is None:
        return message
    return f"{message} {before} {_how(run, can)}.".strip()


def _how(run: v1alpha1.RunStatus, can: Possible) -> str:
    again = f"`{v1alpha1.RUN_ANNOTATION}` to a new text to run all again"
    if can is Possible.RUN:
        return f"set the annotation {again}"
    is_unknown = run.reason in _END_IS_UNKNOWN
    what = "what has not succeeded by then" if is_unknown else "what did not succeed"
    return (
        f'set the annotation `{v1alpha1.RETRY_ANNOTATION}` to "{run.number}" to run {what}, or '
        f"{again}"
    )
