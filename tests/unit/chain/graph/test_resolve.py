"""resolve.resolve: which stacks belong to the chain, and in which order."""

import dataclasses
from typing import Any

import pytest

from controller.api.reasons import ChainReason
from controller.chain.graph import resolve as graph
from tests.support.builders import make_discovery, make_scope
from tests.support.golden import Golden
from tests.unit.chain.graph.resolving import planned, problem_of, resolve

BOTH = ("Dependencies", "Labels")


def upstreams(resolved: graph.ChainGraph) -> dict[str, tuple[str, ...]]:
    return {stack.id: stack.depends_on for stack in resolved.stacks}


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


def test_each_stack_knows_its_own_upstreams_and_its_name() -> None:
    found = planned(resolve(make_discovery("b -> d", "a -> d")))

    assert found["d"].depends_on == ("a", "b")
    assert found["a"].depends_on == ()
    assert found["d"].name == "Stack d"


@pytest.mark.parametrize(
    ("sources", "expected", "edges"),
    [
        pytest.param(BOTH, ("a", "b"), 2, id="both"),
        pytest.param(("Dependencies",), ("a",), 1, id="Spacelift's own"),
        pytest.param(("Labels",), ("b",), 1, id="labels"),
    ],
)
def test_only_edges_of_the_sources_order_stacks(
    sources: tuple[str, ...], expected: tuple[str, ...], edges: int
) -> None:
    resolved = resolve(make_discovery("a -> c", labels=["b -> c"]), sources=sources)

    assert planned(resolved)["c"].depends_on == expected
    assert resolved.edges == edges


def test_an_edge_that_is_both_native_and_a_label_counts_once() -> None:
    resolved = resolve(make_discovery("a -> b", labels=["a -> b"]))

    assert resolved.edges == 1


def test_an_edge_to_a_stack_that_was_not_read_orders_nothing() -> None:
    discovery = make_discovery("a -> b")
    outside = graph.Edge(upstream="x", dependent="a", is_native=True, is_label=False)

    resolved = resolve(dataclasses.replace(discovery, edges=(*discovery.edges, outside)))

    assert planned(resolved)["a"].depends_on == ()
    assert resolved.edges == 1


def test_roots_may_depend_on_each_other() -> None:
    resolved = resolve(make_discovery("root1 -> root2 -> c"), "root1", "root2")

    assert [stack.id for stack in resolved.stacks] == ["root1", "root2", "c"]


# Which stacks belong to the chain


TREE = make_discovery(
    "vpc -> eks -> app -> site", "vpc -> dns -> site", labels=["app -> alerts", "dns -> alerts"]
)


ALL = {"vpc", "eks", "dns", "app", "site", "alerts"}


MEMBERSHIP = [
    pytest.param("vpc", {}, ALL, id="downstream by default"),
    pytest.param("eks", {}, {"eks", "app", "site", "alerts"}, id="downstream of a middle one"),
    pytest.param("eks", {"direction": "Upstream"}, {"vpc", "eks"}, id="upstream"),
    pytest.param(
        "alerts",
        {"direction": "Upstream"},
        {"vpc", "eks", "dns", "app", "alerts"},
        id="upstream through labels and dependencies",
    ),
    pytest.param(
        "alerts",
        {"direction": "Upstream", "sources": ("Dependencies",)},
        {"alerts"},
        id="upstream through dependencies only",
    ),
    pytest.param("eks", {"direction": "RootsOnly"}, {"eks"}, id="roots only"),
    pytest.param(
        "vpc", {"sources": ("Dependencies",)}, ALL - {"alerts"}, id="dependencies lead only"
    ),
    pytest.param("vpc", {"include_roots": False}, ALL - {"vpc"}, id="without the root"),
    pytest.param("vpc", {"max_depth": 1}, {"vpc", "eks", "dns"}, id="one step"),
    pytest.param(
        "vpc", {"max_depth": 2}, ALL, id="two steps: by the shortest way, whichever that is"
    ),
    pytest.param(
        "site", {"direction": "Upstream", "max_depth": 1}, {"app", "dns", "site"}, id="one step up"
    ),
    pytest.param("vpc", {"exclude": ["dns"]}, ALL - {"dns"}, id="one left out by id"),
    pytest.param(
        "vpc",
        {"exclude": ["dns", "eks"], "max_depth": 1},
        {"vpc"},
        id="a step through a stack that is left out counts",
    ),
    pytest.param("vpc", {"exclude": ["vpc"]}, ALL - {"vpc"}, id="the root itself left out"),
]


