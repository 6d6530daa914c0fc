"""Temporal is down for a while: all stay up, say so, and continue on their own when it is back.

The module's own server stops and starts again with what it knew.
"""

import dataclasses
import json
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import httpx
import pytest
import yaml
from temporalio.client import Client, WorkflowExecutionStatus

from devenv import role_process
from devenv import temporal_server as temporal_servers
from tests.support import chains
from tests.support.chains import account_document
from tests.support.receivers import Received, Receiver
from tests.support.waiting import eventually

CHAIN_RUNS = "WorkflowType = 'StackDependencyChainWorkflow'"
# In seconds: docs/limits.md, and as much again as a chain gets elsewhere.
HEARTBEATS_MISSED = 150 + 60
TOLD = ["Problem", "Recovered", "RunSucceeded"]


@pytest.fixture(scope="module")
async def temporal(
    tmp_path_factory: pytest.TempPathFactory,
) -> AsyncIterator[temporal_servers.TemporalServer]:
    directory = tmp_path_factory.mktemp("own-temporal")
    options = temporal_servers.TemporalOptions(
        log_file=directory / "temporal.log", database=directory / "temporal.db", has_ui=False
    )
    async with temporal_servers.TemporalServer(options) as running:
        yield running


@pytest.fixture(scope="module")
async def receiver() -> AsyncIterator[Receiver]:
    """A receiver that wants to hear of outages and of ends."""
    async with Receiver() as running:
        yield running


@pytest.fixture(scope="module")
async def release(
    parts: chains.Parts,
    temporal: temporal_servers.TemporalServer,
    receiver: Receiver,
    tmp_path_factory: pytest.TempPathFactory,
) -> AsyncIterator[chains.Installation]:
    """An installation on a Temporal server that only these tests use."""
    own = dataclasses.replace(
        parts, temporal_server=temporal, temporal_client=await Client.connect(temporal.address)
    )
    directory = tmp_path_factory.mktemp("release")
    write_sinks(directory / "n.yaml", receiver)
    settings = {"NOTIFICATIONS_FILE": str(directory / "n.yaml"), "LOG_FORMAT": "json"}
    options = chains.Options(settings=settings)
    async with chains.installed(own, directory, options) as running:
        yield running


def write_sinks(file: Path, receiver: Receiver) -> None:
    sink = {"name": "ops", "type": "CloudEvents", "url": receiver.url, "transitions": TOLD}
    file.write_text(yaml.safe_dump({"sinks": [sink]}))


async def told_of(receiver: Receiver, name: str) -> list[tuple[str, str]]:
    """Wait for all the notifications about a chain that were asked for; return them in order."""

    def found() -> list[Received]:
        return [item for item in receiver.answered if item.json["chain"]["name"] == name]

    await eventually(lambda: len(found()) >= len(TOLD), chains.SECONDS, what=f"{name} is told of")
    in_order = sorted(found(), key=lambda item: item.headers["ce-sequence"])
    return [(item.transition, item.json["reason"]) for item in in_order]


@pytest.fixture(autouse=True)
async def _all_is_up(
    release: chains.Installation, temporal: temporal_servers.TemporalServer
) -> AsyncIterator[None]:
    """A test that failed in the middle leaves things down."""
    yield
    if not temporal.is_running:
        await temporal.start()
    for role in (release.operator, release.worker):
        if not role.is_running:
            role.start_without_waiting()
        await role.wait_ready()


async def says_not_ready(role: role_process.Role) -> None:
    """Wait until the readiness probe fails because of Temporal, while the process lives on."""
    async with httpx.AsyncClient(base_url=role.health_url, trust_env=False) as http:

        async def is_told() -> bool:
            answer = await http.get("/readyz")
            return answer.status_code == 503 and "temporal: " in answer.text

        await eventually(is_told, chains.SECONDS, what=f"{role.options.name} is not ready")
    # A probe may come too late on a busy machine.
    await eventually(role.is_alive, chains.SECONDS, what=f"{role.options.name} is alive")


