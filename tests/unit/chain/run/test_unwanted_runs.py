"""unwanted_runs: which runs that Spacelift queued must not go on, wave after wave."""

import pytest

from controller.api.reasons import StackReason
from controller.api.v1alpha1 import Phase
from controller.chain.graph import resolve
from controller.chain.run import unwanted_runs
from controller.chain.run.progress import StackProgress
from tests.support.builders import make_discovery, make_stack, resolve_graph

# a -> b -> c natively, and from c on to what does not belong to the chain.
LINE = make_discovery("a -> b -> c -> out -> far")


def queued_by(
    *roots: str, discovery: resolve.Discovery = LINE, **selection: object
) -> tuple[unwanted_runs.QueuedByRuns, resolve.ChainGraph]:
    resolved = resolve_graph(discovery, *roots, **selection)
    return unwanted_runs.QueuedByRuns(resolved), resolved


def rows(*stacks: StackProgress) -> dict[str, StackProgress]:
    return {stack.id: stack for stack in stacks}


def adopting(stack_id: str, origin: str = "a", **fields: object) -> StackProgress:
    return make_stack(stack_id, adopts_from=origin, **fields)  # type: ignore[arg-type]


def root(run_id: str = "01A", **fields: object) -> StackProgress:
    stack = make_stack("a", Phase.RUNNING, **fields)  # type: ignore[arg-type]
    stack.run_id = run_id
    return stack


def test_a_run_that_the_chain_triggered_is_a_wave_once() -> None:
    queued, _ = queued_by("a", exclude=["out", "far"])
    stack = root()

    assert queued.add(stack)
    assert not queued.add(stack)
    assert queued.origin_run_ids("c") == ["01A"]


@pytest.mark.parametrize(
    "stack",
    [
        pytest.param(make_stack("a"), id="without a run"),
        pytest.param(make_stack("b", Phase.RUNNING, adopts_from="a"), id="with an adopted run"),
        pytest.param(make_stack("a", Phase.SUCCEEDED, reason=StackReason.KEPT), id="kept"),
    ],
)
def test_no_other_run_is_a_wave_of_this_chain(stack: StackProgress) -> None:
    queued, _ = queued_by("a")

    assert not queued.add(stack)


def test_what_adopts_from_a_wave_is_wanted_and_what_lies_outside_is_not() -> None:
    queued, _ = queued_by("a", exclude=["out", "far"])
    stacks = rows(root(), adopting("b"), adopting("c"))

    assert queued.unwanted_stacks("a", stacks) == ["far", "out"]


def test_a_stack_that_has_ended_wants_no_run_of_a_later_wave() -> None:
    """It was skipped because another upstream failed, before this wave began."""
    queued, _ = queued_by("a", exclude=["out", "far"])
    skipped = make_stack(
        "b", Phase.SKIPPED, reason=StackReason.UPSTREAM_NOT_SUCCEEDED, blocked_by="x"
    )
    skipped.adopts_from = "a"

    assert "b" in queued.unwanted_stacks("a", rows(root(), skipped, adopting("c")))


def test_the_deepest_are_known_as_such() -> None:
    queued, _ = queued_by("a", exclude=["out", "far"])
    queued.add(root())

    found = queued.unwanted(["b", "out", "far"], rows(root(), make_stack("b")))

    assert {item.stack_id: item.depth for item in found} == {"b": 1, "out": 3, "far": 4}
    assert {tuple(item.origin_run_ids) for item in found} == {("01A",)}
    assert found[1].queuers == ["a", "b", "c"]


def test_of_several_waves_the_one_that_is_used_is_left_alone() -> None:
    discovery = make_discovery("a -> b", "x -> b")
    queued, _ = queued_by("a", "x", discovery=discovery)
    stacks = rows(root(), make_stack("x", Phase.RUNNING), adopting("b"))
    stacks["x"].run_id = "01X"
    for name in ("a", "x"):
        queued.add(stacks[name])

    (found,) = queued.unwanted(["b"], stacks)

    assert found.origin_run_ids == ["01X"]


def test_a_second_run_of_a_stack_is_a_wave_of_its_own() -> None:
    queued, _ = queued_by("a", exclude=["out", "far"])
    queued.add(root("01A"))

    assert queued.add(root("02A", attempts=2))
    assert queued.origin_run_ids("b") == ["01A", "02A"]
    assert queued.origin_run_ids("b", but_of="a") == []


def test_what_still_counts_on_a_native_run_behind_a_stack() -> None:
    started = adopting("d", phase=Phase.RUNNING)
    stacks = rows(adopting("b"), make_stack("c"), started, adopting("e"))

    found = unwanted_runs.adopting_beyond(["b", "c", "d", "e", "outside"], stacks)

    assert [stack.id for stack in found] == ["b", "e"]
