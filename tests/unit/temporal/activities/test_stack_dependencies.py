"""Reading the stacks around the roots: few requests, no more than is needed or allowed."""

import dataclasses
import datetime
from typing import Any

import pytest
import temporalio.exceptions
from temporalio.testing import ActivityEnvironment

from controller.chain.graph import packed_reading, resolve
from controller.spacelift import errors, models
from controller.temporal import messages
from controller.temporal.activities import stack_dependencies
from tests.support.builders import make_scope
from tests.unit.temporal.activities import fakes


def account(*drawing: str, **labels: tuple[str, ...]) -> fakes.Bench:
    """`"a>b"` is a native edge, `"a~b"` a label on b; a stack with a "!" is not visible."""
    bench = fakes.make_bench()
    native = [text.split(">") for text in drawing if ">" in text]
    labeled = [text.split("~") for text in drawing if "~" in text]
    edges = [
        models.StackEdge(upstream_id=up.strip("!"), dependent_id=down.strip("!"))
        for up, down in native
    ]
    names = {name for edge in (*native, *labeled) for name in edge} | labels.keys()
    names |= {text for text in drawing if text.isalnum()}
    for name in sorted(names):
        if name.startswith("!"):
            continue
        ups = tuple(f"dependsOn:{up.strip('!')}" for up, down in labeled if down == name)
        bench.spacelift.stacks[name] = models.StackRecord(
            id=name,
            name=name.upper(),
            labels=(*ups, *labels.get(name, ())),
            depends_on=tuple(edge for edge in edges if edge.dependent_id == name),
            is_depended_on_by=tuple(edge for edge in edges if edge.upstream_id == name),
        )
    return bench


async def fetch(bench: fakes.Bench, *roots: str, **wishes: Any) -> resolve.Discovery:
    if not wishes.get("root_labels"):
        roots = roots or ("a",)
    packed = await ActivityEnvironment().run(
        stack_dependencies.StackDependencies(bench.clients).fetch_dependent_stacks,
        messages.FetchDependentStacksInput(
            connection=fakes.CONNECTION, scope=make_scope(*roots, **wishes)
        ),
    )
    return packed_reading.unpack(packed)


def ids(found: resolve.Discovery) -> list[str]:
    return [stack.id for stack in found.stacks]


def pairs(found: resolve.Discovery) -> list[tuple[str, str]]:
    return [(edge.upstream, edge.dependent) for edge in found.edges]


def reads(bench: fakes.Bench) -> list[list[str]]:
    return [argument for called, argument in bench.spacelift.calls if called == "get_stacks"]


# Downstream


async def test_all_levels_are_read_in_one_request_each() -> None:
    bench = account("a>b", "a>c", "b>d", "c>d", "x>a")

    found = await fetch(bench, sources=["Dependencies"])

    assert ids(found) == ["a", "b", "c", "d"]
    assert found.stacks[0].name == "A"
    assert reads(bench) == [["a"], ["b", "c"], ["d"]]
    assert len(bench.spacelift.calls) == 3


async def test_labels_are_searched_level_by_level() -> None:
    bench = account("a~b", "b~c", "a>d")

    found = await fetch(bench)

    edges = {(e.upstream, e.dependent): (e.is_native, e.is_label) for e in found.edges}
    assert edges == {
        ("a", "b"): (False, True),
        ("b", "c"): (False, True),
        ("a", "d"): (True, False),
    }
    assert bench.spacelift.count("list_stacks_by_labels") == 3


async def test_what_a_search_brings_along_is_not_asked_for_again() -> None:
    bench = account("a~b", "b~c", "b>d")

    await fetch(bench)

    assert reads(bench) == [["a"], ["d"]]


async def test_of_a_stacks_labels_only_what_leaves_it_out_is_told() -> None:
    found = await fetch(account("a>b", b=("slow", "team:net")), exclude_labels=["slow"])

    assert found.stacks[1].labels == ("slow",)


@pytest.mark.parametrize(
    ("sources", "stacks"),
    [(["Dependencies"], ["a", "b"]), (["Labels"], ["a", "c"])],
)
async def test_only_the_sources_asked_for_lead_to_stacks(
    sources: list[str], stacks: list[str]
) -> None:
    found = await fetch(account("a>b", "a~c"), sources=sources, operation="Plan")

    assert ids(found) == stacks


