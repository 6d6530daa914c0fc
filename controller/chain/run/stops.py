"""Why an execution stops the run of its stack, and what the stack ends in then. Pure."""

import dataclasses
import enum

from controller.api import reasons, v1alpha1


class StopKind(enum.StrEnum):
    """What lets an execution stop its run."""

    CHAIN_CANCELED = "ChainCanceled"
    STACK_DEADLINE = "StackDeadline"
    CONFIRMATION_DEADLINE = "ConfirmationDeadline"


@dataclasses.dataclass(frozen=True, kw_only=True, slots=True)
class Stop:
    """Why a run is stopped; `seconds` is the deadline that passed."""

    kind: StopKind
    seconds: int = 0

    @property
    def why(self) -> str:
        """What has happened, as the second half of a sentence."""
        match self.kind:
            case StopKind.STACK_DEADLINE:
                return f"`stackDeadlineSeconds` ({self.seconds} s) passed"
            case StopKind.CONFIRMATION_DEADLINE:
                return (
                    "no one confirmed or approved it within `confirmationDeadlineSeconds` "
                    f"({self.seconds} s)"
                )
            case _:
                return "the chain was canceled"

    @property
    def is_deadline(self) -> bool:
        """Whether it is the stack's own limit that ends the run."""
        return self.kind is not StopKind.CHAIN_CANCELED

    @property
    def phase(self) -> v1alpha1.Phase:
        """The phase in which the stack ends if the run did not end on its own."""
        return v1alpha1.Phase.TIMED_OUT if self.is_deadline else v1alpha1.Phase.CANCELED

    @property
    def reason(self) -> reasons.StackReason:
        """Why the stack ended, if the run did not end on its own."""
        match self.kind:
            case StopKind.STACK_DEADLINE:
                return reasons.StackReason.STACK_DEADLINE_EXCEEDED
            case StopKind.CONFIRMATION_DEADLINE:
                return reasons.StackReason.CONFIRMATION_DEADLINE_EXCEEDED
            case _:
                return reasons.StackReason.CHAIN_CANCELED
