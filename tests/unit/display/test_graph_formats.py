"""The graph of a chain for Graphviz and Mermaid."""

import pytest

from controller.api.v1alpha1 import Phase
from controller.display import graph_formats
from tests.support.builders import make_stack_status
from tests.support.golden import Golden

PAGE = "graph_formats"
STACKS = (
    make_stack_status("vpc", phase=Phase.SUCCEEDED),
    make_stack_status("end", 1, "vpc", "gone", phase=Phase.FAILED),
    make_stack_status('a"b\\c]\n<script>', 1, "vpc", phase=Phase.AWAITING_CONFIRMATION),
    make_stack_status("newer", 1, "vpc", phase="Paused"),
)


@pytest.mark.parametrize("form", ["dot", "mermaid"])
def test_a_graph_has_each_stack_and_dependency_whatever_the_ids_hold(
    form: str, golden: Golden
) -> None:
    text = graph_formats.dot("prod", STACKS) if form == "dot" else graph_formats.mermaid(STACKS)

    golden(PAGE).check(form, text)
    assert text.count("->") == 3
    assert "<script>" not in text or form == "dot"


def test_five_hundred_stacks_without_a_dependency_are_a_graph() -> None:
    stacks = [make_stack_status(f"s{place}") for place in range(500)]

    assert graph_formats.mermaid(stacks).count("\n") == 1 + 2 * 500
