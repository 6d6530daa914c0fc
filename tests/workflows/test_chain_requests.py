"""What people ask of the stacks of a live run: retry and bypass, at whatever moment they come."""

import asyncio
import itertools
from typing import Any

import pytest

from controller.api.reasons import ChainReason, StackReason
from controller.api.v1alpha1 import FailurePolicy, Operation, Phase
from controller.chain.run import holds, progress
from controller.chain.run.progress import LiveRequest, LiveRequestKind
from controller.temporal import ids
from tests.support.builders import make_left
from tests.support.waiting import eventually
from tests.workflows.conftest import Serve
from tests.workflows.harness import ChainHandle, Harness, phases, stack_of
from tests.workflows.world import World

RETRY, BYPASS = LiveRequestKind.RETRY, LiveRequestKind.BYPASS
TOKENS = map(str, itertools.count())


async def ask(
    chain: Harness,
    handle: ChainHandle,
    kind: LiveRequestKind,
    *stack_ids: str,
    token: str | None = None,
) -> progress.HandledRequest:
    """Ask, and wait for what the run says to it."""
    token = token or next(TOKENS)
    request = LiveRequest(kind=kind, token=token, number=1, names=list(stack_ids))
    await handle.signal(ids.REQUEST_SIGNAL, request)

    async def is_handled() -> progress.HandledRequest | None:
        known = await chain.known(handle)
        return next((item for item in known.requests if item.token == token), None)

    found = await eventually(is_handled, what=f"the request {token} is handled")
    assert found is not None
    return found


async def test_one_is_retried_and_another_bypassed_while_a_third_waits_for_a_person(
    serve: Serve,
) -> None:
    """Both continue at once, with one run each: the third still waits when they have ended."""
    world = World("a~d", "b~e", "c~f", roots=("a", "b", "c"))
    world.first_ends, world.ends = {"a": ["FAILED"]}, {"b": "FAILED"}
    world.held, world.holds_in = {"c"}, {"c": "UNCONFIRMED"}
    chain = await serve(world)
    handle = await chain.start()
    await chain.stack_shows(handle, "c", Phase.AWAITING_CONFIRMATION)
    for stack_id in ("d", "e"):
        await chain.stack_shows(handle, stack_id, Phase.SKIPPED)

    retried = await ask(chain, handle, RETRY, "a")
    bypassed = await ask(chain, handle, BYPASS, "b")
    for stack_id in ("a", "d", "e"):
        await chain.stack_shows(handle, stack_id, Phase.SUCCEEDED)
    meanwhile = await chain.known(handle)
    await world.move("c", "FINISHED")
    known = await handle.result()

    assert not retried.is_refused
    assert not bypassed.is_refused
    assert phases(meanwhile)["c"] == Phase.AWAITING_CONFIRMATION
    assert stack_of(meanwhile, "b").reason == StackReason.BYPASSED
    assert stack_of(known, "a").attempts == 2
    assert sorted(world.calls("trigger_stack_run")) == ["a", "a", "b", "c", "d", "e", "f"]
    assert (known.phase, known.reason) == (Phase.SUCCEEDED, ChainReason.RUN_SUCCEEDED)


async def test_a_native_dependent_of_what_is_retried_gets_a_run_of_the_chain_in_its_turn(
    serve: Serve,
) -> None:
    """The new run makes Spacelift queue runs behind it once more; none of them is used."""
    world = World("a>b", "b>c", roots=("a", "x"))
    world.first_ends = {"a": ["FAILED"]}
    world.held = {"b", "c", "x"}
    world.holds_in = dict.fromkeys("bc", "QUEUED")
    chain = await serve(world)
    handle = await chain.start()
    await chain.stack_shows(handle, "c", Phase.SKIPPED)
    await eventually(lambda: world.states("c") == ["CANCELED"], what="the native runs end")
    world.held = {"a", "b", "c", "x"}

    await ask(chain, handle, RETRY)
    await eventually(lambda: world.states("c") == ["CANCELED"] * 2, what="and those of the new")
    await world.move("a", "FINISHED")
    await eventually(lambda: world.states("b")[2:] == ["QUEUED"], what="b has its run")
    await world.move("b", "FINISHED")
    await eventually(lambda: world.states("c")[3:] == ["QUEUED"], what="c has its run")
    await world.move("c", "FINISHED")
    await world.move("x", "FINISHED")
    known = await handle.result()

    assert set(phases(known).values()) == {Phase.SUCCEEDED}
    assert sorted(world.calls("trigger_stack_run")) == ["a", "a", "b", "c", "x"]
    assert world.states("b") == ["CANCELED", "CANCELED", "FINISHED"]
    assert world.states("c") == ["CANCELED", "CANCELED", "CANCELED", "FINISHED"]


