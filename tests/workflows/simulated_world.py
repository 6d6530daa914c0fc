"""Chains with the activities as they are shipped, on a simulated account in this process.

Requests to Spacelift are function calls instead of HTTP, so that many chains run side by side in
seconds. The account's time is the wall clock's.
"""

import asyncio
import collections
import contextlib
import json
from collections.abc import Callable, Iterator, Mapping
from typing import Any

import httpx

from controller.config import connections, environment, permissions
from controller.spacelift import account_session, client, own_keys
from controller.temporal import messages, signing
from controller.temporal.activities import (
    earlier_executions,
    earlier_stacks,
    execution_waits,
    run_poller,
    spacelift_clients,
    stack_dependencies,
    stack_operations,
    window_reading,
)
from devenv.simulator.gql import execution, schema
from devenv.simulator.gql.context import Context
from devenv.simulator.simulator import Simulator
from tests.workflows.world import World

ENDPOINT = "https://x.app.spacelift.io"
KEY_ID = "01JKEY00000000000000000001"
SECRET = "secret"


class Counts:
    """Where the activities report to; no test reads it."""

    def run_triggered(self) -> None:
        """Not counted."""

    def run_adopted(self) -> None:
        """Not counted."""

    def trigger_ambiguous(self) -> None:
        """Not counted."""


class Transport(httpx.AsyncBaseTransport):
    """Answers requests from the account, and counts them by the name of their document.

    `answer_delays` delays answers to documents by name; the requests have taken effect by then.
    Answers to the documents that `lost` names never arrive. While `is_served` is not set no request
    arrives, as if there were no worker; `stops_serving_after` has the number of requests by
    document after which that starts.
    """

    def __init__(self, simulator: Simulator) -> None:
        self._simulator = simulator
        self.requests: collections.Counter[str] = collections.Counter()
        self.answer_delays: dict[str, Callable[[Mapping[str, Any]], float]] = {}
        self.lost: set[str] = set()
        self.stops_serving_after: dict[str, int] = {}
        self.is_served = asyncio.Event()
        self.is_served.set()

    def serve(self) -> None:
        """Let requests arrive again, from now on for good."""
        self.stops_serving_after = {}
        self.is_served.set()

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        await self.is_served.wait()
        body = json.loads(request.content)
        name = (
            request.headers.get("Spacelift-GraphQL-Query")
            or request.headers.get("Spacelift-GraphQL-Mutation")
            or "ExchangeToken"
        )
        self.requests[name] += 1
        answer = self._answer(request, body)
        if self.requests[name] == self.stops_serving_after.get(name):
            self.is_served.clear()
        # Others that wait for the account get their turn, as with a network between.
        await asyncio.sleep(self._delay(name, body["variables"]))
        if name in self.lost:
            raise httpx.ReadError("the answer is lost", request=request)
        return httpx.Response(200, json=answer)

    def _delay(self, name: str, variables: Mapping[str, Any]) -> float:
        delay = self.answer_delays.get(name)
        return delay(variables) if delay is not None else 0.005

    def _answer(self, request: httpx.Request, body: dict[str, Any]) -> dict[str, Any]:
        simulator = self._simulator
        simulator.advance()
        definition = schema.load(has_metadata=False)
        context = Context(
            engine=simulator.engine,
            tokens=simulator.tokens,
            key=simulator.tokens.owner(request.headers.get("Authorization")),
            base_url=ENDPOINT,
        )
        response = execution.execute(
            definition,
            simulator.documents.prepare(definition, body["query"]),
            variables=body["variables"],
            operation_name=None,
            context=context,
        )
        simulator.advance()
        return response.body


