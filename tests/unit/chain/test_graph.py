"""graph.resolve: from what was read to what runs after what, or what is wrong with it."""

import dataclasses
import itertools
from typing import Any

import pytest

from controller.api.reasons import ChainReason
from controller.chain.graph import resolve as graph
from tests.support.builders import make_discovery, make_scope, resolve_graph

BOTH = ("Dependencies", "Labels")
# What a status keeps of a message is 1,024 characters; the chain may put words before it.
LONGEST_MESSAGE = 900


def resolve(discovery: graph.Discovery, *roots: str, **wishes: Any) -> graph.ChainGraph:
    """Resolve from roots; without any, all that was read is a root."""
    if not roots and not wishes.get("root_labels"):
        roots = tuple(stack.id for stack in discovery.stacks)
    return resolve_graph(discovery, *roots, **wishes)


def problem_of(discovery: graph.Discovery, *roots: str, **wishes: Any) -> graph.GraphProblem:
    with pytest.raises(graph.GraphProblem) as caught:
        resolve(discovery, *roots, **wishes)
    return caught.value


def planned(resolved: graph.ChainGraph) -> dict[str, graph.PlannedStack]:
    return {stack.id: stack for stack in resolved.stacks}


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
    assert resolved.outside == tuple(sorted(ALL - expected))
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
    assert (found["vpc"].level, found["vpc"].remaining) == (3, 1)
    assert (found["site"].level, found["site"].remaining) == (0, 4)


@pytest.mark.parametrize("operation", ["Plan", "Destroy"])
def test_nothing_is_adopted_where_spacelift_queues_nothing(operation: str) -> None:
    resolved = resolve(TREE, "vpc", operation=operation)

    assert {(stack.adopts_from, stack.queuers) for stack in resolved.stacks} == {(None, ())}
    assert (resolved.native_dependents, resolved.native_upstreams) == ({}, {})
    assert graph.reach(resolved, "vpc") == graph.queuers(resolved, "site") == []


OUTSIDE = [
    pytest.param(
        make_discovery("a -> b"),
        "a",
        {"direction": "RootsOnly"},
        ["'b' (depends on 'a')"],
        id="natively",
    ),
    pytest.param(
        make_discovery(labels=["a -> b"]),
        "a",
        {"sources": ("Dependencies",)},
        ["'b' (depends on 'a')"],
        id="by a label that is no source",
    ),
    pytest.param(
        make_discovery("a -> b"),
        "a",
        {"sources": ("Labels",)},
        ["'b' (depends on 'a')"],
        id="by a dependency that is no source",
    ),
    pytest.param(
        make_discovery("a -> b -> c"),
        "a",
        {"exclude": ["b"]},
        ["'b' (depends on 'a')"],
        id="left out",
    ),
    pytest.param(
        make_discovery("a -> b", "a -> c"),
        "b",
        {"direction": "Upstream"},
        ["'c' (depends on 'a')"],
        id="beside the direction",
    ),
    pytest.param(
        make_discovery("a -> b -> c"), "a", {"max_depth": 1}, ["'c' (depends on 'b')"], id="too far"
    ),
    pytest.param(
        make_discovery("a -> b"),
        "b",
        {"direction": "Upstream", "include_roots": False},
        ["'b' (depends on 'a')"],
        id="the root that does not run",
    ),
]


@pytest.mark.parametrize(("discovery", "root", "wishes", "pairs"), OUTSIDE)
def test_nothing_is_destroyed_on_which_a_stack_outside_depends(
    discovery: graph.Discovery, root: str, wishes: dict[str, Any], pairs: list[str]
) -> None:
    problem = problem_of(discovery, root, operation="Destroy", **wishes)

    assert problem.reason is ChainReason.DEPENDENT_OUTSIDE
    assert all(pair in problem.message for pair in pairs)
    assert "Take them into the chain" in problem.message