async def test_what_is_bypassed_before_its_turn_has_its_native_run_stopped(serve: Serve) -> None:
    """`c` would start behind the stopped run of `b`, so it leaves the wave too."""
    world = World("a>b", "b>c")
    world.held, world.holds_in = {"a", "b", "c"}, {"b": "QUEUED", "c": "QUEUED"}
    chain = await serve(world)
    handle = await chain.start()
    await chain.stack_shows(handle, "a", Phase.RUNNING)

    await ask(chain, handle, BYPASS, "b")
    await eventually(lambda: world.states("b") == ["CANCELED"], what="the run of b ends")
    await eventually(
        lambda: world.states("c") == ["CANCELED", "QUEUED"], what="c has a run of the chain"
    )
    await world.move("c", "FINISHED")
    await world.move("a", "FINISHED")
    known = await handle.result()

    assert phases(known) == {"a": "Succeeded", "b": "Skipped", "c": "Succeeded"}
    assert stack_of(known, "b").reason == StackReason.BYPASSED
    assert world.calls("trigger_stack_run") == ["a", "c"]
    assert known.phase is Phase.SUCCEEDED


@pytest.mark.parametrize("kind", [RETRY, BYPASS])
async def test_the_native_run_that_a_stack_had_used_is_not_called_unused_afterwards(
    serve: Serve, kind: LiveRequestKind
) -> None:
    world = World("a>b", roots=("a", "x"))
    world.first_ends, world.held = {"b": ["FAILED"]}, {"x"}
    chain = await serve(world)
    handle = await chain.start()
    await chain.stack_shows(handle, "b", Phase.FAILED)

    await ask(chain, handle, kind, "b")
    await chain.stack_shows(handle, "b", Phase.SKIPPED if kind is BYPASS else Phase.SUCCEEDED)
    await world.move("x", "FINISHED")
    known = await handle.result()

    assert [run for stack in known.stacks for run in stack.ahead_runs] == []
    assert "queued on its own" not in stack_of(known, "b").message
    assert world.states("b") == (["FAILED"] if kind is BYPASS else ["FAILED", "FINISHED"])


async def test_nor_is_it_after_another_run_of_the_stack_had_failed_too(serve: Serve) -> None:
    world = World("a>b", roots=("a", "x"))
    world.first_ends, world.held = {"b": ["FAILED", "FAILED"]}, {"x"}
    chain = await serve(world)
    handle = await chain.start()
    await chain.stack_shows(handle, "b", Phase.FAILED)
    await ask(chain, handle, RETRY, "b")
    await eventually(lambda: world.states("b") == ["FAILED"] * 2, what="the second run fails")
    await chain.stack_shows(handle, "b", Phase.FAILED)

    await ask(chain, handle, BYPASS, "b")
    await chain.stack_shows(handle, "b", Phase.SKIPPED)
    await world.move("x", "FINISHED")
    known = await handle.result()

    assert [run for stack in known.stacks for run in stack.ahead_runs] == []


async def test_a_stack_whose_run_is_live_is_not_bypassed(serve: Serve) -> None:
    world = World("a~b")
    world.held = {"a"}
    chain = await serve(world)
    handle = await chain.start()
    await chain.stack_shows(handle, "a", Phase.RUNNING)

    refused = await ask(chain, handle, BYPASS, "a")
    await world.move("a", "FINISHED")
    known = await handle.result()

    assert refused.is_refused
    assert world.run_of("a").id in refused.message
    assert phases(known) == {"a": "Succeeded", "b": "Succeeded"}


