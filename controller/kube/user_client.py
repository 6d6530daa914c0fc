"""The connection of a person's tools to the Kubernetes API, on Python's own library alone.

The operator's `client` does the same with the official library, which takes a third of a second
to load and a hundred megabytes to install (ADR 0059). Requests are made in threads that end with
the process, so that Ctrl-C waits for none of them.
"""

import asyncio
import collections
import contextlib
import dataclasses
import http.client
import json
import socket
import threading
from collections.abc import AsyncIterator, Callable, Mapping
from typing import Any, TypeVar
from urllib import parse as urlparse

from controller import outside_text
from controller.config import shell_settings
from controller.kube import api_requests, errors, kubeconfig, user_credentials, user_identity
from controller.kube.user_identity import Identity

Result = TypeVar("Result")

_FAILURES = (OSError, http.client.HTTPException, ValueError)
_SERVICE_ACCOUNT = shell_settings.SERVICE_ACCOUNT_NAMESPACE.parent


class UserClient:
    """Acts as the user of one context of a kubeconfig."""

    def __init__(
        self,
        kubernetes: shell_settings.KubernetesSettings,
        *,
        context: str | None = None,
        request_timeout: float = api_requests.REQUEST_TIMEOUT_SECONDS,
        is_attended: bool = True,
    ) -> None:
        """Connect on the first request.

        Args:
            kubernetes: which kubeconfig.
            context: one of the kubeconfig; by default its current one.
            request_timeout: how long an answer is waited for.
            is_attended: whether there is a user whom an exec plugin may ask.
        """
        self._kubernetes = kubernetes
        self._is_attended = is_attended
        self._context = context
        self._request_timeout = request_timeout
        self._access: _Access | None = None
        self._is_closed = False
        self._loading = threading.Lock()
        self._idle: collections.deque[tuple[Identity, http.client.HTTPConnection]] = (
            collections.deque()
        )

    async def close(self) -> None:
        """Close all connections, and end an exec plugin that still runs."""
        self._is_closed = True
        if self._access is not None:
            self._access.credentials.close()
        while self._idle:
            self._idle.pop()[1].close()

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
        sent = _Request(
            method=method,
            path=f"{path}?{urlparse.urlencode(query)}" if query else path,
            body=None if body is None else json.dumps(body).encode(),
            headers={"Accept": accept, "Content-Type": content_type},
        )
        what = f"{method} {path}"
        identity = await _in_thread(self._identify)
        try:
            return await self._send(what, identity, sent)
        except errors.Unauthenticated:
            # Credentials end early: an exec plugin's token that was withdrawn.
            identity = await _in_thread(lambda: self._identify(instead_of=identity))
            return await self._send(what, identity, sent)

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
        sent = _Request(
            method="GET",
            path=f"{path}?{urlparse.urlencode(query)}",
            headers={"Accept": api_requests.JSON},
        )
        identity = await _in_thread(self._identify)
        try:
            stream = await _in_thread(lambda: _open_stream(what, identity, sent, silence_seconds))
        except errors.Unauthenticated:
            identity = await _in_thread(lambda: self._identify(instead_of=identity))
            stream = await _in_thread(lambda: _open_stream(what, identity, sent, silence_seconds))
        try:
            while line := await _in_thread(lambda: _read_line(what, stream)):
                yield _event_of(what, line)
        finally:
            # A thread may be reading it, which ends that; closing alone would wait for it.
            with contextlib.suppress(OSError):
                stream.carrier.shutdown(socket.SHUT_RDWR)
            stream.response.close()
            stream.carrier.close()

    async def _send(self, what: str, identity: Identity, sent: "_Request") -> api_requests.Json:
        try:
            async with asyncio.timeout(self._request_timeout):
                status, headers, data = await _in_thread(lambda: self._exchange(identity, sent))
        except (*_FAILURES, TimeoutError) as error:
            raise _unreachable(what, error) from error
        return api_requests.read_answer(what, status, headers, data)

    def _exchange(
        self, identity: Identity, sent: "_Request"
    ) -> tuple[int, Mapping[str, str], bytes]:
        # Only what may be sent twice goes over a connection that the other side may have closed.
        kept = self._take_idle(identity) if sent.method == "GET" else None
        if kept is not None:
            try:
                return self._answer(identity, kept, sent)
            except _FAILURES:
                pass  # A new connection shows whether the server is there.
        return self._answer(identity, identity.connect(self._request_timeout), sent)

    def _answer(
        self,
        identity: Identity,
        connection: http.client.HTTPConnection,
        sent: "_Request",
    ) -> tuple[int, Mapping[str, str], bytes]:
        try:
            response = sent.over(connection, identity)
            answer = (response.status, _headers(response), response.read())
        except _FAILURES:
            connection.close()
            raise
        if response.will_close:
            connection.close()
        else:
            self._idle.append((identity, connection))
        return answer

    def _take_idle(self, identity: Identity) -> http.client.HTTPConnection | None:
        while True:
            try:
                known, connection = self._idle.pop()
            except IndexError:
                return None
            if known == identity:
                return connection
            connection.close()

    def _identify(self, *, instead_of: Identity | None = None) -> Identity:
        with self._loading:
            if self._access is None:
                self._access = _read_access(
                    self._kubernetes, self._context, is_attended=self._is_attended
                )
            if self._is_closed:
                # Closed while this thread was reading: nothing may start that no one would end.
                self._access.credentials.close()
        refused = instead_of.credentials if instead_of is not None else None
        return self._access.identity(instead_of=refused)


