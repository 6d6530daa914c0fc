"""problems: what is wrong with a graph."""

import itertools
from typing import Any

import pytest

from controller.api.reasons import ChainReason
from controller.chain.graph import problems
from controller.chain.graph import resolve as graph
from tests.support.builders import make_discovery, make_scope
from tests.support.golden import Golden
from tests.unit.chain.graph.resolving import planned, problem_of, resolve

# What a status keeps of a message is 1,024 characters; the chain may put words before it.
LONGEST_MESSAGE = 900

PAGE = "graph_problems"


# What is wrong


def test_a_cycle_is_named_stack_by_stack_in_the_order_of_running(golden: Golden) -> None:
    problem = problem_of(make_discovery("root -> a -> b -> c -> a", "c -> end"))

    assert problem.reason is ChainReason.GRAPH_CYCLE
    golden(PAGE).check("a cycle", problem.message)


def test_stacks_that_apply_before_they_can_be_judged_are_named(golden: Golden) -> None:
    problem = problems.limits_not_enforceable({"b", "a"})

    assert problem.reason is ChainReason.LIMITS_NOT_ENFORCEABLE
    golden(PAGE).check("autodeploy with limits", problem.message)


def test_a_stack_that_depends_on_itself_is_a_cycle_of_one(golden: Golden) -> None:
    golden(PAGE).check("a cycle of one", problem_of(make_discovery("a -> a")).message)


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


def test_a_long_cycle_is_shortened_in_the_middle(golden: Golden) -> None:
    names = [f"{number:03}" + "x" * 60 for number in range(100)]

    message = problem_of(make_discovery(" -> ".join([*names, names[0]]))).message

    shown = message.count("xxx -> ")
    assert f"({100 - shown} more)" in message
    golden(PAGE).check("a long cycle", message)


def test_a_root_that_is_not_there_is_named_with_what_to_do(golden: Golden) -> None:
    problem = problem_of(make_discovery(stacks=["a"], unknown_roots=("vpc", "typo")))

    assert problem.reason is ChainReason.UNKNOWN_STACK
    golden(PAGE).check("unknown roots", problem.message)


def test_a_root_that_is_misspelled_is_named_with_what_may_be_meant(golden: Golden) -> None:
    unknown = make_discovery(
        stacks=["a"], unknown_roots=("typo", "vpc-prd"), similar=("vpc-dev", "vpc-prod")
    )

    golden(PAGE).check("misspelled roots", problem_of(unknown).message)


@pytest.mark.parametrize(
    "labels", [("team:net",), ("prod", "team:net")], ids=["one label", "two labels"]
)
def test_root_labels_that_no_stack_has_are_named(
    labels: tuple[str, ...], case: str, golden: Golden
) -> None:
    with pytest.raises(graph.GraphProblem) as caught:
        graph.resolve(make_discovery(), make_scope(root_labels=labels))

    assert caught.value.reason is ChainReason.GRAPH_EMPTY
    golden(PAGE).check(f"no stack has the labels of roots: {case}", caught.value.message)


DEPENDENT = (("b", "secret"),)


UPSTREAM = (("secret", "b"),)


INVISIBLE = [
    pytest.param("a", {}, DEPENDENT, id="downstream"),
    pytest.param("a", {"operation": "Plan"}, DEPENDENT, id="to be planned"),
    pytest.param("a", {"operation": "Destroy"}, DEPENDENT, id="to be destroyed"),
    pytest.param(
        "a",
        {"exclude": ["b"], "operation": "Plan"},
        DEPENDENT,
        id="behind one that is left out: it would belong to the chain",
    ),
    pytest.param("a", {"direction": "RootsOnly"}, DEPENDENT, id="reached natively only"),
    pytest.param("a", {"exclude": ["secret"]}, DEPENDENT, id="left out, but reached"),
    pytest.param("a", {"max_depth": 1}, DEPENDENT, id="too far, but reached"),
    pytest.param("b", {"direction": "Upstream"}, UPSTREAM, id="upstream"),
]


@pytest.mark.parametrize(("root", "wishes", "invisible"), INVISIBLE)
def test_a_stack_that_the_key_cannot_see_and_that_matters_is_named(
    root: str,
    wishes: dict[str, Any],
    invisible: tuple[tuple[str, str], ...],
    case: str,
    golden: Golden,
) -> None:
    problem = problem_of(make_discovery("a -> b", invisible=invisible), root, **wishes)

    assert problem.reason is ChainReason.DEPENDENT_NOT_VISIBLE
    golden(PAGE).check(f"not visible: {case}", problem.message)


def test_an_invisible_upstream_may_be_a_mistake_in_a_label_or_left_out() -> None:
    discovery = make_discovery("a -> b", invisible=UPSTREAM)

    assert problem_of(discovery, "b", direction="Upstream").reason is (
        ChainReason.DEPENDENT_NOT_VISIBLE
    )
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


def test_more_stacks_than_the_chain_may_hold_are_counted_and_refused(golden: Golden) -> None:
    problem = problem_of(make_discovery("a -> b -> c"), "a", max_stacks=2)

    assert problem.reason is ChainReason.TOO_MANY_STACKS
    golden(PAGE).check("too many stacks", problem.message)


def test_raising_the_limit_is_not_offered_where_it_cannot_be_raised(golden: Golden) -> None:
    discovery = make_discovery(stacks=[f"s{number}" for number in range(501)])

    golden(PAGE).check("too many stacks, by the highest limit", problem_of(discovery).message)


@pytest.mark.parametrize(
    "wishes", [{"exclude": ["c"]}, {"max_depth": 1}, {"include_roots": False}, {"max_stacks": 3}]
)
def test_only_members_count(wishes: dict[str, Any]) -> None:
    resolved = resolve(make_discovery("a -> b -> c"), "a", **({"max_stacks": 2} | wishes))

    assert len(resolved.stacks) <= 3


def test_a_reading_that_was_cut_off_counts_as_too_many(golden: Golden) -> None:
    problem = problem_of(make_discovery("a -> b", is_cut_off=True))

    assert problem.reason is ChainReason.TOO_MANY_STACKS
    golden(PAGE).check("too many stacks to read", problem.message)


def test_a_native_reach_that_is_too_large_to_be_watched_is_refused(golden: Golden) -> None:
    problem = problem_of(make_discovery("a -> b", is_reach_cut_off=True))

    assert problem.reason is ChainReason.TOO_MANY_STACKS
    golden(PAGE).check("too many stacks outside to watch", problem.message)


@pytest.mark.parametrize(
    "wishes",
    [
        pytest.param({"exclude": ["a", "b"]}, id="all left out"),
        pytest.param({"include_roots": False, "exclude": ["b"]}, id="the rest left out"),
        pytest.param(
            {"include_roots": False, "direction": "Upstream"}, id="nothing in the direction"
        ),
    ],
)
def test_a_chain_without_a_stack_is_refused_and_says_why(
    wishes: dict[str, Any], case: str, golden: Golden
) -> None:
    problem = problem_of(make_discovery("a -> b"), "a", **wishes)

    assert problem.reason is ChainReason.GRAPH_EMPTY
    golden(PAGE).check(f"no stack to run: {case}", problem.message)


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
