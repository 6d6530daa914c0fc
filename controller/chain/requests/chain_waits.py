"""What a run waits for before it starts: other chains of its namespace (`spec.dependsOn`). Pure.

See ADR 0052.
"""

import dataclasses
from collections.abc import Mapping, Sequence

from controller.api import wording

# How many chains a message names before it counts the others.
_NAMED = 5
# How many of a cycle; the first comes last again.
_NAMED_IN_CYCLE = 10


@dataclasses.dataclass(frozen=True, kw_only=True, slots=True)
class ChainWait:
    """A chain that is waited for.

    `which` says what state it is in, as a clause without its "which". `needs_person`: it does not
    become Ready until someone acts.
    """

    name: str
    which: str
    needs_person: bool = False


@dataclasses.dataclass(frozen=True, kw_only=True, slots=True)
class Waiting:
    """All that is waited for.

    `cycle` are chains each of which names the next, from the chain itself to itself; empty: none.
    """

    waits: tuple[ChainWait, ...] = ()
    cycle: tuple[str, ...] = ()

    @property
    def holds(self) -> bool:
        """Whether no run may start."""
        return bool(self.waits or self.cycle)

    @property
    def first_needing_person(self) -> ChainWait | None:
        """Return the first chain on which someone has to act."""
        return next((wait for wait in self.waits if wait.needs_person), None)


NOTHING = Waiting()


def text_of(waits: Sequence[ChainWait]) -> str:
    """Return what is waited for, as a sentence."""
    named = [f"'{wait.name}', which {wait.which}" for wait in waits]
    listed = wording.listed(named, most=_NAMED, separator="; ")
    return f"Waits for {'chain' if len(waits) == 1 else 'the chains'} {listed}."


def cycle_text(cycle: Sequence[str]) -> str:
    """Return that chains wait for each other, and what to do."""
    shown = [f"'{name}'" for name in cycle]
    if len(shown) > _NAMED_IN_CYCLE:
        left = len(shown) - _NAMED_IN_CYCLE
        shown = [*shown[: _NAMED_IN_CYCLE - 1], f"({left} more)", shown[-1]]
    return (
        f"These chains wait for each other, so none of them can start: {' -> '.join(shown)} (each "
        "arrow leads to a chain that `spec.dependsOn` names). Remove one of these names."
    )


def cycle_through(name: str, dependencies: Mapping[str, Sequence[str]]) -> tuple[str, ...]:
    """Return a shortest cycle that a chain is on, from the chain to itself; empty: none.

    Args:
        name: the chain.
        dependencies: the chains that each chain of the namespace names.
    """
    came_from: dict[str, str] = {}
    front = [name]
    while front:
        following = []
        for one in front:
            for named in dependencies.get(one, ()):
                if named == name:
                    return _way(name, one, came_from)
                if named not in came_from:
                    came_from[named] = one
                    following.append(named)
        front = following
    return ()


def _way(name: str, last: str, came_from: Mapping[str, str]) -> tuple[str, ...]:
    way = [name]
    while last != name:
        way.append(last)
        last = came_from[last]
    return (name, *reversed(way))