async def test_the_same_request_sent_twice_acts_once(serve: Serve) -> None:
    world = World(roots=("a", "x"))
    world.ends, world.held = {"a": "FAILED"}, {"x"}
    chain = await serve(world)
    handle = await chain.start()
    await chain.stack_shows(handle, "a", Phase.FAILED)

    await ask(chain, handle, RETRY, "a", token="1: a")
    await eventually(lambda: len(world.states("a")) == 2, what="it ran again")
    await chain.stack_shows(handle, "a", Phase.FAILED)
    await ask(chain, handle, RETRY, "a", token="1: a")
    await ask(chain, handle, RETRY, "a", token="1: a @again")
    await eventually(lambda: len(world.states("a")) == 3, what="and again")
    await world.move("x", "FINISHED")
    known = await handle.result()

    assert len(world.states("a")) == 3
    assert stack_of(known, "a").attempts == 3
    assert [item.token for item in known.requests] == ["1: a", "1: a @again"]


async def test_two_requests_at_once_both_act(serve: Serve) -> None:
    world = World("a~d", "b~e", roots=("a", "b", "x"))
    world.first_ends, world.held = {"a": ["FAILED"], "b": ["FAILED"]}, {"x"}
    chain = await serve(world)
    handle = await chain.start()
    for stack_id in ("d", "e"):
        await chain.stack_shows(handle, stack_id, Phase.SKIPPED)

    await asyncio.gather(ask(chain, handle, RETRY, "a"), ask(chain, handle, BYPASS, "b"))
    for stack_id in ("d", "e"):
        await chain.stack_shows(handle, stack_id, Phase.SUCCEEDED)
    await world.move("x", "FINISHED")
    known = await handle.result()

    assert known.phase is Phase.SUCCEEDED
    assert (len(world.states("a")), len(world.states("b"))) == (2, 1)


async def test_a_request_before_the_stacks_are_read_waits_for_them(serve: Serve) -> None:
    world = World("a~b")
    gate = world.gate("fetch_dependent_stacks", "")
    chain = await serve(world)
    handle = await chain.start()
    await chain.called("fetch_dependent_stacks")
    request = LiveRequest(kind=BYPASS, token="1: a", number=1, names=["a"])
    await handle.signal(ids.REQUEST_SIGNAL, request)
    before = await chain.known(handle)

    gate.set()
    known = await handle.result()

    assert before.requests == []
    assert phases(known) == {"a": "Skipped", "b": "Succeeded"}
    assert world.calls("trigger_stack_run") == ["b"]


async def test_in_a_suspended_run_a_request_counts_and_starts_nothing(serve: Serve) -> None:
    world = World("a~b", roots=("a", "x"))
    world.first_ends, world.held = {"a": ["FAILED"]}, {"x"}
    chain = await serve(world)
    handle = await chain.start()
    await chain.stack_shows(handle, "b", Phase.SKIPPED)

    await handle.signal(ids.SUSPEND_SIGNAL)
    await ask(chain, handle, RETRY)
    await world.move("x", "FINISHED")
    await chain.stack_shows(handle, "x", Phase.SUCCEEDED)
    held = (await chain.known(handle), list(world.states("a")))
    await handle.signal(ids.RESUME_SIGNAL)
    known = await handle.result()

    assert (held[0].reason, held[1]) == (ChainReason.SUSPENDED, ["FAILED"])
    assert phases(known) == {"a": "Succeeded", "b": "Succeeded", "x": "Succeeded"}


async def test_a_canceled_run_leaves_a_request_to_the_next(serve: Serve) -> None:
    world = World(roots=("a", "x"))
    world.ends, world.held, world.holds_in = {"a": "FAILED"}, {"x"}, {"x": "APPLYING"}
    chain = await serve(world)
    handle = await chain.start()
    await chain.stack_shows(handle, "a", Phase.FAILED)
    await chain.stack_shows(handle, "x", Phase.RUNNING)

    await handle.cancel()
    await eventually(lambda: _is_canceling(chain, handle), what="it is being canceled")
    request = LiveRequest(kind=RETRY, token="1", number=1)
    await handle.signal(ids.REQUEST_SIGNAL, request)
    await world.move("x", "FINISHED")
    known = await handle.result()

    assert known.requests == []
    assert world.states("a") == ["FAILED"]


async def _is_canceling(chain: Harness, handle: ChainHandle) -> bool:
    return (await chain.known(handle)).is_canceling


async def test_a_cancel_after_a_request_ends_what_it_had_reopened(serve: Serve) -> None:
    world = World("a~b", roots=("a", "x"))
    world.first_ends, world.held = {"a": ["FAILED"]}, {"x"}
    chain = await serve(world)
    handle = await chain.start()
    await chain.stack_shows(handle, "b", Phase.SKIPPED)
    world.held = {"a", "x"}

    await ask(chain, handle, RETRY)
    await chain.stack_shows(handle, "a", Phase.RUNNING)
    await handle.cancel()
    known = await handle.result()

    assert set(phases(known).values()) == {Phase.CANCELED}
    assert known.reason == ChainReason.RUN_CANCELED


