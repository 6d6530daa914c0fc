"""The worker role on a real server: it starts, serves both queues, and stops in time."""

import asyncio
import dataclasses
from collections.abc import AsyncIterator

import pytest
from temporalio.client import Client

from controller.api.reasons import StackReason
from controller.api.v1alpha1 import Phase
from controller.config import connections, environment, settings
from controller.notify import sinks
from controller.observability import metrics
from controller.temporal import worker
from devenv import simulator_process
from tests.conftest import StartSimulator
from tests.support import chains, relay
from tests.support.waiting import eventually
from tests.workflows import harness as harnesses
from tests.workflows.harness import Harness
from tests.workflows.world import World


@dataclasses.dataclass
class Served:
    """An account with one stack, and what it takes to serve it."""

    account: chains.Account
    chain: Harness
    settings: settings.Settings
    counters: metrics.Metrics

    def make_worker(self, client: Client | None = None) -> worker.SpaceliftWorker:
        return worker.SpaceliftWorker(
            client or self.chain.client,
            all_settings=self.settings,
            catalog=connections.ConnectionCatalog(self.settings.spacelift),
            sink_catalog=sinks.SinkCatalog(self.settings.notifications.file),
            counters=self.counters,
        )


@pytest.fixture
async def served(start_simulator: StartSimulator, temporal_client: Client) -> AsyncIterator[Served]:
    server = await start_simulator(
        chains.account_document(stacks={"a": {"durations": {"planning": 60}}})
    )
    account = chains.Account("worker", server)
    chain = harnesses.new_harness(temporal_client, World(), endpoint=server.url)
    yield Served(account, chain, make_settings(chain), metrics.Metrics())
    await account.close()


def make_settings(chain: Harness) -> settings.Settings:
    base = settings.Settings()
    return dataclasses.replace(
        base,
        temporal=dataclasses.replace(base.temporal, task_queue=chain.task_queue),
        spacelift=dataclasses.replace(
            base.spacelift,
            endpoint=chain.endpoint,
            api_key_id=environment.Secret(value=simulator_process.API_KEY.id),
            api_key_secret=environment.Secret(value=simulator_process.API_KEY.secret),
            allowed_namespaces=("*",),
            poll_seconds=0.2,
        ),
        worker=dataclasses.replace(base.worker, graceful_shutdown_seconds=5.0),
    )


async def test_a_stopped_worker_hands_its_follows_over_and_is_gone_in_time(
    served: Served,
) -> None:
    chain = served.chain
    # Longer than it may take.
    patient = dataclasses.replace(served.settings.worker, graceful_shutdown_seconds=300.0)
    served.settings = dataclasses.replace(served.settings, worker=patient)
    stop, stop_second = asyncio.Event(), asyncio.Event()
    async with harnesses.operator(chain):
        first = served.make_worker()
        running = asyncio.create_task(first.run(stop))
        handle = await chain.start()
        run = await served.account.run_in("a", "PLANNING")
        await eventually(lambda: first.clients.followed == 1)
        was_running = first.is_running
        stop.set()
        await asyncio.wait_for(running, 60)
        second = served.make_worker()
        running = asyncio.create_task(second.run(stop_second))
        await eventually(lambda: second.clients.followed == 1)
        await handle.cancel()
        known = await handle.result()
        stop_second.set()
        await asyncio.wait_for(running, 60)

    assert was_running
    assert not first.is_running
    assert known.phase is Phase.CANCELED
    assert (await served.account.only_run("a"))["state"] == "STOPPED"
    assert known.stacks[0].run_id == run["id"]
    assert served.counters.runs_triggered._value.get() == 1


async def test_a_worker_goes_on_with_another_client_once_its_first_one_is_cut_off(
    served: Served, temporal_client: Client
) -> None:
    """As with a renewed certificate; a wait for another chain uses the first client, and ends."""
    chain, stop = served.chain, asyncio.Event()
    cable = relay.Relay(temporal_client.service_client.config.target_host)
    cable.start()
    first_client = await Client.connect(cable.address)
    async with harnesses.operator(chain):
        working = served.make_worker(first_client)
        running = asyncio.create_task(working.run(stop))
        holder = await chain.start("holder")
        await served.account.run_in("a", "PLANNING")
        waiting = await chain.start("waiting")
        await chain.stack_shows(waiting, "a", Phase.WAITING, StackReason.STACK_BUSY)

        working.use_client(temporal_client)
        await cable.close()
        await served.account.hurry()
        ended = [await handle.result() for handle in (holder, waiting)]
        is_running = working.is_running
        stop.set()
        await asyncio.wait_for(running, 30)

    assert [known.phase for known in ended] == [Phase.SUCCEEDED, Phase.SUCCEEDED]
    assert is_running
    assert len(await served.account.runs("a")) == 2


async def test_a_worker_that_cannot_go_on_ends_instead_of_hanging(
    served: Served, temporal_client: Client
) -> None:
    """The namespace is gone: polling it fails for good."""
    stranger = await Client.connect(
        temporal_client.service_client.config.target_host, namespace="no-such-namespace"
    )
    served.chain.client = stranger

    with pytest.raises(RuntimeError, match="no-such-namespace"):
        await asyncio.wait_for(served.make_worker().run(asyncio.Event()), 60)
