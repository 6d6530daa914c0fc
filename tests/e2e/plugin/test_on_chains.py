"""The plugin together with a real operator and worker: what it asks for happens."""

import json
from pathlib import Path

import pytest

from controller.plugin.exit_codes import ExitCode
from tests.support import chains
from tests.support.chains import account_document
from tests.support.plugin import Kubectl
from tests.support.waiting import eventually


@pytest.fixture
def kubectl(parts: chains.Parts, release: chains.Installation, tmp_path: Path) -> Kubectl:
    return Kubectl(parts.control_plane.kubeconfig, tmp_path, release.namespace)


async def test_retry_waits_for_the_run_of_only_what_failed(
    release: chains.Installation, kubectl: Kubectl
) -> None:
    account = await release.add_account("again", account_document("a -> b -> c"))
    await account.script("b", "fail:planning", "changes")
    chain = await release.create("again", "a", account=account)
    await chain.ends("StackFailed")

    told = await kubectl("explain", "again")
    retried = await kubectl("retry", "again", "--wait", "--timeout", "100s")
    shown = await kubectl("tree", "again")
    history = await kubectl("history", "again", "-o", "json")

    assert "kubectl stackchain retry again" in told.out
    assert retried.code == ExitCode.DONE, retried
    assert [len(await account.runs(name)) for name in "abc"] == [1, 2, 2]
    assert "3/3" in shown.out
    assert [run["number"] for run in history.document["runs"]] == [2, 1]


async def test_suspend_and_resume_come_about(
    release: chains.Installation, kubectl: Kubectl
) -> None:
    account = await release.add_account(
        "pause", account_document("a -> b", stacks={"a": {"autodeploy": False}})
    )
    chain = await release.create("pause", "a", account=account)
    run = await account.run_in("a", "UNCONFIRMED")

    suspended = await kubectl("suspend", "pause", "--wait")
    await account.act(run["id"], "confirm")
    status = await chain.shows("Suspended")
    resumed = await kubectl("resume", "pause", "--wait")

    assert (suspended.code, resumed.code) == (ExitCode.DONE, ExitCode.DONE), (suspended, resumed)
    assert chains.condition(status, "Suspended")["status"] == "True"
    await chain.ends("RunSucceeded")


async def test_cancel_waits_until_the_run_is_over(
    release: chains.Installation, kubectl: Kubectl
) -> None:
    account = await release.add_account(
        "stop", account_document("a -> b", stacks={"a": {"durations": {"planning": 600}}})
    )
    chain = await release.create("stop", "a", account=account)
    await account.run_in("a", "PLANNING")

    canceled = await kubectl("cancel", "stop", "--wait")

    assert canceled.code == ExitCode.DONE, canceled
    status = await chain.status()
    assert status["latestRun"]["reason"] == "RunCanceled"
    assert (await account.only_run("a"))["state"] == "STOPPED"


async def test_plan_shows_the_stacks_of_a_file_triggers_nothing_and_leaves_nothing(
    release: chains.Installation, kubectl: Kubectl
) -> None:
    account = await release.add_account("preview", account_document("a -> b -> d", "a -> c -> d"))
    manifest = {
        "apiVersion": "stackchain.dev/v1alpha1",
        "kind": "StackChain",
        "metadata": {"name": "wanted"},
        "spec": {"connectionName": "preview", "roots": {"stackIds": ["a"]}},
    }

    planned = await kubectl("plan", "-", stdin=json.dumps(manifest))

    assert planned.code == ExitCode.DONE, planned
    assert [name for name in "abcd" if name not in planned.out] == []
    assert await account.runs() == []

    async def is_gone() -> bool:
        return not [name for name in await release.statuses() if name.startswith("wanted")]

    await eventually(is_gone)
