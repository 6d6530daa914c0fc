"""The command line, as far as it says something before any role starts."""

import sys

import pytest

from controller import cli


def test_what_the_local_environment_lacks_is_told_in_one_line(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """The package is installed without its extra `dev` where only the roles run."""
    for name in [name for name in sys.modules if name.startswith("controller.dev")]:
        monkeypatch.delitem(sys.modules, name)
    monkeypatch.setitem(sys.modules, "cryptography", None)

    with pytest.raises(SystemExit) as ended:
        cli.main(["dev", "demo"])

    said = capsys.readouterr().err
    assert ended.value.code == 2
    assert said.startswith("stackchain: cryptography is not installed")
    assert "`make demo`" in said
    assert said.count("\n") == 1
