"""A GraphQL client of a few lines: it sends what a test says and shows what came back."""

import contextlib
from collections.abc import AsyncIterator
from typing import Any

import aiohttp

from devenv.simulator.simulator import Simulator
from devenv.simulator.web.server import Server, serve
from tests.support import waiting

KEY = {"id": "01JKEY0000000000000000000A", "secret": "s3cret"}
READER = {"id": "01JKEYREADER0000000000000", "secret": "r", "role": "reader"}
LOGIN = "mutation ($id: ID!, $secret: String!) { apiKeyUser(id: $id, secret: $secret) { jwt } }"
TRIGGER = "mutation ($s: ID!) { runTrigger(stack: $s) { id state type triggeredBy } }"

Answer = dict[str, Any]


class Wire:
    """A server and a session with it."""

    def __init__(self, server: Server, session: aiohttp.ClientSession) -> None:
        self.server = server
        self.session = session
        self.token: str | None = None

    @property
    def simulator(self) -> Simulator:
        return self.server.simulator

    async def login(self, key: dict[str, Any] | None = None) -> str:
        key = key or KEY
        self.token = None
        answer = await self.ask(LOGIN, id=key["id"], secret=key["secret"])
        self.token = answer["data"]["apiKeyUser"]["jwt"]
        return self.token

    def post(self, document: str, headers: dict[str, str] | None = None, **variables: Any) -> Any:
        sent = dict(headers or {})
        if self.token is not None:
            sent.setdefault("Authorization", f"Bearer {self.token}")
        body = {"query": document, "variables": variables}
        return self.session.post(f"{self.server.url}/graphql", json=body, headers=sent)

    async def ask(
        self, document: str, headers: dict[str, str] | None = None, **variables: Any
    ) -> Answer:
        async with self.post(document, headers, **variables) as response:
            assert response.status == 200
            return await response.json()

    async def data(self, document: str, **variables: Any) -> Answer:
        answer = await self.ask(document, **variables)
        assert "errors" not in answer, answer["errors"]
        return answer["data"]

    async def error(self, document: str, **variables: Any) -> str:
        answer = await self.ask(document, **variables)
        return answer["errors"][0]["message"]

    async def trigger(self, stack: str) -> str:
        return (await self.data(TRIGGER, s=stack))["runTrigger"]["id"]

    async def admin(self, method: str, path: str, body: Any = None, *, status: int = 200) -> Any:
        url = self.server.admin_url + path
        async with self.session.request(method, url, json=body) as response:
            assert response.status == status, await response.text()
            return await response.json()


@contextlib.asynccontextmanager
async def connect(scenario: dict[str, Any], **options: Any) -> AsyncIterator[Wire]:
    """Serve a scenario in this process; both keys are added to it."""
    document = {"keys": [KEY, READER], **scenario}
    async with serve(Simulator(document), **options) as server, connect_to(server) as wire:
        yield wire


@contextlib.asynccontextmanager
async def connect_to(server: Server) -> AsyncIterator[Wire]:
    """Talk to a server that the test made itself."""
    timeout = aiohttp.ClientTimeout(total=20)
    async with aiohttp.ClientSession(timeout=timeout) as session:
        yield Wire(server, session)


async def until_state(wire: Wire, run_id: str, state: str) -> None:
    """Wait for the model to put a run into a state."""
    run = wire.simulator.account.runs[run_id]
    await waiting.eventually(lambda: run.state == state, what=f"run {run_id} is {state}")
