"""How the plugin's connection speaks HTTP: to a server of the test that reports what it got."""

import asyncio
import base64
import contextlib
import dataclasses
import datetime
import http.server
import json
import select
import socket
import ssl
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from controller import clock
from controller.config import settings
from controller.kube import errors, token_refresh, user_client
from devenv.control_plane import certificates

PATH = "/apis/x"


class _Server(http.server.ThreadingHTTPServer):
    daemon_threads = True
    seen: list[dict[str, Any]]
    respond: Callable[[http.server.BaseHTTPRequestHandler], None]


class _ServerV6(_Server):
    address_family = socket.AF_INET6


class _Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server: _Server

    def _take(self) -> None:
        body = self.rfile.read(int(self.headers["Content-Length"] or 0))
        self.server.seen.append(
            {"line": self.requestline, "headers": self.headers, "body": body.decode()}
            | {"connection": self.client_address}
        )
        self.server.respond(self)

    do_GET = do_POST = do_PATCH = do_CONNECT = _take  # noqa: N815 - the library's names

    def log_message(self, *_: Any) -> None:
        """Say nothing."""


def answer(
    handler: http.server.BaseHTTPRequestHandler, body: Any, status: int = 200, **headers: str
) -> None:
    data = json.dumps(body).encode()
    handler.send_response(status)
    for name, value in headers.items():
        handler.send_header(name.replace("_", "-"), value)
    handler.send_header("Content-Length", str(len(data)))
    handler.end_headers()
    handler.wfile.write(data)


@contextlib.contextmanager
def serving(tls: ssl.SSLContext | None = None, host: str = "127.0.0.1") -> Iterator[_Server]:
    server = (_ServerV6 if ":" in host else _Server)((host, 0), _Handler)
    server.seen, server.respond = [], lambda handler: answer(handler, {"kind": "X"})
    if tls is not None:
        server.socket = tls.wrap_socket(server.socket, server_side=True)
    thread = threading.Thread(target=server.serve_forever, args=(0.05,))
    thread.start()
    try:
        yield server
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


@pytest.fixture(scope="module")
def issued(tmp_path_factory: pytest.TempPathFactory) -> certificates.Certificates:
    found = certificates.Certificates(directory=tmp_path_factory.mktemp("certificates"))
    found.ensure()
    return found


@pytest.fixture
def https(issued: certificates.Certificates) -> Iterator[_Server]:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(issued.server, issued.server_key)
    with serving(context) as server:
        yield server


@pytest.fixture
def plain() -> Iterator[_Server]:
    with serving() as server:
        yield server


def client_of(
    folder: Path, cluster: dict[str, Any], user: dict[str, Any] | None = None
) -> user_client.UserClient:
    document = {
        "clusters": [{"name": "c", "cluster": cluster}],
        "users": [{"name": "u", "user": user or {"token": "t"}}],
        "contexts": [{"name": "x", "context": {"cluster": "c", "user": "u"}}],
        "current-context": "x",
    }
    (folder / "config").write_text(yaml.safe_dump(document))
    return user_client.UserClient(settings.KubernetesSettings(kubeconfig=folder / "config"))


def address(server: _Server, scheme: str = "http", host: str = "127.0.0.1") -> str:
    return f"{scheme}://{host}:{server.server_address[1]}"


async def test_a_request_is_sent_as_the_user_below_the_path_of_the_server(
    plain: _Server, tmp_path: Path
) -> None:
    user = {
        "token": "t",
        "as": "eve",
        "as-groups": ["a", "b"],
        "as-user-extra": {"Scopes": ["one"]},
    }
    client = client_of(tmp_path, {"server": f"{address(plain)}/k8s/"}, user)

    await client.request("PATCH", PATH, query={"a": "ü"}, body={"x": 1}, content_type="x/y")
    await client.close()

    (seen,) = plain.seen
    assert seen["line"] == f"PATCH /k8s{PATH}?a=%C3%BC HTTP/1.1"
    assert (seen["body"], seen["headers"]["Content-Type"]) == ('{"x": 1}', "x/y")
    assert seen["headers"]["Authorization"] == "Bearer t"
    assert seen["headers"]["Impersonate-User"] == "eve"
    assert seen["headers"].get_all("Impersonate-Group") == ["a", "b"]
    assert seen["headers"]["Impersonate-Extra-scopes"] == "one"


