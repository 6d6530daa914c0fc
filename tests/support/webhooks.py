"""Deliveries as Spacelift sends them, and a receiver inside the test to send them to."""

import asyncio
import collections
import contextlib
import dataclasses
import json
import time
from collections.abc import AsyncIterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import httpx
import yaml

from controller.config import connections, settings
from controller.observability import metrics
from controller.webhook import signature, wake_queue
from controller.webhook.receiver import Receiver
from controller.webhook.server import WebhookServer
from devenv import tools
from tests.support import chains
from tests.support.waiting import eventually

SECRET = "s3cret"
CONNECTION = "default"


def run_event(stack_id: str, state: str = "FINISHED", **run: Any) -> dict[str, Any]:
    """Return the default payload of a run event."""
    return {
        "account": "acme",
        "state": state,
        "stateVersion": 7,
        "timestamp": 1767225600,
        "run": {"id": "01KDX0000000000000000000RA", "type": "TRACKED", **run},
        "stack": {"id": stack_id, "name": stack_id, "labels": []},
    }


def signed(body: bytes, secret: str = SECRET) -> dict[str, str]:
    """Return the headers of a delivery."""
    return {"Content-Type": "application/json", signature.HEADER: signature.sign(body, secret)}


def path(connection: str = CONNECTION) -> str:
    return f"/webhooks/spacelift/{connection}"


def request(body: bytes, header: str = "", *, connection: str = CONNECTION) -> bytes:
    """Return a delivery as the bytes of a request."""
    lines = [
        f"POST {path(connection)} HTTP/1.1",
        "Host: x",
        "Content-Type: application/json",
        f"Content-Length: {len(body)}",
        *([f"{signature.HEADER}: {header}"] if header else []),
    ]
    return "\r\n".join([*lines, "", ""]).encode() + body


