"""What holds for every graph, however it was read and whatever is left out."""

import dataclasses
import itertools
import random
from collections.abc import Collection, Iterable

from hypothesis import assume, given
from hypothesis import strategies as st

from controller.api.reasons import ChainReason
from controller.chain.graph import resolve as graph
from tests.support.builders import make_scope

Pairs = set[tuple[str, str]]
SOURCES = st.sampled_from([("Dependencies",), ("Labels",), ("Dependencies", "Labels")])
DIRECTIONS = st.sampled_from(["Downstream", "Upstream", "RootsOnly"])


@st.composite
def discoveries(draw: st.DrawFn, *, may_be_cyclic: bool = False) -> graph.Discovery:
    """Edges lead from earlier to later stacks of a shuffled order, unless cycles are wanted."""
    count = draw(st.integers(min_value=1, max_value=10))
    ids = draw(st.permutations([f"s{number}" for number in range(count)]))
    pairs = [(up, down) for i, up in enumerate(ids) for down in ids[i + 1 :]]
    if may_be_cyclic:
        pairs = [(up, down) for up in ids for down in ids]
    chosen = draw(st.lists(st.sampled_from(pairs), unique=True, max_size=25)) if pairs else []
    kinds = st.sampled_from([(True, False), (True, False), (False, True), (True, True)])
    edges = []
    for up, down in chosen:
        is_native, is_label = draw(kinds)
        edges.append(
            graph.Edge(upstream=up, dependent=down, is_native=is_native, is_label=is_label)
        )
    disabled = draw(st.sets(st.sampled_from(ids), max_size=2))
    stacks = tuple(
        graph.StackFacts(id=stack_id, name=stack_id, is_disabled=stack_id in disabled)
        for stack_id in ids
    )
    return graph.Discovery(stacks=stacks, edges=tuple(edges))


@st.composite
def scopes(draw: st.DrawFn, discovery: graph.Discovery) -> graph.Scope:
    ids = st.sampled_from([stack.id for stack in discovery.stacks])
    direction = draw(DIRECTIONS)
    return make_scope(
        *draw(st.sets(ids, min_size=1)),
        sources=draw(SOURCES),
        direction=direction,
        include_roots=draw(st.booleans()) or direction == "RootsOnly",
        max_depth=draw(st.none() | st.integers(min_value=1, max_value=3)),
        exclude=draw(st.sets(ids, max_size=4)),
    )


@st.composite
def wishes(draw: st.DrawFn, *, may_be_cyclic: bool = False) -> tuple[graph.Discovery, graph.Scope]:
    discovery = draw(discoveries(may_be_cyclic=may_be_cyclic))
    return discovery, draw(scopes(discovery))


def resolve(
    discovery: graph.Discovery, scope: graph.Scope, kept: frozenset[str] = frozenset()
) -> graph.ChainGraph:
    """Resolve what has stacks to run at all."""
    assume(graph.members(discovery, scope))
    return graph.resolve(discovery, scope, kept=kept)


def with_direction(scope: graph.Scope, direction: str) -> graph.Scope:
    way = dataclasses.replace(scope.graph, direction=direction)
    return dataclasses.replace(scope, graph=way)


def closure(pairs: Iterable[tuple[str, str]]) -> Pairs:
    """Return all pairs of which the second can be reached from the first."""
    found = set(pairs)
    while new := {(a, d) for a, b in found for c, d in found if b == c} - found:
        found |= new
    return found


def ordering(discovery: graph.Discovery, sources: Collection[str]) -> Pairs:
    return {
        (edge.upstream, edge.dependent)
        for edge in discovery.edges
        if (edge.is_native and "Dependencies" in sources) or (edge.is_label and "Labels" in sources)
    }


def among(pairs: Pairs, stack_ids: Collection[str]) -> Pairs:
    return {(up, down) for up, down in pairs if up in stack_ids and down in stack_ids}


def waits(resolved: graph.ChainGraph) -> Pairs:
    """Return who waits for whom, directly or through others, as (first, second)."""
    return closure((up, stack.id) for stack in resolved.stacks for up in stack.depends_on)


# Order


