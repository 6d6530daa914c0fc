"""unwanted_runs: which runs that Spacelift queued must not continue, wave after wave."""

import dataclasses

import pytest

from controller.api.reasons import StackReason
from controller.api.v1alpha1 import Phase
from controller.chain.graph import adoption, resolve
from controller.chain.run import native_stops, progress, unwanted_runs
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


def test_a_run_that_spacelift_carried_out_and_the_stack_uses_begins_no_wave() -> None:
    queued, _ = queued_by("a")
    ahead = adoption.AheadRun(stack_id="a", run_id="01A", origin_run_id="00X")

    assert not queued.add(root(ahead_runs=[ahead]))


@pytest.mark.parametrize(
    "stack",
    [
        pytest.param(make_stack("a"), id="without a run"),
        pytest.param(make_stack("b", Phase.RUNNING, adopts_from="a"), id="with an adopted run"),
    ],
)
def test_no_other_run_is_a_wave_of_this_chain(stack: StackProgress) -> None:
    queued, _ = queued_by("a")

    assert not queued.add(stack)


@pytest.mark.parametrize(
    ("phase", "reason"),
    [
        pytest.param(Phase.SUCCEEDED, StackReason.KEPT, id="kept"),
        pytest.param(Phase.FAILED, StackReason.RUN_FAILED, id="left as it ended"),
    ],
)
def test_a_run_of_an_earlier_run_of_the_chain_is_no_wave_and_the_next_one_is(
    phase: Phase, reason: StackReason
) -> None:
    stack = make_stack("a", phase, reason=reason)
    stack.run_id = "01A"
    queued = unwanted_runs.QueuedByRuns(resolve_graph(LINE, "a"), [stack])

    is_added = queued.add(stack)
    progress.reopen(stack)
    stack.run_id = "01B"

    assert not is_added
    assert queued.add(stack)
    assert queued.origin_run_ids("c") == ["01B"]


def test_the_finished_run_of_a_root_that_started_the_chain_is_a_wave() -> None:
    stack = make_stack("a", Phase.SUCCEEDED, reason=StackReason.ROOT_RUN_FINISHED)
    stack.run_id = "01A"
    queued = unwanted_runs.QueuedByRuns(resolve_graph(LINE, "a"), [stack])

    assert queued.add(stack)


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


def test_what_is_known_of_the_runs_on_a_stack() -> None:
    queued, _ = queued_by("a", exclude=["out", "far"])
    queued.add(root())

    found = {stack_id: queued.describe(stack_id, ["01A"], None) for stack_id in ("b", "out", "far")}

    assert {key: item.depth for key, item in found.items()} == {"b": 1, "out": 3, "far": 4}
    assert {key: item.queuers for key, item in found.items()} == {
        "b": ["a"],
        "out": ["a", "c"],
        "far": ["a", "out"],
    }
    assert all(item.is_expected for item in found.values())


def test_behind_a_stack_that_was_disabled_no_run_is_waited_for() -> None:
    stacks = tuple(dataclasses.replace(s, is_disabled=s.id == "b") for s in LINE.stacks)
    queued, _ = queued_by("a", discovery=dataclasses.replace(LINE, stacks=stacks))
    queued.add(root())

    assert queued.reach("a") == ["b", "c", "far", "out"]
    assert not queued.describe("c", ["01A"], None).is_expected


def test_of_several_waves_the_one_that_is_used_is_left_alone() -> None:
    discovery = make_discovery("a -> b", "x -> b")
    queued, _ = queued_by("a", "x", discovery=discovery)
    stacks = rows(root(), make_stack("x", Phase.RUNNING), adopting("b"))
    stacks["x"].run_id = "01X"
    for name in ("a", "x"):
        queued.add(stacks[name])

    found = queued.describe("b", queued.unwanted_origins("b", stacks), stacks["b"])

    assert (found.origin_run_ids, found.used_origin_run_id) == (["01X"], "01A")
    assert found.queuers == ["a", "x"]


def test_upstream_runs_name_the_wave_in_which_spacelift_lets_a_run_wait_for_them() -> None:
    discovery = make_discovery("a -> b -> d", "x -> d", labels=["k -> d"])
    queued, _ = queued_by("a", "x", "k", discovery=discovery)
    stacks = rows(
        root(),
        adopting("b", phase=Phase.SUCCEEDED),
        make_stack("x", Phase.SUCCEEDED),
        make_stack("k", Phase.SUCCEEDED),
        make_stack("d", depends_on=["b", "k", "x"]),
    )
    for name, run_id in {"b": "02B", "x": "03X", "k": "04K"}.items():
        stacks[name].run_id = run_id
    for stack in stacks.values():
        queued.add(stack)

    found = {run.run_id: run.origin_run_id for run in queued.upstream_runs(stacks["d"], stacks)}

    assert found == {"02B": "01A", "03X": "03X", "04K": ""}


AHEAD = adoption.AheadRun(
    stack_id="b", run_id="01N", origin_run_id="01A", state="FINISHED", run_url="https://x/01N"
)


@pytest.mark.parametrize(
    ("stack", "expected"),
    [
        pytest.param(make_stack("b"), [], id="its turn has not come: it may still be used"),
        pytest.param(make_stack("b", Phase.RUNNING), ["01N"], id="it has another run"),
        pytest.param(
            make_stack(
                "b",
                Phase.SKIPPED,
                reason=StackReason.UPSTREAM_NOT_SUCCEEDED,
                blocked_by="a",
            ),
            ["01N"],
            id="it was not to run",
        ),
    ],
)
def test_what_was_carried_out_and_is_not_used_is_known_once_it_is_decided(
    stack: StackProgress, expected: list[str]
) -> None:
    stack.ahead_runs = [AHEAD]

    assert [run.run_id for run in unwanted_runs.unused_runs(stack)] == expected


