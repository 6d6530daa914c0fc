"""What only the stand-in for Temporal has: replays that find faults, kills, and refusals."""

import asyncio
import random
from collections.abc import Awaitable, Callable
from datetime import timedelta
from typing import Any

import pytest
from temporalio import workflow
from temporalio.client import Client
from temporalio.service import RPCError

from tests.simulation import virtual_time
from tests.simulation.fidelity import activities, subjects
from tests.simulation.temporal import chance, connections
from tests.simulation.temporal.refusals import NotSimulated
from tests.simulation.temporal.server import TemporalServer
from tests.simulation.temporal.workers import Worker

_STATE = {"runs": 0}


@workflow.defn(name="Forgets")
class Forgets:
    """Does something else each time it is run, which no workflow may."""

    @workflow.run
    async def run(self) -> None:
        """Wait as long as no one has waited before."""
        _STATE["runs"] += 1
        for _ in range(3):
            await asyncio.sleep(_STATE["runs"])


@workflow.defn(name="Patched")
class Patched:
    """Uses what the product does not."""

    @workflow.run
    async def run(self) -> bool:
        """Ask for a patch."""
        return workflow.patched("anything")


@workflow.defn(name="CallsLocally")
class CallsLocally:
    """Calls a local activity, which no workflow of the product does."""

    @workflow.run
    async def run(self) -> str:
        """Call one that would answer at once."""
        limit = timedelta(seconds=1)
        return str(await workflow.execute_local_activity("echo", "", start_to_close_timeout=limit))


REFUSED = {Patched: "set_patch_marker", CallsLocally: "schedule_local_activity"}
Scenario = Callable[[TemporalServer, Client], Awaitable[None]]


def simulate(
    scenario: Scenario, decide: chance.Chance | None = None
) -> tuple[TemporalServer, list[str]]:
    """Run a scenario; return the server and what has failed unseen."""
    loop = virtual_time.VirtualLoop(random.Random(1))
    made: list[TemporalServer] = []

    async def main() -> None:
        server = TemporalServer(loop, decide or chance.Steady())
        made.append(server)
        await scenario(server, connections.connect(server))

    try:
        loop.run(main())
    finally:
        loop.close()
    return made[0], loop.unhandled


def serve(server: TemporalServer, client: Client, **options: Any) -> Any:
    """Start a process with a worker, and return it."""
    process = server.loop.process("worker")
    given = {"workflows": [*subjects.WORKFLOWS, Forgets, *REFUSED], "task_queue": "q"}
    process.start(Worker(client, **(given | options)).run())
    return process


def test_a_replay_that_differs_is_a_fault() -> None:
    async def scenario(server: TemporalServer, client: Client) -> None:
        _STATE["runs"] = 0
        serve(server, client)
        await client.start_workflow("Forgets", id="id", task_queue="q")
        await asyncio.sleep(60)

    replaying = chance.Seeded(1, probabilities={chance.REPLAY: 1.0})
    steady, _ = simulate(scenario)
    server, _ = simulate(scenario, replaying)

    assert steady.faults == []
    assert "a replay differs" in server.faults[0]
    assert "start_timer" in server.faults[0]


def test_a_workflow_task_that_fails_is_a_fault() -> None:
    async def scenario(server: TemporalServer, client: Client) -> None:
        serve(server, client)
        await client.start_workflow("Breaks", id="id", task_queue="q")
        await asyncio.sleep(60)

    server, _ = simulate(scenario)

    assert server.faults[0] == "id: broken code"
    assert len(server.faults) > 3, "it is tried again"


def test_what_a_killed_worker_had_under_way_times_out() -> None:
    async def scenario(server: TemporalServer, client: Client) -> None:
        noting = activities.Activities()
        process = serve(server, client, activities=noting.all())
        call = subjects.Call("hang_once", "key", heartbeat=10, attempts=0)
        handle = await client.start_workflow("Calls", call, id="id", task_queue="q")
        await asyncio.sleep(5)
        process.kill()
        serve(server, client, activities=noting.all())

        assert await handle.result() == "result attempt 2"
        assert noting.seen == {"key": ["started"]}, "it runs none of its code"
        # Its heartbeat is missed, and the server waits for the worker that has the workflow.
        assert 20 < server.time() < 25

    assert simulate(scenario)[1] == []


def test_a_lost_completion_is_made_good_by_another_attempt() -> None:
    async def scenario(server: TemporalServer, client: Client) -> None:
        serve(server, client, activities=activities.Activities().all())
        call = subjects.Call("echo", "hello", start_to_close=3, attempts=0)
        handle = await client.start_workflow("Calls", call, id="id", task_queue="q")

        assert str(await handle.result()).startswith("result hello")

    losing = chance.Seeded(3, probabilities={chance.COMPLETION_LOST: 0.7})
    server, _ = simulate(scenario, losing)

    assert server.time() > 3


