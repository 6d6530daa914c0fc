"""What people can do to a chain while it runs, and what its spec says of when it stops."""

import pytest

from controller.api import v1alpha1
from controller.api.reasons import ChainReason, StackReason
from controller.api.v1alpha1 import Phase
from controller.chain.run import holds, newer_runs, progress
from controller.temporal import ids, messages
from tests.support.waiting import eventually
from tests.workflows import harness
from tests.workflows.conftest import Serve
from tests.workflows.harness import phases, stack_of
from tests.workflows.world import World, failure

# Suspend and resume


async def test_a_chain_that_starts_suspended_shows_its_graph_and_triggers_nothing(
    serve: Serve,
) -> None:
    world = World("a>b", "a>c")
    chain = await serve(world)
    handle = await chain.start(is_suspended=True)

    shown = await chain.stack_shows(handle, "a", Phase.PENDING)
    known = await chain.known(handle)

    assert (known.phase, known.reason) == (Phase.PENDING, ChainReason.SUSPENDED)
    assert shown.level == 0
    assert sorted(phases(known)) == ["a", "b", "c"]
    assert world.calls("find_stack_run") == []

    await handle.signal(ids.RESUME_SIGNAL)
    ended = await handle.result()

    assert (ended.phase, set(phases(ended).values())) == (Phase.SUCCEEDED, {"Succeeded"})
    # The wave is the resumed chain's own: nothing was doubled.
    assert world.calls("trigger_stack_run") == ["a"]


async def test_a_suspended_chain_starts_no_further_stack_and_stops_what_spacelift_queued(
    serve: Serve,
) -> None:
    world = World("a>b", "b~c")
    world.held, world.holds_in["b"] = {"a", "b"}, "QUEUED"
    chain = await serve(world)
    handle = await chain.start()
    await chain.stack_shows(handle, "a", Phase.RUNNING)

    await handle.signal(ids.SUSPEND_SIGNAL)
    await eventually(lambda: world.states("b") == ["CANCELED"], what="the native run ends")
    await world.move("a", "FINISHED")
    await chain.stack_shows(handle, "a", Phase.SUCCEEDED)
    known = await chain.known(handle)

    assert (known.phase, known.reason) == (Phase.PENDING, ChainReason.SUSPENDED)
    assert "2 stacks do not start" in known.message
    assert world.calls("find_stack_run") == ["a"]

    world.held = set()
    await handle.signal(ids.RESUME_SIGNAL)
    ended = await handle.result()

    assert (ended.phase, set(phases(ended).values())) == (Phase.SUCCEEDED, {"Succeeded"})
    assert world.calls("trigger_stack_run") == ["a", "b", "c"]


async def test_suspending_before_the_root_has_a_run_holds_back_its_wave_too(serve: Serve) -> None:
    world = World("a>b")
    world.holds_in["b"], world.held = "QUEUED", {"b"}
    gate = world.gate("trigger_stack_run", "a")
    chain = await serve(world)
    handle = await chain.start()
    await chain.called("trigger_stack_run", "a")

    await handle.signal(ids.SUSPEND_SIGNAL)
    gate.set()

    await eventually(lambda: "CANCELED" in world.states("b"), what="the native run ends")
    world.held = set()
    await handle.signal(ids.RESUME_SIGNAL)
    ended = await handle.result()

    assert (ended.phase, set(phases(ended).values())) == (Phase.SUCCEEDED, {"Succeeded"})
    assert world.states("b") == ["CANCELED", "FINISHED"]


async def test_a_suspended_chain_can_be_canceled(serve: Serve) -> None:
    chain = await serve(World("a>b"))
    handle = await chain.start(is_suspended=True)
    await chain.stack_shows(handle, "a", Phase.PENDING)

    await handle.cancel()
    known = await handle.result()

    assert (known.phase, known.reason) == (Phase.CANCELED, ChainReason.RUN_CANCELED)
    assert phases(known) == {"a": "Canceled", "b": "Canceled"}


# Cancel: what Spacelift queued ends before what it waits for


async def test_a_cancel_stops_what_waits_behind_a_run_before_the_run_itself(serve: Serve) -> None:
    """Spacelift skips the direct dependents of a stopped run, and starts those behind them."""
    world = World("a>b", "b>c", "c>d")
    world.held = set("abcd")
    world.holds_in = dict.fromkeys("bcd", "QUEUED")
    chain = await serve(world)
    handle = await chain.start()
    await chain.stack_shows(handle, "a", Phase.RUNNING)

    await handle.cancel()
    known = await handle.result()

    assert [world.states(name) for name in "abcd"] == [["STOPPED"], *[["CANCELED"]] * 3]
    stops = [name for name, _ in world.log if name in ("stop_native_runs", "stop_stack_run")]
    assert stops[0] == "stop_native_runs"
    targets = world.arguments_of(messages.StopNativeRunsInput)[0].targets
    assert {target.stack_id: target.depth for target in targets} == {"b": 1, "c": 2, "d": 3}
    assert set(phases(known).values()) == {"Canceled"}


