"""graph.resolve: from what was read to what runs after what, or what is wrong with it."""

import dataclasses
import random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from controller.api.reasons import ChainReason
from controller.chain import graph
from tests.support.builders import make_discovery

BOTH = ("Dependencies", "Labels")


def resolve(
    discovery: graph.Discovery, *, sources: tuple[str, ...] = BOTH, max_stacks: int = 500
) -> graph.ChainGraph:
    return graph.resolve(discovery, sources=sources, max_stacks=max_stacks)


def problem_of(discovery: graph.Discovery, **arguments: int) -> graph.GraphProblem:
    with pytest.raises(graph.GraphProblem) as caught:
        resolve(discovery, **arguments)
    return caught.value


def planned(resolved: graph.ChainGraph) -> dict[str, graph.PlannedStack]:
    return {stack.id: stack for stack in resolved.stacks}


# Order


def test_stacks_come_by_level_and_then_by_id() -> None:
    resolved = resolve(make_discovery("a -> c -> d", "a -> b -> d"))

    assert [(stack.id, stack.level) for stack in resolved.stacks] == [
        ("a", 0),
        ("b", 1),
        ("c", 1),
        ("d", 2),
    ]
    assert (resolved.edges, resolved.levels) == (4, 3)


def test_a_level_is_the_longest_distance_from_the_start() -> None:
    resolved = resolve(make_discovery("a -> b -> c", "a -> c"))

    assert planned(resolved)["c"].level == 2


def test_remaining_counts_the_stacks_of_the_longest_path_to_an_end() -> None:
    resolved = resolve(make_discovery("a -> b -> c -> d", "a -> x"))

    assert {stack.id: stack.remaining for stack in resolved.stacks} == {
        "a": 4,
        "b": 3,
        "c": 2,
        "d": 1,
        "x": 1,
    }


def test_each_stack_knows_its_own_upstreams_and_its_name() -> None:
    found = planned(resolve(make_discovery("b -> d", "a -> d")))

    assert found["d"].depends_on == ("a", "b")
    assert found["a"].depends_on == ()
    assert found["d"].name == "Stack d"


@pytest.mark.parametrize(
    ("sources", "upstreams", "edges"),
    [
        pytest.param(BOTH, ("a", "b"), 2, id="both"),
        pytest.param(("Dependencies",), ("a",), 1, id="Spacelift's own"),
        pytest.param(("Labels",), ("b",), 1, id="labels"),
    ],
)
def test_only_edges_of_the_sources_order_stacks(
    sources: tuple[str, ...], upstreams: tuple[str, ...], edges: int
) -> None:
    resolved = resolve(make_discovery("a -> c", labels=["b -> c"]), sources=sources)

    assert planned(resolved)["c"].depends_on == upstreams
    assert resolved.edges == edges


def test_an_edge_that_is_both_native_and_a_label_counts_once() -> None:
    resolved = resolve(make_discovery("a -> b", labels=["a -> b"]))

    assert resolved.edges == 1


def test_an_edge_to_a_stack_outside_of_the_chain_orders_nothing() -> None:
    discovery = make_discovery("a -> b")
    outside = graph.Edge(upstream="x", dependent="a", is_native=True, is_label=False)

    resolved = resolve(dataclasses.replace(discovery, edges=(*discovery.edges, outside)))

    assert planned(resolved)["a"].depends_on == ()
    assert resolved.edges == 1


def test_roots_may_depend_on_each_other() -> None:
    resolved = resolve(make_discovery("root1 -> root2 -> c"))

    assert [stack.id for stack in resolved.stacks] == ["root1", "root2", "c"]


# Whose run it will be

