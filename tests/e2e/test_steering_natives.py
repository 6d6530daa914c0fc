"""What Spacelift queues automatically around a chain: each stack runs once, none too early."""

from typing import Any

import pytest

from tests.support import chains, people
from tests.support.chains import account_document, ended_at, went_through
from tests.support.waiting import eventually

OUTPUT = {"output": "id", "input": "TF_VAR_id"}

# Longer than it takes to see that an upstream stack has failed, on a busy machine too.
SLOW_PLAN = {"planning": 300, "applying": 0.2}

UPSTREAM_ENDS = ("SKIPPED", "CANCELED")


async def effective(account: chains.Account, stack_id: str) -> dict[str, Any]:
    """Return the only run of a stack that did something; the others ended before they could."""
    runs = await account.runs(stack_id)
    found = [run for run in runs if went_through(run, "APPLYING")]
    assert len(found) == 1, [(run["id"], run["state"], run["triggeredBy"]) for run in runs]
    assert all(run["state"] in ("CANCELED", "SKIPPED") for run in runs if run is not found[0])
    assert found[0]["state"] == "FINISHED"
    return found[0]


async def are_taken_back(account: chains.Account, stack_id: str, count: int) -> None:
    """Wait until that many runs of a stack were canceled, before its upstreams end."""

    async def are_canceled() -> bool:
        return [run["state"] for run in await account.runs(stack_id)] == ["CANCELED"] * count

    await eventually(are_canceled, chains.SECONDS, what=f"the runs of {stack_id} are canceled")


async def test_a_stack_below_two_roots_that_is_queued_twice_runs_once_and_after_both(
    release: chains.Installation, people: people.People
) -> None:
    """Spacelift queues a run for each root; both are taken back and the chain triggers one."""
    account = await release.add_account(
        "roots",
        account_document(
            "a -> c -> d", "b -> c", stacks={"a": {"autodeploy": False}, "b": {"autodeploy": False}}
        ),
    )

    chain = await people.apply("roots", "a", "b", account=account)
    await are_taken_back(account, "c", 2)
    for root in "ab":
        await account.act((await account.run_in(root, "UNCONFIRMED"))["id"], "confirm")
    status = await chain.ends("RunSucceeded")

    runs = {stack_id: await effective(account, stack_id) for stack_id in "abcd"}
    queued = [run for run in await account.runs("c") if run["id"] != runs["c"]["id"]]
    assert sorted(run["triggeredBy"] for run in queued) == ["a", "b"]
    assert runs["c"]["createdAt"] >= max(ended_at(runs["a"]), ended_at(runs["b"]))
    assert runs["d"]["createdAt"] >= runs["c"]["createdAt"]
    assert {row["id"]: row["runId"] for row in status["stacks"]} == {
        stack_id: run["id"] for stack_id, run in runs.items()
    }


@pytest.mark.parametrize("dependents", UPSTREAM_ENDS)
@pytest.mark.parametrize(
    "last",
    [
        pytest.param({"autodeploy": False, "durations": 0}, id="that waits for a person"),
        pytest.param({"durations": SLOW_PLAN}, id="that plans longer than a poll takes"),
    ],
)
async def test_behind_a_stack_that_fails_nothing_is_applied(
    release: chains.Installation, people: people.People, dependents: str, last: dict[str, Any]
) -> None:
    """Spacelift starts the dependents of a skipped run: they are stopped before they apply."""
    name = f"fails-{dependents.lower()}-{'auto' if 'autodeploy' not in last else 'person'}"
    account = await release.add_account(
        name,
        account_document(
            "a -> b -> c", stacks={"c": last}, behavior={"onUpstreamFailure": dependents}
        ),
    )
    await account.script("a", "fail:applying")

    chain = await people.apply(name, "a", account=account)
    status = await chain.ends("StackFailed")

    assert chains.phases(status) == {"a": "Failed", "b": "Skipped", "c": "Skipped"}
    for stack_id in "bc":
        row = chains.stack(status, stack_id)
        assert (row["reason"], row["blockedBy"]) == ("UpstreamNotSucceeded", "a")
    assert (await account.only_run("b"))["state"] == dependents
    run = await account.only_run("c")
    assert run["state"] in ("CANCELED", "DISCARDED", "STOPPED")
    assert not went_through(run, "APPLYING")
    assert went_through(run, "PLANNING") == (dependents == "SKIPPED")


@pytest.mark.parametrize("dependents", UPSTREAM_ENDS)
async def test_a_stack_whose_inputs_did_not_change_is_skipped_and_what_is_behind_it_runs_once(
    release: chains.Installation, people: people.People, dependents: str
) -> None:
    """`b` uses an output of `a` that its run leaves unchanged; `c` depends on `b` without one."""
    name = f"unchanged-{dependents.lower()}"
    account = await release.add_account(
        name,
        account_document(
            "b -> c",
            behavior={"onUpstreamFailure": dependents},
            stacks={
                "a": {"outputs": {"id": "1"}, "outcomes": [{"outputs": {"id": "1"}}]},
                "b": {"dependsOn": [{"stack": "a", "references": [OUTPUT]}]},
            },
        ),
    )

    chain = await people.apply(name, "a", account=account)
    status = await chain.ends("RunSucceeded")

    assert chains.phases(status) == {"a": "Succeeded", "b": "Skipped", "c": "Succeeded"}
    assert chains.stack(status, "b")["reason"] == "OutputUnchanged"
    assert (await account.only_run("b"))["state"] == "SKIPPED"
    assert (await account.only_run("c"))["state"] == "FINISHED"
    assert chains.stack(status, "c")["runId"] == (await account.only_run("c"))["id"]
    assert status["latestRun"]["progress"] == "3/3"
    assert "skipped because no input changed" in chains.ready(status)["message"]


async def test_a_stack_below_an_edge_of_each_kind_runs_once_and_after_both(
    release: chains.Installation, people: people.People
) -> None:
    """`c` depends on `a` natively and on `x` by label: its native run would start too early.

    So would that of `d` behind it, which the run of `a` has queued too.
    """
    account = await release.add_account(
        "mixed",
        account_document(
            "a -> c -> d",
            stacks={
                "a": {"autodeploy": False},
                "x": {"labels": ["dependsOn:a"], "durations": 1},
                "c": {"labels": ["dependsOn:x"]},
            },
        ),
    )

    chain = await people.apply("mixed", "a", account=account)
    await are_taken_back(account, "c", 1)
    await account.act((await account.run_in("a", "UNCONFIRMED"))["id"], "confirm")
    status = await chain.ends("RunSucceeded")

    runs = {stack_id: await effective(account, stack_id) for stack_id in "axcd"}
    native = (await account.runs("c"))[0]
    assert (native["triggeredBy"], native["state"]) == ("a", "CANCELED")
    assert runs["x"]["createdAt"] >= ended_at(runs["a"])
    assert runs["c"]["createdAt"] >= ended_at(runs["x"])
    # Spacelift queued the one that is used, because of the run on `c` that the chain triggered.
    assert (runs["d"]["triggeredBy"], runs["d"]["originId"]) == ("c", runs["c"]["id"])
    assert {row["id"]: row["runId"] for row in status["stacks"]} == {
        stack_id: run["id"] for stack_id, run in runs.items()
    }
