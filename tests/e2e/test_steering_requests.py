"""What people ask of a live chain with kubectl: cancel, suspend, another limit, another spec."""

from typing import Any

from tests.support import chains, people
from tests.support.chains import account_document, ended_at
from tests.support.waiting import eventually, stays

# Several passes of the resync, which is what would start a run too many.
PASSES = 2.0

# Longer than a test takes, unless someone ends it.
LONG = 300


# Cancel


async def test_a_cancel_stops_each_run_by_its_state_and_what_waits_behind_it_first(
    release: chains.Installation, people: people.People
) -> None:
    """`a -> b -> c` is stopped in the reverse order, or Spacelift would start `c`."""
    account = await release.add_account(
        "cancel",
        account_document(
            "a -> b -> c",
            workerPools={"none": {"workers": 0}},
            stacks={
                "a": {"durations": {"planning": LONG}},
                "asked": {"autodeploy": False},
                "queued": {"workerPool": "none"},
                "applies": {"durations": {"planning": 0, "applying": LONG}},
            },
        ),
    )
    chain = await people.apply("cancel", "a", "asked", "queued", "applies", account=account)
    await account.run_in("asked", "UNCONFIRMED")
    await account.run_in("applies", "APPLYING")
    await account.run_in("a", "PLANNING")
    await chain.until(lambda status: chains.phases(status).get("queued") == "Waiting")

    await people.annotate("cancel", cancel="1")
    for stack_id, state in (("a", "STOPPED"), ("asked", "DISCARDED"), ("queued", "CANCELED")):
        await account.run_in(stack_id, state)
    await account.hurry()
    status = await chain.ends("RunCanceled")

    runs = {run["stackId"]: run for run in await account.runs()}
    assert {stack_id: run["state"] for stack_id, run in runs.items()} == {
        "a": "STOPPED",
        "b": "CANCELED",
        "c": "CANCELED",
        "asked": "DISCARDED",
        "queued": "CANCELED",
        "applies": "FINISHED",
    }
    assert ended_at(runs["c"]) <= ended_at(runs["b"]) <= ended_at(runs["a"])
    stopped = dict.fromkeys(("a", "b", "c", "asked", "queued"), "Canceled")
    assert chains.phases(status) == stopped | {"applies": "Succeeded"}
    assert status["latestRun"]["phase"] == "Canceled"
    assert status["lastHandled"]["cancel"] == "1"
    assert "stackchain.dev/retry" in chains.ready(status)["message"]

    async def rests() -> bool:
        return len(await account.runs()) == len(runs)

    assert await stays(rests, PASSES)


async def test_a_cancel_of_an_earlier_run_or_of_one_that_is_over_does_nothing_and_says_so(
    release: chains.Installation, people: people.People
) -> None:
    account = await release.add_account("stale", account_document(stacks=["a"]))
    chain = await people.apply("stale", "a", account=account)
    await chain.ends("RunSucceeded")
    await account.admin("PATCH", "/stacks/a", {"autodeploy": False})
    await people.annotate("stale", run="again")
    run = await account.run_in("a", "UNCONFIRMED")
    await chain.shows("AwaitingConfirmation")

    await people.annotate("stale", cancel="1")
    await chain.until(lambda status: status["lastHandled"].get("cancel") == "1")
    await account.act(run["id"], "confirm")
    await chain.ends("RunSucceeded", number=2)
    await people.annotate("stale", cancel="2")
    status = await chain.until(lambda status: status["lastHandled"].get("cancel") == "2")

    assert chains.ready(status)["reason"] == "RunSucceeded"
    assert [run["state"] for run in await account.runs("a")] == ["FINISHED", "FINISHED"]
    told = " ".join(await chain.told("StaleRequest", 2))
    assert "`stackchain.dev/cancel: 1` does nothing: the latest run is 2." in told
    assert "`stackchain.dev/cancel: 2` does nothing: run 2 is over." in told


# Suspend and resume


async def test_a_suspended_chain_starts_nothing_more_until_it_is_resumed(
    release: chains.Installation, people: people.People
) -> None:
    """`b` depends on `a` natively and on `x` by label; a person confirms `a` meanwhile."""
    account = await release.add_account(
        "suspend",
        account_document(
            "a -> b", stacks={"a": {"autodeploy": False}, "x": {"labels": ["dependsOn:a"]}}
        ),
    )
    chain = await people.apply("suspend", "a", account=account)
    run = await account.run_in("a", "UNCONFIRMED")
    await account.run_in("b", "QUEUED")

    await people.patch("suspend", suspend=True)
    await account.run_in("b", "CANCELED")
    await account.act(run["id"], "confirm")
    held = await chain.until(
        lambda status: (
            chains.phases(status)["a"] == "Succeeded"
            and chains.ready(status)["reason"] == "Suspended"
        )
    )

    async def nothing_starts() -> bool:
        ours = await account.runs("x")
        return not ours and [run["state"] for run in await account.runs("b")] == ["CANCELED"]

    assert await stays(nothing_starts, PASSES)
    await people.patch("suspend", suspend=False)
    status = await chain.ends("RunSucceeded")

    assert chains.reasons(held) == {"a": "RunFinished", "b": "Suspended", "x": "Suspended"}
    assert chains.ready(held)["status"] == "Unknown"
    assert chains.condition(held, "Suspended")["status"] == "True"
    assert chains.condition(held, "Reconciling")["status"] == "False"
    assert chains.condition(status, "Suspended")["status"] == "False"
    assert status["latestRun"]["number"] == 1
    assert [run["state"] for run in await account.runs("b")] == ["CANCELED", "FINISHED"]
    await account.only_run("a")
    await account.only_run("x")
    await chain.events("Suspended", "Resumed")


