"""What a chain costs in Temporal, counted by the server itself: no count depends on the machine."""

import httpx

from devenv import temporal_server as temporal_servers
from tests.benchmarks import counts
from tests.support import chains, people
from tests.support.chains import account_document
from tests.support.waiting import eventually

STACKS = 3
# Each stack's child counts twice, and reports twice by a signal at most.
OF_CHILDREN = {
    "command_StartChildWorkflowExecution": STACKS,
    "command_StartChildWorkflowExecution_Extra": STACKS,
    "grpc_StartWorkflowExecution": 1,
}
SIGNALS, ACTIVITIES = 2 * STACKS, 13
# One for each search for a stack's runs, which is part of a workflow task; a machine that is too
# busy for that searches in an activity as well.
MARKERS = STACKS
# How many of them there are depends on how long all takes.
BY_TIME = {"grpc_QueryWorkflow", "grpc_RecordActivityTaskHeartbeat"}


async def test_a_chain_costs_as_many_actions_as_the_docs_say(
    release: chains.Installation,
    people: people.People,
    temporal_server: temporal_servers.TemporalServer,
) -> None:
    account = await release.add_account("cost", account_document("a -> b -> c"))
    chain = await people.apply("cost", "a", account=account)
    await chain.ends("RunSucceeded")

    async def counted() -> counts.Counts | None:
        # The server shows what it has counted about once a second.
        async with httpx.AsyncClient(trust_env=False) as http:
            text = (await http.get(temporal_server.metrics_url)).text
        found = counts.read(temporal=text, namespace=release.temporal_namespace)
        return found if OF_CHILDREN.items() <= found.actions.items() else None

    found = await eventually(counted, what="the server shows the chain's actions")

    assert found is not None
    assert 0 < found.actions["command_ScheduleActivityTask"] <= ACTIVITIES + STACKS
    assert found.actions["command_BatchMarkers"] == MARKERS
    assert found.actions["command_SignalExternalWorkflowExecution"] <= SIGNALS
    # No timers, no search attributes, no retries of activities.
    known = {
        *OF_CHILDREN,
        "command_ScheduleActivityTask",
        "command_BatchMarkers",
        "command_SignalExternalWorkflowExecution",
    }
    assert set(found.actions) <= known | BY_TIME
