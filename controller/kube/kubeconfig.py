"""Reads kubeconfigs as kubectl does: of several, the first to name something wins (ADR 0059)."""

import base64
import binascii
import dataclasses
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import yaml

from controller import outside_text
from controller.kube import errors

Json = dict[str, Any]

DEFAULT_KUBECONFIG = Path("~/.kube/config")
_LISTS = ("clusters", "contexts", "users")
# Paths in a kubeconfig are relative to its own folder.
_PATHS = ("certificate-authority", "client-certificate", "client-key", "tokenFile")


@dataclasses.dataclass(frozen=True, kw_only=True, slots=True)
class ChosenContext:
    """One context of a kubeconfig, with what it names."""

    name: str
    namespace: str | None
    cluster: Mapping[str, Any]
    user: Mapping[str, Any]


def context_names(kubeconfig: Path) -> list[str]:
    """Return the contexts of a kubeconfig; none of one that cannot be read."""
    try:
        return sorted(_read(kubeconfig)["contexts"])
    except errors.Denied:
        return []


def context_namespace(kubeconfig: Path, context: str | None) -> str | None:
    """Return the namespace of a kubeconfig's context, if it names one.

    Raises:
        errors.Denied: the kubeconfig cannot be read, or has no such context.
    """
    return choose(kubeconfig, context).namespace


def choose(kubeconfig: Path, context: str | None) -> ChosenContext:
    """Return a context, by default the current one.

    Raises:
        errors.Denied: the kubeconfig cannot be read, or has no such context.
    """
    merged = _read(kubeconfig)
    name = context or merged["current-context"]
    if not name:
        raise _unusable(kubeconfig, "it has no current context; choose one with --context")
    found = merged["contexts"].get(name)
    if found is None:
        raise _unusable(kubeconfig, f"it has no context {name!r}")
    cluster, user = str(found.get("cluster") or ""), str(found.get("user") or "")
    if not merged["clusters"].get(cluster, {}).get("server"):
        raise _unusable(kubeconfig, f"its context {name!r} names no cluster with a server")
    if user and user not in merged["users"]:
        raise _unusable(kubeconfig, f"it has no user {user!r}, whom its context {name!r} names")
    namespace = found.get("namespace")
    return ChosenContext(
        name=name,
        namespace=str(namespace) if namespace else None,
        cluster=merged["clusters"][cluster],
        user=merged["users"].get(user, {}),
    )


def content_of(part: Mapping[str, Any], name: str) -> bytes | None:
    """Return what a field of a cluster or user holds, by value or as the name of a file.

    Raises:
        errors.Denied: the file cannot be read, or the value is not base64.
    """
    data, file = part.get(f"{name}-data"), part.get(name)
    try:
        if data:
            return base64.b64decode(str(data), validate=True)
        return Path(str(file)).read_bytes() if file else None
    except binascii.Error as error:
        raise errors.Denied(f"{name}-data of the kubeconfig is not base64") from error
    except OSError as error:
        raise errors.Denied(f"{name} of the kubeconfig cannot be read: {error}") from error


def _read(kubeconfig: Path) -> Json:
    merged: Json = {"current-context": "", **{kind: {} for kind in _LISTS}}
    paths = [Path(part).expanduser() for part in str(kubeconfig).split(os.pathsep) if part]
    # As kubectl: of several files one may be missing.
    for path in [path for path in paths if len(paths) == 1 or path.is_file()]:
        document = _document(kubeconfig, path)
        merged["current-context"] = merged["current-context"] or _current(document)
        for kind in _LISTS:
            for name, entry in _entries(kubeconfig, document, kind):
                merged[kind].setdefault(name, _with_paths(entry, path.parent))
    return merged


def _document(kubeconfig: Path, path: Path) -> Json:
    # The loader in C is several times quicker, and not everywhere.
    loader = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
    try:
        document = yaml.load(path.read_bytes(), Loader=loader)  # noqa: S506 - a safe loader
    except (OSError, yaml.YAMLError, ValueError) as error:
        raise _unusable(kubeconfig, str(error)) from error
    if not isinstance(document, dict):
        raise _unusable(kubeconfig, "it is no kubeconfig")
    return document


def _current(document: Json) -> str:
    return str(document.get("current-context") or "")


def _entries(kubeconfig: Path, document: Json, kind: str) -> list[tuple[str, Json]]:
    found, listed = [], document.get(kind) or []
    if not isinstance(listed, list):
        raise _unusable(kubeconfig, "it is no kubeconfig")
    for item in listed:
        entry = item.get(kind.removesuffix("s")) if isinstance(item, dict) else None
        if not isinstance(item, dict) or "name" not in item or not isinstance(entry or {}, dict):
            raise _unusable(kubeconfig, "it is no kubeconfig")
        found.append((str(item["name"]), dict(entry or {})))
    return found


def _with_paths(entry: Json, folder: Path) -> Json:
    named = {name: str(folder / str(entry[name])) for name in _PATHS if entry.get(name)}
    return {**entry, **named, "folder": folder}


def _unusable(kubeconfig: Path, why: str) -> errors.Denied:
    return errors.Denied(f"The kubeconfig {kubeconfig} cannot be used: {outside_text.clean(why)}")
