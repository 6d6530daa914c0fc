"""Windows: outside of them nothing is triggered or confirmed, and what waits says so.

The world says whether windows are open. Other tests show when they are: those of the pure parts,
and the simulation, whose windows are real.
"""

import datetime

import pytest

from controller.api import v1alpha1
from controller.api.reasons import ChainReason, StackReason
from controller.api.v1alpha1 import Phase
from controller.chain.run import progress
from controller.temporal import ids, messages
from tests.support.waiting import eventually, stays
from tests.workflows.conftest import Serve
from tests.workflows.executions import execution
from tests.workflows.harness import ChainHandle, Harness, phases, stack_of
from tests.workflows.world import World

WINDOW = v1alpha1.Window(cron="@daily", duration_seconds=3600)
DEV = v1alpha1.Stage(name="dev", labels=("dev",))
PROD = v1alpha1.Stage(name="prod", labels=("prod",), window=WINDOW)


def open_world(*drawing: str, roots: tuple[str, ...] = ("a",)) -> World:
    world = World(*drawing, roots=roots)
    world.open_windows()
    return world


async def run_shows(
    chain: Harness, handle: ChainHandle, reason: ChainReason
) -> progress.ChainProgress:
    """Wait until the run has a reason."""

    async def shows() -> progress.ChainProgress:
        known = await chain.known(handle)
        assert known.reason == reason, known
        return known

    found = await eventually(shows, what=f"the run shows {reason}")
    assert found is not None
    return found


async def test_nothing_is_triggered_before_the_window_opens(serve: Serve) -> None:
    world = World("a~b")
    chain = await serve(world)
    handle = await chain.start(window=WINDOW)
    waiting = await run_shows(chain, handle, ChainReason.WINDOW_CLOSED)
    await stays(lambda: world.calls("find_stack_run") == [], seconds=1)
    world.open_windows()

    assert waiting.phase is Phase.RUNNING
    assert (await handle.result()).phase is Phase.SUCCEEDED
    assert world.calls("trigger_stack_run") == ["a", "b"]


async def test_a_stage_waits_for_its_window_and_the_others_do_not(serve: Serve) -> None:
    world = World("a~p", "a~x")
    world.stage_of = {"a": "dev", "p": "prod"}
    chain = await serve(world)
    handle = await chain.start(stages=[DEV, PROD])
    known = await run_shows(chain, handle, ChainReason.WINDOW_CLOSED)
    (stage,) = (stage for stage in known.stages if stage.waits_for)
    await stays(lambda: world.calls("trigger_stack_run") == ["a", "x"], seconds=1)
    await handle.cancel()

    assert (stage.name, stage.waits_for, stage.phase) == ("prod", "Window", Phase.WAITING)
    assert phases(await handle.result()) == {"a": "Succeeded", "x": "Succeeded", "p": "Canceled"}


async def test_what_is_left_waits_once_the_window_has_closed_and_what_runs_ends(
    serve: Serve,
) -> None:
    world = open_world("p~q", roots=("p",))
    world.stage_of = {"p": "prod", "q": "prod"}
    world.held = {"p"}
    chain = await serve(world)
    handle = await chain.start(stages=[PROD])
    await chain.stack_shows(handle, "p", Phase.RUNNING)
    world.close_windows()
    await world.move("p", "FINISHED")
    await chain.called("find_stack_run", "q")
    await stays(lambda: world.calls("trigger_stack_run") == ["p"], seconds=1)
    world.open_windows()

    assert phases(await handle.result()) == {"p": "Succeeded", "q": "Succeeded"}
    assert len(world.runs) == 2


async def test_whoever_finds_the_window_closed_is_believed_though_another_said_otherwise(
    serve: Serve,
) -> None:
    """Workers with different zone data: the stack is not started and given back each second."""
    world = open_world("a~b")
    world.held = {"a"}
    chain = await serve(world)
    handle = await chain.start(window=WINDOW)
    await chain.stack_shows(handle, "a", Phase.RUNNING)
    world.close_windows()
    world.closed_for = datetime.timedelta(hours=1)
    await world.move("a", "FINISHED")

    waiting = await run_shows(chain, handle, ChainReason.WINDOW_CLOSED)
    await stays(lambda: world.calls("find_stack_run") == ["a", "b"], seconds=3)
    await handle.cancel()

    assert waiting.window is not None
    assert not waiting.window.is_open
    assert phases(await handle.result()) == {"a": "Succeeded", "b": "Canceled"}


@pytest.mark.parametrize("call", ["find_stack_run", "trigger_stack_run"])
async def test_a_window_that_closes_while_a_stack_starts_triggers_nothing(
    serve: Serve, call: str
) -> None:
    world = open_world()
    gate = world.gate(call, "a")
    chain = await serve(world)
    handle = await chain.start(window=WINDOW)
    await chain.called(call, "a")
    world.close_windows()
    gate.set()
    await run_shows(chain, handle, ChainReason.WINDOW_CLOSED)
    triggered = list(world.runs)
    world.open_windows()
    known = await handle.result()

    assert triggered == []
    assert known.phase is Phase.SUCCEEDED
    assert len(world.runs) == 1


