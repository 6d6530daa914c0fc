import inspect
import re
from pathlib import Path

import pytest

from devenv import cli, settings

PAGE = Path(__file__).parents[2] / "docs/development.md"


def test_an_empty_environment_gives_the_documented_defaults() -> None:
    loaded = settings.load_dev_settings({"HOME": "/home/dev"})

    assert loaded == settings.DevSettings(cache_dir=Path("/home/dev/.cache/stackchain"))


def test_both_variables_are_read(tmp_path: Path) -> None:
    shell = {"KUBEBUILDER_ASSETS": str(tmp_path), "XDG_CACHE_HOME": "/var/cache"}

    assert settings.load_dev_settings(shell) == settings.DevSettings(
        kubebuilder_assets=tmp_path, cache_dir=Path("/var/cache/stackchain")
    )


def test_the_page_names_both_variables() -> None:
    shown = re.findall(r"^\| `([A-Z_]+)` \|", PAGE.read_text(encoding="utf-8"), re.MULTILINE)

    assert shown == ["KUBEBUILDER_ASSETS", "XDG_CACHE_HOME"]


def test_the_local_environment_starts_whatever_else_the_shell_is_set_up_for(tmp_path: Path) -> None:
    """A shell keeps the KUBECONFIG of an environment that has ended, and its file is gone."""
    shell = {
        "KUBECONFIG": str(tmp_path / "gone"),
        "SPACELIFT_API_KEY_ID": "only the id",
        "XDG_CACHE_HOME": str(tmp_path),
    }

    assert settings.load_dev_settings(shell).cache_dir == tmp_path / "stackchain"


@pytest.mark.parametrize("arguments", [[], ["demo"]], ids=["dev", "demo"])
def test_a_wrong_setting_ends_the_start_with_a_sentence(
    arguments: list[str], monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("KUBEBUILDER_ASSETS", "/nowhere")

    assert cli.main(arguments) == 2
    assert capsys.readouterr().err.startswith("stackchain: KUBEBUILDER_ASSETS: '/nowhere'")


def test_the_module_reads_the_environment_in_one_place() -> None:
    assert inspect.getsource(settings).count("os.environ") == 1