def test_the_run_that_is_used_is_not_among_the_unused() -> None:
    stack = make_stack("b", Phase.SUCCEEDED, ahead_runs=[AHEAD])
    stack.run_id = "01N"

    assert stack.uses_ahead_run
    assert unwanted_runs.unused_runs(stack) == []


def test_a_run_outside_of_the_chain_is_told_at_once_by_the_stack_that_caused_it() -> None:
    outside = dataclasses.replace(AHEAD, stack_id="out")

    assert unwanted_runs.unused_runs(make_stack("b", ahead_runs=[outside])) == [outside]


def test_only_what_is_surely_of_the_chain_may_be_used() -> None:
    outside = dataclasses.replace(AHEAD, run_id="01O", stack_id="out")
    doubtful = dataclasses.replace(AHEAD, run_id="01D", other_run_url="https://x")

    stacks = rows(root(), make_stack("b", ahead_runs=[AHEAD, outside, doubtful]))
    queued, _ = queued_by("a")
    queued.add(stacks["a"])

    assert queued.usable_runs(stacks["b"], stacks) == [AHEAD]


@pytest.mark.parametrize(
    ("stage", "origin_stage", "is_usable"),
    [("prod", "prod", True), ("prod", "dev", False), ("prod", "", False), ("", "dev", True)],
)
def test_what_another_stage_began_has_not_waited_for_the_stage_of_the_stack(
    stage: str, origin_stage: str, is_usable: bool
) -> None:
    stacks = rows(root(stage=origin_stage), make_stack("b", ahead_runs=[AHEAD], stage=stage))
    queued, _ = queued_by("a")
    queued.add(stacks["a"])

    assert queued.usable_runs(stacks["b"], stacks) == ([AHEAD] if is_usable else [])


def test_a_run_is_told_apart_by_all_runs_of_the_chain_that_reach_its_stack() -> None:
    queued, _ = queued_by("a")
    for run_id in ("01A", "01B"):
        queued.add(root(run_id))

    assert queued.describe("c", ["01B"], None).own_run_ids == ["01A", "01B"]


def test_a_second_run_of_a_stack_is_a_wave_of_its_own() -> None:
    queued, _ = queued_by("a", exclude=["out", "far"])
    queued.add(root("01A"))

    assert queued.add(root("02A", attempts=2))
    assert queued.origin_run_ids("b") == ["01A", "02A"]
    assert queued.origin_run_ids("b", but_of="a") == []


def test_a_native_run_that_failed_and_is_repeated_is_no_wave() -> None:
    """Otherwise what others make Spacelift queue behind the stack meanwhile would be stopped."""
    queued, _ = queued_by("a", exclude=["out", "far"])
    stack = adopting("b", phase=Phase.WAITING, reason=StackReason.RETRY_PENDING)
    stack.run_id = "01B"
    queued.add(root())
    queued.add(stack)
    stack.adopts_from = None

    assert not queued.add(stack)
    assert queued.origin_run_ids("c") == ["01A"]

    stack.run_id, stack.attempts, stack.reason = "01C", 2, StackReason.RUN_IN_PROGRESS

    assert queued.add(stack)
    assert queued.origin_run_ids("c") == ["01A", "01C"]


def test_what_still_counts_on_a_native_run_behind_a_stack() -> None:
    started = adopting("d", phase=Phase.RUNNING)
    stacks = rows(adopting("b"), make_stack("c"), started, adopting("e"))

    found = unwanted_runs.adopting_beyond(["b", "c", "d", "e", "outside"], stacks)

    assert [stack.id for stack in found] == ["b", "e"]


def carried_out(run_id: str) -> native_stops.NativeRun:
    return native_stops.NativeRun(
        stack_id="b", origin_run_id="01A", run_id=run_id, state="FINISHED", run_url="https://x"
    )


def test_of_a_stack_the_newest_twenty_are_kept_and_the_others_are_counted() -> None:
    stack = make_stack("b", Phase.SUCCEEDED)

    for number in range(25):
        unwanted_runs.keep_ahead(carried_out(f"{number:02}"), stack, [stack])

    assert [run.run_id for run in stack.ahead_runs] == [f"{number:02}" for number in range(5, 25)]
    assert stack.dropped_ahead_runs == 5


def test_where_a_chain_has_many_the_oldest_of_the_stack_with_most_of_them_goes() -> None:
    stacks = [make_stack(f"s{number}", ahead_runs=[AHEAD] * 15) for number in range(49)]
    runs = [dataclasses.replace(AHEAD, run_id=f"{number:02}") for number in range(16)]
    most = make_stack("most", ahead_runs=runs)
    few = make_stack("b")
    stacks += [most, few]

    unwanted_runs.keep_ahead(carried_out("01"), few, stacks)

    assert [run.run_id for run in few.ahead_runs] == ["01"]
    assert (most.ahead_runs, most.dropped_ahead_runs) == (runs[1:], 1)


def test_the_run_that_is_used_does_not_go() -> None:
    stack = make_stack("b", Phase.SUCCEEDED)
    stack.run_id = "00"
    for number in range(22):
        unwanted_runs.keep_ahead(carried_out(f"{number:02}"), stack, [stack])

    assert stack.uses_ahead_run
    assert len(unwanted_runs.unused_runs(stack)) == 19
    assert stack.dropped_ahead_runs == 2


def test_what_began_before_the_chain_has_waited_for_no_stage() -> None:
    begun = root(reason=StackReason.ROOT_RUN_FINISHED, stage="prod")
    stacks = rows(begun, make_stack("b", ahead_runs=[AHEAD], stage="prod"))
    queued, _ = queued_by("a")
    queued.add(begun)

    assert queued.usable_runs(stacks["b"], stacks) == []