ADOPTION = [
    pytest.param(
        make_discovery("a -> b -> c"),
        {"a": None, "b": "a", "c": "a"},
        {"a": (), "b": ("a",), "c": ("a",)},
        {"a": (), "b": ("a",), "c": ("a", "b")},
        id="linear: all from the root's wave",
    ),
    pytest.param(
        make_discovery("a -> b -> d", "a -> c -> d"),
        {"a": None, "b": "a", "c": "a", "d": "a"},
        {"a": (), "b": ("a",), "c": ("a",), "d": ("a",)},
        {"a": (), "b": ("a",), "c": ("a",), "d": ("a", "b", "c")},
        id="diamond: one wave reaches the end twice and queues once",
    ),
    pytest.param(
        make_discovery("a -> c -> d", "b -> c"),
        {"a": None, "b": None, "c": None, "d": "c"},
        {"a": (), "b": (), "c": ("a", "b"), "d": ("a", "b", "c")},
        {"a": (), "b": (), "c": ("a", "b"), "d": ("a", "b", "c")},
        id="two roots: the shared dependent starts a wave of its own",
    ),
    pytest.param(
        make_discovery("a -> b -> d", labels=["x -> b"], stacks=["x"]),
        {"a": None, "b": None, "d": "b", "x": None},
        {"a": (), "b": ("a",), "d": ("a", "b"), "x": ()},
        {"a": (), "b": ("a",), "d": ("a", "b"), "x": ()},
        id="a label among the upstreams: Spacelift would start too early",
    ),
    pytest.param(
        make_discovery(labels=["a -> b -> c"]),
        {"a": None, "b": None, "c": None},
        {"a": (), "b": (), "c": ()},
        {"a": (), "b": (), "c": ()},
        id="labels only: Spacelift queues nothing",
    ),
    pytest.param(
        make_discovery("root1 -> root2"),
        {"root1": None, "root2": "root1"},
        {"root1": (), "root2": ("root1",)},
        {"root1": (), "root2": ("root1",)},
        id="a root below another root is queued by that one",
    ),
    pytest.param(
        make_discovery("a -> b", labels=["a -> b"]),
        {"a": None, "b": "a"},
        {"a": (), "b": ("a",)},
        {"a": (), "b": ("a",)},
        id="native and labeled at once: Spacelift queues it",
    ),
    pytest.param(
        make_discovery("a -> b -> d", labels=["a -> c"], stacks=["c"]),
        {"a": None, "b": "a", "c": None, "d": "a"},
        {"a": (), "b": ("a",), "c": (), "d": ("a",)},
        {"a": (), "b": ("a",), "c": (), "d": ("a", "b")},
        id="a label beside does not disturb the wave",
    ),
]


@pytest.mark.parametrize(("discovery", "adopts_from", "queued_by", "queuers"), ADOPTION)
def test_a_stack_adopts_where_one_native_wave_reaches_all_of_its_upstreams(
    discovery: graph.Discovery,
    adopts_from: dict[str, str | None],
    queued_by: dict[str, tuple[str, ...]],
    queuers: dict[str, tuple[str, ...]],
) -> None:
    found = planned(resolve(discovery))

    assert {key: stack.adopts_from for key, stack in found.items()} == adopts_from
    assert {key: stack.queued_by for key, stack in found.items()} == queued_by
    assert {key: stack.queuers for key, stack in found.items()} == queuers


def test_native_edges_that_do_not_order_the_chain_still_queue_runs() -> None:
    """With labels only, `b` follows `x`; the run that `a` queues on it is known, and unwanted."""
    discovery = make_discovery("a -> b", labels=["x -> b"], stacks=["a", "x"])

    found = planned(resolve(discovery, sources=("Labels",)))

    assert found["b"].depends_on == ("x",)
    assert found["b"].adopts_from is None
    assert found["b"].queued_by == ("a",)


# What is wrong


def test_a_cycle_is_named_stack_by_stack_in_the_order_of_running() -> None:
    problem = problem_of(make_discovery("root -> a -> b -> c -> a", "c -> end"))

    assert problem.reason is ChainReason.GRAPH_CYCLE
    assert problem.message.endswith(": a -> b -> c -> a")
    assert "Remove one of these dependencies or `dependsOn:` labels" in problem.message


def test_a_stack_that_depends_on_itself_is_a_cycle_of_one() -> None:
    assert problem_of(make_discovery("a -> a")).message.endswith(": a -> a")


def test_a_cycle_across_labels_and_native_edges_is_found() -> None:
    problem = problem_of(make_discovery("a -> b", labels=["b -> a"]))

    assert problem.reason is ChainReason.GRAPH_CYCLE


def test_a_cycle_of_edges_that_do_not_order_the_chain_is_none() -> None:
    resolved = resolve(make_discovery("a -> b", labels=["b -> a"]), sources=("Dependencies",))

    assert [stack.id for stack in resolved.stacks] == ["a", "b"]


def test_a_root_that_is_not_there_is_named_with_what_to_do() -> None:
    problem = problem_of(make_discovery(stacks=["a"], unknown_roots=("vpc", "typo")))

    assert problem.reason is ChainReason.UNKNOWN_STACK
    assert "'typo', 'vpc'" in problem.message
    assert "Correct `spec.roots.stackIds`" in problem.message


def test_a_dependent_that_the_key_cannot_see_is_named_with_its_upstream() -> None:
    problem = problem_of(make_discovery("a -> b", invisible=(("b", "secret"),)))

    assert problem.reason is ChainReason.DEPENDENT_NOT_VISIBLE
    assert "'secret' (depends on 'b')" in problem.message
    assert "Give it access" in problem.message


def test_more_stacks_than_a_chain_may_hold_are_refused_with_the_bound() -> None:
    problem = problem_of(make_discovery("a -> b -> c"), max_stacks=2)

    assert problem.reason is ChainReason.TOO_MANY_STACKS
    assert "more than 2 stacks" in problem.message
    assert "split the chain" in problem.message