def test_a_dependent_that_was_not_read_is_outside_too() -> None:
    discovery = make_discovery("a -> b")
    edge = graph.Edge(upstream="b", dependent="unread", is_native=True, is_label=False)

    problem = problem_of(
        dataclasses.replace(discovery, edges=(*discovery.edges, edge)), "a", operation="Destroy"
    )

    assert "'unread' (depends on 'b')" in problem.message


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


# Whose run it will be

ADOPTION = [
    pytest.param(
        make_discovery("a -> b -> c"),
        {},
        {"a": None, "b": "a", "c": "a"},
        id="linear: all from the root's wave",
    ),
    pytest.param(
        make_discovery("a -> b -> d", "a -> c -> d"),
        {},
        {"a": None, "b": "a", "c": "a", "d": "a"},
        id="diamond: one wave reaches the end twice and queues once",
    ),
    pytest.param(
        make_discovery("a -> c -> d", "b -> c"),
        {},
        {"a": None, "b": None, "c": None, "d": "c"},
        id="two roots: the shared dependent starts a wave of its own",
    ),
    pytest.param(
        make_discovery("a -> b -> d", labels=["x -> b"], stacks=["x"]),
        {},
        {"a": None, "b": None, "d": "b", "x": None},
        id="a label among the upstreams: Spacelift would start too early",
    ),
    pytest.param(
        make_discovery(labels=["a -> b -> c"]),
        {},
        {"a": None, "b": None, "c": None},
        id="labels only: Spacelift queues nothing",
    ),
    pytest.param(
        make_discovery("root1 -> root2"),
        {},
        {"root1": None, "root2": "root1"},
        id="a root below another root is queued by that one",
    ),
    pytest.param(
        make_discovery("a -> b", labels=["a -> b"]),
        {},
        {"a": None, "b": "a"},
        id="native and labeled at once: Spacelift queues it",
    ),
    pytest.param(
        make_discovery("a -> b -> d", labels=["a -> c"], stacks=["c"]),
        {},
        {"a": None, "b": "a", "c": None, "d": "a"},
        id="a label beside does not disturb the wave",
    ),
    pytest.param(
        make_discovery("a -> x -> b -> c"),
        {"exclude": ["x"]},
        {"a": None, "b": None, "c": "b"},
        id="behind one left out: its run would hang on one that is stopped",
    ),
    pytest.param(
        make_discovery("a -> x -> b", "a -> b"),
        {"exclude": ["x"]},
        {"a": None, "b": None},
        id="beside one left out: the same",
    ),
    pytest.param(
        make_discovery("a -> b", "y -> b"),
        {"exclude": ["y"]},
        {"a": None, "b": "a"},
        id="one left out that is in no wave is nobody's upstream in a wave",
    ),
    pytest.param(
        make_discovery("a -> b", "a -> c", labels=["a -> b -> c"]),
        {"sources": ("Labels",)},
        {"a": None, "b": "a", "c": None},
        id="labels are the source: adopted only where dependencies say the same",
    ),
    pytest.param(
        make_discovery("a -> b -> c", "a -> c", labels=["a -> b", "a -> c"]),
        {"sources": ("Labels",)},
        {"a": None, "b": "a", "c": None},
        id="Spacelift would wait for one for which the chain does not",
    ),
    pytest.param(
        make_discovery("a -> b -> c"),
        {"kept": frozenset({"a"})},
        {"a": None, "b": None, "c": "b"},
        id="kept: begins no wave",
    ),
    pytest.param(
        make_discovery("a -> b -> d", "a -> c -> d"),
        {"kept": frozenset({"b"})},
        {"a": None, "b": None, "c": "a", "d": None},
        id="kept in the middle of a wave: its native run is stopped",
    ),
    pytest.param(
        make_discovery("a -> b", "k -> b"),
        {"kept": frozenset({"k"})},
        {"a": None, "k": None, "b": "a"},
        id="kept beside the wave: need not be waited for",
    ),
    pytest.param(
        make_discovery("a -> b", labels=["k -> b"]),
        {"kept": frozenset({"k"})},
        {"a": None, "k": None, "b": "a"},
        id="kept and only labeled: the same",
    ),
    pytest.param(
        make_discovery("a -> b -> c"),
        {"is_adopting": False},
        {"a": None, "b": None, "c": None},
        id="nothing is to be adopted",
    ),
]


