"""Which stacks a retry was to run or to leave, and the chain no longer has them. Pure.

See ADR 0041.
"""

from collections.abc import Collection, Sequence

from controller.api import v1alpha1
from controller.chain.graph import resolve
from controller.chain.run import progress

NotSucceeded = progress.Retried | progress.Left


def of_retry(graph: resolve.ChainGraph, earlier: Sequence[NotSucceeded]) -> list[NotSucceeded]:
    """Return the stacks that had not succeeded and are not in the graph, as many as fit."""
    members = {stack.id for stack in graph.stacks}
    room = v1alpha1.MAX_STACKS - len(members)
    return [item for item in earlier if item.stack_id not in members][:room]


def named(lost: Sequence[NotSucceeded], *, hidden: Collection[str]) -> list[progress.LostStack]:
    """Return them with why they are not run.

    Args:
        lost: the stacks.
        hidden: those that were deleted, or that the API key does not see any more.
    """
    return [
        progress.LostStack(stack_id=item.stack_id, message=_message(item, hidden)) for item in lost
    ]


def _message(item: NotSucceeded, hidden: Collection[str]) -> str:
    start = f"Not run: it had not succeeded when run {item.run_number} ended, and"
    if item.stack_id in hidden:
        return f"{start} Spacelift no longer has it, or the API key no longer sees it."
    behind = ""
    if item.blocked_by is not None:
        gone = ", which no longer exists in Spacelift" if item.blocked_by in hidden else ""
        behind = f" It was skipped because of '{item.blocked_by}'{gone}."
    return f"{start} nothing makes it part of the chain anymore.{behind}"
