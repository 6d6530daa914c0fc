"""Chains with webhooks: as fast as their runs, whatever befalls the deliveries."""

import asyncio
from collections.abc import AsyncIterator
from typing import Any

import pytest

from tests.support import chains, webhooks
from tests.support.chains import account_document, ended_at
from tests.support.waiting import eventually

RUN_SECONDS = 4.0
# Shorter than the pause between two polls, and longer than four hops on a busy machine.
HOPS_SECONDS = 40.0
RATE = 0.3

# Native and label edges, a stack whose inputs did not change, one that fails, and one that a
# person confirms.
STORY = account_document(
    "b -> c",
    "a -> f -> g",
    stacks={
        "b": {"dependsOn": [{"stack": "a", "references": [{"output": "o", "input": "i"}]}]},
        "d": {"labels": ["dependsOn:a"]},
        "e": {"labels": ["dependsOn:d"], "autodeploy": False},
        "f": {"outcomes": ["fail:applying"]},
        "a": {"outcomes": [{"result": "changes", "outputs": {"o": "x"}}], "outputs": {"o": "x"}},
        "h": {"labels": ["dependsOn:c", "dependsOn:e"]},
    },
    duration=1,
)


@pytest.fixture(scope="module")
async def slow_poll(
    parts: chains.Parts, tmp_path_factory: pytest.TempPathFactory
) -> AsyncIterator[tuple[chains.Installation, webhooks.InstalledReceiver]]:
    """An installation that hears of runs by webhook, or a minute late."""
    options = chains.Options(settings={"SPACELIFT_POLL_SECONDS": "60"})
    async with chains.installed(parts, tmp_path_factory.mktemp("slow"), options) as release:
        receiver = webhooks.InstalledReceiver(release)
        await receiver.role.start()
        yield release, receiver


@pytest.fixture(scope="module")
async def quick_poll(
    parts: chains.Parts, tmp_path_factory: pytest.TempPathFactory
) -> AsyncIterator[tuple[chains.Installation, webhooks.InstalledReceiver]]:
    """An installation whose polling makes up for what is lost on the way, within seconds."""
    options = chains.Options(settings={"SPACELIFT_POLL_SECONDS": "3"})
    async with chains.installed(parts, tmp_path_factory.mktemp("quick"), options) as release:
        receiver = webhooks.InstalledReceiver(release)
        await receiver.role.start()
        yield release, receiver


def began_at(run: chains.Body) -> float:
    """Return when a run left the queue."""
    return float(next(entry["at"] for entry in run["history"] if entry["state"] != "QUEUED"))


async def test_with_webhooks_a_chain_takes_little_longer_than_its_runs_though_polling_takes_minutes(
    slow_poll: tuple[chains.Installation, webhooks.InstalledReceiver],
) -> None:
    release, receiver = slow_poll
    account, hook = await receiver.add_account(
        "makespan",
        account_document(
            "a -> b",
            stacks={
                "c": {"labels": ["dependsOn:b"]},
                "d": {"labels": ["dependsOn:c"]},
                "e": {"labels": ["dependsOn:a"], "durations": 1},
            },
            duration=RUN_SECONDS,
        ),
    )

    chain = await release.create("makespan", "a", account=account)
    await chain.ends("RunSucceeded")

    runs = {stack: await account.only_run(stack) for stack in "abcd"}
    critical_path = sum(ended_at(run) - began_at(run) for run in runs.values())
    makespan = ended_at(runs["d"]) - began_at(runs["a"])
    print(f"{makespan / critical_path:.2f} of the critical path")
    assert critical_path >= 4 * RUN_SECONDS
    assert makespan - critical_path < HOPS_SECONDS
    assert (await receiver.metrics("stackchain_webhook_wakes_total"))[
        'kind="execution",result="woken"'
    ] > 0
    assert set(await hook.answers()) == {202}
    # A follow that a wake gave up is not a failure.
    assert "Completing activity as failed" not in release.worker.log(10_000)


async def outcome(account: chains.Account, status: chains.Body) -> dict[str, Any]:
    """Return the result of a chain, stack by stack and run by run."""
    runs = sorted(await account.runs(), key=lambda run: (run["stackId"], run["id"]))
    rows = {
        row["id"]: (row["phase"], row.get("reason"), row.get("blockedBy"), row.get("attempts"))
        for row in status["stacks"]
    }
    return {
        "phase": status["latestRun"]["phase"],
        "stacks": rows,
        "runs": [
            (run["stackId"], run["type"], run["triggeredBy"],
             [entry["state"] for entry in run["history"]])
            for run in runs
        ],
    }  # fmt: skip


async def test_whatever_befalls_the_deliveries_each_chain_comes_to_the_same_run_for_run(
    quick_poll: tuple[chains.Installation, webhooks.InstalledReceiver],
) -> None:
    release, receiver = quick_poll
    behavior: dict[str, dict[str, float]] = {
        "undisturbed": {},
        "drop": {"drop": RATE},
        "duplicate": {"duplicate": RATE},
        "reorder": {"reorder": RATE, "reorderSeconds": 2},
        "replay": {"replay": RATE, "replaySeconds": 2},
    }
    hooks: dict[str, webhooks.Hook] = {}
    accounts: dict[str, chains.Account] = {}
    for name, wanted in behavior.items():
        accounts[name], hooks[name] = await receiver.add_account(name, STORY)
        await hooks[name].befall(seed=7, noise=RATE, **wanted)

    async def run(name: str) -> dict[str, Any]:
        account = accounts[name]
        chain = await release.create(name, "a", account=account)
        waiting = await account.run_in("e", "UNCONFIRMED")
        await account.act(waiting["id"], "confirm")
        return await outcome(account, await chain.ends("StackFailed"))

    found = dict(zip(behavior, await asyncio.gather(*map(run, behavior)), strict=True))

    expected = found["undisturbed"]
    assert {stack: row[0] for stack, row in expected["stacks"].items()} == {
        "a": "Succeeded", "b": "Skipped", "c": "Succeeded", "d": "Succeeded", "e": "Succeeded",
        "f": "Failed", "g": "Skipped", "h": "Succeeded",
    }  # fmt: skip
    assert found == dict.fromkeys(behavior, expected)
    for name, hook in hooks.items():
        await hook.at_rest()
        assert set(await hook.answers()) == {202}, name
        assert (await hook.state())["enabled"]
    states = [delivery["state"] for delivery in await hooks["drop"].deliveries()]
    assert states.count("dropped") > 0
    assert any(delivery["duplicateOf"] for delivery in await hooks["duplicate"].deliveries())
    assert any(delivery["replayOf"] for delivery in await hooks["replay"].deliveries())


async def test_a_replay_of_all_deliveries_after_the_end_changes_nothing(
    quick_poll: tuple[chains.Installation, webhooks.InstalledReceiver],
) -> None:
    release, receiver = quick_poll
    account, hook = await receiver.add_account("late", account_document("a -> b"))
    chain = await release.create("late", "a", account=account)
    status = await chain.ends("RunSucceeded")
    await hook.at_rest()
    before, sent = await account.runs(), len(await hook.deliveries())

    await hook.replay()
    await hook.at_rest()

    async def all_are_worked_off() -> bool:
        return await receiver.metrics("stackchain_webhook_queue_depth") == {"": 0}

    await eventually(all_are_worked_off, chains.SECONDS)
    assert len(await hook.deliveries()) == 2 * sent
    assert set(await hook.answers()) == {202}
    assert await account.runs() == before
    assert await chain.status() == status
