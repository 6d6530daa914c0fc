"""resolve.resolve: whose run each stack will have."""

import dataclasses
from typing import Any

import pytest

from controller.api.v1alpha1 import NativeRuns
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
        {"native_runs": NativeRuns.REPLACE},
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
    """Spacelift queues nothing there; the chain waits until someone enables it."""
    stacks = [dataclasses.replace(s, is_disabled=s.id == "b") for s in discovery.stacks]

    resolved = resolve(dataclasses.replace(discovery, stacks=tuple(stacks)), "a")

    assert {stack.id: stack.adopts_from for stack in resolved.stacks} == adopts_from
    assert [stack.id for stack in resolved.stacks if stack.is_disabled] == ["b"]
    assert "b" in graph.reach(resolved, "a")
    assert "b" not in graph.queued_behind(resolved, "a")


def test_the_end_of_a_wave_below_the_depth_is_not_adopted_and_still_reached() -> None:
    resolved = resolve(make_discovery("a -> b -> c"), "a", max_depth=1)

    assert planned(resolved)["b"].adopts_from == "a"
    assert planned(resolved).keys() == {"a", "b"}
    assert graph.reach(resolved, "a") == ["b", "c"]


def test_only_what_hangs_on_the_origin_alone_adopts_where_it_is_strict() -> None:
    """Of a skipped run Spacelift starts the dependents; a run that is triggered is not skipped."""
    discovery = make_discovery("a -> b -> c -> d", "a -> e", "b -> e")

    found = planned(resolve(discovery, native_runs=NativeRuns.STRICT))

    assert {key: stack.adopts_from for key, stack in found.items()} == {
        "a": None,
        "b": "a",
        "c": None,
        "d": "c",
        "e": None,
    }


def test_what_is_behind_a_disabled_stack_alone_is_not_sure_to_be_queued() -> None:
    discovery = make_discovery("a -> b -> c", "a -> d")
    stacks = tuple(dataclasses.replace(s, is_disabled=s.id == "b") for s in discovery.stacks)

    resolved = resolve(dataclasses.replace(discovery, stacks=stacks), "a")

    assert graph.reach(resolved, "a") == ["b", "c", "d"]
    assert graph.queued_behind(resolved, "a") == ["d"]
