"""Stages of a chain: what starts when, what is stopped, and what a wait costs."""

import asyncio
import datetime

import pytest
from temporalio.api.enums.v1 import EventType
from temporalio.client import Client, WorkflowHistory

from controller.api import v1alpha1
from controller.api.reasons import ChainReason, StackReason
from controller.api.v1alpha1 import Phase
from controller.chain.run import progress
from controller.temporal import ids
from tests.support.waiting import eventually
from tests.workflows import harness
from tests.workflows.conftest import Serve
from tests.workflows.harness import ChainHandle, Harness, phases, stack_of
from tests.workflows.world import World

DEV = v1alpha1.Stage(name="dev", labels=("dev",))


# Soak times are longer than it takes to see them, on a busy machine too.
def prod(soak_seconds: int = 0) -> v1alpha1.Stage:
    return v1alpha1.Stage(name="prod", labels=("prod",), soak_seconds=soak_seconds)


async def stage_waits(
    chain: Harness, handle: ChainHandle, name: str, waits_for: str
) -> progress.StageProgress:
    """Wait until a stage waits for that."""

    async def waits() -> progress.StageProgress | None:
        known = await chain.known(handle)
        stage = next(stage for stage in known.stages if stage.name == name)
        assert stage.waits_for == waits_for, stage
        return stage

    found = await eventually(waits, what=f"{name} waits for {waits_for or 'nothing'}")
    assert found is not None
    return found


async def test_a_later_stage_waits_for_all_of_the_earlier_one(serve: Serve) -> None:
    world = World("a~b", "a~p", roots=("a", "q"))
    world.stage_of = {"a": "dev", "b": "dev", "p": "prod", "q": "prod"}
    world.held = {"b"}
    chain = await serve(world)
    handle = await chain.start(stages=[DEV, prod()])
    await chain.stack_shows(handle, "b", Phase.RUNNING)

    pending = await stage_waits(chain, handle, "prod", "EarlierStages")
    triggered = world.calls("trigger_stack_run")
    await world.move("b", "FINISHED")
    known = await handle.result()

    assert (pending.phase, triggered) == (Phase.PENDING, ["a", "b"])
    assert known.phase is Phase.SUCCEEDED
    assert sorted(world.calls("trigger_stack_run")[2:]) == ["p", "q"]
    assert [(stage.phase, stage.succeeded) for stage in known.stages] == [("Succeeded", 2)] * 2


async def test_a_native_run_across_a_stage_is_stopped_and_triggered_later(serve: Serve) -> None:
    world = World("a>p", "p>r")
    world.stage_of = {"a": "dev", "p": "prod", "r": "prod"}
    world.held = {"a", "p", "r"}
    world.holds_in = {"p": "QUEUED", "r": "QUEUED"}
    chain = await serve(world)
    handle = await chain.start(stages=[DEV, prod()])
    await eventually(
        lambda: [run.state for run in world.runs.values() if run.is_native] == ["CANCELED"] * 2,
        what="both native runs are canceled",
    )
    world.held.clear()
    await world.move("a", "FINISHED")

    known = await handle.result()

    assert known.phase is Phase.SUCCEEDED
    assert world.calls("trigger_stack_run") == ["a", "p"]
    natives = [(run.stack_id, run.state) for run in world.runs.values() if run.is_native]
    assert sorted(natives) == [("p", "CANCELED"), ("r", "CANCELED"), ("r", "FINISHED")]


async def test_a_soak_time_is_shown_and_costs_one_timer(serve: Serve) -> None:
    world = World("a~p", "a~f")
    world.stage_of = {"a": "dev", "p": "prod"}
    world.held = {"f"}
    chain = await serve(world)
    handle = await chain.start(stages=[DEV, prod(soak_seconds=8)])

    soaking = await stage_waits(chain, handle, "prod", "Soak")
    await chain.stack_shows(handle, "f", Phase.RUNNING)
    # News of another stack while the stage waits.
    await world.move("f", "FINISHED")
    known = await handle.result()

    done = stack_of(known, "a").completion_time or ""
    assert soaking.since == done
    until = datetime.datetime.fromisoformat(done) + datetime.timedelta(seconds=8)
    assert datetime.datetime.fromisoformat(soaking.until or "") == until
    history = await handle.fetch_history()
    assert started_at(history, "p") >= until
    timers = [
        event for event in history.events if event.event_type == EventType.EVENT_TYPE_TIMER_STARTED
    ]
    assert len(timers) == 1


