from pathlib import Path

import yaml
from cryptography import x509

from devenv.control_plane import certificates, credentials


def test_a_kubeconfig_names_one_cluster_one_user_and_one_context() -> None:
    text = credentials.kubeconfig_text(
        server="https://127.0.0.1:1", ca_file=Path("/ca.crt"), user="admin", token="t0ken"
    )

    config = yaml.safe_load(text)
    assert config["clusters"][0]["cluster"] == {
        "server": "https://127.0.0.1:1",
        "certificate-authority": "/ca.crt",
    }
    assert config["users"] == [{"name": "admin", "user": {"token": "t0ken"}}]
    assert config["current-context"] == config["contexts"][0]["name"]


def test_only_its_owner_can_read_a_private_file(tmp_path: Path) -> None:
    path = tmp_path / "kubeconfig"
    path.write_text("old, and open to all")
    path.chmod(0o644)

    credentials.write_private(path, "new")

    assert path.stat().st_mode & 0o777 == 0o600
    assert path.read_text() == "new"


def test_tokens_survive_a_restart(tmp_path: Path) -> None:
    first = credentials.UserTokens.load_or_create(tmp_path / "tokens.csv")

    assert credentials.UserTokens.load_or_create(tmp_path / "tokens.csv") == first


def test_tokens_differ_and_do_not_show() -> None:
    tokens = credentials.UserTokens.random()

    assert len(set(tokens.by_user.values())) == len(credentials.GROUPS)
    assert tokens.by_user["admin"] not in repr(tokens)


def test_only_the_administrator_is_in_a_group() -> None:
    text = credentials.UserTokens(by_user={"admin": "a", "stackchain-operator": "b"}).to_csv()

    assert text == (
        'a,admin,admin,"system:masters"\nb,stackchain-operator,stackchain-operator,""\n'
    )


def test_certificates_are_made_once_and_name_the_loopback_address(tmp_path: Path) -> None:
    files = certificates.Certificates(directory=tmp_path / "pki")
    files.ensure()
    first = files.server.read_bytes()
    files.ensure()

    assert files.server.read_bytes() == first
    assert files.server_key.stat().st_mode & 0o777 == 0o600
    server = x509.load_pem_x509_certificate(first)
    server.verify_directly_issued_by(x509.load_pem_x509_certificate(files.authority.read_bytes()))
    names = server.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    assert "127.0.0.1" in map(str, names.get_values_for_type(x509.IPAddress))