@pytest.mark.parametrize(("discovery", "wishes", "adopts_from"), ADOPTION)
def test_a_stack_adopts_where_its_run_waits_for_what_the_chain_waits_for(
    discovery: graph.Discovery, wishes: dict[str, Any], adopts_from: dict[str, str | None]
) -> None:
    found = planned(resolve(discovery, **wishes))

    assert {key: stack.adopts_from for key, stack in found.items()} == adopts_from


@pytest.mark.parametrize(
    ("discovery", "adopts_from"),
    [
        pytest.param(
            make_discovery("a -> b -> c"), {"a": None, "b": None, "c": "b"}, id="in a row"
        ),
        pytest.param(
            make_discovery("a -> b -> d", "a -> c -> d"),
            {"a": None, "b": None, "c": "a", "d": None},
            id="beside another: the run behind both would wait for that one only",
        ),
    ],
)
def test_a_disabled_stack_is_in_no_wave(
    discovery: graph.Discovery, adopts_from: dict[str, str | None]
) -> None:
    """Spacelift queues nothing there; the chain waits until somebody enables it."""
    stacks = [dataclasses.replace(s, is_disabled=s.id == "b") for s in discovery.stacks]

    resolved = resolve(dataclasses.replace(discovery, stacks=tuple(stacks)), "a")

    assert {stack.id: stack.adopts_from for stack in resolved.stacks} == adopts_from
    assert graph.queuers(resolved, "b") == ["a"]
    assert planned(resolved)["b"].queuers == ("a",)


def test_the_end_of_a_wave_below_the_depth_is_not_adopted_and_still_reached() -> None:
    resolved = resolve(make_discovery("a -> b -> c"), "a", max_depth=1)

    assert planned(resolved)["b"].adopts_from == "a"
    assert resolved.outside == ("c",)
    assert graph.reach(resolved, "a") == ["b", "c"]


@pytest.mark.parametrize(
    ("discovery", "queuers"),
    [
        pytest.param(
            make_discovery("a -> b -> c -> d"),
            {"a": (), "b": ("a",), "c": ("a", "b"), "d": ("a", "c")},
            id="the direct upstream, and where the wave begins",
        ),
        pytest.param(
            make_discovery("a -> c -> d", "b -> c"),
            {"a": (), "b": (), "c": ("a", "b"), "d": ("a", "b", "c")},
            id="all waves that reach it",
        ),
        pytest.param(
            make_discovery("a -> b", labels=["b -> c"]),
            {"a": (), "b": ("a",), "c": ()},
            id="labels queue nothing",
        ),
    ],
)
def test_a_native_run_may_name_an_upstream_or_who_began_the_wave(
    discovery: graph.Discovery, queuers: dict[str, tuple[str, ...]]
) -> None:
    found = planned(resolve(discovery))

    assert {key: stack.queuers for key, stack in found.items()} == queuers


def test_whoever_reaches_a_stack_may_have_queued_its_run() -> None:
    """Also a stack that was to adopt, found nothing and was triggered in the end."""
    resolved = resolve(make_discovery("a -> b -> c -> d", labels=["x -> d"]), "a")

    assert graph.queuers(resolved, "d") == ["a", "b", "c"]
    assert graph.queuers(resolved, "a") == []


def test_stacks_outside_of_the_chain_are_reached_too() -> None:
    discovery = make_discovery("a -> x -> y", "a -> b", labels=["b -> z"])

    resolved = resolve(discovery, "a", exclude=["x"], sources=("Dependencies",), max_depth=1)

    assert planned(resolved).keys() == {"a", "b"}
    assert resolved.native_dependents == {"a": ("b", "x"), "b": (), "x": ("y",), "y": (), "z": ()}
    assert resolved.native_upstreams == {"a": (), "b": ("a",), "x": ("a",), "y": ("x",), "z": ()}
    assert graph.reach(resolved, "a") == ["b", "x", "y"]
    assert graph.queuers(resolved, "y") == ["a", "x"]
    assert resolved.outside == ("x", "y", "z")