async def test_a_request_for_another_run_or_without_sense_changes_nothing(serve: Serve) -> None:
    world = World(roots=("a", "x"))
    world.ends, world.held = {"a": "FAILED"}, {"x"}
    chain = await serve(world)
    handle = await chain.start()
    await chain.stack_shows(handle, "a", Phase.FAILED)

    junk: list[Any] = [
        [LiveRequest(kind=RETRY, token="2", number=2)],
        [LiveRequest(kind=RETRY, token="x" * 5000, number=1)],
        [],
        [LiveRequest(kind=RETRY, token="1", number=1), 7],
    ]
    for arguments in junk:
        await handle.signal(ids.REQUEST_SIGNAL, args=arguments)
    refused = await ask(chain, handle, RETRY, "x")
    await world.move("x", "FINISHED")
    known = await handle.result()

    assert refused.is_refused
    assert len(known.requests) == 1
    assert world.states("a") == ["FAILED"]


@pytest.mark.parametrize("parallelism", [1, 10])
async def test_what_is_retried_takes_a_slot_like_any_other(serve: Serve, parallelism: int) -> None:
    world = World(roots=("a", "b", "x"))
    world.first_ends = {"a": ["FAILED"], "b": ["FAILED"]}
    world.held, world.holds_in = {"x"}, {"x": "UNCONFIRMED"}
    chain = await serve(world)
    handle = await chain.start(parallelism=parallelism)
    await chain.stack_shows(handle, "x", Phase.AWAITING_CONFIRMATION)
    world.held = {"a", "b", "x"}

    await ask(chain, handle, RETRY)
    await chain.stack_shows(handle, "a", Phase.RUNNING)
    second = Phase.PENDING if parallelism == 1 else Phase.RUNNING
    await chain.stack_shows(handle, "b", second)
    world.held = {"x"}
    await world.move("a", "FINISHED")
    if parallelism > 1:
        await world.move("b", "FINISHED")
    await chain.stack_shows(handle, "b", Phase.SUCCEEDED)
    await world.move("x", "FINISHED")
    known = await handle.result()

    assert set(phases(known).values()) == {Phase.SUCCEEDED}


async def test_with_fail_fast_what_is_named_runs_and_the_rest_stays_skipped(serve: Serve) -> None:
    world = World(roots=("a", "b", "x"))
    world.first_ends = {"a": ["FAILED"], "b": ["FAILED"]}
    world.held = {"x"}
    chain = await serve(world)
    handle = await chain.start(failure_policy=FailurePolicy.FAIL_FAST)
    for stack_id in "ab":
        await chain.stack_shows(handle, stack_id, Phase.FAILED)

    await ask(chain, handle, RETRY, "b")
    await chain.stack_shows(handle, "b", Phase.SUCCEEDED)
    await world.move("x", "FINISHED")
    known = await handle.result()

    assert phases(known) == {"a": "Failed", "b": "Succeeded", "x": "Succeeded"}
    assert known.reason == ChainReason.STACK_FAILED


@pytest.mark.parametrize(
    ("operation", "failing", "behind"),
    [(Operation.DESTROY, "b", "a"), (Operation.PLAN, "a", None)],
    ids=["destroy", "plan"],
)
async def test_other_operations_are_retried_and_bypassed_too(
    serve: Serve, operation: Operation, failing: str, behind: str | None
) -> None:
    world = World("a~b", roots=("a", "x"))
    world.has_natives = False
    world.first_ends, world.held = {failing: ["FAILED", "FAILED"]}, {"x"}
    chain = await serve(world)
    handle = await chain.start(operation=operation)
    await chain.stack_shows(handle, failing, Phase.FAILED)
    if behind:
        await chain.stack_shows(handle, behind, Phase.SKIPPED)

    await ask(chain, handle, RETRY)
    await eventually(lambda: len(world.states(failing)) == 2, what="it runs again")
    await chain.stack_shows(handle, failing, Phase.FAILED)
    await ask(chain, handle, BYPASS, failing)
    await world.move("x", "FINISHED")
    known = await handle.result()

    assert stack_of(known, failing).reason == StackReason.BYPASSED
    assert {phase for name, phase in phases(known).items() if name != failing} == {"Succeeded"}


