"""Queries come at any moment, even while a workflow reads: its history must replay all the same."""

import asyncio

from controller.api.v1alpha1 import Phase
from controller.temporal import ids
from tests.workflows.conftest import Serve
from tests.workflows.world import World

CHAINS = 6


async def test_chains_that_queue_up_for_a_stack_query_the_one_that_has_it(serve: Serve) -> None:
    """Each asks the execution who has the stack, and joins its line, while it looks for a run."""
    world = World()
    gate = world.gate("find_stack_run", "a")
    chain = await serve(world)
    handles = [await chain.start(f"demo{number}") for number in range(CHAINS)]
    await chain.called("find_stack_run", "a")
    execution = chain.execution("a")
    for _ in range(3):
        await execution.query(ids.HOLDER_QUERY)
        await asyncio.gather(*(chain.known(handle) for handle in handles))
    gate.set()

    ends = await asyncio.gather(*(handle.result() for handle in handles))

    assert [end.phase for end in ends] == [Phase.SUCCEEDED] * CHAINS
