"""Which rows a tree of stacks has, and in which order: one for each stack, or for many alike. Pure.

A dependency graph is not a tree, so each stack appears once, below its deepest upstream stack. In a
large chain, people look for what is still running. So finished and pending siblings, with all that
is below them, fold into one row that counts them. It follows the rows of those that still do
something.
"""

import collections
import dataclasses
import enum
from collections.abc import Iterator, Mapping, Sequence

from controller.api import reasons
from controller.api.v1alpha1 import Phase, StackStatus
from controller.chain.run import attention, stack_ends

# Fewer are just as easy to read in rows.
LEAST_FOLDED = 2
# Up to this many roots are always shown, so that a chain at rest has a shape.
_MOST_ROOTS_SHOWN = 5
# A short way down stays what it is.
_LEAST_ON_PATH = 4


class Quiet(enum.StrEnum):
    """What stacks have in common that need no look."""

    DONE = "Done"
    SKIPPED = "Skipped"
    PENDING = "Pending"
    MIXED = "Mixed"
    """Of stacks with all that is below them: each of them is one of the others."""


@dataclasses.dataclass(frozen=True, kw_only=True, slots=True)
class StackRow:
    """The row of a stack. `is_last` says for it, and each stack above it, whether more follow."""

    stack: StackStatus
    is_last: tuple[bool, ...]
    others: tuple[str, ...]
    """The upstream stacks below which it is not shown."""


@dataclasses.dataclass(frozen=True, kw_only=True, slots=True)
class FoldRow:
    """One row for many stacks; `kind` is None for what is deeper than was asked for."""

    kind: Quiet | None
    stacks: tuple[StackStatus, ...]
    is_last: tuple[bool, ...]


Row = StackRow | FoldRow


def quiet_kind(stack: StackStatus) -> Quiet | None:
    """Return why a stack needs no look; None if it does something, or someone has to."""
    if attention.need_of(stack) is not None:
        return None
    if stack.phase is Phase.PENDING:
        return Quiet.PENDING
    if stack_ends.ended_well(stack):
        return Quiet.DONE
    return Quiet.SKIPPED if Phase(stack.phase).is_over else None


def rows(stacks: Sequence[StackStatus], *, is_folded: bool, depth: int | None = None) -> list[Row]:
    """Return the rows from the top down; each stack is in one of them, even if the status is odd.

    Args:
        stacks: the stacks.
        is_folded: whether stacks that need no attention share rows.
        depth: levels to show; what is below them folds in any case.
    """
    forest = _Forest(stacks, least_folded=LEAST_FOLDED if is_folded else len(stacks) + 1)
    return list(forest.rows(depth))


@dataclasses.dataclass(frozen=True, kw_only=True, slots=True)
class _Group:
    """Stacks that become one row: a stack, or the roots of what is folded into it."""

    ids: tuple[str, ...]
    kind: Quiet | None = None
    is_folded: bool = False


