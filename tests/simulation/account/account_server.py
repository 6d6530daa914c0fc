"""A simulated account on virtual time: the simulator's own model behind its own GraphQL API.

What is due in the account happens at its instant, even when no one asks.
"""

import functools
import json
from collections.abc import Callable, Mapping
from typing import Any

from devenv.simulator.gql import documents, execution, schema
from devenv.simulator.gql.context import Context
from devenv.simulator.model.webhooks import Attempt, Delivery
from devenv.simulator.simulator import Simulator
from tests.simulation import virtual_time

Json = dict[str, Any]

API_KEY_ID = "01JKEY00000000000000000001"
API_KEY_SECRET = "secret"
_METADATA_HEADER = "Spacelift-User-Provided-Run-Metadata"
_DELIVERIES_AT_ONCE = 100

Send = Callable[[Delivery, Callable[[int | None], None]], None]
"""Sends a delivery, and calls what it is given with the status of the answer; None for none."""


@functools.cache
def _documents() -> documents.Documents:
    return documents.Documents()


class LoopClock:
    """The account's clock, which is right."""

    is_virtual = False

    def __init__(self, loop: virtual_time.VirtualLoop) -> None:
        self._loop = loop

    def now(self) -> float:
        """Return the true wall time."""
        return self._loop.unix()

    def move(self, _: float) -> float:
        """Refuse: the event loop moves time."""
        raise NotImplementedError("Time passes with the event loop")


class AccountServer:
    """One account, with one API key of ours; `simulator` has its records and its rules."""

    def __init__(
        self,
        loop: virtual_time.VirtualLoop,
        scenario: Mapping[str, Any],
        *,
        name: str = "acme",
    ) -> None:
        """Take what the account has."""
        self.send: Send | None = None
        """Sends the deliveries of webhooks; without it they are lost on their way."""
        self.url = f"https://{name}.app.spacelift.io"
        key = {"id": API_KEY_ID, "secret": API_KEY_SECRET, "role": "admin"}
        keys = [key, *(scenario.get("keys") or [])]
        self.simulator = Simulator(
            {**scenario, "account": name, "keys": keys},
            seed=loop.rng.getrandbits(32),
            clock=LoopClock(loop),
        )
        # The same documents in each world: preparing them takes longer than carrying them out.
        self.simulator.documents = _documents()
        self._loop = loop
        self._wakes_at = float("inf")
        self.advance()

    def answer(self, headers: Mapping[str, str], content: bytes) -> Json:
        """Carry out one request at once, and return the body of its answer."""
        simulator, body = self.simulator, json.loads(content)
        self.advance()
        definition = schema.load(has_metadata=simulator.account.behavior.expose_metadata)
        context = Context(
            engine=simulator.engine,
            tokens=simulator.tokens,
            key=simulator.tokens.owner(headers.get("Authorization")),
            base_url=self.url,
            metadata=headers.get(_METADATA_HEADER),
        )
        response = execution.execute(
            definition,
            simulator.documents.prepare(definition, body["query"]),
            variables=body.get("variables") or {},
            operation_name=body.get("operationName"),
            context=context,
        )
        self.advance()
        return response.body

    def advance(self) -> None:
        """Let what is due happen, and come back when the next thing is."""
        self.simulator.advance()
        self._hand_out_deliveries()
        due = self.simulator.next_due()
        if due is None:
            return
        # Rounded up, or a wake-up may come a moment before what it is for.
        at = max(self._loop.time(), due - virtual_time.EPOCH + 1e-6)
        if at < self._wakes_at:
            self._wakes_at = at
            self._loop.call_at(at, self._wake, at, context=self._loop.world.context)

    def _wake(self, at: float) -> None:
        if at == self._wakes_at:
            self._wakes_at = float("inf")
            self.advance()

    def _hand_out_deliveries(self) -> None:
        outbox = self.simulator.outbox
        while deliveries := outbox.take(_DELIVERIES_AT_ONCE):
            for delivery in deliveries:
                if self.send is None:
                    self._finish(delivery, None)
                else:
                    self.send(delivery, lambda status, sent=delivery: self._answered(sent, status))

    def _answered(self, delivery: Delivery, status: int | None) -> None:
        """Continue with what waits behind a delivery, even when no one asks the account."""
        self._finish(delivery, status)
        self.advance()

    def _finish(self, delivery: Delivery, status: int | None) -> None:
        now = self._loop.unix()
        attempt = Attempt(at=now, seconds=0, status=status, error=None if status else "no answer")
        self.simulator.outbox.finish(delivery, attempt, now=now)
