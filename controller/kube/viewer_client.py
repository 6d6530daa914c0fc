"""Connections to the Kubernetes API for many people at once, each with their own bearer token.

The operator's `client` takes 20 MiB for the official library, and another half MiB for each viewer,
since each one reads the certificates and has its own pool. Here they share both. Each request has
its own token, which is all that the API server knows a person by (ADR 0060).
"""

import contextlib
import dataclasses
import json
from collections.abc import AsyncIterator, Mapping
from urllib import parse as urlparse

import aiohttp
import yarl

from controller import clock, outside_text
from controller.config import parsing, shell_settings
from controller.kube import (
    api_requests,
    errors,
    kubeconfig,
    proxies,
    user_client,
    user_credentials,
    user_identity,
)

# Certificates are replaced while the process runs; until they are, they are not read again.
_KNOWN_SECONDS = 60.0
# A line of a watch is a whole object, and etcd takes 1.5 MiB as one; the library takes twice this.
_LINE_BYTES = 2 * 2**20
_FAILURES = (aiohttp.ClientError, OSError, TimeoutError, ValueError)


@dataclasses.dataclass(frozen=True, kw_only=True, slots=True)
class _Place:
    """Where the API server is, and how to recognize the right one."""

    source: tuple[kubeconfig.ChosenContext, bytes | None]
    identity: user_identity.Identity


class ApiServer:
    """Where the API server is, and the connections that all viewers share."""

    def __init__(
        self,
        kubernetes: shell_settings.KubernetesSettings,
        *,
        request_timeout: float = api_requests.REQUEST_TIMEOUT_SECONDS,
    ) -> None:
        """Connect on the first request."""
        self._kubernetes = kubernetes
        self.request_timeout = request_timeout
        self._session: aiohttp.ClientSession | None = None
        self._place: _Place | None = None
        self._read_at = 0.0

    async def close(self) -> None:
        """Close all connections."""
        session, self._session = self._session, None
        if session is not None:
            await session.close()

    def session(self) -> aiohttp.ClientSession:
        """Return what requests are sent through."""
        if self._session is None:
            self._session = aiohttp.ClientSession(
                # The code that lets viewers in limits how many there are.
                connector=aiohttp.TCPConnector(limit=0),
                # Cookies of one viewer must not be sent with the requests of another one.
                cookie_jar=aiohttp.DummyCookieJar(),
                headers={"User-Agent": "stackchain"},
                skip_auto_headers=("Content-Type",),
            )
        return self._session

    def identity(self) -> user_identity.Identity:
        """Return where to send requests.

        Raises:
            errors.Denied: that cannot be known, or tokens would be sent in the clear.
        """
        now = clock.monotonic()
        if self._place is None or now - self._read_at > _KNOWN_SECONDS:
            self._place, self._read_at = self._read_place(), now
        return self._place.identity

    def _read_place(self) -> _Place:
        chosen = _chosen(self._kubernetes)
        source = (chosen, kubeconfig.content_of(chosen.cluster, "certificate-authority"))
        if self._place is not None and self._place.source == source:
            return self._place
        if not user_identity.is_secret_kept(chosen):
            raise errors.Denied("The API server is not reached by https://, so no token is sent")
        identity = user_identity.build(chosen, user_credentials.NOBODY)
        return _Place(source=source, identity=identity)


def _chosen(kubernetes: shell_settings.KubernetesSettings) -> kubeconfig.ChosenContext:
    file = kubernetes.kubeconfig
    if file is None and shell_settings.service_address() is None:
        file = parsing.below_home(kubeconfig.DEFAULT_KUBECONFIG)
    chosen = kubeconfig.choose(file, None) if file is not None else user_client.service_account()
    # Send nothing of it: every request belongs to the viewer alone.
    return dataclasses.replace(chosen, user={})


class ViewerClient:
    """Sends requests with one token and no other credentials."""

    def __init__(self, server: ApiServer, token: str) -> None:
        """Connect on the first request."""
        self._server = server
        self._authorization = f"Bearer {token}"

    async def close(self) -> None:
        """Do nothing: connections belong to all viewers."""

    async def request(
        self,
        method: api_requests.Method,
        path: str,
        *,
        query: Mapping[str, str] | None = None,
        body: api_requests.Json | None = None,
        content_type: str = api_requests.JSON,
        accept: str = api_requests.JSON,
    ) -> api_requests.Json:
        """Send one request and return the object of the answer.

        Raises:
            errors.KubeError: in one of its forms.
        """
        what = f"{method} {path}"
        timeout = aiohttp.ClientTimeout(total=self._server.request_timeout)
        headers = {"Accept": accept, "Content-Type": content_type}
        data = None if body is None else json.dumps(body).encode()
        try:
            async with self._sent(method, path, query, headers, timeout, data) as response:
                answer = await response.read()
        except _FAILURES as error:
            raise _unreachable(what, error) from error
        return api_requests.read_answer(what, response.status, response.headers, answer)

    async def watch(
        self, path: str, *, query: Mapping[str, str], silence_seconds: float
    ) -> AsyncIterator[api_requests.Json]:
        """Yield the events of a watch, until the API server ends it.

        Args:
            path: what is watched.
            query: how.
            silence_seconds: without a byte for so long the connection counts as lost.

        Raises:
            errors.KubeError: in one of its forms.
        """
        what = f"GET {path}"
        timeout = aiohttp.ClientTimeout(
            sock_connect=api_requests.REQUEST_TIMEOUT_SECONDS, sock_read=silence_seconds
        )
        headers = {"Accept": api_requests.JSON}
        try:
            async with self._sent("GET", path, query, headers, timeout) as response:
                if response.status != 200:
                    data = await response.read()
                    api_requests.read_answer(what, response.status, response.headers, data)
                    raise errors.ApiUnreachable(f"{what}: {response.status}")
                while line := await response.content.readline():
                    event = [api_requests.event_of(what, line)]
                    # Up to a megabyte, and the event several, until the next one comes.
                    del line
                    yield event.pop()
        except _FAILURES as error:
            raise _unreachable(what, error) from error

    def _sent(
        self,
        method: str,
        path: str,
        query: Mapping[str, str] | None,
        headers: Mapping[str, str],
        timeout: aiohttp.ClientTimeout,
        data: bytes | None = None,
    ) -> contextlib.AbstractAsyncContextManager[aiohttp.ClientResponse]:
        identity = self._server.identity()
        target = f"{proxies.shown(identity.server)}{identity.server.path.rstrip('/')}{path}"
        if query:
            target = f"{target}?{urlparse.urlencode(query)}"
        return self._server.session().request(
            method,
            # Unchanged: what is quoted stays so.
            yarl.URL(target, encoded=True),
            headers={**headers, "Authorization": self._authorization},
            data=data,
            timeout=timeout,
            # A token is for no one else.
            allow_redirects=False,
            ssl=identity.tls if identity.tls is not None else True,
            server_hostname=identity.tls_name if identity.tls is not None else None,
            proxy=identity.proxy.address if identity.proxy is not None else None,
            read_bufsize=_LINE_BYTES,
        )


def _unreachable(what: str, error: BaseException) -> errors.ApiUnreachable:
    return errors.ApiUnreachable(f"{what}: {outside_text.clean(errors.text_of(error))}")
