"""Who waits for a stack that another chain runs, in the order in which they came. Pure."""

import dataclasses
from collections.abc import Iterable, Sequence

MOST = 50
"""How many of a line are kept where others can see them; who is behind joins again later."""


@dataclasses.dataclass(frozen=True, kw_only=True, slots=True)
class WaitingChain:
    """A chain run that waits for a stack, by its workflow, since a moment of Temporal's clock."""

    workflow_id: str
    since: float


def joined(line: Iterable[WaitingChain], chain: WaitingChain) -> list[WaitingChain]:
    """Return the line with a chain in its place: who waited before waits at its old place."""
    others = [item for item in line if item.workflow_id != chain.workflow_id]
    return sorted([*others, chain], key=lambda item: (item.since, item.workflow_id))[:MOST]


def place_of(line: Sequence[WaitingChain], chain: WaitingChain) -> int:
    """Return how many are before a chain; who is not in the line comes after all of it."""
    for place, item in enumerate(line):
        if item.workflow_id == chain.workflow_id:
            return place
    return len(line)


def behind(line: Sequence[WaitingChain], chain: WaitingChain) -> list[WaitingChain]:
    """Return who is still to come when a chain has its turn; who let it pass comes again."""
    return list(line[place_of(line, chain) + 1 :])