class Connection:
    """One connection that stays open; each request waits for the answer to the one before."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._reader = reader
        self._writer = writer

    async def ask(self, request: bytes) -> int:
        """Send a request and return the status of its answer."""
        self._writer.write(request)
        head = await self._reader.readuntil(b"\r\n\r\n")
        length = int(head.lower().split(b"content-length: ")[1].split()[0])
        await self._reader.readexactly(length)
        return int(head.split(b" ", 2)[1])


@contextlib.asynccontextmanager
async def connected(port: int) -> AsyncIterator[Connection]:
    """Give a connection to a receiver."""
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    try:
        yield Connection(reader, writer)
    finally:
        writer.close()


async def flood(port: int, requests: Sequence[bytes], count: int) -> collections.Counter[int]:
    """Send that many requests in turn on one connection, and count the statuses."""
    async with connected(port) as connection:
        return collections.Counter(
            [await connection.ask(requests[number % len(requests)]) for number in range(count)]
        )


@dataclasses.dataclass(kw_only=True)
class Receiving:
    """A receiver on loopback, with nothing that works off its queue."""

    server: WebhookServer
    receiver: Receiver
    queue: wake_queue.WakeQueue
    counters: metrics.Metrics
    http: httpx.AsyncClient

    async def deliver(
        self,
        body: bytes | Mapping[str, Any],
        *,
        connection: str = CONNECTION,
        headers: Mapping[str, str] | None = None,
    ) -> httpx.Response:
        """Send a delivery, signed unless the headers say otherwise."""
        sent = body if isinstance(body, bytes) else json.dumps(body).encode()
        return await self.http.post(path(connection), content=sent, headers=headers or signed(sent))

    async def send(self, *parts: bytes) -> bytes:
        """Send bytes on a new connection and return all that comes back until it ends."""
        reader, writer = await asyncio.open_connection("127.0.0.1", self.server.port)
        try:
            for part in parts:
                writer.write(part)
                await writer.drain()
            return await asyncio.wait_for(reader.read(), 30)
        finally:
            writer.close()
            with contextlib.suppress(ConnectionError):
                await writer.wait_closed()

    def counted(self, connection: str = CONNECTION) -> dict[str, int]:
        """Return how many deliveries of a connection had which result."""
        return {
            sample.labels["result"]: int(sample.value)
            for metric in self.counters.webhook_deliveries.collect()
            for sample in metric.samples
            if sample.name.endswith("_total")
            and sample.labels["connection"] == connection
            and sample.value
        }


@contextlib.asynccontextmanager
async def receiving(
    directory: Path,
    *,
    secrets: tuple[str, ...] = (SECRET,),
    queue_size: int = 1000,
    max_body_bytes: int = 1_048_576,
    body_seconds: float = 5.0,
    idle_seconds: float = 30.0,
) -> AsyncIterator[Receiving]:
    """Give a receiver with the connections `default` and, without a secret, `silent`."""
    files = [directory / f"secret-{number}" for number, _ in enumerate(secrets)]
    for file, secret in zip(files, secrets, strict=True):
        file.write_text(secret)
    document = {
        CONNECTION: {
            "endpoint": "https://acme.app.spacelift.io",
            "allowedNamespaces": ["*"],
            "webhookSecretFiles": [str(file) for file in files],
        },
        "silent": {"endpoint": "https://silent.app.spacelift.io", "allowedNamespaces": []},
    }
    listed = directory / "connections.yaml"
    listed.write_text(yaml.safe_dump({"connections": document}))
    queue, counters = wake_queue.WakeQueue(queue_size, clock=time.monotonic), metrics.Metrics()
    receiver = Receiver(
        catalog=connections.ConnectionCatalog(settings.SpaceliftSettings(connections_file=listed)),
        queue=queue,
        counters=counters,
        max_body_bytes=max_body_bytes,
        body_seconds=body_seconds,
    )
    receiver.open_counters()
    server = WebhookServer("127.0.0.1:0", receiver, idle_seconds=idle_seconds)
    await server.start()
    url = f"http://127.0.0.1:{server.port}"
    async with httpx.AsyncClient(base_url=url, trust_env=False, timeout=30) as http:
        try:
            yield Receiving(
                server=server, receiver=receiver, queue=queue, counters=counters, http=http
            )
        finally:
            await server.stop()


class Hook:
    """The webhook of one simulated account, and what became of its deliveries."""

    def __init__(self, account: chains.Account, webhook_id: str) -> None:
        self._account = account
        self._id = webhook_id

    async def state(self) -> dict[str, Any]:
        """Return the webhook: whether it is enabled, and its failures in a row."""
        state: dict[str, Any] = await self._account.admin("GET", f"/webhooks/{self._id}")
        return state

    async def deliveries(self) -> list[dict[str, Any]]:
        """Return all deliveries so far, oldest first."""
        answer = await self._account.admin("GET", "/deliveries", webhook=self._id)
        return list(answer["deliveries"])

    async def answers(self) -> collections.Counter[int]:
        """Return how many requests were answered with which status; 0: not at all."""
        attempts = [item for one in await self.deliveries() for item in one["attempts"]]
        return collections.Counter(attempt["status"] or 0 for attempt in attempts)

    async def befall(self, **behavior: Any) -> None:
        """Set what the way to the receiver does to deliveries."""
        await self._account.admin("PATCH", "/deliveries/behavior", behavior)

    async def replay(self, *, run: str | None = None) -> None:
        """Send again what was sent before, the same bytes."""
        wanted = {"webhook": self._id} | ({"run": run} if run else {})
        await self._account.admin("POST", "/deliveries/replay", wanted)

    async def at_rest(self) -> None:
        """Wait until nothing is on its way."""

        async def is_at_rest() -> bool:
            return (await self._account.admin("GET", "/deliveries", limit="1"))["waiting"] == 0

        await eventually(is_at_rest, chains.SECONDS, what="no delivery is on its way")


class InstalledReceiver:
    """The receiver of an installation, as a process, with the accounts that send to it."""

    def __init__(self, installation: chains.Installation, **settings: str) -> None:
        self._installation = installation
        self._address = f"127.0.0.1:{tools.free_port()}"
        self.role = installation.role("webhook", WEBHOOK_ADDRESS=self._address, **settings)

    def url(self, connection: str) -> str:
        return f"http://{self._address}{path(connection)}"

    async def add_account(self, name: str, document: chains.Body) -> tuple[chains.Account, Hook]:
        """Add an account that notifies the receiver of its runs."""
        file = self._installation.directory / f"{name}.webhook"
        file.write_text(SECRET)
        account = await self._installation.add_account(
            name, document, webhookSecretFiles=[str(file)]
        )
        hook = {"endpoint": self.url(name), "secret": SECRET, "policy": "documented"}
        made = await account.admin("POST", "/webhooks", hook)
        return account, Hook(account, made["id"])

    async def metrics(self, name: str) -> dict[str, float]:
        """Return the samples of a metric by their labels."""
        async with httpx.AsyncClient(trust_env=False) as http:
            text = (await http.get(f"{self.role.health_url}/metrics")).text
        samples = {}
        for line in text.splitlines():
            if line.startswith((f"{name}{{", f"{name} ")):
                labels, _, value = line.removeprefix(name).rpartition(" ")
                samples[labels.strip("{} ")] = float(value)
        return samples
