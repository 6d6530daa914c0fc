"""Turns what discovery found into an ordered graph, or says what is wrong with it. Pure.

Besides order it decides, for each stack, whose run it will be: one that Spacelift queues by itself
(`adopts_from`), or one that the chain triggers. Spacelift's rules are in `docs/concepts.md`: the
creation of a tracked run queues runs on everything downstream through native edges, at once.
"""

import dataclasses
from collections.abc import Collection, Iterable, Mapping, Sequence

from controller.api import reasons

# What a message may spend on names, of the 1,024 characters that a status keeps of it.
_LISTED_CHARACTERS = 600


@dataclasses.dataclass(frozen=True, kw_only=True, slots=True)
class StackFacts:
    """What is known of one stack when the graph is resolved."""

    id: str
    name: str


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

    `invisible` pairs an upstream with a dependent that Spacelift names and the key cannot see;
    `is_cut_off` tells that reading stopped at the limit.
    """

    stacks: tuple[StackFacts, ...]
    edges: tuple[Edge, ...]
    unknown_roots: tuple[str, ...] = ()
    invisible: tuple[tuple[str, str], ...] = ()
    is_cut_off: bool = False


@dataclasses.dataclass(frozen=True, kw_only=True, slots=True)
class PlannedStack:
    """One stack with its place.

    `level` is the longest distance from a stack without upstreams. `adopts_from` names the stack
    whose run, once created, makes Spacelift queue the run to use here; None: the chain triggers.
    `queued_by` are the stacks whose runs make Spacelift queue one here at all, so that a run that
    is not wanted can be stopped; `queuers` are the stacks such a run may name as `triggeredBy`.
    """

    id: str
    name: str
    level: int
    depends_on: tuple[str, ...]
    remaining: int
    adopts_from: str | None
    queued_by: tuple[str, ...]
    queuers: tuple[str, ...]


@dataclasses.dataclass(frozen=True, kw_only=True, slots=True)
class ChainGraph:
    """The ordered graph; `stacks` are sorted by level, then id."""

    stacks: tuple[PlannedStack, ...]
    edges: int
    levels: int


class GraphProblem(Exception):
    """The graph cannot be run; `message` names the stacks and what to do."""

    def __init__(self, reason: reasons.ChainReason, message: str) -> None:
        super().__init__(message)
        self.reason = reason
        self.message = message


def resolve(discovery: Discovery, *, sources: Collection[str], max_stacks: int) -> ChainGraph:
    """Validate and order.

    Raises:
        GraphProblem: unknown root, invisible dependent, too many stacks, none, or a cycle.
    """
    _check(discovery, max_stacks=max_stacks)
    ids = {stack.id for stack in discovery.stacks}
    inner = [e for e in discovery.edges if e.upstream in ids and e.dependent in ids]
    ordering = [e for e in inner if _counts(e, sources)]
    upstreams = _neighbours(ids, ((e.dependent, e.upstream) for e in ordering))
    dependents = _neighbours(ids, ((e.upstream, e.dependent) for e in ordering))
    order = _topological(upstreams, dependents)
    native_dependents = _neighbours(ids, ((e.upstream, e.dependent) for e in inner if e.is_native))
    native_edges = {(e.upstream, e.dependent) for e in inner if e.is_native}
    levels = _longest(order, upstreams)
    remaining = _longest(list(reversed(order)), dependents)
    origins = _origins(order, upstreams, native_edges)
    reach = _native_reach(set(origins.values()), native_dependents)
    names = {stack.id: stack.name for stack in discovery.stacks}
    native_upstreams = _neighbours(ids, ((d, u) for u, d in native_edges))
    stacks = [
        PlannedStack(
            id=stack_id,
            name=names[stack_id],
            level=levels[stack_id],
            depends_on=tuple(sorted(upstreams[stack_id])),
            remaining=remaining[stack_id] + 1,
            adopts_from=origins[stack_id] if origins[stack_id] != stack_id else None,
            queued_by=tuple(sorted(reach[stack_id])),
            queuers=tuple(sorted(native_upstreams[stack_id] | reach[stack_id])),
        )
        for stack_id in order
    ]
    stacks.sort(key=lambda stack: (stack.level, stack.id))
    return ChainGraph(
        stacks=tuple(stacks),
        edges=len(ordering),
        levels=max((stack.level for stack in stacks), default=-1) + 1,
    )


def _check(discovery: Discovery, *, max_stacks: int) -> None:
    if discovery.unknown_roots:
        names = _listed(f"'{root}'" for root in discovery.unknown_roots)
        raise GraphProblem(
            reasons.ChainReason.UNKNOWN_STACK,
            f"The connection's API key sees no stack {names} in Spacelift. Correct "
            "`spec.roots.stackIds` (a stack's id is the last part of its URL), or give the key "
            "read access to the stack's space.",
        )
    if discovery.is_cut_off or len(discovery.stacks) > max_stacks:
        raise GraphProblem(
            reasons.ChainReason.TOO_MANY_STACKS,
            f"The roots and all that depends on them are more than {max_stacks} stacks, the most "
            "that a chain may hold; nothing was triggered. Choose roots further downstream and "
            "split the chain.",
        )
    if discovery.invisible:
        pairs = _listed(f"'{down}' (depends on '{up}')" for up, down in discovery.invisible)
        raise GraphProblem(
            reasons.ChainReason.DEPENDENT_NOT_VISIBLE,
            f"The connection's API key cannot see {pairs}. Give it access to the space of what is "
            "named; else Spacelift would run what the chain cannot follow.",
        )
    if not discovery.stacks:
        raise GraphProblem(
            reasons.ChainReason.GRAPH_EMPTY,
            "The chain has no stack to run. Correct `spec.roots.stackIds`.",
        )


def _counts(edge: Edge, sources: Collection[str]) -> bool:
    return (edge.is_native and "Dependencies" in sources) or (edge.is_label and "Labels" in sources)


def _neighbours(ids: Iterable[str], pairs: Iterable[tuple[str, str]]) -> dict[str, set[str]]:
    result: dict[str, set[str]] = {stack_id: set() for stack_id in ids}
    for one, other in pairs:
        result[one].add(other)
    return result


def _topological(
    upstreams: Mapping[str, set[str]], dependents: Mapping[str, set[str]]
) -> list[str]:
    open_upstreams = {stack_id: len(ups) for stack_id, ups in upstreams.items()}
    ready = sorted(stack_id for stack_id, count in open_upstreams.items() if count == 0)
    order: list[str] = []
    while ready:
        released: list[str] = []
        for stack_id in ready:
            order.append(stack_id)
            for dependent in dependents[stack_id]:
                open_upstreams[dependent] -= 1
                if open_upstreams[dependent] == 0:
                    released.append(dependent)
        ready = sorted(released)
    if len(order) < len(upstreams):
        cycle = _find_cycle({key: upstreams[key] for key in upstreams if key not in set(order)})
        raise GraphProblem(
            reasons.ChainReason.GRAPH_CYCLE,
            # The remedy comes first: a status cuts what is too long at its end.
            "The stacks depend on each other in a circle. Remove one of these dependencies or "
            "`dependsOn:` labels (each arrow leads to a dependent): " + " -> ".join(cycle),
        )
    return order


def _find_cycle(upstreams: Mapping[str, set[str]]) -> list[str]:
    """Return one cycle as upstream -> dependent -> ... -> the same upstream.

    Every stack left over by the topological order has an upstream that is left over too, so
    walking upstream must come back to a stack already seen.
    """
    path = [min(upstreams)]
    while True:
        upstream = min(up for up in upstreams[path[-1]] if up in upstreams)
        if upstream in path:
            cycle = [*path[path.index(upstream) :], upstream]
            return list(reversed(cycle))
        path.append(upstream)


def _longest(order: Sequence[str], previous: Mapping[str, set[str]]) -> dict[str, int]:
    longest: dict[str, int] = {}
    for stack_id in order:
        longest[stack_id] = max((longest[item] + 1 for item in previous[stack_id]), default=0)
    return longest


def _origins(
    order: Sequence[str], upstreams: Mapping[str, set[str]], native: Collection[tuple[str, str]]
) -> dict[str, str]:
    """Return for each stack the one whose run makes Spacelift queue the run to adopt, or itself.

    Spacelift queues one run per stack and wave. With upstreams of several waves, or an upstream
    that Spacelift does not know of, its run would start too early or twice: the chain triggers.
    """
    origins: dict[str, str] = {}
    for stack_id in order:
        ups = upstreams[stack_id]
        waves = {origins[up] for up in ups}
        is_native = all((up, stack_id) in native for up in ups)
        origins[stack_id] = waves.pop() if ups and is_native and len(waves) == 1 else stack_id
    return origins


def _native_reach(
    origins: Collection[str], native_dependents: Mapping[str, set[str]]
) -> dict[str, set[str]]:
    reach: dict[str, set[str]] = {stack_id: set() for stack_id in native_dependents}
    for origin in origins:
        seen: set[str] = set()
        front = [origin]
        while front:
            for dependent in native_dependents[front.pop()]:
                if dependent not in seen:
                    seen.add(dependent)
                    front.append(dependent)
        for stack_id in seen:
            reach[stack_id].add(origin)
    return reach


def _listed(names: Iterable[str]) -> str:
    """Return the names in order; many or long ones are counted, so that a remedy still fits."""
    left = sorted(names)
    shown: list[str] = []
    while left and (not shown or sum(map(len, shown)) + len(left[0]) <= _LISTED_CHARACTERS):
        shown.append(left.pop(0))
    return ", ".join(shown) + (f" and {len(left)} more" if left else "")