def test_native_edges_that_do_not_order_the_chain_still_queue_runs() -> None:
    """With labels only, `b` follows `x`; the run that `a` queues on it is known, and unwanted."""
    discovery = make_discovery("a -> b", labels=["x -> b"])

    resolved = resolve(discovery, "a", "x", sources=("Labels",))

    assert planned(resolved)["b"].depends_on == ("x",)
    assert planned(resolved)["b"].adopts_from is None
    assert graph.reach(resolved, "a") == ["b"]


def test_dependencies_that_changed_into_a_circle_while_they_were_read_end_the_search() -> None:
    """Spacelift allows none at any moment; two answers of different moments may show one."""
    resolved = resolve(make_discovery("a -> x -> y -> x"), "a", sources=("Labels",))

    assert graph.reach(resolved, "a") == [*graph.reach(resolved, "y"), "y"] == ["x", "y"]


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


def test_a_cycle_through_a_stack_that_is_left_out_is_named_with_it() -> None:
    problem = problem_of(make_discovery("r -> b -> x -> c -> b"), "r", exclude=["x"])

    assert problem.message.endswith(": b -> x -> c -> b")


def test_destroying_a_cycle_names_it_as_applying_does() -> None:
    discovery = make_discovery("root -> a -> b -> a")

    messages = {problem_of(discovery, operation=it).message for it in ("Apply", "Plan", "Destroy")}

    assert len(messages) == 1


def test_a_cycle_of_edges_that_do_not_order_the_chain_is_none() -> None:
    resolved = resolve(make_discovery("a -> b", labels=["b -> a"]), sources=("Dependencies",))

    assert [stack.id for stack in resolved.stacks] == ["a", "b"]


def test_a_long_cycle_is_shortened_in_the_middle() -> None:
    names = [f"{number:03}" + "x" * 60 for number in range(100)]

    message = problem_of(make_discovery(" -> ".join([*names, names[0]]))).message

    assert f"{names[0]} -> {names[1]}" in message
    assert message.endswith(f"more) -> {names[0]}")
    shown = message.count("xxx -> ")
    assert f"({100 - shown} more)" in message


def test_a_root_that_is_not_there_is_named_with_what_to_do() -> None:
    problem = problem_of(make_discovery(stacks=["a"], unknown_roots=("vpc", "typo")))

    assert problem.reason is ChainReason.UNKNOWN_STACK
    assert "'typo', 'vpc'" in problem.message
    assert "Correct `spec.roots.stackIds`" in problem.message


@pytest.mark.parametrize(
    ("labels", "named"),
    [
        (("team:net",), "the label 'team:net'"),
        (("prod", "team:net"), "all of the labels 'prod', 'team:net'"),
    ],
)
def test_root_labels_that_no_stack_has_are_named(labels: tuple[str, ...], named: str) -> None:
    with pytest.raises(graph.GraphProblem) as caught:
        graph.resolve(make_discovery(), make_scope(root_labels=labels))

    assert caught.value.reason is ChainReason.GRAPH_EMPTY
    assert named in caught.value.message
    assert "Correct `spec.roots.labels`" in caught.value.message


DEPENDENT = (("b", "secret"),)
UPSTREAM = (("secret", "b"),)
HIDDEN_DEPENDENT = "'secret' (depends on 'b')"
HIDDEN_UPSTREAM = "'secret' ('b' depends on it)"

