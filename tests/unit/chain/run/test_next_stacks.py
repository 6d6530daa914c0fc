"""next_stacks.ready_stacks: what starts next, and in which order."""

from collections.abc import Iterable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from controller.api.reasons import StackReason
from controller.api.v1alpha1 import Phase
from controller.chain.run import next_stacks, progress
from tests.support.builders import make_progress, make_stack


def ready(chain: progress.ChainProgress, **remaining: int) -> list[str]:
    lengths = {stack.id: 1 for stack in chain.stacks} | remaining
    return [stack.id for stack in next_stacks.ready_stacks(chain, remaining=lengths)]


def test_at_the_start_only_stacks_without_upstreams_are_ready() -> None:
    chain = make_progress(make_stack("a"), make_stack("b", depends_on="a"), make_stack("c"))

    assert ready(chain) == ["a", "c"]


@pytest.mark.parametrize(
    ("upstream", "expected"),
    [
        pytest.param(make_stack("a", Phase.SUCCEEDED), ["b"], id="succeeded"),
        pytest.param(make_stack("a", Phase.SKIPPED), ["b"], id="skipped, output unchanged"),
        pytest.param(make_stack("a", Phase.WAITING), [], id="waiting"),
        pytest.param(make_stack("a", Phase.RUNNING), [], id="running"),
        pytest.param(make_stack("a", Phase.AWAITING_CONFIRMATION), [], id="awaiting a person"),
        pytest.param(make_stack("a", Phase.FAILED), [], id="failed"),
        pytest.param(make_stack("a", Phase.CANCELED), [], id="canceled"),
        pytest.param(
            make_stack(
                "a", Phase.SKIPPED, reason=StackReason.UPSTREAM_NOT_SUCCEEDED, blocked_by="x"
            ),
            [],
            id="skipped, upstream failed",
        ),
    ],
)
def test_a_stack_is_ready_once_its_upstream_has_ended_well(
    upstream: progress.StackProgress, expected: list[str]
) -> None:
    chain = make_progress(upstream, make_stack("b", depends_on="a"))

    assert ready(chain) == expected


def test_a_stack_waits_for_all_of_its_upstreams_and_for_no_level() -> None:
    chain = make_progress(
        make_stack("a", Phase.SUCCEEDED),
        make_stack("slow", Phase.RUNNING),
        make_stack("b", depends_on="a"),
        make_stack("c", depends_on=["a", "slow"]),
    )

    assert ready(chain) == ["b"]


def test_no_more_start_than_there_are_free_slots() -> None:
    running = [make_stack("r1", Phase.RUNNING), make_stack("r2", Phase.AWAITING_CONFIRMATION)]
    chain = make_progress(*running, *(make_stack(name) for name in "abc"), parallelism=4)

    assert ready(chain) == ["a", "b"]


def test_a_stack_that_has_ended_gives_its_slot_back() -> None:
    chain = make_progress(make_stack("r", Phase.SUCCEEDED), make_stack("a"), parallelism=1)

    assert ready(chain) == ["a"]


@pytest.mark.parametrize(
    "reason", [StackReason.STACK_BUSY, StackReason.STACK_LOCKED, StackReason.STACK_DISABLED]
)
def test_a_stack_that_others_have_takes_no_slot(reason: StackReason) -> None:
    busy = make_stack("r", Phase.WAITING, reason=reason, has_run=False, is_started=False)
    chain = make_progress(busy, make_stack("a"), parallelism=1)

    assert ready(chain) == ["a"]


def test_a_suspended_chain_starts_nothing() -> None:
    assert ready(make_progress(make_stack("a"), is_suspended=True)) == []


@pytest.mark.parametrize("phase", list(Phase))
def test_a_plan_waits_for_no_upstream(phase: Phase) -> None:
    chain = make_progress(
        make_stack("a", phase, is_started=True),
        make_stack("b", depends_on="a"),
        make_stack("c", depends_on="b"),
        operation="Plan",
    )

    assert ready(chain) == ["b", "c"]


def test_plans_side_by_side_are_bounded_by_parallelism() -> None:
    chain = make_progress(
        make_stack("a", Phase.RUNNING),
        make_stack("b", depends_on="a"),
        make_stack("c", depends_on="b"),
        operation="Plan",
        parallelism=2,
    )

    assert ready(chain, b=2) == ["b"]


def test_a_destroying_chain_keeps_its_order() -> None:
    chain = make_progress(make_stack("a"), make_stack("b", depends_on="a"), operation="Destroy")

    assert ready(chain) == ["a"]


def test_a_bound_lowered_below_what_runs_starts_nothing() -> None:
    running = [make_stack(f"r{number}", Phase.RUNNING) for number in range(3)]
    chain = make_progress(*running, make_stack("a"), parallelism=1)

    assert ready(chain) == []


def test_following_an_adopted_run_takes_no_slot() -> None:
    adopted = make_stack("r", Phase.RUNNING, adopts_from="root")
    chain = make_progress(adopted, make_stack("a"), parallelism=1)

    assert ready(chain) == ["a"]
    assert not next_stacks.takes_slot(adopted)


def test_adopted_runs_are_followed_even_when_no_slot_is_free() -> None:
    chain = make_progress(
        make_stack("root", Phase.SUCCEEDED),
        make_stack("r", Phase.RUNNING),
        make_stack("b", depends_on=["root"], adopts_from="root"),
        make_stack("c", depends_on=["root"]),
        parallelism=1,
    )

    assert ready(chain) == ["b"]


def test_the_longest_remaining_path_goes_first_and_then_the_name() -> None:
    chain = make_progress(*(make_stack(name) for name in "abcd"), parallelism=3)

    assert ready(chain, a=1, b=3, c=2, d=3) == ["b", "d", "c"]


def test_a_stack_that_was_started_is_not_started_again() -> None:
    chain = make_progress(make_stack("a", Phase.WAITING, has_run=False), make_stack("b"))

    assert ready(chain) == ["b"]


def test_a_stack_waits_until_it_is_known_what_became_of_its_native_runs() -> None:
    """One that adopts has its run in Spacelift already."""
    chain = make_progress(make_stack("a"), make_stack("b", adopts_from="x"), make_stack("c"))
    lengths = {stack.id: 1 for stack in chain.stacks}

    found = next_stacks.ready_stacks(chain, remaining=lengths, held_back={"a", "b"})

    assert [stack.id for stack in found] == ["b", "c"]


@given(
    st.lists(st.tuples(st.sampled_from(list(Phase)), st.booleans()), min_size=1, max_size=12),
    st.integers(min_value=1, max_value=5),
)
def test_triggered_runs_never_exceed_the_bound(
    phases: Iterable[tuple[Phase, bool]], parallelism: int
) -> None:
    chain = make_progress(
        *(
            make_stack(f"s{number}", phase, adopts_from="root" if adopts else None)
            for number, (phase, adopts) in enumerate(phases)
        ),
        parallelism=parallelism,
    )
    before = sum(next_stacks.takes_slot(stack) for stack in chain.stacks)
    lengths = {stack.id: 1 for stack in chain.stacks}

    chosen = next_stacks.ready_stacks(chain, remaining=lengths)

    triggered = [stack for stack in chosen if stack.adopts_from is None]
    assert before + len(triggered) <= max(parallelism, before)
    assert all(stack.phase is Phase.PENDING for stack in chosen)
