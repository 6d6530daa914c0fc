"""Puts a valid token on every request: exchanges the API key, renews in time and on refusal.

The secret is read again for each exchange, since a mounted Secret may have been rotated and since
the secret of an OIDC key is itself a token that expires.
"""

import asyncio
import dataclasses
from collections.abc import AsyncGenerator, Awaitable, Callable
from typing import Any

import httpx

from controller import outside_text
from controller.config import connections, settings
from controller.spacelift import answers, documents, errors, unreachable

_MARGIN_SECONDS = 30.0
_MARGIN_SHARE = 0.05

# Used when `validUntil` is missing or already past by our clock. A wrong clock must not cost an
# exchange per request; if the token really is over, Spacelift says so and it is renewed then.
_UNKNOWN_LIFE_SECONDS = 60.0


ReadApiKey = Callable[[], connections.ApiKey]
"""Returns the API key as it is now; raises SettingsError if there is none or it cannot be read."""


@dataclasses.dataclass(frozen=True, kw_only=True, slots=True)
class Token:
    """A token and the moment from which on it is to be renewed."""

    jwt: str = dataclasses.field(repr=False)
    renew_at: float


def renewal_time(*, obtained_at: float, valid_until: float | None) -> float:
    """Return when to renew a token: 30 s or 5 % of its life before its end, at its half at most."""
    life = (valid_until or 0) - obtained_at
    if life <= 0:
        life = _UNKNOWN_LIFE_SECONDS
    margin = min(max(_MARGIN_SECONDS, _MARGIN_SHARE * life), life / 2)
    return obtained_at + life - margin


class TokenCache:
    """Holds the one token of a connection; at most one exchange is under way at any moment."""

    def __init__(
        self, *, exchange: Callable[[], Awaitable[Token]], clock: Callable[[], float]
    ) -> None:
        """Take the way to get a token and the wall clock, since `validUntil` is wall time."""
        self._exchange = exchange
        self._clock = clock
        self._token: Token | None = None
        self._renewal: asyncio.Task[Token] | None = None

    async def get(self, *, rejected: str | None = None) -> str:
        """Return a token; not the rejected one, which Spacelift has just refused."""
        token = self._token
        if token is not None and token.jwt != rejected and self._clock() < token.renew_at:
            return token.jwt
        if self._renewal is None:
            # A separate task, so that all who wait share its failure too: if each tried in turn, a
            # dead endpoint would cost each of them a time-out. And a canceled caller does not
            # cancel it for the others.
            self._renewal = asyncio.create_task(self._renew())
            self._renewal.add_done_callback(self._end_renewal)
        return (await asyncio.shield(self._renewal)).jwt

    async def aclose(self) -> None:
        """Give up an exchange that is under way."""
        if self._renewal is not None:
            self._renewal.cancel()
            await asyncio.wait([self._renewal])

    async def _renew(self) -> Token:
        self._token = None
        self._token = await self._exchange()
        return self._token

    def _end_renewal(self, renewal: asyncio.Task[Token]) -> None:
        self._renewal = None
        # Read the exception, so that asyncio does not log a failure that no one was left to wait
        # for.
        if not renewal.cancelled():
            renewal.exception()


class TokenAuth(httpx.Auth):
    """Sends a request with the token, and once more with a fresh one if that one was refused.

    That is safe for mutations too: a refused token means that nothing was carried out.
    """

    def __init__(self, tokens: TokenCache, *, renews: bool = True) -> None:
        """Take the token cache; without `renews` a refused token is the answer."""
        self._tokens = tokens
        self._renews = renews

    async def async_auth_flow(
        self, request: httpx.Request
    ) -> AsyncGenerator[httpx.Request, httpx.Response]:
        """Yield the request once or twice."""
        jwt = await self._tokens.get()
        request.headers["Authorization"] = f"Bearer {jwt}"
        response = yield request
        if not self._renews:
            return
        await response.aread()
        if _shows_refused_token(response):
            jwt = await self._tokens.get(rejected=jwt)
            request.headers["Authorization"] = f"Bearer {jwt}"
            yield request


async def exchange_token(
    http: httpx.AsyncClient, url: str, read_api_key: ReadApiKey, *, clock: Callable[[], float]
) -> Token:
    """Exchange the API key for a token.

    Raises:
        CredentialsRejected: If Spacelift does not accept the key, or it cannot be read.
        RateLimited: On HTTP 429.
        SpaceliftRefused: If Spacelift answers with any other error.
        Unreachable: On everything else. Whatever happens here, the request that needs the token was
            not sent.
    """
    key = _read(read_api_key)
    what = f"token exchange for API key {key.key_id}"
    variables = {"id": key.key_id, "secret": key.secret}
    body = {"query": documents.EXCHANGE_TOKEN.text, "variables": variables}
    # Before the request, so that a slow answer makes the token look older rather than younger.
    obtained_at = clock()
    try:
        with answers.transport_errors(what, url=httpx.URL(url)):
            # Spacelift's own clients put none of their headers on this one.
            response = await http.send(http.build_request("POST", url, json=body), auth=None)
        return read_token(response, key, what=what, obtained_at=obtained_at)
    except errors.AmbiguousOutcome as error:
        host = httpx.URL(url).host
        hint = unreachable.unread_hint(error.__cause__, httpx.URL(url))
        message = f"{what}: no readable answer from {host}{hint}; nothing else was sent; try again"
        if error.is_foreign:
            message = (
                f"{error.message}; {host} does not seem to be a Spacelift account: check the "
                "connection's endpoint, and the proxies in front of it"
            )
        raise errors.Unreachable(message) from error


def read_token(
    response: httpx.Response, key: connections.ApiKey, *, what: str, obtained_at: float
) -> Token:
    """Return the token that an exchange answered with."""
    answer = answers.read_answer(response, what=what, now=obtained_at, hide=(key.secret,))
    user: Any = answer.data.get("apiKeyUser")
    if answer.is_unauthenticated or any(e.is_unauthorized for e in answer.errors):
        raise _rejected(what)
    if any(e.is_server_fault for e in answer.errors):
        message = f"{what}: Spacelift fails to do it; nothing else was sent; try again"
        raise errors.Unreachable(message)
    if answer.errors:
        says = outside_text.clean(answer.errors[0].message, hide=(key.secret,))
        message = f"{what}: Spacelift says {says!r}; check the key id and secret of the connection"
        raise errors.SpaceliftRefused(message)
    # An unknown key id is answered with null instead of an error.
    if user is None:
        raise _rejected(what)
    with answers.readable(what):
        if not user["jwt"]:
            raise _rejected(what)
        return Token(
            jwt=str(user["jwt"]),
            renew_at=renewal_time(obtained_at=obtained_at, valid_until=user.get("validUntil")),
        )


def _rejected(what: str) -> errors.CredentialsRejected:
    return errors.CredentialsRejected(
        f"{what}: Spacelift rejects the key; check the key id and secret of the connection"
    )


def _read(read_api_key: ReadApiKey) -> connections.ApiKey:
    try:
        key = read_api_key()
    except settings.SettingsError as error:
        says = outside_text.clean(str(error))
        message = f"the API key cannot be read: {says}; check the connection's secret files"
        raise errors.CredentialsRejected(message) from error
    return key


def _shows_refused_token(response: httpx.Response) -> bool:
    try:
        return answers.read_answer(response, what="", now=0).needs_new_token
    except errors.SpaceliftError:
        return False
