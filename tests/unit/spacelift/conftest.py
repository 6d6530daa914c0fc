"""A Spacelift account in memory, which the client under test reaches through httpx's seam."""

import inspect
import json
from collections.abc import AsyncIterator, Callable
from typing import Any

import httpx
import pytest

from controller.config import connections
from controller.spacelift import account_session, client

KEY_ID = "01K56PKQ8Z3V0000000000000A"
PROXY_VARIABLES = ("HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY", "SSL_CERT_FILE")


class Clock:
    """Wall time that stands still until a test moves it."""

    def __init__(self) -> None:
        self.now = 1_767_225_600.0

    def __call__(self) -> float:
        return self.now


class MountedKey:
    """A credential source whose secret a test can rotate."""

    def __init__(self) -> None:
        self.secret = "first-secret"
        self.reads = 0
        self.error: Exception | None = None

    def __call__(self) -> connections.ApiKey:
        self.reads += 1
        if self.error is not None:
            raise self.error
        return connections.ApiKey(key_id=KEY_ID, secret=self.secret)


class FakeAccount:
    """Answers token exchanges on its own, and everything else from a script, in order.

    A scripted answer is the `data` of an answer, a response, an exception to raise, or a function
    of the request that returns one of these. The last one is repeated.
    """

    def __init__(self, clock: Clock) -> None:
        self.clock = clock
        self.secrets = {"first-secret"}
        self.token_life_seconds = 3600.0
        self.exchange: Any = None
        self.exchanges: list[dict[str, Any]] = []
        self.requests: list[httpx.Request] = []
        self.tokens: list[str] = []
        self.script: list[Any] = []

    async def __call__(self, request: httpx.Request) -> httpx.Response:
        body = json.loads(request.content)
        if "apiKeyUser" in body["query"]:
            assert "Authorization" not in request.headers
            self.exchanges.append(body["variables"])
            return await self._respond(self.exchange or self._exchange, request)
        self.requests.append(request)
        # Noted now, since the client sends the same request object again with another token.
        self.tokens.append(request.headers["Authorization"])
        scripted = self.script.pop(0) if len(self.script) > 1 else self.script[0]
        return await self._respond(scripted, request)

    @property
    def bodies(self) -> list[dict[str, Any]]:
        """What the requests asked, token exchanges left out."""
        return [json.loads(request.content) for request in self.requests]

    def _exchange(self, request: httpx.Request) -> Any:
        if json.loads(request.content)["variables"]["secret"] not in self.secrets:
            return {"apiKeyUser": None}
        valid_until = self.clock() + self.token_life_seconds
        jwt = f"token-{len(self.exchanges)}"
        return {"apiKeyUser": {"jwt": jwt, "validUntil": int(valid_until)}}

    async def _respond(self, scripted: Any, request: httpx.Request) -> httpx.Response:
        if callable(scripted):
            scripted = scripted(request)
            if inspect.isawaitable(scripted):
                scripted = await scripted
        if isinstance(scripted, Exception):
            raise scripted
        if isinstance(scripted, httpx.Response):
            if not scripted.is_closed:
                # It comes in pieces, and only once.
                return scripted
            # A response object belongs to one request; a repeated answer needs a new one.
            return httpx.Response(
                scripted.status_code, headers=scripted.headers, content=scripted.content
            )
        return httpx.Response(200, json={"data": scripted})


@pytest.fixture(autouse=True)
def _no_proxies(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in PROXY_VARIABLES:
        monkeypatch.delenv(name, raising=False)
        monkeypatch.delenv(name.lower(), raising=False)


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def account(clock: Clock) -> FakeAccount:
    return FakeAccount(clock)


@pytest.fixture
def key() -> MountedKey:
    return MountedKey()


@pytest.fixture
def observed() -> list[tuple[str, str]]:
    return []


@pytest.fixture
async def spacelift(
    account: FakeAccount, key: MountedKey, clock: Clock, observed: list[tuple[str, str]]
) -> AsyncIterator[client.SpaceliftClient]:
    """The client under test, connected to `account`."""
    connected = client.SpaceliftClient(
        account_session.AccountSession(
            endpoint="https://acme.app.spacelift.io",
            read_api_key=key,
            transport=httpx.MockTransport(account),
            clock=clock,
            observer=lambda operation, outcome, _seconds: observed.append((operation, outcome)),
        )
    )
    yield connected
    await connected.aclose()


@pytest.fixture
def failure() -> Callable[..., httpx.Response]:
    """Make an answer with an `errors` list."""

    def make(message: str, *path: str | int, data: Any = None) -> httpx.Response:
        error = {"message": message, "path": list(path)}
        return httpx.Response(200, json={"data": data, "errors": [error]})

    return make


@pytest.fixture
def run_json() -> Callable[..., dict[str, Any]]:
    """Make the JSON of a run."""

    def make(run_id: str = "01RUN1", **changes: Any) -> dict[str, Any]:
        return {
            "id": run_id,
            "state": "QUEUED",
            "type": "TRACKED",
            "finished": False,
            "needsApproval": False,
            "triggeredBy": f"api::{KEY_ID}",
            "commit": {"hash": "4f0c2d9"},
        } | changes

    return make


@pytest.fixture
def stack_json() -> Callable[..., dict[str, Any]]:
    """Make the JSON of a stack."""

    def make(stack_id: str, **changes: Any) -> dict[str, Any]:
        return {
            "id": stack_id,
            "name": stack_id.title(),
            "labels": [],
            "isDisabled": False,
            "dependsOn": [],
            "isDependedOnBy": [],
        } | changes

    return make
