"""Connecting to a real Temporal server, and the check of what in an installation answers.

Given: a Temporal server, pollers on some queues, a simulated Spacelift account. Asserted:
what is reported, and where.
"""

import asyncio
import dataclasses
import functools
import io
import json
import os
import subprocess
import sys
from collections.abc import Awaitable, Callable
from pathlib import Path

import pytest
import yaml
from temporalio import activity, workflow
from temporalio.client import Client
from temporalio.worker import Worker

from controller.config import connections, settings
from controller.temporal import client, ids, temporal_test
from devenv import simulator_process, tools
from devenv import temporal_server as temporal_servers
from devenv.simulator.web import server as simulator_server
from tests.support import temporal as temporal_support
from tests.support import waiting


@workflow.defn(sandboxed=False)
class Idle:
    @workflow.run
    async def run(self) -> None:
        pass


@activity.defn
async def idle() -> None:
    pass


@pytest.fixture
def temporal(
    temporal_server: temporal_servers.TemporalServer, task_queue: str
) -> settings.TemporalSettings:
    return settings.TemporalSettings(address=temporal_server.address, task_queue=task_queue)


@pytest.fixture
def spacelift(simulator: simulator_server.Server) -> settings.SpaceliftSettings:
    return settings.SpaceliftSettings(
        endpoint=simulator.url,
        api_key_id=settings.Secret(value=simulator_process.API_KEY.id),
        api_key_secret=settings.Secret(value=simulator_process.API_KEY.secret),
    )


async def check(all_settings: settings.Settings) -> tuple[int, dict[str, tuple[bool, str]]]:
    """Return the exit code and the lines by what they check."""
    out = io.StringIO()
    code = await temporal_test.check(all_settings, out, as_json=True)
    answer = json.loads(out.getvalue())
    assert answer["ok"] is (code == 0)
    return code, {line["check"]: (line["ok"], line["message"]) for line in answer["checks"]}


async def test_a_connection_is_healthy_until_the_server_stops(
    own_temporal_server: temporal_servers.TemporalServer,
) -> None:
    temporal = settings.TemporalSettings(address=own_temporal_server.address)
    connected = await client.connect(temporal)
    assert await client.find_problem(connected, temporal) is None

    await own_temporal_server.stop()

    assert "does not answer" in str(await client.find_problem(connected, temporal))

    await own_temporal_server.start()

    async def is_healthy() -> bool:
        return await client.find_problem(connected, temporal) is None

    assert await waiting.eventually(is_healthy)


async def test_a_namespace_that_is_gone_is_named(
    temporal_client: Client, temporal_server: temporal_servers.TemporalServer
) -> None:
    temporal = settings.TemporalSettings(address=temporal_server.address, namespace="not-made")
    connected = await client.dial(temporal)

    problem = await client.find_problem(connected, temporal)

    assert problem is not None
    assert "has no namespace not-made" in problem


