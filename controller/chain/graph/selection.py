"""Decides which of the stacks that were read belong to a chain. Pure.

It also keeps them as maps from each stack to its neighbors, for all that is decided after.
"""

import dataclasses
from collections.abc import Collection, Iterable, Mapping

from controller.api import v1alpha1
from controller.chain.graph import ordering


@dataclasses.dataclass(frozen=True, kw_only=True, slots=True)
class StackFacts:
    """What is known of one stack when the graph is resolved.

    `stage` is the name of the stage that its labels say; empty: none.
    """

    id: str
    name: str
    labels: tuple[str, ...] = ()
    is_disabled: bool = False
    is_autodeploy: bool = False
    stage: str = ""


@dataclasses.dataclass(frozen=True, kw_only=True, slots=True)
class Edge:
    """`dependent` depends on `upstream`: natively in Spacelift, by a label, or both."""

    upstream: str
    dependent: str
    is_native: bool
    is_label: bool


@dataclasses.dataclass(frozen=True, kw_only=True, slots=True)
class LookAlike:
    """A label that looks like a dependency but is not."""

    stack_id: str
    label: str


@dataclasses.dataclass(frozen=True, kw_only=True, slots=True)
class Discovery:
    """All that was read: every edge between the stacks, also those that do not order them.

    For Destroy there are also edges to dependents that were not read. `roots` are the roots that
    were found. `invisible` pairs an upstream with a dependent if the key cannot see one of the two.
    `forbidden` are stacks that the connection does not allow to run. `permits` are what the worker
    hands out for stacks that belong to the chain, and for those on which its runs make Spacelift
    queue others. `is_cut_off`: there are more stacks in the chain's direction than may be read;
    `is_reach_cut_off`: the same for the stacks on which Spacelift would queue runs. `look_alikes`
    are labels, on stacks outside of the chain too. `similar` are ids of stacks, one of which an
    unknown root may mean.
    """

    stacks: tuple[StackFacts, ...]
    edges: tuple[Edge, ...]
    unknown_roots: tuple[str, ...] = ()
    similar: tuple[str, ...] = ()
    invisible: tuple[tuple[str, str], ...] = ()
    is_cut_off: bool = False
    roots: tuple[str, ...] = ()
    is_reach_cut_off: bool = False
    look_alikes: tuple[LookAlike, ...] = ()
    forbidden: tuple[str, ...] = ()
    permits: Mapping[str, str] = dataclasses.field(default_factory=dict)


@dataclasses.dataclass(frozen=True, kw_only=True, slots=True)
class Scope:
    """Which stacks a chain run is about, and what it does to them: as the spec says it.

    A run below finished runs has the stacks of these as its only roots.
    """

    roots: v1alpha1.Roots
    graph: v1alpha1.Graph = dataclasses.field(default_factory=v1alpha1.Graph)
    operation: v1alpha1.Operation = v1alpha1.Operation.APPLY
    stages: tuple[v1alpha1.Stage, ...] = ()
    window: v1alpha1.Window | None = None

    def windows_of(self, stage: str) -> tuple[v1alpha1.Window, ...]:
        """Return the windows that have to be open for the stacks of a stage; "": of none.

        A plan changes nothing, so it waits for none.
        """
        if self.operation is v1alpha1.Operation.PLAN:
            return ()
        own = next((item.window for item in self.stages if item.name == stage), None)
        return tuple(window for window in (self.window, own) if window is not None)


class ReadGraph:
    """What was read, as maps from each stack to its neighbors, and which stacks are members.

    `distances` holds the stacks that may belong to the chain, with their steps from a root.
    """

    def __init__(self, discovery: Discovery, scope: Scope) -> None:
        self.discovery, self.scope = discovery, scope
        graph = scope.graph
        self.names = {stack.id: stack.name for stack in discovery.stacks}
        counting = [e for e in discovery.edges if _counts(e, graph.sources)]
        native = [e for e in discovery.edges if e.is_native]
        self.upstreams = ordering.neighbors(self.names, _to_upstreams(counting))
        self.dependents = ordering.reverse(self.upstreams)
        self.native_upstreams = ordering.neighbors(self.names, _to_upstreams(native))
        self.native_dependents = ordering.reverse(self.native_upstreams)
        # Roots by label are known once they were read.
        self.roots = set(scope.roots.stack_ids or discovery.roots) & self.names.keys()
        self.distances = ordering.distances(sorted(self.roots), self._nexts())
        self.near = {stack_id for stack_id in self.distances if self.is_near(stack_id)}
        self.excluded = {
            s.id for s in discovery.stacks if _is_excluded(s, graph.exclude)
        } & self.near
        roots_left_out = set() if graph.include_roots else self.roots
        self.members = frozenset(self.near - self.excluded - roots_left_out)

    def _nexts(self) -> ordering.Neighbors:
        match self.scope.graph.direction:
            case v1alpha1.Direction.ROOTS_ONLY:
                return dict.fromkeys(self.roots, ())
            case v1alpha1.Direction.UPSTREAM:
                return self.upstreams
            case v1alpha1.Direction.DOWNSTREAM:
                return self.dependents

    def queuing_upstreams(self) -> ordering.Neighbors:
        """Return the native upstreams through which Spacelift surely queues a run.

        Spacelift queues none on a disabled stack, nor through it on the stacks behind it. A stack
        that also depends on others does not wait for it.
        """
        disabled = {stack.id for stack in self.discovery.stacks if stack.is_disabled}
        return {
            stack_id: () if stack_id in disabled else ups
            for stack_id, ups in self.native_upstreams.items()
        }

    def is_near(self, stack_id: str, *, steps: int = 0) -> bool:
        """Whether a place this many steps further from the roots than a stack is near enough."""
        limit = self.scope.graph.max_depth
        if stack_id not in self.distances:
            return False
        return limit is None or self.distances[stack_id] + steps <= limit


def _counts(edge: Edge, sources: Collection[v1alpha1.Source]) -> bool:
    return (edge.is_native and v1alpha1.Source.DEPENDENCIES in sources) or (
        edge.is_label and v1alpha1.Source.LABELS in sources
    )


def _to_upstreams(edges: Iterable[Edge]) -> Iterable[tuple[str, str]]:
    return ((edge.dependent, edge.upstream) for edge in edges)


def _is_excluded(stack: StackFacts, exclude: v1alpha1.Exclude) -> bool:
    by_label = any(label in exclude.labels for label in stack.labels)
    return by_label or stack.id in exclude.stack_ids
