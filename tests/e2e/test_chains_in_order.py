"""`dependsOn`: runs of a chain wait until other chains of the namespace are Ready."""

import itertools

from tests.support import chains
from tests.support.chains import account_document
from tests.support.waiting import stays

HELD = {"a": {"autodeploy": False}}


async def test_chains_over_two_accounts_run_in_order_as_soon_as_they_may(
    release: chains.Installation,
) -> None:
    first = await release.add_account("order-first", account_document("a -> b", stacks=HELD))
    second = await release.add_account("order-second", account_document("x -> y"))

    # The one that waits is there before the other one.
    after = await release.create(
        "order-second", "x", account=second, dependsOn=[{"name": "order-first"}]
    )
    absent = await after.shows("Blocked")
    before = await release.create("order-first", "a", account=first)
    await before.shows("AwaitingConfirmation")
    blocked = await after.until(
        lambda status: "waits for a person" in chains.ready(status).get("message", "")
    )
    early = await second.runs()
    await first.act((await first.only_run("a"))["id"], "confirm")
    await before.ends("RunSucceeded")
    ended = await after.ends("RunSucceeded")

    assert "does not exist" in chains.ready(absent)["message"]
    assert (blocked["pendingRun"]["cause"], early) == ("Spec", [])
    assert ended["latestRun"]["number"] == 1
    last = (await first.only_run("b"))["history"][-1]["at"]
    assert (await second.only_run("x"))["createdAt"] >= last
    assert "RunPending" in await after.events("RunPending", "RunStarted")


async def test_a_chain_that_is_asked_again_is_waited_for_again(
    release: chains.Installation,
) -> None:
    account = await release.add_account("again", account_document("a -> b", "x -> y"))
    before = await release.create("again-first", "a", account=account)
    after = await release.create(
        "again-second", "x", account=account, dependsOn=[{"name": "again-first"}]
    )
    await before.ends("RunSucceeded")
    await after.ends("RunSucceeded")

    await account.add_stack("a", autodeploy=False)
    await release.stackchains.annotate("again-first", run="again")
    await before.shows("AwaitingConfirmation")
    await release.stackchains.annotate("again-second", run="again")
    await after.shows("Blocked")
    runs = len(await account.runs("x"))
    await account.act((await account.run_in("a", "UNCONFIRMED"))["id"], "confirm")
    await after.ends("RunSucceeded", number=2)

    assert runs == 1
    assert len(await account.runs("x")) == 2


async def test_chains_that_wait_for_each_other_are_stalled_and_named(
    release: chains.Installation,
) -> None:
    account = await release.add_account("cycle", account_document(stacks={"a": {}, "b": {}}))
    one = await release.create("cycle-one", "a", account=account, dependsOn=[{"name": "cycle-two"}])
    two = await release.create("cycle-two", "b", account=account, dependsOn=[{"name": "cycle-one"}])

    for chain in (one, two):
        status = await chain.shows("ChainCycle")
        assert chains.condition(status, "Stalled")["status"] == "True"
        assert "'cycle-one' -> 'cycle-two'" in chains.ready(status)["message"] or (
            "'cycle-two' -> 'cycle-one'" in chains.ready(status)["message"]
        )
    await stays_without_runs(account)
    await release.stackchains.set_spec("cycle-one", dependsOn=None)
    await one.ends("RunSucceeded")
    await two.ends("RunSucceeded")


async def stays_without_runs(account: chains.Account) -> None:
    async def has_none() -> bool:
        return await account.runs() == []

    await stays(has_none, 1)


async def test_what_waits_may_be_deleted_and_so_may_what_is_waited_for(
    release: chains.Installation,
) -> None:
    account = await release.add_account(
        "leaves-order", account_document("a -> b", "x -> y", stacks=HELD)
    )
    before = await release.create("leaves-first", "a", account=account)
    waiting = [
        await release.create(name, "x", account=account, dependsOn=[{"name": "leaves-first"}])
        for name in ("leaves-second", "leaves-third")
    ]
    for chain in waiting:
        await chain.until(
            lambda status: "waits for a person" in chains.ready(status).get("message", "")
        )

    await release.stackchains.delete("leaves-second")
    await waiting[0].is_gone()
    await release.stackchains.delete("leaves-first")
    await before.is_gone()
    gone = await waiting[1].until(
        lambda status: "does not exist" in chains.ready(status).get("message", "")
    )
    await release.stackchains.set_spec("leaves-third", dependsOn=None)
    await waiting[1].ends("RunSucceeded")

    assert chains.ready(gone)["reason"] == "Blocked"
    assert len(await account.runs("x")) == 1


async def test_many_chains_in_a_row_run_one_after_the_other(
    release: chains.Installation,
) -> None:
    names = [f"row-{number}" for number in range(40)]
    account = await release.add_account(
        "row", account_document(stacks={name: {} for name in names})
    )
    row = []
    for place, name in reversed(list(enumerate(names))):
        spec = {"dependsOn": [{"name": names[place - 1]}]} if place else {}
        row.append(await release.create(name, name, account=account, **spec))

    for chain in row:
        await chain.ends("RunSucceeded", seconds=3 * chains.SECONDS)

    runs = [await account.only_run(name) for name in names]
    for earlier, later in itertools.pairwise(runs):
        assert earlier["history"][-1]["at"] <= later["createdAt"]