# Deadlines


async def test_a_chain_that_takes_too_long_is_stopped_and_says_so(serve: Serve) -> None:
    world = World("a~b")
    world.held = {"a"}
    chain = await serve(world)

    known = await chain.run(active_deadline_seconds=6)

    assert (known.phase, known.reason) == (Phase.TIMED_OUT, ChainReason.DEADLINE_EXCEEDED)
    assert phases(known) == {"a": "TimedOut", "b": "Canceled"}
    assert {stack.reason for stack in known.stacks} == {StackReason.CHAIN_DEADLINE_EXCEEDED}
    assert world.states("a") == ["STOPPED"]


@pytest.mark.parametrize(
    ("field", "reason"),
    [
        ("confirmation_deadline_seconds", StackReason.CONFIRMATION_DEADLINE_EXCEEDED),
        ("stack_deadline_seconds", StackReason.STACK_DEADLINE_EXCEEDED),
    ],
)
async def test_a_stack_that_takes_too_long_is_stopped_after_what_waits_behind_it(
    serve: Serve, field: str, reason: str
) -> None:
    """Spacelift would start what is behind a direct dependent, and it might apply at once."""
    world = World("a>b", "b>c", "a~x")
    world.held, world.holds_in = set("abc"), {"a": "UNCONFIRMED", "b": "QUEUED", "c": "QUEUED"}
    # The deepest first.
    gate = world.gate("stop_native_runs", "c,b")
    chain = await serve(world)
    handle = await chain.start(**{field: 1})
    await chain.called("stop_native_runs", "c,b")
    shown = await chain.stack_shows(handle, "a", Phase.RUNNING, reason)
    before = world.calls("stop_stack_run")

    gate.set()
    known = await handle.result()

    assert shown.message.endswith("the run is being stopped.")
    assert before == []
    assert [world.states(name) for name in "abc"] == [["DISCARDED"], ["CANCELED"], ["CANCELED"]]
    targets = world.arguments_of(messages.StopNativeRunsInput)[0].targets
    assert {target.stack_id: target.depth for target in targets} == {"b": 1, "c": 2}
    skipped = dict.fromkeys("bcx", "Skipped")
    assert phases(known) == {"a": "TimedOut"} | skipped
    assert known.reason == ChainReason.STACK_TIMED_OUT


async def test_a_run_that_applies_after_all_at_its_deadline_releases_what_was_behind_it(
    serve: Serve,
) -> None:
    """A person confirms it, while what Spacelift queued behind it is being stopped."""
    world = World("a>b")
    world.held, world.holds_in = {"a", "b"}, {"a": "UNCONFIRMED", "b": "QUEUED"}
    gate = world.gate("stop_native_runs", "b")
    chain = await serve(world)
    handle = await chain.start(confirmation_deadline_seconds=1)
    await chain.called("stop_native_runs", "b")

    await world.move("a", "APPLYING")
    world.held = {"a"}
    gate.set()
    await chain.called("stop_stack_run", "a")
    await world.move("a", "FINISHED")
    known = await handle.result()

    assert (known.phase, set(phases(known).values())) == (Phase.SUCCEEDED, {"Succeeded"})
    assert world.calls("trigger_stack_run") == ["a", "b"]
    assert world.states("b") == ["CANCELED", "FINISHED"]


async def test_the_time_that_a_chain_is_suspended_does_not_count(serve: Serve) -> None:
    """While it is suspended there is no timer at all, so no time can pass."""
    chain = await serve(World())
    handle = await chain.start(active_deadline_seconds=60, is_suspended=True)
    await chain.stack_shows(handle, "a", Phase.PENDING)
    await chain.called("publish_chain_status")

    history = await handle.fetch_history()
    await handle.signal(ids.RESUME_SIGNAL)
    known = await handle.result()

    assert not any(e.HasField("timer_started_event_attributes") for e in history.events)
    assert known.phase is Phase.SUCCEEDED


async def test_a_run_that_applies_at_the_deadline_is_left_to_end(serve: Serve) -> None:
    world = World()
    world.held, world.holds_in["a"] = {"a"}, "APPLYING"
    chain = await serve(world)
    handle = await chain.start(active_deadline_seconds=6)
    await chain.called("stop_stack_run", "a")

    await world.move("a", "FINISHED")
    known = await handle.result()

    assert (known.phase, phases(known)) == (Phase.SUCCEEDED, {"a": "Succeeded"})