@pytest.mark.parametrize(("root", "wishes", "expected"), MEMBERSHIP)
def test_stacks_belong_to_the_chain_as_the_spec_says(
    root: str, wishes: dict[str, Any], expected: set[str]
) -> None:
    resolved = resolve(TREE, root, **wishes)

    assert planned(resolved).keys() == expected
    assert graph.members(TREE, make_scope(root, **wishes)) == expected


def test_a_stack_with_any_of_the_excluded_labels_is_left_out() -> None:
    discovery = make_discovery("a -> b -> c -> d")
    labels = {"b": ("slow", "x"), "c": ("manual",), "d": ("x",)}
    stacks = [dataclasses.replace(s, labels=labels.get(s.id, ())) for s in discovery.stacks]

    resolved = resolve(
        dataclasses.replace(discovery, stacks=tuple(stacks)),
        "a",
        exclude_labels=frozenset({"slow", "manual"}),
    )

    assert planned(resolved).keys() == {"a", "d"}


def excluding(discovery: graph.Discovery, *roots: str, **wishes: Any) -> tuple[str, ...]:
    excluded = ("b", "databas")
    resolved = resolve(discovery, *roots, exclude=excluded, **wishes)
    return resolved.unmatched_exclusions


def test_an_excluded_id_that_no_stack_has_is_told() -> None:
    assert excluding(make_discovery("a -> b -> c"), "a") == ("databas",)
    # It leaves nothing out, but it is no mistake.
    assert excluding(make_discovery("a -> c -> b"), "a", max_depth=1) == ("databas",)


def test_an_excluded_stack_that_is_not_visible_is_not_told() -> None:
    discovery = dataclasses.replace(make_discovery("a -> c"), invisible=(("c", "b"),))

    assert excluding(discovery, "a", operation="Plan") == ("databas",)


def test_below_finished_runs_an_excluded_id_may_be_of_the_rest_of_the_graph() -> None:
    assert excluding(make_discovery("a -> c"), "a", finished={"a"}) == ()


def test_roots_by_label_are_those_that_discovery_found() -> None:
    discovery = make_discovery("a -> b", "x -> y", stacks=["z"], roots=("a", "x"))

    resolved = graph.resolve(discovery, make_scope(root_labels=("team:net",)))

    assert planned(resolved).keys() == {"a", "b", "x", "y"}


# Stacks that are left out keep the order


@pytest.mark.parametrize(
    ("discovery", "wishes", "expected"),
    [
        pytest.param(
            make_discovery("a -> x -> b"),
            {"exclude": ["x"]},
            {"a": (), "b": ("a",)},
            id="one between two",
        ),
        pytest.param(
            make_discovery("a -> x -> y -> b", "c -> y", "a -> c"),
            {"exclude": ["x", "y"]},
            {"a": (), "b": ("a", "c"), "c": ("a",)},
            id="several in a row",
        ),
        pytest.param(
            make_discovery("a -> x", labels=["x -> b"]),
            {"exclude": ["x"]},
            {"a": (), "b": ("a",)},
            id="across a dependency and a label",
        ),
        pytest.param(
            make_discovery("a -> b", "a -> x -> c", "a -> y -> z -> b -> q", "z -> c"),
            {"max_depth": 1, "exclude": ["x", "y"]},
            {"a": (), "b": ("a",)},
            id="the order also leads through stacks that are too far away",
        ),
        pytest.param(
            make_discovery("r -> a", "r -> b", "a -> far -> farther -> b"),
            {"max_depth": 1},
            {"r": (), "a": ("r",), "b": ("a", "r")},
            id="two near stacks and far ones between them",
        ),
        pytest.param(
            make_discovery("r -> a -> b", "r -> b"),
            {"include_roots": False},
            {"a": (), "b": ("a",)},
            id="the root itself",
        ),
        pytest.param(
            make_discovery("a -> x -> y -> x", "y -> b"),
            {"exclude": ["x", "y"]},
            {"a": (), "b": ("a",)},
            id="a circle among stacks that are left out hinders nobody",
        ),
    ],
)
def test_dependents_of_a_stack_that_is_left_out_wait_for_its_upstreams(
    discovery: graph.Discovery, wishes: dict[str, Any], expected: dict[str, tuple[str, ...]]
) -> None:
    root = "r" if "r" in {stack.id for stack in discovery.stacks} else "a"

    assert upstreams(resolve(discovery, root, **wishes)) == expected


