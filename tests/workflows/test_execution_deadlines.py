"""What takes too long is stopped by the call that fits its state, and its real end counts."""

import pytest

from controller.api import v1alpha1
from controller.api.v1alpha1 import Phase
from controller.temporal import ids, messages
from tests.support.waiting import stays
from tests.workflows.conftest import Serve
from tests.workflows.executions import execution
from tests.workflows.world import World, failure

STACK, CONFIRMATION = "StackDeadlineExceeded", "ConfirmationDeadlineExceeded"


def held(state: str) -> World:
    world = World()
    world.held, world.holds_in["a"] = {"a"}, state
    return world


@pytest.mark.parametrize(
    ("state", "end"),
    [("QUEUED", "CANCELED"), ("PLANNING", "STOPPED"), ("UNCONFIRMED", "DISCARDED")],
)
async def test_a_stack_that_takes_too_long_is_stopped(serve: Serve, state: str, end: str) -> None:
    world = held(state)
    chain = await serve(world)

    async with execution(chain, stack_deadline_seconds=1) as stack:
        report = await stack.ends(Phase.TIMED_OUT, STACK)

    (stop,) = world.arguments_of(messages.StopStackRunInput)
    assert world.states("a") == [end]
    assert report.message == f"The run ended {end} because `stackDeadlineSeconds` (1 s) passed."
    assert stop.note == "stackchain: `stackDeadlineSeconds` (1 s) passed"


async def test_the_deadline_is_told_before_the_run_has_stopped(serve: Serve) -> None:
    world = held("UNCONFIRMED")
    gate = world.gate("stop_stack_run", "a")
    chain = await serve(world)

    async with execution(chain, stack_deadline_seconds=1) as stack:
        shown = await stack.shows(STACK)
        gate.set()
        await stack.ends(Phase.TIMED_OUT, STACK)

    assert shown.phase is Phase.RUNNING
    assert shown.message == "`stackDeadlineSeconds` (1 s) passed; the run is being stopped."


@pytest.mark.parametrize(
    ("state", "phase", "reason"),
    [("FINISHED", Phase.SUCCEEDED, "RunFinished"), ("FAILED", Phase.FAILED, "RunFailed")],
)
async def test_a_run_that_applies_is_left_to_end_and_is_not_run_again(
    serve: Serve, state: str, phase: Phase, reason: str
) -> None:
    world = held("APPLYING")
    chain = await serve(world)

    async with execution(
        chain, stack_deadline_seconds=1, retry=v1alpha1.Retry(limit=3, backoff_seconds=1)
    ) as stack:
        shown = await stack.shows(STACK)
        await chain.called("stop_stack_run", "a")
        await world.move("a", state)
        await stack.ends(phase, reason)

    assert shown.message.endswith("the run is already applying and is allowed to finish.")
    assert world.calls("trigger_stack_run") == ["a"]


async def test_a_run_is_stopped_only_when_the_chain_lets_it_be(serve: Serve) -> None:
    world = held("UNCONFIRMED")
    chain = await serve(world)

    async with execution(chain, confirmation_deadline_seconds=1, lets_stop=False) as stack:
        asked = await stack.shows(CONFIRMATION)
        await stays(lambda: not world.calls("stop_stack_run"), 0.5)
        await stack.handle.signal(ids.MAY_STOP_SIGNAL, "another chain's")
        await stays(lambda: not world.calls("stop_stack_run"), 0.5)
        await stack.handle.signal(ids.MAY_STOP_SIGNAL, stack.chain.first_execution_run_id)
        await stack.ends(Phase.TIMED_OUT, CONFIRMATION)

    assert asked.is_stopping
    assert world.states("a") == ["DISCARDED"]


async def test_where_there_is_nothing_to_stop_the_chain_is_not_asked(serve: Serve) -> None:
    world = held("APPLYING")
    chain = await serve(world)

    async with execution(chain, stack_deadline_seconds=1) as stack:
        shown = await stack.shows(STACK)
        await chain.called("stop_stack_run", "a")
        await world.move("a", "FINISHED")
        await stack.ends(Phase.SUCCEEDED, "RunFinished")

    assert not shown.is_stopping


