"""A server of a kubeconfig, how it is reached, and as whom it is spoken to (ADR 0059)."""

import dataclasses
import http.client
import ipaddress
import ssl
import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any, NoReturn
from urllib import parse as urlparse

from controller.config import shell_settings
from controller.kube import errors, kubeconfig, proxies, user_credentials

Headers = tuple[tuple[str, bytes], ...]


@dataclasses.dataclass(frozen=True, kw_only=True, slots=True)
class Identity:
    """A server, and as whom it is spoken to."""

    server: urlparse.SplitResult
    credentials: user_credentials.Credentials
    headers: Headers = dataclasses.field(repr=False)
    tls: ssl.SSLContext | None
    tls_name: str
    proxy: proxies.Proxy | None

    def connect(self, timeout_seconds: float) -> http.client.HTTPConnection:
        """Return a connection that is made with its first request."""
        host, port = proxies.host_of(self.server), proxies.port_of(self.server)
        if self.tls is not None:
            return _TLSConnection(host, port, timeout=timeout_seconds, identity=self)
        if self.proxy is not None:
            host, port = self.proxy.host, self.proxy.port
        return http.client.HTTPConnection(host, port, timeout=timeout_seconds)

    def start(self, connection: http.client.HTTPConnection, method: str, path: str) -> None:
        """Send the first lines of a request, with the headers that each one has."""
        target = f"{self.server.path.rstrip('/')}{path}"
        is_forwarded = self.proxy is not None and self.tls is None
        name = proxies.authority(proxies.host_of(self.server), self.server.port)
        if is_forwarded:
            target = f"{self.server.scheme}://{name}{target}"
        connection.putrequest(method, target, skip_host=True)
        connection.putheader("Host", name)
        if self.proxy is not None and is_forwarded:
            for header, value in self.proxy.headers.items():
                connection.putheader(header, value)
        for header, content in self.headers:
            connection.putheader(header, content)


class _TLSConnection(http.client.HTTPConnection):
    """Checks the certificate for a name that need not be that of the address, through a proxy."""

    def __init__(self, host: str, port: int, *, timeout: float, identity: Identity) -> None:
        reached = (identity.proxy.host, identity.proxy.port) if identity.proxy else (host, port)
        super().__init__(*reached, timeout=timeout)
        self._server, self._identity = proxies.authority(host, port), identity

    def connect(self) -> None:
        super().connect()
        if self._identity.proxy is not None:
            self._open_tunnel(self._identity.proxy)
        if self._identity.tls is not None:
            self.sock = self._identity.tls.wrap_socket(
                self.sock, server_hostname=self._identity.tls_name
            )

    def _open_tunnel(self, proxy: proxies.Proxy) -> None:
        # The library's own is wrong for IPv6 addresses before Python 3.12.
        lines = [f"CONNECT {self._server} HTTP/1.1", f"Host: {self._server}"]
        lines += [f"{name}: {value}" for name, value in proxy.headers.items()]
        self.sock.sendall("".join(f"{line}\r\n" for line in (*lines, "")).encode())
        answer = http.client.HTTPResponse(self.sock, method="CONNECT")
        try:
            answer.begin()
            if answer.status != 200:
                named = proxies.authority(proxy.host, proxy.port)
                raise OSError(f"the proxy {named} answers {answer.status} {answer.reason}")
        finally:
            # The socket stays: what is closed is the file that the answer was read from.
            answer.close()


def server_of(chosen: kubeconfig.ChosenContext) -> urlparse.SplitResult:
    """Return the address of the server.

    Raises:
        errors.Denied: it is not one.
    """
    what = f"The server of the context {chosen.name!r} in the kubeconfig"
    server = proxies.split(str(chosen.cluster["server"]), what)
    if server.scheme not in ("http", "https"):
        raise errors.Denied(f"{what} is not an address that starts with https://")
    if server.username is not None or server.password is not None:
        raise errors.Denied(
            f"{what} holds a user or password; `username` and `password` of the user are for that"
        )
    return server


