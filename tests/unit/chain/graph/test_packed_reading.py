"""packed_reading: what crosses Temporal is everything that resolving the graph needs, and small."""

import random

import pytest
from temporalio.converter import DataConverter

from controller.chain.graph import packed_reading, resolve
from tests.support.builders import make_discovery, make_scope

TEMPORAL_TAKES = 2 * 1024 * 1024
LONGEST_ID = 128


def crossed(
    found: resolve.Discovery, *, excluded_labels: tuple[str, ...] = ()
) -> resolve.Discovery:
    packed = packed_reading.pack(found, excluded_labels=excluded_labels)
    converter = DataConverter.default.payload_converter
    (read,) = converter.from_payloads(
        converter.to_payloads([packed]), [packed_reading.PackedReading]
    )
    return packed_reading.unpack(read)


@pytest.mark.parametrize(
    "found",
    [
        pytest.param(make_discovery("a -> b -> c", labels=["a -> c"]), id="edges of both kinds"),
        pytest.param(
            make_discovery("a -> b", invisible=(("b", "secret"), ("hidden", "a"))), id="invisible"
        ),
        pytest.param(
            resolve.Discovery(
                stacks=(resolve.StackFacts(id="a", name="A", is_disabled=True),),
                edges=(
                    resolve.Edge(upstream="a", dependent="unread", is_native=True, is_label=False),
                ),
                roots=("a",),
                forbidden=("a",),
                permits={"a": "permit"},
                look_alikes=(resolve.LookAlike(stack_id="a", label="dependsOn"),),
                is_reach_cut_off=True,
            ),
            id="dependents that were not read",
        ),
        pytest.param(make_discovery("a", unknown_roots=("x",), is_cut_off=True), id="cut off"),
    ],
)
def test_nothing_is_lost_on_the_way(found: resolve.Discovery) -> None:
    assert crossed(found) == found


def test_of_the_labels_one_crosses_that_leaves_the_stack_out() -> None:
    stacks = (
        resolve.StackFacts(id="a", name="a", labels=("x", "slow", "manual")),
        resolve.StackFacts(id="b", name="b", labels=("x",)),
    )

    found = crossed(resolve.Discovery(stacks=stacks, edges=()), excluded_labels=("manual", "slow"))

    assert [stack.labels for stack in found.stacks] == [("slow",), ()]


def test_at_the_limits_it_fits_into_one_value_of_temporal() -> None:
    """1,000 stacks, 11,000 edges, 80 labels of 70 characters: docs/limits.md."""
    draw = random.Random(7)  # noqa: S311 -- data of a test
    ids = [f"{number:04}-".ljust(LONGEST_ID, "x") for number in range(1000)]
    labels = tuple(f"{number:02}".ljust(70, "l") for number in range(80))
    edges = {tuple(sorted(draw.sample(ids, 2))) for _ in range(12_000)}
    found = resolve.Discovery(
        stacks=tuple(resolve.StackFacts(id=item, name="ü" * 300, labels=labels) for item in ids),
        edges=tuple(
            resolve.Edge(upstream=up, dependent=down, is_native=True, is_label=True)
            for up, down in sorted(edges)[:11_000]
        ),
        invisible=tuple((item, f"hidden-{item}"[:LONGEST_ID]) for item in ids),
        roots=tuple(ids[:500]),
        look_alikes=tuple(
            resolve.LookAlike(stack_id=item, label="dependsOn: x".ljust(128, "y")) for item in ids
        ),
        permits=dict.fromkeys(ids, "p" * 64),
    )

    packed = packed_reading.pack(found, excluded_labels=(labels[3],))
    (payload,) = DataConverter.default.payload_converter.to_payloads([packed])

    assert len(payload.data) < TEMPORAL_TAKES
    assert len(packed.edges) == 11_000
    assert resolve.members(packed_reading.unpack(packed), make_scope(ids[0])) == resolve.members(
        found, make_scope(ids[0])
    )