@given(wishes(), st.randoms(use_true_random=False))
def test_the_order_of_what_was_read_does_not_matter(
    wish: tuple[graph.Discovery, graph.Scope], rng: random.Random
) -> None:
    discovery, scope = wish
    stacks, edges = list(discovery.stacks), list(discovery.edges)
    rng.shuffle(stacks)
    rng.shuffle(edges)

    shuffled = dataclasses.replace(discovery, stacks=tuple(stacks), edges=tuple(edges))

    assert resolve(shuffled, scope) == resolve(discovery, scope)


@given(wishes())
def test_members_wait_for_each_other_exactly_as_the_dependencies_of_all_stacks_say(
    wish: tuple[graph.Discovery, graph.Scope],
) -> None:
    """Contraction neither loses an order nor makes one up."""
    discovery, scope = wish

    resolved = resolve(discovery, scope)

    members = {stack.id for stack in resolved.stacks}
    assert waits(resolved) == among(closure(ordering(discovery, scope.graph.sources)), members)


@given(wishes())
def test_stacks_come_after_those_they_wait_for(
    wish: tuple[graph.Discovery, graph.Scope],
) -> None:
    resolved = resolve(*wish)

    levels = {stack.id: stack.level for stack in resolved.stacks}
    assert len(levels) == len(resolved.stacks)
    assert resolved.levels == max(levels.values()) + 1
    assert resolved.edges == sum(len(stack.depends_on) for stack in resolved.stacks)
    for stack in resolved.stacks:
        above = [levels[upstream] + 1 for upstream in stack.depends_on]
        assert stack.level == max(above, default=0)


@given(wishes(), DIRECTIONS)
def test_the_direction_selects_stacks_and_does_not_order_them(
    wish: tuple[graph.Discovery, graph.Scope], direction: str
) -> None:
    discovery, scope = wish

    one = resolve(discovery, scope)
    other = resolve(discovery, with_direction(scope, direction))

    common = {stack.id for stack in one.stacks} & {stack.id for stack in other.stacks}
    assert among(waits(one), common) == among(waits(other), common)


@given(discoveries(), SOURCES)
def test_destroy_reverses_exactly(discovery: graph.Discovery, sources: tuple[str, ...]) -> None:
    roots = [stack.id for stack in discovery.stacks]
    forward = resolve(discovery, make_scope(*roots, sources=sources))
    backward = resolve(discovery, make_scope(*roots, sources=sources, operation="Destroy"))

    def edges(resolved: graph.ChainGraph) -> Pairs:
        return {(up, stack.id) for stack in resolved.stacks for up in stack.depends_on}

    assert edges(backward) == {(down, up) for up, down in edges(forward)}
    assert (backward.edges, backward.levels) == (forward.edges, forward.levels)


@given(wishes(may_be_cyclic=True))
def test_a_circle_is_one_of_the_dependencies_themselves_and_holds_a_member(
    wish: tuple[graph.Discovery, graph.Scope],
) -> None:
    """Contraction neither closes a cycle that is not there, nor hides one that a member is on."""
    discovery, scope = wish
    members = graph.members(discovery, scope)
    pairs = ordering(discovery, scope.graph.sources)
    on_a_circle = {one for one, other in closure(pairs) if one == other}

    circle = circle_of(discovery, scope)

    assert bool(circle) == (not members.isdisjoint(on_a_circle))
    if circle:
        assert circle[0] == circle[-1]
        assert len(set(circle)) == len(circle) - 1
        assert not members.isdisjoint(circle)
        assert set(itertools.pairwise(circle)) <= pairs


def circle_of(discovery: graph.Discovery, scope: graph.Scope) -> list[str]:
    """Return the cycle that is named; empty if the graph can be run."""
    try:
        resolve(discovery, scope)
    except graph.GraphProblem as problem:
        if problem.reason is not ChainReason.GRAPH_CYCLE:
            raise
        return problem.message.rpartition(": ")[2].split(" -> ")
    return []


# Whose run it will be


