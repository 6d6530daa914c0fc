"""What a stack waits for, as its row in the status says; it then continues automatically."""

from typing import Any

import pytest

from tests.support import account_runs, chains
from tests.support.chains import account_document

PERSON = "jane@example.com"
LOCK = {"user": PERSON, "note": "moves the state"}


async def waits(chain: chains.Chain, stack_id: str, reason: str, *texts: str) -> chains.Body:
    """Wait until the stack waits for that reason, and return its row; its message says more."""

    def is_so(status: chains.Body) -> bool:
        row = chains.stack(status, stack_id)
        return row.get("reason") == reason and all(text in row["message"] for text in texts)

    status = await chain.until(is_so, what=f"{stack_id}: {reason} with {texts}")
    ready = chains.ready(status)
    assert ready["status"] == "Unknown", chains.explain(status)
    return chains.stack(status, stack_id)


async def test_a_stack_waits_for_its_upstreams_and_then_for_a_slot(
    release: chains.Installation,
) -> None:
    document = account_document(
        "a -> z", stacks={"a": {"durations": 600}, "b": {"durations": 600}, "c": {}}
    )
    account = await release.add_account("slots", document)

    chain = await release.create("slots", "a", "b", "c", account=account, parallelism=2)
    await waits(chain, "z", "UpstreamPending", "'a'")
    row = await waits(chain, "c", "SlotPending", "`spec.parallelism`")
    assert row["phase"] == "Pending"
    await account.hurry()
    await chain.ends("RunSucceeded")

    assert len(await account.runs()) == 4


async def test_a_stack_that_another_chain_runs_waits_for_that_chain(
    release: chains.Installation,
) -> None:
    document = account_document(stacks={"shared": {"autodeploy": False}})
    account = await release.add_account("busy", document)
    first = await release.create("busy-1", "shared", account=account)
    await first.shows("AwaitingConfirmation")

    second = await release.create("busy-2", "shared", account=account)
    run = await account.only_run("shared")
    told = f"{release.namespace}/busy-1 run 1, whose run waits for a person"
    row = await waits(second, "shared", "StackBusy", told)
    assert row["phase"] == "Waiting"
    assert row["message"].endswith(f"/stack/shared/run/{run['id']}")
    await account.act(run["id"], "confirm")
    await first.ends("RunSucceeded")
    await second.shows("AwaitingConfirmation")
    _, own = await account.runs("shared")
    await account.act(own["id"], "confirm")
    await second.ends("RunSucceeded")


async def test_a_run_behind_another_one_names_that_with_its_link(
    release: chains.Installation,
) -> None:
    account = await release.add_account(
        "blocked", account_document(stacks={"a": {"autodeploy": False}})
    )
    await account.trigger("a")
    blocker = await account.run_in("a", "UNCONFIRMED")

    chain = await release.create("blocked", "a", account=account)
    row = await waits(
        *(chain, "a", "RunBlocked", "is UNCONFIRMED and waits for a person"),
        f"{account.url}/stack/a/run/{blocker['id']}",
    )
    assert row["runId"] != blocker["id"]
    await account.act(blocker["id"], "discard")
    await chain.shows("AwaitingConfirmation")
    await account.act(row["runId"], "confirm")
    await chain.ends("RunSucceeded")


async def test_a_locked_stack_names_the_owner_of_the_lock_and_has_no_run_until_it_is_unlocked(
    release: chains.Installation,
) -> None:
    account = await release.add_account("locked", account_document("a -> b"))
    await account.admin("POST", "/stacks/a/lock", LOCK)

    chain = await release.create("locked", "a", account=account)
    row = await waits(chain, "a", "StackLocked", f"locked by {PERSON}", "moves the state")
    assert row["phase"] == "Waiting"
    assert await account.runs() == []
    await account.admin("POST", "/stacks/a/unlock", {"user": PERSON})
    await chain.ends("RunSucceeded")

    await account.only_run("a")