async def test_a_run_that_ends_in_time_ends_as_ever(serve: Serve) -> None:
    world = held("PLANNING")
    chain = await serve(world)

    async with execution(
        chain, stack_deadline_seconds=600, confirmation_deadline_seconds=600
    ) as stack:
        await stack.shows("RunInProgress")
        await world.move("a", "UNCONFIRMED")
        await stack.shows("NeedsConfirmation")
        await world.move("a", "FINISHED")
        await stack.ends(Phase.SUCCEEDED, "RunFinished")

    assert world.calls("stop_stack_run") == []


async def test_the_time_of_a_stack_includes_the_pauses_between_its_runs(serve: Serve) -> None:
    world = World()
    world.ends["a"] = "FAILED"
    chain = await serve(world)

    async with execution(
        chain,
        stack_deadline_seconds=1,
        retry=v1alpha1.Retry(limit=3, backoff_seconds=600),
    ) as stack:
        end = await stack.ends(Phase.FAILED, "RunFailed")

    assert end.message == (
        "The run failed. No other run was started because `stackDeadlineSeconds` (1 s) passed."
    )


async def test_the_time_of_a_stack_begins_with_its_run(serve: Serve) -> None:
    world = held("FINISHED")
    gate = world.gate("trigger_stack_run", "a")
    chain = await serve(world)

    async with execution(chain, stack_deadline_seconds=1) as stack:
        await chain.called("trigger_stack_run", "a")
        await stays(lambda: world.calls("stop_stack_run") == [], 1.5)
        gate.set()
        await stack.ends(Phase.SUCCEEDED, "RunFinished")


@pytest.mark.parametrize(
    ("facts", "end"),
    [
        ({"state": "UNCONFIRMED"}, "DISCARDED"),
        ({"state": "UNCONFIRMED", "needs_approval": True}, "DISCARDED"),
        ({"state": "QUEUED", "needs_approval": True}, "CANCELED"),
    ],
    ids=["confirmation", "approval of the plan", "approval of the start"],
)
async def test_a_run_that_nobody_answers_is_stopped(
    serve: Serve, facts: dict[str, object], end: str
) -> None:
    world = held("PLANNING")
    chain = await serve(world)

    async with execution(chain, confirmation_deadline_seconds=1) as stack:
        await stack.shows("RunInProgress")
        await world.change("a", **facts)
        report = await stack.ends(Phase.TIMED_OUT, CONFIRMATION)

    assert world.states("a") == [end]
    assert report.message == (
        f"The run ended {end} because no one confirmed or approved it within "
        "`confirmationDeadlineSeconds` (1 s)."
    )


async def test_only_the_time_for_a_person_counts_and_begins_anew_each_time(serve: Serve) -> None:
    world = held("UNCONFIRMED")
    chain = await serve(world)

    # Longer than it takes to move it on, on a busy machine too.
    async with execution(chain, confirmation_deadline_seconds=8) as stack:
        await stack.shows("NeedsConfirmation")
        await world.move("a", "PREPARING_REPLAN")
        await stack.shows("RunInProgress")
        await stays(lambda: world.calls("stop_stack_run") == [], 8.5)
        await world.move("a", "UNCONFIRMED")
        await stack.ends(Phase.TIMED_OUT, CONFIRMATION)

    assert world.states("a") == ["DISCARDED"]


async def test_while_the_run_cannot_be_read_the_time_goes_on(serve: Serve) -> None:
    world = held("UNCONFIRMED")
    chain = await serve(world)

    async with execution(chain, confirmation_deadline_seconds=10) as stack:
        await stack.shows("NeedsConfirmation")
        await world.break_reading("a", "Unreachable")
        await stack.shows("SpaceliftUnreachable")
        await stack.ends(Phase.TIMED_OUT, CONFIRMATION)