class World:
    """Spacelift's waves around a chain that triggers, adopts, and stops what it does not want.

    A run of a wave starts when the runs of the same wave on its native upstreams have ended. A
    disabled stack gets no run in a wave; when its turn comes someone has enabled it.
    """

    def __init__(
        self, resolved: graph.ChainGraph, *, kept: Collection[str], disabled: Collection[str]
    ) -> None:
        self._graph = resolved
        self._disabled = disabled
        self._stacks = {s.id: s for s in resolved.stacks if s.id not in kept}
        self._kept = {s.id for s in resolved.stacks if s.id in kept}
        self._waves: dict[str, set[str]] = {}
        self._running: list[str] = []
        self._started: set[str] = set()
        self._ended: set[str] = set()

    def roll(self, rng: random.Random) -> None:
        """Run the chain, stacks ending in any order."""
        while self._start_what_can():
            ended = self._running.pop(rng.randrange(len(self._running)))
            self._ended.add(ended)
        assert self._ended == self._stacks.keys(), "the chain hangs"

    def _start_what_can(self) -> bool:
        is_moving = True
        while is_moving:
            waiting = [s for s in self._stacks.values() if s.id not in self._started]
            ready = [s for s in waiting if self._is_starting(s)]
            for stack in ready:
                missing = set(stack.depends_on) - self._ended - self._kept
                assert not missing, f"{stack.id} starts before {missing}"
                self._started.add(stack.id)
                self._running.append(stack.id)
                if stack.adopts_from is None:
                    self._waves[stack.id] = self._wave(stack.id)
            is_moving = bool(ready)
        return bool(self._running)

    def _wave(self, origin: str) -> set[str]:
        wave, front = {origin}, [origin]
        while front:
            reached = set(self._graph.native_dependents[front.pop()]) - wave
            wave |= reached.difference(self._disabled)
            front.extend(reached.difference(self._disabled))
        return wave

    def _is_starting(self, stack: graph.PlannedStack) -> bool:
        if stack.adopts_from is None:
            return set(stack.depends_on) <= self._ended | self._kept
        wave = self._waves.get(stack.adopts_from, set())
        if not wave:
            return False
        assert stack.id in wave, f"nobody queues the run of {stack.id}"
        upstreams = wave.intersection(self._graph.native_upstreams[stack.id])
        for upstream in upstreams:
            used = self._stacks.get(upstream)
            is_used = used and stack.adopts_from in (used.id, used.adopts_from)
            assert is_used, f"{stack.id} hangs on a run of {upstream} that the chain stops"
        return upstreams <= self._ended


@given(wishes(), st.data(), st.randoms(use_true_random=False))
def test_an_adopted_run_cannot_start_before_what_the_chain_waits_for_has_ended(
    wish: tuple[graph.Discovery, graph.Scope], data: st.DataObject, rng: random.Random
) -> None:
    discovery, scope = wish
    ids = st.sampled_from([stack.id for stack in discovery.stacks])
    kept = data.draw(st.frozensets(ids, max_size=3))

    disabled = {stack.id for stack in discovery.stacks if stack.is_disabled}
    World(resolve(discovery, scope, kept), kept=kept, disabled=disabled).roll(rng)


@given(discoveries())
def test_below_one_root_all_native_dependents_adopt(discovery: graph.Discovery) -> None:
    """Nothing is triggered that Spacelift queues as the chain wants it."""
    edges = [dataclasses.replace(e, is_native=True, is_label=False) for e in discovery.edges]
    stacks = [dataclasses.replace(stack, is_disabled=False) for stack in discovery.stacks]
    root = stacks[0].id

    resolved = resolve(graph.Discovery(stacks=tuple(stacks), edges=tuple(edges)), make_scope(root))

    adopting = {stack.id: stack.adopts_from for stack in resolved.stacks}
    assert adopting.pop(root) is None
    assert set(adopting.values()) <= {root}


@given(wishes())
def test_what_spacelift_reaches_is_the_closure_of_its_own_dependencies(
    wish: tuple[graph.Discovery, graph.Scope],
) -> None:
    discovery, scope = wish
    resolved = resolve(discovery, scope)
    above = closure(ordering(discovery, ["Dependencies"]))

    for stack in discovery.stacks:
        assert graph.reach(resolved, stack.id) == sorted(d for u, d in above if u == stack.id)
        assert set(graph.queued_behind(resolved, stack.id)) <= set(graph.reach(resolved, stack.id))
    for planned in resolved.stacks:
        if planned.adopts_from is not None:
            assert planned.id in graph.queued_behind(resolved, planned.adopts_from)
