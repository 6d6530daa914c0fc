"""stages: which stage a stack belongs to, and which dependencies contradict the order."""

import dataclasses

import pytest

from controller.api import v1alpha1
from controller.api.reasons import ChainReason
from controller.chain.graph import stages
from tests.support.builders import make_discovery
from tests.support.golden import Golden
from tests.unit.chain.graph.resolving import planned, problem_of, resolve

DEV = v1alpha1.Stage(name="dev", labels=("env:dev",))
QA = v1alpha1.Stage(name="qa", labels=("env:qa",))
PROD = v1alpha1.Stage(name="prod", labels=("env:prod", "tier:1"))
ALL = (DEV, QA, PROD)


@pytest.mark.parametrize(
    ("labels", "stage"),
    [
        pytest.param(["env:dev"], "dev", id="its label"),
        pytest.param(["x", "tier:1", "env:prod"], "prod", id="all of its labels, among others"),
        pytest.param(["env:prod"], "", id="one of two labels is not enough"),
        pytest.param([], "", id="no label"),
        pytest.param(["env:qa", "env:dev"], "dev", id="of two stages the first"),
        pytest.param(["env:dev2"], "", id="a label that starts alike"),
    ],
)
def test_a_stack_belongs_to_the_first_stage_whose_labels_it_all_has(
    labels: list[str], stage: str
) -> None:
    assert stages.stage_of(labels, ALL) == stage


@pytest.mark.parametrize(
    ("paths", "stage_of", "named"),
    [
        pytest.param(["a -> b"], {"a": "dev", "b": "prod"}, [], id="in the order"),
        pytest.param(["a -> b"], {"a": "dev", "b": "dev"}, [], id="within a stage"),
        pytest.param(["a -> b"], {"a": "prod"}, [], id="behind a stage, without one"),
        pytest.param(["a -> b"], {"b": "dev"}, [], id="before a stage, without one"),
        pytest.param(["a -> b"], {"a": "prod", "b": "dev"}, [("a", "b", ())], id="against it"),
        pytest.param(
            ["a -> u -> v -> b"],
            {"a": "qa", "b": "dev"},
            [("a", "b", ("u", "v"))],
            id="through stacks without a stage",
        ),
        pytest.param(
            ["a -> b -> c"],
            {"a": "prod", "b": "dev", "c": "dev"},
            [("a", "b", ())],
            id="what is behind it is not named again",
        ),
        pytest.param(
            ["a -> u", "p -> u", "u -> b"],
            {"a": "dev", "p": "prod", "b": "qa"},
            [("p", "b", ("u",))],
            id="of several ways the one from the latest stage",
        ),
    ],
)
def test_a_dependency_against_the_order_is_named(
    paths: list[str], stage_of: dict[str, str], named: list[tuple[str, str, tuple[str, ...]]]
) -> None:
    discovery = make_discovery(*paths, stage_of=stage_of)
    if not named:
        assert planned(resolve(discovery, stages=ALL))
        return
    ordered = sorted({name for path in paths for name in path.split(" -> ")})
    upstreams = {
        item: tuple(edge.upstream for edge in discovery.edges if edge.dependent == item)
        for item in ordered
    }
    order = [stack.id for stack in resolve(make_discovery(*paths)).stacks]

    found = stages.against_order(order, upstreams, stage_of, ALL)

    assert [(item.upstream, item.dependent, item.through) for item in found] == named


@pytest.mark.parametrize("operation", ["Apply", "Plan", "Destroy"])
def test_a_graph_against_the_order_is_invalid_whatever_is_done(
    operation: str, golden: Golden
) -> None:
    discovery = make_discovery(
        "a -> b",
        labels=["p -> u", "u -> d"],
        stage_of={"a": "prod", "b": "dev", "p": "qa", "d": "dev"},
    )

    problem = problem_of(discovery, stages=ALL, operation=operation)

    assert problem.reason is ChainReason.GRAPH_INVALID
    golden("graph_problems").check("against the stages", problem.message)


@pytest.mark.parametrize(
    ("stage_of", "adopts"),
    [
        pytest.param({}, {"b": "a", "c": "a"}, id="no stages"),
        pytest.param({"a": "dev", "b": "prod", "c": "prod"}, {"c": "b"}, id="two stages"),
        pytest.param({"a": "dev", "b": "dev", "c": "prod"}, {"b": "a"}, id="the last is apart"),
        pytest.param({"a": "dev", "c": "prod"}, {"b": "a"}, id="one between has no stage"),
        pytest.param({"b": "dev", "c": "dev"}, {"c": "b"}, id="the root has no stage"),
        pytest.param({"a": "dev", "c": "dev"}, {"b": "a", "c": "a"}, id="out of a stage and back"),
    ],
)
def test_no_run_is_adopted_that_began_before_its_stage(
    stage_of: dict[str, str], adopts: dict[str, str]
) -> None:
    resolved = resolve(make_discovery("a -> b -> c", stage_of=stage_of), "a", stages=ALL)

    assert {s.id: s.adopts_from for s in resolved.stacks if s.adopts_from} == adopts
    assert {s.id: s.stage for s in resolved.stacks if s.stage} == stage_of


@pytest.mark.parametrize(
    ("stage", "approval", "adopts"),
    [
        pytest.param("", "None", {"b": "a"}, id="no stage"),
        pytest.param("dev", "None", {"b": "a"}, id="the first stage starts at once"),
        pytest.param("dev", "Required", {}, id="the first stage waits for its approval"),
        pytest.param("prod", "None", {}, id="a later stage"),
    ],
)
def test_what_a_finished_root_began_is_adopted_only_where_its_stage_cannot_wait(
    stage: str, approval: str, adopts: dict[str, str]
) -> None:
    stage_of = {"a": stage, "b": stage} if stage else {}
    gated = [dataclasses.replace(ALL[0], approval=v1alpha1.StageApproval(approval)), *ALL[1:]]

    resolved = resolve(
        make_discovery("a -> b", stage_of=stage_of), "a", stages=gated, finished=["a"]
    )

    assert {s.id: s.adopts_from for s in resolved.stacks if s.adopts_from} == adopts
