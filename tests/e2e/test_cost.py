"""What a chain costs in Temporal, counted by the server itself: no count depends on the machine."""

import dataclasses
from collections.abc import AsyncIterator
from pathlib import Path

import httpx
import pytest
import temporalio.client
from temporalio.api.workflowservice import v1 as workflowservice

from devenv import temporal_server as temporal_servers
from tests.benchmarks import counts
from tests.support import chains
from tests.support.chains import account_document
from tests.support.waiting import eventually

STACKS = 3
# Each stack's child counts twice, and reports twice by a signal at most.
OF_CHILDREN = {
    "command_StartChildWorkflowExecution": STACKS,
    "command_StartChildWorkflowExecution_Extra": STACKS,
    "grpc_StartWorkflowExecution": 1,
}
SIGNALS, ACTIVITIES = 2 * STACKS, 16
# How many of them there are depends on how long all takes.
BY_TIME = {"grpc_QueryWorkflow", "grpc_RecordActivityTaskHeartbeat"}
OUR_REQUEST = "DescribeNamespace"


@pytest.fixture
async def temporal(tmp_path: Path) -> AsyncIterator[temporal_servers.TemporalServer]:
    """A Temporal server that counts; the one that tests share does not."""
    options = temporal_servers.TemporalOptions(
        log_file=tmp_path / "temporal.log", has_ui=False, has_metrics=True
    )
    async with temporal_servers.TemporalServer(options) as running:
        yield running


async def test_a_chain_costs_as_many_actions_as_the_docs_say(
    parts: chains.Parts, temporal: temporal_servers.TemporalServer, tmp_path: Path
) -> None:
    own = dataclasses.replace(
        parts,
        temporal_server=temporal,
        temporal_client=await temporalio.client.Client.connect(temporal.address),
    )
    async with chains.installed(own, tmp_path) as release:
        account = await release.add_account("cost", account_document("a -> b -> c"))
        chain = await release.create("cost", "a", account=account)
        await chain.ends("RunSucceeded")

        found = await count_all(release, temporal.metrics_url)

    assert OF_CHILDREN.items() <= found.actions.items()
    assert 0 < found.actions["command_ScheduleActivityTask"] <= ACTIVITIES
    assert found.actions["command_SignalExternalWorkflowExecution"] <= SIGNALS
    # No timers, no markers, no search attributes, no retries of activities.
    known = {
        *OF_CHILDREN,
        "command_ScheduleActivityTask",
        "command_SignalExternalWorkflowExecution",
    }
    assert set(found.actions) <= known | BY_TIME


async def count_all(release: chains.Installation, metrics_url: str) -> counts.Counts:
    """Return what the server has counted, once all that was done before is in it.

    The server updates its counts about once a second, one after another. When the counts include a
    request that we make here, we made it after everything else. When they include a second one too,
    the round that counted the first one is over.
    """
    client = await release.temporal()
    found = await read_counts(release, metrics_url)
    for _ in range(2):
        before = found.temporal[OUR_REQUEST]
        await client.workflow_service.describe_namespace(
            workflowservice.DescribeNamespaceRequest(namespace=release.temporal_namespace),
            retry=True,
        )

        async def shows_it(before: int = before) -> counts.Counts | None:
            found = await read_counts(release, metrics_url)
            return found if found.temporal[OUR_REQUEST] > before else None

        shown = await eventually(shows_it, what="the server has counted our request")
        assert shown is not None
        found = shown
    return found


async def read_counts(release: chains.Installation, metrics_url: str) -> counts.Counts:
    async with httpx.AsyncClient(trust_env=False) as http:
        text = (await http.get(metrics_url)).text
    return counts.read(temporal=text, namespace=release.temporal_namespace)
