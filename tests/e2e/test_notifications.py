"""Notifications on the whole path: real roles, a real Temporal, and receivers that misbehave.

The installation has two slots for deliveries, which sinks that hang take up, and logs all it can.
Each test writes the notifications file anew, with its own receivers.
"""

import collections
import json
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import httpx
import pytest
import yaml

from devenv import role_process
from tests.support import chains, faulty_api
from tests.support.chains import account_document
from tests.support.receivers import HANGS, Answer, Receiver
from tests.support.waiting import eventually

SECRET = "hushhush-4711"
NOTIFICATIONS = "WorkflowType = 'NotificationWorkflow'"
ENDS = ["RunStarted", "RunSucceeded", "RunFailed"]
# What a chain of two stacks reports, however often its status is written.
SURELY = collections.Counter(
    ["RunStarted", "GraphResolved", "StackSucceeded", "StackSucceeded", "RunSucceeded"]
)
ALL = [*ENDS, "GraphResolved", "StackStarted", "StackSucceeded", "AwaitingConfirmation"]


@pytest.fixture(scope="module")
def directory(tmp_path_factory: pytest.TempPathFactory) -> Path:
    directory = tmp_path_factory.mktemp("notifications")
    write(directory)
    return directory


@pytest.fixture(scope="module")
async def api(
    parts: chains.Parts, tmp_path_factory: pytest.TempPathFactory
) -> AsyncIterator[faulty_api.FaultyApi]:
    folder = tmp_path_factory.mktemp("faulty-api")
    async with faulty_api.FaultyApi(parts.control_plane, folder) as proxy:
        yield proxy


@pytest.fixture(scope="module")
async def release(
    parts: chains.Parts,
    api: faulty_api.FaultyApi,
    directory: Path,
    tmp_path_factory: pytest.TempPathFactory,
) -> AsyncIterator[chains.Installation]:
    options = chains.Options(
        kubeconfig=api.kubeconfig,
        settings={
            "NOTIFICATIONS_FILE": str(directory / "n.yaml"),
            "NOTIFICATIONS_MAX_CONCURRENT": "2",
            "LOG_LEVEL": "debug",
        },
    )
    async with chains.installed(parts, tmp_path_factory.mktemp("release"), options) as running:
        yield running


def write(directory: Path, *entries: dict[str, Any]) -> None:
    """Change the file as a mounted one changes: whole or not at all."""
    changed = directory / "n.new"
    changed.write_text(yaml.safe_dump({"sinks": list(entries)}))
    changed.rename(directory / "n.yaml")


def events_to(name: str, receiver: Receiver, **fields: Any) -> dict[str, Any]:
    return {
        "name": name,
        "type": "CloudEvents",
        "url": f"{receiver.url}/{SECRET}",
        "transitions": ALL,
        # If a busy machine answers late, the same notification is sent twice.
        "timeoutSeconds": 30,
        **fields,
    }


async def metric(role: role_process.Role, name: str, **labels: str) -> float:
    """Return the value of a metric with these labels; 0 if there is none yet."""
    async with httpx.AsyncClient(base_url=role.health_url, trust_env=False) as http:
        text = (await http.get("/metrics")).text
    wanted = [name, *(f'{key}="{value}"' for key, value in labels.items())]
    lines = [line for line in text.splitlines() if all(part in line for part in wanted)]
    return sum(float(line.rpartition(" ")[2]) for line in lines if not line.startswith("#"))


async def histories(release: chains.Installation) -> str:
    """Return all that Temporal has of all executions."""
    client = await release.temporal()
    found: list[str] = []
    for item in await release.executions():
        handle = client.get_workflow_handle(item.id, run_id=item.run_id)
        found.append((await handle.fetch_history()).to_json())
        found.append(str((await handle.describe()).raw_description))
    assert found
    return "\n".join(found)


