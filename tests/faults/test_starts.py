"""The operator dies between the start of a run and the write that records it: one run starts.

Given: what asks for the run is in the lost write and nowhere else. The operator of that write sees
the API server through a proxy that refuses writes of statuses.
"""

from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from tests.support import chains, faulty_api, starts
from tests.support.chains import account_document
from tests.support.waiting import eventually

CHAIN_RUNS = "WorkflowType = 'StackDependencyChainWorkflow'"
TRIGGERS: dict[str, Any] = {"triggers": [{"type": "RootRunFinished"}]}


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
    options = chains.Options(kubeconfig=api.kubeconfig)
    async with chains.installed(parts, tmp_path_factory.mktemp("release"), options) as running:
        yield running


async def has_started(release: chains.Installation, name: str) -> bool:
    return len(await workflows(release, name)) == 1


async def workflows(release: chains.Installation, name: str) -> list[str]:
    found = await release.executions(CHAIN_RUNS)
    return [item.run_id for item in found if item.id.split("/")[2] == name]


async def dies_after_the_start(
    release: chains.Installation, api: faulty_api.FaultyApi, name: str
) -> None:
    """Wait for a start whose write is refused, kill the operator, and start it again."""
    await eventually(lambda: has_started(release, name), chains.SECONDS, what=f"{name} was started")
    await release.operator.kill()
    api.faults.clear()
    await release.operator.start()


def refuse_statuses(api: faulty_api.FaultyApi, name: str) -> None:
    api.faults.append(
        faulty_api.Fault(method="PATCH", path=f"/stackchains/{name}/status$", status=503)
    )


async def test_a_time_of_the_schedule_starts_one_run(
    release: chains.Installation, api: faulty_api.FaultyApi
) -> None:
    account = await release.add_account("time", account_document("a -> b"))
    chain = await release.create(
        "time",
        "a",
        account=account,
        startPolicy="OnRequest",
        # As late as possible, with no further time within the test.
        schedule={"cron": "0 0 1 * *", "startingDeadlineSeconds": 40 * 86_400},
    )
    await chain.until(lambda status: status.get("schedule", {}).get("nextTime"))
    await release.operator.stop()
    passed = datetime.now(UTC) - timedelta(days=35)
    text = passed.strftime("%Y-%m-%dT%H:%M:%SZ")
    await release.stackchains.kube.patch(
        f"{release.stackchains.path('time')}/status",
        {"status": {"schedule": {"checkedTime": text, "nextTime": text}}},
    )
    refuse_statuses(api, "time")

    await release.operator.start()
    await dies_after_the_start(release, api, "time")
    status = await chain.ends("RunSucceeded")

    assert status["latestRun"]["number"] == 1
    assert status["latestRun"]["cause"] == "Schedule"
    assert status["lastHandled"]["schedule"] == status["schedule"]["lastTime"]
    assert "pendingRun" not in status
    assert len(await workflows(release, "time")) == 1
    assert len(await account.runs("a")) == 1


async def test_a_finished_run_of_a_root_starts_one_run(
    release: chains.Installation, api: faulty_api.FaultyApi
) -> None:
    account = await release.add_account("root", account_document("a -> b"))
    chain = await release.create("root", "a", account=account, startPolicy="OnRequest", **TRIGGERS)
    await starts.is_watched(chain, "a")
    run_id = await starts.finished_run(account, "a")
    refuse_statuses(api, "root")

    await starts.deliver(release, account, "a")
    await dies_after_the_start(release, api, "root")
    status = await chain.ends("RunSucceeded")
    await starts.deliver(release, account, "a")

    assert status["latestRun"]["number"] == 1
    assert starts.root_runs(status) == [("a", run_id)]
    assert status["lastHandled"]["rootRuns"] == [{"stackId": "a", "runId": run_id}]
    assert len(await workflows(release, "root")) == 1
    assert [len(await account.runs(stack_id)) for stack_id in "ab"] == [1, 1]
