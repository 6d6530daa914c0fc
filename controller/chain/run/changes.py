"""What a run of a chain changes, in stacks and resources. Pure."""

from collections.abc import Sequence

from controller.api import v1alpha1, wording
from controller.api.v1alpha1 import Phase
from controller.chain.run import progress

# A field of the status holds no more, and the API server would refuse all of the status.
_MOST = 2**31 - 1


def total(run: progress.ChainProgress) -> v1alpha1.Changes | None:
    """Return what the run has changed so far, or a plan would; None while nothing is known."""
    deltas = [stack.delta for stack in _counted(run) if stack.delta is not None]
    if not deltas:
        return None
    added = min(sum(delta.added for delta in deltas), _MOST)
    changed = min(sum(delta.changed for delta in deltas), _MOST)
    deleted = min(sum(delta.deleted for delta in deltas), _MOST)
    return v1alpha1.Changes(
        stacks=sum(delta.is_change for delta in deltas),
        added=added,
        changed=changed,
        deleted=deleted,
        text=f"+{added} ~{changed} -{deleted}",
    )


def planned_text(run: progress.ChainProgress) -> str:
    """Return what a plan that is over found, as sentences."""
    stacks, found = _counted(run), total(run)
    if not stacks:
        return ""
    if found is None or not found.stacks:
        text = "No stack would change." if found is not None else ""
    else:
        of = wording.counted(len(stacks), "stack")
        text = f"{found.stacks} of {of} would change: {found.text}."
    unknown = sum(stack.delta is None for stack in stacks)
    if unknown:
        text += f" What {wording.counted(unknown, 'stack')} would change is not known."
    return text.strip()


def _counted(run: progress.ChainProgress) -> Sequence[progress.StackProgress]:
    """Return the stacks whose changes are those of this run.

    What waits for a person, or failed half-way, has changed nothing that its plan could tell.
    """
    return [
        stack
        for stack in run.stacks
        if stack.phase is Phase.SUCCEEDED and not progress.is_of_earlier_run(stack)
    ]
