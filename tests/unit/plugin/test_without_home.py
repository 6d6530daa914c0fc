"""A user without a home, as in a container that runs under an arbitrary number."""

import pwd
from pathlib import Path
from typing import NoReturn

import pytest
import yaml

from controller.config import shell_settings
from controller.plugin import cluster, completion
from controller.plugin.exit_codes import CommandError, ExitCode

CONFIG = {
    "clusters": [{"name": "c", "cluster": {"server": "http://127.0.0.1:1"}}],
    "contexts": [{"name": "x", "context": {"cluster": "c", "namespace": "team"}}],
    "current-context": "x",
}


@pytest.fixture(autouse=True)
def _no_home(monkeypatch: pytest.MonkeyPatch) -> None:
    def unknown(_: int) -> NoReturn:
        raise KeyError

    for name in ("HOME", "KUBECONFIG", "XDG_CACHE_HOME"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setattr(pwd, "getpwuid", unknown)


def choose(context: str | None = None) -> cluster.ClusterChoice:
    kubernetes = shell_settings.load_plugin_settings().kubernetes
    return cluster.choose_target(kubernetes, context=context, namespace=None)


@pytest.fixture
def config(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    file = tmp_path / "config"
    file.write_text(yaml.safe_dump(CONFIG))
    monkeypatch.setenv("KUBECONFIG", str(file))
    return file


def test_the_kubeconfig_that_is_named_counts(config: Path) -> None:
    chosen = choose()

    assert (chosen.kubernetes.kubeconfig, chosen.namespace) == (config, "team")


def test_of_several_one_may_be_below_the_home(
    config: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("KUBECONFIG", f"~/.kube/config:{config}")

    assert choose().namespace == "team"


@pytest.mark.parametrize("context", [None, "x"])
def test_without_any_kubeconfig_the_command_says_so(
    context: str | None, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr(shell_settings, "SERVICE_ACCOUNT_NAMESPACE", tmp_path / "missing")

    with pytest.raises(CommandError, match=r"~/\.kube/config") as refused:
        choose(context)

    assert refused.value.code is ExitCode.REFUSED


@pytest.mark.parametrize("is_cached", [True, False])
def test_completion_asks(is_cached: bool, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    async def ask(*_: object) -> list[str]:
        return ["prod"]

    monkeypatch.setattr(completion, "_ask", ask)
    if is_cached:
        monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))

    assert completion.complete(["tree", ""]) == (["prod"], completion.NO_FILES)
