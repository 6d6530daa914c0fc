"""Which stacks a chain rolls, as `spec.graph` has it, and what becomes of the others' native runs.

Spacelift queues a run on everything downstream of a triggered run. The native run of a stack that
must not run has to be stopped before any worker takes it up. So the first stack of each chain takes
as long as that may take on a busy machine.
"""

from typing import Any

import pytest

from tests.support import account_runs, chains
from tests.support.chains import account_document
from tests.support.waiting import eventually

SLOW = {"durations": 600}


async def passes_once_canceled(account: chains.Account, *stack_ids: str) -> None:
    """Let the slow run in progress end once the runs that wait behind it are canceled."""
    for stack_id in stack_ids:
        await account.run_in(stack_id, "CANCELED")
    await account.pass_time()


async def assert_stopped(account: chains.Account, *stack_ids: str) -> None:
    """Assert that Spacelift queued one run on each of these stacks, and that none of them ran."""
    for stack_id in stack_ids:
        run = await account.only_run(stack_id)
        assert account_runs.states(run) == ["QUEUED", "CANCELED"], stack_id


async def test_upstream_rolls_what_the_root_depends_on_and_stops_what_hangs_on_that(
    release: chains.Installation,
) -> None:
    document = account_document("vpc -> db -> app -> web", "db -> report", stacks={"vpc": SLOW})
    account = await release.add_account("upstream", document)

    chain = await release.create(
        "upstream", "app", account=account, graph={"direction": "Upstream"}
    )
    await passes_once_canceled(account, "web", "report")
    status = await chain.ends("RunSucceeded")

    assert set(chains.phases(status)) == {"vpc", "db", "app"}
    account_runs.assert_one_after_the_other(await account.runs(), "vpc", "db", "app")
    await assert_stopped(account, "web", "report")


async def test_roots_only_rolls_the_roots_in_their_order_and_stops_everything_else(
    release: chains.Installation,
) -> None:
    """The order of two roots is known by the stack between them, although that one does not run."""
    account = await release.add_account(
        "only", account_document("a -> b -> c -> d", "a -> e", stacks={"a": SLOW, "c": SLOW})
    )

    chain = await release.create(
        "only", "a", "c", account=account, graph={"direction": "RootsOnly"}
    )
    await passes_once_canceled(account, "b", "e")

    async def is_stopped_behind_both() -> bool:
        return [run["state"] for run in await account.runs("d")] == ["CANCELED"] * 2

    await eventually(is_stopped_behind_both, chains.SECONDS)
    await account.pass_time()
    status = await chain.ends("RunSucceeded")

    assert set(chains.phases(status)) == {"a", "c"}
    assert chains.stack(status, "c")["dependsOn"] == ["a"]
    account_runs.assert_one_after_the_other(await account.runs(), "a", "c")
    await assert_stopped(account, "b", "e")
    assert {account_runs.did_work(run) for run in await account.runs("d")} == {False}


async def test_roots_by_labels_are_the_stacks_that_have_all_of_them(
    release: chains.Installation,
) -> None:
    document = account_document(
        "net -> app",
        stacks={
            "net": {"labels": ["env:prod", "tier:base"]},
            "dns": {"labels": ["tier:base", "team:x", "env:prod"]},
            "lab": {"labels": ["env:test", "tier:base"]},
            "web": {"labels": ["env:prod"]},
        },
    )
    account = await release.add_account("labelled", document)

    chain = await release.create(
        "labelled", account=account, roots={"labels": ["env:prod", "tier:base"]}
    )
    status = await chain.ends("RunSucceeded")

    assert set(chains.phases(status)) == {"net", "dns", "app"}
    assert {run["stackId"] for run in await account.runs()} == {"net", "dns", "app"}


async def test_without_its_roots_a_chain_rolls_their_dependents_only(
    release: chains.Installation,
) -> None:
    account = await release.add_account("rootless", account_document("root -> a -> b"))

    chain = await release.create("rootless", "root", account=account, graph={"includeRoots": False})
    status = await chain.ends("RunSucceeded")

    assert {row["id"]: row["level"] for row in status["stacks"]} == {"a": 0, "b": 1}
    account_runs.assert_one_after_the_other(await account.runs(), "a", "b")


