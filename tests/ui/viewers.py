"""A browser that looks at the page, as far as HTTP goes."""

import contextlib
import json
from collections.abc import AsyncIterator
from typing import Any

import aiohttp

from controller.ui import session_guard


@contextlib.asynccontextmanager
async def viewer(address: str) -> AsyncIterator[aiohttp.ClientSession]:
    """A browser that has opened the address."""
    jar = aiohttp.CookieJar(unsafe=True)  # Also for an address without a name.
    async with aiohttp.ClientSession(cookie_jar=jar) as session:
        async with session.get(address) as answer:
            assert answer.status == 200
            session.headers[session_guard.KEY_HEADER] = key_of(await answer.text())
        yield session


def key_of(entrance: str) -> str:
    """The key that a browser is given in the fragment of where it is led to."""
    return entrance.partition("#key=")[2].partition('"')[0]


def origin(address: str) -> str:
    return address.partition("/?")[0]


class Stream:
    """Server-sent events as a browser reads them."""

    def __init__(self, answer: aiohttp.ClientResponse) -> None:
        self._answer = answer

    async def next(self) -> tuple[str, Any]:
        name = ""
        while True:
            received = await self._answer.content.readline()
            if not received:
                raise EOFError
            line = received.decode().rstrip("\n")
            if line.startswith("event: "):
                name = line.removeprefix("event: ")
            elif line.startswith("data: "):
                return name, json.loads(line.removeprefix("data: "))

    async def until_solved(self) -> None:
        """Read until there is no problem any more; its words may change meanwhile."""
        while (await self.until("problem"))["text"]:
            pass

    async def until(self, name: str) -> Any:
        while True:
            found, data = await self.next()
            if found == name:
                return data


@contextlib.asynccontextmanager
async def streaming(
    session: aiohttp.ClientSession, address: str, path: str = "api/stream"
) -> AsyncIterator[Stream]:
    timeout = aiohttp.ClientTimeout(total=None, sock_read=120)
    async with session.get(f"{origin(address)}/{path}", timeout=timeout) as answer:
        assert answer.status == 200
        yield Stream(answer)
