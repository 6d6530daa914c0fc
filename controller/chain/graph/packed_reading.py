"""What was read of an account, small enough to cross Temporal at the sizes of docs/limits.md. Pure.

Temporal takes 2 MiB as one value. Written out, the labels of 400 stacks alone exceed that, and so
do 11,000 edges between stacks with long ids. So edges name stacks by their places, and the only
label that crosses is the one that leaves its stack out.
"""

import dataclasses
from collections.abc import Collection

from controller.chain.graph.selection import Discovery, Edge, LookAlike, StackFacts

# What a status and a person need of a name; the account's may be of any length and alphabet.
_NAME_CHARACTERS = 100
# What a message may name some of.
_MOST_LOOK_ALIKES = 200

_NATIVE, _LABEL = 1, 2


@dataclasses.dataclass(frozen=True, kw_only=True, slots=True)
class PackedStack:
    """A stack that was read. `permit` is empty for what the chain's runs do not reach."""

    id: str
    name: str
    is_disabled: bool = False
    is_autodeploy: bool = False
    is_forbidden: bool = False
    excluded_by: str = ""
    stage: str = ""
    permit: str = ""


@dataclasses.dataclass(frozen=True, kw_only=True, slots=True)
class PackedReading:
    """A `Discovery`. Places count through `stacks`, and then through `others`.

    `edges` are [upstream, dependent, sources], `invisible` [upstream, dependent].
    """

    stacks: list[PackedStack]
    others: list[str]
    edges: list[list[int]]
    invisible: list[list[int]]
    roots: list[int]
    unknown_roots: list[str]
    look_alikes: list[LookAlike]
    similar: list[str] = dataclasses.field(default_factory=list)
    is_cut_off: bool = False
    is_reach_cut_off: bool = False


def pack(found: Discovery, *, excluded_labels: Collection[str]) -> PackedReading:
    """Return what was read, without what nothing needs."""
    known = [stack.id for stack in found.stacks]
    named = {*(e.upstream for e in found.edges), *(e.dependent for e in found.edges)}
    named.update(stack_id for pair in found.invisible for stack_id in pair)
    others = sorted(named.difference(known))
    places = {stack_id: place for place, stack_id in enumerate((*known, *others))}
    forbidden = frozenset(found.forbidden)
    return PackedReading(
        stacks=[
            PackedStack(
                id=stack.id,
                name=stack.name[:_NAME_CHARACTERS],
                is_disabled=stack.is_disabled,
                is_autodeploy=stack.is_autodeploy,
                is_forbidden=stack.id in forbidden,
                excluded_by=next((item for item in stack.labels if item in excluded_labels), ""),
                stage=stack.stage,
                permit=found.permits.get(stack.id, ""),
            )
            for stack in found.stacks
        ],
        others=others,
        edges=[
            [
                places[edge.upstream],
                places[edge.dependent],
                edge.is_native * _NATIVE + edge.is_label * _LABEL,
            ]
            for edge in found.edges
        ],
        invisible=[[places[up], places[down]] for up, down in found.invisible],
        roots=[places[stack_id] for stack_id in found.roots],
        unknown_roots=list(found.unknown_roots),
        similar=list(found.similar),
        look_alikes=list(found.look_alikes[:_MOST_LOOK_ALIKES]),
        is_cut_off=found.is_cut_off,
        is_reach_cut_off=found.is_reach_cut_off,
    )


def unpack(packed: PackedReading) -> Discovery:
    """Return what was read, with no labels but those that leave a stack out."""
    ids = [*(stack.id for stack in packed.stacks), *packed.others]
    return Discovery(
        stacks=tuple(
            StackFacts(
                id=stack.id,
                name=stack.name,
                labels=(stack.excluded_by,) if stack.excluded_by else (),
                is_disabled=stack.is_disabled,
                is_autodeploy=stack.is_autodeploy,
                stage=stack.stage,
            )
            for stack in packed.stacks
        ),
        edges=tuple(
            Edge(
                upstream=ids[up],
                dependent=ids[down],
                is_native=bool(sources & _NATIVE),
                is_label=bool(sources & _LABEL),
            )
            for up, down, sources in packed.edges
        ),
        unknown_roots=tuple(packed.unknown_roots),
        similar=tuple(packed.similar),
        invisible=tuple((ids[up], ids[down]) for up, down in packed.invisible),
        is_cut_off=packed.is_cut_off,
        roots=tuple(ids[place] for place in packed.roots),
        is_reach_cut_off=packed.is_reach_cut_off,
        look_alikes=tuple(packed.look_alikes),
        forbidden=tuple(stack.id for stack in packed.stacks if stack.is_forbidden),
        permits={stack.id: stack.permit for stack in packed.stacks if stack.permit},
    )