async def test_below_the_depth_native_runs_are_stopped(release: chains.Installation) -> None:
    account = await release.add_account(
        "depth", account_document("a -> b -> c -> d", "b -> e", stacks={"a": SLOW})
    )

    chain = await release.create("depth", "a", account=account, graph={"maxDepth": 1})
    await passes_once_canceled(account, "c", "d", "e")
    status = await chain.ends("RunSucceeded")

    assert set(chains.phases(status)) == {"a", "b"}
    account_runs.assert_one_after_the_other(await account.runs(), "a", "b")
    await assert_stopped(account, "c", "d", "e")


@pytest.mark.parametrize(
    ("name", "exclude"),
    [("by-id", {"stackIds": ["b"]}), ("by-label", {"labels": ["frozen", "unknown"]})],
)
async def test_an_excluded_stack_does_not_run_and_its_dependents_wait_for_what_it_waited_for(
    release: chains.Installation, name: str, exclude: dict[str, Any]
) -> None:
    document = account_document("a -> b -> c -> d", stacks={"a": SLOW, "b": {"labels": ["frozen"]}})
    account = await release.add_account(name, document)

    chain = await release.create(name, "a", account=account, graph={"exclude": exclude})
    await passes_once_canceled(account, "b")
    status = await chain.ends("RunSucceeded")

    assert {row["id"]: row.get("dependsOn", []) for row in status["stacks"]} == {
        "a": [],
        "c": ["a"],
        "d": ["c"],
    }
    account_runs.assert_one_after_the_other(await account.runs(), "a", "c", "d")
    await assert_stopped(account, "b")


async def test_more_stacks_than_allowed_trigger_nothing_until_they_are_fewer(
    release: chains.Installation,
) -> None:
    account = await release.add_account("many", account_document("a -> b", "a -> c", "a -> d"))

    chain = await release.create("many", "a", account=account, graph={"maxStacks": 3})
    status = await chain.shows("TooManyStacks")

    ready = chains.ready(status)
    assert (ready["status"], chains.condition(status, "Stalled")["status"]) == ("False", "True")
    assert "4 stacks belong to the chain, and `spec.graph.maxStacks` is 3" in (ready["message"])
    assert chains.condition(status, "GraphResolved")["status"] == "False"
    assert await account.runs() == []

    await account.admin("DELETE", "/edges", {"stack": "d", "dependsOn": "a"})
    ended = await chain.shows("RunSucceeded")

    assert ended["latestRun"]["number"] == 1
    assert set(chains.phases(ended)) == {"a", "b", "c"}


async def test_a_chain_of_labels_stops_the_native_runs_of_stacks_that_are_not_in_it(
    release: chains.Installation,
) -> None:
    document = account_document(
        "a -> native -> further",
        stacks={"a": SLOW, "x": {"labels": ["dependsOn:a"]}},
    )
    account = await release.add_account("labels-only", document)

    chain = await release.create("labels-only", "a", account=account, graph={"sources": ["Labels"]})
    await passes_once_canceled(account, "native", "further")
    status = await chain.ends("RunSucceeded")

    assert set(chains.phases(status)) == {"a", "x"}
    account_runs.assert_one_after_the_other(await account.runs(), "a", "x")
    await assert_stopped(account, "native", "further")


async def test_a_chain_created_suspended_shows_its_graph_and_runs_once_it_may(
    release: chains.Installation,
) -> None:
    account = await release.add_account("preview", account_document("a -> b -> d", "a -> c"))

    chain = await release.create("preview", "a", account=account, suspend=True)
    status = await chain.until(
        lambda status: (
            chains.ready(status).get("reason") == "Suspended" and bool(status.get("stacks"))
        )
    )

    assert chains.ready(status)["status"] == "Unknown"
    assert (status["graph"]["stacks"], status["graph"]["edges"]) == (4, 3)
    assert {row["id"]: row["level"] for row in status["stacks"]} == {"a": 0, "b": 1, "c": 1, "d": 2}
    assert chains.reasons(status)["a"] == "Suspended"
    assert await account.runs() == []

    await release.stackchains.set_spec("preview", suspend=False)
    await chain.ends("RunSucceeded")

    assert len(await account.runs()) == 4
