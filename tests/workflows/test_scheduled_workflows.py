"""What schedules start: it hands on to the operator, which decides."""

import datetime
import sys
from pathlib import Path

import pytest
import temporalio.client
from temporalio.testing import WorkflowEnvironment

from controller.api import v1alpha1
from controller.api.v1alpha1 import Phase
from controller.chain.run import progress
from controller.temporal import ids, messages, start_messages
from tests.support.waiting import eventually
from tests.workflows import asking, harness
from tests.workflows import harness as harnesses
from tests.workflows.conftest import Serve
from tests.workflows.harness import phases, stack_of
from tests.workflows.world import World, failure

SERVER = Path(sys.executable).parent / "temporal-test-server"
FOUND = start_messages.RootRuns(
    stack_id="a",
    newest_run_id="2",
    finished=[start_messages.FinishedRun(run_id="1", is_own=False, triggered_by="jane")],
)
UNDECIDED = start_messages.RequestRunResult(outcome="reconciled", undecided=["a"])


async def test_a_schedule_that_fires_hands_on_the_time_that_it_stands_for(serve: Serve) -> None:
    """Not the time at which a worker or the operator came to it."""
    chain = await serve(World())
    workflow_id = f"{chain.account}/schedule"
    schedule = await chain.client.create_schedule(
        workflow_id,
        temporalio.client.Schedule(
            action=temporalio.client.ScheduleActionStartWorkflow(
                ids.REQUEST_RUN_WORKFLOW,
                asking.request_input(chain),
                id=workflow_id,
                task_queue=chain.task_queue,
            ),
            spec=temporalio.client.ScheduleSpec(cron_expressions=["30 2 * * *"]),
        ),
    )
    due = datetime.datetime(2026, 3, 1, 2, 30, tzinfo=datetime.UTC)
    await schedule.backfill(
        temporalio.client.ScheduleBackfill(start_at=due - datetime.timedelta(minutes=1), end_at=due)
    )

    await eventually(lambda: chain.world.calls("request_run") == [""])
    (call,) = chain.world.arguments_of(start_messages.RequestRunCall)
    await schedule.delete()
    assert call == start_messages.RequestRunCall(
        ref=harness.REF, scheduled_time="2026-03-01T02:30:00Z"
    )


async def test_what_the_operator_cannot_serve_is_handed_on_again(serve: Serve) -> None:
    world = World()
    world.failures["request_run", ""] = [failure("TemporalUnreachable"), failure("KubeError")]
    chain = await serve(world)

    result = await asking.request(chain)

    assert result.outcome == "reconciled"
    assert len(world.calls("request_run")) == 3


async def test_a_sweep_hands_on_what_it_has_read_for_the_operator_to_judge(serve: Serve) -> None:
    world = World()
    world.root_runs = [FOUND]
    chain = await serve(world)

    await asking.sweep(chain)

    assert world.arguments_of(start_messages.FindRootRunsInput) == [
        start_messages.FindRootRunsInput(
            connection=chain.connection, roots=v1alpha1.Roots(stack_ids=("a",))
        )
    ]
    (call,) = world.arguments_of(start_messages.RequestRunCall)
    assert (call.account, call.root_runs, call.scheduled_time) == (chain.account, [FOUND], None)


async def test_a_sweep_that_spacelift_refuses_tells_the_operator_and_fails_for_all_to_see(
    serve: Serve,
) -> None:
    world = World()
    world.failures["find_root_runs", ""] = [failure("CredentialsRejected", final=True)]
    chain = await serve(world)

    with pytest.raises(temporalio.client.WorkflowFailureError):
        await asking.sweep(chain)

    (call,) = world.arguments_of(start_messages.RequestRunCall)
    assert (call.account, call.root_runs) == (chain.account, [])
    assert call.problem == "made up: CredentialsRejected"


@pytest.mark.parametrize(
    ("answers", "calls"),
    [
        pytest.param(
            [UNDECIDED, UNDECIDED, start_messages.RequestRunResult(outcome="ok")], 3, id="soon"
        ),
        pytest.param([UNDECIDED], 21, id="not before the next sweep"),
    ],
)
async def test_while_a_chain_may_adopt_the_run_it_is_judged_again_for_a_while(
    answers: list[start_messages.RequestRunResult], calls: int
) -> None:
    """The time-skipping server: the pauses are long."""
    world = World()
    world.root_runs, world.request_answers = [FOUND], list(answers)
    async with await WorkflowEnvironment.start_time_skipping(
        test_server_existing_path=str(SERVER)
    ) as environment:
        chain = harnesses.new_harness(environment.client, world)
        async with harnesses.workers(chain):
            result = await asking.sweep(chain)

    assert len(world.calls("request_run")) == calls
    assert len(world.calls("find_root_runs")) == 1
    assert result == answers[-1]


# What a finished root starts


async def test_below_a_finished_root_native_runs_are_used_and_the_root_is_kept(
    serve: Serve,
) -> None:
    """`d` depends on `b` by label too, so its native run would start too early."""
    world = World("a>b", "b>c", "a>d", "b~d")
    world.held, world.holds_in["d"] = {"d"}, "QUEUED"
    chain = await serve(world)
    run = world.create("a")
    root = progress.FinishedRoot(stack_id="a", run_id=run.id, run_url="https://x/root")

    handle = await chain.start(finished_roots=[root], cause="RootRunFinished")
    await eventually(lambda: world.states("d")[:1] == ["CANCELED"])
    await chain.stack_shows(handle, "d", Phase.WAITING, "RunQueued")
    await world.move("d", "FINISHED")
    known = await handle.result()

    assert phases(known) == dict.fromkeys("abcd", Phase.SUCCEEDED)
    kept = stack_of(known, "a")
    assert (kept.reason, kept.run_id, kept.run_url) == (
        "RootRunFinished",
        run.id,
        "https://x/root",
    )
    assert world.calls("trigger_stack_run") == ["d"]
    adopting = world.arguments_of(messages.FindStackRunInput)
    assert {item.target.stack_id: item.adopt_origin for item in adopting} == {
        "b": run.id,
        "c": run.id,
        "d": None,
    }


async def test_a_finished_root_alone_is_a_run_that_has_nothing_to_do(serve: Serve) -> None:
    chain = await serve(World())
    root = progress.FinishedRoot(stack_id="a", run_id="01A", run_url="https://x/root")

    known = await chain.run(finished_roots=[root], cause="RootRunFinished")

    assert (known.phase, phases(known)) == (Phase.SUCCEEDED, {"a": Phase.SUCCEEDED})
    assert chain.world.calls("trigger_stack_run") == []
