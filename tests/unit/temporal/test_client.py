"""Connecting to Temporal: how long the client tries, and what a refusal says."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest
import temporalio.client
from temporalio.service import RPCError, RPCStatusCode, TLSConfig

from controller.config import settings
from controller.temporal import client

TEMPORAL = settings.TemporalSettings(address="temporal:7233", namespace="team")


class EnoughError(Exception):
    """Ends a loop that is meant to run forever."""


class Sleeps:
    """Takes no time; ends the loop after some sleeps."""

    def __init__(self, limit: int) -> None:
        self.limit = limit
        self.seconds: list[float] = []

    async def __call__(self, seconds: float) -> None:
        if len(self.seconds) == self.limit:
            raise EnoughError
        self.seconds.append(seconds)


class KeyHolder:
    """The part of a Temporal client that a rotated key goes to."""

    def __init__(self) -> None:
        self.api_key: str | None = "old"


def unreachable(monkeypatch: pytest.MonkeyPatch) -> None:
    async def connect(*_: Any, **__: Any) -> temporalio.client.Client:
        raise RuntimeError("connection refused")

    monkeypatch.setattr(temporalio.client.Client, "connect", connect)


@pytest.mark.parametrize(
    ("core", "reason"),
    [
        pytest.param(
            "Failed client connect: Server connection error: tonic::transport::Error(Transport, "
            'ConnectError(ConnectError("tcp connect error", 127.0.0.1:1, Os { code: 111, kind: '
            'ConnectionRefused, message: "Connection refused" })))',
            "Connection refused",
            id="nobody listens",
        ),
        pytest.param(
            "Failed client connect: Server connection error: tonic::transport::Error(Transport, "
            'ConnectError(ConnectError("dns error", Custom { kind: Uncategorized, error: "failed '
            'to lookup address information: Name or service not known" })))',
            "failed to lookup address information: Name or service not known",
            id="unknown host",
        ),
        pytest.param("ConnectError(Odd(7))", "ConnectError(Odd(7))", id="no text inside"),
        pytest.param(
            "ConnectError(Custom { kind: InvalidData, error: InvalidCertificate(UnknownIssuer) })",
            "the server's certificate is not accepted: UnknownIssuer",
            id="unknown authority",
        ),
        pytest.param(
            "ConnectError(Custom { kind: InvalidData, error: InvalidCertificate(Other(OtherError("
            "CaUsedAsEndEntity))) })",
            "the server's certificate is not accepted: CaUsedAsEndEntity",
            id="a certificate of another kind",
        ),
        pytest.param(
            'ConnectError(Custom { kind: UnexpectedEof, error: "tls handshake eof" })',
            "the server closed the TLS handshake; it may expect no TLS, or a client certificate",
            id="the handshake is closed",
        ),
        pytest.param(
            "Server connection error: tonic::transport::Error(Transport, ConnectError(Os { code: "
            '104, kind: ConnectionReset, message: "Connection reset by peer" }))',
            "the server closed the TLS handshake; it may expect no TLS, or a client certificate",
            id="the handshake is reset",
        ),
        pytest.param(
            "ConnectError(Custom { kind: InvalidData, error: InvalidMessage(InvalidContentType) })",
            "the server does not speak TLS at this port",
            id="no TLS there",
        ),
        pytest.param(
            "ConnectError(Custom { kind: InvalidData, error: AlertReceived(CertificateRequired) })",
            "the server refused the TLS handshake: CertificateRequired",
            id="a client certificate is missing",
        ),
        pytest.param(
            '`get_system_info` call error after connection: Status { code: Unknown, message: "trans'
            'port error", source: Some(tonic::transport::Error(Transport, hyper::Error(Io, Custom '
            '{ kind: BrokenPipe, error: "stream closed because of a broken pipe" }))) }',
            "the server closed the connection; it may expect TLS",
            id="TLS is expected",
        ),
        pytest.param(
            'Status { code: Cancelled, message: "operation was canceled", source: Some(tonic::'
            'transport::Error(Transport, hyper::Error(Canceled, "connection closed"))) }',
            "the server closed the connection; it may expect TLS",
            id="the connection is closed",
        ),
        pytest.param(
            'Status { code: Unknown, message: "transport error", source: Some(tonic::transport::'
            "Error(Transport, hyper::Error(Io, Kind(ConnectionReset)))) }",
            "the server closed the connection; it may expect TLS",
            id="the connection is reset",
        ),
        pytest.param(
            'Status { code: Unknown, message: "transport error", source: Some(tonic::transport::'
            "Error(Transport, hyper::Error(Io, Os { code: 104, kind: ConnectionReset, message: "
            '"Connection reset by peer" }))) }',
            "the server closed the connection; it may expect TLS",
            id="the connection is reset while it is read",
        ),
        pytest.param(
            'Status { code: Internal, message: "h2 protocol error: http2 error", source: None }',
            "what answers is not Temporal, or expects TLS",
            id="something else answers",
        ),
    ],
)
async def test_an_error_of_the_core_is_told_by_its_innermost_text(
    core: str, reason: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def connect(*_: Any, **__: Any) -> temporalio.client.Client:
        raise RuntimeError(core)

    monkeypatch.setattr(temporalio.client.Client, "connect", connect)

    with pytest.raises(client.TemporalUnreachable) as raised:
        await client.dial(TEMPORAL)

    assert f"is not reachable: {reason}. Check TEMPORAL_ADDRESS" in str(raised.value)


async def test_a_server_that_is_away_is_tried_for_ever_with_growing_pauses(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    unreachable(monkeypatch)
    sleeps, problems = Sleeps(20), list[str]()

    with pytest.raises(EnoughError):
        await client.connect_with_retry(TEMPORAL, problems.append, sleep=sleeps)

    assert 0.5 <= sleeps.seconds[0] <= 1.0
    assert all(15.0 <= seconds <= 30.0 for seconds in sleeps.seconds[5:])
    assert len(problems) == 21
    assert "Temporal at temporal:7233 is not reachable: connection refused" in problems[0]


async def test_an_unreadable_key_is_a_problem_and_not_a_crash(tmp_path: Path) -> None:
    key = settings.Secret(file=tmp_path / "missing")
    temporal = settings.TemporalSettings(api_key=key, tls=True)

    with pytest.raises(client.TemporalUnreachable, match="mount the secret there"):
        await client.connect(temporal)


async def test_certificates_and_key_reach_the_sdk(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    given: dict[str, Any] = {}

    async def connect(*_: Any, **arguments: Any) -> temporalio.client.Client:
        given.update(arguments)
        raise RuntimeError("far enough")

    monkeypatch.setattr(temporalio.client.Client, "connect", connect)
    (tmp_path / "cert.pem").write_text("cert")
    temporal = settings.TemporalSettings(
        tls=True,
        tls_server_name="temporal.internal",
        tls_server_ca_cert_data="ca",
        tls_client_cert_path=tmp_path / "cert.pem",
        tls_client_key_data=settings.Secret(value="key"),
        api_key=settings.Secret(value="api-key"),
    )

    with pytest.raises(client.TemporalUnreachable):
        await client.dial(temporal)

    assert given["api_key"] == "api-key"
    assert given["tls"] == TLSConfig(
        domain="temporal.internal",
        server_root_ca_cert=b"ca",
        client_cert=b"cert",
        client_private_key=b"key",
    )


async def test_an_api_key_turns_no_tls_on_that_was_turned_off(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    given: dict[str, Any] = {}

    async def connect(*_: Any, **arguments: Any) -> temporalio.client.Client:
        given.update(arguments)
        raise RuntimeError("far enough")

    monkeypatch.setattr(temporalio.client.Client, "connect", connect)

    with pytest.raises(client.TemporalUnreachable):
        await client.dial(settings.TemporalSettings(api_key=settings.Secret(value="api-key")))

    assert given["tls"] is False


@pytest.mark.parametrize(
    ("status", "words"),
    [
        pytest.param(
            RPCStatusCode.NOT_FOUND,
            ["no namespace team", "TEMPORAL_NAMESPACE", "namespace create -n team"],
            id="no such namespace",
        ),
        pytest.param(
            RPCStatusCode.PERMISSION_DENIED, ["refuses access", "TEMPORAL_API_KEY"], id="no rights"
        ),
        pytest.param(RPCStatusCode.UNAUTHENTICATED, ["TEMPORAL_API_KEY"], id="no identity"),
        pytest.param(RPCStatusCode.UNAVAILABLE, ["gives an unexpected answer"], id="other"),
    ],
)
def test_a_refusal_says_what_to_do(status: RPCStatusCode, words: Sequence[str]) -> None:
    text = client.explain(RPCError("told so", status, b""), TEMPORAL)

    assert all(word in text for word in ["temporal:7233", *words])


def test_a_rotated_key_reaches_the_client(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    path = tmp_path / "key"
    holder = KeyHolder()
    temporal = settings.TemporalSettings(api_key=settings.Secret(file=path))
    seen: list[str | None] = []

    for text in ("old", "new", "", "newest"):
        path.write_text(text)
        client.renew_api_key(holder, temporal)  # type: ignore[arg-type]
        seen.append(holder.api_key)

    assert seen == ["old", "new", "new", "newest"]
    assert "Temporal API key cannot be read" in caplog.text
    assert "newest" not in caplog.text


def test_a_key_that_cannot_rotate_stays() -> None:
    holder = KeyHolder()
    temporal = settings.TemporalSettings(api_key=settings.Secret(value="fixed"))

    client.renew_api_key(holder, temporal)  # type: ignore[arg-type]

    assert holder.api_key == "old"


@pytest.mark.parametrize("field", ["tls_client_cert_path", "tls_client_key_path"])
def test_a_certificate_that_is_replaced_is_noticed(tmp_path: Path, field: str) -> None:
    path = tmp_path / "pem"
    path.write_text("old")
    temporal = settings.TemporalSettings(tls=True, **{field: path})  # type: ignore[arg-type]
    before = client.certificate_stamps(temporal)

    assert client.certificate_stamps(temporal) == before
    path.write_text("newer")
    assert client.certificate_stamps(temporal) != before