async def test_a_confirmation_at_the_last_moment_counts(serve: Serve) -> None:
    world = held("UNCONFIRMED")
    gate = world.gate("stop_stack_run", "a")
    chain = await serve(world)

    async with execution(chain, confirmation_deadline_seconds=1) as stack:
        await chain.called("stop_stack_run", "a")
        await world.move("a", "APPLYING")
        gate.set()
        await chain.called("follow_stack_run", "a", times=2)
        await world.move("a", "FINISHED")
        await stack.ends(Phase.SUCCEEDED, "RunFinished")


async def test_a_run_that_the_chain_confirms_has_no_time_for_a_person(serve: Serve) -> None:
    world = held("UNCONFIRMED")
    gate = world.gate("confirm_stack_run", "a")
    chain = await serve(world)

    async with execution(
        chain, confirmation_policy="Auto", confirmation_deadline_seconds=1
    ) as stack:
        await stack.shows("Confirming")
        await stays(lambda: world.calls("stop_stack_run") == [], 1.5)
        gate.set()
        await stack.ends(Phase.SUCCEEDED, "RunFinished")


async def test_a_run_that_the_chain_may_not_confirm_has(serve: Serve) -> None:
    world = held("UNCONFIRMED")
    world.broken["confirm_stack_run", "a"] = failure("SpaceliftRefused", final=True)
    chain = await serve(world)

    async with execution(
        chain, confirmation_policy="Auto", confirmation_deadline_seconds=1
    ) as stack:
        await stack.ends(Phase.TIMED_OUT, CONFIRMATION)

    assert world.states("a") == ["DISCARDED"]


async def test_a_failure_ends_the_time_for_a_person(serve: Serve) -> None:
    """Else it would end the pause before the next run."""
    world = held("UNCONFIRMED")
    world.first_ends["a"] = ["UNCONFIRMED"]
    world.held = set()
    chain = await serve(world)

    async with execution(
        chain,
        confirmation_deadline_seconds=8,
        retry=v1alpha1.Retry(limit=1, backoff_seconds=9),
    ) as stack:
        await stack.shows("NeedsConfirmation")
        await world.move("a", "FAILED")
        await stack.ends(Phase.SUCCEEDED, "RunFinished")

    assert world.states("a") == ["FAILED", "FINISHED"]


@pytest.mark.parametrize("canceled", [False, True], ids=["deadline", "cancel"])
async def test_a_proposed_run_in_review_that_cannot_be_stopped_is_left(
    serve: Serve, canceled: bool
) -> None:
    world = held("PENDING_REVIEW")
    chain = await serve(world)
    deadline = None if canceled else 1

    async with execution(chain, operation="Plan", confirmation_deadline_seconds=deadline) as stack:
        if canceled:
            await stack.shows("NeedsApproval")
            await stack.cancel()
            end = await stack.ends(Phase.CANCELED, "ChainCanceled")
        else:
            end = await stack.ends(Phase.TIMED_OUT, CONFIRMATION)

    assert end.run_state == "PENDING_REVIEW"
    assert end.message.endswith("It changes nothing and is left as it is.")


async def test_a_cancel_after_the_deadline_changes_nothing(serve: Serve) -> None:
    world = held("APPLYING")
    chain = await serve(world)

    async with execution(chain, stack_deadline_seconds=1) as stack:
        await stack.shows(STACK)
        await stack.cancel()
        await world.move("a", "STOPPED")
        await stack.ends(Phase.TIMED_OUT, STACK)


async def test_a_deadline_after_the_cancel_changes_nothing(serve: Serve) -> None:
    world = held("APPLYING")
    chain = await serve(world)

    # Longer than it takes to cancel it, on a busy machine too.
    async with execution(chain, stack_deadline_seconds=8) as stack:
        await stack.shows("RunInProgress")
        await stack.cancel()
        await chain.called("stop_stack_run", "a")
        await stays(lambda: len(world.calls("stop_stack_run")) == 1, 8.5)
        await world.move("a", "STOPPED")
        await stack.ends(Phase.CANCELED, "ChainCanceled")