def test_roots_alone_keep_the_order_that_leads_through_others() -> None:
    resolved = resolve(make_discovery("a -> x -> b"), "a", "b", direction="RootsOnly")

    assert upstreams(resolved) == {"a": (), "b": ("a",)}


# Destroy


def test_destroy_begins_with_those_on_which_nothing_depends() -> None:
    resolved = resolve(TREE, "vpc", operation="Destroy", exclude=[])

    found = planned(resolved)
    assert [stack.id for stack in resolved.stacks if stack.level == 0] == ["alerts", "site"]
    assert found["vpc"].depends_on == ("dns", "eks")
    assert (found["vpc"].level, found["site"].level) == (3, 0)


@pytest.mark.parametrize("operation", ["Plan", "Destroy"])
def test_nothing_is_adopted_where_spacelift_queues_nothing(operation: str) -> None:
    resolved = resolve(TREE, "vpc", operation=operation)

    assert {stack.adopts_from for stack in resolved.stacks} == {None}
    assert (resolved.native_dependents, resolved.native_upstreams) == ({}, {})
    assert graph.reach(resolved, "vpc") == graph.queued_behind(resolved, "vpc") == []


OUTSIDE = [
    pytest.param(
        make_discovery("a -> b"),
        "a",
        {"direction": "RootsOnly"},
        id="natively",
    ),
    pytest.param(
        make_discovery(labels=["a -> b"]),
        "a",
        {"sources": ("Dependencies",)},
        id="by a label that is no source",
    ),
    pytest.param(
        make_discovery("a -> b"),
        "a",
        {"sources": ("Labels",)},
        id="by a dependency that is no source",
    ),
    pytest.param(
        make_discovery("a -> b -> c"),
        "a",
        {"exclude": ["b"]},
        id="left out",
    ),
    pytest.param(
        make_discovery("a -> b", "a -> c"),
        "b",
        {"direction": "Upstream"},
        id="beside the direction",
    ),
    pytest.param(make_discovery("a -> b -> c"), "a", {"max_depth": 1}, id="too far"),
    pytest.param(
        make_discovery("a -> b"),
        "b",
        {"direction": "Upstream", "include_roots": False},
        id="the root that does not run",
    ),
]


@pytest.mark.parametrize(("discovery", "root", "wishes"), OUTSIDE)
def test_nothing_is_destroyed_on_which_a_stack_outside_depends(
    discovery: graph.Discovery, root: str, wishes: dict[str, Any], case: str, golden: Golden
) -> None:
    problem = problem_of(discovery, root, operation="Destroy", **wishes)

    assert problem.reason is ChainReason.DEPENDENT_OUTSIDE
    golden("graph_problems").check(f"a dependent is outside: {case}", problem.message)


def test_a_dependent_that_was_not_read_is_outside_too(golden: Golden) -> None:
    discovery = make_discovery("a -> b")
    edge = graph.Edge(upstream="b", dependent="unread", is_native=True, is_label=False)

    problem = problem_of(
        dataclasses.replace(discovery, edges=(*discovery.edges, edge)), "a", operation="Destroy"
    )

    golden("graph_problems").check("a dependent is outside: not read", problem.message)


def test_what_an_earlier_run_destroyed_does_not_count_again() -> None:
    resolved = resolve(
        make_discovery("a -> b", "b -> new"),
        "a",
        operation="Destroy",
        max_depth=1,
        kept=frozenset({"b"}),
    )

    assert upstreams(resolved) == {"b": (), "a": ("b",)}


@pytest.mark.parametrize("operation", ["Apply", "Plan"])
def test_a_dependent_outside_does_not_hinder_what_destroys_nothing(operation: str) -> None:
    resolved = resolve(make_discovery("a -> b"), "a", direction="RootsOnly", operation=operation)

    assert planned(resolved).keys() == {"a"}
