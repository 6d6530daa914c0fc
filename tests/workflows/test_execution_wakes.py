"""Waking what runs at a stack, on a real Temporal server."""

from pathlib import Path

import pytest
from temporalio.client import Client

from controller.config import settings
from controller.temporal import client as connecting
from controller.temporal import ids
from controller.temporal.receiver import execution_wakes
from devenv import temporal_server as temporal_servers
from tests.support import temporal as temporal_support


@pytest.fixture
def account() -> str:
    """An account of this test's own, since ids are shared."""
    return temporal_support.unique("acme")


async def signals(client: Client, workflow_id: str) -> list[str]:
    handle = client.get_workflow_handle(workflow_id)
    return [
        event.workflow_execution_signaled_event_attributes.signal_name
        async for event in handle.fetch_history_events()
        if event.HasField("workflow_execution_signaled_event_attributes")
    ]


async def start(client: Client, workflow_id: str) -> None:
    await client.start_workflow("any", id=workflow_id, task_queue="nobody")


@pytest.mark.parametrize("suffixes", [[""], ["/plan"], ["", "/plan"]], ids=str)
async def test_all_that_runs_at_a_stack_is_woken_and_nothing_else(
    temporal_client: Client, account: str, suffixes: list[str]
) -> None:
    others = [f"spacelift/{account}/vpc-2", f"spacelift/other-{account}/vpc"]
    mine = [f"spacelift/{account}/vpc{suffix}" for suffix in suffixes]
    for workflow_id in (*mine, *others):
        await start(temporal_client, workflow_id)

    woken = await execution_wakes.TemporalExecutionWaker(lambda: temporal_client).wake(
        account, "vpc"
    )

    assert woken == len(mine)
    assert [await signals(temporal_client, one) for one in mine] == [[ids.WAKE_SIGNAL]] * len(mine)
    assert [await signals(temporal_client, one) for one in others] == [[], []]


async def test_a_stack_at_which_nothing_runs_is_no_problem(
    temporal_client: Client, account: str
) -> None:
    await start(temporal_client, f"spacelift/{account}/ended")
    await temporal_client.get_workflow_handle(f"spacelift/{account}/ended").terminate()
    waking = execution_wakes.TemporalExecutionWaker(lambda: temporal_client)

    assert [await waking.wake(account, stack) for stack in ("ended", "never-was")] == [0, 0]


async def test_a_server_that_is_away_is_told_apart_from_one_that_takes_no_more(
    tmp_path: Path, account: str
) -> None:
    """A separate server, which takes two signals of an execution; the default is 10,000."""
    options = temporal_servers.TemporalOptions(
        log_file=tmp_path / "temporal.log",
        database=tmp_path / "temporal.db",
        has_ui=False,
        dynamic_config=("history.maximumSignalsPerExecution=2",),
    )
    async with temporal_servers.TemporalServer(options) as server:
        client = await connecting.connect(settings.TemporalSettings(address=server.address))
        await start(client, f"spacelift/{account}/vpc")
        waking = execution_wakes.TemporalExecutionWaker(lambda: client)
        await server.stop()
        with pytest.raises(connecting.TemporalUnreachable):
            await waking.wake(account, "vpc")
        await server.start()
        assert [await waking.wake(account, "vpc") for _ in range(2)] == [1, 1]

        with pytest.raises(execution_wakes.WakeRefused):
            await waking.wake(account, "vpc")