async def test_a_connection_is_kept_and_replaced_when_it_is_gone(
    plain: _Server, tmp_path: Path
) -> None:
    client = client_of(tmp_path, {"server": address(plain)})
    await client.request("GET", PATH)
    await client.request("GET", PATH)

    def close(handler: http.server.BaseHTTPRequestHandler) -> None:
        answer(handler, {"kind": "X"})
        handler.close_connection = True

    plain.respond = close
    # The server closes without a word, which the next request meets.
    assert [await client.request("GET", PATH) for _ in range(2)] == [{"kind": "X"}] * 2
    await client.close()

    assert plain.seen[0]["connection"] == plain.seen[1]["connection"]
    assert plain.seen[2]["connection"] != plain.seen[3]["connection"]


async def test_refused_credentials_are_renewed_once(plain: _Server, tmp_path: Path) -> None:
    file = tmp_path / "token"
    file.write_text("old")
    client = client_of(tmp_path, {"server": address(plain)}, {"tokenFile": str(file)})

    def respond(handler: http.server.BaseHTTPRequestHandler) -> None:
        file.write_text("new")
        is_known = handler.headers["Authorization"] == "Bearer new"
        answer(handler, {"kind": "X"}, 200 if is_known else 401)

    plain.respond = respond
    assert await client.request("GET", PATH) == {"kind": "X"}

    plain.respond = lambda handler: answer(handler, {"kind": "Status"}, 401)
    with pytest.raises(errors.Unauthenticated):
        await client.request("GET", PATH)
    await client.close()

    assert len(plain.seen) == 4


async def test_throttling_says_how_long_whatever_the_case_of_the_header(
    plain: _Server, tmp_path: Path
) -> None:
    plain.respond = lambda handler: answer(handler, {}, 429, retry_after="7")
    client = client_of(tmp_path, {"server": address(plain)})

    with pytest.raises(errors.Throttled) as raised:
        await client.request("GET", PATH)
    await client.close()

    assert raised.value.retry_after_seconds == 7


async def test_the_certificate_is_checked_for_the_name_that_the_kubeconfig_says(
    https: _Server, issued: certificates.Certificates, tmp_path: Path
) -> None:
    cluster = {
        "server": address(https, "https"),
        "certificate-authority-data": base64.b64encode(issued.authority.read_bytes()).decode(),
    }

    for name, is_accepted in (("localhost", True), ("example.com", False)):
        client = client_of(tmp_path, {**cluster, "tls-server-name": name})
        with contextlib.nullcontext() if is_accepted else pytest.raises(errors.ApiUnreachable):
            await client.request("GET", PATH)
        await client.close()

    skipping = {"server": cluster["server"], "insecure-skip-tls-verify": True}
    client = client_of(tmp_path, skipping)
    assert await client.request("GET", PATH) == {"kind": "X"}
    await client.close()


@dataclasses.dataclass(frozen=True)
class _Issued:
    certificate: Path
    key: Path


def issue(folder: Path, authority: tuple[x509.Certificate, Any] | None, name: str) -> _Issued:
    """Return a client's certificate of an authority, or of an unknown one."""
    key = ec.generate_private_key(ec.SECP256R1())
    signing = authority[1] if authority is not None else key
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
    now = datetime.datetime.now(datetime.UTC)
    made = (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(authority[0].subject if authority is not None else subject)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - datetime.timedelta(hours=1))
        .not_valid_after(now + datetime.timedelta(days=1))
        .add_extension(x509.BasicConstraints(ca=authority is None, path_length=None), critical=True)
        .add_extension(x509.ExtendedKeyUsage([ExtendedKeyUsageOID.CLIENT_AUTH]), critical=False)
        .sign(signing, hashes.SHA256())
    )
    found = _Issued(certificate=folder / f"{name}.crt", key=folder / f"{name}.key")
    found.certificate.write_bytes(made.public_bytes(serialization.Encoding.PEM))
    found.key.write_bytes(pem(key, serialization.NoEncryption()))
    return found


