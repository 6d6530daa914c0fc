"""The three statuses of one pass of the operator, each with its own type.

StoredStatus    as the API server has it
CurrentStatus   that, with what has come up since: how a closed run ended, what asks for a run
NextStatus      as it is to be written

A status is projected from the current one, and what happened is read from two that follow each
other: stored and current, then current and next.
"""

from typing import NewType

from controller.api import v1alpha1

StoredStatus = NewType("StoredStatus", v1alpha1.Status)
CurrentStatus = NewType("CurrentStatus", v1alpha1.Status)
NextStatus = NewType("NextStatus", v1alpha1.Status)

Earlier = StoredStatus | CurrentStatus
Later = CurrentStatus | NextStatus
