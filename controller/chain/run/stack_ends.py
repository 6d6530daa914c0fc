"""Which ends of a stack let its dependents start. Pure."""

from typing import TYPE_CHECKING

from controller.api import reasons
from controller.api.v1alpha1 import Phase, StackStatus

if TYPE_CHECKING:
    # What a tree of a status needs is loaded at each call of the plugin; this takes a tenth of it.
    from controller.chain.run import progress

_RELEASING = frozenset({reasons.StackReason.OUTPUT_UNCHANGED, reasons.StackReason.BYPASSED})


def ended_well(stack: "progress.StackProgress | StackStatus") -> bool:
    """Whether the dependents of this stack may start."""
    return stack.phase is Phase.SUCCEEDED or (
        stack.phase is Phase.SKIPPED and stack.reason in _RELEASING
    )