class _Forest:
    """The stacks below their deepest upstream stacks.

    Lists instead of recursion, which would end at a few hundred levels.
    """

    def __init__(self, stacks: Sequence[StackStatus], *, least_folded: int) -> None:
        self._by_id = {stack.id: stack for stack in stacks}
        self._least_folded = least_folded
        self._parents = {stack.id: _parent(stack, self._by_id) for stack in stacks}
        self._children: dict[str | None, list[str]] = {}
        for stack_id in sorted(self._by_id):
            self._children.setdefault(self._parents[stack_id], []).append(stack_id)
        self._quiet = self._quiet_subtrees()

    def rows(self, depth: int | None) -> Iterator[Row]:
        todo: list[tuple[_Group, tuple[bool, ...]]] = []
        _add(todo, self._groups(None), ())
        while todo:
            group, is_last = todo.pop()
            if group.is_folded:
                stacks = self._all_below(group.ids)
                yield FoldRow(kind=group.kind, stacks=stacks, is_last=is_last)
                continue
            path = self._path(group.ids[0])
            if len(path) >= max(self._least_folded, _LEAST_ON_PATH):
                folded = tuple(self._by_id[one] for one in path)
                yield FoldRow(kind=Quiet.DONE, stacks=folded, is_last=is_last)
            else:
                path = path[:1]
                yield self._row(path[0], is_last)
            below = self._groups(path[-1])
            if below and depth is not None and len(is_last) >= depth:
                below = [_Group(ids=tuple(self._children[path[-1]]), is_folded=True)]
            _add(todo, below, is_last)

    def _row(self, stack_id: str, is_last: tuple[bool, ...]) -> StackRow:
        stack, parent = self._by_id[stack_id], self._parents[stack_id]
        others = tuple(one for one in stack.depends_on if one != parent)
        return StackRow(stack=stack, is_last=is_last, others=others)

    def _groups(self, parent: str | None) -> list[_Group]:
        """Return the rows directly below a stack: those to look at first, then the folded ones."""
        by_kind: dict[Quiet, list[str]] = {kind: [] for kind in Quiet}
        shown, children = list[str](), self._children.get(parent, [])
        is_shown = parent is None and len(children) <= _MOST_ROOTS_SHOWN
        for stack_id in children:
            kind = self._quiet[stack_id]
            if kind is None or is_shown:
                shown.append(stack_id)
            else:
                by_kind[kind].append(stack_id)
        folded = []
        for kind, ids in by_kind.items():
            if ids and len(self._all_below(ids)) >= self._least_folded:
                folded.append(_Group(ids=tuple(ids), kind=kind, is_folded=True))
            else:
                shown += ids
        return [*(_Group(ids=(one,)) for one in sorted(shown)), *folded]

    def _path(self, stack_id: str) -> list[str]:
        """Return a finished stack and the finished ones that follow it one after the other."""
        path = [stack_id]
        while quiet_kind(self._by_id[path[-1]]) is Quiet.DONE:
            below = self._children.get(path[-1], [])
            if len(below) != 1 or self._quiet[below[0]] is not None:
                break
            if quiet_kind(self._by_id[below[0]]) is not Quiet.DONE:
                break
            path.append(below[0])
        return path

    def _all_below(self, ids: Sequence[str]) -> tuple[StackStatus, ...]:
        found, todo = list[StackStatus](), list(reversed(ids))
        while todo:
            one = todo.pop()
            found.append(self._by_id[one])
            todo += reversed(self._children.get(one, []))
        return tuple(found)

    def _quiet_subtrees(self) -> Mapping[str, Quiet | None]:
        """Return for each stack the summary of all in its subtree; None if one needs attention."""
        order = [stack.id for stack in self._all_below(self._children.get(None, []))]
        found: dict[str, Quiet | None] = {}
        for stack_id in reversed(order):
            kinds = {quiet_kind(self._by_id[stack_id])}
            kinds |= {found[one] for one in self._children.get(stack_id, [])}
            found[stack_id] = None
            if None not in kinds:
                found[stack_id] = kinds.pop() if len(kinds) == 1 else Quiet.MIXED
        return found


def _add(
    todo: list[tuple[_Group, tuple[bool, ...]]], groups: list[_Group], above: tuple[bool, ...]
) -> None:
    for place, group in reversed(list(enumerate(groups))):
        todo.append((group, (*above, place == len(groups) - 1)))


def around(stacks: Sequence[StackStatus], stack_id: str) -> list[StackStatus]:
    """Return a stack with all that it waits for, and all that waits for it."""
    by_id = {stack.id: stack for stack in stacks}
    dependents: dict[str, list[str]] = collections.defaultdict(list)
    for stack in stacks:
        for upstream in stack.depends_on:
            dependents[upstream].append(stack.id)
    upstreams = {stack.id: [one for one in stack.depends_on if one in by_id] for stack in stacks}
    wanted = {*_reached(stack_id, upstreams), *_reached(stack_id, dependents)}
    return [stack for stack in stacks if stack.id in wanted]


def _reached(start: str, edges: Mapping[str, Sequence[str]]) -> set[str]:
    found, todo = {start}, [start]
    while todo:
        for one in edges.get(todo.pop(), ()):
            if one not in found:
                found.add(one)
                todo.append(one)
    return found


def phase_counts(stacks: Sequence[StackStatus]) -> str:
    """Return how many stacks are in which phase, in the order of the phases."""
    counts = collections.Counter(str(stack.phase) for stack in stacks)
    # A newer operator knows more phases.
    phases = [*Phase, *sorted(set(counts).difference(Phase))]
    return ", ".join(f"{counts[phase]} {phase}" for phase in phases if counts[phase])


def holds(stacks: Sequence[StackStatus]) -> dict[str, tuple[str, ...]]:
    """Return for each stack all that cannot run before it has succeeded, not only the next step.

    Also what was skipped because of it.
    """
    left: dict[str, set[str]] = {}
    for stack in sorted(stacks, key=lambda item: item.level):
        if stack.blocked_by:
            left[stack.id] = {stack.blocked_by}
        elif stack.reason == reasons.StackReason.UPSTREAM_PENDING:
            left[stack.id] = {
                cause for one in stack.depends_on if one in left for cause in {one, *left[one]}
            }
        elif stack_ends.ended_well(stack):
            continue
        else:
            left[stack.id] = set()
    found: dict[str, list[str]] = collections.defaultdict(list)
    for stack_id, causes in left.items():
        for cause in causes:
            found[cause].append(stack_id)
    return {cause: tuple(sorted(ids)) for cause, ids in found.items()}


def _parent(stack: StackStatus, by_id: Mapping[str, StackStatus]) -> str | None:
    """Return the deepest upstream stack; one that is not above the stack cannot carry it."""
    upstreams = [by_id[one] for one in stack.depends_on if one in by_id]
    above = [one for one in upstreams if one.level < stack.level]
    return min(above, key=lambda one: (-one.level, one.id)).id if above else None
