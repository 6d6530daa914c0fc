"""The credentials of a kubeconfig's user, renewed before they expire.

Tokens, certificates, exec plugins and OpenID Connect, as kubectl has them (ADR 0059).
"""

import base64
import binascii
import dataclasses
import datetime
import json
import subprocess
import sys
import threading
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from controller import clock, outside_text
from controller.config import settings
from controller.kube import errors, kubeconfig, token_refresh

_GROUP = "client.authentication.k8s.io"
_VERSIONS = (f"{_GROUP}/v1", f"{_GROUP}/v1beta1")
# A token that ends while a request is on its way would be refused.
_EARLY_SECONDS = 10.0
_TOKEN_FILE_SECONDS = 60.0


@dataclasses.dataclass(frozen=True, kw_only=True, slots=True)
class Credentials:
    """What a request is sent with; `expires` is Unix time, None for never."""

    authorization: str | None = dataclasses.field(default=None, repr=False)
    certificate: bytes | None = None
    key: bytes | None = dataclasses.field(default=None, repr=False)
    expires: float | None = None


class UserCredentials:
    """Asks for credentials one at a time: an exec plugin may open a browser."""

    def __init__(self, chosen: kubeconfig.ChosenContext) -> None:
        """Read nothing before credentials are asked for."""
        self._cluster, self._user = chosen.cluster, chosen.user
        self._known: Credentials | None = None
        self._lock = threading.Lock()

    def current(self, *, instead_of: Credentials | None = None) -> Credentials:
        """Return credentials that have not expired.

        Args:
            instead_of: those that the API server has refused.

        Raises:
            errors.Denied: there are none to be had; the message says why.
        """
        with self._lock:
            if self._known is None or self._known is instead_of or _is_over(self._known):
                self._known = self._read()
            return self._known

    def _read(self) -> Credentials:
        certificate = kubeconfig.content_of(self._user, "client-certificate")
        key = kubeconfig.content_of(self._user, "client-key")
        found = self._read_authorization()
        if certificate is not None and found.certificate is None:
            found = dataclasses.replace(found, certificate=certificate, key=key)
        return found

    def _read_authorization(self) -> Credentials:
        user = self._user
        if user.get("tokenFile"):
            return _from_token_file(str(user["tokenFile"]))
        if user.get("token"):
            return Credentials(authorization=f"Bearer {user['token']}")
        if user.get("username"):
            pair = f"{user['username']}:{user.get('password') or ''}".encode()
            return Credentials(authorization=f"Basic {base64.b64encode(pair).decode()}")
        if user.get("auth-provider"):
            return _from_provider(user["auth-provider"])
        if user.get("exec"):
            return _from_program(user["exec"], self._cluster, user["folder"])
        return Credentials()


def _is_over(credentials: Credentials) -> bool:
    return credentials.expires is not None and credentials.expires <= clock.unix() + _EARLY_SECONDS


def _from_token_file(file: str) -> Credentials:
    try:
        token = Path(file).read_text(encoding="utf-8").strip()
    except (OSError, UnicodeDecodeError) as error:
        raise errors.Denied(f"The token file {file} cannot be read: {error}") from error
    # It is rotated in place.
    return Credentials(
        authorization=f"Bearer {token}", expires=clock.unix() + _EARLY_SECONDS + _TOKEN_FILE_SECONDS
    )


# OpenID Connect


def _from_provider(provider: Any) -> Credentials:
    name = provider.get("name") if isinstance(provider, dict) else None
    config = provider.get("config") if isinstance(provider, dict) else None
    if name != "oidc" or not isinstance(config, dict):
        raise errors.Denied(
            f"The auth-provider {name!r} is not supported, as in kubectl since 1.26; the "
            "documentation of the cluster says which exec plugin replaces it"
        )
    token = str(config.get("id-token") or "")
    if _expiry_of(token) <= clock.unix() + _EARLY_SECONDS:
        token = token_refresh.refresh(config)
    return Credentials(authorization=f"Bearer {token}", expires=_expiry_of(token))


def _expiry_of(token: str) -> float:
    """Return until when an ID token is good, in Unix time; 0 for what is not one."""
    try:
        payload = token.split(".")[1]
        claims = json.loads(base64.urlsafe_b64decode(payload + "=" * (-len(payload) % 4)))
        return float(claims["exp"])
    except (IndexError, KeyError, TypeError, ValueError, binascii.Error):
        return 0.0


