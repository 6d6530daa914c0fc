"""The probes and the metrics over HTTP."""

from collections.abc import AsyncIterator

import httpx
import pytest

from controller.observability import health, metrics


@pytest.fixture
async def server() -> AsyncIterator[health.HealthServer]:
    counted = metrics.Metrics()
    counted.runs_triggered.inc(3)
    one = health.HealthServer("127.0.0.1:0", counted.registry, cache_seconds=0)
    await one.start()
    yield one
    await one.stop()


async def get(server: health.HealthServer, path: str) -> httpx.Response:
    async with httpx.AsyncClient(trust_env=False) as http:
        return await http.get(f"http://127.0.0.1:{server.port}{path}")


async def test_a_process_without_problems_is_live_and_ready(server: health.HealthServer) -> None:
    async def temporal() -> str | None:
        return None

    server.add_ready_check("temporal", temporal)

    for path in ("/healthz", "/readyz"):
        answer = await get(server, path)

        assert (answer.status_code, answer.text) == (200, "ok\n")


async def test_a_process_that_waits_for_temporal_is_live_and_not_ready(
    server: health.HealthServer,
) -> None:
    async def temporal() -> str | None:
        return "connection refused"

    async def kubernetes() -> str | None:
        return "not served"

    server.add_ready_check("temporal", temporal)
    server.add_ready_check("kubernetes", kubernetes)

    answer = await get(server, "/readyz")

    assert (answer.status_code, answer.text) == (
        503,
        "temporal: connection refused\nkubernetes: not served\n",
    )
    assert (await get(server, "/healthz")).status_code == 200


async def test_prometheus_can_read_the_metrics(server: health.HealthServer) -> None:
    answer = await get(server, "/metrics")

    assert answer.headers["content-type"].startswith("text/plain; version=")
    assert "stackchain_runs_triggered_total 3.0" in answer.text


async def test_metrics_that_checks_keep_are_up_to_date_without_a_probe() -> None:
    counted = metrics.Metrics()

    async def temporal() -> str | None:
        counted.temporal_connected.set(1)
        return None

    server = health.HealthServer("127.0.0.1:0", counted.registry)
    server.add_ready_check("temporal", temporal)
    await server.start()

    answer = await get(server, "/metrics")

    assert "stackchain_temporal_connected 1.0" in answer.text
    await server.stop()


async def test_a_stopped_server_frees_its_port(server: health.HealthServer) -> None:
    address = f"127.0.0.1:{server.port}"
    await server.stop()

    again = health.HealthServer(address, metrics.Metrics().registry)
    await again.start()

    assert (await get(again, "/healthz")).status_code == 200
    await again.stop()