# Policies


async def test_fail_fast_lets_what_runs_end_and_starts_nothing_more(serve: Serve) -> None:
    world = World(roots=("a", "b", "c", "d"))
    world.held, world.ends["a"] = {"b"}, "FAILED"
    chain = await serve(world)
    handle = await chain.start(failure_policy="FailFast", parallelism=2)
    await chain.stack_shows(handle, "c", Phase.SKIPPED, StackReason.FAIL_FAST)

    await world.move("b", "FINISHED")
    known = await handle.result()

    assert (known.phase, known.reason) == (Phase.FAILED, ChainReason.STACK_FAILED)
    assert phases(known) == {"a": "Failed", "b": "Succeeded", "c": "Skipped", "d": "Skipped"}
    assert sorted(world.calls("trigger_stack_run")) == ["a", "b"]


async def test_plans_run_side_by_side_and_past_a_failure(serve: Serve) -> None:
    """All are in progress at once, although each depends on the one before."""
    world = World("a>b", "b~c")
    world.has_natives = False
    world.held = {"a", "b", "c"}
    chain = await serve(world)
    handle = await chain.start(operation="Plan")
    for stack_id in "abc":
        await chain.stack_shows(handle, stack_id, Phase.RUNNING)

    await world.move("a", "FAILED")
    await world.move("c", "FINISHED")
    await world.move("b", "FINISHED")
    known = await handle.result()

    assert (known.phase, known.reason) == (Phase.FAILED, ChainReason.STACK_FAILED)
    assert phases(known) == {"a": "Failed", "b": "Succeeded", "c": "Succeeded"}
    assert sorted(world.calls("trigger_stack_run")) == ["a", "b", "c"]


async def test_plans_have_executions_of_their_own_beside_an_apply(serve: Serve) -> None:
    world = World()
    world.held = {"a"}
    chain = await serve(world)
    applying = await chain.start("applying")
    await chain.stack_shows(applying, "a", Phase.RUNNING)
    applied = world.run_of("a").id
    world.held = set()

    planned = await chain.run(name="planning", operation="Plan")
    await world.move("a", "FINISHED", run_id=applied)

    assert planned.phase is Phase.SUCCEEDED
    assert (await applying.result()).phase is Phase.SUCCEEDED


async def test_where_native_runs_are_replaced_the_chain_triggers_every_stack(serve: Serve) -> None:
    world = World("a>b", "b>c")
    world.holds_in = {"b": "QUEUED", "c": "QUEUED"}
    chain = await serve(world)

    known = await chain.run(native_runs="Replace")

    assert set(phases(known).values()) == {"Succeeded"}
    assert world.calls("trigger_stack_run") == ["a", "b", "c"]


async def test_with_variables_of_its_own_the_chain_triggers_every_stack_with_them(
    serve: Serve,
) -> None:
    world = World("a>b")
    chain = await serve(world)

    await chain.run(environment={"REGION": "eu"}, commit_sha="abcdef1")

    found = world.arguments_of(messages.TriggerStackRunInput)
    assert [(item.target.stack_id, item.environment, item.commit_sha) for item in found] == [
        ("a", {"REGION": "eu"}, "abcdef1"),
        ("b", {"REGION": "eu"}, None),
    ]


# Retry of an earlier run


async def test_what_an_earlier_run_left_succeeded_is_kept_and_not_run_again(serve: Serve) -> None:
    world = World("a>b", "b>c", "a>d")
    world.holds_in["d"] = "QUEUED"
    chain = await serve(world)

    known = await chain.run(
        kept=[
            progress.Kept(stack_id=name, run_number=1, run_id=f"01{name}", run_url="https://x")
            for name in ("a", "d", "gone")
        ]
    )

    assert (known.phase, phases(known)) == (Phase.SUCCEEDED, dict.fromkeys("abcd", "Succeeded"))
    assert world.calls("find_stack_run") == ["b", "c"]
    assert world.calls("trigger_stack_run") == ["b"]
    kept = stack_of(known, "a")
    assert (kept.reason, kept.run_id) == (StackReason.KEPT, "01a")
    assert kept.message == "It had succeeded when run 1 ended and is not run again."
    assert known.message == "4 stacks succeeded, 2 of them in an earlier run."


