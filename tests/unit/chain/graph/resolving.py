"""Short forms for the tests of `resolve`."""

from typing import Any

import pytest

from controller.chain.graph import resolve as graph
from tests.support.builders import resolve_graph


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
