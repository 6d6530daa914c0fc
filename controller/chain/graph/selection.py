"""Decides which of the stacks that were read belong to a chain. Pure.

It also keeps them as maps from each stack to its neighbours, for all that is decided after.
"""

import dataclasses
from collections.abc import Collection, Iterable

from controller.api import v1alpha1
from controller.chain.graph import ordering


@dataclasses.dataclass(frozen=True, kw_only=True, slots=True)
class StackFacts:
    """What is known of one stack when the graph is resolved."""

    id: str
    name: str
    labels: tuple[str, ...] = ()
    is_disabled: bool = False


@dataclasses.dataclass(frozen=True, kw_only=True, slots=True)
class Edge:
    """`dependent` depends on `upstream`: natively in Spacelift, by a label, or both."""

    upstream: str
    dependent: str
    is_native: bool
    is_label: bool


@dataclasses.dataclass(frozen=True, kw_only=True, slots=True)
class Discovery:
    """All that was read: every edge between the stacks, also those that do not order them.

    For Destroy there are also edges to dependents that were not read. `roots` are those of the
    roots that were found. `invisible` pairs an upstream with a dependent where the key cannot see
    the one or the other. `is_cut_off`: the stacks in the chain's direction are more than may be
    read; `is_reach_cut_off`: those are on which Spacelift would queue runs.
    """

    stacks: tuple[StackFacts, ...]
    edges: tuple[Edge, ...]
    unknown_roots: tuple[str, ...] = ()
    invisible: tuple[tuple[str, str], ...] = ()
    is_cut_off: bool = False
    roots: tuple[str, ...] = ()
    is_reach_cut_off: bool = False


@dataclasses.dataclass(frozen=True, kw_only=True, slots=True)
class Selection:
    """What the spec wants of the graph.

    Without `roots` those of the discovery count, which were found by `root_labels`. `kept` are
    stacks that succeeded in an earlier run and do not run again.
    """

    roots: tuple[str, ...] = ()
    root_labels: tuple[str, ...] = ()
    sources: Collection[str]
    direction: str
    include_roots: bool = True
    max_depth: int | None = None
    max_stacks: int
    exclude_stack_ids: frozenset[str]
    exclude_labels: frozenset[str]
    operation: str = v1alpha1.Operation.APPLY
    is_adopting: bool = True
    kept: frozenset[str] = frozenset()


class Scope:
    """What was read, as maps from each stack to its neighbours, and which stacks are members.

    `distances` holds the stacks that may belong to the chain, with their steps from a root.
    """

    def __init__(self, discovery: Discovery, selection: Selection) -> None:
        self.discovery, self.selection = discovery, selection
        self.names = {stack.id: stack.name for stack in discovery.stacks}
        counting = [e for e in discovery.edges if _counts(e, selection.sources)]
        native = [e for e in discovery.edges if e.is_native]
        self.upstreams = ordering.neighbours(self.names, _to_upstreams(counting))
        self.dependents = ordering.reverse(self.upstreams)
        self.native_upstreams = ordering.neighbours(self.names, _to_upstreams(native))
        self.native_dependents = ordering.reverse(self.native_upstreams)
        self.roots = set(selection.roots or discovery.roots) & self.names.keys()
        self.distances = ordering.distances(sorted(self.roots), self._nexts())
        self.near = {stack_id for stack_id in self.distances if self.is_near(stack_id)}
        self.excluded = {s.id for s in discovery.stacks if _is_excluded(s, selection)} & self.near
        roots_left_out = set() if selection.include_roots else self.roots
        self.members = frozenset(self.near - self.excluded - roots_left_out)

    def _nexts(self) -> ordering.Neighbours:
        direction = v1alpha1.Direction
        if self.selection.direction == direction.ROOTS_ONLY:
            return dict.fromkeys(self.roots, ())
        is_upward = self.selection.direction == direction.UPSTREAM
        return self.upstreams if is_upward else self.dependents

    def queuing_upstreams(self) -> ordering.Neighbours:
        """Return the native upstreams through which Spacelift surely queues a run.

        A disabled stack gets none, so neither do stacks behind it get one through it, and those
        beside it do not wait for it.
        """
        disabled = {stack.id for stack in self.discovery.stacks if stack.is_disabled}
        return {
            stack_id: () if stack_id in disabled else ups
            for stack_id, ups in self.native_upstreams.items()
        }

    def is_near(self, stack_id: str, *, steps: int = 0) -> bool:
        """Whether what is so many steps further from the roots than a stack is near enough."""
        limit = self.selection.max_depth
        if stack_id not in self.distances:
            return False
        return limit is None or self.distances[stack_id] + steps <= limit


def _counts(edge: Edge, sources: Collection[str]) -> bool:
    return (edge.is_native and v1alpha1.Source.DEPENDENCIES in sources) or (
        edge.is_label and v1alpha1.Source.LABELS in sources
    )


def _to_upstreams(edges: Iterable[Edge]) -> Iterable[tuple[str, str]]:
    return ((edge.dependent, edge.upstream) for edge in edges)


def _is_excluded(stack: StackFacts, selection: Selection) -> bool:
    by_label = not selection.exclude_labels.isdisjoint(stack.labels)
    return by_label or stack.id in selection.exclude_stack_ids
