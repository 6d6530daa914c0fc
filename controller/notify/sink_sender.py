"""One POST to a sink, and what its answer means.

No message here names a URL or a secret. aiohttp's client writes no log lines; httpx's would show
the URL, which for many sinks is a secret.
"""

import asyncio
import re
from collections.abc import Callable
from urllib import parse as urlparse
from urllib import request

import aiohttp

from controller import times
from controller.config import environment
from controller.notify import payloads, sinks

_LATER = frozenset({408, 425, 429})
# Slack gives a reason in one word, such as `invalid_payload`; longer texts may quote the request.
_WORD = re.compile(r"[a-z_]{1,64}")
_LONGEST_ANSWER = 256


class SinkError(Exception):
    """The notification was not delivered for sure.

    SinkError
    ├── SinkUnavailable   may pass on its own: no answer, 5xx, 408, 425, 429
    └── SinkRefused       stays until a person acts: other answers, unreadable settings
    """


class SinkUnavailable(SinkError):
    """The sink cannot be reached now, or says so."""

    def __init__(self, message: str, *, retry_after_seconds: float | None = None) -> None:
        """Hold how long the sink asks to be left alone."""
        super().__init__(message)
        self.retry_after_seconds = retry_after_seconds


class SinkRefused(SinkError):
    """The sink does not take it, or this process cannot send it."""


class SinkSender:
    """Sends payloads over one pool of connections; it follows no redirect and keeps no cookie."""

    def __init__(self, *, clock: Callable[[], float]) -> None:
        """Open nothing yet; `clock` gives Unix time, for a Retry-After that is a date."""
        self._clock = clock
        self._session: aiohttp.ClientSession | None = None

    async def aclose(self) -> None:
        """Close the connections."""
        if self._session is not None:
            await self._session.close()

    async def deliver(self, sink: sinks.Sink, payload: payloads.Payload) -> None:
        """Send a payload.

        Raises:
            SinkUnavailable: try again later.
            SinkRefused: trying again helps only after a person has changed something.
        """
        try:
            target = sink.read_target()
        except environment.SettingsError as error:
            raise SinkRefused("; ".join(error.problems)) from None
        try:
            async with asyncio.timeout(sink.timeout_seconds):
                await self._post(target, payload)
        except TimeoutError:
            raise SinkUnavailable(f"no answer within {sink.timeout_seconds} s") from None
        except ValueError:
            # A URL that only looks like one; the text would quote it.
            raise SinkRefused("its URL cannot be used") from None
        except (aiohttp.ClientError, OSError) as error:
            # Its text has the host, and its cause the URL: the kind has to do. No chaining either,
            # since Temporal stores causes.
            raise SinkUnavailable(f"no connection ({_kind(error)})") from None

    async def _post(self, target: sinks.SinkTarget, payload: payloads.Payload) -> None:
        async with self._open().post(
            target.url,
            data=payload.body,
            headers={**target.headers, **payload.headers},
            allow_redirects=False,
            proxy=_proxy_of(target.url),
        ) as response:
            if response.status // 100 == 2:
                return
            await self._refuse(response, target)

    async def _refuse(self, response: aiohttp.ClientResponse, target: sinks.SinkTarget) -> None:
        says = f"HTTP {response.status}"
        if response.status in _LATER or response.status >= 500:
            pause = times.retry_after_seconds(
                response.headers.get("Retry-After"), now=self._clock()
            )
            raise SinkUnavailable(says, retry_after_seconds=pause)
        text = (await response.content.read(_LONGEST_ANSWER)).decode(errors="replace").strip()
        secrets = " ".join((target.url, *target.headers.values()))
        is_plain = _WORD.fullmatch(text) and text not in secrets
        raise SinkRefused(f"{says} {text}" if is_plain else says)

    def _open(self) -> aiohttp.ClientSession:
        # Made in the loop that uses it.
        if self._session is None:
            self._session = aiohttp.ClientSession(
                connector=aiohttp.TCPConnector(limit=0),
                cookie_jar=aiohttp.DummyCookieJar(),
                timeout=aiohttp.ClientTimeout(total=None),
                headers={"User-Agent": "stackchain"},
                # Only a little of an answer is read, and nothing of a compressed one.
                auto_decompress=False,
            )
        return self._session


def _proxy_of(url: str) -> str | None:
    """Return the proxy that the environment names for a URL, as for requests to Spacelift.

    Not left to aiohttp, which would look for credentials in a `.netrc` as well.
    """
    parts = urlparse.urlsplit(url)
    if request.proxy_bypass(parts.netloc):
        return None
    return request.getproxies().get(parts.scheme)


def _kind(error: BaseException) -> str:
    """Return what kind of failure it is, in the words of its class and the system's error name."""
    cause = error.os_error if isinstance(error, aiohttp.ClientConnectorError) else error
    name = type(error).__name__
    return f"{name}, {type(cause).__name__}" if cause is not error else name
