"""What the commands of the local environment share."""

import os
import stat
from pathlib import Path

import pytest

from devenv import cli


def test_what_the_local_environment_writes_is_for_nobody_else(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    before = os.umask(0o022)
    file, folder = tmp_path / "kubeconfig", tmp_path / "state"
    try:
        with pytest.raises(SystemExit):
            cli.main(["--help"])
        file.write_text("token")
        folder.mkdir()
    finally:
        os.umask(before)

    modes = [stat.S_IMODE(path.stat().st_mode) for path in (file, folder)]
    assert modes == [0o600, 0o700]
    assert "usage" in capsys.readouterr().out
