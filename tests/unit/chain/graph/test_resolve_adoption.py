"""resolve.resolve: whose run each stack will have."""

import dataclasses
from typing import Any

import pytest

from controller.chain.graph import resolve as graph
from tests.support.builders import make_discovery
from tests.unit.chain.graph.resolving import planned, resolve

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
    assert graph.stacks_queuing(resolved, "b") == ["a"]
    assert planned(resolved)["b"].queuers == ("a",)


def test_the_end_of_a_wave_below_the_depth_is_not_adopted_and_still_reached() -> None:
    resolved = resolve(make_discovery("a -> b -> c"), "a", max_depth=1)

    assert planned(resolved)["b"].adopts_from == "a"
    assert planned(resolved).keys() == {"a", "b"}
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

    assert graph.stacks_queuing(resolved, "d") == ["a", "b", "c"]
    assert graph.stacks_queuing(resolved, "a") == []


def test_stacks_outside_of_the_chain_are_reached_too() -> None:
    discovery = make_discovery("a -> x -> y", "a -> b", labels=["b -> z"])

    resolved = resolve(discovery, "a", exclude=["x"], sources=("Dependencies",), max_depth=1)

    assert planned(resolved).keys() == {"a", "b"}
    assert resolved.native_dependents == {"a": ("b", "x"), "b": (), "x": ("y",), "y": (), "z": ()}
    assert resolved.native_upstreams == {"a": (), "b": ("a",), "x": ("a",), "y": ("x",), "z": ()}
    assert graph.reach(resolved, "a") == ["b", "x", "y"]
    assert graph.stacks_queuing(resolved, "y") == ["a", "x"]


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
