"""Whether a chain has a run or is about to: asked of Temporal, for any chain of any cluster."""

import pytest

from controller.api import v1alpha1
from controller.api.v1alpha1 import Phase
from controller.chain.run import progress
from controller.temporal import ids, messages, start_messages
from controller.temporal.operator import run_use
from controller.temporal.operator.run_use import RunUse
from tests.support.waiting import eventually
from tests.workflows import harness
from tests.workflows.conftest import Serve
from tests.workflows.harness import Harness
from tests.workflows.world import World


async def holding(chain: Harness, stack_id: str, run_id: str, triggered_by: str = "") -> RunUse:
    run = start_messages.FinishedRun(run_id=run_id, is_own=False, triggered_by=triggered_by)
    return await run_use.RunUseReader(lambda: chain.client).use_of(chain.account, stack_id, run)


async def test_a_run_of_a_stack_that_no_chain_has_ever_run_is_free(serve: Serve) -> None:
    chain = await serve(World())

    assert await holding(chain, "a", "01A") is RunUse.UNUSED
    # Whoever it is, it is not one of our stacks; nor does a name break the question.
    for person in ("jane@example.com", "b", "o'hara"):
        assert await holding(chain, "a", "01A", person) is RunUse.UNUSED


async def test_the_run_of_an_execution_is_held_while_it_goes_on_and_after(serve: Serve) -> None:
    world = World()
    world.held = {"a"}
    chain = await serve(world)
    handle = await chain.start()
    await chain.stack_shows(handle, "a", Phase.RUNNING)
    run_id = world.run_of("a").id

    live = await holding(chain, "a", run_id), await holding(chain, "a", "another")
    await world.move("a", "FINISHED")
    await handle.result()
    ended = await holding(chain, "a", run_id), await holding(chain, "a", "another")

    assert live == ended == (RunUse.USED, RunUse.UNUSED)


async def test_a_native_run_that_a_chain_may_still_adopt_is_undecided_until_it_has(
    serve: Serve,
) -> None:
    """It has finished in Spacelift before its turn came here."""
    world = World("a>b")
    world.held = {"a"}
    chain = await serve(world)
    handle = await chain.start()
    await chain.stack_shows(handle, "a", Phase.RUNNING)
    run_id = world.run_of("b").id

    before = await holding(chain, "b", run_id, "a")
    by_person = await holding(chain, "b", run_id, "jane")
    outside = await holding(chain, "z", "01Z", "a")
    await world.move("a", "FINISHED")
    await handle.result()
    after = await holding(chain, "b", run_id, "a")
    other = await holding(chain, "b", "another", "a")

    assert (before, by_person, outside) == (RunUse.UNDECIDED, RunUse.UNUSED, RunUse.UNUSED)
    assert (after, other) == (RunUse.USED, RunUse.UNUSED)


async def test_a_run_queued_by_a_finished_root_is_undecided_until_the_chain_below_has_it(
    serve: Serve,
) -> None:
    """That chain runs no execution of the root, so only its memo names the run."""
    world = World("a>b")
    chain = await serve(world)
    root_run = world.create("a")
    run_id = world.run_of("b").id
    gate = world.gate("find_stack_run", "b")
    root = v1alpha1.RootRun(stack_id="a", run_id=root_run.id)
    handle = await chain.start(
        finished_roots=[
            progress.FinishedRoot(stack_id="a", run_id=root_run.id, run_url="https://x")
        ],
        cause="RootRunFinished",
        memo=messages.ChainMemo(
            installation="here",
            ref=harness.REF,
            number=1,
            attempt=1,
            cause="RootRunFinished",
            handled=v1alpha1.Handled(),
            root_runs=(root,),
        ),
    )
    await chain.called("find_stack_run", "b")

    async def is_undecided() -> bool:
        # The list of chains is behind.
        return await holding(chain, "b", run_id, "a") is RunUse.UNDECIDED

    await eventually(is_undecided)
    outside = await holding(chain, "z", "01Z", "a")
    gate.set()
    await handle.result()

    assert outside is RunUse.UNUSED
    assert await holding(chain, "b", run_id, "a") is RunUse.USED


async def test_a_run_whose_execution_was_terminated_is_still_known_to_be_held(
    serve: Serve,
) -> None:
    world = World("a>b")
    world.held = {"b"}
    chain = await serve(world)
    handle = await chain.start()
    await chain.stack_shows(handle, "b", Phase.RUNNING)
    run_id = world.run_of("b").id
    await chain.execution("b").terminate()
    await handle.result()

    async def is_held() -> bool:
        return await holding(chain, "b", run_id, "a") is RunUse.USED

    await eventually(is_held)


async def test_without_a_worker_nobody_can_tell(serve: Serve) -> None:
    """An execution that no worker serves may hold any run."""
    chain = await serve(World())
    argument = messages.StackExecutionInput(
        target=messages.StackRef(connection=chain.connection, stack_id="a"),
        chain=messages.ChainExecutionRef(
            workflow_id="none", workflow_run_id="none", first_run_id="none"
        ),
        marker="m",
    )
    handle = await chain.client.start_workflow(
        ids.EXECUTION_WORKFLOW,
        argument,
        id=ids.execution_workflow_id(account=chain.account, stack_id="a"),
        task_queue=f"{chain.task_queue}-nobody",
    )

    found = await holding(chain, "a", "01A")
    await handle.terminate()

    assert found is RunUse.UNDECIDED


@pytest.mark.parametrize("run_id", ["01A", "01B"])
async def test_an_execution_that_has_no_run_yet_holds_none(serve: Serve, run_id: str) -> None:
    world = World()
    gate = world.gate("find_stack_run", "a")
    chain = await serve(world)
    handle = await chain.start()
    await chain.called("find_stack_run", "a")

    found = await holding(chain, "a", run_id)
    gate.set()
    await handle.result()

    assert found is RunUse.UNUSED
