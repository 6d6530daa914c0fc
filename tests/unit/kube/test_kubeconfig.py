"""Which namespace a kubeconfig means; files as people have them, and files that do not fit."""

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


def parts(**more: Any) -> dict[str, Any]:
    """Return a kubeconfig that can be used, with some of its parts replaced."""
    return {
        "clusters": [{"name": "one", "cluster": {"server": "https://127.0.0.1:1"}}],
        "users": [{"name": "me", "user": {"token": "s3cret"}}],
        "contexts": [{"name": "a", "context": {"cluster": "one", "user": "me"}}],
        "current-context": "a",
    } | more


def user(**fields: Any) -> dict[str, Any]:
    return parts(users=[{"name": "me", "user": fields}])


def cluster(**fields: Any) -> dict[str, Any]:
    return parts(clusters=[{"name": "one", "cluster": {"server": "https://x", **fields}}])


BROKEN = {
    "a list of nothing": (parts(contexts=[None]), "item 1 of contexts must be a mapping"),
    "no list": (parts(users={"me": {}}), "users must be a list"),
    "no name": (parts(users=[{"user": {}}]), "item 1 of users has no name"),
    "a name that is a number": (
        parts(users=[{"name": 7}]),
        "name in item 1 of users must be a string: put it in quotes",
    ),
    "a name that is a list": (
        parts(clusters=[{"name": []}]),
        "name in item 1 of clusters must be a string",
    ),
    "a current context of another kind": (
        parts(**{"current-context": ["a"]}),
        "current-context must be a string",
    ),
    "a user that is a string": (
        parts(users=[{"name": "me", "user": "s3cret"}]),
        "the user 'me' must be a mapping",
    ),
    "a field without a name": (
        parts(users=[{"name": "me", "user": {7: "s3cret"}}]),
        "the names of the fields in the user 'me' must be strings",
    ),
    "a switch in quotes": (
        cluster(**{"insecure-skip-tls-verify": "false"}),
        "insecure-skip-tls-verify in the cluster 'one' must be true or false, without quotes",
    ),
    "a switch that is a number": (
        cluster(**{"insecure-skip-tls-verify": 1}),
        "insecure-skip-tls-verify in the cluster 'one' must be true or false",
    ),
    "a server that is none": (
        cluster(server=1),
        "server in the cluster 'one' must be a string: put it in quotes",
    ),
    "extensions of nothing": (
        cluster(extensions=[None]),
        "item 1 of extensions in the cluster 'one' must be a mapping",
    ),
    "a token that is a number": (
        user(token=123),
        "token in the user 'me' must be a string: put it in quotes",
    ),
    "groups that are none": (user(**{"as-groups": 5}), "as-groups in the user 'me' must be a list"),
    "extras that are none": (
        user(**{"as-user-extra": ["x"]}),
        "as-user-extra in the user 'me' must be a mapping",
    ),
    "an extra that is a string": (
        user(**{"as-user-extra": {"scopes": "x"}}),
        "scopes in as-user-extra in the user 'me' must be a list",
    ),
    "a program that is a string": (user(exec="x"), "exec in the user 'me' must be a mapping"),
    "words of a program that are numbers": (
        user(exec={"command": "x", "args": ["a", 7]}),
        "item 2 of args in exec in the user 'me' must be a string: put it in quotes",
    ),
    "words of a program that are none": (
        user(exec={"command": "x", "args": 5}),
        "args in exec in the user 'me' must be a list",
    ),
    "variables of a program that are none": (
        user(exec={"command": "x", "env": [None]}),
        "item 1 of env in exec in the user 'me' must be a mapping",
    ),
    "a switch of a program in quotes": (
        user(exec={"command": "x", "provideClusterInfo": "true"}),
        "provideClusterInfo in exec in the user 'me' must be true or false, without quotes",
    ),
    "a provider that is a list": (
        user(**{"auth-provider": [1]}),
        "auth-provider in the user 'me' must be a mapping",
    ),
    "a provider's setting that is a number": (
        user(**{"auth-provider": {"name": "oidc", "config": {"client-id": 1}}}),
        "client-id in config in auth-provider in the user 'me' must be a string",
    ),
}


