"""The receiver role as a process of a simulated world, and the way of deliveries to it.

A delivery may come late, twice, or not at all; whoever sends it may not learn that it came.
"""

import asyncio
from collections.abc import AsyncIterator, Callable, Mapping
from typing import Any, cast

from aiohttp import web

from controller.config import connection_names
from controller.roles import webhook
from controller.webhook.receiver import Receiver
from devenv.simulator.model import signing
from devenv.simulator.model.webhooks import Delivery
from tests.simulation import role_processes
from tests.simulation.role_processes import Parties, Release, RoleProcess
from tests.simulation.temporal.chance import Chance

SECRET = "only-in-simulations"
ENDPOINT = "https://receiver.example" + connection_names.webhook_path(
    connection_names.DEFAULT_CONNECTION
)

# How long these take.
DELIVERY = "webhook delivery"
ANSWER = "webhook answer"

# Whether these happen.
LOST = "webhook delivery lost"
ANSWER_LOST = "webhook answer lost"
DOUBLED = "webhook delivery doubled"
LATE = "webhook delivery late"

_LATE_SECONDS = (3.0, 15.0, 60.0)


class Port:
    """Stands in for the server that listens: takes deliveries by calls."""

    def __init__(self, receiver: Receiver) -> None:
        self.receiver = receiver
        self.is_open = False

    async def start(self) -> None:
        """Listen."""
        self.is_open = True

    async def stop(self) -> None:
        """Take nothing more."""
        self.is_open = False

    async def check(self) -> str | None:
        """Be well."""
        return None


class ReceiverProcess:
    """One receiver; `account.send = receiver.send` has an account's deliveries go there."""

    def __init__(self, parties: Parties, started: RoleProcess) -> None:
        self.started = started
        self.port: Port | None = None
        self._parties = parties

    def open_port(self, _: str, receiver: Receiver) -> Any:
        """Make what listens."""
        self.port = Port(receiver)
        return self.port

    def send(self, delivery: Delivery, answered: Callable[[int | None], None]) -> None:
        """Send a delivery, and report the status of its answer, or that there was none."""
        chance = self._parties.chance
        once = _once(answered)
        account = self._parties.account.simulator.account
        self._later(account.delivery_behavior.timeout, once, None)
        copies = 2 if chance.happens(DOUBLED) else 1
        for _ in range(copies):
            if not chance.happens(LOST):
                self._later(_seconds_on_the_way(chance), self._arrive, delivery, once)

    def _arrive(self, delivery: Delivery, answered: Callable[[int | None], None]) -> None:
        process = self.started.process
        if self.port is None or not self.port.is_open or not process.is_alive:
            answered(None)
            return
        process.start(self._answer(self.port.receiver, delivery, answered))

    async def _answer(
        self,
        receiver: Receiver,
        delivery: Delivery,
        answered: Callable[[int | None], None],
    ) -> None:
        behavior = self._parties.account.simulator.account.delivery_behavior
        body = delivery.body.encode()
        request = _Request(signing.headers(delivery, body, behavior), body)
        response = await receiver.answer(cast(web.Request, request))
        if not self._parties.chance.happens(ANSWER_LOST):
            self._later(self._parties.chance.delay(ANSWER), answered, response.status)

    def _later(self, seconds: float, act: Callable[..., None], *args: Any) -> None:
        loop = self._parties.loop
        loop.call_later(seconds, act, *args, context=loop.world.context)


def start_receiver(
    parties: Parties, release: Release, *, pod: str = "webhook-0", skew_seconds: float = 0.0
) -> ReceiverProcess:
    """Start a receiver; the account's webhook has to have `ENDPOINT` and `SECRET`."""
    started = role_processes.prepare(
        parties,
        release,
        pod=pod,
        skew_seconds=skew_seconds,
        environment={"SPACELIFT_WEBHOOK_SECRET": SECRET},
    )
    receiver = ReceiverProcess(parties, started)
    started.run(lambda: webhook.receive(started.role, new_server=receiver.open_port))
    return receiver


class _Request:
    """What the receiver reads of a request."""

    remote = "203.0.113.7"
    content_type = "application/json"

    def __init__(self, headers: Mapping[str, str], body: bytes) -> None:
        self.headers = headers
        self.content_length = len(body)
        self.match_info = {"connection": connection_names.DEFAULT_CONNECTION}
        self.content = self
        self._body = body

    async def iter_any(self) -> AsyncIterator[bytes]:
        """Give the body, as it comes in a single write."""
        await asyncio.sleep(0)
        yield self._body


def _seconds_on_the_way(chance: Chance) -> float:
    seconds = chance.delay(DELIVERY)
    if chance.happens(LATE):
        seconds += _LATE_SECONDS[chance.pick(len(_LATE_SECONDS))]
    return seconds


def _once(report: Callable[[int | None], None]) -> Callable[[int | None], None]:
    """Let only the first report count."""
    reported = False

    def report_once(status: int | None) -> None:
        nonlocal reported
        if not reported:
            reported = True
            report(status)

    return report_once