@dataclasses.dataclass(frozen=True, kw_only=True, slots=True)
class _Request:
    method: str
    path: str
    headers: Mapping[str, str]
    body: bytes | None = None

    def over(
        self, connection: http.client.HTTPConnection, identity: Identity
    ) -> http.client.HTTPResponse:
        self.send(connection, identity)
        return connection.getresponse()

    def send(self, connection: http.client.HTTPConnection, identity: Identity) -> None:
        identity.start(connection, self.method, self.path)
        for name, value in (*self.headers.items(), ("User-Agent", "kubectl-stackchain")):
            connection.putheader(name, value)
        if self.body is not None:
            connection.putheader("Content-Length", str(len(self.body)))
        connection.endheaders(self.body)


@dataclasses.dataclass(kw_only=True, slots=True)
class _Access:
    """One context: its server, and its user's credentials as they are renewed."""

    chosen: kubeconfig.ChosenContext
    credentials: user_credentials.UserCredentials
    known: Identity | None = None

    def identity(self, *, instead_of: user_credentials.Credentials | None) -> Identity:
        if user_identity.is_secret_kept(self.chosen):
            credentials = self.credentials.current(instead_of=instead_of)
        else:
            credentials = user_credentials.NOBODY
        if self.known is None or self.known.credentials is not credentials:
            self.known = user_identity.build(self.chosen, credentials)
        return self.known


def _read_access(
    kubernetes: shell_settings.KubernetesSettings, context: str | None, *, is_attended: bool
) -> _Access:
    file = kubernetes.kubeconfig
    chosen = kubeconfig.choose(file, context) if file is not None else service_account()

    def read_user() -> Mapping[str, Any]:
        # The same context, whichever is the current one by now.
        return kubeconfig.choose(file, chosen.name).user if file is not None else chosen.user

    credentials = user_credentials.UserCredentials(
        chosen, read_user=read_user, is_attended=is_attended
    )
    return _Access(chosen=chosen, credentials=credentials)


def service_account() -> kubeconfig.ChosenContext:
    """Return what a pod knows of its cluster, in the form of a kubeconfig.

    Raises:
        errors.Denied: this is not a pod.
    """
    address = shell_settings.service_address()
    if address is None:
        raise errors.Denied("There is no kubeconfig, and this is not a pod with a service account")
    return kubeconfig.ChosenContext(
        name="",
        namespace=None,
        cluster={
            "server": f"https://{address}",
            "certificate-authority": str(_SERVICE_ACCOUNT / "ca.crt"),
        },
        user={"tokenFile": str(_SERVICE_ACCOUNT / "token")},
    )


@dataclasses.dataclass(frozen=True, kw_only=True, slots=True)
class _Stream:
    carrier: socket.socket
    response: http.client.HTTPResponse


def _open_stream(what: str, identity: Identity, sent: _Request, silence_seconds: float) -> _Stream:
    connection = identity.connect(api_requests.REQUEST_TIMEOUT_SECONDS)
    try:
        sent.send(connection, identity)
        # An answer that says that it is the last one takes the socket away from the connection.
        carrier = connection.sock
        response = connection.getresponse()
        if response.status != 200:
            data = response.read()
            connection.close()
            api_requests.read_answer(what, response.status, _headers(response), data)
            raise errors.ApiUnreachable(f"{what}: {response.status}")
        carrier.settimeout(silence_seconds)
    except _FAILURES as error:
        connection.close()
        raise _unreachable(what, error) from error
    return _Stream(carrier=carrier, response=response)


def _headers(response: http.client.HTTPResponse) -> dict[str, str]:
    """Return the one header that matters, under the name by which it is looked up."""
    pause = response.headers["Retry-After"]
    return {"Retry-After": pause} if pause else {}


def _read_line(what: str, stream: _Stream) -> bytes:
    try:
        return stream.response.readline()
    except _FAILURES as error:
        raise _unreachable(what, error) from error


def _event_of(what: str, line: bytes) -> api_requests.Json:
    if not line.endswith(b"\n"):
        raise errors.ApiUnreachable(f"{what}: the connection broke off")
    try:
        return api_requests.event_of(what, line)
    except ValueError as error:
        raise _unreachable(what, error) from error


def _unreachable(what: str, error: BaseException) -> errors.ApiUnreachable:
    return errors.ApiUnreachable(f"{what}: {outside_text.clean(errors.text_of(error))}")


async def _in_thread(work: Callable[[], Result]) -> Result:
    """Run something that blocks, in a thread that the process does not wait for at its end."""
    loop = asyncio.get_running_loop()
    done: asyncio.Future[Result] = loop.create_future()

    def settle(result: Result | None, error: BaseException | None) -> None:
        if done.done():
            return
        if error is not None:
            done.set_exception(error)
        else:
            done.set_result(result)  # type: ignore[arg-type]

    def run() -> None:
        result: Result | None = None
        failure: BaseException | None = None
        try:
            result = work()
        except BaseException as error:
            failure = error
        # The loop may have ended meanwhile, with its caller.
        with contextlib.suppress(RuntimeError):
            loop.call_soon_threadsafe(settle, result, failure)

    threading.Thread(target=run, daemon=True).start()
    return await done