async def test_the_next_run_of_a_stack_that_failed_waits_for_the_window(serve: Serve) -> None:
    world = open_world()
    world.first_ends = {"a": ["FAILED"]}
    gate = world.gate("find_stack_run", "a", from_call=2)
    chain = await serve(world)
    handle = await chain.start(window=WINDOW, retry=v1alpha1.Retry(limit=1, backoff_seconds=1))
    await chain.called("find_stack_run", "a", times=2)
    world.close_windows()
    gate.set()
    known = await run_shows(chain, handle, ChainReason.WINDOW_CLOSED)
    triggered = len(world.runs)
    world.open_windows()
    ended = await handle.result()

    assert stack_of(known, "a").reason == StackReason.WINDOW_CLOSED
    assert (triggered, len(world.runs)) == (1, 2)
    assert ended.phase is Phase.SUCCEEDED


async def test_a_native_run_of_a_stack_with_a_window_is_stopped_and_triggered_later(
    serve: Serve,
) -> None:
    world = World("a>p")
    world.stage_of = {"a": "dev", "p": "prod"}
    world.held, world.holds_in = {"a", "p"}, {"p": "QUEUED"}
    chain = await serve(world)
    handle = await chain.start(stages=[DEV, PROD])
    await eventually(lambda: world.states("p") == ["CANCELED"], what="the native run is canceled")
    world.held.clear()
    await world.move("a", "FINISHED")
    await run_shows(chain, handle, ChainReason.WINDOW_CLOSED)
    await handle.cancel()
    await handle.result()

    assert world.states("p") == ["CANCELED"]


async def test_a_chain_with_a_window_uses_no_native_run(serve: Serve) -> None:
    world = open_world("a>b")
    chain = await serve(world)

    known = await chain.run(window=WINDOW)

    assert known.phase is Phase.SUCCEEDED
    assert world.calls("trigger_stack_run") == ["a", "b"]


async def test_a_plan_does_not_wait(serve: Serve) -> None:
    chain = await serve(World())

    known = await chain.run(window=WINDOW, operation="Plan")

    assert known.phase is Phase.SUCCEEDED


async def test_to_destroy_each_stage_waits_for_its_window_in_reverse_order(serve: Serve) -> None:
    world = World("a~p")
    world.stage_of = {"a": "dev", "p": "prod"}
    chain = await serve(world)
    handle = await chain.start(stages=[DEV, PROD], operation="Destroy")
    await run_shows(chain, handle, ChainReason.WINDOW_CLOSED)
    await stays(lambda: world.calls("trigger_stack_run") == [], seconds=1)
    world.open_windows()

    assert (await handle.result()).phase is Phase.SUCCEEDED
    assert world.calls("trigger_stack_run") == ["p", "a"]


async def test_with_fail_fast_what_waits_for_its_window_is_skipped_once_another_has_failed(
    serve: Serve,
) -> None:
    """The chain does not wait for it: nothing of it would start when the window opens."""
    world = World(roots=("a", "p"))
    world.stage_of = {"a": "dev", "p": "prod"}
    world.held = {"a"}
    chain = await serve(world)
    handle = await chain.start(stages=[DEV, PROD], failure_policy=v1alpha1.FailurePolicy.FAIL_FAST)
    await chain.stack_shows(handle, "a", Phase.RUNNING)
    await world.move("a", "FAILED")
    known = await handle.result()

    assert phases(known) == {"a": "Failed", "p": "Skipped"}
    assert world.calls("trigger_stack_run") == ["a"]


@pytest.mark.parametrize("held_by", ["chain", "stage"])
async def test_with_fail_fast_a_closed_window_keeps_no_run_open(serve: Serve, held_by: str) -> None:
    """The window closes while two run, and the one that fails ends what waits for the next one."""
    world = open_world("x~y", roots=("a", "x"))
    world.stage_of = {"a": "prod", "x": "prod", "y": "prod"}
    world.held = {"a", "x"}
    chain = await serve(world)
    spec = {"window": WINDOW} if held_by == "chain" else {"stages": [PROD]}
    handle = await chain.start(failure_policy=v1alpha1.FailurePolicy.FAIL_FAST, **spec)
    for stack_id in "ax":
        await chain.stack_shows(handle, stack_id, Phase.RUNNING)
    world.close_windows()
    await world.move("x", "FINISHED")
    await chain.called("find_stack_run", "y")
    await world.move("a", "FAILED")
    known = await handle.result()

    assert phases(known) == {"a": "Failed", "x": "Succeeded", "y": "Skipped"}
    assert sorted(world.calls("trigger_stack_run")) == ["a", "x"]


async def test_the_deadline_of_the_chain_counts_while_the_window_is_closed(serve: Serve) -> None:
    chain = await serve(World())

    known = await chain.run(window=WINDOW, active_deadline_seconds=3)

    assert (known.phase, known.reason) == (Phase.TIMED_OUT, ChainReason.DEADLINE_EXCEEDED)