async def test_all_edges_between_the_stacks_are_told_whatever_the_sources() -> None:
    found = await fetch(account("a~b", "b~c", "a>c"), sources=["Labels"])

    assert [(e.upstream, e.dependent, e.is_native) for e in found.edges] == [
        ("a", "b", False),
        ("a", "c", True),
        ("b", "c", False),
    ]


async def test_a_cycle_is_read_once() -> None:
    found = await fetch(account("a~b", "b~a"))

    assert ids(found) == ["a", "b"]
    assert len(found.edges) == 2


async def test_unknown_roots_and_invisible_dependents_are_told() -> None:
    found = await fetch(account("a>!b", "a>c"), "a", "nothing")

    assert found.unknown_roots == ("nothing",)
    assert found.invisible == (("a", "b"),)
    assert ids(found) == ["a", "c"]


@pytest.mark.parametrize(
    ("root", "similar", "searched"),
    [
        pytest.param("vpc-prd", ["vpc-dev", "vpc-prod"], ["vpc"], id="found at once"),
        pytest.param("kuberntes-prod", ["vpc-prod"], ["kuberntes", "prod"], id="found later"),
        pytest.param("nothing", [], ["not", "ing"], id="unlike all"),
        pytest.param("x-1", [], [], id="too short to search for"),
    ],
)
async def test_stacks_that_an_unknown_root_may_mean_are_searched_by_parts_of_its_id(
    root: str, similar: list[str], searched: list[str]
) -> None:
    bench = account("a>b")
    for stack_id in ("vpc-dev", "vpc-prod"):
        bench.spacelift.add_stack(stack_id)

    found = await fetch(bench, root)

    assert found.unknown_roots == (root,)
    calls = [text for called, text in bench.spacelift.calls if called == "list_stacks_like"]
    assert (calls, list(found.similar)) == (searched, similar)


async def test_a_search_that_fails_leaves_only_the_guess_out() -> None:
    bench = account("a>b")
    bench.spacelift.fail("list_stacks_like", errors.Unreachable("away"))

    found = await fetch(bench, "aa")

    assert (found.unknown_roots, found.similar) == (("aa",), ())


async def test_nothing_is_searched_where_all_roots_are_known() -> None:
    bench = account("a>b")

    await fetch(bench, "a")

    assert bench.spacelift.count("list_stacks_like") == 0


async def test_a_disabled_stack_is_told_as_such() -> None:
    bench = account("a>b")
    record = bench.spacelift.stacks["b"]
    bench.spacelift.stacks["b"] = dataclasses.replace(record, is_disabled=True)

    found = await fetch(bench)

    assert [stack.is_disabled for stack in found.stacks] == [False, True]


async def test_an_edge_label_that_names_nothing_is_none() -> None:
    found = await fetch(account("a", a=("dependsOn:",)), direction="Upstream")

    assert (ids(found), found.invisible, found.edges) == (["a"], (), ())


# The other directions


async def test_upstream_is_read_level_by_level_through_both_sources() -> None:
    bench = account("a>b", "b>c", "x~c", "y~x", "c>d", "b>e")

    found = await fetch(bench, "c", direction="Upstream", operation="Plan")

    assert ids(found) == ["a", "b", "c", "x", "y"]
    assert reads(bench) == [["c"], ["b", "x"], ["a", "y"]]
    assert len(bench.spacelift.calls) == 3


@pytest.mark.parametrize(
    ("sources", "stacks"), [(["Dependencies"], ["a", "c"]), (["Labels"], ["b", "c"])]
)
async def test_upstream_follows_only_the_sources_asked_for(
    sources: list[str], stacks: list[str]
) -> None:
    bench = account("a>c", "b~c")

    found = await fetch(bench, "c", direction="Upstream", sources=sources, operation="Plan")

    assert ids(found) == stacks


async def test_upstreams_that_nobody_can_see_are_told() -> None:
    bench = account("!a>b", "!x~b")

    found = await fetch(bench, "b", direction="Upstream")

    assert found.invisible == (("a", "b"), ("x", "b"))
    assert found.unknown_roots == ()


async def test_what_a_root_depends_on_is_no_matter_downstream() -> None:
    found = await fetch(account("!x>a", "!y~a", "z>a"))

    assert (ids(found), found.invisible, found.edges) == (["a"], (), ())