INVISIBLE = [
    pytest.param("a", {}, DEPENDENT, HIDDEN_DEPENDENT, id="downstream"),
    pytest.param("a", {"operation": "Plan"}, DEPENDENT, HIDDEN_DEPENDENT, id="to be planned"),
    pytest.param("a", {"operation": "Destroy"}, DEPENDENT, HIDDEN_DEPENDENT, id="to be destroyed"),
    pytest.param(
        "a",
        {"exclude": ["b"], "operation": "Plan"},
        DEPENDENT,
        HIDDEN_DEPENDENT,
        id="behind one that is left out: it would belong to the chain",
    ),
    pytest.param(
        "a", {"direction": "RootsOnly"}, DEPENDENT, HIDDEN_DEPENDENT, id="reached natively only"
    ),
    pytest.param(
        "a", {"exclude": ["secret"]}, DEPENDENT, HIDDEN_DEPENDENT, id="left out, but reached"
    ),
    pytest.param("a", {"max_depth": 1}, DEPENDENT, HIDDEN_DEPENDENT, id="too far, but reached"),
    pytest.param("b", {"direction": "Upstream"}, UPSTREAM, HIDDEN_UPSTREAM, id="upstream"),
]


@pytest.mark.parametrize(("root", "wishes", "invisible", "named"), INVISIBLE)
def test_a_stack_that_the_key_cannot_see_and_that_matters_is_named(
    root: str, wishes: dict[str, Any], invisible: tuple[tuple[str, str], ...], named: str
) -> None:
    problem = problem_of(make_discovery("a -> b", invisible=invisible), root, **wishes)

    assert problem.reason is ChainReason.DEPENDENT_NOT_VISIBLE
    assert named in problem.message
    assert "Give it access" in problem.message


def test_an_invisible_upstream_may_be_a_mistake_in_a_label_or_left_out() -> None:
    discovery = make_discovery("a -> b", invisible=UPSTREAM)

    message = problem_of(discovery, "b", direction="Upstream").message

    assert "correct the `dependsOn:` label" in message
    assert "`spec.graph.exclude.stackIds`" in message
    assert planned(resolve(discovery, "b", direction="Upstream", exclude=["secret"])).keys() == {
        "a",
        "b",
    }


@pytest.mark.parametrize(
    ("root", "wishes", "invisible"),
    [
        pytest.param("b", {}, UPSTREAM, id="an upstream that would not belong to the chain"),
        pytest.param(
            "b", {"direction": "RootsOnly", "operation": "Plan"}, DEPENDENT, id="no native runs"
        ),
        pytest.param(
            "a", {"max_depth": 1, "operation": "Plan"}, DEPENDENT, id="too far, and no native runs"
        ),
        pytest.param(
            "a",
            {"exclude": ["secret"], "operation": "Plan"},
            DEPENDENT,
            id="left out, and no native runs",
        ),
        pytest.param(
            "b",
            {"direction": "Upstream", "max_depth": 1, "exclude": ["a"]},
            (("secret", "a"),),
            id="an upstream too far away",
        ),
        pytest.param(
            "c",
            {"direction": "Upstream"},
            DEPENDENT,
            id="downstream of a stack that is neither a member nor reached",
        ),
    ],
)
def test_a_stack_that_the_key_cannot_see_and_that_does_not_matter_is_no_problem(
    root: str, wishes: dict[str, Any], invisible: tuple[tuple[str, str], ...]
) -> None:
    resolved = resolve(make_discovery("a -> b", stacks=["c"], invisible=invisible), root, **wishes)

    assert root in planned(resolved)


def test_more_stacks_than_the_chain_may_hold_are_counted_and_refused() -> None:
    problem = problem_of(make_discovery("a -> b -> c"), "a", max_stacks=2)

    assert problem.reason is ChainReason.TOO_MANY_STACKS
    assert "3 stacks belong to the chain, more than the 2 of `spec.graph.maxStacks`" in (
        problem.message
    )
    for way in ("raise it", "exclude", "maxDepth", "direction", "roots further downstream"):
        assert way in problem.message


def test_raising_the_limit_is_not_offered_where_it_cannot_be_raised() -> None:
    discovery = make_discovery(stacks=[f"s{number}" for number in range(501)])

    assert "raise it" not in problem_of(discovery).message


