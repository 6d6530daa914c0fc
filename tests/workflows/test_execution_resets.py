"""A stack's execution after a reset of its chain: it can also stop what it finds from before."""

import dataclasses
import uuid

import pytest

from controller.api.v1alpha1 import Phase
from controller.temporal import ids, messages
from tests.support.waiting import eventually
from tests.workflows.conftest import Serve
from tests.workflows.executions import execution
from tests.workflows.world import World

# Any execution but the one that the chain began with.
RESET = str(uuid.uuid4())


def world_with_run(*, is_known: bool = True) -> World:
    """Return a world in which a run from before the reset continues."""
    world = World()
    world.held = {"a"}
    run_id = world.create("a").id
    world.earlier["a"] = messages.EarlierRun(
        newest_run_id="0", key_id="key", run_id=run_id if is_known else None
    )
    return world


async def test_a_cancel_while_the_run_of_before_is_looked_for_stops_it(serve: Serve) -> None:
    world = world_with_run()
    gate = world.gate("find_stack_run", "a")
    chain = await serve(world)

    async with execution(chain, chain_run_id=RESET) as stack:

        async def is_searching() -> bool:
            return bool(world.calls("find_stack_run"))

        await eventually(is_searching, what="it looks for the run")
        await stack.cancel()
        gate.set()
        await stack.ends(Phase.CANCELED, "ChainCanceled")

    assert world.states("a") == ["STOPPED"]


@pytest.mark.parametrize(("is_adopted", "source"), [(True, "Adopted"), (False, "Triggered")])
async def test_after_a_reset_the_run_of_before_is_what_it_was(
    serve: Serve, is_adopted: bool, source: str
) -> None:
    world = world_with_run()
    world.earlier["a"] = dataclasses.replace(world.earlier["a"], is_adopted=is_adopted)
    chain = await serve(world)

    async with execution(chain, chain_run_id=RESET) as stack:
        shown = await stack.shows("RunInProgress")
        await world.move("a", "FINISHED")
        end = await stack.ends(Phase.SUCCEEDED, "RunFinished")

    assert (shown.run_source, end.run_source) == (source, source)
    assert not world.calls("trigger_stack_run")


@pytest.mark.parametrize("is_known", [True, False], ids=["answered", "answer-lost"])
async def test_an_execution_of_a_canceled_chain_stops_the_run_of_before(
    serve: Serve, *, is_known: bool
) -> None:
    world = world_with_run(is_known=is_known)
    chain = await serve(world)

    async with execution(chain, chain_run_id=RESET, is_canceled=True) as stack:
        await stack.ends(Phase.CANCELED, "ChainCanceled")

    assert world.states("a") == ["STOPPED"]
    assert not world.calls("trigger_stack_run")


async def test_an_execution_of_a_canceled_chain_triggers_nothing(serve: Serve) -> None:
    world = World()
    chain = await serve(world)

    async with execution(chain, chain_run_id=RESET, is_canceled=True) as stack:
        report = await stack.handle.result()

    assert report is not None
    assert report.phase is Phase.CANCELED
    assert not world.runs


async def test_a_cancel_by_another_chain_means_nothing_to_it(serve: Serve) -> None:
    world = world_with_run()
    chain = await serve(world)

    async with execution(chain, chain_run_id=RESET) as stack:
        await stack.handle.signal(ids.CANCEL_SIGNAL, "another")
        await world.move("a", "FINISHED")
        await stack.ends(Phase.SUCCEEDED, "RunFinished")
