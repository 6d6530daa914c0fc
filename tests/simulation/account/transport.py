"""The way from one process to an account, as the client's transport: delays and losses by chance.

A loss shows as one of httpx's own errors: before the request is sent, after it was carried out, or
only at the client's time-out.
"""

import asyncio

import httpx
import pydantic_core

from tests.simulation import virtual_time
from tests.simulation.account.account_server import AccountServer
from tests.simulation.temporal.chance import Chance

# How long these take.
REQUEST = "spacelift request"
ANSWER = "spacelift answer"
RETRY_AFTER = "spacelift retry after"

# Whether these happen.
UNREACHABLE = "spacelift unreachable"
REQUEST_LOST = "spacelift request lost"
ANSWER_LOST = "spacelift answer lost"
ANSWER_HANGS = "spacelift answer hangs"
ANSWER_CUT_SHORT = "spacelift answer cut short"
THROTTLED = "spacelift throttled"
UNAVAILABLE = "spacelift unavailable"
UNAVAILABLE_AFTERWARDS = "spacelift unavailable afterwards"
TOKENS_REVOKED = "spacelift tokens revoked"
# The same, of requests that create a run.
TRIGGER_UNREACHABLE = "spacelift unreachable for a trigger"
TRIGGER_ANSWER_LOST = "spacelift answer to a trigger lost"
TRIGGER_ANSWER_LATE = "spacelift answer to a trigger late"

_TRIGGER = b"runTrigger("
_LATE_SECONDS = 4.0


class AccountTransport(httpx.AsyncBaseTransport):
    """The connections of one process."""

    def __init__(
        self, loop: virtual_time.VirtualLoop, server: AccountServer, *, chance: Chance
    ) -> None:
        self.is_cut = False
        """No connection is made, and those that are open break."""
        self.sent_at: list[float] = []
        """When requests were sent."""
        self._loop = loop
        self._server = server
        self._chance = chance

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        """Send a request and return its answer."""
        self.sent_at.append(self._loop.time())
        there, back = self._chance.delay(REQUEST), self._chance.delay(ANSWER)
        is_trigger = _TRIGGER in request.content
        if self._is_lost(UNREACHABLE) or (is_trigger and self._chance.happens(TRIGGER_UNREACHABLE)):
            await asyncio.sleep(there)
            raise httpx.ConnectError("All connection attempts failed", request=request)
        if self._chance.happens(REQUEST_LOST):
            await asyncio.sleep(there)
            raise httpx.ReadError("The connection broke", request=request)
        response = await self._loop.exchange(lambda: self._serve(request), there=there, back=back)
        if self._chance.happens(ANSWER_HANGS):
            await asyncio.sleep(request.extensions["timeout"]["read"])
            raise httpx.ReadTimeout("The answer did not come", request=request)
        if is_trigger and self._chance.happens(TRIGGER_ANSWER_LATE):
            await asyncio.sleep(_LATE_SECONDS)
        if self._is_lost(ANSWER_LOST) or (is_trigger and self._chance.happens(TRIGGER_ANSWER_LOST)):
            raise httpx.RemoteProtocolError("The connection broke", request=request)
        return response

    def _is_lost(self, what: str) -> bool:
        return self.is_cut or self._chance.happens(what)

    def _serve(self, request: httpx.Request) -> httpx.Response:
        if self._chance.happens(THROTTLED):
            seconds = round(self._chance.delay(RETRY_AFTER))
            headers = {"Retry-After": str(seconds)} if seconds else {}
            return httpx.Response(429, text="<html>429</html>", headers=headers)
        if self._chance.happens(UNAVAILABLE):
            return httpx.Response(503, text="<html>503</html>")
        if self._chance.happens(TOKENS_REVOKED):
            self._server.simulator.tokens.revoke_all()
        body = self._server.answer(request.headers, request.content)
        if self._chance.happens(UNAVAILABLE_AFTERWARDS):
            return httpx.Response(502, text="<html>502</html>")
        content = pydantic_core.to_json(body)
        if self._chance.happens(ANSWER_CUT_SHORT):
            content = content[: len(content) // 2]
        headers = {"Content-Type": "application/json", "Content-Length": str(len(content))}
        return httpx.Response(200, content=content, headers=headers)
