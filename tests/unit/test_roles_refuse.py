"""A role whose secrets or files are missing ends with one sentence each, and with no traceback.

Kubernetes shows the end of the log as the reason of a terminated container, so the sentence is the
last line of the log.
"""

import subprocess
import sys
from pathlib import Path

import pytest

from controller import cli

ROLES = ("operator", "worker", "webhook")
SECRETS = (
    "SPACELIFT_API_KEY_ID",
    "SPACELIFT_API_KEY_SECRET",
    "SPACELIFT_WEBHOOK_SECRET",
    "TEMPORAL_API_KEY",
)
FILES = {
    "missing": "cannot be read (No such file or directory)",
    "dangling": "cannot be read (No such file or directory)",
    "directory": "cannot be read (Is a directory)",
    "binary": "cannot be read (not UTF-8 text)",
    "empty": "is empty",
    "blank": "is empty",
}
LISTS = {
    "missing": "cannot be read (No such file or directory)",
    "directory": "cannot be read (Is a directory)",
    "binary": "cannot be read: ",
    "empty": "connections: is missing; add it",
    "broken": "is not valid YAML at line 1; fix it",
}
ACCOUNT = {
    "SPACELIFT_API_KEY_ENDPOINT": "https://acme.app.spacelift.io",
    "SPACELIFT_ALLOWED_NAMESPACES": "*",
    "SPACELIFT_API_KEY_ID": "id",
    "SPACELIFT_API_KEY_SECRET": "do-not-print-this",
    "HEALTH_ADDRESS": "127.0.0.1:0",
}
ROOT = Path(__file__).parents[2]


@pytest.fixture
def files(tmp_path: Path) -> Path:
    """A folder with one unusable file of each kind."""
    (tmp_path / "directory").mkdir()
    (tmp_path / "dangling").symlink_to(tmp_path / "gone")
    (tmp_path / "binary").write_bytes(b"\xff\xfe")
    (tmp_path / "empty").touch()
    (tmp_path / "blank").write_text(" \n\n")
    (tmp_path / "broken").write_text("connections: [a")
    return tmp_path


def started(
    role: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], **variables: str
) -> list[str]:
    """Start a role that refuses these settings; returns the lines that it ends with."""
    for name, value in {**ACCOUNT, **variables}.items():
        monkeypatch.setenv(name, value)
    with pytest.raises(SystemExit) as ended:
        cli.main([role])
    said = capsys.readouterr()
    assert (ended.value.code, said.out) == (2, "")
    assert "do-not-print-this" not in said.err
    return said.err.splitlines()


@pytest.mark.parametrize("kind", FILES)
@pytest.mark.parametrize("name", SECRETS)
@pytest.mark.parametrize("role", [*ROLES, "check"])
def test_a_secret_file_that_is_no_good_is_named_with_its_setting(
    files: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    role: str,
    name: str,
    kind: str,
) -> None:
    lines = started(role, monkeypatch, capsys, **{name: "", f"{name}_FILE": str(files / kind)})

    assert lines[-1].startswith(f"stackchain: {name}_FILE: {files / kind}: {FILES[kind]}")
    assert len(lines) == 1


@pytest.mark.parametrize("kind", LISTS)
@pytest.mark.parametrize("role", ROLES)
def test_a_connections_file_that_is_no_good_is_named(
    files: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    role: str,
    kind: str,
) -> None:
    none = dict.fromkeys(
        ("SPACELIFT_API_KEY_ENDPOINT", "SPACELIFT_API_KEY_ID", "SPACELIFT_API_KEY_SECRET"), ""
    )

    (line,) = started(
        role, monkeypatch, capsys, **none, SPACELIFT_CONNECTIONS_FILE=str(files / kind)
    )

    assert str(files / kind) in line
    assert LISTS[kind] in line


@pytest.mark.parametrize("role", ROLES)
def test_an_account_by_variable_needs_to_say_whom_it_serves(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], role: str
) -> None:
    (line,) = started(role, monkeypatch, capsys, SPACELIFT_ALLOWED_NAMESPACES="")

    assert line.startswith("stackchain: SPACELIFT_ALLOWED_NAMESPACES: is missing")


def test_a_worker_names_each_key_that_its_connections_lack(
    files: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    (files / "id").write_text("01JKEY")
    (files / "connections").write_text(
        f"""
        connections:
          prod:
            endpoint: https://acme.app.spacelift.io
            allowedNamespaces: ["*"]
            apiKeyIdFile: {files}/missing
            apiKeySecretFile: {files}/empty
          staging:
            endpoint: https://staging.app.spacelift.io
            allowedNamespaces: ["*"]
            apiKeyIdFile: {files}/id
            apiKeySecretFile: {files}/directory
        """
    )
    none = dict.fromkeys(
        ("SPACELIFT_API_KEY_ENDPOINT", "SPACELIFT_API_KEY_ID", "SPACELIFT_API_KEY_SECRET"), ""
    )

    lines = started(
        "worker", monkeypatch, capsys, **none, SPACELIFT_CONNECTIONS_FILE=f"{files}/connections"
    )

    why = [line.removeprefix("stackchain: connection ").partition(" (")[0] for line in lines]
    assert why == [
        f"prod: API key id: {files}/missing: cannot be read",
        f"prod: API key secret: {files}/empty: is empty; put the secret's text into it",
        f"staging: API key secret: {files}/directory: cannot be read",
    ]


def test_an_operator_outside_of_a_cluster_says_what_it_looked_for(tmp_path: Path) -> None:
    """In a separate process: with good settings a role sets up logs and Temporal's core for it."""
    done = subprocess.run(
        [sys.executable, "-m", "controller", "operator"],
        capture_output=True,
        check=False,
        cwd=ROOT,
        env={
            **ACCOUNT,
            "HOME": str(tmp_path),
            "KUBERNETES_SERVICE_HOST": "127.0.0.1",
            "KUBERNETES_SERVICE_PORT": "1",
        },
        text=True,
        timeout=60,
    )

    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr.rstrip("\n") == (
        "stackchain: KUBECONFIG: No access to a Kubernetes API: Service token file does not "
        "exist, and there is no ~/.kube/config. Set KUBECONFIG, or run in a pod with a service "
        "account token"
    )
