"""Reading the subgraph: level by level, natively and by labels, and no more than is allowed."""

from collections.abc import Sequence

import pytest
import temporalio.exceptions
from temporalio.testing import ActivityEnvironment

from controller.chain import graph
from controller.spacelift import errors, models
from controller.temporal import messages
from controller.temporal.activities import stack_dependencies
from tests.unit.temporal.activities import fakes


def account(*drawing: str) -> fakes.Bench:
    """`"a>b"` is a native edge, `"a~b"` a label on b, `"a>!b"` one to a stack nobody can see."""
    bench = fakes.make_bench()
    native = [text.split(">") for text in drawing if ">" in text]
    labels = [text.split("~") for text in drawing if "~" in text]
    names = {name for edge in (*native, *labels) for name in edge} | {
        text for text in drawing if text.isalnum()
    }
    for name in sorted(names):
        if name.startswith("!"):
            continue
        bench.spacelift.stacks[name] = models.StackRecord(
            id=name,
            name=name.upper(),
            labels=tuple(f"dependsOn:{up}" for up, down in labels if down == name),
            is_depended_on_by=tuple(
                models.StackEdge(upstream_id=up, dependent_id=down.strip("!"))
                for up, down in native
                if up == name
            ),
        )
    return bench


async def fetch(
    bench: fakes.Bench,
    *roots: str,
    sources: Sequence[str] = ("Dependencies", "Labels"),
    max_stacks: int = 500,
) -> graph.Discovery:
    return await ActivityEnvironment().run(
        stack_dependencies.StackDependencies(bench.clients).fetch_dependent_stacks,
        messages.FetchDependentStacksInput(
            connection=fakes.CONNECTION,
            roots=list(roots or ("a",)),
            sources=list(sources),
            max_stacks=max_stacks,
        ),
    )


def ids(found: graph.Discovery) -> list[str]:
    return [stack.id for stack in found.stacks]


async def test_all_levels_are_read_in_one_request_each() -> None:
    bench = account("a>b", "a>c", "b>d", "c>d", "x>a")

    found = await fetch(bench, sources=["Dependencies"])

    assert ids(found) == ["a", "b", "c", "d"]
    assert found.stacks[0].name == "A"
    assert [argument for _, argument in bench.spacelift.calls] == [["a"], ["b", "c"], ["d"]]


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


@pytest.mark.parametrize(
    ("sources", "stacks"),
    [(["Dependencies"], ["a", "b"]), (["Labels"], ["a", "c"])],
)
async def test_only_the_sources_asked_for_lead_to_stacks(
    sources: list[str], stacks: list[str]
) -> None:
    assert ids(await fetch(account("a>b", "a~c"), sources=sources)) == stacks


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


async def test_what_is_over_the_limit_is_not_read() -> None:
    bench = account(*(f"a>b{number}" for number in range(2000)))

    found = await fetch(bench, max_stacks=500)

    assert found.is_cut_off
    assert bench.spacelift.count("get_stacks") == 1


async def test_exactly_as_many_as_allowed_are_read() -> None:
    bench = account(*(f"a>b{number}" for number in range(9)))

    found = await fetch(bench, max_stacks=10)

    assert not found.is_cut_off
    assert len(found.stacks) == 10


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


async def test_a_rate_limit_midway_is_waited_out_and_nothing_is_read_again() -> None:
    bench = account("a>b")
    bench.spacelift.fail("list_stacks_by_labels", limited(0), limited(0.01))

    found = await fetch(bench)

    assert ids(found) == ["a", "b"]
    assert bench.spacelift.count("get_stacks") == 2


@pytest.mark.parametrize(
    "failures",
    [
        pytest.param([limited(0)] * 6, id="again and again"),
        pytest.param([limited(3600)], id="for long"),
    ],
)
async def test_a_rate_limit_that_does_not_pass_soon_is_left_to_temporal(
    failures: list[errors.SpaceliftError],
) -> None:
    bench = account("a")
    bench.spacelift.fail("get_stacks", *failures)

    with pytest.raises(temporalio.exceptions.ApplicationError) as caught:
        await fetch(bench)

    assert (caught.value.type, caught.value.non_retryable) == ("RateLimited", False)
    assert caught.value.next_retry_delay is not None
