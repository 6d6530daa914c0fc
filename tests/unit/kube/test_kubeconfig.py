"""Which namespace a kubeconfig means; files as people have them, and as they have them not."""

import os
from pathlib import Path
from typing import Any

import pytest
import yaml

from controller.kube import client, errors


def write(path: Path, *contexts: tuple[str, str | None], current: str | None) -> Path:
    document: dict[str, Any] = {
        "clusters": [{"name": "one", "cluster": {"server": "https://127.0.0.1:1"}}],
        "users": [{"name": "me", "user": {"token": "t"}}],
        "contexts": [
            {
                "name": name,
                "context": {"cluster": "one", "user": "me"}
                | ({"namespace": namespace} if namespace else {}),
            }
            for name, namespace in contexts
        ],
    }
    if current:
        document["current-context"] = current
    path.write_text(yaml.safe_dump(document))
    return path


@pytest.mark.parametrize(
    ("context", "expected"),
    [(None, "team-a"), ("a", "team-a"), ("b", "team-b"), ("c", None)],
    ids=["current", "named", "another", "without a namespace"],
)
def test_a_context_has_its_namespace(
    context: str | None, expected: str | None, tmp_path: Path
) -> None:
    contexts = (("a", "team-a"), ("b", "team-b"), ("c", None))
    file = write(tmp_path / "config", *contexts, current="a")

    assert client.context_namespace(file, context) == expected


def test_of_several_files_all_contexts_count(tmp_path: Path) -> None:
    first = write(tmp_path / "1", ("a", "team-a"), current="a")
    second = write(tmp_path / "2", ("b", "team-b"), current=None)
    files = Path(os.pathsep.join([str(first), str(tmp_path / "missing"), str(second)]))

    assert client.context_namespace(files, None) == "team-a"
    assert client.context_namespace(files, "b") == "team-b"


def test_a_named_context_needs_no_current_one(tmp_path: Path) -> None:
    file = write(tmp_path / "config", ("a", "team-a"), current=None)

    assert client.context_namespace(file, "a") == "team-a"


@pytest.mark.parametrize(
    "text", ["", "hello", "[1, 2]", "clusters: [", "{contexts: [{}], clusters: 3}"]
)
def test_a_file_of_another_shape_is_refused(text: str, tmp_path: Path) -> None:
    (tmp_path / "config").write_text(text)

    with pytest.raises(errors.Denied, match="cannot be used"):
        client.context_namespace(tmp_path / "config", None)


def test_a_context_that_is_not_there_is_refused_by_name(tmp_path: Path) -> None:
    file = write(tmp_path / "config", ("a", "team-a"), current="a")

    with pytest.raises(errors.Denied, match="none"):
        client.context_namespace(file, "none")