async def shows_unreachable(chain: chains.Chain) -> None:
    status = await chain.shows("TemporalUnreachable")
    assert chains.ready(status)["status"] == "False"
    assert chains.condition(status, "Reconciling")["status"] == "True"
    assert chains.condition(status, "Stalled")["status"] == "False"
    assert "Temporal" in chains.ready(status)["message"]


async def test_what_runs_is_created_edited_or_deleted_during_an_outage_goes_on_after_it(
    release: chains.Installation, temporal: temporal_servers.TemporalServer, receiver: Receiver
) -> None:
    account = await release.add_account(
        "outage",
        account_document(
            "runs -> runs-b",
            "waits -> waits-b",
            "new -> new-b",
            "gone -> gone-b",
            "never -> never-b",
            stacks={
                "runs": {"durations": 600},
                "waits": {"autodeploy": False},
                "gone": {"durations": {"planning": 100_000}},
                "old": {},
                "edited": {},
            },
        ),
    )
    create = release.create
    edited = await create("edited", "old", account=account)
    settled = await create("settled", "old", account=account)
    waiting = await create("waits", "waits", account=account)
    leaving = await create("gone", "gone", account=account)
    await edited.ends("RunSucceeded")
    before = await settled.ends("RunSucceeded")
    await waiting.shows("AwaitingConfirmation")
    await account.run_in("gone", "PLANNING")
    running = await create("runs", "runs", account=account)
    await account.run_in("runs", "PLANNING", "APPLYING")

    await temporal.stop()
    for role in (release.operator, release.worker):
        await says_not_ready(role)
    new = await create("new", "new", account=account)
    never = await create("never", "never", account=account)
    await release.stackchains.set_spec("edited", roots={"stackIds": ["edited"]})
    await release.stackchains.delete("gone")
    await account.act((await account.only_run("waits"))["id"], "confirm")
    # What runs continues unseen, so the status says that its state is unknown.
    for chain in (new, edited, never, running, waiting):
        await shows_unreachable(chain)
    await release.stackchains.delete("never")
    status = await leaving.shows("Deleting")
    assert "Waits for Temporal" in chains.ready(status)["message"]
    await account.pass_time()
    await account.run_in("runs", "FINISHED")
    await account.run_in("waits", "FINISHED")
    assert await account.runs("new") == []
    assert await settled.status() == before
    await temporal.start()

    for role in (release.operator, release.worker):
        await role.wait_ready()
    for chain in (new, running, waiting):
        # What the worker could not report is missed once heartbeats are.
        ended = await chain.ends("RunSucceeded", seconds=HEARTBEATS_MISSED)
        assert ended["latestRun"]["number"] == 1
    await edited.ends("RunSucceeded", number=2)
    await leaving.is_gone()
    await never.is_gone()
    for stack_id in ("runs", "waits", "new"):
        await account.only_run(stack_id)
        await account.only_run(f"{stack_id}-b")
    await account.only_run("edited")
    assert await account.runs("never") == []
    # Two chains of before, and nothing since.
    assert len(await account.runs("old")) == 2
    assert (await account.only_run("gone"))["state"] == "STOPPED"
    assert (await account.only_run("gone-b"))["state"] in ("CANCELED", "SKIPPED")
    await release.listed("", CHAIN_RUNS, count=7)
    # What waited in the operator, which wrote the statuses all the same.
    assert await told_of(receiver, "waits") == [
        ("Problem", "TemporalUnreachable"),
        *((kind, kind) for kind in TOLD[1:]),
    ]


async def test_roles_that_start_during_an_outage_wait_for_its_end(
    release: chains.Installation, temporal: temporal_servers.TemporalServer
) -> None:
    account = await release.add_account("starts", account_document("a -> b"))
    await release.operator.kill()
    await release.worker.kill()
    await temporal.kill()

    for role in (release.operator, release.worker):
        role.start_without_waiting()
    chain = await release.create("starts", "a", account=account)
    await shows_unreachable(chain)
    for role in (release.operator, release.worker):
        await says_not_ready(role)
    await temporal.start()
    await chain.ends("RunSucceeded")

    async def both_are_ready() -> bool:
        return await release.operator.is_ready() and await release.worker.is_ready()

    await eventually(both_are_ready, chains.SECONDS)
    for stack_id in "ab":
        await account.only_run(stack_id)