def test_exactly_as_many_stacks_as_a_chain_may_hold_are_fine() -> None:
    assert len(resolve(make_discovery("a -> b -> c"), max_stacks=3).stacks) == 3


def test_a_reading_that_was_cut_off_counts_as_too_many() -> None:
    problem = problem_of(make_discovery("a -> b", is_cut_off=True))

    assert problem.reason is ChainReason.TOO_MANY_STACKS


def test_a_chain_without_a_stack_is_refused() -> None:
    problem = problem_of(make_discovery())

    assert problem.reason is ChainReason.GRAPH_EMPTY
    assert "`spec.roots.stackIds`" in problem.message


def test_unknown_roots_come_before_all_else_that_is_wrong() -> None:
    """Without its root the rest of the graph says nothing."""
    problem = problem_of(
        make_discovery("a -> a", unknown_roots=("x",), invisible=(("a", "y"),), is_cut_off=True)
    )

    assert problem.reason is ChainReason.UNKNOWN_STACK


@pytest.mark.parametrize(
    "problem",
    [
        pytest.param(
            lambda: problem_of(
                make_discovery(unknown_roots=tuple(f"{i:03}" + "x" * 125 for i in range(64)))
            ),
            id="64 long unknown roots",
        ),
        pytest.param(
            lambda: problem_of(
                make_discovery(
                    stacks=["a"], invisible=tuple(("a", f"{i:03}" + "x" * 125) for i in range(64))
                )
            ),
            id="64 long invisible dependents",
        ),
    ],
)
def test_many_names_leave_room_for_what_to_do(problem: object) -> None:
    """A status keeps 1,024 characters of it."""
    assert callable(problem)
    message = problem().message

    assert len(message) <= 1024
    assert "more" in message
    assert message.endswith(".")


# Properties


@st.composite
def discoveries(draw: st.DrawFn) -> graph.Discovery:
    """Graphs without cycles: edges lead from earlier to later stacks of a shuffled order."""
    count = draw(st.integers(min_value=1, max_value=12))
    ids = draw(st.permutations([f"s{number}" for number in range(count)]))
    pairs = [(ids[i], ids[j]) for i in range(count) for j in range(i + 1, count)]
    chosen = draw(st.lists(st.sampled_from(pairs), unique=True)) if pairs else []
    kinds = st.sampled_from([(True, False), (False, True), (True, True)])
    edges = []
    for up, down in chosen:
        is_native, is_label = draw(kinds)
        edges.append(
            graph.Edge(upstream=up, dependent=down, is_native=is_native, is_label=is_label)
        )
    stacks = tuple(graph.StackFacts(id=stack_id, name=stack_id) for stack_id in ids)
    return graph.Discovery(stacks=stacks, edges=tuple(edges))


@given(discoveries(), st.randoms(use_true_random=False))
def test_the_order_of_what_was_read_does_not_matter(
    discovery: graph.Discovery, rng: random.Random
) -> None:
    stacks, edges = list(discovery.stacks), list(discovery.edges)
    rng.shuffle(stacks)
    rng.shuffle(edges)

    shuffled = dataclasses.replace(discovery, stacks=tuple(stacks), edges=tuple(edges))

    assert resolve(shuffled) == resolve(discovery)


@given(discoveries())
def test_every_stack_comes_once_and_after_its_upstreams(discovery: graph.Discovery) -> None:
    resolved = resolve(discovery)

    places = {stack.id: place for place, stack in enumerate(resolved.stacks)}
    assert sorted(places) == sorted(stack.id for stack in discovery.stacks)
    for edge in discovery.edges:
        assert places[edge.upstream] < places[edge.dependent]
    for stack in resolved.stacks:
        levels = [resolved.stacks[places[upstream]].level for upstream in stack.depends_on]
        assert stack.level == max((level + 1 for level in levels), default=0)


@given(discoveries())
def test_a_stack_adopts_only_what_its_origin_really_queues(discovery: graph.Discovery) -> None:
    """Otherwise the chain would wait for a run that never comes, or use one that starts early."""
    found = planned(resolve(discovery))

    native = {(edge.upstream, edge.dependent) for edge in discovery.edges if edge.is_native}
    for stack in found.values():
        if stack.adopts_from is None:
            continue
        assert stack.adopts_from in stack.queued_by
        assert found[stack.adopts_from].adopts_from is None
        for upstream in stack.depends_on:
            assert (upstream, stack.id) in native
            assert stack.adopts_from in (upstream, found[upstream].adopts_from)


@given(discoveries())
def test_whoever_may_have_queued_a_run_is_among_those_that_it_may_name(
    discovery: graph.Discovery,
) -> None:
    for stack in resolve(discovery).stacks:
        assert set(stack.queued_by) <= set(stack.queuers)
        assert stack.id not in stack.queued_by
