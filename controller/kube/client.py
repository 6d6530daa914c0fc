"""One asynchronous connection to the Kubernetes API; `stackchains` and `lease` speak through it.

It sends plain JSON objects through the official client's configuration, authentication and
connection pool. It retries nothing except once after renewing credentials.
"""

import asyncio
import logging
from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from urllib import parse as urlparse

import aiohttp
import yaml
from kubernetes.aio import client as kube_client
from kubernetes.aio import config as kube_config

from controller import outside_text
from controller.config import parsing, settings
from controller.kube import api_requests, errors
from controller.kube import kubeconfig as kubeconfig_files

logger = logging.getLogger(__name__)


_UNUSABLE_KUBECONFIG = (kube_config.ConfigException, yaml.YAMLError, OSError, ValueError)
# The library takes whatever YAML the file holds for a map of lists of maps.
_NO_KUBECONFIG = (TypeError, KeyError, AttributeError)


@dataclass(frozen=True, kw_only=True, slots=True)
class Access:
    """How to reach the API server, for those who use their own client."""

    server: str
    ca_file: str | None
    is_verified: bool
    authorization: str | None
    """Scheme and token, as the header has them."""
    username: str | None
    password: str | None
    certificate_file: str | None
    key_file: str | None
    proxy: str | None


class KubeClient:
    """Holds working credentials: a service account's token is read again as it is rotated."""

    def __init__(
        self,
        kubernetes: settings.KubernetesSettings,
        *,
        request_timeout: float = api_requests.REQUEST_TIMEOUT_SECONDS,
        token: str | None = None,
    ) -> None:
        """Connect on the first request.

        Args:
            kubernetes: where the API server is, and with which credentials.
            request_timeout: seconds for one request.
            token: a bearer token instead of all these credentials.
        """
        self._token = token
        self._kubeconfig = kubernetes.kubeconfig
        self._request_timeout = request_timeout
        self._api: kube_client.ApiClient | None = None
        self._retired: kube_client.ApiClient | None = None
        self._loading = asyncio.Lock()

    async def load_credentials(self) -> None:
        """Read the credentials without asking the API server.

        Raises:
            errors.Denied: There are none, or they cannot be read.
        """
        await self._connected()

    async def close(self) -> None:
        """Close all connections."""
        closing, self._api, self._retired = (self._api, self._retired), None, None
        for api in closing:
            await _close(api)

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
        api = await self._connected()
        headers = {"Accept": accept, "Content-Type": content_type}
        sent = (self._request_timeout, method, path, query, body, headers)
        try:
            return await _send(api, *sent)
        except errors.Unauthenticated:
            # Credentials end: an exec plugin's token, a service account token after a long sleep.
            pass
        return await _send(await self._connected(instead_of=api), *sent)

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
        api = await self._connected()
        try:
            response = await _open_stream(api, path, query, silence_seconds)
        except errors.Unauthenticated:
            api = await self._connected(instead_of=api)
            response = await _open_stream(api, path, query, silence_seconds)
        try:
            while line := await response.content.readline():
                event = [api_requests.event_of(f"GET {path}", line)]
                # Up to a megabyte, and the event several, until the next one comes.
                del line
                yield event.pop()
        except (aiohttp.ClientError, OSError, ValueError, TimeoutError) as error:
            reason = outside_text.clean(errors.text_of(error))
            raise errors.ApiUnreachable(f"GET {path}: {reason}") from error
        finally:
            response.close()

    async def _connected(
        self, *, instead_of: kube_client.ApiClient | None = None
    ) -> kube_client.ApiClient:
        # One at a time: an exec plugin may open a browser, and must not do so per request.
        async with self._loading:
            if self._api is None or self._api is instead_of:
                configuration = await _load(self._kubeconfig)
                if self._token is not None:
                    _replace_credentials(configuration, self._token)
                renewed = kube_client.ApiClient(configuration)
                renewed.user_agent = "stackchain"
                # The refused one may still have requests under way; the one before has not.
                await _close(self._retired)
                self._api, self._retired = renewed, self._api
            return self._api


async def read_access(kubernetes: settings.KubernetesSettings) -> Access:
    """Read the credentials as `KubeClient` does, which then reaches the same server by that name.

    Raises:
        errors.Denied: there are none, or they cannot be read.
    """
    configuration = await _load(kubernetes.kubeconfig)
    return Access(
        server=configuration.host,
        ca_file=configuration.ssl_ca_cert,
        is_verified=bool(configuration.verify_ssl),
        authorization=await configuration.get_api_key_with_prefix("BearerToken"),
        username=configuration.username or None,
        password=configuration.password or None,
        certificate_file=configuration.cert_file,
        key_file=configuration.key_file,
        proxy=configuration.proxy,
    )


