"""The receiver as a process: how it starts, what it needs, and how it ends."""

import asyncio
import json
import signal
from pathlib import Path

import httpx
import pytest

from devenv import role_process, tools
from tests.conftest import StartRole
from tests.support import webhooks
from tests.support.waiting import eventually

BODY = json.dumps(webhooks.run_event("vpc")).encode()


@pytest.fixture
def endpoints() -> role_process.Endpoints:
    """Nothing of it is there: no cluster, no Temporal, no account."""
    return role_process.Endpoints(
        kubeconfig=Path("/nowhere"),
        temporal_address=f"127.0.0.1:{tools.free_port()}",
        spacelift_url="https://acme.app.spacelift.io",
        webhook_address=f"127.0.0.1:{tools.free_port()}",
        webhook_secret=webhooks.SECRET,
        log_format="json",
    )


async def deliver(endpoints: role_process.Endpoints, http: httpx.AsyncClient) -> httpx.Response:
    return await http.post(endpoints.webhook_url, content=BODY, headers=webhooks.signed(BODY))


def lines(role: role_process.Role) -> list[dict[str, object]]:
    return [json.loads(line) for line in role.log(1000).splitlines()]


async def test_the_receiver_is_ready_and_answers_though_temporal_was_never_there(
    start_role: StartRole, endpoints: role_process.Endpoints
) -> None:
    role = await start_role("webhook", endpoints)

    async with httpx.AsyncClient(trust_env=False) as http:
        assert (await deliver(endpoints, http)).status_code == 202
        metrics = (await http.get(f"{role.health_url}/metrics")).text
    assert "stackchain_temporal_connected 0.0" in metrics
    # A probe may come too late on a busy machine.
    await eventually(role.is_ready, what="the receiver is ready")
    await eventually(role.is_alive, what="the receiver is alive")


async def test_on_sigterm_deliveries_are_taken_for_a_while_and_then_the_process_ends(
    start_role: StartRole, endpoints: role_process.Endpoints
) -> None:
    role = await start_role("webhook", endpoints, environment={"WEBHOOK_DRAIN_SECONDS": "3"})
    role.process.signal(signal.SIGTERM)

    async with httpx.AsyncClient(trust_env=False) as http:
        delivered = 0

        async def is_draining() -> bool:
            nonlocal delivered
            answer = await deliver(endpoints, http)
            assert answer.status_code == 202
            delivered += 1
            return answer.headers.get("Connection") == "close"

        await eventually(is_draining, what="the sender is asked to connect anew")
    code = await asyncio.wait_for(role.process.wait(), 30)

    assert code == 0
    stopped = lines(role)[-1]
    assert stopped["message"] == "Receiver stopped"
    # There was no Temporal to wake anything. Deliveries that come while one wake waits are one.
    lost = stopped["lost_wakes"]
    assert isinstance(lost, int)
    assert 1 <= lost <= delivered


async def test_a_connection_without_a_secret_is_told_of_at_the_start(
    start_role: StartRole, endpoints: role_process.Endpoints
) -> None:
    role = await start_role("webhook", endpoints, environment={"SPACELIFT_WEBHOOK_SECRET": ""})

    async with httpx.AsyncClient(trust_env=False) as http:
        assert (await deliver(endpoints, http)).status_code == 401
    told = [line for line in lines(role) if line["level"] == "error"]
    assert len(told) == 1
    assert "no webhook secret" in str(told[0]["message"])
    assert told[0]["connection"] == "default"


async def test_an_address_that_is_taken_ends_the_process_with_a_reason(
    start_role: StartRole, endpoints: role_process.Endpoints
) -> None:
    await start_role("webhook", endpoints)

    second = await start_role("webhook", endpoints, instance=1, wait=False)

    assert await asyncio.wait_for(second.process.wait(), 30) == 2
    assert lines(second)[-1]["message"] == "WEBHOOK_ADDRESS cannot be listened on"