@pytest.mark.parametrize(
    ("answer", "tls", "said"),
    [
        pytest.param(b"", True, "the server closed the TLS handshake", id="it closes"),
        pytest.param(b"HTTP/1.1 400\r\n\r\n", True, "does not speak TLS", id="it has no TLS"),
        pytest.param(b"", False, "closed the connection; it may expect TLS", id="it wants TLS"),
    ],
)
async def test_a_check_names_what_is_wrong_with_tls(answer: bytes, tls: bool, said: str) -> None:
    async def answer_and_close(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.read(1)
        writer.write(answer)
        writer.close()

    async with await asyncio.start_server(answer_and_close, "127.0.0.1", 0) as server:
        port = server.sockets[0].getsockname()[1]
        temporal = settings.TemporalSettings(address=f"127.0.0.1:{port}", tls=tls)
        _, lines = await check(settings.Settings(temporal=temporal))

    ok, message = lines["Temporal"]
    assert not ok
    assert said in message


async def test_a_server_that_comes_later_is_found(
    own_temporal_server: temporal_servers.TemporalServer,
) -> None:
    await own_temporal_server.stop()
    problems: list[str] = []

    async def sleep(_: float) -> None:
        if not own_temporal_server.is_running:
            await own_temporal_server.start()

    temporal = settings.TemporalSettings(address=own_temporal_server.address)
    connected = await client.connect_with_retry(temporal, problems.append, sleep=sleep)

    async def is_healthy() -> bool:
        return await client.find_problem(connected, temporal) is None

    assert await waiting.eventually(is_healthy)
    assert problems


async def test_a_namespace_that_comes_later_is_found(
    temporal: settings.TemporalSettings, temporal_client: Client
) -> None:
    missing = dataclasses.replace(temporal, namespace=temporal_support.unique("later"))
    problems: list[str] = []

    async def sleep(_: float) -> None:
        if len(problems) == 1:
            await temporal_support.create_namespace(temporal_client, missing.namespace)

    connected = await client.connect_with_retry(missing, problems.append, sleep=sleep)

    assert connected.namespace == missing.namespace
    assert f"has no namespace {missing.namespace}" in problems[0]


async def test_plain_text_where_tls_is_wanted_is_told(temporal: settings.TemporalSettings) -> None:
    with pytest.raises(client.TemporalUnreachable, match="TEMPORAL_TLS"):
        await client.connect(dataclasses.replace(temporal, tls=True))


async def test_workers_with_other_accounts_at_the_queue_are_named(
    temporal: settings.TemporalSettings,
    spacelift: settings.SpaceliftSettings,
    temporal_client: Client,
) -> None:
    own = ids.worker_identity("ours", connections.ConnectionCatalog(spacelift).endpoints())
    other = ids.worker_identity("theirs", ["https://other.app.spacelift.io"])
    everything = settings.Settings(temporal=temporal, spacelift=spacelift)
    queue = temporal.task_queue

    async def line() -> tuple[bool, str]:
        return (await check(everything))[1][f"task queue {queue}"]

    async def names_them() -> bool:
        ok, message = await line()
        assert not ok
        assert f"({other})" in message
        return True

    # A client has one worker for a queue.
    second = await Client.connect(temporal.address)
    poll = functools.partial(Worker, task_queue=queue, workflows=[Idle], activities=[idle])
    async with poll(temporal_client, identity=own):
        await waiting.eventually(lambda: is_ok(line))
        async with poll(second, identity=other):
            await waiting.eventually(names_them)


async def is_ok(line: Callable[[], Awaitable[tuple[bool, str]]]) -> bool:
    ok, message = await line()
    assert ok, message
    return True


async def test_an_installation_that_works_has_no_problem(
    temporal: settings.TemporalSettings,
    spacelift: settings.SpaceliftSettings,
    temporal_client: Client,
) -> None:
    queue = temporal.task_queue
    async with (
        Worker(temporal_client, task_queue=queue, workflows=[Idle], activities=[idle]),
        Worker(temporal_client, task_queue=ids.follow_queue(queue), activities=[idle]),
    ):
        everything = settings.Settings(temporal=temporal, spacelift=spacelift)

        async def fine() -> dict[str, tuple[bool, str]]:
            code, lines = await check(everything)
            assert code == 0, lines
            return lines

        # A poller counts once Temporal has seen its first poll.
        lines = await waiting.eventually(fine)

    assert "default (configured)" in lines["Temporal namespaces"][1]
    assert "1 polling for workflow tasks" in lines[f"task queue {queue}"][1]
    assert "accepts the API key as" in lines["Spacelift connection default"][1]


async def test_queues_that_nobody_polls_are_problems(
    temporal: settings.TemporalSettings, tmp_path: Path
) -> None:
    installation = settings.InstallationSettings(installation_id="one")
    sink = {"name": "ops", "type": "Slack", "url": "http://localhost", "transitions": ["Problem"]}
    file = tmp_path / "n.yaml"
    file.write_text(yaml.safe_dump({"sinks": [sink]}))
    notifications = settings.NotificationSettings(file=file)

    code, lines = await check(
        settings.Settings(temporal=temporal, installation=installation, notifications=notifications)
    )

    assert code == 1
    ok, message = lines[f"task queue {temporal.task_queue}"]
    assert not ok
    assert "nothing polls for workflow or activity tasks" in message
    assert "stackchain operator" in lines["task queue stackchain-operator-one"][1]
    ok, message = lines[f"task queue {temporal.task_queue}-notify"]
    assert not ok
    assert "nothing polls for workflow or activity tasks; start `stackchain worker`" in message
    assert lines["Notifications"] == (True, "sinks: ops")


async def test_a_notifications_file_with_a_mistake_is_a_problem(
    temporal: settings.TemporalSettings, tmp_path: Path
) -> None:
    file = tmp_path / "n.yaml"
    file.write_text("sinks: [{name: ops}]")

    _, lines = await check(
        settings.Settings(temporal=temporal, notifications=settings.NotificationSettings(file=file))
    )

    ok, message = lines["Notifications"]
    assert not ok
    assert f"{file}: sinks[ops].type: is missing" in message


async def test_a_wrong_namespace_is_a_problem_beside_the_ones_that_exist(
    temporal: settings.TemporalSettings,
) -> None:
    code, lines = await check(
        settings.Settings(temporal=dataclasses.replace(temporal, namespace="nowhere"))
    )

    assert code == 1
    assert "default" in lines["Temporal namespaces"][1]
    assert lines["Temporal namespace nowhere"][0] is False


async def test_an_api_key_that_spacelift_refuses_is_a_problem_that_keeps_it_secret(
    temporal: settings.TemporalSettings, spacelift: settings.SpaceliftSettings
) -> None:
    wrong = dataclasses.replace(spacelift, api_key_secret=settings.Secret(value="hunter2"))

    code, lines = await check(settings.Settings(temporal=temporal, spacelift=wrong))

    assert code == 1
    ok, message = lines["Spacelift connection default"]
    assert not ok
    assert "hunter2" not in message


def test_the_check_is_a_program_with_an_exit_code() -> None:
    environment = dict(os.environ) | {  # noqa: TID251 - PATH and the like, for a program
        "TEMPORAL_ADDRESS": f"127.0.0.1:{tools.free_port()}"
    }

    ended = subprocess.run(
        [sys.executable, "-m", "controller.temporal.temporal_test"],
        env=environment,
        capture_output=True,
        text=True,
        check=False,
    )

    assert ended.returncode == 1
    assert ended.stdout.startswith("PROBLEM  Temporal: Temporal at 127.0.0.1:")
    assert "Spacelift connections: there are none" in ended.stdout


def test_the_check_tells_all_bad_settings() -> None:
    environment = dict(os.environ) | {  # noqa: TID251 - PATH and the like, for a program
        "LOG_LEVEL": "loud",
        "TEMPORAL_ADDRESS": "nowhere",
    }

    ended = subprocess.run(
        [sys.executable, "-m", "controller.temporal.temporal_test", "--json"],
        env=environment,
        capture_output=True,
        text=True,
        check=False,
    )

    assert ended.returncode == 2
    assert {line.split(":")[0] for line in ended.stderr.splitlines()} == {
        "LOG_LEVEL",
        "TEMPORAL_ADDRESS",
    }
