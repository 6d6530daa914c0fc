"""Trouble with the Kubernetes API: chains continue, the status catches up, nothing starts twice.

The operator sees the API server through a proxy that answers some requests itself, wrongly or not
at all. The tests see it directly.
"""

import asyncio
from collections.abc import AsyncIterator
from typing import Any

import pytest

from tests.support import chains, faulty_api
from tests.support.chains import account_document
from tests.support.waiting import eventually, stays

CHAIN_RUNS = "WorkflowType = 'StackDependencyChainWorkflow'"

# One that cannot renew its Lease leaves, which is not what these tests are about.
LEASE = {"STACKCHAIN_LEASE_DURATION_SECONDS": "120"}


@pytest.fixture(scope="module")
async def api(
    parts: chains.Parts, tmp_path_factory: pytest.TempPathFactory
) -> AsyncIterator[faulty_api.FaultyApi]:
    directory = tmp_path_factory.mktemp("faulty-api")
    async with faulty_api.FaultyApi(parts.control_plane, directory) as proxy:
        yield proxy


@pytest.fixture(scope="module")
async def release(
    parts: chains.Parts, api: faulty_api.FaultyApi, tmp_path_factory: pytest.TempPathFactory
) -> AsyncIterator[chains.Installation]:
    """An installation whose operator sees the API server through the proxy only."""
    options = chains.Options(kubeconfig=api.kubeconfig, settings=LEASE)
    async with chains.installed(parts, tmp_path_factory.mktemp("release"), options) as running:
        yield running


@pytest.fixture(autouse=True)
async def _all_is_well_again(api: faulty_api.FaultyApi) -> AsyncIterator[None]:
    """A test that failed in the middle leaves the proxy as it was then."""
    yield
    # A fault without a count lasts until its test ends it.
    api.faults[:] = [fault for fault in api.faults if fault.count]
    api.thaw()
    if not api.is_listening:
        await api.listen()


async def assert_one_run_each(release: chains.Installation, *names: str) -> None:
    """Each stack of `a -> b` has one run, and each chain one workflow."""
    for name in names:
        runs = [await release.accounts[name].only_run(stack_id) for stack_id in "ab"]
        status = await release.chain(name).status()
        assert [run["id"] for run in runs] == [row["runId"] for row in status["stacks"]]
        assert status["latestRun"]["number"] == 1
        await release.listed(f"/{name}/", CHAIN_RUNS)


# On requests about the chain of the name; a chain takes some dozen of them.
ON_STATUS: dict[str, Any] = {"method": "PATCH", "path": "/stackchains/{name}/status$"}
ON_OBJECT: dict[str, Any] = {"method": "PATCH", "path": "/stackchains/{name}$"}
ON_ALL: dict[str, Any] = {"path": "/stackchains/{name}(/status)?$"}
ON_EVENTS: dict[str, Any] = {"method": "POST", "path": "/namespaces/{namespace}/events$"}

FAULTS: dict[str, dict[str, Any]] = {
    "conflict": {**ON_STATUS, "status": 409, "count": 2},
    # More than are answered by computing the status again at once.
    "conflicts": {**ON_STATUS, "status": 409, "count": 7},
    "invalid": {**ON_STATUS, "status": 422, "count": 1},
    "throttled": {**ON_ALL, "status": 429, "headers": (("Retry-After", "1"),), "count": 3},
    "broken": {**ON_ALL, "status": 500, "count": 4},
    "unavailable": {**ON_STATUS, "status": 503, "count": 3},
    "reset": {**ON_ALL, "count": 4},
    "no-route": {**ON_ALL, "status": 404, "count": 3},
    "forbidden": {**ON_ALL, "status": 403, "count": 3},
    "unauthenticated": {**ON_STATUS, "status": 401, "count": 3},
    # A status is written each time that something is seen, and a busy machine sees little.
    "lost-answer": {**ON_STATUS, "after": True, "count": 2},
    "lost-as-500": {**ON_STATUS, "after": True, "status": 500, "count": 2},
    # Who sees the finalizer meanwhile does not add it again.
    "lost-finalizer": {**ON_OBJECT, "after": True, "count": 1},
    "conflict-finalizer": {**ON_OBJECT, "status": 409, "count": 2},
}


@pytest.fixture(scope="module")
async def troubled(
    release: chains.Installation, api: faulty_api.FaultyApi
) -> dict[str, faulty_api.Fault]:
    """A chain for each fault, all under way at the same time."""
    faults = {
        name: api.add(**{**fault, "path": fault["path"].format(name=name)})
        for name, fault in FAULTS.items()
    }
    document = account_document("a -> b", duration=1)
    for name in FAULTS:
        await release.create(name, "a", account=await release.add_account(name, document))
    return faults


@pytest.mark.parametrize("name", FAULTS)
async def test_a_chain_succeeds_whatever_the_api_server_answers_now_and_then(
    release: chains.Installation, troubled: dict[str, faulty_api.Fault], name: str
) -> None:
    chain = release.chain(name)
    status = await chain.ends("RunSucceeded")

    assert troubled[name].hits == troubled[name].count
    await chain.events("RunStarted", "RunSucceeded")
    assert chains.phases(status) == {"a": "Succeeded", "b": "Succeeded"}
    assert status["observedGeneration"] == 1
    await assert_one_run_each(release, name)