@pytest.mark.parametrize(("document", "expected"), BROKEN.values(), ids=BROKEN.keys())
def test_a_part_of_another_kind_is_named_with_its_file_and_not_shown(
    document: dict[str, Any], expected: str, tmp_path: Path
) -> None:
    """With another file before it, which is fine."""
    good = write(tmp_path / "good", ("b", None), current=None)
    (tmp_path / "bad").write_text(yaml.safe_dump(document))

    with pytest.raises(errors.Denied) as raised:
        kubeconfig.choose(Path(f"{good}{os.pathsep}{tmp_path / 'bad'}"), None)

    assert str(raised.value).startswith(
        f"The kubeconfig {tmp_path / 'bad'} cannot be used: {expected}"
    )
    assert "s3cret" not in str(raised.value)


UNREADABLE = {
    "a token that is an alias": (b"token: *s3cret", "it is not valid YAML (line 1, column 8)"),
    "a token that is a tag": (b"a: 1\ntoken: !s3cret x", "it is not valid YAML (line 2, column 8)"),
    "a tab": (b"users:\n\t- s3cret", "it is not valid YAML (line 2, column 1)"),
    "two documents": (b"a: 1\n---\nb: 2", "it is not valid YAML"),
    "a list as the name of a field": (b"? [s3cret]\n: 1", "it is not valid YAML"),
    "Latin-1": (b"token: s3cret\xe9", "it is not text in UTF-8"),
    "a control character": (b"token: s3cret\x00", "it is not text in UTF-8"),
    "deep lists": (b"[" * 200_000, "it is nested too deeply"),
    "deep lists in lines": (b"- " * 200_000, "it is nested too deeply"),
    "a huge file": (b"#" * (16 * 2**20 + 1), "it is larger than 16 MiB"),
    "nothing": (b"", "it is not a kubeconfig, which is a mapping"),
    "a list": (b"[s3cret]", "it is not a kubeconfig, which is a mapping"),
}


@pytest.mark.parametrize("loader", [None, pytest.param(yaml.SafeLoader, id="as the zipapp has it")])
@pytest.mark.parametrize(("content", "expected"), UNREADABLE.values(), ids=UNREADABLE.keys())
def test_a_file_that_cannot_be_read_says_where_and_not_what(
    content: bytes,
    expected: str,
    loader: Any,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    if loader is not None:
        monkeypatch.setattr(yaml, "CSafeLoader", loader)
    (tmp_path / "config").write_bytes(content)

    with pytest.raises(errors.Denied) as raised:
        kubeconfig.choose(tmp_path / "config", None)

    assert str(raised.value).startswith(
        f"The kubeconfig {tmp_path / 'config'} cannot be used: {expected}"
    )
    assert "s3cret" not in str(raised.value)


@pytest.mark.parametrize("name", ["missing", ".", "a\0b"])
def test_a_file_that_is_none_says_why(name: str, tmp_path: Path) -> None:
    expected = "No such file|Is a directory|its name is not a path"

    with pytest.raises(errors.Denied, match=f"cannot be used: ({expected})"):
        kubeconfig.choose(tmp_path / name, None)


def test_a_file_that_never_ends_is_not_read_to_its_end() -> None:
    with pytest.raises(errors.Denied, match="larger than 16 MiB"):
        kubeconfig.choose(Path("/dev/zero"), None)


def test_nothing_stands_for_what_is_not_there_and_a_date_for_a_name(tmp_path: Path) -> None:
    document = parts(
        users=[{"name": "me", "user": {"token": "t", "as": None, "exec": None}}],
        clusters=[{"name": "one", "cluster": {"server": "https://x", "extensions": None}}],
    )
    text = yaml.safe_dump(document).replace(": a", ": 2026-01-31")
    (tmp_path / "config").write_text(text)

    chosen = kubeconfig.choose(tmp_path / "config", None)

    assert chosen.name == "2026-01-31"
    assert dict(chosen.user) == {"token": "t", "folder": tmp_path}


def test_a_certificate_may_be_in_lines() -> None:
    assert kubeconfig.content_of({"ca-data": "Q0\nE=\n"}, "ca") == b"CA"


@pytest.mark.parametrize("wrong", ["-----BEGIN PRIVATE KEY-----\ns3cret", "s3cret" * 99, "s\0x"])
def test_a_key_where_its_file_belongs_is_not_shown(wrong: str) -> None:
    with pytest.raises(errors.Denied, match=r"^client-key of the kubeconfig") as raised:
        kubeconfig.content_of({"client-key": wrong}, "client-key")

    assert "s3cret" not in str(raised.value)
