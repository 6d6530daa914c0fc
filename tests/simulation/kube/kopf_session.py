"""Stands in for aiohttp's session, so that kopf itself runs on the stand-in for the API server.

kopf takes a session from its login handler (`kopf.AiohttpSession`), and uses of it what is here.
"""

import asyncio
import json as json_format
from collections.abc import AsyncIterator, Mapping
from typing import Any
from urllib import parse as urlparse

import aiohttp
import multidict
import yarl

from tests.simulation.kube.link import ApiLink
from tests.simulation.kube.refusals import Answer
from tests.simulation.kube.watch_stream import WatchStream

SERVER = "https://kubernetes"


class KopfSession:
    """One login's session."""

    def __init__(self, link: ApiLink) -> None:
        self.headers: dict[str, str] = {}
        self.closed = False
        self._link = link

    async def request(
        self,
        *,
        method: str,
        url: str,
        json: object | None,
        headers: Mapping[str, str] | None,
        timeout: aiohttp.ClientTimeout,  # noqa: ASYNC109 - as aiohttp has it
    ) -> "Response":
        """Send a request; a watch is answered at once, and then has lines."""
        parts = urlparse.urlsplit(url)
        request = self._link.request(
            method.upper(),
            parts.path,
            query=dict(urlparse.parse_qsl(parts.query)),
            body=None if json is None else json_format.dumps(json).encode(),
            content_type=(headers or {}).get("Content-Type", "application/json"),
        )
        send = self._link.watch if "watch" in request.query else self._link.send
        async with asyncio.timeout(timeout.total or timeout.sock_connect):
            return Response(method, url, await send(request))

    async def close(self) -> None:
        """Close it, as kopf does with credentials that were refused."""
        self.closed = True


class Response:
    """An answer, or a watch."""

    def __init__(self, method: str, url: str, answer: Answer | WatchStream) -> None:
        self.status = answer.status if isinstance(answer, Answer) else 200
        self.headers = answer.headers if isinstance(answer, Answer) else {}
        self.closed = False
        self.content = self
        self._method, self._url = method, url
        self._answer = answer

    async def __aenter__(self) -> "Response":
        return self

    async def __aexit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Close the connection of a watch."""
        self.closed = True
        if isinstance(self._answer, WatchStream):
            self._answer.close()

    async def json(self) -> Any:
        """Return the object of the answer."""
        return json_format.loads(await self.text())

    async def text(self) -> str:
        """Return the answer as text."""
        assert isinstance(self._answer, Answer)
        return self._answer.data.decode()

    async def iter_chunked(self, _: int) -> AsyncIterator[bytes]:
        """Give the lines of a watch as they come."""
        assert isinstance(self._answer, WatchStream)
        async for line in self._answer.lines():
            yield line + b"\n"

    def raise_for_status(self) -> None:
        """Raise what aiohttp raises for a refusal."""
        if self.status >= 400:
            url = yarl.URL(self._url)
            headers: multidict.CIMultiDictProxy[str] = multidict.CIMultiDictProxy(
                multidict.CIMultiDict()
            )
            about = aiohttp.RequestInfo(url, self._method, headers, url)
            raise aiohttp.ClientResponseError(about, (), status=self.status)
