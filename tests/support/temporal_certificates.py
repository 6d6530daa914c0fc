"""Certificates of a Temporal server that trusts only clients with a certificate (mutual TLS)."""

import datetime
import ipaddress
from dataclasses import dataclass
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

SERVER_NAME = "frontend.temporal.test"
"""The name in the server's certificate; no client reaches it under this name."""

_LIFETIME = datetime.timedelta(days=30)
_USES = [ExtendedKeyUsageOID.SERVER_AUTH, ExtendedKeyUsageOID.CLIENT_AUTH]


@dataclass(frozen=True, kw_only=True, slots=True)
class TemporalCertificates:
    """PEM files of an authority, and of the server and a client that it signed."""

    directory: Path

    @property
    def authority(self) -> Path:
        """What both sides trust."""
        return self.directory / "ca.crt"

    def certificate(self, who: str) -> Path:
        """Return the certificate of the `server` or of the `client`."""
        return self.directory / f"{who}.crt"

    def key(self, who: str) -> Path:
        """Return the private key for it."""
        return self.directory / f"{who}.key"

    def write(self) -> None:
        """Make all files."""
        self.directory.mkdir(mode=0o700, parents=True)
        key = ec.generate_private_key(ec.SECP256R1())
        issuer = _name("StackChain test authority")
        constraints = x509.BasicConstraints(ca=True, path_length=None)
        authority = _builder(issuer, issuer, key.public_key()).add_extension(
            constraints, critical=True
        )
        self.authority.write_bytes(_pem(authority.sign(key, hashes.SHA256())))
        names = [x509.DNSName(name) for name in (SERVER_NAME, "localhost")]
        loopback = x509.IPAddress(ipaddress.ip_address("127.0.0.1"))
        for who, alternatives in (
            ("server", [*names, loopback]),
            ("client", [x509.DNSName("stackchain")]),
        ):
            own = ec.generate_private_key(ec.SECP256R1())
            builder = (
                _builder(_name(who), issuer, own.public_key())
                .add_extension(x509.ExtendedKeyUsage(_USES), critical=False)
                .add_extension(x509.SubjectAlternativeName(alternatives), critical=False)
            )
            self.certificate(who).write_bytes(_pem(builder.sign(key, hashes.SHA256())))
            self.key(who).touch(mode=0o600)
            self.key(who).write_bytes(
                own.private_bytes(
                    serialization.Encoding.PEM,
                    serialization.PrivateFormat.PKCS8,
                    serialization.NoEncryption(),
                )
            )


def _name(text: str) -> x509.Name:
    return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, text)])


def _builder(
    subject: x509.Name, issuer: x509.Name, public_key: ec.EllipticCurvePublicKey
) -> x509.CertificateBuilder:
    now = datetime.datetime.now(datetime.UTC)
    return (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(issuer)
        .public_key(public_key)
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - datetime.timedelta(hours=1))
        .not_valid_after(now + _LIFETIME)
    )


def _pem(certificate: x509.Certificate) -> bytes:
    return certificate.public_bytes(serialization.Encoding.PEM)
