"""Chains on the stand-in for Temporal, with plain fakes of the activities.

The whole product is simulated elsewhere; here only its workflows are, which takes milliseconds.
"""

import asyncio
import dataclasses
import random
from collections.abc import Awaitable, Callable

from controller.temporal import ids, worker
from tests.simulation import processes, virtual_time
from tests.simulation.temporal import chance, connections
from tests.simulation.temporal.server import TemporalServer
from tests.simulation.temporal.workers import Worker
from tests.workflows import harness as harnesses
from tests.workflows import listener
from tests.workflows.world import World

_QUEUE = "simulated"


@dataclasses.dataclass
class ChainRun:
    """One simulation: the server, and a process with the workers of all three queues."""

    loop: virtual_time.VirtualLoop
    server: TemporalServer
    harness: harnesses.Harness
    worker: processes.Process

    def start_worker(self) -> processes.Process:
        """Start another process that serves all queues."""
        self.worker = self.loop.process("worker")
        client = self.harness.client
        world = self.harness.world
        publishing = [world.publish_chain_status, world.request_run]
        for made in (
            Worker(
                client,
                task_queue=_QUEUE,
                workflows=worker.WORKFLOWS,
                activities=world.calls_queue(),
            ),
            Worker(client, task_queue=ids.follow_queue(_QUEUE), activities=world.follows_queue()),
            Worker(
                client,
                task_queue=self.harness.operator_queue,
                activities=publishing,
                workflows=[listener.ReportListener],
            ),
        ):
            self.worker.start(made.run())
        return self.worker

    async def until(self, condition: Callable[[], object]) -> None:
        """Wait until something is so."""
        while not condition():  # noqa: ASYNC110 - a look takes no time here
            await asyncio.sleep(0.1)

    def course(self) -> list[tuple[str, str, float]]:
        """Return all events of all histories, to compare two runs."""
        return [
            (execution.workflow_id, event.kind.name, event.time)
            for execution in self.server.executions()
            for event in execution.history.events
        ]


def simulate(
    world: World,
    scenario: Callable[[ChainRun], Awaitable[None]],
    *,
    seed: int,
    decide: chance.Chance | None = None,
) -> ChainRun:
    """Run a scenario to its end; neither workflows nor the stand-in may have failed meanwhile."""
    loop = virtual_time.VirtualLoop(random.Random(seed))
    made: list[ChainRun] = []

    async def main() -> None:
        server = TemporalServer(loop, decide or chance.Seeded(seed))
        client = connections.connect(server)
        world.connect(client)
        harness = harnesses.Harness(
            client=client,
            world=world,
            task_queue=_QUEUE,
            account="account",
            endpoint="https://x.app.spacelift.io",
        )
        run = ChainRun(loop, server, harness, loop.process("none"))
        made.append(run)
        run.start_worker()
        await scenario(run)

    try:
        loop.run(main())
    finally:
        loop.close()

    (run,) = made
    assert loop.unhandled == []
    assert run.server.faults == []
    return run
