"""What a mounted file may hold."""

from pathlib import Path

import pytest

from controller.config import environment, files

LIMIT = 1024 * 1024


def test_a_file_as_large_as_a_secret_can_be_is_read(tmp_path: Path) -> None:
    file = tmp_path / "secret"
    file.write_text("x" * LIMIT)

    assert environment.Secret(file=file).reveal() == "x" * LIMIT


def test_a_larger_file_is_a_problem_and_not_read(tmp_path: Path) -> None:
    file = tmp_path / "secret"
    file.write_text("x" * (LIMIT + 1))

    with pytest.raises(environment.SettingsError, match="larger than 1 MiB"):
        environment.Secret(file=file).reveal()
    with pytest.raises(environment.SettingsError, match="larger than 1 MiB"):
        files.read_yaml(file)


def test_a_file_without_an_end_is_not_read_forever() -> None:
    with pytest.raises(environment.SettingsError, match="larger than 1 MiB"):
        environment.Secret(file=Path("/dev/zero")).reveal()