async def test_sinks_that_hang_fail_refuse_or_are_gone_do_not_touch_a_chain(
    release: chains.Installation, directory: Path
) -> None:
    account = await release.add_account("roll", account_document("a -> b"))
    secret = directory / "authorization"
    secret.write_text(f"Bearer {SECRET}")
    async with (
        Receiver(always=HANGS) as hanging,
        Receiver(*[Answer(status=500)] * 3) as flaky,
        Receiver(always=Answer(status=403, text=SECRET)) as refusing,
        Receiver() as slack,
    ):
        async with Receiver() as gone:
            pass
        write(
            directory,
            events_to("hangs", hanging, timeoutSeconds=1),
            events_to("flaky", flaky, headerFiles={"Authorization": str(secret)}),
            events_to("refuses", refusing, transitions=ENDS),
            events_to("gone", gone, transitions=ENDS),
            events_to("slack", slack, type="Slack", transitions=["RunSucceeded"]),
            events_to("elsewhere", slack, namespaces=["other"]),
            events_to("unlike", slack, matchLabels={"tier": "prod"}),
        )
        chain = await release.create("roll", "a", account=account)
        status = await chain.ends("RunSucceeded")

        # More come where the status saw a stack's run in progress, and in any order.
        await eventually(
            lambda: collections.Counter(flaky.transitions()) >= SURELY,
            chains.SECONDS,
            what=f"{SURELY} are delivered at last",
        )
        told = flaky.answered
        await slack.takes(1)
        for name in ("hangs", "gone", "refuses"):
            outcome = "refused" if name == "refuses" else "unavailable"
            await eventually(
                lambda name=name, outcome=outcome: metric(  # type: ignore[misc]
                    release.worker, "deliveries_total", sink=name, outcome=outcome
                ),
                chains.SECONDS,
            )
        await eventually(
            lambda: metric(release.worker, "deliveries_total", sink="flaky", outcome="unavailable")
        )
        everything = await histories(release)

    assert hanging.answered == []
    assert "sink" not in json.dumps(status)
    assert len({item.id for item in told}) == len(told)
    ended = next(item for item in told if item.transition == "RunSucceeded")
    assert ended.headers["Authorization"] == f"Bearer {SECRET}"
    assert ended.json["chain"]["name"] == "roll"
    assert (ended.json["run"]["number"], ended.json["run"]["progress"]) == (1, "2/2")
    by_order = sorted(told, key=lambda item: item.headers["ce-sequence"])
    assert (by_order[0].transition, by_order[-1].transition) == ("RunStarted", "RunSucceeded")
    (message,) = slack.answered
    assert message.json["text"].startswith(
        f"*RunSucceeded: {release.namespace}/roll run 1 (Apply)*"
    )
    for text in (everything, release.operator.log(100_000), release.worker.log(100_000)):
        assert SECRET not in text
        assert gone.url not in text


async def test_an_operator_that_dies_between_telling_and_writing_tells_once(
    release: chains.Installation, api: faulty_api.FaultyApi, directory: Path
) -> None:
    account = await release.add_account(
        "dies", account_document("a -> b", stacks={"b": {"autodeploy": False}})
    )
    async with Receiver() as receiver:
        write(directory, events_to("ops", receiver))
        chain = await release.create("dies", "a", account=account)
        await chain.shows("AwaitingConfirmation")
        fault = api.add(method="PATCH", path="/stackchains/dies/status$", status=500)
        await account.act((await account.only_run("b"))["id"], "confirm")
        await eventually(lambda: "RunSucceeded" in receiver.transitions(), chains.SECONDS)
        # The delivery may be quicker than the write at which the operator is supposed to die.
        await eventually(lambda: fault.hits, chains.SECONDS)
        unwritten = await chain.status()
        await release.operator.kill()
        api.faults.remove(fault)
        await release.operator.start()
        await chain.ends("RunSucceeded")

        async def all_are_told() -> bool:
            # The list lags behind what has been started.
            assert collections.Counter(receiver.transitions()) >= wanted
            found = await release.executions(f"{NOTIFICATIONS} AND ExecutionStatus = 'Running'")
            return not [item for item in found if chain_uid in item.id]

        wanted = SURELY + collections.Counter(["AwaitingConfirmation"])
        chain_uid = (await chain.body())["metadata"]["uid"]
        await eventually(all_are_told, chains.SECONDS)
        told = collections.Counter(item.id for item in receiver.received)

    assert chains.ready(unwritten)["reason"] != "RunSucceeded"
    assert set(told.values()) == {1}, told
    kinds = collections.Counter(receiver.transitions())
    assert kinds["RunStarted"] == kinds["RunSucceeded"] == kinds["AwaitingConfirmation"] == 1
    assert kinds["StackSucceeded"] == 2


async def test_a_release_without_sinks_starts_no_notification(
    release: chains.Installation, directory: Path
) -> None:
    """The file is there and empty, so the last sink has just been removed."""
    account = await release.add_account("none", account_document("a -> b"))
    write(directory)
    before = await metric(release.operator, "stackchain_notifications_started_total")
    chain = await release.create("none", "a", account=account)
    await chain.ends("RunSucceeded")
    uid = (await chain.body())["metadata"]["uid"]

    assert await metric(release.operator, "stackchain_notifications_started_total") == before
    assert not [item for item in await release.executions(NOTIFICATIONS) if uid in item.id]
