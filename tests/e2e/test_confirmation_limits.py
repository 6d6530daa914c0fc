"""`confirmationLimits`: the chain confirms what is within them, and a person the rest."""

from typing import Any

import pytest

from devenv import simulator_process
from tests.support import chains
from tests.support.chains import account_document

OUR_KEY = f"api::{simulator_process.API_KEY.id}"
DELETES = {"change": 1, "delete": 1}


def document(delta: dict[str, int], **behavior: Any) -> dict[str, Any]:
    """`a` adds something; `b`, whose run Spacelift queues itself, has the plan to be judged."""
    return account_document(
        "a -> b",
        stacks={
            "a": {"autodeploy": False, "outcomes": [{"delta": {"add": 1}}]},
            "b": {"autodeploy": False, "outcomes": [{"delta": delta}]},
        },
        behavior=behavior,
    )


async def confirmed_by(account: chains.Account, stack_id: str) -> list[str]:
    history = (await account.only_run(stack_id))["history"]
    return [entry["username"] for entry in history if entry["state"] == "CONFIRMED"]


async def test_a_plan_that_deletes_waits_for_a_person_under_no_deletions(
    release: chains.Installation,
) -> None:
    account = await release.add_account("none-deleted", document(DELETES))

    chain = await release.create(
        *("none-deleted", "a"),
        account=account,
        confirmationPolicy="Auto",
        confirmationLimits={"maxDeleted": 0},
    )
    waiting = await chain.shows("AwaitingConfirmation")
    before = await confirmed_by(account, "b")
    await account.act((await account.only_run("b"))["id"], "confirm")
    await chain.ends("RunSucceeded")

    row = chains.stack(waiting, "b")
    assert (row["phase"], row["reason"]) == ("AwaitingConfirmation", "LimitsExceeded")
    assert "would delete 1, limit 0" in row["message"]
    assert "would delete 1, limit 0" in chains.ready(waiting)["message"]
    assert chains.condition(waiting, "AwaitingConfirmation")["reason"] == "LimitsExceeded"
    assert before == []
    assert await confirmed_by(account, "a") == [OUR_KEY]
    assert OUR_KEY not in await confirmed_by(account, "b")


async def test_the_same_plan_is_confirmed_by_the_chain_under_one_deletion(
    release: chains.Installation,
) -> None:
    account = await release.add_account("one-deleted", document(DELETES))

    chain = await release.create(
        *("one-deleted", "a"),
        account=account,
        confirmationPolicy="Auto",
        confirmationLimits={"maxAdded": 1, "maxChanged": 1, "maxDeleted": 1},
    )
    await chain.ends("RunSucceeded")

    assert await confirmed_by(account, "b") == [OUR_KEY]


@pytest.mark.parametrize("counted", ["both", "changed", "added"])
@pytest.mark.parametrize("types", ["action", "resource"])
async def test_what_is_replaced_waits_however_spacelift_counts_and_lists_it(
    release: chains.Installation, counted: str, types: str
) -> None:
    name = f"replaces-{counted}-{types}"
    account = await release.add_account(
        name, document({"replace": 1}, replacedInDelta=counted, changeTypes=types)
    )

    # Additions of `a` count as replacements if the account does not say what happens to a resource.
    limits = {"maxDeleted": 0} if types == "action" else {"maxAdded": 1, "maxDeleted": 0}
    chain = await release.create(
        name, "b", account=account, confirmationPolicy="Auto", confirmationLimits=limits
    )
    waiting = await chain.shows("AwaitingConfirmation")
    await account.act((await account.only_run("b"))["id"], "discard")
    await chain.ends("StackCanceled")

    assert chains.stack(waiting, "b")["reason"] == "LimitsExceeded"
    assert await confirmed_by(account, "b") == []


async def test_autodeploy_with_limits_is_refused_before_anything_runs(
    release: chains.Installation,
) -> None:
    scenario = document(DELETES)
    scenario["stacks"]["b"]["autodeploy"] = True
    account = await release.add_account("autodeploys", scenario)

    chain = await release.create(
        *("autodeploys", "a"),
        account=account,
        confirmationPolicy="Auto",
        confirmationLimits={"maxDeleted": 5},
    )
    refused = await chain.shows("LimitsNotEnforceable")
    before = await account.runs()
    await account.admin("PATCH", "/stacks/b", {"autodeploy": False})
    # It is rechecked automatically.
    await chain.shows("RunSucceeded")

    assert "'b'" in chains.ready(refused)["message"]
    assert chains.condition(refused, "Stalled")["status"] == "True"
    assert before == []
    assert await confirmed_by(account, "b") == [OUR_KEY]
