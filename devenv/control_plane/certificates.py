"""Keys and certificates that a new control plane starts with, valid on loopback only."""

import datetime
import ipaddress
from dataclasses import dataclass
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

_LIFETIME = datetime.timedelta(days=3650)
_DNS_NAMES = ("localhost", "kubernetes", "kubernetes.default", "kubernetes.default.svc")
_SERVICE_ADDRESS = "10.96.0.1"


@dataclass(frozen=True, kw_only=True, slots=True)
class Certificates:
    """Where the files of one control plane are; they survive its restart."""

    directory: Path

    @property
    def authority(self) -> Path:
        """Certificate that clients trust."""
        return self.directory / "ca.crt"

    @property
    def server(self) -> Path:
        """Certificate of the API server."""
        return self.directory / "server.crt"

    @property
    def server_key(self) -> Path:
        """Key of the API server."""
        return self.directory / "server.key"

    @property
    def service_account_key(self) -> Path:
        """Key that signs service account tokens, and from which they are checked."""
        return self.directory / "service-account.key"

    def ensure(self) -> None:
        """Make all files, unless an earlier start made them."""
        if self.service_account_key.exists():
            return
        self.directory.mkdir(mode=0o700, parents=True, exist_ok=True)
        authority_key = ec.generate_private_key(ec.SECP256R1())
        authority = _authority(authority_key)
        server_key = ec.generate_private_key(ec.SECP256R1())
        server = _server(server_key.public_key(), authority_key)
        _write(self.authority, authority.public_bytes(serialization.Encoding.PEM))
        _write(self.server, server.public_bytes(serialization.Encoding.PEM))
        _write(self.server_key, _pem(server_key))
        _write(self.service_account_key, _pem(ec.generate_private_key(ec.SECP256R1())))


def _name(text: str) -> x509.Name:
    return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, text)])


def _builder(subject: str, public_key: ec.EllipticCurvePublicKey) -> x509.CertificateBuilder:
    now = datetime.datetime.now(datetime.UTC)
    return (
        x509.CertificateBuilder()
        .subject_name(_name(subject))
        .issuer_name(_name("stackchain-dev-ca"))
        .public_key(public_key)
        .serial_number(x509.random_serial_number())
        # A clock that is set back a little must not make the certificate invalid.
        .not_valid_before(now - datetime.timedelta(hours=1))
        .not_valid_after(now + _LIFETIME)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(public_key), critical=False)
    )


def _authority(key: ec.EllipticCurvePrivateKey) -> x509.Certificate:
    return (
        _builder("stackchain-dev-ca", key.public_key())
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .add_extension(_key_usage(is_authority=True), critical=True)
        .sign(key, hashes.SHA256())
    )


def _server(
    public_key: ec.EllipticCurvePublicKey, authority_key: ec.EllipticCurvePrivateKey
) -> x509.Certificate:
    addresses = [x509.IPAddress(ipaddress.ip_address(a)) for a in ("127.0.0.1", _SERVICE_ADDRESS)]
    names = [x509.DNSName(name) for name in _DNS_NAMES]
    issuer = x509.AuthorityKeyIdentifier.from_issuer_public_key(authority_key.public_key())
    return (
        _builder("kube-apiserver", public_key)
        .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
        .add_extension(_key_usage(is_authority=False), critical=True)
        .add_extension(x509.ExtendedKeyUsage([ExtendedKeyUsageOID.SERVER_AUTH]), critical=False)
        .add_extension(x509.SubjectAlternativeName([*names, *addresses]), critical=False)
        .add_extension(issuer, critical=False)
        .sign(authority_key, hashes.SHA256())
    )


def _key_usage(*, is_authority: bool) -> x509.KeyUsage:
    return x509.KeyUsage(
        digital_signature=True,
        key_cert_sign=is_authority,
        crl_sign=is_authority,
        content_commitment=False,
        key_encipherment=False,
        data_encipherment=False,
        key_agreement=False,
        encipher_only=False,
        decipher_only=False,
    )


def _pem(key: ec.EllipticCurvePrivateKey) -> bytes:
    return key.private_bytes(
        serialization.Encoding.PEM,
        # The form that Kubernetes also reads as a public key for service account tokens.
        serialization.PrivateFormat.TraditionalOpenSSL,
        serialization.NoEncryption(),
    )


def _write(path: Path, data: bytes) -> None:
    path.touch(mode=0o600)
    path.write_bytes(data)
