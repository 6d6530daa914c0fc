"""Turns what discovery found into an ordered graph, or says what is wrong with it. Pure.

First comes which stacks belong to the chain (`selection`). Then comes their order, which does not
depend on how they came to belong to it (`ordering`). Last comes whose run each stack uses
(`adoption`).
"""

import dataclasses
from collections.abc import Collection, Mapping, Sequence

from controller.api import v1alpha1
from controller.chain.graph import adoption, dependency_labels, ordering, problems, stages
from controller.chain.graph.problems import GraphProblem as GraphProblem
from controller.chain.graph.selection import Discovery as Discovery
from controller.chain.graph.selection import Edge as Edge
from controller.chain.graph.selection import LookAlike as LookAlike
from controller.chain.graph.selection import ReadGraph
from controller.chain.graph.selection import Scope as Scope
from controller.chain.graph.selection import StackFacts as StackFacts


@dataclasses.dataclass(frozen=True, kw_only=True, slots=True)
class PlannedStack:
    """One stack with its place.

    `depends_on` are the stacks that must have ended before: its upstreams, for Destroy its
    dependents. `level` is the longest distance from a stack without any. `adopts_from` names the
    stack whose run, once created, makes Spacelift queue the run to use here; None: the chain
    triggers.
    `is_disabled`: it was when it was read. `stage` is the name of its stage; empty: none.
    """

    id: str
    name: str
    level: int
    depends_on: tuple[str, ...]
    adopts_from: str | None
    is_disabled: bool = False
    stage: str = ""


@dataclasses.dataclass(frozen=True, kw_only=True, slots=True)
class ChainGraph:
    """The ordered graph; `stacks` are sorted by level, then id.

    `native_dependents` and `native_upstreams` hold all stacks that were read, since a run makes
    Spacelift queue runs outside of the chain too; they are empty if nothing is applied.
    `queuing_dependents` are those without what was disabled then. `look_alikes` are labels that
    look like dependencies but are not; `unmatched_exclusions` are ids to leave out that no stack of
    what was read has.
    """

    stacks: tuple[PlannedStack, ...]
    edges: int
    levels: int
    native_dependents: Mapping[str, tuple[str, ...]]
    native_upstreams: Mapping[str, tuple[str, ...]]
    queuing_dependents: Mapping[str, tuple[str, ...]]
    look_alikes: tuple[LookAlike, ...] = ()
    unmatched_exclusions: tuple[str, ...] = ()


EMPTY = ChainGraph(
    stacks=(),
    edges=0,
    levels=0,
    native_dependents={},
    native_upstreams={},
    queuing_dependents={},
)
"""What is known of the graph before it was read."""


def resolve(
    discovery: Discovery,
    scope: Scope,
    *,
    native_runs: v1alpha1.NativeRuns = v1alpha1.NativeRuns.ADOPT,
    kept: Collection[str] = frozenset(),
    finished: Collection[str] = frozenset(),
) -> ChainGraph:
    """Validate and order.

    Args:
        discovery: what was read.
        scope: which of it the chain runs.
        native_runs: which stacks may use runs that Spacelift queues.
        kept: stacks that succeeded in an earlier run and do not run again.
        finished: roots whose run, which others began, started the chain.

    Raises:
        GraphProblem: unknown root, invisible stack, too many stacks, none, a cycle, a dependency
            against the order of the stages, or a stack that depends on one to be destroyed and is
            not in the chain.
    """
    _check_reading(discovery, scope)
    read = ReadGraph(discovery, scope)
    members = read.members
    _check_members(read, kept)
    upstreams = ordering.contract(members, read.upstreams)
    dependents = ordering.reverse(upstreams)
    ordered = ordering.topological(upstreams, dependents)
    if len(ordered) < len(members):
        start = ordering.member_of_cycle(upstreams, ordered)
        raise problems.cycle(ordering.cycle(start, read.dependents))
    stage_of = {item.id: item.stage for item in discovery.stacks if item.stage}
    if against := stages.against_order(ordered, upstreams, stage_of, scope.stages):
        raise problems.against_stages(against)
    is_applying = scope.operation is v1alpha1.Operation.APPLY
    running = [stack_id for stack_id in ordered if stack_id not in kept]
    origins = {stack_id: stack_id for stack_id in running}
    if native_runs is not v1alpha1.NativeRuns.REPLACE and is_applying:
        waiting = stages.may_wait(scope.stages)
        origins = adoption.origins(
            running,
            upstreams,
            read.queuing_upstreams(),
            is_strict=native_runs is v1alpha1.NativeRuns.STRICT,
            stage_of=stage_of,
            alone={item.id for item in discovery.stacks if scope.windows_of(item.stage)},
            early={root for root in finished if stage_of.get(root) in waiting},
        )
    stacks = _planned(read, ordered, origins, upstreams, dependents)
    return ChainGraph(
        stacks=stacks,
        edges=sum(len(ups) for ups in upstreams.values()),
        levels=stacks[-1].level + 1,
        native_dependents=read.native_dependents if is_applying else {},
        native_upstreams=read.native_upstreams if is_applying else {},
        queuing_dependents=ordering.reverse(read.queuing_upstreams()) if is_applying else {},
        look_alikes=_look_alikes(read),
        # Below finished runs there is only a part of the graph, and the others are in the rest.
        unmatched_exclusions=() if finished else _unmatched_exclusions(read),
    )