def _replace_credentials(configuration: kube_client.Configuration, token: str) -> None:
    """Keep only where the server is and the token: each request belongs to this token."""
    configuration.refresh_api_key_hook = None
    configuration.api_key = {"BearerToken": f"Bearer {token}"}
    configuration.api_key_prefix = {}
    configuration.username = configuration.password = ""
    configuration.cert_file = configuration.key_file = None


async def _close(api: kube_client.ApiClient | None) -> None:
    if api is not None:
        await api.close()  # type: ignore[no-untyped-call]


async def _load(kubeconfig: Path | None) -> kube_client.Configuration:
    configuration = kube_client.Configuration()
    try:
        if kubeconfig is None and (why := _load_service_account(configuration)) is not None:
            kubeconfig = kubeconfig_files.DEFAULT_KUBECONFIG
            if not parsing.below_home(kubeconfig).exists():
                raise _no_access(f"{why.rstrip('.')}, and there is no {kubeconfig}")
        if kubeconfig is not None:
            await kube_config.load_kube_config(  # type: ignore[no-untyped-call]
                str(kubeconfig),
                client_configuration=configuration,
                persist_config=False,
            )
    except _UNUSABLE_KUBECONFIG as error:
        raise _no_access(str(error)) from error
    except _NO_KUBECONFIG as error:
        raise _no_access(f"{kubeconfig} is not a kubeconfig") from error
    return configuration


def _no_access(why: str) -> errors.Denied:
    lines = outside_text.clean(why)
    return errors.Denied(
        f"No access to a Kubernetes API: {lines.removesuffix('.')}. Set KUBECONFIG, or run in a "
        "pod with a service account token"
    )


def _load_service_account(configuration: kube_client.Configuration) -> str | None:
    """Take the pod's service account; returns why that cannot be done."""
    try:
        # Leaves a hook in the configuration, which reads a rotated token every minute.
        kube_config.load_incluster_config(configuration)  # type: ignore[no-untyped-call]
    except kube_config.ConfigException as error:
        return str(error)
    return None


async def _send(
    api: kube_client.ApiClient,
    timeout_seconds: float,
    method: api_requests.Method,
    path: str,
    query: Mapping[str, str] | None,
    body: api_requests.Json | None,
    header_params: Mapping[str, str],
) -> api_requests.Json:
    what = f"{method} {path}"
    try:
        async with asyncio.timeout(timeout_seconds):
            _, url, headers, _, _ = await api.param_serialize(
                method,
                path,
                header_params=dict(header_params),
                auth_settings=["BearerToken"],
            )
            if query:
                url = f"{url}?{urlparse.urlencode(query)}"
            response = await api.rest_client.request(  # type: ignore[no-untyped-call]
                method, url, headers=headers, body=body
            )
            data = await response.read()
    except (aiohttp.ClientError, kube_config.ConfigException, OSError, TimeoutError) as error:
        reason = outside_text.clean(errors.text_of(error))
        raise errors.ApiUnreachable(f"{what}: {reason}") from error
    return api_requests.read_answer(what, response.status, response.headers, data)


async def _open_stream(
    api: kube_client.ApiClient, path: str, query: Mapping[str, str], silence_seconds: float
) -> aiohttp.ClientResponse:
    what = f"GET {path}"
    timeout = aiohttp.ClientTimeout(
        sock_connect=api_requests.REQUEST_TIMEOUT_SECONDS, sock_read=silence_seconds
    )
    try:
        _, url, headers, _, _ = await api.param_serialize(
            "GET", path, header_params={"Accept": api_requests.JSON}, auth_settings=["BearerToken"]
        )
        answer = await api.rest_client.request(  # type: ignore[no-untyped-call]
            "GET",
            f"{url}?{urlparse.urlencode(query)}",
            headers=headers,
            _request_timeout=timeout,
        )
        response: aiohttp.ClientResponse = answer.response
        if response.status != 200:
            data = await response.read()
            api_requests.read_answer(what, response.status, response.headers, data)
            raise errors.ApiUnreachable(f"{what}: {response.status}")
    except (aiohttp.ClientError, kube_config.ConfigException, OSError, TimeoutError) as error:
        reason = outside_text.clean(errors.text_of(error))
        raise errors.ApiUnreachable(f"{what}: {reason}") from error
    return response