async def test_what_has_succeeded_since_outside_of_the_chain_is_kept_too(serve: Serve) -> None:
    world = World("a>b", "b>c", "c~d")
    world.newest_runs = [
        newer_runs.NewestRun(
            stack_id=stack_id,
            run_id=run_id,
            run_url=f"https://x/{run_id}",
            triggered_by=triggered_by,
            is_success=True,
        )
        for stack_id, run_id, triggered_by in (("b", "03", "jane"), ("c", "04", "b"))
    ]
    chain = await serve(world)

    known = await chain.run(
        kept=[progress.Kept(stack_id="a", run_number=1, run_id="01", run_url="https://x/01")],
        retried=[
            progress.Retried(stack_id="b", run_number=1, run_id="02"),
            progress.Retried(stack_id="c", run_number=1),
            progress.Retried(stack_id="d", run_number=1),
        ],
    )

    assert phases(known) == dict.fromkeys("abcd", "Succeeded")
    assert world.calls("trigger_stack_run") == ["d"]
    newer = stack_of(known, "b")
    assert (newer.reason, newer.run_id, newer.run_url) == (StackReason.KEPT, "03", "https://x/03")
    assert newer.message == "It succeeded outside of the chain after run 1, and is not run again."


async def test_a_retry_names_what_the_chain_no_longer_has(serve: Serve) -> None:
    """`b` failed and was deleted, so nothing leads to what was behind it any more."""
    world = World("a>e")
    world.hidden = {"b"}
    chain = await serve(world)

    known = await chain.run(
        kept=[progress.Kept(stack_id="a", run_number=1, run_id="01a")],
        retried=[
            progress.Retried(stack_id="b", run_number=1, run_id="02"),
            progress.Retried(stack_id="c", run_number=1, blocked_by="b"),
            progress.Retried(stack_id="e", run_number=1),
        ],
    )

    assert (known.phase, known.reason) == (Phase.FAILED, ChainReason.STACKS_NO_LONGER_IN_CHAIN)
    assert phases(known) == {"a": "Succeeded", "b": "Skipped", "c": "Skipped", "e": "Succeeded"}
    assert world.calls("trigger_stack_run") == ["e"]
    assert "Spacelift no longer has it" in stack_of(known, "b").message
    assert "because of 'b', which no longer exists" in stack_of(known, "c").message


async def test_a_retry_of_what_came_back_runs_it(serve: Serve) -> None:
    world = World("a~b")
    chain = await serve(world)

    known = await chain.run(
        kept=[progress.Kept(stack_id="a", run_number=2, run_id="01a")],
        retried=[progress.Retried(stack_id="b", run_number=2)],
    )

    assert (known.phase, known.reason) == (Phase.SUCCEEDED, ChainReason.RUN_SUCCEEDED)
    assert world.calls("trigger_stack_run") == ["b"]


async def test_a_chain_that_lost_stacks_can_be_canceled(serve: Serve) -> None:
    world = World("a~e")
    world.held = {"e"}
    chain = await serve(world)
    handle = await chain.start(
        kept=[progress.Kept(stack_id="a", run_number=1, run_id="01a")],
        retried=[progress.Retried(stack_id=item, run_number=1) for item in ("b", "e")],
    )
    await chain.stack_shows(handle, "e", Phase.RUNNING)

    await handle.cancel()
    known = await handle.result()

    assert (known.phase, known.reason) == (Phase.CANCELED, ChainReason.RUN_CANCELED)
    assert phases(known) == {"a": "Succeeded", "b": "Skipped", "e": "Canceled"}


# The resource goes, the run stays


async def test_a_run_that_is_left_to_itself_goes_on_without_publishing(serve: Serve) -> None:
    world = World("a~b")
    world.held = {"a"}
    chain = await serve(world)
    memo = messages.ChainMemo(
        installation="here",
        ref=harness.REF,
        number=1,
        attempt=1,
        cause="Spec",
        handled=v1alpha1.Handled(spec="x"),
    )
    handle = await chain.start(memo=memo)
    await chain.stack_shows(handle, "a", Phase.RUNNING)

    await handle.signal(ids.ORPHAN_SIGNAL)

    async def is_told() -> bool:
        described = await handle.describe()
        listed = await described.memo_value(ids.MEMO, type_hint=messages.ChainMemo)
        return listed == messages.as_orphan(memo)

    await eventually(is_told)
    before = len(world.calls("publish_chain_status"))
    await world.move("a", "FINISHED")
    known = await handle.result()

    assert known.phase is Phase.SUCCEEDED
    assert len(world.calls("publish_chain_status")) <= before + 1
    assert not any(item.is_final for item in world.arguments_of(messages.PublishChainStatusInput))


