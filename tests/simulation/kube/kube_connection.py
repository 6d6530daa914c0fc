"""Stands in for `controller.kube.client.KubeClient`: its answers and errors, on virtual time."""

import asyncio
from collections.abc import Mapping
from typing import Any

import aiohttp
import pydantic_core

from controller.kube import api_requests, errors
from tests.simulation.kube import routes
from tests.simulation.kube.link import ApiLink
from tests.simulation.kube.refusals import Answer

Json = dict[str, Any]


class KubeConnection:
    """Asks as `KubeClient` does: 10 seconds for an answer, and once more with new credentials."""

    def __init__(
        self, link: ApiLink, *, request_timeout: float = api_requests.REQUEST_TIMEOUT_SECONDS
    ) -> None:
        self._link = link
        self._request_timeout = request_timeout

    async def load_credentials(self) -> None:
        """Have them."""

    async def close(self) -> None:
        """Keep nothing open."""

    async def request(
        self,
        method: api_requests.Method,
        path: str,
        *,
        query: Mapping[str, str] | None = None,
        body: Json | None = None,
        content_type: str = api_requests.JSON,
        accept: str = api_requests.JSON,
    ) -> Json:
        """Send one request and return the object of the answer.

        Raises:
            errors.KubeError: in one of its forms.
        """
        sent = self._link.request(
            method,
            path,
            query=dict(query or {}),
            body=None if body is None else pydantic_core.to_json(body),
            content_type=content_type,
            accept=accept,
        )
        what = f"{method} {path}"
        answer = await self._send(what, sent)
        if answer.status == 401:
            answer = await self._send(what, sent)
        return api_requests.read_answer(what, answer.status, answer.headers, answer.data)

    async def _send(self, what: str, request: routes.Request) -> Answer:
        try:
            async with asyncio.timeout(self._request_timeout):
                return await self._link.send(request)
        except (aiohttp.ClientError, TimeoutError) as error:
            raise errors.ApiUnreachable(f"{what}: {errors.text_of(error)}") from error