def started_at(history: WorkflowHistory, stack_id: str) -> datetime.datetime:
    """Return when a chain started the execution of a stack."""
    for event in history.events:
        started = event.start_child_workflow_execution_initiated_event_attributes
        if started.workflow_id.endswith(f"/{stack_id}"):
            return event.event_time.ToDatetime(tzinfo=datetime.UTC)
    raise AssertionError(f"{stack_id} was not started")


async def test_a_worker_that_is_replaced_while_a_stage_soaks_goes_on_with_it(serve: Serve) -> None:
    """With no cache, each workflow task replays the history, as after a kill."""
    world = World("a~p")
    world.stage_of = {"a": "dev", "p": "prod"}
    chain = await serve(world, max_cached_workflows=0)

    handle = await chain.start(stages=[DEV, prod(soak_seconds=2)])
    known = await handle.result()

    assert known.phase is Phase.SUCCEEDED
    done = datetime.datetime.fromisoformat(stack_of(known, "a").completion_time or "")
    until = done + datetime.timedelta(seconds=2)
    assert started_at(await handle.fetch_history(), "p") >= until


async def test_a_request_that_comes_again_when_a_soak_has_passed_does_not_hold_the_stage_up(
    temporal_client: Client,
) -> None:
    """No worker is there meanwhile, so a workflow task gets both as news."""
    world = World("a~p")
    world.stage_of = {"a": "dev", "p": "prod"}
    chain = harness.new_harness(temporal_client, world)
    async with harness.workers(chain):
        handle = await chain.start(stages=[DEV, prod(soak_seconds=12)])
        soaking = await stage_waits(chain, handle, "prod", "Soak")
        await handle.signal(ids.REQUEST_SIGNAL, approval("prod"))

        async def is_handled() -> bool:
            return bool((await chain.known(handle)).requests)

        await eventually(is_handled, what="the request is handled")
    until = datetime.datetime.fromisoformat(soaking.until or "")
    left = until - datetime.datetime.now(datetime.UTC)
    await asyncio.sleep(max(0.0, left.total_seconds()) + 0.5)
    await handle.signal(ids.REQUEST_SIGNAL, approval("prod"))
    async with harness.workers(chain):
        known = await asyncio.wait_for(handle.result(), 60)
        await harness.finish(chain)

    assert known.phase is Phase.SUCCEEDED
    assert len(known.requests) == 1


async def test_a_failure_skips_the_later_stages_and_what_spacelift_queued_there(
    serve: Serve,
) -> None:
    world = World("a>b", "b>p", roots=("a", "q"))
    world.stage_of = {"a": "dev", "b": "dev", "p": "prod", "q": "prod"}
    world.ends = {"a": "FAILED"}
    chain = await serve(world)

    known = await chain.run(stages=[DEV, prod()])

    assert phases(known) == {"a": "Failed", "b": "Skipped", "p": "Skipped", "q": "Skipped"}
    assert stack_of(known, "q").reason == StackReason.STAGE_NOT_SUCCEEDED
    assert stack_of(known, "q").blocked_by == "a"
    assert [str(stage.phase) for stage in known.stages] == ["Failed", "Skipped"]
    assert world.calls("trigger_stack_run") == ["a"]


async def test_a_dependency_against_the_order_triggers_nothing(serve: Serve) -> None:
    world = World("p~a", roots=("p",))
    world.stage_of = {"a": "dev", "p": "prod"}
    chain = await serve(world)

    known = await chain.run(stages=[DEV, prod()])

    assert (known.phase, known.reason) == (Phase.FAILED, ChainReason.GRAPH_INVALID)
    assert world.calls("trigger_stack_run") == []


async def test_a_plan_does_not_wait_for_stages(serve: Serve) -> None:
    world = World(roots=("a", "p"))
    world.stage_of = {"a": "dev", "p": "prod"}
    world.held = {"a"}
    chain = await serve(world)
    handle = await chain.start(stages=[DEV, prod(soak_seconds=3600)], operation="Plan")

    await chain.stack_shows(handle, "p", Phase.SUCCEEDED)
    await world.move("a", "FINISHED")

    assert (await handle.result()).phase is Phase.SUCCEEDED


