"""Annotations as large as an object may have them: what others write there must cost no run.

The API server allows 256 KiB for all annotations of an object together.
"""

import asyncio
import re
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from devenv import processes
from tests.support import chains
from tests.support.chains import account_document

LIMIT = 256 * 1024
CHAINS = 40
AT_ONCE = 4
MIB = 1024 * 1024


def peak_memory(process: processes.Process) -> int:
    """Return the most bytes that a process has had in memory."""
    found = re.search(r"VmHWM:\s+(\d+) kB", Path(f"/proc/{process.pid}/status").read_text())
    assert found is not None
    return int(found[1]) * 1024


@pytest.fixture
async def fresh(
    parts: chains.Parts, tmp_path_factory: pytest.TempPathFactory
) -> AsyncIterator[chains.Installation]:
    """An installation whose memory is its own."""
    async with chains.installed(parts, tmp_path_factory.mktemp("annotated")) as release:
        yield release


async def test_a_chain_whose_annotations_leave_no_room_runs_and_can_be_deleted(
    release: chains.Installation,
) -> None:
    """Its run is stopped first, so that kopf has to look several times."""
    account = await release.add_account(
        "full", account_document(stacks={"a": {}, "b": {"durations": {"planning": 600}}})
    )
    others = {"notes": "x" * (LIMIT - len("stackchain.dev/notes"))}
    idle = await release.create("idle", "a", account=account, annotations=others)
    await idle.ends("RunSucceeded")
    live = await release.create("live", "b", account=account, annotations=others)
    await account.run_in("b", "PLANNING")

    await release.stackchains.delete("idle")
    await release.stackchains.delete("live")

    await idle.is_gone()
    await live.is_gone()
    assert (await account.only_run("b"))["state"] == "STOPPED"


async def test_tokens_that_are_too_long_are_refused_and_kept_as_digests(
    fresh: chains.Installation,
) -> None:
    account = await fresh.add_account("tokens", account_document(stacks={"a": {}}))
    small = await fresh.create("small", "a", account=account, startPolicy="OnRequest")
    await small.shows("NotRequested")
    before = peak_memory(fresh.operator.process)
    token = "x" * 250_000

    # A few at a time: then kopf works on the same number at once on each machine.
    made: list[chains.Chain] = []
    for first in range(0, CHAINS, AT_ONCE):
        async with asyncio.TaskGroup() as group:
            tasks = [
                group.create_task(
                    fresh.create(
                        f"long-{number}",
                        "a",
                        account=account,
                        startPolicy="OnRequest",
                        annotations={"run": token},
                    )
                )
                for number in range(first, first + AT_ONCE)
            ]
        for task in tasks:
            chain = task.result()
            await chain.shows("NotRequested")
            await chain.events("StaleRequest")
            made.append(chain)
    status = await made[0].status()

    assert len(status["lastHandled"]["run"]) < 100
    assert await account.runs() == []
    # About 24 MiB at most, of which 4 objects in kopf's hands; 3.6 for each chain were kept before.
    assert peak_memory(fresh.operator.process) - before < 60 * MIB


async def test_a_long_token_is_told_once_and_a_short_one_after_it_counts(
    release: chains.Installation,
) -> None:
    account = await release.add_account("told-once", account_document(stacks={"a": {}}))
    chain = await release.create(
        "told-once",
        "a",
        account=account,
        startPolicy="OnRequest",
        annotations={"run": "x" * 257},
    )

    await chain.shows("NotRequested")
    assert await chain.told("StaleRequest") == [
        "`stackchain.dev/run` does nothing: it is longer than 256 characters."
    ]
    await release.stackchains.annotate("told-once", run="x" * 256)
    await chain.ends("RunSucceeded")
