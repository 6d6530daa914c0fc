"""Client certificates for Temporal that are replaced while a process uses them.

Given: a Temporal server behind something that ends TLS and wants a client certificate.
"""

import asyncio
import datetime
import ssl
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import temporalio.client
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from controller.config import settings
from controller.observability import metrics
from controller.roles import process
from controller.temporal import client
from devenv import temporal_server as temporal_servers
from devenv.control_plane import certificates
from tests.support import relay
from tests.support.waiting import eventually


def write_client(directory: Path, name: str) -> Path:
    """Write a certificate that is its own authority, and its key; returns the certificate."""
    key = ec.generate_private_key(ec.SECP256R1())
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
    now = datetime.datetime.now(datetime.UTC)
    made = (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(subject)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - datetime.timedelta(hours=1))
        .not_valid_after(now + datetime.timedelta(hours=1))
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(key, hashes.SHA256())
    )
    file = directory / f"{name}.crt"
    file.write_bytes(made.public_bytes(serialization.Encoding.PEM))
    file.with_suffix(".key").write_bytes(
        key.private_bytes(
            serialization.Encoding.PEM,
            serialization.PrivateFormat.PKCS8,
            serialization.NoEncryption(),
        )
    )
    return file


class Door:
    """Ends TLS in front of a server, for clients that have the one certificate that it trusts."""

    def __init__(self, target: str, server: certificates.Certificates) -> None:
        self._certificates = server
        self._relay = relay.Relay(target)
        self.port = self._relay.port

    async def trust(self, certificate: Path) -> None:
        """Let in clients with a certificate, and no others; ends all connections."""
        await self.close()
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(self._certificates.server, self._certificates.server_key)
        context.load_verify_locations(certificate)
        context.verify_mode = ssl.CERT_REQUIRED
        context.set_alpn_protocols(["h2"])
        self._relay.start(context)

    async def close(self) -> None:
        await self._relay.close()


@pytest.fixture
async def door(
    temporal_server: temporal_servers.TemporalServer, tmp_path: Path
) -> AsyncIterator[Door]:
    server = certificates.Certificates(directory=tmp_path / "server")
    server.ensure()
    made = Door(temporal_server.address, server)
    yield made
    await made.close()


async def test_a_client_certificate_that_is_replaced_is_used_without_a_restart(
    door: Door, tmp_path: Path
) -> None:
    old, new = write_client(tmp_path, "old"), write_client(tmp_path, "new")
    mounted = tmp_path / "mounted"
    mounted.mkdir()

    def mount(certificate: Path) -> None:
        for source in (certificate, certificate.with_suffix(".key")):
            (mounted / f"client{source.suffix}").write_bytes(source.read_bytes())

    mount(old)
    await door.trust(old)
    link = process.TemporalLink(
        settings.TemporalSettings(
            address=f"127.0.0.1:{door.port}",
            tls=True,
            tls_server_ca_cert_path=tmp_path / "server/ca.crt",
            tls_client_cert_path=mounted / "client.crt",
            tls_client_key_path=mounted / "client.key",
        ),
        metrics.Metrics(),
        look_seconds=0.1,
        look_again_seconds=0.1,
        credentials_seconds=0.1,
    )
    handed: list[temporalio.client.Client] = []
    link.on_new_client.append(handed.append)
    tasks = [asyncio.create_task(link.run()), asyncio.create_task(link.keep_credentials())]
    first = await link.connected()
    assert await link.check() is None

    await door.trust(new)

    async def is_away() -> bool:
        return await link.check() is not None

    async def is_back() -> bool:
        return await link.check() is None

    await eventually(is_away)
    mount(new)
    await eventually(is_back)

    assert link.get() is handed[-1] is not first
    await client.describe_namespace(link.get())
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)