@pytest.mark.parametrize(
    "wishes", [{"exclude": ["c"]}, {"max_depth": 1}, {"include_roots": False}, {"max_stacks": 3}]
)
def test_only_members_count(wishes: dict[str, Any]) -> None:
    resolved = resolve(make_discovery("a -> b -> c"), "a", **({"max_stacks": 2} | wishes))

    assert len(resolved.stacks) <= 3


def test_a_reading_that_was_cut_off_counts_as_too_many() -> None:
    problem = problem_of(make_discovery("a -> b", is_cut_off=True))

    assert problem.reason is ChainReason.TOO_MANY_STACKS
    assert "More than 1000 stacks" in problem.message
    assert "roots further downstream" in problem.message


def test_a_native_reach_that_is_too_large_to_be_watched_is_refused() -> None:
    problem = problem_of(make_discovery("a -> b", is_reach_cut_off=True))

    assert problem.reason is ChainReason.TOO_MANY_STACKS
    assert "more than 1000 would have to be watched" in problem.message


@pytest.mark.parametrize(
    ("wishes", "words"),
    [
        pytest.param(
            {"exclude": ["a", "b"]},
            "2 stacks found, left out are 2 by `spec.graph.exclude`.",
            id="all left out",
        ),
        pytest.param(
            {"include_roots": False, "exclude": ["b"]},
            "2 stacks found, left out are 1 by `spec.graph.exclude` and 1 because of "
            "`spec.graph.includeRoots: false`.",
            id="the rest left out",
        ),
        pytest.param(
            {"include_roots": False, "direction": "Upstream"},
            "1 stack found, left out are 1 because of `spec.graph.includeRoots: false`.",
            id="nothing in the direction",
        ),
    ],
)
def test_a_chain_without_a_stack_is_refused_and_says_why(
    wishes: dict[str, Any], words: str
) -> None:
    problem = problem_of(make_discovery("a -> b"), "a", **wishes)

    assert problem.reason is ChainReason.GRAPH_EMPTY
    assert words in problem.message
    assert "Correct `spec.roots`" in problem.message


def test_unknown_roots_come_before_all_else_that_is_wrong() -> None:
    """Without its root the rest of the graph says nothing."""
    problem = problem_of(
        make_discovery("a -> a", unknown_roots=("x",), invisible=(("a", "y"),), is_cut_off=True)
    )

    assert problem.reason is ChainReason.UNKNOWN_STACK


LONG = [f"{number:03}" + "x" * 125 for number in range(64)]


@pytest.mark.parametrize(
    ("discovery", "wishes"),
    [
        pytest.param(
            make_discovery(unknown_roots=tuple(LONG)), {"roots": LONG}, id="unknown roots"
        ),
        pytest.param(make_discovery(), {"root_labels": tuple(LONG)}, id="root labels"),
        pytest.param(
            make_discovery(stacks=["a"], invisible=tuple(itertools.product("a", LONG))),
            {},
            id="invisible dependents",
        ),
        pytest.param(
            make_discovery(stacks=["a"], invisible=tuple((name, "a") for name in LONG)),
            {"direction": "Upstream"},
            id="invisible upstreams",
        ),
        pytest.param(
            make_discovery(*(f"{up} -> {down}" for up, down in itertools.pairwise(LONG))),
            {"roots": LONG[::2], "operation": "Destroy", "direction": "RootsOnly"},
            id="dependents outside",
        ),
    ],
)
def test_many_names_leave_room_for_what_to_do(
    discovery: graph.Discovery, wishes: dict[str, Any]
) -> None:
    message = problem_of(discovery, *wishes.pop("roots", ()), **wishes).message

    assert len(message) <= LONGEST_MESSAGE
    assert " more" in message
    assert message.endswith(".")


def test_the_remedy_of_a_long_cycle_is_not_cut_off() -> None:
    message = problem_of(make_discovery(" -> ".join([*LONG, LONG[0]]))).message

    assert len(message) <= LONGEST_MESSAGE
    assert message.endswith(LONG[0])
