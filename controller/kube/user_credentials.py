"""The credentials of a kubeconfig's user, renewed before they expire.

Tokens, certificates, exec plugins and OpenID Connect, as kubectl has them (ADR 0059).
"""

import base64
import binascii
import contextlib
import dataclasses
import datetime
import json
import threading
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from controller import clock, outside_text
from controller.config import shell_settings
from controller.kube import errors, exec_program, kubeconfig, token_refresh

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


NOBODY = Credentials()


class UserCredentials:
    """Asks for credentials one at a time: an exec plugin may open a browser."""

    def __init__(
        self,
        chosen: kubeconfig.ChosenContext,
        *,
        read_user: Callable[[], Mapping[str, Any]] | None = None,
        is_attended: bool = True,
    ) -> None:
        """Read nothing before credentials are asked for.

        Args:
            chosen: the context.
            read_user: reads its user again, who may have logged in meanwhile.
            is_attended: whether someone is there whom an exec plugin may ask.
        """
        self._cluster, self._user = chosen.cluster, chosen.user
        self._read_user = read_user
        self._known: Credentials | None = None
        self._lock = threading.Lock()
        self._program = exec_program.ExecProgram(is_attended=is_attended)

    def close(self) -> None:
        """End an exec plugin that still runs."""
        self._program.stop()

    def current(self, *, instead_of: Credentials | None = None) -> Credentials:
        """Return credentials that have not expired.

        Args:
            instead_of: those that the API server has refused.

        Raises:
            errors.Denied: no credentials are available; the message says why.
        """
        with self._lock:
            if self._known is None:
                self._known = self._read()
            elif self._known is instead_of or _is_over(self._known):
                self._read_kubeconfig_again()
                self._known = self._read()
            return self._known

    def _read_kubeconfig_again(self) -> None:
        # A file that is being written, or has lost the user, adds nothing to what is known.
        with contextlib.suppress(errors.Denied):
            if self._read_user is not None:
                self._user = self._read_user()

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
            plugin = _Plugin(user["exec"], self._cluster, user["folder"], self._program)
            return _from_program(plugin)
        return Credentials()


def _is_over(credentials: Credentials) -> bool:
    return credentials.expires is not None and credentials.expires <= clock.unix() + _EARLY_SECONDS


def _from_token_file(file: str) -> Credentials:
    try:
        token = kubeconfig.read_file(file, "tokenFile").decode().strip()
    except UnicodeDecodeError as error:
        raise errors.Denied("tokenFile of the kubeconfig does not hold a token") from error
    if not token:
        raise errors.Denied("tokenFile of the kubeconfig is empty")
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
    """Return until when an ID token is valid, in Unix time; 0 for anything else."""
    try:
        payload = token.split(".")[1]
        claims = json.loads(base64.urlsafe_b64decode(payload + "=" * (-len(payload) % 4)))
        return float(claims["exp"])
    except (IndexError, KeyError, TypeError, ValueError, binascii.Error):
        return 0.0


# Exec plugins


@dataclasses.dataclass(frozen=True, slots=True)
class _Plugin:
    part: Any
    cluster: Mapping[str, Any]
    folder: Path
    program: exec_program.ExecProgram


def _from_program(plugin: _Plugin) -> Credentials:
    part = plugin.part
    if not isinstance(part, dict) or not part.get("command"):
        raise errors.Denied("The exec plugin of the kubeconfig has no command")
    version = part.get("apiVersion")
    if version not in _VERSIONS:
        raise errors.Denied(
            f"The exec plugin of the kubeconfig has the apiVersion {version!r}; "
            f"{' and '.join(_VERSIONS)} are supported"
        )
    command = str(part["command"])
    output = _run(command, plugin)
    # Nothing of its output is shown: it is, or is next to, a token.
    try:
        answer = json.loads(output)
        kind, said, status = answer["kind"], answer["apiVersion"], answer["status"]
        credentials = _from_status(status)
    except (KeyError, TypeError, ValueError, AttributeError, RecursionError) as error:
        raise _failed(command, "its output is not an ExecCredential") from error
    if kind != "ExecCredential" or said != version:
        raise _failed(command, f"its output is not an ExecCredential of {version}")
    if credentials.authorization is None and credentials.certificate is None:
        raise _failed(command, "it returned neither a token nor a certificate")
    return credentials


def _from_status(status: Mapping[str, Any]) -> Credentials:
    names = ("token", "clientCertificateData", "clientKeyData", "expirationTimestamp")
    found = {name: status.get(name) or "" for name in names}
    if not all(isinstance(value, str) for value in found.values()):
        raise TypeError("not a string")
    certificate, key = found["clientCertificateData"], found["clientKeyData"]
    if bool(certificate) != bool(key):
        raise ValueError("a certificate without its key")
    return Credentials(
        authorization=f"Bearer {found['token']}" if found["token"] else None,
        certificate=certificate.encode() or None,
        key=key.encode() or None,
        expires=_expiry(found["expirationTimestamp"]),
    )


def _expiry(text: str) -> float | None:
    if not text:
        return None
    moment = datetime.datetime.fromisoformat(text)
    if moment.tzinfo is None:
        raise ValueError("a time without a zone")
    return moment.timestamp()


def _run(command: str, plugin: _Plugin) -> bytes:
    part = plugin.part
    # As kubectl: with a slash it is a path from the kubeconfig's folder, otherwise it is in PATH.
    path = str(plugin.folder / command) if "/" in command else command
    words = [path, *(str(word) for word in part.get("args") or ())]
    is_interactive = part.get("interactiveMode") != "Never" and plugin.program.has_terminal
    if part.get("interactiveMode") == "Always" and not is_interactive:
        raise _failed(command, "it needs a terminal, and standard input is not one")
    own = {str(one.get("name", "")): str(one.get("value", "")) for one in part.get("env") or ()}
    info = json.dumps(_info(part, plugin.cluster, is_interactive=is_interactive))
    environment = shell_settings.child_environment({**own, "KUBERNETES_EXEC_INFO": info})
    try:
        code, output = plugin.program.run(words, environment, is_interactive=is_interactive)
    except (OSError, ValueError) as error:
        hint = outside_text.clean(part.get("installHint") or "")
        # A ValueError is about a variable, and shows none of it.
        reason = (error.strerror or str(error)) if isinstance(error, OSError) else str(error)
        why = f"it cannot be started ({reason})"
        raise _failed(command, f"{why}. {hint}" if hint else why) from error
    if code != 0:
        raise _failed(command, f"it ended with exit code {code}")
    return output


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
