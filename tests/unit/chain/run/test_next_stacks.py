"""next_stacks.ready_stacks: what starts next, and in which order."""

from collections.abc import Iterable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from controller.api.reasons import StackReason
from controller.api.v1alpha1 import Phase
from controller.chain.run import next_stacks, progress
from tests.support.builders import T0, T1, make_progress, make_stack


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


def test_what_waits_for_others_is_not_started_once_more() -> None:
    """Another chain has the stack, or a lock: one wait for it is enough."""
    waiting = make_stack("a", Phase.WAITING)
    waiting.is_started = False

    assert next_stacks.ready_stacks(make_progress(waiting), remaining={"a": 1}) == []


def test_a_stack_waits_for_all_of_its_upstreams_and_for_no_level() -> None:
    chain = make_progress(
        make_stack("a", Phase.SUCCEEDED),
        make_stack("slow", Phase.RUNNING),
        make_stack("b", depends_on="a"),
        make_stack("c", depends_on=["a", "slow"]),
    )

    assert ready(chain) == ["b"]


def test_no_more_start_than_there_are_free_slots() -> None:
    running = [make_stack("r1", Phase.RUNNING), make_stack("r2", Phase.WAITING)]
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


@pytest.mark.parametrize(
    ("stack", "takes"),
    [
        pytest.param(make_stack("r", Phase.RUNNING), True, id="its run works"),
        pytest.param(make_stack("r", Phase.WAITING), True, id="its run is queued"),
        *(
            pytest.param(make_stack("r", Phase.WAITING, reason=reason), True, id=reason)
            for reason in (
                StackReason.STARTING,
                StackReason.RUN_QUEUED,
                StackReason.WORKER_PENDING,
                StackReason.SPACELIFT_UNREACHABLE,
                StackReason.RATE_LIMITED,
            )
        ),
        *(
            pytest.param(make_stack("r", Phase.WAITING, reason=reason), False, id=reason)
            for reason in (
                StackReason.RETRY_PENDING,
                StackReason.RUN_BLOCKED,
                StackReason.STACK_LOCKED,
                StackReason.STACK_DISABLED,
            )
        ),
        *(
            pytest.param(
                make_stack("r", Phase.AWAITING_CONFIRMATION, reason=reason), False, id=reason
            )
            for reason in (StackReason.NEEDS_CONFIRMATION, StackReason.NEEDS_APPROVAL)
        ),
        pytest.param(
            make_stack("r", Phase.RUNNING, reason=StackReason.CONFIRMING),
            True,
            id="the chain confirms its run",
        ),
        pytest.param(make_stack("r", Phase.SUCCEEDED), False, id="it has ended"),
    ],
)
def test_a_slot_is_for_a_stack_whose_run_works_or_is_about_to(
    stack: progress.StackProgress, takes: bool
) -> None:
    chain = make_progress(stack, make_stack("a"), parallelism=1)

    assert next_stacks.takes_slot(stack) is takes
    assert ready(chain) == ([] if takes else ["a"])


def asking(stack_id: str, since: str) -> progress.StackProgress:
    return make_stack(
        stack_id, Phase.WAITING, reason=StackReason.RETRY_PENDING, wants_slot_since=since
    )


@pytest.mark.parametrize(
    ("free", "chosen"),
    [(0, []), (1, ["c"]), (2, ["c", "a"]), (3, ["c", "a", "b"]), (4, ["c", "a", "b"])],
)
def test_next_runs_get_slots_in_the_order_in_which_they_asked(free: int, chosen: list[str]) -> None:
    stacks = [asking("a", T1), asking("b", T1), asking("c", T0), make_stack("r", Phase.RUNNING)]
    pausing = make_stack("p", Phase.WAITING, reason=StackReason.RETRY_PENDING)
    chain = make_progress(*stacks, pausing, parallelism=free + 1)

    assert [stack.id for stack in next_stacks.stacks_with_next_run(chain)] == chosen


def test_a_next_run_takes_its_slot_before_a_stack_that_was_not_started() -> None:
    chain = make_progress(asking("z", T0), make_stack("a"), parallelism=1)

    for stack in next_stacks.stacks_with_next_run(chain):
        progress.give_slot(stack)

    assert ready(chain) == []
    assert next_stacks.takes_slot(chain.stacks[1])


def test_next_runs_wait_until_fewer_run_than_may() -> None:
    """More do after a person has confirmed a run while others ran."""
    running = [make_stack(f"r{number}", Phase.RUNNING) for number in range(3)]
    chain = make_progress(*running, asking("a", T0), parallelism=2)

    assert next_stacks.stacks_with_next_run(chain) == []


def test_a_suspended_chain_runs_again_what_was_started() -> None:
    chain = make_progress(asking("a", T0), parallelism=1, is_suspended=True)

    assert [stack.id for stack in next_stacks.stacks_with_next_run(chain)] == ["a"]


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
