"""With `confirmationPolicy: Auto` the chain confirms what waits for nothing else."""

import pytest

from controller.api import v1alpha1
from controller.api.v1alpha1 import Phase
from tests.support.waiting import eventually, stays
from tests.workflows.conftest import Serve
from tests.workflows.executions import execution
from tests.workflows.world import World, failure


def unconfirmed() -> World:
    world = World()
    world.held, world.holds_in["a"] = {"a"}, "UNCONFIRMED"
    return world


async def test_a_run_with_planned_changes_is_confirmed(serve: Serve) -> None:
    world = unconfirmed()
    chain = await serve(world)

    async with execution(chain, confirmation_policy="Auto") as stack:
        await stack.ends(Phase.SUCCEEDED, "RunFinished")
        told = [report.reason for report in await stack.reports()]

    assert world.calls("confirm_stack_run") == ["a"]
    assert "NeedsConfirmation" not in told


async def test_while_it_is_confirmed_nobody_is_asked(serve: Serve) -> None:
    world = unconfirmed()
    gate = world.gate("confirm_stack_run", "a")
    chain = await serve(world)

    async with execution(chain, confirmation_policy="Auto") as stack:
        shown = await stack.shows("Confirming")
        gate.set()
        await stack.ends(Phase.SUCCEEDED, "RunFinished")

    assert (shown.phase, shown.run_id) == (Phase.RUNNING, world.run_of("a").id)


async def test_without_the_policy_a_person_confirms(serve: Serve) -> None:
    world = unconfirmed()
    chain = await serve(world)

    async with execution(chain) as stack:
        await stack.shows("NeedsConfirmation")
        await world.move("a", "FINISHED")
        await stack.ends(Phase.SUCCEEDED, "RunFinished")

    assert world.calls("confirm_stack_run") == []


async def test_a_wait_for_a_person_sends_heartbeats_seldom_and_a_wake_ends_it_at_once(
    serve: Serve,
) -> None:
    world = unconfirmed()
    chain = await serve(world)

    async with execution(chain) as stack:
        await stack.shows("NeedsConfirmation")
        await world.move("a", "APPLYING")
        await stack.wake()
        await stack.shows("RunInProgress")
        await world.move("a", "FINISHED")
        await stack.ends(Phase.SUCCEEDED, "RunFinished")
        history = await stack.handle.fetch_history()

    follows = [
        event.activity_task_scheduled_event_attributes
        for event in history.events
        if event.activity_task_scheduled_event_attributes.activity_type.name == "follow_stack_run"
    ]
    assert [item.heartbeat_timeout.seconds for item in follows][-2:] == [150, 30]


async def test_a_run_that_needs_an_approval_is_confirmed_after_it(serve: Serve) -> None:
    world = unconfirmed()
    world.holds_in["a"] = "PLANNING"
    chain = await serve(world)

    async with execution(chain, confirmation_policy="Auto") as stack:
        await stack.shows("RunInProgress")
        await world.change("a", state="UNCONFIRMED", needs_approval=True)
        await stack.shows("NeedsApproval")
        before = world.calls("confirm_stack_run")
        await world.change("a", needs_approval=False)
        await stack.ends(Phase.SUCCEEDED, "RunFinished")

    assert (before, world.calls("confirm_stack_run")) == ([], ["a"])


async def test_a_refusal_shows_with_its_words_and_is_not_repeated_by_itself(serve: Serve) -> None:
    world = unconfirmed()
    world.broken["confirm_stack_run", "a"] = failure("SpaceliftRefused", final=True)
    chain = await serve(world)

    async with execution(chain, confirmation_policy="Auto") as stack:
        shown = await stack.shows("NeedsConfirmation")
        await chain.called("follow_stack_run", "a")
        await stays(lambda: len(world.calls("confirm_stack_run")) == 1, 1)
        await world.move("a", "FINISHED")
        await stack.ends(Phase.SUCCEEDED, "RunFinished")

    assert shown.phase is Phase.AWAITING_CONFIRMATION
    assert shown.message.endswith(
        "a person has to confirm or discard it: made up: SpaceliftRefused"
    )


async def test_after_a_refusal_a_wake_tries_once_more(serve: Serve) -> None:
    world = unconfirmed()
    world.failures["confirm_stack_run", "a"] = [failure("SpaceliftRefused", final=True)]
    chain = await serve(world)

    async with execution(chain, confirmation_policy="Auto") as stack:
        await stack.shows("NeedsConfirmation")
        await stack.wake()
        await stack.ends(Phase.SUCCEEDED, "RunFinished")

    assert world.calls("confirm_stack_run") == ["a", "a"]


async def test_after_a_refusal_another_plan_is_confirmed(serve: Serve) -> None:
    world = unconfirmed()
    world.failures["confirm_stack_run", "a"] = [failure("PermissionDenied", final=True)]
    chain = await serve(world)

    async with execution(chain, confirmation_policy="Auto") as stack:
        await stack.shows("NeedsConfirmation")
        await world.move("a", "PREPARING_REPLAN")
        await stack.shows("RunInProgress")
        await world.move("a", "UNCONFIRMED")
        await stack.ends(Phase.SUCCEEDED, "RunFinished")

    assert world.calls("confirm_stack_run") == ["a", "a"]


