"""Which secrets count, and what happens when their files change."""

import os
from pathlib import Path

import pytest

from controller.config import connections, settings
from controller.webhook import secrets

ENDPOINT = "https://acme.app.spacelift.io"


def replace(file: Path, text: str) -> None:
    """Change a file as the kubelet does: a new one replaces the old one."""
    new = file.with_suffix(".new")
    new.write_text(text)
    os.replace(new, file)  # noqa: PTH105 - the very call that makes it atomic


def make(file: Path, *names: str) -> tuple[secrets.WebhookSecrets, connections.Connection]:
    listed = "".join(f"\n      - {file.parent / name}" for name in names)
    file.write_text(
        f"connections:\n  default:\n    endpoint: {ENDPOINT}\n    allowedNamespaces: []\n"
        f"    webhookSecretFiles:{listed}\n"
    )
    catalog = connections.ConnectionCatalog(settings.SpaceliftSettings(connections_file=file))
    connection = catalog.get("default")
    assert connection is not None
    return secrets.WebhookSecrets(catalog), connection


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "connections.yaml"


def test_all_secrets_of_a_connection_count(file: Path) -> None:
    (file.parent / "old").write_text("one\n")
    (file.parent / "new").write_text("two")
    found, connection = make(file, "old", "new")

    assert found.of(connection) == ["one", "two"]


def test_a_rotated_secret_counts_at_once_and_the_one_before_no_more(file: Path) -> None:
    (file.parent / "secret").write_text("one")
    found, connection = make(file, "secret")
    assert found.of(connection) == ["one"]

    replace(file.parent / "secret", "two")

    assert found.of(connection) == ["two"]


def test_a_file_that_is_gone_or_empty_takes_no_other_secret_along(
    file: Path, caplog: pytest.LogCaptureFixture
) -> None:
    (file.parent / "kept").write_text("one")
    (file.parent / "empty").write_text("\n")
    found, connection = make(file, "kept", "gone", "empty")

    for _ in range(5):
        assert found.of(connection) == ["one"]
    assert caplog.messages == ["Webhook secret is not usable"] * 2, "once for each file"


def test_a_file_that_comes_counts_from_then_on(file: Path) -> None:
    found, connection = make(file, "late")
    assert found.of(connection) == []

    (file.parent / "late").write_text("one")

    assert found.of(connection) == ["one"]


def test_a_secret_that_goes_counts_no_more(file: Path) -> None:
    (file.parent / "secret").write_text("one")
    found, connection = make(file, "secret")
    assert found.of(connection) == ["one"]

    (file.parent / "secret").unlink()

    assert found.of(connection) == []


def test_a_connection_that_can_take_nothing_is_told_of_at_the_start(
    file: Path, caplog: pytest.LogCaptureFixture
) -> None:
    found, _ = make(file, "gone")
    caplog.clear()

    found.log_connections()

    errors = [record for record in caplog.records if record.levelname == "ERROR"]
    assert len(errors) == 1
    assert errors[0].getMessage().startswith("Every delivery is refused")
    assert vars(errors[0])["connection"] == "default"


def test_no_secret_shows_in_the_log(file: Path, caplog: pytest.LogCaptureFixture) -> None:
    (file.parent / "secret").write_text("hunter2")
    found, connection = make(file, "secret")
    with caplog.at_level("DEBUG"):
        found.log_connections()
        found.of(connection)

    assert "hunter2" not in str([vars(record) for record in caplog.records])
    assert "hunter2" not in repr(connection)
