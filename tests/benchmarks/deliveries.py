"""Deliveries per second at one core, their latency, and the memory under malformed ones."""

import asyncio
import contextlib
import json
import os
import tempfile
import time
from collections.abc import AsyncIterator, Sequence
from pathlib import Path

from controller.webhook import signature
from devenv import role_process, tools
from tests.benchmarks import figures, machine, tables, temporal_servers
from tests.support import webhooks

SENDERS = 16
PACE_PER_SECOND = 100
STACKS = 1000
MEMORY_MIB = 8.0

# With what the receiver does not read of an event, the event is about 2 kB.
_FILLER = {"description": "x" * 1500}


async def run(*, quick: bool) -> figures.Report:
    flood, paced, malformed = (500, 100, 500) if quick else (20_000, 3000, 10_000)
    async with _receiver() as receiver:
        await _send_all(receiver, _good(), 200)  # what is done once is done
        cpu = machine.cpu_seconds(receiver.pid)
        seconds, latencies = await _send_all(receiver, _good(), flood)
        cpu = machine.cpu_seconds(receiver.pid) - cpu
        at_pace = await _send_paced(receiver, _good(), paced)
        await _send_all(receiver, _bad(), malformed // 10)
        before = machine.rss(receiver.pid)
        await _send_all(receiver, _bad(), malformed)
        after = machine.rss(receiver.pid)
    kept, pace = tables.spread(latencies), tables.spread(at_pace)
    return figures.Report(
        title="Webhook deliveries",
        figures=[
            figures.Figure(
                what=f"deliveries per second, {flood:,} by {SENDERS} senders",
                measured=flood / seconds,
            ),
            figures.Figure(what="latency then, p50", measured=_ms(kept[0]), unit="ms"),
            figures.Figure(what="latency then, p99", measured=_ms(kept[2]), unit="ms"),
            figures.Figure(
                what=f"latency at {PACE_PER_SECOND} deliveries per second, p50",
                measured=_ms(pace[0]),
                unit="ms",
            ),
            figures.Figure(
                what=f"latency at {PACE_PER_SECOND} deliveries per second, p99",
                measured=_ms(pace[2]),
                unit="ms",
            ),
            figures.Figure(
                what=f"memory before {malformed:,} malformed deliveries",
                measured=before,
                unit="MiB",
            ),
            figures.Figure(what="memory after them", measured=after, unit="MiB"),
            figures.Figure(
                what="memory after / before: growth",
                measured=max(0.0, after - before),
                unit="MiB",
                at_most=MEMORY_MIB,
            ),
        ],
        notes=[
            f"the receiver runs on one core; of it, {cpu:.1f} s in {seconds:.1f} s of the flood, "
            "the signals to Temporal included",
            f"bodies of {len(_event(0)):,} bytes about {STACKS} stacks, at which nothing runs",
            "malformed: no JSON, nested too deeply, not signed, wrongly signed; a tenth more of "
            "them comes before the first look at the memory",
        ],
    )


class _Receiver:
    """A receiver as a process with a core to itself."""

    def __init__(self, role: role_process.Role, port: int) -> None:
        self.pid = role.process.pid
        self.port = port


@contextlib.asynccontextmanager
async def _receiver() -> AsyncIterator[_Receiver]:
    with tempfile.TemporaryDirectory(prefix="stackchain-bench-") as name:
        directory, port = Path(name), tools.free_port()
        async with temporal_servers.started(directory) as temporal:
            endpoints = role_process.Endpoints(
                kubeconfig=directory / "none",
                temporal_address=temporal.address,
                spacelift_url="https://acme.app.spacelift.io",
                webhook_address=f"127.0.0.1:{port}",
                webhook_secret=webhooks.SECRET,
                log_format="json",
            )
            role = role_process.Role(
                role_process.RoleOptions(
                    role="webhook",
                    directory=directory,
                    environment={**endpoints.variables("webhook"), **temporal.role_environment},
                )
            )
            async with role:
                cores = sorted(os.sched_getaffinity(0))
                os.sched_setaffinity(role.process.pid, cores[:1])
                yield _Receiver(role, port)


def _event(number: int) -> bytes:
    event = webhooks.run_event(f"stack-{number}", "APPLYING")
    event["stack"] |= _FILLER
    return json.dumps(event).encode()


def _good() -> list[bytes]:
    bodies = [_event(number) for number in range(STACKS)]
    return [webhooks.request(one, signature.sign(one, webhooks.SECRET)) for one in bodies]


def _bad() -> list[bytes]:
    body, broken, deep = _event(0), _event(0)[:-1], b"[" * 5000
    return [
        webhooks.request(body),
        webhooks.request(body, signature.sign(body, "wrong")),
        webhooks.request(broken, signature.sign(broken, webhooks.SECRET)),
        webhooks.request(deep, signature.sign(deep, webhooks.SECRET)),
    ]


async def _send_all(
    receiver: _Receiver, requests: Sequence[bytes], count: int
) -> tuple[float, list[float]]:
    """Send from all senders, each as fast as it is answered; returns seconds and latencies."""
    latencies: list[float] = []
    began = time.perf_counter()
    await asyncio.gather(
        *(
            _send(receiver, [*requests[sender:], *requests[:sender]], count // SENDERS, latencies)
            for sender in range(SENDERS)
        )
    )
    return time.perf_counter() - began, latencies


async def _send_paced(receiver: _Receiver, requests: Sequence[bytes], count: int) -> list[float]:
    """Send at a steady rate, whatever the answers do, each on the next connection."""
    latencies: list[float] = []
    began = time.perf_counter()

    async def sender(first: int) -> None:
        async with webhooks.connected(receiver.port) as connection:
            for number in range(first, count, SENDERS):
                due = began + number / PACE_PER_SECOND
                await asyncio.sleep(max(0.0, due - time.perf_counter()))
                await connection.ask(requests[number % len(requests)])
                latencies.append(time.perf_counter() - due)

    await asyncio.gather(*(sender(first) for first in range(SENDERS)))
    return latencies


async def _send(
    receiver: _Receiver, requests: Sequence[bytes], count: int, latencies: list[float]
) -> None:
    async with webhooks.connected(receiver.port) as connection:
        for number in range(count):
            began = time.perf_counter()
            await connection.ask(requests[number * SENDERS % len(requests)])
            latencies.append(time.perf_counter() - began)


def _ms(seconds: float | None) -> float:
    return (seconds or 0.0) * 1000