async def test_a_confirmation_without_effect_needs_a_person(serve: Serve) -> None:
    world = unconfirmed()
    world.confirms_to = "UNCONFIRMED"
    chain = await serve(world)

    async with execution(chain, confirmation_policy="Auto") as stack:
        shown = await stack.shows("NeedsConfirmation")
        await world.move("a", "FINISHED")
        await stack.ends(Phase.SUCCEEDED, "RunFinished")

    assert shown.message.endswith("the confirmation had no effect.")
    assert world.calls("confirm_stack_run") == ["a"]


async def test_an_outage_during_the_confirmation_shows_and_passes(serve: Serve) -> None:
    world = unconfirmed()
    world.broken["confirm_stack_run", "a"] = failure("Unreachable")
    chain = await serve(world)

    async with execution(chain, confirmation_policy="Auto") as stack:
        await stack.shows("SpaceliftUnreachable")
        world.broken.clear()
        await stack.ends(Phase.SUCCEEDED, "RunFinished")

    assert world.states("a") == ["FINISHED"]


@pytest.mark.parametrize(("state", "end"), [("UNCONFIRMED", "DISCARDED"), ("APPLYING", "FINISHED")])
async def test_a_cancel_during_the_confirmation_stops_what_can_be_stopped(
    serve: Serve, state: str, end: str
) -> None:
    world = unconfirmed()
    world.gate("confirm_stack_run", "a")
    chain = await serve(world)

    async with execution(chain, confirmation_policy="Auto") as stack:
        await stack.shows("Confirming")
        # As if the confirmation had arrived, or not.
        await world.move("a", state)
        await stack.cancel()
        await chain.called("stop_stack_run", "a")
        if state == "APPLYING":
            await world.move("a", "FINISHED")
        await stack.handle.result()

    assert world.states("a") == [end]


LIMITS = v1alpha1.ConfirmationLimits(max_deleted=0)
LARGE = v1alpha1.Delta(added=0, changed=0, deleted=2)
SMALL = v1alpha1.Delta(added=1, changed=0, deleted=0)


async def test_a_plan_beyond_the_limits_waits_for_a_person_who_confirms_it(serve: Serve) -> None:
    world = unconfirmed()
    world.excesses["a"] = "would delete 2, limit 0"
    chain = await serve(world)

    async with execution(chain, confirmation_policy="Auto", confirmation_limits=LIMITS) as stack:
        shown = await stack.shows("LimitsExceeded")
        await stays(lambda: world.calls("confirm_stack_run") == ["a"], 1)
        await world.move("a", "FINISHED")
        await stack.ends(Phase.SUCCEEDED, "RunFinished")

    assert shown.phase is Phase.AWAITING_CONFIRMATION
    assert "would delete 2, limit 0" in shown.message
    assert world.calls("confirm_stack_run") == ["a"]


async def test_a_plan_beyond_the_limits_that_a_person_discards_ends_the_stack(serve: Serve) -> None:
    world = unconfirmed()
    world.excesses["a"] = "would delete 2, limit 0"
    chain = await serve(world)

    async with execution(chain, confirmation_policy="Auto", confirmation_limits=LIMITS) as stack:
        await stack.shows("LimitsExceeded")
        await world.move("a", "DISCARDED")
        await stack.ends(Phase.CANCELED, "RunDiscarded")


async def test_another_plan_is_judged_anew(serve: Serve) -> None:
    world = unconfirmed()
    world.excesses["a"] = "would delete 2, limit 0"
    chain = await serve(world)

    async with execution(chain, confirmation_policy="Auto", confirmation_limits=LIMITS) as stack:
        await stack.shows("LimitsExceeded")
        await world.move("a", "PREPARING_REPLAN")
        await stack.shows("RunInProgress")
        del world.excesses["a"]
        await world.move("a", "UNCONFIRMED")
        await stack.ends(Phase.SUCCEEDED, "RunFinished")

    assert world.calls("confirm_stack_run") == ["a", "a"]


async def test_another_plan_is_judged_anew_though_nobody_saw_it_being_made(serve: Serve) -> None:
    world = unconfirmed()
    world.excesses["a"] = "would delete 2, limit 0"
    chain = await serve(world)

    async with execution(chain, confirmation_policy="Auto", confirmation_limits=LIMITS) as stack:
        await stack.shows("LimitsExceeded")
        await world.change("a", delta=LARGE)
        await eventually_called(world, 2)
        await stack.shows("LimitsExceeded")
        del world.excesses["a"]
        await world.change("a", delta=SMALL)
        await stack.ends(Phase.SUCCEEDED, "RunFinished")

    assert world.calls("confirm_stack_run") == ["a", "a", "a"]


async def test_the_deadline_of_confirmations_counts_while_a_large_plan_waits(serve: Serve) -> None:
    world = unconfirmed()
    world.excesses["a"] = "would delete 2, limit 0"
    chain = await serve(world)

    async with execution(
        chain,
        confirmation_policy="Auto",
        confirmation_limits=LIMITS,
        confirmation_deadline_seconds=1,
    ) as stack:
        await stack.ends(Phase.TIMED_OUT, "ConfirmationDeadlineExceeded")


async def eventually_called(world: World, times: int) -> None:
    await eventually(
        lambda: len(world.calls("confirm_stack_run")) >= times, what="it is judged again"
    )
