"""Clients that connect to a port of a process can stop neither it nor its work."""

import asyncio
import contextlib
import json
import re
import resource
import sys
from collections.abc import AsyncIterator
from pathlib import Path

import httpx
import pytest

from controller.webhook import signature
from devenv import processes, role_process, tools
from tests.conftest import StartRole
from tests.support import webhooks
from tests.support.waiting import eventually

DESCRIPTORS = 1024
IDLE = 1100
SPARE = 20
REFUSED = "HTTP connection cannot be accepted"
SENDERS = 1000
MIB = 1024 * 1024
# If more clients connect than are accepted, a request may be dropped: it is sent again after 1, 3,
# 7, 15 and 31 seconds.
PATIENCE_SECONDS = 120
BODY = json.dumps(webhooks.run_event("vpc")).encode()


@pytest.fixture
def endpoints() -> role_process.Endpoints:
    """Nothing of it is there: no Temporal, no account."""
    return role_process.Endpoints(
        kubeconfig=Path("/nowhere"),
        temporal_address=f"127.0.0.1:{tools.free_port()}",
        spacelift_url="https://acme.app.spacelift.io",
        webhook_address=f"127.0.0.1:{tools.free_port()}",
        webhook_secret=webhooks.SECRET,
        log_format="json",
    )


def peak_memory(process: processes.Process) -> int:
    """Return the most bytes that a process has had in memory."""
    found = re.search(r"VmHWM:\s+(\d+) kB", Path(f"/proc/{process.pid}/status").read_text())
    assert found is not None
    return int(found[1]) * 1024


def descriptors(process: processes.Process) -> int:
    """Return how many descriptors a process has."""
    return len(list(Path(f"/proc/{process.pid}/fd").iterdir()))


def port_of(address: str) -> int:
    return int(address.rpartition(":")[2])


@contextlib.asynccontextmanager
async def connected(port: int, count: int) -> AsyncIterator[list[asyncio.StreamWriter]]:
    """Open so many connections."""
    writers: list[asyncio.StreamWriter] = []
    try:
        for _ in range(count):
            _, writer = await asyncio.open_connection("127.0.0.1", port)
            writers.append(writer)
        yield writers
    finally:
        for writer in writers:
            writer.transport.abort()


# In a separate process: each sender is as quick as it can be, and none waits for the test's code.
FLOOD = """
import asyncio, sys
port, count, request = int(sys.argv[1]), int(sys.argv[2]), sys.stdin.buffer.read()
async def send():
    try:
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        writer.write(request)
        await writer.drain()
        await reader.read()
    except OSError:
        return
    writer.transport.abort()
async def flood():
    await asyncio.gather(*(send() for _ in range(count)))
asyncio.run(asyncio.wait_for(flood(), 200))
"""


@contextlib.asynccontextmanager
async def flooded(port: int, request: bytes) -> AsyncIterator[asyncio.subprocess.Process]:
    """Send a request on many connections at once, and keep them until they are closed."""
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-c", FLOOD, str(port), str(SENDERS)), stdin=asyncio.subprocess.PIPE
    )
    assert process.stdin is not None
    process.stdin.write(request)
    process.stdin.close()
    try:
        yield process
    finally:
        if process.returncode is None:
            process.kill()
        await process.wait()


@pytest.mark.parametrize("port", ["health", "webhook"])
async def test_idle_connections_stop_no_port_and_fill_no_log(
    start_role: StartRole, endpoints: role_process.Endpoints, port: str
) -> None:
    role = await start_role("webhook", endpoints)
    hard = resource.prlimit(role.process.pid, resource.RLIMIT_NOFILE)[1]
    resource.prlimit(role.process.pid, resource.RLIMIT_NOFILE, (DESCRIPTORS, hard))
    is_health = port == "health"
    target = role.options.health_port if is_health else port_of(endpoints.webhook_address)

    async with (
        connected(target, IDLE),
        httpx.AsyncClient(trust_env=False, timeout=PATIENCE_SECONDS) as http,
    ):
        for _ in range(5):
            assert (await http.get(f"{role.health_url}/healthz")).status_code == 200
            answer = await http.post(
                endpoints.webhook_url, content=BODY, headers=webhooks.signed(BODY)
            )
            assert answer.status_code == 202
            await asyncio.sleep(0.2)

    assert role.command.log_file.stat().st_size < 20_000


async def test_a_process_without_descriptors_answers_again_and_logs_a_line_now_and_then(
    start_role: StartRole, endpoints: role_process.Endpoints
) -> None:
    """Fewer descriptors than connections: accepting fails, which asyncio alone logs each time."""
    role = await start_role("webhook", endpoints)
    used = descriptors(role.process)
    hard = resource.prlimit(role.process.pid, resource.RLIMIT_NOFILE)[1]
    resource.prlimit(role.process.pid, resource.RLIMIT_NOFILE, (used + SPARE, hard))

    async with httpx.AsyncClient(trust_env=False, timeout=PATIENCE_SECONDS) as http:
        async with connected(port_of(endpoints.webhook_address), 3 * SPARE):
            assert await eventually(lambda: REFUSED in role.command.log_file.read_text())
            assert (await http.get(f"{role.health_url}/healthz")).status_code == 200
            await asyncio.sleep(1)

        answer = await http.post(endpoints.webhook_url, content=BODY, headers=webhooks.signed(BODY))
    assert answer.status_code == 202
    lines = role.command.log_file.read_text().splitlines()
    # One in ten seconds, while some ten a second fail.
    assert 1 <= sum(REFUSED in line for line in lines) <= 5
    assert role.command.log_file.stat().st_size < 20_000


async def test_a_flood_of_unsigned_bodies_leaves_memory_flat_and_lets_deliveries_pass(
    start_role: StartRole, endpoints: role_process.Endpoints
) -> None:
    role = await start_role("webhook", endpoints)
    port = port_of(endpoints.webhook_address)
    async with httpx.AsyncClient(trust_env=False, timeout=PATIENCE_SECONDS) as http:

        async def deliver() -> int:
            headers = webhooks.signed(BODY)
            answer = await http.post(endpoints.webhook_url, content=BODY, headers=headers)
            return answer.status_code

        assert await deliver() == 202
        before = peak_memory(role.process)
        # All of a large body but its end.
        request = webhooks.request(b"x" * 1_000_000, signature.sign(b"", "wrong"))[:-1]
        answers = []
        async with flooded(port, request) as flood:
            while flood.returncode is None:
                answers.append(await deliver())
                await asyncio.sleep(0.05)

        assert flood.returncode == 0
        assert set(answers) == {202}
        # The bodies together have 1,000 MB, and may hold 16 MiB of memory.
        assert peak_memory(role.process) - before < 96 * MIB
        await eventually(role.is_alive, what="the receiver is alive")
    assert "Delivery failed" not in role.command.log_file.read_text()