async def test_of_a_root_alone_only_the_root_is_read() -> None:
    bench = account("a>b", "a~c", "x>a")

    found = await fetch(bench, direction="RootsOnly", operation="Plan")

    assert ids(found) == ["a"]
    assert len(bench.spacelift.calls) == 1


async def test_of_several_roots_alone_what_lies_between_them_is_read() -> None:
    """Otherwise they would run in another order than with their dependents."""
    found = await fetch(account("a~x", "x>b"), "a", "b", direction="RootsOnly", operation="Plan")

    assert ids(found) == ["a", "b", "x"]
    assert pairs(found) == [("a", "x"), ("x", "b")]


# Roots by label


async def test_roots_by_label_have_all_of_the_labels() -> None:
    bench = account("a>b", a=("net", "prod"), c=("net",), d=("prod", "net", "x"))

    found = await fetch(bench, root_labels=["net", "prod"])

    assert found.roots == ("a", "d")
    assert ids(found) == ["a", "b", "d"]
    assert reads(bench) == [["b"]]


async def test_no_root_by_label_is_nothing_read() -> None:
    found = await fetch(account("a"), root_labels=["net"])

    assert found == resolve.Discovery(stacks=(), edges=())


async def test_roots_by_id_are_told_too() -> None:
    assert (await fetch(account("a>b"), "a", "nothing")).roots == ("a",)


# What Spacelift would run as well


@pytest.mark.parametrize(
    ("root", "wishes", "stacks"),
    [
        pytest.param("b", {"direction": "Upstream"}, ["a", "b", "c", "d"], id="beside and below"),
        pytest.param("b", {"direction": "RootsOnly"}, ["b", "d"], id="below a root alone"),
        pytest.param("a", {"sources": ["Labels"]}, ["a", "b", "c", "d"], id="not of the sources"),
        pytest.param(
            "b",
            {"direction": "Upstream", "exclude": ["a"]},
            ["a", "b", "d"],
            id="not below one that is left out by id",
        ),
        pytest.param(
            "b",
            {"direction": "Upstream", "exclude_labels": ["shared"]},
            ["a", "b", "d"],
            id="not below one that is left out by label",
        ),
        pytest.param(
            "b",
            {"direction": "Upstream", "include_roots": False},
            ["a", "b", "c", "d"],
            id="all below the upstream, the root among them",
        ),
        pytest.param(
            "d",
            {"direction": "Upstream", "max_depth": 1},
            ["a", "b", "d"],
            id="not below one that is too far away",
        ),
    ],
)
async def test_for_apply_all_is_read_on_which_members_queue_runs(
    root: str, wishes: dict[str, Any], stacks: list[str]
) -> None:
    bench = account("a>b", "a>c", "b>d", a=("shared",))

    assert ids(await fetch(bench, root, **wishes)) == stacks


@pytest.mark.parametrize("operation", ["Plan", "Destroy"])
async def test_where_no_runs_are_queued_nothing_more_is_read(operation: str) -> None:
    bench = account("a>b", "a>c")

    found = await fetch(bench, "b", direction="Upstream", operation=operation)

    assert ids(found) == ["a", "b"]
    assert reads(bench) == [["b"], ["a"]]


async def test_downstream_the_reach_costs_no_further_request() -> None:
    bench = account("a>b", "b>c")

    await fetch(bench, sources=["Dependencies"])

    assert len(bench.spacelift.calls) == 3


async def test_a_stack_that_nobody_can_see_in_the_reach_is_told() -> None:
    found = await fetch(account("a>b", "a>c", "c>!d"), "b", direction="Upstream")

    assert found.invisible == (("c", "d"),)


# What depends on what is destroyed


async def test_for_destroy_the_edges_to_dependents_outside_are_told() -> None:
    bench = account("a>b", "a>c", "b~d", "c~e", "a~f")

    found = await fetch(bench, "b", direction="Upstream", operation="Destroy")

    assert ids(found) == ["a", "b"]
    assert pairs(found) == [("a", "b"), ("a", "c"), ("a", "f"), ("b", "d")]
    assert bench.spacelift.count("list_stacks_by_labels") == 1


async def test_for_destroy_edges_beside_the_sources_are_told() -> None:
    bench = account("a>b", "a~c")

    natively = await fetch(bench, sources=["Labels"], operation="Destroy")
    labeled = await fetch(bench, sources=["Dependencies"], operation="Destroy")

    assert pairs(natively) == pairs(labeled) == [("a", "b"), ("a", "c")]