async def test_to_destroy_the_stages_are_reversed(serve: Serve) -> None:
    world = World("a~p")
    world.stage_of = {"a": "dev", "p": "prod"}
    chain = await serve(world)

    known = await chain.run(stages=[DEV, prod()], operation="Destroy")

    assert known.phase is Phase.SUCCEEDED
    assert world.calls("trigger_stack_run") == ["p", "a"]
    assert [stage.name for stage in known.stages] == ["prod", "dev"]


async def test_a_cancel_ends_a_soak_at_once(serve: Serve) -> None:
    world = World("a~p")
    world.stage_of = {"a": "dev", "p": "prod"}
    chain = await serve(world)
    handle = await chain.start(stages=[DEV, prod(soak_seconds=3600)])
    await stage_waits(chain, handle, "prod", "Soak")

    await handle.cancel()
    known = await handle.result()

    assert phases(known) == {"a": "Succeeded", "p": "Canceled"}
    assert [str(stage.phase) for stage in known.stages] == ["Succeeded", "Canceled"]


async def test_the_deadline_of_the_chain_counts_while_a_stage_soaks(serve: Serve) -> None:
    world = World("a~p")
    world.stage_of = {"a": "dev", "p": "prod"}
    chain = await serve(world)

    known = await chain.run(stages=[DEV, prod(soak_seconds=3600)], active_deadline_seconds=10)

    assert (known.phase, known.reason) == (Phase.TIMED_OUT, ChainReason.DEADLINE_EXCEEDED)
    assert world.calls("trigger_stack_run") == ["a"]


async def test_a_suspended_chain_soaks_and_starts_nothing(serve: Serve) -> None:
    world = World("a~p")
    world.stage_of, world.held = {"a": "dev", "p": "prod"}, {"a"}
    chain = await serve(world)
    handle = await chain.start(stages=[DEV, prod(soak_seconds=2)])
    await chain.stack_shows(handle, "a", Phase.RUNNING)

    await handle.signal(ids.SUSPEND_SIGNAL)
    await world.move("a", "FINISHED")
    await stage_waits(chain, handle, "prod", "")
    await asyncio.sleep(0.5)
    triggered = world.calls("trigger_stack_run")
    await handle.signal(ids.RESUME_SIGNAL)
    known = await handle.result()

    assert triggered == ["a"]
    assert known.phase is Phase.SUCCEEDED


@pytest.mark.parametrize("parallelism", [1, 10])
async def test_slots_bound_the_stacks_of_a_stage_as_all_others(
    serve: Serve, parallelism: int
) -> None:
    world = World(roots=("a", "p", "q"))
    world.stage_of = {"a": "dev", "p": "prod", "q": "prod"}
    chain = await serve(world)

    known = await chain.run(stages=[DEV, prod()], parallelism=parallelism)

    assert known.phase is Phase.SUCCEEDED
    assert world.calls("trigger_stack_run")[0] == "a"


GATED = v1alpha1.Stage(name="prod", labels=("prod",), approval=v1alpha1.StageApproval.REQUIRED)


def approval(*names: str, number: int = 1, token: str = "t") -> progress.LiveRequest:
    kind = progress.LiveRequestKind.APPROVE
    return progress.LiveRequest(kind=kind, token=token, number=number, names=list(names))


async def test_a_stage_starts_once_a_person_has_approved_it(serve: Serve) -> None:
    world = World("a~p")
    world.stage_of = {"a": "dev", "p": "prod"}
    chain = await serve(world)
    handle = await chain.start(stages=[DEV, GATED])
    await handle.signal(ids.REQUEST_SIGNAL, approval("prod", number=2, token="other run"))
    await stage_waits(chain, handle, "prod", "Approval")
    waiting = await chain.known(handle)
    triggered = world.calls("trigger_stack_run")

    # A signal may come twice.
    for _ in range(2):
        await handle.signal(ids.REQUEST_SIGNAL, approval("prod"))
    known = await handle.result()

    assert triggered == ["a"]
    assert waiting.reason == ChainReason.AWAITING_APPROVAL
    assert known.phase is Phase.SUCCEEDED
    assert known.stages[1].approved_at is not None
    assert [(item.token, item.is_refused) for item in known.requests] == [("t", False)]