def _unmatched_exclusions(read: ReadGraph) -> tuple[str, ...]:
    """Return the excluded ids that leave nothing out; a stack that is not visible may be one."""
    hidden = {stack_id for pair in read.discovery.invisible for stack_id in pair}
    excluded = set(read.scope.graph.exclude.stack_ids)
    return tuple(sorted(excluded.difference(read.names, hidden)))


def _look_alikes(read: ReadGraph) -> tuple[LookAlike, ...]:
    """Return the labels that may be meant to order stacks of the chain and do not."""
    if v1alpha1.Source.LABELS not in read.scope.graph.sources:
        return ()
    return tuple(
        item
        for item in read.discovery.look_alikes
        if item.stack_id in read.members or dependency_labels.named_by(item.label) in read.members
    )


def members(discovery: Discovery, scope: Scope) -> frozenset[str]:
    """Return the ids of the stacks that belong to the chain, as far as was read."""
    return ReadGraph(discovery, scope).members


def reach(graph: ChainGraph, stack_id: str) -> list[str]:
    """Return, sorted, the stacks on which a run of this one makes Spacelift queue runs."""
    reached = ordering.distances([stack_id], graph.native_dependents)
    return sorted(reached.keys() - {stack_id})


def queued_behind(graph: ChainGraph, stack_id: str) -> list[str]:
    """Return, sorted, the stacks on which a run of this one surely makes Spacelift queue runs.

    A disabled stack gets none, and what is only behind one is not reached.
    """
    reached = ordering.distances([stack_id], graph.queuing_dependents)
    return sorted(reached.keys() - {stack_id})


# What is wrong


def _check_reading(discovery: Discovery, scope: Scope) -> None:
    if discovery.unknown_roots:
        raise problems.unknown_roots(discovery.unknown_roots, similar=discovery.similar)
    if discovery.is_cut_off:
        raise problems.too_many_to_read()
    if scope.roots.labels and not discovery.roots:
        raise problems.no_root_with_labels(scope.roots.labels)


def _check_members(read: ReadGraph, kept: Collection[str]) -> None:
    members, graph = read.members, read.scope.graph
    if len(members) > graph.max_stacks:
        raise problems.too_many_members(len(members), graph.max_stacks)
    _check_visible(read)
    if not members:
        left_out = 0 if graph.include_roots else len(read.roots - read.excluded)
        raise problems.empty(
            found=len(read.near), excluded=len(read.excluded), roots_left_out=left_out
        )
    if read.discovery.is_reach_cut_off:
        raise problems.too_large_reach()
    if read.scope.operation is v1alpha1.Operation.DESTROY:
        _check_nothing_outside_depends(read, members.difference(kept))


def _check_nothing_outside_depends(read: ReadGraph, destroyed: Collection[str]) -> None:
    outside = {
        (edge.upstream, edge.dependent)
        for edge in read.discovery.edges
        if edge.upstream in destroyed and edge.dependent not in read.members
    }
    if outside:
        raise problems.dependents_outside(outside)


def _check_visible(read: ReadGraph) -> None:
    graph, direction = read.scope.graph, v1alpha1.Direction
    queued: Collection[str] = ()
    if read.scope.operation is v1alpha1.Operation.APPLY:
        # Members, and all on which their runs make Spacelift queue runs.
        queued = ordering.distances(sorted(read.members), read.native_dependents).keys()
    dependents: list[tuple[str, str]] = []
    upstreams: list[tuple[str, str]] = []
    for up, down in read.discovery.invisible:
        is_dependent = down not in read.names
        seen, unseen = (up, down) if is_dependent else (down, up)
        wanted = direction.DOWNSTREAM if is_dependent else direction.UPSTREAM
        # What is left out by its id need not be seen: it would not be a member.
        would_belong = (
            graph.direction == wanted
            and read.is_near(seen, steps=1)
            and unseen not in graph.exclude.stack_ids
        )
        if would_belong or (is_dependent and seen in queued):
            (dependents if is_dependent else upstreams).append((up, down))
    if dependents or upstreams:
        raise problems.not_visible(dependents, upstreams)


# The plan


def _planned(
    read: ReadGraph,
    ordered: Sequence[str],
    origins: Mapping[str, str],
    upstreams: Mapping[str, tuple[str, ...]],
    dependents: Mapping[str, tuple[str, ...]],
) -> tuple[PlannedStack, ...]:
    facts = {stack.id: stack for stack in read.discovery.stacks}
    if read.scope.operation is v1alpha1.Operation.DESTROY:
        ordered, upstreams, dependents = ordered[::-1], dependents, upstreams
    levels = ordering.longest(ordered, upstreams)
    stacks = [
        PlannedStack(
            id=stack_id,
            name=read.names[stack_id],
            level=levels[stack_id],
            depends_on=upstreams[stack_id],
            adopts_from=origin if (origin := origins.get(stack_id)) != stack_id else None,
            is_disabled=facts[stack_id].is_disabled,
            stage=facts[stack_id].stage,
        )
        for stack_id in ordered
    ]
    return tuple(sorted(stacks, key=lambda stack: (stack.level, stack.id)))
