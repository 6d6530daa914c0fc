"""How the plugin's connection speaks HTTP: to a server of the test's own that says what it got."""

import asyncio
import base64
import contextlib
import gc
import http.server
import json
import ssl
import threading
import warnings
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from controller import clock
from controller.config import settings
from controller.kube import errors, token_refresh, user_client
from devenv.control_plane import certificates

PATH = "/apis/x"


class _Server(http.server.ThreadingHTTPServer):
    daemon_threads = True
    seen: list[dict[str, Any]]
    respond: Callable[[http.server.BaseHTTPRequestHandler], None]


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
def serving(tls: ssl.SSLContext | None = None) -> Iterator[_Server]:
    server = _Server(("127.0.0.1", 0), _Handler)
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


async def test_a_certificate_may_be_who_the_user_is(
    issued: certificates.Certificates, tmp_path: Path
) -> None:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(issued.server, issued.server_key)
    # One that signed itself: any that is presented is checked to be this one.
    context.load_verify_locations(issued.authority)
    context.verify_mode = ssl.CERT_OPTIONAL
    user = {"client-certificate": str(issued.server), "client-key": str(issued.server_key)}
    with serving(context) as server:
        presented: list[Any] = []

        def respond(handler: http.server.BaseHTTPRequestHandler) -> None:
            presented.append(handler.connection.getpeercert())  # type: ignore[attr-defined]
            answer(handler, {"kind": "X"})

        server.respond = respond
        cluster = {
            "server": address(server, "https"),
            "certificate-authority": str(issued.authority),
        }
        client = client_of(tmp_path, cluster, user)
        with contextlib.suppress(errors.ApiUnreachable):
            # A server's certificate may be refused as a client's, which is after it was presented.
            await client.request("GET", PATH)
        await client.close()

    assert all(presented)


async def test_a_proxy_is_asked_for_a_tunnel(plain: _Server, tmp_path: Path) -> None:
    plain.respond = lambda handler: answer(handler, {}, 403)
    proxy = address(plain).replace("http://", "http://me:word@")
    cluster = {"server": "https://api.example.com:6443", "proxy-url": proxy}
    client = client_of(tmp_path, cluster)

    with warnings.catch_warnings(action="ignore", category=ResourceWarning):
        with pytest.raises(errors.ApiUnreachable, match="403"):
            await client.request("GET", PATH)
        await client.close()
        # The library leaves the refusal of a proxy to be closed with its memory.
        gc.collect()

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


def test_an_id_token_comes_from_the_issuer(
    https: _Server, issued: certificates.Certificates
) -> None:
    issuer = address(https, "https")

    def respond(handler: http.server.BaseHTTPRequestHandler) -> None:
        is_discovery = handler.path == "/.well-known/openid-configuration"
        answer(handler, {"token_endpoint": f"{issuer}/t"} if is_discovery else {"id_token": "new"})

    https.respond = respond
    config = {
        "idp-issuer-url": issuer,
        "idp-certificate-authority": str(issued.authority),
        "client-id": "me",
        "client-secret": "word",
        "refresh-token": "r&1",
    }

    assert token_refresh.refresh(config) == "new"
    assert https.seen[1]["body"] == "grant_type=refresh_token&refresh_token=r%261"
    assert https.seen[1]["headers"]["Authorization"] == "Basic bWU6d29yZA=="

    https.respond = lambda handler: answer(handler, {"error": "invalid_grant"}, 400)
    with pytest.raises(errors.Denied, match=r"gave no new ID token: HTTP Error 400.*Log in again"):
        token_refresh.refresh(config)
