"""Sends deliveries: in separate tasks, so many at a time, ended when the server stops.

No request to the account waits for one, except for the probe of an audit trail webhook, which is
part of saving it.
"""

import asyncio
import contextlib
import time
from collections.abc import Callable

import aiohttp

from devenv.simulator.model import signing
from devenv.simulator.model.outbox import Outbox
from devenv.simulator.model.webhooks import Attempt, Delivery
from devenv.simulator.simulator import Simulator

AT_A_TIME = 64
"""Requests under way, to all endpoints together."""

_ANSWER_LIMIT = 64 * 1024


class DeliverySender:
    """Sends what the simulator's outbox has ready; call `wake` when there may be more."""

    def __init__(self, simulator: Simulator, wake: Callable[[], None]) -> None:
        self._simulator = simulator
        self._wake = wake
        self._tasks: set[asyncio.Task[None]] = set()
        self._outbox = simulator.outbox
        self._session: aiohttp.ClientSession | None = None

    async def start(self) -> None:
        """Make ready to send."""
        # Spacelift does not send what aiohttp adds automatically. Proxies of this machine are not
        # for what the account sends.
        self._session = aiohttp.ClientSession(
            connector=aiohttp.TCPConnector(limit=0),
            skip_auto_headers=("Accept", "User-Agent"),
            trust_env=False,
        )

    async def stop(self) -> None:
        """End all requests; what they were to deliver is still pending."""
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        if self._session is not None:
            await self._session.close()

    def send_due(self) -> None:
        """Start to send whatever may be sent."""
        outbox = self._simulator.outbox
        if outbox is not self._outbox:
            # Another account has replaced the one that these are from.
            for task in self._tasks:
                task.cancel()
            self._outbox = outbox
        for delivery in outbox.take(AT_A_TIME - len(self._tasks)):
            task = asyncio.create_task(
                self._deliver(outbox, delivery), name=f"delivery {delivery.id}"
            )
            self._tasks.add(task)
            task.add_done_callback(self._tasks.discard)

    async def probe(self, delivery: Delivery) -> str | None:
        """Send once and return what was wrong; None if the endpoint took it."""
        attempt = await self._post(delivery)
        delivery.attempts.append(attempt)
        self._simulator.outbox.conclude(delivery, is_good=attempt.is_good)
        if attempt.is_good:
            return None
        return attempt.error or f"status {attempt.status}"

    async def _deliver(self, outbox: Outbox, delivery: Delivery) -> None:
        attempt = await self._post(delivery)
        outbox.finish(delivery, attempt, now=self._simulator.clock.now())
        self._simulator.save()
        self._wake()

    async def _post(self, delivery: Delivery) -> Attempt:
        behavior = self._simulator.account.delivery_behavior
        at, started = self._simulator.clock.now(), time.monotonic()
        status, problem = None, None
        try:
            async with asyncio.timeout(behavior.timeout):
                status = await self._send(delivery)
        except TimeoutError:
            problem = "timeout"
        except (aiohttp.ClientError, OSError, ValueError) as error:
            problem = f"{type(error).__name__}: {error}"[:256]
        seconds = time.monotonic() - started
        return Attempt(at=at, seconds=seconds, status=status, error=problem)

    async def _send(self, delivery: Delivery) -> int:
        if self._session is None:
            raise RuntimeError("the sender was not started")
        body = delivery.body.encode()
        headers = signing.headers(delivery, body, self._simulator.account.delivery_behavior)
        async with self._session.request(
            delivery.method, delivery.endpoint, data=body, headers=headers, allow_redirects=False
        ) as response:
            # Read a little of the answer, or the connection could not be used again.
            with contextlib.suppress(aiohttp.ClientPayloadError):
                await response.content.read(_ANSWER_LIMIT)
            return response.status