# Exec plugins


def _from_program(program: Any, cluster: Mapping[str, Any], folder: Path) -> Credentials:
    if not isinstance(program, dict) or not program.get("command"):
        raise errors.Denied("The exec plugin of the kubeconfig has no command")
    version = program.get("apiVersion")
    if version not in _VERSIONS:
        raise errors.Denied(
            f"The exec plugin of the kubeconfig has the apiVersion {version!r}; "
            f"{' and '.join(_VERSIONS)} are supported"
        )
    command = str(program["command"])
    output = _run(command, program, cluster, folder)
    try:
        answer = json.loads(output)
        kind, said, status = answer["kind"], answer["apiVersion"], answer["status"]
        credentials = _from_status(status)
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        raise _failed(command, "its output is not an ExecCredential") from error
    if kind != "ExecCredential" or said != version:
        raise _failed(command, f"it answered with {said} {kind}, not {version} ExecCredential")
    if credentials.authorization is None and credentials.certificate is None:
        raise _failed(command, "it returned neither a token nor a certificate")
    return credentials


def _from_status(status: Mapping[str, Any]) -> Credentials:
    token, expires = status.get("token"), status.get("expirationTimestamp")
    certificate, key = status.get("clientCertificateData"), status.get("clientKeyData")
    return Credentials(
        authorization=f"Bearer {token}" if token else None,
        certificate=certificate.encode() if certificate and key else None,
        key=key.encode() if certificate and key else None,
        expires=datetime.datetime.fromisoformat(expires).timestamp() if expires else None,
    )


def _run(
    command: str, program: Mapping[str, Any], cluster: Mapping[str, Any], folder: Path
) -> bytes:
    # As kubectl: with a slash it is a path from the kubeconfig's folder, else it is in PATH.
    path = str(folder / command) if "/" in command else command
    words = [path, *(str(word) for word in program.get("args") or ())]
    is_interactive = program.get("interactiveMode") != "Never" and sys.stdin.isatty()
    if program.get("interactiveMode") == "Always" and not is_interactive:
        raise _failed(command, "it needs a terminal, and standard input is none")
    own = {str(one["name"]): str(one["value"]) for one in program.get("env") or ()}
    info = json.dumps(_info(program, cluster, is_interactive=is_interactive))
    try:
        # What it says on standard error is for the user: an address to open, a code.
        ended = subprocess.run(  # noqa: S603 - the user's kubeconfig names it
            words,
            stdin=None if is_interactive else subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            env=settings.child_environment({**own, "KUBERNETES_EXEC_INFO": info}),
            check=False,
        )
    except OSError as error:
        hint = outside_text.clean(program.get("installHint") or "")
        why = f"it cannot be started ({error.strerror or error})"
        raise _failed(command, f"{why}. {hint}" if hint else why) from error
    if ended.returncode != 0:
        raise _failed(command, f"it ended with exit code {ended.returncode}")
    return ended.stdout


def _info(
    program: Mapping[str, Any], cluster: Mapping[str, Any], *, is_interactive: bool
) -> dict[str, Any]:
    spec: dict[str, Any] = {"interactive": is_interactive}
    if program.get("provideClusterInfo"):
        authority = kubeconfig.content_of(cluster, "certificate-authority")
        spec["cluster"] = {
            "server": cluster["server"],
            **{
                name: cluster[name]
                for name in ("tls-server-name", "insecure-skip-tls-verify", "proxy-url")
                if cluster.get(name)
            },
            "config": _extension(cluster),
        }
        if authority is not None:
            spec["cluster"]["certificate-authority-data"] = base64.b64encode(authority).decode()
    return {"apiVersion": program["apiVersion"], "kind": "ExecCredential", "spec": spec}


def _extension(cluster: Mapping[str, Any]) -> Any:
    extensions = cluster.get("extensions") or ()
    return next(
        (one.get("extension") for one in extensions if one.get("name") == f"{_GROUP}/exec"), None
    )


def _failed(command: str, why: str) -> errors.Denied:
    return errors.Denied(
        f"The exec plugin {command!r} gave no credentials: {outside_text.clean(why)}"
    )