async def test_a_suspended_chain_starts_nothing_when_the_window_opens(serve: Serve) -> None:
    world = World()
    chain = await serve(world)
    handle = await chain.start(window=WINDOW)
    await run_shows(chain, handle, ChainReason.WINDOW_CLOSED)
    await handle.signal(ids.SUSPEND_SIGNAL)
    await run_shows(chain, handle, ChainReason.SUSPENDED)
    world.open_windows()
    await stays(lambda: world.calls("trigger_stack_run") == [], seconds=2)
    await handle.signal(ids.RESUME_SIGNAL)

    assert (await handle.result()).phase is Phase.SUCCEEDED


async def test_a_retry_in_the_live_run_waits_for_the_window(serve: Serve) -> None:
    world = open_world(roots=("a", "b"))
    world.first_ends, world.held = {"a": ["FAILED"]}, {"b"}
    chain = await serve(world)
    handle = await chain.start(window=WINDOW)
    await chain.stack_shows(handle, "a", Phase.FAILED)
    await chain.stack_shows(handle, "b", Phase.RUNNING)
    world.close_windows()
    await handle.signal(
        ids.REQUEST_SIGNAL,
        progress.LiveRequest(kind=progress.LiveRequestKind.RETRY, token="1", number=1),
    )
    await eventually(lambda: len(world.calls("find_stack_run")) > 2, what="it is looked for a run")
    await stays(lambda: len(world.states("a")) == 1, seconds=1)
    world.open_windows()
    await world.move("b", "FINISHED")

    assert (await handle.result()).phase is Phase.SUCCEEDED
    assert len(world.states("a")) == 2


async def test_a_worker_that_is_replaced_while_the_window_is_closed_goes_on_with_it(
    serve: Serve,
) -> None:
    """With no cache, each workflow task replays the history, as after a kill."""
    world = World("a~b")
    chain = await serve(world, max_cached_workflows=0)
    handle = await chain.start(window=WINDOW)
    await run_shows(chain, handle, ChainReason.WINDOW_CLOSED)
    world.open_windows()

    assert (await handle.result()).phase is Phase.SUCCEEDED
    assert world.calls("trigger_stack_run") == ["a", "b"]


async def test_windows_that_cannot_be_read_at_once_are_read_later(serve: Serve) -> None:
    world = open_world()
    world.failures["read_windows", ""] = [RuntimeError("this worker knows no such zone")] * 2
    chain = await serve(world)

    assert (await chain.run(window=WINDOW)).phase is Phase.SUCCEEDED


# The confirmation


def planned_world() -> World:
    world = open_world()
    world.held, world.holds_in["a"] = {"a"}, "UNCONFIRMED"
    return world


async def test_a_plan_is_confirmed_once_the_window_opens(serve: Serve) -> None:
    world = planned_world()
    gate = world.gate("confirm_stack_run", "a")
    chain = await serve(world)
    handle = await chain.start(window=WINDOW, confirmation_policy="Auto")
    await chain.called("confirm_stack_run", "a")
    world.close_windows()
    gate.set()
    known = await run_shows(chain, handle, ChainReason.WINDOW_CLOSED)
    shown = stack_of(known, "a")
    await stays(lambda: world.states("a") == ["UNCONFIRMED"], seconds=1)
    world.open_windows()
    ended = await handle.result()

    assert (shown.phase, shown.reason) == (Phase.WAITING, StackReason.WINDOW_CLOSED)
    assert shown.run_id == world.run_of("a").id
    assert ended.phase is Phase.SUCCEEDED


async def test_a_person_may_confirm_or_end_a_plan_that_waits_for_its_window(serve: Serve) -> None:
    world = planned_world()
    gate = world.gate("confirm_stack_run", "a")
    chain = await serve(world)
    target = messages.StackRef(connection=chain.connection, stack_id="a", windows=(WINDOW,))

    async with execution(
        chain,
        target=target,
        confirmation_policy="Auto",
        confirmation_deadline_seconds=1,
    ) as stack:
        await chain.called("confirm_stack_run", "a")
        world.close_windows()
        gate.set()
        shown = await stack.shows("WindowClosed")
        await world.move("a", "FINISHED")
        await stack.wake()
        # It waited for no person, so the time for that did not count.
        await stack.ends(Phase.SUCCEEDED, "RunFinished")

    assert shown.phase is Phase.WAITING


async def test_a_cancel_ends_a_plan_that_waits_for_its_window(serve: Serve) -> None:
    world = planned_world()
    gate = world.gate("confirm_stack_run", "a")
    chain = await serve(world)
    handle = await chain.start(window=WINDOW, confirmation_policy="Auto")
    await chain.called("confirm_stack_run", "a")
    world.close_windows()
    gate.set()
    await run_shows(chain, handle, ChainReason.WINDOW_CLOSED)
    await handle.cancel()

    assert (await handle.result()).phase is Phase.CANCELED
    assert world.states("a") == ["DISCARDED"]
