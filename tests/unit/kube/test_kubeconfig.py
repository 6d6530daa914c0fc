"""Which namespace a kubeconfig means; files as people have them, and as they have them not."""

import os
from pathlib import Path
from typing import Any

import pytest
import yaml

from controller.kube import errors, kubeconfig


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

    assert kubeconfig.context_namespace(file, context) == expected


def test_of_several_files_all_contexts_count(tmp_path: Path) -> None:
    first = write(tmp_path / "1", ("a", "team-a"), current="a")
    second = write(tmp_path / "2", ("b", "team-b"), current=None)
    files = Path(os.pathsep.join([str(first), str(tmp_path / "missing"), str(second)]))

    assert kubeconfig.context_namespace(files, None) == "team-a"
    assert kubeconfig.context_namespace(files, "b") == "team-b"


def test_a_named_context_needs_no_current_one(tmp_path: Path) -> None:
    file = write(tmp_path / "config", ("a", "team-a"), current=None)

    assert kubeconfig.context_namespace(file, "a") == "team-a"


@pytest.mark.parametrize(
    "text", ["", "hello", "[1, 2]", "clusters: [", "{contexts: [{}], clusters: 3}"]
)
def test_a_file_of_another_shape_is_refused(text: str, tmp_path: Path) -> None:
    (tmp_path / "config").write_text(text)

    with pytest.raises(errors.Denied, match="cannot be used"):
        kubeconfig.context_namespace(tmp_path / "config", None)


def test_a_context_that_is_not_there_is_refused_by_name(tmp_path: Path) -> None:
    file = write(tmp_path / "config", ("a", "team-a"), current="a")

    with pytest.raises(errors.Denied, match="none"):
        kubeconfig.context_namespace(file, "none")


def test_files_are_named_from_the_folder_of_their_kubeconfig(tmp_path: Path) -> None:
    file = write(tmp_path / "config", ("a", None), current="a")
    document = yaml.safe_load(file.read_text())
    document["clusters"][0]["cluster"]["certificate-authority"] = "ca.crt"
    file.write_text(yaml.safe_dump(document))
    (tmp_path / "ca.crt").write_text("CA")

    chosen = kubeconfig.choose(file, None)

    assert kubeconfig.content_of(chosen.cluster, "certificate-authority") == b"CA"


def test_of_two_users_of_one_name_the_first_is_meant(tmp_path: Path) -> None:
    first = write(tmp_path / "1", ("a", None), current="a")
    second = write(tmp_path / "2", ("a", "other"), current="a")
    second.write_text(second.read_text().replace("token: t", "token: second"))

    chosen = kubeconfig.choose(Path(f"{first}{os.pathsep}{second}"), None)

    assert (chosen.user["token"], chosen.namespace) == ("t", None)


@pytest.mark.parametrize(
    ("part", "expected"),
    [
        ({"ca-data": "%"}, "not base64"),
        ({"ca": "/none/such"}, "cannot be read"),
    ],
)
def test_a_certificate_that_cannot_be_read_is_named(part: dict[str, str], expected: str) -> None:
    with pytest.raises(errors.Denied, match=expected):
        kubeconfig.content_of(part, "ca")


@pytest.mark.parametrize(
    ("old", "new", "expected"),
    [
        ("cluster: one", "cluster: two", "names no cluster with a server"),
        ("user: me", "user: you", "no user 'you'"),
        ("current-context: a", "current-context: ''", "choose one with --context"),
    ],
)
def test_a_context_that_leads_nowhere_is_refused(
    old: str, new: str, expected: str, tmp_path: Path
) -> None:
    file = write(tmp_path / "config", ("a", None), current="a")
    file.write_text(file.read_text().replace(old, new))

    with pytest.raises(errors.Denied, match=expected):
        kubeconfig.choose(file, None)
