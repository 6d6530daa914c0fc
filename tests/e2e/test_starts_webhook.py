"""A person's run of a root and its notifications, through the receiver to the chain below.

Given: the receiver as a process, the webhook of a simulated account, and a chain that watches a
root. Where deliveries arrive, no sweep comes on its own; where they are lost, one does.
"""

import json
from collections.abc import AsyncIterator

import httpx
import pytest
import temporalio.client

from controller.spacelift import endpoints
from controller.temporal.receiver import sweep_wakes
from controller.webhook import dispatch
from tests.support import account_runs, chains, webhooks
from tests.support.chains import account_document
from tests.support.starts import finished_run, is_watched, root_runs
from tests.support.waiting import eventually

Released = tuple[chains.Installation, webhooks.InstalledReceiver]

WOKEN = 'kind="root_sweep",result="woken"'


@pytest.fixture
async def released(
    parts: chains.Parts, tmp_path_factory: pytest.TempPathFactory, request: pytest.FixtureRequest
) -> AsyncIterator[Released]:
    """An installation that sweeps as often as the test's parameter says."""
    options = chains.Options(settings={"STACKCHAIN_SWEEP_SECONDS": request.param})
    async with chains.installed(parts, tmp_path_factory.mktemp("told"), options) as release:
        receiver = webhooks.InstalledReceiver(release)
        await receiver.role.start()
        yield release, receiver


async def is_listed(
    release: chains.Installation, account: chains.Account, stack_id: str, *labels: str
) -> None:
    """Wait until a query to Temporal finds the sweep of a root: the list lags behind."""
    client = await release.temporal()

    async def is_there() -> bool:
        sweeps = sweep_wakes.TemporalSweepWaker(lambda: client)
        return bool(await sweeps.find(endpoints.account_of(account.url), stack_id, labels))

    await eventually(is_there, chains.SECONDS, what=f"the sweep of {stack_id} is listed")


async def sweeps(release: chains.Installation) -> int:
    """Return how many sweeps have come to their end; one that has not fails the assertion."""
    found = await release.executions("WorkflowType = 'RootSweepWorkflow'")
    running = temporalio.client.WorkflowExecutionStatus.RUNNING
    assert all(item.status is not running for item in found)
    return len(found)


@pytest.mark.parametrize("released", ["3600"], indirect=True)
async def test_a_delivery_about_a_persons_run_starts_the_chain_below_it_once_and_a_replay_nothing(
    released: Released,
) -> None:
    """Only the delivery can start it in this hour; the stack below a label is the chain's own."""
    release, receiver = released
    account, hook = await receiver.add_account(
        "told",
        account_document("a -> b -> c", stacks={"l": {"labels": ["dependsOn:c"]}}, duration=0.6),
    )
    chain = await release.create(
        "told",
        "a",
        account=account,
        startPolicy="OnRequest",
        triggers=[{"type": "RootRunFinished"}],
    )
    await is_watched(chain, "a")
    await is_listed(release, account, "a")

    run = await finished_run(account, "a")
    status = await chain.ends("RunSucceeded")

    assert status["latestRun"]["cause"] == "RootRunFinished"
    assert root_runs(status) == [("a", run)]
    runs = {stack_id: await account.only_run(stack_id) for stack_id in "abcl"}
    account_runs.assert_one_after_the_other(list(runs.values()), *"abcl")
    assert {runs[stack_id]["originId"] for stack_id in "bc"} == {run}
    # Nothing has waited for anything.
    assert "RunPending" not in await chain.events("RunStarted", "RunSucceeded")

    await hook.at_rest()
    before, sent = await account.runs(), len(await hook.deliveries())
    woken = (await receiver.metrics("stackchain_webhook_wakes_total"))[WOKEN]
    swept = await eventually(lambda: sweeps(release), chains.SECONDS, what="the sweeps are over")
    await hook.replay()
    await hook.at_rest()

    async def all_are_worked_off() -> bool:
        counted = await receiver.metrics("stackchain_webhook_wakes_total")
        depth = await receiver.metrics("stackchain_webhook_queue_depth")
        return depth == {"": 0} and counted[WOKEN] > woken

    async def has_looked_again() -> bool:
        return await sweeps(release) > (swept or 0)

    await eventually(all_are_worked_off, chains.SECONDS, what="the replay has come to the sweeps")
    await eventually(has_looked_again, chains.SECONDS, what="the roots are looked at once more")
    assert len(await hook.deliveries()) == 2 * sent
    assert set(await hook.answers()) == {202}
    assert await account.runs() == before
    # The only change is up to which run the roots need no looking at.
    assert (await chain.status())["latestRun"] == status["latestRun"]
    assert "pendingRun" not in await chain.status()


@pytest.mark.parametrize("released", ["3600"], indirect=True)
async def test_forty_deliveries_about_stacks_that_do_not_exist_cost_a_few_requests(
    released: Released,
) -> None:
    """Each says the label of the chain's roots, so that its sweep is to look."""
    release, receiver = released
    document = account_document("a -> b", stacks={"a": {"labels": ["net"]}})
    account, _ = await receiver.add_account("forty", document)
    chain = await release.create(
        "forty",
        account=account,
        roots={"labels": ["net"]},
        startPolicy="OnRequest",
        triggers=[{"type": "RootRunFinished"}],
    )
    await is_watched(chain, "a")
    await is_listed(release, account, "a", "net")
    swept = await eventually(lambda: sweeps(release), chains.SECONDS, what="the first sweep ends")
    before = await requests(account)

    async with httpx.AsyncClient(trust_env=False) as http:
        for number in range(40):
            event = webhooks.run_event(f"unknown-{number}")
            event["stack"]["labels"] = ["net"]
            body = json.dumps(event).encode()
            answer = await http.post(
                receiver.url("forty"), content=body, headers=webhooks.signed(body)
            )
            assert answer.status_code == 202

    async def are_worked_off() -> bool:
        waiting = await receiver.metrics("stackchain_webhook_queue_depth")
        return waiting == {"": 0} and await sweeps(release) > (swept or 0)

    await eventually(are_worked_off, chains.SECONDS, what="all have been looked at")
    # A sweep of roots by label makes two.
    assert await requests(account) - before <= 2 * (dispatch.SWEEP_BURST + 3)


async def requests(account: chains.Account) -> int:
    """Return how often the account was asked."""
    return len((await account.admin("GET", "/requests"))["requests"])


@pytest.mark.parametrize("released", ["10"], indirect=True)
async def test_with_every_delivery_lost_the_sweep_starts_the_same_chain(
    released: Released,
) -> None:
    release, receiver = released
    account, hook = await receiver.add_account("lost", account_document("a -> b -> c"))
    await hook.befall(drop=1)
    chain = await release.create(
        "lost",
        "a",
        account=account,
        startPolicy="OnRequest",
        triggers=[{"type": "RootRunFinished"}],
    )
    await is_watched(chain, "a")

    run = await finished_run(account, "a")
    status = await chain.ends("RunSucceeded")

    assert root_runs(status) == [("a", run)]
    assert chains.phases(status) == dict.fromkeys("abc", "Succeeded")
    for stack_id in "abc":
        await account.only_run(stack_id)
    await hook.at_rest()
    assert {delivery["state"] for delivery in await hook.deliveries()} == {"dropped"}
    assert await receiver.metrics("stackchain_webhook_wakes_total") == {}
