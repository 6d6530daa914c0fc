"""A chain is ended while Spacelift takes its time over a trigger: none of its runs continues."""

import dataclasses
from collections.abc import AsyncIterator
from typing import Any

import pytest

from tests.support import account_runs, chains
from tests.support.chains import account_document
from tests.support.waiting import eventually

# Longer than a worker waits for an answer here, and much shorter than it looks for the run.
LATE_SECONDS = 2 * float(chains.FAST["SPACELIFT_REQUEST_TIMEOUT_SECONDS"])
GRACE = {"SPACELIFT_TRIGGER_GRACE_SECONDS": "60"}
SLOW = {"planning": 600}


@dataclasses.dataclass(frozen=True, kw_only=True)
class Case:
    """How the chain is ended, and what it shows then; None if it is gone, or runs again."""

    spec: dict[str, Any] = dataclasses.field(default_factory=dict)
    annotations: dict[str, str] = dataclasses.field(default_factory=dict)
    ends: str | None = None


CASES = {
    "canceled": Case(annotations={"cancel": "1"}, ends="RunCanceled"),
    "replaced": Case(spec={"concurrencyPolicy": "Replace"}, annotations={"run": "anew"}),
    "deleted": Case(),
}


@pytest.fixture(scope="module")
async def release(
    parts: chains.Parts, tmp_path_factory: pytest.TempPathFactory
) -> AsyncIterator[chains.Installation]:
    """An installation whose workers look for a run for as long as it may come late."""
    options = chains.Options(settings=GRACE)
    async with chains.installed(parts, tmp_path_factory.mktemp("release"), options) as running:
        yield running


@pytest.mark.parametrize("name", CASES)
async def test_what_a_trigger_in_flight_queues_is_stopped_with_the_chain(
    release: chains.Installation, name: str
) -> None:
    case = CASES[name]
    account = await release.add_account(
        name, account_document("a -> b -> c", stacks={"a": {"durations": SLOW}})
    )
    fault = await account.fault(
        action="latency", field="runTrigger", stack="a", seconds=LATE_SECONDS
    )
    chain = await release.create(name, "a", account=account, **case.spec)

    async def is_sent() -> bool:
        return await account.hits(fault) == 1

    await eventually(is_sent, chains.SECONDS, what="the trigger is on its way")
    assert await account.runs() == []
    if case.annotations:
        await release.stackchains.annotate(name, **case.annotations)
    if name == "deleted":
        await release.stackchains.delete(name)
        await chain.is_gone()
    elif name == "replaced":
        await eventually(
            lambda: has_second_run(account), chains.SECONDS, what="the next run of the chain"
        )
    else:
        assert case.ends is not None
        status = await chain.ends(case.ends)
        assert chains.stack(status, "a")["runId"] == (await account.only_run("a"))["id"]

    for stack_id in "abc":
        first = (await account.runs(stack_id))[0]
        assert first["state"] in ("CANCELED", "STOPPED", "SKIPPED"), account_runs.states(first)
        assert not chains.went_through(first, "APPLYING")


async def has_second_run(account: Any) -> bool:
    return len(await account.runs("a")) == 2
