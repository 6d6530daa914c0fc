"""What identifies a kubeconfig's user, and when credentials are fetched again."""

import base64
import json
import stat
import sys
from pathlib import Path
from typing import Any

import pytest

from controller import clock
from controller.kube import errors, kubeconfig, token_refresh, user_credentials

V1 = "client.authentication.k8s.io/v1"
CLUSTER = {"server": "https://127.0.0.1:1", "certificate-authority-data": "Q0E="}


def credentials_of(user: dict[str, Any], folder: Path) -> user_credentials.UserCredentials:
    chosen = kubeconfig.ChosenContext(
        name="c", namespace=None, cluster=CLUSTER, user={**user, "folder": folder}
    )
    return user_credentials.UserCredentials(chosen)


def program(folder: Path, body: str) -> dict[str, Any]:
    """Return the exec part of a user whose program runs this Python."""
    file = folder / "log-in"
    file.write_text(f"#!{sys.executable}\nimport json, os, pathlib, sys\n{body}\n")
    file.chmod(file.stat().st_mode | stat.S_IXUSR)
    return {"exec": {"apiVersion": V1, "command": "./log-in", "interactiveMode": "Never"}}


def answering(folder: Path, status: dict[str, Any], **more: Any) -> dict[str, Any]:
    """Return a user whose program counts its calls in a file and answers with a status."""
    answer = {"apiVersion": V1, "kind": "ExecCredential", "status": status} | more
    return program(
        folder,
        f"calls = pathlib.Path({str(folder / 'calls')!r})\n"
        "calls.write_text(calls.read_text() + '.' if calls.exists() else '.')\n"
        f"print(json.dumps({answer!r}).replace('CALL', str(len(calls.read_text()))))",
    )


STATIC = {
    "token": ({"token": "t"}, "Bearer t"),
    "password": ({"username": "u", "password": "p"}, "Basic dTpw"),
    "nobody": ({}, None),
    "token before a program": ({"token": "t", "exec": {"command": "none"}}, "Bearer t"),
}


@pytest.mark.parametrize(("user", "expected"), STATIC.values(), ids=STATIC.keys())
def test_what_is_in_the_kubeconfig_is_used(
    user: dict[str, Any], expected: str | None, tmp_path: Path
) -> None:
    assert credentials_of(user, tmp_path).current().authorization == expected