def test_a_lost_completion_of_a_workflow_task_is_made_good_by_another_one() -> None:
    async def scenario(server: TemporalServer, client: Client) -> None:
        serve(server, client)
        handle = await client.start_workflow("Sleeps", id="id", task_queue="q")

        assert await handle.result() == ["slept", "timed out", "canceled"]
        assert server.time() > 10

    simulate(scenario, chance.Seeded(1, probabilities={chance.COMPLETION_LOST: 0.5}))


def test_lost_answers_start_and_signal_nothing_twice() -> None:
    async def scenario(server: TemporalServer, client: Client) -> None:
        serve(server, client)
        handle = await client.start_workflow("Waits", id="id", task_queue="q")
        for number in range(20):
            await handle.signal("say", str(number))
        await handle.signal("say", "end")

        assert await handle.result() == [*map(str, range(20)), "end"]
        assert len(list(server.executions())) == 1

    simulate(scenario, chance.Seeded(4, probabilities={chance.ANSWER_LOST: 0.3}))


def test_nobody_answers_while_the_server_is_away() -> None:
    async def scenario(server: TemporalServer, client: Client) -> None:
        server.go_down()
        with pytest.raises(RPCError, match="connect"):
            await client.start_workflow("Waits", id="id", task_queue="q")
        assert 4 < server.time() < 10
        server.come_up()
        await client.start_workflow("Waits", id="id", task_queue="q")

    simulate(scenario)


def test_an_outage_ends_a_wait_for_a_result() -> None:
    async def scenario(server: TemporalServer, client: Client) -> None:
        handle = await client.start_workflow("Waits", id="id", task_queue="q")
        result = asyncio.create_task(handle.result())
        await asyncio.sleep(1)
        server.go_down()
        with pytest.raises(RPCError, match="connect"):
            await result

    simulate(scenario)


def test_histories_go_after_their_retention() -> None:
    async def scenario(server: TemporalServer, client: Client) -> None:
        server.retention_seconds = 3600
        handle = await client.start_workflow("Waits", id="id", task_queue="q")
        await handle.terminate()
        await asyncio.sleep(3599)
        await handle.describe()
        await asyncio.sleep(2)
        with pytest.raises(RPCError, match="not found"):
            await handle.describe()
        assert [item async for item in client.list_workflows("")] == []

    simulate(scenario)


def test_a_listing_is_behind() -> None:
    async def scenario(server: TemporalServer, client: Client) -> None:
        await client.start_workflow("Waits", id="id", task_queue="q")
        before = [item async for item in client.list_workflows("WorkflowId = 'id'")]
        await asyncio.sleep(10)
        after = [item async for item in client.list_workflows("WorkflowId = 'id'")]

        assert (len(before), len(after)) == (0, 1)

    simulate(scenario, chance.Steady(delays={chance.VISIBILITY: 5}))


def test_unknown_calls_fields_and_queries_are_refused() -> None:
    async def scenario(server: TemporalServer, client: Client) -> None:
        with pytest.raises(NotSimulated, match="cron_schedule"):
            await client.start_workflow("Waits", id="id", task_queue="q", cron_schedule="* * * * *")
        with pytest.raises(NotSimulated, match="start_delay"):
            await client.start_workflow(
                "Waits", id="id", task_queue="q", start_delay=timedelta(seconds=1)
            )
        with pytest.raises(NotSimulated, match="visibility query"):
            [_ async for _ in client.list_workflows("StartTime > '2026-01-01'")]
        with pytest.raises(NotSimulated, match="update_workflow_execution"):
            await client.get_workflow_handle("id").execute_update("anything")

    simulate(scenario)


@pytest.mark.parametrize(("subject", "command"), REFUSED.items())
def test_unknown_commands_are_refused(subject: type, command: str) -> None:
    async def scenario(server: TemporalServer, client: Client) -> None:
        serve(server, client, activities=activities.Activities().all())
        await client.start_workflow(subject.__name__, id="id", task_queue="q")
        await asyncio.sleep(1)

    assert f"NotSimulated('the command {command}')" in simulate(scenario)[1][0]


def test_a_worker_with_unknown_options_is_refused() -> None:
    async def scenario(server: TemporalServer, client: Client) -> None:
        with pytest.raises(TypeError, match="tuner"):
            Worker(client, task_queue="q", **{"tuner": None})

    simulate(scenario)
