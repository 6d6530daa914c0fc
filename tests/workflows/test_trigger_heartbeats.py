"""What a trigger tells its next attempt, on a real server: it arrives, or counts as not given."""

from pathlib import Path

import temporalio.activity
from temporalio.client import Client

from controller.api.v1alpha1 import Phase
from controller.spacelift import errors
from controller.temporal.activities import stack_operations
from devenv import role_process
from devenv import temporal_server as temporal_servers
from tests.conftest import StartRole, StartSimulator
from tests.support import chains
from tests.support.waiting import eventually
from tests.unit.temporal.activities import fakes
from tests.workflows import harness as harnesses
from tests.workflows.conftest import Serve
from tests.workflows.world import World


async def test_the_word_of_a_failed_attempt_reaches_the_next_one(serve: Serve) -> None:
    """It is written within the interval in which the SDK holds heartbeats back."""
    limits = stack_operations.WaitLimits(adopt_settle=0.1, trigger_grace=1.0)
    bench = fakes.make_bench(limits=limits)
    bench.spacelift.fail("trigger_run", errors.AmbiguousOutcome("no answer"))
    told: dict[int, list[object]] = {}

    def note(_: str) -> None:
        info = temporalio.activity.info()
        told[info.attempt] = list(info.heartbeat_details)

    bench.spacelift.before = note
    world = World()
    world.real_trigger = bench.operations.trigger_stack_run
    chain = await serve(world)
    handle = await chain.start()

    await eventually(lambda: bench.spacelift.count("trigger_run") == 2)
    world.adopt_run(bench.spacelift.runs.popitem()[1])

    attempts = sorted(told)
    word_of_first = told[attempts[1]]
    assert told[1] == []
    assert [told[number][0] for number in attempts[1:]] == [n - 1 for n in attempts[1:]]
    assert all(told[number][1] == word_of_first[1] for number in attempts[1:])
    assert (await handle.result()).phase is Phase.SUCCEEDED


async def test_a_worker_that_dies_after_the_grace_with_a_second_trigger_on_its_way(
    start_role: StartRole,
    start_simulator: StartSimulator,
    temporal_server: temporal_servers.TemporalServer,
    temporal_client: Client,
    tmp_path: Path,
) -> None:
    """The first trigger was swallowed; of the second one only the dead worker knew."""
    server = await start_simulator(chains.account_document(stacks={"a": {}}))
    account = chains.Account("killed", server)
    world = World()
    chain = harnesses.new_harness(temporal_client, world, endpoint=server.url)
    endpoints = role_process.Endpoints(
        kubeconfig=tmp_path / "none",
        temporal_address=temporal_server.address,
        spacelift_url=server.url,
        poll_seconds=0.2,
    )
    # There is no operator that would sign the chain.
    own = {"TEMPORAL_TASK_QUEUE": chain.task_queue, "STACKCHAIN_SIGNING_KEYS": ""}
    fast = {**chains.FAST, **own}
    await account.fault(field="runTrigger", action="reset")
    held = await account.fault(field="runTrigger", when="after", action="timeout", seconds=120)
    fast["SPACELIFT_REQUEST_TIMEOUT_SECONDS"] = "100"

    try:
        async with harnesses.operator(chain):
            worker = await start_role("worker", endpoints, environment=fast)
            handle = await chain.start()
            await eventually(lambda: _hits(account, held), what="the second trigger is held")
            await worker.kill()
            await start_role("worker", endpoints, environment=fast, instance=1)
            known = await handle.result()
            run = await account.only_run("a")
    finally:
        await account.close()

    assert known.phase is Phase.SUCCEEDED
    assert known.stacks[0].run_id == run["id"]
    await harnesses.finish(chain)


async def _hits(account: chains.Account, fault: int) -> bool:
    return await account.hits(fault) > 0
