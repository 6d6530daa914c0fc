"""httpx's client without what no account of a simulation answers with, such as cookies."""

import functools
from typing import Any

import httpx


class DirectClient(httpx.AsyncClient):
    """Sends requests, and again if their auth wants it; no redirects, cookies or proxies.

    What httpx does for these takes longer than an account needs to answer.
    """

    def build_request(  # type: ignore[override]
        self, method: str, url: str, *, headers: Any = None, json: Any = None, **_: Any
    ) -> httpx.Request:
        """Return a request with the headers that are its own."""
        extensions = {"timeout": self.timeout.as_dict()}
        return httpx.Request(method, _url(url), headers=headers, json=json, extensions=extensions)

    async def send(  # type: ignore[override]
        self, request: httpx.Request, *, auth: Any = None, **_: Any
    ) -> httpx.Response:
        """Send a request, and send it again as long as its auth wants that."""
        if not isinstance(auth, httpx.Auth):
            return await self._send_once(request)
        flow = auth.async_auth_flow(request)
        try:
            request = await anext(flow)
            while True:
                response = await self._send_once(request)
                try:
                    request = await flow.asend(response)
                except StopAsyncIteration:
                    return response
        finally:
            await flow.aclose()

    async def _send_once(self, request: httpx.Request) -> httpx.Response:
        for hook in self.event_hooks["request"]:
            await hook(request)
        response = await self._transport.handle_async_request(request)
        response.request = request
        for hook in self.event_hooks["response"]:
            await hook(response)
        return response


@functools.cache
def _url(text: str) -> httpx.URL:
    return httpx.URL(text)