async def test_a_resource_deleted_during_an_outage_goes_as_an_orphan_and_its_run_goes_on(
    release: chains.Installation, temporal: temporal_servers.TemporalServer
) -> None:
    """Until Temporal is back the chain cannot learn of it, and must not count as unwanted."""
    account = await release.add_account(
        "orphan",
        account_document(
            "a -> b",
            stacks={"a": {"autodeploy": False}, "labelled": {"labels": ["dependsOn:b"]}},
        ),
    )
    chain = await release.create("orphan", "a", account=account)
    await chain.shows("AwaitingConfirmation")
    uid = (await chain.body())["metadata"]["uid"]

    await temporal.stop()
    await release.stackchains.delete("orphan")
    status = await chain.shows("Deleting")
    for text in ("Waits for Temporal", "`spec.deletionPolicy` to Orphan"):
        assert text in chains.ready(status)["message"]
    await release.stackchains.set_spec("orphan", deletionPolicy="Orphan")
    await chain.is_gone()
    await account.act((await account.only_run("a"))["id"], "confirm")
    await temporal.start()

    await account.run_in("labelled", "FINISHED")
    for stack_id in ("a", "b", "labelled"):
        assert (await account.only_run(stack_id))["state"] == "FINISHED"

    async def is_complete() -> bool:
        found = [item for item in await release.executions(CHAIN_RUNS) if item.id.endswith(uid)]
        return [item.status for item in found] == [WorkflowExecutionStatus.COMPLETED]

    await eventually(is_complete, chains.SECONDS)


async def test_schedules_that_are_set_up_edited_or_removed_during_an_outage_are_right_after_it(
    release: chains.Installation, temporal: temporal_servers.TemporalServer
) -> None:
    account = await release.add_account("schedules", account_document("a -> b"))
    spec: dict[str, Any] = {
        "account": account,
        "startPolicy": "OnRequest",
        "schedule": {"cron": "0 6 * * *"},
    }
    edited = await release.create("edited-schedule", "a", **spec)
    removed = await release.create("removed-schedule", "a", **spec)
    leaving = await release.create("leaving-schedule", "a", **spec)
    for chain in (edited, removed, leaving):
        await chain.until(lambda status: status.get("schedule", {}).get("nextTime"))

    await temporal.stop()
    new = await release.create("new-schedule", "a", **spec)
    await release.stackchains.set_spec("edited-schedule", schedule={"cron": "0 7 * * *"})
    await release.stackchains.set_spec("removed-schedule", schedule=None)
    await release.stackchains.delete("leaving-schedule")
    for chain in (new, edited, removed):
        await shows_unreachable(chain)
    await temporal.start()

    for chain, hour in ((new, "06"), (edited, "07")):
        await chain.until(
            lambda status, hour=hour: (
                status.get("schedule", {}).get("nextTime", "").endswith(f"T{hour}:00:00Z")
            )
        )
        assert chains.ready(await chain.shows("NotRequested"))["status"] == "Unknown"
    await removed.until(lambda status: "schedule" not in status)
    await leaving.is_gone()
    client = await release.temporal()

    async def are_right() -> bool:
        listed = [item.id.split("/")[2] async for item in await client.list_schedules()]
        return sorted(listed) == ["edited-schedule", "new-schedule"]

    await eventually(are_right, chains.SECONDS)


async def test_what_the_roles_say_of_an_outage_is_json_to_the_last_line(
    release: chains.Installation, temporal: temporal_servers.TemporalServer
) -> None:
    def told_by_core() -> list[dict[str, Any]]:
        lines = [json.loads(line) for line in release.worker.log(10_000).splitlines()]
        return [line for line in lines if line["logger"] == "temporalio.core"]

    before = len(told_by_core())

    await temporal.stop()
    await eventually(lambda: len(told_by_core()) > before, chains.SECONDS)
    await temporal.start()

    for role in (release.operator, release.worker):
        await role.wait_ready()
        for line in role.log(10_000).splitlines():
            assert {"time", "level", "logger", "message"} <= json.loads(line).keys()