async def test_without_destroy_there_are_no_edges_to_stacks_that_were_not_read() -> None:
    found = await fetch(account("a>b", "a~c"), direction="RootsOnly", operation="Plan")

    assert found.edges == ()


# Bounds


async def test_what_is_over_the_limit_is_not_read() -> None:
    bench = account(*(f"a>b{number}" for number in range(2000)))

    found = await fetch(bench)

    assert found == resolve.Discovery(stacks=(), edges=(), is_cut_off=True)
    assert reads(bench) == [["a"]]


async def test_exactly_as_many_as_allowed_are_read() -> None:
    bench = account(*(f"a>b{number}" for number in range(999)))

    found = await fetch(bench, max_stacks=10)

    assert not found.is_cut_off
    assert len(found.stacks) == 1000


async def test_too_many_roots_by_label_are_not_read() -> None:
    bench = account(**{f"s{number}": ("net",) for number in range(1200)})

    found = await fetch(bench, root_labels=["net"])

    assert found.is_cut_off
    assert len(bench.spacelift.calls) == 1


async def test_a_reach_over_the_limit_is_told_with_what_was_read() -> None:
    bench = account("a>b", *(f"a>c{number}" for number in range(2000)))

    found = await fetch(bench, "b", direction="Upstream")

    assert (found.is_cut_off, found.is_reach_cut_off) == (False, True)
    assert ids(found) == ["a", "b"]
    assert reads(bench) == [["b"], ["a"]]


async def test_a_large_reach_of_a_stack_that_is_left_out_is_no_matter() -> None:
    bench = account("a>b", *(f"a>c{number}" for number in range(2000)))

    found = await fetch(bench, "b", direction="Upstream", exclude=["a"])

    assert not found.is_reach_cut_off


# Failures


@pytest.mark.parametrize(
    ("error", "is_final"),
    [
        (errors.CredentialsRejected("no"), True),
        (errors.Unreachable("no"), False),
        (errors.AmbiguousOutcome("no"), False),
    ],
    ids=lambda value: type(value).__name__ if isinstance(value, Exception) else None,
)
async def test_a_failure_tells_whether_trying_again_helps(
    error: errors.SpaceliftError, is_final: bool
) -> None:
    bench = account("a")
    bench.spacelift.fail("get_stacks", error)

    with pytest.raises(temporalio.exceptions.ApplicationError) as caught:
        await fetch(bench)

    assert (caught.value.type, caught.value.non_retryable) == (type(error).__name__, is_final)


def limited(seconds: float) -> errors.RateLimited:
    return errors.RateLimited("too many", retry_after_seconds=seconds)


async def test_a_rate_limit_for_long_is_left_to_temporal() -> None:
    bench = account("a")
    bench.spacelift.fail("get_stacks", limited(3600))

    with pytest.raises(temporalio.exceptions.ApplicationError) as caught:
        await fetch(bench)

    assert (caught.value.type, caught.value.non_retryable) == ("LongPauseAsked", False)
    assert caught.value.next_retry_delay == datetime.timedelta(seconds=300)


# Labels in other forms


async def test_a_blank_after_the_prefix_counts_for_nothing() -> None:
    bench = account("a~b", c=("dependsOn: b",), d=(" dependsOn:  c ", "dependsOn:a"))

    found = await fetch(bench)

    assert pairs(found) == [("a", "b"), ("a", "d"), ("b", "c"), ("c", "d")]
    assert found.look_alikes == ()


async def test_labels_that_look_like_dependencies_are_told_without_another_request() -> None:
    told = ("DependsOn:a", "dependsOn:a,b")
    bench = account("a~b", b=told, c=("depends-on:b",), d=("depends-on:z",))

    found = await fetch(bench)

    named = [(item.stack_id, item.label) for item in found.look_alikes]
    assert named == [("b", told[0]), ("b", told[1]), ("c", "depends-on:b")]
    assert ids(found) == ["a", "b"]
    assert bench.spacelift.count("list_stacks_by_labels") == 2


async def test_the_prefixes_are_those_of_the_connection() -> None:
    bench = account("a~x", b=("after=a",), c=("needs:b",))
    bench.clients.change_connection(dependency_label_prefixes=("after=", "needs:"))

    found = await fetch(bench)

    assert pairs(found) == [("a", "b"), ("b", "c")]