def test_a_token_file_is_read_again_when_it_may_have_been_rotated(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = tmp_path / "token"
    file.write_text("old\n")
    credentials = credentials_of({"tokenFile": str(file), "token": "x"}, tmp_path)
    now = clock.unix()

    first = credentials.current()
    file.write_text("new\n")
    same = credentials.current()
    monkeypatch.setattr(clock, "unix", lambda: now + 120)
    later = credentials.current()

    assert (first.authorization, same, later.authorization) == ("Bearer old", first, "Bearer new")


@pytest.mark.parametrize(
    ("content", "expected"), [(b"", "is empty"), (b"\xff", "does not hold a token")]
)
def test_a_token_file_without_a_token_is_refused(
    content: bytes, expected: str, tmp_path: Path
) -> None:
    (tmp_path / "token").write_bytes(content)

    with pytest.raises(errors.Denied, match=f"^tokenFile of the kubeconfig {expected}"):
        credentials_of({"tokenFile": str(tmp_path / "token")}, tmp_path).current()


def test_the_kubeconfig_is_read_again_once_its_token_is_refused(tmp_path: Path) -> None:
    """The user has logged in again, which wrote another token, or is about to."""
    answers: list[dict[str, Any] | errors.Denied] = [{"token": "new"}, errors.Denied("half of it")]

    def read_user() -> dict[str, Any]:
        answer = answers.pop(0)
        if isinstance(answer, errors.Denied):
            raise answer
        return answer

    chosen = kubeconfig.ChosenContext(
        name="c", namespace=None, cluster=CLUSTER, user={"token": "old"}
    )
    credentials = user_credentials.UserCredentials(chosen, read_user=read_user)

    first = credentials.current()
    second = credentials.current(instead_of=first)
    third = credentials.current(instead_of=second)

    assert [one.authorization for one in (first, second, third)] == [
        "Bearer old",
        "Bearer new",
        "Bearer new",
    ]


def test_a_certificate_is_read_by_value_or_from_a_file(tmp_path: Path) -> None:
    (tmp_path / "key.pem").write_text("KEY")
    user = {
        "client-certificate-data": base64.b64encode(b"CERT").decode(),
        "client-key": str(tmp_path / "key.pem"),
    }

    found = credentials_of(user, tmp_path).current()

    assert (found.certificate, found.key) == (b"CERT", b"KEY")


# Exec plugins


def test_a_program_is_asked_once_while_its_token_is_good(tmp_path: Path) -> None:
    credentials = credentials_of(answering(tmp_path, {"token": "tCALL"}), tmp_path)

    found = [credentials.current().authorization for _ in range(2)]

    assert found == ["Bearer t1", "Bearer t1"]


def test_a_token_that_has_expired_or_is_refused_is_asked_for_anew(tmp_path: Path) -> None:
    past = {"token": "tCALL", "expirationTimestamp": "2020-01-01T00:00:00Z"}
    expired = credentials_of(answering(tmp_path, past), tmp_path)
    assert [expired.current().authorization for _ in range(2)] == ["Bearer t1", "Bearer t2"]

    later = {"token": "tCALL", "expirationTimestamp": "2999-01-01T00:00:00Z"}
    refused = credentials_of(answering(tmp_path, later), tmp_path)
    first = refused.current()
    assert refused.current(instead_of=first).authorization == "Bearer t4"
    # Another request has had it renewed meanwhile.
    assert refused.current(instead_of=first).authorization == "Bearer t4"


def test_a_program_may_answer_with_a_certificate(tmp_path: Path) -> None:
    status = {"clientCertificateData": "CERT", "clientKeyData": "KEY"}

    found = credentials_of(answering(tmp_path, status), tmp_path).current()

    assert (found.authorization, found.certificate, found.key) == (None, b"CERT", b"KEY")


def test_a_program_is_told_what_kubectl_tells_it(tmp_path: Path) -> None:
    user = program(
        tmp_path,
        "info = json.loads(os.environ['KUBERNETES_EXEC_INFO'])\n"
        "said = [sys.argv[1:], os.environ['OWN'], bool(os.environ['PATH']), info['spec']]\n"
        "print(json.dumps({'apiVersion': info['apiVersion'], 'kind': info['kind'], "
        "'status': {'token': json.dumps(said)}}))",
    )
    user["exec"] |= {
        "args": ["get-token", "7"],
        "env": [{"name": "OWN", "value": "x"}],
        "provideClusterInfo": True,
    }

    said = credentials_of(user, tmp_path).current().authorization

    assert said is not None
    assert json.loads(said.removeprefix("Bearer ")) == [
        ["get-token", "7"],
        "x",
        True,
        {"interactive": False, "cluster": {**CLUSTER_INFO, "config": None}},
    ]


CLUSTER_INFO = {"server": CLUSTER["server"], "certificate-authority-data": "Q0E="}


def test_what_a_program_says_on_standard_error_is_for_the_user(
    tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    user = program(tmp_path, "print('open https://login', file=sys.stderr); sys.exit(3)")

    with pytest.raises(errors.Denied, match="it ended with exit code 3"):
        credentials_of(user, tmp_path).current()

    assert capfd.readouterr().err == "open https://login\n"


def test_a_program_that_is_not_there_is_named_with_its_hint(tmp_path: Path) -> None:
    user = {"exec": {"apiVersion": V1, "command": "no-such-log-in", "installHint": "get\nit"}}

    with pytest.raises(errors.Denied) as raised:
        credentials_of(user, tmp_path).current()

    assert str(raised.value) == (
        "The exec plugin 'no-such-log-in' gave no credentials: it cannot be started "
        "(No such file or directory). get it"
    )


BAD_ANSWERS = {
    "no JSON": ("print('hello')", "not an ExecCredential"),
    "a list": ("print('[]')", "not an ExecCredential"),
    "another version": (
        "print(json.dumps({'apiVersion': 'v9', 'kind': 'ExecCredential', "
        "'status': {'token': 't'}}))",
        f"not an ExecCredential of {V1}",
    ),
    "nothing": (
        f"print(json.dumps({{'apiVersion': {V1!r}, 'kind': 'ExecCredential', 'status': {{}}}}))",
        "neither a token nor a certificate",
    ),
    "half a certificate": (
        f"print(json.dumps({{'apiVersion': {V1!r}, 'kind': 'ExecCredential', "
        "'status': {'clientCertificateData': 'x'}}))",
        "not an ExecCredential",
    ),
    "a token that is a number": (
        f"print(json.dumps({{'apiVersion': {V1!r}, 'kind': 'ExecCredential', "
        "'status': {'token': 5}}))",
        "not an ExecCredential",
    ),
    "a time of no zone": (
        f"print(json.dumps({{'apiVersion': {V1!r}, 'kind': 'ExecCredential', "
        "'status': {'token': 't', 'expirationTimestamp': '2026-01-01T00:00:00'}}))",
        "not an ExecCredential",
    ),
    "deep lists": ("print('[' * 100_000)", "not an ExecCredential"),
    "no time": (
        f"print(json.dumps({{'apiVersion': {V1!r}, 'kind': 'ExecCredential', "
        "'status': {'token': 't', 'expirationTimestamp': 'soon'}}))",
        "not an ExecCredential",
    ),
}


@pytest.mark.parametrize(("body", "expected"), BAD_ANSWERS.values(), ids=BAD_ANSWERS.keys())
def test_an_answer_that_is_none_is_refused(body: str, expected: str, tmp_path: Path) -> None:
    with pytest.raises(errors.Denied, match=expected):
        credentials_of(program(tmp_path, body), tmp_path).current()


@pytest.mark.parametrize(
    ("part", "expected"),
    [
        ({"apiVersion": "client.authentication.k8s.io/v1alpha1", "command": "x"}, "v1alpha1"),
        ({"apiVersion": V1}, "no command"),
        ({"apiVersion": V1, "command": "x", "interactiveMode": "Always"}, "needs a terminal"),
    ],
)
def test_a_program_that_cannot_be_asked_is_refused(
    part: dict[str, Any], expected: str, tmp_path: Path
) -> None:
    with pytest.raises(errors.Denied, match=expected):
        credentials_of({"exec": part}, tmp_path).current()


# OpenID Connect


def id_token(expires: float) -> str:
    claims = base64.urlsafe_b64encode(json.dumps({"exp": expires}).encode()).decode().rstrip("=")
    return f"head.{claims}.signature"


def provider(**config: str) -> dict[str, Any]:
    return {"auth-provider": {"name": "oidc", "config": config}}


def test_an_id_token_is_used_while_it_is_good(tmp_path: Path) -> None:
    token = id_token(clock.unix() + 3600)

    found = credentials_of(provider(**{"id-token": token}), tmp_path).current()

    assert found.authorization == f"Bearer {token}"


@pytest.mark.parametrize("old", [id_token(1), "", "no.token"])
def test_an_id_token_that_has_expired_is_refreshed(
    old: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    new = id_token(clock.unix() + 3600)
    monkeypatch.setattr(token_refresh, "refresh", lambda config: new)
    user = provider(**{"id-token": old, "refresh-token": "r"})

    assert credentials_of(user, tmp_path).current().authorization == f"Bearer {new}"


@pytest.mark.parametrize(
    ("config", "expected"),
    [
        ({}, "there is no refresh token. Log in again"),
        ({"refresh-token": "r", "client-id": "c"}, "there is no refresh token"),
        (
            {"refresh-token": "r", "client-id": "c", "idp-issuer-url": "http://127.0.0.1:1"},
            "is not an https address. Log in again",
        ),
    ],
)
def test_without_a_new_token_the_user_has_to_log_in(
    config: dict[str, str], expected: str, tmp_path: Path
) -> None:
    with pytest.raises(errors.Denied, match=expected):
        credentials_of(provider(**config), tmp_path).current()


def test_another_auth_provider_is_refused_by_name(tmp_path: Path) -> None:
    with pytest.raises(errors.Denied, match="'gcp' is not supported"):
        credentials_of({"auth-provider": {"name": "gcp", "config": {}}}, tmp_path).current()