@pytest.mark.parametrize("is_held", [False, True], ids=["ready", "waits for a lock"])
async def test_a_suspended_run_that_is_left_to_itself_ends_where_nothing_runs(
    serve: Serve, is_held: bool
) -> None:
    world = World("a>b")
    if is_held:
        world.stack_holds["a"] = holds.Hold(locked_by="jane")
    chain = await serve(world)
    handle = await chain.start(is_suspended=not is_held)
    await chain.stack_shows(handle, "a", Phase.WAITING if is_held else Phase.PENDING)

    await handle.signal(ids.SUSPEND_SIGNAL)
    await handle.signal(ids.ORPHAN_SIGNAL)
    known = await handle.result()

    assert (known.phase, known.reason) == (Phase.CANCELED, ChainReason.RUN_CANCELED)
    assert phases(known) == {"a": "Canceled", "b": "Canceled"}
    assert {stack.reason for stack in known.stacks} == {StackReason.CHAIN_CANCELED}
    assert world.calls("trigger_stack_run") == []


async def test_a_suspended_run_that_is_left_to_itself_lets_end_what_runs_and_starts_no_more(
    serve: Serve,
) -> None:
    """Its repeated runs are of stacks that had started, as on any suspended chain."""
    world = World("a>b")
    world.held, world.holds_in = {"a", "b"}, {"b": "QUEUED"}
    chain = await serve(world)
    handle = await chain.start(retry=v1alpha1.Retry(limit=1, backoff_seconds=1))
    await chain.stack_shows(handle, "a", Phase.RUNNING)
    await handle.signal(ids.SUSPEND_SIGNAL)
    await handle.signal(ids.ORPHAN_SIGNAL)

    world.held = {"b"}
    await world.move("a", "FAILED")
    known = await handle.result()

    assert phases(known) == {"a": "Succeeded", "b": "Canceled"}
    assert world.states("a") == ["FAILED", "FINISHED"]
    assert set(world.states("b")) == {"CANCELED"}


async def test_a_run_that_is_resumed_before_it_is_left_to_itself_goes_on(serve: Serve) -> None:
    world = World("a~b")
    chain = await serve(world)
    handle = await chain.start(is_suspended=True)
    await chain.stack_shows(handle, "a", Phase.PENDING)

    await handle.signal(ids.RESUME_SIGNAL)
    await handle.signal(ids.ORPHAN_SIGNAL)
    known = await handle.result()

    assert phases(known) == {"a": "Succeeded", "b": "Succeeded"}


async def test_a_suspended_run_that_is_left_to_itself_before_its_stacks_are_read_ends(
    serve: Serve,
) -> None:
    world = World("a~b")
    gate = world.gate("fetch_dependent_stacks", "")
    chain = await serve(world)
    handle = await chain.start(is_suspended=True)
    await chain.called("fetch_dependent_stacks")

    await handle.signal(ids.ORPHAN_SIGNAL)
    known = await handle.result()
    gate.set()

    assert (known.phase, known.stacks) == (Phase.CANCELED, [])


async def test_the_time_of_a_suspended_run_that_is_left_to_itself_counts(serve: Serve) -> None:
    """What it waits for might otherwise hold it forever."""
    world = World("a~b")
    world.held, world.holds_in["a"] = {"a"}, "UNCONFIRMED"
    chain = await serve(world)
    handle = await chain.start(active_deadline_seconds=6)
    await chain.stack_shows(handle, "a", Phase.AWAITING_CONFIRMATION)

    await handle.signal(ids.SUSPEND_SIGNAL)
    await handle.signal(ids.ORPHAN_SIGNAL)
    known = await handle.result()

    assert (known.phase, known.reason) == (Phase.TIMED_OUT, ChainReason.DEADLINE_EXCEEDED)
    assert world.states("a") == ["DISCARDED"]


@pytest.mark.parametrize("is_first_told", [True, False], ids=["told first", "gone first"])
async def test_a_run_whose_resource_is_gone_is_stopped_unless_it_was_left_to_itself(
    serve: Serve, is_first_told: bool
) -> None:
    world = World()
    world.held = {"a"}
    chain = await serve(world)
    handle = await chain.start()
    await chain.stack_shows(handle, "a", Phase.RUNNING)

    if is_first_told:
        await handle.signal(ids.ORPHAN_SIGNAL)
        world.publish_error = failure("ResourceGone", final=True)
        await world.move("a", "FINISHED")
    else:
        world.publish_error = failure("ResourceGone", final=True)
        await world.move("a", "UNCONFIRMED")
    known = await handle.result()

    assert known.phase is (Phase.SUCCEEDED if is_first_told else Phase.CANCELED)