def pem(key: Any, encryption: serialization.KeySerializationEncryption) -> bytes:
    encoding, form = serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8
    data: bytes = key.private_bytes(encoding, form, encryption)
    return data


@pytest.fixture
def asking(issued: certificates.Certificates, tmp_path: Path) -> Iterator[tuple[_Server, _Issued]]:
    """A server that admits only clients with a certificate of one authority, and such a client."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "clients")])
    now = datetime.datetime.now(datetime.UTC)
    authority = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - datetime.timedelta(hours=1))
        .not_valid_after(now + datetime.timedelta(days=1))
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(key, hashes.SHA256())
    )
    (tmp_path / "clients.crt").write_bytes(authority.public_bytes(serialization.Encoding.PEM))
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    # With TLS 1.3 a client learns only at its first read that its certificate is refused.
    context.maximum_version = ssl.TLSVersion.TLSv1_2
    context.load_cert_chain(issued.server, issued.server_key)
    context.load_verify_locations(tmp_path / "clients.crt")
    context.verify_mode = ssl.CERT_REQUIRED
    with serving(context) as server:

        def respond(handler: http.server.BaseHTTPRequestHandler) -> None:
            subject = handler.connection.getpeercert()["subject"]  # type: ignore[attr-defined]
            answer(handler, {"kind": "X", "user": subject[0][0][1]})

        server.respond = respond
        yield server, issue(tmp_path, (authority, key), "me")


def with_certificate(
    folder: Path, server: _Server, issued: certificates.Certificates, user: dict[str, Any]
) -> user_client.UserClient:
    cluster = {
        "server": address(server, "https"),
        "certificate-authority": str(issued.authority),
    }
    return client_of(folder, cluster, user)


async def test_a_certificate_may_be_who_the_user_is(
    asking: tuple[_Server, _Issued], issued: certificates.Certificates, tmp_path: Path
) -> None:
    server, mine = asking
    user = {"client-certificate": str(mine.certificate), "client-key": str(mine.key)}
    client = with_certificate(tmp_path, server, issued, user)

    assert await client.request("GET", PATH) == {"kind": "X", "user": "me"}
    await client.close()


@pytest.mark.parametrize("has_one", [True, False])
async def test_without_a_certificate_that_the_server_knows_nobody_is_let_in(
    has_one: bool,
    asking: tuple[_Server, _Issued],
    issued: certificates.Certificates,
    tmp_path: Path,
) -> None:
    server, _ = asking
    other = issue(tmp_path, None, "other")
    user = {"client-certificate": str(other.certificate), "client-key": str(other.key)}
    client = with_certificate(tmp_path, server, issued, user if has_one else {"token": "t"})

    with pytest.raises(errors.ApiUnreachable):
        await client.request("GET", PATH)
    await client.close()

    assert not server.seen


async def test_a_key_that_needs_a_password_is_refused_and_not_asked_for(
    asking: tuple[_Server, _Issued], issued: certificates.Certificates, tmp_path: Path
) -> None:
    server, mine = asking
    key = serialization.load_pem_private_key(mine.key.read_bytes(), None)
    mine.key.write_bytes(pem(key, serialization.BestAvailableEncryption(b"word")))
    user = {"client-certificate": str(mine.certificate), "client-key": str(mine.key)}
    client = with_certificate(tmp_path, server, issued, user)

    with pytest.raises(errors.Denied, match="The client-key of the kubeconfig is encrypted"):
        await client.request("GET", PATH)


async def test_a_certificate_without_its_key_is_refused(
    asking: tuple[_Server, _Issued], issued: certificates.Certificates, tmp_path: Path
) -> None:
    server, mine = asking
    client = with_certificate(
        tmp_path, server, issued, {"client-certificate": str(mine.certificate)}
    )

    with pytest.raises(errors.Denied, match="a client-certificate and no client-key"):
        await client.request("GET", PATH)


async def test_an_authority_and_no_check_exclude_each_other(
    https: _Server, issued: certificates.Certificates, tmp_path: Path
) -> None:
    cluster = {
        "server": address(https, "https"),
        "certificate-authority": str(issued.authority),
        "insecure-skip-tls-verify": True,
    }

    with pytest.raises(errors.Denied, match="remove one of them"):
        await client_of(tmp_path, cluster).request("GET", PATH)


async def test_a_kubeconfig_that_was_written_meanwhile_is_read_again_once(
    plain: _Server, tmp_path: Path
) -> None:
    """Also when another context is the current one by then."""
    client = client_of(tmp_path, {"server": address(plain)}, {"token": "old"})

    def respond(handler: http.server.BaseHTTPRequestHandler) -> None:
        document = yaml.safe_load((tmp_path / "config").read_text())
        document["users"][0]["user"]["token"] = "new"
        document["current-context"] = "other"
        (tmp_path / "config").write_text(yaml.safe_dump(document))
        is_known = handler.headers["Authorization"] == "Bearer new"
        answer(handler, {"kind": "X"}, 200 if is_known else 401)

    plain.respond = respond

    assert await client.request("GET", PATH) == {"kind": "X"}
    await client.close()
    assert len(plain.seen) == 2


WRONG = {
    "no scheme": ("api.example.com:6443", {}, "is not an address"),
    "a port that is none": ("https://s3cret@api.example.com:port", {}, "is not an address"),
    "half an address": ("https://s3cret@[::1", {}, "is not an address"),
    "another scheme": ("ftp://s3cret@api.example.com", {}, "starts with https://"),
    "a password": ("https://me:s3cret@api.example.com", {}, "holds a user or password"),
    "a token of two lines": ("https://127.0.0.1:1", {"token": "s3\ncret"}, "^The token has"),
    "a token that no header has": ("https://127.0.0.1:1", {"token": "s3crét"}, "^The token has"),
    "another user of two lines": (
        "https://127.0.0.1:1",
        {"token": "s3cret", "as": "a\nb"},
        "sent as Impersonate-User has a character",
    ),
}


@pytest.mark.parametrize(("server", "user", "expected"), WRONG.values(), ids=WRONG.keys())
async def test_what_cannot_be_sent_is_refused_and_not_shown(
    server: str, user: dict[str, str], expected: str, tmp_path: Path
) -> None:
    with pytest.raises(errors.Denied, match=expected) as raised:
        await client_of(tmp_path, {"server": server}, user or None).request("GET", PATH)

    assert "s3" not in str(raised.value)


@pytest.mark.parametrize("name", ["api.example.com", "127.0.0.1"])
async def test_without_tls_only_this_machine_is_sent_credentials(
    name: str, plain: _Server, tmp_path: Path
) -> None:
    """And no proxy, whatever is behind it."""
    cluster = {"server": f"http://{name}", "proxy-url": address(plain)}
    client = client_of(tmp_path, cluster, {"token": "t", "as": "eve"})

    await client.request("GET", PATH)
    await client.close()

    (seen,) = plain.seen
    assert seen["line"] == f"GET http://{name}{PATH} HTTP/1.1"
    assert seen["headers"]["Host"] == name
    assert seen["headers"]["Authorization"] is None
    assert seen["headers"]["Impersonate-User"] == "eve"


@pytest.mark.parametrize("server", ["https://[fd00::1]", "https://[fd00::1]:6443"])
async def test_a_proxy_is_told_an_ipv6_address_in_brackets(
    server: str, plain: _Server, tmp_path: Path
) -> None:
    plain.respond = lambda handler: answer(handler, {}, 403)
    client = client_of(tmp_path, {"server": server, "proxy-url": address(plain)})

    with pytest.raises(errors.ApiUnreachable, match="answers 403"):
        await client.request("GET", PATH)
    await client.close()

    (seen,) = plain.seen
    port = server.rpartition("]:")[2] if "]:" in server else "443"
    assert seen["line"] == f"CONNECT [fd00::1]:{port} HTTP/1.1"
    assert seen["headers"]["Host"] == f"[fd00::1]:{port}"


async def test_a_tunnel_leads_to_the_server(
    https: _Server, issued: certificates.Certificates, tmp_path: Path
) -> None:
    def relay(handler: http.server.BaseHTTPRequestHandler) -> None:
        host, port = handler.path.split(":")
        with socket.create_connection((host, int(port))) as other:
            handler.send_response(200)
            handler.end_headers()
            pump(handler.connection, other)
        handler.close_connection = True

    with serving() as proxy:
        proxy.respond = relay
        cluster = {
            "server": address(https, "https"),
            "certificate-authority": str(issued.authority),
            "proxy-url": address(proxy),
        }
        client = client_of(tmp_path, cluster)

        found = await client.request("GET", PATH)
        await client.close()

    assert found == {"kind": "X"}
    assert https.seen[0]["headers"]["Host"] == address(https).removeprefix("http://")
    assert https.seen[0]["headers"]["Proxy-Authorization"] is None


def pump(one: socket.socket, other: socket.socket) -> None:
    """Pass on what comes, until either side has ended."""
    while True:
        for source in select.select([one, other], [], [])[0]:
            data = source.recv(65536)
            if not data:
                return
            (other if source is one else one).sendall(data)


@pytest.mark.skipif(not socket.has_ipv6, reason="this machine has no IPv6")
async def test_a_server_with_an_ipv6_address_is_reached_and_named_in_brackets(
    tmp_path: Path,
) -> None:
    with serving(host="::1") as server:
        client = client_of(tmp_path, {"server": address(server, host="[::1]")})

        assert await client.request("GET", PATH) == {"kind": "X"}
        await client.close()

    assert server.seen[0]["headers"]["Host"] == f"[::1]:{server.server_address[1]}"


async def test_a_proxy_is_asked_for_a_tunnel(plain: _Server, tmp_path: Path) -> None:
    plain.respond = lambda handler: answer(handler, {}, 403)
    proxy = address(plain).replace("http://", "http://me:word@")
    cluster = {"server": "https://api.example.com:6443", "proxy-url": proxy}
    client = client_of(tmp_path, cluster)

    with pytest.raises(errors.ApiUnreachable, match="403"):
        await client.request("GET", PATH)
    await client.close()

    (seen,) = plain.seen
    assert seen["line"].startswith("CONNECT api.example.com:6443 HTTP/1.")
    assert seen["headers"]["Proxy-Authorization"] == "Basic bWU6d29yZA=="
    assert seen["headers"]["Authorization"] is None


async def test_a_proxy_of_another_kind_is_refused(tmp_path: Path) -> None:
    cluster = {"server": "https://api.example.com", "proxy-url": "socks5://127.0.0.1:1"}
    client = client_of(tmp_path, cluster)

    with pytest.raises(errors.Denied, match="socks5"):
        await client.request("GET", PATH)


async def test_an_answer_that_does_not_come_is_not_waited_for(
    plain: _Server, tmp_path: Path
) -> None:
    is_over = threading.Event()

    def wait(handler: http.server.BaseHTTPRequestHandler) -> None:
        is_over.wait(60)
        answer(handler, {})

    plain.respond = wait
    client = client_of(tmp_path, {"server": address(plain)})
    patient = asyncio.create_task(client.request("GET", PATH))
    await asyncio.sleep(0)
    since = clock.monotonic()
    patient.cancel()
    with pytest.raises(asyncio.CancelledError):
        await patient
    is_over.set()
    await client.close()

    assert clock.monotonic() - since < 30


ADDED = {"type": "ADDED", "object": {"kind": "X"}}
STREAMS = {
    "ended": ([json.dumps(ADDED) + "\n"], None),
    "broken off": ([json.dumps(ADDED) + "\n", '{"type": '], "broke off"),
    "not events": ([json.dumps(ADDED) + "\n", "<html>\n"], "Expecting value"),
}


@pytest.mark.parametrize(("sent", "problem"), STREAMS.values(), ids=STREAMS.keys())
async def test_a_watch_yields_events_to_its_end(
    sent: list[str], problem: str | None, plain: _Server, tmp_path: Path
) -> None:
    def stream(handler: http.server.BaseHTTPRequestHandler) -> None:
        handler.send_response(200)
        handler.send_header("Transfer-Encoding", "chunked")
        handler.end_headers()
        for line in sent:
            handler.wfile.write(f"{len(line):x}\r\n{line}\r\n".encode())
        handler.close_connection = True

    plain.respond = stream
    client = client_of(tmp_path, {"server": address(plain)})
    events = client.watch(PATH, query={"watch": "true"}, silence_seconds=30)

    assert await anext(events) == ADDED
    expected = StopAsyncIteration if problem is None else errors.ApiUnreachable
    with pytest.raises(expected, match=problem):
        await anext(events)
    await client.close()


async def test_a_watch_without_a_byte_is_lost(plain: _Server, tmp_path: Path) -> None:
    is_over = threading.Event()

    def stream(handler: http.server.BaseHTTPRequestHandler) -> None:
        handler.send_response(200)
        handler.send_header("Transfer-Encoding", "chunked")
        handler.end_headers()
        is_over.wait(60)

    plain.respond = stream
    client = client_of(tmp_path, {"server": address(plain)})

    with pytest.raises(errors.ApiUnreachable, match="timed out"):
        await anext(client.watch(PATH, query={"watch": "true"}, silence_seconds=0.1))
    is_over.set()
    await client.close()


async def test_a_watch_that_is_refused_says_why(plain: _Server, tmp_path: Path) -> None:
    plain.respond = lambda handler: answer(handler, {"kind": "Status"}, 410)
    client = client_of(tmp_path, {"server": address(plain)})

    with pytest.raises(errors.Expired):
        await anext(client.watch(PATH, query={"watch": "true"}, silence_seconds=30))
    await client.close()


def issuer_config(issuer: str, issued: certificates.Certificates) -> dict[str, str]:
    return {
        "idp-issuer-url": issuer,
        "idp-certificate-authority": str(issued.authority),
        "client-id": "me",
        "client-secret": "word",
        "refresh-token": "r&1",
    }


def test_an_id_token_comes_from_the_issuer(
    https: _Server, issued: certificates.Certificates
) -> None:
    issuer = address(https, "https")

    def respond(handler: http.server.BaseHTTPRequestHandler) -> None:
        is_discovery = handler.path == "/.well-known/openid-configuration"
        answer(handler, {"token_endpoint": f"{issuer}/t"} if is_discovery else {"id_token": "new"})

    https.respond = respond
    config = issuer_config(issuer, issued)

    assert token_refresh.refresh(config) == "new"
    assert https.seen[1]["body"] == "grant_type=refresh_token&refresh_token=r%261"
    assert https.seen[1]["headers"]["Authorization"] == "Basic bWU6d29yZA=="

    https.respond = lambda handler: answer(handler, {"error": "invalid_grant"}, 400)
    with pytest.raises(errors.Denied, match=r"gave no new ID token: HTTP Error 400.*Log in again"):
        token_refresh.refresh(config)


@pytest.mark.parametrize("place", ["discovery", "grant"])
def test_nothing_secret_is_sent_where_the_issuer_leads(
    place: str, https: _Server, issued: certificates.Certificates
) -> None:
    """Python's library would send the client's secret on, and read answers that are not https."""
    issuer = address(https, "https")

    def respond(handler: http.server.BaseHTTPRequestHandler) -> None:
        is_discovery = handler.path == "/.well-known/openid-configuration"
        if place == "discovery":
            answer(handler, {}, 302, Location=f"http://127.0.0.1:1/?x={handler.path}")
        elif is_discovery:
            answer(handler, {"token_endpoint": f"{issuer}/t"})
        else:
            answer(handler, {}, 302, Location=f"{issuer}/elsewhere")

    https.respond = respond
    config = issuer_config(issuer, issued)

    with pytest.raises(errors.Denied, match="leads to another address, which is not followed"):
        token_refresh.refresh(config)

    assert "elsewhere" not in str([seen["line"] for seen in https.seen])


@pytest.mark.parametrize("found", [{}, [], {"token_endpoint": 5}, {"token_endpoint": "http://x"}])
def test_an_issuer_that_makes_no_sense_is_named_without_what_it_says(
    found: Any, https: _Server, issued: certificates.Certificates
) -> None:
    https.respond = lambda handler: answer(handler, found)
    config = {
        "idp-issuer-url": address(https, "https"),
        "idp-certificate-authority": str(issued.authority),
        "client-id": "me",
        "refresh-token": "s3cret",
    }

    with pytest.raises(errors.Denied, match=r"Log in again|is not an address") as raised:
        token_refresh.refresh(config)

    assert "s3cret" not in str(raised.value)
