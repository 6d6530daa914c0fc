"""Executions can be found by chain, stack and reason where Temporal's namespace has the attributes.

Given: an installation with its own Temporal namespace. Asserted: what lists of Temporal find.
"""

import io
from collections.abc import AsyncIterator

import pytest
import temporalio.worker
from temporalio.api.operatorservice import v1 as operatorservice

from controller.config import settings
from controller.temporal import search_attributes, temporal_test, worker
from tests.support import chains
from tests.support.chains import account_document
from tests.support.waiting import eventually

LINE = "Temporal search attributes"


@pytest.fixture
async def release(
    parts: chains.Parts, tmp_path_factory: pytest.TempPathFactory
) -> AsyncIterator[chains.Installation]:
    """A release with its own Temporal namespace, to which attributes are added."""
    directory = tmp_path_factory.mktemp("attributes")
    async with chains.installed(parts, directory, chains.Options()) as running:
        yield running


async def checked(release: chains.Installation, *, fixes: bool = False) -> str:
    """Return what the check says of search attributes."""
    out = io.StringIO()
    temporal = settings.TemporalSettings(
        address=release.parts.temporal_server.address, namespace=release.temporal_namespace
    )
    await temporal_test.check(settings.Settings(temporal=temporal), out, fixes=fixes)
    (line,) = [line for line in out.getvalue().splitlines() if LINE in line]
    return line


async def add_attributes(release: chains.Installation) -> str:
    """Let the check add all attributes, and return what it says of that."""
    added = await checked(release, fixes=True)

    async def are_there() -> bool:
        assert " exist" in await checked(release)
        return True

    await eventually(are_there, chains.SECONDS, what="the attributes are there")
    return added


async def found(release: chains.Installation, query: str) -> set[str]:
    """Return the ids of the executions that a query finds."""
    return {item.id for item in await release.executions(query)}


async def names(release: chains.Installation) -> set[str | None]:
    """Return the names of the chains whose runs have them as a search attribute."""
    executions = await release.executions("StackChainName IS NOT NULL")
    return {item.typed_search_attributes.get(search_attributes.CHAIN_NAME) for item in executions}


async def test_runs_are_found_by_chain_stack_and_reason_once_the_check_has_added_attributes(
    release: chains.Installation,
) -> None:
    before = await checked(release)
    added = await add_attributes(release)
    account = await release.add_account(
        "attributes", account_document("a -> b", stacks={"b": {"autodeploy": False}})
    )
    chain = await release.create("named", "a", account=account)
    await chain.shows("AwaitingConfirmation")

    async def chain_and_stack_are_found() -> bool:
        of_chain = f"StackChainNamespace = '{release.namespace}' AND StackChainName = 'named'"
        waits = await found(release, f"{of_chain} AND StackChainReason = 'AwaitingConfirmation'")
        of_stack = await found(release, f"{of_chain} AND SpaceliftStack = 'b'")
        assert (len(waits), len(of_stack)) == (1, 1)
        assert waits.isdisjoint(of_stack)
        return True

    await eventually(chain_and_stack_are_found, chains.SECONDS, what="both are found")
    latest = (await chain.status())["latestRun"]
    client = await release.temporal()
    history = await client.get_workflow_handle(
        latest["workflowId"], run_id=latest["workflowRunId"]
    ).fetch_history()
    await temporalio.worker.Replayer(
        workflows=[*worker.WORKFLOWS], workflow_runner=worker.workflow_runner()
    ).replay_workflow(history)

    assert before.startswith("ok ")
    assert "stackchain check --fix" in before
    assert search_attributes.creation_command(release.temporal_namespace) in before
    assert "added SpaceliftStack, StackChainName, StackChainNamespace, StackChainReason" in added


async def test_a_run_starts_without_attributes_where_there_are_none_and_where_one_has_gone(
    release: chains.Installation,
) -> None:
    account = await release.add_account("plain", account_document("a -> b"))
    await (await release.create("without", "a", account=account)).ends("RunSucceeded")
    await add_attributes(release)
    (operator,) = [role for role in release.roles if role.options.role == "operator"]
    # It asks again after ten minutes, or when it starts.
    await operator.stop()
    await operator.start()
    await (await release.create("with", "a", account=account)).ends("RunSucceeded")

    async def only_the_second_is_found() -> bool:
        assert await names(release) == {"with"}
        return True

    await eventually(only_the_second_is_found, chains.SECONDS, what="the second run is found")
    client = await release.temporal()
    await client.operator_service.remove_search_attributes(
        operatorservice.RemoveSearchAttributesRequest(
            namespace=client.namespace, search_attributes=["StackChainName"]
        )
    )

    last = await release.create("after", "a", account=account)
    await last.ends("RunSucceeded")
