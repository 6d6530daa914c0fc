"""The product's own code for Temporal on the stand-in: operator, receiver, and both workers."""

import asyncio
import dataclasses
import random
from collections.abc import Awaitable, Callable

import pytest

from controller.api import v1alpha1
from controller.chain.requests import executions, next_request
from controller.config import connections as connection_settings
from controller.config import environment, settings
from controller.notify import sinks
from controller.observability import metrics
from controller.temporal import client as temporal_client
from controller.temporal import ids, messages, start_messages, worker
from controller.temporal.operator import desired_schedules, queues, schedules, starter
from controller.temporal.receiver import execution_wakes
from tests.simulation import chain_runs, virtual_time
from tests.simulation.temporal import chance, connections
from tests.simulation.temporal.server import TemporalServer
from tests.simulation.temporal.workers import Worker
from tests.support.builders import make_scope, make_spec, make_stack_chain, make_use
from tests.workflows.harness import Harness
from tests.workflows.world import World

REF = v1alpha1.Ref(namespace="team", name="demo", uid="uid", generation=3)
HANDLED = v1alpha1.Handled(spec="digest", run="token")


def make_request() -> next_request.Request:
    return next_request.Request(
        key="spec:3:digest", number=1, attempt=1, cause=v1alpha1.Cause.SPEC, handled=HANDLED
    )


def make_input(harness: Harness) -> messages.ChainInput:
    return messages.ChainInput(
        ref=REF,
        number=1,
        attempt=1,
        cause="Spec",
        operator_queue=harness.operator_queue,
        connection=messages.AccountRef(
            name="default",
            endpoint=harness.endpoint,
            account=harness.account,
            grant=messages.Grant(use=make_use()),
        ),
        scope=make_scope("a"),
    )


@pytest.mark.parametrize("seed", range(5))
def test_the_operator_starts_follows_and_cancels_a_chain(seed: int) -> None:
    async def scenario(run: chain_runs.ChainRun) -> None:
        harness, client = run.harness, run.harness.client
        harness.world.held = {"a"}
        chains = starter.ChainWorkflows(
            lambda: client, installation="here", task_queue=harness.task_queue
        )
        assert await chains.latest(REF) is None
        started = await chains.start(REF, make_request(), make_input(harness))
        with pytest.raises(starter.AlreadyStarted):
            await chains.start(REF, make_request(), make_input(harness))
        await run.until(lambda: "a" in harness.world.calls("follow_stack_run"))
        known = await chains.get_progress(started)
        await asyncio.sleep(5)
        listed = await chains.list_running()
        woken = await execution_wakes.TemporalExecutionWaker(lambda: client).wake(
            harness.account, "a"
        )
        await chains.set_suspended(started, True)
        await chains.cancel(started.workflow_id, started.workflow_run_id)
        await chains.await_close(started.workflow_id, started.workflow_run_id)
        latest = await chains.latest(REF)
        assert latest is not None
        final = await chains.get_progress(latest)

        assert known is not None
        assert not known.phase.is_over
        assert [item.workflow_run_id for item in listed.executions] == [started.workflow_run_id]
        assert woken == 1
        assert latest.state is executions.ExecutionState.CLOSED
        assert final is not None
        assert final.phase is v1alpha1.Phase.CANCELED

    chain_runs.simulate(World(), scenario, seed=seed)


class FakeOperator:
    """Notes what it is asked."""

    def __init__(self) -> None:
        self.asked: list[start_messages.RequestRunCall] = []

    async def request_run(
        self, argument: start_messages.RequestRunCall
    ) -> start_messages.RequestRunResult:
        """Take in what asks for a run."""
        self.asked.append(argument)
        return start_messages.RequestRunResult(outcome="reconciled")

    async def publish(self, argument: messages.PublishChainStatusInput) -> int:
        """Write nothing."""
        return 0


def make_settings() -> settings.Settings:
    base = settings.Settings()
    return dataclasses.replace(
        base,
        temporal=dataclasses.replace(base.temporal, task_queue="calls"),
        spacelift=dataclasses.replace(
            base.spacelift,
            endpoint="https://x.app.spacelift.io",
            api_key_id=environment.Secret(value="key"),
            api_key_secret=environment.Secret(value="secret"),
            allowed_namespaces=("*",),
        ),
    )


def on_server(scenario: Callable[[TemporalServer], Awaitable[None]]) -> None:
    loop = virtual_time.VirtualLoop(random.Random(1))

    async def main() -> None:
        server = TemporalServer(loop, chance.Seeded(1))
        await scenario(server)

    try:
        loop.run(main())
    finally:
        loop.close()
    assert loop.unhandled == []


def test_a_schedule_asks_the_operator_through_the_workers_of_the_roles() -> None:
    async def scenario(server: TemporalServer) -> None:
        all_settings, operator = make_settings(), FakeOperator()
        client = connections.connect(server)
        role = worker.SpaceliftWorker(
            client,
            all_settings=all_settings,
            catalog=connection_settings.ConnectionCatalog(all_settings.spacelift),
            sink_catalog=sinks.SinkCatalog(None),
            counters=metrics.Metrics(),
            new_worker=Worker,
        )
        stop = asyncio.Event()
        serving = server.loop.process("worker").start(role.run(stop))
        publishing = worker.operator_worker(
            client, operator_queue="operator", operator=operator, new_worker=Worker
        )
        server.loop.process("operator").start(publishing.run())
        await asyncio.sleep(1)
        polled = {
            (queue, kind): len((await queues.describe(client, queue, kind)).pollers)
            for queue, kinds in queues.queues_of(
                "calls", "operator", has_notifications=False
            ).values()
            for kind in kinds
        }
        designs = desired_schedules.ScheduleDesigns(
            installation="here", task_queue="calls", operator_queue="operator", sweep_seconds=300
        )
        kept = schedules.ChainSchedules(lambda: client)
        spec = make_spec(
            "a", schedule=v1alpha1.Schedule(cron="0 6 * * *", time_zone="Europe/Berlin")
        )
        chain = dataclasses.replace(make_stack_chain(), ref=REF, spec=spec)
        wanted = designs.schedule(chain)
        assert wanted is not None
        await kept.set_up(wanted)
        await kept.set_up(wanted)
        next_time = await kept.next_time(REF)
        await asyncio.sleep(2 * 86_400)
        listed = await kept.list_all()
        await kept.remove(REF, ids.SCHEDULE_KIND)
        await asyncio.sleep(2 * 86_400)
        stop.set()
        await serving

        assert set(polled.values()) == {1}
        assert next_time == "2026-01-01T05:00:00Z"
        assert [call.scheduled_time for call in operator.asked] == [
            "2026-01-01T05:00:00Z",
            "2026-01-02T05:00:00Z",
        ]
        assert [item.memo.ref.uid for item in listed.schedules] == ["uid"]
        assert server.faults == []

    on_server(scenario)


def test_a_client_finds_out_whether_temporal_works() -> None:
    async def scenario(server: TemporalServer) -> None:
        temporal = make_settings().temporal
        client = connections.connect(server)
        await temporal_client.describe_namespace(client)
        well = await temporal_client.find_problem(client, temporal)
        server.go_down()
        problem = await temporal_client.find_problem(client, temporal)

        assert well is None
        assert problem is not None

    on_server(scenario)
