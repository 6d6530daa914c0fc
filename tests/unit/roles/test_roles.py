"""What each role does before Temporal, the cluster or its port is there, and when it is ended."""

import asyncio
import dataclasses
from collections.abc import Awaitable, Callable
from typing import Any

import kopf
import pytest
from kopf._cogs.clients import errors as kopf_errors

from controller.config import settings
from controller.kube import stackchains
from controller.observability import metrics
from controller.operator import watches
from controller.roles import operator, operator_parts, process, webhook, worker
from tests.unit.operator.fakes import FakeCatalog, FakeSinks

Role = Callable[[process.Process], Awaitable[int]]


class FakeServer:
    """Takes readiness checks."""

    def __init__(self) -> None:
        self.checks: dict[str, Callable[[], Awaitable[str | None]]] = {}

    def add_ready_check(self, name: str, check: Callable[[], Awaitable[str | None]]) -> None:
        self.checks[name] = check


class FarTemporal(process.TemporalLink):
    """Never reached."""

    async def run(self) -> None:
        await asyncio.Event().wait()


class FakeLeader:
    """Holds a Lease, which may be lost."""

    def __init__(self) -> None:
        self.lost = asyncio.Event()


class SilentApi:
    """Never answers."""

    async def request(self, *_: Any, **__: Any) -> dict[str, Any]:
        await asyncio.Event().wait()
        return {}


@dataclasses.dataclass
class Bench:
    """One process of a role."""

    role: process.Process
    server: FakeServer

    async def ended(self, running: Awaitable[int], event: asyncio.Event) -> tuple[bool, int]:
        """Return whether the role waited for an event, and its exit code after that."""
        task = asyncio.ensure_future(running)
        for _ in range(5):
            await asyncio.sleep(0)
        is_waiting = not task.done()
        event.set()
        return is_waiting, await task


@pytest.fixture
def bench(monkeypatch: pytest.MonkeyPatch) -> Bench:
    monkeypatch.setenv("SPACELIFT_API_KEY_ENDPOINT", "https://acme.app.spacelift.io")
    monkeypatch.setenv("SPACELIFT_ALLOWED_NAMESPACES", "*")
    # The network for documentation: no program may listen there.
    monkeypatch.setenv("WEBHOOK_ADDRESS", "192.0.2.1:1")
    all_settings, counters, server = settings.load_settings(), metrics.Metrics(), FakeServer()
    role = process.Process(
        settings=all_settings,
        stop=asyncio.Event(),
        counters=counters,
        server=server,
        catalog=FakeCatalog(),
        sink_catalog=FakeSinks(),
        link=FarTemporal(all_settings.temporal, counters),
    )
    return Bench(role, server)


async def test_a_worker_waits_for_temporal_and_says_so(bench: Bench) -> None:
    running = worker.work(bench.role)

    assert await bench.ended(running, bench.role.stop) == (True, 0)
    assert list(bench.server.checks) == ["temporal", "worker"]
    assert "not polled" in (await bench.server.checks["worker"]() or "")
    assert "has not been reached" in (await bench.server.checks["temporal"]() or "")


async def test_a_receiver_whose_port_cannot_be_had_says_so(
    bench: Bench, caplog: pytest.LogCaptureFixture
) -> None:
    assert await webhook.receive(bench.role) == 2
    assert caplog.messages[-1] == "WEBHOOK_ADDRESS cannot be listened on"


@pytest.mark.parametrize(
    ("ends", "code"),
    [pytest.param("stop", 0, id="SIGTERM"), pytest.param("lost", 1, id="the Lease is lost")],
)
async def test_a_leader_that_waits_for_the_definition_can_be_ended(
    bench: Bench, ends: str, code: int
) -> None:
    leader = FakeLeader()
    running = operator._lead(bench.role, operator_parts.Outside(), SilentApi(), leader, None)

    ended = await bench.ended(running, bench.role.stop if ends == "stop" else leader.lost)

    assert ended == (True, code)
    assert list(bench.server.checks) == ["definition"]


async def test_a_leader_writes_no_status_before_temporal_is_there(bench: Bench) -> None:
    parts = operator_parts.OperatorParts(
        bench.role, operator_parts.Outside(), stackchains.StackChains(SilentApi()), "here"
    )
    stop = asyncio.Event()
    writing = asyncio.create_task(parts._write_statuses(stop))
    await asyncio.sleep(0)
    stop.set()

    await writing
    await parts.aclose()

    assert bench.role.counters.before_reading != []


async def test_kopf_watches_with_bounded_pauses(
    bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What they do is shown in tests/simulation/test_kopf.py."""
    check, used = kopf_errors.check_response, []

    async def run_nothing(*_: Any, **__: Any) -> list[asyncio.Task[None]]:
        used.append(kopf_errors.check_response)
        return []

    monkeypatch.setattr(kopf, "spawn_tasks", run_nothing)
    monkeypatch.setattr(kopf, "run_tasks", run_nothing)
    monkeypatch.setattr(process, "on_signals", lambda _: None)
    ours = watches.Watches((), metrics.Metrics())

    await operator_parts.watch_with_kopf(
        bench.role, lambda _: kopf.OperatorRegistry(), ours, lambda _: True, bench.role.stop
    )

    assert len(used) == 2
    assert check not in used
    assert kopf_errors.check_response is check