async def test_a_chain_that_is_created_suspended_shows_its_graph_and_triggers_nothing(
    release: chains.Installation, people: people.People
) -> None:
    account = await release.add_account(
        "preview",
        account_document("a -> b -> d", "a -> c", stacks={"x": {"labels": ["dependsOn:b"]}}),
    )

    chain = await people.apply("preview", "a", account=account, suspend=True)
    shown = await chain.until(
        lambda status: (
            chains.ready(status).get("reason") == "Suspended" and bool(status.get("stacks"))
        )
    )

    async def nothing_runs() -> bool:
        return not await account.runs()

    assert await stays(nothing_runs, PASSES)
    assert await account.requests("runTrigger") == []
    assert {key: shown["graph"][key] for key in ("stacks", "edges", "levels")} == {
        "stacks": 5,
        "edges": 4,
        "levels": 3,
    }
    assert {row["id"]: (row["level"], row.get("dependsOn", [])) for row in shown["stacks"]} == {
        "a": (0, []),
        "b": (1, ["a"]),
        "c": (1, ["a"]),
        "d": (2, ["b"]),
        "x": (2, ["b"]),
    }
    assert set(chains.phases(shown).values()) == {"Pending"}
    assert chains.condition(shown, "GraphResolved")["status"] == "True"
    assert chains.condition(shown, "Reconciling")["status"] == "False"

    await people.patch("preview", suspend=False)
    await chain.ends("RunSucceeded")
    for stack_id in "abcdx":
        await account.only_run(stack_id)


# Parallelism


class Width:
    """Says how many runs of an account are in progress at once, by its own log."""

    def __init__(self, account: chains.Account) -> None:
        self.account = account

    async def open(self) -> list[dict[str, Any]]:
        return [run for run in await self.account.runs() if not run["finished"]]

    async def stop(self, count: int) -> None:
        """Let a person stop runs that plan."""
        for run in (await self.account.runs(state="PLANNING"))[:count]:
            await self.account.act(run["id"], "stop")

    async def plan(self, count: int) -> bool:
        """Whether so many runs plan."""
        return len(await self.account.runs(state="PLANNING")) == count

    async def reaches(self, *, created: int, open_: int) -> None:
        """Wait until that many runs were created in total, and that many are not over."""

        async def reached() -> bool:
            found = len(await self.account.runs()), len(await self.open())
            assert found == (created, open_), found
            return True

        await eventually(reached, chains.SECONDS, what=f"{created} runs, {open_} open")

    async def most_at_creation(self, created: slice) -> int:
        """Return how many were open at most when one of these was created, itself included."""
        runs = await self.account.runs()
        return max(
            sum(
                other["createdAt"] <= run["createdAt"]
                and not (other["finished"] and ended_at(other) <= run["createdAt"])
                for other in runs
            )
            for run in runs[created]
        )


async def test_a_width_that_is_changed_twice_in_a_live_run_holds_each_time(
    release: chains.Installation, people: people.People
) -> None:
    """A person ends each run, so the number of open runs does not depend on speed."""
    leaves = [f"s{number:02}" for number in range(24)]
    document = account_document(
        stacks={"root": {}}
        | {name: {"labels": ["dependsOn:root"], "durations": {"planning": 600}} for name in leaves},
        duration=0,
    )
    account = await release.add_account("width", document)
    width = Width(account)

    async def is_observed(generation: int) -> None:
        await chain.until(lambda status: status["observedGeneration"] == generation)

    chain = await people.apply("width", "root", account=account, parallelism=20)
    await width.reaches(created=1 + 20, open_=20)
    await eventually(lambda: width.plan(20), chains.SECONDS, what="20 runs plan")
    working = await chain.until(lambda status: status["latestRun"]["summary"]["running"] == 20)

    await people.patch("width", parallelism=2)
    await is_observed(2)
    await width.stop(18)
    await width.reaches(created=1 + 20, open_=2)
    await chain.until(lambda status: status["latestRun"]["summary"]["canceled"] == 18)
    for already in (20, 21):
        await width.stop(1)
        await width.reaches(created=1 + already + 1, open_=2)
        await eventually(lambda: width.plan(2), chains.SECONDS, what="2 runs plan")

    await people.patch("width", parallelism=20)
    await width.reaches(created=1 + 24, open_=4)
    await account.hurry()
    status = await chain.ends("StackCanceled")

    pending = [row["reason"] for row in working["stacks"] if row["phase"] == "Pending"]
    assert pending == ["SlotPending"] * 4
    assert await width.most_at_creation(slice(1, 21)) == 20
    assert await width.most_at_creation(slice(21, 23)) == 2
    assert await width.most_at_creation(slice(23, 25)) == 4
    assert status["latestRun"]["number"] == 1
    for stack_id in ["root", *leaves]:
        await account.only_run(stack_id)


# Concurrency
