"""How long an answer to a completion is good, and what happens where it cannot be kept."""

import os
from collections.abc import Callable
from pathlib import Path

import pytest

from controller import clock
from controller.config import shell_settings
from controller.plugin import completion, completion_cache

QUESTION = ("config", "names")


class Cluster:
    """Answers with how often it was asked; None for no answer."""

    def __init__(self, *, is_there: bool = True) -> None:
        self.asked = 0
        self.is_there = is_there

    def __call__(self) -> list[str] | None:
        self.asked += 1
        return [f"asked-{self.asked}"] if self.is_there else None


def test_an_answer_is_good_for_seconds(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    cluster, now = Cluster(), clock.unix()

    first = completion_cache.answer(tmp_path, QUESTION, cluster)
    same = completion_cache.answer(tmp_path, QUESTION, cluster)
    monkeypatch.setattr(clock, "unix", lambda: now + completion_cache.SECONDS + 5)
    later = completion_cache.answer(tmp_path, QUESTION, cluster)

    assert (first, same, later) == (["asked-1"], ["asked-1"], ["asked-2"])


def test_another_question_has_another_answer(tmp_path: Path) -> None:
    cluster = Cluster()

    found = [
        completion_cache.answer(tmp_path, question, cluster)
        for question in (QUESTION, ("config", "stacks", "prod"), ("other", "names"))
    ]

    assert found == [["asked-1"], ["asked-2"], ["asked-3"]]


def test_no_answer_is_not_kept(tmp_path: Path) -> None:
    cluster = Cluster(is_there=False)

    assert completion_cache.answer(tmp_path, QUESTION, cluster) == []
    cluster.is_there = True
    assert completion_cache.answer(tmp_path, QUESTION, cluster) == ["asked-2"]


@pytest.mark.parametrize("content", ["", "{", "{}", "[1]", "null"])
def test_a_file_that_holds_something_else_is_passed_over(content: str, tmp_path: Path) -> None:
    cluster = Cluster()
    completion_cache.answer(tmp_path, QUESTION, cluster)
    (file,) = tmp_path.iterdir()
    file.write_text(content)

    assert completion_cache.answer(tmp_path, QUESTION, cluster) == ["asked-2"]


def test_where_nothing_can_be_kept_it_is_asked_each_time(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    cluster = Cluster()

    found = [completion_cache.answer(tmp_path / "file", QUESTION, cluster) for _ in range(2)]

    assert found == [["asked-1"], ["asked-2"]]


def test_only_its_user_reads_it_and_old_answers_go(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder, now = tmp_path / "kept", clock.unix()
    completion_cache.answer(folder, QUESTION, Cluster())
    (old,) = folder.iterdir()
    assert (folder.stat().st_mode & 0o777, old.stat().st_mode & 0o777) == (0o700, 0o600)

    monkeypatch.setattr(clock, "unix", lambda: now + 60)
    completion_cache.answer(folder, ("another",), Cluster())

    assert not old.exists()
    assert len(list(folder.iterdir())) == 1


@pytest.fixture
def asked(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[..., list[str]]:
    """Complete `tree` with the kubeconfig of a test, of a cluster that counts."""
    cluster = Cluster()
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    monkeypatch.setenv("KUBECONFIG", str(tmp_path / "config"))
    (tmp_path / "config").touch()

    async def ask(*_: object) -> list[str]:
        return cluster() or []

    monkeypatch.setattr(completion, "_ask", ask)
    return lambda *words: completion.complete(["tree", *words, ""])[0]


def test_context_namespace_and_a_changed_kubeconfig_are_other_questions(
    asked: Callable[..., list[str]], tmp_path: Path
) -> None:
    assert asked() == asked() == ["asked-1"]
    assert asked("-n", "other") == ["asked-2"]
    assert asked("--context", "other") == ["asked-3"]
    os.utime(tmp_path / "config", (1, 1))
    assert asked() == ["asked-4"]
    (tmp_path / "second").touch()
    assert asked("--kubeconfig", str(tmp_path / "second")) == ["asked-5"]


@pytest.mark.parametrize(
    ("environ", "expected"),
    [
        ({"XDG_CACHE_HOME": "/there"}, Path("/there/kubectl-stackchain")),
        ({"XDG_CACHE_HOME": "there"}, Path("~/.cache/kubectl-stackchain").expanduser()),
        ({}, Path("~/.cache/kubectl-stackchain").expanduser()),
    ],
)
def test_answers_are_kept_where_caches_are(environ: dict[str, str], expected: Path) -> None:
    assert shell_settings.load_plugin_settings(environ=environ).cache_folder == expected