async def test_the_stack_deadline_counts_anew_for_what_is_retried(serve: Serve) -> None:
    world = World("a~b", roots=("a", "x"))
    world.held, world.holds_in = {"a"}, {"a": "PLANNING"}
    world.stack_holds["x"] = holds.Hold(locked_by="somebody")
    chain = await serve(world)
    handle = await chain.start(stack_deadline_seconds=2)
    await chain.stack_shows(handle, "a", Phase.TIMED_OUT)

    await ask(chain, handle, RETRY, "a")
    await eventually(lambda: len(world.states("a")) == 2, what="it runs again")
    await chain.stack_shows(handle, "a", Phase.TIMED_OUT)
    await world.hold_stack("x", None)
    known = await handle.result()

    assert world.states("a") == ["STOPPED", "STOPPED"]
    assert phases(known) == {"a": "TimedOut", "b": "Skipped", "x": "Succeeded"}


async def test_a_stack_that_another_chain_has_is_bypassed_and_no_longer_waited_for(
    serve: Serve,
) -> None:
    world = World("a~b")
    world.held = {"a"}
    chain = await serve(world)
    first = await chain.start("first")
    await chain.stack_shows(first, "a", Phase.RUNNING)
    second = await chain.start("second")
    await chain.stack_shows(second, "a", Phase.WAITING, StackReason.STACK_BUSY)

    await ask(chain, second, BYPASS, "a")
    known = await second.result()
    await world.move("a", "FINISHED")
    await first.result()

    assert phases(known) == {"a": "Skipped", "b": "Succeeded"}
    assert len(world.states("a")) == 1


async def test_a_retry_of_named_stacks_leaves_the_others_as_they_ended(serve: Serve) -> None:
    world = World("a~d", "b~e", roots=("a", "b"))
    chain = await serve(world)
    left = make_left(
        "b", run_id="01B", run_url="https://x/01B", completion_time="2026-01-01T00:00:00Z"
    )
    retried = [
        progress.Retried(stack_id="a", run_number=1, is_named=True, may_have_newer=False),
        progress.Retried(
            stack_id="d", run_number=1, blocked_by="a", is_named=True, may_have_newer=False
        ),
    ]

    known = await chain.run(
        cause="Retry", retried=retried, left=[left], failure_policy=FailurePolicy.FAIL_FAST
    )

    assert phases(known) == {"a": "Succeeded", "d": "Succeeded", "b": "Failed", "e": "Skipped"}
    assert (stack_of(known, "b").run_id, stack_of(known, "e").blocked_by) == ("01B", "b")
    assert sorted(world.calls("trigger_stack_run")) == ["a", "d"]
    assert known.reason == ChainReason.STACK_FAILED


async def test_what_a_retry_leaves_counts_also_if_the_chain_no_longer_has_it(serve: Serve) -> None:
    """`gone` failed, and `b` was skipped behind it; then it was deleted in Spacelift."""
    world = World("a~d", "b~e", roots=("a", "b"))
    chain = await serve(world)
    left = [make_left("gone"), make_left("b", blocked_by="gone")]
    retried = [progress.Retried(stack_id=item, run_number=1, is_named=True) for item in "ad"]

    known = await chain.run(cause="Retry", retried=retried, left=left)

    assert phases(known) == {
        "a": "Succeeded",
        "d": "Succeeded",
        "b": "Skipped",
        "e": "Skipped",
        "gone": "Skipped",
    }
    assert (known.phase, known.reason) == (Phase.FAILED, ChainReason.STACKS_NO_LONGER_IN_CHAIN)
    assert sorted(world.calls("trigger_stack_run")) == ["a", "d"]


async def test_a_retry_in_which_all_is_kept_or_bypassed_ends_at_once(serve: Serve) -> None:
    world = World("a~b")
    kept = [
        progress.Kept(stack_id="a", run_number=1, run_id="01A"),
        progress.Kept(stack_id="b", run_number=1, is_bypassed=True),
    ]
    chain = await serve(world)

    known = await chain.run(cause="Retry", kept=kept)

    assert phases(known) == {"a": "Succeeded", "b": "Skipped"}
    assert known.phase is Phase.SUCCEEDED
    assert world.calls("trigger_stack_run") == []