async def test_events_that_cannot_be_recorded_hold_nothing_up(
    release: chains.Installation, api: faulty_api.FaultyApi
) -> None:
    path = ON_EVENTS["path"].format(namespace=release.namespace)
    fault = api.add(**{**ON_EVENTS, "path": path, "status": 403})
    account = await release.add_account("events", account_document("a -> b"))

    chain = await release.create("events", "a", account=account)
    await chain.ends("RunSucceeded")
    # An Event comes after the status that it is about.
    await eventually(lambda: fault.hits >= 3, what="three Events are refused")
    recorded = await chain.events()
    fault.count = fault.hits

    assert recorded == []
    await assert_one_run_each(release, "events")


@pytest.mark.parametrize(
    "how",
    [
        pytest.param({"status": 503}, id="unavailable"),
        pytest.param({"status": 429, "headers": (("Retry-After", "1"),)}, id="throttled"),
        pytest.param({"after": True}, id="answer lost"),
    ],
)
async def test_events_that_get_no_answer_are_recorded_once(
    release: chains.Installation,
    api: faulty_api.FaultyApi,
    how: dict[str, Any],
    request: pytest.FixtureRequest,
) -> None:
    name = f"events-{request.node.callspec.id.replace(' ', '-')}"
    account = await release.add_account(name, account_document("a -> b"))
    path = ON_EVENTS["path"].format(namespace=release.namespace)
    fault = api.add(**{**ON_EVENTS, "path": path, "count": 2, **how})

    chain = await release.create(name, "a", account=account)
    await chain.ends("RunSucceeded")

    told = await chain.events("GraphResolved", "RunStarted", "RunSucceeded")
    assert fault.hits == fault.count
    for reason in ("GraphResolved", "RunStarted", "RunSucceeded"):
        assert told.count(reason) == 1


@pytest.mark.parametrize("how", ["refused", "reset", "500"])
async def test_while_nothing_can_be_read_or_written_chains_go_on_and_the_status_catches_up(
    release: chains.Installation, api: faulty_api.FaultyApi, how: str
) -> None:
    """The chain rolls on without its operator; what is new meanwhile starts afterwards."""
    name, new = f"down-{how}", f"down-{how}-new"
    document = account_document("a -> b", stacks={"a": {"durations": 600}})
    account = await release.add_account(name, document)
    other = await release.add_account(new, account_document("a -> b"))
    chain = await release.create(name, "a", account=account)
    await chain.until(lambda status: chains.phases(status).get("a") == "Running")

    fault = None
    if how == "refused":
        await api.refuse()
    else:
        fault = api.add(status=500 if how == "500" else None)
        api.break_connections()
    later = await release.create(new, "a", account=other)
    await account.hurry()
    await account.run_in("b", "FINISHED")
    assert chains.phases(await chain.status())["b"] != "Succeeded"
    # No more than a new object has by default.
    assert await later.status() == {"observedGeneration": -1}
    if fault is not None:
        await eventually(lambda: fault.hits, what="the operator sees nothing")
        api.faults.remove(fault)
    else:
        await api.listen()

    await asyncio.gather(chain.ends("RunSucceeded"), later.ends("RunSucceeded"))
    assert release.operator.is_running
    await assert_one_run_each(release, name, new)


async def test_watches_that_break_over_and_over_lose_no_change(
    release: chains.Installation, api: faulty_api.FaultyApi
) -> None:
    names = [f"watch-{number}" for number in range(4)]
    for name in names:
        account = await release.add_account(name, account_document("a -> b"))
        await eventually(api.break_connections, chains.SECONDS, what="a watch is open and breaks")
        await release.create(name, "a", account=account)
        api.break_connections()

    await asyncio.gather(*(release.chain(name).ends("RunSucceeded") for name in names))
    await assert_one_run_each(release, *names)


async def test_an_api_server_that_freezes_is_waited_for(
    release: chains.Installation, api: faulty_api.FaultyApi
) -> None:
    document = account_document("a -> b", stacks={"a": {"autodeploy": False}})
    account = await release.add_account("frozen", document)
    chain = await release.create("frozen", "a", account=account)
    await chain.shows("AwaitingConfirmation")

    api.freeze()
    await account.act((await account.only_run("a"))["id"], "confirm")
    await account.run_in("b", "FINISHED")
    assert chains.phases(await chain.status())["b"] != "Succeeded"
    api.thaw()

    await chain.ends("RunSucceeded")
    await assert_one_run_each(release, "frozen")


async def test_a_token_that_came_during_an_outage_runs_once(
    release: chains.Installation, api: faulty_api.FaultyApi
) -> None:
    account = await release.add_account("asked", account_document("a -> b"))
    chain = await release.create("asked", "a", account=account)
    await chain.ends("RunSucceeded")

    await api.refuse()
    await release.stackchains.annotate("asked", run="one")
    await release.stackchains.annotate("asked", run="two")
    await api.listen()
    status = await chain.ends("RunSucceeded", number=2)

    async def ran_twice() -> bool:
        return [len(await account.runs(stack_id)) for stack_id in "ab"] == [2, 2]

    assert await stays(ran_twice, 2)
    assert status["lastHandled"]["run"] == "two"