async def test_an_approval_that_comes_too_early_is_refused_and_counts_for_nothing(
    serve: Serve,
) -> None:
    world = World("a~p")
    world.stage_of, world.held = {"a": "dev", "p": "prod"}, {"a"}
    chain = await serve(world)
    handle = await chain.start(stages=[DEV, GATED])
    await chain.stack_shows(handle, "a", Phase.RUNNING)
    await handle.signal(ids.REQUEST_SIGNAL, approval("prod", token="early"))
    await world.move("a", "FINISHED")

    await stage_waits(chain, handle, "prod", "Approval")
    known = await chain.known(handle)
    await handle.cancel()
    await handle.result()

    assert [(item.token, item.is_refused) for item in known.requests] == [("early", True)]
    assert world.calls("trigger_stack_run") == ["a"]


@pytest.mark.parametrize("is_early", [True, False], ids=["before it waits", "while it waits"])
async def test_an_orphan_ends_at_a_stage_that_no_one_can_approve_any_more(
    serve: Serve, is_early: bool
) -> None:
    """What does not wait for the stage runs to its end first."""
    world = World("a~p", "f~g", roots=("a", "f"))
    world.stage_of = {"a": "dev", "p": "prod"}
    world.held = {"a", "f"} if is_early else {"f"}
    chain = await serve(world)
    handle = await chain.start(stages=[DEV, GATED])
    if is_early:
        await chain.stack_shows(handle, "a", Phase.RUNNING)
    else:
        await stage_waits(chain, handle, "prod", "Approval")
    await chain.stack_shows(handle, "f", Phase.RUNNING)

    await handle.signal(ids.ORPHAN_SIGNAL)
    if is_early:
        await world.move("a", "FINISHED")
    await stage_waits(chain, handle, "prod", "Approval")
    await world.move("f", "FINISHED")
    known = await handle.result()

    assert (known.phase, known.reason) == (Phase.CANCELED, ChainReason.RUN_CANCELED)
    assert phases(known) == {
        "a": "Succeeded",
        "f": "Succeeded",
        "g": "Succeeded",
        "p": "Canceled",
    }
    assert known.unapproved_stage == "prod"


async def test_an_orphan_whose_stage_was_approved_runs_to_its_end(serve: Serve) -> None:
    world = World("a~p")
    world.stage_of = {"a": "dev", "p": "prod"}
    chain = await serve(world)
    handle = await chain.start(stages=[DEV, GATED])
    await stage_waits(chain, handle, "prod", "Approval")

    await handle.signal(ids.REQUEST_SIGNAL, approval("prod"))
    await handle.signal(ids.ORPHAN_SIGNAL)

    assert (await handle.result()).phase is Phase.SUCCEEDED


async def test_an_orphan_that_soaks_goes_on_with_a_stage_that_needs_no_approval(
    serve: Serve,
) -> None:
    world = World("a~p")
    world.stage_of = {"a": "dev", "p": "prod"}
    chain = await serve(world)
    handle = await chain.start(stages=[DEV, prod(soak_seconds=8)])
    await stage_waits(chain, handle, "prod", "Soak")

    await handle.signal(ids.ORPHAN_SIGNAL)

    assert (await handle.result()).phase is Phase.SUCCEEDED


async def test_a_wait_for_an_approval_costs_nothing_but_its_publish(serve: Serve) -> None:
    """No timer, and no activity that waits."""
    world = World("a~p")
    world.stage_of = {"a": "dev", "p": "prod"}
    chain = await serve(world)
    handle = await chain.start(stages=[DEV, GATED])
    await stage_waits(chain, handle, "prod", "Approval")

    async def is_quiet() -> bool:
        before = len((await handle.fetch_history()).events)
        await asyncio.sleep(2)
        return len((await handle.fetch_history()).events) == before

    await eventually(is_quiet, what="nothing happens")
    history = await handle.fetch_history()
    await handle.cancel()
    await handle.result()

    kinds = [event.event_type for event in history.events]
    assert EventType.EVENT_TYPE_TIMER_STARTED not in kinds
