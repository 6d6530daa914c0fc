"""Resources that are created again from what was kept of them, and run tokens as Git has them."""

import copy
from collections.abc import AsyncIterator
from typing import Any

import pytest

from tests.support import chains
from tests.support.chains import account_document
from tests.support.waiting import stays

ALL_OPERATIONS = ["Plan", "Apply", "Destroy"]


@pytest.fixture(scope="module")
async def release(
    parts: chains.Parts, tmp_path_factory: pytest.TempPathFactory
) -> AsyncIterator[chains.Installation]:
    """One whose resync makes up for nothing while a test runs."""
    options = chains.Options(settings={"STACKCHAIN_RESYNC_SECONDS": "600"})
    async with chains.installed(parts, tmp_path_factory.mktemp("release"), options) as running:
        yield running


def backup(body: dict[str, Any], **annotations: str) -> dict[str, Any]:
    """Return a resource as backup tools keep it: without the fields that the API server sets."""
    kept = copy.deepcopy(body)
    for name in ("uid", "resourceVersion", "creationTimestamp", "generation", "managedFields"):
        kept["metadata"].pop(name, None)
    kept.pop("status", None)
    kept["metadata"].setdefault("annotations", {}).update(
        {f"stackchain.dev/{name}": value for name, value in annotations.items()}
    )
    return kept


async def replaced(release: chains.Installation, chain: chains.Chain, **annotations: str) -> None:
    """Delete a chain, and create it from its backup."""
    kept = backup(await chain.body(), **annotations)
    await chain.api.delete(chain.name)
    await chain.is_gone()
    await release.parts.kube.create(chain.api.path("").rstrip("/"), kept)


async def test_a_finished_destroy_that_is_replaced_destroys_nothing_until_it_is_asked(
    release: chains.Installation,
) -> None:
    account = await release.add_account(
        "ruin", account_document("a -> b"), allowedOperations=ALL_OPERATIONS
    )
    chain = await release.create("ruin", "a", account=account)
    await chain.ends("RunSucceeded")
    await release.stackchains.set_spec("ruin", operation="Destroy", destroyConfirmation="ruin")
    await chain.ends("RunSucceeded", number=2)
    before = len(await account.runs())

    await replaced(release, chain)
    status = await chain.shows("NotRequested")

    async def nothing_runs() -> bool:
        return len(await account.runs()) == before

    await stays(nothing_runs, 2)
    assert "latestRun" not in status
    await release.stackchains.annotate("ruin", run="again")
    await chain.ends("RunSucceeded")
    assert [run["type"] for run in await account.runs("a")] == ["TRACKED", "DESTROY", "DESTROY"]


async def test_what_is_restored_as_such_gets_its_status_at_once_and_runs_nothing(
    release: chains.Installation,
) -> None:
    """Its tokens come along."""
    account = await release.add_account("kept", account_document("a -> b"))
    chain = await release.create(
        "kept", "a", account=account, annotations={"run": "one"}, runToken="release 1"
    )
    await chain.ends("RunSucceeded")

    await replaced(release, chain, restored="yes")
    status = await chain.shows("NotRequested")

    assert status["observedGeneration"] == 1
    assert [len(await account.runs(stack_id)) for stack_id in "ab"] == [1, 1]
    await release.stackchains.set_spec("kept", runToken="release 2")
    await chain.ends("RunSucceeded")


async def test_what_is_restored_like_any_other_runs_at_once(release: chains.Installation) -> None:
    account = await release.add_account("anew", account_document("a -> b"))
    chain = await release.create("anew", "a", account=account)
    await chain.ends("RunSucceeded")

    await replaced(release, chain)

    await chain.ends("RunSucceeded")
    assert [len(await account.runs(stack_id)) for stack_id in "ab"] == [2, 2]


async def test_a_run_token_in_the_spec_counts_as_undone_from_the_moment_it_is_set(
    release: chains.Installation,
) -> None:
    account = await release.add_account("git", account_document("a -> b"))
    chain = await release.create("git", "a", account=account, runToken="release 1")
    first = await chain.ends("RunSucceeded")
    await release.operator.kill()

    await release.stackchains.set_spec("git", runToken="release 2")
    body = await chain.body()
    await release.operator.start()
    second = await chain.ends("RunSucceeded", number=2)
    await release.stackchains.annotate("git", run="by hand")
    third = await chain.ends("RunSucceeded", number=3)

    # What kstatus and Argo CD's script go by.
    assert body["metadata"]["generation"] == 2
    assert body["status"]["observedGeneration"] == 1
    assert first["latestRun"]["cause"] == "Spec"
    assert second["latestRun"]["cause"] == third["latestRun"]["cause"] == "RunToken"
    assert third["lastHandled"]["runToken"] == "release 2"
    assert third["lastHandled"]["run"] == "by hand"
    assert len(await account.runs("a")) == 3
