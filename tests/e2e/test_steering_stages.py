"""Stages of a chain, one after the other, and a person who approves the next one."""

from tests.support import account_runs, chains
from tests.support.chains import account_document


async def test_a_stage_waits_for_its_approval_and_goes_on_at_once(
    release: chains.Installation,
) -> None:
    """`dev-a -> prod-a` is a dependency of Spacelift's, `dev-b -> prod-b` one by labels."""
    stacks = {
        # Until what Spacelift queues behind it is canceled, however busy the machine is.
        "dev-a": {"labels": ["env:dev"], "durations": 600},
        "dev-b": {"labels": ["env:dev"]},
        "prod-a": {"labels": ["env:prod"]},
        "prod-b": {"labels": ["env:prod", "dependsOn:dev-b"]},
    }
    account = await release.add_account(
        "stages", account_document("dev-a -> prod-a", stacks=stacks)
    )

    chain = await release.create(
        "stages",
        *("dev-a", "dev-b"),
        account=account,
        stages=[
            {"name": "dev", "labels": ["env:dev"]},
            {"name": "prod", "labels": ["env:prod"], "approval": "Required"},
        ],
    )
    await account.run_in("prod-a", "CANCELED")
    await account.pass_time()
    waiting = await chain.shows("AwaitingApproval")
    assert chains.phases(waiting) == {
        "dev-a": "Succeeded",
        "dev-b": "Succeeded",
        "prod-a": "Pending",
        "prod-b": "Pending",
    }
    ran = [run["stackId"] for run in account_runs.worked(await account.runs())]
    assert sorted(ran) == ["dev-a", "dev-b"]

    await release.stackchains.annotate("stages", approve="1: prod")

    ended = await chain.ends("RunSucceeded")
    assert ended["lastHandled"]["approve"] == "1: prod"
    ran = [run["stackId"] for run in account_runs.worked(await account.runs())]
    assert sorted(ran) == sorted(stacks)
