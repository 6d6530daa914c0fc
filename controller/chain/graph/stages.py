"""Which stage of a chain a stack belongs to, and which dependencies contradict their order. Pure.

A stack belongs to the first stage all of whose labels it has. One that belongs to none is ordered
by its dependencies alone.
"""

import dataclasses
from collections.abc import Collection, Iterable, Mapping, Sequence

from controller.api import v1alpha1
from controller.chain.graph import ordering


def stage_of(labels: Collection[str], stages: Iterable[v1alpha1.Stage]) -> str:
    """Return the name of the stage of a stack that has the labels; empty: it belongs to none."""
    return next((stage.name for stage in stages if set(stage.labels).issubset(labels)), "")


def may_wait(stages: Sequence[v1alpha1.Stage]) -> set[str]:
    """Return the names of the stages, in the order of the spec, that may not start at once."""
    required = v1alpha1.StageApproval.REQUIRED
    return {
        stage.name for place, stage in enumerate(stages) if place > 0 or stage.approval is required
    }


@dataclasses.dataclass(frozen=True, kw_only=True, slots=True)
class AgainstOrder:
    """A stack that depends on one of a later stage: directly, or through other stacks.

    `through` are these, from the upstream to the dependent.
    """

    upstream: str
    upstream_stage: str
    dependent: str
    dependent_stage: str
    through: tuple[str, ...] = ()


def against_order(
    ordered: Sequence[str],
    upstreams: ordering.Neighbors,
    stage_by_stack: Mapping[str, str],
    stages: Sequence[v1alpha1.Stage],
) -> list[AgainstOrder]:
    """Return, sorted, each stack that depends on a later stage, with one such stack.

    Args:
        ordered: the stacks, each after its upstreams.
        upstreams: the upstreams of each.
        stage_by_stack: the stages of those that have one.
        stages: all stages, in the order of the spec.
    """
    places = {stage.name: place for place, stage in enumerate(stages)}
    # The way from the stack of the latest stage that a stack is or depends on, to the stack itself.
    ways: dict[str, list[str]] = {}
    found: list[AgainstOrder] = []

    def place_of(way: Sequence[str]) -> int:
        return places[stage_by_stack[way[0]]]

    for stack_id in ordered if stages else ():
        above = [ways[upstream] for upstream in sorted(upstreams[stack_id]) if upstream in ways]
        latest = max(above, key=place_of, default=None)
        own = stage_by_stack.get(stack_id)
        if latest is not None and own is not None and place_of(latest) > places[own]:
            found.append(
                AgainstOrder(
                    upstream=latest[0],
                    upstream_stage=stage_by_stack[latest[0]],
                    dependent=stack_id,
                    dependent_stage=own,
                    through=tuple(latest[1:]),
                )
            )
        if own is not None:
            # Stacks behind it are measured by it: a dependency is named once, where it is wrong.
            ways[stack_id] = [stack_id]
        elif latest is not None:
            ways[stack_id] = [*latest, stack_id]
    return sorted(found, key=lambda item: (item.dependent, item.upstream))