async def test_a_queued_run_under_a_lock_names_its_owner(release: chains.Installation) -> None:
    """Spacelift has queued the run already when the stack is locked."""
    account = await release.add_account(
        "late-lock", account_document("a -> b", stacks={"a": {"autodeploy": False}})
    )
    chain = await release.create("late-lock", "a", account=account)
    await account.run_in("b", "QUEUED")
    await account.admin("POST", "/stacks/b/lock", LOCK)
    await account.act((await account.run_in("a", "UNCONFIRMED"))["id"], "confirm")

    row = await waits(chain, "b", "StackLocked", f"locked by {PERSON}", "moves the state")
    run = await account.only_run("b")
    assert (row["runId"], row["runState"], run["state"]) == (run["id"], "QUEUED", "QUEUED")
    await account.admin("POST", "/stacks/b/unlock", {"user": PERSON})
    await chain.ends("RunSucceeded")

    await account.only_run("b")


async def test_a_disabled_stack_waits_until_it_is_enabled(release: chains.Installation) -> None:
    account = await release.add_account(
        "disabled", account_document(stacks={"a": {"disabled": True}})
    )

    chain = await release.create("disabled", "a", account=account)
    row = await waits(chain, "a", "StackDisabled")
    assert row["phase"] == "Waiting"
    assert await account.runs() == []
    await account.admin("POST", "/stacks/a/enable", {"user": PERSON})
    await chain.ends("RunSucceeded")


async def test_a_run_that_needs_an_approval_says_so_with_its_link(
    release: chains.Installation,
) -> None:
    account = await release.add_account(
        "approval", account_document("a -> b", stacks={"b": {"requiresApproval": True}})
    )

    chain = await release.create("approval", "a", account=account)
    status = await chain.shows("AwaitingConfirmation")
    run = await account.only_run("b")
    assert (run["state"], chains.reasons(status)["b"]) == ("QUEUED", "NeedsApproval")
    assert f"{account.url}/stack/b/run/{run['id']}" in chains.ready(status)["message"]
    await account.act(run["id"], "approve")
    await chain.ends("RunSucceeded")


async def test_a_ready_run_waits_for_a_worker_of_its_pool(release: chains.Installation) -> None:
    document = account_document(
        workerPools={"private": {"workers": 0}}, stacks={"a": {"workerPool": "private"}}
    )
    account = await release.add_account("pool", document)

    chain = await release.create("pool", "a", account=account)
    row = await waits(chain, "a", "WorkerPending", "worker pool")
    assert row["runState"] == "READY"
    await account.admin("PUT", "/pools/private", {"workers": 1})
    await chain.ends("RunSucceeded")


@pytest.mark.parametrize(
    ("holds", "reason"), [("lock", "StackLocked"), ("disable", "StackDisabled")]
)
async def test_deleting_a_chain_whose_stack_is_held_leaves_no_run(
    release: chains.Installation, holds: str, reason: str
) -> None:
    account = await release.add_account(f"held-{holds}", account_document("a -> b"))
    await account.admin("POST", f"/stacks/a/{holds}", {"user": PERSON})
    chain = await release.create(f"held-{holds}", "a", account=account)
    await waits(chain, "a", reason)

    await release.stackchains.delete(chain.name)
    await chain.is_gone()

    assert await account.runs() == []


async def test_each_wait_in_turn_is_told_for_one_stack(release: chains.Installation) -> None:
    """Locked, then disabled as well, then free: never a wait that has passed."""
    account = await release.add_account(
        "turns", account_document(stacks={"a": {"durations": {"planning": 1, "applying": 1}}})
    )
    act: dict[str, Any] = {"user": PERSON}
    await account.admin("POST", "/stacks/a/lock", act)

    chain = await release.create("turns", "a", account=account)
    await waits(chain, "a", "StackLocked")
    await account.admin("POST", "/stacks/a/disable", act)
    await account.admin("POST", "/stacks/a/unlock", act)
    await waits(chain, "a", "StackDisabled")
    await account.admin("POST", "/stacks/a/enable", act)
    status = await chain.ends("RunSucceeded")

    assert len(account_runs.worked(await account.runs("a"))) == 1
    assert chains.stack(status, "a")["reason"] == "RunFinished"
