"""How a chain rolls: order, slots, failures, skips."""

from controller.api.v1alpha1 import Phase
from tests.workflows.conftest import Serve
from tests.workflows.harness import phases
from tests.workflows.world import World


async def test_a_line_runs_in_order_and_adopts_what_spacelift_queued(serve: Serve) -> None:
    world = World("a>b", "b>c")
    chain = await serve(world)

    known = await chain.run()

    assert phases(known) == {"a": "Succeeded", "b": "Succeeded", "c": "Succeeded"}
    assert known.phase is Phase.SUCCEEDED
    assert world.calls("trigger_stack_run") == ["a"]
    assert world.calls("find_stack_run") == ["a", "b", "c"]