class SimulatedWorld(World):
    """A simulated account, and the activities of the worker on it."""

    def __init__(
        self,
        document: dict[str, Any],
        *,
        roots: list[str],
        seed: int = 0,
        poll_seconds: float = 0.2,
        limits: stack_operations.WaitLimits | None = None,
    ) -> None:
        super().__init__(roots=roots)
        keys = [{"id": KEY_ID, "secret": SECRET, "role": "admin"}]
        self.simulator = Simulator({"keys": keys, **document}, seed=seed)
        self.transport = Transport(self.simulator)
        api_key = connections.ApiKeySource(
            key_id=environment.Secret(value=KEY_ID), key_secret=environment.Secret(value=SECRET)
        )
        connection = connections.Connection(
            name="default",
            endpoint=ENDPOINT,
            allowed=permissions.Permissions(namespaces=("*",), operations=("Apply",)),
            api_key=api_key,
        )
        spacelift = client.SpaceliftClient(
            account_session.AccountSession(
                endpoint=ENDPOINT, read_api_key=connection.read_api_key, transport=self.transport
            )
        )
        self.spacelift = spacelift_clients.SpaceliftAccount(
            endpoint=ENDPOINT,
            client=spacelift,
            poller=run_poller.RunPoller(spacelift.get_runs, tick_seconds=poll_seconds),
            hold_poller=run_poller.HoldPoller(spacelift.get_stack_holds, tick_seconds=poll_seconds),
            connection=connection,
            own_keys=own_keys.OwnKeys(connection.read_api_key),
        )
        self.signing_keys = signing.SigningKeys()
        self._dependencies = stack_dependencies.StackDependencies(self)  # type: ignore[arg-type]
        self._operations = stack_operations.StackOperations(
            self,  # type: ignore[arg-type]
            limits=limits
            or stack_operations.WaitLimits(adopt_settle=0.5, trigger_grace=2, stop_effect=2),
            counters=Counts(),
            await_turn=self._turn,
            find_earlier=self._find_earlier,
            check_awaited=self._check_awaited,
        )

    @contextlib.contextmanager
    def for_call(self, _: messages.AccountRef) -> Iterator[spacelift_clients.SpaceliftAccount]:
        yield self.spacelift

    for_wait = for_call

    async def _turn(self, argument: messages.AwaitTurnInput) -> messages.AwaitTurnResult:
        assert self._client is not None
        return await execution_waits.TurnWait(self._client, argument, execution_waits.Pace()).wait()

    async def _find_earlier(
        self, argument: messages.FindStackRunInput
    ) -> messages.EarlierRun | None:
        assert self._client is not None
        return await earlier_executions.EarlierExecutions(self._client).find(argument)

    async def _check_awaited(self, first_run_id: str) -> None:
        assert self._client is not None
        await earlier_executions.EarlierExecutions(self._client).check_awaited(first_run_id)

    async def _find_earlier_stacks(
        self, chain: messages.ChainExecutionRef
    ) -> list[messages.EarlierStack]:
        assert self._client is not None
        return await earlier_executions.EarlierExecutions(self._client).find_stacks(chain)

    async def _find_stack_ends(
        self, awaited: list[messages.AwaitedExecution]
    ) -> list[messages.StackEnd]:
        assert self._client is not None
        return await earlier_executions.EarlierExecutions(self._client).find_ends(awaited)

    def calls_queue(self) -> list[Callable[..., Any]]:
        operations = self._operations
        finder = earlier_stacks.EarlierStackFinder(self._find_earlier_stacks, self._find_stack_ends)
        return [
            self._dependencies.fetch_dependent_stacks,
            window_reading.WindowReader().read_windows,
            operations.find_stack_run,
            operations.trigger_stack_run,
            operations.confirm_stack_run,
            operations.stop_stack_run,
            operations.stop_native_runs,
            operations.find_triggered_run,
            finder.find_earlier_stacks,
            finder.find_stack_ends,
        ]

    def follows_queue(self) -> list[Callable[..., Any]]:
        operations = self._operations
        return [
            operations.follow_stack_run,
            operations.await_stack_release,
            operations.await_turn,
        ]

    async def aclose(self) -> None:
        await self.spacelift.poller.aclose()
        await self.spacelift.hold_poller.aclose()
        await self.spacelift.client.aclose()