def is_secret_kept(chosen: kubeconfig.ChosenContext) -> bool:
    """Return whether what is sent stays secret: by TLS, or because it does not leave the machine.

    As kubectl, which sends no credentials without TLS; it sends none to loopback, either.
    """
    server = server_of(chosen)
    host = proxies.host_of(server)
    try:
        is_loopback = ipaddress.ip_address(host).is_loopback
    except ValueError:
        is_loopback = host == "localhost"
    # Variables name no proxy for loopback, but a kubeconfig may.
    return server.scheme == "https" or (is_loopback and not chosen.cluster.get("proxy-url"))


def build(chosen: kubeconfig.ChosenContext, credentials: user_credentials.Credentials) -> Identity:
    """Return the identity to use with a server.

    Raises:
        errors.Denied: the kubeconfig asks for something impossible; the message says what.
    """
    cluster, server = chosen.cluster, server_of(chosen)
    authorization = credentials.authorization
    found = [("Authorization", authorization)] if authorization else []
    named = str(cluster.get("tls-server-name") or proxies.host_of(server).partition("%")[0])
    return Identity(
        server=server,
        credentials=credentials,
        headers=tuple(
            (name, _header(name, value)) for name, value in (*found, *_impersonation(chosen.user))
        ),
        tls=_tls(cluster, credentials) if server.scheme == "https" else None,
        tls_name=named,
        proxy=proxies.choose(
            server, str(cluster.get("proxy-url") or ""), shell_settings.proxy_environment()
        ),
    )


def _header(name: str, value: str) -> bytes:
    """Return what is sent; the library's refusal would show the token."""
    if not value.isprintable() or (name == "Authorization" and not value.isascii()):
        what = "The token" if name == "Authorization" else f"What is sent as {name}"
        raise errors.Denied(f"{what} has a character that a request header cannot have")
    return value.encode()


def _tls(cluster: Mapping[str, Any], credentials: user_credentials.Credentials) -> ssl.SSLContext:
    authority = kubeconfig.content_of(cluster, "certificate-authority")
    is_unchecked = bool(cluster.get("insecure-skip-tls-verify"))
    if authority and is_unchecked:
        raise errors.Denied(
            "The cluster of the kubeconfig has both a certificate-authority and "
            "insecure-skip-tls-verify; remove one of them"
        )
    try:
        context = ssl.create_default_context(cadata=authority.decode() if authority else None)
        # Authorities of clusters lack what it asks for, and kubectl does not ask for it.
        context.verify_flags &= ~ssl.VERIFY_X509_STRICT
        if is_unchecked:
            context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
        if credentials.certificate is not None:
            _present(context, credentials.certificate, credentials.key)
    except (OSError, ValueError) as error:
        raise errors.Denied(f"A certificate of the kubeconfig cannot be used: {error}") from error
    return context


def _present(context: ssl.SSLContext, certificate: bytes, key: bytes | None) -> None:
    if key is None:
        raise errors.Denied("The user of the kubeconfig has a client-certificate and no client-key")
    # The library reads certificates from files only.
    with tempfile.TemporaryDirectory() as folder:
        pair = Path(folder, "pair.pem")
        pair.touch(mode=0o600)
        pair.write_bytes(certificate + b"\n" + key)
        # Without this the library would ask for it at the terminal.
        context.load_cert_chain(pair, password=_refuse_password)


def _refuse_password() -> NoReturn:
    raise errors.Denied(
        "The client-key of the kubeconfig is encrypted, which kubectl refuses as well"
    )


def _impersonation(user: Mapping[str, Any]) -> list[tuple[str, str]]:
    extra = user.get("as-user-extra") or {}
    found = [
        ("Impersonate-User", user.get("as")),
        ("Impersonate-Uid", user.get("as-uid")),
        *(("Impersonate-Group", group) for group in user.get("as-groups") or ()),
        *(
            (f"Impersonate-Extra-{urlparse.quote(name.lower(), safe='')}", value)
            for name, values in extra.items()
            for value in values
        ),
    ]
    return [(name, str(value)) for name, value in found if value]
